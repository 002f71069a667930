-- gradients.lua -- statements 5 to 8 and 13, and T3: how gradients travel back through time.
-- The table was fixed before the experiments were run with these settings and seeds; `history`
-- says what was added after a run with other seeds. See checks.lua for its form. Norms are
-- those of dL/dh_t for the loss of the last step alone, unless said otherwise; the longest
-- window of the experiment is used.
local fit_line = require("unroll").diagnostics.fit_line
local statistics = require("unroll").experiment.statistics

-- T3: window, gradient norm that reaches its first step; reproduced within a factor of 2.
local reached = { { 5, 0.045 }, { 25, 0.003 }, { 50, 0.0008 } }

local checks = {
  { id = "5", experiment = "gradient_flow",
    statement = "|dL/dh| decays exponentially with distance; longer windows lose more.",
    parts = {
      { "R² of the line through log |dL/dh| against steps back, initial", "straightness",
        stage = "initial", at_least = 0.9, format = "%.3f" },
      { "R² of the line, after training", "straightness", stage = "trained", at_least = 0.9,
        format = "%.3f" },
      { "largest rise of log10 of what arrives, from a window to the next longer, initial",
        "rise", stage = "initial", at_most = 0 },
      { "largest rise, after training", "rise", stage = "trained", at_most = 0 },
    },
    only_if = { condition = "the network has not been trained yet",
      parts = {
        { "R² of the line, initial", "straightness", stage = "initial", at_least = 0.9,
          format = "%.3f" },
        { "largest rise, initial", "rise", stage = "initial", at_most = 0 },
      } },
    why = "A line explains $1 of the variance of the log norm at initialisation and $2 after "
      .. "training." },

  { id = "6", experiment = "gradient_flow",
    statement = "Gradients are negligible beyond 30–40 steps.",
    parts = {
      { "norm 40 steps back over that of the last step, initial", "left_after",
        stage = "initial", steps = 40, at_most = 0.01 },
      { "the same, after training", "left_after", stage = "trained", steps = 40,
        at_most = 0.01 },
    },
    only_if = { condition = "the network has learned prose, which does not repeat",
      parts = { { "norm 40 steps back over that of the last step, trained on prose",
                  "left_after", stage = "prose", steps = 40, at_most = 0.01 } } },
    why = "Of the gradient of the last step, $1 is left after 40 steps back at initialisation, "
      .. "$2 after training on the repeating text and $3 after training on prose.",
    history = "The condition on prose was added after runs with seeds 1 to 5 had shown that "
      .. "prose forgets faster; it is judged on seeds 6 to 10." },

  { id = "7", experiment = "gradient_flow",
    statement = "|dL/dh_t| ~ |dL/dh_0| · σ_max(W_hh)^t: vanishes below 1, explodes above.",
    history = "The bound was first σ_max^k alone; with max|f'| of the trajectory it is lower.",
    parts = {
      { "factor a step over σ_max, initial", "factor_over_sigma", stage = "initial",
        at_least = 0.9, at_most = 1.1 },
      { "factor a step over σ_max, after training", "factor_over_sigma", stage = "trained",
        at_least = 0.9, at_most = 1.1 },
    },
    only_if = { condition = "it is read as an upper bound",
      parts = {
        { "largest excess of log10 norm over k log10(σ_max · max|f'|), initial", "excess",
          stage = "initial", at_most = 1e-6 },
        { "largest excess, after training", "excess", stage = "trained", at_most = 1e-6 },
      } },
    why = "The factor a step is $1 of σ_max at initialisation and $2 after training; the log10 "
      .. "norm comes at most $3 and $4 above the bound (negative: it stays below)." },

  { id = "8", experiment = "initialisation",
    statement = "Xavier gives the best-balanced norms (0.01–0.1) and decay (0.08–0.1); small "
      .. "weights vanish, large ones explode.",
    parts = {
      { "mean gradient norm, Xavier", "init_norm", init = "glorot", at_least = 0.01,
        at_most = 0.1 },
      { "decay rate a step, Xavier", "init_decay", init = "glorot", at_least = 0.08,
        at_most = 0.1, format = "%.3f" },
      { "decay rate a step, small weights", "init_decay", init = "small", at_least = 0.5,
        format = "%.3f" },
      { "decay rate a step, large weights", "init_decay", init = "large", at_most = 0,
        format = "%.3f" },
    },
    only_if = { condition = "its numbers are left out",
      parts = {
        { "|decay| of Xavier minus the smaller |decay| of small and large weights",
          "imbalance", at_most = 0, format = "%.3f" },
        { "decay rate a step, small weights", "init_decay", init = "small", at_least = 0.5,
          format = "%.3f" },
        { "decay rate a step, large weights", "init_decay", init = "large", at_most = 0,
          format = "%.3f" },
      } },
    why = "Xavier has a mean norm of $1 and a decay of $2 a step; small weights $3, large "
      .. "ones $4." },

  { id = "13", experiment = "initialisation",
    statement = "Lower variance of the gradient norm over steps means more stable learning.",
    parts = { { "rank correlation of variance and loss after training, over the initialisers",
                "variance_and_loss", at_least = 0.5 } },
    why = "Over the initialisers the variance of the norm and the loss after training have a "
      .. "rank correlation of $1; the statement wants it near 1." },
}

for _, row in ipairs(reached) do
  local window, norm = row[1], row[2]
  local bounds = { at_least = norm / 2, at_most = norm * 2 }
  checks[#checks + 1] = {
    id = ("T3 window %d"):format(window), experiment = "gradient_flow", document = norm,
    statement = ("A gradient norm of %s reaches the first step of a window of %d.")
      :format(norm, window),
    parts = { { "norm at the first step, loss of the last step, initial", "arriving",
                window = window, stage = "initial", loss = "last", at_least = bounds.at_least,
                at_most = bounds.at_most } },
    only_if = { condition = "the network has been trained on the text",
      parts = { { "norm at the first step, loss of the last step, trained", "arriving",
                  window = window, stage = "trained", loss = "last",
                  at_least = bounds.at_least, at_most = bounds.at_most } } },
    why = "Of the loss of the last step $1 arrives at initialisation and $2 after training on "
      .. "the text.",
    history = "The condition was first that the losses of all steps are added up, which runs "
      .. "with seeds 1 to 5 refuted; the one on training was put in its place and is judged on "
      .. "seeds 6 to 10.",
  }
end

local measures = {}

local per_run = require("unroll").experiment.over

-- --- gradient_flow -----------------------------------------------------------------------

-- log10 |dL/dh| at 0, 1, ... steps back in the longest window.
local function longest(results, r, stage) return r[stage].last[#results.windows] end

local function steps_of(back)
  local steps = {}
  for k = 1, #back do steps[k] = k - 1 end
  return steps
end

function measures.straightness(results, _, _, part)
  return per_run(results.runs, function(r)
    local back = longest(results, r, part.stage)
    return statistics.correlation(steps_of(back), back) ^ 2
  end)
end

function measures.rise(results, _, _, part)
  return per_run(results.runs, function(r)
    local largest, windows = -math.huge, r[part.stage].last
    for w = 2, #windows do
      largest = math.max(largest, windows[w][#windows[w]] - windows[w - 1][#windows[w - 1]])
    end
    return largest
  end)
end

function measures.left_after(results, _, _, part)
  return per_run(results.runs, function(r)
    local back = longest(results, r, part.stage)
    return 10 ^ (back[part.steps + 1] - back[1])
  end)
end

function measures.factor_over_sigma(results, _, _, part)
  return per_run(results.runs, function(r)
    local back = longest(results, r, part.stage)
    local slope = fit_line(steps_of(back), back)
    return 10 ^ slope / r[part.stage].sigma_max
  end)
end

function measures.excess(results, _, _, part)
  return per_run(results.runs, function(r)
    local back, largest = longest(results, r, part.stage), -math.huge
    for k = 2, #back do
      local bound = (k - 1) * r[part.stage].bound
      largest = math.max(largest, back[k] - back[1] - bound)
    end
    return largest
  end)
end

function measures.arriving(results, _, _, part)
  for w, window in ipairs(results.windows) do
    if window == part.window then
      return per_run(results.runs, function(r)
        local back = r[part.stage][part.loss][w]
        return 10 ^ back[#back]
      end)
    end
  end
  error(("gradient_flow has not measured a window of %d"):format(part.window), 0)
end

-- --- initialisation ----------------------------------------------------------------------

local function runs_of(results, name)
  for _, entry in ipairs(results.inits) do if entry.name == name then return entry.runs end end
  error(("initialisation has not measured '%s'"):format(name), 0)
end

function measures.init_norm(results, _, _, part)
  return per_run(runs_of(results, part.init), function(r) return r.last.mean end)
end

function measures.init_decay(results, _, _, part)
  return per_run(runs_of(results, part.init), function(r) return r.last.decay end)
end

function measures.imbalance(results)
  local small, large = runs_of(results, "small"), runs_of(results, "large")
  return per_run(runs_of(results, "glorot"), function(r, i)
    return math.abs(r.last.decay)
      - math.min(math.abs(small[i].last.decay), math.abs(large[i].last.decay))
  end)
end

function measures.variance_and_loss(results)
  return per_run(results.inits[1].runs, function(_, i)
    local variances, losses = {}, {}
    for k, entry in ipairs(results.inits) do
      variances[k], losses[k] = entry.runs[i].every.variance, entry.runs[i].loss
    end
    return statistics.correlation(statistics.ranks(variances), statistics.ranks(losses))
  end)
end

return { checks = checks, measures = measures }
