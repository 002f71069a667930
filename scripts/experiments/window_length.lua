-- window_length.lua -- F4: what the length of the window of truncated BPTT gains and costs.
--
--   unroll scripts/experiments/window_length.lua [--help]
--
-- Every length sees the same number of characters and is judged by the loss on held-out text,
-- with the state carried. With an equal batch a longer window makes fewer updates, which alone
-- is a handicap; with equal updates a longer window has a smaller batch. Norms are those
-- of the parameters' gradient (mean loss of a window) and of dL/dh at the first step of a
-- window for the loss of its last step. The time of the training is measured by window_time.lua,
-- when nothing else runs.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local diagnostics = unroll.diagnostics
local summary, statistics = experiment.summary, experiment.statistics
local panels, column = experiment.panels, experiment.column

local rules = { "equal batch", "equal updates" }
local zero = -300 -- stands for log10 of 0 in the saved numbers

local function cases(config)
  local base = experiment.without(config, "seeds", "windows")
  return experiment.grid(base, "rule", rules, "window", config.windows, "seed", config.seeds)
end

-- Parallel streams of text.
local function batch_of(case, rule, window)
  if rule == "equal batch" then return case.batch end
  return math.max(1, math.floor(case.update / window + 0.5))
end

-- log10 |dL/dh_1| for the loss of the last step: mean over some windows of held-out text.
local function reach(model, corpus, window)
  local wide, state, sum, count = model:to "float64", nil, 0, 0
  for x, y in corpus:batches { batch = 1, window = window, split = "validation" } do
    local full = x:size(1) == window
    if full then
      local norms = diagnostics.state_gradients(wide, x, y, { state = state })
      sum, count = sum + math.max(zero, math.log(norms[1], 10)), count + 1
    end
    if count == 20 or not full then break end
    local _
    _, state = wide:forward(x, y, state, { train = false })
  end
  return sum / count
end

local function second_half_median(values)
  return statistics.median(table.move(values, #values // 2 + 1, #values, 1, {}))
end

local function run_case(case, report)
  local corpus = text.corpus(case.corpus)
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         seed = case.seed }
  local batch = batch_of(case, case.rule, case.window)
  local steps = case.characters // (case.window * batch)
  local history = train.fit(model, corpus, { steps = steps, batch = batch,
    window = case.window, lr = case.lr, schedule = train.schedule.linear(case.lr, steps),
    clip_norm = case.clip, progress = false })
  local loss = history.loss:totable()
  local result = { seed = case.seed, steps = steps, batch = batch,
    held_out = train.evaluate(model, corpus, { split = "test" }),
    train = second_half_median(loss), curve = summary.bins(loss, 100),
    norm = second_half_median(history.gradient_norm:totable()), clipped = history.clipped,
    reach = reach(model, corpus, case.window) }
  report(("%s, window %d, seed %d: held-out loss %.4f after %d updates"):format(case.rule,
    case.window, case.seed, result.held_out, steps))
  return result
end

local function collect(_, list, outcomes)
  local results = {}
  for i, rule in ipairs(rules) do results[i] = { rule = rule, windows = {} } end
  for _, entry in ipairs(experiment.group(list, outcomes, "rule", "window")) do
    local part = entry.rule == rules[1] and results[1] or results[2]
    table.insert(part.windows, { window = entry.window, runs = entry.runs })
  end
  return results
end

-- --- reading the results -----------------------------------------------------------------

local function mean_of(group, key) return (summary.mean_sd(column(group, key))) end

local function table_of(part)
  local rows = {}
  for i, group in ipairs(part.windows) do
    local perplexity = {}
    for k, loss in ipairs(column(group, "held_out")) do perplexity[k] = math.exp(loss) end
    rows[i] = { group.window, group.runs[1].batch, group.runs[1].steps,
      summary.spread(column(group, "held_out"), "%.4f"), summary.spread(perplexity, "%.3f"),
      summary.spread(column(group, "train"), "%.4f"),
      summary.spread(column(group, "norm"), "%.3f"),
      ("%.1e"):format(10 ^ mean_of(group, "reach")) }
  end
  return {
    title = ("F4: window length at equal characters seen, %s (mean ± sd over seeds)"):format(
      part.rule),
    head = { "window", "batch", "updates", "held-out loss", "perplexity", "training loss",
             "gradient norm", "at the first step" },
    rows = rows,
    note = "Losses in nats per character; training loss, norm: medians of the second half; "
      .. "at the first step: |dL/dh| of the last loss.",
  }
end

local function tables(results)
  local list = {}
  for i, part in ipairs(results) do list[i] = table_of(part) end
  return list
end

local function best_of(part)
  local best = part.windows[1]
  for _, group in ipairs(part.windows) do
    if mean_of(group, "held_out") < mean_of(best, "held_out") then best = group end
  end
  local last = part.windows[#part.windows]
  return ("%s: window %d, %.4f nats (%.4f at %d, %.4f at %d)"):format(part.rule, best.window,
    mean_of(best, "held_out"), mean_of(part.windows[1], "held_out"), part.windows[1].window,
    mean_of(last, "held_out"), last.window)
end

local function answer(results)
  local parts = {}
  for i, part in ipairs(results) do parts[i] = best_of(part) end
  return "Lowest held-out loss with " .. table.concat(parts, "; ") .. "."
end

-- --- figure ------------------------------------------------------------------------------

local function windows_of(part)
  local out = {}
  for i, group in ipairs(part.windows) do out[i] = group.window end
  return out
end

local function draw(ax, part, key, transform, options)
  local lists = {}
  for i, group in ipairs(part.windows) do
    lists[i] = column(group, key)
    for k, v in ipairs(lists[i]) do lists[i][k] = transform(v) end
  end
  options.line, options.middle = true, "mean"
  panels.points(ax, windows_of(part), lists, options)
end

local function same(v) return v end
local function power10(v) return 10 ^ v end

-- Some of the windows: the first, the middle and the last.
local function draw_curves(ax, part)
  local n = #part.windows
  local shown = n > 2 and { 1, (n + 1) // 2, n } or { 1 }
  for c, w in ipairs(shown) do
    local group, curves, share = part.windows[w], {}, {}
    for i, r in ipairs(group.runs) do curves[i] = r.curve.mean end
    for i, step in ipairs(group.runs[1].curve.step) do share[i] = step / group.runs[1].steps end
    panels.curves(ax, share, curves, { label = "window " .. group.window, color = c,
                                       smooth = 0.2 })
  end
  ax:set { title = "Training loss, equal batch", xlabel = "share of the characters",
           xformat = "percent", ylabel = "nats per character" }
end

local function draw_both(ax, results, key, transform, settings)
  for i, part in ipairs(results) do
    draw(ax, part, key, transform,
         { label = part.rule, marker = i == 1 and "circle" or "square" })
  end
  settings.xlabel = "window length"
  ax:set(settings)
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, letters = true, title = "Window length at equal characters seen",
    caption = ("%s, %s, hidden %d, %d characters; batch %d, or %d characters an update; Adam · "
      .. "%d seeds: mean and range · times have a figure of their own: window_time")
      :format(config.corpus, config.cell, config.hidden, config.characters, config.batch,
        config.update, #config.seeds) }
  draw_both(fig:at(1, 1), results, "held_out", same,
            { title = "Loss, held-out text", ylabel = "nats per character" })
  draw_both(fig:at(1, 2), results, "norm", same, { yscale = "log" })
  draw(fig:at(1, 2), results[1], "reach", power10, { label = "that reaches the first state",
                                                     marker = "diamond" })
  fig:at(1, 2):set { title = "Gradient norm", ylabel = "norm" }
  draw_curves(fig:at(2, 1), results[1])
  draw_both(fig:at(2, 2), results, "held_out", math.exp,
            { title = "Perplexity, held-out text", ylabel = "perplexity" })
  return fig
end

local function check(config)
  experiment.demand.positive(config)
  local longest = math.max(table.unpack(config.windows))
  local least = longest * math.max(config.batch, batch_of(config, rules[2], longest))
  if config.characters < least then
    error(("option 'characters': %d do not fill one update of window %d"):format(
      config.characters, longest), 0)
  end
end

return experiment.define {
  name = "window_length",
  title = "Window length (F4)",
  question = "Which window of truncated BPTT learns most from the same text?",
  options = {
    { "corpus", "shakespeare", "corpus by name or path" },
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "windows", { 5, 10, 15, 20, 25, 30, 50, 100 }, "window lengths" },
    { "characters", 200000, "characters seen by each network" },
    { "batch", 4, "parallel streams of text, where the batch is equal" },
    { "update", 200, "characters of an update, where their number is equal" },
    { "lr", 0.004, "first learning rate; it falls to zero along a line" },
    { "clip", 5.0, "largest gradient norm" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, windows = { 5, 25, 100 }, characters = 60000 },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
