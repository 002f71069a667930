-- suite.lua -- runs several experiments as one sweep; scripts/reproduce calls it.
--
--   unroll scripts/suite.lua [--quick] [--jobs N] [--out DIR] [--fresh] [--time-limit S] FILE...
--
-- The cases of all experiments share one queue, so that no worker waits for the end of an
-- experiment. Those that measure time (`alone = true`) come after the others, one case at
-- a time. An experiment that fails does not stop the rest; the exit code is then 1.
local argparse = require "argparse"
local commandline = require "unroll.experiment.commandline"
local machine = require "unroll.report.machine"
local store = require "unroll.experiment.store"
local sweep = require "unroll.experiment.sweep"

local function say(...) io.stderr:write(...) end

local function parse()
  local parser = argparse("unroll " .. arg[0], "Runs experiments as one sweep.")
  parser:argument("files", "scripts that define an experiment"):args "+"
  commandline.add_options_of_runs(parser)
  local settings = parser:parse(arg)
  settings.out = settings.out or commandline.folder(settings.quick)
  return settings
end

-- The experiments of the files, with their settings and tasks.
local function load_all(settings)
  local entries = {}
  for i, file in ipairs(settings.files) do
    local e, message = commandline.load(file)
    if not e then
      say("unroll: ", message, "\n")
      os.exit(1, true)
    end
    local config = e:config(settings.quick and e.quick or {})
    entries[i] = { experiment = e, config = config, tasks = e:tasks(config, file) }
  end
  return entries
end

local function how_to_run(settings, jobs)
  return { executor = "process", jobs = jobs, cache = settings.out .. "/cache",
           fresh = settings.fresh, time_limit = settings.time_limit, words = false }
end

-- Runs the tasks of several experiments; leaves each experiment's outcomes in its entry.
local function run_together(entries, settings, jobs)
  local tasks = {}
  for _, entry in ipairs(entries) do table.move(entry.tasks, 1, #entry.tasks, #tasks + 1, tasks) end
  local outcomes, from = store.check(sweep.run(tasks, how_to_run(settings, jobs))), 0
  for _, entry in ipairs(entries) do
    entry.outcomes = table.move(outcomes, from + 1, from + #entry.tasks, 1, {})
    from = from + #entry.tasks
  end
end

-- Saves and draws an experiment and says its answer; returns whether that went well.
local function finish(entry, settings)
  local e = entry.experiment
  local record, times = e:assemble(entry.config, entry.tasks, entry.outcomes,
    settings.quick)
  local message = not record
    and times .. sweep.advice(settings.out .. "/cache", entry.outcomes)
  if record then
    local ok, reason = xpcall(function()
      e:save(settings.out, record, times)
      e:draw(record, times, settings)
      print(("\n%s\n%s"):format(e.title, e.question))
      if e.answer then print("→ " .. e.answer(record.results, record.config)) end
    end, debug.traceback)
    message = not ok and reason
  end
  if message then say("\nFAILED ", e.name, ": ", message, "\n") end
  return not message
end

local settings = parse()
local entries, together, alone = load_all(settings), {}, {}
for _, entry in ipairs(entries) do
  table.insert(entry.experiment.alone and alone or together, entry)
end
say(("%d experiments; results go to %s\n"):format(#entries, settings.out))
run_together(together, settings, settings.jobs)
for _, entry in ipairs(alone) do run_together({ entry }, settings, 1) end

store.check(store.write(settings.out, "machine", machine.describe()))
local failed = 0
for _, entry in ipairs(entries) do
  if not finish(entry, settings) then failed = failed + 1 end
end
if failed > 0 then
  say(("\n%d of %d experiments failed\n"):format(failed, #entries))
  os.exit(1, true)
end
