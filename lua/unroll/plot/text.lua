--- Texts: from what users write to what is drawn, and boxes that hold them.
--
-- Text is plain. x^{2} and h_{t} raise and lower; everything else, < and & too, stands
-- for itself. Control characters are shown as signs, bytes that are no UTF-8 as U+FFFD.

local canvas = require("unroll.core").canvas

local text = {}

-- --- words ---------------------------------------------------------------------------

local signs = { [" "] = "␣", ["\n"] = "⏎", ["\t"] = "⇥", ["\r"] = "␍" }

local function valid_utf8(s)
  local bad = select(2, utf8.len(s))
  while bad do
    s = s:sub(1, bad - 1) .. "\u{FFFD}" .. s:sub(bad + 1)
    bad = select(2, utf8.len(s, bad))
  end
  return s
end

--- The same without what files cannot hold as words: for titles and descriptions.
function text.plain(s)
  return (valid_utf8(s):gsub("%c", " "))
end

local function show_control(c)
  return signs[c] or ("\\x%02X"):format(c:byte())
end

--- A category: a character that would be invisible gets a sign. Inside a longer name
--- spaces stay spaces.
function text.category(s)
  s = valid_utf8(s)
  if s:match("^%s+$") then s = s:gsub(" ", signs) end
  return (s:gsub("%c", show_control))
end

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

local function to_markup(s)
  s = s:gsub("[&<>]", escapes)
  s = s:gsub("%^(%b{})", function(part) return "<sup>" .. part:sub(2, -2) .. "</sup>" end)
  return (s:gsub("_(%b{})", function(part) return "<sub>" .. part:sub(2, -2) .. "</sub>" end))
end

-- The words to draw, and whether they are markup.
local function prepare(s)
  s = valid_utf8(s):gsub("[%c]", function(c) return c == "\n" and c or show_control(c) end)
  if s:find("[%^_]%b{}") then return to_markup(s), true end
  return s, false
end

-- --- measuring -----------------------------------------------------------------------

-- The same labels are measured in each pass of the layout, so sizes are kept; the cache
-- starts afresh when it is full.
local cache, cached, most = {}, 0, 4000

local function measure(words, look)
  local key = ("%g %s %s %g %s %s"):format(look.size, look.bold, look.markup,
    look.wrap or 0, look.align, words)
  local size = cache[key]
  if size then return size end
  if cached >= most then cache, cached = {}, 0 end
  local width, height, baseline, ink_top, ink_bottom, ink_left, ink_right, unknown =
    canvas.measure(words, look)
  size = { width = width, height = height, baseline = baseline, ink_top = ink_top,
    ink_bottom = ink_bottom, ink_left = ink_left, ink_right = ink_right, unknown = unknown }
  cache[key], cached = size, cached + 1
  return size
end

--- A text with its size, not placed yet.
---@param s string
---@param look table {size, color, bold, wrap (points), align, angle (0 or 90), role}
function text.new(s, look)
  local item = { text = s, role = look.role, angle = look.angle or 0, color = look.color }
  local words, markup = prepare(s)
  item.words = words
  item.look = { size = look.size, bold = look.bold or false, markup = markup,
    wrap = look.wrap, align = look.align or "left", color = look.color,
    angle = item.angle }
  local size = measure(words, item.look)
  item.ink, item.baseline, item.unknown = size, size.baseline, size.unknown
  item.width, item.height = size.width, size.height
  if item.angle == 90 then item.width, item.height = size.height, size.width end
  return item
end

--- The same text, cut at a width with "…" when it is longer; then item.cut is true.
function text.shorten(s, look, width)
  local item = text.new(s, look)
  local whole = valid_utf8(s)
  local length = utf8.len(whole)
  while item.ink.width > width and length > 1 do
    local fitting = math.floor(length * width / item.ink.width)
    length = math.max(1, math.min(length - 1, fitting))
    item = text.new(whole:sub(1, utf8.offset(whole, length + 1) - 1) .. "…", look)
    item.cut = true
  end
  return item
end

--- The beginning of a text, in one line of at most `length` characters.
function text.brief(s, length)
  s = text.plain(s)
  if utf8.len(s) <= length then return s end
  return s:sub(1, utf8.offset(s, length) - 1) .. "…"
end

--- How far a text reaches above the middle of its first line's digits.
function text.rise(item)
  return item.baseline - 0.365 * item.look.size
end

--- Places the item: the point (x, y) lies at the part h of its width and v of its height
--- (0: left, top; 1: right, bottom). v = "digits" centres the digits' height on y.
function text.place(item, x, y, h, v)
  local top
  if v == "digits" then
    top = y - text.rise(item)
  else
    top = y - v * item.height
  end
  local left = x - h * item.width
  item.box = { left = left, top = top, right = left + item.width,
    bottom = top + item.height }
  return item
end

--- Draws a placed item.
function text.draw(page, item)
  local box = item.box
  local y = item.angle == 90 and box.bottom or box.top
  page:text(item.words, box.left, y, item.look)
end

return text
