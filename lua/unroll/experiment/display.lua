--- The one line that shows how a sweep goes, and the words of its cases above it.
--
--   37/120 ━━━━━╶╶╶╶╶  gradient_flow 12/40  ETA 40 s
--
-- On a terminal the line is drawn over itself, and is shorter where the terminal is narrow;
-- elsewhere a plain line comes every ten seconds. A failure is told when it comes; others
-- with the same message are only counted (failures.lua).
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
---  live, write, clock, utf8, width
function display.new(tasks, outcomes, opts)
  local live = opts.live
  if live == nil then live = sys.isatty(2) and os.getenv "TERM" ~= "dumb" end
  local self = setmetatable({
    live = live, quiet = opts.quiet, of = {}, done_count = 0, drawn = 0, told = {},
    width = opts.width,
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

-- The parts of the line, from the one that must be there to the one that gives way first.
local function parts_of(self, now)
  local share = self.total > 0 and self.done_count / self.total or 0
  local parts = { count = ("%d/%d"):format(self.done_count, self.total), share = share }
  local current = self.current and self.of[self.current]
  if current and current.total < self.total then
    parts.name = ("%s %d/%d"):format(self.current, current.done, current.total)
  end
  local done = self.done_count - self.first_count
  parts.time = progress.duration(now - self.started)
  if done > 0 and self.done_count < self.total then
    local left = (now - self.started) / done * (self.total - self.done_count)
    parts.time = "ETA " .. progress.duration(left)
  end
  return parts
end

local function text_of(self, parts, length, with)
  local bar = length > 0 and " " .. progress.bar(parts.share, length, self.utf8) or ""
  local words = { parts.count .. bar }
  for _, part in ipairs(with) do words[#words + 1] = parts[part] end
  return table.concat(words, "  ")
end

-- What is tried one after the other until it is narrower than the terminal.
local layouts = { { cells, { "name", "time" } }, { cells // 2, { "name", "time" } },
                  { cells // 2, { "time" } }, { 0, { "time" } }, { 0, {} } }

-- The longest text that fits on a line of the width; "" when none does.
local function fitting(self, now, width)
  local parts = parts_of(self, now)
  for _, layout in ipairs(layouts) do
    local text = text_of(self, parts, layout[1], layout[2])
    if utf8.len(text) < width then return text end
  end
  return ""
end

local function clear(self)
  if self.drawn > 0 then self.write("\r" .. (" "):rep(self.drawn) .. "\r") end
  self.drawn = 0
end

local function draw(self, now)
  if not self.live then return self.write(fitting(self, now, math.huge) .. "\n") end
  local text = fitting(self, now, self.width or sys.terminal_width() or 80)
  local width = utf8.len(text)
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

-- A failure is told once, not those that are like it.
local function tell_failure(self, task, outcome)
  if self.told[outcome.error] then return end
  self.told[outcome.error] = true
  local trace = outcome.trace and outcome.trace ~= "" and "\n" .. outcome.trace or ""
  self:say(("FAILED %s, %s: %s%s"):format(task.experiment, worker.show(task.case),
    outcome.error, trace))
end

--- Counts a task that has ended; says so when it failed.
---@param task table
---@param outcome table { error =, trace = } when it failed
function Display:done(task, outcome)
  self.done_count, self.current = self.done_count + 1, task.experiment
  self.of[task.experiment].done = self.of[task.experiment].done + 1
  if outcome.error then tell_failure(self, task, outcome) end
  self:tick()
end

--- Removes the live line.
function Display:finish() clear(self) end

return display
