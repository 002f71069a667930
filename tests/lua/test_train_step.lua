-- A step of a training in one call of core (core.train.step) beside the same in its parts.

local lu = require "luaunit"
local support = require "support"
local core = require "unroll.core"
local optim = require "unroll.optim"
local progress = require "unroll.train.progress"
local rnn = require "unroll.rnn"
local tasks = require "unroll.tasks"
local tensor = require "unroll.tensor"
local text = require "unroll.text"
local train = require "unroll.train"

local function bytes(t) return core.tensor.to_bytes(t) end

-- How many whole steps core made, while f ran.
local function count_whole_steps(f)
  local make, count = core.train.step, 0
  core.train.step = function(...)
    local step = make(...)
    return step and function(...)
      local results = table.pack(step(...))
      if results.n > 0 then count = count + results[1] + (results.n == 7 and 1 or 0) end
      return table.unpack(results, 1, results.n)
    end
  end
  local _ <close> = setmetatable({}, { __close = function() core.train.step = make end })
  f()
  return count
end

-- A model with a method of its own, which does nothing more than that of its class.
local function with_own_method(model)
  local forward = model.forward
  model.forward = function(...) return forward(...) end
  return model
end

local corpus = text.from_string(("the quick brown fox jumps over it. "):rep(9), { split = { 1 } })

-- Parameters and history after a run; in parts: with a method that core cannot know.
local function run(make_model, source, opts, in_parts)
  local model, history = make_model(), nil
  if in_parts then with_own_method(model) end
  local o = { steps = 40, progress = false, seed = 5 }
  for name, value in pairs(opts) do o[name] = value end
  if type(o.optimizer) == "function" then o.optimizer = o.optimizer(model) end
  local steps = count_whole_steps(function() history = train.fit(model, source(), o) end)
  return { bytes(model:parameters().flat), bytes(history.loss), bytes(history.gradient_norm),
    bytes(history.lr), history.clipped }, steps
end

local function check_equal(make_model, source, opts)
  local whole, steps = run(make_model, source, opts, false)
  local parts, none = run(make_model, source, opts, true)
  lu.assertEquals(whole, parts)
  lu.assertEquals(none, 0)
  return steps
end

local function language_model(cell, dtype)
  return function()
    return rnn.lm { vocab = corpus.vocab, cell = cell, hidden = 9, dtype = dtype, layers = 2,
      seed = 1 }
  end
end

local function same_corpus() return corpus end

TestTrainStep = {}

function TestTrainStep.test_all_rules_and_clips_give_the_bits_of_the_parts()
  for _, name in ipairs { "sgd", "adagrad", "rmsprop", "adam", "adamw" } do
    for _, clip in ipairs { { clip_norm = 0.5 }, { clip_value = 0.02 }, {} } do
      local opts = { optimizer = name, window = 7, batch = 3, clip_norm = clip.clip_norm,
        clip_value = clip.clip_value, reduction = clip.clip_value and "sum" or "mean" }
      local steps = check_equal(language_model("tanh", "float32"), same_corpus, opts)
      lu.assertTrue(steps >= 30, name .. ": " .. steps)
    end
  end
end

function TestTrainStep.test_all_cells_and_dtypes()
  for _, cell in ipairs { "tanh", "relu", "lstm", "gru" } do
    for _, dtype in ipairs { "float32", "float64" } do
      local steps = check_equal(language_model(cell, dtype), same_corpus, { window = 8, batch = 1 })
      lu.assertTrue(steps >= 30, cell .. ": " .. steps)
    end
  end
end

-- The last windows are shorter, and with uneven streams weigh less.
function TestTrainStep.test_windows_of_two_lengths_and_weights()
  check_equal(language_model("tanh", "float32"), same_corpus,
    { window = 50, batch = 4, optimizer = "adagrad", clip_value = 0.1, reduction = "sum" })
end

function TestTrainStep.test_dense_inputs_of_a_task()
  local function model()
    return rnn.model { cell = "lstm", input = 2, output = 1, hidden = 6, head = "linear", seed = 2 }
  end
  check_equal(model, function() return tasks.adding { length = 12 } end, { batch = 5, lr = 0.01 })
end

function TestTrainStep.test_what_changes_between_steps_counts()
  local optimizer
  local function sgd(model)
    optimizer = optim.sgd(model, { lr = 0.1 })
    return optimizer
  end
  local steps = check_equal(language_model("tanh", "float32"), same_corpus, { optimizer = sgd,
    window = 6, schedule = function(step) return 0.1 / step end,
    on_step = function(step)
      if step == 10 then optimizer.momentum = 0.9 end -- needs state that there is not yet
      if step == 20 then optimizer.weight_decay = 0.01 end
    end })
  lu.assertEquals(optimizer:steps(), 40)
  lu.assertTrue(steps >= 25, steps)
end

-- The history begins with room for 65536 steps.
function TestTrainStep.test_a_history_that_grows()
  local small = text.from_string("abababab", { split = { 1 } })
  local model = rnn.lm { vocab = small.vocab, hidden = 1, seed = 1 }
  local history = train.fit(model, small, { steps = 65540, window = 7, progress = false, lr = 0 })
  lu.assertEquals(history.loss:size(1), 65540)
  lu.assertEquals(history.loss[65540], history.loss[65536])
  lu.assertTrue(history.seconds[65537] >= history.seconds[65536])
end

-- The state that a pass needs is that of the step before, whatever was called in between.
function TestTrainStep.test_a_bad_step_changes_nothing()
  for _, bad in ipairs { 0 / 0, 1 / 0 } do
    local model = language_model("tanh", "float32")()
    local before
    local function spoil(step)
      if step == 12 then
        model.b_y[1] = bad
        before = bytes(model:parameters().flat)
      end
    end
    support.raises("train.fit: step 13: the loss is", train.fit, model, corpus,
      { steps = 40, window = 6, progress = false, on_step = spoil })
    lu.assertEquals(bytes(model:parameters().flat), before)
  end
end

-- Nobody looks between the steps: the one that fails is among many that core makes in one call.
function TestTrainStep.test_a_run_that_diverges_ends_at_the_same_step()
  local function diverge(in_parts)
    local model = language_model("relu", "float32")()
    if in_parts then with_own_method(model) end
    local ok, message
    local steps = count_whole_steps(function()
      ok, message = pcall(train.fit, model, corpus,
        { steps = 4000, window = 6, progress = false, optimizer = "sgd", lr = 20 })
    end)
    lu.assertFalse(ok)
    return { (message:gsub("^[^ ]* ", "")), bytes(model:parameters().flat) }, steps
  end
  local whole, steps = diverge(false)
  lu.assertEquals(whole, diverge(true))
  lu.assertStrContains(whole[1], ": the loss is ")
  lu.assertTrue(steps >= 1, steps)
end

-- The line on the screen has the mean of the steps since it was drawn last.
function TestTrainStep.test_progress_over_many_steps_at_once()
  local model, lines = language_model("tanh", "float32")(), {}
  local make = progress.new
  progress.new = function(total, opts)
    opts.live, opts.write, opts.width = true, function(line) lines[#lines + 1] = line end, 100
    return make(total, opts)
  end
  local _ <close> = setmetatable({}, { __close = function() progress.new = make end })
  local history
  local steps = count_whole_steps(function()
    history = train.fit(model, corpus, { steps = 3000, window = 6, batch = 2 })
  end)
  lu.assertEquals(history.steps, 3000)
  lu.assertTrue(steps >= 2800, steps) -- not the short window at the end of each pass
  lu.assertStrContains(lines[#lines], "3000/3000")
  local shown = tonumber(lines[#lines]:match "loss ([%d.]+)")
  support.near(shown, history.loss:narrow(1, 2801, 200):mean(), 0.1)
  lu.assertTrue(#lines < 1000, #lines)
end

function TestTrainStep.test_a_token_out_of_range_is_found_at_its_step()
  local model = rnn.lm { vocab = 5, hidden = 4, seed = 1 }
  local x = tensor.ones({ 6, 1 }, { dtype = "int32" })
  local y = x:clone()
  local step = 0
  local source = { batches = function()
    return function()
      step = step + 1
      if step == 9 then x:fill_(6) end
      return x, y
    end
  end }
  support.raises("tokens must be in 1..5", train.fit, model, source,
    { steps = 20, progress = false })
  lu.assertEquals(step, 9)
end
