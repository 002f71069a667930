-- line.lua -- lines through points (ax:line).

local axes = require "unroll.plot.axes"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local line = {}

local kinds = common.line_kinds { marker = common.shapes, step = { "pre", "post", "mid" },
  size = "positive", every = "number" }

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

-- Every n-th point, for markers on a dense line.
local function thinned(x, y, every)
  if not every then return x, y end
  if math.type(every) ~= "integer" or every < 1 then
    options.misuse("line: every must be a whole number of at least 1, got %s", tostring(every))
  end
  local xs, ys, some_x, some_y = x and data.values(x), data.values(y), {}, {}
  for i = 1, #ys, every do
    some_x[#some_x + 1], some_y[#some_y + 1] = xs and xs[i] or i, ys[i]
  end
  return data.series("line", "x", some_x), data.series("line", "y", some_y)
end

---@class unroll.LineOptions
---@field label? string in the legend
---@field color? string|integer name, "#rrggbb", or the number of a colour of the palette;
--- default the next of the palette
---@field width? number points; default 1.6
---@field dash? string|number[] "solid", "dashed", "dotted", "dashdot", or lengths in points;
--- default solid, after the palette's end another for each round
---@field alpha? number opacity in 0..1; default 1
---@field marker? "circle"|"square"|"diamond"|"triangle"|"plus"|"cross"|"none" default: circles
--- up to 30 points, else none
---@field size? number diameter of the markers in points; default 5
---@field every? integer a marker at every n-th point only, from the first one
---@field step? "pre"|"post"|"mid" a staircase that changes its height before each point, after
--- it, or half-way

--[[---
--- A line through points, in the given order. It breaks at NaN and infinities and, on a log
--- axis, at what is not positive; a note on the panel counts these. Long lines are thinned to
--- what the page can show.
---
--- Errors: x and y of different lengths, more than one dimension, an unknown option.
---
---     ax:line(steps, loss, { label = "train" })
---     ax:line({ "tanh", "relu", "gru" }, { 1.9, 2.0, 1.6 })
---@param x? unroll.Tensor|number[]|string[] (n), or names of categories; without it the points
--- lie at 1, 2, ..., n
---@param y unroll.Tensor|number[] (n)
---@param opts? unroll.LineOptions
---@return unroll.Axes self
function Axes:line(x, y, opts) end
]]
function line.new(panel, a, b, c)
  local x, y, opts = common.xy("line", panel, a, b, c)
  opts = options.check("line", opts, kinds)
  local mark = { x = x, y = y, n = data.count(y), label = common.label(opts.label),
    width = opts.width, alpha = common.check_alpha("line", opts.alpha), size = opts.size,
    dash = style.check_dash("line", opts.dash), marker = opts.marker or (opts.every and "circle"),
    color = axes.next_color(panel, "line", opts.color) }
  mark.marker_x, mark.marker_y = thinned(x, y, opts.every)
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
    alpha = mark.alpha, size = mark.size }, theme)
end

function line.draw(mark, pen)
  local frame, theme = pen.view.frame, pen.theme
  pen.page:polyline(frame, mark.path_x or mark.x, mark.path_y or mark.y,
    common.stroke(mark, theme, theme.line_width))
  local marker = marker_style(mark, theme)
  if marker then pen.page:markers(frame, mark.marker_x, mark.marker_y, marker) end
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
