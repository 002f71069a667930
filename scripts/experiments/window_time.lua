-- window_time.lua -- F4c: how the time of a training grows with the window.
--
--   unroll scripts/experiments/window_time.lua [--help]
--
-- The trainings of window_length.lua with an equal batch, on fewer characters, one after the
-- other while nothing else runs. Times go into window_time-times.json; they are fitted by power
-- laws, time = factor * length^exponent: 1 for a window and 0 for a character if the cost is
-- linear. All of a training counts: batches, both passes, clip and optimiser; cost.lua has the
-- passes alone.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local diagnostics = unroll.diagnostics
local summary, statistics, panels = experiment.summary, experiment.statistics, experiment.panels

local function cases(config)
  local base = experiment.without(config, "seeds", "windows")
  return experiment.grid(base, "window", config.windows, "seed", config.seeds)
end

-- The second value is what the clock says: seconds of all updates.
local function run_case(case, report)
  local corpus = assert(text.corpus(case.corpus))
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         seed = case.seed }
  local steps = case.characters // (case.window * case.batch)
  local history = train.fit(model, corpus, { steps = steps, batch = case.batch,
    window = case.window, lr = case.lr, clip_norm = case.clip, progress = false })
  report(("window %d, seed %d: %.3f s"):format(case.window, case.seed, history.duration))
  return { steps = steps, loss = history.loss[steps] }, history.duration
end

local function collect(_, list, outcomes)
  local results = experiment.group(list, outcomes, "window")
  for _, entry in ipairs(results) do entry.steps = entry.runs[1].steps end
  return results
end

-- Seconds a window and a character for each seed; the exponents of their power laws, too.
local function collect_times(config, list, seconds)
  local times = { window = {}, per_window = {}, per_character = {}, exponent = {} }
  for w, entry in ipairs(experiment.group(list, seconds, "window")) do
    local steps = config.characters // (entry.window * config.batch)
    times.window[w], times.per_window[w], times.per_character[w] = entry.window, {}, {}
    for s, total in ipairs(entry.runs) do
      times.per_window[w][s] = total / steps
      times.per_character[w][s] = total / (steps * entry.window * config.batch)
    end
  end
  for s = 1, #times.window > 1 and #times.per_window[1] or 0 do
    local of_seed = {}
    for w = 1, #times.window do of_seed[w] = times.per_window[w][s] end
    times.exponent[s] = diagnostics.fit_power(times.window, of_seed)
  end
  return times
end

-- --- reading the results -----------------------------------------------------------------

local function tables(results, config)
  local rows = {}
  for i, entry in ipairs(results) do
    local losses = experiment.column(entry, "loss")
    rows[i] = { entry.window, config.batch, entry.steps, summary.spread(losses) }
  end
  return { { title = "Trainings whose time is measured",
             head = { "window", "batch", "updates", "loss of the last update, nats" },
             rows = rows } }
end

local function time_tables(times)
  local rows = {}
  for i, window in ipairs(times.window) do
    local seconds, character = times.per_window[i], times.per_character[i]
    rows[i] = { window, ("%.1f"):format(1e6 * statistics.median(seconds)),
      ("%.1f to %.1f"):format(1e6 * math.min(table.unpack(seconds)),
        1e6 * math.max(table.unpack(seconds))),
      ("%.3f"):format(1e6 * statistics.median(character)) }
  end
  return { {
    title = "F4: time of training (median over seeds)",
    head = { "window", "µs a window", "range", "µs a character" }, rows = rows,
    note = #times.exponent > 0 and ("A window costs length^%s; the document says length^2."):format(
      summary.spread(times.exponent, "%.2f")) or nil,
  } }
end

local function answer(results)
  return ("%d window lengths of %d to %d; the times stand in their own table."):format(#results,
    results[1].window, results[#results].window)
end

-- --- figure ------------------------------------------------------------------------------

-- A time quadratic in the window is linear for a character.
local function draw_time(ax, windows, seconds, quadratic, settings)
  panels.points(ax, windows, seconds, { middle = "median", label = "measured", color = 1 })
  local middle, law = {}, {}
  for w, values in ipairs(seconds) do middle[w] = statistics.median(values) end
  if #windows > 1 then
    local exponent, factor = diagnostics.fit_power(windows, middle)
    local fitted = {}
    for w, window in ipairs(windows) do fitted[w] = factor * window ^ exponent end
    ax:line(windows, fitted, { label = ("∝ length^{%.2f}"):format(exponent), color = 1,
                               marker = "none" })
  end
  for w, window in ipairs(windows) do law[w] = middle[1] * (window / windows[1]) ^ quadratic end
  ax:line(windows, law, { label = "if quadratic", color = 7, dash = "dashed", marker = "none" })
  settings.xlabel, settings.ylabel, settings.xscale, settings.yscale =
    "window length", "seconds", "log", "log"
  ax:legend { place = "below", columns = 3 }
  ax:set(settings)
end

local function time_figure(times, _, config)
  local fig = unroll.plot.figure { cols = 2, height = 4, letters = true,
    title = "Training time and window length",
    caption = ("%s, hidden %d, batch %d · %d trainings: median and range, one core"):format(
      config.cell, config.hidden, config.batch, #config.seeds) }
  draw_time(fig:at(1, 1), times.window, times.per_window, 2, { title = "Time of a window" })
  draw_time(fig:at(1, 2), times.window, times.per_character, 1, { title = "Time of a character" })
  return fig
end

local function check(config)
  experiment.demand.positive(config)
  local longest = math.max(table.unpack(config.windows))
  if config.characters < longest * config.batch then
    error(("option 'characters': %d do not fill one update of window %d"):format(
      config.characters, longest), 0)
  end
end

return experiment.define {
  name = "window_time",
  title = "Window length: time (F4)",
  question = "Does the time of a training grow with the window, or with its square?",
  options = {
    { "corpus", "shakespeare", "corpus by name or path" },
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "windows", { 5, 10, 20, 30, 50, 75, 100 }, "window lengths" },
    { "characters", 40000, "characters seen by each network" },
    { "batch", 4, "parallel streams of text" },
    { "lr", 0.004, "learning rate, Adam" },
    { "clip", 5.0, "largest gradient norm" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one training each" },
  },
  quick = { seeds = { 1 }, windows = { 5, 25, 100 }, characters = 20000 },
  check = check,
  alone = true, cases = cases, run_case = run_case, collect = collect,
  collect_times = collect_times, tables = tables, time_tables = time_tables, answer = answer,
  time_figure = time_figure,
}:main(arg)
