-- cost.lua -- does the cost of backpropagation through time grow with the length, or its square?
--
--   unroll scripts/experiments/cost.lua [--help]
--
-- Forward and backward pass over windows of growing length: the memory of what a forward pass
-- keeps for its backward pass (in cost.json), and time, as the median of several blocks of
-- passes (in cost-times.json), fitted by a power law: linear is an exponent of 1.
local unroll = require "unroll"
local experiment, rnn, tensor = unroll.experiment, unroll.rnn, unroll.tensor
local diagnostics, statistics = unroll.diagnostics, experiment.statistics
local sys = require("unroll.core").sys

local function cases(config)
  local base = experiment.without(config, "lengths")
  return experiment.grid(base, "length", config.lengths)
end

-- Bytes that a collection leaves.
local function memory()
  collectgarbage()
  collectgarbage()
  return collectgarbage("count") * 1024
end

-- Seconds of one forward or backward pass, medians of `blocks` blocks.
local function measure(case, model, x, y, trace)
  local forward, backward = {}, {}
  for block = 1, case.blocks do
    forward[block], backward[block] = 0, 0
    for _ = 1, case.passes do
      local start = sys.clock()
      model:forward(x, y, nil, { trace = trace })
      local middle = sys.clock()
      model:backward(trace)
      local stop = sys.clock()
      forward[block] = forward[block] + (middle - start) / case.passes
      backward[block] = backward[block] + (stop - middle) / case.passes
    end
  end
  return statistics.median(forward), statistics.median(backward)
end

-- The second value is what the clock says.
local function run_case(case, report)
  local generator = tensor.generator(case.seed)
  local model = rnn.lm { cell = case.cell, vocab = case.vocab, hidden = case.hidden,
                         seed = case.seed }
  local like = { generator = generator }
  local x = tensor.randint(1, case.vocab, case.length, case.batch, like)
  local y = tensor.randint(1, case.vocab, case.length, case.batch, like)
  local before = memory()
  local loss, _, trace = model:forward(x, y)
  local bytes = memory() - before
  model:backward(trace)
  local forward, backward = measure(case, model, x, y, trace)
  report(("length %d: %.3f ms"):format(case.length, 1e3 * (forward + backward)))
  return { length = case.length, loss = loss, bytes = bytes },
    { forward = forward, backward = backward }
end

local function collect(_, _, outcomes)
  local results = { length = {}, bytes = {} }
  for i, o in ipairs(outcomes) do results.length[i], results.bytes[i] = o.length, o.bytes end
  if #outcomes > 1 then
    results.bytes_a_step, results.bytes_fixed, results.r2 =
      diagnostics.fit_line(results.length, results.bytes)
  end
  return results
end

local function collect_times(_, list, measured)
  local times = { length = {}, forward = {}, backward = {}, total = {} }
  for i, case in ipairs(list) do
    local m = measured[i]
    times.length[i], times.forward[i], times.backward[i] = case.length, m.forward, m.backward
    times.total[i] = m.forward + m.backward
  end
  if #list > 1 then times.exponent = diagnostics.fit_power(times.length, times.total) end
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
  local rows = {}
  for i, length in ipairs(times.length) do
    rows[i] = { length, ("%.3f"):format(1e3 * times.forward[i]),
      ("%.3f"):format(1e3 * times.backward[i]), ("%.3f"):format(1e3 * times.total[i]),
      ("%.1f"):format(1e9 * times.total[i] / (length * config.batch)) }
  end
  return { {
    title = "Time of a window",
    head = { "length", "forward, ms", "backward, ms", "both, ms", "ns a character" }, rows = rows,
    note = times.exponent and ("Time grows as length^%.3f; the document says quadratically.")
      :format(times.exponent),
  } }
end

local function answer(results)
  if not results.r2 then return "One length says nothing of growth." end
  return ("Memory is %.1f KiB for each step and %.0f KiB beside; a straight line explains %.4f of "
    .. "its variance. The time stands in its own table."):format(results.bytes_a_step / 1024,
    results.bytes_fixed / 1024, results.r2)
end

-- --- figures -----------------------------------------------------------------------------

-- What is measured, a fit, and what growth with the square would be.
local function draw(ax, x, y, fitted, label)
  local quadratic = {}
  for i, length in ipairs(x) do quadratic[i] = y[1] * (length / x[1]) ^ 2 end
  ax:scatter(x, y, { label = "measured", color = 1 })
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
  draw(fig:at(1, 1), results.length, results.bytes, line, "straight line")
  fig:at(1, 1):set { ylabel = "bytes", yformat = "si" }
  return fig
end

local function time_figure(times, _, config)
  local fig = unroll.plot.figure { title = "Time of forward and backward pass",
    caption = ("%s · median of %d blocks of %d passes, one core"):format(caption(config),
      config.blocks, config.passes) }
  local curve, label
  if times.exponent then
    local _, factor = diagnostics.fit_power(times.length, times.total)
    curve, label = {}, ("∝ length^%.2f"):format(times.exponent)
    for i, length in ipairs(times.length) do curve[i] = factor * length ^ times.exponent end
  end
  draw(fig:at(1, 1), times.length, times.total, curve, label)
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
    { "passes", 20, "passes in a block" },
    { "blocks", 9, "blocks; the median counts" },
    { "seed", 1, "of the network and the symbols" },
  },
  quick = { passes = 5, blocks = 5 },
  alone = true, cases = cases, run_case = run_case, collect = collect,
  collect_times = collect_times, tables = tables, time_tables = time_tables, answer = answer,
  figure = figure, time_figure = time_figure,
}:main(arg)
