--- The adding problem (Hochreiter and Schmidhuber 1997, as in Le, Jaitly, Hinton 2015).
--
-- Each step has a number, uniform in [0, 1), and a marker. Two steps are marked with 1, one in
-- each half of the sequence; the target, at the last step alone, is the sum of their
-- numbers. To answer 1 always gives a mean squared error of 1/6.

local core = require "unroll.core"
local options = require "unroll.options"
local source = require "unroll.tasks.source"

local tensor = core.tensor

local accepted = { length = 50, seed = 1 }

local function new(T)
  return function(B)
    local x = tensor.zeros(T, B, 2)
    local weight = tensor.zeros(T, B)
    weight:select(1, T):fill_(1)
    local y = tensor.zeros(T, B, 1)
    return { x = x, y = y, weight = weight, numbers = x:select(3, 1), markers = x:select(3, 2),
             targets = y:select(1, T) }
  end
end

local function fill(batch, generator)
  local numbers, markers, targets = batch.numbers, batch.markers, batch.targets
  local T, B = numbers:size(1), numbers:size(2)
  local half = T // 2
  numbers:uniform_(0, 1, generator)
  markers:zero_()
  for b = 1, B do
    local first, second = generator:integer(half), half + generator:integer(T - half)
    markers[{ first, b }], markers[{ second, b }] = 1, 1
    targets[{ b, 1 }] = numbers[{ first, b }] + numbers[{ second, b }]
  end
end

---@class unroll.AddingOptions
---@field length? integer T, at least 2; default 50
---@field seed? integer default 1

--- The adding problem: two marked numbers are to be carried to the end and added.
---
--- Each step has a number, uniform in [0, 1), and a marker. Two steps are marked with 1, one in
--- each half; the target, at the last step alone, is the sum of their numbers.
---@param opts? unroll.AddingOptions
---@return unroll.Task task float32: x (T,B,2): number and marker; y (T,B,1); chance = 1/6 (squared
--- error)
--- Errors: unknown options; a length below 2.
--- Source: Hochreiter & Schmidhuber, Long short-term memory, 1997; Le, Jaitly & Hinton, A simple
--- way to initialize recurrent networks of rectified linear units, 2015.
--- > task = unroll.tasks.adding{length = 20}
--- > x, y, info = task:batches{batch = 4}:next()
--- > x:size()   --> (20, 4, 2)
---@see tasks.copy tasks.temporal_order Task:batches train.fit
return function(opts)
  local o = options.check(opts, accepted, "tasks.adding")
  local T = options.integer(o.length, "length", "tasks.adding", 2)
  options.integer(o.seed, "seed", "tasks.adding", math.mininteger)
  local task = source.new({ name = "adding", input = 2, output = 1, head = "linear", length = T,
    chance = 1 / 6, new = new(T), fill = fill }, o.seed)
  return task
end
