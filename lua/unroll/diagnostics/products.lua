--- products: singular values and growth rates of long products of Jacobians.
--
-- A product of many Jacobians underflows, and long before that its small singular values
-- drown in the rounding of its largest. So it is kept as
--   P = Q diag(e^d) M     Q orthonormal columns, d a list of logarithms, M of moderate size
-- and each further factor is worked in by orthogonalising J Q again (Gram-Schmidt with
-- pivoting by the scaled columns) while the logarithms add up. In the end one-sided
-- Jacobi rotations turn diag(e^d) M into the singular values, each accurate to its own size
-- (Demmel and Veselic 1992). A direction that a factor wipes out leaves the product for good.

local core = require "unroll.core"
local graded = require "unroll.diagnostics.graded"
local options = require "unroll.options"

local tensor = core.tensor

local products = {}

local like = { dtype = "float64" }
local negligible = 1e-13 -- a column with less of its norm left depends on the others

-- --- one factor ---------------------------------------------------------------------------

local function norms_of(rows) return rows:norm(2, 2):totable() end

-- The row with the longest scaled rest; nil when all that is left is rounding.
local function choose(norms, first_norms, logs, used)
  local best, best_log
  for j, norm in ipairs(norms) do
    if not used[j] and norm > negligible * first_norms[j] then
      local size = math.log(norm) + logs[j]
      if not best or size > best_log then best, best_log = j, size end
    end
  end
  return best, best_log
end

-- A unit vector, orthogonal to the i-1 rows of Q that are there to the last bit or two.
local function direction(row, Q, i)
  local q = row:clone()
  if i > 1 then
    local before = Q:narrow(1, 1, i - 1)
    q:sub_(before:t():matmul(before:matmul(q)))
  end
  return q:div_(q:norm())
end

-- Row i of the factor that M is multiplied with: what each old column, scaled, has along the
-- new direction, in units of the new scale.
local function coefficients(shares, logs, used, new_log)
  local row = {}
  for j, share in ipairs(shares) do
    row[j] = used[j] and 0 or share * math.exp(logs[j] - new_log)
  end
  return row
end

-- rows (r,n): the columns of the product that is to be orthogonalised, column j to be
-- multiplied with e^logs[j]. Returns orthonormal rows Q, their logs, and the factor.
local function orthogonalise(rows, logs)
  local first_norms, used = norms_of(rows), {}
  local Q = tensor.zeros(rows:size(1), rows:size(2), like)
  local new_logs, factor, norms = {}, {}, first_norms
  while true do
    local i = #new_logs + 1
    local pivot, size = choose(norms, first_norms, logs, used)
    if not pivot then break end
    local q = direction(rows:select(1, pivot), Q, i)
    Q:select(1, i):copy_(q)
    local along = rows:matmul(q)
    factor[i] = coefficients(along:totable(), logs, used, size)
    new_logs[i], used[pivot] = size, true
    rows:sub_(tensor.outer(along, q))
    norms = norms_of(rows)
  end
  if #new_logs == 0 then return nil end
  return Q:narrow(1, 1, #new_logs), new_logs, tensor.tensor(factor, like)
end

-- --- products of all -------------------------------------------------------------------------

local function check_jacobians(J, who)
  local ok = tensor.is_tensor(J) and J:dtype() == "float64" and J:dim() == 3
    and J:size(2) == J:size(3)
  if not ok then error(who .. ": Jacobians must be a float64 tensor (T,N,N)", 3) end
  return J:size(1), J:size(2)
end

local function check_lags(lags, T)
  if type(lags) ~= "table" then
    error("product_singular_values: lags must be a list of integers", 3)
  end
  local wanted = {}
  for _, lag in ipairs(lags) do
    options.integer(lag, "a lag", "product_singular_values", 1, 3)
    if lag > T then
      error(("product_singular_values: lag %d is longer than the %d Jacobians"):format(lag, T), 3)
    end
    wanted[lag] = true
  end
  return wanted
end

-- Natural logarithms -> log10, filled up with -inf to N.
local function to_log10(logs, N)
  local out = {}
  for i = 1, N do out[i] = logs[i] and logs[i] / math.log(10) or -math.huge end
  return out
end

--- log10 of the singular values of products of the last Jacobians,
--- P_l = J[T] J[T-1] ... J[T-l+1] = ds_T/ds_{T-l}.
---@param J unroll.Tensor (T,N,N) float64 from diagnostics.jacobians
---@param lags integer[] the numbers l of factors, 1 to T
---@return table<integer, number[]> by_lag for each lag N values, falling; -inf where a
--- singular value is zero
--- Errors: another shape or dtype; a lag outside 1..T.
--- Source: Demmel and Veselic, Jacobi's method is more accurate than QR, 1992.
--- > J = tensor.eye(2, { dtype = "float64" }):mul(0.1):expand(200, 2, 2)
--- > diagnostics.product_singular_values(J, { 200 })[200][1]   --> -200.0
---@see diagnostics.jacobians diagnostics.bound
function products.product_singular_values(J, lags)
  local T, N = check_jacobians(J, "product_singular_values")
  local wanted, found = check_lags(lags, T), {}
  local Q, M = tensor.eye(N, like), tensor.eye(N, like)
  local logs = {}
  for i = 1, N do logs[i] = 0.0 end
  for lag = 1, T do
    if not next(wanted) then break end
    if Q then -- the transposed product grows on its left: rows of Q times J
      local factor
      Q, logs, factor = orthogonalise(Q:matmul(J:select(1, T - lag + 1)), logs)
      M = Q and factor:matmul(M)
    end
    if wanted[lag] then
      found[lag] = to_log10(Q and graded.log_singular_values(M, logs) or {}, N)
      wanted[lag] = nil
    end
  end
  return found
end

local accepted = { skip = 0 }

--- The Lyapunov exponents of a trajectory: the mean rates, per step, at which directions
--- grow (above 0) or shrink (below 0): lim 1/T log of the singular values of J[T] ... J[1], by QR
--- at every step (Benettin et al. 1980).
---@param J unroll.Tensor (T,N,N) float64 from diagnostics.jacobians
---@param opts? table skip = 0: first steps that only turn the directions, uncounted
---@return number[] exponents N, falling, in nats per step; -inf for directions that a step
--- wipes out
--- Errors: another shape or dtype; nothing left after the skipped steps.
--- Source: Benettin, Galgani, Giorgilli, Strelcyn, Lyapunov characteristic exponents for smooth
--- dynamical systems, 1980.
--- > J = tensor.eye(2, { dtype = "float64" }):mul(math.exp(-1)):expand(9, 2, 2)
--- > diagnostics.lyapunov(J)[1]   --> -1.0
---@see diagnostics.jacobians
function products.lyapunov(J, opts)
  local T, N = check_jacobians(J, "lyapunov")
  local o = options.check(opts, accepted, "lyapunov")
  options.integer(o.skip, "skip", "lyapunov", 0)
  if o.skip >= T then error(("lyapunov: skip is %d of %d steps"):format(o.skip, T), 2) end
  local Q, sums = tensor.eye(N, like), {}
  for i = 1, N do sums[i] = 0.0 end
  for t = 1, T do
    local R
    Q, R = J:select(1, t):matmul(Q):qr()
    for i = 1, t > o.skip and N or 0 do sums[i] = sums[i] + math.log(math.abs(R[{ i, i }])) end
  end
  for i = 1, N do sums[i] = sums[i] / (T - o.skip) end
  table.sort(sums, function(a, b) return a > b end)
  return sums
end

return products
