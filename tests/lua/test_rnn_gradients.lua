-- zero_gradients only notes that the gradients are zeros, and a backward pass that comes next
-- writes them instead of adding: nobody must be able to tell, wherever they look in between.

local luaunit = require "luaunit"
local unroll = require "unroll"
local core = require "unroll.core"
local tensor, rnn, optim = unroll.tensor, unroll.rnn, unroll.optim

TestRnnGradients = {}

function TestRnnGradients:setUp() tensor.manual_seed(8) end

local V <const> = 5

local function tokens(T, B) return tensor.randint(1, V, { T, B }, { dtype = "int32" }) end

-- A model whose gradients are noise, and a window that does not have all tokens.
local function begin(opts)
  local m = rnn.model { cell = opts.cell or "tanh", input = opts.numbers and 3 or V + 2,
    hidden = opts.hidden or 6, output = opts.numbers and 2 or V,
    layers = opts.layers or 1, head = opts.numbers and "linear" or "softmax",
    dtype = opts.dtype or "float64", seed = 1 }
  local T, B = opts.T or 7, opts.B or 2
  local like = { dtype = m.dtype }
  local x = opts.numbers and tensor.randn({ T, B, 3 }, like) or tokens(T, B)
  local y = opts.numbers and tensor.randn({ T, B, 2 }, like) or tokens(T, B)
  m:gradients().flat:normal_()
  return m, x, y
end

-- The gradients of one pass, over zeros that are written as any other number is.
local function expected(m, x, y)
  m:gradients().flat:fill_(0)
  local _, _, trace = m:forward(x, y)
  m:backward(trace)
  return m:gradients().flat:clone()
end

local function forms()
  local list = {}
  for _, cell in ipairs { "tanh", "relu" } do
    for _, dtype in ipairs { "float32", "float64" } do
      for _, layers in ipairs { 1, 2 } do
        for _, size in ipairs { { 1, 1 }, { 7, 1 }, { 600, 1 }, { 9, 3 }, { 20, 32 } } do
          for _, numbers in ipairs { false, true } do
            list[#list + 1] = { cell = cell, dtype = dtype, layers = layers, T = size[1],
              B = size[2], numbers = numbers }
          end
        end
      end
    end
  end
  list[#list + 1] = { hidden = 100, T = 300, dtype = "float32" }
  return list
end

function TestRnnGradients.test_a_pass_after_zero_gradients_is_one_over_zeros()
  for i, form in ipairs(forms()) do
    local m, x, y = begin(form)
    local once = expected(m, x, y)
    m:gradients().flat:normal_()
    m:zero_gradients()
    local _, _, trace = m:forward(x, y)
    m:backward(trace)
    luaunit.assertTrue(tensor.equal(m:gradients().flat, once), "form " .. i)
    -- again on the same trace, over what is there; then fresh again
    m:forward(x, y, nil, { trace = trace })
    m:backward(trace)
    luaunit.assertTrue(tensor.allclose(m:gradients().flat, once * 2, { rtol = 1e-4 }),
      "form " .. i .. ", twice")
    m:zero_gradients()
    m:forward(x, y, nil, { trace = trace })
    m:backward(trace)
    luaunit.assertTrue(tensor.equal(m:gradients().flat, once), "form " .. i .. ", used trace")
  end
end

function TestRnnGradients.test_threads_change_no_bit()
  local before = unroll.threads()
  local results = {}
  for n = 1, 2 do
    unroll.threads(n)
    tensor.manual_seed(8)
    local m, x, y = begin { T = 70, B = 32, layers = 2, dtype = "float32" }
    m:zero_gradients()
    local _, _, trace = m:forward(x, y)
    m:backward(trace)
    results[n] = m:gradients().flat:clone()
  end
  unroll.threads(before)
  luaunit.assertTrue(tensor.equal(results[1], results[2]))
end

-- Ways to look at the gradients: each gives a number that must be 0, from views that were taken
-- before, too.
local function looks(m)
  local list = m:gradients()
  local flat, row = list.flat, list.W_hh:select(1, 2)
  local out = tensor.ones(6, { dtype = m.dtype })
  return {
    element = function() return flat[3] end,
    element_of_a_view = function() return row[2] end,
    range = function() return list.W_hh[{ 2, 3 }] end,
    pairs = function()
      local sum = 0
      for _, v in pairs(row) do sum = sum + v end
      return sum
    end,
    item = function() return list.b_y:narrow(1, 1, 1):item() end,
    table = function() return row:totable()[1] end,
    sum = function() return list.W_xh:sum() end,
    clone = function() return row:clone():sum() end,
    copy = function() return out:copy_(row):sum() end,
    binary = function() return tensor.add(out, row, out):sum() - 0 * out:sum() end,
    contiguous = function() return list.W_xh:contiguous():abs():max() end,
    bytes = function() return core.tensor.to_bytes(flat):byte(8) end,
    norm = function() return optim.grad_norm(m) end,
    clip_norm = function() return optim.clip_norm(m, 1) end,
    clip_value = function() return (optim.clip_value(m, 1)) end,
    list = function() return core.optim.norm(list[1].tensor) end,
    part = function() return m.layers[1]:gradients().flat:sum() end,
    text = function() return tostring(row):find "[1-9]%.%d" and 1 or 0 end,
  }
end

function TestRnnGradients.test_whoever_looks_sees_zeros()
  local m, x, y = begin {}
  local once = expected(m, x, y)
  for name, look in pairs(looks(m)) do
    m:gradients().flat:fill_(1.5)
    if name ~= "binary" then
      luaunit.assertNotEquals(look(), 0, name)
      m:gradients().flat:fill_(1.5)
    end
    m:zero_gradients()
    if name == "binary" then
      look() -- 1 + 0
    else
      luaunit.assertEquals(look(), 0, name)
    end
    luaunit.assertEquals(m:gradients().flat:abs():max(), 0, name)
    m:zero_gradients()
    look()
    local _, _, trace = m:forward(x, y)
    m:backward(trace)
    luaunit.assertTrue(tensor.equal(m:gradients().flat, once), name .. " and a pass")
  end
end

function TestRnnGradients.test_an_update_without_a_pass_changes_nothing()
  for _, rule in ipairs { "sgd", "adagrad", "adam" } do
    local m = begin {}
    local opt = optim[rule](m, { lr = 0.1 })
    m:zero_gradients()
    opt:step() -- makes its state
    local before = m:parameters().flat:clone()
    m:gradients().flat:fill_(1)
    m:zero_gradients()
    opt:step()
    luaunit.assertTrue(tensor.equal(m:parameters().flat, before), rule)
  end
end

function TestRnnGradients.test_what_is_written_after_zero_gradients_counts()
  local m, x, y = begin {}
  local once = expected(m, x, y)
  m:gradients().flat:normal_()
  m:zero_gradients()
  m:gradients().b_y:fill_(1)
  local _, _, trace = m:forward(x, y)
  m:backward(trace)
  once:narrow(1, once:numel() - V + 1, V):add_(1)
  luaunit.assertTrue(tensor.allclose(m:gradients().flat, once, { rtol = 1e-12 }))
end

function TestRnnGradients.test_a_refused_pass_leaves_zeros()
  local m, x, y = begin { layers = 2 }
  local _, _, trace = m:forward(x, y)
  m:zero_gradients()
  m:parameters().flat:mul_(1.5)
  luaunit.assertError(m.backward, m, trace)
  luaunit.assertEquals(m:gradients().flat:abs():max(), 0)
end

function TestRnnGradients.test_passes_of_single_layers_add()
  local m, x, y = begin { layers = 2 }
  local layer, dys = m.layers[1], tensor.ones(7, 2, 6, { dtype = "float64" })
  local function pass()
    local _, _, trace = layer:forward(x)
    layer:backward(trace, dys)
  end
  m:gradients().flat:fill_(0)
  pass()
  local once = m:gradients().flat:clone()
  m:gradients().flat:normal_()
  m:zero_gradients()
  pass()
  luaunit.assertTrue(tensor.equal(m:gradients().flat, once))
  -- a layer clears its own part alone
  local whole = expected(m, x, y)
  local own = layer:gradients().flat:numel()
  layer:zero_gradients()
  luaunit.assertEquals(m:gradients().flat:narrow(1, 1, own):abs():max(), 0)
  luaunit.assertTrue(tensor.equal(m:gradients().flat:narrow(1, own + 1, whole:numel() - own),
    whole:narrow(1, own + 1, whole:numel() - own)))
end

function TestRnnGradients.test_cells_in_lua_add_to_zeros()
  local sine = { name = "sine", states = { "h" }, gates = { "a" } }
  function sine.step(pre, _, next) tensor.sin(pre.a, next.h) end
  function sine.step_grad(grad, pre)
    tensor.vjp.sin(grad.next.h, pre.a, nil, grad.pre.a)
    grad.state.h:zero_()
  end
  local m, x, y = begin { cell = sine }
  local once = expected(m, x, y)
  m:gradients().flat:normal_()
  m:zero_gradients()
  local _, _, trace = m:forward(x, y)
  m:backward(trace)
  luaunit.assertTrue(tensor.equal(m:gradients().flat, once))
end

-- Gradients as inputs, whose numbers a trace goes to without a look at the tensor again.
function TestRnnGradients.test_gradients_that_are_inputs()
  local m, x, y = begin { numbers = true, T = 2, B = 1 }
  local other = rnn.model { cell = "tanh", input = 3, hidden = 4, output = 2, head = "linear",
    dtype = "float64", seed = 3 }
  local inputs = m:gradients().flat:narrow(1, 1, 6):view(2, 1, 3)
  local _, _, trace = other:forward(inputs, y)
  local loss = other:forward(tensor.zeros_like(x), y)
  other:forward(inputs, y, nil, { trace = trace })
  m:zero_gradients()
  luaunit.assertEquals(other:forward(inputs, y, nil, { trace = trace }), loss)
end

function TestRnnGradients.test_zero_gradients_counts_as_a_write()
  local m = begin {}
  local flat = m:gradients().flat
  local before = tensor.version(flat)
  m:zero_gradients()
  luaunit.assertTrue(tensor.version(flat) > before)
end

-- A trace is given other tensors, a mask, and the first ones again.
function TestRnnGradients.test_a_trace_with_changing_arguments()
  local m, x, y = begin { layers = 2 }
  local windows = { { x, y }, { tokens(7, 2), y }, { x, tokens(7, 2) }, { x, y } }
  local mask = tensor.ones(7, 2, { dtype = "float64" })
  mask[{ 3, 1 }] = 0
  local trace
  for _, options in ipairs { {}, { mask = mask }, { weight = mask }, {} } do
    for i, window in ipairs(windows) do
      local fresh = { mask = options.mask, weight = options.weight }
      local loss, end_state, own = m:forward(window[1], window[2], nil, fresh)
      m:gradients().flat:fill_(0)
      m:backward(own)
      local once = m:gradients().flat:clone()
      fresh.trace = trace
      local again, state
      again, state, trace = m:forward(window[1], window[2], nil, fresh)
      m:zero_gradients()
      m:backward(trace)
      luaunit.assertEquals(again, loss, "window " .. i)
      luaunit.assertTrue(tensor.equal(m:gradients().flat, once), "window " .. i)
      luaunit.assertTrue(tensor.equal(state[2].h, end_state[2].h), "window " .. i)
    end
  end
end

-- One long sequence goes through the read-out block by block, each after its steps.
function TestRnnGradients.test_a_long_window_of_one_sequence_is_many_short_ones()
  for _, layers in ipairs { 1, 2 } do
    for _, reduction in ipairs { "mean", "sum" } do
      local m, x, y = begin { hidden = 100, T = 700, B = 1, dtype = "float32", layers = layers }
      local weight = tensor.rand(700, 1)
      weight[{ {}, 1 }][5] = 0
      local opts = { weight = weight, reduction = reduction }
      local loss, state, trace = m:forward(x, y, nil, opts)
      local evaluated, after = m:forward(x, y, nil,
        { weight = weight, reduction = reduction, train = false })
      luaunit.assertEquals(loss, evaluated)
      luaunit.assertTrue(tensor.equal(state[layers].h, after[layers].h))
      local logits = m:predict(x)
      local gradient = tensor.softmax(logits, 3)
      for t = 1, 700 do
        local row = gradient:select(1, t):select(1, 1)
        row[y[{ t, 1 }]] = row[y[{ t, 1 }]] - 1
        row:mul_(weight[{ t, 1 }] / (reduction == "mean" and weight:sum() or 1))
      end
      luaunit.assertTrue(tensor.allclose(trace.y, gradient, { rtol = 1e-4, atol = 1e-6 }))
    end
  end
end
