-- adding.lua -- the adding problem: can a network carry two numbers over many steps?
--
--   unroll scripts/experiments/adding.lua [--help]
--
-- Hochreiter and Schmidhuber 1997, as in Le, Jaitly, Hinton 2015 (lua/unroll/tasks/adding.lua).
-- A model that always answers 1 has a mean squared error of 1/6; "solved" is below the
-- threshold. Cells, starts of W_hh and learning rates are lists that go together.
local unroll = require "unroll"
local experiment, rnn, tasks, train = unroll.experiment, unroll.rnn, unroll.tasks, unroll.train
local summary = experiment.summary

local function cases(config)
  local list = {}
  for k, cell in ipairs(config.cells) do
    local base = { cell = cell, init = config.inits[k], lr = config.lrs[k],
      hidden = config.hidden, length = config.length, steps = config.steps,
      batch = config.batch, clip = config.clip }
    local some = experiment.grid(base, "seed", config.seeds)
    table.move(some, 1, #some, #list + 1, list)
  end
  return list
end

local function run_case(case, report)
  local task = tasks.adding { length = case.length, seed = case.seed }
  local model = rnn.model { cell = case.cell, input = task.input, output = task.output,
    head = task.head, hidden = case.hidden, seed = case.seed, init = { W_hh = case.init } }
  local history = train.fit(model, task, { steps = case.steps, batch = case.batch, lr = case.lr,
    clip_norm = case.clip, progress = false })
  local result = { seed = case.seed, loss = summary.bins(history.loss:totable(), 150),
    test = train.evaluate(model, task, { split = "test", batch = 200 }), chance = task.chance }
  report(("%s, %s, seed %d: squared error %.4f"):format(case.cell, case.init, case.seed,
    result.test))
  return result
end

local function collect(config, list, outcomes)
  local results, known = { chance = outcomes[1].chance, entries = {} }, {}
  for i, case in ipairs(list) do
    local key = case.cell .. " " .. case.init
    if not known[key] then
      known[key] = { name = key, lr = case.lr, runs = {} }
      table.insert(results.entries, known[key])
    end
    table.insert(known[key].runs, outcomes[i])
  end
  results.threshold = config.threshold
  return results
end

-- --- reading the results -----------------------------------------------------------------

local function tests(entry)
  local out = {}
  for i, r in ipairs(entry.runs) do out[i] = r.test end
  return out
end

local function count_solved(results, entry)
  local count = 0
  for _, test in ipairs(tests(entry)) do
    if test < results.threshold then count = count + 1 end
  end
  return count
end

local function tables(results)
  local rows = {}
  for i, entry in ipairs(results.entries) do
    local values = tests(entry)
    rows[i] = { entry.name, ("%g"):format(entry.lr), summary.spread(values, "%.4f"),
      ("%.4f to %.4f"):format(math.min(table.unpack(values)), math.max(table.unpack(values))),
      ("%d of %d"):format(count_solved(results, entry), #values) }
  end
  return { {
    title = "Adding problem: squared error on test sequences (mean ± sd over seeds)",
    head = { "cell, W_hh", "lr", "error", "range", "solved" }, rows = rows,
    note = ("To answer 1 always: %.4f. Solved: below %g."):format(results.chance,
      results.threshold),
  } }
end

local function answer(results)
  local parts = {}
  for i, entry in ipairs(results.entries) do
    parts[i] = ("%s ends at %.4f (lowest seed %.4f) and solves it on %d of %d seeds"):format(
      entry.name, (summary.mean_sd(tests(entry))), math.min(table.unpack(tests(entry))),
      count_solved(results, entry), #entry.runs)
  end
  return ("Chance is %.4f: %s."):format(results.chance, table.concat(parts, "; "))
end

-- --- figure ------------------------------------------------------------------------------

local function draw_losses(ax, results)
  for c, entry in ipairs(results.entries) do
    local curves = {}
    for i, r in ipairs(entry.runs) do curves[i] = summary.smooth(r.loss.mean, 0.2) end
    local mean, low, high = summary.across(curves)
    local steps = entry.runs[1].loss.step
    if #curves > 1 then ax:band(steps, low, high, { color = c }) end
    ax:line(steps, mean, { label = entry.name, color = c, marker = "none" })
  end
  ax:hline(results.chance, { label = "chance, 1/6" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Training", xlabel = "training step", ylabel = "squared error",
           ylim = { 0, 0.3 } }
end

local function draw_tests(ax, results)
  local ticks = {}
  for i, entry in ipairs(results.entries) do
    ticks[i] = { i, (entry.name:gsub(" ", "\n")) }
    local x = {}
    for k = 1, #entry.runs do x[k] = i + 0.06 * (k - (#entry.runs + 1) / 2) end
    ax:scatter(x, tests(entry), { color = i })
  end
  ax:hline(results.chance)
  ax:hline(results.threshold, { label = "solved" })
  ax:set { title = "Test, one point a seed", ylabel = "squared error", yscale = "log",
           xticks = ticks, xlim = { 0.5, #ticks + 0.5 } }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    cols = 2, height = 4.2, letters = true,
    title = ("The adding problem over %d steps"):format(config.length),
    caption = ("hidden %d, batch %d, Adam, norm clip %g · %d seeds: mean and range (a)"):format(
      config.hidden, config.batch, config.clip, #config.seeds) }
  draw_losses(fig:at(1, 1), results)
  draw_tests(fig:at(1, 2), results)
  return fig
end

return experiment.define {
  name = "adding",
  title = "The adding problem",
  question = "Can a simple network carry two numbers over many steps?",
  options = {
    { "cells", { "tanh", "tanh", "tanh", "relu" }, "recurrent cells" },
    { "inits", { "pytorch", "glorot", "orthogonal", "identity" },
      "start of W_hh, one for each cell" },
    { "lrs", { 0.001, 0.001, 0.001, 0.001 }, "learning rates, one for each cell" },
    { "hidden", 32, "hidden size" },
    { "length", 50, "steps of a sequence" },
    { "steps", 1500, "updates, Adam" },
    { "batch", 32, "sequences of an update" },
    { "clip", 1.0, "largest gradient norm" },
    { "threshold", 0.01, "squared error below which the problem is solved" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, steps = 500 },
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
