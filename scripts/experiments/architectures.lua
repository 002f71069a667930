-- architectures.lua -- F6 and T1: three sizes of network on the simple text.
--
--   unroll scripts/experiments/architectures.lua [--help]
--
-- Loss is measured after training by a full pass over the text with the state carried. Time
-- counts initialisation and all updates; it goes into architectures-times.json.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local sys = require("unroll.core").sys
local summary = experiment.summary

-- What the founding document reports (its table T1).
local document = {
  names = { "small", "medium", "large" },
  loss = { 1.847, 1.523, 1.398 },
  perplexity = { 6.34, 4.58, 4.05 },
  seconds = { 2.3, 4.7, 8.9 },
}

-- The learning rate falls to zero: at a constant one Adam can jump off a text that is already
-- learned.
-- `seed` and the sizes decide everything but the seconds.
local function train_once(config, corpus, size, seed)
  local started = sys.clock()
  local model = rnn.lm { cell = config.cell, vocab = corpus.vocab, hidden = config.hidden[size],
                         seed = seed }
  local history = train.fit(model, corpus, {
    steps = config.steps[size], window = config.window[size], optimizer = config.optimizer,
    lr = config.lr[size], schedule = train.schedule.linear(config.lr[size], config.steps[size]),
    clip_norm = config.clip, split = "all", progress = false })
  local seconds = sys.clock() - started
  local r = { seed = seed, loss = summary.bins(history.loss:totable(), 300),
              final = train.evaluate(model, corpus, { split = "all" }) }
  return r, seconds, model
end

local function run(config, report)
  local corpus = text.corpus(config.corpus)
  local results = { vocabulary = corpus.vocab:size(), sizes = {} }
  local times = { sizes = {} }
  for size = 1, #config.hidden do
    local runs, seconds, parameters = {}, {}, nil
    for i, seed in ipairs(config.seeds) do
      local model
      runs[i], seconds[i], model = train_once(config, corpus, size, seed)
      parameters = model:parameters().flat:numel()
      report(("hidden %d, window %d, seed %d: loss %.4f in %.3f s"):format(
        config.hidden[size], config.window[size], seed, runs[i].final, seconds[i]))
    end
    results.sizes[size] = { hidden = config.hidden[size], window = config.window[size],
                            parameters = parameters, runs = runs }
    times.sizes[size] = { seconds = seconds }
  end
  return results, times
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

local function median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2
end

local function name_of(size)
  return ("%d / %d"):format(size.hidden, size.window)
end

local function tables(results, times)
  local rows = {}
  for i, size in ipairs(results.sizes) do
    local seconds = median(times.sizes[i].seconds)
    rows[i] = {
      document.names[i] or "", size.hidden, size.window,
      summary.spread(finals(size), "%.4f"), document.loss[i],
      summary.spread(exp_all(finals(size)), "%.3f"), document.perplexity[i],
      ("%.3f s"):format(seconds), document.seconds[i] and document.seconds[i] .. " s",
      document.seconds[i] and ("%.0f×"):format(document.seconds[i] / seconds),
    }
  end
  return { {
    title = "T1: training performance on the simple text (mean ± sd over seeds; time: median)",
    head = { "model", "hidden", "window", "loss", "doc.", "perplexity", "doc.", "time", "doc.",
             "faster" },
    rows = rows,
    note = "Loss in nats per character. Columns 'doc.' are the founding document's numbers.",
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
  for _, size in ipairs(results.sizes) do
    local smooth = {}
    for i, r in ipairs(size.runs) do smooth[i] = summary.smooth(r.loss.mean, 0.1) end
    local mean, low, high = summary.across(smooth)
    local characters = {}
    for i, step in ipairs(size.runs[1].loss.step) do characters[i] = step * size.window end
    if #size.runs > 1 then ax:band(characters, low, high) end
    ax:line(characters, mean, { label = name_of(size) })
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

local function figure(results, times, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, letters = true, title = "Three sizes of network on the simple text",
    caption = ("%s, %s · %d seeds: mean, band from lowest to highest")
      :format(config.corpus, config.cell, #config.seeds) }
  local loss, perplexity, seconds = {}, {}, {}
  for i, size in ipairs(results.sizes) do
    loss[i] = summary.mean_sd(finals(size))
    perplexity[i] = summary.mean_sd(exp_all(finals(size)))
    seconds[i] = times and median(times.sizes[i].seconds)
  end
  local complete = #results.sizes == #document.names
  draw_losses(fig:at(1, 1), results)
  draw_bars(fig:at(1, 2), results, loss, complete and document.loss,
            { title = "Loss after training", ylabel = "nats per character", format = "%.2g" })
  draw_bars(fig:at(2, 1), results, perplexity, complete and document.perplexity,
            { title = "Perplexity after training", ylabel = "perplexity", format = "%.3g" })
  if times then
    draw_bars(fig:at(2, 2), results, seconds, complete and document.seconds,
              { title = "Training time", ylabel = "seconds", yscale = "log", format = "%.2g" })
  end
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
    { "seeds", { 1, 2, 3 }, "one run each" },
  },
  quick = { steps = { 800, 800, 800 }, seeds = { 1 } },
  run = run, tables = tables, answer = answer, figure = figure,
}:main(arg)
