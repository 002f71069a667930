-- test_studies.lua -- the experiments on gradients and memory, small: they run with both plain
-- cells, give the same results twice, and draw and tell what their results say.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local json = require "unroll.json"

TestStudies = {}

-- Settings that take a fraction of a second.
local small = {
  gradient_flow = { windows = { 5, 10 }, lags = { 1, 10 }, product = 10, places = 2, steps = 30,
                    hidden = 8, seeds = { 1, 2 } },
  flow_at_initialisation = { hidden = 8, window = 30, seeds = { 1, 2 } },
  initialisation = { window = 10, places = 2, steps = 30, hidden = 8, seeds = { 1, 2 } },
  window_length = { windows = { 5, 20 }, characters = 2000, hidden = 8, seeds = { 1, 2 } },
  window_time = { windows = { 5, 20 }, characters = 500, hidden = 8, seeds = { 1, 2 } },
  training = { steps = 30, hidden = 8, sample = 50, seeds = { 1, 2 } },
  architectures = { hidden = { 4, 6, 8 }, steps = { 30 }, seeds = { 1, 2 } },
  datasets = { steps = 10, steps_repeating = 30, hidden = 8, sample = 50, seeds = { 1, 2 } },
  clipping = { clips = { "none", "value 0.5", "norm 5" }, text_steps = 200, order_steps = 100,
               hidden = 8, seeds = { 1, 2 } },
  divergence = { passes = 1, repeats = 10, seeds = { 1, 2 } },
  temporal_order = { lengths = { 10, 12 }, steps = { 150, 150 }, hidden = 8, seeds = { 1, 2 } },
  adding = { length = 6, steps = 100, hidden = 8, seeds = { 1, 2 } },
  copy_memory = { delays = { 1, 2 }, steps = 100, hidden = 8, seeds = { 1, 2 } },
  cost = { lengths = { 5, 10 }, passes = 2, blocks = 2, seeds = { 1, 2 } },
}

local function load_experiment(name)
  local path = ("%s/scripts/experiments/%s.lua"):format(support.root, name)
  return assert(loadfile(path))()
end

-- Tables and figures must stand on the saved numbers: those that JSON gives back.
local function present(e, record, times)
  local results, config = record.results, record.config
  local answer = e.answer and e.answer(results, config) or "times"
  lu.assertTrue(#answer > 4)
  for _, t in ipairs(e.tables and e.tables(results, config) or {}) do
    lu.assertTrue(#unroll.experiment.format_table(t) > 20)
  end
  if e.figure then lu.assertTrue(e.figure(results, config):save(support.tmpdir() .. "/a.svg")) end
  if times then
    lu.assertTrue(#e.time_tables(times.times, results, config) > 0)
    lu.assertTrue(e.time_figure(times.times, results, config):save(support.tmpdir() .. "/b.svg"))
  end
end

for name, settings in pairs(small) do
  TestStudies["test_" .. name] = function()
    local e = load_experiment(name)
    local record, times = e:record(settings)
    local saved = json.encode(record)
    lu.assertEquals(json.encode((e:record(settings))), saved)
    present(e, json.decode(saved), times and json.decode(json.encode(times)))
  end
end

-- A cell in Lua with two gates: what holds for a square W_hh must not be asked of it.
local gated = {
  name = "test_gated", states = { "h" }, gates = { "u", "c" },
  step = function(pre, state, next_state)
    next_state.h:copy_(state.h * pre.u:sigmoid() + pre.c:tanh())
  end,
  step_grad = function(grad, pre, state)
    local u, c, dh = pre.u:sigmoid(), pre.c:tanh(), grad.next.h
    grad.pre.u:copy_(dh * state.h * u * (1 - u))
    grad.pre.c:copy_(dh * (1 - c * c))
    grad.state.h:copy_(dh * u)
  end,
}

function TestStudies.test_every_experiment_takes_any_cell()
  unroll.rnn.register(gated)
  for name, settings in pairs(small) do
    for _, cell in ipairs { "relu", "gru", "lstm forget_bias=0", "test_gated" } do
      local e, with_cell = load_experiment(name), {}
      for key, value in pairs(settings) do with_cell[key] = value end
      with_cell.cell = type(e:config().cell) == "table" and { cell } or cell
      local record, times = e:record(with_cell)
      present(e, json.decode(json.encode(record)), times and json.decode(json.encode(times)))
    end
  end
end

-- The calibrated means, at the sizes that they are for.
function TestStudies.test_flow_at_initialisation_is_the_calibrated_one()
  local e = load_experiment "flow_at_initialisation"
  local record = e:record()
  lu.assertStrContains(e.answer(record.results, record.config), "25 of 25 means")
end

-- A cell that is named once meets each start and rate once, under a name of its own.
function TestStudies.test_adding_with_one_cell()
  local e = load_experiment "adding"
  local record = e:record { cell = { "gru" }, length = 6, steps = 20, hidden = 4, seeds = { 1 } }
  local rows = e.tables(record.results, record.config)[1].rows
  local names = {}
  for i, row in ipairs(rows) do names[i] = row[1] end
  lu.assertEquals(names, { "gru, pytorch", "gru, glorot, lr 0.001", "gru, orthogonal",
    "gru, identity", "gru, glorot, lr 0.005" })
end

-- Solved at the first update after which the moving average is below the threshold.
function TestStudies.test_adding_says_when_it_is_solved()
  local e = load_experiment "adding"
  local function solved(threshold)
    local record = e:record { cell = { "gru" }, init = { "glorot" }, lr = { 0.005 }, length = 6,
      steps = 100, hidden = 8, seeds = { 1 }, threshold = threshold }
    return record.results.entries[1].runs[1].solved, e.answer(record.results, record.config)
  end
  lu.assertEquals(solved(1e6), 1)
  local step, text = solved(0.2)
  lu.assertTrue(step > 1 and step < 100)
  lu.assertStrContains(text, ("Solved by gru, glorot (1 of 1 seeds, after %d updates)"):format(
    step))
  step, text = solved(1e-9)
  lu.assertNil(step)
  lu.assertStrContains(text, "Solved by none.")
end

-- The inequalities that are known of the diverging set-up.
function TestStudies.test_divergence_and_cures()
  local e = load_experiment "divergence"
  local record = e:record { seeds = { 1, 2 } }
  local _, count = e.answer(record.results, record.config):gsub("on 2 of 2 seeds", "")
  lu.assertEquals(count, 5)
end
