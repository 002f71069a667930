-- copy_memory.lua -- how long a delay can a network bridge to repeat what it saw?
--
--   unroll scripts/experiments/copy_memory.lua [--help]
--
-- The copy problem (lua/unroll/tasks/copy.lua): some symbols, a delay, a signal, and the same
-- symbols are asked for. The loss counts at the answers alone; a network without a memory has the
-- logarithm of the number of kinds. Cells and starts of W_hh are lists that go together.
local unroll = require "unroll"
local experiment, rnn, tasks, train = unroll.experiment, unroll.rnn, unroll.tasks, unroll.train
local summary = experiment.summary

local function cases(config)
  local list = {}
  for k, cell in ipairs(config.cells) do
    local base = { cell = cell, init = config.inits[k], hidden = config.hidden, lr = config.lr,
      symbols = config.symbols, kinds = config.kinds, steps = config.steps,
      batch = config.batch, clip = config.clip }
    local some = experiment.grid(base, "delay", config.delays, "seed", config.seeds)
    table.move(some, 1, #some, #list + 1, list)
  end
  return list
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
  local model = rnn.model { cell = case.cell, input = task.input, output = task.output,
    head = task.head, hidden = case.hidden, seed = case.seed, init = { W_hh = case.init } }
  local history = train.fit(model, task, { steps = case.steps, batch = case.batch, lr = case.lr,
    clip_norm = case.clip, progress = false })
  local result = { seed = case.seed, chance = task.chance, accuracy = accuracy(model, task),
    test = train.evaluate(model, task, { split = "test", batch = 100 }),
    loss = summary.bins(history.loss:totable(), 150) }
  report(("%s, %s, delay %d, seed %d: %.1f %% right"):format(case.cell, case.init, case.delay,
    case.seed, 100 * result.accuracy))
  return result
end

local function collect(config, list, outcomes)
  local results, known = { chance = outcomes[1].chance, delays = config.delays, entries = {} }, {}
  for i, case in ipairs(list) do
    local name = case.cell .. " " .. case.init
    if not known[name] then
      known[name] = { name = name, delays = {} }
      table.insert(results.entries, known[name])
    end
    local delays = known[name].delays
    if not delays[#delays] or delays[#delays].delay ~= case.delay then
      delays[#delays + 1] = { delay = case.delay, runs = {} }
    end
    table.insert(delays[#delays].runs, outcomes[i])
  end
  return results
end

-- --- reading the results -----------------------------------------------------------------

local function column(group, key)
  local out = {}
  for i, r in ipairs(group.runs) do out[i] = r[key] end
  return out
end

local function tables(results)
  local rows = {}
  for _, entry in ipairs(results.entries) do
    for _, group in ipairs(entry.delays) do
      rows[#rows + 1] = { entry.name, group.delay, summary.spread(column(group, "test"), "%.4f"),
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
    parts[i] = entry.name .. (longest and (" up to a delay of %d"):format(longest)
      or " at none of these delays")
  end
  return "Nine symbols of ten are repeated rightly by " .. table.concat(parts, ", ") .. "."
end

-- --- figure ------------------------------------------------------------------------------

local function draw_accuracy(ax, results)
  for c, entry in ipairs(results.entries) do
    local mean, low, high = {}, {}, {}
    for i, group in ipairs(entry.delays) do
      local d = experiment.statistics.describe(column(group, "accuracy"))
      mean[i], low[i], high[i] = d.mean, d.mean - d.low, d.high - d.mean
    end
    ax:errorbar(results.delays, mean, { yerr = { low = low, high = high }, line = true, color = c,
                                        label = entry.name })
  end
  ax:hline(math.exp(-results.chance), { label = "chance" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Symbols repeated rightly", xlabel = "delay, steps", ylabel = "share",
           yformat = "percent", ylim = { 0, 1 } }
end

-- The longest delay.
local function draw_losses(ax, results)
  local delay
  for c, entry in ipairs(results.entries) do
    local group, curves = entry.delays[#entry.delays], {}
    delay = group.delay
    for i, r in ipairs(group.runs) do curves[i] = summary.smooth(r.loss.mean, 0.2) end
    local mean, low, high = summary.across(curves)
    local steps = group.runs[1].loss.step
    if #curves > 1 then ax:band(steps, low, high, { color = c }) end
    ax:line(steps, mean, { label = entry.name, color = c, marker = "none" })
  end
  ax:hline(results.chance, { label = "without a memory" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = ("Training, delay %d"):format(delay), xlabel = "training step",
           ylabel = "nats a symbol", ylim = { 0, 2.5 } }
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

return experiment.define {
  name = "copy_memory",
  title = "The copy problem",
  question = "How long a delay can a simple network bridge to repeat what it saw?",
  options = {
    { "cells", { "tanh", "tanh", "relu" }, "recurrent cells" },
    { "inits", { "glorot", "orthogonal", "identity" }, "start of W_hh, one for each cell" },
    { "delays", { 5, 10, 20, 40 }, "steps between the last symbol and the signal" },
    { "symbols", 5, "symbols to repeat" },
    { "kinds", 8, "different symbols" },
    { "hidden", 50, "hidden size" },
    { "lr", 0.001, "learning rate, Adam" },
    { "steps", 1000, "updates" },
    { "batch", 32, "sequences of an update" },
    { "clip", 1.0, "largest gradient norm" },
    { "seeds", { 1, 2, 3 }, "one network each" },
  },
  quick = { seeds = { 1 }, delays = { 5, 20 }, steps = 400 },
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
