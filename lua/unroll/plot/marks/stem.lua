-- stem.lua -- values as dots on stems that stand on a level (ax:stem).

local axes = require "unroll.plot.axes"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local view_of = require "unroll.plot.view"

local stem = {}

local kinds = { label = "string|number", color = "string|number", width = "positive",
  size = "positive", marker = common.shapes, base = "number" }

---@class unroll.StemOptions
---@field label? string in the legend
---@field color? string|integer default the next of the palette
---@field width? number of the stems, in points; default 1
---@field marker? "circle"|"square"|"diamond"|"triangle"|"plus"|"cross"|"none" default circle
---@field size? number diameter of the markers in points; default 5
---@field base? number the level where the stems begin; default 0

--[[---
--- A dot at each value, on a stem from the level `base`: for numbers of whole places, such as an
--- autocorrelation by lag, where a line would show values that are not there.
---
---     ax:stem(lags, autocorrelation)
---@param x? unroll.Tensor|number[]|string[] (n), or names of categories; without it the points
--- lie at 1, 2, ..., n
---@param y unroll.Tensor|number[] (n)
---@param opts? unroll.StemOptions
---@return unroll.Axes self
function Axes:stem(x, y, opts) end
]]
function stem.new(panel, a, b, c)
  local x, y, opts = common.xy("stem", panel, a, b, c)
  opts = options.check("stem", opts, kinds)
  return { x = x, y = y, n = data.count(y), label = common.label(opts.label), width = opts.width,
    size = opts.size, marker = opts.marker or "circle", base = opts.base or 0,
    color = axes.next_color(panel, "stem", opts.color) }
end

function stem.limits(mark, reach)
  reach.x:cover_x(mark.x, mark.n)
  reach.x.keep_margin = true -- a stem on the y axis would not be seen
  reach.y:cover(mark.y)
  reach.y:edge(mark.base)
end

local function stroke_of(mark, theme)
  return { color = style.color(theme, mark.color), width = mark.width or 1 }
end

function stem.draw(mark, pen)
  local view, page = pen.view, pen.page
  local look, foot = stroke_of(mark, pen.theme), view.y(view_of.inside(view.yaxis, mark.base))
  local xs = mark.x and data.values(mark.x)
  page:segment(view.box.left, foot, view.box.right, foot,
    { color = look.color, width = 0.5 * look.width })
  for i, v in ipairs(data.values(mark.y)) do
    local x, y = view.x(xs and xs[i] or i), view.y(v)
    if x == x and y == y then page:segment(x, foot, x, y, look) end
  end
  local marker = common.marker(mark, pen.theme)
  if marker then page:markers(view.frame, mark.x, mark.y, marker) end
end

function stem.key(mark, theme)
  return common.key(mark, { line = stroke_of(mark, theme), marker = common.marker(mark, theme) })
end

function stem.obstacles(mark, view, found)
  common.point_boxes(view, mark.x, mark.y, 4, found)
end

function stem.series(mark, theme)
  return { { label = mark.label, points = mark.n, color = style.color(theme, mark.color) } }
end

return stem
