--- The temporal order problem (Hochreiter and Schmidhuber 1997, task 6a; Pascanu et al. 2013).
--
-- A sequence of the symbols 1 to 4, drawn at random, with two exceptions: a symbol 5 or 6 at a
-- place in [T/10, 2T/10] and another one in [4T/10, 5T/10]. The class, asked for at the last step
-- alone, is which two they were, in order: 55, 56, 65 or 66 (1 to 4).

local core = require "unroll.core"
local options = require "unroll.options"
local source = require "unroll.tasks.source"

local tensor = core.tensor

local accepted = { length = 50, seed = 1 }

local function new(T)
  return function(B)
    local weight = tensor.zeros(T, B)
    weight:select(1, T):fill_(1)
    local y = tensor.ones(T, B, { dtype = "int32" })
    return { x = tensor.zeros(T, B, { dtype = "int32" }), y = y, weight = weight,
             numbers = tensor.zeros(T, B, { dtype = "float64" }), classes = y:select(1, T) }
  end
end

-- A step from 1 to T at a share of the length between `low` and `high`.
local function place(generator, T, low, high)
  local first, last = math.max(1, math.ceil(low * T)), math.max(1, math.floor(high * T))
  return first + generator:integer(math.max(1, last - first + 1)) - 1
end

local function fill(batch, generator)
  local x, classes = batch.x, batch.classes
  local T, B = x:size(1), x:size(2)
  x:copy_(batch.numbers:uniform_(1, 5, generator):floor_())
  for b = 1, B do
    local first, second = generator:integer(2), generator:integer(2)
    x[{ place(generator, T, 0.1, 0.2), b }] = 4 + first
    x[{ place(generator, T, 0.4, 0.5), b }] = 4 + second
    classes[b] = 2 * (first - 1) + second
  end
end

---@class unroll.TemporalOrderOptions
---@field length? integer T, at least 10; default 50
---@field seed? integer default 1

--- The temporal order problem: which of two symbols came first and which second, asked at the end
--- of many steps of noise.
---@param opts? unroll.TemporalOrderOptions
---@return unroll.Task task x (T,B) int32 symbols 1..6; y (T,B) int32 classes 1..4; chance = ln 4
--- nats
--- Errors: unknown options; a length below 10.
--- Source: Hochreiter & Schmidhuber, Long short-term memory, 1997 (task 6a); Pascanu, Mikolov &
--- Bengio, On the difficulty of training recurrent neural networks, 2013.
--- > unroll.tasks.temporal_order{length = 20}.chance   --> 1.386294
---@see tasks.adding tasks.copy Task:batches
return function(opts)
  local o = options.check(opts, accepted, "tasks.temporal_order")
  local T = options.integer(o.length, "length", "tasks.temporal_order", 10)
  options.integer(o.seed, "seed", "tasks.temporal_order", math.mininteger)
  local task = source.new({ name = "temporal order", input = 6, output = 4, head = "softmax",
    length = T, chance = math.log(4), new = new(T), fill = fill }, o.seed)
  return task
end
