-- scatter.lua -- a marker at each point (ax:scatter).

local axes = require "unroll.plot.axes"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local scatter = {}

local kinds = { label = "string|number", color = "string|number", marker = common.shapes,
  size = "positive", alpha = "number" }

--[[---
--- A marker at each point.
---@param x? unroll.Tensor|number[] (n); without it 1, 2, ..., n
---@param y unroll.Tensor|number[] (n)
---@param opts? table
--- label; color; marker = "circle", "square", "diamond", "triangle", "plus" or "cross";
--- size = 5 (points); alpha = 1
---@return unroll.Axes self
function Axes:scatter(x, y, opts) end
]]
function scatter.new(panel, a, b, c)
  local x, y, opts = data.xy("scatter", a, b, c)
  opts = options.check("scatter", opts, kinds)
  return { x = x, y = y, n = data.count(y), label = common.label(opts.label),
    marker = opts.marker or "circle", size = opts.size,
    alpha = common.check_alpha("scatter", opts.alpha),
    color = axes.next_color(panel, "scatter", opts.color) }
end

function scatter.limits(mark, reach)
  reach.x.margin = 0.05
  reach.x:cover_x(mark.x, mark.n)
  reach.y:cover(mark.y)
end

function scatter.draw(mark, pen)
  local marker = common.marker(mark, pen.theme)
  if marker then pen.page:markers(pen.view.frame, mark.x, mark.y, marker) end
end

function scatter.key(mark, theme)
  return common.key(mark, { marker = common.marker(mark, theme) })
end

function scatter.obstacles(mark, view, found)
  common.point_boxes(view, mark.x, mark.y, 3, found)
end

function scatter.series(mark, theme)
  return { { label = mark.label, points = mark.n, color = style.color(theme, mark.color) } }
end

return scatter
