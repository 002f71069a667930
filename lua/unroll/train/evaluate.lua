--- evaluate: the mean loss over a whole split, with the state carried along.

local options = require "unroll.options"

local accepted = { "every", batch = 1, window = 100, split = "validation" }

--- The mean loss of one pass over a split. With a batch of 1 (the default) every
--- prediction sees all of the split before it.
---@param model table
---@param source table with :batches(opts)
---@param opts? table split ("validation"), batch (1), window (100)
---@return number loss in nats for each prediction, weighted exactly
---@return number count of predictions
return function(model, source, opts)
  local o = options.check(opts, accepted, "train.evaluate")
  options.integer(o.batch, "batch", "train.evaluate")
  options.integer(o.window, "window", "train.evaluate")
  if type(source) ~= "table" and type(source) ~= "userdata" then
    error("train.evaluate: the source must have :batches(), got " .. type(source), 2)
  end
  local iterator = source:batches { batch = o.batch, window = o.window, split = o.split }
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
  return sum / total, total
end
