-- Training of recurrent models: results, exact resume, and memory.

local lu = require "luaunit"
local support = require "support"
local core = require "unroll.core"
local rnn = require "unroll.rnn"
local text = require "unroll.text"
local train = require "unroll.train"

local function bytes(t) return core.tensor.to_bytes(t) end

local function new_model(corpus, opts)
  opts.vocab = corpus.vocab
  opts.cell = opts.cell or "tanh"
  return rnn.lm(opts)
end

TestTrainRnn = {}

function TestTrainRnn.test_a_periodic_text_is_learnt_by_heart()
  local corpus = text.corpus("simple", { split = { 1 } })
  local model = new_model(corpus, { hidden = 25, seed = 1 })
  local steps = 2000
  train.fit(model, corpus, { steps = steps, window = 15, clip_norm = 1, progress = false,
    schedule = function(step) return 0.01 * (1 - (step - 1) / steps) end })
  lu.assertTrue((train.evaluate(model, corpus, { split = "all" })) <= 0.02)
end

function TestTrainRnn.test_evaluation_does_not_depend_on_the_window()
  local corpus = text.corpus "numbers"
  local model = new_model(corpus, { hidden = 8, seed = 2, dtype = "float64" })
  local loss, count = train.evaluate(model, corpus, { window = 1000 })
  lu.assertEquals(count, 499)
  for _, window in ipairs { 1, 7, 499 } do
    support.near(train.evaluate(model, corpus, { window = window }), loss, 1e-12)
  end
end

function TestTrainRnn.test_uneven_streams_in_both_dtypes_and_in_stacks()
  local corpus = text.from_string(("abcab"):rep(21), { split = { 1 } })
  for _, dtype in ipairs { "float32", "float64" } do
    local model = new_model(corpus, { hidden = 5, layers = 2, dtype = dtype, seed = 1 })
    local history = train.fit(model, corpus,
      { epochs = 30, batch = 7, window = 4, lr = 0.02, progress = false })
    lu.assertTrue(history.loss[history.steps] < 0.5 * history.loss[1])
  end
end

local function options(path, steps)
  return { steps = steps, batch = 5, window = 9, lr = 5e-3, clip_norm = 0.5, checkpoint = path,
           resume = true, progress = false, validation = { every = 40 } }
end

function TestTrainRnn.test_resuming_equals_a_straight_run_bit_for_bit()
  local corpus = text.corpus "simple"
  for _, dtype in ipairs { "float32", "float64" } do
    local directory = support.tmpdir()
    local function run(path, steps, seed)
      local model = new_model(corpus, { hidden = 12, layers = 2, dtype = dtype, seed = seed })
      local history = train.fit(model, corpus, options(directory .. path, steps))
      return model, history
    end
    local straight, whole = run("/a", 200, 1)
    run("/b", 100, 1)
    local continued, resumed = run("/b", 200, 77) -- its own first values are overwritten
    lu.assertEquals(bytes(continued:parameters().flat), bytes(straight:parameters().flat), dtype)
    lu.assertEquals(bytes(resumed.loss), bytes(whole.loss), dtype)
    lu.assertEquals(resumed.validation, whole.validation)
  end
end

-- Options of a run whose memory is measured.
local function measured(steps, on_step)
  return { steps = steps, batch = 1, window = 15, lr = 0.01, clip_norm = 1, progress = false,
           on_step = on_step }
end

function TestTrainRnn.test_a_step_makes_no_garbage()
  local corpus = text.corpus "simple"
  local model = new_model(corpus, { hidden = 10, seed = 1 })
  local before, after
  train.fit(model, corpus, measured(1900, function(step)
    if step == 500 then
      collectgarbage()
      collectgarbage()
      collectgarbage "stop"
    elseif step == 800 then -- the collector has shrunk the stack: a pass later it has grown again
      before = collectgarbage "count"
    elseif step == 1800 then
      after = collectgarbage "count"
      collectgarbage "restart"
    end
  end))
  lu.assertEquals(after, before)
end

local function resident_kilobytes()
  local status = support.read_file "/proc/self/status"
  return math.tointeger(tonumber(status:match "VmRSS:%s*(%d+)"))
end

function TestTrainRnn.test_ten_thousand_steps_do_not_grow_the_process()
  local corpus = text.corpus "simple"
  local model = new_model(corpus, { hidden = 10, seed = 1 })
  local before, after
  train.fit(model, corpus, measured(11000, function(step)
    if step == 1000 then before = resident_kilobytes() end
    if step == 11000 then after = resident_kilobytes() end
  end))
  lu.assertTrue(after - before <= 1024, ("%d kB more"):format(after - before))
end

function TestTrainRnn.test_a_history_longer_than_its_first_capacity()
  local corpus = text.corpus "numbers"
  local model = new_model(corpus, { hidden = 1, seed = 1 })
  local last
  local history = train.fit(model, corpus, { steps = 66000, window = 1, progress = false,
    on_step = function(_, loss) last = loss end })
  lu.assertEquals(history.loss:size(), { 66000 })
  lu.assertEquals(history.loss[66000], last)
  lu.assertTrue(history.loss[65536] > 0 and history.loss[65537] > 0)
  lu.assertTrue(history.lr[1] == 0.001 and history.lr[66000] == 0.001)
end

function TestTrainRnn.test_parameters_that_are_not_finite_are_named()
  local corpus = text.corpus "simple"
  local model = new_model(corpus, { hidden = 4, seed = 1 })
  model.W_hh[{ 2, 3 }] = 0 / 0
  local before = bytes(model:parameters().flat)
  support.raises("step 1: the loss is NaN; parameter 'W_hh' is not finite", train.fit, model,
    corpus, { steps = 5, progress = false })
  lu.assertEquals(bytes(model:parameters().flat), before)
end
