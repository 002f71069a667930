-- errorbar.lua -- points with their uncertainty (ax:errorbar).
--
-- On a log axis a bar that would reach zero ends at the axis.

local axes = require "unroll.plot.axes"
local categories = require "unroll.plot.categories"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local view_of = require "unroll.plot.view"

local errorbar = {}

local kinds = common.line_kinds { yerr = "number|table|userdata",
  xerr = "number|table|userdata", marker = common.shapes, size = "positive",
  line = "boolean" }

-- A distance below and one above each point.
local function read_error(name, given, y)
  if given == nil then return nil end
  if type(given) == "table" and (given.low or given.high) then
    if not (given.low and given.high) then
      options.misuse("errorbar: %s needs both low and high", name)
    end
    return { low = data.beside("errorbar", name .. ".low", given.low, y),
      high = data.beside("errorbar", name .. ".high", given.high, y) }
  end
  local both = data.beside("errorbar", name, given, y)
  return { low = both, high = both }
end

---@class unroll.ErrorbarOptions
---@field yerr? number|unroll.Tensor|number[]|table distances up and down from the points: a
--- number, a series (n), or {low = ..., high = ...} of these
---@field xerr? number|unroll.Tensor|number[]|table the same along x
---@field label? string in the legend
---@field color? string|integer default the next of the palette
---@field marker? "circle"|"square"|"diamond"|"triangle"|"plus"|"cross"|"none" default "circle"
---@field size? number diameter of the markers in points; default 5
---@field line? boolean join the points; default false
---@field dash? string|number[] of that line
---@field width? number of the bars, in points; default 1.1
---@field alpha? number opacity in 0..1; default 1

--[[---
--- Points with error bars. On a log axis a bar that would reach zero ends at the axis,
--- without a cap.
---
---     ax:errorbar(sizes, means, { yerr = deviations, line = true })
---     ax:errorbar(sizes, medians, { yerr = { low = down, high = up } })
---@param x? unroll.Tensor|number[]|string[] (n), or names of categories; nil: 1, 2, ..., n
---@param y unroll.Tensor|number[] (n)
---@param opts? unroll.ErrorbarOptions
---@return unroll.Axes self
function Axes:errorbar(x, y, opts) end
]]
function errorbar.new(panel, x, y, opts)
  opts = options.check("errorbar", opts, kinds)
  if y == nil then options.misuse("errorbar: y is missing (x may be nil)") end
  y = data.series("errorbar", "y", y)
  if data.is_names(x) then x = categories.places("errorbar", panel, "x", x) end
  return { x = x ~= nil and data.beside("errorbar", "x", x, y) or nil, y = y,
    n = data.count(y), yerr = read_error("yerr", opts.yerr, y),
    xerr = read_error("xerr", opts.xerr, y), label = common.label(opts.label),
    marker = opts.marker or "circle", size = opts.size, line = opts.line,
    width = opts.width, dash = style.check_dash("errorbar", opts.dash),
    alpha = common.check_alpha("errorbar", opts.alpha),
    color = axes.next_color(panel, "errorbar", opts.color) }
end

-- An end that a log axis cannot show is cut off, not dropped: it does not count.
local function cover_ends(side, centre, err)
  side:stretch(data.offset(centre, err.low, -1))
  side:stretch(data.offset(centre, err.high, 1))
end

function errorbar.limits(mark, reach)
  reach.x.margin = math.max(reach.x.margin, 0.05)
  reach.x:cover_x(mark.x, mark.n)
  reach.y:cover(mark.y)
  if mark.yerr then cover_ends(reach.y, mark.y, mark.yerr) end
  if mark.xerr and mark.x then cover_ends(reach.x, mark.x, mark.xerr) end
end

-- Calls f(x, y, i) for each point that has a place on the page.
local function each_point(mark, view, f)
  local xs = mark.x and data.values(mark.x)
  for i, y in ipairs(data.values(mark.y)) do
    local x = xs and xs[i] or i
    local px, py = view.x(x), view.y(y)
    if px - px == 0 and py - py == 0 then f(x, y, i) end
  end
end

local function draw_upright(pen, x, low, high, stroke)
  local view, cap = pen.view, pen.theme.error_cap
  local px = view.x(x)
  local bottom = view.y(view_of.inside(view.yaxis, low))
  local top = view.y(view_of.inside(view.yaxis, high))
  pen.page:segment(px, bottom, px, top, stroke)
  pen.page:segment(px - cap, top, px + cap, top, stroke)
  if low >= view.yaxis.low then
    pen.page:segment(px - cap, bottom, px + cap, bottom, stroke)
  end
end

local function draw_level(pen, y, low, high, stroke)
  local view, cap = pen.view, pen.theme.error_cap
  local py = view.y(y)
  local left = view.x(view_of.inside(view.xaxis, low))
  local right = view.x(view_of.inside(view.xaxis, high))
  pen.page:segment(left, py, right, py, stroke)
  pen.page:segment(right, py - cap, right, py + cap, stroke)
  pen.page:segment(left, py - cap, left, py + cap, stroke)
end

local function draw_bars(mark, pen)
  local stroke = { color = pen.color(mark.color), alpha = mark.alpha,
    width = mark.width or pen.theme.error_width }
  local ylow, yhigh = mark.yerr and data.values(mark.yerr.low), mark.yerr
    and data.values(mark.yerr.high)
  local xlow, xhigh = mark.xerr and data.values(mark.xerr.low), mark.xerr
    and data.values(mark.xerr.high)
  each_point(mark, pen.view, function(x, y, i)
    if ylow and ylow[i] + yhigh[i] - ylow[i] - yhigh[i] == 0 then
      draw_upright(pen, x, y - ylow[i], y + yhigh[i], stroke)
    end
    if xlow and xlow[i] + xhigh[i] - xlow[i] - xhigh[i] == 0 then
      draw_level(pen, y, x - xlow[i], x + xhigh[i], stroke)
    end
  end)
end

function errorbar.draw(mark, pen)
  local frame, theme = pen.view.frame, pen.theme
  draw_bars(mark, pen)
  if mark.line then
    pen.page:polyline(frame, mark.x, mark.y, common.stroke({ color = mark.color,
      dash = mark.dash, alpha = mark.alpha }, theme, theme.line_width))
  end
  local marker = common.marker(mark, theme)
  if marker then pen.page:markers(frame, mark.x, mark.y, marker) end
end

function errorbar.key(mark, theme)
  return common.key(mark, { marker = common.marker(mark, theme),
    line = mark.line and common.stroke({ color = mark.color, dash = mark.dash }, theme,
      theme.line_width) })
end

function errorbar.obstacles(mark, view, found)
  if mark.line then common.outline(view, mark.x, mark.y, found) end
  local ylow, yhigh = mark.yerr and data.values(mark.yerr.low), mark.yerr
    and data.values(mark.yerr.high)
  each_point(mark, view, function(x, y, i)
    local px, py = view.x(x), view.y(y)
    local top = ylow and view.y(view_of.inside(view.yaxis, y + yhigh[i])) or py
    local bottom = ylow and view.y(view_of.inside(view.yaxis, y - ylow[i])) or py
    found.boxes[#found.boxes + 1] = { left = px - 3, right = px + 3, top = top - 3,
      bottom = bottom + 3 }
  end)
end

function errorbar.series(mark, theme)
  return { { label = mark.label, points = mark.n, color = style.color(theme, mark.color) } }
end

return errorbar
