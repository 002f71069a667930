--- model: a stack of cells, a linear read-out and a loss.
--
--   h_1 = cell_1(x), h_2 = cell_2(h_1), ...     y = h_L W_hy^T + b_y
--   head "softmax": cross-entropy of softmax(y) with the targets, in nats
--   head "linear":  mean squared error of y
-- All parameters are named views into one flat tensor: those of layer 1, of layer 2, ...,
-- then W_hy and b_y. With one layer their names are W_xh, W_hh, ...; with more
-- layers[1].W_xh, ...

local cell = require "unroll.rnn.cell"
local check = require "unroll.rnn.check"
local core = require "unroll.core"
local definition = require "unroll.rnn.definition"
local display = require "unroll.rnn.display"
local file = require "unroll.rnn.file"
local init = require "unroll.rnn.init"
local model_trace = require "unroll.rnn.model_trace"
local cell_trace = require "unroll.rnn.trace"
local options = require "unroll.options"
local parameters = require "unroll.rnn.parameters"
local sample = require "unroll.rnn.sample"
local unknown = require "unroll.unknown"

-- A step with the arguments of the step before is one call into C.
local forward_again, backward_again = core.loss.forward, core.loss.backward
local clear = core.optim.clear

--- A stack of cells, a linear read-out and a loss:
---
---   h_1 = cell_1(x), h_2 = cell_2(h_1), ...     y = h_L W_hy^T + b_y
---
--- With one layer the parameters are fields: model.W_xh, model.W_hh, model.b_h; with more
--- layers they are those of model.layers[1] and so on. W_hy (V,H) and b_y (V) are the read-out's.
--- > model = rnn.lm{cell = "tanh", vocab = 10, hidden = 4, seed = 1}
--- > model.W_hy:size()   --> (10, 4)
---@class unroll.Model
---@field layers unroll.Cell[]
---@field cell string name of the cell
---@field options table<string, any> the cell's own, as forget_bias of "lstm"
---@field input integer
---@field hidden integer
---@field output integer
---@field head "softmax"|"linear"
---@field dtype string
---@field vocab? unroll.Vocab when the model was made for one
---@see rnn.lm rnn.model train.fit
local Model = { __name = "unroll.Model", __members = { "values" } } -- for completion

local model = { Model = Model }

-- What a model may have but need not: asking for it is no mistake.
local optional = { vocab = true, evaluation = true, sampler = true }

function Model:__index(name)
  local found = Model[name]
  if found == nil then found = rawget(self, "values")[name] end
  if found == nil and not optional[name] then
    optional[name] = unknown.read(display.kind(self), name, 3, nil, self, Model,
      rawget(self, "values")) or nil
  end
  return found
end

-- Parameters are views of one tensor; a field of the same name would only hide one.
function Model:__newindex(name, value)
  if rawget(self, "values")[name] ~= nil then
    local text = "a model's '%s' cannot be replaced; write into it: model.%s:copy_(t)"
    error(text:format(name, name), 2)
  end
  rawset(self, name, value)
end

Model.__tostring, Model.__display = display.model_line, display.model

-- --- making ---------------------------------------------------------------------------

-- The specifications of all parameters, and of each layer the first and their own names.
local function specs_of(d, o)
  local specs, layers = {}, {}
  for l = 1, o.layers do
    local own = d:specs(l == 1 and o.input or o.hidden, o.hidden)
    layers[l] = { first = #specs + 1, names = {} }
    for i, spec in ipairs(own) do
      layers[l].names[i] = spec.name
      if o.layers > 1 then spec.name = ("layers[%d].%s"):format(l, spec.name) end
      specs[#specs + 1] = spec
    end
  end
  specs[#specs + 1] = { name = "W_hy", base = "W_hy", size = { o.output, o.hidden },
    fan_in = o.hidden, fan_out = o.output, hidden = o.hidden }
  specs[#specs + 1] = { name = "b_y", base = "b_y", size = { o.output }, hidden = o.hidden }
  return specs, layers
end

-- What a step of a training calls is in the model itself: looked up there it costs no call of
-- __index.
local step_methods = { "forward", "backward", "zero_gradients", "gradients" }

-- A model with parameters of zero after checked options.
local function build(d, o, who, level)
  local specs, layers = specs_of(d, o)
  local self = {
    cell = d.name, options = d.values, definition = d,
    input = o.input, hidden = o.hidden, output = o.output,
    head = o.head, dtype = o.dtype, vocab = o.vocab, layers = {},
    values = parameters.new(specs, o.dtype, who, level + 1),
    slopes = parameters.new(specs, o.dtype, who, level + 1),
  }
  for l, layer in ipairs(layers) do
    self.layers[l] = cell.wrap(d, l == 1 and o.input or o.hidden, o.hidden, o.dtype,
      parameters.part(self.values, layer.first, layer.names),
      parameters.part(self.slopes, layer.first, layer.names))
  end
  for _, name in ipairs(step_methods) do self[name] = Model[name] end
  return setmetatable(self, Model), specs
end

local losses = { softmax = "cross_entropy", linear = "squared_error" }

local most_layers <const> = 1000

local function check_sizes(o, who, level)
  for _, name in ipairs { "input", "hidden", "output", "layers" } do
    o[name] = check.size(o[name], name, who, level + 1)
  end
  if o.layers > most_layers then
    error(("%s: layers is %d, at most %d are possible"):format(who, o.layers, most_layers),
      level + 1)
  end
  check.dtype(o.dtype, who, level + 1)
  options.choice(o.head, { "softmax", "linear" }, "head", who, level + 1)
  if o.loss ~= nil then options.choice(o.loss, { losses[o.head] }, "loss", who, level + 1) end
  if o.seed ~= nil then options.integer(o.seed, "seed", who, math.mininteger, level + 1) end
end

-- The cell's definition and the options of a model or a language model.
local function choose(opts, accepted, who, level)
  local name = type(opts) == "table" and rawget(opts, "cell") or accepted.cell
  if name == options.required then options.check(opts, accepted, who, level + 1) end
  local d, o = definition.choose(name, opts, accepted, who, level + 1)
  return d, o -- not as a tail call, which would lose the level
end

local function make(d, o, who, level)
  check_sizes(o, who, level + 1)
  local self, specs = build(d, o, who, level + 1)
  init.fill_all(self.values, specs, o.init, o.seed or init.draw_seed(), who, level + 1)
  return self
end

local accepted = { cell = options.required, input = options.required,
  hidden = options.required, output = options.required, layers = 1, head = "softmax", "loss",
  dtype = "float32", "init", "seed", "vocab" }

---@class unroll.ModelOptions
---@field cell "tanh"|"relu"|"lstm"|"gru"|string|table a name (`rnn.cells`) or a definition
--- (`rnn.register`)
---@field input integer numbers for each step, or the number of tokens
---@field hidden integer H, numbers of the state
---@field output integer numbers or classes for each step
---@field layers? integer default 1
---@field head? "softmax"|"linear" what the outputs are; default "softmax"
---@field loss? "cross_entropy"|"squared_error" the head's, by name
---@field dtype? "float32"|"float64" default "float32"
---@field init? string|table|number how parameters start, see `rnn.lm`; default "glorot"
---@field seed? integer default: drawn from the default generator
---@field forget_bias? number "lstm": where the biases of the forget gate start; default 1
---@field reset? "after"|"before" "gru": the reset gate multiplies after or before the product
--- with W_hn; default "after"
---@field vocab? unroll.Vocab

--- A stack of cells with a read-out.
---
--- Head "softmax": the targets are classes, (T,B) int32; the loss is the cross-entropy of
--- softmax(y) with them, in nats. Head "linear": the targets are numbers, (T,B,output); the loss
--- is the mean squared error.
---@param opts unroll.ModelOptions
---@return unroll.Model
--- Errors: unknown, missing or misshapen options.
--- Dtypes: float32, float64
--- > model = rnn.model{cell = "tanh", input = 2, hidden = 8, output = 1, head = "linear"}
--- > model:predict(tensor.zeros(5, 3, 2)):size()   --> (5, 3, 1)
---@see rnn.lm unroll.Model tasks.adding
function model.new(opts)
  local d, o = choose(opts, accepted, "rnn.model", 2)
  return (make(d, o, "rnn.model", 2))
end

local accepted_lm = { cell = "tanh", vocab = options.required, hidden = options.required,
  layers = 1, dtype = "float32", "init", "seed" }

-- A vocabulary, or the number of its symbols.
local function vocabulary_size(vocab, level)
  if math.type(vocab) then return options.integer(vocab, "vocab", "rnn.lm", 1, level + 1), nil end
  if type(vocab) ~= "table" or not vocab.encode or not vocab.size then
    error(("rnn.lm: vocab must be a number or a vocabulary, got %s"):format(type(vocab)),
      level + 1)
  end
  return vocab:size(), vocab
end

---@class unroll.LmOptions
---@field cell? "tanh"|"relu"|"lstm"|"gru"|string|table a name (`rnn.cells`) or a definition
--- (`rnn.register`); default "tanh"
---@field vocab integer|unroll.Vocab the number of symbols, or a vocabulary (then sample takes and
--- returns text)
---@field hidden integer H, numbers of the state
---@field layers? integer default 1
---@field dtype? "float32"|"float64" default "float32"
---@field init? string|table|number how parameters start, see above; default "glorot"
---@field seed? integer default: drawn from the default generator
---@field forget_bias? number "lstm": where the biases of the forget gate start; default 1
---@field reset? "after"|"before" "gru": the reset gate multiplies after or before the product
--- with W_hn; default "after"

--- A language model: tokens in, the probabilities of the next token out.
---
--- `init` is a rule for all weight matrices: "glorot", "glorot_normal", "he", "lecun",
--- "orthogonal", "identity", "pytorch", or {normal = deviation}, {uniform = bound}, {constant =
--- value}; or a table of such rules by parameter: {W_hh = "orthogonal"}. Rules take a gain:
--- {orthogonal = 1.2}. Of a cell with gates each block is drawn as a matrix of its own. Biases
--- start at zero, those of the lstm's forget gate at forget_bias, unless they are named:
--- {b_h = "pytorch"}, {b_h = 0}. {chrono = Tmax} draws the biases of "lstm" and "gru" so that units
--- remember for 1 to Tmax steps.
---@param opts unroll.LmOptions
---@return unroll.Model
--- Errors: unknown, missing or misshapen options.
--- Source: Glorot & Bengio, Understanding the difficulty of training deep feedforward neural
--- networks, 2010; Saxe, McClelland & Ganguli, Exact solutions to the nonlinear dynamics of
--- learning in deep linear neural networks, 2013; Le, Jaitly & Hinton, A simple way to
--- initialize recurrent networks of rectified linear units, 2015; He et al., Delving deep into
--- rectifiers, 2015; Tallec & Ollivier, Can recurrent neural networks warp time?, 2018.
--- Dtypes: float32, float64
--- > model = rnn.lm{cell = "tanh", vocab = 65, hidden = 128, seed = 1}
--- > model.W_xh:size()   --> (128, 65)
--- > rnn.lm{cell = "lstm", vocab = 65, hidden = 128}.W_hh:size()   --> (512, 128)
--- > W = rnn.lm{vocab = 5, hidden = 4, init = {W_hh = "orthogonal"}}.W_hh
--- > tensor.allclose(W:matmul(W:t()), tensor.eye(4), {atol = 1e-5})   --> true
---@see Model:forward Model:sample train.fit rnn.load rnn.model
function model.lm(opts)
  local d, o = choose(opts, accepted_lm, "rnn.lm", 2)
  o.input, o.vocab = vocabulary_size(o.vocab, 2)
  o.output, o.head = o.input, "softmax"
  return (make(d, o, "rnn.lm", 2))
end

--- The same model in another dtype: a copy, with gradients of zero.
---@param dtype "float32"|"float64"
---@return unroll.Model
--- > rnn.lm{vocab = 3, hidden = 2}:to("float64").dtype   --> "float64"
function Model:to(dtype)
  check.dtype(dtype, "model:to", 2)
  local copy = build(self.definition, { input = self.input, hidden = self.hidden,
    output = self.output, layers = #self.layers, head = self.head, dtype = dtype,
    vocab = self.vocab }, "model:to", 2)
  copy.values.flat:copy_(self.values.flat)
  return copy
end

--- The parameters, layer by layer, then W_hy and b_y.
---@return table list of { name =, tensor = }, also by name, and `.flat`, one tensor that all are
--- views into
--- > rnn.lm{vocab = 3, hidden = 2}:parameters().flat:numel()   --> 21
---@see Model:gradients
function Model:parameters() return self.values end

--- The gradients of the parameters. `Model:backward` adds to them.
---@return table list as of `Model:parameters`
--- > rnn.lm{vocab = 3, hidden = 2}:gradients().W_hy:size()   --> (3, 2)
---@see Model:zero_gradients optim.grad_norm
function Model:gradients() return self.slopes end

--- Sets all gradients to zero.
--- > model = rnn.lm{vocab = 3, hidden = 2}
--- > model:gradients().b_y:fill_(1);
--- > model:zero_gradients()
--- > optim.grad_norm(model)   --> 0.0
function Model:zero_gradients() clear(self.slopes.flat) end

--- States of zeros.
---@param B integer the batch
---@return table[] state one table for each layer
--- > rnn.lm{vocab = 3, hidden = 2}:zero_state(4)[1].h:size()   --> (4, 2)
function Model:zero_state(B)
  options.integer(B, "the batch", "model:zero_state")
  local state = {}
  for l, layer in ipairs(self.layers) do state[l] = layer:zero_state(B) end
  return state
end

-- --- forward and back -------------------------------------------------------------------

local function check_state(self, state, who, level)
  if state == nil then return end
  if type(state) ~= "table" or #state ~= #self.layers then
    error(("%s: state must be a list of %d tables, one for each layer, as { { h = ... } }"):format(
      who, #self.layers), level + 1)
  end
  for l = 1, #state do
    check.state(state[l], self.definition.states, "state", who, level + 1)
  end
end

local function check_targets(self, y, T, B, who, level)
  if y == nil then error(who .. ": targets expected, got nil", level + 1) end
  if self.head == "linear" then
    check.numbers(y, "targets", who, level + 1, self.dtype, T, B, self.output)
  else
    check.numbers(y, "targets", who, level + 1, "int32", T, B)
  end
end

local known_options = { weight = true, reduction = true, train = true, trace = true, mask = true }

-- Is the loss a mean?
local function is_mean(opts, level)
  local reduction = opts and opts.reduction
  if reduction == nil or reduction == "mean" then return true end
  if reduction == "sum" then return false end
  error(("model:forward: reduction is '%s', must be 'mean' or 'sum'"):format(tostring(reduction)),
    level + 1)
end

local function check_trace(self, given, level)
  if getmetatable(given) ~= model_trace.ModelTrace or given.model ~= self then
    error("model:forward: trace must come from this model's forward", level + 1)
  end
end

---@class unroll.ForwardOptions
---@field weight? unroll.Tensor (T,B) of each prediction; where it is 0 the target is not looked at
---@field mask? unroll.Tensor (T,B); where it is 0 the states stay as they are (it does not touch
--- the loss)
---@field reduction? "mean"|"sum" the mean divides by the sum of the weights; default "mean"
---@field train? boolean false: the same loss, no trace, less memory; default true
---@field trace? unroll.ModelTrace one to use again: its buffers and what it returned are
--- overwritten

--- Runs the model over a window and gives its loss.
---@param x unroll.Tensor (T,B) int32 tokens 1..input, or (T,B,input) numbers
---@param y unroll.Tensor (T,B) int32 classes 1..output; head "linear": (T,B,output)
---@param state? table[] one table of (B,H) tensors for each layer; nil: zeros
---@param opts? unroll.ForwardOptions
---@return number loss in nats for "softmax"
---@return table[] state after the last step: of the trace, or new when train is false
---@return unroll.ModelTrace? trace for `Model:backward`; nil when train is false
--- Errors: inputs, targets, states, weights of another shape or dtype; a token out of range; a
--- trace of another model.
--- > model = rnn.lm{vocab = 3, hidden = 2, init = {constant = 0}}
--- > x = tensor({{1}, {2}, {3}}, {dtype = "int32"})
--- > loss, state, trace = model:forward(x, x)
--- > loss   --> 1.098612
--- > model:forward(x, tensor.zeros(3))   --> error: targets
---@see Model:backward Model:predict train.evaluate
function Model:forward(x, y, state, opts)
  local who = "model:forward"
  local again, state_after, used = forward_again(self, x, y, state, opts)
  if again then return again, state_after, used end
  if state_after then error(who .. ": " .. state_after, 2) end
  check.options(opts, known_options, who, 2)
  local mean = is_mean(opts, 2)
  local T, B, is_tokens = check.inputs(x, self.input, self.dtype, who, 2)
  check_targets(self, y, T, B, who, 2)
  check_state(self, state, who, 2)
  local weight, mask = nil, nil
  local given, train = nil, true
  if opts then
    weight, mask, given, train = opts.weight, opts.mask, opts.trace, opts.train ~= false
    check.numbers(weight, "weight", who, 2, "real", T, B)
    check.numbers(mask, "mask", who, 2, "real", T, B)
  end
  if given ~= nil then check_trace(self, given, 2) end
  local loss, message
  if train then
    given = given or model_trace.new(self, true)
    given:prepare(T, B, is_tokens)
    loss, message = given:forward(x, y, state, weight, mask, mean)
    if loss then return loss, given.state, given end
  else
    loss, message = model_trace.evaluate(self, x, y, state, weight, mask, mean)
    if loss then return loss, message end
  end
  error(who .. ": " .. message, 2)
end

--- Backpropagation through time for the last forward pass on a trace. Adds to the
--- gradients of the parameters.
---
--- When the next window starts from the state of the last one, this is truncated BPTT.
---@param trace unroll.ModelTrace
---@param generation? integer trace.generation as it was after the forward pass that is meant
---@return unroll.Tensor? dx dL/dx (T,B,input), of the trace; nil for tokens
---@return table[] dstate dL/d(initial state), one table for each layer, of the trace
--- Errors: no forward pass before, twice, after a change of the parameters, the inputs or
--- the returned state; another generation.
--- Source: Williams & Peng, An efficient gradient-based algorithm for on-line training of recurrent
--- network trajectories, 1990.
--- > model = rnn.lm{vocab = 3, hidden = 2, seed = 1}
--- > x = tensor({{1}, {2}, {3}}, {dtype = "int32"})
--- > loss, state, trace = model:forward(x, x)
--- > model:backward(trace);
--- > optim.grad_norm(model) > 0   --> true
--- > model:backward(trace)        --> error: model:backward
---@see Model:forward Optimizer:step optim.clip_norm gradcheck
function Model:backward(trace, generation)
  local dstate, dx = backward_again(self, trace, generation)
  if dstate then return dx, dstate end
  if getmetatable(trace) ~= model_trace.ModelTrace or trace.model ~= self then
    error("model:backward: the trace of this model's forward expected, got " .. type(trace), 2)
  end
  local message = cell_trace.overwritten(trace, generation) or trace:backward()
  if message then error("model:backward: " .. message, 2) end
  return trace.layers[1].dxs, trace.dstate
end

--- The outputs without a loss: logits for "softmax".
---@param x unroll.Tensor as for `Model:forward`
---@param state? table[] one table of (B,H) tensors for each layer; nil: zeros
---@return unroll.Tensor y (T,B,output), new
---@return table[] state after the last step, new
--- Errors: inputs or states of another shape or dtype; a token out of range.
--- > model = rnn.lm{vocab = 3, hidden = 2}
--- > model:predict(tensor.ones(4, 1):to("int32")):size()   --> (4, 1, 3)
---@see Model:forward Model:sample tensor.softmax
function Model:predict(x, state)
  local T, B, is_tokens = check.inputs(x, self.input, self.dtype, "model:predict", 2)
  check_state(self, state, "model:predict", 2)
  local trace = model_trace.new(self, false)
  trace:prepare(T, B, is_tokens)
  local message = trace:predict(x, state)
  if message then error("model:predict: " .. message, 2) end
  return trace.y, trace.state
end

Model.sample = sample
Model.save = file.save

return model
