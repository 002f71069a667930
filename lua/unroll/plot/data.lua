--- The numbers of a chart: copied when the chart is described, so that a caller may use
--- its buffers again.

local canvas = require("unroll.core").canvas
local options = require "unroll.plot.options"

local data = {}

--- Tensors and tables of numbers; not tables of options.
function data.is_values(v)
  if type(v) == "userdata" then return true end
  return type(v) == "table" and math.type(next(v)) ~= nil
end

--- A list of names: places on an axis of categories.
function data.is_names(v)
  return type(v) == "table" and type(v[1]) == "string"
end

local function is_empty_table(v)
  return type(v) == "table" and next(v) == nil
end

--- Are both without numbers? Then {} as the last argument means a series, not options.
function data.both_empty(a, b)
  return is_empty_table(b) and (is_empty_table(a) or type(a) == "userdata" and a:numel() == 0)
end

--- A float64 tensor with the numbers of v.
function data.series(who, name, v)
  local copy, message = canvas.snapshot(v)
  if not copy then options.misuse("%s: %s %s", who, name, message) end
  return copy
end

local function check_same_length(who, x, y, name)
  local nx, ny = canvas.count(x), canvas.count(y)
  if nx ~= ny then
    options.misuse("%s: x has %d elements, %s has %d", who, nx, name, ny)
  end
end

--- (x, y, opts) or (y, opts) -> x or nil, y, opts. Without x the points lie at 1, 2, ...
function data.xy(who, a, b, c)
  local has_x = data.is_values(b) or c ~= nil
    or (is_empty_table(b) and (is_empty_table(a) or type(a) == "userdata"))
  if not has_x then return nil, data.series(who, "y", a), b end
  local x, y = data.series(who, "x", a), data.series(who, "y", b)
  check_same_length(who, x, y, "y")
  return x, y, c
end

--- A series that belongs to y; a number stands for one value repeated.
function data.beside(who, name, v, y)
  local n = canvas.count(y)
  if type(v) == "number" then
    local values = {}
    for i = 1, n do values[i] = v end
    return data.series(who, name, values)
  end
  local series = data.series(who, name, v)
  local got = canvas.count(series)
  if got ~= n then options.misuse("%s: %s has %d elements, y has %d", who, name, got, n) end
  return series
end

--- a + factor * b, element by element.
function data.offset(a, b, factor)
  local va, vb = canvas.values(a), canvas.values(b)
  for i = 1, #va do va[i] = va[i] + factor * vb[i] end
  return canvas.snapshot(va)
end

-- The rows of a nested table, one after the other.
local function flatten(who, name, rows)
  local flat, width = {}, type(rows[1]) == "table" and #rows[1] or 0
  for i, row in ipairs(rows) do
    if type(row) ~= "table" or #row ~= width then
      options.misuse("%s: %s must have rows of the same length (row %d)", who, name, i)
    end
    table.move(row, 1, width, #flat + 1, flat)
  end
  return flat, #rows, width
end

--- A copy of a matrix: {flat (rows * cols), grid (rows, cols), rows, cols}, float64.
function data.matrix(who, name, v)
  local flat, rows, cols = v, 0, 0
  if type(v) == "userdata" and v.dim and v:dim() == 2 then
    rows, cols = v:size(1), v:size(2)
    flat = v:reshape(rows * cols)
  elseif type(v) == "table" then
    flat, rows, cols = flatten(who, name, v)
  else
    options.misuse("%s: %s must be a tensor with two dimensions or a table of rows, got %s", who,
      name, type(v) == "userdata" and v.dim and v:dim() .. " dimensions" or type(v))
  end
  flat = data.series(who, name, flat)
  return { flat = flat, grid = flat:reshape(rows, cols), rows = rows, cols = cols }
end

data.values, data.count = canvas.values, canvas.count

return data
