--- Tensors in every layout that a kernel may meet, for table-driven tests.

local tensor = require("unroll").tensor

local layouts = {}

--- The dtypes that compute, with the relative error that tests allow them.
layouts.reals = { { "float32", 1e-6 }, { "float64", 1e-12 } }

-- From a seeded generator, so that a failure comes back.
local generator = tensor.generator(7)

--- A number in low..high that float32 holds exactly.
function layouts.number(low, high)
  local x = low + (high - low) * generator:uniform()
  return (string.unpack("f", string.pack("f", x)))
end

local function values(low, high, n)
  local list = {}
  for i = 1, n do list[i] = layouts.number(low, high) end
  return list
end

local function filled(dtype, low, high, ...)
  local n = 1
  for _, size in ipairs { ... } do n = n * size end
  if n == 0 then return tensor.zeros(..., { dtype = dtype }) end
  return tensor.tensor(values(low, high, n), { dtype = dtype }):view(...)
end

--- name -> function(dtype, low, high) that makes such a tensor. All but the last two are
--- (3,5); 37 columns meet both the SIMD part and the rest of a loop.
layouts.make = {
  contiguous = function(dtype, low, high) return filled(dtype, low, high, 3, 5) end,
  long = function(dtype, low, high) return filled(dtype, low, high, 37) end,
  transposed = function(dtype, low, high) return filled(dtype, low, high, 5, 3):t() end,
  strided = function(dtype, low, high)
    return filled(dtype, low, high, 5, 6, 3):select(3, 2):narrow(1, 2, 3):narrow(2, 1, 5)
  end,
  broadcast = function(dtype, low, high)
    return filled(dtype, low, high, 1, 5):expand(3, 5)
  end,
  empty = function(dtype)
    return tensor.zeros(0, 5, { dtype = dtype })
  end,
  scalar = function(dtype, low, high)
    return filled(dtype, low, high, 1):select(1, 1)
  end,
}

--- The names in a fixed order.
layouts.names = { "contiguous", "long", "transposed", "strided", "broadcast", "empty", "scalar" }

--- The elements as a list, in row-major order.
function layouts.list(t)
  local list = {}
  local function visit(x)
    if type(x) ~= "table" then
      list[#list + 1] = x
    else
      for _, inner in ipairs(x) do visit(inner) end
    end
  end
  visit(t:dim() == 0 and t:item() or t:totable())
  return list
end

--- A tensor like t (the same sizes, contiguous) with these elements.
function layouts.like(t, list)
  local size = t:size()
  if t:numel() == 0 then return tensor.zeros(size, { dtype = t:dtype() }) end
  local flat = tensor.tensor(list, { dtype = t:dtype() })
  return #size == 0 and flat:select(1, 1) or flat:view(table.unpack(size))
end

return layouts
