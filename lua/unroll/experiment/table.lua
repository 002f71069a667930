--- Tables of results: groups of cases, and what their values are over the seeds.

local statistics = require "unroll.experiment.statistics"

local function list(value) return type(value) == "table" and value or { value } end

local function group_key(case, by)
  local words = {}
  for i, name in ipairs(by) do words[i] = tostring(case[name]) end
  return table.concat(words, "\0")
end

-- The numbers of a result, by name; `only` keeps some.
local function add_values(group, result, only)
  for name, value in pairs(result) do
    if type(value) == "number" and (not only or only[name]) then
      group.values[name] = group.values[name] or {}
      table.insert(group.values[name], value)
    end
  end
end

local function check_over(group, case, over, place)
  local value = case[over]
  if value == nil then
    error(("table: case %d has no field '%s' to go over"):format(place, over), 3)
  end
  if group.seen[value] then
    error(("table: two cases of one group have %s %s: group by more")
      :format(over, tostring(value)), 3)
  end
  group.seen[value] = true
end

--- Groups results and summarises every number in them. Cases that failed are left out.
---@param results table[] what experiment.sweep returns: { case =, result = }
---@param options table by = name or list of names of the case, one group for each
---  combination of values; over = what differs inside a group (default "seed");
---  values = names of the results to keep (default: every number)
---@return table[] groups in the order in which they first come: the names of `by` with
---  their values, and each result's name with { mean, deviation, median, low, high, count }
--- Errors: a case without the field `over`; two cases of a group that agree in it.
local function tabulate(results, options)
  local by, over, only = list(options.by), options.over or "seed", nil
  for _, name in ipairs(options.values or {}) do only = only or {} only[name] = true end
  local groups, known = {}, {}
  for place, entry in ipairs(results) do
    if entry.result then
      local key = group_key(entry.case, by)
      local group = known[key]
      if not group then
        group = { values = {}, seen = {}, case = entry.case }
        known[key], groups[#groups + 1] = group, group
      end
      check_over(group, entry.case, over, place)
      add_values(group, entry.result, only)
    end
  end
  local rows = {}
  for i, group in ipairs(groups) do
    rows[i] = {}
    for _, name in ipairs(by) do rows[i][name] = group.case[name] end
    for name, values in pairs(group.values) do rows[i][name] = statistics.describe(values) end
  end
  return rows
end

return tabulate
