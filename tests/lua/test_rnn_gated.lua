-- Cells with gates: their options, how biases start, blocks and activations by the name of the
-- gate, states with a memory, files. That the numbers are right is tested in test_cells.lua and,
-- against PyTorch, in test_reference.lua.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local json = require "unroll.json"
local safetensors = require "unroll.safetensors"
local tensor, rnn, train = unroll.tensor, unroll.rnn, unroll.train

local GATED = { { "lstm" }, { "gru" }, { "gru", reset = "before" } }

-- rnn.cell or rnn.lm with the options of one of GATED.
local function options_of(kind, opts)
  local all = { seed = 3 }
  for name, value in pairs(opts) do all[name] = value end
  for name, value in pairs(kind) do
    if type(name) == "string" then all[name] = value end
  end
  return all
end

local function cell_of(kind, opts)
  local all = options_of(kind, { input = 3, hidden = 4, dtype = "float64" })
  for name, value in pairs(opts or {}) do all[name] = value end
  return rnn.cell(kind[1], all)
end

local function lm_of(kind, opts)
  local all = options_of(kind, { cell = kind[1], vocab = 5, hidden = 6 })
  for name, value in pairs(opts or {}) do all[name] = value end
  return rnn.lm(all)
end

local function for_each_kind(check)
  for _, kind in ipairs(GATED) do
    check(kind, kind[1] .. (kind.reset and " " .. kind.reset or ""))
  end
end

local function dense(T, B, seed)
  return tensor.randn({ T, B, 3 },
    { dtype = "float64", generator = tensor.generator(seed or 1) })
end

-- --- options -------------------------------------------------------------------------------

TestGatedOptions = {}

function TestGatedOptions.test_defaults_and_values_are_kept()
  luaunit.assertEquals(rnn.cell("lstm", { input = 1, hidden = 1 }).options, { forget_bias = 1 })
  luaunit.assertEquals(rnn.cell("gru", { input = 1, hidden = 1 }).options, { reset = "after" })
  luaunit.assertEquals(rnn.cell("tanh", { input = 1, hidden = 1 }).options, {})
  local model = rnn.lm { cell = "gru", reset = "before", vocab = 3, hidden = 2, layers = 2 }
  luaunit.assertEquals(model.options, { reset = "before" })
  luaunit.assertEquals(model.layers[2].options, { reset = "before" })
  luaunit.assertEquals(model:to("float64").layers[1].options, { reset = "before" })
  luaunit.assertEquals(model.layers[1]:to("float64").options, { reset = "before" })
  local linear = rnn.model { cell = "lstm", forget_bias = -2, input = 1, hidden = 2, output = 1 }
  luaunit.assertEquals(linear.options, { forget_bias = -2 })
end

function TestGatedOptions.test_reset_before_is_another_cell_with_the_same_name()
  local after, before = cell_of { "gru" }, cell_of { "gru", reset = "before" }
  luaunit.assertEquals({ after.name, before.name }, { "gru", "gru" })
  luaunit.assertEquals(after.b_hn:size(), { 4 })
  luaunit.assertNil(before:parameters().b_hn)
  for _, name in ipairs { "W_xh", "W_hh", "b_h" } do
    before:parameters()[name]:copy_(after:parameters()[name])
  end
  local x = dense(5, 2)
  local first, second = after:forward(x), before:forward(x)
  support.near(first[1], second[1], 1e-12) -- h is 0 before step 1
  luaunit.assertTrue((first[2] - second[2]):abs():max() > 1e-3)
end

function TestGatedOptions.test_variants_have_no_name_of_their_own()
  for _, name in ipairs(rnn.cells()) do luaunit.assertNotEquals(name, "gru_before") end
  support.raises("there is no cell 'gru_before'", rnn.cell, "gru_before", { input = 1, hidden = 1 })
end

function TestGatedOptions.test_behind_the_name()
  local cell = rnn.cell("gru reset=before", { input = 2, hidden = 2 })
  luaunit.assertEquals({ cell.name, cell.options.reset }, { "gru", "before" })
  local model = rnn.lm { cell = "lstm  forget_bias=-0.5", vocab = 3, hidden = 2 }
  luaunit.assertEquals({ model.cell, model.options.forget_bias }, { "lstm", -0.5 })
  luaunit.assertEquals(model.layers[1]:gate("b_h", "f"):totable(), { -0.5, -0.5 })
  support.raises("behind the name options are expected", rnn.cell, "gru before",
    { input = 1, hidden = 1 })
  support.raises("'reset' is given twice", rnn.cell, "gru reset=after",
    { input = 1, hidden = 1, reset = "after" })
  support.raises("unknown option 'rest'. Did you mean 'reset'?", rnn.cell, "gru rest=after",
    { input = 1, hidden = 1 })
end

function TestGatedOptions.test_wrong_ones()
  local function fails(message, name, key, value)
    support.raises(message, rnn.cell, name, { input = 1, hidden = 1, [key] = value })
  end
  fails("rnn.cell: 'reset' is an option of gru, not of lstm", "lstm", "reset", "after")
  fails("rnn.cell: 'forget_bias' is an option of lstm, not of tanh", "tanh", "forget_bias", 1)
  fails("unknown option 'forget_bais'. Did you mean 'forget_bias'?", "lstm", "forget_bais", 1)
  fails("reset is the string 'befor', must be 'after' or 'before'", "gru", "reset", "befor")
  fails("reset is true, must be", "gru", "reset", true)
  fails("forget_bias must be a number, got the string '1'", "lstm", "forget_bias", "1")
  fails("forget_bias must be finite, got nan", "lstm", "forget_bias", 0 / 0)
  support.raises("rnn.lm: 'reset' is an option of gru, not of tanh", rnn.lm,
    { vocab = 3, hidden = 2, reset = "after" })
  support.raises("rnn.model: 'reset' is an option of gru, not of lstm", rnn.model,
    { cell = "lstm", input = 3, hidden = 2, output = 1, reset = "after" })
end

function TestGatedOptions.test_the_callers_table_stays_as_it_is()
  local opts = { input = 1, hidden = 1, forget_bias = 2 }
  rnn.cell("lstm", opts)
  rnn.lm { cell = "lstm", vocab = 2, hidden = 1 }
  luaunit.assertEquals(opts, { input = 1, hidden = 1, forget_bias = 2 })
end

-- h' = h + rate (tanh(a) - h), where rate is an option.
local function leaky(changes)
  local def = { name = "leaky", states = { "h" }, gates = { "a" },
    options = { { name = "rate", default = 0.5,
      check = function(rate) return (rate <= 0 or rate > 1) and "must be in 0..1" or nil end } },
    biases = function(o) return { a = 10 * o.rate } end }
  function def.step(pre, state, next, _, _, o)
    pre.a:tanh_()
    next.h:copy_(state.h):mul_(1 - o.rate):add_(pre.a * o.rate)
  end
  function def.step_grad(grad, pre, _, _, _, _, o)
    tensor.vjp.tanh(grad.next.h * o.rate, nil, pre.a, grad.pre.a)
    grad.state.h:copy_(grad.next.h):mul_(1 - o.rate)
  end
  for key, value in pairs(changes or {}) do def[key] = value end
  return def
end

function TestGatedOptions.test_cells_in_lua_declare_theirs()
  local def = leaky()
  local cell = rnn.cell(def, { input = 2, hidden = 3, dtype = "float64", rate = 0.25, seed = 1 })
  luaunit.assertEquals(cell.options, { rate = 0.25 })
  support.near(cell.b_h, { 2.5, 2.5, 2.5 })
  cell.b_h:fill_(0.1)
  local x = tensor.randn({ 4, 2, 2 }, { dtype = "float64", generator = tensor.generator(1) })
  luaunit.assertTrue(unroll.gradcheck(cell, x).ok)
  local plain = rnn.cell("tanh", { input = 2, hidden = 3, dtype = "float64" })
  plain:parameters().flat:copy_(cell:parameters().flat)
  support.near((cell:step(x[1])), plain:step(x[1]) * 0.25, 1e-12)
  support.raises("rate must be in 0..1", rnn.cell, def, { input = 2, hidden = 3, rate = 2 })
  support.raises("rate must be a number", rnn.cell, def, { input = 2, hidden = 3, rate = "x" })
  support.raises("unknown option 'rat'. Did you mean 'rate'?", rnn.cell, def,
    { input = 2, hidden = 3, rat = 1 })
end

function TestGatedOptions.test_bad_declarations()
  local function fails(message, changes)
    support.raises(message, rnn.cell, leaky(changes), { input = 2, hidden = 3 })
  end
  fails("options must be a list", { options = { rate = 1 } and { { default = 1 } } })
  fails("options must be a list", { options = 5 })
  fails("options must be a list", { options = { { name = "rate" } } })
  fails("an option cannot be called 'hidden'", { options = { { name = "hidden", default = 1 } } })
  fails("the default of option 1, 'rate', is the string 'c', must be 'a' or 'b'",
    { options = { { name = "rate", default = "c", choices = { "a", "b" } } } })
  fails("keep is 'k', which is no gate", { keep = "k" })
  fails("biases must be a function", { biases = 1 })
  fails("biases names 'k', which is no gate", { biases = function() return { k = 1 } end })
end

-- --- how biases start ----------------------------------------------------------------------

TestGatedInit = {}

function TestGatedInit.test_the_forget_bias_is_1_whatever_the_rule()
  for _, init in ipairs { "glorot", "orthogonal", "pytorch", { normal = 0.1 }, 0.25,
    { W_hh = "orthogonal" } } do
    local cell = cell_of({ "lstm" }, { init = init })
    support.near(cell.b_h, { 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, 0)
  end
  local gru = cell_of { "gru" }
  luaunit.assertEquals({ gru.b_h:abs():max(), gru.b_hn:abs():max() }, { 0, 0 })
end

function TestGatedInit.test_a_rule_for_the_biases_wins()
  luaunit.assertEquals(cell_of({ "lstm" }, { init = { b_h = 0 } }).b_h:abs():max(), 0)
  local b = cell_of({ "lstm" }, { init = { b_h = "pytorch" }, hidden = 25 }).b_h
  luaunit.assertTrue(b:abs():max() <= 0.2 and b:abs():max() > 0.15)
  luaunit.assertTrue(b:min() < 0)
end

-- Each block of a stacked matrix is orthogonal by itself.
function TestGatedInit.test_blocks_are_matrices_of_their_own()
  for_each_kind(function(kind, what)
    local cell = cell_of(kind, { init = "orthogonal" })
    for _, gate in ipairs(cell.gates) do
      local W = cell:gate("W_hh", gate)
      support.near(W:matmul(W:t()), tensor.eye(4, { dtype = "float64" }), 1e-12, what .. gate)
    end
  end)
end

function TestGatedInit.test_chrono()
  local longest, H = 200, 4000
  for _, init in ipairs { { chrono = longest }, { b_h = { chrono = longest } } } do
    local lstm = rnn.cell("lstm", { input = 1, hidden = H, dtype = "float64", seed = 1,
      init = { W_hh = 0, b_h = init.b_h or init } })
    local f = lstm:gate("b_h", "f")
    support.near(lstm:gate("b_h", "i"), f:neg(), 0)
    luaunit.assertEquals(lstm:gate("b_h", "g"):abs():max() + lstm:gate("b_h", "o"):abs():max(), 0)
    local times = f:exp() -- uniform in 1 .. longest - 1
    luaunit.assertTrue(times:min() >= 1 and times:max() <= longest - 1)
    support.near(times:mean(), longest / 2, 0.05)
    support.near(times:std(), (longest - 2) / math.sqrt(12), 0.05)
  end
  local gru = rnn.lm { cell = "gru", vocab = 3, hidden = 50, layers = 2, init = { chrono = 10 } }
  for _, layer in ipairs(gru.layers) do
    local z = layer:gate("b_h", "z"):exp()
    luaunit.assertTrue(z:min() >= 1 and z:max() <= 9 and z:std() > 1)
    luaunit.assertEquals(layer:gate("b_h", "r"):abs():max() + layer.b_hn:abs():max(), 0)
    luaunit.assertTrue(layer.W_hh:abs():max() > 0)
  end
  luaunit.assertEquals(gru.b_y:abs():max(), 0)
end

function TestGatedInit.test_chrono_where_it_cannot_be()
  local function fails(message, name, init)
    support.raises(message, rnn.cell, name, { input = 2, hidden = 2, init = init })
  end
  fails("init: chrono is for cells with a gate that keeps the state", "tanh", { chrono = 10 })
  fails("init.W_hh: chrono is for b_h of cells with a gate", "lstm", { W_hh = { chrono = 10 } })
  fails("init.b_h: chrono is for b_h of cells with a gate", "relu", { b_h = { chrono = 10 } })
  fails("init = 'chrono' needs a number, as { chrono = 100 }", "lstm", "chrono")
  fails("more than 2 steps, got 2", "lstm", { chrono = 2 })
end

-- --- by the name of the gate ------------------------------------------------------------------

TestGates = {}

function TestGates.test_blocks_are_views()
  local cell = cell_of { "lstm" }
  luaunit.assertEquals(cell.gates, { "i", "f", "g", "o" })
  for k, gate in ipairs(cell.gates) do
    support.near(cell:gate("W_xh", gate), cell.W_xh[{ { 4 * k - 3, 4 * k } }], 0)
    cell:gate("b_h", gate):fill_(k)
  end
  support.near(cell.b_h, { 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4 }, 0)
  luaunit.assertEquals(cell_of({ "gru" }).gates, { "r", "z", "n" })
end

function TestGates.test_blocks_that_are_not_there()
  local lstm, gru = cell_of { "lstm" }, cell_of { "gru" }
  support.raises("cell:gate: gate is 'z'. There are: f, g, i, o.", lstm.gate, lstm, "W_hh", "z")
  support.raises("there is no parameter 'W_hx'. Did you mean 'W_xh'?", lstm.gate, lstm, "W_hx",
    "f")
  support.raises("there is no parameter 'flat'", lstm.gate, lstm, "flat", "f")
  support.raises("there is no parameter 'nil'", lstm.gate, lstm)
  support.raises("b_hn is not stacked by gates", gru.gate, gru, "b_hn", "n")
  local tanh = rnn.cell("tanh", { input = 2, hidden = 2 })
  luaunit.assertEquals(tanh.gates, {})
  support.raises("cell tanh has no gates", tanh.gate, tanh, "W_hh", "f")
end

-- The activations and the states of all steps satisfy the equations of the cell.
local function check_equations(cell, gates, states, before)
  if cell.name == "lstm" then
    local c = gates.f * before.c + gates.i * gates.g
    support.near(states.c, c, 1e-12)
    support.near(states.h, gates.o * c:tanh(), 1e-12)
  else
    support.near(states.h, (1 - gates.z) * gates.n + gates.z * before.h, 1e-12)
  end
end

-- The states before each step.
local function shifted(states, first, reverse)
  local before = {}
  for name, t in pairs(states) do
    local T = t:size(1)
    local start = first[name]:unsqueeze(1)
    before[name] = reverse and tensor.cat({ t[{ { 2, T } }], start }, 1)
      or tensor.cat({ start, t[{ { 1, T - 1 } }] }, 1)
  end
  return before
end

function TestGates.test_activations_and_states_of_a_trace()
  for _, B in ipairs { 1, 2, 33 } do
    for _, reverse in ipairs { false, true } do
      for_each_kind(function(kind)
        local cell = cell_of(kind)
        local first = cell:zero_state(B)
        for _, t in pairs(first) do t:normal_(0, 1, tensor.generator(2)) end
        local ys, last, trace = cell:forward(dense(5, B), first, { reverse = reverse })
        local states, gates = trace:states(), trace:gates()
        support.near(states.h, ys, 0)
        for name, t in pairs(last) do support.near(states[name][reverse and 1 or 5], t, 0) end
        check_equations(cell, gates, states, shifted(states, first, reverse))
        cell:backward(trace, ys:clone())
        support.near(trace:gates(), gates, 0) -- the sweep back leaves them
      end)
    end
  end
end

-- The gates of step 1 from a state of zeros, after their definition.
function TestGates.test_activations_are_those_of_their_gate()
  for_each_kind(function(kind, what)
    local cell, x = cell_of(kind), dense(1, 2)
    cell.b_h:normal_(0, 1, tensor.generator(5))
    if cell.name == "gru" and cell.options.reset == "after" then cell.b_hn:zero_() end
    local _, _, trace = cell:forward(x)
    for name, t in pairs(trace:gates()) do
      local a = x[1]:matmul(cell:gate("W_xh", name):t()) + cell:gate("b_h", name)
      local is_tanh = name == "g" or name == "n"
      support.near(t[1], is_tanh and a:tanh() or a:sigmoid(), 1e-12, what .. name)
    end
  end)
end

function TestGates.test_copies_not_views()
  local cell = cell_of { "lstm" }
  local ys, _, trace = cell:forward(dense(3, 2))
  trace:gates().f:zero_()
  trace:states().c:zero_()
  luaunit.assertNil(trace:stale())
  luaunit.assertTrue(trace:gates().f:min() > 0)
  cell:backward(trace, ys:clone())
end

function TestGates.test_where_there_are_none()
  local tanh = rnn.cell("tanh", { input = 3, hidden = 2, dtype = "float64" })
  local ys, _, trace = tanh:forward(dense(3, 2))
  support.raises("trace:gates: cell tanh has no gates", trace.gates, trace)
  support.near(trace:states().h, ys, 0)
end

function TestGates.test_traces_of_models()
  local model = lm_of({ "lstm" }, { layers = 2 })
  local x = tensor.randint(1, 5, { 4, 2 }, { dtype = "int32" })
  local _, state, trace = model:forward(x, x)
  for l = 1, 2 do support.near(trace:states(l).c[4], state[l].c, 0) end
  support.near(trace:states().c, trace:states(2).c, 0)
  luaunit.assertEquals(trace:gates(1).f:size(), { 4, 2, 6 })
  support.near(trace:gates(1).f, trace.layers[1]:gates().f, 0)
  support.raises("states: layer is 3, must be in 1..2", trace.states, trace, 3)
end

function TestGates.test_a_cell_in_lua_has_them_too()
  local cell = rnn.cell(leaky(), { input = 3, hidden = 2, dtype = "float64", rate = 1 })
  local ys, _, trace = cell:forward(dense(3, 2))
  support.near(trace:gates().a, ys, 1e-12) -- as its step left them: tanh
end

-- --- states with a memory -----------------------------------------------------------------------

TestGatedStates = {}

function TestGatedStates.test_a_state_without_c_has_a_c_of_zeros()
  local cell, x = cell_of { "lstm" }, dense(3, 2)
  local h = tensor.randn({ 2, 4 }, { dtype = "float64" })
  support.near((cell:forward(x, { h = h })),
    cell:forward(x, { h = h, c = tensor.zeros({ 2, 4 }, { dtype = "float64" }) }):clone(), 0)
end

function TestGatedStates.test_wrong_states()
  local cell, x = cell_of { "lstm" }, dense(3, 2)
  support.raises("state has the unknown name 'cell'; there are: h, c", cell.forward, cell, x,
    { cell = tensor.zeros(2, 4) })
  support.raises("state.c", cell.forward, cell, x,
    { c = tensor.zeros({ 2, 5 }, { dtype = "float64" }) })
  support.raises("unknown name 'c'; there are: h", cell.forward, cell_of { "gru" }, x,
    { c = tensor.zeros(2, 4) })
end

-- Where the mask is 0 no state changes, c no more than h.
function TestGatedStates.test_a_mask_holds_every_state()
  for_each_kind(function(kind, what)
    local cell, x = cell_of(kind), dense(4, 3)
    local mask = tensor.ones({ 4, 3 }, { dtype = "float64" })
    mask[{ 2, 1 }], mask[{ 3, 1 }], mask[{ 4, 3 }] = 0, 0, 0
    local _, last, trace = cell:forward(x, nil, { mask = mask })
    local states = trace:states()
    for name, t in pairs(states) do
      support.near(t[{ 3, 1 }], t[{ 1, 1 }], 0, what .. name)
      support.near(t[{ 4, 3 }], t[{ 3, 3 }], 0, what .. name)
      luaunit.assertTrue((t[{ 4, 1 }] - t[{ 3, 1 }]):abs():max() > 1e-3)
    end
    local _, without = cell:forward(tensor.cat({ x[{ { 1, 1 } }], x[{ { 4, 4 } }] }, 1))
    for name, t in pairs(last) do support.near(t[1], without[name][1], 1e-12, what .. name) end
  end)
end

-- More steps than an evaluation takes at a time: c is carried from piece to piece.
function TestGatedStates.test_evaluation_in_pieces()
  for_each_kind(function(kind, what)
    local model = lm_of(kind, { dtype = "float64", layers = 2 })
    local x = tensor.randint(1, 5, { 300, 2 }, { dtype = "int32" })
    local loss, last = model:forward(x, x)
    local again, state = model:forward(x, x, nil, { train = false })
    support.near(again, loss, 1e-12, what)
    for l = 1, 2 do support.near(state[l], last[l], 1e-12, what) end
  end)
end

-- The most probable symbols, by predict one at a time and by sample.
local function greedy(model, token, length, state)
  local tokens = { token }
  for i = 2, length do
    local y
    y, state = model:predict(tensor.tensor({ { tokens[i - 1] } }, { dtype = "int32" }), state)
    tokens[i] = y:view(-1):argmax()
  end
  return tokens
end

function TestGatedStates.test_sampling_carries_every_state()
  for_each_kind(function(kind, what)
    for _, layers in ipairs { 1, 2 } do
      local model = lm_of(kind, { layers = layers, init = { normal = 1 } })
      local state = model:zero_state(1)
      for l = 1, layers do
        for _, t in pairs(state[l]) do t:normal_(0, 2, tensor.generator(l)) end
      end
      local drawn = model:sample { length = 40, prime = tensor.tensor({ 2 }, { dtype = "int32" }),
        temperature = 0, state = state, seed = 1 }
      luaunit.assertEquals(drawn:totable(), greedy(model, 2, 41, state), what)
    end
  end)
end

function TestGatedStates.test_training_resumes_bit_for_bit()
  local directory = support.tmpdir()
  for_each_kind(function(kind, what)
    local corpus = unroll.text.corpus "numbers"
    local path = ("%s/%s.checkpoint"):format(directory, (what:gsub(" ", "_")))
    local function fit(steps, resume)
      local model = lm_of(kind, { vocab = corpus.vocab })
      train.fit(model, corpus, { steps = steps, batch = 2, window = 6, lr = 0.01, progress = false,
        checkpoint = resume ~= nil and path or nil, resume = resume })
      return model:parameters().flat
    end
    local straight = fit(12)
    fit(6, false)
    luaunit.assertTrue(tensor.equal(fit(12, true), straight), what)
  end)
end

-- The columns of J against differences of one step: N is 2 H for lstm.
function TestGatedStates.test_jacobians_are_those_of_all_states()
  for_each_kind(function(kind, what)
    local cell, x = cell_of(kind), dense(2, 1)
    local names, H = cell.definition.states, cell.hidden
    local J = unroll.diagnostics.jacobians(cell, x)
    local _, state = cell:step(x[1])
    local function after(s, k, amount)
      local moved = {}
      for name, t in pairs(state) do moved[name] = t:clone() end
      moved[names[s]][{ 1, k }] = moved[names[s]][{ 1, k }] + amount
      local _, result = cell:step(x[2], moved)
      local list = {}
      for i, name in ipairs(names) do list[i] = result[name][1] end
      return tensor.cat(list, 1)
    end
    luaunit.assertEquals(J:size(), { 2, #names * H, #names * H })
    for s = 1, #names do
      for k = 1, H do
        local column = (after(s, k, 1e-5) - after(s, k, -1e-5)) / 2e-5
        support.near(J[2]:select(2, (s - 1) * H + k), column, 1e-8, what)
      end
    end
  end)
end

function TestGatedStates.test_diagnostics_that_are_for_one_matrix()
  local cell, d = cell_of { "lstm" }, unroll.diagnostics
  support.raises('W_hh of a cell with gates is one for each: cell:gate("W_hh", name)', d.spectrum,
    cell.W_hh)
  support.raises("cell:gate", d.bound, cell.W_hh, { 1 })
  luaunit.assertTrue(d.spectrum(cell:gate("W_hh", "f")).radius > 0)
  local gates = tensor.tensor { 0.01, 0.5, 0.98, 0.96, 0.04 }
  support.near(d.saturation(gates, { cell = "sigmoid" }), 0.4)
  support.raises("cell is 'lstm'. There are: relu, sigmoid, tanh.", d.saturation, gates,
    { cell = "lstm" })
end

-- --- looks --------------------------------------------------------------------------------------

TestGatedDisplay = {}

function TestGatedDisplay.test_options_and_gates_are_shown()
  local model = lm_of({ "gru", reset = "before" }, { layers = 2 })
  luaunit.assertStrContains(tostring(model), "lm   5 → 2 × gru 6 → 5   reset before   ")
  luaunit.assertStrContains(tostring(cell_of { "lstm" }), "cell lstm   3 → 4   forget_bias 1   ")
  local how = { width = 100, paint = function(_, text) return text end }
  local text = cell_of({ "lstm" }, { forget_bias = 0.5 }):__display(how)
  luaunit.assertStrContains(text, "gates i f g o")
  luaunit.assertStrContains(text, "forget_bias 0.5")
  support.raises("cell has no 'forget_bias'. It is an option: cell.options.forget_bias.",
    function() return cell_of({ "lstm" }).forget_bias end)
end

-- --- files --------------------------------------------------------------------------------------

TestGatedFiles = {}

local directory = support.tmpdir()
local path = directory .. "/model.safetensors"

local function random_lm(kind, opts)
  local model = lm_of(kind, opts)
  model:parameters().flat:normal_(0, 1, tensor.generator(8))
  return model
end

function TestGatedFiles.test_round_trip()
  for_each_kind(function(kind, what)
    for _, layers in ipairs { 1, 2 } do
      local model = random_lm(kind, { layers = layers })
      luaunit.assertTrue(model:save(path))
      local loaded = assert(rnn.load(path))
      luaunit.assertTrue(tensor.equal(loaded:parameters().flat, model:parameters().flat), what)
      luaunit.assertEquals({ loaded.cell, loaded.options }, { model.cell, model.options })
      local tensors, metadata = safetensors.read(path)
      luaunit.assertEquals(json.decode(metadata.unroll).options, model.options)
      luaunit.assertNil(tensors.b_hn_l0)
      luaunit.assertEquals(tensors.weight_hh_l0:size(), { 6 * #model.layers[1].gates, 6 })
    end
  end)
end

-- The two biases of each gate are added, but for n of the gru: there W_hn h has its own.
function TestGatedFiles.test_the_two_biases_of_a_state_dict()
  for_each_kind(function(kind, what)
    local model = random_lm(kind)
    local H, G = 6, #model.layers[1].gates
    local second = tensor.randn { G * H }
    local tensors = { ["net.weight_ih_l0"] = model.W_xh:contiguous(),
      ["net.weight_hh_l0"] = model.W_hh, ["net.bias_ih_l0"] = model.b_h,
      ["net.bias_hh_l0"] = second, ["linear.weight"] = model.W_hy, ["linear.bias"] = model.b_y }
    safetensors.write(path, tensors)
    local loaded = assert(rnn.load(path, { cell = kind[1], reset = kind.reset }))
    local is_apart = kind[1] == "gru" and not kind.reset
    local sum = model.b_h + second
    if is_apart then
      sum[{ { 2 * H + 1, 3 * H } }] = model.b_h[{ { 2 * H + 1, 3 * H } }]
      support.near(loaded.b_hn, second[{ { 2 * H + 1, 3 * H } }], 0)
    end
    support.near(loaded.b_h, sum, 1e-6, what)
    tensors["net.bias_hh_l0"] = nil
    safetensors.write(path, tensors)
    local again, message = rnn.load(path, { cell = kind[1], reset = kind.reset })
    luaunit.assertEquals(again == nil, is_apart)
    if is_apart then luaunit.assertStrContains(message, "it has no bias_hh_l0") end
  end)
end

function TestGatedFiles.test_the_callers_options_and_those_of_the_file()
  random_lm({ "lstm" }, { forget_bias = -1 }):save(path)
  luaunit.assertEquals(rnn.load(path).options, { forget_bias = -1 })
  luaunit.assertEquals(rnn.load(path, { cell = "lstm" }).options, { forget_bias = -1 })
  luaunit.assertEquals(rnn.load(path, { cell = "lstm", forget_bias = 2 }).options,
    { forget_bias = 2 })
  luaunit.assertEquals(rnn.load(path, { cell = "lstm forget_bias=3" }).options,
    { forget_bias = 3 })
  support.raises("rnn.load: 'reset' is an option of gru, not of lstm", rnn.load, path,
    { cell = "lstm", reset = "after" })
  support.raises("rnn.load: unknown option 'rest'. Did you mean 'reset'?", rnn.load, path,
    { cell = "gru", rest = "after" })
  support.raises("rnn.load: there is no cell 'lsmt'. Did you mean 'lstm'?", rnn.load, path,
    { cell = "lsmt" })
end

local function load_fails(message, opts)
  local model, found = rnn.load(path, opts)
  luaunit.assertNil(model)
  luaunit.assertStrContains(found, message)
end

function TestGatedFiles.test_files_of_other_modules()
  local model = random_lm { "lstm" }
  model:save(path)
  load_fails("weight_ih_l0 is float32 (24,5), must be (6,5): is it of cell = 'lstm'?",
    { cell = "tanh" })
  local tensors = safetensors.read(path)
  safetensors.write(path, tensors)
  load_fails("it does not say which cell it has; give cell =")
  tensors.weight_ih_l0_reverse = tensors.weight_ih_l0
  safetensors.write(path, tensors)
  load_fails("bidirectional", { cell = "lstm" })
  tensors.weight_ih_l0_reverse, tensors.weight_hr_l0 = nil, tensors.weight_hh_l0
  safetensors.write(path, tensors)
  load_fails("projections", { cell = "lstm" })
end

function TestGatedFiles.test_options_that_cannot_be()
  random_lm({ "gru" }):save(path)
  local tensors = safetensors.read(path)
  for description, message in pairs {
    ['{"cell": "gru", "options": {"reset": "never"}}'] = "reset is the string 'never'",
    ['{"cell": "gru", "options": {"forget_bias": 1}}'] = "'forget_bias' is an option of lstm",
    ['{"cell": "gru", "options": {"x": [1]}}'] = "unknown option 'x'",
  } do
    safetensors.write(path, tensors, { unroll = description })
    load_fails(message)
  end
  safetensors.write(path, tensors, { unroll = '{"cell": "gru", "options": 5}' })
  luaunit.assertEquals(rnn.load(path).options, { reset = "after" })
end
