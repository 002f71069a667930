-- Models: the loss and its gradients against differences and against the parts, weights,
-- stacks, evaluation, traces, and every wrong call.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local core = require "unroll.core"
local tensor, rnn, gradcheck = unroll.tensor, unroll.rnn, unroll.gradcheck

local function randn(...)
  return tensor.randn({ ... }, { dtype = "float64" })
end

local function tokens(V, T, B)
  return tensor.randint(1, V, { T, B }, { dtype = "int32" })
end

local function lm(opts)
  local o = { cell = "tanh", vocab = 5, hidden = 6, dtype = "float64", seed = 2,
    init = { normal = 0.5 } }
  for key, value in pairs(opts or {}) do o[key] = value end
  return rnn.lm(o)
end

local function assert_ok(result)
  luaunit.assertTrue(result.ok, tostring(result))
end

TestRnnModel = {}

function TestRnnModel:setUp() tensor.manual_seed(6) end

function TestRnnModel.test_loss_is_made_of_its_parts()
  for _, layers in ipairs { 1, 3 } do
    local m, x, y = lm { layers = layers }, tokens(5, 7, 3), tokens(5, 7, 3)
    local h = x
    for l = 1, layers do h = m.layers[l]:forward(h) end
    local logits = h:reshape(21, 6):matmul(m.W_hy:t()) + m.b_y
    local expected = core.loss.cross_entropy(logits, y:reshape(21), nil, true)
    local loss, state, trace = m:forward(x, y)
    luaunit.assertAlmostEquals(loss, expected, 1e-13)
    luaunit.assertEquals(#state, layers)
    support.near(state[layers].h, h[7], 1e-14)
    luaunit.assertNotNil(trace)
    support.near(m:predict(x):reshape(21, 5), logits, 1e-13)
  end
end

function TestRnnModel.test_gradients_of_language_models()
  local sizes = { -- T, B, V, H, layers
    { 9, 3, 5, 6, 1 }, { 1, 1, 2, 1, 1 }, { 6, 1, 3, 19, 2 }, { 3, 8, 4, 3, 3 },
  }
  for _, size in ipairs(sizes) do
    local T, B, V, H, layers = table.unpack(size)
    local m, state = lm { vocab = V, hidden = H, layers = layers }, {}
    for l = 1, layers do state[l] = { h = randn(B, H) } end
    local x = tokens(V, T, B)
    for t = 1, T do x[{ t, 1 }] = (t - 1) % V + 1 end
    for _, reduction in ipairs { "mean", "sum" } do
      local zero = T < V and { "W_xh", "layers[1].W_xh" } or nil
      assert_ok(gradcheck(m, x, tokens(V, T, B), { state = state, reduction = reduction,
        weight = tensor.rand({ T, B }, { dtype = "float64" }), zero_ok = zero }))
    end
  end
end

function TestRnnModel.test_gradients_of_linear_heads()
  local m = rnn.model { cell = "relu", input = 3, hidden = 5, output = 2, head = "linear",
    loss = "squared_error", layers = 2, dtype = "float64", seed = 1, init = { normal = 0.5 } }
  assert_ok(gradcheck(m, randn(6, 3, 3), randn(6, 3, 2)))
  local x, y = randn(6, 3, 3), randn(6, 3, 2)
  local out = m:predict(x)
  local loss = m:forward(x, y)
  luaunit.assertAlmostEquals(loss, ((out - y) * (out - y)):mean(), 1e-13)
  luaunit.assertAlmostEquals(m:forward(x, y, nil, { reduction = "sum" }),
    ((out - y) * (out - y)):sum(), 1e-12)
end

function TestRnnModel.test_gradients_with_weights()
  local m, x, y = lm(), tokens(5, 8, 3), tokens(5, 8, 3)
  local last = tensor.zeros({ 8, 3 }, { dtype = "float64" })
  last[8] = tensor.ones({ 3 }, { dtype = "float64" })
  assert_ok(gradcheck(m, x, y, { weight = last, state = { { h = randn(3, 6) } } }))
  -- only the last step counts, and the mean is over three predictions
  local loss = m:forward(x, y, nil, { weight = last })
  local logits = m:predict(x)[8]
  luaunit.assertAlmostEquals(loss, core.loss.cross_entropy(logits:contiguous(), y[8], nil, true),
    1e-13)
  -- where the weight is 0 the target is not looked at
  y[{ { 1, 7 } }] = 0
  luaunit.assertAlmostEquals(m:forward(x, y, nil, { weight = last }), loss, 1e-14)
  -- weights of the other dtype
  luaunit.assertAlmostEquals(m:forward(x, y, nil, { weight = last:to("float32") }), loss, 1e-14)
end

function TestRnnModel.test_mask_carries_states_over_padding()
  local m, x, y = lm { layers = 2 }, tokens(5, 6, 2), tokens(5, 6, 2)
  local mask = tensor.tensor { { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 0 }, { 1, 0 }, { 1, 0 } }
  m:zero_gradients()
  local loss, state, trace = m:forward(x, y, nil, { mask = mask, weight = mask, reduction = "sum" })
  m:backward(trace)
  local gradients, states = m:gradients().flat:clone(), { state[1].h:clone(), state[2].h:clone() }
  m:zero_gradients()
  local total = 0
  for b, n in ipairs { 6, 3 } do
    local one, final, own = m:forward(x:narrow(1, 1, n):narrow(2, b, 1),
      y:narrow(1, 1, n):narrow(2, b, 1), nil, { reduction = "sum" })
    m:backward(own)
    total = total + one
    for l = 1, 2 do support.near(states[l]:narrow(1, b, 1), final[l].h, 1e-13) end
  end
  luaunit.assertAlmostEquals(loss, total, 1e-12)
  support.near(gradients, m:gradients().flat, 1e-12)
end

function TestRnnModel.test_large_logits()
  for _, dtype in ipairs { "float32", "float64" } do
    local m = lm { dtype = dtype }
    m.W_hy:zero_()
    m.b_y:copy_(tensor.tensor({ 1e4, -1e4, 0, 0, 1e4 }, { dtype = dtype }))
    local x, y = tokens(5, 2, 1), tensor.tensor({ { 2 }, { 1 } }, { dtype = "int32" })
    local loss, _, trace = m:forward(x, y)
    luaunit.assertAlmostEquals(loss, (2e4 + 2 * math.log(2)) / 2, 1e-6)
    m:backward(trace)
    support.near(m:gradients().b_y, { 0, -0.5, 0, 0, 0.5 }, 1e-6)
    luaunit.assertTrue(trace:state_gradient_norms()[1] == 0)
  end
end

-- Truncated BPTT: the pieces of a text with carried state give the loss of the whole.
function TestRnnModel.test_pieces_with_carried_state()
  for _, dtype in ipairs { "float32", "float64" } do
    local m = lm { dtype = dtype, hidden = 30, layers = 2 }
    local x, y = tokens(5, 20, 2), tokens(5, 20, 2)
    local whole, last = m:forward(x, y, nil, { reduction = "sum" })
    local total, state, opts = 0, nil, { reduction = "sum" }
    for first = 1, 20, 5 do
      local loss
      loss, state, opts.trace = m:forward(x:narrow(1, first, 5), y:narrow(1, first, 5), state, opts)
      total = total + loss
    end
    luaunit.assertAlmostEquals(total, whole, 1e-12)
    for l = 1, 2 do luaunit.assertTrue(tensor.equal(state[l].h, last[l].h)) end
  end
end

-- Evaluation runs in pieces of 256 steps: the same bits.
function TestRnnModel.test_evaluation()
  for _, T in ipairs { 3, 256, 700 } do
    for _, dtype in ipairs { "float32", "float64" } do
      local m, x, y = lm { dtype = dtype }, tokens(5, T, 2), tokens(5, T, 2)
      local weight = tensor.rand({ T, 2 }, { dtype = dtype })
      local state = { { h = randn(2, 6):to(dtype) } }
      for _, reduction in ipairs { "mean", "sum" } do
        local a, s1 = m:forward(x, y, state, { weight = weight, reduction = reduction })
        local b, s2, none = m:forward(x, y, state,
          { weight = weight, reduction = reduction, train = false })
        luaunit.assertEquals(b, a)
        luaunit.assertTrue(tensor.equal(s1[1].h, s2[1].h))
        luaunit.assertNil(none)
      end
    end
  end
  -- states of two evaluations do not share memory
  local m, x = lm(), tokens(5, 4, 1)
  local _, s1 = m:forward(x, x, nil, { train = false })
  local kept = s1[1].h:clone()
  m:forward(x, x, s1, { train = false })
  support.near(s1[1].h, kept, 0)
end

function TestRnnModel.test_dense_inputs_with_softmax()
  local m = rnn.model { cell = "tanh", input = 3, hidden = 4, output = 2, dtype = "float64",
    seed = 1 }
  assert_ok(gradcheck(m, randn(5, 2, 3), tokens(2, 5, 2)))
  local _, _, trace = m:forward(randn(5, 2, 3), tokens(2, 5, 2))
  local dx, dstate = m:backward(trace)
  luaunit.assertEquals(dx:size(), { 5, 2, 3 })
  luaunit.assertEquals(dstate[1].h:size(), { 2, 4 })
end

function TestRnnModel.test_strided_batches()
  local m, x, y = lm(), tokens(5, 3, 8):t(), tokens(5, 3, 8):t()
  local weight = tensor.rand({ 3, 8 }, { dtype = "float64" }):t()
  luaunit.assertEquals((m:forward(x, y, nil, { weight = weight })),
    (m:forward(x:contiguous(), y:contiguous(), nil, { weight = weight:contiguous() })))
end

-- A net learns: the loss of a periodic text falls to almost nothing.
function TestRnnModel.test_training()
  local m = rnn.lm { vocab = 4, hidden = 16, seed = 1 }
  local x, y = tokens(4, 12, 1), tokens(4, 12, 1)
  local text = { 1, 2, 3, 2, 4, 4 } -- the symbol after 2 or 4 depends on the one before
  for t = 1, 12 do x[{ t, 1 }], y[{ t, 1 }] = text[(t - 1) % 6 + 1], text[t % 6 + 1] end
  local optimizer = unroll.optim.adagrad(m, { lr = 0.1 })
  local loss, state, trace
  for _ = 1, 300 do
    loss, state, trace = m:forward(x, y, state, { trace = trace })
    m:zero_gradients()
    m:backward(trace)
    optimizer:step()
  end
  luaunit.assertTrue(loss < 0.02, tostring(loss))
end

TestRnnModelParts = {}

function TestRnnModelParts.test_parameters()
  local m = rnn.lm { cell = "tanh", vocab = 7, hidden = 4, seed = 1 }
  local names = {}
  for i, entry in ipairs(m:parameters()) do names[i] = entry.name end
  luaunit.assertEquals(names, { "W_xh", "W_hh", "b_h", "W_hy", "b_y" })
  luaunit.assertEquals(m:gradients()[4].name, "W_hy")
  luaunit.assertEquals(m.W_xh:size(), { 4, 7 })
  luaunit.assertEquals(m.W_hy:size(), { 7, 4 })
  luaunit.assertEquals(m:gradients().W_hh:size(), { 4, 4 })
  luaunit.assertEquals(m:parameters().flat:numel(), 28 + 16 + 4 + 28 + 7)
  m:parameters().flat:fill_(1)
  luaunit.assertEquals(m.layers[1].W_xh:sum(), 28)
  m.layers[1].W_hh:zero_()
  luaunit.assertEquals(m.W_hh:sum(), 0)
  m.W_hy[{ 7, 4 }] = 5
  luaunit.assertEquals(m:parameters().flat[28 + 16 + 4 + 28], 5)
  luaunit.assertNil(m.vocab)
  luaunit.assertStrContains(tostring(m), "tanh")
end

function TestRnnModelParts.test_layers_are_named()
  local m = rnn.lm { vocab = 7, hidden = 4, layers = 2 }
  local names = {}
  for i, entry in ipairs(m:parameters()) do names[i] = entry.name end
  luaunit.assertEquals(names, { "layers[1].W_xh", "layers[1].W_hh", "layers[1].b_h",
    "layers[2].W_xh", "layers[2].W_hh", "layers[2].b_h", "W_hy", "b_y" })
  m.layers[2].b_h:fill_(3)
  luaunit.assertEquals(m:parameters()["layers[2].b_h"]:sum(), 12)
  luaunit.assertEquals(m.layers[2]:parameters().flat:numel(), 16 + 16 + 4)
  support.raises("lm has no 'W_xh'", function() return m.W_xh end)
end

function TestRnnModelParts.test_unknown_fields()
  local m = lm()
  support.raises("lm has no 'W_hyy'. Did you mean 'W_hy'?", function() return m.W_hyy end)
  support.raises("Did you mean 'hidden'?", function() return m.hiden end)
  support.raises("Did you mean 'forward'?", function() return m:foward() end)
end

function TestRnnModelParts.test_gradients_add_up()
  local m, x, y = lm { layers = 2 }, tokens(5, 4, 2), tokens(5, 4, 2)
  m:zero_gradients()
  local _, _, trace = m:forward(x, y)
  m:backward(trace)
  local once = m:gradients().flat:clone()
  luaunit.assertTrue(once:abs():sum() > 0)
  m:forward(x, y, nil, { trace = trace })
  m:backward(trace)
  support.near(m:gradients().flat, once * 2, 1e-14)
  m:zero_gradients()
  luaunit.assertEquals(m:gradients().flat:abs():sum(), 0)
end

function TestRnnModelParts.test_to_and_zero_state()
  local m = lm { layers = 2 }
  local copy = m:to("float32")
  luaunit.assertEquals(copy:parameters().flat:dtype(), "float32")
  support.near(copy:parameters().flat, m:parameters().flat, 1e-6)
  local state = m:zero_state(3)
  luaunit.assertEquals(state[2].h:size(), { 3, 6 })
  support.raises("dtype is 'double'", m.to, m, "double")
  support.raises("the batch", m.zero_state, m, -1)
end

TestRnnModelTrace = {}

function TestRnnModelTrace.test_misuse()
  local m, x, y = lm { layers = 2 }, tokens(5, 4, 2), tokens(5, 4, 2)
  local _, _, trace = m:forward(x, y)
  m:zero_gradients()
  m.W_hy:mul_(2)
  support.raises("model:backward: the parameters have changed since the forward pass", m.backward,
    m, trace)
  m:forward(x, y, nil, { trace = trace })
  x:copy_(tokens(5, 4, 2))
  support.raises("the inputs have changed", m.backward, m, trace)
  luaunit.assertEquals(m:gradients().flat:abs():sum(), 0)
  m:forward(x, y, nil, { trace = trace })
  m:backward(trace)
  support.raises("already", m.backward, m, trace)
  support.raises("got nil", m.backward, m)
  local other = lm()
  support.raises("the trace of this model's forward", other.backward, other, trace)
  support.raises("trace must come from this model's forward", other.forward, other, x, y, nil,
    { trace = trace })
  -- a layer's outputs overwritten by hand, between the passes
  m:forward(x, y, nil, { trace = trace })
  trace.layers[1].ys:zero_()
  support.raises("have been written to", m.backward, m, trace)
  -- a forward pass that failed
  y[{ 1, 1 }] = 6
  support.raises("targets must be in 1..5, the one at (1,1) is 6", m.forward, m, x, y, nil,
    { trace = trace })
  support.raises("model:backward", m.backward, m, trace)
end

-- The same call again is a shorter way through; it sees what the long one sees.
function TestRnnModelTrace.test_the_same_call_again_is_checked_again()
  local m, x, y = lm(), tokens(5, 4, 2), tokens(5, 4, 2)
  local opts = { reduction = "sum" }
  local sum, _, trace = m:forward(x, y, nil, opts)
  opts.trace = trace
  luaunit.assertEquals((m:forward(x, y, nil, opts)), sum)
  luaunit.assertEquals((m:forward(x, y, nil, setmetatable({ trace = trace },
    { __index = { reduction = "sum" } }))), sum)
  luaunit.assertAlmostEquals(m:forward(x, y, nil, { trace = trace }), sum / 8, 1e-6)
  local generation = trace.generation
  opts.wieght = tensor.ones(4, 2)
  support.raises("unknown option 'wieght'", m.forward, m, x, y, nil, opts)
  opts.wieght, opts.reduction = nil, "max"
  support.raises("reduction is 'max'", m.forward, m, x, y, nil, opts)
  opts.reduction = "sum"
  support.raises("state must be a list", m.forward, m, x, y, {}, opts)
  support.raises("targets must be int32 (4,2)", m.forward, m, x, tensor.zeros(4, 2), nil, opts)
  luaunit.assertEquals(trace.generation, generation)
  x[{ 2, 1 }] = 6
  support.raises("tokens must be in 1..5, the one at (2,1) is 6", m.forward, m, x, y, nil, opts)
  local _, _, other = m:forward(y, y, nil, opts)
  luaunit.assertEquals(other, trace)
  local part = y:narrow(1, 1, 3)
  luaunit.assertAlmostEquals(m:forward(part, part, nil, opts), m:forward(part, part) * 6, 1e-5)
  support.raises("the trace holds forward pass", m.backward, m, trace, generation)
end

function TestRnnModelTrace.test_optimiser_step_makes_it_stale()
  local m, x = lm(), tokens(5, 4, 2)
  local _, _, trace = m:forward(x, x)
  m:backward(trace)
  unroll.optim.sgd(m, { lr = 0.1 }):step()
  m:forward(x, x, nil, { trace = trace })
  unroll.optim.sgd(m, { lr = 0.1 }):step()
  support.raises("the parameters have changed", m.backward, m, trace)
end

function TestRnnModelTrace.test_norms_of_layers()
  local m, x = lm { layers = 2 }, tokens(5, 4, 2)
  local _, _, trace = m:forward(x, x)
  support.raises("no backward pass", trace.state_gradient_norms, trace)
  m:backward(trace)
  luaunit.assertEquals(trace:state_gradient_norms():size(), { 4 })
  support.near(trace:state_gradient_norms(), trace:state_gradient_norms(2), 0)
  local between = trace:state_gradient_norms(1) - trace:state_gradient_norms(2)
  luaunit.assertTrue(between:abs():sum() > 0)
  support.raises("layer is 3, must be in 1..2", trace.state_gradient_norms, trace, 3)
end

function TestRnnModelTrace.test_no_garbage()
  for _, layers in ipairs { 1, 2 } do
    for _, head in ipairs { "softmax", "linear" } do
      local m = rnn.model { cell = "tanh", input = 5, hidden = 6, output = 5, head = head,
        layers = layers }
      local x = tokens(5, 7, 2)
      local y = head == "softmax" and tokens(5, 7, 2) or tensor.randn { 7, 2, 5 }
      local opts, state = { weight = tensor.ones { 7, 2 }, mask = tensor.ones { 7, 2 } }, nil
      luaunit.assertEquals(support.garbage(1000, function()
        local _
        _, state, opts.trace = m:forward(x, y, state, opts)
        m:zero_gradients()
        m:backward(opts.trace)
      end), 0)
    end
  end
end

TestRnnModelErrors = {}

function TestRnnModelErrors.test_constructors()
  local function model(opts)
    return function()
      local o = { cell = "tanh", input = 2, hidden = 3, output = 4 }
      for key, value in pairs(opts) do o[key] = value or nil end
      local _ = rnn.model(o)
    end
  end
  support.raises("option 'output' is required", model { output = false })
  support.raises("layers must be an integer of at least 1, got 0", model { layers = 0 })
  support.raises("hidden must be an integer of at least 1, got -3", model { hidden = -3 })
  support.raises("head is 'sotmax'. Did you mean 'softmax'?", model { head = "sotmax" })
  support.raises("loss is 'squared_error'", model { loss = "squared_error" })
  support.raises("there is no cell 'tan'", model { cell = "tan" })
  support.raises("dtype is 'float16'", model { dtype = "float16" })
  support.raises("unknown option 'inputs'. Did you mean 'input'?", model { inputs = 2 })
  support.raises("rnn.lm: vocab must be a number or a vocabulary, got string", rnn.lm,
    { vocab = "abc", hidden = 2 })
  support.raises("vocab must be an integer of at least 1, got 0", rnn.lm, { vocab = 0, hidden = 2 })
  support.raises("option 'vocab' is required", rnn.lm, { hidden = 2 })
  support.raises("rnn.lm: options 'hidden', 'vocab' are required", rnn.lm)
  local text = support.raises("layers", model { layers = 1.5 })
  luaunit.assertStrContains(text, "test_rnn_model.lua")
end

function TestRnnModelErrors.test_too_large()
  for name, case in pairs {
    ["rnn.lm: the model is too large: 1e+14 float32 parameters are more than memory can hold"] =
      { hidden = 1e7 },
    ["rnn.lm: the model is too large: hidden is 1000000000000000000, at most"] = { hidden = 1e18 },
    ["rnn.lm: the model is too large: 4.612e+18 float32"] = { hidden = 2147483647 },
    ["rnn.lm: layers is 1000000000, at most 1000"] = { hidden = 4, layers = 1e9 },
  } do
    case.vocab = 5
    local text = support.raises(name, function() local _ = rnn.lm(case) end)
    luaunit.assertStrMatches(text, "^[^:]*test_rnn_model%.lua:%d+: rnn%.lm: .*")
    luaunit.assertNotStrContains(text, "parameters.lua")
  end
  local text = support.raises("rnn.cell: the model is too large", function()
    local _ = rnn.cell("tanh", { input = 3, hidden = 1e7 })
  end)
  luaunit.assertNotStrContains(text, "parameters.lua")
end

function TestRnnModelErrors.test_parameters_are_written_into_not_replaced()
  local m = lm()
  support.raises("a model's 'W_hh' cannot be replaced; write into it: model.W_hh:copy_(t)",
    function() m.W_hh = tensor.zeros(m.hidden, m.hidden) end)
  m.note = "mine"
  luaunit.assertEquals(m.note, "mine")
end

function TestRnnModelErrors.test_forward()
  local m, x = lm(), tokens(5, 4, 2)
  local function forward(...)
    local args = table.pack(...)
    return function() local _ = m:forward(table.unpack(args, 1, args.n)) end
  end
  support.raises("model:forward: inputs must be", forward())
  support.raises("targets expected, got nil", forward(x))
  support.raises("targets must be int32 (4,2), got int32 (4,1)", forward(x, tokens(5, 4, 1)))
  support.raises("got float64 (4,2)", forward(x, randn(4, 2)))
  support.raises("the one at (4,2) is 0", forward(x, tensor.tensor({ { 1, 1 }, { 1, 1 }, { 1, 1 },
    { 1, 0 } }, { dtype = "int32" })))
  support.raises("tokens must be in 1..5", forward(tensor.tensor({ { 6 } }, { dtype = "int32" }),
    tokens(5, 1, 1)))
  support.raises("state must be a list of 1 tables", forward(x, x, { h = randn(2, 6) }))
  support.raises("state must be a list of 1 tables", forward(x, x, { {}, {} }))
  support.raises("unknown name 'c'", forward(x, x, { { c = randn(2, 6) } }))
  support.raises("state.h is float64 (1,6), must be float64 (2,6)", forward(x, x,
    { { h = randn(1, 6) } }))
  support.raises("weight must be float32 or float64 (4,2), got float64 (2,4)", forward(x, x, nil,
    { weight = randn(2, 4) }))
  support.raises("weight must be float32 or float64 (4,2), got int32", forward(x, x, nil,
    { weight = x }))
  support.raises("mask must be float32 or float64 (4,2)", forward(x, x, nil, { mask = 1 }))
  support.raises("reduction is 'max'", forward(x, x, nil, { reduction = "max" }))
  support.raises("unknown option 'weights'. Did you mean 'weight'?", forward(x, x, nil,
    { weights = 1 }))
  support.raises("options must be a table, got string", forward(x, x, nil, "sum"))
  support.raises("trace must come from", forward(x, x, nil, { trace = 5 }))
  support.raises("weights sum to 0", forward(x, x, nil, { weight = tensor.zeros { 4, 2 } }))
  support.raises("weights sum to 0", forward(x, x, nil,
    { weight = tensor.zeros { 4, 2 }, train = false }))
  luaunit.assertEquals((m:forward(x, x, nil, { weight = tensor.zeros { 4, 2 },
    reduction = "sum" })), 0)
  luaunit.assertStrContains(support.raises("targets", forward(x)), "test_rnn_model.lua")
  local linear = rnn.model { cell = "tanh", input = 2, hidden = 3, output = 2, head = "linear" }
  support.raises("targets must be float32 (3,1,2), got float32 (3,1,1)", linear.forward, linear,
    tensor.zeros { 3, 1, 2 }, tensor.zeros { 3, 1, 1 })
  support.raises("targets expected, got nil", linear.forward, linear, tensor.zeros { 3, 1, 2 })
  support.raises("model:predict: inputs must be", linear.predict, linear, tensor.zeros { 3, 1, 3 })
end

function TestRnnModel.test_a_trace_counts_its_passes_and_guards_what_it_returned()
  local m = rnn.lm { vocab = 5, hidden = 3, seed = 1 }
  local x = tensor({ { 1, 2 }, { 3, 4 }, { 5, 1 } }, { dtype = "int32" })
  local _, state, trace = m:forward(x, x)
  local first = trace.generation
  m:forward(x, x, nil, { trace = trace })
  support.raises("model:backward: the trace holds forward pass 2, pass 1 was overwritten",
    m.backward, m, trace, first)
  state[1].h:zero_()
  support.raises("have been written to", m.backward, m, trace)
end
