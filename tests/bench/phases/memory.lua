-- memory.lua -- the most memory at f, and what a step of a long window costs.
local numbers = require "numbers"

local phase = { name = "memory", title = "Memory" }

local function ours(context, ...)
  local words = { context.peers.program, context.here .. "/once.lua", ... }
  for i, word in ipairs(words) do words[i] = tostring(word) end
  local bytes, seconds = context.peers.run(words):match "(%S+)%s+(%S+)"
  return tonumber(bytes), tonumber(seconds)
end

local function theirs(context, file, ...)
  local words = { context.peers.python, context.here .. "/peers/" .. file, "once", ... }
  for i, word in ipairs(words) do words[i] = tostring(word) end
  return tonumber((context.peers.run(words)))
end

function phase.run(context)
  local short, long = 1000, 20000
  local data = { short = short, long = long }
  data.f = ours(context, "tanh", 512, 100, 64, "adam", 3)
  local bytes_short, seconds_short = ours(context, "tanh", 128, short, 1, "adam", 40)
  local bytes_long, seconds_long = ours(context, "tanh", 128, long, 1, "adam", 4)
  data.step = (bytes_long - bytes_short) / (long - short)
  data.time_ratio = (seconds_long / long) / (seconds_short / short)
  if context.peers.has_module "torch" then
    data.torch_f = theirs(context, "rnn_torch.py", "tanh", 512, 100, 64, "adam")
    data.torch_step = (theirs(context, "rnn_torch.py", "tanh", 128, long, 1, "adam")
      - theirs(context, "rnn_torch.py", "tanh", 128, short, 1, "adam")) / (long - short)
  end
  if context.peers.has_module "numpy" then
    data.numpy_f = theirs(context, "rnn_numpy.py", "tanh", 512, 100, 64, "adam")
  end
  return data
end

function phase.tables(data)
  return { { head = { "what", "unroll", "PyTorch", "NumPy" }, rows = {
    { "most memory of the process, f", numbers.bytes(data.f), numbers.bytes(data.torch_f),
      numbers.bytes(data.numpy_f) },
    { ("a step of a window of %d, H = 128, B = 1"):format(data.long), numbers.bytes(data.step),
      numbers.bytes(data.torch_step) },
    { ("time for a character there, beside a window of %d"):format(data.short),
      numbers.times(data.time_ratio) },
  } } }
end

return phase
