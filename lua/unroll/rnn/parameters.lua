--- parameters: the parameters of a cell or a model as named views into one flat tensor.
--
-- A specification is { name =, size = {rows, columns} or {n}, transposed =, fan_in =,
-- fan_out =, blocks = }. Optimisers, clips and checkpoints work on `.flat`; people read
-- and write the names. `transposed` stores a matrix column by column, so that the column
-- of W_xh that a token picks lies in one piece; the name is then a strided view.

local core = require "unroll.core"
local protected = require "unroll.protected"
local display = require "unroll.rnn.display"

local tensor = core.tensor

local Parameters = { __name = "unroll.Parameters", __display = display.parameters }

function Parameters:__tostring()
  return ("parameters   %d tensors, %d numbers"):format(#self, self.flat:numel())
end

local parameters = {}

-- In floating point, where a product that is too large for an integer does not wrap.
local function count_of(size)
  local n = 1.0
  for _, s in ipairs(size) do n = n * s end
  return n
end

local function allocate(total, dtype, who, level)
  local count = math.tointeger(total)
  local ok, flat = protected(tensor.zeros, { count or math.maxinteger }, { dtype = dtype })
  if ok then return flat end
  error(("%s: the model is too large: %.4g %s parameters are more than memory can hold"):format(
    who, total, dtype), level + 1)
end

local function view_of(storage, spec)
  if #spec.size == 1 then return storage, storage end
  local rows, columns = spec.size[1], spec.size[2]
  if not spec.transposed then
    local whole = storage:view(rows, columns)
    return whole, whole
  end
  local stored = storage:view(columns, rows)
  return stored:t(), stored
end

--- Makes a list of zeroed tensors after specifications.
---@param specs table[] see above
---@param dtype string
---@param who string the function, for messages
---@param level integer stack level that errors point at
---@return table list { {name=, tensor=}, ... }, also by name, `.flat` and `.storage` (the
--- contiguous tensors behind the names, in order)
function parameters.new(specs, dtype, who, level)
  local total = 0.0
  for _, spec in ipairs(specs) do total = total + count_of(spec.size) end
  local list = { flat = allocate(total, dtype, who, level + 1), storage = {} }
  local first = 1
  for i, spec in ipairs(specs) do
    local n = math.tointeger(count_of(spec.size))
    local named, stored = view_of(list.flat:narrow(1, first, n), spec)
    list[i] = { name = spec.name, tensor = named }
    list[spec.name] = named
    list.storage[i] = stored
    first = first + n
  end
  return setmetatable(list, Parameters)
end

--- A part of a list under other names: entries first..first+#names-1.
---@param list table from parameters.new
---@param first integer
---@param names string[]
---@return table part as from parameters.new; `.flat` covers just these
function parameters.part(list, first, names)
  local part, n, start = { storage = {} }, 0, 1
  for i = 1, first - 1 do start = start + list[i].tensor:numel() end
  for i, name in ipairs(names) do
    local t = list[first + i - 1].tensor
    part[i] = { name = name, tensor = t }
    part[name] = t
    part.storage[i] = list.storage[first + i - 1]
    n = n + t:numel()
  end
  part.flat = list.flat:narrow(1, start, n)
  return setmetatable(part, Parameters)
end

return parameters
