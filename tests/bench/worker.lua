-- worker.lua -- measures unroll through its public interface, one request a line:
--
--   train CELL H T B OPTIMIZER SECONDS     -> characters a second
--   empty CELL T OPTIMIZER SECONDS         -> seconds of a step with one hidden unit, 2 symbols
--   generate CELL H SECONDS                -> characters a second
--   peak [THREADS]                         -> FLOP/s of fused multiply-adds in registers
--   products                               -> FLOP/s of products out of the first cache
--   gemm M N K                             -> FLOP/s of OpenBLAS, by tensor.matmul
--   bandwidth BYTES                        -> bytes a second, read again and again
--   threads N                              -> N
--   rss                                    -> most memory so far, bytes
--
-- An answer is one number, or "- REASON". The settings are those of the peers: 65 symbols,
-- Adagrad 0.1 with clips at 5 by value, or Adam 0.002 with the norm clipped at 5.
local core = require "unroll.core"
local unroll = require "unroll"
local tensor = unroll.tensor

local V = 65

local function random_corpus(length, symbols)
  local codes = tensor.randint(48, 47 + symbols, length, { dtype = "uint8" })
  codes:narrow(1, 1, symbols):copy_(tensor.arange(48, 47 + symbols)) -- all of them occur
  return unroll.text.from_string(core.tensor.to_bytes(codes), { split = { 1 } })
end

local corpus, plain = random_corpus(400000, V), random_corpus(100000, 2)

local settings = {
  adagrad = { lr = 0.1, clip_value = 5, reduction = "sum" },
  adam = { lr = 2e-3, clip_norm = 5, reduction = "mean" },
}

-- --- training ---------------------------------------------------------------------------

local trainings = {} -- by what was asked: asked again, a training goes on

local function training(text, cell, H, T, B, optimizer)
  local key = table.concat({ cell, H, T, B, optimizer }, " ")
  local found = trainings[key]
  if not found then
    local model = unroll.rnn.lm { cell = cell, vocab = text.vocab, hidden = H, seed = 1 }
    local set = settings[optimizer]
    found = { text = text, model = model, options = { batch = B, window = T,
      clip_norm = set.clip_norm, clip_value = set.clip_value, reduction = set.reduction,
      progress = false,
      optimizer = unroll.optim[optimizer](model, { lr = set.lr }) } }
    trainings[key] = found
  end
  return found
end

-- Seconds of a step of train.fit, between the ends of two steps, by its own history.
local function step_seconds(t, steps, warm)
  t.options.steps = steps + warm
  local history = unroll.train.fit(t.model, t.text, t.options)
  return (history.seconds[steps + warm] - history.seconds[warm]) / steps
end

-- Seconds of a step, from so many seconds of steps.
local function time_steps(t, seconds)
  t.step = t.step or step_seconds(t, 2, 2)
  if t.step < 1e-3 then t.step = step_seconds(t, 50, 2) end
  t.step = step_seconds(t, math.max(2, math.ceil(seconds / t.step)), 1)
  return t.step
end

local function train(cell, H, T, B, optimizer, seconds)
  H, T, B = math.tointeger(H), math.tointeger(T), math.tointeger(B)
  return T * B / time_steps(training(corpus, cell, H, T, B, optimizer), seconds)
end

local function empty(cell, T, optimizer, seconds)
  return time_steps(training(plain, cell, 1, math.tointeger(T), 1, optimizer), seconds)
end

-- --- the others -------------------------------------------------------------------------

local models = {}

local function generate(cell, H, seconds)
  local key = cell .. H
  models[key] = models[key] or unroll.rnn.lm { cell = cell, vocab = corpus.vocab,
    hidden = math.tointeger(H), seed = 1 }
  local model, length, elapsed = models[key], 500, 0
  while elapsed < seconds / 4 do
    length = length * 2
    local start = core.sys.clock()
    model:sample { length = length, prime = "A", seed = 1 }
    elapsed = core.sys.clock() - start
  end
  return length / elapsed
end

local function gemm(m, n, k)
  m, n, k = math.tointeger(m), math.tointeger(n), math.tointeger(k)
  local a, b = tensor.rand(m, k), tensor.rand(k, n)
  local c = tensor.matmul(a, b)
  local count = math.ceil(2e8 / (2 * m * n * k))
  local best = math.huge
  for _ = 1, 5 do
    local start = core.sys.clock()
    for _ = 1, count do tensor.matmul(a, b, c) end
    best = math.min(best, (core.sys.clock() - start) / count)
  end
  return 2 * m * n * k / best
end

local requests = {
  train = train, empty = empty, generate = generate, gemm = gemm, threads = function(n)
    return unroll.threads(math.tointeger(n))
  end,
  peak = function(threads)
    return core.profile.peak("float32", math.tointeger(threads or 1), 9)
  end,
  products = function() return core.profile.products("float32", 9) end,
  bandwidth = function(bytes) return core.profile.bandwidth(math.tointeger(bytes), 9) end,
  rss = function()
    return 1024 * tonumber(core.sys.read_file("/proc/self/status"):match "VmHWM:%s*(%d+)")
  end,
}

for line in io.lines() do
  local words = {}
  for word in line:gmatch "%S+" do words[#words + 1] = tonumber(word) or word end
  local ok, answer = pcall(requests[words[1]], table.unpack(words, 2))
  print(ok and ("%.17g"):format(answer) or "- " .. tostring(answer):gsub("\n.*", ""))
  io.stdout:flush()
end
