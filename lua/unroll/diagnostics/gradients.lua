--- gradients: their norms at every step, and beside the parameters they change.

local core = require "unroll.core"
local options = require "unroll.options"

local tensor = core.tensor

local gradients = {}

-- Weights (T,B) that leave the loss of the last step alone.
local function last_step_only(T, B, dtype)
  local weight = tensor.zeros(T, B, { dtype = dtype })
  weight:select(1, T):fill_(1)
  return weight
end

local accepted = { loss = "last", "state", "layer" }

--- The norms of the gradients of the states, dL/dh_t, in one window: how they vanish or explode
--- on their way back.
---
--- The loss is that of the last step alone ("last"), whose gradient has to come all the
--- way, or the sum over all steps ("every"), where step t sees the losses of t, t+1, ..., T and
--- the nearest hide what comes from afar. Either is the mean over the batch. The gradients of the
--- parameters are overwritten.
---@param model unroll.Model
---@param x unroll.Tensor (T,B) int32 tokens, or (T,B,input) numbers
---@param y unroll.Tensor targets as model:forward takes them
---@param opts? table loss = "last" or "every"; state: list of layers, nil: zeros;
--- layer = the last
---@return unroll.Tensor norms (T) float64, over batch and units, in nats for "softmax"
---@return number loss
--- Errors: what model:forward and model:backward refuse; an unknown loss or option.
--- Source: Bengio, Simard, Frasconi, Learning long-term dependencies with gradient descent is
--- difficult, 1994.
--- > model = rnn.lm { vocab = 3, hidden = 4, seed = 1 }
--- > x = tensor.randint(1, 3, 5, 1)
--- > #diagnostics.state_gradients(model, x, x, { loss = "last" }):totable()   --> 5
---@see diagnostics.jacobians diagnostics.bound
function gradients.state_gradients(model, x, y, opts)
  local o = options.check(opts, accepted, "state_gradients")
  options.choice(o.loss, { "last", "every" }, "loss", "state_gradients")
  local T, B = x:size(1), x:size(2)
  local weight = o.loss == "last" and last_step_only(T, B, model.dtype) or nil
  local loss, _, trace = model:forward(x, y, o.state, { weight = weight, reduction = "sum" })
  model:zero_gradients()
  model:backward(trace)
  return trace:state_gradient_norms(o.layer):div(B), loss / B
end

--- Every parameter beside its gradient: the ratio says by what share a step of gradient
--- descent at rate 1 would change it.
---@param model table anything with :parameters() and :gradients()
---@return table[] list of { name =, gradient = |dL/dW|, parameter = |W|, ratio = }; the ratio
--- to a parameter that is all zero is infinite, or NaN when its gradient is zero too
--- Errors: an argument without those two methods.
--- > model = rnn.lm { vocab = 3, hidden = 4, seed = 1 }
--- > diagnostics.gradient_ratios(model)[1].name   --> "W_xh"
---@see diagnostics.state_gradients
function gradients.gradient_ratios(model)
  if not (pcall(function() return model.parameters, model.gradients end)
    and model.parameters and model.gradients) then
    error("gradient_ratios: a model with :parameters() and :gradients() expected", 2)
  end
  local list, slopes = {}, model:gradients()
  for i, p in ipairs(model:parameters()) do
    local g, w = slopes[i].tensor:norm(), p.tensor:norm()
    list[i] = { name = p.name, gradient = g, parameter = w, ratio = g / w }
  end
  return list
end

return gradients
