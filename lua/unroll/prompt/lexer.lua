--- lexer: the tokens of Lua code, also of code that is not finished or wrong.
--
-- A token is {kind, text, first, last, line}: kind is "name", "keyword", "number", "string",
-- "comment", "symbol" or "other" (a character that Lua does not know); first and last are
-- positions of bytes. A string or comment that does not end has open = true.

local lexer = {}

lexer.keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or
  repeat return then true until while]]):gmatch "%a+" do lexer.keywords[word] = true end

-- Longest first.
local symbols = { "...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", ".." }

-- The end of [[ ]], [=[ ]=], ... that begins at i; nil when none does; #code when it is open.
local function long_bracket(code, i)
  local level = code:match("^%[(=*)%[", i)
  if not level then return nil end
  local _, last = code:find("]" .. level .. "]", i + #level + 2, true)
  return last or #code, last == nil
end

local function comment(code, i)
  local last, open = long_bracket(code, i + 2)
  if last then return last, open end
  return (code:find("\n", i, true) or #code + 1) - 1, false
end

-- The end of a string in quotes: at the quote, or before the line's end.
local function quoted(code, i)
  local quote, at = code:sub(i, i), i + 1
  while at <= #code do
    local c = code:sub(at, at)
    if c == quote then return at, false end
    if c == "\n" then return at - 1, true end
    if c == "\\" then
      at = code:match("^\\z%s*()", at) or at + 2
    else
      at = at + 1
    end
  end
  return #code, true
end

local function number(code, i)
  local last = code:match("^0[xX][%x.]*()", i)
  if last then return (code:match("^[pP][+-]?%d*()", last) or last) - 1 end
  last = code:match("^[%d.]+()", i)
  return (code:match("^[eE][+-]?%d*()", last) or last) - 1
end

local function symbol(code, i)
  for _, s in ipairs(symbols) do
    if code:sub(i, i + #s - 1) == s then return s end
  end
  return code:match("^[%+%-%*/%%%^#&~|<>=%(%){}%[%];:,%.]", i)
end

-- Kind, last position and whether it is open, of the token at i.
local function scan(code, i)
  local c = code:sub(i, i)
  if c:find "[%a_]" then
    local last = code:match("^[%w_]+()", i) - 1
    return lexer.keywords[code:sub(i, last)] and "keyword" or "name", last
  elseif c == "-" and code:sub(i + 1, i + 1) == "-" then
    return "comment", comment(code, i)
  elseif c == '"' or c == "'" then
    return "string", quoted(code, i)
  elseif code:find("^%.?%d", i) then
    return "number", number(code, i)
  end
  local last, open = long_bracket(code, i)
  if last then return "string", last, open end
  local s = symbol(code, i)
  if s then return "symbol", i + #s - 1 end
  return "other", i
end

--- The tokens of a piece of code, comments too.
---@param code string
---@return table[] tokens
function lexer.tokens(code)
  local tokens, i, line = {}, 1, 1
  while true do
    local skipped, at = code:match("^(%s*)()", i)
    line = line + select(2, skipped:gsub("\n", ""))
    if at > #code then return tokens end
    local kind, last, open = scan(code, at)
    local text = code:sub(at, last)
    tokens[#tokens + 1] = { kind = kind, text = text, first = at, last = last, line = line,
      open = open or nil }
    line = line + select(2, text:gsub("\n", ""))
    i = last + 1
  end
end

--- The tokens without comments.
function lexer.code(code)
  local found = {}
  for _, token in ipairs(lexer.tokens(code)) do
    if token.kind ~= "comment" then found[#found + 1] = token end
  end
  return found
end

local nesting = {
  keyword = { ["function"] = 1, ["do"] = 1, ["if"] = 1, ["repeat"] = 1, ["end"] = -1,
    ["until"] = -1 },
  symbol = { ["("] = 1, ["{"] = 1, ["["] = 1, [")"] = -1, ["}"] = -1, ["]"] = -1 } }

--- How much deeper in blocks and brackets the code is after this token: 1, 0 or -1.
function lexer.nesting_change(token)
  local changes = nesting[token.kind]
  return changes and changes[token.text] or 0
end

return lexer
