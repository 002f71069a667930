-- heatmap.lua -- matrices as colours, with a colour bar (ax:heatmap).

local canvas = require("unroll.core").canvas
local categories = require "unroll.plot.categories"
local color = require "unroll.plot.color"
local colormap = require "unroll.plot.colormap"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local format = require "unroll.plot.format"
local options = require "unroll.plot.options"
local reach_of = require "unroll.plot.reach"
local text = require "unroll.plot.text"

local heatmap = { layer = "back", bare = true }

local kinds = { map = "string", norm = { "linear", "log", "centred" }, center = "number",
  limits = "table", rows = "table|userdata", cols = "table|userdata", x = "table", y = "table",
  origin = { "upper", "lower" }, values = "boolean", format = "string|function",
  bar = "boolean", label = "string|number" }

local most_texts = 1500 -- cells whose values are written

-- --- arguments -----------------------------------------------------------------------

-- {low, high} of colours or of an axis; either may be nil for colours.
local function check_pair(name, pair, both)
  if not pair then return nil end
  for i = 1, 2 do
    if both or pair[i] ~= nil then options.number("heatmap", name .. "[" .. i .. "]", pair[i]) end
  end
  if pair[1] and pair[2] and pair[1] >= pair[2] then
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

local function make_norm(opts, cells, limits)
  local kind = opts.norm or (opts.center and "centred") or "linear"
  local low, high, finite = canvas.range(cells.flat, kind == "log")
  local least = kind == "log" and 1e-300 or -1e300
  low, high = math.max(least, math.min(1e300, low)), math.max(least, math.min(1e300, high))
  if finite == 0 then low, high = nil, nil end
  local norm = colormap.norm(kind, low, high, opts.center or 0)
  if limits then norm.low, norm.high = limits[1] or norm.low, limits[2] or norm.high end
  if norm.low >= norm.high or (kind == "log" and norm.low <= 0) then
    options.misuse("heatmap: no colours between limits %g and %g", norm.low, norm.high)
  end
  return norm, kind
end

--[[---
--- A matrix as colours. Row 1 is at the top.
---@param matrix unroll.Tensor|table (rows, columns); NaN and infinities are grey
---@param opts? table
--- map = "viridis", "cividis", "magma", "greys" or "RdBu_r" (the default of centred norms);
--- norm = "linear", "log" or "centred": as far below center = 0 as above; limits = {low, high}
--- of the colours; rows, cols = names of the rows and columns; x, y = {low, high}: the axes'
--- ends instead of counting cells; origin = "upper" or "lower": where row 1 stands;
--- values = true writes the numbers into the cells, in the given format; bar = false: no
--- colour bar; label = that of the colour bar
---@return unroll.Axes self
function Axes:heatmap(matrix, opts) end
]]
function heatmap.new(panel, matrix, opts)
  opts = options.check("heatmap", opts, kinds)
  local cells = data.matrix("heatmap", "the matrix", matrix)
  local limits = check_pair("limits", opts.limits)
  local norm, kind = make_norm(opts, cells, limits)
  format.check("heatmap: format", opts.format)
  return { cells = cells, norm = norm,
    map = colormap.check("heatmap", opts.map or (kind == "centred" and "RdBu_r" or "viridis")),
    x = check_pair("x", opts.x, true), y = check_pair("y", opts.y, true),
    cols = read_names(panel, "x", opts.cols, cells.cols, opts.x),
    rows = read_names(panel, "y", opts.rows, cells.rows, opts.y),
    upper = opts.origin ~= "lower", show = opts.values or opts.format ~= nil,
    format = opts.format, bar = opts.bar ~= false, label = common.label(opts.label) }
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
  reach.y:count_missing(mark.cells.flat, mark.norm.scale.positive)
end

-- --- drawing -------------------------------------------------------------------------

local function palette(mark, theme)
  local norm = mark.norm
  return { table = colormap.table(mark.map), scale = norm.scale.name, low = norm.low,
    high = norm.high, missing = theme.missing }
end

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
    shown, palette(mark, pen.theme), { bottom_up = ya > yb, right_to_left = xa > xb })
end

--- The colour bar's axis, for plot/sides.lua; nil without one.
function heatmap.color_bar(mark)
  if not mark.bar then return nil end
  local norm = mark.norm
  return { low = norm.low, high = norm.high, label = mark.label, format = mark.format,
    reach = reach_of.fixed(norm.scale, norm.low, norm.high) }
end

local ramp -- 0..255 from the lower end up

function heatmap.draw_color_bar(mark, page, b, theme)
  if not ramp then
    local steps = {}
    for i = 1, 256 do steps[i] = { i - 1 } end
    ramp = data.matrix("heatmap", "the colour bar", steps)
  end
  page:heatmap(b.left, b.top, b.right, b.bottom, ramp.grid, { table = colormap.table(mark.map),
    low = 0, high = 255, missing = theme.missing }, { bottom_up = true })
end

-- --- values --------------------------------------------------------------------------

local function cell_words(mark)
  local values = data.values(mark.cells.flat)
  if not mark.format then return values, format.values(values) end
  local words = {}
  for i, v in ipairs(values) do words[i] = format.single(mark.format, v) end
  return values, words
end

-- The text of one cell in dark or white, whichever reads better on it.
local function cell_item(mark, v, words, theme)
  local part = colormap.part(mark.norm, v)
  local ground = part == part and v - v == 0 and colormap.at(mark.map, part) or theme.missing
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
  if not mark.show or cells.rows * cells.cols > most_texts then return {} end
  local values, words = cell_words(mark)
  local items, requests = {}, {}
  for i, v in ipairs(values) do items[i] = cell_item(mark, v, words[i], theme) end
  local width = math.abs(middle(mark.x, cells.cols, 2, view.x)
    - middle(mark.x, cells.cols, 1, view.x))
  local height = math.abs(middle(mark.y, cells.rows, 2, view.y)
    - middle(mark.y, cells.rows, 1, view.y))
  if not texts_fit(items, width, height) then return {} end
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
  return { { label = mark.label, points = mark.cells.rows * mark.cells.cols, map = mark.map,
    low = mark.norm.low, high = mark.norm.high } }
end

return heatmap
