--- Experiments: a question, its settings, its runs, a figure, and the command line for it.
--
-- An experiment consists of cases: plain tables (JSON can carry them), each with its seed,
-- that hold everything which decides one run. `run_case` makes a plain result of one case
-- and of nothing else, so that cases run in several processes, in any order, and each
-- result is kept as it comes. Before every case the default generator is set to the
-- case's seed.
--
--   local e = unroll.experiment.define {
--     name = "windows", title = "...", question = "...",
--     options = { {"hidden", 50, "hidden size"}, {"windows", {5, 25}, "time steps"},
--                 {"seeds", {1, 2, 3, 4, 5}, "one run each"} },
--     quick = { seeds = {1} },                      -- what --quick changes
--     cases = function(config)                      -- {hidden=50, window=5, seed=1}, ...
--       return experiment.grid({ hidden = config.hidden }, "window", config.windows,
--                              "seed", config.seeds)
--     end,
--     run_case = function(case, report) return { loss = 1.5 } end,
--     collect = function(config, cases, results) return { ... } end,   -- in order of cases
--     figure = function(results, config) return fig end,
--     tables = function(results, config) return { {title=, head=, rows=, note=}, ... } end,
--     answer = function(results, config) return "one sentence" end,
--     check = function(config) ... error("option 'windows': ...", 0) ... end,   -- if needed
--   }
--   return e:main(arg)           -- does nothing when the file is loaded, not run
--
-- Without `collect` the results are a list of { case =, result = }. An experiment that is
-- one run has `run = function(config, report) return results end` instead of `cases` and
-- `run_case`. Results are finite numbers, strings, booleans and tables of them: a loss that
-- diverged to NaN must be given another form.
--
-- Running is separate from drawing: the results are saved as JSON, and `figure`, `tables`
-- and `answer` work from them alone, so that a figure can be redrawn without running.
--
-- What a clock says stands apart, so that the same settings give the same bytes of results
-- and figures: `run_case` (or `run`) returns it as a second value, and such an experiment
-- says `alone = true`: its cases run one after the other, when nothing else runs. Its
-- other fields are then
--     collect_times = function(config, cases, times) return { ... } end,
--     time_figure = function(times, results, config) return fig end,    -- NAME-times.svg
--     time_tables = function(times, results, config) return { ... } end,

local options = require "unroll.options"
local commandline = require "unroll.experiment.commandline"
local display = require "unroll.display"
local failures = require "unroll.experiment.failures"
local group = require "unroll.experiment.group"
local settings_of = require "unroll.experiment.settings"
local saved = require "unroll.experiment.saved"
local store = require "unroll.experiment.store"
local sweep = require "unroll.experiment.sweep"
local texttable = require "unroll.experiment.texttable"
local worker = require "unroll.experiment.worker"

local experiment = {
  store = store, summary = require "unroll.experiment.summary",
  statistics = require "unroll.experiment.statistics",
  format_table = texttable.format, grid = require "unroll.experiment.grid",
  zip = require "unroll.experiment.zip",
  group = group.group, column = group.column, over = group.over,
  demand = require "unroll.experiment.demand", panels = require "unroll.experiment.panels",
  ontask = require "unroll.experiment.ontask",
  without = require "unroll.experiment.without",
  sweep = sweep.of_cases, table = require "unroll.experiment.table",
}

--- A question with its settings, its runs and its figure; made by `experiment.define`.
---@class unroll.Experiment
---@field name string file name of its results
---@field title string
---@field question string what the run answers
---@field options table[] list of { name, default, help }
---@field alone? boolean it measures time: its cases run when nothing else does
local Experiment = {}
Experiment.__index = Experiment
Experiment.__name = "unroll.Experiment"

function Experiment:__tostring()
  return ("experiment %s   %s"):format(self.name, self.title)
end

function Experiment:__display(how)
  local rows = {}
  for i, option in ipairs(self.options) do
    rows[i] = { option[1], display.show(option[2], { width = 60 }), option[3] or "" }
  end
  local question = table.concat(texttable.wrap(self.question, how.width - 2), "\n  ")
  return ("%s\n  %s\n%s"):format(how.paint("heading", tostring(self)), question,
    texttable.format({ head = { "option", "default", "" }, rows = rows }, how.width))
end

-- "; is it 'titel'?" when the definition has a field with nearly this name.
local function misspelt(definition, field)
  local names = {}
  for name in pairs(definition) do
    if type(name) == "string" and name ~= field then names[#names + 1] = name end
  end
  local nearest = definition[field] == nil and options.nearest(field, names)
  return nearest and ("; is it '%s'?"):format(nearest) or ""
end

local required = { name = "string", title = "string", question = "string",
                   options = "table", run_case = "function" }

-- An experiment without cases is one case: its settings.
local function make_whole(definition)
  if not definition.run or definition.run_case then return end
  definition.run_case = definition.run
  definition.cases = function(config) return { config } end
  definition.collect = function(_, _, results) return results[1] end
  definition.collect_times = function(_, _, times) return times[1] end
end

---@class unroll.Definition
---@field name string file name of its results
---@field title string
---@field question string what the run answers
---@field options table[] list of { name, default, help }; a list of values as default is given
--- as --name a,b,c on the command line
---@field quick? table what --quick changes
---@field check? fun(config: table) raises for settings that make no sense
---@field cases fun(config: table): table[] the runs, as plain tables; not with `run`
---@field run_case fun(case: table, report: fun(text: string)): any, any a plain result of a case
--- and of nothing else; a second value is what a clock says
---@field run fun(config: table, report: fun(text: string)): any, any instead of cases and run_case
--- for an experiment that is one run
---@field collect? fun(config: table, cases: table[], results: any[]): any puts the results of all
--- cases together; default: a list of { case =, result = }
---@field tables? fun(results: any, config: table): table[] for experiment.format_table
---@field answer? fun(results: any, config: table): string the answer in one sentence
---@field figure? fun(results: any, config: table): unroll.Figure drawn from the results alone
---@field alone? boolean it measures time: its cases run when nothing else does
---@field collect_times? fun(config: table, cases: table[], times: any[]): any
---@field time_tables? fun(times: any, results: any, config: table): table[]
---@field time_figure? fun(times: any, results: any, config: table): unroll.Figure

--- Defines an experiment. `:main(arg)` gives it a command line; `:record{...}` runs it here.
---@param definition unroll.Definition
---@return unroll.Experiment
--- Errors: a missing or mistyped field.
--- > halves = unroll.experiment.define {
--- >>   name = "halves", title = "Halves", question = "What is left of a number?",
--- >>   options = { { "start", 8.0, "the number" }, { "steps", { 1, 2 }, "halvings" } },
--- >>   cases = function(config)
--- >>     return unroll.experiment.grid({ start = config.start }, "step", config.steps)
--- >>   end,
--- >>   run_case = function(case) return { left = case.start / 2 ^ case.step } end,
--- >> }
--- > halves:record { start = 12.0 }.results[2].result.left   --> 3.0
---@see experiment.sweep experiment.grid
function experiment.define(definition)
  if type(definition) ~= "table" then
    error(("define: table expected, got %s"):format(type(definition)), 2)
  end
  make_whole(definition)
  for field, wanted in pairs(required) do
    local got = type(definition[field])
    if got ~= wanted then
      error(("define: field '%s' must be a %s, got %s%s"):format(
        field == "run_case" and "run' or 'run_case" or field, wanted, got,
        misspelt(definition, field)), 2)
    end
  end
  if type(definition.cases) ~= "function" then
    error("define: run_case needs a function 'cases' that lists its cases", 2)
  end
  return setmetatable(definition, Experiment)
end

-- A message without the line of code that raised it.
local function without_place(message)
  return (tostring(message):gsub("^[^:\n]*%.lua:%d+: ", ""))
end

--- The settings of a run: the defaults with `overrides` laid over them.
---@param overrides? table name -> value; unknown names and wrong types are errors
---@return table config
--- Errors: an unknown name; a value of another type than the default; a cell, corpus or update
--- rule that does not exist, a seed that is there twice; what the experiment's own `check`
--- raises.
function Experiment:config(overrides)
  local defaults, who = {}, "experiment " .. self.name
  for _, option in ipairs(self.options) do defaults[option[1]] = option[2] end
  local config = options.check(overrides, defaults, who)
  for name, value in pairs(config) do
    if type(value) ~= type(defaults[name]) then
      error(("%s: option '%s' must be a %s, got %s")
        :format(who, name, type(defaults[name]), type(value)), 2)
    end
  end
  local ok, message = settings_of.check(config)
  if not ok then error(("%s: %s"):format(who, message), 2) end
  if self.check then
    ok, message = pcall(self.check, config)
    if not ok then error(("%s: %s"):format(who, without_place(message)), 2) end
  end
  return config
end

--- What a sweep is to do for these settings: one task a case.
---@param config table
---@param script? string the file that defines the experiment, for worker processes
---@return table[] tasks { experiment, script, case, run }
--- Errors: settings that give no case; a case that is no plain data.
function Experiment:tasks(config, script)
  local tasks, who = {}, "experiment " .. self.name
  local listed, cases = pcall(self.cases, config)
  if not listed then error(("%s: %s"):format(who, without_place(cases)), 2) end
  if #cases == 0 then error(who .. ": these settings give no case", 2) end
  sweep.check_cases(cases, who, 2)
  for i, case in ipairs(cases) do
    tasks[i] = { experiment = self.name, script = script, case = case, run = self.run_case }
  end
  return tasks
end

local function pairs_of(tasks, values)
  local out = {}
  for i, task in ipairs(tasks) do out[i] = { case = task.case, result = values[i] } end
  return out
end

local function gather(collect, config, tasks, values)
  if not collect then return pairs_of(tasks, values) end
  local cases = {}
  for i, task in ipairs(tasks) do cases[i] = task.case end
  return collect(config, cases, values)
end

--- Puts the outcomes of the tasks together: the record that is saved.
---@param config table
---@param tasks table[]
---@param outcomes table[] { result =, times = } or { error = }
---@param quick? boolean true for the short form, which the record then says
---@return table? record { experiment, title, version, config, results, quick }; nil when a case
---  failed
---@return table|string|nil times what the clock said, if the experiment measures time; or
---  the message
function Experiment:assemble(config, tasks, outcomes, quick)
  local message = failures.text(tasks, outcomes)
  if message then return nil, ("experiment %s: %s"):format(self.name, message) end
  local results, times = {}, {}
  for i, outcome in ipairs(outcomes) do results[i], times[i] = outcome.result, outcome.times end
  local function record_of(key, value)
    return { experiment = self.name, title = self.title, config = config,
             version = require("unroll").version, quick = quick or nil, [key] = value }
  end
  local record = record_of("results", gather(self.collect, config, tasks, results))
  if #times == 0 then return record end
  return record, record_of("times", gather(self.collect_times, config, tasks, times))
end

--- Runs the experiment and returns its record: plain data that JSON can carry.
---@param overrides? table settings that differ from the defaults
---@param report? fun(text: string) called with progress lines; default: silent
---@param how? table options of the sweep (executor, jobs, cache ...); default: here, one
---  case after the other
---@return table record { experiment, title, version, config, results }
---@return table? times what the clock said, if the experiment measures time
--- Errors: a case that failed; the others have run, and are in the cache when there is one.
function Experiment:record(overrides, report, how)
  local config = self:config(overrides)
  how = how or { executor = "serial", progress = false }
  local tasks = self:tasks(config, how.script)
  local outcomes, message = sweep.run(tasks, how, report or function() end)
  if not outcomes then error(message, 0) end
  local record, times = self:assemble(config, tasks, outcomes)
  if not record then error(times, 0) end
  return record, times
end

local function say(...) io.stderr:write(...) end

local function show_tables(tables)
  for _, t in ipairs(tables) do print("\n" .. texttable.format(t)) end
end

local function save_figure(fig, name, settings)
  for _, suffix in ipairs(settings.formats) do
    local path = ("%s/%s.%s"):format(settings.out, name, suffix)
    store.check(fig:save(path))
    say("wrote ", path, "\n")
  end
end

--- Draws the figures of saved results: NAME, and NAME-times from what the clock said.
---@param record table
---@param times? table
---@param settings table out (folder), formats (list of suffixes)
function Experiment:draw(record, times, settings)
  local results, config = record.results, record.config
  if self.figure then save_figure(self.figure(results, config), self.name, settings) end
  if times and self.time_figure then
    save_figure(self.time_figure(times.times, results, config), self.name .. "-times", settings)
  end
end

--- Prints the tables and the answer of saved results.
---@param record table
---@param times? table
function Experiment:print(record, times)
  local results, config = record.results, record.config
  if self.tables then show_tables(self.tables(results, config)) end
  if times and self.time_tables then
    show_tables(self.time_tables(times.times, results, config))
  end
  if self.answer then print("\n" .. self.answer(results, config) .. "\n") end
end

--- Writes NAME.json, and NAME-times.json when there are times.
---@param out string folder
---@param record table
---@param times? table
function Experiment:save(out, record, times)
  store.check(store.write(out, self.name, record))
  if times then store.check(store.write(out, self.name .. "-times", times)) end
end

-- The settings of the sweep that the command line asks for.
local function how_to_run(self, settings, script)
  return { executor = settings.executor, jobs = self.alone and 1 or settings.jobs, script = script,
           cache = settings.out .. "/cache", fresh = settings.fresh,
           time_limit = settings.time_limit }
end

-- What a person can mend needs no traceback: a setting, a folder, a case that failed.
local function stop(message)
  say("unroll: ", message, "\n")
  os.exit(1, true)
end

local function checked(value, message)
  if value == nil then stop(message) end
  return value, message
end

-- Prints and draws what was saved; a file of another version is told without a traceback.
local function redraw(self, settings, script)
  local record, times = saved.read(self, settings.out)
  checked(record, times)
  checked(saved.use(self, record, { out = settings.out, script = script }, function()
    self:print(record, times)
    if not settings.no_figure then self:draw(record, times, settings) end
  end))
end

local function run_from_command_line(self, overrides, settings, script)
  local ok, config = pcall(self.config, self, overrides)
  if not ok then stop(without_place(config)) end
  say(self.title, "\n", self.question, "\n", worker.show(config), "\n")
  local listed, tasks = pcall(self.tasks, self, config, script)
  if not listed then stop(without_place(tasks)) end
  local outcomes = checked(sweep.run(tasks, how_to_run(self, settings, script),
    function(text) say("  ", (text:gsub("\n", "\n  ")), "\n") end))
  local record, times = self:assemble(config, tasks, outcomes, settings.quick)
  if not record then stop(times .. sweep.advice(settings.out .. "/cache", outcomes)) end
  local kept, message = pcall(self.save, self, settings.out, record, times)
  if not kept then -- then let them at least be read
    self:print(record, times)
    stop(message)
  end
  return record, times
end

--- Runs the experiment from the command line. Does nothing unless the file that defines
--- `run_case` is the script being run, so that tests and other scripts can load the definition.
---@param arguments table Lua's `arg`
---@return unroll.Experiment self
function Experiment:main(arguments)
  local file = debug.getinfo(self.run_case, "S").source
  if not arguments or file ~= "@" .. tostring(arguments[0]) then return self end
  if arguments[1] == "--worker" then
    worker.serve(self)
    return self
  end
  local overrides, settings = commandline.parse(self, arguments)
  if settings.redraw then
    redraw(self, settings, arguments[0])
    return self
  end
  local record, times = run_from_command_line(self, overrides, settings, arguments[0])
  self:print(record, times)
  if not settings.no_figure then self:draw(record, times, settings) end
  return self
end

return experiment
