-- The losses: values and gradients against plain Lua, large logits, weights, wrong calls;
-- and drawing from logits.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local core = require "unroll.core"
local tensor, loss = unroll.tensor, core.loss

local dtypes = { float64 = 1e-13, float32 = 1e-5 }

-- Loss and gradient of one row: {loss, {dy}}, with the exact shift.
local function naive_row(y, label)
  local max, sum = -math.huge, 0
  for _, v in ipairs(y) do max = math.max(max, v) end
  for _, v in ipairs(y) do sum = sum + math.exp(v - max) end
  local dy = {}
  for i, v in ipairs(y) do dy[i] = math.exp(v - max) / sum - (i == label and 1 or 0) end
  return math.log(sum) + max - y[label], dy
end

TestCrossEntropy = {}

function TestCrossEntropy:setUp() tensor.manual_seed(8) end

function TestCrossEntropy.test_against_plain_lua()
  for dtype, tolerance in pairs(dtypes) do
    for _, V in ipairs { 1, 2, 7, 16, 23, 64, 131 } do
      local y = (tensor.randn { 4, V } * 3):to(dtype)
      local labels = tensor.randint(1, V, { 4 }, { dtype = "int32" })
      local weight = tensor.tensor({ 1, 0, 2.5, 0.5 }, { dtype = dtype })
      local dy = tensor.zeros({ 4, V }, { dtype = dtype })
      local found = loss.cross_entropy(y, labels, weight, true, dy)
      local total = 0
      for n = 1, 4 do
        local row, gradient = naive_row(y[n]:totable(), labels[n])
        total = total + weight[n] * row
        for i = 1, V do gradient[i] = gradient[i] * weight[n] / 4 end
        support.near(dy[n], gradient, tolerance)
      end
      support.near(found, total / 4, tolerance)
      support.near(loss.cross_entropy(y, labels, weight), total, tolerance)
      support.near(loss.cross_entropy(y, labels, weight, false, y), total, tolerance)
      support.near(y, dy * 4, tolerance * 4) -- the gradient may take the place of y
    end
  end
end

function TestCrossEntropy.test_large_logits()
  for dtype in pairs(dtypes) do
    local y = tensor.tensor({ { 1e4, -1e4, 0 }, { -1e4, -1e4, -1e4 } }, { dtype = dtype })
    local labels = tensor.tensor({ 2, 3 }, { dtype = "int32" })
    local dy = y * 0
    luaunit.assertAlmostEquals(loss.cross_entropy(y, labels, nil, false, dy), 2e4 + math.log(3),
      1e-6)
    support.near(dy, { { 1, -1, 0 }, { 1 / 3, 1 / 3, -2 / 3 } }, 1e-6)
  end
end

function TestCrossEntropy.test_nan_shows()
  local y = tensor.tensor { { 0, 0 / 0, 1 } }
  local found = loss.cross_entropy(y, tensor.tensor({ 1 }, { dtype = "int32" }))
  luaunit.assertTrue(found ~= found)
end

function TestCrossEntropy.test_rows_without_weight_take_no_part()
  local y = tensor.tensor { { 0 / 0, 1 }, { 1, 1 } }
  local labels = tensor.tensor({ 0, 1 }, { dtype = "int32" })
  local dy = y:clone()
  local found = loss.cross_entropy(y, labels, tensor.tensor { 0, 1 }, true, dy)
  luaunit.assertAlmostEquals(found, math.log(2), 1e-6)
  support.near(dy, { { 0, 0 }, { -0.5, 0.5 } }, 1e-6)
end

function TestCrossEntropy.test_errors()
  local y = tensor.zeros { 2, 3 }
  local function labels(...) return tensor.tensor({ ... }, { dtype = "int32" }) end
  local _, message = loss.cross_entropy(y, labels(1, 4))
  luaunit.assertEquals(message, "targets must be in 1..3, the one at (1,2) is 4")
  _, message = loss.cross_entropy(y, labels(1, 2), tensor.zeros { 2 }, true)
  luaunit.assertStrContains(message, "sum to 0")
  support.raises("int32", loss.cross_entropy, y, y)
  support.raises("targets must be contiguous int32 with 2 elements", loss.cross_entropy, y,
    labels(1))
  support.raises("weight must be", loss.cross_entropy, y, labels(1, 1), tensor.zeros { 3 })
  support.raises("contiguous", loss.cross_entropy, y:t(), labels(1, 1, 1))
  support.raises("targets expected", loss.cross_entropy, y)
end

TestSquaredError = {}

function TestSquaredError.test_against_plain_lua()
  for dtype, tolerance in pairs(dtypes) do
    local y = tensor.tensor({ { 1, 2 }, { -3, 0.5 } }, { dtype = dtype })
    local target = tensor.tensor({ { 0, 2 }, { 1, 1.5 } }, { dtype = dtype })
    local dy = y * 0
    support.near(loss.squared_error(y, target, nil, true, dy), (1 + 16 + 1) / 4, tolerance)
    support.near(dy, { { 0.5, 0 }, { -2, -0.5 } }, tolerance)
    local weight = tensor.tensor({ 2, 1 }, { dtype = dtype })
    support.near(loss.squared_error(y, target, weight, true, dy), (2 + 17) / 6, tolerance)
    support.near(dy, { { 4 / 6, 0 }, { -8 / 6, -2 / 6 } }, tolerance)
    support.near(loss.squared_error(y, target, weight), 19, tolerance)
  end
end

function TestSquaredError.test_the_gradient_overlaps_nothing_that_is_read()
  local all = tensor.ones(5)
  local y, shifted = all[{ { 1, 4 } }]:view(2, 2), all[{ { 2, 5 } }]:view(2, 2)
  local targets, weight = tensor.zeros(2, 2), tensor.ones(2)
  support.raises("squared_error: out must not overlap y", loss.squared_error, y, targets, nil,
    false, shifted)
  support.raises("squared_error: out must not overlap the targets", loss.squared_error, targets,
    y, nil, false, y)
  support.raises("squared_error: out must not overlap the weights", loss.squared_error, targets,
    tensor.ones(2, 2), all[{ { 4, 5 } }], false, shifted)
  luaunit.assertEquals(loss.squared_error(y, targets, weight, false, y), 4)
  luaunit.assertEquals(y:totable(), { { 2, 2 }, { 2, 2 } })
end

TestPick = {}

local function pick(logits, temperature, top_k, top_p, u, dtype)
  local y = tensor.tensor(logits, { dtype = dtype or "float64" })
  return loss.pick(y, temperature, top_k or #logits, top_p or 1, u,
    tensor.zeros({ #logits }, { dtype = "float64" }),
    tensor.zeros({ #logits }, { dtype = "int32" }))
end

-- The share of u in [0,1) that gives each symbol.
local function shares(logits, temperature, top_k, top_p)
  local counts, n = {}, 2000
  for i = 1, #logits do counts[i] = 0 end
  for k = 0, n - 1 do
    local symbol = pick(logits, temperature, top_k, top_p, (k + 0.5) / n)
    counts[symbol] = counts[symbol] + 1 / n
  end
  return counts
end

local logits = { math.log(0.1), math.log(0.4), math.log(0.2), math.log(0.3) }

function TestPick.test_probabilities()
  support.near(shares(logits, 1), { 0.1, 0.4, 0.2, 0.3 }, 1e-3)
  local total = 0.01 + 0.16 + 0.04 + 0.09
  support.near(shares(logits, 0.5), { 0.01 / total, 0.16 / total, 0.04 / total, 0.09 / total },
    1e-3)
  support.near(shares({ 1e4, -1e4, 1e4 }, 1), { 0.5, 0, 0.5 }, 1e-3)
end

-- Of n symbols whose shares are 1, 2, ... n, the one in whose middle u lies; also where all
-- logits are large, or far below zero.
function TestPick.test_every_symbol_of_many()
  for _, n in ipairs { 1, 2, 3, 7, 8, 9, 16, 33, 65, 130 } do
    for _, offset in ipairs { 0, 30, -30, 60, -60, 500 } do
      local weights = {}
      for i = 1, n do weights[i] = math.log(i) + offset end
      for i = 1, n do
        local u = i * i / (n * (n + 1)) -- (1 + ... + (i - 1) + i / 2) / (1 + ... + n)
        for _, dtype in ipairs { "float32", "float64" } do
          luaunit.assertEquals(pick(weights, 1, nil, nil, u, dtype), i)
        end
      end
      luaunit.assertEquals(pick(weights, 1, nil, nil, 1 - 2 ^ -53), n)
    end
  end
end

function TestPick.test_top_k_and_top_p()
  support.near(shares(logits, 1, 2), { 0, 4 / 7, 0, 3 / 7 }, 1e-3)
  support.near(shares(logits, 1, 1), { 0, 1, 0, 0 }, 1e-9)
  support.near(shares(logits, 1, nil, 0.65), { 0, 4 / 7, 0, 3 / 7 }, 1e-3)
  support.near(shares(logits, 1, nil, 0.75), { 0, 4 / 9, 2 / 9, 3 / 9 }, 1e-3)
  support.near(shares(logits, 1, nil, 1e-9), { 0, 1, 0, 0 }, 1e-9)
  support.near(shares(logits, 1, 3, 0.5), { 0, 4 / 7, 0, 3 / 7 }, 1e-3) -- of what k left
  support.near(shares({ 0, 0, 0 }, 1, 2), { 0.5, 0.5, 0 }, 1e-3)        -- the first of equals
end

function TestPick.test_temperature_zero()
  luaunit.assertEquals(pick({ 1, 3, 3, 2 }, 0, nil, nil, 0.99), 2)
end

function TestPick.test_sorting()
  local generator, many = tensor.generator(4), {}
  for i = 1, 97 do many[i] = generator:normal() end
  local order = {}
  for i = 1, 97 do order[i] = i end
  table.sort(order, function(a, b) return many[a] > many[b] end)
  for k = 1, 96 do -- the last of k symbols has the end of the unit interval
    luaunit.assertEquals(pick(many, 1, k, 1, 1 - 2 ^ -53), order[k])
  end
end

function TestPick.test_errors()
  for _, bad in ipairs { { 0 / 0, 1 }, { 1, math.huge }, { -math.huge, -math.huge } } do
    local symbol, message = pick(bad, 1, nil, nil, 0.5)
    luaunit.assertNil(symbol)
    luaunit.assertEquals(message, "the logits are not finite")
  end
  luaunit.assertEquals(pick({ -math.huge, 1 }, 1, nil, nil, 0), 2)
  support.raises("at least 0", pick, logits, -1, nil, nil, 0.5)
  support.raises("at least 1", pick, logits, 1, 0, nil, 0.5)
  support.raises("above 0", pick, logits, 1, nil, 0, 0.5)
end
