--- Results of cases that differ in their seed alone, put together.

local function name_of(case, names)
  local words = {}
  for i, name in ipairs(names) do words[i] = tostring(case[name]) end
  return table.concat(words, "\0")
end

local group = {}

--- Groups results by some fields of their cases.
--- > unroll.experiment.group({ {lr=1, seed=1}, {lr=1, seed=2} }, { "a", "b" }, "lr")
---   --> { {lr=1, runs={"a", "b"}} }
---@param cases table[]
---@param results any[] one for each case
---@param ... string names of fields
---@return table[] groups in the order in which they first come: the fields, and `runs`, the
--- results in the order of their cases
function group.group(cases, results, ...)
  local groups, known, names = {}, {}, { ... }
  for i, case in ipairs(cases) do
    local name = name_of(case, names)
    if not known[name] then
      known[name] = { runs = {} }
      for _, field in ipairs(names) do known[name][field] = case[field] end
      groups[#groups + 1] = known[name]
    end
    table.insert(known[name].runs, results[i])
  end
  return groups
end

--- One value of every run of a group.
---@param entry table with `runs`
---@param key any field of a run
---@param inner? any field of that field
---@return any[] values runs without it are left out
function group.column(entry, key, inner)
  local out = {}
  for _, run in ipairs(entry.runs) do
    local value = run[key]
    if inner ~= nil then value = value[inner] end
    out[#out + 1] = value
  end
  return out
end

--- What a function makes of every run.
--- > experiment.over({ { a = 1 }, { a = 3 } }, function(run) return run.a + 1 end)   --> { 2, 4 }
---@param runs table[]
---@param f fun(run: table, place: integer): any
---@return any[] values in order; runs of which f makes nil are left out
function group.over(runs, f)
  local out = {}
  for i, run in ipairs(runs) do out[#out + 1] = f(run, i) end
  return out
end

return group
