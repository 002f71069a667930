--- check: arguments of cells and models, with messages that name function and shapes.
--
-- `level` counts as in options.lua: 1 is the function that calls the check, 2 its caller.

local core = require "unroll.core"
local options = require "unroll.options"

local is_tensor = core.tensor.is_tensor

local check = {}

--- "float32 (3,4)" for a tensor, else the type: what messages say of a wrong argument.
function check.describe(value)
  if not is_tensor(value) then return type(value) end
  return ("%s (%s)"):format(value:dtype(), table.concat(value:size(), ","))
end

--- The dtype of a cell or a model.
function check.dtype(dtype, who, level)
  options.choice(dtype, { "float32", "float64" }, "dtype", who, level + 1)
  return dtype
end

--- Inputs of a cell: (T,B) int32 tokens, or (T,B,I) numbers of its dtype.
---@return integer T
---@return integer B
---@return boolean is_tokens
function check.inputs(xs, input, dtype, who, level)
  local is_tokens = is_tensor(xs) and xs:dtype() == "int32"
  local ok = is_tokens and xs:dim() == 2
    or is_tensor(xs) and xs:dtype() == dtype and xs:dim() == 3 and xs:size(3) == input
  if not ok then
    error(("%s: inputs must be %s (T,B,%d) or int32 tokens (T,B), got %s"):format(who, dtype,
      input, check.describe(xs)), level + 1)
  end
  local T, B = xs:size(1), xs:size(2)
  if T < 1 or B < 1 then
    error(("%s: inputs are %s: at least one step and one sequence expected"):format(who,
      check.describe(xs)), level + 1)
  end
  return T, B, is_tokens
end

--- A real tensor of exactly these sizes (up to three), or nil.
function check.numbers(t, name, who, level, dtype, a, b, c)
  if t == nil then return end
  local dims = c and 3 or b and 2 or 1
  local ok = is_tensor(t) and t:dim() == dims and t:size(1) == a
    and (not b or t:size(2) == b) and (not c or t:size(3) == c)
    and (t:dtype() == dtype or dtype == "real" and t:dtype() ~= "int32")
  if not ok then
    error(("%s: %s must be %s (%s), got %s"):format(who, name,
      dtype == "real" and "float32 or float64" or dtype,
      table.concat({ a, b, c }, ","), check.describe(t)), level + 1)
  end
end

local function has_name(names, name)
  for i = 1, #names do
    if names[i] == name then return true end
  end
  return false
end

--- A table of states by name; the tensors in it are checked by the run.
function check.state(state, names, what, who, level)
  if state == nil then return end
  if type(state) ~= "table" then
    error(("%s: %s must be a table of tensors by name, as { h = ... }, got %s"):format(who, what,
      type(state)), level + 1)
  end
  for name in pairs(state) do
    if not has_name(names, name) then
      error(("%s: %s has the unknown name '%s'; there are: %s"):format(who, what, tostring(name),
        table.concat(names, ", ")), level + 1)
    end
  end
end

--- Names in an options table, without making a new one.
---@param known table<string, boolean>
function check.options(opts, known, who, level)
  if opts == nil then return end
  if type(opts) ~= "table" then
    error(("%s: options must be a table, got %s"):format(who, type(opts)), level + 1)
  end
  for name in pairs(opts) do
    if not known[name] then
      local names = {}
      for k in pairs(known) do names[#names + 1] = k end
      error(("%s: unknown option '%s'.%s"):format(who, tostring(name),
        options.suggestion(tostring(name), names)), level + 1)
    end
  end
end

return check
