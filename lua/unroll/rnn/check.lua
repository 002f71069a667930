--- check: arguments of cells and models, with messages that name function and shapes.
--
-- `level` counts as in options.lua: 1 is the function that calls the check, 2 its caller.

local core = require "unroll.core"
local options = require "unroll.options"

local is_tensor, inspect = core.tensor.is_tensor, core.cell.inspect

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

local largest_size <const> = 2 ^ 31 - 1 -- what the kernels count with

--- A size of a cell or a model: an integer from 1 on that the kernels can count to.
---@return integer
function check.size(value, name, who, level)
  local n = options.integer(value, name, who, 1, level + 1)
  if n > largest_size then
    error(("%s: the model is too large: %s is %d, at most %d is possible"):format(who, name, n,
      largest_size), level + 1)
  end
  return n
end

--- Inputs of a cell: (T,B) int32 tokens, or (T,B,I) numbers of its dtype.
---@return integer T
---@return integer B
---@return boolean is_tokens
function check.inputs(xs, input, dtype, who, level)
  local found, _, dims, T, B, width = inspect(xs)
  local is_tokens = found == "int32" and dims == 2
  if not is_tokens and (found ~= dtype or dims ~= 3 or width ~= input) then
    error(("%s: inputs must be %s (T,B,%d) or int32 tokens (T,B), got %s"):format(who, dtype,
      input, check.describe(xs)), level + 1)
  end
  if T < 1 or B < 1 then
    error(("%s: inputs are %s: at least one step and one sequence expected"):format(who,
      check.describe(xs)), level + 1)
  end
  return T, B, is_tokens
end

--- A tensor of exactly these sizes (b and c may be absent), or nil. The dtype "real" is
--- float32 or float64.
function check.numbers(t, name, who, level, dtype, a, b, c)
  if t == nil then return end
  local found, _, dims, size1, size2, size3 = inspect(t)
  local ok = (found == dtype or dtype == "real" and found ~= "int32")
    and dims == (c and 3 or b and 2 or 1)
    and size1 == a and size2 == (b or -1) and size3 == (c or -1)
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
