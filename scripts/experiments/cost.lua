-- cost.lua -- does the cost of backpropagation through time grow with the length, or its square?
--
--   unroll scripts/experiments/cost.lua [--help]
--
-- Forward and backward pass over windows of growing length: the memory of what a forward pass
-- keeps for its backward pass (in cost.json), and time, as the median of several blocks of
-- passes (in cost-times.json), fitted by a power law for each seed: linear is an exponent of 1.
-- The lengths take turns, so that a slow moment of the machine does not fall on one of them.
local unroll = require "unroll"
local experiment, rnn, tensor = unroll.experiment, unroll.rnn, unroll.tensor
local diagnostics, statistics = unroll.diagnostics, experiment.statistics
local panels, summary = experiment.panels, experiment.summary
local sys = require("unroll.core").sys

local function cases(config)
  return experiment.grid(experiment.without(config, "seeds"), "seed", config.seeds)
end

-- Bytes that collections leave: so many, until there is nothing more to free. Lua gives back what
-- its strings once needed half by half.
local function memory()
  local left
  repeat
    left = collectgarbage "count"
    collectgarbage()
  until collectgarbage "count" >= left
  return collectgarbage "count" * 1024
end

-- A window of each length, with its trace and what that keeps.
local function prepare(case, model, like, length)
  local x = tensor.randint(1, case.vocab, length, case.batch, like)
  local y = tensor.randint(1, case.vocab, length, case.batch, like)
  local before = memory()
  local loss, _, trace = model:forward(x, y)
  local bytes = memory() - before
  model:backward(trace)
  return { x = x, y = y, trace = trace, bytes = bytes, loss = loss, forward = {}, backward = {} }
end

-- Adds the seconds of one forward and one backward pass, means over a block.
local function measure(case, model, window)
  local forward, backward = 0, 0
  for _ = 1, case.passes do
    local start = sys.clock()
    model:forward(window.x, window.y, nil, { trace = window.trace })
    local middle = sys.clock()
    model:backward(window.trace)
    forward, backward = forward + middle - start, backward + sys.clock() - middle
  end
  table.insert(window.forward, forward / case.passes)
  table.insert(window.backward, backward / case.passes)
end

-- The second value is what the clock says.
local function run_case(case, report)
  local like = { generator = tensor.generator(case.seed) }
  local model = rnn.lm { cell = case.cell, vocab = case.vocab, hidden = case.hidden,
                         seed = case.seed }
  local windows, result, times = {}, { bytes = {}, loss = {} }, { forward = {}, backward = {} }
  prepare(case, model, like, case.lengths[1]) -- what is made once, is made now
  for i, length in ipairs(case.lengths) do windows[i] = prepare(case, model, like, length) end
  for _ = 1, case.blocks do
    for _, window in ipairs(windows) do measure(case, model, window) end
  end
  for i, window in ipairs(windows) do
    result.bytes[i], result.loss[i] = window.bytes, window.loss
    times.forward[i] = statistics.median(window.forward)
    times.backward[i] = statistics.median(window.backward)
  end
  report(("seed %d: %d lengths measured"):format(case.seed, #windows))
  return result, times
end

local function collect(config, _, outcomes)
  local results = { length = config.lengths, bytes = outcomes[1].bytes, runs = outcomes }
  if #config.lengths > 1 then
    results.bytes_a_step, results.bytes_fixed, results.r2 =
      diagnostics.fit_line(results.length, results.bytes)
    for _, r in ipairs(outcomes) do
      r.r2 = select(3, diagnostics.fit_line(results.length, r.bytes))
    end
  end
  return results
end

-- For each length the values of all seeds, and of each seed the exponent.
local function collect_times(config, _, measured)
  local times = { length = config.lengths, forward = {}, backward = {}, total = {},
                  exponent = {} }
  for i = 1, #config.lengths do
    times.forward[i], times.backward[i], times.total[i] = {}, {}, {}
    for s, m in ipairs(measured) do
      times.forward[i][s], times.backward[i][s] = m.forward[i], m.backward[i]
      times.total[i][s] = m.forward[i] + m.backward[i]
    end
  end
  for s = 1, #config.lengths > 1 and #measured or 0 do
    local total = {}
    for i in ipairs(config.lengths) do total[i] = times.total[i][s] end
    times.exponent[s] = diagnostics.fit_power(config.lengths, total)
  end
  return times
end

-- --- reading the results -----------------------------------------------------------------

local function tables(results)
  local rows = {}
  for i, length in ipairs(results.length) do
    rows[i] = { length, ("%.0f"):format(results.bytes[i] / 1024),
                ("%.2f"):format(results.bytes[i] / 1024 / length) }
  end
  return { { title = "Memory that a forward pass keeps for its backward pass",
             head = { "length", "KiB", "KiB a step" }, rows = rows } }
end

local function time_tables(times, _, config)
  local rows, median = {}, statistics.median
  for i, length in ipairs(times.length) do
    local total = times.total[i]
    rows[i] = { length, ("%.3f"):format(1e3 * median(times.forward[i])),
      ("%.3f"):format(1e3 * median(times.backward[i])), ("%.3f"):format(1e3 * median(total)),
      ("%.3f to %.3f"):format(1e3 * math.min(table.unpack(total)),
        1e3 * math.max(table.unpack(total))),
      ("%.1f"):format(1e9 * median(total) / (length * config.batch)) }
  end
  return { {
    title = "Time of a window (median over seeds)",
    head = { "length", "forward, ms", "backward, ms", "both, ms", "range", "ns a character" },
    rows = rows,
    note = #times.exponent > 0 and ("Time grows as length^%s; the document says length^2.")
      :format(summary.spread(times.exponent, "%.3f")) or nil,
  } }
end

local function answer(results)
  if not results.r2 then return "One length says nothing of growth." end
  return ("Memory is %.1f KiB for each step and %.0f KiB beside; a straight line explains %.4f of "
    .. "its variance. The time stands in its own table."):format(results.bytes_a_step / 1024,
    results.bytes_fixed / 1024, results.r2)
end

-- --- figures -----------------------------------------------------------------------------

-- A fit through what is measured, and what growth with the square would be.
local function draw_laws(ax, x, y, fitted, label)
  local quadratic = {}
  for i, length in ipairs(x) do quadratic[i] = y[1] * (length / x[1]) ^ 2 end
  if fitted then ax:line(x, fitted, { label = label, color = 1, marker = "none" }) end
  ax:line(x, quadratic, { label = "if quadratic", color = 7, dash = "dashed", marker = "none" })
  ax:set { xlabel = "window length", xscale = "log", yscale = "log" }
end

local function caption(config)
  return ("%s, hidden %d, %d symbols, batch %d"):format(config.cell, config.hidden, config.vocab,
    config.batch)
end

local function figure(results, config)
  local fig = unroll.plot.figure { title = "Kept for the backward pass",
                                   caption = caption(config) }
  local line = results.r2 and {}
  for i, length in ipairs(line and results.length or {}) do
    line[i] = results.bytes_fixed + results.bytes_a_step * length
  end
  fig:at(1, 1):scatter(results.length, results.bytes, { label = "measured", color = 1 })
  draw_laws(fig:at(1, 1), results.length, results.bytes, line, "straight line")
  fig:at(1, 1):set { ylabel = "bytes", yformat = "si" }
  return fig
end

local function time_figure(times, _, config)
  local fig = unroll.plot.figure { title = "Time of forward and backward pass",
    caption = ("%s · %d seeds: median and range; each the median of %d blocks of %d passes, one "
      .. "core"):format(caption(config), #config.seeds, config.blocks, config.passes) }
  local middle, curve, label = {}, nil, nil
  for i, total in ipairs(times.total) do middle[i] = statistics.median(total) end
  if #middle > 1 then
    local exponent, factor = diagnostics.fit_power(times.length, middle)
    curve, label = {}, ("∝ length^{%.2f}"):format(exponent)
    for i, length in ipairs(times.length) do curve[i] = factor * length ^ exponent end
  end
  panels.points(fig:at(1, 1), times.length, times.total,
                { middle = "median", label = "measured", color = 1 })
  draw_laws(fig:at(1, 1), times.length, middle, curve, label)
  fig:at(1, 1):set { ylabel = "seconds" }
  return fig
end

return experiment.define {
  name = "cost",
  title = "Cost against length",
  question = "Does the cost of backpropagation through time grow with the window or its square?",
  options = {
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "vocab", 50, "number of symbols" },
    { "batch", 32, "parallel sequences" },
    { "lengths", { 25, 50, 100, 200, 400 }, "window lengths" },
    { "passes", 8, "passes in a block" },
    { "blocks", 5, "blocks of each length; the median counts" },
    { "seeds", { 1, 2, 3, 4, 5 }, "of network and symbols, a measurement each" },
  },
  quick = { seeds = { 1 }, passes = 4 },
  check = experiment.demand.positive,
  alone = true, cases = cases, run_case = run_case, collect = collect,
  collect_times = collect_times, tables = tables, time_tables = time_tables, answer = answer,
  figure = figure, time_figure = time_figure,
}:main(arg)
