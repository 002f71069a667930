--- cell_options: options that a cell has of its own, beside input, hidden and the like.
--
-- A definition declares them in `options`, a list of
--   { name =, default =, choices = {...} }      one of these strings
--   { name =, default = number or boolean, check = function(value) -> message or nil }
-- They are given where the cell is named, beside the other options,
--   rnn.lm { cell = "lstm", forget_bias = 0, vocab = 65, hidden = 128 }
-- or, where a cell is a single text as on the command line of an experiment, behind its name:
--   cell = "lstm forget_bias=0"

local options = require "unroll.options"

local cell_options = {}

-- --- declaring ------------------------------------------------------------------------

-- What functions that take a cell call their own options.
local taken = {}
for _, name in ipairs { "cell", "vocab", "input", "hidden", "output", "layers", "head", "loss",
  "dtype", "init", "seed" } do taken[name] = true end

-- What is wrong with a value, or nil.
local function problem(option, value)
  if option.choices then
    for _, choice in ipairs(option.choices) do
      if value == choice then return nil end
    end
    return ("is %s, must be '%s'"):format(options.shown(value),
      table.concat(option.choices, "' or '"))
  end
  local is_number = type(option.default) == "number"
  if type(value) ~= type(option.default) then
    return ("must be a %s, got %s"):format(type(option.default), options.shown(value))
  elseif is_number and value - value ~= 0 then
    return "must be finite, got " .. options.shown(value)
  end
  return option.check and option.check(value)
end

--- Checks what a definition declares.
---@param def table
---@param level integer
function cell_options.check_declared(def, level)
  if def.options == nil then return end
  for i, option in ipairs(type(def.options) == "table" and def.options or { false }) do
    local name = type(option) == "table" and option.name
    if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" or option.default == nil then
      error(("cell '%s': options must be a list of { name =, default = }"):format(def.name),
        level + 1)
    end
    if taken[name] then
      error(("cell '%s': an option cannot be called '%s', that has a meaning already"):format(
        def.name, name), level + 1)
    end
    local wrong = problem(option, option.default)
    if wrong then
      error(("cell '%s': the default of option %d, '%s', %s"):format(def.name, i, name, wrong),
        level + 1)
    end
  end
end

-- --- giving ---------------------------------------------------------------------------

local words = { ["true"] = true, ["false"] = false }

local function value_of(text)
  if words[text] ~= nil then return words[text] end
  return tonumber(text) or text
end

--- "gru reset=before" -> "gru", { reset = "before" }; anything else comes back as it is.
---@param cell any
---@param who string
---@param level integer
---@return any cell
---@return table given
function cell_options.split(cell, who, level)
  local given = {}
  if type(cell) ~= "string" then return cell, given end
  local name, rest = cell:match "^(%S+)%s+(.*)$"
  if not name then return cell, given end
  for word in rest:gmatch "%S+" do
    local key, text = word:match "^([%a_][%w_]*)=(.+)$"
    if not key then
      error(("%s: cell is '%s': behind the name options are expected, as 'lstm forget_bias=0'")
        :format(who, cell), level + 1)
    end
    given[key] = value_of(text)
  end
  return name, given
end

--- The options that a function accepts, with those of a cell.
---@param declared? table[] of the definition
---@param accepted table as options.check takes it
---@return table accepted
function cell_options.accepted(declared, accepted)
  if not declared then return accepted end
  local all = {}
  for key, value in pairs(accepted) do all[key] = value end
  for _, option in ipairs(declared) do all[option.name] = option.default end
  return all
end

--- Takes the options of a cell out of checked ones.
---@param d table the definition
---@param o table changed: they are removed
---@param who string
---@param level integer
---@return table<string, any> values
function cell_options.take(d, o, who, level)
  local values = {}
  for _, option in ipairs(d.options or {}) do
    local wrong = problem(option, o[option.name])
    if wrong then error(("%s: %s %s"):format(who, option.name, wrong), level + 1) end
    values[option.name], o[option.name] = o[option.name], nil
  end
  return values
end

--- The values in one line, as display and messages show them: "forget_bias 1".
---@param d table a definition with values
---@return string? text nil without options
function cell_options.text(d)
  local parts = {}
  for i, option in ipairs(d.options or {}) do
    local value = d.values[option.name]
    parts[i] = ("%s %s"):format(option.name,
      math.type(value) and ("%.6g"):format(value) or tostring(value))
  end
  return parts[1] and table.concat(parts, ", ") or nil
end

return cell_options
