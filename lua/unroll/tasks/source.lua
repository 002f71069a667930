--- source: what all tasks share: batches of fresh random sequences.
--
-- A task is described by fields (input, output, head, length, chance) and two functions:
--   new(B)                     -> tensors of a batch: x, y, weight, and what it needs beside
--   fill(batch, generator)     overwrites them with new sequences
-- Training never ends and sees no sequence twice; "validation" and "test" are fixed sets from
-- generators of their own. Every batch starts from a state of zeros.

local core = require "unroll.core"
local options = require "unroll.options"
local unknown = require "unroll.unknown"

local tensor = core.tensor

--- A synthetic problem: a source of batches for `train.fit` and `train.evaluate`.
---@class unroll.Task
---@field input integer symbols, or numbers for each step
---@field output integer classes, or numbers for each step
---@field head "softmax"|"linear"
---@field length integer steps of a sequence
---@field chance number the loss of the best model without a memory
---@see tasks.adding tasks.copy tasks.temporal_order
local Task = { __name = "unroll.Task" }
Task.__index = Task

--- Batches of a task; made by `Task:batches`. It can be called: for x, y, info in batches do.
---@class unroll.TaskBatches
---@see Task:batches
local Batches = { __name = "unroll.TaskBatches" }
Batches.__index = unknown.index(Batches, "batch iterator")

local source = {}

local splits = { "train", "validation", "test" }
local held_out_batches = 10

--- A task from its description.
---@param description table see the top of this file
---@param seed integer
function source.new(description, seed)
  description.seed = seed
  return setmetatable(description, Task)
end

-- A generator for each split, from the task's seed.
local function generator_of(seed, split)
  local seeds = tensor.generator(seed)
  for _, name in ipairs(splits) do
    local own = seeds:integer(1 << 53)
    if name == split then return tensor.generator(own) end
  end
end

function Task:__tostring()
  return ("task %s   length %d, %d %s in, %d %s out   chance %.4g"):format(self.name or "?",
    self.length, self.input, self.head == "softmax" and "symbols" or "numbers", self.output,
    self.head == "softmax" and "classes" or "numbers", self.chance)
end

local accepted = { batch = 32, split = "train", "window", "loop" }

---@class unroll.TaskBatchOptions
---@field batch? integer B, sequences side by side; default 32
---@field split? "train"|"validation"|"test" training never ends, the others are fixed sets; default
--- "train"
---@field window? integer not looked at: sequences come whole
---@field loop? boolean true: the other splits start anew when they end; without effect for training

--- Batches of sequences, for training and evaluation.
---@param opts? unroll.TaskBatchOptions
---@return unroll.TaskBatches iterator also callable: for x, y, info in task:batches{...} do.
--- x and y hold the same tensors each time, filled anew; info.reset is true, info.weight (T,B)
--- is 1 where the loss counts
--- Errors: an unknown split.
--- > x = unroll.tasks.copy{}:batches{batch = 3}:next()
--- > x:size(2)   --> 3
---@see TaskBatches:next train.fit
function Task:batches(opts)
  local o = options.check(opts, accepted, "batches")
  options.integer(o.batch, "batch", "batches")
  options.choice(o.split, splits, "split", "batches")
  local batch = self.new(o.batch)
  return setmetatable({ task = self, batch = batch, split = o.split, loop = o.loop == true,
    generator = generator_of(self.seed, o.split), count = 0,
    info = { reset = true, weight = batch.weight } }, Batches)
end

--- The next batch.
---@return unroll.Tensor? x nil at the end of a split that is no training
---@return unroll.Tensor? y
---@return table? info reset = true, weight (T,B)
--- > x, y, info = unroll.tasks.copy{}:batches{}:next()
--- > info.reset   --> true
function Batches:next()
  if self.split ~= "train" and self.count == held_out_batches then
    if not self.loop then return nil end
    self.generator, self.count = generator_of(self.task.seed, self.split), 0
  end
  self.count = self.count + 1
  self.task.fill(self.batch, self.generator)
  return self.batch.x, self.batch.y, self.info
end

Batches.__call = Batches.next

function Batches:__tostring()
  return ("batches of task %s   %s, T = %d, B = %d   %d given"):format(self.task.name or "?",
    self.split, self.batch.x:size(1), self.batch.x:size(2), self.count)
end

--- Where the iterator stands, as plain data.
---@return { generator: string, count: integer } state
--- > unroll.tasks.copy{}:batches{}:state().count   --> 0
---@see TaskBatches:set_state
function Batches:state() return { generator = self.generator:state(), count = self.count } end

--- Continues where another iterator with the same options stood.
---@param state { generator: string, count: integer }
---@return unroll.TaskBatches self
--- > task = unroll.tasks.copy{}
--- > a = task:batches{}
--- > a:next();
--- > b = task:batches{}:set_state(a:state())
--- > a = a:next():clone()
--- > tensor.equal(a, (b:next()))   --> true
function Batches:set_state(state)
  if type(state) ~= "table" or not math.tointeger(state.count) then
    error("set_state: { generator =, count = } expected", 2)
  end
  self.generator:set_state(state.generator)
  self.count = math.tointeger(state.count)
  return self
end

return source
