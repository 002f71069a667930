--- Where results live: one JSON file an experiment under a folder of results.
local sys = require("unroll.core").sys
local json = require "unroll.json"

local store = {}

--- Raises the message of a `nil, message` pair; passes anything else through.
---@param value any
---@param message? string
---@return any value
--- > unroll.experiment.store.check(nil, "no file")   --> error: no file
function store.check(value, message)
  if value == nil then error(message, 0) end
  return value
end

--- Writes DIR/NAME.json whole or not at all; makes the folder when it is missing.
---@param dir string
---@param name string
---@param record any plain data
---@param options? table of json.encode
---@return true|nil ok
---@return string? message
function store.write(dir, name, record, options)
  local ok, message = sys.mkdir(dir)
  if not ok then return nil, message end
  return sys.write_file(("%s/%s.json"):format(dir, name), json.encode(record, options) .. "\n")
end

--- Reads DIR/NAME.json.
---@param dir string
---@param name string
---@return table|nil record
---@return string? message
function store.read(dir, name)
  local path = ("%s/%s.json"):format(dir, name)
  local text, message = sys.read_file(path)
  if not text then return nil, message end
  local record, reason = json.decode(text)
  if record == nil then return nil, ("%s: %s"):format(path, reason) end
  return record
end

return store
