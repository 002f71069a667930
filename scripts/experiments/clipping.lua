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
local panels, column = experiment.panels, experiment.column

local task_names = { "text", "order" }
local titles = { text = "text", order = "temporal order" }

-- "norm 0.5" -> the options of train.fit.
local function clip_options(clip)
  if clip == "none" then return {} end
  local kind, limit = clip:match "^(%a+) ([%d.]+)$"
  if not (tonumber(limit) and tonumber(limit) > 0) or kind ~= "norm" and kind ~= "value" then
    error(("'%s' is no clip: none, norm LIMIT or value LIMIT"):format(clip), 0)
  end
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
  return experiment.ontask.model(task, case), task,
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
  local results = { text = {}, order = {} }
  for _, entry in ipairs(experiment.group(list, outcomes, "task", "clip")) do
    table.insert(results[entry.task], { clip = entry.clip, runs = entry.runs })
  end
  return results
end

-- --- reading the results -----------------------------------------------------------------

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

local function draw_losses(ax, entries, name)
  for _, entry in ipairs(entries) do
    if shown[entry.clip] then
      local steps, curves = whole_curves(entry, "loss", "mean")
      panels.curves(ax, steps, curves, { label = entry.clip, color = shown[entry.clip],
                                         smooth = 0.2, band = 0.12 })
    end
  end
  ax:legend { place = "below", columns = 4 }
  ax:set { title = "Loss, " .. titles[name], xlabel = "training step", ylabel = "nats",
           ylim = { 0, nil } }
end

local function draw_norms(ax, entries, name)
  for _, entry in ipairs(entries) do
    if shown[entry.clip] then
      local steps, curves = whole_curves(entry, "norm", "max")
      local _, _, high = summary.across(curves)
      ax:line(steps, high, { label = entry.clip, color = shown[entry.clip], marker = "none",
                             width = 1.1 })
    end
  end
  ax:legend { place = "below", columns = 4 }
  ax:set { title = "Norm, " .. titles[name], xlabel = "training step",
           yscale = "log", ylabel = "before the clip, highest" }
end

-- The values of all seeds for each clip.
local function lists_of(entries, key)
  local lists = {}
  for i, entry in ipairs(entries) do lists[i] = column(entry, key) end
  return lists
end

local function draw_points(ax, results, series, settings)
  local names = {}
  for i, entry in ipairs(results.text) do names[i] = entry.clip:gsub(" ", "\n") end
  for _, one in ipairs(series) do one.lists = lists_of(results[one.task], one.key) end
  panels.beside(ax, names, series, { middle = "median", log = true })
  ax:legend { place = "below", columns = 2 }
  ax:set(settings)
end

local function draw_summary(fig, results)
  draw_points(fig:at(3, 1), results, {
    { task = "text", key = "final", label = "text", color = 1, marker = "circle" },
    { task = "order", key = "final", label = "temporal order", color = 2, marker = "square" } },
    { title = "Final loss", ylabel = "nats" })
  draw_points(fig:at(3, 2), results, {
    { task = "text", key = "sd_before", label = "text, before", color = 1, marker = "circle" },
    { task = "text", key = "sd_after", label = "text, after", color = 6, marker = "circle" },
    { task = "order", key = "sd_before", label = "order, before", color = 2, marker = "square" },
    { task = "order", key = "sd_after", label = "order, after", color = 5, marker = "square" } },
    { title = "Stability: deviation of the norm", ylabel = "sd, before and after the clip" })
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    rows = 3, cols = 2, height = 10.4, letters = true, title = "Clipping gradients, plain SGD",
    caption = ("%s, hidden %d · text: %s, window %d, lr %g · temporal order: %d steps, lr %g · "
      .. "%d seeds: mean and range (a, b), highest (c, d), median and range (e, f)"):format(
      config.cell, config.hidden, config.corpus, config.window, config.text_lr, config.length,
      config.order_lr, #config.seeds) }
  for c, name in ipairs(task_names) do
    draw_losses(fig:at(1, c), results[name], name)
    draw_norms(fig:at(2, c), results[name], name)
  end
  draw_summary(fig, results)
  return fig
end

local function check(config)
  experiment.demand.positive(config)
  experiment.demand.initialisers(config, "init")
  tasks.temporal_order { length = config.length }
  for _, clip in ipairs(config.clips) do clip_options(clip) end
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
    { "text_steps", 1500, "updates on the text" },
    { "length", 20, "steps of a temporal order sequence" },
    { "init", "orthogonal", "initialiser of W_hh for temporal order" },
    { "batch", 32, "sequences of an update, temporal order" },
    { "order_lr", 0.1, "learning rate, temporal order" },
    { "order_steps", 1000, "updates, temporal order" },
    { "seeds", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, "one network each" },
  },
  quick = { seeds = { 1 }, text_steps = 500, order_steps = 500,
            clips = { "none", "value 0.5", "norm 5", "norm 0.5" } },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
