--- Tables of results: groups of cases, and what their numbers are over the seeds.

local json = require "unroll.json"
local options = require "unroll.options"
local statistics = require "unroll.experiment.statistics"
local texttable = require "unroll.experiment.texttable"

local function list(value) return type(value) == "table" and value or { value } end

local function group_key(case, by)
  local words = {}
  for i, name in ipairs(by) do words[i] = case[name] == nil and "" or json.line(case[name]) end
  return table.concat(words, "\0")
end

-- The numbers of a result by name; those of an object inside of it by "outer.inner".
local function each_number(result, take, prefix)
  for name, value in pairs(result) do
    if math.type(value) and type(name) == "string" then
      take(prefix .. name, value)
    elseif type(value) == "table" and type(name) == "string" then
      each_number(value, take, prefix .. name .. ".")
    end
  end
end

local function add_values(group, result, only)
  each_number(result, function(name, value)
    if only and not only[name] then return end
    group.values[name] = group.values[name] or {}
    table.insert(group.values[name], value)
  end, "")
end

-- --- groups -------------------------------------------------------------------------------

local function check_names(case, names, place)
  for _, name in ipairs(names) do
    if case[name] == nil then
      local known = {}
      for field in pairs(case) do known[#known + 1] = tostring(field) end
      error(("table: case %d has no field '%s'.%s"):format(place, tostring(name),
        options.suggestion(tostring(name), known)), 4)
    end
  end
end

local function check_over(group, case, over)
  local value = json.line(case[over])
  if group.seen[value] then
    error(("table: two cases of one group have %s %s: group by more"):format(over, value), 4)
  end
  group.seen[value] = true
end

local function check_results(results)
  for place, entry in ipairs(results) do
    if type(entry) ~= "table" or type(entry.case) ~= "table" then
      error(("table: result %d is no { case =, result = }"):format(place), 4)
    end
  end
end

local function groups_of(results, by, over, only)
  local groups, known = {}, {}
  check_results(results)
  for place, entry in ipairs(results) do
    check_names(entry.case, by, place)
    check_names(entry.case, { over }, place)
    local key = group_key(entry.case, by)
    local group = known[key]
    if not group then
      group = { values = {}, seen = {}, case = entry.case, count = 0, failed = 0 }
      known[key], groups[#groups + 1] = group, group
    end
    check_over(group, entry.case, over)
    if type(entry.result) == "table" then
      add_values(group, entry.result, only)
      group.count = group.count + 1
    else
      group.failed = group.failed + 1
    end
  end
  return groups
end

-- --- rows ---------------------------------------------------------------------------------

local function label(share) return ("q%g"):format(100 * share) end

local function describe(values, quantiles)
  local d = statistics.describe(values)
  for _, share in ipairs(quantiles) do d[label(share)] = statistics.quantile(values, share) end
  return d
end

-- The names of the numbers, those that were asked for in their order.
local function names_of(groups, wanted)
  if wanted then return wanted end
  local names, seen = {}, {}
  for _, group in ipairs(groups) do
    for name in pairs(group.values) do
      if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
  end
  table.sort(names)
  return names
end

local function cell(described)
  if not described then return "–" end
  if described.count == 1 then return ("%.4g"):format(described.mean) end
  return ("%.4g ± %.2g"):format(described.mean, described.deviation)
end

local Rows = { __name = "unroll.Table" }

local function head_of(about)
  local head = { table.unpack(about.by) }
  head[#head + 1] = "count"
  for _, name in ipairs(about.names) do
    head[#head + 1] = name
    for _, share in ipairs(about.quantiles) do
      head[#head + 1] = ("%s%s"):format(#about.names > 1 and name .. " " or "", label(share))
    end
  end
  return head
end

local function cells_of(about, row, group)
  local cells = {}
  for i, name in ipairs(about.by) do
    cells[i] = type(row[name]) == "table" and json.line(row[name]) or tostring(row[name])
  end
  cells[#cells + 1] = group.failed > 0 and ("%d (%d failed)"):format(group.count, group.failed)
    or group.count
  for _, name in ipairs(about.names) do
    cells[#cells + 1] = cell(row[name])
    for _, share in ipairs(about.quantiles) do
      cells[#cells + 1] = row[name] and ("%.4g"):format(row[name][label(share)]) or "–"
    end
  end
  return cells
end

-- As print shows it: mean ± deviation of each number, and its quantiles.
function Rows:__tostring()
  local about, rows = Rows.abouts[self], {}
  for r, row in ipairs(self) do rows[r] = cells_of(about, row, about.groups[r]) end
  return texttable.format { head = head_of(about), rows = rows }
end

Rows.abouts = setmetatable({}, { __mode = "k" }) -- what the text needs, out of the rows' sight

local accepted = { over = "seed", quantiles = {}, by = options.required, "values" }

local function check_quantiles(quantiles)
  for _, share in ipairs(quantiles) do
    if not math.type(share) or not (share >= 0 and share <= 1) then
      error(("table: a quantile is %s, must be from 0 to 1"):format(options.shown(share)), 3)
    end
  end
end

---@class unroll.TableOptions
---@field by string|string[] names of settings; a group for each combination of values that occurs
--- ({}: one group)
---@field over? string the setting that differs inside of a group; default "seed"
---@field values? string[] names of the numbers to keep, in this order; default all. A number inside
--- of an object of the result is called "outer.inner"
---@field quantiles? number[] shares from 0 to 1; default {}

--- Groups results by settings of their cases, and summarises every number of each group.
---@param results table[] what `experiment.sweep` returns: { case =, result = }; a case without
--- a result counts as failed
---@param opts unroll.TableOptions
---@return table[] rows in the order in which the groups first come. Each has the settings by
--- their names; count, the cases with a result, and failed, those without; and by the name of
--- each number { mean, deviation (n - 1 below; 0 for one value), median, low, high, count, q5,
--- q95 ... }, or nil where no case has it. print shows the rows as a table
--- Errors: a case without a field that `by` or `over` names; two cases of a group that
--- agree in `over`; an unknown option.
--- > results = {}
--- > for seed = 1, 3 do
--- >>   results[seed] = { case = { lr = 0.1, seed = seed }, result = { loss = seed } }
--- >> end
--- > experiment.table(results, { by = "lr" })[1].loss.mean   --> 2.0
---@see experiment.sweep experiment.grid
local function tabulate(results, opts)
  local o = options.check(opts, accepted, "table")
  if type(results) ~= "table" then
    error(("table: results must be a list, got %s"):format(type(results)), 2)
  end
  check_quantiles(o.quantiles)
  local by, only = list(o.by), nil
  for _, name in ipairs(o.values and list(o.values) or {}) do
    only = only or {}
    only[name] = true
  end
  local groups = groups_of(results, by, o.over, only)
  local rows = setmetatable({}, Rows)
  for i, group in ipairs(groups) do
    local row = { count = group.count, failed = group.failed }
    for name, values in pairs(group.values) do row[name] = describe(values, o.quantiles) end
    for _, name in ipairs(by) do row[name] = group.case[name] end
    rows[i] = row
  end
  Rows.abouts[rows] = { by = by, quantiles = o.quantiles, groups = groups,
    names = names_of(groups, o.values and list(o.values)) }
  return rows
end

return tabulate
