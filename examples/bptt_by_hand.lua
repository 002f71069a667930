-- Backpropagation through time by hand, with tensor operations, checked against the primitive.
--   unroll examples/bptt_by_hand.lua
--
--   forward   h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h)          t = 1..T
--   loss      L = sum over t of <c_t, h_t>, so that dL/dh_t from outside is c_t
--   backward  da_t = (c_t + W_hh' da_{t+1}) * (1 - h_t^2)
--             dW_xh = sum da_t x_t'   dW_hh = sum da_t h_{t-1}'   db_h = sum da_t
local unroll = require "unroll"
local tensor, rnn = unroll.tensor, unroll.rnn

local T, B, I, H = 6, 2, 3, 4
local float64 = { dtype = "float64", generator = tensor.generator(7) }
local cell = rnn.cell("tanh", { input = I, hidden = H, dtype = "float64", seed = 7 })
local W_xh, W_hh, b_h = cell.W_xh, cell.W_hh, cell.b_h
local xs = tensor.randn(T, B, I, float64)
local c = tensor.randn(T, B, H, float64)

-- Forward, one step after the other. Rows are the batch, so products are with W transposed.
local h = { [0] = tensor.zeros(B, H, { dtype = "float64" }) }
for t = 1, T do
  h[t] = (tensor.matmul(xs[t], W_xh:t()) + tensor.matmul(h[t - 1], W_hh:t()) + b_h):tanh()
end

-- Backward: what reaches h_t is its own share of the loss and what step t+1 sends back.
local dW_xh = tensor.zeros(H, I, { dtype = "float64" })
local dW_hh = tensor.zeros(H, H, { dtype = "float64" })
local db_h = tensor.zeros(H, { dtype = "float64" })
local from_later = tensor.zeros(B, H, { dtype = "float64" })
local norms = {}
for t = T, 1, -1 do
  local dh = c[t] + from_later
  norms[t] = dh:norm()
  local da = tensor.vjp.tanh(dh, nil, h[t])
  dW_xh:add_(tensor.matmul(da:t(), xs[t]))
  dW_hh:add_(tensor.matmul(da:t(), h[t - 1]))
  db_h:add_(da:sum(1))
  from_later = tensor.matmul(da, W_hh)
end

-- The primitive does the same in C.
local ys, _, trace = cell:forward(xs)
cell:zero_gradients()
cell:backward(trace, c)
local gradients = cell:gradients()

local function compare(name, mine, theirs)
  local difference = (mine - theirs):abs():max() / theirs:abs():max()
  print(("%-6s largest relative difference %.1e"):format(name, difference))
  assert(difference < 1e-12, name .. " differs")
end
compare("h_T", h[T], ys[T])
compare("W_xh", dW_xh, gradients.W_xh)
compare("W_hh", dW_hh, gradients.W_hh)
compare("b_h", db_h, gradients.b_h)

local theirs = trace:state_gradient_norms()
for t = 1, T do
  print(("|dL/dh_%d| = %.4f"):format(t, norms[t]))
  assert(math.abs(norms[t] - theirs[t]) < 1e-12 * norms[t])
end
