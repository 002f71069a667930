--- locals: what `local` means at the prompt: a variable that lives until the session ends.
--
-- `local` at depth 0 of an entry becomes an assignment to a global variable:
--   local x, y = f()       x, y = f()
--   local x                x = nil
--   local function f()     function f()
-- Inside functions and blocks, and so in a function that is pasted, nothing changes. A
-- variable that must be closed (<close>) stays local to its entry; <const> is dropped. `_`
-- stays local, since it is a name for what is not wanted, and `_` at the prompt is the last
-- result; of a name given twice only the last gets a value, as in Lua. Lines keep their numbers.

local lexer = require "unroll.prompt.lexer"

local locals = {}

-- The names of the statement whose `local` is tokens[i]: a list of {token, attribute}, and
-- the index of the token after them. Nil when it is not written as it should be.
local function names_after(tokens, i)
  local names, at = {}, i + 1
  while tokens[at] and tokens[at].kind == "name" do
    local name = { token = tokens[at] }
    if tokens[at + 1] and tokens[at + 1].text == "<" then
      if not (tokens[at + 3] and tokens[at + 3].text == ">") then return nil end
      name.attribute, name.first, name.last =
        tokens[at + 2].text, tokens[at + 1].first, tokens[at + 3].last
      at = at + 3
    end
    names[#names + 1] = name
    if not (tokens[at + 1] and tokens[at + 1].text == ",") then return names, at + 1 end
    at = at + 2
  end
end

-- Whether the statement must stay as it is; the names are then known as local.
local function stays(names, kept)
  local stay = false
  for _, name in ipairs(names) do
    stay = stay or name.attribute == "close" or kept[name.token.text]
  end
  if stay then
    for _, name in ipairs(names) do kept[name.token.text] = true end
  end
  return stay
end

local Edits = {}
Edits.__index = Edits

function Edits:replace(first, last, text)
  self[#self + 1] = { first = first, last = last, text = text }
end

function Edits:apply(code)
  local parts, at = {}, 1
  for _, edit in ipairs(self) do
    parts[#parts + 1] = code:sub(at, edit.first - 1)
    parts[#parts + 1] = edit.text
    at = edit.last + 1
  end
  parts[#parts + 1] = code:sub(at)
  return table.concat(parts)
end

-- Names that get no global variable: `_` and all but the last of those given twice.
local function unwanted(names)
  local last, found = {}, {}
  for i, name in ipairs(names) do last[name.token.text] = i end
  for i, name in ipairs(names) do
    found[i] = name.token.text == "_" or last[name.token.text] ~= i
  end
  return found
end

-- The edits for one statement.
local function assign(edits, keyword, names, follower, notes)
  local drop, any = unwanted(names), false
  for i = 1, #names do any = any or drop[i] end
  edits:replace(keyword.first, keyword.last, any and "local _;" or "")
  for i, name in ipairs(names) do
    if drop[i] then edits:replace(name.token.first, name.token.last, "_") end
    if name.attribute then
      edits:replace(name.first, name.last, "")
      notes[#notes + 1] = ("%s is not <%s> at the prompt"):format(name.token.text, name.attribute)
    end
  end
  if not (follower and follower.text == "=") then
    local name = names[#names]
    local at = name.last or name.token.last
    edits:replace(at + 1, at, " = nil")
  end
end

-- Handles the `local` at tokens[i].
local function statement(edits, tokens, i, kept, notes)
  local after = tokens[i + 1]
  if after and after.text == "function" then
    local name = tokens[i + 2]
    if name and not kept[name.text] then edits:replace(tokens[i].first, tokens[i].last, "") end
    return
  end
  local names, next_token = names_after(tokens, i)
  if not names or stays(names, kept) then return end
  assign(edits, tokens[i], names, tokens[next_token], notes)
end

--- The entry with its outer locals made global.
---@param code string complete and right
---@return string code with the same lines
---@return string[] notes to be shown
function locals.rewrite(code)
  if not code:find("local", 1, true) then return code, {} end
  local tokens, edits, notes, kept, depth = lexer.code(code), setmetatable({}, Edits), {}, {}, 0
  for i, token in ipairs(tokens) do
    if token.text == "local" and token.kind == "keyword" and depth == 0 then
      statement(edits, tokens, i, kept, notes)
    end
    depth = depth + lexer.nesting_change(token)
  end
  return edits:apply(code), notes
end

return locals
