-- Random numbers: repeatable, independent of strides, with the right distribution.

local lu = require "luaunit"
local support = require "support"
local tensor = require "unroll.tensor"

local eq = lu.assertEquals

TestGenerator = {}

-- xoshiro256++ after splitmix64 seeding: the first words for seed 0, from the authors'
-- reference programs run by hand in Lua integers.
local function reference_words(seed, n)
  local function split_mix()
    seed = seed + 0x9e3779b97f4a7c15
    local z = seed
    z = (z ~ z >> 30) * 0xbf58476d1ce4e5b9
    z = (z ~ z >> 27) * 0x94d049bb133111eb
    return z ~ z >> 31
  end
  local function rotate(x, k) return x << k | x >> (64 - k) end
  local s = { split_mix(), split_mix(), split_mix(), split_mix() }
  local words = {}
  for i = 1, n do
    words[i] = rotate(s[1] + s[4], 23) + s[1]
    local t = s[2] << 17
    s[3] = s[3] ~ s[1]
    s[4] = s[4] ~ s[2]
    s[2] = s[2] ~ s[3]
    s[1] = s[1] ~ s[4]
    s[3] = s[3] ~ t
    s[4] = rotate(s[4], 45)
  end
  return words
end

function TestGenerator.test_the_algorithm()
  for _, seed in ipairs { 0, 1, -1, 123456789 } do
    local g = tensor.generator(seed)
    for _, word in ipairs(reference_words(seed, 20)) do
      eq(g:uniform(), (word >> 11) * 2.0 ^ -53)
    end
  end
  -- splitmix64's first output for seed 0 is a published test value.
  eq(tensor.generator(0):state():sub(1, 16), "e220a8397b1dcdaf")
end

function TestGenerator.test_state_goes_back()
  local g = tensor.generator(5)
  g:normal()
  local state = g:state()
  lu.assertStrMatches(state, ("[0-9a-f]"):rep(64))
  local first = { g:uniform(), g:normal(), g:integer(100) }
  local numbers = tensor.randn(20, { generator = g }):totable()
  lu.assertTrue(rawequal(g:set_state(state), g))
  eq({ g:uniform(), g:normal(), g:integer(100) }, first)
  eq(tensor.randn(20, { generator = g }):totable(), numbers)
  eq(tensor.generator(5):state(), tensor.generator(1):seed(5):state())
  for _, bad in ipairs { "", "12", ("0"):rep(64), ("g"):rep(64), ("A"):rep(64), ("1"):rep(65) } do
    support.raises("64 hexadecimal digits", g.set_state, g, bad)
  end
end

function TestGenerator.test_scalars()
  local g, counts = tensor.generator(2), {}
  for _ = 1, 3000 do
    local u = g:uniform()
    lu.assertTrue(u >= 0 and u < 1)
    local k = g:integer(3)
    counts[k] = (counts[k] or 0) + 1
  end
  eq(#counts, 3)
  for k = 1, 3 do lu.assertAlmostEquals(counts[k], 1000, 120) end
  eq(g:integer(1), 1)
  eq(math.type(g:integer(5)), "integer")
  lu.assertTrue(g:integer(math.maxinteger) >= 1)
  support.raises("must be at least 1", g.integer, g, 0)
  support.raises("integer", g.integer, g, 1.5)
  support.raises("number expected", tensor.generator)
end

local function sorted(list)
  table.sort(list)
  return list
end

function TestGenerator.test_shuffle()
  local g = tensor.generator(4)
  local list = { "a", "b", "c", "d", "e" }
  lu.assertTrue(rawequal(g:shuffle(list), list))
  eq(sorted(list), { "a", "b", "c", "d", "e" })
  eq(g:shuffle {}, {})
  local strided = tensor.arange(10):view(5, 2)
  g:shuffle(strided[{ {}, 1 }])
  eq(strided[{ {}, 2 }]:totable(), { 2, 4, 6, 8, 10 })
  eq(sorted(strided[{ {}, 1 }]:totable()), { 1, 3, 5, 7, 9 })
  support.raises("a 1-d tensor expected", g.shuffle, g, strided)
  support.raises("unroll.Tensor expected", g.shuffle, g, 1)
end

function TestGenerator.test_every_order_is_as_likely()
  local g, counts = tensor.generator(8), {}
  for _ = 1, 6000 do
    local order = table.concat(g:shuffle { 1, 2, 3 })
    counts[order] = (counts[order] or 0) + 1
  end
  for _, order in ipairs { "123", "132", "213", "231", "312", "321" } do
    lu.assertAlmostEquals(counts[order], 1000, 150)
  end
end

function TestGenerator.test_print()
  lu.assertStrContains(tostring(tensor.generator(0)), "generator (state e220a8397b1dcdaf")
end

TestRandom = {}

function TestRandom.test_seed_and_generator()
  tensor.manual_seed(7)
  local a, b = tensor.rand(3, 4), tensor.randn(3, 4)
  tensor.manual_seed(7)
  eq(tensor.rand(3, 4):totable(), a:totable())
  eq(tensor.randn({ 3, 4 }):totable(), b:totable())
  eq(tensor.rand(3, 4, { generator = tensor.generator(7) }):totable(), a:totable())
  tensor.manual_seed(7)
  eq(tensor.default_generator():state(), tensor.generator(7):state())
  lu.assertNotEquals(tensor.rand(12):totable(), tensor.rand(12):totable())
end

function TestRandom.test_strides_do_not_matter()
  for _, name in ipairs { "normal_", "uniform_" } do
    local function filled(t) return t[name](t, 0, 1, tensor.generator(9)):totable() end
    local plain = filled(tensor.zeros(4, 5))
    eq(filled(tensor.zeros(5, 4):t()), plain)
    eq(filled(tensor.zeros(8, 10)[{ { 1, 8, 2 }, { 1, 10, 2 } }]), plain)
    eq(tensor.zeros(20)[name](tensor.zeros(20), 0, 1, tensor.generator(9)):view(4, 5):totable(),
      plain)
  end
end

function TestRandom.test_float32_holds_the_rounded_float64_numbers()
  for _, make in ipairs { tensor.rand, tensor.randn } do
    local wide = make(100, { dtype = "float64", generator = tensor.generator(3) })
    local narrow = make(100, { generator = tensor.generator(3) })
    eq(narrow:totable(), wide:to("float32"):totable())
  end
end

-- Mean, variance, skewness and kurtosis of n numbers from f().
local function moments(n, f)
  local list, mean = {}, 0
  for i = 1, n do
    list[i] = f(i)
    mean = mean + list[i] / n
  end
  local m2, m3, m4 = 0, 0, 0
  for _, x in ipairs(list) do
    local d = x - mean
    m2, m3, m4 = m2 + d ^ 2 / n, m3 + d ^ 3 / n, m4 + d ^ 4 / n
  end
  return mean, m2, m3 / m2 ^ 1.5, m4 / m2 ^ 2
end

function TestRandom.test_normal_moments_and_tails()
  local n = 200000
  local t = tensor.randn(n, { dtype = "float64", generator = tensor.generator(11) }):totable()
  local mean, variance, skew, kurtosis = moments(n, function(i) return t[i] end)
  lu.assertAlmostEquals(mean, 0, 0.01)
  lu.assertAlmostEquals(variance, 1, 0.015)
  lu.assertAlmostEquals(skew, 0, 0.03)
  lu.assertAlmostEquals(kurtosis, 3, 0.06)
  -- How many lie beyond x, against the normal distribution; 3.5 is in the ziggurat's tail.
  local function beyond(x)
    local count = 0
    for _, value in ipairs(t) do if math.abs(value) > x then count = count + 1 end end
    return count
  end
  for x, share in pairs { [0.5] = 0.6170751, [1] = 0.3173105, [2] = 0.0455003,
    [3] = 0.0026998, [3.5] = 0.00046526 } do
    lu.assertAlmostEquals(beyond(x), n * share, 5 * math.sqrt(n * share))
  end
end

function TestRandom.test_uniform_moments_and_limits()
  local n = 100000
  local t = tensor.rand(n, { generator = tensor.generator(12) }):totable()
  local mean, variance, _, kurtosis = moments(n, function(i) return t[i] end)
  lu.assertAlmostEquals(mean, 0.5, 0.004)
  lu.assertAlmostEquals(variance, 1 / 12, 0.002)
  lu.assertAlmostEquals(kurtosis, 1.8, 0.02)
  for _, x in ipairs(t) do lu.assertTrue(x >= 0 and x < 1) end
end

function TestRandom.test_uniform_never_reaches_its_upper_limit()
  -- Between 1 and its successor in float32 every draw rounds to one of the two.
  local next_float = 1 + 2 ^ -23
  local t = tensor.zeros(1000):uniform_(1, next_float, tensor.generator(1)):totable()
  for _, x in ipairs(t) do eq(x, 1.0) end
end

function TestRandom.test_fill_with_parameters()
  local t = tensor.zeros(50, 40)
  lu.assertTrue(rawequal(t:normal_(5, 0.5), t))
  lu.assertAlmostEquals(t:mean(), 5, 0.06)
  lu.assertAlmostEquals(t:std(), 0.5, 0.04)
  t:uniform_(-2, 2)
  lu.assertTrue(t:min() >= -2 and t:max() < 2 and t:max() > 1.9)
  eq(t:normal_(3, 0):max(), 3.0)
  support.raises("must be above the lower limit", t.uniform_, t, 1, 1)
  support.raises("must not be negative", t.normal_, t, 0, -1)
  support.raises("must be finite", t.normal_, t, 0, math.huge)
  support.raises("float32 or float64 tensor expected",
    t.normal_, tensor.zeros(2, { dtype = "int32" }))
  support.raises("unroll.Generator expected", t.normal_, t, 0, 1, 5)
end

function TestRandom.test_randint()
  local t = tensor.randint(3, 5, 200, { generator = tensor.generator(1) })
  eq(t:dtype(), "int32")
  local seen = {}
  for _, x in ipairs(t:totable()) do seen[x] = true end
  eq(seen, { [3] = true, [4] = true, [5] = true })
  eq(tensor.randint(-2, -2, 2, 2):totable(), { { -2, -2 }, { -2, -2 } })
  eq(tensor.randint(0, 255, { 3 }, { dtype = "uint8" }):dtype(), "uint8")
  support.raises("must be from the first number", tensor.randint, 2, 1, 3)
  support.raises("does not fit in int32", tensor.randint, -1 << 40, 1, 3)
  support.raises("does not fit in uint8", tensor.randint, 0, 256, 3, { dtype = "uint8" })
end

function TestRandom.test_randperm()
  local p = tensor.randperm(50, { generator = tensor.generator(1) })
  eq(p:dtype(), "int32")
  lu.assertNotEquals(p:totable(), tensor.arange(50):totable())
  eq(sorted(p:totable()), tensor.arange(50, { dtype = "int32" }):totable())
  eq(tensor.randperm(0):totable(), {})
  eq(tensor.randperm(1):totable(), { 1 })
  support.raises("randperm: size -1 of dimension 1 is negative", tensor.randperm, -1)
  support.raises("more than int32 can hold", tensor.randperm, 1 << 40)
  support.raises("no option 'dtype'", tensor.randperm, 3, { dtype = "int32" })
end

function TestRandom.test_options()
  support.raises("rand: dtype is int32, must be float32 or float64",
    tensor.rand, 2, { dtype = "int32" })
  support.raises("option generator is no generator", tensor.rand, 2, { generator = 5 })
  support.raises("no option 'seed'", tensor.randn, 2, { seed = 5 })
  eq(tensor.randn({}):dim(), 0)
  eq(tensor.rand(2, 0):numel(), 0)
end
