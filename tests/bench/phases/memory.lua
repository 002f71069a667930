-- memory.lua -- the most memory at f, and what a step of a long window costs.
local numbers = require "numbers"

local phase = { name = "memory", title = "Memory" }

local function words_of(...)
  local words = { ... }
  for i, word in ipairs(words) do words[i] = tostring(word) end
  return words
end

-- Most memory and the seconds of a step, in a process of its own.
local function ours(context, ...)
  local bytes, seconds = context.peers.run(words_of(context.peers.program,
    context.here .. "/once.lua", ...)):match "(%S+)%s+(%S+)"
  return tonumber(bytes), tonumber(seconds)
end

-- Most memory of a peer; nil when it is missing or fails.
local function theirs(context, name, ...)
  if not context.peers.has_module(name) then return nil end
  local output = context.peers.try(words_of(context.peers.python,
    ("%s/peers/rnn_%s.py"):format(context.here, name), "once", ...))
  return output and tonumber(output)
end

-- Bytes for a step between a short and a long window.
local function slope(short, long, data)
  return short and long and (long - short) / (data.long - data.short)
end

function phase.run(context)
  local data = { short = 1000, long = 20000, ratios = {} }
  local function window(T) return "tanh", 128, T, 1, "adam" end
  local f = { "tanh", 512, 100, 64, "adam" }
  data.f = ours(context, table.unpack(f, 1, 5))
  for round = 1, context.quick and 1 or 5 do
    local short, seconds_short = ours(context, "tanh", 128, data.short, 1, "adam", 80)
    local long, seconds_long = ours(context, "tanh", 128, data.long, 1, "adam", 5)
    data.step = slope(short, long, data)
    data.ratios[round] = (seconds_long / data.long) / (seconds_short / data.short)
  end
  data.torch_f = theirs(context, "torch", table.unpack(f))
  data.torch_step = slope(theirs(context, "torch", window(data.short)),
    theirs(context, "torch", window(data.long)), data)
  data.numpy_f = theirs(context, "numpy", table.unpack(f))
  return data
end

function phase.tables(data)
  local ratio = numbers.median(data.ratios)
  local function show_ratio(x) return ("%.2fx"):format(x) end
  return { { head = { "what", "unroll", "", "PyTorch", "NumPy" }, rows = {
    { "most memory of the process, f", numbers.bytes(data.f),
      numbers.at_most(data.f, 50 << 20, numbers.bytes), numbers.bytes(data.torch_f),
      numbers.bytes(data.numpy_f) },
    { ("a step of a window of %d, H = 128, B = 1"):format(data.long), numbers.bytes(data.step),
      numbers.at_most(data.step, 800, numbers.bytes), numbers.bytes(data.torch_step) },
    { ("time for a character there, beside a window of %d"):format(data.short),
      show_ratio(ratio), numbers.at_most(ratio, 1.1, show_ratio) },
  } } }
end

return phase
