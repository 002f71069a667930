-- gradcheck itself: it passes right gradients and finds wrong ones. The cell here is made
-- of tensor operations, so that nothing of unroll's own cells is needed:
--   h_t = tanh(a x_t + b h_{t-1} + c), element by element.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local tensor, gradcheck = unroll.tensor, unroll.gradcheck

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
  support.raises("loss is 'first'", gradcheck, diagonal(2), x, { loss = "first" })
  support.raises("reduction is 'max'", gradcheck, diagonal(2), x, { reduction = "max" })
  support.raises("gradcheck: a model or a cell expected", gradcheck, 3, x)
  support.raises("gradcheck: a model or a cell expected", gradcheck, {}, x)
end
