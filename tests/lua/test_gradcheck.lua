-- gradcheck itself: it passes right gradients and finds wrong ones. The first cell here is
-- made of tensor operations, so that nothing of unroll's own cells is needed:
--   h_t = tanh(a x_t + b h_{t-1} + c), element by element.
-- Then come cells written in Lua after rnn/definition.lua, and models.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local tensor, rnn, gradcheck = unroll.tensor, unroll.rnn, unroll.gradcheck

local Diagonal = {}
Diagonal.__index = Diagonal

-- `flaw` names a mistake to make in the backward pass.
local function diagonal(H, opts)
  opts = opts or {}
  local self = setmetatable({ H = H, dtype = opts.dtype or "float64", flaw = opts.flaw }, Diagonal)
  local generator = tensor.generator(3)
  self.p, self.g = {}, {}
  for i, name in ipairs { "a", "b", "c" } do
    local t = tensor.randn({ H }, { dtype = self.dtype, generator = generator })
    self.p[i], self.g[i] = { name = name, tensor = t }, { name = name, tensor = t * 0 + 7 }
    self.p[name], self.g[name] = t, self.g[i].tensor
  end
  return self
end

function Diagonal:parameters() return self.p end
function Diagonal:gradients() return self.g end

function Diagonal:to(dtype)
  local copy = diagonal(self.H, { dtype = dtype })
  for name, t in pairs { a = self.p.a, b = self.p.b, c = self.p.c } do copy.p[name]:copy_(t) end
  return copy
end

function Diagonal:zero_state(B)
  return { h = tensor.zeros({ B, self.H }, { dtype = self.dtype }) }
end

function Diagonal:step(x, state)
  local h = tensor.tanh(x * self.p.a + state.h * self.p.b + self.p.c)
  return h, { h = h }
end

function Diagonal:forward(xs, state)
  state = state or self:zero_state(xs:size(2))
  local trace = { x = xs, h = { [0] = state.h } }
  local ys = xs * 0
  for t = 1, xs:size(1) do
    trace.h[t], state = self:step(xs[t], state)
    ys[t]:copy_(trace.h[t])
  end
  return ys, state, trace
end

function Diagonal:backward(trace, dys, dstate)
  local p, g, flaw = self.p, self.g, self.flaw
  local dh, dxs = dstate.h, dys * 0
  for t = #trace.h, 1, -1 do
    dh = dh + dys[t]
    local da = (1 - trace.h[t] * trace.h[t]) * dh
    if flaw ~= "zero" then g.a:add_((da * trace.x[t]):sum(1)) end
    if flaw == "sign" then g.b:sub_((da * trace.h[t - 1]):sum(1))
    else g.b:add_((da * trace.h[t - 1]):sum(1)) end
    g.c:add_(da:sum(1))
    dxs[t]:copy_(flaw == "dx" and da or da * p.a)
    dh = flaw == "truncated" and da * 0 or da * p.b
  end
  if flaw == "element" then g.c[2] = g.c[2] + 1e-3 end
  if flaw == "nan" then g.c[1] = 0 / 0 end
  return dxs, { h = dh }
end

local function inputs(T, B, H, dtype)
  local generator = tensor.generator(5)
  local x = tensor.randn({ T, B, H }, { dtype = dtype or "float64", generator = generator })
  local h = tensor.randn({ B, H }, { dtype = dtype or "float64", generator = generator })
  return x, h
end

local function checked(flaw, opts)
  local x, h = inputs(4, 3, 2)
  opts = opts or {}
  opts.state = { h = h }
  return gradcheck(diagonal(2, { flaw = flaw }), x, opts)
end

TestGradcheck = {}

function TestGradcheck.test_right_gradients_pass()
  for _, loss in ipairs { "every", "last" } do
    for _, T in ipairs { 1, 5 } do
      local x, h = inputs(T, 3, 2)
      local result = gradcheck(diagonal(2), x, { loss = loss, state = { h = h } })
      luaunit.assertTrue(result.ok, tostring(result))
      luaunit.assertTrue(result.worst.error < 1e-8, tostring(result))
      local names = {}
      for i, entry in ipairs(result) do names[i] = entry.name end
      luaunit.assertEquals(names, { "a", "b", "c", "x", "state.h" })
    end
  end
end

function TestGradcheck.test_wrong_gradients_are_found()
  local wrong = { sign = "b", dx = "x", zero = "a", nan = "c", element = "c" }
  for flaw, name in pairs(wrong) do
    for _, loss in ipairs { "every", "last" } do
      local result = checked(flaw, { loss = loss })
      luaunit.assertFalse(result.ok, flaw)
      luaunit.assertEquals(result.worst.name, name, flaw)
      luaunit.assertFalse(result[name].ok)
      for _, entry in ipairs(result) do
        luaunit.assertEquals(entry.ok, entry.name ~= name, flaw .. " " .. entry.name)
      end
    end
  end
end

function TestGradcheck.test_worst_element()
  local worst = checked("element").c.worst
  luaunit.assertEquals(worst.index, { 2 })
  luaunit.assertAlmostEquals(worst.backward - worst.difference, 1e-3, 1e-7)
end

function TestGradcheck.test_missing_time_steps_are_found()
  local result = checked("truncated")
  luaunit.assertFalse(result.ok)
  luaunit.assertFalse(result.b.ok)
  luaunit.assertFalse(result["state.h"].ok)
end

function TestGradcheck.test_all_zero_must_be_declared()
  -- Without an initial state and with one step, b has no influence.
  local x = inputs(1, 3, 2)
  local result = gradcheck(diagonal(2), x)
  luaunit.assertFalse(result.ok)
  luaunit.assertTrue(result.b.zero)
  luaunit.assertStrContains(tostring(result), "all zero")
  luaunit.assertTrue(gradcheck(diagonal(2), x, { zero_ok = { "b" } }).ok)
  luaunit.assertFalse(checked("zero", { zero_ok = { "a" } }).ok) -- declared, but not true
end

function TestGradcheck.test_float32_against_its_float64_copy()
  local x, h = inputs(5, 3, 2, "float32")
  local result = gradcheck(diagonal(2, { dtype = "float32" }), x, { state = { h = h } })
  luaunit.assertTrue(result.ok, tostring(result))
  luaunit.assertEquals({ result.dtype, result.threshold }, { "float32", 1e-3 })
  luaunit.assertTrue(result.worst.error > 1e-12 and result.worst.error < 1e-5)
  result = gradcheck(diagonal(2, { dtype = "float32", flaw = "sign" }), x, { state = { h = h } })
  luaunit.assertFalse(result.ok)
end

function TestGradcheck.test_everything_is_put_back()
  local x, h = inputs(3, 2, 2)
  local cell = diagonal(2)
  local before = { cell.p.a:totable(), cell.g.b:totable(), x:totable(), h:totable() }
  gradcheck(cell, x, { state = { h = h } })
  luaunit.assertEquals({ cell.p.a:totable(), cell.g.b:totable(), x:totable(), h:totable() },
    before)
  local calls = 0
  function cell:forward(...)
    calls = calls + 1
    if calls == 5 then error("stopped") end -- in the middle of a difference
    return Diagonal.forward(self, ...)
  end
  support.raises("stopped", gradcheck, cell, x, { state = { h = h } })
  luaunit.assertEquals({ cell.p.a:totable(), cell.g.b:totable(), x:totable(), h:totable() },
    before)
end

function TestGradcheck.test_strided_and_expanded_inputs()
  local x = inputs(3, 4, 2):transpose(1, 2)
  local h = tensor.ones({ 1, 2 }, { dtype = "float64" }):expand(3, 2)
  local result = gradcheck(diagonal(2), x, { state = { h = h } })
  luaunit.assertTrue(result.ok, tostring(result))
end

function TestGradcheck.test_printing()
  local text = tostring(checked("sign"))
  luaunit.assertStrContains(text, "NOT OK: worst error 2.00e+00 in b")
  luaunit.assertStrContains(text, "state.h")
  luaunit.assertStrContains(tostring(checked()), "\nok: worst error")
end

function TestGradcheck.test_bad_calls()
  local x = inputs(2, 2, 2)
  support.raises("Did you mean 'zero_ok'?", gradcheck, diagonal(2), x, { zero_okay = {} })
  support.raises("gradcheck(cell, x, opts): x must be a tensor, got nil", gradcheck, diagonal(2))
  support.raises("gradcheck(model, x, y, opts): y must be a tensor, got nil", gradcheck,
    unroll.rnn.lm { vocab = 3, hidden = 2 }, x)
  support.raises("loss is 'first'", gradcheck, diagonal(2), x, { loss = "first" })
  support.raises("reduction is 'max'", gradcheck, diagonal(2), x, { reduction = "max" })
  support.raises("gradcheck: a model or a cell expected", gradcheck, 3, x)
  support.raises("gradcheck: a model or a cell expected", gradcheck, {}, x)
end

-- --- cells in Lua ----------------------------------------------------------------------------

-- h = f h_old + (1 - f) tanh(u), f = sigmoid(pre.f): a gated cell. `sign` stands before the
-- derivative with respect to f: 1 is right.
local function leaky(sign)
  local function step(pre, state, next, saved)
    tensor.sigmoid(pre.f, saved.f)
    tensor.tanh(pre.u, saved.u)
    next.h:copy_(saved.f * state.h + (1 - saved.f) * saved.u)
  end
  local function step_grad(grad, _, state, _, saved)
    local f, u, dh = saved.f, saved.u, grad.next.h
    grad.pre.f:copy_(dh * (state.h - u) * f * (1 - f) * sign)
    grad.pre.u:copy_(dh * (1 - f) * (1 - u * u))
    grad.state.h:copy_(dh * f)
  end
  return { name = "leaky", states = { "h" }, gates = { "f", "u" }, saved = { "f", "u" },
    step = step, step_grad = step_grad }
end

local function leaky_result(sign, loss)
  local cell = rnn.cell(leaky(sign), { input = 3, hidden = 4, dtype = "float64", seed = 1 })
  local x = tensor.randn({ 5, 2, 3 }, { dtype = "float64", generator = tensor.generator(1) })
  local h = tensor.randn({ 2, 4 }, { dtype = "float64", generator = tensor.generator(2) })
  return gradcheck(cell, x, { state = { h = h }, loss = loss })
end

TestGradcheckOfCellsInLua = {}

function TestGradcheckOfCellsInLua.test_a_right_one_passes()
  for _, loss in ipairs { "every", "last" } do
    local result = leaky_result(1, loss)
    luaunit.assertTrue(result.ok, tostring(result))
  end
end

function TestGradcheckOfCellsInLua.test_a_wrong_sign_is_found()
  for _, loss in ipairs { "every", "last" } do
    local result = leaky_result(-1, loss)
    luaunit.assertFalse(result.ok)
    for _, name in ipairs { "W_xh", "W_hh", "b_h" } do
      luaunit.assertFalse(result[name].ok, name)
      luaunit.assertTrue(result[name].worst.index[1] <= 4, "the gate f has the first rows")
    end
  end
end

-- --- models ----------------------------------------------------------------------------------

local function tokens(V, T, B, seed)
  local x, generator = tensor.zeros({ T, B }, { dtype = "int32" }), tensor.generator(seed)
  for t = 1, T do
    for b = 1, B do x[{ t, b }] = generator:integer(V) end
  end
  return x
end

local function names_of(result)
  local names = {}
  for i, entry in ipairs(result) do names[i] = entry.name end
  return names
end

TestGradcheckOfModels = {}

function TestGradcheckOfModels.test_tokens()
  for _, cell in ipairs { "tanh", "relu" } do
    for _, reduction in ipairs { "mean", "sum" } do
      local model = rnn.lm { cell = cell, vocab = 4, hidden = 6, dtype = "float64", seed = 3 }
      local h = tensor.randn({ 2, 6 }, { dtype = "float64", generator = tensor.generator(2) })
      local result = gradcheck(model, tokens(4, 5, 2, 1), tokens(4, 5, 2, 2),
        { state = { { h = h } }, reduction = reduction })
      luaunit.assertTrue(result.ok, tostring(result))
      luaunit.assertEquals(names_of(result), { "W_xh", "W_hh", "b_h", "W_hy", "b_y",
        "state[1].h" })
    end
  end
end

function TestGradcheckOfModels.test_layers_and_a_linear_read_out()
  local generator = tensor.generator(4)
  local function random(...)
    return tensor.randn({ ... }, { dtype = "float64", generator = generator })
  end
  local model = rnn.model { cell = "tanh", input = 2, hidden = 3, output = 2, layers = 2,
    head = "linear", dtype = "float64", seed = 1 }
  local weight = tensor.rand({ 4, 3 }, { dtype = "float64", generator = generator })
  local result = gradcheck(model, random(4, 3, 2), random(4, 3, 2),
    { state = { { h = random(3, 3) }, { h = random(3, 3) } }, weight = weight })
  luaunit.assertTrue(result.ok, tostring(result))
  luaunit.assertEquals(names_of(result), { "layers[1].W_xh", "layers[1].W_hh", "layers[1].b_h",
    "layers[2].W_xh", "layers[2].W_hh", "layers[2].b_h", "W_hy", "b_y", "x", "state[1].h",
    "state[2].h" })
end

function TestGradcheckOfModels.test_float32()
  local model = rnn.lm { cell = "tanh", vocab = 5, hidden = 8, seed = 1 }
  local before = model:parameters().flat:totable()
  local result = gradcheck(model, tokens(5, 6, 3, 1), tokens(5, 6, 3, 2))
  luaunit.assertTrue(result.ok, tostring(result))
  luaunit.assertEquals(result.dtype, "float32")
  luaunit.assertEquals(model:parameters().flat:totable(), before)
end

function TestGradcheckOfModels.test_one_step_from_zeros_needs_a_declaration()
  local model = rnn.lm { cell = "tanh", vocab = 3, hidden = 2, dtype = "float64", seed = 1 }
  local x, y = tokens(3, 1, 2, 1), tokens(3, 1, 2, 2)
  local result = gradcheck(model, x, y) -- W_hh multiplies zeros only
  luaunit.assertFalse(result.ok)
  luaunit.assertEquals(result.worst.name, "W_hh")
  luaunit.assertTrue(gradcheck(model, x, y, { zero_ok = { "W_hh" } }).ok)
end
