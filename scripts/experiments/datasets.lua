-- datasets.lua -- F7 and T2: one network on four kinds of text.
--
--   unroll scripts/experiments/datasets.lua [--help]
--
-- Hidden size and window are those of the document (50, 25). Texts that repeat are measured
-- on all of the text, where held-out means nothing; the others on training and on held-out
-- text, which the network has not seen. "Sample quality" is a measure for each text.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local quality = require "unroll.text.quality"
local summary, panels, column = experiment.summary, experiment.panels, experiment.column

-- What the founding document reports (its table T2).
local document = {
  simple = { vocabulary = 23, bits = 4.12, loss = 1.523, sample = "good repetition" },
  shakespeare = { vocabulary = 84, bits = 4.78, loss = 2.156, sample = "coherent phrases" },
  code = { vocabulary = 67, bits = 4.45, loss = 1.987, sample = "valid syntax patterns" },
  numbers = { vocabulary = 10, bits = 3.32, loss = 0.892, sample = "perfect sequences" },
}

-- What a sample of each text is judged by; `train` and `held` are the two parts of the text.
local judges = {
  simple = function(sample, whole)
    return { { "longest exact run, characters", (quality.longest_copy(sample, whole)) } }
  end,
  numbers = function(sample, whole)
    return { { "digits that follow their predecessor", quality.followers(sample, whole) } }
  end,
  code = function(sample, whole)
    return { { "lines that tokenise as Lua", quality.lua_lines(sample) },
             { "longest copied run, characters", (quality.longest_copy(sample, whole)) } }
  end,
  shakespeare = function(sample, _, train_text, held_text)
    return { { "words found in the training text", quality.known_words(sample, train_text) },
             { "words found in the held-out text", quality.known_words(sample, held_text) },
             { "longest copied run, characters", (quality.longest_copy(sample, train_text)) } }
  end,
}

local function settings_for(config, name)
  local repeats = name == "simple" or name == "numbers"
  return {
    repeats = repeats,
    split = repeats and "all" or "train",
    fit = {
      steps = repeats and config.steps_repeating or config.steps,
      batch = repeats and 1 or config.batch,
      window = config.window, optimizer = config.optimizer,
      lr = repeats and config.lr_repeating or config.lr,
      clip_norm = config.clip, split = repeats and "all" or "train", progress = false,
    },
  }
end

local function text_of(corpus, split) return corpus.vocab:decode(corpus:tokens(split)) end

local function cases(config)
  local list = {}
  for _, name in ipairs(config.corpora) do
    local settings = settings_for(config, name)
    local of_corpus = experiment.grid({
      corpus = name, cell = config.cell, hidden = config.hidden, split = settings.split,
      held_out = not settings.repeats, fit = settings.fit, sample = config.sample,
      prime = config.prime,
      temperature = config.temperature,
    }, "seed", config.seeds)
    table.move(of_corpus, 1, #of_corpus, #list + 1, list)
  end
  return list
end

local function fit_options(case)
  local fit = {}
  for name, value in pairs(case.fit) do fit[name] = value end
  fit.schedule = train.schedule.linear(fit.lr, fit.steps)
  return fit
end

-- What the model writes after the first characters of the text. (Without a beginning the
-- first symbol would be any, from a state that no training has seen.)
local function sample_of(model, corpus, case)
  local prime = corpus.text:sub(1, utf8.offset(corpus.text, case.prime + 1) - 1)
  local sample = model:sample { length = case.sample, temperature = case.temperature,
                                prime = prime, seed = case.seed }
  return sample:sub(#prime + 1)
end

local function run_case(case, report)
  local corpus = assert(text.corpus(case.corpus))
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         seed = case.seed }
  local history = train.fit(model, corpus, fit_options(case))
  local held = case.held_out and train.evaluate(model, corpus, { split = "test" }) or nil
  local sample = sample_of(model, corpus, case)
  local judge, judged = judges[case.corpus], {}
  if judge then
    judged = judge(sample, corpus.text, text_of(corpus, "train"), text_of(corpus, "test"))
  end
  local final = train.evaluate(model, corpus, { split = case.split })
  report(("%s, seed %d: training text %.4f%s nats per character"):format(case.corpus,
    case.seed, final, held and (", held-out text %.4f"):format(held) or ""))
  return {
    seed = case.seed, loss = summary.bins(history.loss:totable(), 300), train = final,
    held_out = held, judged = judged, sample = sample:sub(1, 300),
    distance = quality.distance(quality.shares(corpus.text), quality.shares(sample)),
  }
end

local function describe(name)
  local stats = text.corpus(name):stats()
  return { name = name, length = stats.length, vocabulary = stats.vocabulary,
           entropies = stats.entropies, runs = {} }
end

local function collect(config, list, outcomes)
  local results, by_name = { corpora = {} }, {}
  for c, name in ipairs(config.corpora) do
    by_name[name] = describe(name)
    results.corpora[c] = by_name[name]
  end
  for i, case in ipairs(list) do table.insert(by_name[case.corpus].runs, outcomes[i]) end
  return results
end

local function main_table(results)
  local rows = {}
  for i, entry in ipairs(results.corpora) do
    local doc = document[entry.name] or {}
    local held = column(entry, "held_out")
    local held_text = #held > 0 and summary.spread(held, "%.4f") or nil
    rows[i] = { entry.name, entry.vocabulary, doc.vocabulary,
                ("%.2f"):format(entry.entropies[1]), doc.bits and ("%.2f"):format(doc.bits),
                summary.spread(column(entry, "train"), "%.4f"), held_text, doc.loss }
  end
  return {
    title = "T2: data sets (mean ± sd over seeds)",
    head = { "data set", "symbols", "doc.", "bits", "doc.", "loss, training text",
             "loss, held-out", "doc." },
    rows = rows,
    note = "Loss in nats per character; bits: unigram entropy; doc.: the founding document.",
  }
end

local function quality_table(results)
  local rows = {}
  for _, entry in ipairs(results.corpora) do
    for k, judged in ipairs(entry.runs[1].judged) do
      local values = {}
      for i, r in ipairs(entry.runs) do values[i] = r.judged[k][2] end
      local format = math.type(judged[2]) == "integer" and "%.0f" or "%.3f"
      rows[#rows + 1] = { entry.name, judged[1], summary.spread(values, format),
                          document[entry.name] and document[entry.name].sample }
    end
  end
  return { title = "Sample quality, measured",
           head = { "data set", "measure", "value", "doc. says" }, rows = rows }
end

local function tables(results)
  return { main_table(results), quality_table(results) }
end

local function answer(results)
  local parts = {}
  for i, entry in ipairs(results.corpora) do
    local held = column(entry, "held_out")
    parts[i] = ("%s %.3f"):format(entry.name,
      (summary.mean_sd(#held > 0 and held or column(entry, "train"))))
  end
  return "Nats per character (held-out where the text does not repeat): "
    .. table.concat(parts, ", ") .. "."
end

local function draw_losses(ax, results)
  for k, entry in ipairs(results.corpora) do
    local curves, share, steps = {}, {}, entry.runs[1].loss.step
    for i, r in ipairs(entry.runs) do curves[i] = r.loss.mean end
    for i, step in ipairs(steps) do share[i] = step / steps[#steps] end
    panels.curves(ax, share, curves, { label = entry.name, color = k, smooth = 0.1 })
  end
  ax:set { title = "Training loss", xlabel = "share of the training", xformat = "percent",
           ylabel = "nats per character", ylim = { 0, nil } }
end

local function draw_final(ax, results)
  local names, bars, errors = {}, { {}, {}, {} }, { {}, {}, {} }
  for i, entry in ipairs(results.corpora) do
    local held = column(entry, "held_out")
    names[i] = entry.name
    bars[1][i], errors[1][i] = summary.mean_sd(column(entry, "train"))
    bars[2][i], errors[2][i] = false, false
    if #held > 0 then bars[2][i], errors[2][i] = summary.mean_sd(held) end
    bars[3][i], errors[3][i] = document[entry.name] and document[entry.name].loss or false, false
  end
  ax:bar(names, bars, { labels = { "training text", "held-out text", "founding document" },
                        values = true, format = "%.2f", errors = errors })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Loss after training", ylabel = "nats per character" }
end

local function draw_entropies(ax, results)
  local orders = { 0, 1, 2, 3, 4, 5, 6 }
  for _, entry in ipairs(results.corpora) do
    ax:line(orders, entry.entropies, { label = entry.name, marker = "circle" })
  end
  ax:set { title = "Conditional entropy", xlabel = "characters known before it",
           ylabel = "bits per character" }
end

local function draw_vocabulary(ax, results)
  local names, ours, theirs = {}, {}, {}
  for i, entry in ipairs(results.corpora) do
    names[i], ours[i] = entry.name, entry.vocabulary
    theirs[i] = document[entry.name] and document[entry.name].vocabulary or false
  end
  ax:bar(names, { ours, theirs }, { labels = { "unroll", "founding document" }, values = true,
                                    format = "%.0f" })
  ax:set { title = "Vocabulary", ylabel = "symbols" }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, letters = true, title = "One network on four kinds of text",
    caption = ("%s, hidden %d, window %d · %d seeds: mean, with range (a) and sd (b) · simple and "
      .. "numbers repeat: nothing is held out"):format(config.cell, config.hidden,
      config.window, #config.seeds) }
  draw_losses(fig:at(1, 1), results)
  draw_final(fig:at(1, 2), results)
  draw_entropies(fig:at(2, 1), results)
  draw_vocabulary(fig:at(2, 2), results)
  return fig
end

local function check(config) experiment.demand.positive(config, "temperature") end

return experiment.define {
  name = "datasets",
  title = "Data sets (F7, T2)",
  question = "How well does one small network learn four kinds of text?",
  options = {
    { "corpora", { "simple", "shakespeare", "code", "numbers" }, "corpora by name or path" },
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "window", 25, "time steps that gradients flow back through" },
    { "batch", 16, "parallel streams, for texts that do not repeat" },
    { "steps", 5000, "updates, for texts that do not repeat" },
    { "lr", 0.01, "first learning rate, for texts that do not repeat" },
    { "steps_repeating", 2000, "updates, for texts that repeat" },
    { "lr_repeating", 0.01, "first learning rate, for texts that repeat" },
    { "optimizer", "adam", "update rule" },
    { "clip", 1.0, "largest gradient norm" },
    { "sample", 1000, "characters to generate" },
    { "prime", 20, "characters of the text that a sample goes on from" },
    { "temperature", 0.8, "of the samples" },
    { "seeds", { 6, 7, 8, 9, 10 }, "one run each" },
  },
  quick = { steps = 400, steps_repeating = 600, seeds = { 6 } },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables,
  answer = answer, figure = figure,
}:main(arg)
