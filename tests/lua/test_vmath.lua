-- The vector functions of src/core/isa/vmath.h: their errors stay within the bounds that the file
-- states, and they do at the ends what C's functions do.

local luaunit = require "luaunit"
local layouts = require "layouts"
local support = require "support"
local tensor = require("unroll").tensor

local list = layouts.list
local inf, nan = math.huge, 0 / 0

TestVectorMath = {}

-- |y - exact| in units of the last place of exact, for numbers with `bits` bits.
local function ulps(y, exact, bits, smallest)
  if y == exact or (y ~= y and exact ~= exact) then return 0 end
  local exponent = exact == 0 and smallest or math.floor(math.log(math.abs(exact), 2))
  exponent = math.max(smallest, exponent)
  return math.abs(y - exact) / 2.0 ^ (exponent - bits + 1)
end

local function exact_tanh(x)
  if math.abs(x) < 1e-4 then return x - x * x * x / 3 end
  if math.abs(x) > 20 then return x > 0 and 1.0 or -1.0 end
  local e = math.exp(2 * x)
  return (e - 1) / (e + 1)
end

local exact = {
  exp = math.exp,
  tanh = exact_tanh,
  sigmoid = function(x) return 1 / (1 + math.exp(-x)) end,
}
-- In float64, which test_float64_logarithms compares with Lua's.
local function in_float64(name)
  return function(x) return tensor.tensor({ x }, { dtype = "float64" })[name](
    tensor.tensor({ x }, { dtype = "float64" })):item() end
end
for _, name in ipairs { "log", "log2", "log1p", "expm1" } do exact[name] = in_float64(name) end

exact.sin, exact.cos = math.sin, math.cos

local bound = { exp = 1.0, tanh = 2.45, sigmoid = 2.45, log = 0.8, log2 = 1.75, log1p = 2.1,
  expm1 = 2.1, sin = 1.5, cos = 1.5 }

-- Random bit patterns cover all magnitudes; the second half lies where the functions bend.
local function floats(n)
  local parts, generator = {}, tensor.generator(11)
  for i = 1, n do parts[i] = string.pack("I4", generator:integer(2 ^ 32) - 1) end
  local wild = tensor.set_bytes(tensor.zeros(n), table.concat(parts))
  return tensor.cat({ wild, tensor.randn(n, { generator = generator }) * 8 }, 1)
end

function TestVectorMath.test_float32_errors_stay_within_the_stated_bounds()
  local x = floats(30000)
  local inputs = list(x)
  for name, reference in pairs(exact) do
    local worst = 0
    for i, y in ipairs(list(tensor[name](x))) do
      local r = reference(inputs[i])
      if math.abs(r) < 3.4028235e38 or r ~= r then
        worst = math.max(worst, ulps(y, r, 24, -126))
      else
        luaunit.assertEquals(y, inf)
      end
    end
    luaunit.assertTrue(worst <= bound[name] + 0.01, ("%s: %.3f ulp"):format(name, worst))
  end
end

-- Moderate angles, large ones among them (the C library's), and in place.
function TestVectorMath.test_float64_sine_and_cosine()
  local x = tensor.linspace(-1e5, 1e5, 20001, { dtype = "float64" })
  x[700], x[9000], x[9001] = 1e300, inf, nan
  local inputs = list(x)
  for name, reference in pairs { sin = math.sin, cos = math.cos } do
    local values = list(tensor[name](x))
    for i, v in ipairs(inputs) do
      local r = reference(v)
      luaunit.assertTrue(ulps(values[i], r, 53, -1022) <= 2.5, v)
    end
    local part = x:narrow(1, 1, 8000)
    luaunit.assertTrue(tensor.equal(tensor[name](part, part:clone()), tensor[name](part)))
    local own = part:clone()
    luaunit.assertTrue(tensor.equal(tensor[name](own, own), tensor[name](part)))
  end
end

function TestVectorMath.test_float64_logarithms()
  local generator = tensor.generator(4)
  local x = tensor.randn(20000, { dtype = "float64", generator = generator }):mul_(50):exp_()
  x = tensor.cat({ x, tensor.linspace(0.5, 2, 5001, { dtype = "float64" }) }, 1)
  local inputs, log, log2, log1p = list(x), list(x:log()), list(x:log2()), list(x:log1p())
  for i, v in ipairs(inputs) do
    luaunit.assertTrue(ulps(log[i], math.log(v), 53, -1022) <= 1.5, v)
    luaunit.assertTrue(ulps(log2[i], math.log(v, 2), 53, -1022) <= 3, v)
    local series = v - v * v / 2 + v ^ 3 / 3 - v ^ 4 / 4
    local exact_log1p = v < 1e-4 and series or math.log(1 + v)
    luaunit.assertTrue(math.abs(log1p[i] - exact_log1p) <= 1e-15 * exact_log1p + 3e-16, v)
  end
  local y = tensor.linspace(-40, 700, 20001, { dtype = "float64" })
  for i, v in ipairs(list(y:expm1())) do
    local at = y[i]
    if i > 2000 then break end
    luaunit.assertTrue(math.abs(v - (math.exp(at) - 1)) <= 5e-16 * math.abs(v) + 2e-16, at)
  end
  local small = tensor.linspace(-1e-5, 1e-5, 1001, { dtype = "float64" })
  for i, v in ipairs(list(small:expm1())) do
    local at = small[i]
    luaunit.assertTrue(ulps(v, at + at * at / 2 + at ^ 3 / 6, 53, -1022) <= 3, at)
  end
end

function TestVectorMath.test_logarithms_and_powers_at_the_ends()
  for _, dtype in ipairs { "float32", "float64" } do
    local x = tensor.tensor({ 0, -0.0, 1, -1, -2, inf, -inf, nan }, { dtype = dtype })
    support.near(x:log(), { -inf, -inf, 0, nan, nan, inf, nan, nan }, 0)
    support.near(x:log2(), { -inf, -inf, 0, nan, nan, inf, nan, nan }, 0)
    support.near(x:log1p():narrow(1, 4, 5), { -inf, nan, inf, nan, nan }, 0)
    support.near(x:expm1():narrow(1, 6, 3), { inf, -1, nan }, 0)
    luaunit.assertEquals(1 / x:expm1()[2], -inf)
    luaunit.assertEquals(1 / x:log1p()[2], -inf)
    local least = tensor.tensor({ dtype == "float32" and 0x1p-149 or 0x1p-1074 }, { dtype = dtype })
    support.near(least:log2(), { dtype == "float32" and -149 or -1074 }, 0)
    for _, case in ipairs { { 0, 0, 1 }, { nan, 0, 1 }, { 1, nan, 1 }, { 0, -1, inf },
        { -0.0, -1, -inf }, { -0.0, -2, inf }, { -2, 3, -8 }, { -2, 2, 4 }, { -2, 0.5, nan },
        { -inf, 3, -inf }, { -inf, 0.5, inf }, { -inf, -1, -0.0 }, { -1, inf, 1 }, { 0.5, inf, 0 },
        { 2, -inf, 0 }, { inf, -1, 0 }, { nan, 1, nan }, { 2, 0.5, 2 ^ 0.5 }, { 10, 3, 1000 } } do
      local a, b = tensor.tensor({ case[1] }, { dtype = dtype }), case[2]
      local y = tensor.pow(a, tensor.tensor({ b }, { dtype = dtype }))[1]
      support.near(y, case[3], 1e-7)
    end
  end
end

-- Against C's pow, which Lua uses: the last vector of a tensor is not full, exponents are
-- numbers and tensors, results reach the ends.
function TestVectorMath.test_powers()
  local allowed = { float32 = { 1.5, 24, -126 }, float64 = { 2.2, 53, -1022 } }
  for dtype, limit in pairs(allowed) do
    local like = { dtype = dtype, generator = tensor.generator(3) }
    local a = (tensor.randn(5003, like) * 3):exp()
    local b = tensor.randn(5003, like) * (dtype == "float32" and 12 or 100)
    local function check(x, exponents, y)
      for i, v in ipairs(list(y)) do
        local expected = x[i] ^ (type(exponents) == "number" and exponents or exponents[i])
        local overflows = v == inf and expected > 3.4028234e38
        local error_ = overflows and 0 or ulps(v, expected, limit[2], limit[3])
        luaunit.assertTrue(error_ <= limit[1], ("%s(%.17g): %g ulp"):format(dtype, x[i], error_))
      end
    end
    check(a, b, a ^ b)
    check(a, 1.75, a ^ 1.75)
    check(a:narrow(1, 1, 101), -0.5, a:narrow(1, 1, 101) ^ -0.5)
    check(-a, 3, (-a) ^ 3)
    for base = 1, 60 do
      for exponent = 0, 4 do
        local x = tensor.tensor({ base, -base }, { dtype = dtype }) ^ exponent
        local whole = base ^ exponent
        if whole < 2 ^ 24 then
          luaunit.assertEquals(list(x), { whole, exponent % 2 == 0 and whole or -whole })
        end
      end
    end
  end
end

-- Pairs go by pieces of 32: with or without numbers near the ends in a piece, with gaps,
-- in place and beside one number, each pair gives what it gives alone.
function TestVectorMath.test_pieces_of_pairs()
  local odd = { 0, -0.0, 1, -1, inf, -inf, nan, 1e-42, 3e38, -2 }
  for _, dtype in ipairs { "float32", "float64" } do
    local like = { dtype = dtype, generator = tensor.generator(8) }
    local a, b = tensor.rand(300, like) * 4 + 0.1, tensor.randn(300, like) * 5
    for i, v in ipairs(odd) do
      a[100 + 3 * i], b[101 + 3 * i], b[200 + 3 * i], a[200 + 3 * i] = v, v, v, odd[i % 10 + 1]
    end
    local wide = tensor.zeros(300, 2, { dtype = dtype })
    for _, name in ipairs { "pow", "atan2" } do
      local f = tensor[name]
      local found = { whole = f(a, b), own = f(a:clone(), b), gaps = wide:select(2, 1),
        first = a:clone(), second = b:clone() }
      f(a, b, found.gaps)
      f(found.first, b, found.first)
      f(a, found.second, found.second)
      local by_number, of_number = f(a, 1.5), f(1.5, b)
      local function check(y, expected, form, i)
        luaunit.assertTrue(y == expected and 1 / y == 1 / expected or
          y ~= y and expected ~= expected, ("%s %s %s, pair %d"):format(name, dtype, form, i))
      end
      for i = 1, 300 do
        local x, y = tensor({ a[i] }, { dtype = dtype }), tensor({ b[i] }, { dtype = dtype })
        local alone = f(x, y)[1]
        for form, values in pairs(found) do check(values[i], alone, form, i) end
        check(by_number[i], f(x, tensor({ 1.5 }, { dtype = dtype }))[1], "by a number", i)
        check(of_number[i], f(tensor({ 1.5 }, { dtype = dtype }), y)[1], "of a number", i)
      end
    end
  end
end

function TestVectorMath.test_float64_agrees_with_libm()
  local x = tensor.cat({
    tensor.randn(20000, { dtype = "float64" }) * 5,
    tensor.linspace(-744, 709, 5000, { dtype = "float64" }),
  }, 1)
  local inputs = list(x)
  for i, y in ipairs(list(x:exp())) do
    luaunit.assertTrue(ulps(y, math.exp(inputs[i]), 53, -1022) <= 2, inputs[i])
  end
  for name, tolerance in pairs { tanh = 4e-16, sigmoid = 6e-16 } do
    for i, y in ipairs(list(tensor[name](x))) do
      local r = exact[name](inputs[i])
      -- the reference for tanh cancels near 0, that for sigmoid overflows at -710
      local slack = name == "tanh" and 3e-16 or 1e-307
      luaunit.assertTrue(math.abs(y - r) <= tolerance * math.abs(r) + slack, name)
    end
  end
end

-- Random points, points near the diagonals and on the axes; signs and ends as in C.
function TestVectorMath.test_atan2()
  for dtype, limit in pairs { float32 = 2.15, float64 = 2.4 } do
    local like = { dtype = dtype, generator = tensor.generator(5) }
    local y, x = tensor.randn(20000, like), tensor.randn(20000, like)
    y[{ { 1, 5000 } }] = x[{ { 1, 5000 } }] * (tensor.randn(5000, like) * 0.01 + 1)
    y[{ { 5001, 6000 } }] = y[{ { 5001, 6000 } }] * 1e-20
    x[{ { 6001, 7000 } }] = 0
    local ys, xs, angles = list(y), list(x), list(tensor.atan2(y, x))
    local bits, smallest = dtype == "float32" and 24 or 53, dtype == "float32" and -126 or -1022
    for i, angle in ipairs(angles) do -- math.atan errs by half a unit at most
      local off = ulps(angle, math.atan(ys[i], xs[i]), bits, smallest)
      luaunit.assertTrue(off <= limit + 0.6, ("%s: atan2(%g, %g)"):format(dtype, ys[i], xs[i]))
    end
    local ends = { 0.0, -0.0, 1, -1, inf, -inf, nan, 3e38, 1e-45 }
    for _, v in ipairs(ends) do
      for _, u in ipairs(ends) do
        local angle = tensor.atan2(tensor({ v }, { dtype = dtype }), u):item()
        local exact_angle = math.atan(v, u)
        if exact_angle ~= exact_angle then
          luaunit.assertTrue(angle ~= angle)
        else
          luaunit.assertAlmostEquals(angle, exact_angle, 3e-7)
          luaunit.assertEquals(1 / angle < 0, 1 / exact_angle < 0, ("%g %g"):format(v, u))
        end
      end
    end
  end
end
