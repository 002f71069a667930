-- window_length.lua -- F4: what the length of the window of truncated BPTT gains and costs.
--
--   unroll scripts/experiments/window_length.lua [--help]
--
-- Every length sees the same number of characters and is judged by the loss on held-out text,
-- with the state carried. With an equal batch a longer window makes fewer updates, which alone
-- is a handicap; with equal updates a longer window has a smaller batch. Norms are those
-- of the parameters' gradient (mean loss of a window) and of dL/dh at the first step of a
-- window for the loss of its last step. Times go into window_length-times.json; they are
-- fitted by power laws, time = factor * length^exponent: 1 for a window and 0 for a character
-- if the cost of BPTT is linear.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local diagnostics = unroll.diagnostics
local summary, statistics = experiment.summary, experiment.statistics

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

-- The second value is what the clock says: seconds of the whole training.
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
  return result, history.duration
end

local function by_window(list, outcomes, rule)
  local groups, known = {}, {}
  for i, case in ipairs(list) do
    local group = known[case.window]
    if case.rule == rule and not group then
      group = { window = case.window, runs = {} }
      known[case.window], groups[#groups + 1] = group, group
    end
    if case.rule == rule then group.runs[#group.runs + 1] = outcomes[i] end
  end
  return groups
end

local function collect(_, list, outcomes)
  local results = {}
  for i, rule in ipairs(rules) do
    results[i] = { rule = rule, windows = by_window(list, outcomes, rule) }
  end
  return results
end

-- Seconds a window and a character at an equal batch, medians over seeds; their power laws.
local function collect_times(config, list, seconds)
  local times = { window = {}, steps = {}, runs = {}, per_window = {}, per_character = {},
                  total = {} }
  for i, group in ipairs(by_window(list, seconds, "equal batch")) do
    local total = statistics.median(group.runs)
    local steps = config.characters // (group.window * config.batch)
    times.window[i], times.steps[i], times.runs[i] = group.window, steps, group.runs
    times.total[i] = total
    times.per_window[i] = total / steps
    times.per_character[i] = total / (steps * group.window * config.batch)
  end
  if #times.window > 1 then
    times.window_exponent = diagnostics.fit_power(times.window, times.per_window)
    times.character_exponent = diagnostics.fit_power(times.window, times.per_character)
  end
  return times
end

-- --- reading the results -----------------------------------------------------------------

local function column(group, key)
  local out = {}
  for i, r in ipairs(group.runs) do out[i] = r[key] end
  return out
end

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

local function time_tables(times)
  local rows = {}
  for i, window in ipairs(times.window) do
    rows[i] = { window, ("%.3f"):format(times.total[i]),
                ("%.1f"):format(times.per_window[i] * 1e6),
                ("%.3f"):format(times.per_character[i] * 1e6) }
  end
  return { {
    title = "Time of training (median over seeds)",
    head = { "window", "seconds, all", "µs a window", "µs a character" }, rows = rows,
    note = times.window_exponent and ("Power laws: a window costs length^%.2f, a character "
      .. "length^%.2f; the document says quadratic."):format(times.window_exponent,
      times.character_exponent),
  } }
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
  local mean, low, high = {}, {}, {}
  for i, group in ipairs(part.windows) do
    local values = column(group, key)
    for k, v in ipairs(values) do values[k] = transform(v) end
    local d = statistics.describe(values)
    mean[i], low[i], high[i] = d.mean, d.mean - d.low, d.high - d.mean
  end
  options.yerr, options.line = { low = low, high = high }, true
  ax:errorbar(windows_of(part), mean, options)
end

local function same(v) return v end
local function power10(v) return 10 ^ v end

-- Some of the windows: the first, the middle and the last.
local function draw_curves(ax, part)
  local n = #part.windows
  local shown = n > 2 and { 1, (n + 1) // 2, n } or { 1 }
  for c, w in ipairs(shown) do
    local group, curves = part.windows[w], {}
    for i, r in ipairs(group.runs) do curves[i] = summary.smooth(r.curve.mean, 0.2) end
    local mean, low, high = summary.across(curves)
    local share = {}
    for i, step in ipairs(group.runs[1].curve.step) do share[i] = step / group.runs[1].steps end
    ax:line(share, mean, { label = "window " .. group.window, color = c, marker = "none" })
    if #curves > 1 then ax:band(share, low, high, { color = c }) end
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
      .. "%d seeds: mean and range"):format(config.corpus, config.cell, config.hidden,
      config.characters, config.batch, config.update, #config.seeds) }
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

local function draw_time(ax, x, y, exponent, title, ylabel)
  ax:scatter(x, y, { label = "measured", color = 1 })
  if exponent then
    local _, factor = diagnostics.fit_power(x, y)
    local fitted = {}
    for i, window in ipairs(x) do fitted[i] = factor * window ^ exponent end
    ax:line(x, fitted, { label = ("∝ length^%.2f"):format(exponent), color = 1, marker = "none" })
    local quadratic = {} -- a time quadratic in the window is linear for a character
    local power = title:find "character" and 1 or 2
    for i, window in ipairs(x) do quadratic[i] = y[1] * (window / x[1]) ^ power end
    ax:line(x, quadratic, { label = "if quadratic", color = 7, dash = "dashed",
                            marker = "none" })
  end
  ax:set { title = title, xlabel = "window length", ylabel = ylabel, xscale = "log",
           yscale = "log" }
end

local function time_figure(times, _, config)
  local fig = unroll.plot.figure { cols = 2, letters = true, title = "Time and window length",
    caption = ("%s, hidden %d, batch %d · median of %d trainings, one core"):format(
      config.cell, config.hidden, config.batch, #config.seeds) }
  draw_time(fig:at(1, 1), times.window, times.per_window, times.window_exponent,
            "Time of a window", "seconds")
  draw_time(fig:at(1, 2), times.window, times.per_character, times.character_exponent,
            "Time of a character", "seconds")
  return fig
end

return experiment.define {
  name = "window_length",
  title = "Window length (F4)",
  question = "Which window of truncated BPTT learns most from the same text, and at what cost?",
  options = {
    { "corpus", "shakespeare", "corpus by name or path" },
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "windows", { 5, 10, 15, 20, 25, 30, 40, 50, 75, 100 }, "window lengths" },
    { "characters", 200000, "characters seen by each network" },
    { "batch", 4, "parallel streams of text, where the batch is equal" },
    { "update", 200, "characters of an update, where their number is equal" },
    { "lr", 0.004, "first learning rate; it falls to zero along a line" },
    { "clip", 5.0, "largest gradient norm" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, windows = { 5, 25, 100 }, characters = 60000 },
  alone = true, cases = cases, run_case = run_case, collect = collect,
  collect_times = collect_times, tables = tables, time_tables = time_tables, answer = answer,
  figure = figure, time_figure = time_figure,
}:main(arg)
