--- A model that is small enough to check by hand: the next symbol given the one before.
--
-- logits = W[x]; the only parameter is W (V,V). Its "carried state" counts the windows
-- since the last reset, so that tests see what is carried. `poison` makes a step go bad.

local tensor = require "unroll.tensor"

local Bigram = {}
Bigram.__index = Bigram

local bigram = {}

function bigram.new(V)
  local self = setmetatable({ V = V, W = tensor.zeros(V, V, { dtype = "float64" }),
    dW = tensor.zeros(V, V, { dtype = "float64" }), seen = {} }, Bigram)
  self.parameter_list = { { name = "W", tensor = self.W }, flat = self.W:view(V * V) }
  self.gradient_list = { { name = "W", tensor = self.dW }, flat = self.dW:view(V * V) }
  return self
end

function Bigram:parameters() return self.parameter_list end
function Bigram:gradients() return self.gradient_list end
function Bigram:zero_gradients() self.dW:fill_(0) end

-- Softmax of row i of W.
local function probabilities(self, i)
  local p, sum = {}, 0
  for k = 1, self.V do
    p[k] = math.exp(self.W[{ i, k }])
    sum = sum + p[k]
  end
  for k = 1, self.V do p[k] = p[k] / sum end
  return p
end

local function carry(state, B)
  local count = state and state[1].h[{ 1, 1 }] or 0
  return { { h = tensor.full({ B, 1 }, count + 1) } }
end

function Bigram:forward(x, y, state, opts)
  opts = opts or {}
  if self.poison == "loss" then return 0 / 0, state, {} end
  local rows, sum, total = { counts = {} }, 0, 0
  local xs, ys = x:totable(), y:totable()
  local ws = opts.weight and opts.weight:totable()
  for t = 1, #xs do
    for b = 1, #xs[t] do
      local weight, i, j = ws and ws[t][b] or 1, xs[t][b], ys[t][b]
      rows[i] = rows[i] or { weight = 0, p = probabilities(self, i), targets = {} }
      rows[i].weight = rows[i].weight + weight
      rows[i].targets[j] = (rows[i].targets[j] or 0) + weight
      sum, total = sum - weight * math.log(rows[i].p[j]), total + weight
    end
  end
  state = carry(state, x:size(2))
  if opts.train ~= false then self.seen[#self.seen + 1] = state[1].h[{ 1, 1 }] end
  rows.scale = opts.reduction == "sum" and 1 or 1 / total
  return sum * rows.scale, state, rows
end

function Bigram:backward(trace)
  for i = 1, self.V do
    local row = trace[i]
    for k = 1, row and self.V or 0 do
      local g = row.weight * row.p[k] - (row.targets[k] or 0)
      self.dW[{ i, k }] = self.dW[{ i, k }] + g * trace.scale
    end
  end
  if self.poison == "gradient" then self.dW[{ 1, 1 }] = 1 / 0 end
end

return bigram
