-- Cells written in Lua: the three kinds of definition, against differences of the loss,
-- against plain tensor operations, and as layers of a model.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local tensor, rnn, gradcheck = unroll.tensor, unroll.rnn, unroll.gradcheck

-- Two gates, two states, a saved value and a parameter of its own:
--   f = sigmoid(a_f + p * c)   c' = f c + (1 - f) tanh(a_g)   h' = c' (a_g-free output)
local gated = { name = "gated", states = { "h", "c" }, gates = { "f", "g" },
  saved = { "f", "g" }, parameters = { { name = "p", size = { "H" } } } }

function gated.step(pre, state, next, saved, parameters)
  tensor.mul(state.c, parameters.p, saved.f)
  tensor.add(saved.f, pre.f, saved.f)
  tensor.sigmoid(saved.f, saved.f)
  tensor.tanh(pre.g, saved.g)
  tensor.sub(state.c, saved.g, next.c)
  tensor.mul(next.c, saved.f, next.c)
  tensor.add(next.c, saved.g, next.c)
  tensor.tanh(next.c, next.h)
end

function gated.step_grad(grad, _, state, next, saved, parameters)
  local dc = grad.next.h * (1 - next.h * next.h) + grad.next.c
  local df = dc * (state.c - saved.g) * saved.f * (1 - saved.f)
  grad.pre.f:copy_(df)
  grad.pre.g:copy_(dc * (1 - saved.f) * (1 - saved.g * saved.g))
  grad.state.c:copy_(dc * saved.f + df * parameters.p)
  grad.parameters.p:add_((df * state.c):sum(1))
end

-- A GRU whose reset gate works on the product: the part from h is needed apart.
local gru = { name = "lua_gru", states = { "h" }, gates = { "r", "z", "n" },
  saved = { "r", "z", "n" }, split = true }

function gru.step(pre, state, next, saved)
  saved.r:copy_(tensor.sigmoid(pre.r + pre.h.r))
  saved.z:copy_(tensor.sigmoid(pre.z + pre.h.z))
  saved.n:copy_(tensor.tanh(pre.n + saved.r * pre.h.n))
  next.h:copy_(saved.n + saved.z * (state.h - saved.n))
end

function gru.step_grad(grad, pre, state, _, saved)
  local dh = grad.next.h
  local dn = dh * (1 - saved.z) * (1 - saved.n * saved.n)
  local dr = dn * pre.h.n * saved.r * (1 - saved.r)
  local dz = dh * (state.h - saved.n) * saved.z * (1 - saved.z)
  for name, d in pairs { r = dr, z = dz } do
    grad.pre[name]:copy_(d)
    grad.pre.h[name]:copy_(d)
  end
  grad.pre.n:copy_(dn)
  grad.pre.h.n:copy_(dn * saved.r)
  grad.state.h:copy_(dh * saved.z)
end

-- A cell that does everything itself: h_t = tanh(x_t V + w h_{t-1}), dense inputs only.
local diagonal = { name = "diagonal", states = { "h" } }

function diagonal.parameters(input, hidden)
  return { { name = "V", size = { input, hidden } }, { name = "w", size = { hidden } } }
end

function diagonal.forward(pass)
  local h = pass.state.h
  for t = 1, pass.T do
    tensor.tanh(pass.xs[t]:matmul(pass.parameters.V) + pass.parameters.w * h, pass.ys[t])
    h = pass.ys[t]
  end
end

function diagonal.backward(pass)
  local dh = pass.dnext.h
  for t = pass.T, 1, -1 do
    dh = dh + pass.dys[t]
    pass.norms[t] = dh:norm()
    local da = dh * (1 - pass.ys[t] * pass.ys[t])
    local before = t > 1 and pass.ys[t - 1] or pass.state.h
    pass.gradients.V:add_(pass.xs[t]:t():matmul(da))
    pass.gradients.w:add_((da * before):sum(1))
    pass.dxs[t]:copy_(da:matmul(pass.parameters.V:t()))
    dh = da * pass.parameters.w
  end
  pass.dstate.h:copy_(dh)
end

local function randn(...)
  return tensor.randn({ ... }, { dtype = "float64" })
end

local function tokens(V, T, B)
  return tensor.randint(1, V, { T, B }, { dtype = "int32" })
end

local function states_of(def, B, H)
  local state = {}
  for _, name in ipairs(def.states) do state[name] = randn(B, H) end
  return state
end

local function assert_ok(result)
  luaunit.assertTrue(result.ok, tostring(result))
end

TestLuaCell = {}

function TestLuaCell:setUp() tensor.manual_seed(5) end

function TestLuaCell.test_gradients_on_numbers()
  for _, def in ipairs { gated, gru, diagonal } do
    for _, size in ipairs { { 5, 3, 2, 4 }, { 1, 1, 1, 1 }, { 4, 1, 3, 2 } } do
      local T, B, I, H = table.unpack(size)
      local cell = rnn.cell(def, { input = I, hidden = H, dtype = "float64",
        init = { normal = 0.7 }, seed = 2 })
      local parameters = cell:parameters()
      for _, name in ipairs { "p", "w" } do
        if parameters[name] then parameters[name]:normal_(0, 1) end
      end
      assert_ok(gradcheck(cell, randn(T, B, I), { state = states_of(def, B, H) }))
    end
  end
end

function TestLuaCell.test_gradients_on_tokens()
  for _, def in ipairs { gated, gru } do
    local cell = rnn.cell(def, { input = 6, hidden = 3, dtype = "float64", seed = 2 })
    assert_ok(gradcheck(cell, tokens(6, 30, 2), { state = states_of(def, 2, 3) }))
  end
end

function TestLuaCell.test_stack_in_a_model()
  for _, def in ipairs { gated, gru } do
    local model = rnn.lm { cell = def, vocab = 5, hidden = 4, layers = 2, dtype = "float64",
      seed = 4 }
    local names = {}
    for _, entry in ipairs(model:parameters()) do names[#names + 1] = entry.name end
    luaunit.assertEquals(names[1], "layers[1].W_xh")
    luaunit.assertEquals(model.layers[2].W_xh:size(), { #def.gates * 4, 4 })
    assert_ok(gradcheck(model, tokens(5, 12, 2), tokens(5, 12, 2),
      { state = { states_of(def, 2, 4), states_of(def, 2, 4) },
        weight = tensor.rand({ 12, 2 }, { dtype = "float64" }) }))
  end
end

function TestLuaCell.test_whole_cell_in_a_model()
  local model = rnn.model { cell = diagonal, input = 3, hidden = 4, output = 2, head = "linear",
    layers = 2, dtype = "float64", seed = 4 }
  assert_ok(gradcheck(model, randn(6, 2, 3), randn(6, 2, 2)))
end

-- The tanh cell written as steps and the built-in one share everything but the loop.
local function lua_tanh()
  local def = { name = "lua_tanh", states = { "h" }, gates = { "a" } }
  function def.step(pre, _, next) tensor.tanh(pre.a, next.h) end
  function def.step_grad(grad, _, _, next)
    tensor.mul(grad.next.h, 1 - next.h * next.h, grad.pre.a)
  end
  return def
end

function TestLuaCell.test_agrees_with_the_built_in_cell()
  local opts = { input = 5, hidden = 7, dtype = "float64", seed = 9 }
  local a, b = rnn.cell("tanh", opts), rnn.cell(lua_tanh(), opts)
  support.near(a:parameters().flat, b:parameters().flat, 0)
  local mask = tensor.tensor { { 1, 1 }, { 1, 0 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, { 1, 0 } }
  for _, reverse in ipairs { false, true } do
    for _, xs in ipairs { randn(6, 2, 5), tokens(5, 6, 2) } do
      local state, dys, dend = states_of(a.definition, 2, 7), randn(6, 2, 7), { h = randn(2, 7) }
      local found = {}
      for i, cell in ipairs { a, b } do
        cell:zero_gradients()
        local ys, last, trace = cell:forward(xs, state, { mask = mask, reverse = reverse })
        local dxs, dstate = cell:backward(trace, dys, dend)
        found[i] = { ys = ys, last = last.h, dxs = dxs or 0, dh = dstate.h,
          gradients = cell:gradients().flat, norms = trace:state_gradient_norms() }
      end
      for name, value in pairs(found[1]) do support.near(found[2][name], value, 1e-14, name) end
    end
  end
end

-- Reversed runs and masks of cells with two states: rows that are masked at the end of a
-- sequence give what the sequence alone would give.
function TestLuaCell.test_masks_as_lengths()
  local cell = rnn.cell(gated, { input = 3, hidden = 4, dtype = "float64", seed = 2 })
  local xs, lengths = randn(5, 2, 3), { 5, 3 }
  local dys, dend = randn(5, 2, 4), { h = randn(2, 4), c = randn(2, 4) }
  local mask = tensor.zeros({ 5, 2 })
  for b, n in ipairs(lengths) do mask[{ { 1, n }, b }] = 1 end
  dys[{ { 4, 5 }, 2 }] = 0
  cell:zero_gradients()
  local ys, last, trace = cell:forward(xs, nil, { mask = mask })
  cell:backward(trace, dys, dend)
  ys, last = ys:clone(), { h = last.h:clone(), c = last.c:clone() }
  local gradients = cell:gradients().flat:clone()
  cell:zero_gradients()
  for b, n in ipairs(lengths) do
    local one, final, own = cell:forward(xs:narrow(1, 1, n):narrow(2, b, 1))
    support.near(ys:narrow(1, 1, n):narrow(2, b, 1), one, 1e-14)
    support.near(last.h:narrow(1, b, 1), final.h, 1e-14)
    support.near(last.c:narrow(1, b, 1), final.c, 1e-14)
    cell:backward(own, dys:narrow(1, 1, n):narrow(2, b, 1),
      { h = dend.h:narrow(1, b, 1), c = dend.c:narrow(1, b, 1) })
  end
  support.near(gradients, cell:gradients().flat, 1e-13)
end

function TestLuaCell.test_whole_cells_check_states_tokens_and_traces()
  local cell = rnn.cell(diagonal, { input = 3, hidden = 2, dtype = "float64", seed = 1 })
  support.raises("state.h must be float64 (1,2)", cell.forward, cell, randn(2, 1, 3),
    { h = randn(2, 2) })
  support.raises("tokens must be in 1..3", cell.forward, cell, tensor.tensor({ { 4 } },
    { dtype = "int32" }))
  local xs = randn(2, 1, 3)
  local ys, _, trace = cell:forward(xs)
  cell:backward(trace, ys * 0 + 1)
  luaunit.assertEquals(trace:state_gradient_norms():size(), { 2 })
  support.near(trace:state_gradient_norms()[2], math.sqrt(2), 1e-12)
  support.raises("already", cell.backward, cell, trace, ys)
  cell:forward(xs, nil, { trace = trace })
  xs:mul_(2)
  support.raises("the inputs have changed", cell.backward, cell, trace, ys)
  cell:forward(xs, nil, { trace = trace })
  cell.w:fill_(0)
  support.raises("the parameters have changed", cell.backward, cell, trace, ys)
end

function TestLuaCell.test_steps_make_no_garbage_of_the_library()
  local def = lua_tanh()
  function def.step_grad(grad, _, _, next) -- without garbage of its own
    tensor.mul(next.h, next.h, grad.pre.a)
    tensor.neg(grad.pre.a, grad.pre.a)
    tensor.add(grad.pre.a, 1, grad.pre.a)
    tensor.mul(grad.pre.a, grad.next.h, grad.pre.a)
  end
  local model = rnn.lm { cell = def, vocab = 5, hidden = 4, layers = 2, seed = 1 }
  local x, y, opts, state = tokens(5, 6, 2), tokens(5, 6, 2), {}, nil
  local function step()
    local _
    _, state, opts.trace = model:forward(x, y, state, opts)
    model:backward(opts.trace)
  end
  luaunit.assertEquals(support.garbage(100, step), 0)
end

TestLuaCellDefinition = {}

function TestLuaCellDefinition.test_register_by_name()
  local def = lua_tanh()
  def.name = "registered_tanh"
  support.raises("there is no cell 'registered_tanh'", rnn.cell, "registered_tanh",
    { input = 1, hidden = 1 })
  rnn.register(def)
  local cell = rnn.cell("registered_tanh", { input = 2, hidden = 3 })
  luaunit.assertEquals(cell.name, "registered_tanh")
  luaunit.assertTrue(#rnn.cells() >= 3)
  def.name = "tanh"
  support.raises("'tanh' is a built-in cell", rnn.register, def)
end

function TestLuaCellDefinition.test_found_as_a_file()
  package.preload["unroll.cells.from_file"] = function()
    local def = lua_tanh()
    def.name = "from_file"
    return def
  end
  luaunit.assertEquals(rnn.lm { cell = "from_file", vocab = 3, hidden = 2 }.cell, "from_file")
  package.preload["unroll.cells.broken"] = function() error("a mistake in the file") end
  support.raises("a mistake in the file", rnn.cell, "broken", { input = 1, hidden = 1 })
end

function TestLuaCellDefinition.test_cells_in_the_folder_are_listed()
  local root = support.tmpdir()
  support.run(("cp -r '%s/lua/unroll' '%s' && mkdir -p '%s/unroll/cells'"):format(support.root,
    root, root))
  support.write_file(root .. "/unroll/cells/mix.lua", "return { name = 'mix', states = { 'h' } }")
  local output = support.run(([[UNROLL_LUA='%s' %s -e '
    local rnn = require("unroll").rnn
    print(table.concat(rnn.cells(), " "))
    print(pcall(rnn.cell, "mxi", { input = 1, hidden = 1 }))
    print(pcall(rnn.cell, "mix", { input = 1, hidden = 1 }))']]):format(root,
    support.quoted_program))
  luaunit.assertStrContains(output, "mix relu tanh\n")
  luaunit.assertStrContains(output, "there is no cell 'mxi'. Did you mean 'mix'?")
  luaunit.assertStrContains(output, "rnn.cell: cell 'mix': gates must be a list")
end

function TestLuaCellDefinition.test_the_function_that_was_called_is_named()
  for who, call in pairs {
    ["rnn.lm: a cell's definition needs a name"] = function()
      local _ = rnn.lm { cell = {}, vocab = 5, hidden = 4 }
    end,
    ["rnn.cell: a cell's definition needs a name"] = function()
      local _ = rnn.cell({}, { input = 1, hidden = 1 })
    end,
    ["rnn.register: a cell's definition needs a name"] = function() rnn.register {} end,
    ["rnn.cell: options 'hidden', 'input' are required"] = function() local _ = rnn.cell "tanh" end,
  } do
    luaunit.assertStrMatches(support.raises(who, call), "^[^:]*test_rnn_luacell%.lua:%d+: rnn.*")
  end
end

function TestLuaCellDefinition.test_malformed()
  local function with(changes)
    local def = lua_tanh()
    for key, value in pairs(changes) do def[key] = value or nil end
    return function() return rnn.cell(def, { input = 2, hidden = 2 }) end
  end
  support.raises("needs a name", with { name = false })
  support.raises("needs a name", with { name = "a b" })
  support.raises("states must be a list", with { states = false })
  support.raises("first state must be 'h'", with { states = { "c", "h" } })
  support.raises("bad or double name 'h'", with { states = { "h", "h" } })
  support.raises("gates must be a list", with { gates = {} })
  support.raises("step_grad must be a function", with { step_grad = false })
  support.raises("unknown field 'gate'", with { gate = { "a" } })
  support.raises("Did you mean 'gates'?", with { gate = { "a" } })
  support.raises("a parameter is { name =, size = }", with { parameters = { "p" } })
  support.raises("size K of parameter 'p'",
    with { parameters = { { name = "p", size = { "K" } } } })
  support.raises("one or two dimensions", with { parameters = { { name = "p", size = {} } } })
  support.raises("definition table expected", rnn.register, 3)
end
