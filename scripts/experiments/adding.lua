-- adding.lua -- the adding problem: can a network carry two numbers over many steps?
--
--   unroll scripts/experiments/adding.lua [--help]
--
-- Hochreiter and Schmidhuber 1997, as in Le, Jaitly, Hinton 2015 (lua/unroll/tasks/adding.lua).
-- A model that always answers 1 has a mean squared error of 1/6; "solved" is below the
-- threshold. Cells, starts of W_hh and learning rates go together; one value stands for all.
local unroll = require "unroll"
local experiment, tasks, train = unroll.experiment, unroll.tasks, unroll.train
local summary, panels, column = experiment.summary, experiment.panels, experiment.column

local function cases(config)
  local base = experiment.without(config, "cell", "init", "lr", "seeds", "threshold")
  return experiment.grid(experiment.zip(base, "cell", config.cell, "init", config.init,
    "lr", config.lr), "seed", config.seeds)
end

-- The error of always answering 1, on the test sequences.
local function constant_error(task)
  local sum, count = 0, 0
  for _, y in task:batches { split = "test", batch = 200 } do
    local off = y:select(1, task.length) - 1
    sum, count = sum + (off * off):mean(), count + 1
  end
  return sum / count
end

local function run_case(case, report)
  local task = tasks.adding { length = case.length, seed = case.seed }
  local model, history = experiment.ontask.train(task, case)
  local loss = history.loss:totable()
  local average = summary.smooth(loss, 0.02)
  local result = { seed = case.seed, loss = summary.bins(loss, 150), average = average[#average],
    test = train.evaluate(model, task, { split = "test", batch = 200 }),
    constant = constant_error(task) }
  report(("%s, %s, seed %d: squared error %.4f"):format(case.cell, case.init, case.seed,
    result.test))
  return result
end

local function collect(config, list, outcomes)
  return { chance = 1 / 6, threshold = config.threshold,
           entries = experiment.group(list, outcomes, "cell", "init", "lr") }
end

-- --- reading the results -----------------------------------------------------------------

local function name_of(entry) return entry.cell .. " " .. entry.init end

local function count_solved(results, entry)
  local count = 0
  for _, test in ipairs(column(entry, "test")) do
    if test < results.threshold then count = count + 1 end
  end
  return count
end

local function tables(results)
  local rows = {}
  for i, entry in ipairs(results.entries) do
    local values = column(entry, "test")
    rows[i] = { name_of(entry), ("%g"):format(entry.lr), summary.spread(values, "%.4f"),
      ("%.4f to %.4f"):format(math.min(table.unpack(values)), math.max(table.unpack(values))),
      ("%d of %d"):format(count_solved(results, entry), #values) }
  end
  return { {
    title = "Adding problem: squared error on test sequences (mean ± sd over seeds)",
    head = { "cell, W_hh", "lr", "error", "range", "solved" }, rows = rows,
    note = ("To answer 1 always: %.4f (measured: %s). Solved: below %g."):format(results.chance,
      summary.spread(column(results.entries[1], "constant"), "%.4f"), results.threshold),
  } }
end

local function answer(results)
  local parts = {}
  for i, entry in ipairs(results.entries) do
    parts[i] = ("%s ends at %.4f and solves it on %d of %d seeds"):format(name_of(entry),
      (summary.mean_sd(column(entry, "test"))), count_solved(results, entry), #entry.runs)
  end
  return ("Chance is %.4f: %s."):format(results.chance, table.concat(parts, "; "))
end

-- --- figure ------------------------------------------------------------------------------

local function draw_losses(ax, results)
  for c, entry in ipairs(results.entries) do
    local curves = {}
    for i, r in ipairs(entry.runs) do curves[i] = r.loss.mean end
    panels.curves(ax, entry.runs[1].loss.step, curves,
                  { label = name_of(entry), color = c, smooth = 0.2 })
  end
  ax:hline(results.chance, { label = "chance, 1/6" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Training", xlabel = "training step", ylabel = "squared error",
           yscale = "log" }
end

local function draw_tests(ax, results)
  local names = {}
  for i, entry in ipairs(results.entries) do
    names[i] = entry.cell .. "\n" .. entry.init
    local x, tests = {}, column(entry, "test")
    for k = 1, #tests do x[k] = i + 0.06 * (k - (#tests + 1) / 2) end
    ax:scatter(x, tests, { color = i })
  end
  ax:hline(results.chance)
  ax:hline(results.threshold, { label = "solved" })
  panels.places(ax, names)
  ax:set { title = "Test, one point a seed", ylabel = "squared error", yscale = "log" }
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

local function check(config)
  experiment.demand.positive(config)
  experiment.demand.initialisers(config, "init")
  tasks.adding { length = config.length }
end

return experiment.define {
  name = "adding",
  title = "The adding problem",
  question = "Can a simple network carry two numbers over many steps?",
  options = {
    { "cell", { "tanh", "tanh", "tanh", "relu" }, "recurrent cells, one or a list" },
    { "init", { "pytorch", "glorot", "orthogonal", "identity" }, "starts of W_hh" },
    { "lr", { 0.001 }, "learning rates" },
    { "hidden", 32, "hidden size" },
    { "length", 50, "steps of a sequence" },
    { "steps", 1500, "updates, Adam" },
    { "batch", 32, "sequences of an update" },
    { "clip", 1.0, "largest gradient norm" },
    { "threshold", 0.01, "squared error below which the problem is solved" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, steps = 500 },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
