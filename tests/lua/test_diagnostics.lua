-- test_diagnostics.lua -- gradients, Jacobians, their products and rates, against plain
-- calculations of another kind: differences, explicit products, known matrices.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local diagnostics, rnn, tensor = unroll.diagnostics, unroll.rnn, unroll.tensor

TestDiagnostics = {}

local double = { dtype = "float64" }

local function random(generator, ...)
  return tensor.randn({ ... }, { dtype = "float64", generator = generator })
end

local function random_model(seed, cell)
  return rnn.lm { cell = cell or "tanh", vocab = 4, hidden = 3, dtype = "float64", seed = seed }
end

local function random_tokens(seed, T, B)
  return tensor.randint(1, 4, T, B, { generator = tensor.generator(seed) })
end

-- --- state gradients ------------------------------------------------------------------------

-- The loss of the steps from t on when h_t is moved by `delta` in unit j: plain Lua.
local function loss_from(model, h, x, y, t, j, delta, only_last)
  local total = 0
  h = h:clone()
  h[{ 1, j }] = h[{ 1, j }] + delta
  for s = t, x:size(1) do
    if s > t then
      local column = model.W_xh:select(2, x[{ s, 1 }]):view(1, -1)
      h = (column + h:matmul(model.W_hh:t()) + model.b_h):tanh()
    end
    if s == x:size(1) or not only_last then
      local logits = (h:matmul(model.W_hy:t()) + model.b_y):select(1, 1)
      total = total + logits:logsumexp() - logits[y[{ s, 1 }]]
    end
  end
  return total
end

local function difference_norm(model, hs, x, y, t, only_last)
  local sum, eps = 0, 1e-5
  for j = 1, model.hidden do
    local h = hs:select(1, t)
    local up = loss_from(model, h, x, y, t, j, eps, only_last)
    local down = loss_from(model, h, x, y, t, j, -eps, only_last)
    sum = sum + ((up - down) / (2 * eps)) ^ 2
  end
  return math.sqrt(sum)
end

function TestDiagnostics.test_state_gradients_are_those_of_differences()
  local model = random_model(1)
  local x, y = random_tokens(2, 6, 1), random_tokens(3, 6, 1)
  local hs = model.layers[1]:forward(x)
  for _, loss in ipairs { "last", "every" } do
    local norms = diagnostics.state_gradients(model, x, y, { loss = loss })
    for t = 1, 6 do
      support.near(norms[t], difference_norm(model, hs, x, y, t, loss == "last"), 1e-8,
        loss .. " " .. t)
    end
  end
end

function TestDiagnostics.test_state_gradients_give_the_loss_as_a_mean_over_the_batch()
  local model = random_model(4)
  local x, y = random_tokens(5, 6, 3), random_tokens(6, 6, 3)
  local sum = 0
  for b = 1, 3 do
    local _, loss = diagnostics.state_gradients(model, x:narrow(2, b, 1), y:narrow(2, b, 1))
    sum = sum + loss
  end
  local _, loss = diagnostics.state_gradients(model, x, y)
  support.near(loss, sum / 3, 1e-12)
  support.raises("loss is 'first'", diagnostics.state_gradients, model, x, y, { loss = "first" })
end

function TestDiagnostics.test_gradient_ratios()
  local model = random_model(7)
  diagnostics.state_gradients(model, random_tokens(8, 4, 1), random_tokens(9, 4, 1))
  local sum = 0
  for _, row in ipairs(model:gradients().W_hh:totable()) do
    for _, v in ipairs(row) do sum = sum + v * v end
  end
  local found = {}
  for _, entry in ipairs(diagnostics.gradient_ratios(model)) do found[entry.name] = entry end
  support.near(found.W_hh.gradient, math.sqrt(sum), 1e-12)
  support.near(found.W_hh.ratio, math.sqrt(sum) / model.W_hh:norm(), 1e-12)
  lu.assertEquals(found.b_h.ratio, math.huge)
end

-- --- Jacobians ------------------------------------------------------------------------------

-- ds'/ds of one step by central differences.
local function difference_jacobian(cell, x, state)
  local names, H, eps = cell.definition.states, cell.hidden, 1e-6
  local J = tensor.zeros(#names * H, #names * H, double)
  for s, name in ipairs(names) do
    for j = 1, H do
      local after = {}
      for k, delta in ipairs { eps, -eps } do
        local moved = {}
        for n, t in pairs(state) do moved[n] = t:clone() end
        moved[name][{ 1, j }] = moved[name][{ 1, j }] + delta
        local _, next_state = cell:step(x, moved)
        local parts = {}
        for i, n in ipairs(names) do parts[i] = next_state[n]:view(H) end
        after[k] = tensor.cat(parts, 1)
      end
      J:select(2, (s - 1) * H + j):copy_((after[1] - after[2]) / (2 * eps))
    end
  end
  return J
end

-- A cell in Lua with two states, to take the way of unit vectors.
local mix = { name = "mix", states = { "h", "m" }, gates = { "n" } }

function mix.step(pre, state, next)
  pre.n:tanh_()
  tensor.mul(state.m, 0.5, next.m)
  next.m:add_(pre.n)
  tensor.add(pre.n, state.m, next.h)
end

function mix.step_grad(grad, pre)
  tensor.add(grad.next.h, grad.next.m, grad.pre.n)
  tensor.vjp.tanh(grad.pre.n, nil, pre.n, grad.pre.n)
  tensor.mul(grad.next.m, 0.5, grad.state.m)
  grad.state.m:add_(grad.next.h)
end

function TestDiagnostics.test_jacobians_are_those_of_differences()
  for _, kind in ipairs { "tanh", "relu", mix } do
    local cell = rnn.cell(kind, { input = 2, hidden = 3, dtype = "float64", seed = 11 })
    local xs = random(tensor.generator(12), 4, 1, 2)
    local J = diagnostics.jacobians(cell, xs)
    local state = cell:zero_state(1)
    for _, t in pairs(state) do t:fill_(0) end
    for t = 1, 4 do
      if t > 1 or kind ~= "relu" then -- relu has a kink at h = 0 only where it is asked at 0
        support.near(J:select(1, t), difference_jacobian(cell, xs:select(1, t), state), 1e-8,
          cell.name .. " " .. t)
      end
      local _
      _, state = cell:step(xs:select(1, t), state)
    end
  end
end

function TestDiagnostics.test_jacobians_take_tokens_states_and_float32()
  local cell = rnn.cell("tanh", { input = 4, hidden = 3, seed = 13 })
  local state = { h = tensor.full({ 1, 3 }, 0.5) }
  local xs = random_tokens(14, 2, 1)
  local J = diagnostics.jacobians(cell, xs, state)
  lu.assertEquals(J:dtype(), "float64")
  local wide = cell:to "float64"
  support.near(J:select(1, 1), difference_jacobian(wide, xs:select(1, 1),
    { h = state.h:to "float64" }), 1e-8)
  support.raises("one sequence", diagnostics.jacobians, cell, random_tokens(1, 2, 2))
end

-- --- products -------------------------------------------------------------------------------

local function log10_singular(P)
  local _, S = P:svd()
  return S:log():div(math.log(10)):totable()
end

function TestDiagnostics.test_products_agree_with_explicit_ones()
  local J = random(tensor.generator(21), 6, 5, 5)
  local found = diagnostics.product_singular_values(J, { 1, 2, 6 })
  local P = tensor.eye(5, double)
  for lag = 1, 6 do
    P = P:matmul(J:select(1, 7 - lag))
    if found[lag] then support.near(found[lag], log10_singular(P), 1e-9, "lag " .. lag) end
  end
  lu.assertNil(found[3])
end

-- Rotations between equal diagonal matrices that the rotations cancel: the singular values
-- of the product are known however small they are.
function TestDiagnostics.test_products_do_not_underflow()
  local Q = random(tensor.generator(22), 4, 4):qr()
  local D = tensor.tensor({ 1, 1e-3, 1e-6, 1e-12 }, double)
  local one = Q:matmul(D:unsqueeze(2) * Q:t())
  local T = 40
  local J = one:unsqueeze(1):expand(T, 4, 4):contiguous()
  local logs = diagnostics.product_singular_values(J, { T })[T]
  support.near(logs[1], 0, 1e-10)
  support.near(logs[2], -3 * T, 1e-9)
  support.near(logs[3], -6 * T, 1e-7)
  support.near(logs[4], -12 * T, 1e-3) -- one factor holds 1e-12 to 4 digits only
  local tiny = (tensor.eye(4, double) * 1e-30):unsqueeze(1):expand(T, 4, 4):contiguous()
  support.near(diagnostics.product_singular_values(tiny, { T })[T],
    { -30 * T, -30 * T, -30 * T, -30 * T }, 1e-12)
end

function TestDiagnostics.test_products_lose_what_a_factor_wipes_out()
  local J = random(tensor.generator(23), 3, 4, 4)
  J[{ 2, {}, {} }]:select(1, 3):fill_(0)
  local found = diagnostics.product_singular_values(J, { 1, 3 })
  lu.assertTrue(found[1][4] > -10)
  lu.assertEquals(found[3][4], -math.huge)
  local P = J:select(1, 3):matmul(J:select(1, 2)):matmul(J:select(1, 1))
  local expected = log10_singular(P)
  support.near({ found[3][1], found[3][2], found[3][3] }, { expected[1], expected[2],
    expected[3] }, 1e-9)
  local zero = tensor.zeros(2, 3, 3, double)
  lu.assertEquals(diagnostics.product_singular_values(zero, { 2 })[2][1], -math.huge)
end

function TestDiagnostics.test_products_check_their_arguments()
  local J = tensor.zeros(3, 2, 2, double)
  support.raises("lag 4 is longer than the 3", diagnostics.product_singular_values, J, { 4 })
  support.raises("a lag must be an integer", diagnostics.product_singular_values, J, { 0.5 })
  support.raises("(T,N,N)", diagnostics.product_singular_values, tensor.zeros(3, 2, 2), { 1 })
  support.raises("skip is 3 of 3", diagnostics.lyapunov, J, { skip = 3 })
end

function TestDiagnostics.test_lyapunov_of_known_systems()
  local Q = random(tensor.generator(24), 3, 3):qr()
  local A = Q:matmul(tensor.tensor({ 2, 0.5, 0.1 }, double):unsqueeze(2) * Q:t())
  local J = A:unsqueeze(1):expand(300, 3, 3):contiguous()
  local e = diagnostics.lyapunov(J, { skip = 100 })
  support.near(e, { math.log(2), math.log(0.5), math.log(0.1) }, 1e-9)
  local sum = 0
  local R = random(tensor.generator(25), 50, 3, 3)
  for t = 1, 50 do
    local _, S = R:select(1, t):svd()
    sum = sum + S:log():sum() / 50
  end
  e = diagnostics.lyapunov(R)
  support.near(e[1] + e[2] + e[3], sum, 1e-12)
end

-- --- matrices, units, fits ----------------------------------------------------------------

function TestDiagnostics.test_spectrum_of_known_matrices()
  local s = diagnostics.spectrum(tensor { { 0, -2 }, { 0.5, 0 } })
  support.near(s.radius, 1, 1e-12)
  support.near(s.singular, { 2, 0.5 }, 1e-12)
  support.near({ s.sigma_max, s.sigma_min }, { 2, 0.5 }, 1e-12)
  support.raises("square", diagnostics.spectrum, tensor.zeros(2, 3))
end

function TestDiagnostics.test_bound_holds_for_every_product()
  local cell = rnn.cell("tanh", { input = 2, hidden = 4, dtype = "float64", seed = 31,
                                  init = { W_hh = { normal = 1 } } })
  local J = diagnostics.jacobians(cell, random(tensor.generator(32), 20, 1, 2))
  local lags = { 1, 5, 20 }
  local bound = diagnostics.bound(cell.W_hh, lags)
  local found = diagnostics.product_singular_values(J, lags)
  for i, lag in ipairs(lags) do lu.assertTrue(found[lag][1] <= bound[i] + 1e-12) end
  support.near(diagnostics.bound(tensor.eye(3), { 2000 }, 0.1), { -2000 }, 1e-12)
end

function TestDiagnostics.test_spectra_of_random_matrices()
  for seed = 1, 5 do
    local W = random(tensor.generator(seed), 50, 50):div_(math.sqrt(50))
    local s = diagnostics.spectrum(W)
    lu.assertTrue(s.sigma_max > 1.7 and s.sigma_max < 2.1)
    lu.assertTrue(s.radius > 0.8 and s.radius < 1.25)
  end
  local cell = rnn.cell("tanh", { input = 1, hidden = 50, dtype = "float64", seed = 1,
                                  init = "orthogonal" })
  local s = diagnostics.spectrum(cell.W_hh)
  support.near({ s.sigma_max, s.sigma_min }, { 1, 1 }, 1e-12)
end

function TestDiagnostics.test_saturation()
  local ys = tensor { 0.98, -0.99, 0.5, 0 }
  lu.assertEquals(diagnostics.saturation(ys), 0.5)
  lu.assertEquals(diagnostics.saturation(ys, { threshold = 0.4 }), 0.75)
  lu.assertEquals(diagnostics.saturation(tensor { 0, 2, 0, 0 }, { cell = "relu" }), 0.75)
end

function TestDiagnostics.test_fits()
  local slope, intercept, r2 = diagnostics.fit_line({ 0, 1, 2, 3 }, { 1, 3, 2, 5 })
  support.near({ slope, intercept, r2 }, { 1.1, 1.1, 1.1 ^ 2 * 5 / 8.75 }, 1e-12)
  local exponent, factor = diagnostics.fit_power({ 1, 10, 100 }, { 3, 3e-2, 3e-4 })
  support.near({ exponent, factor }, { -2, 3 }, 1e-12)
  support.raises("y[2] is 0", diagnostics.fit_power, { 1, 2 }, { 1, 0 })
  support.raises("of one length", diagnostics.fit_line, { 1 }, { 1 })
end
