--- The command line of an experiment: its options, and those that all of them share.
local argparse = require "argparse"

local commandline = {}

local function split(text)
  local items = {}
  for item in text:gmatch "[^,]+" do items[#items + 1] = item end
  return items
end

local function integer(text)
  return math.tointeger(tonumber(text)) or nil, ("'%s' is not an integer"):format(text)
end

local function positive(text)
  local n = math.tointeger(tonumber(text))
  if n and n > 0 then return n end
  return nil, ("'%s' is not a positive integer"):format(text)
end

local function number(text)
  return tonumber(text), ("'%s' is not a number"):format(text)
end

local function seconds(text)
  local n = tonumber(text)
  if n and n > 0 then return n end
  return nil, ("'%s' is not a positive number of seconds"):format(text)
end

local function number_list(text)
  local items = split(text)
  for i, item in ipairs(items) do
    items[i] = math.tointeger(tonumber(item)) or tonumber(item)
    if not items[i] then return nil, ("'%s' is not a number"):format(item) end
  end
  return items
end

local function integer_list(text)
  local items, message = number_list(text)
  for _, item in ipairs(items or {}) do
    if math.type(item) ~= "integer" then return nil, ("'%s' is not an integer"):format(item) end
  end
  return items, message
end

-- How the text of an option becomes a value, told from its default.
local function converter(default)
  if math.type(default) == "integer" then return integer end
  if type(default) == "number" then return number end
  if type(default) == "table" then
    if math.type(default[1]) == "integer" then return integer_list end
    return type(default[1]) == "number" and number_list or split
  end
  return tostring
end

local function show(default)
  return type(default) == "table" and table.concat(default, ",") or tostring(default)
end

local function flag(name) return "--" .. name:gsub("_", "-") end

local function add_option(parser, option)
  local name, default, help = option[1], option[2], option[3]
  if type(default) == "boolean" then
    parser:flag(flag(name)):description(help):target(name)
    return
  end
  parser:option(flag(name)):target(name):convert(converter(default))
    :description(("%s (default %s)"):format(help, show(default)))
end

local known_formats = { png = true, svg = true, pdf = true }

-- "png,svg" as a list; or nil and a message.
local function formats_of(text)
  local formats = split(text)
  for _, format in ipairs(formats) do
    if not known_formats[format] then
      return nil, ("'%s' is none of png, svg, pdf"):format(format)
    end
  end
  return formats
end

--- The experiment that a script defines.
---@param file string
---@return unroll.Experiment? e
---@return string? message why there is none
function commandline.load(file)
  local chunk, message = loadfile(file)
  if not chunk then return nil, (message:gsub("^cannot open (.*)$", "there is no script %1")) end
  local e = chunk()
  if type(e) ~= "table" or type(e.run_case) ~= "function" then
    return nil, file .. " defines no experiment"
  end
  return e
end

--- The folder for results when none is given: short runs stay apart from whole ones.
---@param quick? boolean
---@return string
function commandline.folder(quick) return quick and "results/quick" or "results" end

--- Adds the options of everything that runs cases: --out, --formats, --jobs, --time-limit,
--- --fresh, --quick.
---@param parser table of argparse
function commandline.add_options_of_runs(parser)
  parser:option("--out", "folder for results and figures (default results; with --quick "
    .. "results/quick)")
  parser:option("--formats", "figure files to write, of png, svg, pdf"):default("png,svg")
    :convert(formats_of)
  parser:option("--jobs", "worker processes (default: one a core; 1 where time is measured)")
    :convert(positive)
  parser:option("--time-limit", "seconds that a case may take; longer ones fail (default: none)")
    :target("time_limit"):convert(seconds)
  parser:flag("--fresh", "run every case, also those that an earlier start has kept")
  parser:flag("--quick", "a short run that shows that everything works")
end

local function shared_options(parser)
  commandline.add_options_of_runs(parser)
  parser:option("--executor", "what runs the cases: process, serial, or a .lua file")
    :default "process"
  parser:flag("--redraw", "draw and print from the saved results; do not run")
  parser:flag("--no-figure", "do not draw"):target("no_figure")
end

--- Reads the arguments of an experiment's script; `--help` and wrong ones end the program.
---@param e unroll.Experiment
---@param arguments table Lua's `arg`
---@return table overrides the options that were given, with --quick's beneath them
---@return table settings out, formats, jobs, executor, time_limit, fresh, quick, redraw, no_figure
function commandline.parse(e, arguments)
  local parser = argparse("unroll " .. arguments[0], e.title .. "\n" .. e.question)
  for _, option in ipairs(e.options) do add_option(parser, option) end
  shared_options(parser)
  local settings = parser:parse(arguments)
  settings.out = settings.out or commandline.folder(settings.quick)
  local overrides = {}
  for name, value in pairs(settings.quick and e.quick or {}) do overrides[name] = value end
  for _, option in ipairs(e.options) do
    local given = settings[option[1]]
    if given ~= nil then overrides[option[1]] = given end
  end
  return overrides, settings
end

return commandline
