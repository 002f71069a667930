-- copy_memory.lua -- how long a delay can a network bridge to repeat what it saw?
--
--   unroll scripts/experiments/copy_memory.lua [--help]
--
-- The copy problem (lua/unroll/tasks/copy.lua): some symbols, a delay, a signal, and the same
-- symbols are asked for. The loss counts at the answers alone; a network without a memory has the
-- logarithm of the number of kinds. Cells and starts of W_hh go together; one value stands
-- for all.
local unroll = require "unroll"
local experiment, tasks, train = unroll.experiment, unroll.tasks, unroll.train
local summary, panels, column = experiment.summary, experiment.panels, experiment.column

local function cases(config)
  local base = experiment.without(config, "cell", "init", "delays", "seeds")
  return experiment.grid(experiment.zip(base, "cell", config.cell, "init", config.init),
    "delay", config.delays, "seed", config.seeds)
end

-- The share of the symbols that are repeated rightly, over test sequences.
local function accuracy(model, task)
  local right, total = 0, 0
  for x, y, info in task:batches { split = "test", batch = 100 } do
    local guess = model:predict(x):argmax(3)
    local hit = guess:to("float64"):eq(y:to "float64"):to "float64"
    right, total = right + (hit * info.weight):sum(), total + info.weight:sum()
  end
  return right / total
end

local function run_case(case, report)
  local task = tasks.copy { symbols = case.symbols, kinds = case.kinds, delay = case.delay,
                            seed = case.seed }
  local model, history = experiment.ontask.train(task, case)
  local result = { seed = case.seed, accuracy = accuracy(model, task),
    test = train.evaluate(model, task, { split = "test", batch = 100 }),
    loss = summary.bins(history.loss:totable(), 150) }
  report(("%s, %s, delay %d, seed %d: %.1f %% right"):format(case.cell, case.init, case.delay,
    case.seed, 100 * result.accuracy))
  return result
end

-- For each network its delays, for each delay its runs.
local function collect(config, list, outcomes)
  local entries, count = {}, #config.delays
  for i, group in ipairs(experiment.group(list, outcomes, "cell", "init", "delay")) do
    local n = (i - 1) // count + 1
    entries[n] = entries[n] or { cell = group.cell, init = group.init, delays = {} }
    table.insert(entries[n].delays, { delay = group.delay, runs = group.runs })
  end
  return { chance = math.log(config.kinds), delays = config.delays, entries = entries }
end

-- --- reading the results -----------------------------------------------------------------

local function name_of(entry) return entry.cell .. " " .. entry.init end

local function tables(results)
  local rows = {}
  for _, entry in ipairs(results.entries) do
    for _, group in ipairs(entry.delays) do
      rows[#rows + 1] = { name_of(entry), group.delay,
        summary.spread(column(group, "test"), "%.4f"),
        summary.spread(column(group, "accuracy"), "%.3f") }
    end
  end
  return { {
    title = "Copy problem, test sequences (mean ± sd over seeds)",
    head = { "cell, W_hh", "delay", "loss, nats a symbol", "share right" }, rows = rows,
    note = ("Without a memory: %.4f nats."):format(results.chance),
  } }
end

local function answer(results)
  local parts = {}
  for i, entry in ipairs(results.entries) do
    local longest
    for _, group in ipairs(entry.delays) do
      if summary.mean_sd(column(group, "accuracy")) >= 0.9 then longest = group.delay end
    end
    parts[i] = name_of(entry) .. (longest and (" up to a delay of %d"):format(longest)
      or " at none of these delays")
  end
  return "Nine symbols of ten are repeated rightly by " .. table.concat(parts, ", ") .. "."
end

-- --- figure ------------------------------------------------------------------------------

local function draw_accuracy(ax, results)
  for c, entry in ipairs(results.entries) do
    local lists = {}
    for i, group in ipairs(entry.delays) do lists[i] = column(group, "accuracy") end
    panels.points(ax, results.delays, lists, { middle = "mean", line = true, color = c,
                                               label = name_of(entry) })
  end
  ax:hline(math.exp(-results.chance), { label = "chance" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Symbols repeated rightly", xlabel = "delay, steps", ylabel = "share",
           yformat = "percent", ylim = { 0, 1.03 }, yticks = { 0, 0.25, 0.5, 0.75, 1 } }
end

-- The longest delay.
local function draw_losses(ax, results)
  for c, entry in ipairs(results.entries) do
    local group, curves = entry.delays[#entry.delays], {}
    for i, r in ipairs(group.runs) do curves[i] = r.loss.mean end
    panels.curves(ax, group.runs[1].loss.step, curves,
                  { label = name_of(entry), color = c, smooth = 0.2 })
  end
  ax:hline(results.chance, { label = "without a memory" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = ("Training, delay %d"):format(results.delays[#results.delays]),
           xlabel = "training step", ylabel = "nats a symbol" }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    cols = 2, height = 4.2, letters = true, title = "The copy problem",
    caption = ("%d symbols of %d kinds, hidden %d, Adam %g, batch %d, norm clip %g · %d seeds: "
      .. "mean and range"):format(config.symbols, config.kinds, config.hidden, config.lr,
      config.batch, config.clip, #config.seeds) }
  draw_accuracy(fig:at(1, 1), results)
  draw_losses(fig:at(1, 2), results)
  return fig
end

local function check(config)
  experiment.demand.positive(config, "delays")
  experiment.demand.initialisers(config, "init")
  for _, delay in ipairs(config.delays) do
    tasks.copy { symbols = config.symbols, kinds = config.kinds, delay = delay }
  end
end

return experiment.define {
  name = "copy_memory",
  title = "The copy problem",
  question = "How long a delay can a simple network bridge to repeat what it saw?",
  options = {
    { "cell", { "tanh", "tanh", "relu" }, "recurrent cells, one or a list" },
    { "init", { "glorot", "orthogonal", "identity" }, "starts of W_hh" },
    { "delays", { 5, 10, 20, 40 }, "steps between the last symbol and the signal" },
    { "symbols", 5, "symbols to repeat" },
    { "kinds", 8, "different symbols" },
    { "hidden", 50, "hidden size" },
    { "lr", 0.001, "learning rate, Adam" },
    { "steps", 800, "updates" },
    { "batch", 32, "sequences of an update" },
    { "clip", 1.0, "largest gradient norm" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, delays = { 5, 20 }, steps = 400 },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
