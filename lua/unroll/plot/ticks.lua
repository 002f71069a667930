--- Where the ticks of an axis stand.

local ticks = {}

local steps = { 1, 2, 2.5, 5, 10 }

local function count_between(low, high, step)
  return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1
end

-- The smallest step of {1, 2, 2.5, 5} x 10^n that puts at most `most` ticks on the axis.
local function choose_step(low, high, most, integers)
  local exponent = math.floor(math.log((high - low) / most, 10)) - 1
  while true do
    for i = 1, 4 do
      local step = steps[i] * 10.0 ^ exponent
      if not (integers and step % 1 ~= 0) and count_between(low, high, step) <= most then
        return step
      end
    end
    exponent = exponent + 1
  end
end

--- Multiples of a step within low..high: at most `most`, and `most` is raised to 3 where
--- whole numbers allow it.
---@return number[] values, number step
function ticks.linear(low, high, most, integers)
  local step = choose_step(low, high, math.max(most, 2), integers)
  local values = {}
  local first = math.ceil(low / step - 1e-9)
  for i = 0, count_between(low, high, step) - 1 do
    local value = (first + i) * step
    values[i + 1] = value == 0 and 0.0 or value
  end
  return values, step
end

-- --- logarithmic ---------------------------------------------------------------------

-- The exponents of the first and the last decade that touch low..high.
local function decades(low, high)
  return math.floor(math.log(low, 10) + 1e-9), math.ceil(math.log(high, 10) - 1e-9)
end

-- The numbers m * 10^n within low..high for m in `digits` and every stride-th n.
local function digits_between(low, high, digits, stride)
  local values = {}
  local first, last = decades(low, high)
  for n = math.ceil(first / stride) * stride, last, stride do
    for _, digit in ipairs(digits) do
      local value = digit * 10.0 ^ n
      if value >= low * (1 - 1e-9) and value <= high * (1 + 1e-9) then
        values[#values + 1] = value
      end
    end
  end
  return values
end

local function decades_stride(low, high, most)
  local first, last = decades(low, high)
  local stride = math.max(1, (last - first) // (most + 1))
  while #digits_between(low, high, { 1 }, stride) > most do stride = stride + 1 end
  return stride
end

local finer = { { 1, 2, 5 }, { 1, 2, 3, 5 }, { 1, 2, 3, 4, 6, 8 } }

-- Labels within few decades: as many of 2..9 as are needed for three.
local function within_decades(low, high, most)
  local best
  for _, digits in ipairs(finer) do
    local values = digits_between(low, high, digits, 1)
    if #values <= most and (not best or #best < 3) then best = values end
  end
  return best
end

-- The first and the last decade on the axis, for one with room for two labels only.
local function outer_decades(low, high)
  local all = digits_between(low, high, { 1 }, 1)
  return { all[1], all[#all] }
end

--- Decades, every second or third of them when there are many; 1, 2, 5 when fewer than
--- two decades are in view. nil when no such tick falls on the axis: then the linear
--- rule serves.
---@return number[]|nil values, boolean decades_only
function ticks.log(low, high, most)
  most = math.min(most, 7)
  local stride = decades_stride(low, high, most)
  local values = digits_between(low, high, { 1 }, stride)
  local span = math.log(high, 10) - math.log(low, 10)
  if span >= 2 then return #values >= 2 and values or outer_decades(low, high), true end
  local finer_values = within_decades(low, high, most)
  if finer_values and #finer_values >= 2 then return finer_values, false end
  if #values >= 2 then return values, true end
end

--- Powers of two, every second, third, ... of them when there are many; nil when fewer than
--- two are in view.
---@return number[]|nil values
function ticks.log2(low, high, most)
  local first = math.ceil(math.log(low, 2) - 1e-9)
  local last = math.floor(math.log(high, 2) + 1e-9)
  if last <= first then return nil end
  local stride, values = math.max(1, math.ceil((last - first + 1) / most)), {}
  for n = first, last do
    if n % stride == 0 then values[#values + 1] = 2.0 ^ n end
  end
  return #values >= 2 and values or { 2.0 ^ first, 2.0 ^ last }
end

--- Ticks of a symlog axis: 0 and the decades on both sides; nil when the linear rule serves,
--- because the axis ends within the threshold.
function ticks.symlog(low, high, threshold, most)
  local first = math.ceil(math.log(threshold, 10) - 1e-9)
  local last = math.floor(math.log(math.max(-low, high), 10) + 1e-9)
  if math.max(-low, high) <= threshold or last < first then return nil end
  local values
  for stride = 1, last - first + 1 do
    values = {}
    for n = last, first, -1 do
      if (last - n) % stride == 0 then values[#values + 1] = -10.0 ^ n end
    end
    values[#values + 1] = 0.0
    for n = first, last do
      if (last - n) % stride == 0 then values[#values + 1] = 10.0 ^ n end
    end
    local shown = {}
    for _, v in ipairs(values) do
      if v >= low and v <= high then shown[#shown + 1] = v end
    end
    values = shown
    if #values <= math.max(most, 3) then break end
  end
  return #values >= 2 and values or nil
end

--- Small marks between the labels: at 2..9 when there are at most ten decades, at the decades
--- when there are at most fifty.
function ticks.log_minor(low, high)
  local span = math.log(high, 10) - math.log(low, 10)
  if span > 50 then return {} end
  return digits_between(low, high, span > 10 and { 1 } or { 2, 3, 4, 5, 6, 7, 8, 9 }, 1)
end

return ticks
