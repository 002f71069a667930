--- Tables for the terminal: aligned columns under a rule, numbers to the right.
local texttable = {}

local function width(text) return utf8.len(text) or #text end

local function is_number(text) return text:find "^[%s%d%.,%+%-−±×%%]+" and text:find "%d" end

-- A column is set to the right when all its filled cells start like numbers.
local function measure(head, rows)
  local widths, right = {}, {}
  for c, title in ipairs(head) do
    widths[c], right[c] = width(title), true
    for _, row in ipairs(rows) do
      widths[c] = math.max(widths[c], width(row[c]))
      if row[c] ~= "" and row[c] ~= "–" and not is_number(row[c]) then right[c] = false end
    end
  end
  return widths, right
end

local function line(cells, widths, right)
  local out = {}
  for c, cell in ipairs(cells) do
    local pad = (" "):rep(widths[c] - width(cell))
    out[c] = right[c] and pad .. cell or cell .. pad
  end
  return ((" " .. table.concat(out, "   ")):gsub("%s+$", ""))
end

--- Lays out a table.
---@param t table { title=, head={...}, rows={{...},...}, note= }; cells are strings or numbers
---@return string text several lines, without a newline at the end
function texttable.format(t)
  local rows = {}
  for r, row in ipairs(t.rows) do
    rows[r] = {}
    for c = 1, #t.head do rows[r][c] = row[c] == nil and "–" or tostring(row[c]) end
  end
  local widths, right = measure(t.head, rows)
  local total = 1
  for _, w in ipairs(widths) do total = total + w + 3 end
  local lines = { t.title, line(t.head, widths, right), " " .. ("─"):rep(total - 4) }
  for _, row in ipairs(rows) do lines[#lines + 1] = line(row, widths, right) end
  if t.note then lines[#lines + 1] = " " .. t.note end
  return table.concat(lines, "\n")
end

return texttable
