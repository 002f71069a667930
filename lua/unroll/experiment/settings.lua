--- Settings that have one meaning in every experiment, checked before anything runs: what is
-- misspelt would otherwise fail once in each case.
--
--   cell                one name of a cell, or several  optimizer    name of an update rule
--   corpus, corpora     names or paths of texts         seeds        different integers
--
-- An experiment checks the rest itself: its field `check` gets the settings and raises.

local options = require "unroll.options"

local settings = {}

local function check_cell(name)
  local ok, message = pcall(require("unroll").rnn.cell, name, { input = 1, hidden = 1, seed = 1 })
  return ok, message
end

local long_text <const> = 1e7 -- bytes; to read more would take its time

local function is_long(path)
  local file <close> = io.open(path, "r")
  return file ~= nil and (file:seek "end" or 0) > long_text
end

-- Whether a text can be read, and is longer than the window of the settings.
local function check_corpus(name, config)
  if is_long(name) then return true end
  local read, corpus, message = pcall(require("unroll").text.corpus, name)
  if not read then return nil, corpus end
  if not corpus then return nil, message end
  local window = config.window
  if math.type(window) and corpus.length <= window then
    return nil, ("'%s' has %d characters, a window of %d needs at least %d"):format(name,
      corpus.length, window, window + 1)
  end
  return true
end

local rules = { "sgd", "adagrad", "rmsprop", "adam", "adamw" }

local function check_optimizer(name)
  for _, rule in ipairs(rules) do if name == rule then return true end end
  return nil, ("there is no update rule '%s'.%s"):format(name, options.suggestion(name, rules))
end

local function check_seeds(seeds)
  local seen = {}
  for _, seed in ipairs(seeds) do
    if math.type(seed) ~= "integer" then
      return nil, ("seed %s is no integer"):format(tostring(seed))
    end
    if seen[seed] then return nil, ("seed %d stands there twice"):format(seed) end
    seen[seed] = true
  end
  return true
end

local function each(check)
  return function(list, config)
    for _, item in ipairs(list) do
      local ok, message = check(item, config)
      if not ok then return nil, message end
    end
    return true
  end
end

-- A name, or a list of names.
local function check_cells(cells)
  return (type(cells) == "table" and each(check_cell) or check_cell)(cells)
end

local checks = { cell = check_cells, corpus = check_corpus,
                 corpora = each(check_corpus), optimizer = check_optimizer, seeds = check_seeds }

--- Checks the settings whose names have a known meaning.
---@param config table<string, any>
---@return true? ok
---@return string? message which one is wrong, and how
function settings.check(config)
  for name, check in pairs(checks) do
    if config[name] ~= nil then
      local ok, message = check(config[name], config)
      if not ok then
        local text = tostring(message):gsub("^[^:\n]*%.lua:%d+: ", "")
        return nil, ("option '%s': %s"):format(name, text)
      end
    end
  end
  return true
end

return settings
