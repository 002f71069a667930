--- unknown: reading a name that does not exist is an error that offers the nearest one.
--
--   corpus.batchez     --> corpus has no 'batchez'. Did you mean 'batches'?
--   text.corpuss       --> text has no 'corpuss'. Did you mean 'corpus'?
--
-- A misspelt field would otherwise be nil, and fail later and elsewhere. Classes and modules
-- of the library do this; tables of the user's, and global variables in scripts, are Lua's
-- as ever (the prompt is strict about globals, see prompt/globals.lua). Nothing is raised
--   * for names that a class declares as optional (model.vocab),
--   * for keys that are no names, and for those that start with "__",
--   * when the library itself or C code reads: they may ask what an object can do.
-- rawget asks without an error; next and pairs see what they always did.

local options = require "unroll.options"

local unknown = {}

local longest_list <const> = 12 -- names; more of them are not listed in a message

local function add_names(names, t)
  for name in next, t do
    if type(name) == "string" and not name:find "^_" then names[#names + 1] = name end
  end
end

--- Names of fields and methods, for messages.
---@param ... table those that have them
---@return string[]
function unknown.names(...)
  local names = {}
  for _, t in ipairs { ... } do add_names(names, t) end
  return names
end

-- Whether the function at a level of the stack is C, or belongs to the library.
local function reader_at(level)
  local info = debug.getinfo(level + 1, "S")
  if not info or info.what == "C" then return "C" end
  local source = info.source
  return (source:find "^@unroll/" or source:find "[@/]lua/unroll/") and "library" or "script"
end

--- Raises the error, unless the reader is exempt. To be called from an __index function.
---@param what string what the message calls the object
---@param name any the name that was read
---@param level integer of the reader, as for error
---@param elsewhere? fun(name: string): string? where else the name is to be had, as a sentence
---@param ... table those whose fields exist
---@return boolean may_be_nil the library reads it: a field that need not be there
function unknown.read(what, name, level, elsewhere, ...)
  if type(name) ~= "string" or name:find "^__" then return false end
  local reader = reader_at(level)
  if reader ~= "script" then return reader == "library" end
  local names, hint = unknown.names(...), ""
  local place = elsewhere and elsewhere(name)
  if place then
    hint = " " .. place
  elseif options.nearest(name, names) or #names <= longest_list then
    hint = options.suggestion(name, names)
  end
  error(("%s has no '%s'.%s"):format(what, name, hint), level)
end

--- An __index function for a class: its methods, and an error for what it has not.
---@param class table the methods; also the metatable of the objects
---@param what string|fun(self: table): string what messages call an object
---@param optional? table<string, true> fields that may be nil
---@param elsewhere? fun(name: string): string? where else a name is to be had, as a sentence
---@return fun(self: table, name: any): any
function unknown.index(class, what, optional, elsewhere)
  optional = optional or {}
  return function(self, name)
    local found = class[name]
    if found == nil and not optional[name] then
      -- what the library finds absent once is looked for no more: that costs time and memory
      local called = type(what) == "function" and what(self) or what
      optional[name] = unknown.read(called, name, 3, elsewhere, self, class) or nil
    end
    return found
  end
end

-- What an older __index of a module gives.
local function ask(before, self, name)
  if type(before) == "function" then return before(self, name) end
  return before and before[name]
end

--- Guards a module. The metafield __elsewhere may be a function that tells where else a name is
--- to be had, as `elsewhere` of unknown.read.
---@param module table
---@param what string its name
function unknown.guard(module, what)
  local meta = getmetatable(module) or {}
  local before = rawget(meta, "__index")
  meta.__index = function(self, name)
    local found = ask(before, self, name)
    if found == nil then unknown.read(what, name, 3, meta.__elsewhere, self) end
    return found
  end
  setmetatable(module, meta)
end

return unknown
