--- The cases of an experiment: every combination of some lists, over common settings.

local function copy(case)
  local out = {}
  for key, value in pairs(case) do out[key] = value end
  return out
end

--- Every combination of the lists; the last one changes fastest.
--- > unroll.experiment.grid({ hidden = 50 }, "window", { 5, 25 }, "seed", { 1, 2 })
---   --> {{hidden = 50, seed = 1, window = 5}, {hidden = 50, seed = 2, window = 5}, ...
---@param base table settings that all cases share, or a list of such (see experiment.zip)
---@param ... any name, list of values, name, list of values ...
---@return table[] cases
--- Errors: a name that is no string, a list that is no table.
local function grid(base, ...)
  local cases, arguments = {}, table.pack(...)
  for i, one in ipairs(#base > 0 and base or { base }) do cases[i] = copy(one) end
  for i = 1, arguments.n, 2 do
    local name, values = arguments[i], arguments[i + 1]
    if type(name) ~= "string" or type(values) ~= "table" then
      error(("grid: a name and a list expected, got %s and %s")
        :format(type(name), type(values)), 2)
    end
    local longer = {}
    for _, case in ipairs(cases) do
      for _, value in ipairs(values) do
        local next_case = copy(case)
        next_case[name] = value
        longer[#longer + 1] = next_case
      end
    end
    cases = longer
  end
  return cases
end

return grid
