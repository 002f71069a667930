--- cell: a recurrent cell with its parameters: one layer.
--
-- What a whole cell (definition.lua) gets as `pass`: T, B, input, hidden, dtype, reverse,
-- mask ((T,B) or nil); parameters and gradients by name; xs; state.<name> (B,H), the
-- initial one; saved, a table of its own that stays from pass to pass. forward writes
-- ys (T,B,H) and next.<name> (next.h is the last row of ys). backward reads dys and
-- dnext.<name>, writes dxs (nil for tokens; zero on entry) and dstate.<name> (zero on
-- entry), adds to the gradients, and may write norms (T), else they are NaN.

local core = require "unroll.core"
local check = require "unroll.rnn.check"
local definition = require "unroll.rnn.definition"
local display = require "unroll.rnn.display"
local init = require "unroll.rnn.init"
local options = require "unroll.options"
local parameters = require "unroll.rnn.parameters"
local trace = require "unroll.rnn.trace"
local unknown = require "unroll.unknown"

local tensor = core.tensor

--- A recurrent cell with its parameters: one layer. Its parameters are fields too: cell.W_hh.
---
--- W_xh (G H, I), W_hh (G H, H), b_h (G H), where G is the number of gates of the cell, stacked
--- as PyTorch does: 1 for "tanh" and "relu", 4 for "lstm" (i, f, g, o), 3 for "gru" (r, z, n).
--- The "gru" with reset = "after" has b_hn (H), too. Cell:gate gives one of the blocks.
---@class unroll.Cell
---@field name string
---@field options table<string, any> the cell's own: forget_bias of "lstm", reset of "gru"
---@field gates string[] their names in the order of the blocks; none for "tanh" and "relu"
---@field input integer I, numbers for each step, or the number of tokens
---@field hidden integer H, numbers of the state
---@field dtype string
---@see rnn.cell rnn.lm Cell:forward
local Cell = { __name = "unroll.Cell", __members = { "values" } } -- for completion

local cell = {}

local optional = {} -- fields that the library has found absent: asking is no mistake

-- cell.forget_bias is said to be cell.options.forget_bias.
local function option_place(self)
  return function(name)
    return self.options[name] ~= nil and ("It is an option: cell.options.%s."):format(name) or nil
  end
end

-- cell.W_hh: the parameters by name, beside the methods.
function Cell:__index(name)
  local method = Cell[name]
  if method ~= nil then return method end
  local value = rawget(self, "values")[name]
  if value == nil and not optional[name] then
    optional[name] = unknown.read("cell", name, 3, option_place(self), self, Cell,
      rawget(self, "values")) or nil
  end
  return value
end

Cell.__tostring, Cell.__display = display.cell_line, display.cell

--- A cell on parameters that exist already: a layer of a model.
---@param d table the definition
---@param values table from parameters.new or parameters.part
---@param slopes table their gradients
function cell.wrap(d, input, hidden, dtype, values, slopes)
  return setmetatable({ name = d.name, definition = d, options = d.values, gates = d.gates,
    input = input, hidden = hidden, dtype = dtype, values = values, slopes = slopes,
    step_traces = {} }, Cell)
end

local accepted = { input = options.required, hidden = options.required, dtype = "float32",
  "init", "seed" }

---@class unroll.CellOptions
---@field input integer I, numbers for each step, or the number of tokens
---@field hidden integer H, numbers of the state
---@field dtype? "float32"|"float64" default "float32"
---@field init? string|table|number how parameters start, see `rnn.lm`; default "glorot"
---@field seed? integer default: drawn from the default generator
---@field forget_bias? number "lstm": where the biases of the forget gate start; default 1
---@field reset? "after"|"before" "gru": the reset gate multiplies after or before the product
--- with W_hn; default "after"

--- A recurrent cell with new parameters. With a = W_xh x + W_hh h + b_h, in blocks of H, one a
--- gate:
---
---   "tanh", "relu"   h' = f(a)
---   "lstm"           i, f, o = sigmoid(a_i, a_f, a_o)   g = tanh(a_g)
---                    c' = f c + i g                     h' = o tanh(c')
---   "gru"            r, z = sigmoid(a_r, a_z)           h' = (1 - z) n + z h
---                    reset = "after":    n = tanh(W_xn x + b_n + r (W_hn h + b_hn))
---                    reset = "before":   n = tanh(W_xn x + b_n + W_hn (r h))
---
--- The state of "lstm" is {h =, c =}, that of the others {h =}, each (B,H). "after" is what
--- PyTorch and cuDNN compute, "before" is Cho et al.'s. A bias is the sum of PyTorch's two; b_hn
--- alone stands apart. Options of a cell can be written behind its name, where a cell is one
--- text: "lstm forget_bias=0".
---@param name "tanh"|"relu"|"lstm"|"gru"|string|table one of `rnn.cells`, or a definition
--- (`rnn.register`)
---@param opts unroll.CellOptions
---@return unroll.Cell
--- Errors: a name that is not known; unknown, missing or misshapen options; an option of another
--- cell.
--- Source: Elman, Finding structure in time, 1990; Hochreiter & Schmidhuber, Long short-term
--- memory, 1997; Gers, Schmidhuber & Cummins, Learning to forget, 2000; Cho et al., Learning phrase
--- representations using RNN encoder-decoder, 2014; Jozefowicz, Zaremba & Sutskever, An empirical
--- exploration of recurrent network architectures, 2015 (forget_bias).
--- Dtypes: float32, float64
--- > cell = rnn.cell("tanh", {input = 3, hidden = 4, seed = 1})
--- > cell.W_hh:size()   --> (4, 4)
--- > y, state = cell:step(tensor.zeros(2, 3))
--- > y:size()           --> (2, 4)
--- > lstm = rnn.cell("lstm", {input = 3, hidden = 4})
--- > lstm:gate("b_h", "f"):mean()   --> 1.0
--- > lstm:zero_state(2).c:size()    --> (2, 4)
--- > rnn.cell("lstm", {input = 3, hidden = 4, reset = "after"})   --> error: an option of gru
---@see Cell:forward Cell:gate rnn.lm rnn.cells
function cell.new(name, opts)
  local d, o = definition.choose(name, opts, accepted, "rnn.cell", 2)
  local input = check.size(o.input, "input", "rnn.cell", 2)
  local hidden = check.size(o.hidden, "hidden", "rnn.cell", 2)
  check.dtype(o.dtype, "rnn.cell", 2)
  local seed = o.seed and options.integer(o.seed, "seed", "rnn.cell", math.mininteger)
    or init.draw_seed()
  local specs = d:specs(input, hidden)
  local values = parameters.new(specs, o.dtype, "rnn.cell", 2)
  init.fill_all(values, specs, o.init, seed, "rnn.cell", 2)
  return cell.wrap(d, input, hidden, o.dtype, values,
    parameters.new(specs, o.dtype, "rnn.cell", 2))
end

--- The parameters.
---@return table list of { name =, tensor = }, also by name, and `.flat`, one tensor that all are
--- views into
--- > rnn.cell("tanh", {input = 3, hidden = 4}):parameters()[1].name   --> "W_xh"
---@see Cell:gradients
function Cell:parameters() return self.values end

-- Where the block of a gate begins in parameter t, for cell:gate.
local function first_row(self, t, parameter, gate)
  local gates = self.gates
  if not gates[1] then error(("cell:gate: cell %s has no gates"):format(self.name), 3) end
  options.choice(gate, gates, "gate", "cell:gate", 3)
  if t:size(1) ~= #gates * self.hidden then
    error(("cell:gate: %s is not stacked by gates"):format(parameter), 3)
  end
  for k, name in ipairs(gates) do
    if name == gate then return (k - 1) * self.hidden + 1 end
  end
end

--- The block of one gate in a parameter: W_xh (H,I), W_hh (H,H), b_h (H).
---@param parameter string its name
---@param gate string one of cell.gates
---@return unroll.Tensor block a view: what is written to it is written to the parameter
--- Errors: a cell without gates; no such gate or parameter; a parameter of one gate only.
--- > cell = rnn.cell("lstm", {input = 3, hidden = 4, seed = 1})
--- > cell:gate("W_hh", "f"):size()   --> (4, 4)
--- > cell:gate("b_h", "f"):fill_(2);
--- > cell.b_h:sum()                  --> 8.0
---@see rnn.cell Trace:gates diagnostics.spectrum
function Cell:gate(parameter, gate)
  local t = self.values[parameter]
  if parameter == "flat" or not tensor.is_tensor(t) then
    local names = {}
    for i, entry in ipairs(self.values) do names[i] = entry.name end
    error(("cell:gate: there is no parameter '%s'.%s"):format(tostring(parameter),
      options.suggestion(tostring(parameter), names)), 2)
  end
  return t:narrow(1, first_row(self, t, parameter, gate), self.hidden)
end

--- The gradients of the parameters. `Cell:backward` adds to them.
---@return table list as of `Cell:parameters`
--- > rnn.cell("tanh", {input = 3, hidden = 4}):gradients().W_hh:sum()   --> 0.0
---@see Cell:zero_gradients
function Cell:gradients() return self.slopes end

--- Sets all gradients to zero.
--- > cell = rnn.cell("tanh", {input = 3, hidden = 4})
--- > cell:gradients().b_h:fill_(1);
--- > cell:zero_gradients()
--- > cell:gradients().b_h:sum()   --> 0.0
function Cell:zero_gradients() self.slopes.flat:zero_() end

--- The same cell in another dtype: a copy, with gradients of zero.
---@param dtype "float32"|"float64"
---@return unroll.Cell
--- Errors: an unknown dtype.
--- > rnn.cell("tanh", {input = 3, hidden = 4}):to("float64").dtype   --> "float64"
function Cell:to(dtype)
  check.dtype(dtype, "cell:to", 2)
  local specs = self.definition:specs(self.input, self.hidden)
  local values = parameters.new(specs, dtype, "cell:to", 2)
  for i, entry in ipairs(self.values) do values[i].tensor:copy_(entry.tensor) end
  return cell.wrap(self.definition, self.input, self.hidden, dtype, values,
    parameters.new(specs, dtype, "cell:to", 2))
end

--- States of zeros.
---@param B integer the batch
---@return table<string, unroll.Tensor> state (B,H) by name
--- > rnn.cell("tanh", {input = 3, hidden = 4}):zero_state(2).h:size()   --> (2, 4)
function Cell:zero_state(B)
  options.integer(B, "the batch", "cell:zero_state")
  local state = {}
  for _, name in ipairs(self.definition.states) do
    state[name] = tensor.zeros({ B, self.hidden }, { dtype = self.dtype })
  end
  return state
end

-- --- one step ---------------------------------------------------------------------------

local function copy_of(state)
  local copy = {}
  for name, t in pairs(state) do copy[name] = t:clone() end
  return copy
end

local function step_trace(self, B, is_tokens)
  local key = is_tokens and -B or B
  local found = self.step_traces[key]
  if not found then
    found = trace.new(self, false)
    self.step_traces[key] = found
  end
  found:prepare(1, B, is_tokens, false)
  return found
end

--- One step, without gradients.
---@param x unroll.Tensor (B,I) numbers, or (B) int32 tokens 1..I
---@param state? table<string, unroll.Tensor> (B,H) each; nil: zeros
---@return unroll.Tensor y (B,H)
---@return table<string, unroll.Tensor> state after the step; y is its h
--- Errors: an x or a state of another shape or dtype; a token out of range.
--- > cell = rnn.cell("tanh", {input = 3, hidden = 4, seed = 1})
--- > y, state = cell:step(tensor.ones(2, 3))
--- > y, state = cell:step(tensor.ones(2, 3), state)
--- > tensor.equal(y, state.h)   --> true
---@see Cell:forward
function Cell:step(x, state)
  if not tensor.is_tensor(x) or x:dim() ~= (x:dtype() == "int32" and 1 or 2) then
    error(("cell:step: x must be %s (B,%d) or int32 tokens (B), got %s"):format(self.dtype,
      self.input, check.describe(x)), 2)
  end
  local xs = x:unsqueeze(1)
  local _, B, is_tokens = check.inputs(xs, self.input, self.dtype, "cell:step", 2)
  check.state(state, self.definition.states, "state", "cell:step", 2)
  local t = step_trace(self, B, is_tokens)
  local message = t:forward(t:contiguous("xs", xs), state)
  if message then error("cell:step: " .. message, 2) end
  local after = copy_of(t.state)
  return after.h, after
end

-- --- a window ---------------------------------------------------------------------------

local forward_options = { trace = true, mask = true, reverse = true }

-- The trace to use: the caller's, if it is one of this cell with gradients, or a new one.
local function trace_for(self, opts, level)
  local given = opts and opts.trace
  if given == nil then return trace.new(self, true) end
  if type(given) ~= "table" or given.cell ~= self or not given.with_gradients then
    error("cell:forward: trace must come from this cell's forward", level + 1)
  end
  return given
end

---@class unroll.CellForwardOptions
---@field trace? unroll.Trace one to use again: its buffers and what it returned are overwritten
---@field mask? unroll.Tensor (T,B); where it is 0 the states stay as they are
---@field reverse? boolean from the last step to the first; default false

--- Runs the cell over a window of T steps.
---@param xs unroll.Tensor (T,B,I) numbers, or (T,B) int32 tokens 1..I
---@param state? table<string, unroll.Tensor> (B,H) each, before the first step; nil: zeros
---@param opts? unroll.CellForwardOptions
---@return unroll.Tensor ys (T,B,H), of the trace
---@return table<string, unroll.Tensor> state after the last step, of the trace
---@return unroll.Trace trace for `Cell:backward`
--- Errors: inputs, states or a mask of another shape or dtype; a token out of range; a trace of
--- another cell.
--- > cell = rnn.cell("tanh", {input = 3, hidden = 4, seed = 1})
--- > ys, state, trace = cell:forward(tensor.ones(5, 2, 3))
--- > ys:size()   --> (5, 2, 4)
--- > cell:forward(tensor.ones(5, 2, 7))   --> error: cell:forward
---@see Cell:backward Cell:step unroll.Trace
function Cell:forward(xs, state, opts)
  check.options(opts, forward_options, "cell:forward", 2)
  local T, B, is_tokens = check.inputs(xs, self.input, self.dtype, "cell:forward", 2)
  check.state(state, self.definition.states, "state", "cell:forward", 2)
  local mask = opts and opts.mask
  check.numbers(mask, "mask", "cell:forward", 2, "real", T, B)
  local t = trace_for(self, opts, 2)
  t:prepare(T, B, is_tokens, opts ~= nil and opts.reverse == true)
  if mask then mask = t:contiguous("mask", mask, self.dtype) end
  local message = t:forward(t:contiguous("xs", xs), state, mask)
  if message then error("cell:forward: " .. message, 2) end
  return t.ys, t.state, t
end

--- Backpropagation through time. Adds to the gradients of the parameters.
---@param t unroll.Trace of the last forward pass
---@param dys? unroll.Tensor (T,B,H), dL/dys; nil: zeros
---@param dstate_end? table<string, unroll.Tensor> (B,H), dL/dstate after the last step
---@param generation? integer trace.generation as it was after the forward pass that is meant
---@return unroll.Tensor? dxs (T,B,I), of the trace; nil for tokens
---@return table<string, unroll.Tensor> dstate dL/d(initial state), of the trace
--- Errors: no forward pass before, twice, after a change of the parameters, the inputs or
--- what forward returned; another generation.
--- Source: Williams & Peng, An efficient gradient-based algorithm for on-line training of recurrent
--- network trajectories, 1990.
--- > cell = rnn.cell("tanh", {input = 3, hidden = 4, seed = 1})
--- > ys, state, trace = cell:forward(tensor.ones(5, 2, 3))
--- > dxs, dstate = cell:backward(trace, tensor.ones(5, 2, 4))
--- > dxs:size()   --> (5, 2, 3)
--- > cell:backward(trace, tensor.ones(5, 2, 4))   --> error: cell:backward
---@see Cell:forward Trace:state_gradient_norms gradcheck
function Cell:backward(t, dys, dstate_end, generation)
  if type(t) ~= "table" or t.cell ~= self or not t.with_gradients then
    error("cell:backward: the trace of this cell's forward expected, got " .. type(t), 2)
  end
  check.numbers(dys, "dys", "cell:backward", 2, self.dtype, t.T, t.B, self.hidden)
  check.state(dstate_end, self.definition.states, "dstate_end", "cell:backward", 2)
  if dys then dys = t:contiguous("dys", dys, self.dtype) end
  local message = trace.overwritten(t, generation) or t:backward(dys, dstate_end)
  if message then error("cell:backward: " .. message, 2) end
  return t.dxs, t.dstate
end

return cell
