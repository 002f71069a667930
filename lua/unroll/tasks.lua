--- tasks: synthetic problems that ask for a memory of many steps, as sources for training.
--
--   local task = unroll.tasks.adding { length = 50, seed = 1 }
--   local model = rnn.model { cell = "tanh", input = task.input, output = task.output,
--                             head = task.head, hidden = 32 }
--   train.fit(model, task, { steps = 1000, batch = 32 })
--   train.evaluate(model, task, { split = "test", batch = 100 })
--
-- Each has input, output and head for rnn.model, `length` (steps of a sequence), `chance` (the
-- loss of a model that remembers nothing), and :batches(opts). See tasks/source.lua.

return {
  adding = require "unroll.tasks.adding",
  temporal_order = require "unroll.tasks.temporal_order",
  copy = require "unroll.tasks.copy",
}
