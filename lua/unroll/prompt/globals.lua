--- globals: the names that the prompt has at hand, and what happens to names that do not exist.
--
-- The libraries load when they are first used. Reading a name that nobody has set is an error
-- in code typed at the prompt, with the nearest name; code from files reads nil, as ever. So
-- does every reader of a variable that was set to nil (`local state`, before a loop).

local errors = require "unroll.prompt.errors"
local lexer = require "unroll.prompt.lexer"
local options = require "unroll.options"
local unroll = require "unroll"

local globals = { strict = true }

local libraries = { "tensor", "rnn", "optim", "text", "train", "plot", "experiment", "diagnostics",
  "gradcheck", "tasks", "metrics" }

-- What may be nil: the results, and the texts of the prompt.
local optional = { _ = true, __ = true, _err = true, _PROMPT = true, _PROMPT2 = true }

local loaders, loaded = {}, {}
local set = {} -- name -> true for variables that were set once, if only to nil
for _, name in ipairs(libraries) do loaders[name] = function() return unroll[name] end end
function loaders.help() return require "unroll.help" end
function loaders.apropos() return require("unroll.help").apropos end
function loaders.tour() return require("unroll.help").tour end

--- The names at hand, loaded or not.
---@return string[]
function globals.names()
  local names = {}
  for name in pairs(loaders) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The value of a name at hand; loads it.
---@return any value nil when it is not one of them
function globals.load(name)
  local loader = loaders[name]
  if not loader then return nil end
  local value = loader()
  loaded[name] = value
  rawset(_G, name, value)
  return value
end

local function every_name()
  local names = globals.names()
  for name in next, _G do
    if type(name) == "string" then names[#names + 1] = name end
  end
  return names
end

-- A function of a library: "rnn.lm" for "lm".
local function in_a_library(name)
  for _, library in ipairs(libraries) do
    local module = unroll[library]
    if type(module) == "table" and type(rawget(module, name)) == "function" then
      return library .. "." .. name
    end
  end
end

local function nearest(name)
  local found = in_a_library(name) or options.nearest(name, every_name())
  return found and (" Did you mean '%s'?"):format(found) or ""
end

-- Whether the function that reads the name was typed, and with the name as a variable: in
-- `_G.name` it is a field, which may be nil.
local function is_typed(level, name)
  local info = debug.getinfo(level + 1, "S")
  local code = info and errors.entry(info.short_src)
  local tokens = code and lexer.code(code) or {}
  for i, token in ipairs(tokens) do
    local before = tokens[i - 1] and tokens[i - 1].text
    if token.text == name and before ~= "." and before ~= ":" then return true end
  end
  return false
end

--- What reading a global variable that is nil gives: a library, an error in typed code, nil.
---@param name any
---@param level integer of the stack: the function that reads it
function globals.missing(name, level)
  if loaders[name] then return globals.load(name) end
  if not globals.strict or type(name) ~= "string" or optional[name] or set[name] then
    return nil
  end
  if not is_typed(level, name) then return nil end
  error(("there is no variable '%s'.%s"):format(name, nearest(name)), level)
end

--- Whether reading a variable that nobody has set is an error in code typed at the prompt.
---@param on boolean default at the start: true
local function set_strict(on)
  if type(on) ~= "boolean" then error("strict: true or false expected", 2) end
  globals.strict = on
end

--- Puts the names at hand. One that has a meaning already (`unroll -i script.lua`) keeps it.
function globals.open()
  for name in pairs(loaders) do
    if rawget(_G, name) ~= nil then loaders[name] = nil end
  end
  if rawget(_G, "strict") == nil then rawset(_G, "strict", set_strict) end
  if getmetatable(_G) == nil then
    setmetatable(_G, {
      __index = function(_, name)
        local value = globals.missing(name, 3) -- no tail call: levels are counted
        return value
      end,
      __newindex = function(_, name, value)
        set[name] = true
        rawset(_G, name, value)
      end,
    })
  end
end

-- What is there from the start: the library's own view of Lua's names (see src/host/embedded.c).
local given = { unroll = true, arg = true, strict = true }
for name in next, _ENV do given[name] = true end

--- The names that scripts and entries have set.
---@return string[] sorted
function globals.own()
  local names = {}
  for name, value in next, _G do
    if type(name) == "string" and not given[name] and not optional[name]
        and (loaded[name] == nil or value ~= loaded[name]) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

--- Removes them.
---@return string[] names of those that were there
function globals.remove_own()
  local names = globals.own()
  for _, name in ipairs(names) do rawset(_G, name, nil) end
  set = {}
  return names
end

return globals
