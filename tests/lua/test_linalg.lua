-- Matrix products against plain loops, their derivatives against differences, and the
-- properties that svd, qr and eigvals must have.

local luaunit = require "luaunit"
local layouts = require "layouts"
local support = require "support"
local tensor = require("unroll").tensor

local list, like = layouts.list, layouts.like
local nan, inf = 0 / 0, math.huge

-- --- products ----------------------------------------------------------------------------

-- Nested tables (m,k) x (k,n).
local function product(a, b)
  local c = {}
  for i, row in ipairs(a) do
    c[i] = {}
    for j = 1, #b[1] do
      local sum = 0
      for k, x in ipairs(row) do sum = sum + x * b[k][j] end
      c[i][j] = sum
    end
  end
  return c
end

-- (m,n) in a layout that BLAS takes or not.
local layout = {
  rows = function(m, n, dtype) return tensor.randn(m, n, { dtype = dtype }) end,
  columns = function(m, n, dtype) return tensor.randn(n, m, { dtype = dtype }):t() end,
  part = function(m, n, dtype)
    return tensor.randn(m + 2, n + 3, { dtype = dtype }):narrow(1, 2, m):narrow(2, 3, n)
  end,
  strided = function(m, n, dtype) return tensor.randn(m, n, 2, { dtype = dtype }):select(3, 1) end,
  expanded = function(m, n, dtype) return tensor.randn(1, n, { dtype = dtype }):expand(m, n) end,
}
local kinds = { "rows", "columns", "part", "strided", "expanded" }
local precision = { float32 = 2e-5, float64 = 1e-12 }

TestMatmul = {}

function TestMatmul.test_every_pair_of_layouts()
  for dtype, tolerance in pairs(precision) do
    for _, left in ipairs(kinds) do
      for _, right in ipairs(kinds) do
        for _, s in ipairs { { 3, 4, 5 }, { 1, 4, 5 }, { 3, 1, 5 }, { 3, 4, 1 }, { 1, 1, 1 },
          { 17, 33, 9 }, { 33, 40, 37 }, { 5, 90, 1 }, { 70, 60, 1 } } do -- small and not
          local a, b = layout[left](s[1], s[2], dtype), layout[right](s[2], s[3], dtype)
          local what = table.concat({ dtype, left, right, s[1], s[2], s[3] }, " ")
          support.near(a:matmul(b), product(a:totable(), b:totable()), tolerance, what)
        end
      end
    end
  end
end

function TestMatmul.test_outputs()
  for dtype, tolerance in pairs(precision) do
    for _, kind in ipairs { "rows", "columns", "part", "strided" } do
      for _, s in ipairs { { 3, 4, 5 }, { 1, 4, 5 }, { 3, 4, 1 }, { 3, 0, 5 } } do
        local a, b = layout.rows(s[1], s[2], dtype), layout.columns(s[2], s[3], dtype)
        local out = layout[kind](s[1], s[3], dtype):fill_(nan)
        luaunit.assertTrue(rawequal(tensor.matmul(a, b, out), out))
        local expected = s[2] > 0 and product(a:totable(), b:totable())
          or tensor.zeros(s[1], s[3])
        support.near(out, expected, tolerance, kind)
      end
    end
  end
end

function TestMatmul.test_vectors()
  local a, b = tensor.randn(4), tensor.randn(4, 3)
  local row, column = { a:totable() }, {}
  for i, x in ipairs(a:totable()) do column[i] = { x } end
  support.near(a:matmul(b), product(row, b:totable())[1], 1e-5)
  local y = b:t():matmul(a)
  luaunit.assertEquals(y:size(), { 3 })
  support.near(y, a:matmul(b), 1e-6)
  local inner = a:matmul(a)
  luaunit.assertEquals(inner:dim(), 0)
  luaunit.assertAlmostEquals(inner:item(), product(row, column)[1][1], 1e-5)
  local every_second = tensor.randn(8):view(4, 2):select(2, 1)
  support.near(every_second:matmul(b), product({ every_second:totable() }, b:totable())[1], 1e-5)
  support.near(tensor.randn(1):expand(4):matmul(tensor.zeros(4, 2)), { 0, 0 }, 0)
end

function TestMatmul.test_batches()
  local function check(a, b, batch)
    local c = a:matmul(b)
    luaunit.assertEquals(c:size(), { batch[1], batch[2], a:size(-2), b:size(-1) })
    local wide_a = a:expand(batch[1], batch[2], a:size(-2), a:size(-1))
    local wide_b = b:expand(batch[1], batch[2], b:size(-2), b:size(-1))
    for i = 1, batch[1] do
      for j = 1, batch[2] do
        support.near(c[i][j], product(wide_a[i][j]:totable(), wide_b[i][j]:totable()), 1e-5)
      end
    end
  end
  check(tensor.randn(2, 3, 4, 5), tensor.randn(5, 6), { 2, 3 }) -- one tall product
  check(tensor.randn(2, 3, 5, 4):transpose(3, 4), tensor.randn(5, 6), { 2, 3 })
  check(tensor.randn(3, 2, 4, 5):transpose(1, 2), tensor.randn(6, 5):t(), { 2, 3 })
  check(tensor.randn(2, 3, 4, 5), tensor.randn(2, 3, 5, 6), { 2, 3 })
  check(tensor.randn(2, 1, 4, 5), tensor.randn(3, 5, 6), { 2, 3 })
  check(tensor.randn(4, 5), tensor.randn(2, 3, 5, 6), { 2, 3 })
  check(tensor.randn(2, 3, 4, 1), tensor.randn(2, 3, 1, 6), { 2, 3 })
  luaunit.assertEquals(tensor.zeros(7, 2, 4):matmul(tensor.zeros(4)):size(), { 7, 2 })
  luaunit.assertEquals(tensor.zeros(4):matmul(tensor.zeros(7, 4, 2)):size(), { 7, 2 })
end

function TestMatmul.test_zero_sizes()
  support.near(tensor.zeros(2, 0):matmul(tensor.zeros(0, 3)), { { 0, 0, 0 }, { 0, 0, 0 } }, 0)
  luaunit.assertEquals(tensor.zeros(0, 4):matmul(tensor.zeros(4, 3)):size(), { 0, 3 })
  luaunit.assertEquals(tensor.zeros(0, 2, 4):matmul(tensor.zeros(4, 3)):size(), { 0, 2, 3 })
  luaunit.assertEquals(tensor.zeros(0):matmul(tensor.zeros(0)):item(), 0.0)
end

function TestMatmul.test_mixed_dtypes_and_nan()
  local a, b = tensor.randn(3, 4), tensor.randn(4, 2, { dtype = "float64" })
  local c = a:matmul(b)
  luaunit.assertEquals(c:dtype(), "float64")
  support.near(c, product(a:totable(), b:totable()), 1e-12)
  luaunit.assertNaN(tensor { { nan, 0 } }:matmul(tensor { { 0 }, { 1 } }):item())
end

function TestMatmul.test_wrong_calls()
  local z = tensor.zeros
  support.raises("matmul: a is (3,4), b is (5,6): a's columns (4) must equal b's rows (5)",
    tensor.matmul, z(3, 4), z(5, 6))
  support.raises("matmul: a is (4), b is (5,6): a's size (4) must equal b's rows (5)",
    tensor.matmul, z(4), z(5, 6))
  support.raises("matmul: a is (3,4), b is (5): a's columns (4) must equal b's size (5)",
    tensor.matmul, z(3, 4), z(5))
  support.raises("matmul: a is (2,3,4), b is (5,4,6): the batches (2) and (5) do not broadcast",
    tensor.matmul, z(2, 3, 4), z(5, 4, 6))
  support.raises("matmul: a is (), b is (5): both need at least one dimension", tensor.matmul,
    z(1):select(1, 1), z(5))
  support.raises("out is float32 (2,2), must be float32 (2,3)", tensor.matmul, z(2, 2), z(2, 3),
    z(2, 2))
  support.raises("int32 does not compute", tensor.matmul, z(2, 2),
    z(2, 2, { dtype = "int32" }))
  local a = z(2, 2)
  support.raises("matmul: out must not overlap a", tensor.matmul, a, z(2, 2), a)
  support.raises("matmul: out must not overlap b", tensor.matmul, z(2, 2), a, a:t())
end

function TestMatmul.test_no_memory_is_allocated()
  local a, b, out = tensor.randn(6, 4), tensor.randn(5, 4):t(), tensor.zeros(6, 5)
  local da, db = tensor.zeros(6, 4), tensor.zeros(5, 4):t()
  local function step()
    tensor.matmul(a, b, out)
    tensor.vjp.matmul(out, a, b, nil, da, db)
  end
  step()
  collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  for _ = 1, 100 do step() end
  local grown = collectgarbage("count") - before
  collectgarbage("restart")
  luaunit.assertEquals(grown, 0)
end

-- --- the derivative of matmul ------------------------------------------------------------

TestMatmulVjp = {}

local function differences(f, x, dy)
  local step, result, values = 1e-5, {}, list(x)
  for i, v in ipairs(values) do
    values[i] = v + step
    local up = (f(like(x, values)) * dy):sum()
    values[i] = v - step
    local down = (f(like(x, values)) * dy):sum()
    values[i], result[i] = v, (up - down) / (2 * step)
  end
  return like(x, result)
end

function TestMatmulVjp.test_against_differences()
  local double = { dtype = "float64" }
  local cases = {
    { { 3, 4 }, { 4, 2 } }, { { 4 }, { 4, 2 } }, { { 3, 4 }, { 4 } }, { { 4 }, { 4 } },
    { { 2, 3, 4 }, { 4, 2 } }, { { 3, 4 }, { 2, 4, 2 } }, { { 2, 3, 4 }, { 2, 4, 2 } },
    { { 2, 1, 3, 4 }, { 5, 4, 2 } }, { { 2, 3, 4 }, { 4 } }, { { 4 }, { 2, 4, 3 } },
    { { 5, 2, 3, 4 }, { 4, 2 } }, { { 2, 0 }, { 0, 3 } }, { { 0, 2 }, { 2, 3 } },
    { { 1, 3, 4 }, { 4, 2 } }, { { 1, 3, 4 }, { 2, 4, 2 } },
  }
  for i, case in ipairs(cases) do
    local a = tensor.randn(case[1], double)
    local b = tensor.randn(case[2], double)
    local y = a:matmul(b)
    local dy = tensor.randn(y:size(), double)
    local da, db = tensor.vjp.matmul(dy, a, b, y)
    support.near(da, differences(function(x) return x:matmul(b) end, a, dy), 1e-8, "da " .. i)
    support.near(db, differences(function(x) return a:matmul(x) end, b, dy), 1e-8, "db " .. i)
    local none, again = tensor.vjp.matmul(dy, a, b, y, false)
    luaunit.assertNil(none)
    luaunit.assertTrue(tensor.equal(again, db))
  end
end

function TestMatmulVjp.test_strided_operands()
  local a, b = layout.strided(3, 4, "float64"), layout.columns(4, 2, "float64")
  local dy = layout.expanded(3, 2, "float64")
  local da, db = tensor.vjp.matmul(dy, a, b)
  support.near(da, dy:matmul(b:t()), 1e-12)
  support.near(db, a:t():matmul(dy), 1e-12)
end

function TestMatmulVjp.test_wrong_calls()
  local z = tensor.zeros
  support.raises("vjp.matmul: dy is (2,2), must be (2,3), the sizes of matmul(a, b)",
    tensor.vjp.matmul, z(2, 2), z(2, 4), z(4, 3))
  support.raises("a's columns (4) must equal b's rows (3)", tensor.vjp.matmul, z(2, 2), z(2, 4),
    z(3, 3))
end

-- --- svd, qr, eigvals --------------------------------------------------------------------

TestDecompositions = {}

local shapes = { { 5, 5 }, { 7, 3 }, { 3, 7 }, { 1, 4 }, { 4, 1 }, { 1, 1 }, { 40, 25 } }
local tight = { float32 = 2e-5, float64 = 1e-12 }

local function assert_orthonormal_columns(q, tolerance, what)
  support.near(q:t():matmul(q), tensor.eye(q:size(2), { dtype = q:dtype() }), tolerance, what)
end

function TestDecompositions.test_svd()
  for dtype, tolerance in pairs(tight) do
    for _, shape in ipairs(shapes) do
      for _, kind in ipairs(kinds) do
        local a = layout[kind](shape[1], shape[2], dtype)
        local u, s, vt = a:svd()
        local what = table.concat({ dtype, kind, shape[1], shape[2] }, " ")
        support.near((u * s):matmul(vt), a, tolerance * 10, what)
        assert_orthonormal_columns(u, tolerance, what)
        assert_orthonormal_columns(vt:t(), tolerance, what)
        local values = s:totable()
        for i = 2, #values do luaunit.assertTrue(values[i] <= values[i - 1] and values[i] >= 0) end
        luaunit.assertAlmostEquals(s:norm(), a:norm(), tolerance * 10 * a:norm())
      end
    end
  end
  local _, s = tensor({ { 0, 2 }, { -3, 0 } }, { dtype = "float64" }):svd()
  support.near(s, { 3, 2 }, 1e-14)
end

function TestDecompositions.test_qr()
  for dtype, tolerance in pairs(tight) do
    for _, shape in ipairs(shapes) do
      for _, kind in ipairs(kinds) do
        local a = layout[kind](shape[1], shape[2], dtype)
        local q, r = a:qr()
        local what = table.concat({ dtype, kind, shape[1], shape[2] }, " ")
        support.near(q:matmul(r), a, tolerance * 10, what)
        assert_orthonormal_columns(q, tolerance, what)
        for i, row in ipairs(r:totable()) do
          for j = 1, math.min(i - 1, #row) do luaunit.assertEquals(row[j], 0.0, what) end
        end
      end
    end
  end
end

-- Eigenvalues as sorted complex numbers {re, im}.
local function spectrum(a)
  local re, im = a:eigvals()
  local values, from_re, from_im = {}, re:totable(), im:totable()
  for i = 1, #from_re do values[i] = { from_re[i], from_im[i] } end
  table.sort(values, function(x, y)
    if math.abs(x[1] - y[1]) > 1e-4 then return x[1] < y[1] end
    return x[2] < y[2]
  end)
  return values
end

function TestDecompositions.test_eigvals_of_known_matrices()
  for dtype, tolerance in pairs(tight) do
    local function of(rows) return spectrum(tensor(rows, { dtype = dtype })) end
    support.near(of { { 2, 0 }, { 0, -1 } }, { { -1, 0 }, { 2, 0 } }, tolerance)
    support.near(of { { 0, -1 }, { 1, 0 } }, { { 0, -1 }, { 0, 1 } }, tolerance)
    support.near(of { { 0, 1, 0 }, { 0, 0, 1 }, { 6, -11, 6 } }, { { 1, 0 }, { 2, 0 }, { 3, 0 } },
      tolerance * 50) -- the roots of x^3 - 6 x^2 + 11 x - 6
    support.near(of { { 1, 2, 3 }, { 0, 4, 5 }, { 0, 0, 6 } }, { { 1, 0 }, { 4, 0 }, { 6, 0 } },
      tolerance * 10)
    support.near(of { { 5 } }, { { 5, 0 } }, 0)
  end
end

function TestDecompositions.test_eigvals_keep_trace_and_determinant()
  for _, n in ipairs { 2, 5, 20 } do
    local a = layout.strided(n, n, "float64")
    local re, im = a:eigvals()
    luaunit.assertAlmostEquals(re:sum(), (a * tensor.eye(n, { dtype = "float64" })):sum(), 1e-10)
    luaunit.assertAlmostEquals(im:sum(), 0, 1e-12)
    local _, r = a:qr()
    local product_of_diagonal, moduli = 1, 1
    for i = 1, n do product_of_diagonal = product_of_diagonal * math.abs(r[{ i, i }]) end
    local from_re, from_im = re:totable(), im:totable()
    for i = 1, n do moduli = moduli * math.sqrt(from_re[i] ^ 2 + from_im[i] ^ 2) end
    luaunit.assertAlmostEquals(moduli / product_of_diagonal, 1, 1e-9)
  end
end

function TestDecompositions.test_outputs()
  local a = tensor.randn(4, 3)
  local u, s, vt = a:svd()
  local out_u, out_s = layout.columns(4, 3, "float32"), tensor.zeros(3, 2):select(2, 1)
  local out_vt = layout.part(3, 3, "float32")
  luaunit.assertTrue(rawequal((a:svd(out_u, out_s, out_vt)), out_u))
  luaunit.assertTrue(out_u:equal(u) and out_s:equal(s) and out_vt:equal(vt))
  local q, r = a:qr()
  local out_r = layout.strided(3, 3, "float32")
  local same_q, same_r = a:qr(nil, out_r)
  luaunit.assertTrue(rawequal(same_r, out_r) and same_q:equal(q) and out_r:equal(r))
  local square = tensor.randn(3, 3)
  local re, im = square:eigvals()
  local out_im = tensor.zeros(3)
  luaunit.assertTrue(rawequal(select(2, square:eigvals(nil, out_im)), out_im))
  luaunit.assertTrue(out_im:equal(im) and re:dtype() == "float32")
  support.raises("svd: out must not overlap another result", a.svd, a, out_u, nil,
    out_u:narrow(1, 1, 3))
end

function TestDecompositions.test_zero_sizes()
  local u, s, vt = tensor.zeros(0, 3):svd()
  luaunit.assertEquals({ u:size(), s:size(), vt:size() }, { { 0, 0 }, { 0 }, { 0, 3 } })
  local q, r = tensor.zeros(3, 0):qr()
  luaunit.assertEquals({ q:size(), r:size() }, { { 3, 0 }, { 0, 0 } })
  luaunit.assertEquals((tensor.zeros(0, 0):eigvals()):size(), { 0 })
end

function TestDecompositions.test_wrong_calls()
  local z = tensor.zeros
  support.raises("svd: a is (3), must be a matrix", tensor.svd, z(3))
  support.raises("qr: a is (2,3,4), must be a matrix", tensor.qr, z(2, 3, 4))
  support.raises("eigvals: a is (2,3), must be square", tensor.eigvals, z(2, 3))
  support.raises("int32 does not compute", tensor.svd, z(2, 2, { dtype = "int32" }))
  for _, bad in ipairs { nan, inf, -inf } do
    local a = z(2, 2)
    a[{ 2, 1 }] = bad
    support.raises("svd: a (2,2) has an element that is NaN or infinite", tensor.svd, a)
    support.raises("qr: a (2,2) has an element that is NaN or infinite", tensor.qr, a)
    support.raises("eigvals: a (2,2) has an element that is NaN or infinite", tensor.eigvals, a)
  end
  support.raises("out is float32 (3,3), must be float32 (2,2)", tensor.svd, z(2, 2), z(3, 3))
end

-- A batch of single rows becomes one matrix only where BLAS can take that matrix.
function TestMatmul.test_batches_of_one_row_with_any_strides()
  local b = tensor.randn(3, 2)
  local cases = {
    repeated = tensor.randn(3):expand(4, 1, 3),
    every_second = tensor.randn(4, 3, 2):select(3, 1):unsqueeze(2),
    columns = tensor.randn(3, 4):t():unsqueeze(2),
    plain = tensor.randn(4, 1, 3),
    deep = tensor.randn(2, 1, 3):expand(3, 2, 1, 3),
  }
  for what, a in pairs(cases) do
    local rows = a:reshape(-1, 3)
    local expected = product(rows:totable(), b:totable())
    support.near(tensor.matmul(a, b):view(-1, 2), expected, 1e-5, what)
    local size = a:size()
    size[#size] = 2
    size[#size + 1] = 2 -- every second element of a larger tensor takes the result
    local out = tensor.zeros(size):select(-1, 1)
    tensor.matmul(a, b, out)
    support.near(out:reshape(-1, 2), expected, 1e-5, what .. ", out")
  end
end
