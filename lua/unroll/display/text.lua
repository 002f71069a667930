--- text: strings as a terminal shows them: quoted, cut, measured.
--
-- Widths are columns of the terminal: a character takes one, an East Asian wide one or an
-- emoji two, a combining mark none. Escapes of colours take none.

local text = {}

-- Ranges of code points that take no column, and two.
local no_width = { { 0x300, 0x36F }, { 0x200B, 0x200F }, { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F } }
local double_width = { { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0xA4CF },
  { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 },
  { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF }, { 0x20000, 0x3FFFD } }

local function is_among(code, ranges)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

local function width_of(code)
  if code < 0x300 then return 1 end
  return is_among(code, no_width) and 0 or is_among(code, double_width) and 2 or 1
end

--- The columns that a line takes.
---@param line string
---@return integer
function text.width(line)
  local plain = line:gsub("\27%[[%d;]*m", "")
  if not plain:find "[\128-\255]" then return #plain end
  if not utf8.len(plain) then return #plain end
  local width = 0
  for _, code in utf8.codes(plain) do width = width + width_of(code) end
  return width
end

--- The text, or as much of it as `width` columns hold, with "…" at the end.
---@param line string without escapes
---@param width integer
---@return string
function text.cut(line, width)
  if text.width(line) <= width then return line end
  local used = 1
  for place, code in utf8.codes(line, true) do
    used = used + width_of(code)
    if used > width then return line:sub(1, place - 1) .. "…" end
  end
  return line
end

local names = { [7] = "\\a", [8] = "\\b", [9] = "\\t", [10] = "\\n", [11] = "\\v", [12] = "\\f",
  [13] = "\\r", [34] = "\\\"", [92] = "\\\\" }

-- Characters that would move the cursor, turn the direction or cannot be seen.
local function is_hidden(code)
  return code < 32 or (code >= 127 and code < 160) or (code >= 0x200B and code <= 0x200F)
    or (code >= 0x2028 and code <= 0x202E) or (code >= 0x2060 and code <= 0x206F)
    or code == 0xFEFF
end

local function escaped(code, following)
  if names[code] then return names[code] end
  if not is_hidden(code) then return utf8.char(code) end
  if code > 127 then return ("\\u{%X}"):format(code) end
  return (following:find "^%d" and "\\%03d" or "\\%d"):format(code)
end

-- The character at `place`: its text in a Lua literal, and where the next one starts.
local function literal_at(s, place)
  local stop = utf8.len(s, place, place) and utf8.offset(s, 2, place)
  if not stop then return ("\\x%02X"):format(s:byte(place)), place + 1 end
  return escaped(utf8.codepoint(s, place), s:sub(stop, stop)), stop
end

--- A string in Lua syntax; a long one is cut, and its length stated.
---@param s string
---@param limit integer characters that are shown at most
---@return string
function text.quote(s, limit)
  local out, place, count = {}, 1, 0
  while place <= #s and count < limit do
    out[#out + 1], place = literal_at(s, place)
    count = count + 1
  end
  local shown = table.concat(out)
  if place > #s then return '"' .. shown .. '"' end
  return ('"%s…" (%s bytes)'):format(shown, text.thousands(#s))
end

--- An integer with commas: 33,217.
---@param n integer
---@return string
function text.thousands(n)
  local digits = ("%d"):format(n)
  local sign, rest = digits:match "^(%-?)(%d+)$"
  local groups = rest:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
  return sign .. groups
end

--- "1 step", "2,000 steps".
---@param n integer
---@param word string
---@return string
function text.count(n, word)
  return ("%s %s%s"):format(text.thousands(n), word, n == 1 and "" or "s")
end

--- The first line of a text.
---@param s string
---@return string
function text.first_line(s)
  return s:match "^[^\r\n]*"
end

--- Pieces side by side, with three spaces between them, on as many lines as they need.
---@param pieces string[]
---@param width integer columns of a line
---@param indent integer columns before every line but the first
---@return string
function text.join(pieces, width, indent)
  local lines, line = {}, pieces[1]
  for i = 2, #pieces do
    if text.width(line) + 3 + text.width(pieces[i]) <= width then
      line = line .. "   " .. pieces[i]
    else
      lines[#lines + 1], line = line, (" "):rep(indent) .. pieces[i]
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

--- A line of pieces that three spaces part, broken between them where it is too long.
---@param line string
---@param width integer
---@return string
function text.fold(line, width)
  if line:find "\n" or text.width(line) <= width then return line end
  local pieces = {}
  for piece in (line .. "   "):gmatch "(.-)   +" do pieces[#pieces + 1] = piece end
  return text.join(pieces, width, 2)
end

return text
