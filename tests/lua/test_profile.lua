-- unroll.profile: what it counts, what it returns, what happens when the function fails.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local core = require "unroll.core"

local tensor, profile = unroll.tensor, unroll.profile

TestProfile = {}

local function row_of(p, name)
  for _, row in ipairs(p) do
    if row.name == name then return row end
  end
end

function TestProfile.test_calls_of_operations_are_counted()
  local t = tensor.zeros(1000)
  local p = profile(function()
    for _ = 1, 7 do t:add_(1) end
    t:tanh_()
  end)
  lu.assertEquals(row_of(p, "add").calls, 7)
  lu.assertEquals(row_of(p, "tanh").calls, 1)
  lu.assertNil(row_of(p, "mul"))
  t:add_(1)
  lu.assertEquals(row_of(profile(function() end), "add"), nil)
end

function TestProfile.test_the_times_add_up_and_are_sorted()
  local t = tensor.zeros(200, 200)
  local p = profile(function()
    for _ = 1, 20 do tensor.matmul(t, t):exp_():sum() end
  end)
  local sum, share = 0, 0
  for i, row in ipairs(p) do
    sum, share = sum + row.seconds, share + row.share
    if i > 1 then lu.assertTrue(p[i - 1].seconds >= row.seconds) end
  end
  lu.assertAlmostEquals(sum, p.seconds, 1e-9 + 1e-6 * p.seconds)
  lu.assertAlmostEquals(share, 1, 1e-6)
  lu.assertNotNil(row_of(p, "Lua and the rest"))
end

function TestProfile.test_products_say_their_speed()
  local a = tensor.ones(100, 50)
  local p = profile(function() tensor.matmul(a, a:t()) end)
  local row = row_of(p, "matmul")
  lu.assertEquals(row.flops, 2 * 100 * 50 * 100)
  lu.assertAlmostEquals(row.flops_per_second, row.flops / row.seconds, 1)
  lu.assertAlmostEquals(row.peak_share, row.flops_per_second / p.peak, 1e-9)
  lu.assertTrue(p.peak > 1e8)
end

function TestProfile.test_the_limit_of_reading()
  local bandwidth = core.profile.bandwidth
  lu.assertTrue(bandwidth(1024, 1) > 1e8)
  lu.assertTrue(bandwidth(100001, 1) > 1e8)
  support.raises("must be in 1024..4294967296", bandwidth, 1023)
  support.raises("number expected", bandwidth)
end

-- A product cannot be faster than its multiply-adds in registers. The two are not measured in
-- the same moment, and a busy machine may have stopped the one in its only moment: so they are
-- measured until they agree, to a factor of five.
function TestProfile.test_the_limit_of_products()
  for _, dtype in ipairs { "float32", "float64" } do
    local products, peak, tries = math.huge, 0, 0
    while products >= 5 * peak and tries < 20 do
      products = math.min(products, core.profile.products(dtype, 3))
      peak, tries = math.max(peak, core.profile.peak(dtype, 1, 3)), tries + 1
    end
    lu.assertTrue(products > 1e8, dtype)
    lu.assertTrue(products < 5 * peak, dtype)
  end
  support.raises("float32 or float64 expected", core.profile.products, "int32")
end

function TestProfile.test_a_training_step_shows_its_phases()
  local model = unroll.rnn.lm { vocab = 10, hidden = 16, seed = 1 }
  local corpus = unroll.text.corpus "numbers"
  local p = profile(function()
    unroll.train.fit(model, corpus, { steps = 3, batch = 4, window = 8, lr = 0.01, clip_norm = 5,
      progress = false })
  end)
  for _, name in ipairs { "forward", "read-out", "loss", "backward", "weight gradient",
      "norm and clip", "optimiser", "data" } do
    lu.assertNotNil(row_of(p, name), name)
  end
  lu.assertEquals(row_of(p, "data").calls, 3)
end

function TestProfile.test_it_returns_what_the_function_returns()
  local p, a, b, c = profile(function() return 1, nil, "x" end)
  lu.assertEquals({ a, b, c }, { 1, nil, "x" })
  lu.assertTrue(p.seconds >= 0)
end

function TestProfile.test_it_prints_an_aligned_table()
  local lines = {}
  for line in tostring(profile(function() tensor.ones(50, 50):matmul(tensor.ones(50, 50)) end))
    :gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  lu.assertStrContains(lines[1], "profile   ")
  lu.assertStrContains(lines[1], core.isa)
  local _, edge = lines[2]:find "calls"
  for i = 3, #lines do
    lu.assertEquals(lines[i]:sub(edge + 1, edge + 2), "  ", lines[i])
  end
end

function TestProfile.test_an_error_ends_the_profile()
  local ok, problem = pcall(profile, function() error({ "kept" }) end)
  lu.assertFalse(ok)
  lu.assertEquals(problem, { "kept" })
  lu.assertEquals(#profile(function() end), 1)
end

function TestProfile.test_misuse()
  support.raises("unroll.profile: function expected, got nil", profile)
  support.raises("unknown option 'dtyp'", profile, print, { dtyp = "float64" })
  support.raises("dtype", profile, print, { dtype = "int32" })
  support.raises("one is running already", profile, function() profile(function() end) end)
end

function TestProfile.test_one_thread_or_several_give_the_same_counts()
  local t = tensor.zeros(64, 64)
  local function run() for _ = 1, 5 do t:add_(1) end end
  local _ <close> = setmetatable({}, { __close = function() unroll.threads(1) end })
  lu.assertEquals(unroll.threads(2), 2)
  lu.assertEquals(row_of(profile(run), "add").calls, 5)
end

TestThreads = {}

function TestThreads.test_reads_and_sets()
  local before = unroll.threads()
  lu.assertEquals(unroll.threads(3), 3)
  lu.assertEquals(unroll.threads(), 3)
  unroll.threads(before)
end

function TestThreads.test_large_tensors_have_the_same_bits_with_any_number()
  local generator = tensor.generator(3)
  local a = tensor.randn((1 << 20) + 12345, { generator = generator })
  local b = tensor.randn((1 << 20) + 12345, { generator = generator })
  local expected = (a * b):add_(1.5):tanh_()
  for _, threads in ipairs { 2, 3 } do
    unroll.threads(threads)
    lu.assertTrue(tensor.equal((a * b):add_(1.5):tanh_(), expected))
    lu.assertEquals(a:lt(b):sum() + a:ge(b):sum(), a:numel())
  end
  unroll.threads(1)
end

function TestThreads.test_misuse()
  support.raises("0 threads: must be in 1..256", unroll.threads, 0)
  support.raises("number expected, got string", unroll.threads, "many")
end

function TestThreads.test_the_environment_sets_the_number()
  local run = "UNROLL_THREADS=%s " .. support.quoted_program .. " -e 'print(unroll.threads())' 2>&1"
  lu.assertEquals(io.popen(run:format "3"):read "a", "3\n")
  lu.assertStrContains(io.popen(run:format "x"):read "a", "UNROLL_THREADS=x: must be in 1..256")
end
