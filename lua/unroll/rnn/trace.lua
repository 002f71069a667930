--- trace: what a forward pass of a cell leaves for its backward pass.
--
-- A trace owns its buffers: the states of all steps (T+1,B,H), what the steps saved, the
-- gradients. It is made for T, B, the kind of inputs and the direction, remade when these
-- change, and else used again, so that training allocates nothing. The run (C) that works
-- on the buffers knows whether a backward pass is possible: not before a forward pass,
-- not twice, not after the parameters, the inputs or what forward returned changed.
-- `generation` counts the forward passes: who keeps its value can tell, and backward can
-- check, that the trace still holds the pass that was meant.
--
-- Three forms of cells (definition.lua) have three ways forward and back here: native
-- cells run in C, cells of steps call Lua between C's phases, whole ones do it all.

local core = require "unroll.core"
local display = require "unroll.rnn.display"
local unknown = require "unroll.unknown"

local tensor, inspect = core.tensor, core.cell.inspect

--- What a forward pass of a cell leaves for its backward pass. It owns the tensors that
--- `Cell:forward` returned; given to the next pass (`trace =`) it is used again.
---@class unroll.Trace
---@field T integer steps
---@field B integer batch
---@field ys unroll.Tensor (T,B,H), the outputs
---@field state table<string, unroll.Tensor> (B,H) each, after the last step
---@field generation integer how many forward passes it has seen
---@see Cell:forward Cell:backward Trace:states Trace:gates
local Trace = { __name = "unroll.Trace" }
Trace.__index = unknown.index(Trace, "trace")

local trace = { Trace = Trace }

-- --- buffers --------------------------------------------------------------------------

local function zeros(self, ...)
  return tensor.zeros({ ... }, { dtype = self.cell.dtype })
end

-- State s of all steps, and the views of it that callers see.
local function make_states(self)
  local T, B, H = self.T, self.B, self.cell.hidden
  self.rows, self.state = {}, {}
  for s, name in ipairs(self.cell.definition.states) do
    local rows = zeros(self, T + 1, B, H)
    self.rows[s] = rows
    self.state[name] = rows:select(1, self.reverse and 1 or T + 1)
  end
  self.ys = self.rows[1]:narrow(1, self.reverse and 1 or 2, T)
end

local function make_gradients(self)
  local T, B, H = self.T, self.B, self.cell.hidden
  self.dstates, self.dstate = {}, {}
  for s, name in ipairs(self.cell.definition.states) do
    self.dstates[s] = zeros(self, B, H)
    self.dstate[name] = self.dstates[s]
  end
  self.norms = tensor.zeros({ T }, { dtype = "float64" })
  if not self.is_tokens then self.dxs = zeros(self, T, B, self.cell.input) end
end

-- --- native cells -----------------------------------------------------------------------

-- What core.cell.run wants to know, for cells with gates.
local function describe_run(self)
  local cell, d = self.cell, self.cell.definition
  local T, B, width = self.T, self.B, d.gate_count * self.cell.hidden
  local with_gradients = self.with_gradients
  local run = {
    T = T, B = B, I = cell.input, H = cell.hidden, dtype = cell.dtype, reverse = self.reverse,
    state_names = d.states, states = self.rows, dstates = self.dstates, norms = self.norms,
    dx = self.dxs, parameters = cell.values.storage,
    gradients = with_gradients and cell.slopes.storage or nil,
  }
  if not d.in_place then run.gates = zeros(self, T, B, width) end
  if d.split > 0 then run.gates_x = zeros(self, T, B, d.split * cell.hidden) end
  return run
end

local native = {}

function native.prepare(self)
  local d = self.cell.definition
  local description = describe_run(self)
  description.cell = d.core_name
  if d.saved > 0 then
    description.saved = zeros(self, self.T, self.B, d.saved * self.cell.hidden)
  end
  self.run = core.cell.run(description)
  self.pre, self.pre_x = description.gates, description.gates_x
end

function native.forward(self, xs, state, mask)
  return self.run:forward(xs, state, mask)
end

function native.backward(self, dys, dstate_end)
  return self.run:backward(dys, dstate_end)
end

function native.stale(self)
  return self.run:stale()
end

-- --- cells of steps ---------------------------------------------------------------------

-- Views of row t of a (T,B,G*H) buffer: one a gate, and all.
local function gate_views(self, buffer, t)
  local row, H = buffer:select(1, t), self.cell.hidden
  local views = { all = row }
  for k, name in ipairs(self.cell.definition.gates) do
    views[name] = row:narrow(2, (k - 1) * H + 1, H)
  end
  return views
end

local function state_views(self, t)
  local views = {}
  for s, name in ipairs(self.cell.definition.states) do
    views[name] = self.rows[s]:select(1, t)
  end
  return views
end

local function saved_views(buffers, t)
  local views = {}
  for name, buffer in pairs(buffers) do views[name] = buffer:select(1, t) end
  return views
end

-- The tables that step and step_grad get for step t.
local function make_step(self, run, saved, t)
  local before = self.reverse and t + 1 or t
  local step = {
    pre = gate_views(self, run.gates_x or run.gates, t),
    state = state_views(self, before),
    next = state_views(self, self.reverse and t or t + 1),
    saved = saved_views(saved, t),
    dpre = run.dgates and gate_views(self, run.dgates_x or run.dgates, t),
  }
  if run.gates_x then step.pre.h = gate_views(self, run.gates, t) end
  if run.dgates_x then step.dpre.h = gate_views(self, run.dgates, t) end
  return step
end

local steps = {}

function steps.prepare(self)
  local cell, d = self.cell, self.cell.definition
  local description = describe_run(self)
  description.gate_count, description.state_count = d.gate_count, #d.states
  description.split = d.split
  if self.with_gradients then
    local width = d.gate_count * cell.hidden
    description.dgates = zeros(self, self.T, self.B, width)
    if d.split > 0 then description.dgates_x = zeros(self, self.T, self.B, width) end
  end
  if self.with_gradients then
    description.dnexts = {}
    self.grad = { next = {}, state = self.dstate, parameters = cell.slopes }
    for s, name in ipairs(d.states) do
      description.dnexts[s] = zeros(self, self.B, cell.hidden)
      self.grad.next[name] = description.dnexts[s]
    end
  end
  local saved = {}
  for _, name in ipairs(d.saved_names) do saved[name] = zeros(self, self.T, self.B, cell.hidden) end
  self.steps = {}
  for t = 1, self.T do self.steps[t] = make_step(self, description, saved, t) end
  self.run = core.cell.run(description)
  self.pre, self.pre_x = description.gates, description.gates_x
end

steps.stale = native.stale

-- First step, last step and direction in time.
local function order(self)
  if self.reverse then return self.T, 1, -1 end
  return 1, self.T, 1
end

function steps.forward(self, xs, state, mask)
  local run, step, parameters = self.run, self.cell.definition.step, self.cell.values
  local values = self.cell.options
  local message = run:begin(xs, state, mask)
  if message then return message end
  local first, last, direction = order(self)
  for t = first, last, direction do
    local s = self.steps[t]
    run:multiply(t)
    step(s.pre, s.state, s.next, s.saved, parameters, values)
    run:settle(t)
  end
end

function steps.backward(self, dys, dstate_end)
  local run, step_grad, parameters = self.run, self.cell.definition.step_grad, self.cell.values
  local values = self.cell.options
  local message = run:turn(dys, dstate_end)
  if message then return message end
  local grad, first, last, direction = self.grad, order(self)
  for t = last, first, -direction do
    local s = self.steps[t]
    run:arrive(t)
    grad.pre = s.dpre
    step_grad(grad, s.pre, s.state, s.next, s.saved, parameters, values)
    run:leave(t)
  end
  run:finish()
end

-- --- whole cells ------------------------------------------------------------------------

local whole = {}

-- The pass is what the cell's forward and backward get; see cell.lua.
function whole.prepare(self)
  local cell = self.cell
  local pass = {
    T = self.T, B = self.B, input = cell.input, hidden = cell.hidden, dtype = cell.dtype,
    parameters = cell.values, gradients = cell.slopes, saved = {}, reverse = self.reverse,
    state = {}, next = self.state, ys = self.ys, dxs = self.dxs, dstate = self.dstate,
    norms = self.norms, with_gradients = self.with_gradients, options = cell.options,
  }
  local first = self.reverse and self.T + 1 or 1
  for s, name in ipairs(cell.definition.states) do
    pass.state[name] = self.rows[s]:select(1, first)
    -- other states than h are not kept for every step: the cell does that if it must
  end
  if self.with_gradients then
    pass.dys, pass.dnext = zeros(self, self.T, self.B, cell.hidden), {}
    for _, name in ipairs(cell.definition.states) do
      pass.dnext[name] = zeros(self, self.B, cell.hidden)
    end
  end
  self.pass, self.stage = pass, "new"
end

-- What is wrong with a table of (B,H) tensors for a whole cell, or nil; copies it.
local function copy_named(self, given, into, what)
  for _, name in ipairs(self.cell.definition.states) do
    local t = given and given[name]
    if t then
      if not tensor.is_tensor(t) or t:dtype() ~= self.cell.dtype or t:dim() ~= 2
        or t:size(1) ~= self.B or t:size(2) ~= self.cell.hidden then
        return ("%s.%s must be %s (%d,%d)"):format(what, name, self.cell.dtype, self.B,
          self.cell.hidden)
      end
      into[name]:copy_(t)
    else
      into[name]:zero_()
    end
  end
end

function whole.forward(self, xs, state, mask)
  local pass = self.pass
  if self.is_tokens and (xs:min() < 1 or xs:max() > self.cell.input) then
    return ("tokens must be in 1..%d, they range from %d to %d"):format(self.cell.input,
      xs:min(), xs:max())
  end
  self.stage = "new"
  local message = copy_named(self, state, pass.state, "state")
  if message then return message end
  pass.xs, pass.mask = xs, mask
  self.cell.definition.forward(pass)
  self.stage = "ran"
  self.seen_parameters = tensor.version(self.cell.values.flat)
  self.seen_inputs = tensor.version(xs)
  self.seen_outputs = tensor.version(self.ys)
end

local wrong_stage = {
  new = "there was no forward pass on this trace",
  swept = "it was called on this trace already; run forward again first",
}

function whole.stale(self)
  if wrong_stage[self.stage] then return wrong_stage[self.stage] end
  if self.seen_parameters ~= tensor.version(self.cell.values.flat) then
    return "the parameters have changed since the forward pass"
  elseif self.seen_inputs ~= tensor.version(self.pass.xs) then
    return "the inputs have changed since the forward pass"
  elseif self.seen_outputs ~= tensor.version(self.ys) then
    return "the outputs that forward returned have been written to since"
  end
end

function whole.backward(self, dys, dstate_end)
  local pass = self.pass
  local message = whole.stale(self) or copy_named(self, dstate_end, pass.dnext, "dstate_end")
  if message then return message end
  if dys then pass.dys:copy_(dys) else pass.dys:zero_() end
  if pass.dxs then pass.dxs:zero_() end
  for _, t in pairs(pass.dstate) do t:zero_() end
  self.norms:fill_(0 / 0)
  self.cell.definition.backward(pass)
  self.stage = "swept"
end

-- --- all forms --------------------------------------------------------------------------

local forms = { native = native, steps = steps, whole = whole }

--- A trace without buffers yet.
---@param cell table
---@param with_gradients boolean
function trace.new(cell, with_gradients)
  return setmetatable({ cell = cell, with_gradients = with_gradients, generation = 0,
    form = forms[cell.definition.form] }, Trace)
end

--- Makes the buffers unless they are right already. Forward does this.
---@param T integer steps
---@param B integer batch
---@param is_tokens boolean
---@param reverse boolean
function Trace:prepare(T, B, is_tokens, reverse)
  if self.is_prepared and self.T == T and self.B == B and self.is_tokens == is_tokens
    and self.reverse == reverse then
    return
  end
  self.is_prepared, self.is_complete, self.pre = false, false, nil -- Ctrl-C may come in between
  self.T, self.B, self.is_tokens, self.reverse = T, B, is_tokens, reverse
  self.dxs, self.copies, self.has_norms = nil, {}, false
  make_states(self)
  if self.with_gradients then make_gradients(self) end
  self.form.prepare(self)
  self.is_prepared = true
end

--- The tensor itself when it is contiguous and of the dtype (nil: whatever it has), else a
--- copy in a buffer of the trace.
---@param name string of the buffer
---@param t unroll.Tensor
---@param dtype? string
---@return unroll.Tensor
function Trace:contiguous(name, t, dtype)
  local found, is_contiguous = inspect(t)
  if is_contiguous and (found == dtype or not dtype) then return t end
  local copy = self.copies[name]
  if not copy then
    copy = tensor.zeros(t:size(), { dtype = dtype or found })
    self.copies[name] = copy
  end
  return copy:copy_(t)
end

--- Runs the cell forward; `Cell:forward` does, after it has checked the shapes.
---@param xs unroll.Tensor
---@param state? table<string, unroll.Tensor>
---@param mask? unroll.Tensor
---@return string? message what is wrong with tokens or states
function Trace:forward(xs, state, mask)
  local was_complete = self.is_complete
  self.generation, self.is_complete = self.generation + 1, false
  local message = self.form.forward(self, xs, state, mask)
  self.is_complete = not message or was_complete -- with a message nothing was run
  return message
end

--- Why a backward pass for the forward pass `generation` of a trace is impossible, or nil.
---@param t table a trace of a cell or of a model
---@param generation? integer nil: whatever it holds
---@return string? message
function trace.overwritten(t, generation)
  if generation ~= nil and generation ~= t.generation then
    return ("the trace holds forward pass %d, pass %s was overwritten"):format(t.generation,
      tostring(generation))
  end
end

--- Why a backward pass is impossible now, or nil.
---@return string? message
--- > cell = rnn.cell("tanh", {input = 3, hidden = 4})
--- > ys, state, trace = cell:forward(tensor.ones(5, 2, 3))
--- > trace:stale()   --> nil
function Trace:stale()
  local message = self.form.stale(self)
  if message or self.is_complete then return message end
  return "there was no complete forward pass on this trace"
end

--- Runs it back; `Cell:backward` does.
---@param dys? unroll.Tensor
---@param dstate_end? table<string, unroll.Tensor>
---@return string? message why that cannot be done
function Trace:backward(dys, dstate_end)
  local message = self:stale()
  if message then return message end
  self.is_complete = false -- an interrupted pass cannot be had again
  message = self.form.backward(self, dys, dstate_end)
  self.is_complete = true
  self.has_norms = self.has_norms or not message
  return message
end

--- The norm of dL/dh_t for t = 1..T (over the batch too), of the last backward pass: the
--- gradient that arrives at h_t from its own output and from all later steps.
---@return unroll.Tensor norms (T) float64, a copy
--- Errors: no backward pass yet.
--- > cell = rnn.cell("tanh", {input = 3, hidden = 4, seed = 1})
--- > ys, state, trace = cell:forward(tensor.ones(5, 2, 3))
--- > cell:backward(trace, tensor.ones(5, 2, 4));
--- > trace:state_gradient_norms():size()   --> (5)
---@see diagnostics.state_gradients
function Trace:state_gradient_norms()
  if not self.has_norms then
    error("state_gradient_norms: there was no backward pass on this trace", 2)
  end
  return self.norms:clone()
end

-- The trace of a forward pass, or an error.
local function check_run(self, who)
  if not self.is_prepared then error(who .. ": there was no forward pass on this trace", 3) end
end

--- The states after every step of the last forward pass, by name: "lstm" has h and c.
---@return table<string, unroll.Tensor> states (T,B,H) each, copies
--- Errors: no forward pass yet; a cell in Lua with a forward of its own that has more states
--- than h, which keeps them itself.
--- > cell = rnn.cell("lstm", {input = 3, hidden = 4, seed = 1})
--- > ys, state, trace = cell:forward(tensor.ones(5, 2, 3))
--- > trace:states().c:size()                        --> (5, 2, 4)
--- > tensor.equal(trace:states().c[5], state.c)     --> true
---@see Trace:gates
function Trace:states()
  check_run(self, "trace:states")
  local d, found = self.cell.definition, {}
  if d.form == "whole" and #d.states > 1 then
    error(("trace:states: cell %s runs all steps itself and keeps its states"):format(d.name), 2)
  end
  for s, name in ipairs(d.states) do
    found[name] = self.rows[s]:narrow(1, self.reverse and 1 or 2, self.T):clone()
  end
  return found
end

--- The activations of the gates at every step of the last forward pass, by name: for "lstm" i,
--- f, o = sigmoid(...) and g = tanh(...), for "gru" r, z = sigmoid(...) and n = tanh(...). Where
--- a mask is 0 they were computed and had no effect.
---@return table<string, unroll.Tensor> gates (T,B,H) each, copies
--- Errors: no forward pass yet; a cell without gates, as "tanh": its only value is h.
--- > cell = rnn.cell("lstm", {input = 3, hidden = 4, init = 0})
--- > ys, state, trace = cell:forward(tensor.ones(5, 2, 3))
--- > trace:gates().f[{1, 1, 1}]   --> 0.731059
--- > trace:gates().i:size()       --> (5, 2, 4)
---@see Trace:states Cell:gate diagnostics.saturation
function Trace:gates()
  check_run(self, "trace:gates")
  local cell, found = self.cell, {}
  if not (cell.gates[1] and self.pre) then
    error(("trace:gates: cell %s has no gates"):format(cell.name), 2)
  end
  local H, apart = cell.hidden, #cell.gates - cell.definition.split -- the others are in pre_x
  for k, name in ipairs(cell.gates) do
    local buffer, at = self.pre, k - 1
    if at >= apart then buffer, at = self.pre_x, at - apart end
    found[name] = buffer:narrow(3, at * H + 1, H):clone()
  end
  return found
end

function Trace:__tostring()
  return ("trace   %s, T = %s, B = %s"):format(self.cell.name, self.T, self.B)
end

Trace.__display = display.trace

return trace
