--- model_trace: what a model's forward pass leaves for its backward pass: the traces of
--- its layers and the read-out with its loss (C).

local core = require "unroll.core"
local cell_trace = require "unroll.rnn.trace"
local display = require "unroll.rnn.display"
local unknown = require "unroll.unknown"

local tensor = core.tensor

--- What a forward pass of a model leaves for its backward pass: the traces of its layers and
--- the read-out. Given to the next pass (`trace =`) it is used again.
---@class unroll.ModelTrace
---@field layers unroll.Trace[] one for each layer
---@field y unroll.Tensor (T,B,output), logits or predictions
---@field state table[] (B,H) tensors by name, one table for each layer
---@field generation integer how many forward passes it has seen
---@see Model:forward Model:backward
local ModelTrace = { __name = "unroll.ModelTrace" }
ModelTrace.__index = unknown.index(ModelTrace, "trace", { loss = true })

local model_trace = { ModelTrace = ModelTrace }

-- Steps that an evaluation runs at a time, to need little memory for long texts.
local EVALUATION_STEPS = 256

--- A trace without buffers yet.
function model_trace.new(model, with_gradients)
  local self = { model = model, with_gradients = with_gradients, generation = 0, layers = {},
    copies = {} }
  for l, layer in ipairs(model.layers) do
    self.layers[l] = cell_trace.new(layer, with_gradients)
  end
  return setmetatable(self, ModelTrace)
end

local function make_readout(self, T, B)
  local model = self.model
  local like = { dtype = model.dtype }
  self.y = tensor.zeros({ T, B, model.output }, like)
  -- a native cell asks the read-out for dL/dh block by block; others get all of it
  local wants_dh = self.with_gradients and model.definition.form ~= "native"
  self.dh = wants_dh and tensor.zeros({ T, B, model.hidden }, like) or nil
  local values, slopes = model.values, model.slopes
  self.readout = core.loss.readout {
    B = B, H = model.hidden, V = model.output, dtype = model.dtype,
    kind = model.head == "softmax" and "softmax" or "squares",
    W = values.W_hy, b = values.b_y, y = self.y, dh = self.dh,
    dW = self.with_gradients and slopes.W_hy or nil,
    db = self.with_gradients and slopes.b_y or nil,
  }
end

-- Layers and read-out as one call, where all of them are native.
local function make_window(self, T, B, is_tokens)
  local model, parts = self.model, {}
  if not self.with_gradients or model.definition.form ~= "native" then return nil end
  for _, layer in ipairs(self.layers) do
    parts[#parts + 1] = layer.run
    parts[#parts + 1] = layer.ys
    parts[#parts + 1] = layer.dxs or false
  end
  parts[#parts + 1] = self.readout
  return core.loss.window {
    T = T, B = B, input = model.input, output = model.output, dtype = model.dtype,
    is_tokens = is_tokens, kind = model.head == "softmax" and "softmax" or "squares",
    parts = parts, model = model, trace = self, state = self.state, dstate = self.dstate,
  }
end

--- Makes the buffers unless they are right already. Forward does this.
---@param T integer steps
---@param B integer batch
---@param is_tokens boolean
function ModelTrace:prepare(T, B, is_tokens)
  if self.is_prepared and self.T == T and self.B == B and self.is_tokens == is_tokens then
    return
  end
  self.is_prepared, self.is_ready, self.window = false, false, nil -- Ctrl-C may come in between
  self.has_gradients = false
  self.T, self.B, self.is_tokens, self.copies = T, B, is_tokens, {}
  self.state, self.dstate = {}, {}
  for l, layer in ipairs(self.layers) do
    layer:prepare(T, B, is_tokens and l == 1, false)
    self.state[l], self.dstate[l] = layer.state, layer.dstate
  end
  make_readout(self, T, B)
  self.window = make_window(self, T, B, is_tokens)
  self.is_prepared = true
end

-- The tensor itself, or a contiguous copy in a buffer of this trace.
ModelTrace.contiguous = cell_trace.Trace.contiguous

-- Runs the stack; returns the outputs of the last layer, or nil and a message.
local function run_layers(self, x, state, mask)
  local h = x
  for l, layer in ipairs(self.layers) do
    local message = layer:forward(h, state and state[l], mask)
    if message then return nil, message end
    h = layer.ys
  end
  return h
end

--- Forward with the gradient of the loss left in the read-out; `Model:forward` does this.
---@param x unroll.Tensor
---@param y unroll.Tensor
---@param state? table[]
---@param weight? unroll.Tensor
---@param mask? unroll.Tensor
---@param mean boolean
---@return number? loss nil when something is wrong
---@return string? message
function ModelTrace:forward(x, y, state, weight, mask, mean)
  local model = self.model
  x, y = self:contiguous("x", x), self:contiguous("y", y)
  weight = weight and self:contiguous("weight", weight, model.dtype)
  mask = mask and self:contiguous("mask", mask, model.dtype)
  if self.window then return self.window:forward(x, y, state, weight, mask, mean) end
  self.is_ready, self.generation, self.loss = false, self.generation + 1, nil
  local h, message = run_layers(self, x, state, mask)
  if not h then return nil, message end
  local total, weights = self.readout:forward(h, y, weight, mean, true, 0, 0)
  if not total then return nil, weights end
  self.is_ready = true
  self.loss = model_trace.reduce(model, total, weights, mean)
  return self.loss
end

--- The loss after its sum and the sum of the weights.
function model_trace.reduce(model, total, weights, mean)
  if not mean then return total end
  return total / (model.head == "softmax" and weights or weights * model.output)
end

--- Back through read-out and layers; `Model:backward` does this.
---@return string? message why that cannot be done
function ModelTrace:backward()
  if self.window then
    local message = self.window:backward()
    if not message and not self.has_gradients then
      self.has_gradients = true
      for _, layer in ipairs(self.layers) do layer.has_norms = true end
    end
    return message
  end
  if not self.is_ready then
    return self.has_gradients and "it was called on this trace already; run forward again first"
      or "there was no complete forward pass on this trace"
  end
  local layers = self.layers
  for l = 1, #layers do
    local message = layers[l]:stale()
    if message then return message end
  end
  self.is_ready, self.has_gradients = false, true
  local dys = self.dh or self.readout
  if self.dh then self.readout:backward() end
  for l = #layers, 1, -1 do
    layers[l]:backward(dys)
    dys = layers[l].dxs
  end
end

--- Outputs only, in trace.y; `Model:predict` does this.
---@param x unroll.Tensor
---@param state? table[]
---@return string? message
function ModelTrace:predict(x, state)
  local h, message = run_layers(self, self:contiguous("x", x), state)
  if not h then return message end
  self.readout:predict(h)
end

local function layer_of(self, layer, who)
  local found = self.layers[layer or #self.layers]
  if found then return found end
  error(("%s: layer is %s, must be in 1..%d"):format(who, tostring(layer), #self.layers), 3)
end

--- The norm of dL/dh_t of one layer for t = 1..T (over the batch too), of the last backward
--- pass: where they fall towards t = 1 the gradient vanishes, where they grow it explodes.
---@param layer? integer default: the last
---@return unroll.Tensor norms (T) float64, a copy
--- Errors: no backward pass yet; no such layer.
--- > model = rnn.lm{vocab = 3, hidden = 2, seed = 1}
--- > x = tensor({{1}, {2}, {3}}, {dtype = "int32"})
--- > loss, state, trace = model:forward(x, x)
--- > model:backward(trace);
--- > trace:state_gradient_norms():size()   --> (3)
---@see diagnostics.state_gradients Trace:state_gradient_norms
function ModelTrace:state_gradient_norms(layer)
  local found = layer_of(self, layer, "state_gradient_norms")
  if not self.has_gradients then
    error("state_gradient_norms: there was no backward pass on this trace", 2)
  end
  return found.norms:clone()
end

--- The states of one layer after every step, by name, as `Trace:states`.
---@param layer? integer default: the last
---@return table<string, unroll.Tensor> states (T,B,H) each, copies
--- Errors: no such layer; what `Trace:states` refuses.
--- > model = rnn.lm{cell = "lstm", vocab = 3, hidden = 2, seed = 1}
--- > x = tensor({{1}, {2}, {3}}, {dtype = "int32"})
--- > loss, state, trace = model:forward(x, x)
--- > trace:states().c:size()   --> (3, 1, 2)
---@see ModelTrace:gates Trace:states
function ModelTrace:states(layer)
  return (layer_of(self, layer, "states"):states())
end

--- The activations of the gates of one layer at every step, by name, as `Trace:gates`.
---@param layer? integer default: the last
---@return table<string, unroll.Tensor> gates (T,B,H) each, copies
--- Errors: no such layer; a cell without gates.
--- > model = rnn.lm{cell = "gru", vocab = 3, hidden = 2, seed = 1}
--- > x = tensor({{1}, {2}, {3}}, {dtype = "int32"})
--- > loss, state, trace = model:forward(x, x)
--- > trace:gates().z:size()   --> (3, 1, 2)
---@see ModelTrace:states Trace:gates
function ModelTrace:gates(layer)
  return (layer_of(self, layer, "gates"):gates())
end

function ModelTrace:__tostring()
  return ("trace   %d x %s, T = %s, B = %s"):format(#self.layers, self.model.cell,
    tostring(self.T), tostring(self.B))
end

ModelTrace.__display = display.model_trace

-- --- evaluation -------------------------------------------------------------------------

local function clone_state(state)
  local copy = {}
  for l, layer in ipairs(state) do
    copy[l] = {}
    for name, t in pairs(layer) do copy[l][name] = t:clone() end
  end
  return copy
end

local function part(t, first, length)
  return t and t:narrow(1, first, length)
end

-- Two traces are kept: for whole pieces and for what is left of a window.
local function evaluation_trace(model, length)
  local kind = length == EVALUATION_STEPS and "whole" or "rest"
  local traces = model.evaluation or {}
  model.evaluation = traces
  traces[kind] = traces[kind] or model_trace.new(model, false)
  return traces[kind]
end

--- The loss of a window without anything for a backward pass, in pieces of
--- EVALUATION_STEPS: the same numbers as in one, bit for bit.
---@return number? loss nil when something is wrong
---@return table[]|string state after the last step, new; or the message
function model_trace.evaluate(model, x, y, state, weight, mask, mean)
  local total, weights, T, B = 0, 0, x:size(1), x:size(2)
  local is_tokens = x:dtype() == "int32"
  for first = 1, T, EVALUATION_STEPS do
    local length = math.min(EVALUATION_STEPS, T - first + 1)
    local trace = evaluation_trace(model, length)
    trace:prepare(length, B, is_tokens)
    local loss, message = trace:add_loss(part(x, first, length), part(y, first, length), state,
      part(weight, first, length), part(mask, first, length), total, weights)
    if not loss then return nil, message end
    total, weights, state = loss, message, trace.state
  end
  if mean and weights == 0 then
    return nil, "the weights sum to 0: there is no mean, use reduction=\"sum\""
  end
  return model_trace.reduce(model, total, weights, mean), clone_state(state)
end

--- Runs a piece of a window and adds its loss to `total` and its weights to `weights`.
---@param x unroll.Tensor
---@param y unroll.Tensor
---@param state? table[]
---@param weight? unroll.Tensor
---@param mask? unroll.Tensor
---@param total number
---@param weights number
---@return number? total nil when something is wrong
---@return number|string weights or the message
function ModelTrace:add_loss(x, y, state, weight, mask, total, weights)
  weight = weight and self:contiguous("weight", weight, self.model.dtype)
  mask = mask and self:contiguous("mask", mask, self.model.dtype)
  local h, message = run_layers(self, self:contiguous("x", x), state, mask)
  if not h then return nil, message end
  return self.readout:forward(h, self:contiguous("y", y), weight, false, false,
    total, weights)
end

return model_trace
