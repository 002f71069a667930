--- Cases that failed, put together by what went wrong: a mistake in a setting fails all of
--- them alike, and is to be read once.
local worker = require "unroll.experiment.worker"

local failures = {}

local shown_groups = 5

-- Lists of { message =, count =, task = the first one }, in the order in which they come.
local function group(tasks, outcomes)
  local groups, known = {}, {}
  for id, task in ipairs(tasks) do
    local message = outcomes[id] and outcomes[id].error
    if message and not known[message] then
      known[message] = { message = message, count = 0, task = task }
      groups[#groups + 1] = known[message]
    end
    if message then known[message].count = known[message].count + 1 end
  end
  return groups
end

--- "9 of 12 cases failed:" and below it each message once, with how often it came and the
--- first case that it came from.
---@param tasks table[]
---@param outcomes table[] { error = } of those that failed
---@return string? text nil when none failed
function failures.text(tasks, outcomes)
  local groups, total = group(tasks, outcomes), 0
  for _, one in ipairs(groups) do total = total + one.count end
  if total == 0 then return nil end
  local lines = { ("%d of %d cases failed:"):format(total, #tasks) }
  for i = 1, math.min(#groups, shown_groups) do
    local one = groups[i]
    lines[#lines + 1] = ("  %s%s: %s"):format(one.count > 1
      and ("%d cases, the first "):format(one.count) or "", worker.show(one.task.case), one.message)
  end
  if #groups > shown_groups then
    lines[#lines + 1] = ("  and %d other messages"):format(#groups - shown_groups)
  end
  return table.concat(lines, "\n")
end

return failures
