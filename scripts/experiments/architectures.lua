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

-- What the founding document reports (its table T1).
local document = {
  names = { "small", "medium", "large" },
  loss = { 1.847, 1.523, 1.398 },
  perplexity = { 6.34, 4.58, 4.05 },
  seconds = { 2.3, 4.7, 8.9 },
}

local function cases(config)
  local list = {}
  for size = 1, #config.hidden do
    local sized = experiment.grid({
      corpus = config.corpus, cell = config.cell, optimizer = config.optimizer,
      clip = config.clip, size = size, hidden = config.hidden[size],
      window = config.window[size], steps = config.steps[size], lr = config.lr[size],
    }, "seed", config.seeds)
    table.move(sized, 1, #sized, #list + 1, list)
  end
  return list
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

local function collect(_, list, outcomes)
  local results = { vocabulary = outcomes[1].vocabulary, sizes = {} }
  for i, case in ipairs(list) do
    local size = results.sizes[case.size]
    if not size then
      size = { hidden = case.hidden, window = case.window,
               parameters = outcomes[i].parameters, runs = {} }
      results.sizes[case.size] = size
    end
    local o = outcomes[i]
    size.runs[#size.runs + 1] = { seed = o.seed, loss = o.loss, final = o.final }
  end
  return results
end

local function collect_times(_, list, seconds)
  local times = { sizes = {} }
  for i, case in ipairs(list) do
    local size = times.sizes[case.size] or { seconds = {} }
    times.sizes[case.size] = size
    table.insert(size.seconds, seconds[i])
  end
  return times
end

local function finals(size)
  local out = {}
  for i, r in ipairs(size.runs) do out[i] = r.final end
  return out
end

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
      document.names[i] or "", size.hidden, size.window,
      summary.spread(finals(size), "%.4f"), document.loss[i],
      summary.spread(exp_all(finals(size)), "%.3f"), document.perplexity[i],
    }
  end
  return { {
    title = "T1: training performance on the simple text (mean ± sd over seeds)",
    head = { "model", "hidden", "window", "loss", "doc.", "perplexity", "doc." },
    rows = rows,
    note = "Loss in nats per character. Columns 'doc.' are the founding document's numbers.",
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
    local smooth = {}
    for i, r in ipairs(size.runs) do smooth[i] = summary.smooth(r.loss.mean, 0.1) end
    local mean, low, high = summary.across(smooth)
    local characters = {}
    for i, step in ipairs(size.runs[1].loss.step) do characters[i] = step * size.window end
    if #size.runs > 1 then ax:band(characters, low, high, { color = k }) end
    ax:line(characters, mean, { label = name_of(size), color = k })
  end
  ax:hline(math.log(results.vocabulary), { label = ("uniform, ln %d"):format(results.vocabulary) })
  ax:set { title = "Training loss", xlabel = "characters seen", ylabel = "nats per character",
           yscale = "log" }
end

-- Ours beside the document's, one group a size.
local function draw_bars(ax, results, ours, theirs, options)
  local names = {}
  for i, size in ipairs(results.sizes) do names[i] = name_of(size) end
  ax:bar(names, theirs and { ours, theirs } or { ours },
         { labels = theirs and { "unroll", "founding document" } or { "unroll" },
           values = true, format = options.format })
  options.format = nil
  options.xlabel = "hidden size / window"
  ax:set(options)
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 1, cols = 3, width = 12, height = 4, letters = true,
    title = "Three sizes of network on the simple text",
    caption = ("%s, %s · %d seeds: mean, band from lowest to highest")
      :format(config.corpus, config.cell, #config.seeds) }
  local loss, perplexity = {}, {}
  for i, size in ipairs(results.sizes) do
    loss[i] = summary.mean_sd(finals(size))
    perplexity[i] = summary.mean_sd(exp_all(finals(size)))
  end
  local complete = #results.sizes == #document.names
  draw_losses(fig:at(1, 1), results)
  draw_bars(fig:at(1, 2), results, loss, complete and document.loss,
            { title = "Loss after training", ylabel = "nats per character", yscale = "log",
              format = "%.2g" })
  draw_bars(fig:at(1, 3), results, perplexity, complete and document.perplexity,
            { title = "Perplexity after training", ylabel = "perplexity", format = "%.3f" })
  return fig
end

local function time_figure(times, results)
  local fig = unroll.plot.figure { title = "Training time of three sizes" }
  local seconds = {}
  for i, size in ipairs(times.sizes) do seconds[i] = median(size.seconds) end
  draw_bars(fig:at(1, 1), results, seconds, #seconds == #document.names and document.seconds,
            { ylabel = "seconds, median", yscale = "log", format = "%.2g" })
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
    { "window", { 15, 25, 35 }, "windows, one for each hidden size" },
    { "steps", { 2000, 2000, 2000 }, "updates, one number for each hidden size" },
    { "lr", { 0.01, 0.01, 0.01 }, "first learning rates, one for each hidden size" },
    { "optimizer", "adam", "update rule" },
    { "clip", 1.0, "largest gradient norm" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one run each" },
  },
  quick = { steps = { 800, 800, 800 }, seeds = { 1 } },
  alone = true, cases = cases, run_case = run_case, collect = collect,
  collect_times = collect_times, tables = tables, time_tables = time_tables, answer = answer,
  figure = figure, time_figure = time_figure,
}:main(arg)
