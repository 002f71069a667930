--- init: the first values of parameters.
--
-- W (rows, columns) multiplies vectors of `columns` = fan-in numbers; with several gates
-- the rows of W are blocks, one a gate, and each block is drawn as a matrix of its own.
--   glorot      uniform within +-sqrt(6 / (fan_in + fan_out))      Glorot and Bengio 2010
--   glorot_normal   normal, deviation sqrt(2 / (fan_in + fan_out))
--   he          normal, deviation sqrt(2 / fan_in)                 He et al. 2015
--   lecun       normal, deviation sqrt(1 / fan_in)                 LeCun et al. 1998
--   orthogonal  W^T W = 1 or W W^T = 1                             Saxe et al. 2014
--   identity    W = 1, for recurrent matrices                      Le et al. 2015
--   pytorch     uniform within +-1/sqrt(hidden)                    PyTorch's nn.RNN
--   normal, uniform, constant   with their deviation, bound, value
-- All of these are for matrices. Biases start at 0, whatever the rule, and those of a gate that
-- keeps the old state where the cell says (lstm: forget_bias = 1, Jozefowicz et al. 2015),
-- unless the parameter is named: { b_h = 0 }. So { W_xh = "pytorch", W_hh = "pytorch",
-- b_h = "pytorch" } is how PyTorch starts, but for its second bias. For gated cells there is
--   chrono      biases of the gate that keeps log U(1, Tmax - 1), so that a unit remembers for
--               1 to Tmax steps, minus that for the gate that lets new in if it is another;
--               matrices glorot                             Tallec and Ollivier 2018
-- Each parameter has a generator of its own, drawn from the seed, so that another choice
-- for one parameter leaves the others as they were.

local core = require "unroll.core"
local options = require "unroll.options"

local tensor = core.tensor

local init = {}

local function uniform(bound)
  return function(block, generator) block:uniform_(-bound, bound, generator) end
end

local function normal(deviation)
  return function(block, generator) block:normal_(0, deviation, generator) end
end

-- Q of a random matrix, with the signs that make it uniform over all orthogonal ones.
local function orthogonal(gain)
  return function(block, generator)
    local rows, columns = block:size(1), block:size(2)
    local tall = tensor.randn(math.max(rows, columns), math.min(rows, columns),
      { dtype = "float64", generator = generator })
    local q, r = tensor.qr(tall)
    for j = 1, r:size(1) do
      if r[{ j, j }] < 0 then q:select(2, j):mul_(-1) end
    end
    q:mul_(gain)
    block:copy_(rows >= columns and q or q:t())
  end
end

-- Each rule: the argument in { rule = argument } -> function(block, generator).
local rules = {
  glorot = function(gain, spec)
    return uniform(gain * math.sqrt(6 / (spec.fan_in + spec.fan_out)))
  end,
  glorot_normal = function(gain, spec)
    return normal(gain * math.sqrt(2 / (spec.fan_in + spec.fan_out)))
  end,
  he = function(gain, spec) return normal(gain * math.sqrt(2 / spec.fan_in)) end,
  lecun = function(gain, spec) return normal(gain * math.sqrt(1 / spec.fan_in)) end,
  orthogonal = orthogonal,
  identity = function(scale)
    return function(block) block:copy_(tensor.eye(block:size(1), block:size(2))):mul_(scale) end
  end,
  pytorch = function(gain, spec) return uniform(gain / math.sqrt(spec.hidden)) end,
  normal = function(deviation) return normal(deviation) end,
  uniform = function(bound) return uniform(bound) end,
  constant = function(value) return function(block) block:fill_(value) end end,
}

-- The biases of a gated cell (spec of b_h) that remember for up to `longest` steps.
local function fill_chrono(bias, spec, longest, generator)
  local H = spec.hidden
  local keep = bias:narrow(1, (spec.keep - 1) * H + 1, H)
  keep:uniform_(1, longest - 1, generator):log_()
  if spec.write then bias:narrow(1, (spec.write - 1) * H + 1, H):copy_(keep):mul_(-1) end
end

-- Where biases start when nobody names them.
local function fill_start(bias, spec)
  local H = spec.hidden
  for k, value in pairs(spec.start or {}) do bias:narrow(1, (k - 1) * H + 1, H):fill_(value) end
end

-- Rules for a bias as a whole.
local bias_rules = { chrono = fill_chrono, start = fill_start }

-- Examples of rules that need a number.
local needs_number = { normal = 0.01, uniform = 0.01, constant = 0.01, chrono = 100 }

local rule_names = { "chrono" }
for name in pairs(rules) do rule_names[#rule_names + 1] = name end

local function is_number(value)
  return math.type(value) ~= nil and value - value == 0
end

-- "glorot" or { normal = 0.01 } or 0.5 -> rule name and argument.
local function parse(how, what, who, level)
  if is_number(how) then return "constant", how end
  local name, argument = how, nil
  if type(how) == "table" then
    name, argument = next(how)
    if name == nil or next(how, name) ~= nil then
      error(("%s: %s must name one rule, as { normal = 0.01 }"):format(who, what), level + 1)
    end
  end
  options.choice(name, rule_names, what, who, level + 1)
  if argument == nil and needs_number[name] then
    error(("%s: %s = '%s' needs a number, as { %s = %g }"):format(who, what, name, name,
      needs_number[name]), level + 1)
  end
  if argument == nil then argument = 1 end
  if not is_number(argument) or (argument < 0 and name ~= "constant" and name ~= "identity") then
    error(("%s: %s: %s = %s must be a finite number, at least 0"):format(who, what, name,
      options.shown(argument)), level + 1)
  end
  if name == "chrono" and argument <= 2 then
    error(("%s: %s: chrono is the longest time to remember, more than 2 steps, got %s"):format(who,
      what, options.shown(argument)), level + 1)
  end
  return name, argument
end

-- The values of one parameter. Drawn in float64 so that both dtypes get the same numbers.
local function fill(entry, spec, name, argument, generator)
  local whole = tensor.zeros(spec.size, { dtype = "float64" })
  local blocks = spec.blocks or 1
  local rows = spec.size[1] // blocks
  if bias_rules[name] then
    bias_rules[name](whole, spec, argument, generator)
  else
    local rule = rules[name](argument, spec)
    for k = 1, blocks do rule(whole:narrow(1, (k - 1) * rows + 1, rows), generator) end
  end
  entry:copy_(whole)
end

local function is_bias(spec)
  return #spec.size == 1
end

-- A rule for all parameters: it is for matrices, and only recurrent ones can be 1; chrono is
-- for the biases of gates.
local function rule_for_all(spec, name, argument)
  if name == "chrono" and spec.keep then return name, argument end
  if is_bias(spec) then return "start", 0 end
  if name == "chrono" or name == "identity" and spec.fan_in ~= spec.fan_out then
    return "glorot", 1
  end
  return name, argument
end

-- The rule that a caller gave for one parameter must suit it.
local function check_rule(spec, name, who, level)
  if name == "chrono" and not spec.keep then
    error(("%s: init.%s: chrono is for b_h of cells with a gate that keeps the state, as lstm "
      .. "and gru"):format(who, spec.base), level + 1)
  elseif is_bias(spec) and not needs_number[name] and name ~= "pytorch" then
    error(("%s: init.%s is a vector: { normal = }, { uniform = } or a number expected")
      :format(who, spec.base), level + 1)
  end
end

-- A rule for all that no parameter could follow.
local function check_rule_for_all(specs, name, who, level)
  local is_possible = name ~= "chrono"
  for _, spec in ipairs(specs) do is_possible = is_possible or spec.keep end
  if not is_possible then
    error(who .. ": init: chrono is for cells with a gate that keeps the state, as lstm and gru",
      level + 1)
  end
end

local function check_names(how, specs, who, level)
  local known = {}
  for _, spec in ipairs(specs) do known[#known + 1] = spec.base end
  for name in pairs(how) do
    local found = false
    for _, spec in ipairs(specs) do found = found or spec.base == name or spec.name == name end
    if not found then
      error(("%s: init: there is no parameter '%s'.%s"):format(who, tostring(name),
        options.suggestion(tostring(name), known)), level + 1)
    end
  end
end

-- { normal = 0.01 } names a rule, { W_hh = "orthogonal" } parameters.
local function is_rule(how)
  if type(how) ~= "table" then return true end
  local key = next(how)
  return key ~= nil and (rules[key] or key == "chrono") and next(how, key) == nil
end

--- Fills a list of parameters.
---@param list table from parameters.new
---@param specs table[] in the same order; `base` is the name without its layer
---@param how string|table|number? one rule for all, or a table of rules by parameter name
--- (those not named: glorot, biases as the cell has them start); nil: glorot
---@param seed integer
---@param who string the function, for messages
---@param level integer stack level for errors
function init.fill_all(list, specs, how, seed, who, level)
  how = how == nil and "glorot" or how
  local by_name = not is_rule(how)
  if by_name then check_names(how, specs, who, level + 1) end
  local seeds = tensor.generator(seed)
  for i, spec in ipairs(specs) do
    local own = by_name and (how[spec.name] or how[spec.base])
    local generator = tensor.generator(seeds:integer(1 << 53))
    local name, argument
    if own then
      name, argument = parse(own, "init." .. spec.base, who, level + 1)
      check_rule(spec, name, who, level + 1)
    else
      name, argument = parse(by_name and "glorot" or how, "init", who, level + 1)
      check_rule_for_all(specs, name, who, level + 1)
      name, argument = rule_for_all(spec, name, argument)
    end
    fill(list[i].tensor, spec, name, argument, generator)
  end
end

--- The seed to use when the caller gave none: drawn from the default generator, so that
--- tensor.manual_seed makes a whole script repeatable.
---@return integer
function init.draw_seed()
  return tensor.default_generator():integer(1 << 53)
end

return init
