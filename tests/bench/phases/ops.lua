-- ops.lua -- operations on tensors beside NumPy and PyTorch (tests/bench/ops.lua, peers/ops.py).
local numbers = require "numbers"

local phase = { name = "ops", title = "Operations on tensors" }

local groups = { "^call/", "^tiny/", "^large/.*float32", "^large/.*float64", "^large/.*int32$",
  "^matmul/" }

local function read(into, name, output)
  for case, seconds in output:gmatch "(%S+) (%S+)\n" do
    into[case] = into[case] or {}
    into[case][name] = tonumber(seconds)
    if name == "unroll" then table.insert(into.order, case) end
  end
end

function phase.run(context)
  local peers, here = context.peers, context.here
  local found, rounds = { order = {} }, context.quick and "1" or "5"
  for _, pattern in ipairs(groups) do
    read(found, "unroll", peers.run { peers.program, here .. "/ops.lua", pattern, rounds })
    for _, name in ipairs { "numpy", "torch" } do
      if peers.has_module(name) then
        local regular = pattern:gsub("%%", "\\")
        local words = { peers.python, here .. "/peers/ops.py", name, regular, rounds }
        read(found, name, peers.try(words) or "")
      end
    end
  end
  local list = {}
  for i, case in ipairs(found.order) do
    list[i] = { case = case, unroll = found[case].unroll, numpy = found[case].numpy,
                torch = found[case].torch }
  end
  return { cases = list }
end

local function ratio(theirs, ours)
  return theirs and ours and numbers.times(theirs / ours) or "–"
end

function phase.tables(data)
  local rows, over = {}, {}
  for i, c in ipairs(data.cases) do
    rows[i] = { c.case, numbers.seconds(c.unroll), numbers.seconds(c.numpy),
      numbers.seconds(c.torch), ratio(c.numpy, c.unroll), ratio(c.torch, c.unroll) }
    if c.numpy then over[#over + 1] = c.numpy / c.unroll end
  end
  local slower = 0
  for _, r in ipairs(over) do slower = slower + (r < 1 / 1.2 and 1 or 0) end
  return { { head = { "operation", "unroll", "NumPy", "PyTorch", "over NumPy", "over PyTorch" },
    rows = rows, note = #over > 0 and ("Median over NumPy: %s; more than 1.2 times as slow in %d "
      .. "of %d. large: 4 million numbers in each tensor."):format(
      numbers.times(numbers.median(over)), slower, #over) or nil } }
end

return phase
