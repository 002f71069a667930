--- Verdicts on all checks, from what the experiments have saved.
local checks = require "unroll.experiment.checks"
local store = require "unroll.experiment.store"

local verdicts = {}

--- The four verdicts, in the order of a summary.
verdicts.kinds = { "holds", "holds only if", "does not hold", "not decided" }

-- The verdict on a check whose experiment has not been run, or not with what it needs.
local function undecided(check, why)
  return { id = check.id, statement = check.statement, document = check.document,
           experiment = check.experiment, verdict = "not decided", why = why, parts = {},
           source = check.source, history = check.history, unit = check.unit }
end

local function judge(check, measures, dir)
  local record = store.read(dir, check.experiment)
  local times = record and check.times and store.read(dir, check.experiment .. "-times")
  if not record or (check.times and not times) then
    return undecided(check, ("There are no %s of the experiment %s."):format(
      record and "times" or "results", check.experiment))
  end
  local ok, verdict = pcall(checks.judge, check, measures, record, times and times.times)
  if ok then return verdict end
  return undecided(check, ("The results do not allow a verdict: %s."):format(verdict))
end

--- Judges every check.
---@param claims table[] what the files of scripts/claims return: { checks =, measures = }
---@param dir string folder of the results
---@return table[] verdicts see checks.judge
---@return table[] of_times the same for checks that need a clock
function verdicts.judge(claims, dir)
  local plain, of_times = {}, {}
  for _, claim in ipairs(claims) do
    for _, check in ipairs(claim.checks) do
      table.insert(check.times and of_times or plain, judge(check, claim.measures, dir))
    end
  end
  return plain, of_times
end

-- By number; the others stay in their order, those of one table together.
local function rank(verdict) return tonumber(verdict.id) or verdict.id:match "^%w+" end

local function in_order(list)
  local place = {}
  for i, verdict in ipairs(list) do place[verdict] = i end
  table.sort(list, function(a, b)
    if rank(a) ~= rank(b) then return rank(a) < rank(b) end
    return place[a] < place[b]
  end)
  return list
end

--- The verdicts on numbered statements, on the numbers of the tables (ids that begin with T)
--- and on the further studies (S), each in order.
---@param list table[]
---@return table[] statements
---@return table[] numbers
---@return table[] studies
function verdicts.split(list)
  local statements, numbers, studies = {}, {}, {}
  for _, verdict in ipairs(list) do
    local half = tonumber(verdict.id) and statements
      or verdict.id:sub(1, 1) == "S" and studies or numbers
    half[#half + 1] = verdict
  end
  return in_order(statements), in_order(numbers), in_order(studies)
end

--- How many verdicts there are of each kind.
---@return table<string, integer>
function verdicts.count(list)
  local counts = {}
  for _, kind in ipairs(verdicts.kinds) do counts[kind] = 0 end
  for _, verdict in ipairs(list) do counts[verdict.verdict] = counts[verdict.verdict] + 1 end
  return counts
end

--- "hold: 5; hold only under a condition: 4; ..." of a list.
---@return string
function verdicts.summary(list)
  local c = verdicts.count(list)
  return ("hold: %d; hold only under a condition: %d; do not hold: %d; not decided: %d")
    :format(c["holds"], c["holds only if"], c["does not hold"], c["not decided"])
end

--- The document's number with its unit; nil when it gives none.
---@return string?
function verdicts.document(verdict)
  local unit = verdict.unit and " " .. verdict.unit or ""
  return verdict.document and tostring(verdict.document) .. unit
end

--- The verdict in words: "holds only if the loss is a sum".
---@return string
function verdicts.words(verdict)
  if not verdict.condition then return verdict.verdict end
  return verdict.verdict .. " " .. verdict.condition
end

--- The measured numbers of a verdict as text, one entry a part: what, number with spread,
--- threshold.
---@return table[] { statistic, number, spread, threshold, expected, conditional }
function verdicts.numbers(verdict)
  local out = {}
  for i, part in ipairs(verdict.parts) do
    local function show(value) return checks.show(value, part.format) end
    local spread
    if part.count > 1 then
      spread = ("sd %s, range %s to %s, %d seeds"):format(checks.show(part.deviation, "%.2g"),
        show(part.low), show(part.high), part.count)
    end
    out[i] = { statistic = part.statistic, number = show(part.mean), spread = spread,
               threshold = part.threshold, conditional = part.conditional,
               expected = part.expected and tostring(part.expected) }
    if part.of == "mean" then out[i].threshold = "mean " .. part.threshold end
  end
  return out
end

return verdicts
