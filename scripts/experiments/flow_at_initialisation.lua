-- flow_at_initialisation.lua -- how a recurrent matrix alone decides what gradients do.
--
--   unroll scripts/experiments/flow_at_initialisation.lua [--help]
--
-- A tanh network as it was drawn, uniform random symbols in, cross-entropy at the last step
-- alone, float64: log10 of |dL/dh_{T-l}| / |dL/dh_T|, mean over networks. W_xh ~ N(0, 0.1^2),
-- W_hy ~ N(0, 1/H), biases and first state zero; only W_hh differs. Beside it the bound
-- sigma_max(W_hh)^l, which says little: 10^15 where 10^-1 is measured. The input weights
-- matter too: a seventh network has W_xh ~ N(0, 1), which saturates its units.
local unroll = require "unroll"
local experiment, rnn = unroll.experiment, unroll.rnn
local diagnostics, tensor = unroll.diagnostics, unroll.tensor
local summary, panels, column = experiment.summary, experiment.panels, experiment.column

-- W_hh by name; scale is the deviation as a function of H, `input` that of W_xh. `expected`
-- are means over 400 networks at H = 50, T = 50, V = 19, calibrated once with another program,
-- for l = 5, 10, 25, 49 (false: not known).
local matrices = {
  { name = "0.5 N(0,1/n)", scale = function(n) return 0.5 / math.sqrt(n) end,
    expected = { -1.56, -3.10, -7.54, -14.4 } },
  { name = "N(0,1/n)", scale = function(n) return 1 / math.sqrt(n) end,
    expected = { -0.21, -0.42, -0.91, -1.22 } },
  { name = "√2 N(0,1/n)", scale = function(n) return math.sqrt(2 / n) end,
    expected = { -0.02, -0.05, -0.05, 0.72 } },
  { name = "0.5 N(0,1)", scale = function() return 0.5 end,
    expected = { 0.67, 1.34, 3.37, 7.27 } },
  { name = "0.01 N(0,1)", scale = function() return 0.01 end,
    expected = { -5.80, -11.6, -28.8, -56.0 } },
  { name = "orthogonal", expected = { -0.14, -0.28, -0.70, -1.28 } },
  { name = "N(0,1/n), wide W_xh", scale = function(n) return 1 / math.sqrt(n) end, input = 1,
    expected = { false, false, false, -10.6 } },
}
local expected_lags = { 5, 10, 25, 49 }
local zero = -400 -- stands for log10 of 0 in the saved numbers
local tolerance = { 0.2, 0.2, 0.5, 1.0 } -- of a mean over 20 networks

local function cases(config)
  local base = experiment.without(config, "seeds")
  return experiment.grid(base, "seed", config.seeds)
end

local function norms_back(model, x, y)
  local norms, T, back = diagnostics.state_gradients(model, x, y):totable(), x:size(1), {}
  for k = 1, T do back[k] = norms[T + 1 - k] end
  return back
end

local function relative_logs(back)
  local out = {}
  for k, norm in ipairs(back) do out[k] = norm > 0 and math.log(norm / back[1], 10) or zero end
  return out
end

local function new_model(case, matrix)
  return rnn.lm { cell = case.cell, vocab = case.vocab, hidden = case.hidden, dtype = "float64",
    seed = case.seed, init = {
      W_xh = { normal = matrix.input or 0.1 }, W_hy = { normal = 1 / math.sqrt(case.hidden) },
      W_hh = matrix.scale and { normal = matrix.scale(case.hidden) } or "orthogonal" } }
end

-- Radius and extreme singular values of W_hh, when it is square.
local function of_matrix(W)
  if W:size(1) ~= W:size(2) then return {} end
  local s = diagnostics.spectrum(W)
  return { radius = s.radius, sigma_max = s.sigma_max, sigma_min = s.sigma_min }
end

local function run_case(case, report)
  local generator = tensor.generator(case.seed)
  local like = { generator = generator }
  local x = tensor.randint(1, case.vocab, case.window, 1, like)
  local y = tensor.randint(1, case.vocab, case.window, 1, like)
  local result = {}
  for m, matrix in ipairs(matrices) do
    local model = new_model(case, matrix)
    result[m] = of_matrix(model.layers[1].W_hh)
    result[m].log = relative_logs(norms_back(model, x, y))
    local single = norms_back(model:to "float32", x, y)
    result[m].lost = single[#single] == 0 -- what float32 makes of the farthest
  end
  report(("network %d: %d recurrent matrices measured"):format(case.seed, #matrices))
  return result
end

-- For each matrix the networks of all seeds.
local function collect(config, _, outcomes)
  local results = { window = config.window, matrices = {} }
  for m, matrix in ipairs(matrices) do
    results.matrices[m] = { name = matrix.name, runs = {} }
    for i, outcome in ipairs(outcomes) do results.matrices[m].runs[i] = outcome[m] end
  end
  return results
end

-- --- reading the results -----------------------------------------------------------------

local function at_lag(entry, lag)
  local out = {}
  for i, r in ipairs(entry.runs) do out[i] = r.log[lag + 1] end
  return out
end

-- log10 of sigma_max^lag or radius^lag, mean over networks; nil without a square matrix.
local function law_at(entry, key, lag)
  local out = column(entry, key)
  for i, value in ipairs(out) do out[i] = lag * math.log(value, 10) end
  return #out > 0 and summary.mean_sd(out) or nil
end

local function last_lag(results) return results.window - 1 end

-- The calibrated numbers are for these sizes.
local function is_calibrated(config)
  return config.hidden == 50 and config.window == 50 and config.vocab == 19
    and config.cell == "tanh"
end

local function flow_table(results, config)
  local head, rows = { "W_hh" }, {}
  local calibrated = is_calibrated(config)
  for _, lag in ipairs(expected_lags) do
    head[#head + 1] = "l = " .. lag
    if calibrated then head[#head + 1] = "expected" end
  end
  head[#head + 1] = "bound, last"
  for m, entry in ipairs(results.matrices) do
    local row = { entry.name }
    for i, lag in ipairs(expected_lags) do
      row[#row + 1] = lag < results.window and summary.spread(at_lag(entry, lag), "%.2f") or "–"
      local expected = matrices[m].expected[i]
      if calibrated then row[#row + 1] = expected and ("%.4g"):format(expected) or "–" end
    end
    local bound = law_at(entry, "sigma_max", last_lag(results))
    row[#row + 1] = bound and ("%.1f"):format(bound)
    rows[m] = row
  end
  return { title = "log10 of |dL/dh(T-l)| / |dL/dh(T)|, mean ± sd over networks", head = head,
           rows = rows, note = calibrated and "expected: calibrated over 400 networks" or nil }
end

local function matrix_table(results)
  local rows = {}
  for m, entry in ipairs(results.matrices) do
    local lost = 0
    for _, r in ipairs(entry.runs) do lost = lost + (r.lost and 1 or 0) end
    local function cell(key, format)
      local values = column(entry, key)
      return #values > 0 and summary.spread(values, format) or "–"
    end
    rows[m] = { entry.name, cell("radius", "%.3f"), cell("sigma_max", "%.3f"),
                cell("sigma_min", "%.3f"), ("%d of %d"):format(lost, #entry.runs) }
  end
  return { title = "The matrices (mean ± sd over networks)",
           head = { "W_hh", "spectral radius", "σ_max", "σ_min", "0 in float32" }, rows = rows,
           note = "0 in float32: networks in which nothing reaches the first step." }
end

local function tables(results, config)
  return { flow_table(results, config), matrix_table(results) }
end

-- How many of the means lie within the tolerance.
local function agreement(results)
  local good, total = 0, 0
  for m, entry in ipairs(results.matrices) do
    for i, lag in ipairs(expected_lags) do
      local mean, expected = summary.mean_sd(at_lag(entry, lag)), matrices[m].expected[i]
      if expected then
        total = total + 1
        if math.abs(mean - expected) <= tolerance[i] then good = good + 1 end
      end
    end
  end
  return good, total
end

local function answer(results, config)
  local low, high
  for _, entry in ipairs(results.matrices) do
    local mean = summary.mean_sd(at_lag(entry, last_lag(results)))
    if not low or mean < low[2] then low = { entry.name, mean } end
    if not high or mean > high[2] then high = { entry.name, mean } end
  end
  local text = ("Over %d steps a gradient changes by 10^%.1f with %s and by 10^%.1f with %s.")
    :format(last_lag(results), low[2], low[1], high[2], high[1])
  if not is_calibrated(config) then return text end
  return ("%s %d of %d means lie within the tolerance of the calibrated ones."):format(text,
    agreement(results))
end

-- --- figure ------------------------------------------------------------------------------

local lowest = -30 -- the curve that falls further is said where it leaves

local function draw_curves(ax, results)
  local steps = {}
  for k = 1, results.window do steps[k] = k - 1 end
  for m, entry in ipairs(results.matrices) do
    local curves = column(entry, "log")
    panels.curves(ax, steps, curves, { label = entry.name, color = m })
    local mean = summary.mean_sd(at_lag(entry, last_lag(results)))
    if mean < lowest then
      local leaves = math.floor(last_lag(results) * lowest / mean)
      ax:note(("falls to 10^{%.0f}"):format(mean), leaves, lowest + 1,
              { dx = 14, dy = 8, color = m, arrow = false })
    end
  end
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Gradient against distance", xlabel = "steps back, l",
           ylabel = "log₁₀ ‖∂L/∂h(T−l)‖ / ‖∂L/∂h(T)‖", ylim = { lowest, 12 } }
end

-- What is measured against a law for it; on the diagonal they are equal.
local function draw_law(ax, results, key, settings)
  local lag = last_lag(results)
  for m, entry in ipairs(results.matrices) do
    local law, x, y = law_at(entry, key, lag), {}, at_lag(entry, lag)
    if law then
      for i = 1, #y do x[i] = law end
      ax:scatter(x, y, { color = m, size = 4 })
    end
  end
  ax:diagonal()
  ax:set(settings)
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    cols = 2, height = 4.6, letters = true, title = "Gradients at initialisation",
    caption = ("%s, hidden %d, %d uniform symbols, loss of the last step · %d networks: mean "
      .. "and range (a), one point each (b) · float64"):format(config.cell, config.hidden,
      config.vocab, #config.seeds) }
  local laws = fig:at(1, 2)
  draw_curves(fig:at(1, 1), results)
  draw_law(laws, results, "sigma_max", {
    title = ("Measured and bound, %d steps"):format(last_lag(results)),
    xlabel = "log₁₀ of the bound σ_{max}^{l} (line: equality)", ylabel = "log₁₀ measured" })
  return fig
end

local function count_to(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

local function check(config)
  experiment.demand.positive(config)
  if config.window < 2 then error("option 'window': at least 2 steps are needed", 0) end
end

return experiment.define {
  name = "flow_at_initialisation",
  title = "Gradient flow at initialisation",
  question = "How does the recurrent matrix decide whether gradients vanish or explode?",
  options = {
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "window", 50, "steps" },
    { "vocab", 19, "number of symbols" },
    { "seeds", count_to(20), "one network each; a mean of 20 is calibrated" },
  },
  quick = { seeds = count_to(5) },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
