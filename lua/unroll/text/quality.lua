--- Measures of generated text: what "sample quality" means in numbers.
--
-- Matching character shares alone prove little: an order-0 sampler matches them, and so
-- does a verbatim copy. So the shares come with bigrams, words, and the longest run that
-- was copied from the training text.

local quality = {}

local function check_text(value, argument, who)
  if type(value) ~= "string" then
    error(("%s: %s must be a string, got %s"):format(who, argument, type(value)), 3)
  end
end

--- Shares of the n-grams of a text: how often each occurs, as a part of one.
---@param text string UTF-8
---@param n? integer length of the runs that are counted; default 1, characters
---@return table<string, number> shares sum to 1; empty when the text is shorter than n
--- Errors: text that is no string, or not UTF-8.
--- > text.quality.shares("abab", 2).ab   --> 0.66667
---@see text.quality.distance Corpus:shares
function quality.shares(text, n)
  check_text(text, "text", "shares")
  if not utf8.len(text) then error("shares: the text is not valid UTF-8", 2) end
  n = n or 1
  local characters, counts, total = {}, {}, 0
  for _, code in utf8.codes(text) do characters[#characters + 1] = utf8.char(code) end
  for i = n, #characters do
    local gram = table.concat(characters, "", i - n + 1, i)
    counts[gram] = (counts[gram] or 0) + 1
    total = total + 1
  end
  for gram, count in pairs(counts) do counts[gram] = count / total end
  return counts
end

--- Total variation distance of two distributions: half the sum of |p - q|, 0 to 1.
---@param p table<string, number>
---@param q table<string, number>
---@return number
--- > text.quality.distance(text.quality.shares "ab", text.quality.shares "aa")   --> 0.5
---@see text.quality.shares
function quality.distance(p, q)
  local keys = {}
  for key in pairs(p) do keys[#keys + 1] = key end
  for key in pairs(q) do if p[key] == nil then keys[#keys + 1] = key end end
  table.sort(keys) -- a fixed order of summation: the same bits every time
  local sum = 0
  for _, key in ipairs(keys) do sum = sum + math.abs((p[key] or 0) - (q[key] or 0)) end
  return sum / 2
end

--- The longest run of bytes in `sample` that stands word for word in `text`.
---@param sample string
---@param text string
---@return integer length in bytes
---@return integer position where in the sample it starts; 1 when nothing matches
--- Errors: arguments that are no strings.
--- > text.quality.longest_copy("xxthe cat", "the cat sat")   --> 7, 3
function quality.longest_copy(sample, text)
  check_text(sample, "sample", "longest_copy")
  check_text(text, "text", "longest_copy")
  local best, start, i = 0, 1, 1
  while i + best <= #sample do
    if text:find(sample:sub(i, i + best), 1, true) then
      best, start = best + 1, i
    else
      i = i + 1
    end
  end
  return best, start
end

--- Share of the characters of `sample` that follow their predecessor as they do in `text`,
--- for a text in which each character has one successor (ten cycling digits).
---@param sample string at least two characters
---@param text string
---@return number share 0 to 1
--- Errors: arguments that are no strings.
--- > text.quality.followers("0124", "0123456789")   --> 0.66667
function quality.followers(sample, text)
  check_text(sample, "sample", "followers")
  check_text(text, "text", "followers")
  local follows = {}
  for i = 1, #text - 1 do follows[text:sub(i, i)] = text:sub(i + 1, i + 1) end
  local right = 0
  for i = 1, #sample - 1 do
    if follows[sample:sub(i, i)] == sample:sub(i + 1, i + 1) then right = right + 1 end
  end
  return right / math.max(1, #sample - 1)
end

local function words_of(text)
  local words = {}
  for word in text:lower():gmatch "%a[%a']*" do words[#words + 1] = word end
  return words
end

--- Share of the words of `sample` that occur in `text`, letter case ignored. The first and
--- the last word may be cut and do not count.
---@param sample string
---@param text string
---@return number share 0 to 1; 0 when the sample has no whole word
--- Errors: arguments that are no strings.
--- > text.quality.known_words("s a cat sats the wi", "The cat sat by the window")   --> 0.5
function quality.known_words(sample, text)
  check_text(sample, "sample", "known_words")
  check_text(text, "text", "known_words")
  local known, right = {}, 0
  for _, word in ipairs(words_of(text)) do known[word] = true end
  local words = words_of(sample)
  for i = 2, #words - 1 do if known[words[i]] then right = right + 1 end end
  return right / math.max(1, #words - 2)
end

-- Where the token that starts at `i` ends, or nil when no Lua token starts there.
local function token_end(line, i)
  local long = line:match("^%-%-%[(=*)%[", i) or line:match("^%[(=*)%[", i)
  if long then return select(2, line:find("]" .. long .. "]", i, true)) end
  if line:find("^%-%-", i) then return #line end
  local quote = line:match("^[\"']", i)
  if quote then
    local j = i + 1
    while j <= #line and line:sub(j, j) ~= quote do
      j = j + (line:sub(j, j) == "\\" and 2 or 1)
    end
    return j <= #line and j or nil
  end
  local number = line:match("^0[xX][%x%.]+[pP][%+%-]%w*", i)
    or line:match("^%.?%d[%d%.]*[eE][%+%-]%w*", i) or line:match("^%.?%d[%w_%.]*", i)
  if number then return tonumber(number) and i + #number - 1 or nil end
  return select(2, line:find("^[%a_][%w_]*", i))
    or select(2, line:find("^[%+%-%*/%%%^#&~|<>=%(%){}%[%];:,%.]", i))
end

--- Whether a line is a sequence of Lua tokens: names, numbers, closed strings, operators,
--- comments. It says nothing of grammar.
---@param line string
---@return boolean
--- > text.quality.tokenises "local x = 'a'"    --> true
--- > text.quality.tokenises "local x = 'a"     --> false
---@see text.quality.lua_lines
function quality.tokenises(line)
  check_text(line, "line", "tokenises")
  local i = line:find "%S"
  while i do
    local last = token_end(line, i)
    if not last then return false end
    i = line:find("%S", last + 1)
  end
  return true
end

--- Share of the lines of `sample` that tokenise as Lua. Blank lines do not count, nor the
--- first and the last line, which may be cut.
---@param sample string
---@return number share 0 to 1
--- > text.quality.lua_lines "x\nlocal a = 1\n'open\ny"   --> 0.5
---@see text.quality.tokenises
function quality.lua_lines(sample)
  check_text(sample, "sample", "lua_lines")
  local whole = sample:match "\n(.*)\n" or ""
  local lines, right = 0, 0
  for line in whole:gmatch "[^\n]+" do
    if line:find "%S" then
      lines = lines + 1
      if quality.tokenises(line) then right = right + 1 end
    end
  end
  return right / math.max(1, lines)
end

return quality
