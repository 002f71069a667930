--- complete: what Tab offers.
--
--   ten|          variables and keywords            tensor.ma|   members of a value
--   t:su|         what can be called                "data/te|    files, in a string
--   require "a|   modules                           rnn.lm{ce|   options of a function
--   f(|           the signature of f                %ti|         commands
-- and two spaces on an empty line. Nothing is run to find out (see lookup).

local core = require "unroll.core"
local lexer = require "unroll.prompt.lexer"
local lookup = require "unroll.prompt.lookup"

local complete = {}

-- All that cannot be in a name.
local breaks = " \t\n\"\\'`@$><=;|&{(,)+-*/%^~#[].:?!}"

-- --- lists of names ----------------------------------------------------------------------

-- The names that begin with a prefix, without those that begin with "_" unless asked for.
local function matching(set, prefix, is_wanted)
  local names = {}
  for name, value in next, set do
    if type(name) == "string" and name:sub(1, #prefix) == prefix and name:find "^[%a_][%w_]*$"
        and (prefix ~= "" or name:sub(1, 1) ~= "_") and (not is_wanted or is_wanted(value)) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

local function answer(names, append)
  return { names = names, breaks = breaks, append = append }
end

local none = { names = {}, breaks = breaks }

-- --- values of expressions ---------------------------------------------------------------

-- The names that the code itself makes local: their values are not known yet.
local function local_names(tokens)
  local found, in_list = {}, false
  for i, token in ipairs(tokens) do
    if token.kind == "keyword" then
      in_list = token.text == "local" or token.text == "for" or token.text == "function"
    elseif token.text == "=" or token.text == ")" then
      in_list = false
    elseif in_list and token.kind == "name" and tokens[i - 1].text ~= "." then
      found[token.text] = true
    end
  end
  return found
end

local value_at

-- The value of ...[key] that ends with the "]" at i.
local function indexed(tokens, i, environment)
  local key, open = tokens[i - 1], tokens[i - 2]
  if not (key and open and open.text == "[") then return nil end
  if key.kind == "number" then
    key = tonumber(key.text)
  elseif key.kind == "string" then
    key = key.text:match "^[\"'](.*)[\"']$"
  else
    return nil
  end
  return lookup.element(value_at(tokens, i - 3, environment), key)
end

--- The value of the expression that ends with token i: names, fields and constant indices.
--- Nil when it cannot be known.
function value_at(tokens, i, environment)
  local token, before = tokens[i], tokens[i - 1]
  if not token then return nil end
  if token.text == "]" then return indexed(tokens, i, environment) end
  if token.kind ~= "name" then return nil end
  if before and before.text == "." then
    return lookup.member(value_at(tokens, i - 2, environment), token.text)
  elseif before and before.text == ":" then
    return lookup.member(value_at(tokens, i - 2, environment), token.text)
  end
  if local_names(tokens)[token.text] then return nil end
  return lookup.variable(environment, token.text)
end

-- --- files, modules, keys ------------------------------------------------------------------

-- Splits a path in the folder, with its slash, and the beginning of a name.
local function split(path) return path:match "^(.*/)" or "", path:match "[^/]*$" end

local function files(path, quote)
  local folder, prefix = split(path)
  local found = core.sys.list(folder == "" and "." or folder) or {}
  local names = {}
  for _, name in ipairs(found) do
    if name:sub(1, #prefix) == prefix and (prefix ~= "" or name:sub(1, 1) ~= ".") then
      names[#names + 1] = folder .. name
    end
  end
  table.sort(names)
  return { names = names, files = true, append = quote, breaks = quote }
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- Modules in files, below the folders of package.path.
local function add_files(found, parents, parent_path)
  for folder in package.path:gmatch "([^;?]*)%?%.lua" do
    for _, name in ipairs(core.sys.list((folder == "" and "./" or folder) .. parent_path) or {}) do
      local stem = name:match "^([%w_-]+)%.lua$"
      if stem and stem ~= "init" then
        found[parents .. stem] = true
      elseif name:find "^[%w_-]+$" and exists(folder .. parent_path .. name .. "/init.lua") then
        found[parents .. name] = true
      end
    end
  end
end

local function add_embedded(found)
  local ok, embedded = pcall(require, "unroll.embedded")
  for _, path in ipairs(ok and embedded.names() or {}) do
    local name = path:match "^(.*)%.lua$"
    if name then found[name:gsub("/init$", ""):gsub("/", ".")] = true end
  end
end

local function modules(prefix, quote)
  local found = {}
  for _, list in ipairs { package.preload, package.loaded } do
    for name in next, list do found[name] = true end
  end
  add_embedded(found)
  local parents = prefix:match "^(.*%.)" or ""
  add_files(found, parents, (parents:gsub("%.", "/")))
  local names = {}
  for name in next, found do
    if type(name) == "string" and name:sub(1, #prefix) == prefix then names[#names + 1] = name end
  end
  table.sort(names)
  return { names = names, append = quote, breaks = quote }
end

-- t["ke: the keys of t.
local function keys(value, prefix, quote)
  local names = {}
  for name in next, lookup.members(value) do
    if name:sub(1, #prefix) == prefix then names[#names + 1] = name end
  end
  table.sort(names)
  return { names = names, append = quote, breaks = quote }
end

-- --- calls -------------------------------------------------------------------------------

local closing = { [")"] = "(", ["}"] = "{", ["]"] = "[" }
local opening = { ["("] = true, ["{"] = true, ["["] = true }

-- The index of the innermost bracket that is open before token i.
local function open_bracket(tokens, i)
  local depth = 0
  while i >= 1 do
    local text = tokens[i].kind == "symbol" and tokens[i].text
    if closing[text] then
      depth = depth + 1
    elseif opening[text] then
      if depth == 0 then return i end
      depth = depth - 1
    end
    i = i - 1
  end
end

-- The function whose call the bracket at i belongs to, when it is known.
local function called(tokens, i, environment)
  if tokens[i].text == "{" then
    local before = tokens[i - 1]
    if before and (before.text == "(" or before.text == ",") then
      local parenthesis = open_bracket(tokens, i - 1)
      if not parenthesis or tokens[parenthesis].text ~= "(" then return nil end
      i = parenthesis
    end
  end
  local value = value_at(tokens, i - 1, environment)
  return lookup.is_callable(value) and value or nil
end

local function parameters_of(f)
  local names, info = {}, debug.getinfo(f, "u")
  for i = 1, info.nparams do names[i] = debug.getlocal(f, i) end
  if info.isvararg then names[#names + 1] = "..." end
  return table.concat(names, ", ")
end

-- One line that says how a function is called; nil when nobody knows.
local function signature(f, name)
  local ok, text = pcall(function() return require("unroll.help").signature(f) end)
  if ok and text then return text end
  if type(f) ~= "function" or debug.getinfo(f, "S").what == "C" then return nil end
  return ("%s(%s)"):format(name, parameters_of(f))
end

-- The names that have a value already.
local function used_keys(tokens, from)
  local used = {}
  for i = from, #tokens do
    local before = tokens[i - 1]
    if tokens[i].text == "=" and before.kind == "name" then used[before.text] = true end
  end
  return used
end

-- The options that the table at a bracket can hold, when it is handed to a function.
local function options_of(tokens, bracket, environment)
  local f = called(tokens, bracket, environment)
  if not f then return {} end
  local ok, list = pcall(function() return require("unroll.help").options(f) end)
  return ok and list or {}
end

local function option_names(tokens, bracket, prefix, environment)
  local used, set = used_keys(tokens, bracket + 1), {}
  for _, option in ipairs(options_of(tokens, bracket, environment)) do
    if not used[option.name] then set[option.name] = true end
  end
  return matching(set, prefix)
end

-- Inside a call: its options or its signature; nil when there is nothing to say.
local function in_call(tokens, prefix, environment)
  local bracket = open_bracket(tokens, #tokens)
  if not bracket then return nil end
  local last = tokens[#tokens].text
  if tokens[bracket].text == "{" and (last == "{" or last == "," or last == ";") then
    local names = option_names(tokens, bracket, prefix, environment)
    return names[1] and answer(names, "=") or nil
  elseif tokens[bracket].text == "(" and prefix == "" and (last == "(" or last == ",") then
    local f = called(tokens, bracket, environment)
    local text = f and signature(f, tokens[bracket - 1].text)
    return text and { names = {}, breaks = breaks, message = text } or nil
  end
end

-- --- strings, with what may be in them ---------------------------------------------------

-- The strings that a type names; nil when there are none with this prefix.
local function quoted(type, prefix, quote)
  local names = {}
  for choice in (type or ""):gmatch '"([^"]+)"' do
    if choice:sub(1, #prefix) == prefix then names[#names + 1] = choice end
  end
  return names[1] and { names = names, append = quote, breaks = quote } or nil
end

-- The strings that a first argument may be: rnn.cell("ls. Nil when that is not known.
local function first_argument(tokens, prefix, quote, environment)
  local bracket = #tokens - 1
  local f = bracket > 1 and tokens[bracket].text == "(" and called(tokens, bracket, environment)
  if not f then return nil end
  local ok, type = pcall(function() return require("unroll.help").first_type(f) end)
  return ok and quoted(type, prefix, quote) or nil
end

-- The strings that an option may be: head = "so. Nil when the place is no option.
local function choices(tokens, prefix, quote, environment)
  local name, equals = tokens[#tokens - 2], tokens[#tokens - 1]
  if not (equals and equals.text == "=" and name and name.kind == "name") then return nil end
  local bracket = open_bracket(tokens, #tokens)
  if not bracket or tokens[bracket].text ~= "{" then return nil end
  for _, option in ipairs(options_of(tokens, bracket, environment)) do
    if option.name == name.text then return quoted(option.type, prefix, quote) end
  end
end

local function in_string(tokens, environment)
  local n = #tokens
  local quote, content = tokens[n].text:match "^([\"'%[])(.*)$"
  local before = tokens[n - 1]
  if before and before.text == "(" then before, n = tokens[n - 2], n - 1 end
  if before and before.text == "require" then return modules(content, quote) end
  if before and before.text == "[" then
    local value = value_at(tokens, n - 2, environment)
    if type(value) == "table" then return keys(value, content, quote) end
  end
  return choices(tokens, content, quote, environment)
    or first_argument(tokens, content, quote, environment) or files(content, quote)
end

-- --- code --------------------------------------------------------------------------------

local function members(tokens, prefix, environment)
  local is_method = tokens[#tokens].text == ":"
  local value = value_at(tokens, #tokens - 1, environment)
  local before = tokens[#tokens - 1]
  if before and before.text == ")" then before = tokens[#tokens - 2] end
  if is_method and before and before.kind == "string" then value = "" end
  if value == nil then return none end
  return answer(matching(lookup.members(value), prefix, is_method and function(member)
    return member == true or lookup.is_callable(member)
  end or nil))
end

local function variables(tokens, prefix, environment)
  local set = lookup.variables(environment)
  for name in pairs(local_names(tokens)) do set[name] = true end
  for word in pairs(lexer.keywords) do set[word] = true end
  return answer(matching(set, prefix))
end

-- Takes the name that is being typed off the end of the tokens.
local function take_prefix(tokens, code)
  local last = tokens[#tokens]
  if last and (last.kind == "name" or last.kind == "keyword") and last.last == #code then
    tokens[#tokens] = nil
    return last.text
  end
  return ""
end

local function is_inside(token, code)
  return token.open or (token.kind == "comment" and token.text:sub(1, 4) ~= "--[["
    and token.last == #code)
end

local function in_code(code, environment)
  local tokens = lexer.tokens(code)
  local last = tokens[#tokens]
  if last and is_inside(last, code) then
    return last.kind == "string" and in_string(lexer.code(code), environment) or none
  end
  if last and last.kind == "number" and last.last == #code then return none end
  tokens = lexer.code(code)
  local prefix = take_prefix(tokens, code)
  last = tokens[#tokens]
  if last and (last.text == "." or last.text == ":") then
    return members(tokens, prefix, environment)
  end
  return last and in_call(tokens, prefix, environment) or variables(tokens, prefix, environment)
end

-- --- commands ----------------------------------------------------------------------------

local function in_command(text, environment)
  local name, rest = text:match "^%s*%%(%w*)(.*)$"
  local commands = require "unroll.prompt.commands"
  if rest == "" then
    local names = matching(commands.list, name)
    return { names = names, breaks = breaks, append = " " }
  end
  local command = commands.list[name]
  if command and command.takes == "code" then return in_code(rest, environment) end
  local word = rest:match "[^%s\"']*$"
  return files(word, rest:sub(-#word - 1, -#word - 1))
end

--- The value of a name, a field, a method or a constant index, found without effect.
---@param code string "model.layers[1].W_hh"
---@param environment table
---@return any value nil when it cannot be known
function complete.value_of(code, environment)
  local tokens = lexer.code(code)
  return value_at(tokens, #tokens, environment)
end

--- What Tab does.
---@param pending string the lines of the entry before this one
---@param text string what is typed, up to the cursor
---@param environment table the global variables, or those of a frame before them
---@return table { names, breaks, append, files, insert, message }: see src/host/reader.h
function complete.complete(pending, text, environment)
  if text:match "[^\n]*$":find "^%s*$" then return { insert = "  ", breaks = breaks } end
  if pending == "" then
    if text:find "^%s*%%" then return in_command(text, environment) end
    if text:find "^%s*!" then
      local word = text:match "[^%s!\"']*$"
      return files(word, text:sub(-#word - 1, -#word - 1))
    end
    text = text:gsub("^%s*%?+", "")
  end
  return in_code(pending .. text, environment)
end

local steps = {}
for _, name in ipairs { "tensor", "rnn", "optim", "text", "train", "plot" } do
  steps[#steps + 1] = function() return require("unroll." .. name) end
end
steps[#steps + 1] = function() return require("unroll.help").signature(print) end

--- Loads a part of what answers need, so that Tab does not wait for it.
---@return boolean more whether there is another part
function complete.prepare()
  local step = table.remove(steps, 1)
  if step then pcall(step) end
  return #steps > 0
end

return complete
