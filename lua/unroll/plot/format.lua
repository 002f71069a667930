--- Numbers as text. All labels of an axis share their decimals; minus is U+2212; there
--- is never an offset to add, at most one factor for the whole axis.

local options = require "unroll.plot.options"

local format = {}

local MINUS = "\u{2212}"

-- 1234567.5 with "%.1f" -> "1,234,567.5"
local function group_thousands(s)
  local sign, whole, rest = s:match("^(-?)(%d+)(.*)$")
  if not whole then return s end
  whole = whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
  return sign .. whole .. rest
end

-- Fixed decimals; never "-0".
local function fixed(v, decimals)
  local s = ("%." .. decimals .. "f"):format(v)
  if not s:find("[1-9]") then s = s:gsub("^-", "") end
  return (group_thousands(s):gsub("^-", MINUS))
end

-- Decimals that write `step` exactly (at most 12).
local function decimals_of(step)
  for decimals = 0, 12 do
    local scaled = step * 10.0 ^ decimals
    if math.abs(scaled - math.floor(scaled + 0.5)) < 1e-6 * scaled then return decimals end
  end
  return 12
end

local function largest(values)
  local most = 0
  for _, v in ipairs(values) do most = math.max(most, math.abs(v)) end
  return most
end

-- The power of ten, a multiple of 3, that is taken out of all labels; 0: none.
local function common_exponent(values, step)
  local most = largest(values)
  if most == 0 or (most < 1e5 and most >= 1e-3) then return 0 end
  local exponent = math.floor(math.log(most, 10) + 1e-9) // 3 * 3
  if decimals_of(step / 10.0 ^ exponent) > 4 then return 0 end
  return exponent
end

local raised = { ["-"] = "⁻", ["0"] = "⁰", ["1"] = "¹", ["2"] = "²", ["3"] = "³",
  ["4"] = "⁴", ["5"] = "⁵", ["6"] = "⁶", ["7"] = "⁷", ["8"] = "⁸", ["9"] = "⁹" }

--- Evenly spaced ticks -> labels and a factor for the axis label ("×10³") or nil.
---@return string[] labels, string|nil factor
function format.linear(values, step)
  local exponent = common_exponent(values, step)
  local unit = 10.0 ^ exponent
  local decimals = decimals_of(step / unit)
  local labels = {}
  for i, v in ipairs(values) do labels[i] = fixed(v / unit, decimals) end
  if exponent == 0 then return labels end
  return labels, "×10" .. tostring(exponent):gsub("[-%d]", raised)
end

-- "2.5e-05" -> 2.5×10^{−5}
local function raise_exponent(s)
  local digits, sign, exponent = s:match("^(.*%d)e([-+])0*(%d+)$")
  if not digits then return s end
  return ("%s×10^{%s%s}"):format(digits, sign == "-" and MINUS or "", exponent)
end

--- One number by itself, with up to three significant digits.
function format.value(v)
  local size = math.abs(v)
  if v ~= v then return "NaN" end
  if size == math.huge then return v > 0 and "∞" or MINUS .. "∞" end
  if size >= 1e5 or (size < 1e-3 and size > 0) then
    local short = ("%.2e"):format(v):gsub("%.?0+e", "e")
    return (raise_exponent(short):gsub("^-", MINUS))
  end
  if size >= 100 then return fixed(v, 0) end
  local s = size == 0 and "0" or ("%.3g"):format(v)
  return (s:gsub("^-", MINUS))
end

-- --- logarithmic ---------------------------------------------------------------------

local function is_decade(v)
  local exponent = math.floor(math.log(v, 10) + 0.5)
  return math.abs(v / 10.0 ^ exponent - 1) < 1e-9, exponent
end

local function power(v)
  local decade, exponent = is_decade(v)
  if not decade then
    exponent = math.floor(math.log(v, 10) + 1e-9)
    local digit = ("%g"):format(v / 10.0 ^ exponent)
    return ("%s×10^{%s}"):format(digit, tostring(exponent):gsub("-", MINUS))
  end
  return ("10^{%s}"):format(tostring(exponent):gsub("-", MINUS))
end

--- Ticks of a log axis in one style: plain numbers when all lie in 0.1..1000 (0.001 to
--- 99,999 when 2 and 5 are labelled too), else powers of ten.
function format.log(values, decades_only)
  local low, high = values[1], values[#values]
  local plain = low >= 0.0999 and high <= 100.1
  if not decades_only then plain = low >= 0.00099 and high < 1e5 end
  local labels = {}
  for i, v in ipairs(values) do
    labels[i] = plain and group_thousands(("%.10g"):format(v)) or power(v)
  end
  return labels
end

--- Ticks at powers of two: plain numbers when all lie in 1..99,999, else powers.
function format.log2(values)
  local plain, labels = values[1] >= 1 and values[#values] < 1e5, {}
  for i, v in ipairs(values) do
    local power_of_two = ("2^{%d}"):format(math.floor(math.log(v, 2) + 0.5)):gsub("-", MINUS)
    labels[i] = plain and group_thousands(("%.10g"):format(v)) or power_of_two
  end
  return labels
end

--- Ticks of a symlog axis: like those of a log axis, with signs.
function format.symlog(values)
  local plain, labels = true, {}
  for _, v in ipairs(values) do
    local size = math.abs(v)
    plain = plain and (size == 0 or (size >= 0.0999 and size <= 1000.1))
  end
  for i, v in ipairs(values) do
    local size = math.abs(v)
    local words = (plain or size == 0) and group_thousands(("%.10g"):format(size)) or power(size)
    labels[i] = (v < 0 and MINUS or "") .. words
  end
  return labels
end

-- --- on request ----------------------------------------------------------------------

-- Without a step (log axes) each label has its own decimals.
local function percent(values, step)
  local labels = {}
  for i, v in ipairs(values) do
    local number = step and fixed(v * 100, decimals_of(step * 100)) or format.value(v * 100)
    labels[i] = number .. "\u{202F}%"
  end
  return labels
end

local prefixes = { [-9] = "n", [-6] = "µ", [-3] = "m", [0] = "", [3] = "k", [6] = "M",
  [9] = "G", [12] = "T" }

local function si(values)
  local labels = {}
  for i, v in ipairs(values) do
    local size = math.abs(v)
    local exponent = size > 0 and math.floor(math.log(size, 10) + 1e-9) // 3 * 3 or 0
    exponent = math.max(-9, math.min(12, exponent))
    labels[i] = ("%.4g%s"):format(v / 10.0 ^ exponent, prefixes[exponent]):gsub("^-", MINUS)
  end
  return labels
end

local function with_pattern(values, pattern)
  local labels = {}
  for i, v in ipairs(values) do
    local ok, label = pcall(string.format, pattern, v)
    if not ok then label = pattern:format(math.floor(v + 0.5)) end
    labels[i] = raise_exponent(label):gsub("^-", MINUS)
  end
  return labels
end

local function with_function(values, f)
  local labels = {}
  for i, v in ipairs(values) do labels[i] = tostring(f(v)) end
  return labels
end

--- Is this a format? "percent", "si", a pattern such as "%.2f", or a function.
function format.check(who, spec)
  if spec == nil or type(spec) == "function" or spec == "percent" or spec == "si" then
    return spec
  end
  if type(spec) == "string" and spec:find("%%") and
    (pcall(string.format, spec, 1.5) or pcall(string.format, spec, 1)) then
    return spec
  end
  options.misuse("%s must be \"percent\", \"si\", a pattern such as \"%%.2f\" or a "
    .. "function, got %s", who, tostring(spec))
end

--- Labels in the format that the user asked for.
function format.custom(spec, values, step)
  if spec == "percent" then return percent(values, step) end
  if spec == "si" then return si(values) end
  if type(spec) == "function" then return with_function(values, spec) end
  return with_pattern(values, spec)
end

--- Several values with the same decimals, so many that the largest has three digits.
---@return string[]
function format.values(values)
  local most, whole, labels = 0, true, {}
  for _, v in ipairs(values) do
    if v - v == 0 then
      most, whole = math.max(most, math.abs(v)), whole and v % 1 == 0
    end
  end
  local decimals = 0
  if not whole and most < 100 and most > 0 then
    decimals = math.floor(2 - math.floor(math.log(most, 10) + 1e-9))
  end
  for i, v in ipairs(values) do
    local size = math.abs(v)
    local alone = most >= 1e5 or most < 1e-3 or v - v ~= 0
      or (size > 0 and size < 0.5 / 10.0 ^ decimals)
    labels[i] = alone and format.value(v) or fixed(v, decimals)
  end
  return labels
end

--- One value in a user's format, or plain.
function format.single(spec, v)
  if not spec then return format.value(v) end
  if spec == "percent" then return format.value(v * 100) .. "\u{202F}%" end
  return format.custom(spec, { v })[1]
end

return format
