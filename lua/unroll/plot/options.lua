--- Checks of what users pass: types, unknown names, and errors that point at their line.
--
-- Code below a public function calls options.misuse; the public function runs it through
-- options.guard, which raises the message at the caller of the public function.

local shared = require "unroll.options"

local options = {}

local Misuse = {}

--- Raises a message for the user (format as in string.format).
function options.misuse(format, ...)
  error(setmetatable({ message = format:format(...) }, Misuse), 0)
end

--- Calls f(...). A misuse inside becomes an error at the line that called the function
--- which called guard; other errors pass through.
function options.guard(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local problem = results[2]
  if getmetatable(problem) == Misuse then error(problem.message, 3) end
  error(problem, 0)
end

--- "'colour' (did you mean 'color'?)", or with the list of all names when none is near.
function options.describe_unknown(name, names)
  local all = {}
  for known in pairs(names) do all[#all + 1] = known end
  table.sort(all)
  local near = shared.nearest(tostring(name), all)
  if near then return ("'%s' (did you mean '%s'?)"):format(name, near) end
  return ("'%s' (known: %s)"):format(name, table.concat(all, ", "))
end

-- --- values --------------------------------------------------------------------------

local function one_of(list)
  local quoted = {}
  for i, name in ipairs(list) do quoted[i] = '"' .. name .. '"' end
  return table.concat(quoted, ", ")
end

-- A kind is a Lua type name, several joined by "|", "positive", "any", or a list of names.
local function fits(value, kind)
  if kind == "any" then return true end
  if kind == "positive" then
    return math.type(value) ~= nil and value > 0 and value < math.huge
  end
  if type(kind) == "table" then
    for _, name in ipairs(kind) do
      if value == name then return true end
    end
    return false
  end
  for name in kind:gmatch("[^|]+") do
    if type(value) == name then return true end
  end
  return false
end

local function expected(kind)
  if type(kind) == "table" then return "one of " .. one_of(kind) end
  if kind == "positive" then return "a positive number" end
  return "a " .. kind:gsub("|", " or ")
end

local function shown(value)
  if value ~= value then return "nan" end -- some processors give it a sign
  return type(value) == "string" and '"' .. value .. '"' or tostring(value)
end

--- Checks a table of options against { name = kind }. nil counts as an empty table.
---@return table given
function options.check(who, given, kinds)
  if given == nil then return {} end
  if type(given) ~= "table" then
    options.misuse("%s: a table of options expected, got %s", who, type(given))
  end
  for name, value in pairs(given) do
    local kind = kinds[name]
    if not kind then
      options.misuse("%s: unknown option %s", who, options.describe_unknown(name, kinds))
    elseif not fits(value, kind) then
      options.misuse("%s: option '%s' must be %s, got %s", who, name, expected(kind),
        shown(value))
    end
  end
  return given
end

--- A finite number, or an error that names it.
function options.number(who, name, value)
  if math.type(value) == nil or value ~= value or math.abs(value) == math.huge then
    options.misuse("%s: %s must be a finite number, got %s", who, name, shown(value))
  end
  return value
end

--- A text or a number, as text.
function options.text(who, name, value)
  if type(value) ~= "string" and type(value) ~= "number" then
    options.misuse("%s: %s must be a string, got %s", who, name, type(value))
  end
  return tostring(value)
end

return options
