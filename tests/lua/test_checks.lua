-- Checks: every check of scripts/claims with made-up numbers for each outcome, and every
-- measure with made-up results.
local lu = require "luaunit"
local support = require "support"
local checks = require "unroll.experiment.checks"
local verdicts = require "unroll.report.verdicts"

local claims = {}
for _, name in ipairs { "training", "gradients", "learning", "texts", "memory", "flow",
                        "setups" } do
  claims[name] = dofile(("%s/scripts/claims/%s.lua"):format(support.root, name))
end

local function each_check(f)
  for _, claim in pairs(claims) do
    for _, check in ipairs(claim.checks) do f(check) end
  end
end

-- A number within the threshold of a part, and one outside.
local function inside(part)
  if part.at_least and part.at_most then return (part.at_least + part.at_most) / 2 end
  return part.at_least and part.at_least + 0.5 or part.at_most - 0.5
end

local function outside(part)
  return part.at_least and part.at_least - 0.5 or part.at_most + 0.5
end

-- Judges with numbers given for each part: made(part) -> list.
local function judge(check, made)
  local measures = setmetatable({}, { __index = function()
    return function(_, _, _, part) return made(part) end
  end })
  return checks.judge(check, measures, { results = {}, config = {} }, {})
end

local function seeds(count, f)
  local out = {}
  for seed = 1, count do out[seed] = f(seed) end
  return out
end

-- As many seeds as the check needs.
local function enough(check, f) return seeds(check.least or 5, f) end

local function is_conditional(check, part)
  for _, p in ipairs(check.only_if and check.only_if.parts or {}) do
    if p == part then return true end
  end
  return false
end

TestChecks = {}

function TestChecks.test_there_is_a_check_for_every_statement_and_number()
  local ids, numbers = {}, { T1 = 0, T2 = 0, T3 = 0 }
  each_check(function(check)
    lu.assertNil(ids[check.id], check.id)
    ids[check.id] = true
    local name = check.id:match "^T%d"
    if name then
      numbers[name] = numbers[name] + 1
      lu.assertNotNil(check.document, check.id)
    end
  end)
  for statement = 1, 17 do lu.assertTrue(ids[tostring(statement)], statement) end
  lu.assertEquals(numbers, { T1 = 9, T2 = 16, T3 = 3 })
end

function TestChecks.test_every_check_can_hold()
  each_check(function(check)
    local v = judge(check, function(part)
      return enough(check, function() return inside(part) end)
    end)
    lu.assertEquals(v.verdict, "holds", check.id)
    lu.assertNil(v.condition)
    lu.assertNil(v.why:find("%$%d"), check.id)
  end)
end

function TestChecks.test_every_check_can_fail()
  each_check(function(check)
    for broken = 1, #check.parts do -- each part alone is enough
      local v = judge(check, function(part)
        local bad = part == check.parts[broken] or is_conditional(check, part)
        return enough(check, function() return (bad and outside or inside)(part) end)
      end)
      lu.assertEquals(v.verdict, "does not hold", check.id)
    end
  end)
end

function TestChecks.test_every_condition_can_decide()
  local count = 0
  each_check(function(check)
    if not check.only_if then return end
    count = count + 1
    local v = judge(check, function(part)
      local bad = not is_conditional(check, part)
      return enough(check, function() return (bad and outside or inside)(part) end)
    end)
    lu.assertEquals(v.verdict, "holds only if", check.id)
    lu.assertEquals(v.condition, check.only_if.condition)
    lu.assertStrContains(verdicts.words(v), "holds only if " .. v.condition)
  end)
  lu.assertTrue(count > 10)
end

-- Whether the mean over networks decides, in which seeds may disagree.
local function is_of_means(check) return check.parts[1].of == "mean" end

function TestChecks.test_seeds_that_disagree_leave_it_open()
  each_check(function(check)
    if check.exact or is_of_means(check) then return end
    local v = judge(check, function(part)
      return enough(check, function(seed) return (seed == 3 and outside or inside)(part) end)
    end)
    lu.assertEquals(v.verdict, "not decided", check.id)
    lu.assertStrContains(v.why, "It passes for 4 of 5 seeds.")
  end)
end

function TestChecks.test_means_decide_where_a_check_says_so()
  local count = 0
  each_check(function(check)
    if not is_of_means(check) then return end
    count = count + 1
    local function with(shift)
      return judge(check, function(part)
        local middle = (part.at_least + part.at_most) / 2
        local apart = { -100, 4 * shift, 100 }
        return seeds(check.least, function(seed) return middle + (apart[seed] or 0) end)
      end).verdict
    end
    lu.assertEquals(with(0), "holds", check.id)
    lu.assertEquals(with(50), "does not hold", check.id)
  end)
  lu.assertEquals(count, 8)
end

function TestChecks.test_studies_name_their_source()
  each_check(function(check)
    lu.assertEquals(check.source ~= nil, check.id:sub(1, 2) == "S ", check.id)
  end)
end

function TestChecks.test_one_seed_less_is_too_few()
  each_check(function(check)
    local v = judge(check, function(part)
      return seeds((check.least or 5) - 1, function() return inside(part) end)
    end)
    lu.assertEquals(v.verdict, check.exact and "holds" or "not decided", check.id)
    if not check.exact then
      local least = check.least or 5
      lu.assertStrContains(v.why, ("%d of the %d seeds"):format(least - 1, least))
    end
  end)
end

function TestChecks.test_not_a_number_does_not_pass()
  local check = { id = "x", statement = "s", experiment = "e", why = "$1 and $9",
                  parts = { { "p", "m", at_least = 0 } } }
  local v = judge(check, function() return enough(check, function() return 0 / 0 end) end)
  lu.assertEquals(v.verdict, "does not hold")
end

function TestChecks.test_spread_and_words()
  local check = { id = "x", statement = "s", experiment = "e", why = "It is $1.",
                  parts = { { "p", "m", at_most = 10 } } }
  local v = judge(check, function() return { 1, 2, 3, 4, 5 } end)
  local part = v.parts[1]
  support.near({ part.mean, part.deviation, part.low, part.high }, { 3, math.sqrt(2.5), 1, 5 })
  lu.assertEquals(part.threshold, "≤ 10")
  lu.assertEquals(v.why, "It is 3.")
  local n = verdicts.numbers(v)[1]
  lu.assertEquals(n.spread, "sd 1.6, range 1 to 5, 5 seeds")
  lu.assertEquals(checks.show(1234.56), "1235")
  lu.assertEquals(checks.show(1.5e-7), "1.5e-7")
end

function TestChecks.test_wrong_checks_are_named()
  local record = { results = {}, config = {} }
  support.raises("check x: field 'why' is missing", checks.judge,
    { id = "x", statement = "s", experiment = "e", parts = {} }, {}, record)
  local check = { id = "x", statement = "s", experiment = "e", why = "",
                  parts = { { "p", "m" } } }
  support.raises("check x: part 1 has no threshold", checks.judge, check, {}, record)
  check.parts[1].at_least = 0
  support.raises("check x: there is no measure 'm'", checks.judge, check, {}, record)
  check.parts[2] = { "q", "n", at_least = 0 }
  support.raises("part 2 has 2 values, part 1 has 1", checks.judge, check,
    { m = function() return { 1 } end, n = function() return { 1, 2 } end }, record)
end

function TestChecks.test_order_of_the_report()
  local list = {}
  for i, id in ipairs { "S b", "T2 a", "10", "T1 z", "2", "T1 a", "S a" } do
    list[i] = { id = id }
  end
  local statements, numbers, studies = verdicts.split(list)
  lu.assertEquals(studies, { { id = "S b" }, { id = "S a" } })
  lu.assertEquals(statements, { { id = "2" }, { id = "10" } })
  lu.assertEquals(numbers, { { id = "T1 z" }, { id = "T1 a" }, { id = "T2 a" } })
end

-- --- measures ------------------------------------------------------------------------------

TestMeasures = {}

local tested = {}

local function measured(claim, name, results, part, config, times)
  tested[claim .. "." .. name] = true
  return claims[claim].measures[name](results, config or {}, times, part or {})
end

-- A loss that falls from 3 to 0 in the first tenth of 100 steps, and stays.
local function falling()
  local loss = { mean = {}, step = {} }
  for i = 1, 100 do loss.mean[i], loss.step[i] = i <= 10 and 3 - 0.3 * (i - 1) or 0, i end
  return loss
end

function TestMeasures.test_training()
  local norm = { mean = {} }
  for i = 1, 100 do norm.mean[i] = i <= 5 and 0.5 or 7 end
  local results = { runs = { { loss = falling(), norm = norm, healthy = 0.25, samples = {
    network = { distance = 0.01, longest_copy = 12 }, order0 = { distance = 0.03 } } } } }
  local function of(name) return measured("training", name, results, nil, { window = 20 })[1] end
  lu.assertAlmostEquals(of "early_fall", 3 / (3 - 0), 1e-12)
  lu.assertEquals(of "late_change", 0)
  lu.assertEquals(of "lowest_perplexity", 1)
  lu.assertAlmostEquals(of "formula_with_mean", math.exp(3 / 20 - 3), 1e-12)
  lu.assertAlmostEquals(of "formula_with_sum", 1, 1e-12)
  lu.assertEquals(of "in_band", 0.25)
  lu.assertAlmostEquals(of "in_band_while_learning", 5 / 10, 1e-12)
  lu.assertEquals(of "distance", 0.01)
  lu.assertEquals(of "longest_copy", 12)
  lu.assertEquals(measured("training", "distance", results, { of_text = "order0" }), { 0.03 })
end

function TestMeasures.test_gradient_flow()
  local back = {}
  for k = 1, 51 do back[k] = -0.1 * (k - 1) end
  local stage = { last = { { 0, -1 }, back }, every = { { 0, 1 }, back }, sigma_max = 2,
                  bound = math.log(2, 10) }
  local results = { windows = { 2, 51 }, runs = { { initial = stage } } }
  local function of(name, part)
    part = part or {}
    part.stage = "initial"
    return measured("gradients", name, results, part)[1]
  end
  lu.assertAlmostEquals(of "straightness", 1, 1e-12)
  lu.assertAlmostEquals(of "rise", -4, 1e-12)
  lu.assertAlmostEquals(of("left_after", { steps = 40 }), 1e-4, 1e-12)
  lu.assertAlmostEquals(of "factor_over_sigma", 10 ^ -0.1 / 2, 1e-12)
  lu.assertAlmostEquals(of "excess", -0.1 - math.log(2, 10), 1e-12)
  lu.assertAlmostEquals(of("arriving", { window = 2, loss = "every" }), 10, 1e-12)
  support.raises("has not measured a window of 7", of, "arriving", { window = 7, loss = "last" })
end

function TestMeasures.test_initialisation()
  local function entry(name, decay, variance, loss)
    return { name = name, runs = { { last = { mean = decay * 2, decay = decay },
                                     every = { variance = variance }, loss = loss } } }
  end
  local results = { inits = { entry("glorot", 0.1, 1, 0.1), entry("small", 2, 0.1, 0.3),
                              entry("large", -0.4, 9, 0.2) } }
  local function of(name, part) return measured("gradients", name, results, part)[1] end
  lu.assertEquals(of("init_norm", { init = "glorot" }), 0.2)
  lu.assertEquals(of("init_decay", { init = "large" }), -0.4)
  lu.assertAlmostEquals(of "imbalance", -0.3, 1e-12)
  lu.assertAlmostEquals(of "variance_and_loss", -0.5, 1e-12) -- ranks 2 1 3 and 1 3 2
  support.raises("has not measured 'he'", of, "init_norm", { init = "he" })
end

function TestMeasures.test_window_length()
  local function group(window, loss) return { window = window, runs = { { held_out = loss } } } end
  local results = { { rule = "equal batch",
                      windows = { group(5, 2.1), group(25, 2), group(100, 2.3) } } }
  local part = { rule = "equal batch" }
  lu.assertEquals(measured("learning", "best_window", results, part), { 25 })
  support.near(measured("learning", "u_shape", results, part), { math.exp(0.1) - 1 }, 1e-12)
  lu.assertEquals(measured("learning", "exponent", nil, nil, nil, { exponent = { 2 } }), { 2 })
end

function TestMeasures.test_clipping()
  local function entry(clip, final, sd)
    return { clip = clip, runs = { { final = final, highest = 50, norm = { mean = { 1, 2, 9 } },
                                     sd_after = sd, sd_before = -sd } } }
  end
  local results = { text = { entry("none", 3, 9), entry("value 1", 2, 3), entry("norm 5", 0.5, 2),
                             entry("norm 0.5", 0.1, 1) } }
  local function of(name, part)
    part.task = "text"
    return measured("learning", name, results, part)[1]
  end
  lu.assertEquals(of("spike", {}), 25)
  lu.assertEquals(of("worst_loss", {}), 2)
  lu.assertEquals(of("worst_loss", { kind = "norm" }), 0.1)
  lu.assertAlmostEquals(of("advantage", {}), 0.1 - 0.5, 1e-12)
  lu.assertAlmostEquals(of("advantage", { kind = "value" }), 2 - 3, 1e-12)
  lu.assertAlmostEquals(of("deviation_and_loss", { key = "sd_after" }), 1, 1e-12)
  lu.assertAlmostEquals(of("deviation_and_loss", { key = "sd_before" }), -1, 1e-12)
end

function TestMeasures.test_architectures()
  local function size(final)
    return { runs = { { final = final, early = 2 * final, loss = falling() } } }
  end
  local results = { sizes = { size(0.3), size(0.1) } }
  local function of(name, part, times)
    part.size = 1
    return measured("texts", name, results, part, nil, times)[1]
  end
  lu.assertEquals(of("size_loss", {}), 0.3)
  lu.assertAlmostEquals(of("size_perplexity", {}), math.exp(0.3), 1e-12)
  lu.assertAlmostEquals(of("size_passes", { level = 2 }), 0.05, 1e-12)
  lu.assertEquals(of("size_passes", { level = -1 }), 2)
  lu.assertAlmostEquals(of("gain", {}), 0.2, 1e-12)
  lu.assertAlmostEquals(of("gain", { key = "early" }), 0.4, 1e-12)
  lu.assertEquals(of("size_seconds", {}, { sizes = { { seconds = { 1.5 } } } }), 1.5)
end

function TestMeasures.test_datasets()
  local function entry(name, entropies, train, held)
    return { name = name, vocabulary = 7, entropies = entropies,
             runs = { { train = train, held_out = held, loss = falling(),
                        judged = { { "good", 0.5 } } } } }
  end
  local results = { corpora = { entry("a", { 3, 2, 0 }, 1), entry("b", { 4, 2, 1 }, 2, 3),
                                entry("c", { 3.5, 2, 2 }, 5) } }
  local function of(name, part) return measured("texts", name, results, part)[1] end
  lu.assertEquals(of("vocabulary", { text = "b" }), 7)
  lu.assertEquals(of("entropy", { text = "b" }), 4)
  lu.assertEquals(of("loss", { text = "a" }), 1)
  lu.assertEquals(of("loss", { text = "b" }), 3)
  lu.assertEquals(of("text_passes", { text = "a", level = 2.7 }), 0.02)
  lu.assertEquals(of("judged", { text = "a", judged = "good" }), 0.5)
  lu.assertAlmostEquals(of("correlation", { order = 2 }), 1, 1e-12) -- 0 1 2 and 1 3 5
  lu.assertAlmostEquals(of("correlation", { order = 0 }), 0.5, 1e-12)
  support.raises("no text 'z'", of, "loss", { text = "z" })
  support.raises("have no measure 'bad'", of, "judged", { text = "a", judged = "bad" })
end

function TestMeasures.test_adding()
  local function entry(cell, init, test, solved)
    return { cell = cell, init = init, runs = { { test = test, constant = 0.16,
                                                  solved = solved } } }
  end
  local results = { entries = { entry("tanh", "glorot", 0.2), entry("tanh", "pytorch", 0.1),
                                entry("relu", "identity", 0.05), entry("gru", "glorot", 0, 70) } }
  local function of(name, part)
    return measured("memory", name, results, part, { steps = 100 })[1]
  end
  lu.assertEquals(of("adding_solved", { cell = "gru", init = "glorot" }), 70)
  lu.assertEquals(of("adding_solved", { cell = "tanh", init = "glorot" }), 101)
  lu.assertEquals(of("adding_delay", { cell = "tanh", over = "gru", init = "glorot" }), 31)
  lu.assertEquals(of "constant", 0.16)
  lu.assertEquals(of("adding_test", { cell = "tanh", init = "glorot" }), 0.2)
  lu.assertAlmostEquals(of "relu_over_tanh", 0.5, 1e-12)
  support.raises("adding has not measured 'tanh he'", of, "adding_test",
    { cell = "tanh", init = "he" })
end

function TestMeasures.test_temporal_order()
  local results = { { length = 20, init = "glorot", steps = 100,
                      runs = { { solved = 30 }, {} } } }
  lu.assertEquals(measured("memory", "solved", results, { length = 20, init = "glorot" }),
    { 30, 101 })
  support.raises("has not measured 20 steps, he", measured, "memory", "solved", results,
    { length = 20, init = "he" })
end

function TestMeasures.test_copy_memory()
  local function entry(cell, init, ...)
    local delays = {}
    for i, accuracy in ipairs { ... } do
      delays[i] = { delay = 10 * i, runs = { { accuracy = accuracy } } }
    end
    return { cell = cell, init = init, delays = delays }
  end
  local results = { entries = { entry("tanh", "glorot", 1, 0.75, 0.5),
                                entry("tanh", "orthogonal", 1, 1, 0.625) } }
  local function of(name, part) return measured("memory", name, results, part)[1] end
  lu.assertEquals(of("copy_fall", { cell = "tanh", init = "glorot" }), 0.5)
  lu.assertEquals(of("copy_lead", { over = "tanh glorot", from = 20 }), 0.125)
  lu.assertEquals(of("copy_lead", { over = "tanh glorot", from = 20, to = 20 }), 0.25)
end

function TestMeasures.test_flow_at_initialisation()
  local results = { matrices = {
    { name = "N(0,1/n)", runs = { { log = { 0, -1, -2 }, sigma_max = 10, radius = 1 } } },
    { name = "orthogonal", runs = { { sigma_max = 1.25, sigma_min = 0.5, lost = true } } } } }
  local function of(name, part) return measured("flow", name, results, part)[1] end
  lu.assertEquals(of("matrix", { matrix = "N(0,1/n)", key = "radius" }), 1)
  lu.assertAlmostEquals(of("log_bound", { matrix = "N(0,1/n)", lag = 2 }), 2, 1e-12)
  lu.assertEquals(of("log_norm", { matrix = "N(0,1/n)", lag = 2 }), -2)
  lu.assertEquals(of "off_orthogonal", 0.5)
  lu.assertEquals(of("lost", { matrix = "orthogonal" }), 1)
  support.raises("has not measured 'x'", of, "matrix", { matrix = "x" })
end

function TestMeasures.test_setups()
  local results = { vocabulary = 19, entropies = { 3.9, 1.76, 0.19, 0.063, 0.032, 0.042, 0 },
                    setups = { { runs = { { final = 5 } } } }, runs = { { r2 = 0.5 } } }
  local function of(name, part) return measured("setups", name, results, part)[1] end
  lu.assertEquals(of("final", { setup = 1 }), 5)
  lu.assertEquals(of "symbols", 19)
  lu.assertAlmostEquals(of "entropies_off", 0.01, 1e-12)
  lu.assertEquals(of "line_explains", 0.5)
  lu.assertEquals(measured("setups", "exponent", nil, nil, nil, { exponent = { 1.5 } }), { 1.5 })
end

-- Runs last: the names of luaunit's tests are sorted.
function TestMeasures.test_zz_every_measure_was_tested()
  for name, claim in pairs(claims) do
    for measure in pairs(claim.measures) do
      lu.assertTrue(tested[name .. "." .. measure], name .. "." .. measure)
    end
  end
end

function TestChecks.test_a_sentence_may_name_more_than_nine_numbers()
  local parts = {}
  for i = 1, 11 do parts[i] = { "part " .. i, "m" .. i, at_least = 0 } end
  local check = { id = "x", statement = "s", experiment = "e", why = "$1, $2 and $11",
                  parts = parts }
  local v = judge(check, function(part)
    local value = tonumber(part[2]:match "%d+")
    return { value, value, value, value, value }
  end)
  lu.assertEquals(v.why, "1, 2 and 11")
end
