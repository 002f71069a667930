-- once.lua -- one training, then the end: for the time to the first step and for memory.
--
--   unroll once.lua CELL H T B OPTIMIZER [STEPS [TEXT]]
--
-- Prints the most memory in bytes, and the seconds of a step without the first one.
local unroll = require "unroll"
local core = require "unroll.core"

local cell, H, T, B, optimizer = arg[1], math.tointeger(arg[2]), math.tointeger(arg[3]),
  math.tointeger(arg[4]), arg[5]
local steps = math.tointeger(arg[6] or 1)
local corpus = assert(unroll.text.corpus(arg[7] or "shakespeare", { split = { 1 } }))
local model = unroll.rnn.lm { cell = cell, vocab = corpus.vocab, hidden = H, seed = 1 }
local history = unroll.train.fit(model, corpus, { steps = steps, window = T, batch = B,
  optimizer = optimizer, lr = 2e-3, clip_norm = 5, progress = false })
local status = core.sys.read_file "/proc/self/status"
local seconds = steps > 1
  and (history.seconds[steps] - history.seconds[1]) / (steps - 1) or history.seconds[1]
print(1024 * tonumber(status:match "VmHWM:%s*(%d+)"), seconds,
  corpus:tokens():dtype() == "uint8" and corpus.length or 2 * corpus.length)
