-- memory.lua -- the further studies on memory: adding problem, temporal order, copy problem.
-- Statements and thresholds come from calibrated runs with another program (T = 50, Adam, norm
-- clip 1, batch 32) and from the papers that are named; they stood before these experiments
-- were written, `history` says what did not. See checks.lua for the form.
local experiment = require("unroll").experiment

local le = "Le, Jaitly, Hinton 2015, A simple way to initialize recurrent networks of rectified "
  .. "linear units"
local hochreiter = "after Hochreiter and Schmidhuber 1997, Long short-term memory"
local henaff = "after Henaff, Szlam, LeCun 2016, Recurrent orthogonal networks and long-memory "
  .. "tasks"
local jozefowicz = "Jozefowicz, Zaremba, Sutskever 2015, An empirical exploration of recurrent "
  .. "network architectures"
local calibrated = "calibrated runs of another program"

local function adding(init, cell) return { cell = cell or "tanh", init = init } end

-- A part of the table: what, measure, a threshold, and which network it is about.
local function part(statistic, measure, threshold, fields)
  local out = { statistic, measure, at_least = threshold.at_least, at_most = threshold.at_most,
                format = threshold.format, expected = threshold.expected }
  for name, value in pairs(fields) do out[name] = value end
  return out
end

local stays = { at_least = 0.14, format = "%.4f" }
local solves = { at_most = 0.01, format = "%.4f" }

local function pytorch_stays()
  return part("squared error, tanh, PyTorch's default start", "adding_test", stays,
              adding "pytorch")
end

-- An unsolved run counts one update more than it was allowed.
local function solved_within(limit, expected)
  return { at_most = limit, format = "%.0f", expected = expected }
end

local bias_1, bias_0 = "lstm forget_bias=1", "lstm forget_bias=0"

local function gated_solves(name, cell, expected)
  return { part(name .. ", updates until solved (unsolved: 1501)", "adding_solved",
                solved_within(1500, expected), adding("glorot", cell)),
           part(name .. ", squared error in the end", "adding_test", solves,
                adding("glorot", cell)) }
end

local function solved_20(init)
  return part("updates until solved, " .. init, "solved", solved_within(1500),
              { length = 20, init = init })
end

local checks = {
  { id = "S adding, chance", experiment = "adding", source = le,
    statement = "To answer 1 always has a squared error of 1/6.",
    parts = { { "squared error of the answer 1 on test sequences", "constant", at_least = 0.155,
                at_most = 0.178, expected = 0.1667, format = "%.4f" } },
    why = "Measured: $1." },

  { id = "S adding, tanh", experiment = "adding", source = calibrated,
    statement = "A tanh network does not get below 0.14 over 50 steps in 1500 updates.",
    parts = { pytorch_stays(),
      part("squared error, tanh, glorot", "adding_test", stays, adding "glorot"),
      part("squared error, tanh, orthogonal", "adding_test", stays, adding "orthogonal") },
    only_if = { condition = "W_hh starts as PyTorch's default", parts = { pytorch_stays() } },
    why = "It ends at $1 from PyTorch's default start, at $2 from glorot and at $3 from an "
      .. "orthogonal matrix.",
    history = "The calibrated runs do not name the start; the condition was added after a run." },

  { id = "S adding, relu", experiment = "adding", source = le,
    statement = "A relu network that starts at the identity solves the adding problem.",
    parts = { part("squared error, relu, identity", "adding_test", solves,
                   adding("identity", "relu")) },
    only_if = { condition = "solving means to come below every tanh network of its seed",
      parts = { { "its error over the lowest of the tanh networks", "relu_over_tanh",
                  at_most = 1, format = "%.3f" } } },
    why = "It ends at $1; its error is $2 times that of the best tanh network.",
    history = "The condition was added after a run." },

  { id = "S adding, gru", experiment = "adding", source = calibrated,
    statement = "A GRU solves the adding problem over 50 steps within 1500 updates.",
    parts = gated_solves("gru", "gru", "489"),
    why = "It takes $1 updates and ends at $2." },

  { id = "S adding, lstm", experiment = "adding", source = calibrated,
    statement = "An LSTM with a forget bias of 1 solves it within 1500 updates.",
    parts = gated_solves("lstm", bias_1, "917"),
    why = "It takes $1 updates and ends at $2.",
    history = "The limit was 2500 updates; after a run it became the 1500 of the others." },

  { id = "S adding, forget bias", experiment = "adding", source = jozefowicz,
    statement = "An LSTM with a forget bias of 0 solves it later than one with 1.",
    parts = { { "updates until solved, forget bias 0 less forget bias 1", "adding_delay",
                cell = bias_0, over = bias_1, init = "glorot", at_least = 1, format = "%.0f" } },
    why = "It takes $1 updates more on average over the seeds.",
    history = "Calibrated runs have the difference over 100 steps with 64 units; here it is over "
      .. "50 with 32." },

  { id = "S order, 20 steps", experiment = "temporal_order", source = calibrated,
    statement = "Temporal order over 20 steps is solved within 1500 updates.",
    parts = { solved_20 "pytorch", solved_20 "glorot", solved_20 "orthogonal" },
    only_if = { condition = "W_hh starts as glorot or orthogonal",
                parts = { solved_20 "glorot", solved_20 "orthogonal" } },
    why = "It takes $1 (unsolved: 1501), $2 and $3 updates.",
    history = "The condition was added after a run: seeds 1 to 3 solve it from every start." },

  { id = "S order, default", experiment = "temporal_order", source = calibrated,
    statement = "Over 50 steps the default start fails within 4000 updates.",
    parts = { part("updates until solved (unsolved: 4001)", "solved",
                   { at_least = 4001, format = "%.0f" }, { length = 50, init = "pytorch" }) },
    why = "On average it would take $1 updates or more." },

  { id = "S order, orthogonal", experiment = "temporal_order", source = calibrated,
    statement = "Over 50 steps an orthogonal start solves it within 4000 updates.",
    parts = { part("updates until solved", "solved", solved_within(4000, "530 to 1660"),
                   { length = 50, init = "orthogonal" }) },
    why = "It takes $1 updates." },

  { id = "S copy, memory", experiment = "copy_memory", source = hochreiter,
    statement = "The longer the delay, the less of it a simple network repeats.",
    parts = {
      part("share right at the shortest delay less that at the longest, glorot", "copy_fall",
           { at_least = 1e-6 }, adding "glorot"),
      part("the same, orthogonal", "copy_fall", { at_least = 1e-6 },
           adding "orthogonal"),
      part("the same, relu from the identity", "copy_fall", { at_least = 1e-6 },
           adding("identity", "relu")),
    },
    why = "From the shortest to the longest delay the share of right symbols falls by $1, $2 "
      .. "and $3." },

  { id = "S copy, orthogonal", experiment = "copy_memory", source = henaff,
    statement = "For copying, an orthogonal start is better than glorot, and than a relu network "
      .. "from the identity.",
    parts = {
      { "least lead over glorot in the share right, delays of 20 and more", "copy_lead",
        over = "tanh glorot", from = 20, at_least = 1e-6 },
      { "least lead over a relu network from the identity", "copy_lead", over = "relu identity",
        from = 20, at_least = 1e-6 },
    },
    only_if = { condition = "the delay is one of 20 steps, not of 40",
      parts = {
        { "lead over glorot at a delay of 20", "copy_lead", over = "tanh glorot", from = 20,
          to = 20, at_least = 1e-6 },
        { "lead over a relu network from the identity at 20", "copy_lead",
          over = "relu identity", from = 20, to = 20, at_least = 1e-6 },
      } },
    why = "Over delays of 20 and more its least lead is $1 and $2 (shares of the symbols); at 20 "
      .. "it is $3 and $4.",
    history = "The condition was added after a run with seeds 1 to 3." },
}

local measures = {}

-- --- adding ------------------------------------------------------------------------------

local function entry_of(entries, part_or_name, who)
  local wanted = part_or_name
  if type(wanted) == "table" then wanted = wanted.cell .. " " .. wanted.init end
  for _, entry in ipairs(entries) do
    if entry.cell .. " " .. entry.init == wanted then return entry end
  end
  error(("%s has not measured '%s'"):format(who, wanted), 0)
end

function measures.constant(results) return experiment.column(results.entries[1], "constant") end

function measures.adding_test(results, _, _, wanted)
  return experiment.column(entry_of(results.entries, wanted, "adding"), "test")
end

function measures.adding_solved(results, config, _, wanted)
  return experiment.over(entry_of(results.entries, wanted, "adding").runs, function(run)
    return run.solved or config.steps + 1
  end)
end

function measures.adding_delay(results, config, _, wanted)
  local ours = measures.adding_solved(results, config, nil, wanted)
  local theirs = measures.adding_solved(results, config, nil,
    { cell = wanted.over, init = wanted.init })
  return experiment.over(ours, function(steps, seed) return steps - theirs[seed] end)
end

function measures.relu_over_tanh(results)
  local relu, out = entry_of(results.entries, "relu identity", "adding"), {}
  for seed, run in ipairs(relu.runs) do
    local best = math.huge
    for _, entry in ipairs(results.entries) do
      if entry.cell == "tanh" then best = math.min(best, entry.runs[seed].test) end
    end
    out[seed] = run.test / best
  end
  return out
end

-- --- temporal order ----------------------------------------------------------------------

function measures.solved(results, _, _, wanted)
  for _, entry in ipairs(results) do
    if entry.length == wanted.length and entry.init == wanted.init then
      local out = {}
      for i, r in ipairs(entry.runs) do out[i] = r.solved or entry.steps + 1 end
      return out
    end
  end
  error(("temporal_order has not measured %d steps, %s"):format(wanted.length, wanted.init), 0)
end

-- --- copy --------------------------------------------------------------------------------

function measures.copy_fall(results, _, _, wanted)
  local delays = entry_of(results.entries, wanted, "copy_memory").delays
  local out, last = {}, delays[#delays].runs
  for seed, run in ipairs(delays[1].runs) do out[seed] = run.accuracy - last[seed].accuracy end
  return out
end

function measures.copy_lead(results, _, _, wanted)
  local ours = entry_of(results.entries, "tanh orthogonal", "copy_memory").delays
  local theirs, out = entry_of(results.entries, wanted.over, "copy_memory").delays, {}
  for d, group in ipairs(ours) do
    if group.delay >= wanted.from and group.delay <= (wanted.to or math.huge) then
      for seed, run in ipairs(group.runs) do
        local lead = run.accuracy - theirs[d].runs[seed].accuracy
        out[seed] = math.min(out[seed] or lead, lead)
      end
    end
  end
  return out
end

return { checks = checks, measures = measures }
