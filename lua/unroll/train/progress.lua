--- progress: the line that shows how a training goes.
--
--   120/2000 ━━╶╶╶╶  loss 2.184  val 2.211  ppl 8.9  |∇| 0.61  1.18M chars/s  ETA 2.4 s
--
-- On a terminal the line is drawn over itself, at most five times a second; elsewhere
-- (a pipe, a file, TERM=dumb) a plain line comes every ten seconds and at the end. No
-- escape sequences either way: the line is overwritten after a carriage return and padded
-- with spaces. It goes to stderr, so that a script's own output stays clean.

local core = require "unroll.core"
local metrics = require "unroll.metrics"

--- A line that shows how a training goes.
---@class unroll.Progress
---@see train.fit
local Progress = { __name = "unroll.Progress" }
Progress.__index = Progress

local progress = {}

local seconds_between_frames = 0.2
local seconds_between_lines = 10
local echoed = #"^C" -- what a terminal shows when Ctrl-C is pressed
local bar_cells, short_bar_cells = 20, 10

-- --- text ------------------------------------------------------------------------------

--- A number of seconds as people say it: 0.4 s, 12 s, 3 min 05 s, 2 h 07 min.
---@param seconds number
---@return string
--- > train.progress.duration(185)   --> "3 min 05 s"
function progress.duration(seconds)
  if seconds < 9.95 then return ("%.1f s"):format(seconds) end
  local s = math.floor(seconds + 0.5)
  if s < 60 then return ("%d s"):format(s) end
  if s < 3600 then return ("%d min %02d s"):format(s // 60, s % 60) end
  return ("%d h %02d min"):format(s // 3600, s % 3600 // 60)
end

--- A rate with three digits and k, M or G: 1.21M, 45.3k, 820.
---@param rate number
---@return string
--- > train.progress.rate(1208000)   --> "1.21M"
function progress.rate(rate)
  for _, unit in ipairs { { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } } do
    if rate >= unit[1] then
      local value = rate / unit[1]
      local digits = value < 10 and "%.2f" or value < 100 and "%.1f" or "%.0f"
      return digits:format(value) .. unit[2]
    end
  end
  return ("%.0f"):format(rate)
end

--- A bar of so many cells, of which a share is full.
---@param done number 0 to 1
---@param cells integer
---@param utf8_terminal boolean
---@return string
--- > train.progress.bar(0.5, 4, false)   --> "==.."
function progress.bar(done, cells, utf8_terminal)
  local full = math.floor(done * cells)
  local on, off = utf8_terminal and "━" or "=", utf8_terminal and "╶" or "."
  return on:rep(full) .. off:rep(cells - full)
end

local function loss_format(loss) return loss < 0.1 and "%.4f" or "%.3f" end

-- The fields behind the bar, each with its rank: the higher ones give way first when the
-- terminal is narrow.
local function fields_of(status, utf8_terminal)
  local fields = {}
  local function add(rank, format, ...)
    fields[#fields + 1] = { rank, (format:format(...):gsub("-nan", "nan")) }
  end
  if status.loss then add(1, "loss " .. loss_format(status.loss), status.loss) end
  if status.validation then
    add(2, "val " .. loss_format(status.validation), status.validation)
  end
  if status.loss then add(5, "ppl %.3g", metrics.perplexity(status.loss)) end
  if status.norm then add(4, utf8_terminal and "|∇| %.2g" or "|grad| %.2g", status.norm) end
  if status.rate then add(3, "%s %s/s", progress.rate(status.rate), status.unit or "chars") end
  add(2, status.finished and "%s" or "ETA %s", progress.duration(status.seconds))
  return fields
end

local function join(fields, head)
  local parts = { head }
  for _, field in ipairs(fields) do parts[#parts + 1] = field[2] end
  return table.concat(parts, "  ")
end

local function drop_least(fields)
  local worst = 1
  for i = 2, #fields do if fields[i][1] >= fields[worst][1] then worst = i end end
  table.remove(fields, worst)
end

--- The line for a status.
---@param status table step, total; loss, validation, norm, rate, unit; seconds (to go, or
---  taken when `finished`)
---@param width? integer columns; nil: as long as it comes, without a bar
---@param utf8_terminal? boolean
---@return string
function progress.format(status, width, utf8_terminal)
  local total = ("%d"):format(status.total)
  local count = ("  %" .. #total .. "d/%s"):format(status.step, total)
  local fields = fields_of(status, utf8_terminal)
  if not width then return join(fields, count) end
  while true do
    local room = width - utf8.len(join(fields, count)) - 1
    local cells = room >= bar_cells and bar_cells or short_bar_cells
    if room >= cells then
      local bar = progress.bar(status.step / status.total, cells, utf8_terminal)
      return join(fields, count .. " " .. bar)
    end
    if room >= -1 then return join(fields, count) end -- all of it, without the bar
    if #fields == 0 then return count:sub(1, math.max(width, 0)) end
    drop_least(fields)
  end
end

-- --- the live line ---------------------------------------------------------------------

--- Whether the terminal shows more than ASCII, as far as the locale's variables say.
---@return boolean
function progress.is_utf8()
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = os.getenv(name)
    if value and value ~= "" then return value:lower():find("utf%-?8") ~= nil end
  end
  return false
end

--- Starts a line.
---@param total integer steps
---@param opts? table unit; and, for tests: live (a terminal?), write, clock, width, utf8
---@return unroll.Progress
function progress.new(total, opts)
  opts = opts or {}
  local live = opts.live
  if live == nil then live = core.sys.isatty(2) and os.getenv "TERM" ~= "dumb" end
  local self = setmetatable({
    status = { total = total, step = 0, unit = opts.unit },
    live = live, clock = opts.clock or core.sys.clock, width = opts.width,
    write = opts.write or function(text) io.stderr:write(text) io.stderr:flush() end,
    utf8 = opts.utf8 == nil and progress.is_utf8() or opts.utf8 or false,
    drawn = 0, first_step = opts.first_step or 0, elements = 0,
    smooth = metrics.moving_average(0.05),
  }, Progress)
  self.started = self.clock()
  self.next_time = self.started + (live and 0 or seconds_between_lines)
  return self
end

local function columns(self)
  return self.width or core.sys.terminal_width() or 80
end

-- Draws what the status says now.
local function draw(self, now)
  local status, seconds = self.status, now - self.started
  status.rate = seconds > 0 and self.elements / seconds or nil
  if status.finished then
    status.seconds = seconds
  else
    local done = status.step - self.first_step
    status.seconds = done > 0 and seconds / done * (status.total - status.step) or 0
  end
  if not self.live then
    self.write(progress.format(status, nil, self.utf8) .. "\n")
    return
  end
  local line = progress.format(status, columns(self) - 1 - echoed, self.utf8)
  local length = utf8.len(line) or #line
  local padding = (" "):rep(self.drawn - length + (status.finished and echoed or 0))
  self.write("\r" .. line .. padding .. (status.finished and "\n" or ""))
  self.drawn = status.finished and 0 or length
end

--- Takes the numbers of a step, or of some; draws when it is time. Makes no garbage in between.
---@param step integer the last one
---@param loss number their mean
---@param norm number of the last one
---@param elements integer trained in these steps
---@param steps? integer how many; default 1
function Progress:update(step, loss, norm, elements, steps)
  local status = self.status
  status.step, status.loss, status.norm = step, self.smooth(loss, steps), norm
  self.elements = self.elements + elements
  local now = self.clock()
  if now < self.next_time then return end
  self.next_time = now + (self.live and seconds_between_frames or seconds_between_lines)
  draw(self, now)
end

--- Shows a validation loss from the next drawing on.
---@param loss number
function Progress:validated(loss) self.status.validation = loss end

--- Writes a message on a line of its own, above the live line.
---@param text string
function Progress:message(text)
  if self.drawn > 0 then self.write("\r" .. (" "):rep(self.drawn) .. "\r") end
  self.drawn = 0
  self.write(text .. "\n")
end

--- Draws the last line and leaves it.
function Progress:finish()
  self.status.finished = true
  draw(self, self.clock())
end

--- A line that shows nothing, for progress = false; messages still come.
local function nothing() end
--- A line that shows nothing, for progress = false; messages still come.
progress.silent = { update = nothing, validated = nothing, finish = nothing,
  message = function(_, text) io.stderr:write(text, "\n") end }

return progress
