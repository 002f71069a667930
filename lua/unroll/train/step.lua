--- step: one step of a training: take a window; forward; backward; measure and clip the
--- gradients; update; write the numbers down.
--
-- The state at the end of a window is the start of the next one, unless the source says
-- reset. A small network takes a few microseconds for a step, so what stays the same is
-- looked up once, when the function is made, and what a window is like once for each of
-- the source's tensors, which it fills again and again. Nothing makes garbage.
--
-- A loss or a gradient that is not finite ends the run before the parameters change.

local batches = require "unroll.text.batches"
local core = require "unroll.core"
local optim = require "unroll.optim"
local optim_own = require "unroll.optim.own"
local options = require "unroll.options"
local progress = require "unroll.train.progress"

local who = "train.fit"

local function name_of_nonfinite(list)
  for _, item in ipairs(list) do
    local norm = core.optim.norm(item.tensor)
    if norm - norm ~= 0 then return item.name end
  end
end

local function refuse_loss(run, loss)
  local name = name_of_nonfinite(run.model:parameters())
  error(("%s: step %d: the loss is %s; %s. The parameters are those after step %d"):format(who,
    run.step + 1, loss ~= loss and "NaN" or "infinite",
    name and ("parameter '%s' is not finite"):format(name) or "the logits are not finite",
    run.step), 0)
end

-- What core leaves to the functions for users: lists of gradients, and norms to complain of.
local function clip_otherwise(run, limit, loss)
  local where = { step = run.step + 1, loss = loss }
  if run.o.clip_value then return optim.clip_value(run.model, limit, where) end
  local norm = optim.clip_norm(run.model, limit, where)
  return norm, norm > limit
end

local function scheduled_rate(schedule, step)
  local lr = schedule(step)
  if not (math.type(lr) and lr >= 0 and lr < math.huge) then
    error(("schedule(%d) gave %s, must be a number of at least 0"):format(step,
      options.shown(lr)), 0)
  end
  return lr
end

local step_methods = { "forward", "backward", "zero_gradients", "gradients" }

-- Has the model the methods of its class, none of its own instead?
local function is_plain(model)
  local class = getmetatable(model)
  for _, name in ipairs(step_methods) do
    if type(class) ~= "table" or model[name] ~= class[name] then return false end
  end
  return true
end

-- What makes all of a step in one call of core, by traces: core.train.step. It is made again when
-- the optimiser has other state, or the history is another one.
local function whole_steps(run)
  local o, optimizer = run.o, run.optimizer
  local own = is_plain(run.model) and optim_own[optimizer] or nil
  local clip, limit = o.clip_value and "value" or "norm", o.clip_value or o.clip_norm or math.huge
  local steps, update, history = {}, nil, nil

  local function find(trace)
    if not own or not own.update or not trace then return nil end
    if update ~= own.update or history ~= run.history then
      steps, update, history = {}, own.update, run.history
    end
    if steps[trace] == nil then
      steps[trace] = core.train.step(run.model, trace, optimizer, update, clip, limit,
        o.reduction == "mean", history.all, run.start) or false
    end
    return steps[trace]
  end

  return function(trace, x, y, state, weight, count, number, most, until_when)
    local step = steps[trace]
    if not step or update ~= own.update or history ~= run.history then step = find(trace) end
    if not step then return nil end
    local t, more, fill, position = own.t + 1, 0, nil, nil
    if most > 0 then more, fill, position = batches.ahead(run.iterator) end
    local done, clips, loss, after, norm, clipped, interrupted = step(x, y, state, weight, count,
      number, t, more < most and more or most, fill, position, until_when)
    if not done then return nil end
    if interrupted ~= nil then own.t = t + done else own.t = own.t + done end
    if done > 0 then batches.skip(run.iterator, done) end
    run.step, run.clipped = run.step + done, run.clipped + clips
    run.elements = run.elements + done * count
    return loss, after, norm, clipped, interrupted
  end
end

-- The passes over one window, which leave the gradients and the state after it: a function of
-- what the iterator gives, to the mean loss and the number of predictions it is the mean of. Where
-- all is as it was before, the rest of the step is done with them, and comes behind (whole_steps);
-- and before it, up to `most` steps more, which the run counts.
local function passes(run)
  local model, is_sum, whole = run.model, run.o.reduction == "sum", whole_steps(run)
  local forward_options, traces = { reduction = run.o.reduction }, {} -- by length of the window
  local known_x, known_y, length, count

  local function learn(x, y)
    known_x, known_y, length, count = x, y, x:size(1), y:numel()
    forward_options.trace = traces[length]
  end

  local function pass(x, y, state, weight, counted)
    if weight ~= forward_options.weight then forward_options.weight = weight end
    local loss, after, trace = model:forward(x, y, state, forward_options)
    run.state = after
    if trace ~= forward_options.trace then
      forward_options.trace, traces[length] = trace, trace
    end
    if is_sum then loss = loss / counted end
    if loss - loss ~= 0 then refuse_loss(run, loss) end
    model:zero_gradients()
    model:backward(trace)
    return loss, counted
  end

  return function(x, y, info, number, most, until_when)
    if x ~= known_x or y ~= known_y then learn(x, y) end
    local state, weight, counted = run.state, nil, count
    if info then
      weight = info.weight
      if info.reset then state = nil end
      if weight then counted = weight:sum() end
    end
    local loss, after, norm, clipped, interrupted = whole(forward_options.trace, x, y, state,
      weight, counted, number, most, until_when)
    if not loss then return pass(x, y, state, weight, counted) end
    if loss - loss ~= 0 then refuse_loss(run, loss) end
    run.state = after
    return loss, counted, norm, clipped, interrupted
  end
end

--- The function that makes a step of a run (fit.lua), or some when nobody looks at what happens
--- between them. It returns the loss and the gradient norm of the last one, and whether there was
--- a Ctrl-C.
---@param run table
---@param may_go_on boolean nobody looks
---@return fun(): number, number, boolean
return function(run, may_go_on)
  local o, model, iterator, optimizer = run.o, run.model, run.iterator, run.optimizer
  local pass, record = passes(run), core.train.recorder(run.history.all, run.start)
  local clip = o.clip_value and core.optim.clip_value or core.optim.clip_norm
  local limit, schedule = o.clip_value or o.clip_norm or math.huge, o.schedule
  local shown = run.progress ~= progress.silent and run.progress or nil
  local update, may_run = optimizer.step, may_go_on and not schedule

  -- The steps from `first` to `last` are done.
  local function show(first, last, loss, norm, elements)
    local steps = last - first + 1
    if steps > 1 then loss = run.history.loss:narrow(1, first, steps):mean() end
    shown:update(last, loss, norm, elements, steps)
  end

  return function()
    local first, elements = run.step + 1, run.elements
    if first > run.history.capacity then
      run:grow_history()
      record = core.train.recorder(run.history.all, run.start)
    end
    local x, y, info = iterator()
    if not x then error(who .. ": the source ended at step " .. first, 0) end
    if schedule then optimizer.lr = scheduled_rate(schedule, first) end
    local most = may_run and math.min(run.total, run.history.capacity) - first or 0
    local loss, count, norm, clipped, interrupted =
      pass(x, y, info, first, most, shown and shown.next_time or math.huge)
    if not norm then norm, clipped = clip(model, limit) end
    if not norm then norm, clipped = clip_otherwise(run, limit, loss) end
    local step = run.step + 1
    if clipped then run.clipped = run.clipped + 1 end
    if interrupted == nil then
      update(optimizer)
      interrupted = record(step, loss, norm, optimizer.lr)
    end
    run.step, run.elements = step, run.elements + count
    if shown then show(first, step, loss, norm, run.elements - elements) end
    return loss, norm, interrupted
  end
end
