--- The settings that all cases share: a configuration without the lists that are spread.

--- A copy of a table without some of its fields.
--- > unroll.experiment.without({ hidden = 50, seeds = { 1, 2 } }, "seeds")   --> { hidden=50 }
---@param config table
---@param ... string names to leave out
---@return table
--- Errors: a name that the table does not have.
local function without(config, ...)
  local out = {}
  for name, value in pairs(config) do out[name] = value end
  for _, name in ipairs { ... } do
    if config[name] == nil then
      error(("without: the settings have no '%s'"):format(tostring(name)), 2)
    end
    out[name] = nil
  end
  return out
end

return without
