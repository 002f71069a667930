-- readme.lua -- puts the ratios of a run into the marked block of README.md.
local core = require "unroll.core"
local numbers = require "numbers"
local train = require "phases.train"

local readme = {}

local from, to = "<!-- speed: scripts/bench --readme writes this -->", "<!-- end of speed -->"

local function training_rows(data, lines)
  lines[#lines + 1] = "| network | characters/s | over PyTorch | over NumPy | of FMA peak |"
  lines[#lines + 1] = "|---|---|---|---|---|"
  for _, case in ipairs(data.cases) do
    local s = not case.absent and train.summary(case)
    if s then
      lines[#lines + 1] = ("| %s %s: H %d, T %d, B %d | %s | %s | %s | %s |"):format(case.cell,
        case.name, case.H, case.T, case.B, numbers.short(s.rate), numbers.times(s.torch),
        numbers.times(s.numpy), numbers.percent(s.share))
    end
  end
end

local function generation_line(data)
  local parts = {}
  for _, case in ipairs(data.cases) do
    if not case.absent then
      parts[#parts + 1] = ("%s %d %s (%s)"):format(case.cell, case.H,
        numbers.short(numbers.median(case.rates.unroll)),
        numbers.times(numbers.ratio(case.rates.unroll, case.rates.torch)))
    end
  end
  return "Generation, characters/s (over PyTorch): " .. table.concat(parts, ", ") .. "."
end

-- The lines of the block.
local function block(results)
  local p, lines = results.phases, {}
  training_rows(p.train, lines)
  lines[#lines + 1] = ""
  if p.generate then lines[#lines + 1] = generation_line(p.generate) end
  if p.start then
    lines[#lines + 1] = ("Process start to the end of the first step: %s (PyTorch %s)."):format(
      numbers.seconds(numbers.median(p.start.unroll)),
      numbers.seconds(numbers.median(p.start.torch)))
  end
  if p.memory then
    lines[#lines + 1] = ("Most memory at f: %s (PyTorch %s); a step of a window of %d: %s (%s).")
      :format(numbers.bytes(p.memory.f), numbers.bytes(p.memory.torch_f), p.memory.long,
        numbers.bytes(p.memory.step), numbers.bytes(p.memory.torch_step))
  end
  lines[#lines + 1] = ("On %s, %s, %s, one thread."):format(results.machine.processor,
    results.machine.instruction_set, results.machine.openblas)
  return table.concat(lines, "\n")
end

--- Rewrites the block; an error when there is none, or no run of the training phase.
function readme.update(path, results)
  if not results.phases.train then error("no results yet: run scripts/bench first", 0) end
  local text = assert(core.sys.read_file(path))
  local first, after = text:find(from, 1, true)
  local last = first and text:find(to, after, true)
  if not last then error(path .. " has no block between the marks of speed", 0) end
  assert(core.sys.write_file(path, text:sub(1, after) .. "\n" .. block(results) .. "\n"
    .. text:sub(last)))
end

return readme
