--- Summaries over seeds: means, deviations, and curves short enough to save and draw.
local summary = {}

--- Mean and standard deviation (n - 1 in the denominator; 0 for one value) of a list.
---@param values number[] at least one
---@return number mean
---@return number sd
function summary.mean_sd(values)
  local sum = 0
  for _, v in ipairs(values) do sum = sum + v end
  local mean, squares = sum / #values, 0
  for _, v in ipairs(values) do squares = squares + (v - mean) ^ 2 end
  return mean, #values > 1 and math.sqrt(squares / (#values - 1)) or 0
end

--- "0.0123 ± 0.0004": mean and deviation of a list, with `format` for both.
---@param values number[]
---@param format? string default "%.3f"
---@return string
function summary.spread(values, format)
  format = format or "%.3f"
  local mean, sd = summary.mean_sd(values)
  if #values == 1 then return format:format(mean) end
  return (format .. " ± " .. format):format(mean, sd)
end

--- A long series as at most `bins` points: the mean and the largest of each run of steps.
---@param series number[]
---@param bins integer
---@return table { step = last step of each bin, mean =, max = }
function summary.bins(series, bins)
  local width = math.max(1, math.ceil(#series / bins))
  local out = { step = {}, mean = {}, max = {} }
  for first = 1, #series, width do
    local last = math.min(first + width - 1, #series)
    local sum, largest = 0, -math.huge
    for i = first, last do
      sum, largest = sum + series[i], math.max(largest, series[i])
    end
    local n = #out.step + 1
    out.step[n], out.mean[n], out.max[n] = last, sum / (last - first + 1), largest
  end
  return out
end

--- Bias-corrected exponential moving average: m_t = sum of (1-a)^(t-i) x_i over its weights.
---@param series number[]
---@param alpha number weight of the newest value, 0 < alpha <= 1
---@return number[]
function summary.smooth(series, alpha)
  local out, sum, weights = {}, 0, 0
  for i, x in ipairs(series) do
    sum, weights = (1 - alpha) * sum + alpha * x, (1 - alpha) * weights + alpha
    out[i] = sum / weights
  end
  return out
end

--- Point by point over several series of one length: mean, lowest and highest.
---@param curves number[][]
---@return number[] mean
---@return number[] low
---@return number[] high
function summary.across(curves)
  local mean, low, high = {}, {}, {}
  for i = 1, #curves[1] do
    local column = {}
    for k, curve in ipairs(curves) do column[k] = curve[i] end
    mean[i] = summary.mean_sd(column)
    low[i], high[i] = math.min(table.unpack(column)), math.max(table.unpack(column))
  end
  return mean, low, high
end

return summary
