-- adding.lua -- the adding problem: which networks carry two numbers over many steps?
--
--   unroll scripts/experiments/adding.lua [--help]
--
-- Hochreiter and Schmidhuber 1997, as in Le, Jaitly, Hinton 2015 (lua/unroll/tasks/adding.lua).
-- A model that always answers 1 has a mean squared error of 1/6. Solved: the moving average of
-- the training loss is below the threshold; training goes on, so that all networks have had as
-- many updates when they are tested. Cells (with their options: "lstm forget_bias=0"), starts
-- of W_hh and learning rates go together; one value stands for all.
local unroll = require "unroll"
local experiment, tasks, train = unroll.experiment, unroll.tasks, unroll.train
local summary, panels, column = experiment.summary, experiment.panels, experiment.column

-- One of each: where one cell stands for all, some networks would be there twice.
local function distinct(networks)
  local known, out = {}, {}
  for _, n in ipairs(networks) do
    local key = ("%s\0%s\0%.17g"):format(n.cell, n.init, n.lr)
    if not known[key] then out[#out + 1] = n end
    known[key] = true
  end
  return out
end

local function cases(config)
  local base = experiment.without(config, "cell", "init", "lr", "seeds")
  return experiment.grid(distinct(experiment.zip(base, "cell", config.cell, "init", config.init,
    "lr", config.lr)), "seed", config.seeds)
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

local function first_below(values, threshold)
  for step, value in ipairs(values) do if value < threshold then return step end end
end

local function run_case(case, report)
  local task = tasks.adding { length = case.length, seed = case.seed }
  local model, history = experiment.ontask.train(task, case)
  local loss = history.loss:totable()
  local average = summary.smooth(loss, 0.02)
  local result = { seed = case.seed, loss = summary.bins(loss, 150), average = average[#average],
    solved = first_below(average, case.threshold), constant = constant_error(task),
    test = train.evaluate(model, task, { split = "test", batch = 200 }) }
  report(("%s, %s, seed %d: squared error %.4f, %s"):format(case.cell, case.init, case.seed,
    result.test, result.solved and "solved after " .. result.solved or "not solved"))
  return result
end

local function collect(config, list, outcomes)
  return { chance = 1 / 6, threshold = config.threshold,
           entries = experiment.group(list, outcomes, "cell", "init", "lr") }
end

-- --- reading the results -----------------------------------------------------------------

-- What each network is called: "lstm forget bias 1, glorot". Its learning rate is named where
-- it makes the difference.
local function names_of(results)
  local names, count = {}, {}
  for i, entry in ipairs(results.entries) do
    names[i] = ("%s, %s"):format((entry.cell:gsub("[_=]", " ")), entry.init)
    count[names[i]] = (count[names[i]] or 0) + 1
  end
  for i, entry in ipairs(results.entries) do
    if count[names[i]] > 1 then names[i] = ("%s, lr %g"):format(names[i], entry.lr) end
  end
  return names
end

local function tables(results)
  local rows, names = {}, names_of(results)
  for i, entry in ipairs(results.entries) do
    local tests, steps = column(entry, "test"), column(entry, "solved")
    rows[i] = { names[i], ("%g"):format(entry.lr), ("%d of %d"):format(#steps, #tests),
      #steps > 0 and ("%d to %d"):format(math.min(table.unpack(steps)),
        math.max(table.unpack(steps))) or nil,
      summary.spread(tests, "%.4f") }
  end
  return { {
    title = "Adding problem: squared error on test sequences (mean ± sd over seeds)",
    head = { "cell, W_hh", "lr", "solved", "updates needed", "error" }, rows = rows,
    note = ("To answer 1 always: %.4f (measured: %s). Solved: moving average of the training "
      .. "loss below %g."):format(results.chance,
      summary.spread(column(results.entries[1], "constant"), "%.4f"), results.threshold),
  } }
end

local function answer(results)
  local solved, others, names = {}, {}, names_of(results)
  for i, entry in ipairs(results.entries) do
    local steps = column(entry, "solved")
    if #steps > 0 then
      solved[#solved + 1] = ("%s (%d of %d seeds, after %.0f updates)"):format(names[i], #steps,
        #entry.runs, (summary.mean_sd(steps)))
    else
      others[#others + 1] = ("%s (%.4f)"):format(names[i],
        (summary.mean_sd(column(entry, "test"))))
    end
  end
  return ("Solved by %s. Not solved, with the squared error in the end, by %s; chance is %.4f.")
    :format(#solved > 0 and table.concat(solved, "; ") or "none",
      #others > 0 and table.concat(others, "; ") or "none", results.chance)
end

-- --- figure ------------------------------------------------------------------------------

-- Where each seed has solved it, on the line of the threshold.
local function mark_solved(ax, entry, color, threshold)
  local steps, heights = column(entry, "solved"), {}
  for i = 1, #steps do heights[i] = threshold end
  if #steps > 0 then ax:scatter(steps, heights, { color = color, size = 4 }) end
end

local function draw_losses(ax, results)
  local names = names_of(results)
  for c, entry in ipairs(results.entries) do
    local curves = {}
    for i, r in ipairs(entry.runs) do curves[i] = r.loss.mean end
    panels.curves(ax, entry.runs[1].loss.step, curves,
                  { label = names[c], color = c, smooth = 0.2 })
    mark_solved(ax, entry, c, results.threshold)
  end
  ax:hline(results.chance, { label = "chance, 1/6" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Training", xlabel = "training step", ylabel = "squared error",
           yscale = "log" }
end

-- The places have the order and the colours of the legend, which says more.
local function draw_tests(ax, results)
  local names = {}
  for i, entry in ipairs(results.entries) do
    names[i] = entry.cell:match "^%S+"
    local x, tests = {}, column(entry, "test")
    for k = 1, #tests do x[k] = i + 0.06 * (k - (#tests + 1) / 2) end
    ax:scatter(x, tests, { color = i })
  end
  ax:hline(results.chance)
  ax:hline(results.threshold, { label = "threshold" })
  panels.places(ax, names)
  ax:set { title = "Test, one point a seed", ylabel = "squared error", yscale = "log" }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    cols = 2, height = 4.2, letters = true,
    title = ("The adding problem over %d steps"):format(config.length),
    caption = ("hidden %d, batch %d, Adam, norm clip %g · %d seeds: mean and range, a point where "
      .. "it is solved (below %g) (a)"):format(config.hidden, config.batch,
      config.clip, #config.seeds, config.threshold) }
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
  question = "Which networks carry two numbers over many steps?",
  options = {
    { "cell", { "tanh", "tanh", "tanh", "relu", "gru", "lstm forget_bias=1",
                "lstm forget_bias=0" }, "recurrent cells, one or a list" },
    { "init", { "pytorch", "glorot", "orthogonal", "identity", "glorot", "glorot", "glorot" },
      "starts of W_hh" },
    { "lr", { 0.001, 0.001, 0.001, 0.001, 0.005, 0.005, 0.005 }, "learning rates" },
    { "hidden", 32, "hidden size" },
    { "length", 50, "steps of a sequence" },
    { "steps", 1500, "updates, Adam" },
    { "batch", 32, "sequences of an update" },
    { "clip", 1.0, "largest gradient norm" },
    { "threshold", 0.01, "solved when the moving average of the loss is below it" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, steps = 500 },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
