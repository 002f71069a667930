--- jacobian: the Jacobians ds_t/ds_{t-1} of a cell's states along a trajectory.
--
-- s is all states of the cell one after the other: h for a simple cell, then (h, c) for one
-- with a memory. For h_t = f(W_xh x_t + W_hh h_{t-1} + b) the Jacobian is diag(f'_t) W_hh; for
-- every other cell each row is a backward pass over one step with a unit vector.

local core = require "unroll.core"

local tensor = core.tensor

local jacobian = {}

-- f' of the cells with a known form, from the output h.
local slopes = {
  tanh = function(h) return 1 - h * h end,
  relu = function(h) return h:gt(0):to "float64" end,
}

local function double(t) return t:to "float64" end

-- The states (1,H) before step 1, in float64.
local function first_state(cell, state)
  if not state then return cell:zero_state(1) end
  local out = {}
  for name, t in pairs(state) do out[name] = double(t) end
  return out
end

local function analytic(cell, xs, state, out)
  local T = xs:size(1)
  local slope = slopes[cell.name](cell:forward(xs, state):reshape(T, cell.hidden, 1))
  tensor.mul(slope, cell.W_hh:unsqueeze(1), out)
end

-- A state (1,H) of each name as N equal rows.
local function repeated(state, N)
  local rows = {}
  for name, t in pairs(state) do rows[name] = t:expand(N, t:size(2)):contiguous() end
  return rows
end

-- Row k of the result is the gradient of number k of all states after the step.
local function unit_vectors(names, H)
  local units = {}
  for s, name in ipairs(names) do
    units[name] = tensor.zeros(#names * H, H, { dtype = "float64" })
    units[name]:narrow(1, (s - 1) * H + 1, H):copy_(tensor.eye(H, { dtype = "float64" }))
  end
  return units
end

local function expanded_input(xs, t, N)
  local row = xs:narrow(1, t, 1)
  if row:dim() == 2 then return row:expand(1, N):contiguous() end
  return row:expand(1, N, row:size(3)):contiguous()
end

local function one_row(state)
  local row = {}
  for name, t in pairs(state) do row[name] = t:narrow(1, 1, 1):clone() end
  return row
end

-- Every gradient of the parameters that this adds goes into the copy of the cell.
local function by_backward(cell, xs, state, out)
  local names, H, N = cell.definition.states, cell.hidden, out:size(2)
  local units, trace = unit_vectors(names, H), nil
  for t = 1, xs:size(1) do
    local _, after, used = cell:forward(expanded_input(xs, t, N), repeated(state, N),
      { trace = trace })
    trace = used
    local _, dstate = cell:backward(trace, nil, units)
    for s, name in ipairs(names) do
      out:select(1, t):narrow(2, (s - 1) * H + 1, H):copy_(dstate[name])
    end
    state = one_row(after)
  end
end

--- The Jacobians of a cell along the trajectory that some inputs lead it.
---@param cell unroll.Cell a cell, or a layer of a model; in any dtype
---@param xs unroll.Tensor (T,1) int32 tokens, or (T,1,input) numbers
---@param state? table<string, unroll.Tensor> (1,H) each, before step 1; nil: zeros
---@return unroll.Tensor J (T,N,N) float64: J[t] = ds_t/ds_{t-1}, N = H times the number of
--- states (in the order of cell.definition.states)
--- Errors: a batch other than 1.
--- Source: Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, 2013.
--- > cell = rnn.cell("tanh", { input = 2, hidden = 3, seed = 1 })
--- > diagnostics.jacobians(cell, tensor.zeros(4, 1, 2)):size()   --> (4, 3, 3)
---@see diagnostics.product_singular_values diagnostics.lyapunov
function jacobian.jacobians(cell, xs, state)
  if not tensor.is_tensor(xs) or xs:dim() < 2 or xs:size(2) ~= 1 then
    error("jacobians: inputs must be (T,1) tokens or (T,1,input) numbers: one sequence", 2)
  end
  local copy = cell:to "float64"
  if xs:dim() == 3 then xs = double(xs) end
  local N = copy.hidden * #copy.definition.states
  local out = tensor.zeros(xs:size(1), N, N, { dtype = "float64" })
  local fill = slopes[copy.name] and analytic or by_backward
  fill(copy, xs, first_state(copy, state), out)
  return out
end

return jacobian
