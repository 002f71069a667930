--- display: how values look at the prompt.
--
--   local display = require "unroll.display"
--   print(display.show({ 1, 2, loss = 1.5 }))      --> { 1, 2, loss = 1.5 }
--
-- Lua's own values are shown in Lua's syntax; tables with their depth, length and width in
-- bounds. An object says itself how it looks, through two fields of its metatable:
--
--   __tostring(self) -> string        short, one line: in print, messages, inside of tables
--   __display(self, how) -> string    what the prompt shows of it alone, on several lines.
--                                     how.width: columns there are; how.paint(style, text):
--                                     the text in colour, or as it is (display/paint.lua)
--
-- Without __display the text of __tostring is shown, without both `__name { fields }`. So a
-- class of anybody's joins by writing one function. An error in these functions is shown in
-- place of the text; it never leaves `show`.

local core = require "unroll.core"
local functions = require "unroll.display.functions"
local modules = require "unroll.display.modules"
local painter = require "unroll.display.paint"
local protected = require "unroll.protected"
local tables = require "unroll.display.tables"
local text = require "unroll.display.text"

local tensor = core.tensor

local display = {}

local most_characters <const>, most_characters_inside <const> = 2000, 100
local preset = { depth = 4, items = 30 }

-- --- objects: what is not opened -----------------------------------------------------------

-- The field of a value's metatable, past __index and __metatable.
local function metafield(value, name)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and rawget(meta, name) or nil
end

local function is_object(value)
  return metafield(value, "__tostring") ~= nil or metafield(value, "__display") ~= nil
end

-- Calls a metamethod that gives a text. Ctrl-C is the only error that goes on.
local function call(name, value, ...)
  local ok, result = protected(metafield(value, name), value, ...)
  if ok and type(result) == "string" then return result end
  if ok then return ("<%s gave a %s>"):format(name, type(result)) end
  local shown, message = pcall(tostring, result)
  message = shown and type(message) == "string" and message or type(result)
  return ("<error in %s: %s>"):format(name, text.first_line(message))
end

-- "tensor float32 (2, 3)", with the numbers when they are few.
local function tensor_inside(t)
  if t:dim() < 2 and t:numel() <= 6 then
    return (require "unroll.tensor.print" (t, 1000):gsub("%s*\n%s*", "   "))
  end
  return ("tensor %s (%s)"):format(t:dtype(), table.concat(t:size(), ", "))
end

local function object_inside(value, width)
  local module = type(value) == "table" and modules.name_of(value)
  if module then return "module " .. module end
  if tensor.is_tensor(value) then return tensor_inside(value) end
  local name = metafield(value, "__name")
  local whole = metafield(value, "__tostring") and call("__tostring", value)
  if not whole then return tostring(name or type(value)) end
  if whole:find "\n" and type(name) == "string" then return name:gsub("^unroll%.", "") .. " …" end
  return text.cut(whole:gsub("\n.*", ""):gsub("%c", " "), math.min(100, width - 4))
end

-- --- one value -----------------------------------------------------------------------------

local function number_text(x)
  if x ~= x then return "nan" end
  return tostring(x)
end

-- The text of anything that is not a table to be opened.
local function atom(value, how, alone)
  local kind = type(value)
  if kind == "string" then
    local most = alone and most_characters
      or math.min(most_characters_inside, math.max(how.width - 34, 8))
    return how.paint("string", text.quote(value, most))
  elseif kind == "number" then
    return how.paint("number", number_text(value))
  elseif kind == "nil" or kind == "boolean" then
    return how.paint("constant", tostring(value))
  elseif kind == "function" then
    return functions.describe(value, alone)
  elseif kind == "thread" then
    return "coroutine: " .. coroutine.status(value)
  elseif kind == "table" or is_object(value) then -- a table that is an object or a module
    return object_inside(value, how.width)
  end
  return tostring(value)
end

local function show_table(value, how)
  local module = modules.name_of(value)
  if module then return modules.show(value, module, how) end
  local name = metafield(value, "__name")
  local body = tables.show(value, {
    width = how.width, depth = how.depth, items = how.items, paint = how.paint,
    object = function(t) return is_object(t) or modules.name_of(t) ~= nil end,
    atom = function(v) return atom(v, how) end,
  })
  return type(name) == "string" and how.paint("heading", name) .. " " .. body or body
end

local function show_object(value, how)
  if tensor.is_tensor(value) then return require "unroll.tensor.print" (value, how.width) end
  if metafield(value, "__display") then return call("__display", value, how) end
  return text.fold(call("__tostring", value), how.width)
end

--- The text of a value, as the prompt shows it.
---@param value any
---@param opts? table width: columns (default: of the terminal, else 80); colour: true for
--- escapes of colours (default false); depth = 4: levels of a table; items = 30: entries of a level
---@return string text of one line or several, without a line break at the end
--- > require("unroll.display").show({ 1, 2, { x = "a\nb" } })   --> { 1, 2, { x = "a\nb" } }
function display.show(value, opts)
  opts = opts or {}
  local how = {
    width = math.max(opts.width or core.sys.terminal_width() or 80, 20),
    depth = opts.depth or preset.depth, items = opts.items or preset.items,
    paint = painter.new(opts.colour == true),
  }
  if tensor.is_tensor(value) or is_object(value) then return show_object(value, how) end
  if type(value) == "table" then return show_table(value, how) end
  return atom(value, how, true)
end

return display
