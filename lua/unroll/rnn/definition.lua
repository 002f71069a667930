--- definition: what a cell is, whether written in C or in Lua.
--
-- All cells share one form. A definition has
--   name         string
--   states       names of the states; the first is "h", the output
-- and then either gates and pointwise functions of one step,
--   gates        names of the gates: blocks of H rows of W_xh, W_hh and b_h
--   saved        names of the (B,H) values that step leaves for step_grad
--   parameters   more parameters, { {name = "p_i", size = {"H"}}, ... }
--   step(pre, state, next, saved, parameters, options)
--       pre.<gate> (B,H) is W_xh x + W_hh h + b_h; writes next.<state> from state.<state>.
--       It may overwrite pre, step_grad sees it as step left it. pre.all is (B,G*H).
--   step_grad(grad, pre, state, next, saved, parameters, options)
--       from grad.next.<state> = dL/dnext writes grad.pre.<gate>, and to grad.state.<state>
--       (zero on entry) what reaches the old state not through W_hh; adds to
--       grad.parameters.<name>.
--   split        true: pre.<gate> has no part from h, which is in pre.h.<gate> (no bias);
--                step_grad then writes grad.pre.h.<gate> too
--   biases       function(options) -> { <gate> = number }: where blocks of b_h start, not at 0
--   keep, write  the gates that keep the old state and let new in, for init = { chrono = }
-- or everything itself:
--   parameters   function(input, hidden) -> list of {name=, size=}
--   forward(pass), backward(pass)      see cell.lua on what a pass has
-- The products with x and h, the token gather, the weight gradients and masks are the
-- library's work in the first form.
--
-- Either may have options of its own (cell_options.lua):
--   options      { { name = "leak", default = 0.1 }, ... }
-- step and step_grad get their values by name as the last argument, a pass has them as
-- pass.options. A definition with values is a definition of its own: `definition.choose`.

local builtin = require "unroll.rnn.builtin"
local cell_options = require "unroll.rnn.cell_options"
local core = require "unroll.core"
local options = require "unroll.options"
local protected = require "unroll.protected"
local resource = require "unroll.resource"

local definition = {}

local registered = {}

-- --- checks ---------------------------------------------------------------------------

local function is_name(value)
  return type(value) == "string" and value:find("^[%a_][%w_]*$") ~= nil
end

local function check_list(def, field, least, most, level)
  local list = def[field]
  if type(list) ~= "table" or #list < least or #list > most then
    error(("cell '%s': %s must be a list of %d to %d names"):format(def.name, field, least, most),
      level + 1)
  end
  local seen = {}
  for _, name in ipairs(list) do
    if not is_name(name) or seen[name] then
      error(("cell '%s': bad or double name '%s' in %s"):format(def.name, tostring(name), field),
        level + 1)
    end
    seen[name] = true
  end
end

local function check_functions(def, names, level)
  for _, name in ipairs(names) do
    if type(def[name]) ~= "function" then
      error(("cell '%s': %s must be a function, got %s"):format(def.name, name, type(def[name])),
        level + 1)
    end
  end
end

local fields = { name = true, states = true, gates = true, saved = true, parameters = true,
  step = true, step_grad = true, split = true, forward = true, backward = true, options = true,
  biases = true, keep = true, write = true }

local function check_fields(def, level)
  for field in pairs(def) do
    if not fields[field] then
      local names = {}
      for name in pairs(fields) do names[#names + 1] = name end
      error(("cell '%s': unknown field '%s'.%s"):format(def.name, tostring(field),
        options.suggestion(tostring(field), names)), level + 1)
    end
  end
end

-- --- from Lua tables --------------------------------------------------------------------

-- {"H", "I"} and numbers -> sizes.
local function resolve_size(def, parameter, input, hidden, level)
  local size = {}
  for d, s in ipairs(parameter.size) do
    size[d] = s == "H" and hidden or s == "I" and input or math.tointeger(s)
    if not size[d] or size[d] < 1 then
      error(("cell '%s': size %s of parameter '%s'"):format(def.name, tostring(s), parameter.name),
        level + 1)
    end
  end
  if #size < 1 or #size > 2 then
    error(("cell '%s': parameter '%s' must have one or two dimensions"):format(def.name,
      parameter.name), level + 1)
  end
  return size
end

local function more_specs(def, list, input, hidden, specs, level)
  for _, parameter in ipairs(list) do
    if type(parameter) ~= "table" or not is_name(parameter.name)
      or type(parameter.size) ~= "table" then
      error(("cell '%s': a parameter is { name =, size = }"):format(def.name), level + 1)
    end
    local size = resolve_size(def, parameter, input, hidden, level + 1)
    specs[#specs + 1] = { name = parameter.name, base = parameter.name, size = size,
      fan_in = size[2], fan_out = size[1], hidden = hidden }
  end
  return specs
end

local function index_of(list, name)
  for i, item in ipairs(list) do
    if item == name then return i end
  end
end

-- Where the blocks of b_h start: { [index of the gate] = number }.
local function start_of(d)
  local start = {}
  for gate, value in pairs(d.biases and d.biases(d.values) or {}) do
    local k = index_of(d.gates, gate)
    if not k then
      error(("cell '%s': biases names '%s', which is no gate of it"):format(d.name,
        tostring(gate)), 0)
    end
    start[k] = value
  end
  return start
end

-- W_xh, W_hh and b_h of a cell with gates.
local function gate_specs(d, input, hidden)
  local gates = d.gate_count
  local rows = gates * hidden
  return {
    { name = "W_xh", base = "W_xh", size = { rows, input }, transposed = true, fan_in = input,
      fan_out = hidden, blocks = gates, hidden = hidden },
    { name = "W_hh", base = "W_hh", size = { rows, hidden }, fan_in = hidden, fan_out = hidden,
      blocks = gates, hidden = hidden },
    { name = "b_h", base = "b_h", size = { rows }, hidden = hidden, blocks = gates,
      start = start_of(d), keep = index_of(d.gates, d.keep), write = index_of(d.gates, d.write) },
  }
end

local function from_whole(def, level)
  check_functions(def, { "parameters", "forward", "backward" }, level + 1)
  return { name = def.name, form = "whole", states = def.states, gates = {},
    forward = def.forward, backward = def.backward, options = def.options,
    specs = function(_, input, hidden)
      return more_specs(def, def.parameters(input, hidden), input, hidden, {}, 4)
    end }
end

local function check_roles(def, level)
  for _, role in ipairs { "keep", "write" } do
    if def[role] ~= nil and not index_of(def.gates, def[role]) then
      error(("cell '%s': %s is '%s', which is no gate of it"):format(def.name, role,
        tostring(def[role])), level + 1)
    end
  end
  if def.biases then check_functions(def, { "biases" }, level + 1) end
end

local function from_steps(def, level)
  check_list(def, "gates", 1, 8, level + 1)
  check_functions(def, { "step", "step_grad" }, level + 1)
  check_roles(def, level + 1)
  if def.saved then check_list(def, "saved", 0, 64, level + 1) end
  more_specs(def, def.parameters or {}, 1, 1, {}, level + 1)
  return { name = def.name, form = "steps", states = def.states, gates = def.gates,
    gate_count = #def.gates, saved_names = def.saved or {}, split = def.split and #def.gates or 0,
    step = def.step, step_grad = def.step_grad, options = def.options, biases = def.biases,
    keep = def.keep, write = def.write,
    specs = function(d, input, hidden)
      return more_specs(def, def.parameters or {}, input, hidden, gate_specs(d, input, hidden), 4)
    end }
end

local function from_table(def, level)
  if not is_name(def.name) then
    error("a cell's definition needs a name (letters, digits, _)", level + 1)
  end
  check_fields(def, level + 1)
  check_list(def, "states", 1, 4, level + 1)
  if def.states[1] ~= "h" then
    error(("cell '%s': the first state must be 'h', the output"):format(def.name), level + 1)
  end
  cell_options.check_declared(def, level + 1)
  local make = def.forward and from_whole or from_steps
  return (make(def, level + 1)) -- in parentheses: a tail call would lose the level
end

local no_position <const> = -100 -- a level that stays below 1 however often it is raised

-- from_table, with messages that begin with the function that was called.
local function checked(def, who, level)
  local ok, result = protected(from_table, def, no_position)
  if not ok then error(("%s: %s"):format(who, tostring(result)), level + 1) end
  return result
end

-- --- from C -----------------------------------------------------------------------------

local function native_specs(d, input, hidden)
  local specs = gate_specs(d, input, hidden)
  for _, extra in ipairs(d.extras) do
    local size = { extra.rows * hidden, extra.columns > 0 and extra.columns * hidden or nil }
    specs[#specs + 1] = { name = extra.name, base = extra.name, size = size,
      fan_in = size[2], fan_out = hidden, blocks = extra.rows, hidden = hidden }
  end
  return specs
end

-- What C has under core_name, as the cell of that name.
local function from_core(name, core_name)
  local d = core.cell.describe(core_name)
  if not d then return nil end
  d.name, d.core_name, d.form, d.gates = name, core_name, "native", {}
  d.specs = native_specs
  for field, value in pairs(builtin[name] or {}) do d[field] = value end
  return d
end

local function is_variant(name) return builtin[name] and builtin[name].variant_of ~= nil end

local function built_in(name)
  return not is_variant(name) and from_core(name, name) or nil
end

-- --- by name ----------------------------------------------------------------------------

-- lua/unroll/cells/<name>.lua, if there is one.
local function from_file(name, who, level)
  local module = "unroll.cells." .. name
  local ok, result = protected(require, module)
  if ok and type(result) ~= "table" then
    error(("%s: cells/%s.lua must return a definition"):format(who, name), level + 1)
  elseif ok then
    return (checked(result, who, level + 1))
  end
  if tostring(result):find(("module '%s' not found"):format(module), 1, true) then return nil end
  error(("%s: cell '%s': %s"):format(who, name, tostring(result)), level + 1)
end

--- The names that a cell can be asked for by: built in, in lua/unroll/cells, registered.
---@return string[]
function definition.names()
  local known, names = {}, {}
  for _, name in ipairs(core.cell.names()) do known[name] = not is_variant(name) or nil end
  for _, file in ipairs(resource.list("cells")) do
    local name = file:match("^(.+)%.lua$")
    if is_name(name) then known[name] = true end
  end
  for name in pairs(registered) do known[name] = true end
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Makes a definition known by its name, so that rnn.cell(name) and rnn.load find it.
---@param def table
---@param level integer
function definition.register(def, level)
  if type(def) ~= "table" then
    error("rnn.register: a definition table expected, got " .. type(def), level + 1)
  end
  local d = checked(def, "rnn.register", level + 1)
  if core.cell.describe(def.name) then
    error(("rnn.register: '%s' is a built-in cell"):format(def.name), level + 1)
  end
  registered[def.name] = d
end

-- The definition for what a caller gave as cell.
local function find(cell, who, level)
  if type(cell) == "table" then return (checked(cell, who, level + 1)) end
  if type(cell) ~= "string" then
    error(("%s: cell must be a name or a definition, got %s"):format(who, type(cell)), level + 1)
  end
  local found = registered[cell] or built_in(cell)
  if not found and is_name(cell) then
    found = from_file(cell, who, level + 1)
    registered[cell] = found
  end
  if not found then
    error(("%s: there is no cell '%s'.%s"):format(who, cell,
      options.suggestion(cell, definition.names())), level + 1)
  end
  return found
end

-- --- with options -----------------------------------------------------------------------

-- Names of cells that have an option of this name.
local function owners_of(option)
  local owners = {}
  for _, name in ipairs(definition.names()) do
    local d = registered[name] or built_in(name)
    for _, declared in ipairs(d and d.options or {}) do
      if declared.name == option then owners[#owners + 1] = name end
    end
  end
  return owners
end

-- An option of another cell is told as such.
local function check_owner(d, given, accepted, who, level)
  local known = {}
  for key, value in pairs(accepted) do known[math.type(key) and value or key] = true end
  for name in pairs(given) do
    local owners = known[name] and {} or owners_of(name)
    if owners[1] then
      error(("%s: '%s' is an option of %s, not of %s"):format(who, name,
        table.concat(owners, " and "), d.name), level + 1)
    end
  end
end

-- d with values for its options; another descriptor in C where they choose one.
local function with_values(d, values)
  local copy = d.core and assert(from_core(d.name, d.core(values))) or {}
  for field, value in pairs(d) do
    if copy[field] == nil then copy[field] = value end
  end
  copy.values = values
  return copy
end

local function merged(opts, given, who, level)
  local all = {}
  for key, value in pairs(opts) do all[key] = value end
  for key, value in pairs(given) do
    if all[key] ~= nil then
      error(("%s: '%s' is given twice, with the cell's name and as an option"):format(who, key),
        level + 1)
    end
    all[key] = value
  end
  return all
end

--- The cell that a caller gave, with its options, and the caller's other options checked.
---@param cell string|table a name, with options behind it or not, or a definition
---@param opts? table what the caller gave
---@param accepted table what the function accepts, as options.check takes it
---@param who string
---@param level integer
---@return table d a definition with `values`
---@return table o
function definition.choose(cell, opts, accepted, who, level)
  local name, given = cell_options.split(cell, who, level + 1)
  local d = find(name, who, level + 1)
  local all = accepted
  if type(opts) == "table" and not getmetatable(opts) then
    opts = merged(opts, given, who, level + 1)
    all = cell_options.accepted(d.options, accepted)
    check_owner(d, opts, all, who, level + 1)
  end
  local o = options.check(opts, all, who, level + 1)
  return with_values(d, cell_options.take(d, o, who, level + 1)), o
end

return definition
