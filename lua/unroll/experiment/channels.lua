--- Workers behind channels: what the executors that start processes share.
local json = require "unroll.json"
local lines = require "unroll.experiment.lines"
local sys = require("unroll.core").sys

local Pool = {}
Pool.__index = Pool

local channels = {}

--- A pool of slots, without workers at first.
---@param count integer
---@param open fun(task: table): userdata?, string? starts a worker: a channel, or nil and why
---@param kind fun(task: table): any a worker serves tasks of one kind only
function channels.start(count, open, kind)
  return setmetatable({ count = count, open = open, kind = kind, workers = {} }, Pool)
end

--- Ends the worker of a slot, whatever it is doing.
function Pool:stop(slot)
  local worker = self.workers[slot]
  if worker then worker.channel:close() end
  self.workers[slot] = nil
end

local function start(self, slot, task)
  local channel, message = self.open(task)
  if not channel then return nil, message end
  self.workers[slot] = { channel = channel, kind = self.kind(task), lines = lines.new() }
  return true
end

--- Sends a task to a slot that has none.
---@return true? ok
---@return string? message why there is no worker
function Pool:send(slot, id, task)
  local worker = self.workers[slot]
  if worker and worker.kind ~= self.kind(task) then self:stop(slot) end
  local request = json.line { id = id, case = task.case } .. "\n"
  for _ = 1, 2 do -- an idle worker may have died: then once more with a new one
    if not self.workers[slot] then
      local ok, message = start(self, slot, task)
      if not ok then return nil, message end
    end
    if self.workers[slot].channel:write(request) then return true end
    self:stop(slot)
  end
  return nil, "it died at once"
end

local signals = { [6] = "aborted", [9] = "killed, perhaps for want of memory",
                  [11] = "segmentation fault", [15] = "terminated" }

local function how_it_died(channel)
  local how, code = channel:wait()
  if how ~= "signal" then return ("exit code %d"):format(code) end
  return ("signal %d%s"):format(code, signals[code] and (" (%s)"):format(signals[code]) or "")
end

--- Waits until a worker has something, at most so long.
---@param seconds number
---@return table[] events { slot =, line = } and { slot =, died = }
function Pool:receive(seconds)
  local slots, open, events = {}, {}, {}
  for slot = 1, self.count do
    local worker = self.workers[slot]
    if worker then slots[#slots + 1], open[#open + 1] = slot, worker.channel end
  end
  for _, place in ipairs(sys.poll(open, seconds)) do
    local slot = slots[place]
    local worker = self.workers[slot]
    local bytes = worker.channel:read()
    if not bytes or bytes == "" then
      events[#events + 1] = { slot = slot, died = how_it_died(worker.channel) }
      self:stop(slot)
    else
      for _, line in ipairs(worker.lines:add(bytes)) do
        events[#events + 1] = { slot = slot, line = line }
      end
    end
  end
  return events
end

--- Ends every worker, whatever it is doing.
function Pool:close()
  for slot = 1, self.count do self:stop(slot) end
end

Pool.__close = Pool.close

return channels
