--- evaluate: the mean loss over a whole split, with the state carried along.

local check = require "unroll.train.check"
local options = require "unroll.options"
local protected = require "unroll.protected"

local accepted = { "every", batch = 1, window = 100, split = "validation" }

---@class unroll.EvaluateOptions
---@field split? "train"|"validation"|"test"|"all" default "validation"
---@field batch? integer streams side by side; default 1
---@field window? integer steps at a time; default 100
---@field every? integer not looked at; `train.fit` has it in the same table

--- The mean loss of one pass over a split. With a batch of 1 every prediction sees all of the
--- split before it.
---@param model unroll.Model|table with :forward
---@param source unroll.Corpus|unroll.Task|table with :batches(opts)
---@param opts? unroll.EvaluateOptions
---@return number loss in nats for each prediction, weighted exactly
---@return number count of predictions
--- Errors: unknown options; a source whose vocabulary is not the model's.
--- > corpus = text.corpus "numbers"
--- > model = rnn.lm{vocab = corpus.vocab, hidden = 4, init = {constant = 0}}
--- > train.evaluate(model, corpus)   --> 2.302585, 499
---@see train.fit metrics.perplexity
return function(model, source, opts)
  check.method(model, "forward", "the model", "train.evaluate", 2)
  check.method(source, "batches", "the source", "train.evaluate", 2)
  local o = options.check(opts, accepted, "train.evaluate")
  options.integer(o.batch, "batch", "train.evaluate")
  options.integer(o.window, "window", "train.evaluate")
  check.vocabularies(model, source, "train.evaluate", 2)
  local opened, iterator = protected(source.batches, source,
    { batch = o.batch, window = o.window, split = o.split })
  if not opened then
    error("train.evaluate: " .. tostring(iterator):gsub("^[^:\n]*evaluate%.lua:%d+: ", ""), 2)
  end
  local sum, total, state = 0.0, 0, nil
  local forward_options = { train = false, reduction = "sum" }
  for x, y, info in iterator do
    if info and info.reset then state = nil end
    forward_options.weight = info and info.weight
    local loss
    loss, state = model:forward(x, y, state, forward_options)
    sum = sum + loss
    total = total + (info and info.weight and info.weight:sum() or y:numel())
  end
  if total == 0 then error("train.evaluate: the source gave no batch", 2) end
  local loss = sum / total
  return loss == loss and loss or math.abs(loss), total -- NaN prints without a sign
end
