--- print: a tensor as text.
--
--   tensor float32 (128, 50)   min -3.41   mean 0.00   max 3.57   sd 1.00
--      0.494  -0.445  -0.357  …  -0.239   0.149   0.812
--     -1.203   0.377   0.911  …   0.048  -0.556  -0.102
--          ⋮
--
-- Above `full` elements only the first and last `edge` items of each dimension are shown,
-- and only they are read from Lua; the line of statistics comes from the reductions. All
-- numbers share one format, so that columns align. Rows that are too wide go on in the
-- next line, further in.

local core = require "unroll.core"
local words = require "unroll.display.text"

local full, edge = 1000, 3
local statistics_from = 100 -- elements; a smaller tensor can be read at a glance

-- What is shown ----------------------------------------------------------------------

-- The elements that are shown, as nested lists; false stands where some are left out.
local function collect(t, cut)
  local n = t:size(1)
  if t:dim() == 1 then
    if not cut or n <= 2 * edge then return t:totable() end
    local items = t:narrow(1, 1, edge):totable()
    items[edge + 1] = false
    return table.move(t:narrow(1, n - edge + 1, edge):totable(), 1, edge, edge + 2, items)
  end
  local items = {}
  for i = 1, n do
    if not cut or i <= edge or i > n - edge then
      items[#items + 1] = collect(t:select(1, i), cut)
    elseif items[#items] then
      items[#items + 1] = false
    end
  end
  return items
end

-- How numbers look -------------------------------------------------------------------

local function is_finite(x)
  return x == x and x ~= math.huge and x ~= -math.huge
end

-- Calls visit(x) for every finite number of a nested list.
local function each_finite(items, visit)
  for _, item in ipairs(items) do
    if type(item) == "table" then
      each_finite(item, visit)
    elseif item and is_finite(item) then
      visit(item)
    end
  end
end

-- A format that shows numbers up to `largest` with `digits` digits or a few more.
local function real_format(largest, digits)
  local exponent = largest > 0 and math.floor(math.log(largest, 10)) or 0
  if exponent >= 5 or exponent < -4 then return "%." .. digits - 1 .. "e" end
  return "%." .. math.max(digits - 1 - exponent, exponent > 2 and 1 or digits - 2) .. "f"
end

local function choose_format(items)
  local largest, whole = 0, true
  each_finite(items, function(x)
    largest = math.max(largest, math.abs(x))
    whole = whole and x == math.floor(x)
  end)
  return whole and largest < 1e7 and "%.0f" or real_format(largest, 4)
end

local function number_text(x, format)
  if x ~= x then return "nan" end
  if not is_finite(x) then return x > 0 and "inf" or "-inf" end
  return math.type(x) == "integer" and ("%d"):format(x) or format:format(x)
end

-- Rows -------------------------------------------------------------------------------

local function width_of(items, format)
  local width = 1
  for _, item in ipairs(items) do
    local w = type(item) == "table" and width_of(item, format)
      or item and #number_text(item, format) or 1
    width = math.max(width, w)
  end
  return width
end

local function line_width(given)
  return math.max(given or core.sys.terminal_width() or 80, 20)
end

local function item_text(x, layout)
  if not x then return "  …" end
  local text = number_text(x, layout.format)
  return (" "):rep(2 + layout.width - #text) .. text
end

-- One row of numbers. Where it needs more lines, those of a matrix stand further in.
local function add_row(lines, row, layout)
  for first = 1, #row, layout.columns do
    local line = { first > 1 and layout.dims > 1 and "  " or "" }
    for i = first, math.min(first + layout.columns - 1, #row) do
      line[#line + 1] = item_text(row[i], layout)
    end
    lines[#lines + 1] = table.concat(line)
  end
end

local function add_gap(lines, layout)
  lines[#lines + 1] = (" "):rep(layout.width + 1) .. "⋮"
end

-- The index of item k of a list that stands for n elements.
local function index_of(k, items, n)
  return k <= edge and k or n - #items + k
end

-- Matrices as rows, each under the indices that lead to it; `indices` is what leads here.
local function add_block(lines, items, layout, indices)
  local is_matrix = #indices == layout.dims - 2
  if is_matrix and #indices > 0 then
    lines[#lines + 1] = ("[%s]"):format(table.concat(indices, ", "))
  end
  for k, item in ipairs(items) do
    if not item then
      add_gap(lines, layout)
    elseif is_matrix then
      add_row(lines, item, layout)
    else
      indices[#indices + 1] = index_of(k, items, layout.size[#indices + 1])
      add_block(lines, item, layout, indices)
      indices[#indices] = nil
    end
  end
end

local function add_elements(lines, t, width)
  local items = collect(t, t:numel() > full)
  local layout = { dims = t:dim(), size = t:size(), format = choose_format(items) }
  layout.width = width_of(items, layout.format)
  layout.columns = math.max((line_width(width) - 2) // (layout.width + 2), 1)
  if layout.dims == 1 then
    add_row(lines, items, layout)
  else
    add_block(lines, items, layout, {})
  end
end

-- The first line ---------------------------------------------------------------------

local function count_text(n, name)
  return n > 0 and ("   %d %s"):format(n, name) or ""
end

-- Names and numbers in turn, the numbers in one format.
local function labelled(list)
  local largest, parts = 0, {}
  for i = 2, #list, 2 do largest = math.max(largest, math.abs(list[i])) end
  local format = real_format(largest, 3)
  for i = 2, #list, 2 do
    parts[#parts + 1] = ("   %s %s"):format(list[i - 1], number_text(list[i], format))
  end
  return table.concat(parts)
end

-- Smallest, mean, largest and deviation; where some numbers are not finite, the range of
-- the others and how many are not.
local function statistics(t)
  local nans, infinities = t:isnan():sum(), t:isinf():sum()
  local counts = count_text(nans, "NaN") .. count_text(infinities, "Inf")
  if nans + infinities == t:numel() then return counts end
  if nans + infinities > 0 then
    local finite = t:isfinite()
    local low = core.tensor.where(finite, t, math.huge):min()
    local high = core.tensor.where(finite, t, -math.huge):max()
    return labelled({ "min", low, "max", high }) .. counts
  end
  return labelled { "min", t:min(), "mean", t:mean(), "max", t:max(), "sd", t:std() }
end

local function header(t)
  local text = ("tensor %s (%s)"):format(t:dtype(), table.concat(t:size(), ", "))
  local is_real = t:dtype() == "float32" or t:dtype() == "float64"
  if t:numel() >= statistics_from and is_real then return text .. statistics(t) end
  return text
end

--- The text of a tensor, as print and the prompt show it.
---@param t unroll.Tensor
---@param width? integer columns of a line; default: of the terminal, else 80
---@return string
return function(t, width)
  if t:numel() == 0 then return header(t) .. "   no elements" end
  if t:dim() == 0 then
    local digits = t:dtype() == "float64" and "%.15g" or "%.7g"
    return header(t) .. "   " .. number_text(t:item(), digits)
  end
  local lines = { words.fold(header(t), line_width(width)) }
  add_elements(lines, t, width)
  return table.concat(lines, "\n")
end
