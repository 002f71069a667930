--- Saved results that are read again, for a figure or a report. A file may be of another
--- form of the program or of the script: then a message says which, and what to run.
local store = require "unroll.experiment.store"
local sys = require("unroll.core").sys

local saved = {}

local function path_of(e, dir) return ("%s/%s.json"):format(dir, e.name) end

-- The option that only one of the two has: the settings of a file, the experiment as it is now.
local function odd_option(e, config)
  local known = {}
  for _, option in ipairs(e.options) do
    known[option[1]] = true
    if config[option[1]] == nil then return option[1], "has no setting" end
  end
  for name in pairs(config) do
    if not known[name] then return name, "has a setting" end
  end
end

-- How a record shows that something else has written it; nil when it does not.
local function difference(e, record)
  local version = require("unroll").version
  if record.version ~= version then
    return ("was written by version %s of unroll (this is %s)"):format(
      tostring(record.version), version)
  end
  local name, how = odd_option(e, record.config)
  if name then
    return ("was written by another form of %s: it %s '%s'"):format(e.name, how, name)
  end
end

local function is_record(value)
  return type(value) == "table" and type(value.config) == "table" and value.results ~= nil
end

--- What an experiment has saved in a folder.
---@param e unroll.Experiment
---@param dir string
---@return table? record nil when there is none, or the file is something else
---@return table|string|nil times what the clock said; or the message
function saved.read(e, dir)
  local record, message = store.read(dir, e.name)
  if record == nil then
    local is_there = sys.read_file(path_of(e, dir))
    return nil, is_there and message or message .. ". Run it once without --redraw"
  end
  if not is_record(record) then
    return nil, path_of(e, dir) .. " is no file of results: it has no settings and results"
  end
  return record, store.read(dir, e.name .. "-times")
end

--- Calls f(...), which works on a record that was read.
---@param e unroll.Experiment
---@param record table
---@param from table { out = folder, script = what makes the results again }
---@param f function
---@return true? ok nil when f raised
---@return string? message with the file and what to run; with the calls that led to the error
---  when the file is not to blame
function saved.use(e, record, from, f, ...)
  local other = difference(e, record)
  local ok, reason = xpcall(f, other and tostring or debug.traceback, ...)
  if ok then return true end
  return nil, ("%s %s.\n  What failed: %s\n  To make it again: unroll %s --out %s%s"):format(
    path_of(e, from.out), other or "cannot be used by this form of the script", reason,
    from.script, from.out, record.quick and " --quick" or "")
end

return saved
