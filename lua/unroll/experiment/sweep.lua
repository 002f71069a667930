--- Sweeps: many cases, run by several workers at a time.
--
-- A task is { experiment =, script =, case =, run = }; its outcome { result =, times = } or
-- { error =, trace = }. What runs tasks is an executor: one of executors/, a Lua file
-- anywhere, or the table that such a file returns:
--
--   local pool = executor.start { count =, tasks = }   -- slots 1 .. count; __close ends it
--   ok, message = pool:send(slot, id, task)            -- to a slot that has none
--   events = pool:receive(seconds)                     -- { {slot=, line=} | {slot=, died=}, ... }
--   pool:stop(slot)                                    -- ends its worker; only for time limits
--
-- One that starts processes only says how (channels.lua does the rest); examples/executor.lua
-- does so over a shell command.
--
-- `line` is an answer of worker.lua; a line that is none is shown and passed over. A slot
-- whose worker died is ready again. Results go through JSON in every executor, and a case
-- depends on nothing but itself, so the outcomes are the same bits whatever the executor and
-- the number of jobs.
local json = require "unroll.json"
local options = require "unroll.options"
local sys = require("unroll.core").sys
local cache = require "unroll.experiment.cache"
local display = require "unroll.experiment.display"
local failures = require "unroll.experiment.failures"
local key = require "unroll.experiment.key"

local sweep = {}

local executors = { "fork", "process", "serial" }

--- The executor that a name means.
---@param how string|table "fork", "process", "serial"; the path of a Lua file that returns an
---  executor; or the executor itself
---@return table? executor
---@return string? message
function sweep.executor(how)
  if type(how) == "table" and type(how.start) == "function" then return how end
  if type(how) == "string" and how:find "%.lua$" then
    local load, message = loadfile(how)
    local made = load and load()
    if type(made) == "table" and type(made.start) == "function" then return made end
    return nil, message or how .. " returns no table with a function 'start'"
  end
  for _, name in ipairs(executors) do
    if name == how then return require("unroll.experiment.executors." .. name) end
  end
  return nil, ("executor is '%s'. There are: %s; or the path of a .lua file"):format(
    tostring(how), table.concat(executors, ", "))
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
        run.since[slot] = sys.clock()
      else
        run.finish(id, { error = "the worker cannot be started: " .. message })
      end
    end
  end
end

-- An answer is an object with the number of the task; any other line (a login greeting, a
-- program's own words) is passed on, and what nobody has asked for is passed over.
local function take(event, run)
  local id = run.busy[event.slot]
  local answer = event.line and json.decode(event.line)
  if event.line and (type(answer) ~= "table" or answer.id == nil) then
    return run.say("a worker says: " .. event.line:sub(1, 200))
  end
  if not id or (answer and answer.id ~= id) then return end
  if answer and answer.say then return run.say(answer.say) end
  run.busy[event.slot], run.running = nil, run.running - 1
  if event.died then
    run.finish(id, { error = "the worker died: " .. event.died })
  else
    run.finish(id, { result = answer.result, times = answer.times, error = answer.error,
                     trace = answer.trace })
  end
end

-- Ends the cases that have run for too long, with their workers.
local function enforce(pool, run)
  local now = sys.clock()
  for slot, id in pairs(run.busy) do
    if now - run.since[slot] > run.time_limit then
      pool:stop(slot)
      run.busy[slot], run.running = nil, run.running - 1
      run.finish(id, { error = ("stopped: it ran for longer than its time limit of %g s")
        :format(run.time_limit) })
    end
  end
end

local function drive(pool, run)
  fill(pool, run)
  while run.running > 0 do
    for _, event in ipairs(pool:receive(0.2)) do take(event, run) end
    if run.time_limit then enforce(pool, run) end
    fill(pool, run)
    run.tick()
  end
end

-- Says, when the sweep is broken off, what is kept.
local function farewell(kept, screen, total)
  return setmetatable({}, { __close = function(_, failure)
    screen:finish()
    if not (failure and kept) then return end
    screen:say(("%d of %d cases are kept in %s; the same command continues from there")
      :format(kept.count, total, kept.dir))
  end })
end

-- A result that cannot be kept is no reason to lose the others: it is said once.
local function keep(kept, screen, task, key_of_task, outcome)
  local ok, message = kept:add(task.experiment, key_of_task, task.case,
    { result = outcome.result, times = outcome.times })
  if ok or kept.failed then return end
  kept.failed = true
  screen:say(("results are not kept, and the sweep goes on without: %s"):format(message))
end

--- Runs tasks.
---@param tasks table[] { experiment =, script =, case =, run = }
---@param how table executor (name or table), jobs (default: one a core), cache (folder; nil:
---  keep nothing), fresh (true: use nothing kept), progress (false: show none), words (false:
---  drop what the cases report), time_limit (seconds a case may take; default: no limit)
---@param say? fun(text: string) takes the lines of words; default: standard error
---@return table[]? outcomes in the order of the tasks: { result =, times = } or { error =,
---  trace = }; nil when there is no such executor, it cannot keep a time limit, or there can be
---  no such folder
---@return string? message
--- A task that fails is an outcome, not an error.
function sweep.run(tasks, how, say)
  local executor, message = sweep.executor(how.executor or "process")
  if not executor then return nil, message end
  local kept, keys = nil, {}
  if how.cache then
    kept, message = cache.open(how.cache)
    if not kept then return nil, "the folder for results cannot be made: " .. message end
  end
  local outcomes, queue = look_up(tasks, kept, keys, how.fresh)
  local screen = display.new(tasks, outcomes, { quiet = how.progress == false, say = say })
  local _ <close> = farewell(kept, screen, #tasks)
  if #queue == 0 then return outcomes end
  local count = math.min(how.jobs or sys.cores(), #queue)
  local pool <close> = executor.start { count = count, tasks = tasks }
  if how.time_limit and not pool.stop then
    return nil, "this executor cannot end a case that runs: it keeps no time limit"
  end
  drive(pool, {
    tasks = tasks, queue = queue, count = count, next = 1, busy = {}, running = 0,
    since = {}, time_limit = how.time_limit,
    say = function(text) if how.words ~= false then screen:say(text) end end,
    tick = function() screen:tick() end,
    finish = function(id, outcome)
      outcomes[id] = outcome
      local task = tasks[id]
      if kept and not outcome.error then keep(kept, screen, task, keys[id], outcome) end
      screen:done(task, outcome)
    end,
  })
  return outcomes
end

--- How to go on after cases have failed.
---@param folder string where results were kept
---@param outcomes table[] of sweep.run
---@return string text that follows a message; "" when no case has a result
function sweep.advice(folder, outcomes)
  local good = 0
  for _, outcome in ipairs(outcomes) do good = good + (outcome.error and 0 or 1) end
  if good == 0 then return "" end
  return ("\nThe results of the other cases (%d) are kept in %s: the same command runs only those "
    .. "that failed."):format(good, folder)
end

-- --- a function over cases -----------------------------------------------------------------

local sweep_options = { "jobs", "cache", "say", "time_limit", cases = options.required,
                        run = options.required, name = "sweep", executor = "fork",
                        fresh = false, progress = true }

-- Everything that would fail in each case fails here, once and early.
local function check_sweep(o)
  local function expect(name, wanted)
    if o[name] ~= nil and type(o[name]) ~= wanted then
      error(("sweep: %s must be a %s, got %s"):format(name, wanted, type(o[name])), 4)
    end
  end
  expect("cases", "table")
  expect("run", "function")
  expect("cache", "string")
  expect("say", "function")
  expect("progress", "boolean")
  expect("fresh", "boolean")
  if o.jobs ~= nil then options.integer(o.jobs, "jobs", "sweep", 1, 4) end
  expect("time_limit", "number")
  if o.time_limit and (o.time_limit <= 0 or o.time_limit ~= o.time_limit) then
    error(("sweep: time_limit must be above 0 seconds, got %s"):format(o.time_limit), 4)
  end
  if type(o.name) ~= "string" or not o.name:find "^[%w_%.%-]+$" then
    error("sweep: name must be a word that can name a file (letters, digits, _ . -)", 4)
  end
  if o.executor == "process" then
    error("sweep: executor 'process' runs the cases of a script (experiment.define); "
      .. "a function needs 'fork' or 'serial'", 4)
  end
end

--- Checks that cases are plain data: what JSON can carry to a worker, and a key can name.
---@param cases table[]
---@param who string for messages
---@param level integer stack level that errors point at
function sweep.check_cases(cases, who, level)
  for place, case in ipairs(cases) do
    local ok, message = pcall(json.line, case)
    if type(case) ~= "table" then ok, message = false, "value is a " .. type(case) end
    if not ok then
      error(("%s: case %d is no plain table: %s"):format(who, place,
        (message:gsub("^json%.encode: ", ""):gsub("^value", "it"))), level + 1)
    end
  end
end

-- What of the key belongs to the function: the file that it stands in, or its text.
local function origin_of(run)
  local source = debug.getinfo(run, "S").source
  local path = source:match "^@(.*)$"
  if path and sys.read_file(path) then return path, nil end
  return nil, sys.hash(source)
end

---@class unroll.SweepOptions
---@field cases table[] plain tables, as experiment.grid makes them
---@field run fun(case: table, report: fun(text: string)): any, any the result: finite numbers,
--- strings, booleans and tables of them. report(text) shows a line. A second value, what a clock
--- says, comes back as `times`
---@field jobs? integer processes at a time; default: one a core
---@field cache? string a folder that keeps each result as it comes, so that a second start goes
--- on from there; default: nothing is kept. A result is known again for the same name, case,
--- version of the program and file (or text) that `run` stands in. What `run` takes from other
--- files may change unseen: then fresh = true
---@field name? string the file in the cache, and the word for the sweep; default "sweep"
---@field fresh? boolean true runs every case again; default false
---@field time_limit? number seconds that a case may take, its process started and all; one that
--- takes longer is ended and failed, and the rest goes on. Default: no limit. Not with
--- executor = "serial"
---@field executor? string|table "fork" (default); "serial" runs the cases here, one after the
--- other; or your own: a table, or the path of its file (examples/executor.lua)
---@field progress? boolean false shows no line; default true
---@field say? fun(text: string) takes the words of cases and of failures; default: they go to
--- standard error

--- Runs a function for many cases, several at a time.
---
--- Each case runs in a process that sees everything made so far (closures, corpora, models);
--- what it changes stays there, and what it returns comes back as plain data. Before each case
--- the default generator is set to case.seed (0 without one), so that the results are the
--- same bits whatever the number of jobs. Ctrl-C ends all workers.
---@param opts unroll.SweepOptions
---@return table[] results in the order of the cases: { case =, result =, times = }, or
---  { case =, error =, trace = } for a case that failed, of which a line says why
--- Errors: an unknown, missing or mistyped option; a case that is no plain data; a cache folder
--- that cannot be made. A case that fails is reported, not raised.
--- > results = unroll.experiment.sweep {
--- >>   cases = unroll.experiment.grid({}, "lr", { 0.1, 0.01 }, "seed", { 1, 2, 3 }),
--- >>   run = function(case) return { loss = case.lr * case.seed } end,
--- >>   progress = false, executor = "serial",
--- >> }
--- > rows = unroll.experiment.table(results, { by = "lr", over = "seed" })
--- > rows[1].lr, rows[1].loss.mean   --> 0.1, 0.2
function sweep.of_cases(opts)
  local o = options.check(opts, sweep_options, "sweep")
  check_sweep(o)
  sweep.check_cases(o.cases, "sweep", 2)
  local script, source = origin_of(o.run)
  local tasks = {}
  for id, case in ipairs(o.cases) do
    tasks[id] = { experiment = o.name, case = case, run = o.run, script = script, source = source }
  end
  local say = o.say or function(text) io.stderr:write(text, "\n") end
  local outcomes, message = sweep.run(tasks, o, say)
  if not outcomes then error("sweep: " .. message, 2) end
  local failed = failures.text(tasks, outcomes)
  if failed then say(o.name .. ": " .. failed) end
  for id, outcome in ipairs(outcomes) do
    outcomes[id] = { case = tasks[id].case, result = outcome.result, times = outcome.times,
                     error = outcome.error, trace = outcome.trace }
  end
  return outcomes
end

return sweep
