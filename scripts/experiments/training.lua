-- training.lua -- F1: how a tanh network learns a short text.
--
--   unroll scripts/experiments/training.lua [--help]
--
-- (a) loss, smoothed, beside the bounds of a model that knows nothing (uniform) or only the
-- shares of the characters (unigram); (b) the same as perplexity, exp(loss); (c) norm of the
-- gradient before the clip, with the band that the founding document calls healthy;
-- (d) shares of the characters in the corpus and in generated text.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local quality = require "unroll.text.quality"
local summary = experiment.summary

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

local function run_case(case, report)
  local corpus = assert(text.corpus(case.corpus))
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         seed = case.seed }
  local history = train.fit(model, corpus, {
    steps = case.steps, window = case.window, optimizer = case.optimizer,
    lr = case.lr, clip_norm = case.clip, split = "all", progress = false })
  local norms = history.gradient_norm:totable()
  local final = train.evaluate(model, corpus, { split = "all" })
  local sample = model:sample { length = case.sample, seed = case.seed }
  report(("seed %d: loss %.4f nats per character"):format(case.seed, final))
  return {
    seed = case.seed, final = final, sample = sample, clipped = history.clipped,
    loss = summary.bins(history.loss:totable(), 500), norm = summary.bins(norms, 500),
    healthy = share_in_band(norms, 0.1, 1),
    distance = quality.distance(quality.shares(corpus.text), quality.shares(sample)),
    longest_copy = (quality.longest_copy(sample, corpus.text)),
  }
end

local function collect(config, _, runs)
  local corpus = assert(text.corpus(config.corpus))
  local stats = corpus:stats()
  return { vocabulary = stats.vocabulary, unigram_bits = stats.entropies[1],
           shares = quality.shares(corpus.text), runs = runs }
end

-- One value of every run, as a list.
local function column(results, key, inner)
  local out = {}
  for i, r in ipairs(results.runs) do out[i] = inner and r[key][inner] or r[key] end
  return out
end

local function tables(results)
  local loss = column(results, "final")
  local perplexity = {}
  for i, l in ipairs(loss) do perplexity[i] = math.exp(l) end
  return { {
    title = "Training, mean ± sd over seeds",
    head = { "", "unroll", "founding document" },
    rows = {
      { "loss, nats per character", summary.spread(loss, "%.4f"), "1.523" },
      { "perplexity, exp(loss)", summary.spread(perplexity, "%.4f"), "4.58" },
      { "uniform bound, nats", ("%.3f"):format(math.log(results.vocabulary)) },
      { "unigram bound, nats", ("%.3f"):format(results.unigram_bits * math.log(2)) },
      { "share of steps with norm in 0.1–1", summary.spread(column(results, "healthy"), "%.2f"),
        "“healthy”" },
      { "distance of character shares", summary.spread(column(results, "distance"), "%.3f") },
      { "longest copied run, characters", summary.spread(column(results, "longest_copy"), "%.0f") },
    },
    note = "Loss: a full pass over the text after training, state carried.",
  } }
end

local function answer(results)
  local mean = summary.mean_sd(column(results, "final"))
  return ("The loss falls from %.2f to %.4f nats per character; the document stops at 1.523.")
    :format(results.runs[1].loss.mean[1], mean)
end

-- Raw curve of the first seed, smoothed mean over seeds, band from the lowest to the highest.
local function draw_curve(ax, results, key, color, transform)
  local smooth, raw = {}, {}
  for i, r in ipairs(results.runs) do smooth[i] = summary.smooth(r[key].mean, 0.3) end
  local mean, low, high = summary.across(smooth)
  for i, v in ipairs(results.runs[1][key].mean) do raw[i] = transform(v) end
  for i = 1, #mean do
    mean[i], low[i], high[i] = transform(mean[i]), transform(low[i]), transform(high[i])
  end
  local steps = results.runs[1][key].step
  ax:line(steps, raw, { color = color, alpha = 0.3, width = 0.8 })
  if #results.runs > 1 then ax:band(steps, low, high, { color = color }) end
  ax:line(steps, mean, { color = color })
end

local function same(v) return v end

-- The characters of the corpus, the most frequent first, and their shares in both texts.
local function share_bars(results)
  local characters, corpus, generated = {}, {}, {}
  for c in pairs(results.shares) do characters[#characters + 1] = c end
  table.sort(characters, function(a, b)
    if results.shares[a] ~= results.shares[b] then return results.shares[a] > results.shares[b] end
    return a < b
  end)
  while #characters > 20 do table.remove(characters) end
  for i, c in ipairs(characters) do
    local of_runs = {}
    for k, r in ipairs(results.runs) do of_runs[k] = quality.shares(r.sample)[c] or 0 end
    corpus[i], generated[i] = results.shares[c], summary.mean_sd(of_runs)
  end
  return characters, { corpus, generated }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, letters = true,
    title = ("Training a %s network, hidden %d, window %d")
      :format(config.cell, config.hidden, config.window),
    caption = ("%s · %d seeds: smoothed mean and range, raw curve of the first · the state "
      .. "starts anew with each pass over the text"):format(config.corpus, #config.seeds) }
  local loss, perplexity = fig:at(1, 1), fig:at(1, 2)
  local norm, shares = fig:at(2, 1), fig:at(2, 2)

  draw_curve(loss, results, "loss", 1, same)
  local uniform = ("uniform, ln %d"):format(results.vocabulary)
  loss:hline(math.log(results.vocabulary), { label = uniform })
  loss:set { title = "Training loss", xlabel = "training step", ylabel = "nats per character" }

  draw_curve(perplexity, results, "loss", 2, math.exp)
  perplexity:set { title = "Perplexity", xlabel = "training step", ylabel = "perplexity",
                   yscale = "log" }

  norm:span(0.1, 1, { label = "healthy 0.1–1", color = 3 })
  draw_curve(norm, results, "norm", 3, same)
  norm:set { title = "Gradient norm", xlabel = "training step", yscale = "log",
             ylabel = "‖∇‖ before the clip" }

  local characters, bars = share_bars(results)
  shares:bar(characters, bars, { labels = { "corpus", "generated" } })
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
  cases = cases, run_case = run_case, collect = collect, tables = tables,
  answer = answer, figure = figure,
}:main(arg)
