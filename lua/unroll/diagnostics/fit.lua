--- fit: straight lines and power laws by least squares.

local fit = {}

local function check(x, y, who)
  if type(x) ~= "table" or type(y) ~= "table" or #x ~= #y or #x < 2 then
    error(("%s: two lists of one length, at least 2, expected"):format(who), 3)
  end
end

local function mean(values)
  local sum = 0
  for _, v in ipairs(values) do sum = sum + v end
  return sum / #values
end

local function line(x, y)
  local mx, my, xx, xy, yy = mean(x), mean(y), 0, 0, 0
  for i = 1, #x do
    local dx, dy = x[i] - mx, y[i] - my
    xx, xy, yy = xx + dx * dx, xy + dx * dy, yy + dy * dy
  end
  local slope = xy / xx
  local r2 = yy > 0 and xy * xy / (xx * yy) or 1
  return slope, my - slope * mx, r2
end

--- The line y = slope x + intercept with the least squares.
---@param x number[]
---@param y number[] of the same length, at least 2
---@return number slope
---@return number intercept
---@return number r2 the share of the variance of y that the line explains
--- > unroll.diagnostics.fit_line({1, 2, 3}, {3, 5, 7})   --> 2.0, 1.0, 1.0
function fit.line(x, y)
  check(x, y, "fit_line")
  return line(x, y)
end

local function logs(values, name)
  local out = {}
  for i, v in ipairs(values) do
    if v <= 0 or v ~= v then
      error(("fit_power: %s[%d] is %s, must be above 0"):format(name, i, tostring(v)), 3)
    end
    out[i] = math.log(v)
  end
  return out
end

--- The power law y = factor x^exponent: a line through the logarithms.
---@param x number[] above 0
---@param y number[] above 0, of the same length, at least 2
---@return number exponent
---@return number factor
---@return number r2 of the line through the logarithms
--- > unroll.diagnostics.fit_power({1, 2, 4}, {3, 6, 12})   --> 1.0, 3.0, 1.0
function fit.power(x, y)
  check(x, y, "fit_power")
  local exponent, log_factor, r2 = line(logs(x, "x"), logs(y, "y"))
  return exponent, math.exp(log_factor), r2
end

return fit
