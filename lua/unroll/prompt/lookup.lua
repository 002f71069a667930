--- lookup: fields of values, found without running anything.
--
-- Tab must have no effect, so no __index function is ever called, nor a length taken or a
-- name compared by a metamethod. A table has its raw fields and those of the tables that its
-- __index names. Where __index is a function, the methods are in the metatable itself (the
-- usual way to write a class), or, for a function in C, in the table that it closes over. A
-- class can say more in the metafield __members: a list of raw fields, the contents of which
-- are members too, and name = true for members that appear when they are asked for.

local globals = require "unroll.prompt.globals"

local lookup = {}

local deepest = 20 -- __index tables, one behind the other

local function raw_string_keys(t, found)
  for name, value in next, t do
    if type(name) == "string" and found[name] == nil then found[name] = value end
  end
end

local function metatable_of(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and meta or nil
end

-- The table of methods that belongs to an __index function.
local function methods_of(index, meta)
  if debug.getinfo(index, "S").what ~= "C" then return meta end
  local _, upvalue = debug.getupvalue(index, 1)
  return type(upvalue) == "table" and upvalue or {}
end

-- The members that a class declares.
local function add_declared(value, meta, found)
  local declared = rawget(meta, "__members")
  if type(declared) ~= "table" then return end
  for key, member in next, declared do
    if math.type(key) == "integer" then
      local field = type(value) == "table" and rawget(value, member)
      if type(field) == "table" then raw_string_keys(field, found) end
    elseif found[key] == nil then
      found[key] = member
    end
  end
end

--- The members of a value by name. A member that exists only when it is asked for is `true`.
---@param value any
---@return table<string, any>
function lookup.members(value)
  local found, at = {}, value
  for _ = 1, deepest do
    if type(at) == "table" then raw_string_keys(at, found) end
    local meta = at ~= nil and metatable_of(at)
    if not meta then break end
    add_declared(at, meta, found)
    local index = rawget(meta, "__index")
    if type(index) == "function" then raw_string_keys(methods_of(index, meta), found) end
    if type(index) ~= "table" or rawequal(index, at) then break end
    at = index
  end
  return found
end

--- A member of a value; nil when there is none, or none that can be had without effect.
function lookup.member(value, name)
  local member = lookup.members(value)[name]
  if member ~= true then return member end
  local meta = metatable_of(value)
  local declared = meta and rawget(meta, "__members")
  if type(declared) ~= "table" or declared[name] ~= true then return member end
  return value[name] -- the class has said that this does no harm
end

--- The element of a plain table.
function lookup.element(value, key)
  if type(value) == "table" then return rawget(value, key) end
end

--- The value of a variable, as typed code sees it.
---@param environment table the global variables, or the variables of a frame before them
function lookup.variable(environment, name)
  local value = rawget(environment, name)
  if value == nil then value = rawget(_G, name) end
  if value == nil then value = globals.load(name) end
  return value
end

--- The names of variables, as a set.
function lookup.variables(environment)
  local found = {}
  raw_string_keys(environment, found)
  raw_string_keys(_G, found)
  for _, name in ipairs(globals.names()) do found[name] = true end
  return found
end

--- Whether a value can be called.
function lookup.is_callable(value)
  if type(value) == "function" then return true end
  local meta = value ~= nil and metatable_of(value)
  return meta ~= nil and meta ~= false and rawget(meta, "__call") ~= nil
end

return lookup
