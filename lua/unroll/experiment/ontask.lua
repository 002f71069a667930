--- Training on one of `unroll.tasks`, as the experiments on memory do it.

local rnn = require "unroll.rnn"
local train = require "unroll.train"

local ontask = {}

--- A model of the shape that a task wants; W_hh starts as the case says, the rest as usual.
---@param task unroll.Task
---@param case table cell, hidden, seed, init (of W_hh)
---@return unroll.Model
function ontask.model(task, case)
  return rnn.model { cell = case.cell, input = task.input, output = task.output,
    head = task.head, hidden = case.hidden, seed = case.seed, init = { W_hh = case.init } }
end

--- Trains such a model with Adam.
---@param task unroll.Task
---@param case table cell, hidden, seed, init; steps, batch, lr, clip (largest norm)
---@param on_step? fun(step: integer, loss: number): boolean? true ends the training
---@return unroll.Model model
---@return unroll.History history
function ontask.train(task, case, on_step)
  local model = ontask.model(task, case)
  return model, train.fit(model, task, { steps = case.steps, batch = case.batch, lr = case.lr,
    clip_norm = case.clip, progress = false, on_step = on_step })
end

return ontask
