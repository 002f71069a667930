-- executor.lua -- runs the cases of an experiment over a shell command.
--
--   unroll scripts/experiments/adding.lua --quick --executor examples/executor.lua
--
-- `sh -c` stands for what reaches another machine: "ssh HOST" with the paths of the program and
-- the script over there. A worker reads cases and writes answers, one JSON object a line, on its
-- standard streams; words of others, such as a greeting, are passed on. When a channel is closed,
-- the worker ends.
local channels = require "unroll.experiment.channels"
local sys = require("unroll.core").sys

local executor = {}

-- A channel to a new worker for the task's script; or nil and why there is none.
local function open(task)
  if not task.script then return nil, "the task has no script" end
  local command = ("echo welcome; exec '%s' '%s' --worker"):format(sys.executable(), task.script)
  return sys.spawn { "sh", "-c", command }
end

--- Called once a sweep: `setup.count` workers are wanted, each for the tasks of one script.
function executor.start(setup)
  return channels.start(setup.count, open, function(task) return task.script end)
end

return executor
