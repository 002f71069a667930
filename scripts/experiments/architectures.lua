-- architectures.lua -- F6 and T1: three sizes of network on the simple text.
--
--   unroll scripts/experiments/architectures.lua [--help]
--
-- Loss is measured after training by a full pass over the text with the state carried. Time
-- counts initialisation and all updates; it goes into architectures-times.json.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local sys = require("unroll.core").sys
local summary, median = experiment.summary, experiment.statistics.median
local panels, column = experiment.panels, experiment.column

-- What the founding document reports (its table T1).
local document = {
  names = { "small", "medium", "large" },
  loss = { 1.847, 1.523, 1.398 },
  perplexity = { 6.34, 4.58, 4.05 },
  seconds = { 2.3, 4.7, 8.9 },
}

local function cases(config)
  local base = experiment.without(config, "hidden", "window", "steps", "lr", "seeds")
  local sizes = experiment.zip(base, "hidden", config.hidden, "window", config.window,
    "steps", config.steps, "lr", config.lr)
  for i, case in ipairs(sizes) do case.size = i end
  return experiment.grid(sizes, "seed", config.seeds)
end

-- The learning rate falls to zero: at a constant one Adam can jump off a text that is already
-- learned. The second value is what the clock says.
local function run_case(case, report)
  local corpus = assert(text.corpus(case.corpus))
  local started = sys.clock()
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         seed = case.seed }
  local history = train.fit(model, corpus, {
    steps = case.steps, window = case.window, optimizer = case.optimizer, lr = case.lr,
    schedule = train.schedule.linear(case.lr, case.steps), clip_norm = case.clip,
    split = "all", progress = false })
  local seconds = sys.clock() - started
  local final = train.evaluate(model, corpus, { split = "all" })
  report(("hidden %d, window %d, seed %d: loss %.4f in %.3f s"):format(case.hidden,
    case.window, case.seed, final, seconds))
  return { seed = case.seed, loss = summary.bins(history.loss:totable(), 300), final = final,
           parameters = model:parameters().flat:numel(), vocabulary = corpus.vocab:size() },
    seconds
end

-- The training loss when `characters` have been seen: what all sizes have come to.
local function loss_at(loss, window, characters)
  for i, step in ipairs(loss.step) do
    if step * window >= characters then return loss.mean[i] end
  end
  return loss.mean[#loss.mean]
end

local function collect(_, list, outcomes)
  local results, fewest = { vocabulary = outcomes[1].vocabulary, sizes = {} }, math.huge
  for _, case in ipairs(list) do fewest = math.min(fewest, case.steps * case.window) end
  for i, entry in ipairs(experiment.group(list, outcomes, "size", "hidden", "window")) do
    results.sizes[i] = { hidden = entry.hidden, window = entry.window,
                         parameters = entry.runs[1].parameters, runs = {} }
    for k, r in ipairs(entry.runs) do
      results.sizes[i].runs[k] = { seed = r.seed, loss = r.loss, final = r.final,
                                   early = loss_at(r.loss, entry.window, fewest) }
    end
  end
  results.fewest_characters = fewest
  return results
end

local function collect_times(_, list, seconds)
  local times = { sizes = {} }
  for i, entry in ipairs(experiment.group(list, seconds, "size")) do
    times.sizes[i] = { seconds = entry.runs }
  end
  return times
end

local function finals(size) return column(size, "final") end

local function exp_all(values)
  local out = {}
  for i, v in ipairs(values) do out[i] = math.exp(v) end
  return out
end

local function name_of(size)
  return ("%d / %d"):format(size.hidden, size.window)
end

local function tables(results)
  local rows = {}
  for i, size in ipairs(results.sizes) do
    rows[i] = {
      document.names[i] or "", size.hidden, size.window, size.parameters,
      summary.spread(finals(size), "%.4f"), document.loss[i],
      summary.spread(exp_all(finals(size)), "%.3f"), document.perplexity[i],
      summary.spread(column(size, "early"), "%.4f"),
    }
  end
  return { {
    title = "T1: training performance on the simple text (mean ± sd over seeds)",
    head = { "model", "hidden", "window", "parameters", "loss", "doc.", "perplexity", "doc.",
             "at equal characters" },
    rows = rows,
    note = ("Loss in nats per character; doc.: the founding document; at equal characters: "
      .. "training loss when %d have been seen."):format(results.fewest_characters),
  } }
end

local function time_tables(times, results)
  local rows = {}
  for i, size in ipairs(results.sizes) do
    local seconds, theirs = median(times.sizes[i].seconds), document.seconds[i]
    rows[i] = { document.names[i] or "", size.hidden, size.window, ("%.3f s"):format(seconds),
                theirs and theirs .. " s", theirs and ("%.0f×"):format(theirs / seconds) }
  end
  return { {
    title = "T1: training time (median over seeds, one core)",
    head = { "model", "hidden", "window", "time", "doc.", "faster" }, rows = rows,
    note = "Initialisation and all updates. The document does not say on what machine.",
  } }
end

local function answer(results)
  local parts, worst = {}, 0
  for i, size in ipairs(results.sizes) do
    local values = finals(size)
    parts[i] = ("%.4f"):format((summary.mean_sd(values)))
    worst = math.max(worst, table.unpack(values))
  end
  local verdict = worst <= 0.02
    and "every size learns this text almost by heart, so the document's differences between "
      .. "sizes are those of unfinished training."
    or "not every size and seed learns this text to 0.02 nats."
  return ("Loss by size: %s nats; the worst seed %.4f: %s")
    :format(table.concat(parts, ", "), worst, verdict)
end

local function draw_losses(ax, results)
  for k, size in ipairs(results.sizes) do
    local curves, characters = {}, {}
    for i, r in ipairs(size.runs) do curves[i] = r.loss.mean end
    for i, step in ipairs(size.runs[1].loss.step) do characters[i] = step * size.window end
    panels.curves(ax, characters, curves, { label = name_of(size), color = k, smooth = 0.1 })
  end
  ax:hline(math.log(results.vocabulary), { label = ("uniform, ln %d"):format(results.vocabulary) })
  ax:set { title = "Training loss", xlabel = "characters seen", ylabel = "nats per character",
           yscale = "log" }
end

-- After all updates, and when each size has seen as many characters as the smallest.
local function draw_sizes(ax, results)
  local x = {}
  for i, size in ipairs(results.sizes) do x[i] = size.parameters end
  for k, kind in ipairs { { "final", "after training", "circle" },
                          { "early", "at equal characters", "square" } } do
    local lists = {}
    for i, size in ipairs(results.sizes) do lists[i] = column(size, kind[1]) end
    panels.points(ax, x, lists, { middle = "mean", line = true, label = kind[2], color = k,
                                  marker = kind[3] })
  end
  ax:set { title = "Loss and size", xlabel = "parameters", ylabel = "nats per character",
           xscale = "log", yscale = "log" }
end

-- Ours beside the document's, one group a size.
local function draw_bars(ax, results, ours, theirs, options)
  local names, none = {}, {}
  for i, size in ipairs(results.sizes) do names[i], none[i] = name_of(size), false end
  ax:bar(names, theirs and { ours, theirs } or { ours },
         { labels = theirs and { "unroll", "founding document" } or { "unroll" },
           values = true, format = options.format,
           errors = options.deviations and { options.deviations, theirs and none or nil } })
  options.deviations = nil
  options.format = nil
  options.xlabel = "hidden size / window"
  ax:set(options)
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, height = 7, letters = true,
    title = "Three sizes of network on the simple text",
    caption = ("%s, %s · %d seeds: mean, with range (a, d) and sd (b, c) · times have a figure "
      .. "of their own"):format(config.corpus, config.cell, #config.seeds) }
  local loss, perplexity, loss_sd, perplexity_sd = {}, {}, {}, {}
  for i, size in ipairs(results.sizes) do
    loss[i], loss_sd[i] = summary.mean_sd(finals(size))
    perplexity[i], perplexity_sd[i] = summary.mean_sd(exp_all(finals(size)))
  end
  local complete = #results.sizes == #document.names
  draw_losses(fig:at(1, 1), results)
  draw_bars(fig:at(1, 2), results, loss, complete and document.loss,
            { title = "Loss after training", ylabel = "nats per character", yscale = "log",
              format = "%.2g", deviations = loss_sd })
  draw_bars(fig:at(2, 1), results, perplexity, complete and document.perplexity,
            { title = "Perplexity after training", ylabel = "perplexity", format = "%.3f",
              deviations = perplexity_sd })
  draw_sizes(fig:at(2, 2), results)
  return fig
end

local function time_figure(times, results)
  local fig = unroll.plot.figure { title = "Training time of three sizes",
    caption = "median over seeds ± sd, one core; the document names no machine" }
  local seconds, deviations = {}, {}
  for i, size in ipairs(times.sizes) do
    seconds[i] = median(size.seconds)
    deviations[i] = select(2, summary.mean_sd(size.seconds))
  end
  draw_bars(fig:at(1, 1), results, seconds, #seconds == #document.names and document.seconds,
            { ylabel = "seconds", yscale = "log", format = "%.2g", deviations = deviations })
  return fig
end

return experiment.define {
  name = "architectures",
  title = "Architectures (F6, T1)",
  question = "What does a larger network gain on the simple text, and what does it cost?",
  options = {
    { "corpus", "simple", "corpus by name or path" },
    { "cell", "tanh", "recurrent cell" },
    { "hidden", { 25, 50, 100 }, "hidden sizes" },
    { "window", { 15, 25, 35 }, "windows, for each hidden size" },
    { "steps", { 1000 }, "updates, one number or one for each hidden size" },
    { "lr", { 0.01 }, "first learning rates, one or one for each hidden size" },
    { "optimizer", "adam", "update rule" },
    { "clip", 1.0, "largest gradient norm" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one run each" },
  },
  quick = { steps = { 500 }, seeds = { 1 } },
  check = experiment.demand.positive,
  alone = true, cases = cases, run_case = run_case, collect = collect,
  collect_times = collect_times, tables = tables, time_tables = time_tables, answer = answer,
  figure = figure, time_figure = time_figure,
}:main(arg)
