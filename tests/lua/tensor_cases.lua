--- The same numbers in every layout a tensor can have, for tests against plain Lua loops.

local tensor = require "unroll.tensor"

local cases = {}

--- All dtypes, and those that compute.
cases.dtypes = { "float32", "float64", "int32", "uint8", "uint16" }
cases.real_dtypes = { "float32", "float64" }

-- rows x columns numbers as nested tables: value(i, j).
local function nested(rows, columns, value)
  local list = {}
  for i = 1, rows do
    list[i] = {}
    for j = 1, columns do list[i][j] = value(i, j) end
  end
  return list
end

local function value(i, j) return 10 * i + j end

--- Tensors of two dimensions with what they must hold, as { name=, t=, expected= }.
---@param dtype string
function cases.matrices(dtype)
  local function make(list) return tensor(list, { dtype = dtype }) end
  local wide = nested(6, 8, function(i, j)
    return i % 2 == 1 and j % 2 == 1 and value((i + 1) // 2, (j + 1) // 2) or 0
  end)
  local expected = nested(3, 4, value)
  return {
    { name = "contiguous", t = make(expected), expected = expected },
    {
      name = "transposed", expected = expected,
      t = make(nested(4, 3, function(i, j) return value(j, i) end)):t(),
    },
    { name = "strided", t = make(wide)[{ { 1, 6, 2 }, { 1, 8, 2 } }], expected = expected },
    {
      name = "broadcast", t = make(nested(1, 4, value)):expand(3, 4),
      expected = nested(3, 4, function(_, j) return value(1, j) end),
    },
    { name = "one element", t = make { { 7 } }, expected = { { 7 } } },
    { name = "no rows", t = tensor.zeros(0, 4, { dtype = dtype }), expected = {} },
    { name = "no columns", t = make { {}, {} }, expected = { {}, {} } },
  }
end

--- Calls test(case, dtype, label) for every dtype and layout.
function cases.each_matrix(test, dtypes)
  for _, dtype in ipairs(dtypes or cases.dtypes) do
    for _, case in ipairs(cases.matrices(dtype)) do
      test(case, dtype, dtype .. " " .. case.name)
    end
  end
end

--- The elements of a nested table in row-major order.
function cases.flatten(list, into)
  into = into or {}
  for _, item in ipairs(list) do
    if type(item) == "table" then
      cases.flatten(item, into)
    else
      into[#into + 1] = item
    end
  end
  return into
end

--- Nested tables of these sizes, counted up from 1 in row-major order.
function cases.counted(size, level, counter)
  level, counter = level or 1, counter or { 0 }
  if level > #size then
    counter[1] = counter[1] + 1
    return counter[1]
  end
  local list = {}
  for i = 1, size[level] do list[i] = cases.counted(size, level + 1, counter) end
  return list
end

return cases
