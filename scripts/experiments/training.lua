-- training.lua -- F1: how a tanh network learns a short text.
--
--   unroll scripts/experiments/training.lua [--help]
--
-- (a) loss, smoothed, beside the bounds of a model that knows nothing (uniform) or only the
-- shares of the characters (unigram); (b) the same as perplexity, exp(loss); (c) norm of the
-- gradient before the clip, with the band that the founding document calls healthy;
-- (d) shares of the characters in the corpus and in generated text.
-- What matching shares prove is told by two texts that nothing was learned for: characters
-- drawn from the corpus one by one (order 0), and a piece of the corpus word for word.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local diagnostics, tensor = unroll.diagnostics, unroll.tensor
local quality = require "unroll.text.quality"
local summary, column = experiment.summary, experiment.column

-- What the founding document reports of this training.
local document = { loss = 1.523, perplexity = 4.58, reached = { 4, 6 }, healthy = { 0.1, 1 } }

local function cases(config)
  return experiment.grid({
    corpus = config.corpus, cell = config.cell, hidden = config.hidden, window = config.window,
    steps = config.steps, optimizer = config.optimizer, lr = config.lr, clip = config.clip,
    sample = config.sample,
  }, "seed", config.seeds)
end

local function share_in_band(norms, low, high)
  local inside = 0
  for _, norm in ipairs(norms) do if norm >= low and norm <= high then inside = inside + 1 end end
  return inside / #norms
end

-- |gradient| / |parameter| of every parameter that is not all zero, in the first window.
local function gradient_ratios(model, corpus, T)
  local tokens, out = corpus:tokens "all", {}
  model:zero_gradients()
  local _, _, trace = model:forward(tokens:narrow(1, 1, T):to("int32"):view(T, 1),
    tokens:narrow(1, 2, T):to("int32"):view(T, 1))
  model:backward(trace)
  for _, entry in ipairs(diagnostics.gradient_ratios(model)) do
    if entry.parameter > 0 then out[entry.name] = entry.ratio end
  end
  return out
end

-- Texts as long as a sample from a model that knows the shares alone, and from one that
-- knows the corpus by heart.
local function other_samples(corpus, case)
  local generator, tokens = tensor.generator(case.seed), corpus:tokens "all"
  local places = tensor.zeros(case.sample, { dtype = "int32" })
  for i = 1, case.sample do places[i] = generator:integer(corpus.length) end
  local length = math.min(case.sample, corpus.length - 1)
  local first = generator:integer(corpus.length - length)
  return corpus.vocab:decode(tokens:to("int32"):index_select(1, places)),
    corpus.vocab:decode(tokens:narrow(1, first, length))
end

-- How near a text comes to the corpus: characters, pairs of them, and the longest copied run.
local function describe(sample, corpus)
  return { distance = quality.distance(quality.shares(corpus.text), quality.shares(sample)),
           pairs = quality.distance(quality.shares(corpus.text, 2), quality.shares(sample, 2)),
           longest_copy = (quality.longest_copy(sample, corpus.text)) }
end

local function run_case(case, report)
  local corpus = assert(text.corpus(case.corpus))
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         seed = case.seed }
  local ratios = { initial = gradient_ratios(model, corpus, case.window) }
  local history = train.fit(model, corpus, {
    steps = case.steps, window = case.window, optimizer = case.optimizer,
    lr = case.lr, clip_norm = case.clip, split = "all", progress = false })
  local norms = history.gradient_norm:totable()
  local final = train.evaluate(model, corpus, { split = "all" })
  local sample = model:sample { length = case.sample, seed = case.seed }
  local order0, copied = other_samples(corpus, case)
  ratios.trained = gradient_ratios(model, corpus, case.window)
  report(("seed %d: loss %.4f nats per character"):format(case.seed, final))
  return {
    seed = case.seed, final = final, sample = sample, clipped = history.clipped,
    loss = summary.bins(history.loss:totable(), 500), norm = summary.bins(norms, 500),
    healthy = share_in_band(norms, document.healthy[1], document.healthy[2]), ratios = ratios,
    samples = { network = describe(sample, corpus), order0 = describe(order0, corpus),
                copied = describe(copied, corpus) },
  }
end

local function collect(config, _, runs)
  local corpus = assert(text.corpus(config.corpus))
  local stats = corpus:stats()
  return { vocabulary = stats.vocabulary, unigram_bits = stats.entropies[1],
           shares = quality.shares(corpus.text), runs = runs }
end

local function training_table(results)
  local loss = column(results, "final")
  local perplexity = {}
  for i, l in ipairs(loss) do perplexity[i] = math.exp(l) end
  return {
    title = "Training, mean ± sd over seeds",
    head = { "", "unroll", "document" },
    rows = {
      { "loss, nats per character", summary.spread(loss, "%.4f"), ("%.3f"):format(document.loss) },
      { "perplexity, exp(loss)", summary.spread(perplexity, "%.4f"),
        ("%.2f"):format(document.perplexity) },
      { "uniform bound, nats", ("%.3f"):format(math.log(results.vocabulary)) },
      { "unigram bound, nats", ("%.3f"):format(results.unigram_bits * math.log(2)) },
      { "share of steps with norm in 0.1–1", summary.spread(column(results, "healthy"), "%.2f"),
        "“healthy”" },
    },
    note = "Loss: a full pass over the text after training, state carried.",
  }
end

local kinds = { { "network", "the network" }, { "order0", "order 0: shares alone" },
                { "copied", "a piece of the corpus" } }

local function sample_table(results)
  local rows = {}
  for i, kind in ipairs(kinds) do
    local function cell(key, format)
      local values = {}
      for k, samples in ipairs(column(results, "samples")) do values[k] = samples[kind[1]][key] end
      return summary.spread(values, format)
    end
    rows[i] = { kind[2], cell("distance", "%.3f"), cell("pairs", "%.3f"),
                cell("longest_copy", "%.0f") }
  end
  return {
    title = "Generated text beside the corpus (mean ± sd over seeds)",
    head = { "text from", "characters", "pairs", "longest copied run" }, rows = rows,
    note = "Characters, pairs: total variation distance of the shares, 0 (the same) to 1.",
  }
end

local function ratio_table(results)
  local names, rows = {}, {}
  for name in pairs(results.runs[1].ratios.trained) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local function cell(stage)
      local values = {}
      for _, ratios in ipairs(column(results, "ratios")) do
        values[#values + 1] = ratios[stage][name]
      end
      return #values > 0 and summary.spread(values, "%.2g") or nil
    end
    rows[i] = { name, cell "initial", cell "trained" }
  end
  return {
    title = "|gradient| / |parameter| in the first window (mean ± sd over seeds)",
    head = { "parameter", "before training", "after" }, rows = rows,
    note = "A bias starts at zero: no ratio before training.",
  }
end

local function tables(results)
  return { training_table(results), sample_table(results), ratio_table(results) }
end

local function answer(results)
  local mean = summary.mean_sd(column(results, "final"))
  return ("The loss falls from %.2f to %.4f nats per character; the document stops at %.3f.")
    :format(results.runs[1].loss.mean[1], mean, document.loss)
end

-- Raw curve of the first seed (of each bin the mean, or the largest, which shows spikes),
-- smoothed mean over seeds, band from the lowest to the highest.
local function draw_curve(ax, results, key, color, raw_key, transform)
  local curves, raw, steps = {}, {}, results.runs[1][key].step
  for i, r in ipairs(results.runs) do curves[i] = r[key].mean end
  for i, v in ipairs(results.runs[1][key][raw_key]) do raw[i] = transform and transform(v) or v end
  ax:line(steps, raw, { color = color, alpha = 0.35, width = 0.8, marker = "none" })
  experiment.panels.curves(ax, steps, curves, { color = color, smooth = 0.3,
                                                transform = transform })
end

-- The characters of the corpus, the most frequent first, and their shares in both texts.
local function share_bars(results)
  local characters, corpus, generated, spread, none = {}, {}, {}, {}, {}
  for c in pairs(results.shares) do characters[#characters + 1] = c end
  table.sort(characters, function(a, b)
    if results.shares[a] ~= results.shares[b] then return results.shares[a] > results.shares[b] end
    return a < b
  end)
  while #characters > 20 do table.remove(characters) end
  for i, c in ipairs(characters) do
    local of_runs = {}
    for k, r in ipairs(results.runs) do of_runs[k] = quality.shares(r.sample)[c] or 0 end
    corpus[i], none[i] = results.shares[c], false
    generated[i], spread[i] = summary.mean_sd(of_runs)
  end
  return characters, { corpus, generated }, { none, spread }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, letters = true,
    title = ("Training a %s network, hidden %d, window %d")
      :format(config.cell, config.hidden, config.window),
    caption = ("%s · %d seeds: smoothed mean and range, thin: the first, unsmoothed (c: "
      .. "highest of %d steps) · (d) ± sd · the state starts anew with each pass over the text")
      :format(config.corpus, #config.seeds, results.runs[1].norm.step[1]) }
  local loss, perplexity = fig:at(1, 1), fig:at(1, 2)
  local norm, shares = fig:at(2, 1), fig:at(2, 2)

  draw_curve(loss, results, "loss", 1, "mean")
  local uniform = ("uniform, ln %d"):format(results.vocabulary)
  loss:hline(math.log(results.vocabulary), { label = uniform })
  loss:hline(results.unigram_bits * math.log(2), { label = "unigram", dash = "dotted" })
  loss:set { title = "Training loss", xlabel = "training step", ylabel = "nats per character" }

  local low, high = table.unpack(document.reached)
  perplexity:span(low, high, { label = ("document: %g–%g"):format(low, high), color = 2 })
  draw_curve(perplexity, results, "loss", 2, "mean", math.exp)
  perplexity:set { title = "Perplexity", xlabel = "training step", ylabel = "perplexity",
                   yscale = "log" }

  low, high = table.unpack(document.healthy)
  norm:span(low, high, { label = ("healthy %g–%g"):format(low, high), color = 3 })
  draw_curve(norm, results, "norm", 3, "max")
  norm:set { title = "Gradient norm", xlabel = "training step", yscale = "log",
             ylabel = "‖∇‖ before the clip" }

  local characters, bars, errors = share_bars(results)
  shares:bar(characters, bars, { labels = { "corpus", "generated" }, errors = errors })
  shares:set { title = "Character shares", xlabel = "character, most frequent first",
               ylabel = "share of characters", yformat = "percent" }
  return fig
end

return experiment.define {
  name = "training",
  title = "Training analysis (F1)",
  question = "Does the network learn the text, and what do loss and gradients do meanwhile?",
  options = {
    { "corpus", "simple", "corpus by name or path" },
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "window", 25, "time steps that gradients flow back through" },
    { "steps", 2000, "updates, one a window" },
    { "optimizer", "adam", "update rule" },
    { "lr", 0.003, "learning rate" },
    { "clip", 5.0, "largest gradient norm" },
    { "sample", 2000, "characters to generate for the shares" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one run each" },
  },
  quick = { steps = 600, seeds = { 1 } },
  check = experiment.demand.positive,
  cases = cases, run_case = run_case, collect = collect, tables = tables,
  answer = answer, figure = figure,
}:main(arg)
