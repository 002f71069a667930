--- graded: singular values of diag(e^d) M, whose rows differ by many orders of magnitude.
--
-- One-sided Jacobi: pairs of rows are rotated until all are orthogonal; their lengths are
-- then the singular values. Every length is accurate relative to itself, not to the largest.

local graded = {}

local small_angle = 1e-15
local most_sweeps = 30

local function products(a, b)
  local aa, bb, ab = 0.0, 0.0, 0.0
  for j = 1, #a do
    local x, y = a[j], b[j]
    aa, bb, ab = aa + x * x, bb + y * y, ab + x * y
  end
  return aa, bb, ab
end

-- Rotates a and r b, 0 <= r <= 1, to be orthogonal; false when they are already. The angle has
-- the tangent r t: written so, an r that underflows only takes b's part along a from b.
local function rotate(a, b, r)
  local aa, bb, ab = products(a, b)
  if math.abs(ab) <= small_angle * math.sqrt(aa) * math.sqrt(bb) then return false end
  local w = (r * r * bb - aa) / (2 * ab)
  local t = (w >= 0 and 1 or -1) / (math.abs(w) + math.sqrt(r * r + w * w))
  local c = 1 / math.sqrt(1 + r * r * t * t)
  local from_a, from_b = c * t, c * t * r * r
  for j = 1, #a do
    local x, y = a[j], b[j]
    a[j], b[j] = c * x - from_b * y, from_a * x + c * y
  end
  return true
end

local function sweep(rows, logs)
  local turned = false
  for i = 1, #rows - 1 do
    for k = i + 1, #rows do
      local a, b = i, k
      if logs[k] > logs[i] then a, b = k, i end
      turned = rotate(rows[a], rows[b], math.exp(logs[b] - logs[a])) or turned
    end
  end
  return turned
end

--- The natural logarithms of the singular values of diag(e^logs) M, falling.
---@param M unroll.Tensor (r,n) float64, r <= n, of moderate size
---@param logs number[] r
---@return number[] values r
function graded.log_singular_values(M, logs)
  local rows = M:totable()
  for _ = 1, most_sweeps do
    if not sweep(rows, logs) then break end
  end
  local values = {}
  for i, row in ipairs(rows) do values[i] = 0.5 * math.log((products(row, row))) + logs[i] end
  table.sort(values, function(a, b) return a > b end)
  return values
end

return graded
