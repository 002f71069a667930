--- Tables for the terminal: aligned columns under a rule, numbers to the right.
--
-- A table that is wider than the page is made narrower in three steps: heads break into lines,
-- then the widest column of words, and what is still too wide goes below, with the first column
-- repeated.
local texttable = {}

local gap = 3          -- spaces between columns
local least_words = 12 -- a column of words is not made narrower than this

local function width(text) return utf8.len(text) or #text end

local function is_number(text) return text:find "^[%s%d%.,%+%-−±×%%]+" and text:find "%d" end

--- Breaks words into lines.
---@param text string
---@param most integer characters of a line; a longer word has a line of its own
---@param later? integer characters of all lines but the first
---@return string[]
function texttable.wrap(text, most, later)
  local lines, line = {}, nil
  for word in text:gmatch "%S+" do
    local longer = line and line .. " " .. word or word
    if line and width(longer) > (#lines == 0 and most or later or most) then
      lines[#lines + 1], line = line, word
    else
      line = longer
    end
  end
  lines[#lines + 1] = line or ""
  return lines
end

-- --- columns -----------------------------------------------------------------------------

local function longest_word(text)
  local most = 0
  for word in text:gmatch "%S+" do most = math.max(most, width(word)) end
  return most
end

-- A column is set to the right when all its filled cells start like numbers. `least` is its
-- width when its head is broken into words.
local function measure(head, rows)
  local columns = {}
  for c, title in ipairs(head) do
    local body, right = 0, true
    for _, row in ipairs(rows) do
      body = math.max(body, width(row[c]))
      if row[c] ~= "" and row[c] ~= "–" and not is_number(row[c]) then right = false end
    end
    columns[c] = { place = c, width = math.max(width(title), body), right = right,
                   least = math.max(body, longest_word(title)) }
  end
  return columns
end

local function total(columns)
  local sum = 1 - gap
  for _, column in ipairs(columns) do sum = sum + column.width + gap end
  return sum
end

local function widest_words(columns)
  local found
  for _, column in ipairs(columns) do
    if not column.right and (not found or column.width > found.width) then found = column end
  end
  return found
end

-- Narrower columns, while the table is wider than `most`.
local function squeeze(columns, most)
  for _, column in ipairs(columns) do
    if total(columns) > most then column.width = column.least end
  end
  local words = widest_words(columns)
  if words and total(columns) > most then
    local room = most - (total(columns) - words.width)
    if room >= least_words then words.width = room end
  end
end

-- Lists of columns, each as many as fit, the first column in all of them.
local function blocks_of(columns, most)
  local blocks, block = {}, { columns[1] }
  for c = 2, #columns do
    block[#block + 1] = columns[c]
    if total(block) > most and #block > 2 then
      block[#block] = nil
      blocks[#blocks + 1], block = block, { columns[1], columns[c] }
    end
  end
  blocks[#blocks + 1] = block
  return blocks
end

-- --- lines -------------------------------------------------------------------------------

local function cell_lines(text, column)
  return width(text) > column.width and texttable.wrap(text, column.width) or { text }
end

-- The lines of one row, appended; the lines of a head stand at its foot.
local function add_row(lines, cells, columns, is_head)
  local broken, height = {}, 1
  for c, column in ipairs(columns) do
    broken[c] = cell_lines(cells[column.place], column)
    height = math.max(height, #broken[c])
  end
  for l = 1, height do
    local out = {}
    for c, column in ipairs(columns) do
      local text = broken[c][is_head and l - height + #broken[c] or l] or ""
      local pad = (" "):rep(column.width - width(text))
      out[c] = column.right and pad .. text or text .. pad
    end
    lines[#lines + 1] = ((" " .. table.concat(out, (" "):rep(gap))):gsub("%s+$", ""))
  end
end

local function add_block(lines, head, rows, columns)
  add_row(lines, head, columns, true)
  lines[#lines + 1] = " " .. ("─"):rep(total(columns) - 1)
  for _, row in ipairs(rows) do add_row(lines, row, columns) end
end

local function add_words(lines, text, indent, most)
  for _, words in ipairs(most and texttable.wrap(text, most - #indent) or { text }) do
    lines[#lines + 1] = indent .. words
  end
end

--- Lays out a table.
---@param t table head (list of titles), rows (lists of cells, strings or numbers; nil is shown
---  as –), and perhaps a title above and a note below
---@param most? integer characters of a line; default: as many as it takes
---@return string text several lines, without a newline at the end
--- > print(experiment.format_table { head = { "lr", "loss" }, rows = { { 0.1, "0.52" } } })
function texttable.format(t, most)
  local head, rows, lines = {}, {}, {}
  for c, title in ipairs(t.head) do head[c] = tostring(title) end
  for r, row in ipairs(t.rows) do
    rows[r] = {}
    for c = 1, #head do rows[r][c] = row[c] == nil and "–" or tostring(row[c]) end
  end
  local columns = measure(head, rows)
  if most then squeeze(columns, most) end
  if t.title then add_words(lines, t.title, "", most) end
  for b, block in ipairs(blocks_of(columns, most or math.huge)) do
    if b > 1 then lines[#lines + 1] = "" end
    add_block(lines, head, rows, block)
  end
  if t.note then add_words(lines, t.note, " ", most) end
  return table.concat(lines, "\n")
end

return texttable
