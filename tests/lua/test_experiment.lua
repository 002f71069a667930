-- test_experiment.lua -- definitions, command lines, saved results, tables, summaries.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local experiment = unroll.experiment
local summary = experiment.summary

TestExperiment = {}

local function small()
  return experiment.define {
    name = "small", title = "Small", question = "Does it run?",
    options = { { "hidden", 5, "size" }, { "lr", 0.1, "rate" }, { "seeds", { 1, 2 }, "runs" },
                { "fast", false, "hurry" } },
    run = function(config, report)
      report "running"
      return { hidden = config.hidden, seeds = config.seeds }, { seconds = 1.5 }
    end,
  }
end

function TestExperiment.test_define_names_what_is_missing()
  support.raises("field 'run' or 'run_case' must be a function, got nil", experiment.define,
    { name = "x", title = "x", question = "x", options = {} })
  support.raises("define: table expected, got nil", experiment.define)
  support.raises("field 'title' must be a string, got nil; is it 'titel'?", experiment.define,
    { name = "x", titel = "x", question = "x", options = {}, run = print })
end

function TestExperiment.test_config_lays_overrides_over_defaults()
  local config = small():config { hidden = 7 }
  lu.assertEquals(config, { hidden = 7, lr = 0.1, seeds = { 1, 2 }, fast = false })
end

function TestExperiment.test_config_refuses_unknown_names_and_types()
  support.raises("experiment small: unknown option 'hiden'. Did you mean 'hidden'?",
    small().config, small(), { hiden = 7 })
  support.raises("option 'hidden' must be a number, got string", small().config, small(),
    { hidden = "7" })
end

function TestExperiment.test_record_keeps_times_apart()
  local said = {}
  local record, times = small():record({ hidden = 9 }, function(t) said[#said + 1] = t end)
  lu.assertEquals(record.results, { hidden = 9, seeds = { 1, 2 } })
  lu.assertNil(record.times)
  lu.assertEquals(times.times, { seconds = 1.5 })
  lu.assertEquals(record.config.hidden, 9)
  lu.assertEquals(said, { "running" })
end

function TestExperiment.test_store_round_trip_and_missing_file()
  local dir = support.tmpdir()
  local record = small():record()
  lu.assertTrue(experiment.store.write(dir .. "/a/b", "small", record))
  lu.assertEquals(experiment.store.read(dir .. "/a/b", "small"), record)
  local value, message = experiment.store.read(dir, "absent")
  lu.assertNil(value)
  lu.assertStrContains(message, "absent.json")
end

-- A script as a user writes it, run by the program.
local script = [[
local unroll = require "unroll"
return unroll.experiment.define {
  name = "tiny", title = "Tiny title", question = "Tiny question?",
  options = { {"hidden", 5, "hidden size"}, {"seeds", {1, 2}, "one run each"},
    {"cell", "tanh", "cell"}, {"rate", 0.5, "rate"}, {"fast", false, "hurry"} },
  quick = { hidden = 2 },
  run = function(config)
    return { hidden = config.hidden, n = #config.seeds, cell = config.cell, rate = config.rate,
             fast = config.fast }
  end,
  tables = function(r) return { { title = "T", head = {"hidden"}, rows = {{ r.hidden }} } } end,
  answer = function(r) return "the answer is " .. r.hidden end,
}:main(arg)
]]

local function run_script(arguments, dir)
  dir = dir or support.tmpdir()
  support.write_file(dir .. "/tiny.lua", script)
  local output, code = support.run(("'%s' %s/tiny.lua %s --out %s/out 2>&1")
    :format(support.program, dir, arguments, dir))
  return output, code, dir .. "/out"
end

function TestExperiment.test_script_runs_saves_and_answers()
  local output, code, out = run_script "--hidden 8 --seeds 4,5,6 --cell relu --fast --rate 1e-3"
  lu.assertEquals(code, 0, output)
  lu.assertStrContains(output, "the answer is 8")
  lu.assertEquals(experiment.store.read(out, "tiny").results,
    { hidden = 8, n = 3, cell = "relu", rate = 1e-3, fast = true })
end

function TestExperiment.test_quick_and_redraw()
  local output, _, out = run_script "--quick"
  lu.assertStrContains(output, "the answer is 2")
  lu.assertEquals(experiment.store.read(out, "tiny").config.hidden, 2)
  local again, code = run_script "--redraw"
  lu.assertEquals(code, 1, "nothing was saved there")
  lu.assertStrContains(again, "tiny.json: No such file or directory. Run it once without --redraw")
end

-- A short run must not take the place of a whole one.
function TestExperiment.test_quick_results_go_to_a_folder_of_their_own()
  local dir = support.tmpdir()
  support.write_file(dir .. "/tiny.lua", script)
  local function run(arguments)
    local output, code = support.run(("cd '%s' && '%s' tiny.lua --no-figure %s"):format(dir,
      support.program, arguments))
    lu.assertEquals(code, 0, output)
    return output
  end
  run ""
  run "--quick"
  local whole = experiment.store.read(dir .. "/results", "tiny")
  local quick = experiment.store.read(dir .. "/results/quick", "tiny")
  lu.assertEquals({ whole.config.hidden, whole.quick }, { 5, nil })
  lu.assertEquals({ quick.config.hidden, quick.quick }, { 2, true })
  lu.assertStrContains(run "--redraw --quick", "the answer is 2")
  lu.assertStrContains(run "--redraw", "the answer is 5")
end

-- What an older form has written is told with its file and a command, not with a traceback.
function TestExperiment.test_redraw_of_results_of_another_form()
  local dir = support.tmpdir()
  local _, _, out = run_script("", dir)
  local record = experiment.store.read(out, "tiny")
  local function redraw(results, version, config)
    record.results, record.version, record.config = results, version, config
    experiment.store.write(out, "tiny", record)
    local output, code = run_script("--redraw", dir)
    lu.assertEquals(code, 1, output)
    return output
  end
  local now, config = unroll.version, record.config
  local text = redraw({}, "0.0.1", config)
  lu.assertStrContains(text, out .. "/tiny.json was written by version 0.0.1 of unroll (this is "
    .. now .. ").\n  What failed: ")
  lu.assertStrContains(text, ("To make it again: unroll %s/tiny.lua --out %s\n"):format(dir, out))
  lu.assertNotStrContains(text, "traceback")
  text = redraw({}, now, { hidden = 5, seeds = { 1 }, cell = "tanh", rate = 1.0 })
  lu.assertStrContains(text, "another form of tiny: it has no setting 'fast'")
  lu.assertNotStrContains(text, "traceback")
  lu.assertStrContains(redraw({}, now, config), "stack traceback") -- perhaps the script's mistake
  lu.assertStrContains(redraw(nil, now, config), "tiny.json is no file of results")
end

function TestExperiment.test_help_and_wrong_options()
  local output, code = run_script "--help"
  lu.assertEquals(code, 0)
  lu.assertStrContains(output, "hidden size (default 5)")
  output, code = run_script "--hidden many"
  lu.assertNotEquals(code, 0)
  lu.assertStrContains(output, "'many' is not an integer")
end

function TestExperiment.test_loading_a_definition_does_not_run_it()
  local e = load(script, "@elsewhere.lua")()
  lu.assertEquals(e.name, "tiny")
end

function TestExperiment.test_table_aligns_numbers_right_and_text_left()
  local text = experiment.format_table {
    title = "T", head = { "name", "value" }, rows = { { "é", 1.5 }, { "long", "12.25" }, { "x" } },
    note = "N" }
  lu.assertEquals(text, "T\n name   value\n ────────────\n é        1.5\n long   12.25\n"
    .. " x          –\n N")
end

function TestExperiment.test_mean_and_deviation()
  lu.assertEquals({ summary.mean_sd { 3 } }, { 3, 0 })
  local mean, sd = summary.mean_sd { 1, 2, 3, 4 }
  lu.assertEquals(mean, 2.5)
  lu.assertAlmostEquals(sd, math.sqrt(5 / 3), 1e-15)
  lu.assertEquals(summary.spread({ 1, 3 }, "%.1f"), "2.0 ± 1.4")
  lu.assertEquals(summary.spread({ 1 }, "%.1f"), "1.0")
end

function TestExperiment.test_bins_keep_every_value()
  local b = summary.bins({ 1, 2, 3, 4, 5 }, 2)
  lu.assertEquals(b, { step = { 3, 5 }, mean = { 2, 4.5 }, max = { 3, 5 } })
  lu.assertEquals(summary.bins({ 7 }, 500), { step = { 1 }, mean = { 7 }, max = { 7 } })
end

-- Against the definition, sum over i of (1-a)^(t-i) x_i divided by the sum of the weights.
function TestExperiment.test_smoothing_is_bias_corrected()
  local x, a = { 5, 1, 4, 2 }, 0.3
  local smooth = summary.smooth(x, a)
  for t = 1, #x do
    local sum, weights = 0, 0
    for i = 1, t do
      sum, weights = sum + (1 - a) ^ (t - i) * x[i], weights + (1 - a) ^ (t - i)
    end
    lu.assertAlmostEquals(smooth[t], sum / weights, 1e-12)
  end
end

function TestExperiment.test_across_seeds()
  local mean, low, high = summary.across { { 1, 5 }, { 3, 1 } }
  lu.assertEquals({ mean, low, high }, { { 2, 3 }, { 1, 1 }, { 3, 5 } })
end

-- --- the experiments that come with it -----------------------------------------------------

TestScripts = {}

-- Runs an experiment script in its short form.
local function run_quick(path, options)
  return support.run(("'%s' %s --quick"):format(support.program, options:format(path)))
end

function TestScripts.test_each_runs_and_draws()
  local count = 0
  for path in io.popen(("ls '%s'/scripts/experiments/*.lua"):format(support.root)):lines() do
    local name, out = path:match("([^/]+)%.lua$"), support.tmpdir()
    local output, code = run_quick(path, "'%s' --out " .. out)
    lu.assertEquals(code, 0, output)
    lu.assertTrue(#support.read_file(("%s/%s.json"):format(out, name)) > 0, name)
    local e = dofile(path)
    local figures = { e.figure and name, e.time_figure and name .. "-times" }
    lu.assertTrue(next(figures) ~= nil, name)
    for _, figure in pairs(figures) do
      lu.assertStrContains(support.read_file(("%s/%s.svg"):format(out, figure)), "</svg>")
      lu.assertEquals(support.read_file(("%s/%s.png"):format(out, figure)):sub(2, 4), "PNG")
    end
    count = count + 1
  end
  lu.assertTrue(count >= 3)
end

function TestScripts.test_a_corpus_that_is_not_there()
  local output, code = run_quick(support.root .. "/scripts/experiments/training.lua",
    "'%s' --corpus shakespear")
  lu.assertStrContains(output, "Did you mean 'shakespeare'?")
  lu.assertEquals(code, 1)
end

-- What is wrong with a text is told once, before anything runs.
function TestScripts.test_texts_that_do_not_serve()
  local path = support.tmpdir() .. "/own.txt"
  for text, message in pairs {
    ["caf\xe9 au lait"] = "invalid UTF-8 at byte 4 of 12",
    ["too short"] = "own.txt' has 9 characters, a window of 25 needs at least 26",
    [""] = "empty" } do
    support.write_file(path, text)
    local output, code = run_quick(support.root .. "/scripts/experiments/training.lua",
      "'%s' --corpus " .. path)
    lu.assertEquals(code, 1)
    lu.assertStrContains(output, message)
    lu.assertNil(output:find "FAILED", output)
  end
end

-- Ctrl-C in the middle of a training must not give the results of half of it; outside of an
-- experiment the history so far is what was asked for.
function TestScripts.test_an_interrupted_training_is_no_result()
  local fit = [[
    local unroll = require "unroll"
    local corpus = unroll.text.corpus "simple"
    local function fit()
      local model = unroll.rnn.lm { vocab = corpus.vocab, hidden = 4, seed = 1 }
      return unroll.train.fit(model, corpus, { steps = 50, progress = false,
        on_step = function(step)
          if step == 3 then io.popen("kill -INT $PPID"):close() end
        end })
    end
    local e = unroll.experiment.define { name = "e", title = "e", question = "e", options = {},
      run = function() return { steps = fit().steps } end }
    local ok, message = pcall(e.record, e)
    print(ok, message, fit().stop)]]
  local path = support.tmpdir() .. "/fit.lua"
  support.write_file(path, fit)
  local output, code = support.run(("'%s' '%s' 2>/dev/null"):format(support.program, path))
  lu.assertEquals(output, "false\tinterrupted!\tinterrupted\n")
  lu.assertEquals(code, 0)
end

function TestExperiment.test_without_leaves_out_what_is_spread()
  local config = { hidden = 5, fast = false, seeds = { 1 } }
  lu.assertEquals(experiment.without(config, "seeds"), { hidden = 5, fast = false })
  lu.assertEquals(config.seeds, { 1 })
  support.raises("the settings have no 'seed'", experiment.without, config, "seed")
end
