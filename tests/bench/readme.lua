-- readme.lua -- puts the ratios of a run into the marked block of README.md: a table of the
-- trainings, and a line for each of the other phases that have been run.
local core = require "unroll.core"
local numbers = require "numbers"
local sizes = require "phases.sizes"
local threads = require "phases.threads"
local train = require "phases.train"

local readme = {}

local from, to = "<!-- speed: scripts/bench --readme writes this -->", "<!-- end of speed -->"

local width = 128

-- Lines no longer than the README's; those after the first begin with `indent`.
local function wrap(text, indent)
  local lines, line = {}, nil
  for word in text:gmatch "%S+" do
    if line and utf8.len(line) + 1 + utf8.len(word) > width then
      lines[#lines + 1], line = line, (indent or "") .. word
    else
      line = line and line .. " " .. word or word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function training_rows(data, lines)
  lines[#lines + 1] = "| network | characters/s | over PyTorch | most possible | over NumPy "
    .. "| over oneDNN | of FMA peak | AVX2 of its |"
  lines[#lines + 1] = "|" .. ("---|"):rep(8)
  for _, case in ipairs(data.cases) do
    local s = not case.absent and train.summary(case)
    if s then
      lines[#lines + 1] = ("| %s %s: H %d, T %d, B %d | %s | %s | %s | %s | %s | %s | %s |")
        :format(case.cell, case.name, case.H, case.T, case.B, numbers.short(s.rate),
        numbers.times(s.torch), numbers.times(s.most), numbers.times(s.numpy),
        numbers.times(s.onednn), numbers.percent(s.share), numbers.percent(s.avx2))
    end
  end
  lines[#lines + 1] = "\n" .. wrap("Most possible: over PyTorch if all products were as fast as "
    .. "one whose factors lie in the nearest cache, all reading of weights, and with B = 1 what "
    .. "surrounds the products, at its measured limit (`tests/bench/floor.lua`). oneDNN: its RNN "
    .. "primitive alone, without read-out, loss and update.") .. "\n"
end

-- --- one line for each other phase ------------------------------------------------------

local line = {}

function line.generate(data)
  local parts = {}
  for _, case in ipairs(data.cases) do
    if not case.absent then
      parts[#parts + 1] = ("%s %d %s (%s, %s)"):format(case.cell, case.H,
        numbers.short(numbers.median(case.rates.unroll)),
        numbers.times(numbers.ratio(case.rates.unroll, case.rates.torch)),
        numbers.percent(numbers.ratio(case.rates.unroll, case.limits)))
    end
  end
  return "Generation, characters/s (over PyTorch, beside reading all weights in one direction): "
    .. table.concat(parts, ", ") .. "."
end

function line.threads(data)
  local parts = {}
  for i, case in ipairs(data.cases) do
    local gain, bare = threads.gains(case)
    parts[i] = ("%s %s %s (%.2f)"):format(case.cell, case.name, numbers.times(gain),
      gain / bare)
  end
  return #parts > 0 and "Two threads, gain (of the bare loop's): " .. table.concat(parts, ", ")
    .. "." or nil
end

function line.sizes(data)
  local ratio, name = sizes.worst(data)
  return ("Sizes between the usual ones, such as H = 200, B = 24, T = 333: at least %.2f of "
    .. "their neighbours' share of the peak (%s)."):format(ratio, name)
end

function line.document(data)
  local parts = {}
  for i, case in ipairs(data.cases) do
    parts[i] = ("%.4f nats in %s (%s s)"):format(numbers.median(case.losses),
      numbers.seconds(numbers.median(case.seconds)), case.network.seconds)
  end
  return "The founding document's networks on its simple text (its time): "
    .. table.concat(parts, ", ") .. "."
end

function line.start(data)
  local parts = {}
  for i, entry in ipairs(data.networks) do
    parts[i] = ("%s %s (PyTorch %s)"):format(entry.name,
      numbers.seconds(numbers.median(entry.seconds.unroll)),
      numbers.seconds(numbers.median(entry.seconds.torch)))
  end
  return "A process with one training step: " .. table.concat(parts, ", ") .. "."
end

function line.memory(data)
  return ("Most memory at f: %s (PyTorch %s); a step of a window of %d: %s (%s), %.2f times the "
    .. "time for a character of one of %d."):format(numbers.bytes(data.f),
    numbers.bytes(data.torch_f), data.long, numbers.bytes(data.step),
    numbers.bytes(data.torch_step), numbers.median(data.ratios), data.short)
end

function line.text(data)
  local point = data.points[#data.points]
  return ("A text of %.0f MB: %s to the first step, %.2f times the memory of its tokens.")
    :format(point.bytes / 1e6, numbers.seconds(numbers.median(point.start)),
    point.memory / point.tokens)
end

-- --- the block --------------------------------------------------------------------------

local function block(results)
  local phases, lines = results.phases, {}
  training_rows(phases.train, lines)
  for _, name in ipairs { "generate", "threads", "sizes", "document", "start", "memory", "text" } do
    local text = phases[name] and line[name](phases[name])
    if text then lines[#lines + 1] = wrap("- " .. text, "  ") end
  end
  lines[#lines + 1] = ("\nOn %s, %s, %s, one thread. Medians; in each part all took turns."):format(
    results.machine.processor, results.machine.instruction_set, results.machine.openblas)
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
