--- The numbers that describe a list of numbers.
local summary = require "unroll.experiment.summary"

local statistics = {}

--- The middle of the sorted values; between the two middle ones when their count is even.
---@param values number[] at least one
---@return number
function statistics.median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2
end

--- Mean, standard deviation (n - 1 below; 0 for one value), median, extremes and count.
---@param values number[] at least one
---@return table { mean, deviation, median, low, high, count }
function statistics.describe(values)
  local mean, deviation = summary.mean_sd(values)
  local low, high = math.huge, -math.huge
  for _, v in ipairs(values) do low, high = math.min(low, v), math.max(high, v) end
  return { mean = mean, deviation = deviation, median = statistics.median(values),
           low = low, high = high, count = #values }
end

--- Slope and intercept of the line with the least squared error.
---@param x number[] at least two different values
---@param y number[]
---@return number slope
---@return number intercept
function statistics.line(x, y)
  local mx, my = summary.mean_sd(x), summary.mean_sd(y)
  local xy, xx = 0, 0
  for i = 1, #x do
    xy, xx = xy + (x[i] - mx) * (y[i] - my), xx + (x[i] - mx) ^ 2
  end
  local slope = xy / xx
  return slope, my - slope * mx
end

return statistics
