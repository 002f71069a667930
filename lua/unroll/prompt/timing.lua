--- timing: how long code takes, for %time and %timeit.

local core = require "unroll.core"

local timing = {}

local enough, rounds, most_rounds_seconds = 0.05, 20, 3.0

local units = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "µs" }, { 1e-9, "ns" } }

--- A time with three digits: 412 µs, 1.80 s.
---@param seconds number
---@return string
function timing.text(seconds)
  for i, unit in ipairs(units) do
    if seconds >= unit[1] * 0.9995 or i == #units then
      local value = seconds / unit[1]
      local format = value < 9.995 and "%.2f %s" or value < 99.95 and "%.1f %s" or "%.0f %s"
      return format:format(value, unit[2])
    end
  end
end

local function time_of(f, count)
  local start = core.sys.clock()
  for _ = 1, count do f() end
  return core.sys.clock() - start
end

-- How many calls take long enough to be measured: 1, 2, 5, 10, 20, ...
local function calls_for(f)
  local count = 1
  while true do
    for _, step in ipairs { 1, 2, 5 } do
      local seconds = time_of(f, count * step)
      if seconds >= enough then return count * step, seconds end
    end
    count = count * 10
  end
end

--- Measures a function: up to 20 rounds, each of as many calls as take 50 ms.
---@param f function
---@return table { median, min: seconds of one call; rounds, calls }
function timing.measure(f)
  local calls, first = calls_for(f)
  local times, total = { first / calls }, first
  while #times < rounds and total + first < most_rounds_seconds do
    local seconds = time_of(f, calls)
    times[#times + 1] = seconds / calls
    total = total + seconds
  end
  table.sort(times)
  local middle = (#times + 1) // 2
  return { median = (times[middle] + times[#times + 1 - middle]) / 2, min = times[1],
    rounds = #times, calls = calls }
end

return timing
