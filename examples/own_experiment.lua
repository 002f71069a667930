-- own_experiment.lua -- a question, its runs, a table, a figure, an answer: in one file.
--
--   unroll examples/own_experiment.lua               # runs what has not been run, one case a core
--   unroll examples/own_experiment.lua --help        # --hidden 30 --rates 0.01,0.1 --seeds 1,2,3
--
-- Results go to results/learning_rates.json, the figure beside it; --redraw draws it again.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train

-- Every combination; each is a plain table that says all that decides one run.
local function cases(config)
  return experiment.grid({ hidden = config.hidden, steps = config.steps }, "rate", config.rates,
    "seed", config.seeds)
end

-- One run, in a process of its own. What it returns is saved: numbers, texts, lists of them.
local function run_case(case, report)
  local corpus = text.corpus "simple"
  local model = rnn.lm { vocab = corpus.vocab, hidden = case.hidden, seed = case.seed }
  train.fit(model, corpus, { steps = case.steps, window = 25, lr = case.rate, clip_norm = 1 })
  local loss = train.evaluate(model, corpus, { split = "validation" })
  report(("rate %g, seed %d: %.3f nats"):format(case.rate, case.seed, loss))
  return { loss = loss }
end

-- Tables, answer and figure are made from the saved results: { case =, result = }, ...
local function by_rate(results) return experiment.table(results, { by = "rate" }) end

local function tables(results)
  local rows = {}
  for i, row in ipairs(by_rate(results)) do
    rows[i] = { row.rate, ("%.3f ± %.3f"):format(row.loss.mean, row.loss.deviation), row.count }
  end
  return { { title = "Loss on text that was held out", rows = rows,
             head = { "learning rate", "nats per character", "seeds" } } }
end

local function answer(results)
  local rows = by_rate(results)
  table.sort(rows, function(a, b) return a.loss.mean < b.loss.mean end)
  return ("Of these rates %g is best, with %.3f nats."):format(rows[1].rate, rows[1].loss.mean)
end

local function figure(results)
  local rates, means, deviations = {}, {}, {}
  for i, row in ipairs(by_rate(results)) do
    rates[i], means[i], deviations[i] = row.rate, row.loss.mean, row.loss.deviation
  end
  local fig = unroll.plot.figure { title = "Loss and learning rate" }
  fig:at(1, 1):errorbar(rates, means, { yerr = deviations, line = true })
    :set { xscale = "log", xlabel = "learning rate", ylabel = "nats per character" }
  return fig
end

return experiment.define {
  name = "learning_rates",
  title = "Learning rates",
  question = "Which learning rate learns most in few steps?",
  options = {
    { "hidden", 20, "units" },
    { "steps", 200, "updates" },
    { "rates", { 0.001, 0.003, 0.01, 0.03, 0.1 }, "learning rates" },
    { "seeds", { 1, 2, 3 }, "one network each" },
  },
  cases = cases, run_case = run_case, tables = tables, answer = answer, figure = figure,
}:main(arg)
