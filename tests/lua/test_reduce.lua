-- Reductions, softmax, sorting and comparing, against plain Lua loops.

local luaunit = require "luaunit"
local layouts = require "layouts"
local support = require "support"
local tensor = require("unroll").tensor

local list, like = layouts.list, layouts.like
local inf, nan = math.huge, 0 / 0

-- --- the naive reference: a list of numbers -> a number, or a number and an index --------

local naive = {}

function naive.sum(x)
  local sum = 0.0
  for _, v in ipairs(x) do sum = sum + v end
  return sum
end

function naive.prod(x)
  local product = 1.0
  for _, v in ipairs(x) do product = product * v end
  return product
end

function naive.mean(x)
  return naive.sum(x) / #x
end

function naive.var(x)
  local mean, sum = naive.mean(x), 0
  for _, v in ipairs(x) do sum = sum + (v - mean) ^ 2 end
  return #x > 1 and sum / (#x - 1) or nan
end

function naive.std(x)
  return math.sqrt(naive.var(x))
end

local function extreme(x, better)
  local best = 1
  for i, v in ipairs(x) do
    if better(v, x[best]) then best = i end
  end
  return x[best], best
end

function naive.max(x)
  return extreme(x, function(a, b) return a > b end)
end

function naive.min(x)
  return extreme(x, function(a, b) return a < b end)
end

function naive.argmax(x)
  return (select(2, naive.max(x)))
end

function naive.argmin(x)
  return (select(2, naive.min(x)))
end

function naive.any(x)
  for _, v in ipairs(x) do
    if v ~= 0 then return true end
  end
  return false
end

function naive.all(x)
  for _, v in ipairs(x) do
    if v == 0 then return false end
  end
  return true
end

function naive.norm(x)
  local sum = 0
  for _, v in ipairs(x) do sum = sum + v * v end
  return math.sqrt(sum)
end

function naive.logsumexp(x)
  local sum = 0
  for _, v in ipairs(x) do sum = sum + math.exp(v) end
  return math.log(sum)
end

local names = { "sum", "prod", "mean", "var", "std", "max", "min", "argmax", "argmin", "any",
  "all", "norm", "logsumexp" }
local needs_numbers = { max = true, min = true, argmax = true, argmin = true }
local for_int32 = { sum = true, mean = true, max = true, min = true, argmax = true,
  argmin = true, any = true, all = true }

-- name(t, dim, options): norm has p before dim.
local function call(name, t, ...)
  if name == "norm" then return tensor.norm(t, 2, ...) end
  return tensor[name](t, ...)
end

-- The lines of a 2-d tensor along dim, as lists.
local function lines(t, dim)
  local result, rows = {}, t:totable()
  for i = 1, t:size(3 - dim) do
    result[i] = {}
    for j = 1, t:size(dim) do
      result[i][j] = dim == 2 and rows[i][j] or rows[j][i]
    end
  end
  return result
end

-- Reals with ties and zeros among them.
local function make(dtype, layout)
  local t = layouts.make[layout](dtype == "int32" and "float32" or dtype, -3, 3)
  if dtype == "int32" then return (t * 2):round():to("int32") end
  return tensor.where(t:abs():lt(0.5), t - t, t)
end

TestReduce = {}

function TestReduce.test_all_elements()
  for _, name in ipairs(names) do
    for _, real in ipairs(layouts.reals) do
      for _, layout in ipairs(layouts.names) do
        local t = make(real[1], layout)
        local numbers, what = list(t), name .. " " .. real[1] .. " " .. layout
        if #numbers > 0 or not needs_numbers[name] then
          local actual, expected = call(name, t), naive[name](numbers)
          luaunit.assertEquals(type(actual), type(expected), what)
          support.near(actual, expected, real[2], what)
        end
      end
    end
  end
end

function TestReduce.test_along_a_dimension()
  for _, name in ipairs(names) do
    for _, real in ipairs(layouts.reals) do
      for _, layout in ipairs { "contiguous", "transposed", "strided", "broadcast" } do
        for dim = 1, 2 do
          local t, values, places = make(real[1], layout), {}, {}
          for i, line in ipairs(lines(t, dim)) do
            values[i], places[i] = naive[name](line)
            if type(values[i]) == "boolean" then values[i] = values[i] and 1 or 0 end
          end
          local what = table.concat({ name, real[1], layout, dim }, " ")
          local y, indices = call(name, t, dim)
          support.near(y, values, real[2], what)
          if name == "max" or name == "min" then
            luaunit.assertEquals(indices:dtype(), "int32")
            support.near(indices, places, 0, what)
          end
          luaunit.assertTrue(tensor.equal(call(name, t, dim - 3), y), what) -- from the end
          local kept = call(name, t, dim, { keepdim = true })
          luaunit.assertEquals(kept:size(), { dim == 1 and 1 or 3, dim == 1 and 5 or 1 })
          luaunit.assertTrue(tensor.equal(kept:squeeze(dim), y), what)
        end
      end
    end
  end
end

function TestReduce.test_outputs()
  for _, name in ipairs(names) do
    local t = make("float32", "strided")
    for dim = 1, 2 do
      for _, options in ipairs { {}, { keepdim = true } } do
        local y, indices = call(name, t, dim, options)
        local wide = tensor.zeros(10, 10):to(y:dtype())
        local out = options.keepdim and wide:narrow(1, 1, y:size(1)):narrow(2, 2, y:size(2))
          or wide:select(2, 3):narrow(1, 1, y:size(1))
        local out_indices = indices and tensor.zeros(y:size(), { dtype = "int32" })
        luaunit.assertTrue(rawequal((call(name, t, dim, options, out, out_indices)), out))
        luaunit.assertTrue(tensor.equal(out, y), name)
        luaunit.assertTrue(not indices or tensor.equal(out_indices, indices), name)
      end
    end
  end
end

function TestReduce.test_one_output_of_two()
  local t, out = tensor { { 1, 5, 2 }, { 7, 0, 3 } }, tensor.zeros(2)
  local values, indices = t:max(2, nil, out)
  luaunit.assertTrue(rawequal(values, out))
  support.near(out, { 5, 7 }, 0)
  support.near(indices, { 2, 1 }, 0)
  local places = tensor.zeros(2, { dtype = "int32" })
  values, indices = t:min(2, nil, nil, places)
  luaunit.assertTrue(rawequal(indices, places))
  support.near(values, { 1, 0 }, 0)
end

function TestReduce.test_three_dimensions()
  local t = tensor.arange(1, 24):to("float32"):view(2, 3, 4)
  support.near(t:sum(2), { { 15, 18, 21, 24 }, { 51, 54, 57, 60 } }, 0)
  support.near(t:permute(3, 1, 2):sum(3), { { 15, 51 }, { 18, 54 }, { 21, 57 }, { 24, 60 } }, 0)
  support.near(t:mean(1):select(1, 1), { 7, 8, 9, 10 }, 0)
  support.near(t:max(3):totable(), { { 4, 8, 12 }, { 16, 20, 24 } }, 0)
  support.near(t:argmin(1):totable(), { { 1, 1, 1, 1 }, { 1, 1, 1, 1 }, { 1, 1, 1, 1 } }, 0)
end

function TestReduce.test_empty()
  local t = tensor.zeros(0, 3)
  luaunit.assertEquals(t:sum(), 0.0)
  luaunit.assertEquals(t:prod(), 1.0)
  luaunit.assertEquals(t:norm(), 0.0)
  luaunit.assertNaN(t:mean())
  luaunit.assertNaN(t:var())
  luaunit.assertEquals(t:logsumexp(), -inf)
  luaunit.assertFalse(t:any())
  luaunit.assertTrue(t:all())
  support.near(t:sum(1), { 0, 0, 0 }, 0)
  support.near(t:prod(1), { 1, 1, 1 }, 0)
  support.near(t:mean(1), { nan, nan, nan }, 0)
  luaunit.assertEquals(t:sum(2):size(), { 0 })
  luaunit.assertEquals(t:max(2):size(), { 0 })
  support.raises("max: x is (0,3): there is nothing to choose from", t.max, t)
  support.raises("argmin: x is (0,3): there is nothing to choose from", t.argmin, t, 1)
end

function TestReduce.test_int32()
  for name in pairs(for_int32) do
    for _, layout in ipairs(layouts.names) do
      local t = make("int32", layout)
      local numbers = list(t)
      if #numbers > 0 or not needs_numbers[name] then
        support.near(call(name, t), naive[name](numbers), 0, name .. " " .. layout)
      end
    end
  end
  local large = tensor.full({ 3 }, 2147483647, { dtype = "int32" })
  luaunit.assertEquals(large:sum(), 6442450941)
  luaunit.assertEquals(math.type(large:sum()), "integer")
  luaunit.assertEquals(math.type(large:max()), "integer")
  luaunit.assertEquals(large:sum(1):dtype(), "float64")
  luaunit.assertEquals(large:sum(1):item(), 6442450941.0)
  luaunit.assertEquals(large:max(1):dtype(), "int32")
  for _, name in ipairs { "prod", "var", "std", "norm", "logsumexp" } do
    support.raises("int32 does not compute", tensor[name], large)
  end
end

function TestReduce.test_nan_and_infinity()
  local t = tensor { { 1, nan, 3 }, { inf, 2, -inf } }
  luaunit.assertNaN(t:max())
  luaunit.assertNaN(t:min())
  luaunit.assertEquals(t:argmax(), 2)
  luaunit.assertEquals(t:select(1, 2):max(), inf)
  luaunit.assertEquals(t:select(1, 2):argmin(), 3)
  local values, indices = t:max(2)
  support.near(values, { nan, inf }, 0)
  support.near(indices, { 2, 1 }, 0)
  luaunit.assertNaN(t:sum())
  luaunit.assertNaN(t:norm())
  luaunit.assertEquals(t:select(1, 2):norm(), inf)
  luaunit.assertTrue(tensor { nan, 0 }:any())
  local long = tensor.zeros(100)
  long[77] = nan -- inside the part of a loop that is SIMD
  luaunit.assertNaN(long:max())
  luaunit.assertEquals(long:argmin(), 77)
  luaunit.assertEquals(tensor { -inf, -inf }:logsumexp(), -inf)
  luaunit.assertEquals(tensor { 1000, 1000 }:logsumexp(), 1000 + math.log(2))
end

-- Long tensors are read in stretches of 2^18.
function TestReduce.test_the_first_extreme_of_a_long_tensor()
  local x = tensor.zeros(700001)
  for _, at in ipairs { 700001, 524289, 262145, 262144, 1 } do
    x[at] = 5
    luaunit.assertEquals({ x:argmax(), x:neg():argmin() }, { at, at })
  end
  for _, at in ipairs { 600000, 300000 } do
    x[at] = nan
    luaunit.assertEquals({ x:argmax(), x:argmin() }, { at, at })
  end
  luaunit.assertEquals(tensor.full({ 300000 }, -inf):argmax(), 1)
end

-- Rows of many columns, which lie a page apart and go in groups: ties, zeros of both signs
-- and NaN in some columns. Of late rows only those are looked at that have something better:
-- the rare large and small ones here.
local function check_extremes_of_columns(height, width)
  local picks = { -2, -1, -0.0, 0, 1, 2, 3 }
  for _, dtype in ipairs { "float32", "float64", "int32" } do
    local rows, choice = {}, tensor.generator(6)
    for i = 1, height do
      rows[i] = {}
      for j = 1, width do
        local rare = choice:integer(4 * height)
        rows[i][j] = rare == 1 and dtype ~= "int32" and nan or rare == 2 and i or rare == 3 and -i
          or picks[choice:integer(7)]
      end
    end
    local t = tensor(rows, { dtype = dtype == "int32" and "float32" or dtype }):to(dtype)
    local padded = tensor.zeros(height, width + 3, { dtype = dtype })
    padded:narrow(2, 3, width):copy_(t)
    for _, name in ipairs { "max", "min" } do
      for form, x in pairs { whole = t, part = padded:narrow(2, 3, width) } do
        local values, indices = x[name](x, 1)
        local at, found = list(indices), list(values)
        for j = 1, width do
          local best = 1
          for i = 2, height do
            local v, b = rows[i][j], rows[best][j]
            local better = name == "max" and v > b or name == "min" and v < b
            if b == b and (v ~= v or better) then best = i end
          end
          local v = rows[best][j]
          luaunit.assertTrue(at[j] == best and (found[j] == v or v ~= v and found[j] ~= found[j]),
            ("%s of %s %s, column %d"):format(name, form, dtype, j))
        end
      end
    end
  end
end

function TestReduce.test_extremes_of_many_columns()
  check_extremes_of_columns(11, 2300)
  check_extremes_of_columns(203, 139)
end

-- Few numbers go another way than many: 70 times the same ones must give 70 times the same.
function TestReduce.test_few_numbers_are_reduced_as_many()
  local choice = tensor.generator(11)
  local common, odd = { -2, -1, -0.0, 0, 1, 2, 3 }, { nan, inf, -inf, 1e200, 1e-200 }
  local function pick(dtype)
    local from = dtype ~= "int32" and choice:integer(12) == 1 and odd or common
    return from[choice:integer(#from)]
  end
  local close = { rtol = 1e-6, equal_nan = true }
  local function compare(name, t, dim)
    local copies = t:unsqueeze(1):expand(70, table.unpack(t:size())):clone()
    local found, places = call(name, t, dim)
    local expected, expected_places = call(name, copies, dim + 1)
    local what = ("%s of %s along %d: %s"):format(name, t:dtype(), dim, t)
    local signs = 1 / found:to("float64")
    for i = 1, 70, 23 do
      local other = expected:select(1, i)
      luaunit.assertTrue(tensor.allclose(found, other, close), what)
      luaunit.assertTrue(tensor.allclose(signs, 1 / other:to("float64"), close), what)
      luaunit.assertTrue(not places or tensor.equal(places, expected_places:select(1, i)), what)
    end
  end
  for _, dtype in ipairs { "float32", "float64", "int32" } do
    for _, sizes in ipairs { { 1 }, { 16 }, { 17 }, { 4, 16 }, { 2, 3, 4 }, { 1, 5, 1 } } do
      local t = tensor.zeros(sizes, { dtype = dtype })
      local flat = t:view(t:numel())
      for i = 1, t:numel() do flat[i] = pick(dtype) end
      for _, name in ipairs(names) do
        for dim = 1, #sizes do
          if dtype ~= "int32" or for_int32[name] then
            compare(name, t, dim)
            compare(name, t:transpose(1, #sizes), dim)
          end
        end
      end
    end
  end
end

-- Lines with gaps are put side by side, all of a line or piece by piece.
function TestReduce.test_lines_with_gaps()
  for _, dtype in ipairs { "float32", "float64", "int32" } do
    for _, n in ipairs { 3, 31, 32, 33, 513, 4096, 4097, 9000 } do
      local wide = tensor.zeros(3, 2 * n, { dtype = dtype })
      local gaps = wide[{ {}, { 2, 2 * n, 2 } }]
      for _, name in ipairs(names) do
        if dtype ~= "int32" or for_int32[name] then
          wide:copy_((tensor.rand(3, 2 * n) * 1000):floor_())
          if name == "prod" then wide:sub_(499.5):sign_() end
          local found, places = call(name, gaps, 2)
          local expected, expected_places = call(name, gaps:clone(), 2)
          local what = ("%s of %d %s"):format(name, n, dtype)
          luaunit.assertTrue(tensor.allclose(found, expected, { rtol = 1e-6 }), what)
          if places then luaunit.assertTrue(tensor.equal(places, expected_places), what) end
        end
      end
    end
  end
end

function TestReduce.test_sums_are_accurate()
  local t = tensor.full({ 10000000 }, 0.1)
  local tenth = string.unpack("f", string.pack("f", 0.1))
  luaunit.assertAlmostEquals(t:sum(), 1e7 * tenth, 1e-6)
  local columns = t:narrow(1, 1, 1000000):view(100000, 10):sum(1):to("float64")
  luaunit.assertAlmostEquals(columns:max(), 1e5 * tenth, 1e-2) -- float32 near 10000
  local double = tensor.full({ 1000000 }, 0.1, { dtype = "float64" })
  luaunit.assertAlmostEquals(double:sum(), 1e5, 1e-10)
  luaunit.assertAlmostEquals((double + 1e8):var() + 1, 1, 1e-12)
end

function TestReduce.test_var_and_std_options()
  local t = tensor { 1, 2, 3, 6 }
  luaunit.assertEquals(t:var({ unbiased = false }), 3.5)
  luaunit.assertEquals(t:var(nil, { unbiased = false }), 3.5)
  luaunit.assertAlmostEquals(t:var(), 14 / 3, 1e-12)
  luaunit.assertAlmostEquals(t:std(1, { unbiased = false }):item(), math.sqrt(3.5), 1e-6)
  luaunit.assertNaN(tensor { 5 }:var())
  luaunit.assertEquals(tensor { 5 }:var({ unbiased = false }), 0.0)
end

function TestReduce.test_norms()
  local t = tensor({ { 3, -4 }, { 0, 12 } }, { dtype = "float64" })
  luaunit.assertEquals(t:norm(), 13.0)
  luaunit.assertEquals(t:norm(1), 19.0)
  luaunit.assertEquals(t:norm(inf), 12.0)
  luaunit.assertAlmostEquals(t:norm(3), (27 + 64 + 1728) ^ (1 / 3), 1e-12)
  support.near(t:norm(2, 1), { 3, math.sqrt(160) }, 1e-12)
  support.near(t:norm(1, 2), { 7, 12 }, 0)
  luaunit.assertEquals((t * 1e300):norm() / 1e300, 13.0)
  luaunit.assertAlmostEquals((t * 1e-300):norm() / 1e-300, 13.0, 1e-12)
  luaunit.assertEquals(tensor({ 5e-324 }, { dtype = "float64" }):norm(), 5e-324)
end

-- More columns than any room for numbers on the way.
function TestReduce.test_norms_of_many_columns()
  for _, dtype in ipairs { "float32", "float64" } do
    local t = tensor.randn({ 40, 2051 }, { dtype = dtype })
    local turned = t:t():clone()
    for _, p in ipairs { 1, 2, 2.5, 3, 16, 17, inf } do
      support.near(t:norm(p, 1), turned:norm(p, 2), dtype == "float32" and 1e-6 or 1e-13)
    end
  end
end

-- Neighbouring columns are finished together: the odd ones must not spoil the others.
function TestReduce.test_many_columns_some_of_them_odd()
  local odd <const> = { nan, inf, -inf, 0 }
  for _, dtype in ipairs { "float32", "float64" } do
    local t = tensor.randn(5, 700, { dtype = dtype })
    for i, x in ipairs(odd) do
      t[{ 3, 100 * i - 1 }] = x     -- one odd number in the column
      t:select(2, 50 * i):fill_(x) -- nothing else
    end
    local turned = t:t():clone()
    for _, name in ipairs { "mean", "var", "std", "logsumexp" } do
      support.near(t[name](t, 1), turned[name](turned, 2):totable(), 1e-6, name .. dtype)
    end
    for _, p in ipairs { 1, 2, 2.5, 3, inf } do
      support.near(t:norm(p, 1), turned:norm(p, 2):totable(), 1e-6, "norm " .. p .. dtype)
    end
    support.near(t:var(1, { unbiased = false }), (t:var(1) * 0.8):totable(), 1e-6, dtype)
  end
end

-- The p-norm of a list, scaled as a whole by its largest element.
local function scaled_norm(x, p)
  local largest, sum = 0, 0
  for _, v in ipairs(x) do
    if v ~= v then return nan end
    largest = math.max(largest, math.abs(v))
  end
  if largest == 0 or largest == inf then return largest end
  for _, v in ipairs(x) do sum = sum + (math.abs(v) / largest) ^ p end
  return sum ^ (1 / p) * largest
end

function TestReduce.test_norms_near_the_ends_of_the_range()
  local rows = { { 1.9, -1.9, 0.3 }, { 1.5e308, 1e308, 1 }, { 5e-324, 5e-324, 0 },
    { 3e-320, 4e-320, 0 }, { 1e200, 1e-200, 3 }, { 1e-200, 2e-200, 1e-210 }, { 0, 0, 0 },
    { -inf, 1, 2 }, { 1, nan, inf }, { 3, 4, 12 } }
  local t = tensor(rows, { dtype = "float64" })
  local columns = t:t():contiguous():t()
  for _, p in ipairs { 0.5, 1, 2, 3, 3.5, 30, 300, 2000, 1e6, inf } do
    local by_lines, by_columns = t:norm(p, 2), columns:norm(p, 2)
    for i, x in ipairs(rows) do
      local expected = scaled_norm(x, p)
      for form, found in pairs { all = t[i]:norm(p), line = by_lines[i], column = by_columns[i] } do
        luaunit.assertTrue(found == expected or (found ~= found and expected ~= expected) or
          math.abs(found - expected) <= 1e-9 * expected + 1e-323,
          ("%s of row %d, p = %g: %s, expected %s"):format(form, i, p, found, expected))
      end
    end
  end
end

function TestReduce.test_wrong_calls()
  local t = tensor.zeros(2, 3)
  support.raises("dimension 3 is out of range 1..2", t.sum, t, 3)
  support.raises("dimension 0 is out of range", t.sum, t, 0)
  support.raises("keepdim", t.sum, t, 1, { keepdims = true })
  support.raises("unbiased", t.sum, t, 1, { unbiased = true })
  support.raises("sum: keepdim needs a dimension", t.sum, t, { keepdim = true })
  support.raises("sum: out needs a dimension", t.sum, t, nil, nil, tensor.zeros(3))
  support.raises("out is float32 (3), must be float32 (2)", t.sum, t, 2, nil, tensor.zeros(3))
  support.raises("sum: out must not overlap x", t.sum, t, 1, nil, t:select(1, 1))
  support.raises("p is 0, must be greater than 0", t.norm, t, 0)
  support.raises("expected, got table", tensor.sum, {})
  support.raises("table expected, got boolean", t.sum, t, 1, true)
end

-- --- softmax, cumsum ---------------------------------------------------------------------

TestAlong = {}

local along = {}

function along.softmax(x)
  local sum, y = 0, {}
  for _, v in ipairs(x) do sum = sum + math.exp(v) end
  for i, v in ipairs(x) do y[i] = math.exp(v) / sum end
  return y
end

function along.log_softmax(x)
  local y = along.softmax(x)
  for i, v in ipairs(y) do y[i] = math.log(v) end
  return y
end

function along.cumsum(x)
  local sum, y = 0, {}
  for i, v in ipairs(x) do
    sum = sum + v
    y[i] = sum
  end
  return y
end

function TestAlong.test_every_layout()
  for name, reference in pairs(along) do
    for _, real in ipairs(layouts.reals) do
      for _, layout in ipairs { "contiguous", "transposed", "strided", "broadcast" } do
        for dim = 1, 2 do
          local t, expected = layouts.make[layout](real[1], -3, 3), {}
          for i, line in ipairs(lines(t, dim)) do expected[i] = reference(line) end
          local y = tensor[name](t, dim)
          local what = table.concat({ name, real[1], layout, dim }, " ")
          support.near(dim == 2 and y or y:t(), expected, 2 * real[2], what)
          local changed = t:clone()
          tensor[name](changed, dim, changed)
          luaunit.assertTrue(tensor.equal(changed, y), what)
        end
      end
      local long = layouts.make.long(real[1], -3, 3)
      support.near(tensor[name](long, 1), reference(list(long)), 5 * real[2], name)
    end
    luaunit.assertEquals(tensor[name](tensor.zeros(0, 3), 2):size(), { 0, 3 })
    luaunit.assertEquals(tensor[name](tensor.zeros(3, 0), 2):size(), { 3, 0 })
  end
end

-- Running sums go in groups of four, and look whether to stop at every 65536th number.
function TestAlong.test_running_sums_of_every_length()
  for _, n in ipairs { 0, 1, 2, 3, 4, 5, 7, 8, 9, 70001 } do
    local wide = (tensor.rand(n, 3, { dtype = "float64" }) * 16):floor_()
    local x = wide:select(2, 2)
    local y, z = x:cumsum(1), tensor.vjp.cumsum(x, nil, nil, 1)
    local sum = 0
    for i, v in ipairs(list(x)) do
      sum = sum + v
      if n < 10 or i % 997 == 0 or i == n then
        luaunit.assertEquals({ y[i], z[i] }, { sum, x:narrow(1, i, n - i + 1):sum() })
      end
    end
    luaunit.assertTrue(rawequal(x:cumsum(1, x), x)) -- in place, with gaps
    luaunit.assertTrue(tensor.equal(x, y))
  end
end

function TestAlong.test_large_logits()
  local t = tensor { { 1e4, -1e4, 1e4 }, { -1e4, -1e4, -1e4 } }
  support.near(t:softmax(2), { { 0.5, 0, 0.5 }, { 1 / 3, 1 / 3, 1 / 3 } }, 1e-6)
  local half = math.log(0.5)
  support.near(t:log_softmax(2):select(1, 1), { half, -2e4 + half, half }, 1e-6)
end

-- In order, every sum is a number; of some neighbours alone it is not.
function TestAlong.test_running_sums_that_pass_near_the_end_of_the_range()
  local x = tensor({ 0, 0, 0, -1.7e308, 1e308, 1e308, -1, 0, 2, 1, 1, 1, 1 }, { dtype = "float64" })
  local y, sum = x:cumsum(1), 0
  for i = 1, x:numel() do
    sum = sum + x[i]
    luaunit.assertEquals(y[i], sum)
  end
end

function TestAlong.test_derivatives()
  local step = 1e-6
  for _, name in ipairs { "softmax", "log_softmax", "cumsum" } do
    for dim = 1, 2 do
      local x = layouts.make.strided("float64", -2, 2)
      local dy = layouts.make.transposed("float64", -1, 1)
      local values, expected = list(x), {}
      for i, v in ipairs(values) do
        values[i] = v + step
        local up = (tensor[name](like(x, values), dim) * dy):sum()
        values[i] = v - step
        local down = (tensor[name](like(x, values), dim) * dy):sum()
        values[i], expected[i] = v, (up - down) / (2 * step)
      end
      local dx = tensor.vjp[name](dy, x, tensor[name](x, dim), dim)
      support.near(list(dx), expected, 1e-7, name)
      local out = dy:clone()
      luaunit.assertTrue(rawequal(tensor.vjp[name](out, x, tensor[name](x, dim), dim, out), out))
      support.near(out, dx, 1e-14, name)
    end
  end
end

function TestAlong.test_derivatives_of_sum_and_mean()
  local x = tensor.zeros(2, 4)
  support.near(tensor.vjp.sum(3, x), { { 3, 3, 3, 3 }, { 3, 3, 3, 3 } }, 0)
  support.near(tensor.vjp.mean(8, x), { { 1, 1, 1, 1 }, { 1, 1, 1, 1 } }, 0)
  support.near(tensor.vjp.sum(tensor { 1, 2 }, x, nil, 2), { { 1, 1, 1, 1 }, { 2, 2, 2, 2 } }, 0)
  support.near(tensor.vjp.mean(tensor { { 4 }, { 8 } }, x, nil, 2),
    { { 1, 1, 1, 1 }, { 2, 2, 2, 2 } }, 0)
  local out = tensor.zeros(4, 2):t()
  tensor.vjp.mean(tensor { 2, 4, 6, 8 }, x, nil, 1, out)
  support.near(out, { { 1, 2, 3, 4 }, { 1, 2, 3, 4 } }, 0)
  support.raises("vjp.sum: dy is (3), x is (2,4): dy must have the sizes of the result",
    tensor.vjp.sum, tensor.zeros(3), x, nil, 2)
  support.raises("vjp.mean: dy is (4), x is (2,4)", tensor.vjp.mean, tensor.zeros(4), x)
end

-- --- sort, topk --------------------------------------------------------------------------

TestSort = {}

-- A sorted copy of a line with the places, by insertion (stable).
local function insertion_sort(line, before)
  local values, places = {}, {}
  for i, v in ipairs(line) do
    local k = i
    while k > 1 and before(v, values[k - 1]) do
      values[k], places[k] = values[k - 1], places[k - 1]
      k = k - 1
    end
    values[k], places[k] = v, i
  end
  return values, places
end

local function ascending(a, b) return a < b end
local function descending(a, b) return a > b end

function TestSort.test_every_layout()
  for _, dtype in ipairs { "float32", "float64", "int32" } do
    for _, layout in ipairs { "contiguous", "transposed", "strided", "broadcast" } do
      for dim = 1, 2 do
        for _, down in ipairs { false, true } do
          local t, values, places = make(dtype, layout), {}, {}
          for i, line in ipairs(lines(t, dim)) do
            values[i], places[i] = insertion_sort(line, down and descending or ascending)
          end
          local sorted, indices = t:sort(dim, down)
          local what = table.concat({ dtype, layout, dim }, " ")
          support.near(dim == 2 and sorted or sorted:t(), values, 0, what)
          support.near(dim == 2 and indices or indices:t(), places, 0, what)
          luaunit.assertEquals(sorted:dtype(), dtype)
        end
      end
    end
  end
end

function TestSort.test_long_lines_and_ties()
  local t = (tensor.rand(1000) * 50):floor()
  local values, places = insertion_sort(list(t), ascending)
  local sorted, indices = t:sort()
  support.near(sorted, values, 0)
  support.near(indices, places, 0)
  luaunit.assertTrue(rawequal((t:sort(1, false, t)), t))
  luaunit.assertTrue(tensor.equal(t, sorted))
end

function TestSort.test_nan_counts_as_the_largest()
  local t = tensor { 2, nan, inf, 1, nan }
  local sorted, indices = t:sort()
  support.near(sorted, { 1, 2, inf, nan, nan }, 0)
  support.near(indices, { 4, 1, 3, 2, 5 }, 0)
  sorted, indices = t:sort(1, true)
  support.near(sorted, { nan, nan, inf, 2, 1 }, 0)
  support.near(indices, { 2, 5, 3, 1, 4 }, 0)
end

-- Few numbers are merged, many are sorted by their digits: the same order on both sides.
function TestSort.test_many_with_ties_and_odd_numbers_are_stable()
  local generator = tensor.generator(3)
  for _, n in ipairs { 7, 8, 9, 255, 256, 257, 3000 } do
    local t = tensor.randn(n, { dtype = "float64", generator = generator }) * 1e3
    t[{ { 1, n, 3 } }] = t[{ { 1, n, 3 } }]:floor() * 1e-3 -- ties, near 0 on both sides
    t[2], t[3], t[4], t[5], t[6], t[7] = nan, -inf, inf, nan, -0.0, 0.0
    local whole = tensor.where(t:isfinite(), t, 5):to("int32")
    for _, x in ipairs { t, t:to("float32"), -t, t:abs() * 1e-310, whole } do
      for _, down in ipairs { false, true } do
        local values, places, order = list(x), {}, down and -1 or 1
        for k = 1, n do places[k] = k end
        local function rank(v) return v ~= v and { 1, 0 } or { 0, v } end
        table.sort(places, function(a, b)
          local p, q = rank(values[a]), rank(values[b])
          if p[1] ~= q[1] then return p[1] * order < q[1] * order end
          if p[2] ~= q[2] then return p[2] * order < q[2] * order end
          return a < b
        end)
        local sorted, indices = x:sort(1, down)
        luaunit.assertEquals(indices:totable(), places)
        for k, place in ipairs(places) do
          local v, w = sorted[k], values[place]
          luaunit.assertTrue((v ~= v and w ~= w) or (v == w and 1 / v == 1 / w))
        end
      end
    end
  end
end

function TestSort.test_topk()
  local t = tensor { { 3, 9, 4, 9 }, { 1, 2, 3, 4 } }
  local values, indices = t:topk(2)
  support.near(values, { { 9, 9 }, { 4, 3 } }, 0)
  support.near(indices, { { 2, 4 }, { 4, 3 } }, 0)
  support.near((t:topk(1, 1)), { { 3, 9, 4, 9 } }, 0)
  local out, out_indices = tensor.zeros(2, 3), tensor.zeros(2, 3, { dtype = "int32" })
  t:topk(3, 2, out, out_indices)
  support.near(out, { { 9, 9, 4 }, { 4, 3, 2 } }, 0)
  luaunit.assertEquals(t:topk(0):size(), { 2, 0 })
  support.raises("k is 5, must be from 0 to 4", t.topk, t, 5)
  support.raises("k is -1, must be from 0 to 4", t.topk, t, -1)
end

-- Few of many are selected without a sort of all.
function TestSort.test_topk_of_long_lines_is_the_start_of_the_sorted_ones()
  local generator = tensor.generator(5)
  local many = tensor.randn(2, 9000, { generator = generator })
  local ties = (many * 3):floor()
  local rising = tensor.arange(9000):reshape(1, 9000)
  local odd = many:clone()
  odd[{ 1, 77 }], odd[{ 1, 8000 }], odd[{ 2, 5 }] = nan, nan, inf
  for _, t in ipairs { many, ties, rising, -rising, odd, ties:to("int32"), many:t():clone():t() } do
    local values, indices = t:sort(2, true)
    for _, k in ipairs { 1, 10, 500 } do
      local top, places = t:topk(k, 2)
      support.near(top, values:narrow(2, 1, k):totable(), 0)
      support.near(places, indices:narrow(2, 1, k):totable(), 0)
    end
  end
end

function TestSort.test_wrong_calls()
  support.raises("a tensor () has no dimension to sort along", tensor.sort,
    tensor.zeros(1):select(1, 1))
  support.raises("dimension 2 is out of range 1..1", tensor.sort, tensor.zeros(3), 2)
  local t = tensor.zeros(4)
  support.raises("sort: out must not overlap x", tensor.sort, t:narrow(1, 1, 3), 1, false,
    t:narrow(1, 2, 3))
end

-- --- equal, allclose, dot, outer ---------------------------------------------------------

TestCompare = {}

function TestCompare.test_equal()
  local t = layouts.make.transposed("float32", -1, 1)
  luaunit.assertTrue(tensor.equal(t, t:clone()))
  luaunit.assertTrue(t:equal(t:to("float64")))
  luaunit.assertFalse(t:equal(t + 1e-3))
  luaunit.assertFalse(tensor.equal(tensor.zeros(3), tensor.zeros(1, 3)))
  luaunit.assertFalse(tensor.equal(tensor { nan }, tensor { nan }))
  luaunit.assertTrue(tensor.equal(tensor.zeros(0), tensor.zeros(0)))
  luaunit.assertTrue(tensor.equal(tensor { 1 }, tensor({ 1 }, { dtype = "int32" })))
  support.raises("expected, got number", tensor.equal, t, 1)
end

-- By pieces of 1024, in the tensors' own dtype or in float64; one difference anywhere.
function TestCompare.test_equal_finds_each_difference()
  for _, dtype in ipairs { "float32", "float64", "int32", "uint8", "uint16" } do
    for _, n in ipairs { 1, 15, 1024, 1025, 3000 } do
      local a = (tensor.rand(n) * 100):floor_():to(dtype)
      local wide = tensor.zeros(2 * n, { dtype = dtype })
      wide[{ { 1, 2 * n, 2 } }] = a
      for form, b in pairs { own = a:clone(), gaps = wide[{ { 1, 2 * n, 2 } }],
          real = a:to("float64"), integers = a:to("int32") } do
        b = rawequal(a, b) and a:clone() or b
        local what = ("%s %s, %d numbers"):format(dtype, form, n)
        luaunit.assertTrue(tensor.equal(a, b), what)
        for _, at in ipairs { 1, n // 2 + 1, n } do
          local kept = b[at]
          b[at] = kept + 1
          luaunit.assertFalse(tensor.equal(a, b), what)
          luaunit.assertFalse(tensor.equal(b, a), what)
          luaunit.assertTrue(tensor.allclose(a, b, { atol = 1 }), what)
          b[at] = kept
        end
      end
    end
  end
  local t = tensor.zeros(2000)
  luaunit.assertTrue(tensor.equal(t, t:neg())) -- -0.0
  t[1999] = nan
  luaunit.assertFalse(tensor.equal(t, t))
  luaunit.assertTrue(tensor.allclose(t, t, { equal_nan = true }))
  t[1999] = inf
  luaunit.assertTrue(tensor.equal(t, t))
end

function TestCompare.test_allclose()
  local a = tensor({ 1, 100 }, { dtype = "float64" })
  luaunit.assertTrue(a:allclose(a + 1e-6))
  luaunit.assertFalse(a:allclose(a + 1e-3))
  luaunit.assertTrue(a:allclose(a + 1e-3, { rtol = 0, atol = 2e-3 }))
  luaunit.assertTrue(a:allclose(a * 1.009, { rtol = 0.01 }))
  luaunit.assertTrue(tensor.zeros(2, 3):allclose(tensor.zeros(3)))
  luaunit.assertFalse(tensor.allclose(tensor { inf }, tensor { -inf }))
  luaunit.assertFalse(tensor.allclose(tensor { inf }, tensor { 1e30 }))
  luaunit.assertTrue(tensor.allclose(tensor { inf }, tensor { inf }))
  luaunit.assertFalse(tensor.allclose(tensor { nan }, tensor { nan }))
  luaunit.assertTrue(tensor.allclose(tensor { nan }, tensor { nan }, { equal_nan = true }))
  support.raises("allclose: a is (2), b is (3): these sizes do not broadcast", tensor.allclose,
    tensor.zeros(2), tensor.zeros(3))
  support.raises("rtol must be a number >= 0", a.allclose, a, a, { rtol = -1 })
  support.raises("tol", a.allclose, a, a, { tol = 1 })
end

function TestCompare.test_dot_and_outer()
  for _, real in ipairs(layouts.reals) do
    local a = layouts.make.long(real[1], -1, 1)
    local b = layouts.make.transposed(real[1], -1, 1):select(1, 2)
    local wide = tensor.randn(37, 2, { dtype = real[1] }):select(2, 1)
    local from_a, from_wide, sum = list(a), list(wide), 0
    for i = 1, 37 do sum = sum + from_a[i] * from_wide[i] end
    luaunit.assertAlmostEquals(a:dot(wide), sum, 1e-12)
    local grid, from_b = {}, list(b)
    for i = 1, 37 do
      grid[i] = {}
      for j = 1, 5 do grid[i][j] = from_a[i] * from_b[j] end
    end
    support.near(tensor.outer(a, b), grid, real[2])
  end
  luaunit.assertEquals(tensor.zeros(0):dot(tensor.zeros(0)), 0.0)
  support.raises("dot: a is (2), b is (3): must be vectors of the same size", tensor.dot,
    tensor.zeros(2), tensor.zeros(3))
  support.raises("dot: a is float32, b is float64", tensor.dot, tensor.zeros(2),
    tensor.zeros(2, { dtype = "float64" }))
  support.raises("outer: a is (2,2), b is (3): must be vectors", tensor.outer,
    tensor.zeros(2, 2), tensor.zeros(3))
end
