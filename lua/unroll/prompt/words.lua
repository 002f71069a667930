--- words: splits a command line as a shell does.
--
-- Words end at blanks. Within "..." and '...' blanks count as letters; \ takes the next
-- character as it is, outside of quotes and within "...". Nothing is expanded but ~/ at the
-- beginning of a word.

local words = {}

local function home(word)
  local base = os.getenv "HOME"
  return base and word:sub(1, 2) == "~/" and base .. word:sub(2) or word
end

-- The content of the quotes at i, and what is after them.
local function quoted(line, i)
  local quote, parts, at = line:sub(i, i), {}, i + 1
  while at <= #line do
    local c = line:sub(at, at)
    if c == quote then return table.concat(parts), at + 1 end
    if c == "\\" and quote == '"' and at < #line then
      at, c = at + 1, line:sub(at + 1, at + 1)
    end
    parts[#parts + 1] = c
    at = at + 1
  end
  return nil
end

-- The word at i and the position after it; nil when a quote is open.
local function word_at(line, i)
  local parts = {}
  while i <= #line and not line:find("^%s", i) do
    local c = line:sub(i, i)
    if c == '"' or c == "'" then
      parts[#parts + 1], i = quoted(line, i)
      if not i then return nil end
    elseif c == "\\" and i < #line then
      parts[#parts + 1], i = line:sub(i + 1, i + 1), i + 2
    else
      parts[#parts + 1], i = c, i + 1
    end
  end
  return table.concat(parts), i
end

--- The words of a line.
---@param line string
---@return string[]? words nil when a quote is not closed
---@return string? message
function words.split(line)
  local found, i = {}, line:match "^%s*()"
  while i <= #line do
    local is_plain = line:sub(i, i) == "~"
    local word, after = word_at(line, i)
    if not word then return nil, "a quote is not closed: " .. line:sub(i) end
    found[#found + 1] = is_plain and home(word) or word
    i = line:match("^%s*()", after)
  end
  return found
end

return words
