-- test_experiment_parts.lua -- what experiments are made of: lists of cases, groups of results,
-- panels of several seeds, demands on settings, tables that fit a page.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"

local experiment = unroll.experiment
local texttable = require "unroll.experiment.texttable"

TestExperimentParts = {}

function TestExperimentParts.test_zip_goes_side_by_side()
  local cases = experiment.zip({ batch = 2 }, "hidden", { 25, 50 }, "lr", { 0.1 })
  lu.assertEquals(cases, { { batch = 2, hidden = 25, lr = 0.1 },
                           { batch = 2, hidden = 50, lr = 0.1 } })
  lu.assertEquals(#experiment.grid(cases, "seed", { 1, 2, 3 }), 6)
  lu.assertEquals(experiment.grid(cases, "seed", { 7 })[2],
    { batch = 2, hidden = 50, lr = 0.1, seed = 7 })
  lu.assertEquals(experiment.zip({ a = 1 }), { { a = 1 } })
end

function TestExperimentParts.test_zip_wants_lists_of_one_length()
  support.raises("3 values of lr, 2 of hidden: one for each, or one for all", experiment.zip, {},
    "hidden", { 1, 2 }, "lr", { 1, 2, 3 })
  support.raises("a name and a list expected, got string and number", experiment.zip, {}, "a", 1)
  support.raises("got string and an empty list", experiment.zip, {}, "a", {})
end

function TestExperimentParts.test_groups_keep_the_order_of_cases()
  local cases = experiment.grid({}, "cell", { "b", "a" }, "seed", { 1, 2 })
  local groups = experiment.group(cases, { 10, 20, 30, 40 }, "cell")
  lu.assertEquals(groups, { { cell = "b", runs = { 10, 20 } }, { cell = "a", runs = { 30, 40 } } })
  local entry = { runs = { { loss = 1, at = { x = 5 } }, { at = { x = 6 } } } }
  lu.assertEquals(experiment.column(entry, "loss"), { 1 })
  lu.assertEquals(experiment.column(entry, "at", "x"), { 5, 6 })
  lu.assertEquals(experiment.over(entry.runs, function(run, i) return run.loss and i end), { 1 })
end

-- What was asked of an axes: a list of { name, arguments ... }.
local function recorder()
  local calls = {}
  return setmetatable({}, { __index = function(_, name)
    return function(_, ...) calls[#calls + 1] = { name, ... } end
  end }), calls
end

function TestExperimentParts.test_curves_are_mean_and_band()
  local ax, calls = recorder()
  experiment.panels.curves(ax, { 1, 2 }, { { 0, 1 }, { 2, 3 } }, { label = "a", color = 3,
    transform = function(v) return 10 ^ v end })
  lu.assertEquals(calls[1], { "band", { 1, 2 }, { 1, 10 }, { 100, 1000 }, { color = 3 } })
  lu.assertEquals(calls[2][3], { 10, 100 }) -- the mean, transformed
  lu.assertEquals(calls[2][4].label, "a")
  experiment.panels.curves(ax, { 1, 2 }, { { 0, 1 } }, { smooth = 1 })
  lu.assertEquals(calls[3][1], "line") -- a single seed has no band
  lu.assertEquals(calls[3][3], { 0, 1 })
end

function TestExperimentParts.test_points_have_their_range()
  local ax, calls = recorder()
  experiment.panels.points(ax, { 5 }, { { 1, 2, 9 } }, { middle = "median", label = "m" })
  lu.assertEquals(calls, { { "errorbar", { 5 }, { 2 },
    { label = "m", yerr = { low = { 1 }, high = { 7 } } } } })
end

function TestExperimentParts.test_series_stand_beside_each_other()
  local ax, calls = recorder()
  experiment.panels.beside(ax, { "one", "two" }, { { lists = { { 1 }, { 100 } }, label = "a" },
    { lists = { { 10 }, { 10 } }, label = "b" } }, { middle = "mean", log = true })
  support.near(calls[1][2], { 0.9, 1.9 }, 1e-12)
  support.near(calls[2][2], { 1.1, 2.1 }, 1e-12)
  lu.assertEquals(calls[3][2].xticks, { { 1, "one" }, { 2, "two" } })
  lu.assertTrue(calls[4][2].ylim[1] < 1 and calls[4][2].ylim[2] > 100)
end

function TestExperimentParts.test_demands()
  local demand = experiment.demand
  demand.positive { hidden = 1, lr = 0.1, seeds = { -1, 0 }, name = "x", lengths = { 1, 2 } }
  demand.positive({ delays = { 0 } }, "delays")
  support.raises("option 'hidden': 0 is not above 0", demand.positive, { hidden = 0 })
  support.raises("option 'lengths': -2 is not above 0", demand.positive, { lengths = { 1, -2 } })
  support.raises("option 'lr': inf is not above 0", demand.positive, { lr = math.huge })
  demand.initialisers({ init = { "glorot", "mine" } }, "init", { mine = true })
  support.raises("option 'init': init is 'orthogona'", demand.initialisers,
    { init = "orthogona" }, "init")
  demand.text("window", 100, { "numbers" })
  support.raises("the text 'numbers' has", demand.text, "window", 10 ^ 7, { "numbers" })
end

function TestExperimentParts.test_an_experiment_says_what_is_wrong_with_its_settings()
  local e = experiment.define { name = "e", title = "e", question = "e",
    options = { { "a", { 1, 2 }, "" }, { "b", { 1 }, "" } }, check = experiment.demand.positive,
    cases = function(config) return experiment.zip({}, "a", config.a, "b", config.b) end,
    run_case = function(case) return { case.a } end }
  support.raises("experiment e: option 'a': 0 is not above 0", e.config, e, { a = { 0 } })
  support.raises("experiment e: 3 values of b, 2 of a", e.tasks, e, e:config { b = { 1, 2, 3 } })
  lu.assertEquals(#e:tasks(e:config()), 2)
end

local wide = { title = "A title of several words", head = { "name", "a head of words", "words" },
  rows = { { "x", "1.5", "many words that make the last column too wide for a page" },
           { "y", "22.5", "–" } }, note = "A note that is longer than a line of the page is." }

local function widest(text)
  local most = 0
  for line in text:gmatch "[^\n]+" do most = math.max(most, utf8.len(line)) end
  return most
end

function TestExperimentParts.test_tables_fit_a_page()
  lu.assertTrue(widest(experiment.format_table(wide)) > 70)
  for _, most in ipairs { 60, 50, 40 } do
    local text = texttable.format(wide, most)
    lu.assertTrue(widest(text) <= most, text)
    for word in ("22.5 page head note"):gmatch "%S+" do lu.assertStrContains(text, word) end
  end
end

function TestExperimentParts.test_columns_that_do_not_fit_go_below()
  local t = { title = "t", head = { "k", "aaaaaaaa", "bbbbbbbb", "cccccccc" },
              rows = { { "r", "11111111", "22222222", "33333333" } } }
  lu.assertEquals(texttable.format(t, 26), table.concat({ "t",
    " k   aaaaaaaa   bbbbbbbb", " " .. ("─"):rep(23), " r   11111111   22222222", "",
    " k   cccccccc", " " .. ("─"):rep(12), " r   33333333" }, "\n"))
end

function TestExperimentParts.test_wrapped_words()
  lu.assertEquals(texttable.wrap("a bb ccc dddd", 4), { "a bb", "ccc", "dddd" })
  lu.assertEquals(texttable.wrap("aaaaaaa b", 3), { "aaaaaaa", "b" })
  lu.assertEquals(texttable.wrap("ä ö ü", 5, 1), { "ä ö ü" })
  lu.assertEquals(texttable.wrap("", 5), { "" })
end

function TestExperimentParts.test_ontask_trains_the_shape_of_the_task()
  local task = unroll.tasks.adding { length = 4, seed = 1 }
  local case = { cell = "tanh", hidden = 3, seed = 2, init = "orthogonal", steps = 5, batch = 2,
                 lr = 0.01, clip = 1 }
  local model, history = experiment.ontask.train(task, case, function(step) return step == 4 end)
  lu.assertEquals(history.steps, 4)
  lu.assertEquals(model.layers[1].W_xh:size(2), 2)
  local start = experiment.ontask.model(task, case)
  lu.assertTrue(unroll.tensor.allclose(start.W_hh:t():matmul(start.W_hh), unroll.tensor.eye(3),
    { atol = 1e-5 }))
end
