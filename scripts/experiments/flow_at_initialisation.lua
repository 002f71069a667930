-- flow_at_initialisation.lua -- how a recurrent matrix alone decides what gradients do.
--
--   unroll scripts/experiments/flow_at_initialisation.lua [--help]
--
-- A tanh network as it was drawn, uniform random symbols in, cross-entropy at the last step
-- alone, float64: log10 of |dL/dh_{T-l}| / |dL/dh_T|, mean over networks. W_xh ~ N(0, 0.1^2),
-- W_hy ~ N(0, 1/H), biases and first state zero; only W_hh differs. Beside it the bound
-- sigma_max(W_hh)^l, which says little: 10^15 where 10^-1 is measured.
local unroll = require "unroll"
local experiment, rnn = unroll.experiment, unroll.rnn
local diagnostics, tensor = unroll.diagnostics, unroll.tensor
local summary = experiment.summary

-- W_hh by name; scale is the deviation as a function of H. `expected` are means over 400
-- networks at H = 50, T = 50, V = 19, calibrated once with another program, for l = 5, 10, 25, 49.
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
}
local expected_lags = { 5, 10, 25, 49 }
local zero = -400 -- stands for log10 of 0 in the saved numbers
local tolerance = { 0.2, 0.2, 0.5, 1.0 } -- of a mean over 20 networks

local function cases(config)
  local base = experiment.without(config, "seeds")
  return experiment.grid(base, "seed", config.seeds)
end

local function relative_logs(model, x, y)
  local norms, T = diagnostics.state_gradients(model, x, y):totable(), x:size(1)
  local out = {}
  for k = 1, T do
    local norm = norms[T + 1 - k]
    out[k] = norm > 0 and math.log(norm / norms[T], 10) or zero
  end
  return out
end

local function run_case(case, report)
  local generator = tensor.generator(case.seed)
  local like = { generator = generator }
  local x = tensor.randint(1, case.vocab, case.window, 1, like)
  local y = tensor.randint(1, case.vocab, case.window, 1, like)
  local result = {}
  for m, matrix in ipairs(matrices) do
    local model = rnn.lm { cell = case.cell, vocab = case.vocab, hidden = case.hidden,
      dtype = "float64", seed = case.seed, init = {
        W_xh = { normal = 0.1 }, W_hy = { normal = 1 / math.sqrt(case.hidden) },
        W_hh = matrix.scale and { normal = matrix.scale(case.hidden) } or "orthogonal" } }
    local s = diagnostics.spectrum(model.W_hh)
    result[m] = { log = relative_logs(model, x, y), radius = s.radius, sigma_max = s.sigma_max }
  end
  report(("network %d of %d matrices measured"):format(case.seed, #matrices))
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

local function bound_at(entry, lag)
  local out = {}
  for i, r in ipairs(entry.runs) do out[i] = lag * math.log(r.sigma_max, 10) end
  return (summary.mean_sd(out))
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
      if calibrated then row[#row + 1] = ("%.4g"):format(matrices[m].expected[i]) end
    end
    row[#row + 1] = ("%.1f"):format(bound_at(entry, last_lag(results)))
    rows[m] = row
  end
  return { title = "log10 of |dL/dh(T-l)| / |dL/dh(T)|, mean ± sd over networks", head = head,
           rows = rows, note = calibrated and "expected: calibrated over 400 networks" or nil }
end

local function tables(results, config) return { flow_table(results, config) } end

-- How many of the means lie within the tolerance.
local function agreement(results)
  local good, total = 0, 0
  for m, entry in ipairs(results.matrices) do
    for i, lag in ipairs(expected_lags) do
      local mean = summary.mean_sd(at_lag(entry, lag))
      total = total + 1
      if math.abs(mean - matrices[m].expected[i]) <= tolerance[i] then good = good + 1 end
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

local function draw_curves(ax, results)
  local steps = {}
  for k = 1, results.window do steps[k] = k - 1 end
  for m, entry in ipairs(results.matrices) do
    local curves = {}
    for i, r in ipairs(entry.runs) do curves[i] = r.log end
    local mean, low, high = summary.across(curves)
    ax:line(steps, mean, { label = entry.name, color = m, marker = "none" })
    if #curves > 1 then ax:band(steps, low, high, { color = m }) end
  end
  ax:legend { place = "below", columns = 2 }
  ax:set { title = "Gradient against distance", xlabel = "steps back, l",
           ylabel = "log₁₀ ‖∂L/∂h(T−l)‖ / ‖∂L/∂h(T)‖", ylim = { -30, 12 } }
end

local function draw_bound(ax, results)
  local lag = last_lag(results)
  local bounds = {}
  ax:hline(0)
  for m, entry in ipairs(results.matrices) do
    bounds[m] = bound_at(entry, lag)
    local x = {}
    for i = 1, #entry.runs do x[i] = bounds[m] end
    ax:scatter(x, at_lag(entry, lag), { color = m, size = 4 })
  end
  local low, high = math.min(table.unpack(bounds)), math.max(table.unpack(bounds))
  ax:line({ low, high }, { low, high }, { color = 7, dash = "dashed", marker = "none" })
  ax:set { title = ("Measured and bound, %d steps"):format(lag),
           xlabel = "log₁₀ of the bound σₘₐₓˡ (dashed: equality)", ylabel = "log₁₀ measured" }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    cols = 2, height = 4.6, letters = true, title = "Gradients at initialisation",
    caption = ("%s, hidden %d, %d uniform symbols, loss of the last step · %d networks: mean "
      .. "and range (a), one point each (b) · float64"):format(config.cell, config.hidden,
      config.vocab, #config.seeds) }
  draw_curves(fig:at(1, 1), results)
  draw_bound(fig:at(1, 2), results)
  return fig
end

local function count_to(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
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
    { "seeds", count_to(20), "one network each" },
  },
  quick = { seeds = count_to(5) },
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
