--- Runs tasks one after the other in this process. Ctrl-C breaks off the case that runs.
local worker = require "unroll.experiment.worker"

local Serial = {}
Serial.__index = Serial

local serial = {}

--- See sweep.lua for what an executor does.
function serial.start() return setmetatable({ waiting = {} }, Serial) end

function Serial:send(slot, id, task)
  self.waiting[#self.waiting + 1] = { slot = slot, id = id, task = task }
  return true
end

function Serial:receive()
  local job, events = table.remove(self.waiting, 1), {}
  worker.answer(job.task.run, { id = job.id, case = job.task.case }, function(line)
    events[#events + 1] = { slot = job.slot, line = line }
  end)
  return events
end

function Serial.__close() end

return serial
