--- Runs tasks in copies of this process, which see every value made so far: for functions
--- that are closures, at the prompt.
local channels = require "unroll.experiment.channels"
local worker = require "unroll.experiment.worker"
local sys = require("unroll.core").sys

local fork = {}

-- The life of a copy: it never returns to what the original was doing.
local function live(channel, tasks)
  local ok, message = pcall(worker.serve_channel, channel, function(request)
    return tasks[request.id].run
  end)
  if not ok then io.stderr:write(tostring(message), "\n") end
  sys.exit_copy(ok and 0 or 1)
end

--- See sweep.lua for what an executor does.
---@param setup table { count =, tasks = }
function fork.start(setup)
  return channels.start(setup.count, function()
    local channel, is_copy = sys.fork()
    if is_copy then live(channel, setup.tasks) end
    return channel, is_copy -- without a channel, the message
  end, function() return "one for all" end)
end

return fork
