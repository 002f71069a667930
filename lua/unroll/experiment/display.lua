--- The one line that shows how a sweep goes, and the words of its cases above it.
--
--   37/120 ━━━━━╶╶╶╶╶  gradient_flow 12/40  ETA 40 s
--
-- On a terminal the line is drawn over itself; elsewhere a plain line comes every ten
-- seconds.
local sys = require("unroll.core").sys
local progress = require "unroll.train.progress"
local worker = require "unroll.experiment.worker"

local Display = {}
Display.__index = Display

local display = {}

local cells = 20
local seconds_between_frames, seconds_between_lines = 0.2, 10

local function count_tasks(self, tasks, outcomes)
  for id, task in ipairs(tasks) do
    local name = task.experiment
    self.of[name] = self.of[name] or { done = 0, total = 0 }
    self.of[name].total = self.of[name].total + 1
    if outcomes[id] then
      self.done_count, self.of[name].done = self.done_count + 1, self.of[name].done + 1
    end
  end
  self.first_count, self.total = self.done_count, #tasks
end

--- Starts the line.
---@param tasks table[] all of the sweep
---@param outcomes table of those that are known already
---@param opts table quiet (true: no line), say (takes what the cases report); and, for tests:
---  live, write, clock, utf8
function display.new(tasks, outcomes, opts)
  local live = opts.live
  if live == nil then live = sys.isatty(2) and os.getenv "TERM" ~= "dumb" end
  local self = setmetatable({
    live = live, quiet = opts.quiet, of = {}, done_count = 0, drawn = 0,
    write = opts.write or function(text) io.stderr:write(text) io.stderr:flush() end,
    clock = opts.clock or sys.clock,
    utf8 = opts.utf8 == nil and progress.is_utf8() or opts.utf8 or false,
  }, Display)
  self.tell = opts.say or function(text) self.write(text .. "\n") end
  count_tasks(self, tasks, outcomes)
  self.started = self.clock()
  self.next_time = self.started + (live and 0 or seconds_between_lines)
  if self.first_count > 0 then
    self:say(("%d of %d cases are known from before"):format(self.first_count, self.total))
  end
  return self
end

local function text_of(self, now)
  local share = self.total > 0 and self.done_count / self.total or 0
  local parts = { ("%d/%d %s"):format(self.done_count, self.total,
    progress.bar(share, cells, self.utf8)) }
  local current = self.current and self.of[self.current]
  if current and current.total < self.total then
    parts[2] = ("%s %d/%d"):format(self.current, current.done, current.total)
  end
  local done = self.done_count - self.first_count
  if done > 0 and self.done_count < self.total then
    local left = (now - self.started) / done * (self.total - self.done_count)
    parts[#parts + 1] = "ETA " .. progress.duration(left)
  else
    parts[#parts + 1] = progress.duration(now - self.started)
  end
  return table.concat(parts, "  ")
end

local function clear(self)
  if self.drawn > 0 then self.write("\r" .. (" "):rep(self.drawn) .. "\r") end
  self.drawn = 0
end

local function draw(self, now)
  local text = text_of(self, now)
  if not self.live then return self.write(text .. "\n") end
  local width = utf8.len(text)
  if width >= (sys.terminal_width() or 80) then return end
  self.write("\r" .. text .. (" "):rep(self.drawn - width))
  self.drawn = width
end

--- Draws when it is time.
function Display:tick()
  local now = self.clock()
  if self.quiet or now < self.next_time then return end
  self.next_time = now + (self.live and seconds_between_frames or seconds_between_lines)
  draw(self, now)
end

--- A line of words above the live line.
---@param text string
function Display:say(text)
  clear(self)
  self.tell(text)
end

--- Counts a task that has ended; says so when it failed.
---@param task table
---@param outcome table
function Display:done(task, outcome)
  self.done_count, self.current = self.done_count + 1, task.experiment
  self.of[task.experiment].done = self.of[task.experiment].done + 1
  if outcome.error then
    self:say(("FAILED %s, %s: %s"):format(task.experiment, worker.show(task.case),
      outcome.error))
  end
  self:tick()
end

--- Removes the live line.
function Display:finish() clear(self) end

return display
