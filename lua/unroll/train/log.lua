--- log: metrics of a training as CSV, one row for a step.
--
--   step,loss,gradient_norm,lr,validation_loss,seconds
--
-- Loss in nats, the gradient norm before the clip, seconds since the start of the run;
-- validation_loss is empty where no validation took place. Rows are appended in whole
-- lines, each batch of them with one write, so a run that is killed leaves a readable
-- file. An older file is continued, never overwritten; a resumed run first drops the rows
-- that lie after its checkpoint.

local core = require "unroll.core"

-- A log that is open.
local Log = {}
Log.__index = Log

local log = { header = "step,loss,gradient_norm,lr,validation_loss,seconds" }

-- The text without rows at its end that are incomplete or later than `last_step`.
local function without_later_rows(text, last_step)
  text = text:sub(1, (text:find("\n[^\n]*$"))) -- up to the last line break
  while true do
    local start, step = text:match("\n()(%d+),[^\n]*\n$")
    if not step or math.tointeger(step) <= last_step then return text end
    text = text:sub(1, start - 1)
  end
end

-- Makes the file ready to be appended to.
local function prepare(path, resumed_step)
  local text = core.sys.read_file(path)
  if not text or text == "" then return core.sys.write_file(path, log.header .. "\n") end
  if text:match("^[^\r\n]*") ~= log.header then
    return nil, path .. ": not a metrics log of train.fit (its first line differs)"
  end
  local kept = without_later_rows(text, resumed_step or math.maxinteger)
  if kept == text then return true end
  return core.sys.write_file(path, kept)
end

--- Opens a log for appending.
---@param path string
---@param resumed_step? integer the step of the checkpoint that the run continues from
---@return unroll.MetricsLog?
---@return string? message
function log.open(path, resumed_step)
  local ready, message = prepare(path, resumed_step)
  if not ready then return nil, message end
  local file
  file, message = io.open(path, "ab")
  if not file then return nil, message end
  file:setvbuf("no")
  return setmetatable({ file = file, path = path, last = resumed_step or 0, validation = {} }, Log)
end

--- Remembers a validation loss for the row of its step.
---@param step integer
---@param loss number
function Log:validated(step, loss) self.validation[step] = loss end

--- Appends the rows of the steps that are not in the file yet.
---@param history table tensors loss, gradient_norm, lr and seconds, by step
---@param step integer the last step that is done
---@return true? ok
---@return string? message
function Log:flush(history, step)
  local rows = {}
  for k = self.last + 1, step do
    local validation = self.validation[k]
    rows[#rows + 1] = ("%d,%.9g,%.9g,%.9g,%s,%.3f\n"):format(k, history.loss[k],
      history.gradient_norm[k], history.lr[k], validation and ("%.9g"):format(validation) or "",
      history.seconds[k])
  end
  self.last, self.validation = math.max(self.last, step), {}
  if #rows == 0 then return true end
  local ok, message = self.file:write(table.concat(rows))
  return ok and true or nil, message
end

--- Closes the file.
function Log:close() self.file:close() end

return log
