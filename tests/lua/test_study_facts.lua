-- test_study_facts.lua -- exact facts that the studies rest on, without training: what truncation
-- is, what a clip does to a direction, what a perplexity is.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"

local tensor, rnn, optim = unroll.tensor, unroll.rnn, unroll.optim

TestStudyFacts = {}

local T, B, V, H = 12, 3, 5, 6

local function setting()
  local like = { generator = tensor.generator(3) }
  return rnn.lm { vocab = V, hidden = H, dtype = "float64", seed = 1 },
    tensor.randint(1, V, T, B, like), tensor.randint(1, V, T, B, like)
end

-- The losses of all steps in windows of k steps, summed; with `backward`, their gradients are
-- added up. The states at the windows' starts are `states`, or what is carried.
local function in_windows(model, x, y, k, backward, states)
  local sum, state, starts = 0, nil, {}
  for first = 1, T, k do
    if states then state = states[#starts + 1] end
    starts[#starts + 1] = state or false
    local loss, after, trace = model:forward(x:narrow(1, first, k), y:narrow(1, first, k),
      state or nil, { reduction = "sum" })
    if backward then model:backward(trace) end
    sum, state = sum + loss, { { h = after[1].h:clone() } }
  end
  return sum, starts
end

local function gradient(model, x, y, k)
  model:zero_gradients()
  in_windows(model, x, y, k, true)
  return model:gradients().flat:clone()
end

function TestStudyFacts.test_a_window_as_long_as_the_text_is_full_backpropagation()
  local model, x, y = setting()
  model:zero_gradients()
  local _, _, trace = model:forward(x, y, nil, { reduction = "sum" })
  model:backward(trace)
  lu.assertTrue(tensor.equal(model:gradients().flat, gradient(model, x, y, T)))
end

-- Central differences of the summed loss while the states at the starts of windows stand still.
function TestStudyFacts.test_truncation_is_the_gradient_with_the_state_detached()
  local model, x, y = setting()
  local truncated, full = gradient(model, x, y, 4), gradient(model, x, y, T)
  local _, starts = in_windows(model, x, y, 4)
  local flat, step = model:parameters().flat, 1e-6
  for i = 1, flat:numel(), 7 do
    local value = flat[i]
    flat[i] = value + step
    local above = in_windows(model, x, y, 4, false, starts)
    flat[i] = value - step
    local below = in_windows(model, x, y, 4, false, starts)
    flat[i] = value
    lu.assertAlmostEquals(truncated[i], (above - below) / (2 * step), 1e-6)
  end
  lu.assertTrue((truncated - full):abs():max() > 1e-3) -- and it is another than the full one
end

function TestStudyFacts.test_windows_give_the_same_loss_as_the_whole()
  local model, x, y = setting()
  support.near({ (in_windows(model, x, y, 3)) }, { (in_windows(model, x, y, T)) }, 1e-12)
end

local function cosine(a, b) return a:dot(b) / (a:norm() * b:norm()) end

function TestStudyFacts.test_a_norm_clip_keeps_the_direction_and_a_value_clip_does_not()
  local model, x, y = setting()
  local before = gradient(model, x, y, T)
  local norm = optim.clip_norm(model, 0.5)
  lu.assertAlmostEquals(norm, before:norm(), 1e-12) -- the norm before the clip
  lu.assertAlmostEquals(cosine(model:gradients().flat, before), 1, 1e-12)
  lu.assertAlmostEquals(model:gradients().flat:norm(), 0.5, 1e-6)
  before = gradient(model, x, y, T)
  optim.clip_value(model, 0.1)
  lu.assertTrue(cosine(model:gradients().flat, before) < 0.99)
end

function TestStudyFacts.test_equal_logits_have_the_perplexity_of_the_vocabulary()
  local model, x, y = setting()
  for _, p in ipairs(model:parameters()) do
    if p.name == "W_hy" or p.name == "b_y" then p.tensor:zero_() end
  end
  for _, k in ipairs { 1, 4, T } do
    for b = 1, B do
      local loss = model:forward(x:narrow(1, 1, k):narrow(2, b, 1):contiguous(),
        y:narrow(1, 1, k):narrow(2, b, 1):contiguous(), nil, { train = false })
      lu.assertAlmostEquals(unroll.metrics.perplexity(loss), V, 1e-12)
      lu.assertAlmostEquals(unroll.metrics.bits(loss), math.log(V, 2), 1e-12)
    end
  end
end
