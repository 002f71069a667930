--- optim: optimisers and gradient clipping.
--
--   local opt = optim.adam(model, { lr = 2e-3 })
--   ...                                     -- forward, backward
--   local norm = optim.clip_norm(model, 5)  -- the norm before the clip
--   opt:step()                              -- parameters change; gradients are kept
--   model:zero_gradients()
--
-- An optimiser works for anything with :parameters() and :gradients(): lists of
-- { name =, tensor = } in one order. Where both lists have `flat`, one contiguous tensor
-- that all the others are views into, a step is one pass over it.
--
-- The options are fields of the optimiser and may be changed between steps
-- (opt.lr = opt.lr / 2). Rules, names and defaults are PyTorch's; a step makes no
-- garbage once the state exists, that is from the second step on.

local clip = require "unroll.optim.clip"
local core = require "unroll.core"
local options = require "unroll.options"
local own_by = require "unroll.optim.own"
local shown = require "unroll.display.text"
local slots = require "unroll.optim.slots"
local unknown = require "unroll.unknown"

local optim = {}

-- --- the rules -----------------------------------------------------------------------------

-- A rule: its options with their defaults; the names of all its state, in core's order; and
-- which of it the options ask for.
local rules = {}

rules.sgd = {
  defaults = { lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false },
  state = { "momentum_buffer" },
  wants = function(o) return o.momentum ~= 0 end,
}

rules.adagrad = {
  defaults = { lr = 1e-2, lr_decay = 0, weight_decay = 0, eps = 1e-10,
    initial_accumulator_value = 0 },
  state = { "sum" },
  wants = function() return true end,
}

rules.rmsprop = {
  defaults = { lr = 1e-2, alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0,
    centered = false },
  state = { "square_avg", "grad_avg", "momentum_buffer" },
  wants = function(o, name)
    return name == "square_avg" or (name == "grad_avg" and o.centered)
      or (name == "momentum_buffer" and o.momentum ~= 0)
  end,
}

local function adam_rule(weight_decay)
  return {
    defaults = { lr = 1e-3, betas = { 0.9, 0.999 }, eps = 1e-8, weight_decay = weight_decay },
    state = { "exp_avg", "exp_avg_sq" },
    wants = function() return true end,
  }
end
rules.adam = adam_rule(0)
rules.adamw = adam_rule(1e-2)

-- A list of what core updates together: p, g and the state that the options ask for, made when
-- it is first used. Also whether any of it is new.
local function bind_slot(rule, slot, o)
  local tensors, is_new = { slot.p, slot.g }, false
  for i, name in ipairs(rule.state) do
    local tensor = false
    if rule.wants(o, name) then
      tensor, is_new = slot.state[name], is_new or not slot.state[name]
      if not tensor then
        tensor = core.tensor.zeros_like(slot.p):fill_(o.initial_accumulator_value or 0)
        slot.state[name] = tensor
      end
    end
    tensors[2 + i] = tensor
  end
  return tensors, is_new
end

local function bind(own, o)
  local list, is_new = {}, false
  for i, slot in ipairs(own.slots) do
    local fresh
    list[i], fresh = bind_slot(own.rule, slot, o)
    is_new = is_new or fresh
  end
  return core.optim.update(own.name, list, is_new)
end

-- --- options -------------------------------------------------------------------------------

local function is_scale(x) return math.type(x) and x >= 0 and x < math.huge end
local function is_rate(x) return is_scale(x) and x < 1 end

local checks = {
  alpha = { is_rate, "a number from 0 to below 1" },
  betas = {
    function(b)
      return type(b) == "table" and #b == 2 and is_rate(b[1]) and is_rate(b[2])
    end,
    "a list of two numbers from 0 to below 1",
  },
  dampening = { function(x) return math.type(x) and x - x == 0 end, "a finite number" },
  nesterov = { function(x) return type(x) == "boolean" end, "true or false" },
  centered = { function(x) return type(x) == "boolean" end, "true or false" },
}
local scale_check = { is_scale, "a finite number of at least 0" }

local function describe(value)
  if type(value) ~= "table" then return options.shown(value) end
  local words = {}
  for i, item in ipairs(value) do words[i] = options.shown(item) end
  return "{" .. table.concat(words, ", ") .. "}"
end

local function check_values(o, defaults, who, level)
  for name in pairs(defaults) do
    local value, check = o[name], checks[name] or scale_check
    if not check[1](value) then
      error(("%s: %s is %s, must be %s"):format(who, name, describe(value), check[2]),
        level + 1)
    end
  end
  if o.nesterov and (o.momentum == 0 or o.dampening ~= 0) then
    error(who .. ": nesterov needs a momentum above 0 and no dampening", level + 1)
  end
end

-- --- the class -----------------------------------------------------------------------------

--- An optimiser: the rule, its options as fields, and its state. Any option may be changed
--- between steps.
--- > opt = optim.adam(rnn.lm{vocab = 3, hidden = 2}, {lr = 1e-2})
--- > opt.lr = opt.lr / 2
--- > opt.lr      --> 0.005
--- > opt.rate = 1   --> error: adam has no option 'rate'
---@class unroll.Optimizer
---@field lr number the learning rate
---@field weight_decay number
---@see optim.adam optim.sgd train.fit
local Optimizer = {}

--- Updates the parameters from the gradients, which are neither changed nor cleared.
--- Errors: an option that was set to nonsense since.
--- > model = rnn.lm{vocab = 3, hidden = 2, seed = 1}
--- > opt = optim.sgd(model, {lr = 1})
--- > before = model.b_y:clone()
--- > model:gradients().b_y:fill_(0.5);
--- > opt:step()
--- > (before - model.b_y):totable()   --> {0.5, 0.5, 0.5}
---@see Model:backward Model:zero_gradients optim.clip_norm
function Optimizer:step()
  local own = own_by[self]
  local t = own.t + 1
  local update = own.update
  if not (update and update:step(self, t)) then
    check_values(self, own.rule.defaults, own.step_name, 2)
    own.update = bind(own, self)
    assert(own.update:step(self, t))
  end
  own.t = t
end

--- The number of steps taken.
---@return integer
--- > optim.sgd(rnn.lm{vocab = 3, hidden = 2}):steps()   --> 0
function Optimizer:steps()
  return own_by[self].t
end

local function current_options(self)
  local o = {}
  for name in pairs(own_by[self].rule.defaults) do
    local value = self[name]
    o[name] = type(value) == "table" and { table.unpack(value) } or value
  end
  return o
end

--- What a checkpoint has to keep, as plain data.
---@return table state { algorithm = "adam", step = integer, options = {lr =, ...},
--- tensors = { [name] = tensor } }: the names are PyTorch's ("exp_avg"), followed by
--- "." and the parameter's where the model has no flat parameters. The tensors are the
--- optimiser's own, not copies.
--- > optim.adam(rnn.lm{vocab = 3, hidden = 2}):state().algorithm   --> "adam"
---@see Optimizer:set_state
function Optimizer:state()
  local own = own_by[self]
  local tensors = {}
  for _, slot in ipairs(own.slots) do
    for name, tensor in pairs(slot.state) do tensors[name .. slot.suffix] = tensor end
  end
  return { algorithm = own.name, step = own.t, options = current_options(self),
    tensors = tensors }
end

-- The state tensor `key`, checked against the parameter of its slot.
local function checked_tensor(tensors, key, p)
  local tensor = tensors[key]
  if not tensor then
    error(("set_state: the state has no tensor '%s'"):format(key), 4)
  elseif tensor:dtype() ~= p:dtype() or slots.shape_text(tensor) ~= slots.shape_text(p) then
    error(("set_state: '%s' is %s %s, must be %s %s"):format(key, tensor:dtype(),
      slots.shape_text(tensor), p:dtype(), slots.shape_text(p)), 4)
  end
  return tensor
end

-- For each slot, copies of its state; everything is checked before anything is changed.
local function copied_slots(own, state, o)
  local copies, used = {}, {}
  for i, slot in ipairs(own.slots) do
    copies[i] = {}
    for _, name in ipairs(own.rule.state) do
      local key = name .. slot.suffix
      if state.step > 0 and own.rule.wants(o, name) then
        copies[i][name] = checked_tensor(state.tensors, key, slot.p):clone()
        used[key] = true
      end
    end
  end
  for key in pairs(state.tensors) do
    if not used[key] then
      error(("set_state: the state has a tensor '%s' that %s with these options does not use")
        :format(key, own.name), 3)
    end
  end
  return copies
end

--- Continues from what `Optimizer:state` returned: numbers are copied, options are set too.
---@param state table
--- Errors: (nothing was changed then) another algorithm; missing, unknown or misshapen
--- tensors; bad options.
--- > model = rnn.lm{vocab = 3, hidden = 2}
--- > opt = optim.adam(model, {lr = 0.5})
--- > again = optim.adam(model)
--- > again:set_state(opt:state())
--- > again.lr   --> 0.5
--- > optim.sgd(model):set_state(opt:state())   --> error: the state is of adam, not of sgd
function Optimizer:set_state(state)
  local own = own_by[self]
  if type(state) ~= "table" or state.algorithm ~= own.name then
    error(("set_state: the state is of %s, not of %s"):format(
      type(state) == "table" and tostring(state.algorithm) or type(state), own.name), 2)
  end
  options.integer(state.step, "step", "set_state", 0)
  if type(state.tensors) ~= "table" then error("set_state: the state has no tensors", 2) end
  local o = options.check(state.options, own.rule.defaults, "set_state")
  check_values(o, own.rule.defaults, "set_state", 2)
  local copies = copied_slots(own, state, o)
  for i, slot in ipairs(own.slots) do slot.state = copies[i] end
  own.update = nil
  for name, value in pairs(o) do rawset(self, name, value) end
  own.t = math.tointeger(state.step)
end

Optimizer.__name = "unroll.Optimizer"

Optimizer.__index = unknown.index(Optimizer, function(self) return own_by[self].name end)

function Optimizer:__newindex(name, value)
  local own = own_by[self]
  if own.rule.defaults[name] ~= nil then return rawset(self, name, value) end
  local names = {}
  for known in pairs(own.rule.defaults) do names[#names + 1] = known end
  error(("%s has no option '%s'.%s"):format(own.name, tostring(name),
    options.suggestion(tostring(name), names)), 2)
end

function Optimizer:__tostring()
  local words = {}
  for name, value in pairs(current_options(self)) do
    words[#words + 1] = name .. " = " .. describe(value)
  end
  table.sort(words)
  return ("optim.%s{%s}, step %d"):format(own_by[self].name, table.concat(words, ", "),
    own_by[self].t)
end

function Optimizer:__display(how)
  local own, others, numbers = own_by[self], {}, 0
  for name, value in pairs(current_options(self)) do
    if name ~= "lr" then others[#others + 1] = name .. " " .. describe(value) end
  end
  table.sort(others)
  local pieces = { how.paint("heading", own.name), "lr " .. describe(self.lr),
    table.unpack(others) }
  for _, slot in ipairs(own.slots) do numbers = numbers + slot.p:numel() end
  return ("%s\n  %s over %s"):format(shown.join(pieces, how.width, 2),
    shown.count(own.t, "step"), shown.count(numbers, "parameter"))
end

local function new(name, model, opts)
  local who, rule = "optim." .. name, rules[name]
  local self = options.check(opts, rule.defaults, who)
  check_values(self, rule.defaults, who, 2)
  if self.betas then self.betas = { self.betas[1], self.betas[2] } end
  own_by[self] = { rule = rule, name = name, step_name = who .. ":step",
    slots = slots.of(model, who), t = 0 }
  return setmetatable(self, Optimizer)
end

-- --- optimisers ----------------------------------------------------------------------------

---@class unroll.SgdOptions
---@field lr? number step size, at least 0; default 1e-3
---@field momentum? number share of the last step that goes on; default 0
---@field dampening? number of the gradient's share in the momentum; default 0
---@field weight_decay? number times p is added to the gradient; default 0
---@field nesterov? boolean look ahead; needs momentum and no dampening; default false

--- Stochastic gradient descent, with or without momentum.
---
---   p <- p - lr g
---
--- With momentum, where m is g at the first step:
---
---   m <- momentum m + (1 - dampening) g
---   p <- p - lr m                      or, with nesterov,
---   p <- p - lr (g + momentum m)
---
--- g contains weight_decay p.
---@param model unroll.Model|table anything with :parameters() and :gradients()
---@param opts? unroll.SgdOptions
---@return unroll.Optimizer
--- Errors: unknown options; negative or non-finite values; nesterov without momentum.
--- Source: Polyak, Some methods of speeding up the convergence of iteration methods, 1964;
--- Sutskever et al., On the importance of initialization and momentum in deep learning, 2013.
--- Dtypes: float32, float64
--- > opt = optim.sgd(rnn.lm{vocab = 3, hidden = 2}, {lr = 0.1, momentum = 0.9})
--- > opt.momentum   --> 0.9
---@see Optimizer:step optim.adam train.fit
function optim.sgd(model, opts)
  return new("sgd", model, opts)
end

---@class unroll.AdagradOptions
---@field lr? number step size, at least 0; default 1e-2
---@field lr_decay? number lr falls as 1 / (1 + (t - 1) lr_decay); default 0
---@field weight_decay? number times p is added to the gradient; default 0
---@field eps? number keeps the division from 0; default 1e-10
---@field initial_accumulator_value? number s before the first step; default 0

--- Adagrad: the more a parameter has moved, the smaller its steps become.
---
---   s <- s + g^2
---   p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
---
--- g contains weight_decay p; t is the number of the step.
---@param model unroll.Model|table anything with :parameters() and :gradients()
---@param opts? unroll.AdagradOptions
---@return unroll.Optimizer
--- Errors: unknown options; negative or non-finite values.
--- Source: Duchi, Hazan & Singer, Adaptive subgradient methods for online learning and stochastic
--- optimization, 2011.
--- Dtypes: float32, float64
--- > optim.adagrad(rnn.lm{vocab = 3, hidden = 2}).lr   --> 0.01
---@see optim.rmsprop optim.adam
function optim.adagrad(model, opts)
  return new("adagrad", model, opts)
end

---@class unroll.RmspropOptions
---@field lr? number step size, at least 0; default 1e-2
---@field alpha? number how slowly the mean of g^2 moves, 0 to below 1; default 0.99
---@field eps? number keeps the division from 0; default 1e-8
---@field weight_decay? number times p is added to the gradient; default 0
---@field momentum? number share of the last step that goes on; default 0
---@field centered? boolean divide by the deviation instead of the size; default false

--- RMSProp: steps divided by a running mean of the gradient's size.
---
---   v <- alpha v + (1 - alpha) g^2
---   p <- p - lr g / (sqrt(v) + eps)
---
--- With momentum b <- momentum b + g / (sqrt(v) + eps), p <- p - lr b. Centered: v less the
--- square of the running mean of g stands for v. g contains weight_decay p.
---@param model unroll.Model|table anything with :parameters() and :gradients()
---@param opts? unroll.RmspropOptions
---@return unroll.Optimizer
--- Errors: unknown options; negative or non-finite values.
--- Source: Tieleman & Hinton, Lecture 6.5: RMSProp, 2012; Graves, Generating sequences with
--- recurrent neural networks, 2013.
--- Dtypes: float32, float64
--- > optim.rmsprop(rnn.lm{vocab = 3, hidden = 2}).alpha   --> 0.99
---@see optim.adagrad optim.adam
function optim.rmsprop(model, opts)
  return new("rmsprop", model, opts)
end

---@class unroll.AdamOptions
---@field lr? number step size, at least 0; default 1e-3
---@field betas? number[] how slowly the means of g and of g^2 move; default {0.9, 0.999}
---@field eps? number keeps the division from 0; default 1e-8
---@field weight_decay? number times p is added to the gradient; default 0

--- Adam: momentum, and steps divided by a running mean of the gradient's size.
---
---   m <- beta1 m + (1 - beta1) g
---   v <- beta2 v + (1 - beta2) g^2
---   p <- p - lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps)
---
--- g contains weight_decay p; t is the number of the step.
---@param model unroll.Model|table anything with :parameters() and :gradients()
---@param opts? unroll.AdamOptions
---@return unroll.Optimizer
--- Errors: unknown options; negative or non-finite values.
--- Source: Kingma & Ba, Adam: a method for stochastic optimization, 2014.
--- Dtypes: float32, float64
--- > opt = optim.adam(rnn.lm{vocab = 3, hidden = 2}, {lr = 2e-3})
--- > opt.betas      --> {0.9, 0.999}
--- > optim.adam(rnn.lm{vocab = 3, hidden = 2}, {lrr = 1})   --> error: Did you mean 'lr'?
---@see optim.adamw optim.sgd train.fit optim.clip_norm
function optim.adam(model, opts)
  return new("adam", model, opts)
end

---@class unroll.AdamwOptions
---@field lr? number step size, at least 0; default 1e-3
---@field betas? number[] how slowly the means of g and of g^2 move; default {0.9, 0.999}
---@field eps? number keeps the division from 0; default 1e-8
---@field weight_decay? number p shrinks by lr times this at each step; default 1e-2

--- AdamW: Adam with the weight decay kept out of the gradient; p <- (1 - lr weight_decay) p
--- comes first.
---@param model unroll.Model|table anything with :parameters() and :gradients()
---@param opts? unroll.AdamwOptions
---@return unroll.Optimizer
--- Errors: unknown options; negative or non-finite values.
--- Source: Loshchilov & Hutter, Decoupled weight decay regularization, 2019.
--- Dtypes: float32, float64
--- > optim.adamw(rnn.lm{vocab = 3, hidden = 2}).weight_decay   --> 0.01
---@see optim.adam
function optim.adamw(model, opts)
  return new("adamw", model, opts)
end

-- --- clipping ------------------------------------------------------------------------------

optim.grad_norm = clip.grad_norm
optim.clip_norm = clip.clip_norm
optim.clip_value = clip.clip_value

return optim
