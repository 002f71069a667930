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
local store = require "unroll.experiment.store"
local summary = require "unroll.experiment.summary"
local texttable = require "unroll.experiment.texttable"

local experiment = { store = store, summary = summary, format_table = texttable.format }

---@class unroll.Experiment
---@field name string file name of its results
---@field title string
---@field question string what the run answers
---@field options table[] list of { name, default, help }
local Experiment = {}
Experiment.__index = Experiment
Experiment.__name = "unroll.Experiment"

local required = { name = "string", title = "string", question = "string",
                   options = "table", run = "function" }

--- Defines an experiment.
---@param definition table see the top of this file; required are name, title, question,
---  options and run
---@return unroll.Experiment
--- Errors: a missing or mistyped field.
function experiment.define(definition)
  if type(definition) ~= "table" then
    error(("define: table expected, got %s"):format(type(definition)), 2)
  end
  for field, wanted in pairs(required) do
    local got = type(definition[field])
    if got ~= wanted then
      error(("define: field '%s' must be a %s, got %s"):format(field, wanted, got), 2)
    end
  end
  return setmetatable(definition, Experiment)
end

--- The settings of a run: the defaults with `overrides` laid over them.
---@param overrides? table name -> value; unknown names and wrong types are errors
---@return table config
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
  return config
end

--- Runs the experiment and returns its record: plain data that JSON can carry.
---@param overrides? table settings that differ from the defaults
---@param report? fun(text: string) called with progress lines; default: silent
---@return table record { experiment, title, version, config, results }
---@return table? times what the clock said, if the experiment measures time
function Experiment:record(overrides, report)
  local config = self:config(overrides)
  local results, times = self.run(config, report or function() end)
  local head = { experiment = self.name, title = self.title, config = config,
                 version = require("unroll").version }
  local record = { results = results }
  for key, value in pairs(head) do record[key] = value end
  if times then
    head.times = times
    return record, head
  end
  return record
end

local function say(...) io.stderr:write(...) end

-- Every part of the ending is optional but the saving: a figure that fails must not
-- lose the numbers that it was to show.
local function present(self, record, times, settings)
  local clock = times and times.times
  if self.tables then
    for _, t in ipairs(self.tables(record.results, clock, record.config)) do
      print()
      print(texttable.format(t))
    end
  end
  if self.answer then
    print("\n" .. self.answer(record.results, clock, record.config) .. "\n")
  end
  if self.figure and not settings.no_figure then
    local fig = self.figure(record.results, clock, record.config)
    for _, suffix in ipairs(settings.formats) do
      local path = ("%s/%s.%s"):format(settings.out, self.name, suffix)
      store.check(fig:save(path))
      say("wrote ", path, "\n")
    end
  end
end

--- Runs the experiment from the command line. Does nothing unless the file that defines `run`
--- is the script being run, so that tests and other scripts can load the definition.
---@param arguments table Lua's `arg`
---@return unroll.Experiment self
function Experiment:main(arguments)
  local file = debug.getinfo(self.run, "S").source
  if not arguments or file ~= "@" .. tostring(arguments[0]) then return self end
  local overrides, settings = commandline.parse(self, arguments)
  local record, times
  if settings.redraw then
    record = store.check(store.read(settings.out, self.name))
    times = store.read(settings.out, self.name .. "-times")
  else
    say(self.title, "\n", self.question, "\n")
    record, times = self:record(overrides, function(text) say("  ", text, "\n") end)
    store.check(store.write(settings.out, self.name, record))
    if times then store.check(store.write(settings.out, self.name .. "-times", times)) end
  end
  present(self, record, times, settings)
  return self
end

return experiment
