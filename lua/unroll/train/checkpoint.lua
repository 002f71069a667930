--- checkpoint: everything that a training needs to go on as if it had never stopped.
--
-- One safetensors file, replaced in one step. Tensors:
--   model.NAME       parameters          optimizer.NAME   the optimiser's state
--   state.LAYER.NAME carried state       history.NAME     loss, gradient_norm, lr, seconds
--   best.NAME        parameters at the best validation, when they are to be restored
-- and, as JSON in the metadata under "unroll.checkpoint": the step, the data cursor, the
-- random generator, the optimiser's options, validations so far.

local core = require "unroll.core"
local json = require "unroll.json"
local protected = require "unroll.protected"
local safetensors = require "unroll.safetensors"

local checkpoint = {}

local metadata_key = "unroll.checkpoint"
local version = 1

-- Adds tensors under "prefix.name".
local function add(tensors, prefix, named)
  for name, tensor in pairs(named) do tensors[prefix .. "." .. name] = tensor end
end

-- The tensors under "prefix.", by what follows.
local function take(tensors, prefix)
  local named = {}
  for name, tensor in pairs(tensors) do
    if name:sub(1, #prefix + 1) == prefix .. "." then named[name:sub(#prefix + 2)] = tensor end
  end
  return named
end

local function parameters_by_name(model)
  local named = {}
  for _, p in ipairs(model:parameters()) do named[p.name] = p.tensor end
  return named
end

--- Writes a checkpoint.
---@param path string
---@param model table
---@param optimizer unroll.Optimizer
---@param snapshot table record (plain data), state (carried, or nil), history (tensors), best
---  (named tensors, or nil)
---@return true? ok
---@return string? message
function checkpoint.save(path, model, optimizer, snapshot)
  local tensors = {}
  local optimizer_state = optimizer:state()
  add(tensors, "model", parameters_by_name(model))
  add(tensors, "optimizer", optimizer_state.tensors)
  add(tensors, "history", snapshot.history)
  add(tensors, "best", snapshot.best or {})
  for i, layer in ipairs(snapshot.state or {}) do add(tensors, "state." .. i, layer) end
  local record = { version = version, run = snapshot.record, optimizer = {
    algorithm = optimizer_state.algorithm, step = optimizer_state.step,
    options = optimizer_state.options } }
  return safetensors.write(path, tensors, { [metadata_key] = json.encode(record) })
end

local function shape_of(t) return ("%s (%s)"):format(t:dtype(), table.concat(t:size(), ",")) end

-- Says why the file's parameters do not fit the model, or nil.
local function mismatch(wanted, got)
  for name, tensor in pairs(wanted) do
    if not got[name] then return ("the file has no parameter '%s'"):format(name) end
    if shape_of(got[name]) ~= shape_of(tensor) then
      return ("'%s' is %s in the file, %s in the model"):format(name, shape_of(got[name]),
        shape_of(tensor))
    end
  end
  for name in pairs(got) do
    if not wanted[name] then return ("the model has no parameter '%s'"):format(name) end
  end
end

-- Says which setting of the run differs from the file's, or nil.
local function other_setting(settings, saved)
  for name, value in pairs(settings) do
    if saved[name] ~= value then
      return ("was made with %s = %s, now it is %s"):format(name, tostring(saved[name]),
        tostring(value))
    end
  end
end

-- The carried state: a list of layers with named tensors; nil when there is none.
local function carried_state(tensors)
  local layers = {}
  for name, tensor in pairs(take(tensors, "state")) do
    local layer, field = name:match("^(%d+)%.(.+)$")
    if layer then
      layer = math.tointeger(layer)
      layers[layer] = layers[layer] or {}
      layers[layer][field] = tensor
    end
  end
  return next(layers) and layers or nil
end

local function is_record(record)
  local run = type(record) == "table" and record.version == version and record.run
  return type(run) == "table" and type(run.settings) == "table"
    and type(record.optimizer) == "table"
end

--- Reads a checkpoint and puts its numbers into the model and the optimiser.
---@param path string
---@param model table
---@param optimizer unroll.Optimizer
---@param settings table batch and window: what must be as it was
---@return table? snapshot as `save` takes it; nil when the file cannot be used, and then
---  neither model nor optimiser has changed
---@return string? message
function checkpoint.restore(path, model, optimizer, settings)
  local tensors, metadata = safetensors.read(path)
  if not tensors then return nil, metadata end
  local text = metadata[metadata_key]
  local record = text and json.decode(text)
  if not is_record(record) then return nil, path .. " is not a checkpoint of train.fit" end
  local parameters, saved = parameters_by_name(model), take(tensors, "model")
  local problem = mismatch(parameters, saved)
  if problem then return nil, ("%s does not fit the model: %s"):format(path, problem) end
  problem = other_setting(settings, record.run.settings)
  if problem then return nil, ("%s %s"):format(path, problem) end
  record.optimizer.tensors = take(tensors, "optimizer")
  local fits, message = protected(optimizer.set_state, optimizer, record.optimizer)
  if not fits then return nil, ("%s does not fit the optimiser: %s"):format(path, message) end
  for name, tensor in pairs(parameters) do tensor:copy_(saved[name]) end
  local best = take(tensors, "best")
  return { record = record.run, state = carried_state(tensors), history = take(tensors, "history"),
           best = next(best) and best or nil }
end

--- Whether a file is there.
---@param path string
---@return boolean
function checkpoint.exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

--- Copies of the parameters, by name, into `into` when it is given.
---@param model table
---@param into? table<string, unroll.Tensor>
---@return table<string, unroll.Tensor>
function checkpoint.copy_parameters(model, into)
  into = into or {}
  for name, tensor in pairs(parameters_by_name(model)) do
    into[name] = into[name] and into[name]:copy_(tensor) or tensor:clone()
  end
  return into
end

--- Puts copies back.
---@param model table
---@param copies table<string, unroll.Tensor>
function checkpoint.put_parameters(model, copies)
  for name, tensor in pairs(parameters_by_name(model)) do tensor:copy_(copies[name]) end
end

--- Checks that the folder of a file is there, before a long run finds that it is not.
---@param path string
---@return true? ok
---@return string? message
function checkpoint.check_folder(path)
  local folder = path:match("^(.*)/[^/]*$")
  if not folder or folder == "" then return true end
  local names, message = core.sys.list(folder)
  return names and true, message
end

return checkpoint
