-- scatter.lua -- a marker at each point (ax:scatter).

local axes = require "unroll.plot.axes"
local canvas = require("unroll.core").canvas
local color = require "unroll.plot.color"
local colorbar = require "unroll.plot.colorbar"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local scatter = {}

local kinds = colorbar.kinds { label = "string|number", marker = common.shapes,
  color = "string|number|table|userdata", size = "number|table|userdata", alpha = "number",
  bar_label = "string|number" }

-- What goes only with colours by value.
local by_value = { "map", "norm", "center", "limits", "format", "bar", "bar_label" }

local function read_colors(opts, y)
  if type(opts.color) == "table" or type(opts.color) == "userdata" then
    local values = data.beside("scatter", "color", opts.color, y)
    return values, colorbar.read("scatter", opts, values, common.label(opts.bar_label))
  end
  for _, name in ipairs(by_value) do
    if opts[name] ~= nil then
      options.misuse("scatter: %s goes with color = a series of numbers", name)
    end
  end
end

-- Of many points each is drawn smaller, so that a cloud shows where it is dense.
local function default_size(n)
  return n > 500 and 5 * math.max(0.3, (500 / n) ^ 0.25) or nil
end

-- A diameter, or one for each point.
local function read_size(size, y)
  if size == nil then return default_size(data.count(y)) end
  if type(size) == "number" then
    if not (size > 0 and size < math.huge) then
      options.misuse("scatter: option 'size' must be a positive number, got %s", tostring(size))
    end
    return size
  end
  return nil, data.beside("scatter", "size", size, y)
end

---@class unroll.ScatterOptions
---@field label? string in the legend
---@field color? string|integer|unroll.Tensor|number[] a colour, the number of one in the
--- palette, or a series (n) that is shown as colours; default the next of the palette
---@field size? number|unroll.Tensor|number[] diameter in points, or one for each point;
--- default 5, of more than 500 points smaller, down to 1.5
---@field marker? "circle"|"square"|"diamond"|"triangle"|"plus"|"cross" default "circle"
---@field alpha? number opacity in 0..1; default 1
---@field map? "viridis"|"cividis"|"magma"|"greys"|"RdBu_r" with color = a series: its colours
---@field norm? "linear"|"log"|"centred" from values to colours, as in ax:heatmap
---@field center? number the middle of a centred norm; default 0
---@field limits? number[] {low, high} values of the first and the last colour
---@field bar? boolean a colour bar; default true
---@field bar_label? string of the colour bar
---@field format? string|fun(v: number): string of the colour bar's numbers

--[[---
--- A marker at each point, in one colour or coloured by a third series. Points that are not
--- finite, or not positive on a log axis, are counted in a note.
---
---     ax:scatter(analytic, numeric, { alpha = 0.6 })
---     ax:scatter(width, loss, { color = steps, bar_label = "steps" })
---@param x? unroll.Tensor|number[]|string[] (n), or names of categories; without it 1, 2, ..., n
---@param y unroll.Tensor|number[] (n)
---@param opts? unroll.ScatterOptions
---@return unroll.Axes self
function Axes:scatter(x, y, opts) end
]]
function scatter.new(panel, a, b, c)
  local x, y, opts = common.xy("scatter", panel, a, b, c)
  opts = options.check("scatter", opts, kinds)
  local values, colors = read_colors(opts, y)
  local size, sizes = read_size(opts.size, y)
  return { x = x, y = y, n = data.count(y), label = common.label(opts.label), values = values,
    colors = colors, marker = opts.marker or "circle", size = size, sizes = sizes,
    alpha = common.check_alpha("scatter", opts.alpha),
    color = values and 1 or axes.next_color(panel, "scatter", opts.color) }
end

function scatter.limits(mark, reach)
  reach.x.margin = math.max(reach.x.margin, 0.05)
  reach.x:cover_x(mark.x, mark.n)
  reach.y:cover(mark.y)
end

-- The radius of the largest marker, points.
local function radius(mark)
  local largest = mark.sizes and select(2, canvas.range(mark.sizes)) or mark.size or 5
  return math.max(0, math.min(largest, 200)) / 2
end

function scatter.headroom(mark)
  if not mark.sizes and (mark.size or 0) <= 10 then return 0, 0, 0, 0 end
  local r = radius(mark) + 2
  return r, r, r, r
end

-- The colours of values may be as light as the page: then a thin rim shows the marker.
local function paint_values(marker, mark, theme)
  marker.values, marker.palette = mark.values, colorbar.palette(mark.colors, theme)
  marker.rim = color.fade(theme.axis, 0.6)
  marker.rim_width = mark.n <= common.most_rims and 0.4 or 0
end

function scatter.draw(mark, pen)
  local marker = common.marker(mark, pen.theme)
  if not marker then return end
  marker.sizes = mark.sizes
  if mark.values then paint_values(marker, mark, pen.theme) end
  pen.page:markers(pen.view.frame, mark.x, mark.y, marker)
end

scatter.color_bar, scatter.draw_color_bar = colorbar.axis, colorbar.draw

function scatter.key(mark, theme)
  local marker = common.marker(mark, theme)
  if mark.values then marker.color = theme.muted end
  return common.key(mark, { marker = marker })
end

function scatter.obstacles(mark, view, found)
  common.point_boxes(view, mark.x, mark.y, radius(mark) + 0.5, found)
end

function scatter.series(mark, theme)
  local colors = mark.colors
  return { { label = mark.label, points = mark.n, map = colors and colors.map,
    low = colors and colors.norm.low, high = colors and colors.norm.high,
    color = not colors and style.color(theme, mark.color) or nil } }
end

return scatter
