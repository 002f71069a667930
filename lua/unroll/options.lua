--- options: checking of option tables, so that a misspelt name is an error at once.
--
-- A function that takes options describes them once:
--
--   local accepted = { "dtype", lr = 1e-3, steps = options.required }
--   local o = options.check(opts, accepted, "train.fit")
--
-- Names in the list part have no default; the others have one, or are required. The
-- result is a new table: the defaults, overwritten by what the caller gave. The caller's
-- table is never changed.

local options = {}

--- Marks an option that must be given.
options.required = setmetatable({}, { __name = "required option" })

--- Number of single-character edits (insert, delete, replace, swap of neighbours) that
--- turn a into b (Damerau 1964), counted in bytes.
---@param a string
---@param b string
---@return integer
--- > require("unroll.options").distance("colour", "color")   --> 1
function options.distance(a, b)
  local before_last, last = {}, {} -- two rows of the usual table are enough
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before_last[j - 2] + 1)
      end
    end
    before_last, last = last, row
  end
  return last[#b]
end

-- The letters of a name in order: "W_hx" and "W_xh" have the same ones.
local function letters_of(name)
  local letters = { name:lower():byte(1, -1) }
  table.sort(letters)
  return string.char(table.unpack(letters))
end

-- How far a candidate is; of two that are as far, the one with the same letters is nearer.
local function distance_to(name, candidate)
  local distance = options.distance(name:lower(), candidate:lower())
  return letters_of(name) == letters_of(candidate) and distance - 0.5 or distance
end

-- The shortest name that begins like this one.
local function completed(name, names)
  local best
  for _, candidate in ipairs(names) do
    if candidate:sub(1, #name):lower() == name:lower()
      and (not best or #candidate < #best or (#candidate == #best and candidate < best)) then
      best = candidate
    end
  end
  return best
end

local longest_name <const> = 100 -- bytes; nobody meant more as a name

--- The name in `names` that is nearest to `name`, if one is near enough to be meant; else
--- the shortest that begins with it.
---@param name string
---@param names string[]
---@return string? nearest nil when nothing is similar
--- > require("unroll.options").nearest("colour", {"color", "width"})   --> "color"
--- > require("unroll.options").nearest("W_hx", {"W_hh", "W_xh"})         --> "W_xh"
---@see options.suggestion options.distance
function options.nearest(name, names)
  local best, best_distance
  if #name > longest_name then return nil end
  for _, candidate in ipairs(names) do
    local distance = distance_to(name, candidate)
    if not best or distance < best_distance or (distance == best_distance and candidate < best) then
      best, best_distance = candidate, distance
    end
  end
  local limit = #name == 1 and 0.5 or math.max(1, #name // 3) -- one letter is no other one
  if best_distance and best_distance <= limit then return best end
  return #name >= 3 and completed(name, names) or nil
end

--- " Did you mean 'x'?", or else the list of what exists, to close an error message with.
---@param name string what was given
---@param names string[] what exists
---@return string
--- > options = require "unroll.options"
--- > options.suggestion("colour", {"color", "width"})   --> " Did you mean 'color'?"
function options.suggestion(name, names)
  local nearest = options.nearest(name, names)
  if nearest then return (" Did you mean '%s'?"):format(nearest) end
  local sorted = table.move(names, 1, #names, 1, {})
  table.sort(sorted)
  return (" There are: %s."):format(table.concat(sorted, ", "))
end

-- Splits the description into the set of names and their sorted list.
local function names_of(accepted)
  local set, list = {}, {}
  for key, value in pairs(accepted) do
    local name = math.type(key) == "integer" and value or key
    set[name] = true
    list[#list + 1] = name
  end
  table.sort(list)
  return set, list
end

local function check_names(opts, accepted, who, level)
  local set, list = names_of(accepted)
  for key in pairs(opts) do
    if not set[key] then
      local hint = type(key) == "string" and options.suggestion(key, list)
        or (" Options have names: %s."):format(table.concat(list, ", "))
      error(("%s: unknown option '%s'.%s"):format(who, tostring(key), hint), level + 1)
    end
  end
end

local function check_required(opts, accepted, who, level)
  local missing = {}
  for key, default in pairs(accepted) do
    if default == options.required and opts[key] == nil then
      missing[#missing + 1] = ("'%s'"):format(key)
    end
  end
  if #missing == 0 then return end
  table.sort(missing)
  error(("%s: option%s %s %s required"):format(who, #missing > 1 and "s" or "",
    table.concat(missing, ", "), #missing > 1 and "are" or "is"), level + 1)
end

--- Checks the names in an option table and fills in the defaults.
---@param opts table? what the caller gave; nil counts as {}
---@param accepted table list of names without default, and name = default (or `options.required`)
---@param who string the function, for messages: "train.fit"
---@param level? integer stack level that errors point at; default: the caller of the caller
---@return table checked a new table
--- Errors: not a table; an unknown name (with the nearest known one); a required one missing.
--- > options = require "unroll.options"
--- > options.check({b = 2}, {"b", a = 1}, "f").a          --> 1
--- > options.check({lrr = 2}, {lr = 1}, "f")              --> error: unknown option 'lrr'
--- > options.check({}, {lr = options.required}, "f")      --> error: 'lr' is required
function options.check(opts, accepted, who, level)
  level = (level or 2) + 1
  opts = opts == nil and {} or opts
  local class = getmetatable(opts)
  local kind = type(class) == "table" and class.__name or type(opts)
  if kind ~= "table" then -- an object is not a table of options either
    error(("%s: options must be a table, got %s"):format(who, kind), level)
  end
  check_names(opts, accepted, who, level)
  local checked = {}
  for key, default in pairs(accepted) do
    if math.type(key) ~= "integer" then
      checked[key] = default
    end
  end
  check_required(opts, accepted, who, level)
  for key, value in pairs(opts) do checked[key] = value end
  return checked
end

--- A value as messages show it: a string in quotes, so that "5" is not taken for 5, and
--- NaN without the sign that some processors give it.
---@param value any
---@return string
--- > require("unroll.options").shown(0/0)   --> "nan"
function options.shown(value)
  if value ~= value then return "nan" end
  return type(value) == "string" and ("the string '%s'"):format(value) or tostring(value)
end

--- Checks that a value is an integer of at least `least`.
---@param value any
---@param name string name of the option, for the message
---@param who string
---@param least? integer default 1
---@param level? integer
---@return integer value
--- Errors: anything else.
--- > require("unroll.options").integer(2.0, "n", "f")   --> 2
--- > require("unroll.options").integer(2.5, "n", "f")   --> error: n must be an integer
function options.integer(value, name, who, least, level)
  least = least or 1
  local n = math.type(value) and math.tointeger(value)
  if not n or n < least then
    local bound = least > math.mininteger and (" of at least %d"):format(least) or ""
    error(("%s: %s must be an integer%s, got %s"):format(who, name, bound, options.shown(value)),
      (level or 2) + 1)
  end
  return n
end

--- Checks that a value is one of a list of strings.
---@param value any
---@param choices string[]
---@param name string
---@param who string
---@param level? integer
---@return string value
--- Errors: anything else, with the nearest choice.
--- > require("unroll.options").choice("a", {"a", "b"}, "kind", "f")   --> "a"
function options.choice(value, choices, name, who, level)
  for _, choice in ipairs(choices) do
    if value == choice then return value end
  end
  local hint = type(value) == "string" and options.suggestion(value, choices)
    or (" There are: %s."):format(table.concat(choices, ", "))
  error(("%s: %s is '%s'.%s"):format(who, name, tostring(value), hint), (level or 2) + 1)
end

return options
