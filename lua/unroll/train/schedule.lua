--- Schedules of the learning rate: functions from the step, counted from 1, to the rate.
--
--   train.fit(model, corpus, { steps = n, schedule = train.schedule.cosine(0.01, n) })
--
-- Any function of the step is a schedule; these are the two that experiments share.

local options = require "unroll.options"

local schedule = {}

local function check(lr, steps, who)
  if not math.type(lr) or not (lr >= 0 and lr < math.huge) then
    error(("%s: lr is %s, must be a number of at least 0"):format(who, options.shown(lr)), 3)
  end
  options.integer(steps, "steps", who, 1, 3)
end

--- From `lr` at step 1 down to lr / steps at the last one, along a line.
---@param lr number
---@param steps integer
---@return fun(step: integer): number
--- Errors: a negative lr; steps below 1.
--- > train.schedule.linear(0.1, 10)(1)    --> 0.1
--- > train.schedule.linear(0.1, 10)(10)   --> 0.01
---@see train.fit train.schedule.cosine
function schedule.linear(lr, steps)
  check(lr, steps, "schedule.linear")
  return function(step) return lr * math.max(0, 1 - (step - 1) / steps) end
end

--- From `lr` at step 1 towards 0, along half a cosine, without restarts.
---@param lr number
---@param steps integer
---@return fun(step: integer): number
--- Errors: a negative lr; steps below 1.
--- Source: Loshchilov & Hutter, SGDR: stochastic gradient descent with warm restarts, 2017.
--- > train.schedule.cosine(0.1, 10)(6)   --> 0.05
---@see train.fit train.schedule.linear
function schedule.cosine(lr, steps)
  check(lr, steps, "schedule.cosine")
  return function(step)
    return lr * 0.5 * (1 + math.cos(math.pi * math.min(1, (step - 1) / steps)))
  end
end

return schedule
