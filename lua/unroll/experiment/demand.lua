--- What experiments demand of their settings, for their field `check`: an error before
--- anything runs, in words for the person at the command line.

local demand = {}

local function check_number(name, value)
  if not (value > 0 and value < math.huge) then
    error(("option '%s': %s is not above 0"):format(name, value), 0)
  end
end

--- Every number of the settings must be above 0; seeds may be any.
---@param config table<string, any>
---@param ... string names of options that may be 0 or less
--- Errors: a number, or one in a list, that is not.
function demand.positive(config, ...)
  local free, names = { seed = true, seeds = true }, {}
  for _, name in ipairs { ... } do free[name] = true end
  for name in pairs(config) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = config[name]
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      if not free[name] and type(one) == "number" then check_number(name, one) end
    end
  end
end

--- Names of initialisers must exist.
---@param config table<string, any>
---@param name string the option: a name, or a list of names
---@param known? table<string, any> names that the experiment gives a meaning itself
--- Errors: a name that does not.
function demand.initialisers(config, name, known)
  local value = config[name]
  for _, rule in ipairs(type(value) == "table" and value or { value }) do
    if not (known and known[rule]) then
      local ok, message = pcall(require("unroll").rnn.lm, { vocab = 2, hidden = 2, init = rule })
      if not ok then
        error(("option '%s': %s"):format(name, (message:gsub("^.-rnn%.lm: ", ""))), 0)
      end
    end
  end
end

--- Windows of a text must leave it some room.
---@param name string the option that is too large
---@param needed integer characters
---@param corpora string[] names or paths
--- Errors: a text that is too short.
function demand.text(name, needed, corpora)
  for _, corpus in ipairs(corpora) do
    local length = assert(require("unroll").text.corpus(corpus)).length
    if length < needed then
      error(("option '%s': %d characters are needed, the text '%s' has %d"):format(name, needed,
        corpus, length), 0)
    end
  end
end

return demand
