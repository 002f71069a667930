-- The first values of parameters: their distributions, the seed, wrong descriptions.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local tensor, rnn = unroll.tensor, unroll.rnn

local function model_with(init, opts)
  opts = opts or {}
  return rnn.lm { cell = opts.cell or "tanh", vocab = opts.vocab or 60, hidden = opts.hidden or 100,
    dtype = "float64", init = init, seed = opts.seed or 1 }
end

local function bound_of(t) return t:abs():max() end
local function deviation_of(t) return math.sqrt((t * t):mean()) end

TestRnnInit = {}

function TestRnnInit.test_uniform_rules()
  local cases = {
    glorot = function(fan_in, fan_out) return math.sqrt(6 / (fan_in + fan_out)) end,
    pytorch = function() return 0.1 end,
  }
  for name, bound in pairs(cases) do
    local m = model_with(name)
    for parameter, fans in pairs { W_xh = { 60, 100 }, W_hh = { 100, 100 }, W_hy = { 100, 60 } } do
      local a, t = bound(fans[1], fans[2]), m:parameters()[parameter]
      luaunit.assertTrue(bound_of(t) <= a and bound_of(t) > 0.99 * a, name .. parameter)
      luaunit.assertAlmostEquals(deviation_of(t), a / math.sqrt(3), 0.03 * a)
      luaunit.assertAlmostEquals(t:mean(), 0, 0.03 * a)
    end
  end
  luaunit.assertTrue(bound_of(model_with({ uniform = 0.25 }).W_hh) <= 0.25)
end

function TestRnnInit.test_normal_rules()
  local cases = {
    glorot_normal = function(fan_in, fan_out) return math.sqrt(2 / (fan_in + fan_out)) end,
    he = function(fan_in) return math.sqrt(2 / fan_in) end,
    lecun = function(fan_in) return math.sqrt(1 / fan_in) end,
  }
  for name, deviation in pairs(cases) do
    local m = model_with(name)
    for parameter, fans in pairs { W_xh = { 60, 100 }, W_hh = { 100, 100 }, W_hy = { 100, 60 } } do
      local s, t = deviation(fans[1], fans[2]), m:parameters()[parameter]
      luaunit.assertAlmostEquals(deviation_of(t) / s, 1, 0.05, name .. parameter)
      luaunit.assertTrue(bound_of(t) > 2.5 * s, name)
    end
  end
  luaunit.assertAlmostEquals(deviation_of(model_with({ normal = 0.01 }).W_hh), 0.01, 5e-4)
end

function TestRnnInit.test_orthogonal_and_identity()
  local m = model_with("orthogonal")
  for _, t in ipairs { m.W_hh, m.W_hy:t(), m.W_xh } do
    support.near(t:t():matmul(t), tensor.eye(t:size(2)), 1e-12)
  end
  local scaled = model_with({ W_hh = { orthogonal = 0.5 } })
  support.near(scaled.W_hh:t():matmul(scaled.W_hh), tensor.eye(100) * 0.25, 1e-12)
  local irnn = model_with("identity", { cell = "relu" })
  support.near(irnn.W_hh, tensor.eye(100), 0)
  luaunit.assertTrue(deviation_of(irnn.W_xh) > 0.05)
  support.near(model_with({ W_hh = { identity = 0.9 } }).W_hh,
    tensor.eye(100, { dtype = "float64" }) * 0.9, 1e-15)
end

-- Not every matrix Q of a factorisation: the signs must be random too.
function TestRnnInit.test_orthogonal_is_uniform()
  local positive = 0
  for seed = 1, 200 do
    local cell = rnn.cell("tanh", { input = 1, hidden = 2, init = "orthogonal", seed = seed })
    if cell.W_hh[{ 1, 1 }] > 0 then positive = positive + 1 end
  end
  luaunit.assertTrue(positive > 70 and positive < 130, tostring(positive))
end

function TestRnnInit.test_gates_are_drawn_one_by_one()
  local def = { name = "two", states = { "h" }, gates = { "a", "b" },
    step = function() end, step_grad = function() end }
  local cell = rnn.cell(def, { input = 4, hidden = 8, dtype = "float64", init = "orthogonal" })
  for gate = 0, 1 do
    local block = cell.W_hh:narrow(1, gate * 8 + 1, 8)
    support.near(block:matmul(block:t()), tensor.eye(8), 1e-12)
  end
end

function TestRnnInit.test_biases()
  for _, rule in ipairs { "glorot", "he", "orthogonal", "identity", "pytorch", { normal = 1 } } do
    local m = model_with(rule, { hidden = 5 })
    luaunit.assertEquals(bound_of(m.b_h) + bound_of(m.b_y), 0)
  end
  local m = model_with({ b_h = 0.5, b_y = { uniform = 1 } })
  support.near(m.b_h, tensor.full({ 100 }, 0.5), 0)
  luaunit.assertTrue(bound_of(m.b_y) > 0.5)
end

function TestRnnInit.test_seed()
  local a, b, c = model_with("glorot"), model_with("glorot"), model_with("glorot", { seed = 2 })
  support.near(a:parameters().flat, b:parameters().flat, 0)
  luaunit.assertTrue((a.W_hh - c.W_hh):abs():max() > 0.01)
  -- another rule for one parameter leaves the others alone
  local d = model_with({ W_hh = "orthogonal" })
  support.near(d.W_xh, a.W_xh, 0)
  support.near(d.W_hy, a.W_hy, 0)
  luaunit.assertTrue((a.W_xh:narrow(2, 1, 60) - a.W_hy:t():narrow(2, 1, 60)):abs():max() > 0.01)
  -- both dtypes have the same numbers
  local single = rnn.lm { vocab = 60, hidden = 100, seed = 1 }
  support.near(single.W_hh, a.W_hh, 1e-7)
  -- without a seed the default generator decides
  tensor.manual_seed(4)
  local e = rnn.lm { vocab = 5, hidden = 4 }
  local f = rnn.lm { vocab = 5, hidden = 4 }
  luaunit.assertTrue((e.W_hh - f.W_hh):abs():max() > 1e-3)
  tensor.manual_seed(4)
  support.near(rnn.lm({ vocab = 5, hidden = 4 }).W_hh, e.W_hh, 0)
end

function TestRnnInit.test_layers()
  local m = rnn.lm { vocab = 5, hidden = 4, layers = 2, seed = 1,
    init = { W_hh = "identity", ["layers[2].W_xh"] = 0.25 } }
  support.near(m.layers[1].W_hh, tensor.eye(4), 0)
  support.near(m.layers[2].W_hh, tensor.eye(4), 0)
  support.near(m.layers[2].W_xh, tensor.full({ 4, 4 }, 0.25), 0)
  luaunit.assertTrue((m.layers[1].W_xh - 0.25):abs():max() > 0)
end

function TestRnnInit.test_errors()
  local function make(init) return function() return model_with(init, { hidden = 3 }) end end
  support.raises("init is 'gloro'. Did you mean 'glorot'?", make("gloro"))
  support.raises("'normal' needs a number", make("normal"))
  support.raises("normal = -1 must be", make({ normal = -1 }))
  support.raises("must be a finite number", make({ W_hh = { normal = 0 / 0 } }))
  support.raises("must be a finite number", make({ W_hh = { normal = "a" } }))
  support.raises("there is no parameter 'W_hz'. Did you mean", make({ W_hz = "glorot" }))
  support.raises("init.W_hh is 'x'", make({ W_hh = "x" }))
  support.raises("init.b_h is a vector", make({ b_h = "glorot" }))
  support.raises("must name one rule", make({ W_hh = { normal = 1, uniform = 1 } }))
  support.raises("must name one rule", make({ W_hh = {} }))
end
