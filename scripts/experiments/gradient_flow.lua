-- gradient_flow.lua -- F2 and T3: how much of a gradient reaches the first step of a window.
--
--   unroll scripts/experiments/gradient_flow.lua [--help]
--
-- Windows of text end at random places; the state before them is that of the text before.
-- The loss is that of the last step alone, so that everything which arrives at the first
-- step has come all the way; the sum over all steps, where the nearest losses hide that, is
-- shown beside it. Norms are means of logarithms over places, in float64. Each network is
-- measured as it was initialised and after training.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local diagnostics, tensor = unroll.diagnostics, unroll.tensor
local summary, median = experiment.summary, experiment.statistics.median

-- What the founding document reports (its table T3).
local document = { window = { 5, 25, 50 }, norm = { 0.045, 0.003, 0.0008 } }

local warm_up = 100 -- characters before a window, for its first state
local zero = -400   -- stands for log10 of 0 in the saved numbers

local function log10(v) return v > 0 and math.log(v, 10) or zero end

local function tokens(corpus, first, count)
  return corpus:tokens("all"):narrow(1, first, count):contiguous():view(count, 1)
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

local function measure(model, corpus, case, places)
  local wide = model:to "float64"
  local out = { last = {}, every = {}, saturation = 0 }
  for w, T in ipairs(case.windows) do
    out.last[w] = decay(wide, corpus, places, T, "last")
    out.every[w] = decay(wide, corpus, places, T, "every")
  end
  local s = diagnostics.spectrum(wide.W_hh)
  out.radius, out.sigma_max = s.radius, s.sigma_max
  out.spectra = spectra(wide, corpus, places[1], case.product, case.lags)
  local x, _, state = window_at(wide, corpus, places[1], case.product)
  out.saturation = diagnostics.saturation((wide.layers[1]:forward(x, state[1])),
    { cell = case.cell })
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

local function run_case(case, report)
  local corpus = assert(text.corpus(case.corpus))
  local places = draw_places(case, corpus)
  local model = rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                         init = case.init, seed = case.seed }
  local result = { seed = case.seed, initial = measure(model, corpus, case, places) }
  train.fit(model, corpus, { steps = case.steps, window = case.window,
    lr = case.lr, clip_norm = case.clip, split = "all", progress = false })
  result.trained = measure(model, corpus, case, places)
  result.loss = train.evaluate(model, corpus, { split = "all" })
  report(("seed %d: spectral radius %.3f, after training %.3f; loss %.4f"):format(case.seed,
    result.initial.radius, result.trained.radius, result.loss))
  return result
end

local function collect(config, _, runs)
  return { windows = config.windows, lags = config.lags, runs = runs }
end

-- --- reading the results -----------------------------------------------------------------

-- One list of a value for each seed.
local function over_seeds(results, f)
  local out = {}
  for i, r in ipairs(results.runs) do out[i] = f(r) end
  return out
end

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

local function norm_table(results)
  local rows = {}
  for w, T in ipairs(results.windows) do
    rows[w] = { T, range(reached(results, "initial", "last", w)),
                range(reached(results, "trained", "last", w)),
                range(reached(results, "initial", "every", w)),
                range(reached(results, "trained", "every", w)), of_document(T) }
  end
  return {
    title = "T3: norm of the gradient that reaches the first step, median (range over seeds)",
    head = { "window", "last loss, initial", "last loss, trained", "all losses, initial",
             "all losses, trained", "doc." },
    rows = rows,
    note = "|dL/dh_1| in nats; 'last loss': of the last step alone; 'doc.': the founding document.",
  }
end

local function matrix_table(results)
  local rows = {}
  for _, stage in ipairs { "initial", "trained" } do
    local function column(key)
      return summary.spread(over_seeds(results, function(r) return r[stage][key] end))
    end
    local exponents = over_seeds(results, function(r) return r[stage].spectra.lyapunov end)
    rows[#rows + 1] = { stage, column "radius", column "sigma_max", column "saturation",
                        summary.spread(exponents) }
  end
  return {
    title = "The recurrent matrix (mean ± sd over seeds)",
    head = { "network", "spectral radius", "largest singular value", "share saturated",
             "Lyapunov exponent" },
    rows = rows,
    note = "Lyapunov exponent: the largest, in nats a step; share saturated: |h| > 0.97.",
  }
end

local function tables(results) return { norm_table(results), matrix_table(results) } end

-- Slope of log10 norm a step over the longest window, as a factor, mean over seeds.
local function factor(results, stage)
  local w = #results.windows
  local slopes = over_seeds(results, function(r)
    local steps = {}
    for k = 1, #r[stage].last[w] do steps[k] = k - 1 end
    return (diagnostics.fit_line(steps, r[stage].last[w]))
  end)
  return 10 ^ (summary.mean_sd(slopes))
end

local function answer(results)
  local sigma = summary.mean_sd(over_seeds(results, function(r) return r.initial.sigma_max end))
  return ("A step back multiplies the gradient by %.3f at initialisation and by %.3f after "
    .. "training; the bound would allow %.3f (largest singular value of W_hh, initial).")
    :format(factor(results, "initial"), factor(results, "trained"), sigma)
end

-- --- figure ------------------------------------------------------------------------------

local function across(results, f)
  local mean, low, high = summary.across(over_seeds(results, f))
  return power10(mean), power10(low), power10(high)
end

local function steps_back(count)
  local out = {}
  for k = 1, count do out[k] = k - 1 end
  return out
end

-- The longest window first: the shorter ones, which take the same course, stay visible.
local function draw_decay(ax, results)
  for w = #results.windows, 1, -1 do
    local steps = steps_back(results.windows[w])
    local last = across(results, function(r) return r.initial.last[w] end)
    local every = across(results, function(r) return r.initial.every[w] end)
    ax:line(steps, every, { color = w, dash = "dotted", marker = "none",
                            label = w == 1 and "sum of all losses" or nil })
    ax:line(steps, last, { color = w, label = "last loss, " .. results.windows[w] .. " steps",
                           marker = "none" })
    ax:scatter({ steps[#steps], steps[#steps] }, { last[#last], every[#every] },
      { color = w, size = 4 })
  end
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "One line a window length", yscale = "log",
           xlabel = "steps back from the last", ylabel = "‖∂L/∂h‖, initial" }
end

local function draw_reached(ax, results)
  local kinds = {
    { "initial", "last", "last loss, initial" }, { "trained", "last", "last loss, trained" },
    { "initial", "every", "all losses, initial" }, { "trained", "every", "all losses, trained" },
  }
  for k, kind in ipairs(kinds) do
    local mean, low, high = across(results, function(r)
      local out = {}
      for w, back in ipairs(r[kind[1]][kind[2]]) do out[w] = back[#back] end
      return out
    end)
    local dash = kind[2] == "every" and "dotted" or "solid"
    ax:line(results.windows, mean, { color = (k - 1) % 2 + 1, label = kind[3], dash = dash })
    if #results.runs > 1 and kind[2] == "last" then
      ax:band(results.windows, low, high, { color = (k - 1) % 2 + 1 })
    end
  end
  ax:scatter(document.window, document.norm, { label = "founding document", color = 7,
                                               marker = "diamond" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "What reaches the first step", yscale = "log",
           xlabel = "window length", ylabel = "‖∂L/∂h₁‖" }
end

-- Relative to the gradient at the last step; spectral radius and bound as they would say.
local function draw_bound(ax, results)
  local w = #results.windows
  for i, stage in ipairs { "initial", "trained" } do
    local measured, low, high = across(results, function(r)
      local out = {}
      for k, v in ipairs(r[stage].last[w]) do out[k] = v - r[stage].last[w][1] end
      return out
    end)
    local steps = steps_back(#measured)
    ax:line(steps, measured, { label = "measured, " .. stage, color = i, marker = "none" })
    if #results.runs > 1 then ax:band(steps, low, high, { color = i }) end
    for _, law in ipairs { { "sigma_max", "dashed", "bound σₘₐₓᵏ, " },
                           { "radius", "dotted", "radius ρᵏ, " } } do
      local line = across(results, function(r)
        local out = {}
        for k = 1, #measured do out[k] = (k - 1) * math.log(r[stage][law[1]], 10) end
        return out
      end)
      ax:line(steps, line, { label = law[3] .. stage, color = i, dash = law[2],
                             marker = "none" })
    end
  end
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Decay, bound and radius", yscale = "log", ylim = { 1e-8, 1e12 },
           xlabel = "steps back, k", ylabel = "‖∂L/∂h‖, last step = 1" }
end

local function draw_spectra(ax, results)
  for i, key in ipairs { "largest", "fifth", "median" } do
    local mean, low, high = across(results, function(r) return r.initial.spectra[key] end)
    ax:line(results.lags, mean, { label = key, color = i + 2, marker = "none" })
    if #results.runs > 1 then ax:band(results.lags, low, high, { color = i + 2 }) end
  end
  local stepwise = across(results, function(r) return r.initial.spectra.stepwise end)
  ax:line(results.lags, stepwise, { label = "product of the norms", color = 7, dash = "dashed",
                                    marker = "none" })
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Singular values of products", yscale = "log",
           xlabel = "steps back, k", ylabel = "of ∂h(T)/∂h(T−k)" }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, height = 7.4, letters = true, title = "How far back gradients reach",
    caption = ("%s, %s, hidden %d, init %s · %d seeds × %d windows of text: mean of the "
      .. "logarithms, band from lowest to highest seed · float64"):format(config.corpus,
      config.cell, config.hidden, config.init, #config.seeds, config.places) }
  draw_decay(fig:at(1, 1), results)
  draw_reached(fig:at(1, 2), results)
  draw_bound(fig:at(2, 1), results)
  draw_spectra(fig:at(2, 2), results)
  return fig
end

return experiment.define {
  name = "gradient_flow",
  title = "Gradient flow (F2, T3)",
  question = "How much of the gradient of a loss reaches the first step of its window?",
  options = {
    { "corpus", "simple", "corpus by name or path" },
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
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, steps = 300, places = 4 },
  cases = cases, run_case = run_case, collect = collect, tables = tables,
  answer = answer, figure = figure,
}:main(arg)
