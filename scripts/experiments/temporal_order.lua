-- temporal_order.lua -- does the first recurrent matrix decide whether order is remembered?
--
--   unroll scripts/experiments/temporal_order.lua [--help]
--
-- The temporal order problem (lua/unroll/tasks/temporal_order.lua): which of two symbols came
-- first, asked many steps later. W_hh starts as PyTorch's default (uniform, radius about 0.6),
-- glorot (radius about 1) or orthogonal; the other matrices are glorot. Solved: the moving
-- average of the training loss is below the threshold; training then stops.
local unroll = require "unroll"
local experiment, tasks, train = unroll.experiment, unroll.tasks, unroll.train
local summary, column = experiment.summary, experiment.column

local names = { pytorch = "default, ±1/√H", glorot = "glorot", orthogonal = "orthogonal",
                identity = "identity" }

local function cases(config)
  local base = experiment.without(config, "lengths", "steps", "inits", "seeds")
  return experiment.grid(experiment.zip(base, "length", config.lengths, "steps", config.steps),
    "init", config.inits, "seed", config.seeds)
end

local function run_case(case, report)
  local task = tasks.temporal_order { length = case.length, seed = case.seed }
  local average, solved = unroll.metrics.moving_average(0.02), nil
  local model, history = experiment.ontask.train(task, case, function(step, loss)
    if average(loss) < case.threshold then solved = step end
    return solved ~= nil
  end)
  local loss = history.loss:totable()
  local result = { seed = case.seed, solved = solved, steps = #loss,
    test = train.evaluate(model, task, { split = "test", batch = 100 }),
    loss = summary.bins(loss, 150) }
  report(("%d steps, %s, seed %d: %s"):format(case.length, case.init, case.seed,
    solved and ("solved after %d updates"):format(solved)
      or ("not solved after %d, test loss %.3f"):format(#loss, result.test)))
  return result
end

local function collect(_, list, outcomes)
  return experiment.group(list, outcomes, "length", "init", "steps")
end

-- --- reading the results -----------------------------------------------------------------

local function name_of(entry) return names[entry.init] or entry.init end

local function solved_steps(entry)
  local list = column(entry, "solved")
  table.sort(list)
  return list
end

local function tables(results)
  local rows = {}
  for i, entry in ipairs(results) do
    local steps = solved_steps(entry)
    rows[i] = { entry.length, name_of(entry), ("%d of %d"):format(#steps, #entry.runs),
      entry.steps, #steps > 0 and ("%d to %d"):format(steps[1], steps[#steps]) or nil,
      summary.spread(column(entry, "test"), "%.4f") }
  end
  return { {
    title = "Temporal order (test loss: mean ± sd over seeds, when training ends)",
    head = { "steps", "W_hh", "solved", "updates allowed", "updates needed", "test loss, nats" },
    rows = rows, note = ("Chance: ln 4 = %.3f nats."):format(math.log(4)),
  } }
end

local function answer(results)
  local longest, parts = results[#results].length, {}
  for _, entry in ipairs(results) do
    if entry.length == longest then
      parts[#parts + 1] = ("%s on %d of %d seeds"):format(name_of(entry), #solved_steps(entry),
        #entry.runs)
    end
  end
  return ("Sequences of %d steps are solved with W_hh %s."):format(longest,
    table.concat(parts, ", "))
end

-- --- figure ------------------------------------------------------------------------------

-- Every run is a line of its own: they end when they are solved.
local function draw_entry(ax, entry, color)
  for k, r in ipairs(entry.runs) do
    local smooth = summary.smooth(r.loss.mean, 0.15)
    ax:line(r.loss.step, smooth, { color = color, width = 1.1, alpha = 0.8, marker = "none",
                                   label = k == 1 and name_of(entry) or nil })
    if r.solved then ax:scatter({ r.solved }, { smooth[#smooth] }, { color = color, size = 4 }) end
  end
end

local function draw_length(ax, results, length)
  local color = 0
  for _, entry in ipairs(results) do
    if entry.length == length then
      color = color + 1
      draw_entry(ax, entry, color)
    end
  end
  ax:hline(math.log(4), { label = "chance, ln 4" })
  ax:legend { place = "below", columns = 3 }
  ax:set { title = ("%d steps"):format(length), xlabel = "training step", ylabel = "loss, nats",
           ylim = { 0, nil } }
end

local function figure(results, config)
  local fig = unroll.plot.figure {
    cols = math.max(2, #config.lengths), letters = true, title = "Temporal order",
    caption = ("%s, hidden %d, Adam %g, batch %d, norm clip %g · a line a seed, a point where it "
      .. "is solved (moving average below %g)"):format(config.cell, config.hidden, config.lr,
      config.batch, config.clip, config.threshold) }
  for k, length in ipairs(config.lengths) do draw_length(fig:at(1, k), results, length) end
  return fig
end

local function check(config)
  experiment.demand.positive(config)
  experiment.demand.initialisers(config, "inits")
  for _, length in ipairs(config.lengths) do tasks.temporal_order { length = length } end
end

return experiment.define {
  name = "temporal_order",
  title = "Temporal order",
  question = "Does the first recurrent matrix decide whether order is remembered?",
  options = {
    { "cell", "tanh", "recurrent cell" },
    { "hidden", 50, "hidden size" },
    { "lengths", { 20, 50 }, "steps of a sequence" },
    { "steps", { 1500, 4000 }, "most updates, for each length" },
    { "inits", { "pytorch", "glorot", "orthogonal" }, "initialisers of W_hh" },
    { "lr", 0.001, "learning rate, Adam" },
    { "batch", 32, "sequences of an update" },
    { "clip", 1.0, "largest gradient norm" },
    { "threshold", 0.05, "solved when the moving average of the loss is below it" },
    { "seeds", { 1, 2, 3, 4, 5 }, "one network each" },
  },
  quick = { seeds = { 1 }, lengths = { 20, 40 }, steps = { 1000, 1500 } },
  check = check,
  cases = cases, run_case = run_case, collect = collect, tables = tables, answer = answer,
  figure = figure,
}:main(arg)
