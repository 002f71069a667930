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
    for _, cell in ipairs { "relu", "test_gated" } do
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

-- The inequalities that are known of the diverging set-up.
function TestStudies.test_divergence_and_cures()
  local e = load_experiment "divergence"
  local record = e:record { seeds = { 1, 2 } }
  local _, count = e.answer(record.results, record.config):gsub("on 2 of 2 seeds", "")
  lu.assertEquals(count, 5)
end
