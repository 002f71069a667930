-- initialisation.lua -- F3: what the first weights do to gradients, and to learning.
--
--   unroll scripts/experiments/initialisation.lua [--help]
--
-- A rule fills all matrices (biases are zero); "identity" sets W_hh alone, the others are
-- then glorot. Gradients are measured before training, in float64, over windows of text: the norm
-- of dL/dh_t at every step, for the loss of the last step alone and for the sum over all.
--   mean, variance   over the steps of a window
--   decay rate       minus the slope of ln |dL/dh_t| against steps back, last loss
-- Then the network is trained, so that the norms stand beside what is learned.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local diagnostics, tensor = unroll.diagnostics, unroll.tensor
local summary, panels, column = experiment.summary, experiment.panels, experiment.column

local rules = {
  glorot = "glorot", orthogonal = "orthogonal", lecun = "lecun", he = "he",
  small = { normal = 0.01 }, large = { normal = 0.5 }, identity = { W_hh = { identity = 0.9 } },
}
local full_names = {
  glorot = "glorot (Xavier)", orthogonal = "orthogonal", lecun = "lecun", he = "he",
  small = "small, N(0, 0.01²)", large = "large, N(0, 0.5²)", identity = "0.9 × identity",
}
local short_names = { glorot = "glorot", identity = "0.9 ×\nidentity" }

-- What the founding document says of Xavier: norms and decay rates between these.
local document = { norm = { 0.01, 0.1 }, decay = { 0.08, 0.1 } }

local warm_up = 100 -- characters before a window, for its first state
local zero = -300   -- stands for log10 of 0 in the saved numbers

local function cases(config)
  local base = experiment.without(config, "seeds", "inits")
  return experiment.grid(base, "init", config.inits, "seed", config.seeds)
end

local function tokens(corpus, first, count)
  return corpus:tokens("all"):narrow(1, first, count):to("int32"):view(count, 1)
end

-- The norms of one window after `first`, in the order of steps back.
local function norms_back(model, corpus, first, T, loss)
  local _, state = model:forward(tokens(corpus, first - warm_up, warm_up),
    tokens(corpus, first - warm_up + 1, warm_up), nil, { train = false })
  local norms = diagnostics.state_gradients(model, tokens(corpus, first, T),
    tokens(corpus, first + 1, T), { loss = loss, state = state }):totable()
  local back = {}
  for k = 1, T do back[k] = norms[T + 1 - k] end
  return back
end

local function variance(values)
  local _, sd = summary.mean_sd(values)
  return sd * sd
end

local function decay_rate(back)
  local steps, logs = {}, {}
  for k, norm in ipairs(back) do
    if norm > 0 then
      steps[#steps + 1], logs[#logs + 1] = k - 1, math.log(norm)
    end
  end
  return -(diagnostics.fit_line(steps, logs))
end

-- Means over windows; the course through time as a mean of logarithms.
local function measure(model, corpus, case, loss)
  local generator, means, variances, rates, logs = tensor.generator(case.seed), {}, {}, {}, {}
  for k = 1, case.window do logs[k] = 0 end
  for i = 1, case.places do
    local first = warm_up + generator:integer(corpus.length - case.window - warm_up - 1)
    local back = norms_back(model, corpus, first, case.window, loss)
    means[i], variances[i], rates[i] = summary.mean_sd(back), variance(back), decay_rate(back)
    for k, norm in ipairs(back) do
      logs[k] = logs[k] + (norm > 0 and math.log(norm, 10) or zero) / case.places
    end
  end
  return { mean = (summary.mean_sd(means)), variance = (summary.mean_sd(variances)),
           decay = (summary.mean_sd(rates)), log_norm = logs }
end

local function run_case(case, report)
  local corpus = text.corpus(case.corpus)
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         init = rules[case.init] or case.init, seed = case.seed }
  local wide = model:to "float64"
  local W = wide.layers[1].W_hh
  local s = W and W:size(1) == W:size(2) and diagnostics.spectrum(W) or {}
  local result = { seed = case.seed, radius = s.radius, sigma_max = s.sigma_max,
                   last = measure(wide, corpus, case, "last"),
                   every = measure(wide, corpus, case, "every") }
  local history = train.fit(model, corpus, { steps = case.steps, window = case.train_window,
    lr = case.lr, clip_norm = case.clip, split = "all", progress = false })
  result.loss = train.evaluate(model, corpus, { split = "all" })
  result.curve = summary.bins(history.loss:totable(), 100)
  report(("%s, seed %d: decay %.3f a step, loss after training %.4f"):format(case.init,
    case.seed, result.last.decay, result.loss))
  return result
end

local function collect(config, list, outcomes)
  local results = { inits = {}, window = config.window }
  for i, entry in ipairs(experiment.group(list, outcomes, "init")) do
    results.inits[i] = { name = entry.init, runs = entry.runs }
  end
  return results
end

-- --- reading the results -----------------------------------------------------------------

local function name_of(entry) return full_names[entry.name] or entry.name end

local function spread_of(entry, key)
  local values = column(entry, key)
  return #values > 0 and summary.spread(values, "%.2f") or "–"
end

local function tables(results)
  local rows = {}
  for i, entry in ipairs(results.inits) do
    rows[i] = {
      name_of(entry), spread_of(entry, "radius"), spread_of(entry, "sigma_max"),
      summary.spread(column(entry, "last", "mean"), "%.2g"),
      summary.spread(column(entry, "every", "mean"), "%.2g"),
      summary.spread(column(entry, "every", "variance"), "%.2g"),
      summary.spread(column(entry, "last", "decay"), "%.3f"),
      summary.spread(column(entry, "loss"), "%.4f"),
    }
  end
  return { {
    title = "Initialisers (mean ± sd over seeds)",
    head = { "rule", "radius", "largest σ", "mean norm, last loss", "all losses",
             "variance, all losses", "decay a step", "loss after training" },
    rows = rows,
    note = ("The document: Xavier has norms of %g–%g and decays of %g–%g a step."):format(
      document.norm[1], document.norm[2], document.decay[1], document.decay[2]),
  } }
end

-- The entry whose mean of f over seeds is the lowest.
local function lowest(results, f)
  local best, best_value
  for _, entry in ipairs(results.inits) do
    local value = f(entry)
    if not best or value < best_value then best, best_value = entry, value end
  end
  return best, best_value
end

local function answer(results)
  local function mean_of(key, inner)
    return function(entry) return (summary.mean_sd(column(entry, key, inner))) end
  end
  local flat, rate = lowest(results, function(e) return math.abs(mean_of("last", "decay")(e)) end)
  local steady = lowest(results, mean_of("every", "variance"))
  local learned, loss = lowest(results, mean_of "loss")
  return ("Gradients change least with %s (%.3f a step); their variance over steps is lowest with "
    .. "%s, which ends at %.4f nats; %s ends lowest, at %.4f."):format(name_of(flat), rate,
    name_of(steady), mean_of "loss"(steady), name_of(learned), loss)
end

-- --- figure ------------------------------------------------------------------------------

local function names_of(results)
  local names = {}
  for i, entry in ipairs(results.inits) do names[i] = short_names[entry.name] or entry.name end
  return names
end

-- Medians over seeds with their range, as points: bars have no foot on a log axis.
local function draw_points(ax, results, inner, title, ylabel)
  local series = {}
  for l, loss in ipairs { { "last", "loss of the last step" }, { "every", "sum of all losses" } } do
    series[l] = { label = loss[2], marker = l == 1 and "circle" or "square", color = l, lists = {} }
    for i, entry in ipairs(results.inits) do
      series[l].lists[i] = column(entry, loss[1], inner)
    end
  end
  panels.beside(ax, names_of(results), series, { middle = "median", log = true })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = title, ylabel = ylabel }
end

local function draw_decay(ax, results)
  local rate, deviation, names, colors = {}, {}, {}, {}
  for i, entry in ipairs(results.inits) do
    rate[i], deviation[i] = summary.mean_sd(column(entry, "last", "decay"))
    names[i], colors[i] = entry.name, i -- as the lines of (d)
  end
  ax:bar(names, rate, { values = true, format = "%.2f", errors = deviation, colors = colors })
  ax:set { title = "Decay rate, last loss", ylabel = "fall of ln ‖∂L/∂h‖ a step" }
end

local floor = -16 -- log10; the curve that falls further is said where it leaves

local function draw_course(ax, results)
  local steps, high = {}, -math.huge
  for k = 1, results.window do steps[k] = k - 1 end
  for i, entry in ipairs(results.inits) do
    local curves = column(entry, "last", "log_norm")
    panels.curves(ax, steps, curves, { label = name_of(entry), color = i,
                                       transform = function(v) return 10 ^ v end })
    local mean = summary.across(curves)
    for k, v in ipairs(mean) do
      high = math.max(high, v)
      if v < floor and mean[k - 1] >= floor then
        ax:note(("falls to 10^{%.0f}"):format(mean[#mean]), k - 1, 10 ^ (floor + 0.5),
                { dx = 14, dy = 10, color = i, arrow = false })
      end
    end
  end
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Norm through time, last loss", xlabel = "steps back from the loss",
           ylabel = "‖∂L/∂h‖", yscale = "log", ylim = { 10 ^ floor, 10 ^ (high + 1.5) } }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, height = 7, letters = true, title = "Initialisation and gradients",
    caption = ("%s, %s, hidden %d, windows of %d, before training · %d seeds: median and range "
      .. "(a, b), mean ± sd (c), mean and range (d) · float64"):format(config.corpus, config.cell,
      config.hidden, config.window, #config.seeds) }
  draw_points(fig:at(1, 1), results, "mean", "Mean over the steps", "mean of ‖∂L/∂h‖")
  draw_points(fig:at(1, 2), results, "variance", "Variance over the steps", "variance of ‖∂L/∂h‖")
  draw_decay(fig:at(2, 1), results)
  draw_course(fig:at(2, 2), results)
  return fig
end

local function check(config)
  experiment.demand.positive(config)
  experiment.demand.initialisers(config, "inits", rules)
  experiment.demand.text("window", config.window + warm_up + 2, { config.corpus })
end

return experiment.define {
  name = "initialisation",
  title = "Weight initialisation (F3)",
  question = "Which first weights let gradients through, and does that decide what is learned?",
  options = {
    { "corpus", "simple", "corpus by name or path" },
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "inits", { "glorot", "small", "large", "identity", "orthogonal" },
      "rules: those of the figure, or any of rnn/init.lua" },
    { "window", 50, "steps of a measured window" },
    { "places", 10, "windows of text for each network" },
    { "steps", 1000, "updates of the training, Adam" },
    { "train_window", 25, "window of the training" },
    { "lr", 0.003, "learning rate" },
    { "clip", 5.0, "largest gradient norm" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, steps = 300, places = 4 },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
