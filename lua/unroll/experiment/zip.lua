--- The cases of an experiment: lists whose k-th values belong together.

--- Side by side: the first case has the first value of each list, the second the second. A
--- list of one value stands for all.
--- > unroll.experiment.zip({ batch = 32 }, "hidden", { 25, 50 }, "window", { 15, 25 })
---   --> { {batch=32, hidden=25, window=15}, {batch=32, hidden=50, window=25} }
---@param base table settings that all cases share
---@param ... any name, list of values, name, list of values ...
---@return table[] cases for `experiment.grid` to spread further
--- Errors: lists of different lengths, other than 1; a name without a list.
local function zip(base, ...)
  local arguments, count, longest = table.pack(...), 1, nil
  for i = 1, arguments.n, 2 do
    local name, values = arguments[i], arguments[i + 1]
    if type(name) ~= "string" or type(values) ~= "table" or #values == 0 then
      error(("zip: a name and a list expected, got %s and %s")
        :format(type(name), type(values) == "table" and "an empty list" or type(values)), 2)
    end
    if longest and #values > 1 and #values ~= count then
      error(("%d values of %s, %d of %s: one for each, or one for all")
        :format(#values, name, count, longest), 0)
    end
    if #values > 1 then count, longest = #values, name end
  end
  local cases = {}
  for k = 1, count do
    cases[k] = {}
    for name, value in pairs(base) do cases[k][name] = value end
    for i = 1, arguments.n, 2 do
      local values = arguments[i + 1]
      cases[k][arguments[i]] = #values > 1 and values[k] or values[1]
    end
  end
  return cases
end

return zip
