--- Sweeps: many cases, run by several workers at a time.
--
-- A task is { experiment =, script =, case =, run = }; its outcome { result =, times = } or
-- { error = }. What runs a task is an executor, one file in executors/:
--
--   local pool = executor.start { count =, tasks = }   -- slots 1 .. count; __close ends it
--   ok, message = pool:send(slot, id, task)            -- to a slot that has none
--   events = pool:receive(seconds)                     -- { {slot=, line=} | {slot=, died=}, ... }
--
-- `line` is an answer of worker.lua. A slot whose worker died is ready again. Results go
-- through JSON in every executor, and a case depends on nothing but itself, so the outcomes
-- are the same bits whatever the executor and the number of jobs.
local json = require "unroll.json"
local options = require "unroll.options"
local sys = require("unroll.core").sys
local cache = require "unroll.experiment.cache"
local display = require "unroll.experiment.display"
local key = require "unroll.experiment.key"

local sweep = {}

local executors = { process = true, fork = true, serial = true }

local function executor_named(name)
  if type(name) == "table" then return name end
  if not executors[name] then
    error(("sweep: executor is '%s'. There are: fork, process, serial."):format(tostring(name)), 4)
  end
  return require("unroll.experiment.executors." .. name)
end

-- The outcomes that an earlier run has kept, and the numbers of the tasks still to do.
local function look_up(tasks, kept, keys, fresh)
  local outcomes, queue = {}, {}
  for id, task in ipairs(tasks) do
    if kept then
      keys[id] = key.of(task)
      outcomes[id] = not fresh and kept:find(task.experiment, keys[id]) or nil
    end
    if not outcomes[id] then queue[#queue + 1] = id end
  end
  return outcomes, queue
end

-- Gives every free slot its next task. A task that cannot be sent has failed.
local function fill(pool, run)
  for slot = 1, run.count do
    while not run.busy[slot] and run.next <= #run.queue do
      local id = run.queue[run.next]
      run.next = run.next + 1
      local ok, message = pool:send(slot, id, run.tasks[id])
      if ok then
        run.busy[slot], run.running = id, run.running + 1
      else
        run.finish(id, { error = "the worker cannot be started: " .. message })
      end
    end
  end
end

local function take(event, run)
  local id = run.busy[event.slot]
  local answer = event.line and json.decode(event.line)
  if answer and answer.say then return run.say(answer.say) end
  if not id then return end -- an idle worker ended: the next send starts another
  run.busy[event.slot], run.running = nil, run.running - 1
  if event.died then
    run.finish(id, { error = "the worker died: " .. event.died })
  elseif not answer or answer.id ~= id then
    run.finish(id, { error = "the worker gave no answer but " .. event.line:sub(1, 80) })
  else
    run.finish(id, { result = answer.result, times = answer.times, error = answer.error })
  end
end

local function drive(pool, run)
  fill(pool, run)
  while run.running > 0 do
    for _, event in ipairs(pool:receive(0.2)) do take(event, run) end
    fill(pool, run)
    run.tick()
  end
end

-- Says, when the sweep is broken off, what is kept.
local function farewell(kept, screen, outcomes, total)
  return setmetatable({}, { __close = function(_, failure)
    screen:finish()
    if not (failure and kept) then return end
    local count = 0
    for id = 1, total do if outcomes[id] and not outcomes[id].error then count = count + 1 end end
    screen:say(("%d of %d cases are kept in %s; the same command continues from there")
      :format(count, total, kept.dir))
  end })
end

--- Runs tasks.
---@param tasks table[] { experiment =, script =, case =, run = }
---@param how table executor (name or table), jobs (default: one a core), cache (folder; nil:
---  keep nothing), fresh (true: use nothing kept), progress (false: show none), words (false: drop what
---  the cases report)
---@param say? fun(text: string) takes the lines of words; default: standard error
---@return table[] outcomes in the order of the tasks: { result =, times = } or { error = }
--- Errors: an unknown executor. A task that fails is an outcome, not an error.
function sweep.run(tasks, how, say)
  local executor = executor_named(how.executor or "process")
  local kept, keys = how.cache and cache.open(how.cache), {}
  local outcomes, queue = look_up(tasks, kept, keys, how.fresh)
  local screen = display.new(tasks, outcomes, { quiet = how.progress == false, say = say })
  local _ <close> = farewell(kept, screen, outcomes, #tasks)
  if #queue == 0 then return outcomes end
  local count = math.min(how.jobs or sys.cores(), #queue)
  local pool <close> = executor.start { count = count, tasks = tasks }
  drive(pool, {
    tasks = tasks, queue = queue, count = count, next = 1, busy = {}, running = 0,
    say = function(text) if how.words ~= false then screen:say(text) end end, tick = function() screen:tick() end,
    finish = function(id, outcome)
      outcomes[id] = outcome
      local task = tasks[id]
      if kept and not outcome.error then
        kept:add(task.experiment, keys[id], task.case, outcome)
      end
      screen:done(task, outcome)
    end,
  })
  return outcomes
end

local sweep_options = { "jobs", "cache", "progress", "say", cases = options.required,
                        run = options.required, name = "sweep", executor = "fork", fresh = false }

--- Runs a function for many cases, several at a time.
--- > experiment.sweep { cases = experiment.grid({}, "lr", { 0.1, 0.01 }, "seed", { 1, 2 }),
--- >                    run = function(case) return { loss = train_with(case) } end }
---@param opts table cases (list of plain tables) and run (case -> plain result); executor
---  "fork" (default: closures see everything made so far), "serial"; jobs (default: one a
---  core); cache (folder, kept under `name`: nil keeps nothing. Give it a new name when what
---  `run` uses changes: only the library's code is part of the key); fresh, progress, say
---@return table[] results in the order of the cases: { case =, result =, times = } or
---  { case =, error = }
--- Errors: an unknown or missing option. A case that fails is reported, not raised.
function sweep.of_cases(opts)
  local o = options.check(opts, sweep_options, "sweep")
  local tasks = {}
  for id, case in ipairs(o.cases) do
    tasks[id] = { experiment = o.name, case = case, run = o.run }
  end
  if o.executor == "process" then
    error("sweep: executor 'process' runs the cases of a script (experiment.define); "
      .. "a function needs 'fork' or 'serial'", 2)
  end
  local outcomes = sweep.run(tasks, o, o.say)
  for id, outcome in ipairs(outcomes) do
    outcomes[id] = { case = tasks[id].case, result = outcome.result, times = outcome.times,
                     error = outcome.error }
  end
  return outcomes
end

return sweep
