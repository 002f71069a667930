--- Checks: what the saved numbers say about a statement.
--
-- A check is a plain table, written before the experiment is run:
--
--   { id = "3", statement = "...", experiment = "training",
--     parts = { { "share of updates with norm in 0.1-1", "share_in_band", at_least = 0.9 } },
--     only_if = { condition = "...", parts = { ... } },
--     why = "The norm lies in the band in $1 of the updates." }
--
-- A part names a statistic, the measure that computes it (results, config, times -> one
-- number a seed), and its threshold: at_least, at_most or both. It passes for a seed when
-- the number lies within; with of = "mean" for all seeds or none, as their mean does. A number
-- that is expected stands in `expected`. The statement
--   holds             when all parts pass for every seed;
--   holds only if ... when not, but all parts of `only_if` pass for every seed;
--   not decided       when the parts pass for some seeds and fail for others, or when there
--                     are fewer seeds than `least`, by default five;
--   does not hold     when no seed passes.
-- `exact = true` marks what has no seed (the vocabulary of a text): one number is enough.
-- In `why`, $1, $2 ... stand for the means of the parts, those of only_if counted on. A check
-- whose table was changed after a first run says in `history` what was changed and why;
-- `source` names where a statement that is not the document's comes from, `document` a number
-- that the document gives, in `unit`.
local statistics = require "unroll.experiment.statistics"

local checks = {}

local least_seeds = 5

local conditions = {
  { "at_least", "≥", function(value, bound) return value >= bound end },
  { "at_most", "≤", function(value, bound) return value <= bound end },
}

--- A number for people: three digits, or all before the point.
---@param value number
---@param format? string default "%.3g"
---@return string
function checks.show(value, format)
  if math.type(value) == "integer" and not format then return tostring(value) end
  local size = math.abs(value)
  if size >= 1000 and size < 1e6 then format = "%.0f" end
  return ((format or "%.3g"):format(value):gsub("e([+-])0*(%d)", "e%1%2"))
end

--- The threshold of a part as text: "≥ 0.9", "0.5 to 2".
---@param part table
---@return string
function checks.threshold(part)
  local show = checks.show
  if part.at_least and part.at_most then
    if part.at_least == part.at_most then return "= " .. show(part.at_least, part.format) end
    return ("%s to %s"):format(show(part.at_least, part.format), show(part.at_most, part.format))
  end
  for _, condition in ipairs(conditions) do
    local bound = part[condition[1]]
    if bound then return condition[2] .. " " .. show(bound, part.format) end
  end
end

local function passes(part, value)
  for _, condition in ipairs(conditions) do
    local bound = part[condition[1]]
    if bound and not condition[3](value, bound) then return false end -- NaN fails too
  end
  return true
end

-- Measures the parts: their numbers, and for each seed whether all of them pass.
local function measure_parts(check, parts, measures, record, times)
  local measured, passed = {}, nil
  for p, part in ipairs(parts) do
    local f = measures[part[2]]
    if not f then error(("check %s: there is no measure '%s'"):format(check.id, part[2]), 0) end
    local values = f(record.results, record.config, times, part)
    if passed and #values ~= #passed then
      error(("check %s: part %d has %d values, part 1 has %d"):format(check.id, p, #values,
        #passed), 0)
    end
    if not passed then
      passed = {}
      for s = 1, #values do passed[s] = true end
    end
    local m = statistics.describe(values)
    for s, value in ipairs(values) do
      passed[s] = passed[s] and passes(part, part.of == "mean" and m.mean or value)
    end
    m.statistic, m.threshold, m.expected = part[1], checks.threshold(part), part.expected
    m.values, m.format, m.of = values, part.format, part.of
    measured[p] = m
  end
  return measured, passed
end

local function count_true(list)
  local count = 0
  for _, value in ipairs(list) do if value then count = count + 1 end end
  return count
end

local function least_of(check) return check.least or least_seeds end

-- The verdict that follows from which seeds pass, without and with the condition.
local function decide(check, passed, passed_if)
  local seeds, good = #passed, count_true(passed)
  if seeds < least_of(check) and not check.exact then return "not decided" end
  if good == seeds then return "holds" end
  if passed_if and count_true(passed_if) == #passed_if then return "holds only if" end
  return good == 0 and "does not hold" or "not decided"
end

local function fill_in(template, measured)
  return (template:gsub("%$(%d+)", function(number)
    local part = measured[tonumber(number)]
    return part and checks.show(part.mean, part.format) or "?"
  end))
end

local function explain(check, verdict, passed, measured)
  local why = fill_in(check.why, measured)
  if verdict ~= "not decided" then return why end
  if #passed < least_of(check) then
    return ("%s %d of the %d seeds that a verdict needs."):format(why, #passed, least_of(check))
  end
  return ("%s It passes for %d of %d seeds."):format(why, count_true(passed), #passed)
end

local required = { "id", "statement", "experiment", "parts", "why" }

local function validate(check)
  for _, field in ipairs(required) do
    if check[field] == nil then
      error(("check %s: field '%s' is missing"):format(tostring(check.id), field), 0)
    end
  end
  local alternative = check.only_if and check.only_if.parts or {}
  for _, parts in ipairs { check.parts, alternative } do
    for p, part in ipairs(parts) do
      if not checks.threshold(part) then
        error(("check %s: part %d has no threshold"):format(check.id, p), 0)
      end
    end
  end
end

--- Judges one statement by the saved numbers.
---@param check table see the top of this file
---@param measures table<string, function> (results, config, times, part) -> number[], one a seed
---@param record table what an experiment has saved
---@param times? table what the clock said, for checks with `times = true`
---@return table verdict { id, statement, document, source, history, experiment, verdict,
---  condition, why, parts }; each part with statistic, threshold, expected, values, mean,
---  deviation, low, high, median, count
--- Errors: a check without a field, a part without a threshold, an unknown measure.
function checks.judge(check, measures, record, times)
  validate(check)
  local measured, passed = measure_parts(check, check.parts, measures, record, times)
  local all, passed_if = table.move(measured, 1, #measured, 1, {}), nil
  if check.only_if then
    local more
    more, passed_if = measure_parts(check, check.only_if.parts, measures, record, times)
    for _, part in ipairs(more) do
      part.conditional = true
      all[#all + 1] = part
    end
  end
  local verdict = decide(check, passed, passed_if)
  return {
    id = check.id, statement = check.statement, document = check.document,
    experiment = check.experiment, verdict = verdict, exact = check.exact,
    source = check.source, history = check.history, unit = check.unit,
    condition = verdict == "holds only if" and check.only_if.condition or nil,
    why = explain(check, verdict, passed, all), parts = all,
  }
end

return checks
