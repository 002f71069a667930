-- heatmap.lua -- matrices as colours, with a colour bar (ax:heatmap).

local categories = require "unroll.plot.categories"
local color = require "unroll.plot.color"
local colorbar = require "unroll.plot.colorbar"
local colormap = require "unroll.plot.colormap"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local format = require "unroll.plot.format"
local options = require "unroll.plot.options"
local text = require "unroll.plot.text"

local heatmap = { layer = "back", bare = true }

local kinds = colorbar.kinds { rows = "table|userdata", cols = "table|userdata", x = "table",
  y = "table", origin = { "upper", "lower" }, values = "boolean", label = "string|number" }

local most_texts = 1500 -- cells whose values are written

-- --- arguments -----------------------------------------------------------------------

-- {low, high} of an axis.
local function check_pair(name, pair)
  if not pair then return nil end
  for i = 1, 2 do options.number("heatmap", name .. "[" .. i .. "]", pair[i]) end
  if pair[1] >= pair[2] then
    options.misuse("heatmap: %s = {%g, %g} must rise", name, pair[1], pair[2])
  end
  return { pair[1], pair[2] }
end

local function read_names(panel, which, given, count, extent)
  if given and extent then
    options.misuse("heatmap: an axis has names or a range, not both")
  end
  if not given then return nil end
  local names = categories.read("heatmap", given)
  if #names ~= count then
    options.misuse("heatmap: %d names for %d %s", #names, count,
      which == "y" and "rows" or "columns")
  end
  categories.share("heatmap", panel, which, names)
  return names
end

---@class unroll.HeatmapOptions
---@field map? "viridis"|"cividis"|"magma"|"greys"|"RdBu_r" colours; default "viridis", of
--- centred norms "RdBu_r"
---@field norm? "linear"|"log"|"centred" from values to colours; centred: as far below the
--- center as above it. Default "linear", with a center "centred"
---@field center? number the middle of a centred norm; default 0
---@field limits? number[] {low, high} values of the first and the last colour, either may be
--- nil; default the range of the finite values. Values beyond take the end's colour
---@field bar? boolean a colour bar; default true
---@field label? string of the colour bar
---@field rows? (string|number)[] names of the rows; default their numbers
---@field cols? (string|number)[] names of the columns
---@field x? number[] {low, high}: the left and right end of the columns, in place of 0.5 and
--- their number + 0.5
---@field y? number[] {low, high}, the same for the rows
---@field origin? "upper"|"lower" where row 1 stands; default "upper"
---@field values? boolean write the numbers into the cells where they fit; default false
---@field format? string|fun(v: number): string of these numbers and the colour bar's:
--- "percent", "si", "%.2f", ...; giving it writes them

--[[---
--- A matrix as colours, with a colour bar. Row 1 is at the top; cell (i, k) lies around
--- x = k, y = i. Where cells are smaller than pixels, a pixel shows their mean. NaN and
--- infinities are grey; a note on the panel counts them.
---
--- Errors: rows of different lengths, limits that do not rise, names of another number.
---
---     fig:at():heatmap(model.W_hh, { norm = "centred", label = "weight" })
---@param matrix unroll.Tensor|number[][] (rows, columns)
---@param opts? unroll.HeatmapOptions
---@return unroll.Axes self
function Axes:heatmap(matrix, opts) end
]]
function heatmap.new(panel, matrix, opts)
  opts = options.check("heatmap", opts, kinds)
  local cells = data.matrix("heatmap", "the matrix", matrix)
  return { cells = cells,
    colors = colorbar.read("heatmap", opts, cells.flat, common.label(opts.label)),
    x = check_pair("x", opts.x), y = check_pair("y", opts.y),
    cols = read_names(panel, "x", opts.cols, cells.cols, opts.x),
    rows = read_names(panel, "y", opts.rows, cells.rows, opts.y),
    upper = opts.origin ~= "lower", show = opts.values or opts.format ~= nil }
end

-- --- axes ----------------------------------------------------------------------------

-- The ends of the matrix on an axis: cell i lies around i unless the user gave the ends.
local function ends(extent, count)
  if extent then return extent[1], extent[2] end
  return 0.5, count + 0.5
end

local function cover(side, extent, count)
  local low, high = ends(extent, count)
  if count == 0 then return end
  side:edge(low)
  side:edge(high)
  side.margin, side.tight = 0, true
  side.integers = not extent
end

function heatmap.limits(mark, reach)
  cover(reach.x, mark.x, mark.cells.cols)
  cover(reach.y, mark.y, mark.cells.rows)
  reach.y.flip = mark.upper
  reach.y:count_missing(mark.cells.flat, mark.colors.norm.scale.positive)
end

-- --- drawing -------------------------------------------------------------------------

-- The cells first..last (from 1) that an axis shows, and their ends on it.
local function visible(extent, count, plan)
  local low, high = ends(extent, count)
  local size = (high - low) / count
  local first = math.max(1, math.floor((plan.low - low) / size + 1 + 1e-9))
  local last = math.min(count, math.ceil((plan.high - low) / size - 1e-9))
  return first, last, low + (first - 1) * size, low + last * size
end

function heatmap.draw(mark, pen)
  local view, cells = pen.view, mark.cells
  if cells.rows == 0 or cells.cols == 0 then return end
  local c0, c1, left, right = visible(mark.x, cells.cols, view.xaxis)
  local r0, r1, low, high = visible(mark.y, cells.rows, view.yaxis)
  if c1 < c0 or r1 < r0 then return end
  local shown = cells.grid:narrow(1, r0, r1 - r0 + 1):narrow(2, c0, c1 - c0 + 1)
  local xa, xb, ya, yb = view.x(left), view.x(right), view.y(low), view.y(high)
  pen.page:heatmap(math.min(xa, xb), math.min(ya, yb), math.max(xa, xb), math.max(ya, yb),
    shown, colorbar.palette(mark.colors, pen.theme),
    { bottom_up = ya > yb, right_to_left = xa > xb })
end

heatmap.color_bar, heatmap.draw_color_bar = colorbar.axis, colorbar.draw

-- --- values --------------------------------------------------------------------------

local function cell_words(mark)
  local values = data.values(mark.cells.flat)
  if not mark.colors.format then return values, format.values(values) end
  local words = {}
  for i, v in ipairs(values) do words[i] = format.single(mark.colors.format, v) end
  return values, words
end

-- The text of one cell in dark or white, whichever reads better on it.
local function cell_item(mark, v, words, theme)
  local part = colormap.part(mark.colors.norm, v)
  local ground = part == part and v - v == 0 and colormap.at(mark.colors.map, part) or theme.missing
  return text.new(words, { size = theme.note_size, color = color.on(ground), role = "value" })
end

local function texts_fit(items, width, height)
  for _, item in ipairs(items) do
    if item.width > width - 2 or item.height > height then return false end
  end
  return true
end

-- The middle of cell i on the page.
local function middle(extent, count, i, at)
  local low, high = ends(extent, count)
  return at(low + (i - 0.5) * (high - low) / count)
end

function heatmap.labels(mark, view, theme)
  local cells, b = mark.cells, view.box
  if not mark.show then return {} end
  if cells.rows * cells.cols > most_texts then return {}, { "the numbers of the cells" } end
  local values, words = cell_words(mark)
  local items, requests = {}, {}
  for i, v in ipairs(values) do items[i] = cell_item(mark, v, words[i], theme) end
  local width = math.abs(middle(mark.x, cells.cols, 2, view.x)
    - middle(mark.x, cells.cols, 1, view.x))
  local height = math.abs(middle(mark.y, cells.rows, 2, view.y)
    - middle(mark.y, cells.rows, 1, view.y))
  if not texts_fit(items, width, height) then return {}, { "the numbers of the cells" } end
  for i, item in ipairs(items) do
    local x = middle(mark.x, cells.cols, (i - 1) % cells.cols + 1, view.x)
    local y = middle(mark.y, cells.rows, (i - 1) // cells.cols + 1, view.y)
    if x > b.left and x < b.right and y > b.top and y < b.bottom then
      requests[#requests + 1] = { item = item, fixed = true, candidates = { { x, y, 0.5, 0.5 } } }
    end
  end
  return requests
end

function heatmap.obstacles(_, view, found)
  local b = view.box
  found.boxes[#found.boxes + 1] = { left = b.left, right = b.right, top = b.top,
    bottom = b.bottom }
end

function heatmap.series(mark)
  local colors = mark.colors
  return { { label = colors.label, points = mark.cells.rows * mark.cells.cols, map = colors.map,
    low = colors.norm.low, high = colors.norm.high } }
end

return heatmap
