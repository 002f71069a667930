-- Optimisers and clipping: options, state, errors, lists without a flat tensor. That the
-- numbers are PyTorch's is in test_reference.lua.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local tensor, optim = unroll.tensor, unroll.optim

local NAMES = { "sgd", "adagrad", "rmsprop", "adam", "adamw" }

-- Something with parameters W (3,2) and b (4); `flat` as models have it, or only lists.
local function pair(dtype, flat)
  local values = { 0.5, -1, 2, 0.25, -3, 1, 0.1, 0.2, -0.3, 0.4 }
  local all = tensor.tensor(values, { dtype = dtype })
  local list = { flat = flat and all or nil }
  list[1] = { name = "W", tensor = all:narrow(1, 1, 6):view(3, 2) }
  list[2] = { name = "b", tensor = all:narrow(1, 7, 4) }
  for _, item in ipairs(list) do
    if not flat then item.tensor = item.tensor:clone() end
    list[item.name] = item.tensor
  end
  return list
end

local function toy(dtype, flat)
  local parameters, gradients = pair(dtype or "float64", flat), pair(dtype or "float64", flat)
  return {
    parameters = function() return parameters end,
    gradients = function() return gradients end,
  }
end

local function values(model)
  local result = {}
  for _, list in ipairs { model:parameters(), model:gradients() } do
    for _, item in ipairs(list) do result[#result + 1] = item.tensor:totable() end
  end
  return result
end

-- Ten steps in which the gradient is 2 p + k at step k.
local function ten_steps(model, opt, first, last)
  for k = first or 1, last or 10 do
    for _, g in ipairs(model:gradients()) do
      g.tensor:copy_(model:parameters()[g.name] * 2 + k)
    end
    opt:step()
  end
  return values(model)
end

TestOptim = {}

function TestOptim.test_a_step_of_sgd()
  local model = toy("float64", true)
  optim.sgd(model, { lr = 0.5 }):step()
  support.near(model:parameters().b, { 0.05, 0.1, -0.15, 0.2 }, 1e-15)
  support.near(model:gradients().b, { 0.1, 0.2, -0.3, 0.4 }, 0)
end

function TestOptim.test_first_step_of_adam_has_the_size_of_lr()
  local model = toy("float64", true)
  local before = model:parameters().W:clone()
  optim.adam(model, { lr = 0.01, eps = 0 }):step()
  local moved = before - model:parameters().W
  support.near(moved, { { 0.01, -0.01 }, { 0.01, 0.01 }, { -0.01, 0.01 } }, 1e-12)
end

function TestOptim.test_lists_give_what_flat_gives()
  for _, name in ipairs(NAMES) do
    for _, opts in ipairs { {}, { weight_decay = 0.1 } } do
      for _, dtype in ipairs { "float32", "float64" } do
        local flat, list = toy(dtype, true), toy(dtype, false)
        local a = ten_steps(flat, optim[name](flat, opts))
        local b = ten_steps(list, optim[name](list, opts))
        support.near(b, a, dtype == "float64" and 1e-13 or 1e-5, name .. " " .. dtype)
      end
    end
  end
end

function TestOptim.test_strided_parameters()
  for _, name in ipairs(NAMES) do
    local plain, strided = toy("float64", false), toy("float64", false)
    local W = strided:parameters()[1]
    W.tensor = W.tensor:t():contiguous():t()
    strided:parameters().W = W.tensor
    luaunit.assertFalse(W.tensor:is_contiguous())
    local opts = name == "rmsprop" and { centered = true, momentum = 0.5 } or nil
    support.near(ten_steps(strided, optim[name](strided, opts)),
      ten_steps(plain, optim[name](plain, opts)), 1e-13, name)
  end
end

function TestOptim.test_rate_can_change_between_steps()
  local model = toy("float64", true)
  local opt = optim.sgd(model, { lr = 1 })
  opt.lr = 0
  opt:step()
  support.near(model:parameters().W, { { 0.5, -1 }, { 2, 0.25 }, { -3, 1 } }, 0)
  opt.lr = 0.5
  opt:step()
  support.near(model:parameters().W, { { 0.25, -0.5 }, { 1, 0.125 }, { -1.5, 0.5 } }, 0)
  luaunit.assertEquals(opt:steps(), 2)
end

function TestOptim.test_state_continues_exactly()
  local sets = {
    sgd = { momentum = 0.9, dampening = 0.5 }, rmsprop = { momentum = 0.9, centered = true },
    adam = { betas = { 0.5, 0.75 } },
  }
  for _, name in ipairs(NAMES) do
    for _, flat in ipairs { true, false } do
      local whole, one, two = toy("float32", flat), toy("float32", flat), toy("float32", flat)
      local expected = ten_steps(whole, optim[name](whole, sets[name]))
      local first, second = optim[name](one, sets[name]), optim[name](two)
      ten_steps(one, first, 1, 4)
      second:set_state(first:state())
      for _, p in ipairs(two:parameters()) do p.tensor:copy_(one:parameters()[p.name]) end
      ten_steps(one, first, 5, 6) -- what set_state copied must not follow
      luaunit.assertEquals(ten_steps(two, second, 5, 10), expected)
      luaunit.assertEquals(second:steps(), 10)
      luaunit.assertEquals(second.lr, first.lr)
    end
  end
end

function TestOptim.test_state_is_plain_data()
  local model = toy("float64", true)
  local opt = optim.adam(model, { lr = 0.5 })
  luaunit.assertEquals(opt:state().tensors, {})
  opt:step()
  local state = opt:state()
  luaunit.assertEquals(state.algorithm, "adam")
  luaunit.assertEquals(state.step, 1)
  luaunit.assertEquals(state.options,
    { lr = 0.5, betas = { 0.9, 0.999 }, eps = 1e-8, weight_decay = 0 })
  luaunit.assertEquals(state.tensors.exp_avg:size(), { 10 })
  luaunit.assertEquals(state.tensors.exp_avg_sq:dtype(), "float64")
  local lists = toy("float64", false)
  local other = optim.adam(lists)
  other:step()
  luaunit.assertEquals(other:state().tensors["exp_avg.W"]:size(), { 3, 2 })
end

function TestOptim.test_bad_state_changes_nothing()
  local model = toy("float64", true)
  local opt = optim.adam(model, { lr = 0.5 })
  opt:step()
  local good = opt:state()
  local function state_with(changes)
    local state = { algorithm = "adam", step = 3, options = { lr = 7 }, tensors = {} }
    for name, t in pairs(good.tensors) do state.tensors[name] = t end
    for key, value in pairs(changes) do state[key] = value end
    return state
  end
  local avg = good.tensors.exp_avg
  local cases = {
    { "not of adam", { algorithm = "sgd" } },
    { "step must be an integer", { step = -1 } },
    { "lr is -1", { options = { lr = -1 } } },
    { "unknown option", { options = { rate = 1 } } },
    { "no tensor 'exp_avg_sq'", { tensors = { exp_avg = avg } } },
    { "must be float64 (10)", { tensors = { exp_avg = avg, exp_avg_sq = avg:to("float32") } } },
    { "(5)", { tensors = { exp_avg = avg:narrow(1, 1, 5), exp_avg_sq = avg } } },
    { "'extra'", { tensors = { exp_avg = avg, exp_avg_sq = avg, extra = avg } } },
  }
  for _, case in ipairs(cases) do
    support.raises(case[1], opt.set_state, opt, state_with(case[2]))
    luaunit.assertEquals({ opt.lr, opt:steps() }, { 0.5, 1 })
  end
  support.raises("not of adam", opt.set_state, opt, nil)
end

function TestOptim.test_bad_options()
  local model = toy("float64", true)
  local cases = {
    { "sgd", { lr = -1 }, "lr is -1" },
    { "sgd", { lr = 0 / 0 }, "lr is" },
    { "sgd", { lr = "fast" }, "lr is the string 'fast'" },
    { "sgd", { momentum = 1 / 0 }, "momentum is" },
    { "sgd", { nesterov = true }, "nesterov needs a momentum" },
    { "sgd", { nesterov = true, momentum = 0.9, dampening = 0.1 }, "nesterov" },
    { "sgd", { nesterov = 1 }, "true or false" },
    { "rmsprop", { alpha = 1 }, "alpha is 1" },
    { "rmsprop", { eps = -1e-8 }, "eps is" },
    { "adam", { betas = { 0.9, 1 } }, "betas is {0.9, 1}" },
    { "adam", { betas = 0.9 }, "betas is 0.9" },
    { "adam", { learning_rate = 1 }, "unknown option 'learning_rate'" },
    { "adagrad", { weigth_decay = 1 }, "Did you mean 'weight_decay'?" },
    { "adamw", 3, "options must be a table" },
  }
  for _, case in ipairs(cases) do
    local text = support.raises(case[3], optim[case[1]], model, case[2])
    luaunit.assertStrContains(text, "optim." .. case[1])
  end
end

function TestOptim.test_bad_options_later()
  local opt = optim.adam(toy("float64", true))
  support.raises("Did you mean 'lr'?", function() opt.rl = 1 end)
  support.raises("has no option 'step'", function() opt.step = 3 end)
  opt.lr = 0 / 0
  support.raises("lr is", opt.step, opt)
  luaunit.assertEquals(opt:steps(), 0)
end

function TestOptim.test_a_step_names_the_option_that_is_wrong()
  for _, name in ipairs(NAMES) do
    for shown, value in pairs { ["the string 'x'"] = "x", nan = 0 / 0, ["-1"] = -1, inf = math.huge,
      ["false"] = false } do
      local model = toy("float64", true)
      local before, opt = values(model), optim[name](model)
      opt.lr = value
      local text = support.raises(("optim.%s:step: lr is %s, must be a finite number"):format(name,
        shown), function() opt:step() end)
      luaunit.assertStrMatches(text, "^[^:]*test_optim%.lua:%d+: .*")
      luaunit.assertEquals(values(model), before)
    end
  end
  local opt = optim.adam(toy("float64", true))
  opt.betas = 3
  support.raises("optim.adam:step: betas is 3", opt.step, opt)
  opt.betas, opt.lr = { 0.9, 0.99 }, nil
  support.raises("optim.adam:step: lr is nil", opt.step, opt)
  opt.lr = 0.1 -- an option that was taken away can be given again
  opt:step()
  luaunit.assertEquals(opt:steps(), 1)
end

function TestOptim.test_bad_models()
  support.raises(":parameters()", optim.adam, {})
  support.raises(":parameters()", optim.adam, nil)
  support.raises(":gradients()", optim.adam, { parameters = toy().parameters })
  support.raises(":gradients()", optim.clip_norm, {}, 1)
  local none = { parameters = function() return {} end, gradients = function() return {} end }
  support.raises("no parameters", optim.adam, none)
  local mixed = toy("float64", false)
  mixed:gradients()[2].name = "c"
  support.raises("parameter 2 is 'b' but gradient 2 is 'c'", optim.sgd, mixed)
  mixed = toy("float64", false)
  mixed:gradients()[1].tensor = tensor.zeros(2, 3, { dtype = "float64" })
  support.raises("'W' is float64 (3,2) but its gradient is float64 (2,3)", optim.sgd, mixed)
end

function TestOptim.test_a_step_makes_no_garbage()
  for _, name in ipairs(NAMES) do
    for _, flat in ipairs { true, false } do
      local model = toy("float32", flat)
      local opt = optim[name](model)
      local where = { step = 1, loss = 2.5 }
      local function step()
        optim.clip_norm(model, 0.5, where)
        optim.clip_value(model, 0.5, where)
        opt:step()
      end
      collectgarbage() collectgarbage("stop")
      step() -- makes the state; and the collector has shrunk Lua's stack
      local before = collectgarbage("count")
      for _ = 1, 100 do step() end
      local after = collectgarbage("count")
      collectgarbage("restart")
      luaunit.assertEquals(after, before, name)
    end
  end
end

-- So many parameters that threads share them out.
local function large_model(dtype)
  local generator = tensor.generator(5)
  local function list()
    local flat = tensor.randn(40007, { generator = generator, dtype = dtype })
    return { flat = flat, { name = "W", tensor = flat } }
  end
  local parameters, gradients = list(), list()
  return { parameters = function() return parameters end,
    gradients = function() return gradients end }
end

-- What three clipped steps of a rule leave: parameters, gradients and the norms.
local function clipped_steps(name, dtype)
  local model, norms = large_model(dtype), {}
  local opt = optim[name](model, { lr = 0.01, weight_decay = 0.1 })
  for k, limit in ipairs { 150, 199, 50 } do
    norms[k] = k == 2 and optim.clip_value(model, 1.5) or optim.clip_norm(model, limit)
    opt:step()
  end
  return model:parameters().flat, model:gradients().flat, norms
end

function TestOptim.test_the_bits_do_not_depend_on_the_threads()
  local before = unroll.threads()
  local _ <close> = setmetatable({}, { __close = function() unroll.threads(before) end })
  for _, name in ipairs(NAMES) do
    for _, dtype in ipairs { "float32", "float64" } do
      unroll.threads(1)
      local p, g, norms = clipped_steps(name, dtype)
      luaunit.assertAlmostEquals(norms[3] / (g * g):sum() ^ 0.5, norms[3] / 50, 1e-5)
      for _, threads in ipairs { 2, 3, 5, 17 } do
        unroll.threads(threads)
        local p2, g2, norms2 = clipped_steps(name, dtype)
        luaunit.assertTrue(tensor.equal(p2, p))
        luaunit.assertTrue(tensor.equal(g2, g))
        luaunit.assertEquals(norms2, norms)
      end
    end
  end
end

-- The parts of a large tensor give what its pieces give one by one.
function TestOptim.test_a_large_tensor_equals_its_pieces()
  local whole, parts = large_model("float64"), large_model("float64")
  for _, get in ipairs { "parameters", "gradients" } do
    local list, flat = parts[get](), parts[get]().flat
    for i = 1, 8 do
      local n = 5001
      list[i] = { name = "p" .. i, tensor = flat:narrow(1, (i - 1) * n + 1,
        math.min(n, 40007 - (i - 1) * n)) }
    end
    list.flat = nil
  end
  luaunit.assertAlmostEquals(optim.clip_norm(whole, 10), optim.clip_norm(parts, 10), 1e-9)
  optim.adam(whole, { lr = 0.01 }):step()
  optim.adam(parts, { lr = 0.01 }):step()
  for _, get in ipairs { "parameters", "gradients" } do
    local pieces = {}
    for i, item in ipairs(parts[get]()) do pieces[i] = item.tensor end
    support.near(tensor.cat(pieces, 1), whole[get]().flat, 1e-13)
  end
end

function TestOptim.test_printing()
  local text = tostring(optim.sgd(toy(), { lr = 0.25, momentum = 0.5 }))
  luaunit.assertStrContains(text, "sgd")
  luaunit.assertStrContains(text, "lr = 0.25")
end

function TestOptim.test_core_refuses_misfits()
  local function refused(message, rule, ...)
    support.raises(message, require("unroll.core").optim.update, rule, { { ... } }, false)
  end
  local p, g = tensor.zeros(3), tensor.zeros(3)
  refused("the gradient is float32 (2)", "sgd", p, tensor.zeros(2))
  refused("share memory", "sgd", p, p)
  refused("share memory", "adagrad", p, g, p)
  refused("state 1 is missing", "adagrad", p, g)
  refused("state 2 is missing", "adam", p, g, tensor.zeros(3))
  refused("expanded", "sgd", tensor.zeros(1):expand(3), g)
  local int32 = { dtype = "int32" }
  refused("int32", "sgd", tensor.zeros(3, int32), tensor.zeros(3, int32))
  refused("Tensor expected", "sgd", p)
  refused("no such rule", "adagrade", p, g)
  local update = require("unroll.core").optim.update("sgd", { { p, g } }, false)
  support.raises("steps are counted from 1", update.step, update, {}, 0)
  luaunit.assertFalse(update:step({ lr = 1 }, 1)) -- the other options are not there
end

-- State comes when the options first ask for it, and then starts as at the first step.
function TestOptim.test_options_that_ask_for_other_state()
  local model, like = toy("float64", true), toy("float64", true)
  local opt, plain = optim.sgd(model, { lr = 0.1 }), optim.sgd(like, { lr = 0.1 })
  opt:step()
  plain:step()
  luaunit.assertEquals(opt:state().tensors, {})
  opt.momentum, opt.dampening = 0.5, 0.25
  opt:step()
  plain:step()
  luaunit.assertEquals(values(model), values(like)) -- the buffer starts at the gradient
  support.near(opt:state().tensors.momentum_buffer, model:gradients().flat, 0)
  opt:step()
  support.near(opt:state().tensors.momentum_buffer, model:gradients().flat * 1.25, 1e-15)
  opt.momentum = 0
  local before = model:parameters().flat:clone()
  opt:step()
  support.near(before - model:parameters().flat, model:gradients().flat * 0.1, 1e-15)
end

TestClip = {}

function TestClip.test_norm_before_the_clip()
  for _, flat in ipairs { true, false } do
    local model = toy("float64", flat)
    local norm = optim.grad_norm(model)
    luaunit.assertAlmostEquals(norm, math.sqrt(15.3125 + 0.3), 1e-12)
    luaunit.assertEquals(optim.clip_norm(model, 100), norm)
    luaunit.assertEquals(optim.grad_norm(model), norm)
    luaunit.assertEquals(optim.clip_norm(model, 0.5), norm)
    luaunit.assertAlmostEquals(optim.grad_norm(model), 0.5, 1e-6)
    luaunit.assertTrue(optim.grad_norm(model) < 0.5)
  end
end

function TestClip.test_value()
  for _, flat in ipairs { true, false } do
    local model = toy("float32", flat)
    local norm = optim.clip_value(model, 0.5)
    luaunit.assertAlmostEquals(norm, math.sqrt(15.6125), 1e-6)
    support.near(model:gradients().W, { { 0.5, -0.5 }, { 0.5, 0.25 }, { -0.5, 0.5 } }, 0)
  end
end

function TestClip.test_huge_and_tiny_gradients()
  for _, flat in ipairs { true, false } do
    for _, case in ipairs { { "float32", 1e38 }, { "float32", 1e-38 }, { "float64", 1e300 },
      { "float64", 1e-300 } } do
      local dtype, size = case[1], case[2]
      local model = toy(dtype, flat)
      for _, g in ipairs(model:gradients()) do g.tensor:fill_(size) end
      local norm = optim.clip_norm(model, size)
      luaunit.assertAlmostEquals(norm / (size * math.sqrt(10)), 1, 1e-6)
      if size > 1 then
        luaunit.assertAlmostEquals(optim.grad_norm(model) / size, 1, 1e-6)
        optim.clip_norm(model, 1)
        luaunit.assertAlmostEquals(optim.grad_norm(model), 1, 1e-5)
      end
    end
  end
end

function TestClip.test_norm_of_strided_and_empty()
  local core = require "unroll.core"
  local t = tensor.arange(1, 24, 1, { dtype = "float64" }):view(2, 3, 4)
  luaunit.assertAlmostEquals(core.optim.norm(t:transpose(1, 3)), math.sqrt(4900), 1e-11)
  luaunit.assertAlmostEquals(core.optim.norm(t:select(3, 2)), math.sqrt(2 ^ 2 + 6 ^ 2 + 10 ^ 2
    + 14 ^ 2 + 18 ^ 2 + 22 ^ 2), 1e-12)
  luaunit.assertEquals(core.optim.norm(tensor.zeros(0, 3)), 0)
end

function TestClip.test_refuses_nan_and_infinity()
  for _, flat in ipairs { true, false } do
    for _, bad in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
      for _, clip in ipairs { "clip_norm", "clip_value" } do
        local model = toy("float32", flat)
        model:gradients().b[2] = bad
        local before = values(model)
        local text = support.raises("the gradient of 'b'", optim[clip], model, 1,
          { step = 12, loss = 3.5 })
        luaunit.assertStrContains(text, bad ~= bad and "NaN" or "infinity")
        luaunit.assertStrContains(text, "step 12, loss 3.5")
        support.near(values(model), before, 0)
      end
    end
  end
end

function TestClip.test_bad_limits()
  local model = toy()
  for _, limit in ipairs { 0, -1, 0 / 0, "5" } do
    support.raises("clip_norm: the limit is", optim.clip_norm, model, limit)
    support.raises("clip_value: the limit is", optim.clip_value, model, limit)
  end
  support.raises("the limit is nil", optim.clip_norm, model)
end
