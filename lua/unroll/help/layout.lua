--- layout: words on lines: wrapping, columns and colours for the pages of help.
--
-- Lengths are counted in characters of the terminal, without the escapes of colours.

local layout = {}

local codes = { name = "1", code = "36", dim = "2", heading = "1" }

--- A text in one of the styles "name", "code", "dim" or "heading".
---@param text string
---@param style string
---@param colour boolean false: the text as it is
---@return string
function layout.styled(text, style, colour)
  if not colour or text == "" then return text end
  return ("\27[%sm%s\27[0m"):format(codes[style], text)
end

--- Appends lines to lines.
---@param lines string[]
---@param more string[]
function layout.put(lines, more) table.move(more, 1, #more, #lines + 1, lines) end

--- The number of columns that a text takes.
---@param text string
---@return integer
function layout.length(text)
  local plain = text:gsub("\27%[[%d;]*m", "")
  return utf8.len(plain) or #plain
end

-- The parts of a word that is longer than a line.
local function broken(word, width)
  if layout.length(word) <= width or word:find "\27" then return { word } end
  local parts = {}
  while layout.length(word) > width do
    local cut = utf8.offset(word, width + 1)
    parts[#parts + 1], word = word:sub(1, cut - 1), word:sub(cut)
  end
  parts[#parts + 1] = word
  return parts
end

--- Lines of at most `width` columns: the first starts with `first`, the others with `rest`.
---@param text string
---@param width integer
---@param first string
---@param rest string
---@return string[]
function layout.wrap(text, width, first, rest)
  local lines, line, empty = {}, first, true
  for word in text:gmatch "%S+" do
    for _, part in ipairs(broken(word, math.max(8, width - layout.length(rest)))) do
      if not empty and layout.length(line) + 1 + layout.length(part) > width then
        lines[#lines + 1] = line
        line, empty = rest, true
      end
      line = line .. (empty and "" or " ") .. part
      empty = false
    end
  end
  lines[#lines + 1] = line
  return lines
end

--- A line of code or of a table in pieces of at most `width` columns, cut at spaces, the others
--- of which stay as they are.
---@param line string
---@param width integer
---@param rest string before all pieces but the first
---@return string[] lines
function layout.fold(line, width, rest)
  local lines = {}
  while layout.length(line) > width do
    local last = utf8.offset(line, width + 1) - 1
    local cut = line:sub(1, last + 1):match "^.*%S()%s" or last + 1
    if cut <= #rest + 1 then cut = last + 1 end -- one long word
    lines[#lines + 1] = line:sub(1, cut - 1)
    line = rest .. line:sub(cut):match "^%s*(.*)$"
  end
  lines[#lines + 1] = line
  return lines
end

local function padded(text, width)
  return text .. (" "):rep(math.max(0, width - layout.length(text)))
end

--- A text cut at a number of columns.
---@param text string
---@param width integer
---@return string
function layout.cut(text, width)
  if layout.length(text) <= width then return text end
  return text:sub(1, utf8.offset(text, math.max(1, width)) - 1) .. "…"
end

--- Two columns on one line each, the texts cut where the page ends; where it is narrow, names
--- and texts take turns.
---@param rows table[] { name, text }
---@param width integer
---@param indent string
---@param colour boolean
---@return string[] lines
function layout.list(rows, width, indent, colour)
  local widest, lines = 0, {}
  for _, row in ipairs(rows) do widest = math.max(widest, layout.length(row[1])) end
  widest = math.min(widest, (width - #indent) // 2)
  for _, row in ipairs(rows) do
    local name = layout.styled(layout.cut(row[1], width - #indent), "name", colour)
    if width < 50 then
      lines[#lines + 1] = indent .. name
      lines[#lines + 1] = indent .. "  " .. layout.cut(row[2], width - #indent - 2)
    else
      local shown = layout.styled(layout.cut(row[1], widest), "name", colour)
      local first = indent .. padded(shown, widest) .. "  "
      lines[#lines + 1] = first .. layout.cut(row[2], width - layout.length(first))
    end
  end
  return lines
end

--- The columns that names need: those that take more than two fifths of the page do not count.
---@param rows table[] { name, ... }
---@param width integer
---@return integer
function layout.widest(rows, width)
  local widest, most = 0, math.max(6, width * 2 // 5)
  for _, row in ipairs(rows) do
    local n = layout.length(row[1])
    if n <= most then widest = math.max(widest, n) end
  end
  return widest
end

--- Two columns: names and texts. Names that are too long for the first column, or all of them
--- where the page is narrow, stand on a line of their own.
---@param rows table[] { name, text, style = } style is that of the name
---@param width integer
---@param indent string
---@param colour boolean
---@param least? integer columns of the names at least, to stand below others
---@return string[] lines
function layout.columns(rows, width, indent, colour, least)
  local widest = math.max(least or 0, layout.widest(rows, width - #indent))
  local lines, hanging = {}, indent .. (" "):rep(widest + 2)
  if width < 50 then hanging = indent .. "  " end
  for _, row in ipairs(rows) do
    local name = layout.styled(row[1], row.style or "name", colour)
    local first = hanging
    if row[2] ~= "" and layout.length(row[1]) <= widest and width >= 50 then
      first = indent .. padded(name, widest) .. "  "
    else
      layout.put(lines, layout.wrap(name, width, indent, indent .. "  "))
    end
    if row[2] ~= "" then layout.put(lines, layout.wrap(row[2], width, first, hanging)) end
  end
  return lines
end

return layout
