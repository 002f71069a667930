--- Figures in the terminal: the picture itself where it can be shown, else where it lies.

local core = require "unroll.core"
local draw = require "unroll.plot.draw"
local layout = require "unroll.plot.layout"
local terminal = require "unroll.plot.terminal"

local show = {}

local most_columns = 100

-- --- encodings -----------------------------------------------------------------------

local digits = {}
for i, c in ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):gmatch("()(.)") do
  digits[i - 1] = c
end

--- Base 64 (RFC 4648).
---@param bytes string
---@return string
function show.base64(bytes)
  local out, n = {}, 0
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local v = a << 16 | (b or 0) << 8 | (c or 0)
    out[n + 1], out[n + 2] = digits[v >> 18], digits[v >> 12 & 63]
    out[n + 3], out[n + 4] = b and digits[v >> 6 & 63] or "=", c and digits[v & 63] or "="
    n = n + 4
  end
  return table.concat(out)
end

local chunk = 4096

--- kitty's graphics protocol: a PNG in pieces, shown `columns` wide, no answer wanted.
function show.kitty(png, columns)
  local data, parts = show.base64(png), {}
  for i = 1, #data, chunk do
    local more = i + chunk <= #data and 1 or 0
    local head = i == 1 and ("a=T,f=100,q=2,c=%d,m=%d"):format(columns, more) or "m=" .. more
    parts[#parts + 1] = ("\27_G%s;%s\27\\"):format(head, data:sub(i, i + chunk - 1))
  end
  return table.concat(parts) .. "\n"
end

--- iTerm2's inline images.
function show.iterm(png, columns)
  return ("\27]1337;File=inline=1;size=%d;width=%d;preserveAspectRatio=1:%s\a\n"):format(#png,
    columns, show.base64(png))
end

-- The nearest of the 6 x 6 x 6 colours of terminals with 256.
local function color256(r, g, b)
  local function level(v) return (v * 5 + 127) // 255 end
  return 16 + 36 * level(r) + 6 * level(g) + level(b)
end

local function paint(truecolor, layer, r, g, b)
  if truecolor then return ("\27[%d;2;%d;%d;%dm"):format(layer, r, g, b) end
  return ("\27[%d;5;%dm"):format(layer, color256(r, g, b))
end

--- Half blocks: each character is two pixels, one above the other.
---@param pixels string rows of r, g, b
---@param width integer columns
---@param rows integer lines of text; the picture has twice as many pixels
---@param truecolor boolean else 256 colours
function show.blocks(pixels, width, rows, truecolor)
  local out = {}
  for row = 0, rows - 1 do
    local last
    for x = 0, width - 1 do
      local above, below = 3 * (2 * row * width + x) + 1, 3 * ((2 * row + 1) * width + x) + 1
      local r, g, b = pixels:byte(above, above + 2)
      local look = paint(truecolor, 38, r, g, b)
      r, g, b = pixels:byte(below, below + 2)
      look = look .. paint(truecolor, 48, r, g, b)
      out[#out + 1] = (look ~= last and look or "") .. "▀"
      last = look
    end
    out[#out + 1] = "\27[0m\n"
  end
  return table.concat(out)
end

-- --- the whole -----------------------------------------------------------------------

-- Columns and rows of text for the figure, and pixels in a cell.
local function space(fig, cell_width, cell_height)
  local columns, rows, width, height = core.sys.terminal_size()
  columns, rows = columns or 80, rows and rows > 0 and rows or 24
  if not cell_width and width and width > 0 then
    cell_width, cell_height = width // columns, height // rows
  end
  cell_width, cell_height = cell_width or 10, cell_height or 20
  local wide = math.max(10, math.min(columns - 2, most_columns))
  local ratio = fig.height / fig.width * cell_width / cell_height
  wide = math.min(wide, math.max(10, math.floor((rows - 2) / ratio)))
  return wide, math.max(1, math.floor(wide * ratio + 0.5)), cell_width
end

local show_as = {}

local function png(fig, columns, cell_width)
  local dpi = math.max(36, columns * cell_width / fig.width)
  return draw.render(fig, layout.plan(fig), "png", dpi)
end

function show_as.kitty(fig, columns, _, cell_width)
  return show.kitty(png(fig, columns, cell_width), columns)
end

function show_as.iterm(fig, columns, _, cell_width)
  return show.iterm(png(fig, columns, cell_width), columns)
end

function show_as.sixel(fig, columns, _, cell_width)
  local width = columns * cell_width
  local height = math.max(1, math.floor(width * fig.height / fig.width + 0.5))
  local pixels = draw.pixels(fig, layout.plan(fig), width, height)
  return core.canvas.sixel(pixels, width, height) .. "\n"
end

function show_as.block(fig, columns, rows)
  local pixels = draw.pixels(fig, layout.plan(fig), columns, 2 * rows)
  local truecolor = (os.getenv("COLORTERM") or ""):match("^truecolor$")
    or (os.getenv("COLORTERM") or ""):match("^24bit$")
  return show.blocks(pixels, columns, rows, truecolor ~= nil)
end

-- Into a file of its own; the text is its name.
function show_as.path(fig)
  local name = os.tmpname()
  os.remove(name)
  local path = name .. ".png"
  local ok, message = core.sys.write_file(path, draw.render(fig, layout.plan(fig), "png", fig.dpi))
  return ok and path .. "\n" or nil, message
end

--- Shows a figure: writes it to standard output in a form that the terminal understands, or
--- saves it and writes the file's name.
---@param fig unroll.Figure
---@return boolean|nil true, string|nil message nil and a message when it cannot be written
function show.figure(fig)
  local protocol, cell_width, cell_height, message = terminal.protocol()
  if message then return nil, message end
  local columns, rows, width = space(fig, cell_width, cell_height)
  local text
  text, message = show_as[protocol](fig, columns, rows, width)
  if not text then return nil, message end
  io.stdout:write(text)
  io.stdout:flush()
  return true
end

return show
