-- train.fit and train.evaluate, on a model that can be checked by hand (bigram.lua).

local lu = require "luaunit"
local support = require "support"
local bigram = require "bigram"
local core = require "unroll.core"
local optim = require "unroll.optim"
local tensor = require "unroll.tensor"
local text = require "unroll.text"
local train = require "unroll.train"

local function bytes(t) return core.tensor.to_bytes(t) end

-- Options for a quiet run.
local function quiet(opts)
  opts.progress = false
  return opts
end

TestFit = {}

function TestFit:setUp()
  self.corpus = text.from_string(("abcd"):rep(60) .. ("abdc"):rep(20), { split = { 0.8, 0.2 } })
  self.model = bigram.new(4)
end

function TestFit:test_learns_and_reports()
  local history = train.fit(self.model, self.corpus,
    quiet { steps = 120, batch = 2, window = 8, lr = 0.3, clip_norm = 0.1 })
  lu.assertEquals(history.steps, 120)
  lu.assertEquals(history.stop, "steps")
  lu.assertEquals(history.loss:size(), { 120 })
  support.near(history.loss[1], math.log(4), 1e-12)
  lu.assertTrue(history.loss[120] < 0.2)
  lu.assertTrue(history.gradient_norm[1] > 0.1)
  lu.assertTrue(history.clipped > 0 and history.clipped < 1)
  support.near(history.lr, tensor.full({ 120 }, 0.3, { dtype = "float64" }))
  lu.assertTrue(history.chars_per_second > 0)
  for k = 2, 120 do lu.assertTrue(history.seconds[k] >= history.seconds[k - 1]) end
end

function TestFit:test_a_step_is_forward_backward_clip_update()
  local other = bigram.new(4)
  local opt = optim.sgd(other, { lr = 0.5 })
  local iterator = self.corpus:batches { batch = 3, window = 5, loop = true }
  for _ = 1, 30 do
    local x, y, info = iterator()
    local _, _, trace = other:forward(x, y, nil, { weight = info.weight })
    other:zero_gradients()
    other:backward(trace)
    optim.clip_norm(other, 0.2)
    opt:step()
  end
  train.fit(self.model, self.corpus, quiet { steps = 30, batch = 3, window = 5,
    optimizer = "sgd", lr = 0.5, clip_norm = 0.2 })
  lu.assertEquals(bytes(self.model.W), bytes(other.W))
end

function TestFit:test_the_state_is_carried_and_reset_at_each_pass()
  local windows = self.corpus:batches { batch = 2, window = 30 }.windows
  train.fit(self.model, self.corpus, quiet { epochs = 2, batch = 2, window = 30 })
  local expected = {}
  for k = 1, 2 * windows do expected[k] = (k - 1) % windows + 1 end
  lu.assertEquals(self.model.seen, expected)
end

function TestFit:test_summed_loss_scales_the_gradient_not_the_report()
  local mean = train.fit(self.model, self.corpus, quiet { steps = 1, batch = 2, window = 5 })
  local sum = train.fit(bigram.new(4), self.corpus,
    quiet { steps = 1, batch = 2, window = 5, reduction = "sum" })
  support.near(sum.loss, mean.loss, 1e-12)
  support.near(sum.gradient_norm[1], 10 * mean.gradient_norm[1], 1e-12)
end

function TestFit:test_clipping_by_value_counts_what_it_changes()
  local opts = quiet { steps = 5, window = 5, clip_value = 1e-3 }
  lu.assertEquals(train.fit(self.model, self.corpus, opts).clipped, 1.0)
  opts.clip_value = 10
  lu.assertEquals(train.fit(self.model, self.corpus, opts).clipped, 0.0)
end

function TestFit:test_schedule_sets_the_rate_of_the_step()
  local history = train.fit(self.model, self.corpus,
    quiet { steps = 4, schedule = function(step) return 1 / step end })
  lu.assertEquals(history.lr:totable(), { 1, 1 / 2, 1 / 3, 1 / 4 })
end

function TestFit:test_on_step_sees_the_numbers_and_may_stop()
  local seen = {}
  local history = train.fit(self.model, self.corpus, quiet { steps = 50,
    on_step = function(step, loss, norm)
      seen[step] = { loss, norm }
      return step == 7
    end })
  lu.assertEquals(history.stop, "callback")
  lu.assertEquals(history.steps, 7)
  lu.assertEquals(#seen, 7)
  for k = 1, 7 do lu.assertEquals(seen[k], { history.loss[k], history.gradient_norm[k] }) end
end

function TestFit:test_optimizer_objects_are_used()
  local opt = optim.adagrad(self.model, { lr = 0.25 })
  local history = train.fit(self.model, self.corpus, quiet { steps = 3, optimizer = opt })
  lu.assertEquals(opt:steps(), 3)
  lu.assertEquals(history.lr[3], 0.25)
end

function TestFit:test_seed_sets_the_default_generator()
  train.fit(self.model, self.corpus, quiet { steps = 1, seed = 5 })
  local state = tensor.default_generator():state()
  lu.assertEquals(tensor.generator(5):state(), state)
end

-- --- validation ------------------------------------------------------------------------

function TestFit:test_validation_and_early_stopping()
  local history = train.fit(self.model, self.corpus, quiet { steps = 500, window = 8, lr = 0.3,
    validation = { every = 10 }, patience = 3, restore_best = true })
  lu.assertEquals(history.stop, "patience")
  lu.assertEquals(history.steps, history.best.step + 30)
  lu.assertEquals(history.validation[1].step, 10)
  for _, v in ipairs(history.validation) do lu.assertTrue(v.loss >= history.best.loss) end
  lu.assertEquals((train.evaluate(self.model, self.corpus)), history.best.loss)
end

function TestFit:test_validation_does_not_disturb_the_training()
  local other = bigram.new(4)
  train.fit(other, self.corpus, quiet { steps = 40, batch = 2, window = 9 })
  train.fit(self.model, self.corpus,
    quiet { steps = 40, batch = 2, window = 9, validation = { every = 3 } })
  lu.assertEquals(bytes(self.model.W), bytes(other.W))
  lu.assertEquals(self.model.seen, other.seen)
end

function TestFit:test_evaluate_is_the_exact_mean()
  self.model.W:copy_(tensor.randn(4, 4, { generator = tensor.generator(1), dtype = "float64" }))
  local tokens = self.corpus:tokens("validation"):totable()
  local sum = 0
  for i = 1, #tokens - 1 do
    local row = self.model.W[tokens[i]]:totable()
    local z = 0
    for k = 1, 4 do z = z + math.exp(row[k]) end
    sum = sum - (row[tokens[i + 1]] - math.log(z))
  end
  local n = #tokens - 1
  for _, opts in ipairs { { window = 1000 }, { window = 7 }, { batch = 4, window = 5 }, {} } do
    local loss, count = train.evaluate(self.model, self.corpus, opts)
    lu.assertEquals(count, n)
    support.near(loss, sum / n, 1e-12)
  end
  support.raises("unknown option 'bacth'. Did you mean 'batch'?", train.evaluate, self.model,
    self.corpus, { bacth = 1 })
end

-- --- trouble ---------------------------------------------------------------------------

function TestFit:test_a_bad_loss_ends_the_run_before_the_update()
  train.fit(self.model, self.corpus, quiet { steps = 3 })
  local before = bytes(self.model.W)
  self.model.poison = "loss"
  local message = support.raises("train.fit: step 1: the loss is NaN", train.fit, self.model,
    self.corpus, quiet { steps = 3 })
  lu.assertStrContains(message, "the logits are not finite")
  lu.assertEquals(bytes(self.model.W), before)
  self.model.W[{ 2, 2 }] = 0 / 0
  support.raises("parameter 'W' is not finite", train.fit, self.model, self.corpus,
    quiet { steps = 3 })
end

function TestFit:test_a_bad_gradient_ends_the_run_before_the_update()
  local before
  local message = support.raises("the gradient of 'W' has the norm infinity", train.fit,
    self.model, self.corpus, quiet { steps = 9, on_step = function(step)
      if step == 4 then
        before = bytes(self.model.W)
        self.model.poison = "gradient"
      end
    end })
  lu.assertStrContains(message, "step 5")
  lu.assertStrContains(message, "loss 1.")
  lu.assertEquals(bytes(self.model.W), before)
  lu.assertEquals(self.model.dW:sum(), 0.0)
end

function TestFit:test_errors_of_callbacks_pass_through()
  support.raises("test_train.lua", train.fit, self.model, self.corpus,
    quiet { steps = 3, on_step = function() error "mine" end })
end

function TestFit:test_model_then_source_then_options()
  support.raises("train.fit: the model must have :forward(), got nil", train.fit, nil)
  support.raises("train.fit: the source must have :batches(), got nil", train.fit, self.model)
  support.raises("train.fit: give either steps or epochs", train.fit, self.model, self.corpus)
  support.raises("train.evaluate: the model must have", train.evaluate, nil, nil, { bacth = 1 })
end

function TestFit:test_switches_are_booleans()
  for _, name in ipairs { "progress", "resume", "restore_best" } do
    support.raises(("train.fit: %s must be a boolean, got string"):format(name), train.fit,
      self.model, self.corpus, { steps = 1, [name] = "yes" })
  end
end

function TestFit:test_missing_folders_are_errors_before_the_first_step()
  local folder, steps = support.tmpdir() .. "/none", 0
  for _, name in ipairs { "log", "checkpoint" } do
    support.raises(folder, train.fit, self.model, self.corpus, quiet { steps = 1, batch = 2,
      window = 8, [name] = folder .. "/file", on_step = function() steps = steps + 1 end })
  end
  lu.assertEquals(steps, 0)
  lu.assertNil(core.sys.list(folder))
end

function TestFit:test_nan_has_no_sign()
  for _, nan in ipairs { 0 / 0, -(0 / 0) } do
    support.raises("schedule(1) gave nan,", train.fit, self.model, self.corpus, quiet { steps = 1,
      batch = 2, window = 8, schedule = function() return nan end })
    support.raises("clip_norm is nan,", train.fit, self.model, self.corpus,
      quiet { steps = 1, clip_norm = nan })
    local blind = setmetatable({ forward = function() return nan end }, { __index = self.model })
    local loss = train.evaluate(blind, self.corpus, { window = 8 })
    lu.assertEquals(("%.3f"):format(loss), "nan")
    local line = train.progress.format { step = 1, total = 2, loss = nan, validation = nan,
      norm = nan, seconds = 1 }
    lu.assertEquals(line, "  1/2  loss nan  val nan  ppl nan  |grad| nan  ETA 1.0 s")
  end
end

function TestFit:test_wrong_options()
  local function fails(part, opts)
    support.raises(part, train.fit, self.model, self.corpus, opts)
  end
  fails("either steps or epochs", {})
  fails("either steps or epochs", { steps = 1, epochs = 1 })
  fails("unknown option 'stpes'. Did you mean 'steps'?", { stpes = 1 })
  fails("steps must be an integer of at least 1, got 0", { steps = 0 })
  fails("optimizer is 'adma'. Did you mean 'adam'?", { steps = 1, optimizer = "adma" })
  fails("reduction is 'max'", { steps = 1, reduction = "max" })
  fails("either clip_norm or clip_value", { steps = 1, clip_norm = 1, clip_value = 1 })
  fails("clip_norm is -1, must be a number above 0", { steps = 1, clip_norm = -1 })
  fails("schedule must be a function, got number", { steps = 1, schedule = 0.1 })
  fails("need checkpoint", { steps = 1, resume = true })
  fails("patience and restore_best need validation", { steps = 1, patience = 2 })
  fails("validation.every must be an integer", { steps = 1, validation = {} })
  fails("unknown option 'evrey'. Did you mean 'every'?", { steps = 1, validation = { evrey = 1 } })
  fails("lr belongs to the optimizer object",
    { steps = 1, lr = 1, optimizer = optim.sgd(self.model) })
  fails("split 'test' has 0", { steps = 1, split = "test" })
end

-- The tokens of the other text are in range, so that nothing else would tell.
function TestFit:test_model_and_source_have_one_vocabulary()
  local other, own = text.from_string("xyzxyzxyzxyz"), text.from_string("abcabcabcabc")
  self.model.vocab = own.vocab
  for name, call in pairs { fit = train.fit, evaluate = train.evaluate } do
    local opts = name == "fit" and quiet { steps = 1 } or { split = "all" }
    support.raises("train." .. name .. ": the vocabulary of the source (3 symbols) is not the "
      .. "model's (3)", call, self.model, other, opts)
  end
end

function TestFit:test_evaluate_names_what_is_wrong()
  support.raises("train.evaluate: the model must have :forward(), got nil", train.evaluate, nil,
    self.corpus)
  support.raises("train.evaluate: the source must have :batches(), got nil", train.evaluate,
    self.model)
  local message = support.raises("train.evaluate: batches: split is 'valid'", train.evaluate,
    self.model, self.corpus, { split = "valid" })
  lu.assertNotStrContains(message, "evaluate.lua")
end

function TestFit:test_a_schedule_must_give_a_rate()
  local before = bytes(self.model.W)
  for _, rate in ipairs { 0 / 0, -1, "x", 1 / 0 } do
    support.raises("train.fit: schedule(1) gave", train.fit, self.model, self.corpus,
      quiet { steps = 3, schedule = function() return rate end })
  end
  lu.assertEquals(bytes(self.model.W), before)
end

function TestFit:test_what_would_fail_late_fails_early()
  local only_training = text.from_string(("abcd"):rep(9), { split = { 1 } })
  support.raises("split 'validation' has 0", train.fit, self.model, only_training,
    quiet { steps = 3, validation = { every = 2 } })
  support.raises("the model must have :forward(), got nil", train.fit, nil, self.corpus,
    { steps = 1 })
  support.raises("the source must have :batches(), got number", train.fit, self.model, 3,
    { steps = 1 })
  lu.assertEquals(self.model.seen, {})
end

function TestFit:test_a_history_prints_itself()
  local history = train.fit(self.model, self.corpus,
    quiet { steps = 4, validation = { every = 2 } })
  lu.assertStrMatches(tostring(history),
    "history   4 steps %(steps%)   loss 1%.%d+   best val 1%.%d+ at step 4   0 %% clipped.*")
end

-- --- sources of one's own ------------------------------------------------------------------

TestSource = { setUp = TestFit.setUp }

-- Batches of one transition a>b from a plain function; with a state when `cursor` is given.
local function coin(cursor)
  local x, y = tensor.zeros(1, 1, { dtype = "int32" }), tensor.zeros(1, 1, { dtype = "int32" })
  local source = { unit = "flips" }
  function source:batches()
    return function()
      if cursor then cursor = cursor % 4 + 1 end
      x:fill_(cursor or 1)
      y:fill_(2)
      return x, y
    end
  end
  if cursor then
    function source:state() return cursor end
    function source:set_state(state) cursor = state end
  end
  return source
end

function TestSource:test_an_iterator_may_be_a_plain_function()
  local history = train.fit(self.model, coin(), quiet { steps = 60, lr = 0.3 })
  lu.assertTrue(history.loss[60] < 0.1)
  support.raises("epochs need a source that knows its windows", train.fit, self.model, coin(),
    quiet { epochs = 1 })
end

function TestSource:test_a_checkpoint_needs_a_state_and_keeps_that_of_the_source()
  local path = support.tmpdir() .. "/s"
  support.raises("needs a source, or an iterator of it, with :state()", train.fit, self.model,
    coin(), quiet { steps = 2, checkpoint = path })
  train.fit(self.model, coin(0), quiet { steps = 6, checkpoint = path })
  local source = coin(0)
  train.fit(self.model, source, quiet { steps = 7, checkpoint = path, resume = true })
  lu.assertEquals(source:state(), 3)
end

-- --- the CSV log -----------------------------------------------------------------------

TestLog = { setUp = TestFit.setUp }

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return lines
end

function TestLog:test_one_row_for_each_step()
  local path = support.tmpdir() .. "/metrics.csv"
  local history = train.fit(self.model, self.corpus,
    quiet { steps = 6, log = path, validation = { every = 3 } })
  local lines = lines_of(path)
  lu.assertEquals(lines[1], "step,loss,gradient_norm,lr,validation_loss,seconds")
  lu.assertEquals(#lines, 7)
  for k = 1, 6 do
    local step, loss, norm, lr, validation, seconds = lines[k + 1]:match(
      "^(%d+),([^,]+),([^,]+),([^,]+),([^,]*),([^,]+)$")
    lu.assertEquals(tonumber(step), k)
    support.near(tonumber(loss), history.loss[k], 1e-8)
    support.near(tonumber(norm), history.gradient_norm[k], 1e-8)
    lu.assertEquals(tonumber(lr), 0.001)
    lu.assertTrue(tonumber(seconds) >= 0)
    if k % 3 == 0 then
      support.near(tonumber(validation), history.validation[k // 3].loss, 1e-8)
    else
      lu.assertEquals(validation, "")
    end
  end
end

function TestLog:test_an_older_log_is_continued()
  local path = support.tmpdir() .. "/metrics.csv"
  train.fit(self.model, self.corpus, quiet { steps = 2, log = path })
  local first = support.read_file(path)
  support.write_file(path, first .. "3,0.5") -- a run that was killed while it wrote
  train.fit(self.model, self.corpus, quiet { steps = 3, log = path })
  lu.assertEquals(support.read_file(path):sub(1, #first), first)
  lu.assertEquals(#lines_of(path), 6)
end

function TestLog:test_a_foreign_file_is_not_touched()
  local path = support.tmpdir() .. "/notes.txt"
  support.write_file(path, "my notes\n")
  support.raises("not a metrics log", train.fit, self.model, self.corpus,
    quiet { steps = 2, log = path })
  lu.assertEquals(support.read_file(path), "my notes\n")
  lu.assertEquals(self.model.seen, {})
end

function TestLog:test_a_failing_run_leaves_its_rows()
  local path = support.tmpdir() .. "/metrics.csv"
  support.raises("NaN", train.fit, self.model, self.corpus, quiet { steps = 9, log = path,
    on_step = function(step) if step == 4 then self.model.poison = "loss" end end })
  lu.assertEquals(#lines_of(path), 5)
end

-- --- checkpoints -----------------------------------------------------------------------

TestCheckpoint = { setUp = TestFit.setUp }

local function options_for(name, path, steps)
  return quiet { steps = steps, batch = 3, window = 7, optimizer = name, checkpoint = path,
    log = path and path .. ".csv", validation = { every = 25 }, clip_norm = 0.3,
    schedule = function(step) return 0.1 / (1 + step / 50) end }
end

local function rows_without_seconds(path)
  local rows = lines_of(path)
  for i, row in ipairs(rows) do rows[i] = row:gsub(",[^,]*$", "") end
  return rows
end

function TestCheckpoint:test_resuming_equals_a_straight_run_bit_for_bit()
  for _, name in ipairs { "sgd", "adagrad", "rmsprop", "adam", "adamw" } do
    local directory = support.tmpdir()
    local straight, interrupted = bigram.new(4), bigram.new(4)
    local a = train.fit(straight, self.corpus, options_for(name, directory .. "/a", 200))
    train.fit(interrupted, self.corpus, options_for(name, directory .. "/b", 100))
    local continued = bigram.new(4)
    local opts = options_for(name, directory .. "/b", 200)
    opts.resume = true
    local b = train.fit(continued, self.corpus, opts)
    lu.assertEquals(bytes(continued.W), bytes(straight.W), name)
    lu.assertEquals(bytes(b.loss), bytes(a.loss), name)
    lu.assertEquals(bytes(b.gradient_norm), bytes(a.gradient_norm), name)
    lu.assertEquals(b.validation, a.validation, name)
    lu.assertEquals(b.clipped, a.clipped, name)
    lu.assertEquals(continued.seen[100], straight.seen[200], name)
    lu.assertEquals(rows_without_seconds(directory .. "/b.csv"),
      rows_without_seconds(directory .. "/a.csv"))
  end
end

function TestCheckpoint:test_the_generator_continues()
  local path = support.tmpdir() .. "/c"
  local drawn = {}
  local function opts(steps, resume)
    return quiet { steps = steps, seed = 3, checkpoint = path, resume = resume,
      on_step = function(step) drawn[step] = tensor.default_generator():uniform() end }
  end
  train.fit(bigram.new(4), self.corpus, opts(4))
  local first = { table.unpack(drawn) }
  tensor.manual_seed(99)
  train.fit(bigram.new(4), self.corpus, opts(8, true))
  local g = tensor.generator(3)
  for k = 1, 8 do lu.assertEquals(drawn[k], g:uniform(), k) end
  lu.assertEquals(#first, 4)
end

function TestCheckpoint:test_rows_after_the_checkpoint_are_dropped_on_resume()
  local path = support.tmpdir() .. "/d"
  support.raises("killed", train.fit, self.model, self.corpus, quiet { steps = 50,
    checkpoint = path, checkpoint_every = 10, log = path .. ".csv",
    on_step = function(step) if step == 17 then error "killed" end end })
  lu.assertEquals(#lines_of(path .. ".csv"), 18)
  train.fit(self.model, self.corpus,
    quiet { steps = 20, checkpoint = path, resume = true, log = path .. ".csv" })
  local lines = lines_of(path .. ".csv")
  lu.assertEquals(#lines, 21)
  for k = 1, 20 do lu.assertStrMatches(lines[k + 1], k .. ",.*") end
end

function TestCheckpoint:test_resume_without_a_file_starts_and_after_the_end_does_nothing()
  local path = support.tmpdir() .. "/e"
  local opts = quiet { steps = 5, checkpoint = path, resume = true }
  lu.assertEquals(train.fit(self.model, self.corpus, opts).steps, 5)
  local before = bytes(self.model.W)
  local history = train.fit(self.model, self.corpus, opts)
  lu.assertEquals(history.steps, 5)
  lu.assertEquals(history.loss:numel(), 5)
  lu.assertEquals(bytes(self.model.W), before)
end

function TestCheckpoint:test_what_does_not_fit_is_refused_and_nothing_changes()
  local path = support.tmpdir() .. "/f"
  train.fit(self.model, self.corpus, quiet { steps = 2, window = 5, checkpoint = path })
  local function fails(part, model, opts)
    opts.checkpoint, opts.resume, opts.steps = path, true, 5
    local before = bytes(model.W)
    support.raises(part, train.fit, model, self.corpus, quiet(opts))
    lu.assertEquals(bytes(model.W), before)
  end
  fails("'W' is float64 (4,4) in the file, float64 (5,5) in the model", bigram.new(5),
    { window = 5 })
  fails("does not fit the optimiser", bigram.new(4), { window = 5, optimizer = "sgd" })
  fails("was made with window = 5, now it is 6", bigram.new(4), { window = 6 })
  support.write_file(path, "nonsense")
  fails("is not a readable safetensors file", bigram.new(4), { window = 5 })
end

function TestCheckpoint:test_a_file_that_lacks_something_is_refused_by_its_name()
  local path = support.tmpdir() .. "/g"
  train.fit(self.model, self.corpus, quiet { steps = 2, checkpoint = path })
  local whole, tried = support.read_file(path), 0
  for name in whole:sub(1, 2000):gmatch '\\"(%l[%l_]*)\\":' do
    support.write_file(path, (whole:gsub('\\"' .. name .. '\\":', '\\"' .. name:upper() .. '\\":')))
    local ok, message = pcall(train.fit, self.model, self.corpus,
      quiet { steps = 4, checkpoint = path, resume = true })
    lu.assertTrue(ok or message:find(path, 1, true) ~= nil, name .. ": " .. tostring(message))
    tried = tried + 1
  end
  lu.assertTrue(tried > 10, tried)
end

function TestCheckpoint:test_as_a_model_it_is_refused_with_the_way_to_go()
  local path = support.tmpdir() .. "/h"
  train.fit(self.model, self.corpus, quiet { steps = 2, checkpoint = path })
  local model, message = require("unroll.rnn").load(path)
  lu.assertNil(model)
  lu.assertStrContains(message, "it is a checkpoint, from which train.fit goes on")
end

function TestCheckpoint:test_a_file_that_cannot_be_written_is_an_error()
  support.raises("/dev/null/x", train.fit, self.model, self.corpus,
    quiet { steps = 2, checkpoint = "/dev/null/x/y" })
end
