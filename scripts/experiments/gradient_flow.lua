-- gradient_flow.lua -- F2 and T3: how much of a gradient reaches the first step of a window.
--
--   unroll scripts/experiments/gradient_flow.lua [--help]
--
-- Windows of text end at random places; the state before them is that of the text before.
-- The loss is that of the last step alone, so that everything which arrives at the first
-- step has come all the way; the sum over all steps, where the nearest losses hide that, is
-- shown beside it. Norms are means of logarithms over places, in float64. A network is
-- measured as it was initialised and after training; a second one, of the same seed, after
-- training on prose, which does not repeat.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local diagnostics, tensor = unroll.diagnostics, unroll.tensor
local summary, panels = experiment.summary, experiment.panels
local median = experiment.statistics.median

-- What the founding document reports (its table T3).
local document = { window = { 5, 25, 50 }, norm = { 0.045, 0.003, 0.0008 } }

local warm_up = 100 -- characters before a window, for its first state
local zero = -400   -- stands for log10 of 0 in the saved numbers

local function log10(v) return v > 0 and math.log(v, 10) or zero end

local function tokens(corpus, first, count)
  return corpus:tokens("all"):narrow(1, first, count):to("int32"):view(count, 1)
end

-- Inputs, targets and first state of the window of T characters before position `last`.
local function window_at(model, corpus, last, T)
  local before = last - T - warm_up
  local _, state = model:forward(tokens(corpus, before, warm_up),
    tokens(corpus, before + 1, warm_up), nil, { train = false })
  return tokens(corpus, last - T, T), tokens(corpus, last - T + 1, T), state
end

-- Mean over places of log10 |dL/dh| at 0, 1, ..., T-1 steps back from the loss.
local function decay(model, corpus, places, T, loss)
  local sum = tensor.zeros(T, { dtype = "float64" })
  for _, last in ipairs(places) do
    local x, y, state = window_at(model, corpus, last, T)
    sum:add_(diagnostics.state_gradients(model, x, y, { loss = loss, state = state }):log())
  end
  local mean, back = sum:div(#places * math.log(10)):totable(), {}
  for k = 1, T do back[k] = math.max(zero, mean[T + 1 - k]) end
  return back
end

-- log10 of the largest, the fifth and the median singular value of products of Jacobians, and
-- of the product of the norms of the single ones, for each of `lags`; the largest Lyapunov
-- exponent of the trajectory.
local function spectra(model, corpus, last, T, lags)
  local x, _, state = window_at(model, corpus, last, T)
  local J = diagnostics.jacobians(model.layers[1], x, state[1])
  local by_lag = diagnostics.product_singular_values(J, lags)
  local norms, sum = {}, 0
  for k = 1, T do
    local _, S = J:select(1, T + 1 - k):svd()
    sum = sum + log10(S[1])
    norms[k] = sum
  end
  local out = { largest = {}, fifth = {}, median = {}, stepwise = {},
                lyapunov = math.max(zero, diagnostics.lyapunov(J)[1]) }
  for i, lag in ipairs(lags) do
    local s = by_lag[lag]
    out.largest[i], out.fifth[i] = math.max(zero, s[1]), math.max(zero, s[math.min(5, #s)])
    out.median[i], out.stepwise[i] = math.max(zero, s[(#s + 1) // 2]), norms[lag]
  end
  return out
end

-- The share of outputs that hardly pass a gradient on, and max|f'|, on the way to all places;
-- nothing for other cells, whose outputs do not say what passes.
local function slopes(model, corpus, case, places)
  if case.cell ~= "tanh" and case.cell ~= "relu" then return nil end
  local T, share, largest = math.max(table.unpack(case.windows)), 0, 0
  for _, last in ipairs(places) do
    local x, _, state = window_at(model, corpus, last, T)
    local h = model.layers[1]:forward(x, state[1])
    share = share + diagnostics.saturation(h, { cell = case.cell })
    largest = math.max(largest, case.cell == "tanh" and 1 - (h * h):min() or 1)
  end
  return share / #places, largest
end

-- What the recurrent matrix says, when it is square: that of a simple cell is.
local function of_matrix(model, slope)
  local W = model.layers[1].W_hh
  if not W or W:size(1) ~= W:size(2) then return {} end
  local s = diagnostics.spectrum(W)
  return { radius = s.radius, sigma_max = s.sigma_max,
           bound = diagnostics.bound(W, { 1 }, slope)[1] }
end

local function measure(model, corpus, case, places)
  local wide = model:to "float64"
  local saturation, slope = slopes(wide, corpus, case, places)
  local out = of_matrix(wide, slope)
  out.last, out.every, out.saturation, out.slope = {}, {}, saturation, slope
  for w, T in ipairs(case.windows) do
    out.last[w] = decay(wide, corpus, places, T, "last")
    out.every[w] = decay(wide, corpus, places, T, "every")
  end
  out.spectra = spectra(wide, corpus, places[1], case.product, case.lags)
  return out
end

local function cases(config)
  local base = experiment.without(config, "seeds")
  return experiment.grid(base, "seed", config.seeds)
end

-- Last positions of the windows to measure.
local function draw_places(case, corpus)
  local generator, places = tensor.generator(case.seed), {}
  local first = math.max(case.product, table.unpack(case.windows)) + warm_up + 1
  for i = 1, case.places do
    places[i] = first - 1 + generator:integer(corpus.length - first)
  end
  return places
end

-- A network on one text: measured before (when wanted) and after training; its loss.
local function study(case, name, before)
  local corpus = assert(text.corpus(name))
  local places, initial = draw_places(case, corpus), nil
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         init = case.init, seed = case.seed }
  if before then initial = measure(model, corpus, case, places) end
  train.fit(model, corpus, { steps = case.steps, window = case.window,
    lr = case.lr, clip_norm = case.clip, split = "all", progress = false })
  local loss = train.evaluate(model, corpus, { split = "all" })
  return measure(model, corpus, case, places), loss, initial
end

local function run_case(case, report)
  local trained, loss, initial = study(case, case.corpus, true)
  local prose, prose_loss = study(case, case.prose, false)
  report(("seed %d: loss %.4f, on prose %.4f"):format(case.seed, loss, prose_loss))
  return { seed = case.seed, initial = initial, trained = trained, prose = prose, loss = loss,
           prose_loss = prose_loss }
end

local function collect(config, _, runs)
  return { windows = config.windows, lags = config.lags, runs = runs }
end

-- --- reading the results -----------------------------------------------------------------

-- One list of a value for each seed.
local function over_seeds(results, f) return experiment.over(results.runs, f) end

-- log10 of the norm that reaches the first step of window w, for each seed.
local function reached(results, stage, loss, w)
  return over_seeds(results, function(r)
    local back = r[stage][loss][w]
    return back[#back]
  end)
end

local function power10(values)
  local out = {}
  for i, v in ipairs(values) do out[i] = 10 ^ v end
  return out
end

-- "1.2e-03 (5.1e-04–2.9e-03)": the median over seeds, and the range.
local function range(logs)
  table.sort(logs)
  if #logs == 1 then return ("%.1e"):format(10 ^ logs[1]) end
  return ("%.1e (%.1e to %.1e)"):format(10 ^ median(logs), 10 ^ logs[1], 10 ^ logs[#logs])
end

local function of_document(window)
  for i, T in ipairs(document.window) do
    if T == window then return document.norm[i] end
  end
end

local stages = { "initial", "trained", "prose" }
local stage_names = { initial = "initial", trained = "trained", prose = "trained on prose" }

local function norm_table(results, loss, title)
  local rows = {}
  for w, T in ipairs(results.windows) do
    rows[w] = { T, of_document(T) or "–" }
    for _, stage in ipairs(stages) do
      table.insert(rows[w], range(reached(results, stage, loss, w)))
    end
  end
  return {
    title = title, head = { "window", "doc.", "initial", "trained", "trained on prose" },
    rows = rows,
    note = "|dL/dh_1| in nats, median (range over seeds); doc.: the founding document.",
  }
end

local function matrix_table(results)
  local rows = {}
  for _, stage in ipairs(stages) do
    local function cell(key)
      local values = over_seeds(results, function(r) return r[stage][key] end)
      return #values > 0 and summary.spread(values) or "–"
    end
    local exponents = over_seeds(results, function(r) return r[stage].spectra.lyapunov end)
    rows[#rows + 1] = { stage_names[stage], cell "radius", cell "sigma_max", cell "slope",
                        cell "saturation", summary.spread(exponents) }
  end
  return {
    title = "The recurrent matrix and the states (mean ± sd over seeds)",
    head = { "network", "spectral radius", "σ_max", "max|f'|", "saturated", "Lyapunov" },
    rows = rows,
    note = "Saturated: share of |h| > 0.97 (relu: of zeros); Lyapunov: the largest exponent, "
      .. "nats a step.",
  }
end

local function tables(results)
  return { norm_table(results, "last", "T3: gradient at the first step, loss of the last step"),
           norm_table(results, "every", "The same for the sum of the losses of all steps"),
           matrix_table(results) }
end

-- Slope of log10 norm a step over the longest window, as a factor, mean over seeds.
local function factor(results, stage)
  local w = #results.windows
  local rates = over_seeds(results, function(r)
    local steps = {}
    for k = 1, #r[stage].last[w] do steps[k] = k - 1 end
    return (diagnostics.fit_line(steps, r[stage].last[w]))
  end)
  return 10 ^ (summary.mean_sd(rates))
end

-- The bound on the factor of a step, mean over seeds.
local function bound_of(results, stage)
  return (summary.mean_sd(power10(over_seeds(results, function(r) return r[stage].bound end))))
end

local function answer(results)
  local said = ("A step back multiplies the gradient by %.3f at initialisation, by %.3f after "
    .. "training and by %.3f after training on prose"):format(factor(results, "initial"),
    factor(results, "trained"), factor(results, "prose"))
  local bounds = over_seeds(results, function(r) return r.initial.bound end)
  if #bounds == 0 then return said .. "." end
  return ("%s; the bound, σ_max · max|f'|, would allow %.3f, %.3f and %.3f."):format(said,
    bound_of(results, "initial"), bound_of(results, "trained"), bound_of(results, "prose"))
end

-- --- figure ------------------------------------------------------------------------------

local function mean_norms(results, f)
  return power10((summary.across(over_seeds(results, f))))
end

local function steps_back(count)
  local out = {}
  for k = 1, count do out[k] = k - 1 end
  return out
end

local function power(v) return 10 ^ v end

-- The shorter windows take the course of the longer ones: they are drawn wider, beneath.
local function draw_decay(ax, results)
  local count = #results.windows
  for w, T in ipairs(results.windows) do
    local steps, width = steps_back(T), 1.4 + 0.9 * (count - w)
    local last = mean_norms(results, function(r) return r.initial.last[w] end)
    local every = mean_norms(results, function(r) return r.initial.every[w] end)
    ax:line(steps, last, { color = w, label = T .. " steps", marker = "none", width = width })
    ax:line(steps, every, { color = w, dash = "dotted", marker = "none" })
    ax:scatter({ steps[T] }, { every[T] }, { color = w, size = 4 })
    ax:scatter({ steps[T] }, { last[T] }, { color = w, size = 4 })
  end
  ax:legend { place = "below", columns = 3 }
  ax:set { title = "One line a window length", yscale = "log",
           xlabel = "steps back from the last", ylabel = "‖∂L/∂h‖, initial" }
end

-- log10 of what reaches the first step, for each window.
local function arrivals(r, stage, loss)
  local out = {}
  for w, back in ipairs(r[stage][loss]) do out[w] = back[#back] end
  return out
end

local function draw_reached(ax, results)
  for s, stage in ipairs(stages) do
    local last = over_seeds(results, function(r) return arrivals(r, stage, "last") end)
    local every = over_seeds(results, function(r) return arrivals(r, stage, "every") end)
    panels.curves(ax, results.windows, last, { label = stage_names[stage], color = s,
                                               transform = power })
    panels.curves(ax, results.windows, every, { color = s, dash = "dotted", transform = power,
                                                band = false })
  end
  ax:scatter(document.window, document.norm, { label = "founding document", color = 7,
                                               marker = "diamond" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "What reaches the first step", yscale = "log",
           xlabel = "window length", ylabel = "‖∂L/∂h₁‖" }
end

local shown = 50 -- steps back; further, the bounds would squeeze all that is measured

local function first_of(list, count) return table.move(list, 1, math.min(#list, count), 1, {}) end

-- A line of log10 norms with the slope f(stage) for each seed.
local function draw_law(ax, steps, results, f, opts)
  local curves = {}
  for _, slope in ipairs(over_seeds(results, f)) do
    curves[#curves + 1] = {}
    for k, step in ipairs(steps) do curves[#curves][k] = step * slope end
  end
  if #curves > 0 then panels.curves(ax, steps, curves, opts) end
end

-- Relative to the gradient at the last step; spectral radius and bound as they would say.
local function draw_bound(ax, results)
  local w = #results.windows
  local steps = steps_back(math.min(shown, results.windows[w]))
  for i, stage in ipairs { "initial", "trained" } do
    local measured = over_seeds(results, function(r)
      local out = {}
      for k, v in ipairs(first_of(r[stage].last[w], shown)) do
        out[k] = v - r[stage].last[w][1]
      end
      return out
    end)
    panels.curves(ax, steps, measured, { label = "measured, " .. stage, color = i,
                                         transform = power })
    draw_law(ax, steps, results, function(r) return r[stage].bound end, { color = i,
      dash = "dashed", label = "bound, " .. stage, band = false, transform = power })
    draw_law(ax, steps, results, function(r)
      return r[stage].radius and math.log(r[stage].radius, 10)
    end, { color = i, dash = "dotted", label = "ρ^{k}, " .. stage, band = false,
           transform = power })
  end
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Decay, bound and radius", yscale = "log",
           xlabel = "steps back, k", ylabel = "‖∂L/∂h‖, last step = 1" }
end

local function draw_spectra(ax, results)
  for i, key in ipairs { "largest", "fifth", "median" } do
    panels.curves(ax, results.lags,
      over_seeds(results, function(r) return r.initial.spectra[key] end),
      { label = key, color = i + 2, transform = power })
  end
  panels.curves(ax, results.lags,
    over_seeds(results, function(r) return r.initial.spectra.stepwise end),
    { label = "product of the norms", color = 7, dash = "dashed", transform = power,
      band = false })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Singular values of products", yscale = "log",
           xlabel = "steps back, k", ylabel = "of ∂h(T)/∂h(T−k), initial" }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, height = 7.4, letters = true, title = "How far back gradients reach",
    caption = ("%s (prose: %s), %s, hidden %d, init %s · %d seeds × %d windows of text: mean of "
      .. "the logarithms, band from lowest to highest seed · dotted in (a, b): sum of all "
      .. "losses · bound in (c): (σ_{max} max|f′|)^{k}, radius: ρ^{k} · float64"):format(
      config.corpus, config.prose, config.cell, config.hidden, config.init, #config.seeds,
      config.places) }
  draw_decay(fig:at(1, 1), results)
  draw_reached(fig:at(1, 2), results)
  draw_bound(fig:at(2, 1), results)
  draw_spectra(fig:at(2, 2), results)
  return fig
end

local function check(config)
  experiment.demand.positive(config)
  experiment.demand.initialisers(config, "init")
  local longest = math.max(config.product, table.unpack(config.windows))
  experiment.demand.text("windows", longest + warm_up + 2, { config.corpus, config.prose })
  for _, lag in ipairs(config.lags) do
    if lag > config.product then
      error(("option 'lags': %d is more than the %d Jacobians of 'product'"):format(lag,
        config.product), 0)
    end
  end
end

return experiment.define {
  name = "gradient_flow",
  title = "Gradient flow (F2, T3)",
  question = "How much of the gradient of a loss reaches the first step of its window?",
  options = {
    { "corpus", "simple", "corpus by name or path" },
    { "prose", "shakespeare", "a corpus that does not repeat" },
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "init", "glorot", "initialiser of all matrices" },
    { "windows", { 5, 10, 25, 50, 100 }, "window lengths to measure" },
    { "places", 10, "windows of text for each network" },
    { "product", 100, "steps of the trajectory whose Jacobians are multiplied" },
    { "lags", { 1, 2, 5, 10, 20, 30, 40, 50, 70, 100 }, "numbers of Jacobians multiplied" },
    { "steps", 1000, "updates of the training, Adam" },
    { "window", 25, "window of the training" },
    { "lr", 0.003, "learning rate" },
    { "clip", 5.0, "largest gradient norm" },
    { "seeds", { 6, 7, 8, 9, 10 }, "one network each" },
  },
  quick = { seeds = { 6 }, steps = 300, places = 4 },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables,
  answer = answer, figure = figure,
}:main(arg)
