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

--- The value that a share of the sorted values lies below; between two of them linearly, as
--- NumPy has it.
---@param values number[] at least one
---@param share number 0 (the lowest) to 1 (the highest)
---@return number
--- > experiment.statistics.quantile({ 1, 2, 3, 4, 5 }, 0.25)   --> 2.0
function statistics.quantile(values, share)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local place = 1 + (#sorted - 1) * share
  local below = math.floor(place)
  local above = math.min(below + 1, #sorted)
  return sorted[below] + (place - below) * (sorted[above] - sorted[below])
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

--- Pearson's correlation; 0 when one of the lists does not vary.
---@param x number[]
---@param y number[]
---@return number between -1 and 1
function statistics.correlation(x, y)
  local mx, my = summary.mean_sd(x), summary.mean_sd(y)
  local xy, xx, yy = 0, 0, 0
  for i = 1, #x do
    local dx, dy = x[i] - mx, y[i] - my
    xy, xx, yy = xy + dx * dy, xx + dx * dx, yy + dy * dy
  end
  return xx > 0 and yy > 0 and xy / math.sqrt(xx * yy) or 0
end

--- The rank of each value, 1 for the smallest; equal values share the mean of their ranks.
---@param values number[]
---@return number[]
function statistics.ranks(values)
  local order, ranks = {}, {}
  for i = 1, #values do order[i] = i end
  table.sort(order, function(a, b)
    return values[a] < values[b] or (values[a] == values[b] and a < b)
  end)
  local first = 1
  while first <= #order do
    local last = first
    while last < #order and values[order[last + 1]] == values[order[first]] do last = last + 1 end
    for i = first, last do ranks[order[i]] = (first + last) / 2 end
    first = last + 1
  end
  return ranks
end

return statistics
