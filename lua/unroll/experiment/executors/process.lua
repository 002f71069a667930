--- Runs tasks in processes of their own: this program with the task's script and --worker.
local channels = require "unroll.experiment.channels"
local sys = require("unroll.core").sys

local process = {}

local function open(task)
  if not task.script then return nil, "the task has no script" end
  return sys.spawn { sys.executable(), task.script, "--worker" }
end

--- See sweep.lua for what an executor does.
---@param setup table { count = }
function process.start(setup)
  return channels.start(setup.count, open, function(task) return task.script end)
end

return process
