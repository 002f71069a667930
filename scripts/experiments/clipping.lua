-- clipping.lua -- F5: what clipping gradients by value or by norm does to training.
--
--   unroll scripts/experiments/clipping.lua [--help]
--
-- Plain SGD, so that nothing but the clip tames a step, on a text and on the temporal order
-- problem, where gradients really spike. The clip stands in one place: with "none" nothing is
-- clipped. Norms are measured before the clip, which is what the network does; their deviation
-- after it is shown beside, since a clip makes that small by itself.
local unroll = require "unroll"
local experiment, rnn, text, train = unroll.experiment, unroll.rnn, unroll.text, unroll.train
local optim, tasks = unroll.optim, unroll.tasks
local summary, statistics = experiment.summary, experiment.statistics

local task_names = { "text", "order" }
local titles = { text = "text", order = "temporal order" }

-- "norm 0.5" -> the options of train.fit.
local function clip_options(clip)
  local kind, limit = clip:match "^(%a+) ([%d.]+)$"
  if clip == "none" then return {} end
  return { [kind == "norm" and "clip_norm" or "clip_value"] = tonumber(limit) }
end

local function cases(config)
  local base = experiment.without(config, "seeds", "clips")
  return experiment.grid(base, "task", task_names, "clip", config.clips, "seed", config.seeds)
end

local function model_and_source(case)
  if case.task == "text" then
    local corpus = text.corpus(case.corpus)
    return rnn.lm { cell = case.cell, vocab = corpus.vocab, hidden = case.hidden,
                    seed = case.seed }, corpus,
      { steps = case.text_steps, window = case.window, lr = case.text_lr, split = "all" }
  end
  local task = tasks.temporal_order { length = case.length, seed = case.seed }
  return rnn.model { cell = case.cell, input = task.input, output = task.output,
                     head = task.head, hidden = case.hidden, init = { W_hh = case.init },
                     seed = case.seed }, task,
    { steps = case.order_steps, batch = case.batch, lr = case.order_lr }
end

-- Trains; returns what every step had: loss, norm before and after the clip.
local function train_one(case)
  local model, source, settings = model_and_source(case)
  local loss, before, after = {}, {}, {}
  for name, value in pairs(clip_options(case.clip)) do settings[name] = value end
  settings.optimizer, settings.progress = "sgd", false
  settings.on_step = function(step, step_loss, norm)
    loss[step], before[step], after[step] = step_loss, norm, optim.grad_norm(model)
  end
  local ok, message = pcall(train.fit, model, source, settings)
  if not ok and not message:find "NaN" and not message:find "infinit" then error(message, 0) end
  return loss, before, after, ok
end

-- The largest norm beside the typical one of the beginning says how high a spike is.
local function run_case(case, report)
  local loss, before, after, finished = train_one(case)
  local tail = table.move(loss, math.max(1, #loss - 99), #loss, 1, {})
  local _, sd_before = summary.mean_sd(before)
  local _, sd_after = summary.mean_sd(after)
  local clipped, highest = 0, 0
  for i, norm in ipairs(before) do
    if after[i] < norm * (1 - 1e-6) then clipped = clipped + 1 end
    highest = math.max(highest, norm)
  end
  local r = { seed = case.seed, finished = finished, final = (summary.mean_sd(tail)),
    sd_before = sd_before, sd_after = sd_after, highest = highest, clipped = clipped / #before,
    loss = summary.bins(loss, 150), norm = summary.bins(before, 150) }
  report(("%s, %s, seed %d: loss %.4f, highest norm %.1f"):format(titles[case.task], case.clip,
    case.seed, r.final, highest))
  return r
end

local function collect(_, list, outcomes)
  local results, known = { text = {}, order = {} }, {}
  for i, case in ipairs(list) do
    local key = case.task .. case.clip
    if not known[key] then
      known[key] = { clip = case.clip, runs = {} }
      table.insert(results[case.task], known[key])
    end
    table.insert(known[key].runs, outcomes[i])
  end
  return results
end

-- --- reading the results -----------------------------------------------------------------

local function column(entry, key)
  local out = {}
  for i, r in ipairs(entry.runs) do out[i] = r[key] end
  return out
end

local function range(values, format)
  local d = statistics.describe(values)
  if d.count == 1 then return format:format(d.median) end
  return (format .. " (" .. format .. " to " .. format .. ")"):format(d.median, d.low, d.high)
end

local function table_of(results, name)
  local rows = {}
  for i, entry in ipairs(results[name]) do
    rows[i] = { entry.clip, range(column(entry, "final"), "%.4f"),
                range(column(entry, "highest"), "%.1f"),
                range(column(entry, "sd_before"), "%.2f"),
                range(column(entry, "sd_after"), "%.2f"),
                ("%.1f %%"):format(100 * summary.mean_sd(column(entry, "clipped"))) }
  end
  return {
    title = ("F5: clipping on %s, median (range over seeds)"):format(titles[name]),
    head = { "clip", "final loss", "highest norm", "sd of norm, before clip", "after clip",
             "steps clipped" },
    rows = rows,
    note = "Final loss: mean of the last 100 steps, in nats a prediction.",
  }
end

local function tables(results)
  return { table_of(results, "text"), table_of(results, "order") }
end

local function median_of(entry, key) return statistics.median(column(entry, key)) end

local function verdict(results, name)
  local best, none
  for _, entry in ipairs(results[name]) do
    if not best or median_of(entry, "final") < median_of(best, "final") then best = entry end
    if entry.clip == "none" then none = entry end
  end
  local text_of_best = ("%s: lowest with %s, %.4f nats"):format(titles[name], best.clip,
    median_of(best, "final"))
  if not none then return text_of_best end
  return ("%s; without a clip %.4f, norms up to %.0f"):format(text_of_best,
    median_of(none, "final"), math.max(table.unpack(column(none, "highest"))))
end

local function answer(results)
  return "Final loss, median over seeds. " .. verdict(results, "text") .. ". "
    .. verdict(results, "order") .. "."
end

-- --- figure ------------------------------------------------------------------------------

local shown = { ["none"] = 2, ["value 0.5"] = 4, ["norm 5"] = 5, ["norm 0.5"] = 1 }

-- The curves of the runs that were not cut short.
local function whole_curves(entry, key, inner)
  local longest, curves = {}, {}
  for _, r in ipairs(entry.runs) do
    if #r[key].step > #longest then longest = r[key].step end
  end
  for _, r in ipairs(entry.runs) do
    if #r[key].step == #longest then curves[#curves + 1] = r[key][inner] end
  end
  return longest, curves
end

local function draw_losses(ax, entries)
  for _, entry in ipairs(entries) do
    local color = shown[entry.clip]
    if color then
      local steps, curves = whole_curves(entry, "loss", "mean")
      for i, curve in ipairs(curves) do curves[i] = summary.smooth(curve, 0.2) end
      local mean, low, high = summary.across(curves)
      if #curves > 1 then ax:band(steps, low, high, { color = color, alpha = 0.1 }) end
      ax:line(steps, mean, { label = entry.clip, color = color, marker = "none" })
    end
  end
  ax:legend { place = "below", columns = 4 }
  ax:set { title = "Loss, temporal order", xlabel = "training step", ylabel = "nats" }
end

local function draw_norms(ax, entries)
  for _, entry in ipairs(entries) do
    local color = shown[entry.clip]
    if color then
      local steps, curves = whole_curves(entry, "norm", "max")
      local _, _, high = summary.across(curves)
      ax:line(steps, high, { label = entry.clip, color = color, marker = "none", width = 1.1 })
    end
  end
  ax:legend { place = "below", columns = 4 }
  ax:set { title = "Norm before the clip, text", xlabel = "training step", yscale = "log",
           ylabel = "highest of all seeds" }
end

-- Medians and ranges of both problems, one place a clip.
local function draw_points(ax, results, series)
  local ticks = {}
  for i, entry in ipairs(results.text) do ticks[i] = { i, (entry.clip:gsub(" ", "\n")) } end
  for s, one in ipairs(series) do
    local x, y, low, high = {}, {}, {}, {}
    for i, entry in ipairs(results[one.task]) do
      local d = statistics.describe(column(entry, one.key))
      x[i], y[i] = i + 0.16 * (s - (#series + 1) / 2), d.median
      low[i], high[i] = d.median - d.low, d.high - d.median
    end
    ax:errorbar(x, y, { yerr = { low = low, high = high }, label = one.label,
                        color = one.color, marker = one.marker })
  end
  ax:legend { place = "below", columns = 2 }
  ax:set { yscale = "log", xticks = ticks, xlim = { 0.5, #ticks + 0.5 } }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 2, cols = 2, height = 7.2, letters = true, title = "Clipping gradients, plain SGD",
    caption = ("%s, hidden %d · text: %s, window %d, lr %g · temporal order: %d steps, lr %g · "
      .. "%d seeds: mean and range (a), median and range (c, d)"):format(config.cell,
      config.hidden, config.corpus, config.window, config.text_lr, config.length,
      config.order_lr, #config.seeds) }
  draw_losses(fig:at(1, 1), results.order)
  draw_norms(fig:at(1, 2), results.text)
  draw_points(fig:at(2, 1), results, {
    { task = "text", key = "final", label = "text", color = 1, marker = "circle" },
    { task = "order", key = "final", label = "temporal order", color = 2, marker = "square" } })
  fig:at(2, 1):set { title = "Final loss", ylabel = "nats" }
  draw_points(fig:at(2, 2), results, {
    { task = "text", key = "sd_before", label = "text, before", color = 1, marker = "circle" },
    { task = "text", key = "sd_after", label = "text, after", color = 6, marker = "circle" },
    { task = "order", key = "sd_before", label = "order, before", color = 2, marker = "square" },
    { task = "order", key = "sd_after", label = "order, after", color = 5, marker = "square" } })
  fig:at(2, 2):set { title = "Deviation of the norm", ylabel = "sd, before and after the clip" }
  return fig
end

return experiment.define {
  name = "clipping",
  title = "Gradient clipping (F5)",
  question = "Which clip, by value or by norm, keeps training from being thrown off?",
  options = {
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "clips", { "none", "value 5", "value 1", "value 0.5", "norm 5", "norm 1", "norm 0.5" },
      "clips to compare" },
    { "corpus", "simple", "text by name or path" },
    { "window", 25, "window on the text" },
    { "text_lr", 0.5, "learning rate on the text" },
    { "text_steps", 3000, "updates on the text" },
    { "length", 20, "steps of a temporal order sequence" },
    { "init", "orthogonal", "initialiser of W_hh for temporal order" },
    { "batch", 32, "sequences of an update, temporal order" },
    { "order_lr", 0.1, "learning rate, temporal order" },
    { "order_steps", 2000, "updates, temporal order" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, text_steps = 1000, order_steps = 1000,
            clips = { "none", "value 0.5", "norm 5", "norm 0.5" } },
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
