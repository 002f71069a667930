-- cost.lua -- does the cost of backpropagation through time grow with the length, or its square?
--
--   unroll scripts/experiments/cost.lua [--help]
--
-- Forward and backward pass over windows of growing length: time, as the median of several
-- blocks of passes, and the memory of what a forward pass keeps for its backward pass. Both
-- are fitted by power laws: linear is an exponent of 1. All of it is what this machine says, so
-- everything stands in cost-times.json and cost-times.svg.
local unroll = require "unroll"
local experiment, rnn, tensor = unroll.experiment, unroll.rnn, unroll.tensor
local diagnostics, statistics = unroll.diagnostics, experiment.statistics
local sys = require("unroll.core").sys

local function cases(config)
  local base = {}
  for name, value in pairs(config) do base[name] = name ~= "lengths" and value or nil end
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

-- The result says what was computed, the second value what it cost.
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
  return { length = case.length, loss = loss },
    { forward = forward, backward = backward, bytes = bytes }
end

local function collect_times(_, list, measured)
  local times = { length = {}, forward = {}, backward = {}, total = {}, bytes = {} }
  for i, case in ipairs(list) do
    local m = measured[i]
    times.length[i], times.forward[i], times.backward[i] = case.length, m.forward, m.backward
    times.total[i], times.bytes[i] = m.forward + m.backward, m.bytes
  end
  times.exponent = diagnostics.fit_power(times.length, times.total)
  times.memory_exponent = diagnostics.fit_power(times.length, times.bytes)
  return times
end

local function time_tables(times, _, config)
  local rows = {}
  for i, length in ipairs(times.length) do
    rows[i] = { length, ("%.3f"):format(1e3 * times.forward[i]),
      ("%.3f"):format(1e3 * times.backward[i]), ("%.3f"):format(1e3 * times.total[i]),
      ("%.1f"):format(1e9 * times.total[i] / (length * config.batch)),
      ("%.0f"):format(times.bytes[i] / 1024), ("%.2f"):format(times.bytes[i] / 1024 / length) }
  end
  return { {
    title = "Cost of a window",
    head = { "length", "forward, ms", "backward, ms", "both, ms", "ns a character",
             "kept, KiB", "KiB a step" },
    rows = rows,
    note = ("Time grows as length^%.3f, memory as length^%.3f; the document says time grows "
      .. "quadratically."):format(times.exponent, times.memory_exponent),
  } }
end

local function draw(ax, times, key, exponent, settings)
  local x, y = times.length, times[key]
  local _, factor = diagnostics.fit_power(x, y)
  local fitted, quadratic = {}, {}
  for i, length in ipairs(x) do
    fitted[i], quadratic[i] = factor * length ^ exponent, y[1] * (length / x[1]) ^ 2
  end
  ax:scatter(x, y, { label = "measured", color = 1 })
  ax:line(x, fitted, { label = ("∝ length^%.2f"):format(exponent), color = 1, marker = "none" })
  ax:line(x, quadratic, { label = "if quadratic", color = 7, dash = "dashed", marker = "none" })
  settings.xlabel, settings.xscale, settings.yscale = "window length", "log", "log"
  ax:set(settings)
end

local function time_figure(times, _, config)
  local fig = unroll.plot.figure { cols = 2, letters = true, title = "Cost and window length",
    caption = ("%s, hidden %d, %d symbols, batch %d · median of %d blocks of %d passes, one core")
      :format(config.cell, config.hidden, config.vocab, config.batch, config.blocks,
        config.passes) }
  draw(fig:at(1, 1), times, "total", times.exponent,
       { title = "Forward and backward pass", ylabel = "seconds" })
  draw(fig:at(1, 2), times, "bytes", times.memory_exponent,
       { title = "Kept for the backward pass", ylabel = "bytes", yformat = "si" })
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
  alone = true, cases = cases, run_case = run_case, collect_times = collect_times,
  time_tables = time_tables, time_figure = time_figure,
}:main(arg)
