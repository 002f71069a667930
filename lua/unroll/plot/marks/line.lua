-- line.lua -- lines through points (ax:line).

local axes = require "unroll.plot.axes"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local line = {}

local kinds = common.line_kinds { marker = common.shapes, step = { "pre", "post", "mid" } }

-- Doubles the points so that the line changes its height at one x. pre: before the
-- point, post: after it, mid: half-way.
local function stairs(x, y, mode)
  local xs, ys, sx, sy = x and data.values(x), data.values(y), {}, {}
  local function at(i) return xs and xs[i] or i end
  for i = 1, #ys - 1 do
    local turn = mode == "pre" and at(i) or mode == "post" and at(i + 1)
      or (at(i) + at(i + 1)) / 2
    table.move({ at(i), turn, turn }, 1, 3, #sx + 1, sx)
    table.move({ ys[i], ys[i], ys[i + 1] }, 1, 3, #sy + 1, sy)
  end
  sx[#sx + 1], sy[#sy + 1] = #ys > 0 and at(#ys) or nil, ys[#ys]
  return data.series("line", "x", sx), data.series("line", "y", sy)
end

--[[---
--- A line through points, in the given order. It breaks at NaN and infinities.
---@param x? unroll.Tensor|number[] (n); without it the points lie at 1, 2, ..., n
---@param y unroll.Tensor|number[] (n)
---@param opts? table
--- label; color = name, "#rrggbb" or palette index; width = 1.6 (points); dash = "solid",
--- "dashed", "dotted", "dashdot" or a list of lengths in points; alpha = 1; marker =
--- "circle", "square", "diamond", "triangle", "plus", "cross" or "none" (without it:
--- circles up to 30 points, else none); step = "pre", "post" or "mid"
---@return unroll.Axes self
function Axes:line(x, y, opts) end
]]
function line.new(panel, a, b, c)
  local x, y, opts = data.xy("line", a, b, c)
  opts = options.check("line", opts, kinds)
  local mark = { x = x, y = y, n = data.count(y), label = common.label(opts.label),
    width = opts.width, alpha = common.check_alpha("line", opts.alpha),
    dash = style.check_dash("line", opts.dash), marker = opts.marker,
    color = axes.next_color(panel, "line", opts.color) }
  if opts.step then mark.path_x, mark.path_y = stairs(x, y, opts.step) end
  return mark
end

function line.limits(mark, reach)
  reach.x:cover_x(mark.x, mark.n)
  reach.y:cover(mark.y)
end

-- A few measured points are worth seeing as such.
local function marker_style(mark, theme)
  if not mark.marker and (mark.n > theme.marker_most or mark.path_x) then return nil end
  return common.marker({ marker = mark.marker or "circle", color = mark.color,
    alpha = mark.alpha }, theme)
end

function line.draw(mark, pen)
  local frame, theme = pen.view.frame, pen.theme
  pen.page:polyline(frame, mark.path_x or mark.x, mark.path_y or mark.y,
    common.stroke(mark, theme, theme.line_width))
  local marker = marker_style(mark, theme)
  if marker then pen.page:markers(frame, mark.x, mark.y, marker) end
end

function line.key(mark, theme)
  return common.key(mark, { line = common.stroke(mark, theme, theme.line_width),
    marker = marker_style(mark, theme) })
end

function line.obstacles(mark, view, found)
  common.outline(view, mark.path_x or mark.x, mark.path_y or mark.y, found)
end

function line.series(mark, theme)
  return { { label = mark.label, points = mark.n, color = style.color(theme, mark.color) } }
end

return line
