-- divergence.lua -- a training set-up that diverges although it is clipped, and its cures.
--
--   unroll scripts/experiments/divergence.lua [--help]
--
-- A sentence, repeated; W ~ N(0, 1/fan_in); windows of 25 characters, ten passes. SGD at 0.1 on
-- the loss SUMMED over the window, values clipped at 1, ends above the loss of a uniform
-- guess, ln 19 = 2.944 nats a character. Each cure changes one thing.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local summary, statistics = experiment.summary, experiment.statistics
local panels, column = experiment.panels, experiment.column

-- 19 symbols; its entropies are in the results.
local sentence = "hello world! this is a simple test for our rnn implementation. "

-- `above`, `below`: where the final loss is known to end; `seen`: in one calibrated run.
local setups = {
  { name = "summed loss, value 1", short = "sum\nvalue 1", hidden = 50,
    window = 25, above = "uniform", seen = 5.44,
    fit = { reduction = "sum", clip_value = 1, optimizer = "sgd", lr = 0.1 } },
  { name = "the same, hidden 100, window 35", short = "100\nunits", hidden = 100,
    window = 35, above = "uniform", seen = 11.5,
    fit = { reduction = "sum", clip_value = 1, optimizer = "sgd", lr = 0.1 } },
  { name = "mean loss, value 1", short = "mean\nvalue 1", hidden = 50,
    window = 25, below = 0.3, seen = 0.110,
    fit = { reduction = "mean", clip_value = 1, optimizer = "sgd", lr = 0.1 } },
  { name = "summed loss, norm 5", short = "sum\nnorm 5", hidden = 50,
    window = 25, below = 0.3, seen = 0.015,
    fit = { reduction = "sum", clip_norm = 5, optimizer = "sgd", lr = 0.1 } },
  { name = "Adagrad, summed, value 5", short = "Adagrad\nvalue 5", hidden = 50,
    window = 25, below = 0.3, seen = 0.026,
    fit = { reduction = "sum", clip_value = 5, optimizer = "adagrad", lr = 0.1 } },
}

local function cases(config)
  local numbers = {}
  for i = 1, #setups do numbers[i] = i end
  return experiment.grid({ cell = config.cell, passes = config.passes, repeats = config.repeats },
    "setup", numbers, "seed", config.seeds)
end

local function run_case(case, report)
  local setup = setups[case.setup]
  local corpus = text.from_string(sentence:rep(case.repeats))
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = setup.hidden,
                         init = "lecun", seed = case.seed }
  local settings = { epochs = case.passes, window = setup.window, split = "all",
                     progress = false }
  for name, value in pairs(setup.fit) do settings[name] = value end
  local history = train.fit(model, corpus, settings)
  local loss = history.loss:totable()
  local pass = #loss // case.passes
  local last = table.move(loss, #loss - pass + 1, #loss, 1, {})
  local result = { seed = case.seed, final = (summary.mean_sd(last)),
    highest_norm = history.gradient_norm:max(), clipped = history.clipped,
    loss = summary.bins(loss, 200) }
  report(("%s, seed %d: %.4f nats over the last pass"):format(setup.name, case.seed, result.final))
  return result
end

local function collect(config, list, outcomes)
  local stats = text.from_string(sentence:rep(config.repeats)):stats()
  local results = { vocabulary = stats.vocabulary, entropies = stats.entropies, setups = {} }
  for i, entry in ipairs(experiment.group(list, outcomes, "setup")) do
    results.setups[i] = { name = setups[entry.setup].name, window = setups[entry.setup].window,
                          runs = entry.runs }
  end
  return results
end

-- --- reading the results -----------------------------------------------------------------

-- The statement about a set-up, and on how many seeds it holds.
local function judge(results, i)
  local setup, good = setups[i], 0
  local limit = setup.below or math.log(results.vocabulary)
  for _, final in ipairs(column(results.setups[i], "final")) do
    if setup.below and final < limit or setup.above and final > limit then good = good + 1 end
  end
  return ("%s %.3g"):format(setup.below and "below" or "above", limit), good
end

local function tables(results)
  local rows = {}
  for i, entry in ipairs(results.setups) do
    local d = statistics.describe(column(entry, "final"))
    local claim, good = judge(results, i)
    rows[i] = { entry.name, ("%.4f"):format(d.median), ("%.4f to %.4f"):format(d.low, d.high),
      ("%.1f"):format(math.max(table.unpack(column(entry, "highest_norm")))),
      ("%.0f %%"):format(100 * summary.mean_sd(column(entry, "clipped"))), setups[i].seen, claim,
      ("%d of %d"):format(good, #entry.runs) }
  end
  local entropies = {}
  for i, bits in ipairs(results.entropies) do entropies[i] = ("%.3f"):format(bits) end
  return { {
    title = "Loss over the last pass, nats a character",
    head = { "set-up", "median", "range", "highest norm", "clipped", "seen", "claim",
             "holds" },
    rows = rows,
    note = "Norms before the clip: a summed loss has a window times the mean's. Seen: in one run.",
  }, {
    title = "Entropy of the sentence, repeated: bits a character, given the ones before it",
    head = { "characters known", table.unpack({ 0, 1, 2, 3, 4, 5, 6 }, 1, #results.entropies) },
    rows = { { ("%d symbols"):format(results.vocabulary), table.unpack(entropies) } },
  } }
end

local function answer(results)
  local parts = {}
  for i, entry in ipairs(results.setups) do
    local claim, good = judge(results, i)
    parts[i] = ("%s ends %s nats on %d of %d seeds"):format(entry.name, claim, good, #entry.runs)
  end
  return table.concat(parts, "; ") .. "."
end

-- --- figure ------------------------------------------------------------------------------

local function draw_losses(ax, results)
  for i, entry in ipairs(results.setups) do
    local curves, characters = {}, {}
    for k, r in ipairs(entry.runs) do curves[k] = r.loss.mean end
    for k, step in ipairs(entry.runs[1].loss.step) do characters[k] = step * entry.window end
    panels.curves(ax, characters, curves, { label = entry.name, color = i, smooth = 0.2,
                                            band = 0.12 })
  end
  ax:hline(math.log(results.vocabulary), { label = ("uniform, ln %d"):format(results.vocabulary) })
  ax:legend { place = "below", columns = 1 }
  ax:set { title = "Training loss", xlabel = "characters seen", ylabel = "nats a character",
           yscale = "log" }
end

local function draw_finals(ax, results)
  local names, x, seen = {}, {}, {}
  for i, entry in ipairs(results.setups) do
    names[i], x[i], seen[i] = setups[i].short, i + 0.22, setups[i].seen
    panels.points(ax, { i }, { column(entry, "final") }, { middle = "median", color = i })
  end
  ax:scatter(x, seen, { color = 7, marker = "diamond", label = "seen in one calibrated run" })
  ax:hline(math.log(results.vocabulary))
  panels.places(ax, names)
  ax:legend { place = "below" }
  ax:set { title = "Last pass", ylabel = "nats a character", yscale = "log" }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    cols = 2, height = 5.2, letters = true, title = "A clip that does not help, and what does",
    caption = ("%s, W ~ N(0, 1/fan_in), %d passes, SGD 0.1 unless said otherwise · %d seeds: "
      .. "mean and range (a), median and range (b)"):format(config.cell,
      config.passes, #config.seeds) }
  draw_losses(fig:at(1, 1), results)
  draw_finals(fig:at(1, 2), results)
  return fig
end

return experiment.define {
  name = "divergence",
  title = "The diverging set-up and its cures",
  question = "Why does a clipped network end worse than a uniform guess, and what cures it?",
  options = {
    { "cell", "tanh", "recurrent cell" },
    { "repeats", 50, "how often the sentence stands in the text" },
    { "passes", 10, "passes over the text" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 } },
  check = experiment.demand.positive,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
