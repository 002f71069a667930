--- spectrum: what a recurrent matrix alone says, and how far units are from linear.

local core = require "unroll.core"
local options = require "unroll.options"

local tensor = core.tensor

local spectrum = {}

local function check_square(W, who)
  if not tensor.is_tensor(W) or W:dim() ~= 2 or W:size(1) ~= W:size(2) then
    local is_stacked = tensor.is_tensor(W) and W:dim() == 2 and W:size(1) % W:size(2) == 0
    error(who .. ": a square matrix expected" .. (is_stacked
      and "; W_hh of a cell with gates is one for each: cell:gate(\"W_hh\", name)" or ""), 3)
  end
  return W:to("float64")
end

--- Eigenvalues and singular values of a square matrix, computed in float64.
---@param W unroll.Tensor (n,n)
---@return table { radius = largest |eigenvalue|, sigma_max =, sigma_min =, singular = list,
--- falling, moduli = |eigenvalues|, falling }
--- Errors: no square matrix; an element that is not finite.
--- > diagnostics.spectrum(tensor{{0, 2}, {0.5, 0}}).radius      --> 1.0
--- > diagnostics.spectrum(tensor{{0, 2}, {0.5, 0}}).sigma_max   --> 2.0
---@see diagnostics.bound
function spectrum.spectrum(W)
  W = check_square(W, "spectrum")
  local re, im = W:eigvals()
  local _, S = W:svd()
  local moduli = tensor.sqrt(re * re + im * im):totable()
  table.sort(moduli, function(a, b) return a > b end)
  local singular = S:totable()
  return { radius = moduli[1], sigma_max = singular[1], sigma_min = singular[#singular],
    singular = singular, moduli = moduli }
end

--- log10 of the bound (sigma_max(W_hh) max|f'|)^k on the factor by which k steps can
--- stretch a gradient of h_t = f(W_hh h_{t-1} + ...) (Pascanu et al. 2013). It is an upper bound:
--- nothing says that a gradient comes near it.
---@param W_hh unroll.Tensor (n,n)
---@param steps integer[] the numbers k
---@param slope? number max|f'|, default 1: that of tanh and relu; the largest on a trajectory
--- gives a bound that is tighter there
---@return number[] log10 of the bound, one for each k
--- Errors: no square matrix; an element that is not finite.
--- Source: Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, 2013.
--- > diagnostics.bound(tensor{{10, 0}, {0, 1}}, { 3 })[1]   --> 3.0
---@see diagnostics.spectrum diagnostics.product_singular_values
function spectrum.bound(W_hh, steps, slope)
  local _, S = check_square(W_hh, "bound"):svd()
  local log_base = math.log(S[1] * (slope or 1), 10)
  local out = {}
  for i, k in ipairs(steps) do out[i] = k * log_base end
  return out
end

local accepted = { cell = "tanh", threshold = 0.97 }

--- The share of outputs at which a cell, or a gate of one, hardly passes a gradient on.
---@param ys unroll.Tensor outputs of any shape
---@param opts? table cell = "tanh": counts |h| > threshold (0.97, where tanh' < 0.06);
--- "relu": counts zeros, where the slope is 0; "sigmoid", for gates (`Trace:gates`): counts values
--- above the threshold or below 1 - threshold (where sigmoid' < 0.03)
---@return number share 0..1
--- Errors: no tensor; another cell: h of "lstm" and "gru" says nothing of their slopes, their
--- gates do.
--- > unroll.diagnostics.saturation(tensor{0.1, -0.99})   --> 0.5
--- > unroll.diagnostics.saturation(tensor{0.01, 0.5, 0.6, 0.99}, {cell = "sigmoid"})   --> 0.5
function spectrum.saturation(ys, opts)
  local o = options.check(opts, accepted, "saturation")
  options.choice(o.cell, { "tanh", "relu", "sigmoid" }, "cell", "saturation")
  if not tensor.is_tensor(ys) then error("saturation: a tensor of outputs expected", 2) end
  if o.cell == "sigmoid" then ys = ys * 2 - 1 end -- the ends 0 and 1 are -1 and 1
  local limit = o.cell == "sigmoid" and 2 * o.threshold - 1 or o.threshold
  local hit = o.cell == "relu" and ys:le(0) or ys:abs():gt(limit)
  return hit:to("float64"):mean()
end

return spectrum
