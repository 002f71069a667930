-- test_tensor_large.lua -- operands that no cache holds: their results are stored another
-- way (src/core/stream.h), and must be those of the same numbers in small parts.
local lu = require "luaunit"
local unroll = require "unroll"
local tensor = unroll.tensor

TestTensorLarge = {}

local rows, columns = 1201, 4099 -- odd: lines of the cache end inside of rows
local all = rows * columns

-- f(a, b, out) on everything, into an out that begins `offset` numbers after a line of the
-- cache, is f on every row of its own; nothing around out is touched.
local function check(dtype, offset, out_dtype, f)
  local like = { dtype = dtype }
  local a, b = tensor.randn(rows, columns, like), tensor.randn(rows, columns, like)
  local room = tensor.full({ all + 32 }, 7, { dtype = out_dtype })
  local out = room:narrow(1, 1 + offset, all):view(rows, columns)
  f(a, b, out)
  local row = tensor.zeros(columns, { dtype = out_dtype })
  for i = 1, rows, 8 do -- the last one, too
    f(a[i], b[i], row)
    lu.assertTrue(tensor.equal(out[i], row), ("%s, offset %d, row %d"):format(dtype, offset, i))
  end
  lu.assertTrue(room:narrow(1, 1, offset):eq(7):all())
  lu.assertTrue(room:narrow(1, 1 + offset + all, 32 - offset):eq(7):all())
end

local function each_layout(f, out_dtype)
  for _, dtype in ipairs { "float32", "float64" } do
    for _, offset in ipairs { 0, 3 } do check(dtype, offset, out_dtype or dtype, f) end
  end
end

function TestTensorLarge:test_two_operands()
  each_layout(tensor.add)
end

function TestTensorLarge:test_number()
  each_layout(function(a, _, out) return tensor.mul(a, 1.5, out) end)
end

function TestTensorLarge:test_comparison()
  each_layout(tensor.lt, "int32")
end

function TestTensorLarge:test_one_operand()
  each_layout(function(a, _, out) return tensor.relu(a, out) end)
end

function TestTensorLarge:test_copy()
  each_layout(function(a, _, out) return out:copy_(a) end)
end

function TestTensorLarge:test_conversion()
  each_layout(function(a, _, out) return out:copy_(a) end, "float64")
end

function TestTensorLarge:test_in_place()
  each_layout(function(a, b, out) return out:copy_(a):add_(b) end)
end

function TestTensorLarge:test_transposed()
  for _, dtype in ipairs { "float32", "float64" } do
    local a = tensor.randn(columns, rows, { dtype = dtype })
    local copied, sum = a:t():clone(), a:t() + 1
    for i = 1, rows, 97 do
      lu.assertTrue(tensor.equal(copied[i], a[{ {}, i }]))
      lu.assertTrue(tensor.equal(sum[i], a[{ {}, i }] + 1))
    end
  end
end

-- The memory of large tensors goes from one to the next.
function TestTensorLarge:test_tensors_that_follow_each_other()
  local kept = tensor.full({ 9 << 20 }, 3)
  for i = 1, 12 do
    local n = (9 << 20) - (i % 5) * 400000
    local a, b = tensor.full({ n }, i), kept:narrow(1, 1, n) + i
    lu.assertTrue(a:eq(i):all() and b:eq(3 + i):all(), i)
    lu.assertTrue(tensor.zeros(n):eq(0):all(), i)
    if i % 3 == 0 then collectgarbage() end
  end
  lu.assertTrue(kept:eq(3):all())
end

function TestTensorLarge:test_overlapping_copy()
  local t = tensor.arange(1, 6e6, { dtype = "float64" })
  t:narrow(1, 2, 6e6 - 1):copy_(t:narrow(1, 1, 6e6 - 1))
  lu.assertEquals(t[1], 1)
  lu.assertEquals(t[2], 1)
  lu.assertEquals(t[6000000], 5999999)
  lu.assertEquals(t[3000001], 3000000)
end
