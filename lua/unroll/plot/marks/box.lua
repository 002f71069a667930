-- box.lua -- quartiles of samples (ax:box).
--
-- The box goes from the first to the third quartile, its line is the median; whiskers reach
-- the last values within 1.5 times the box's height of it (Tukey 1977), and what lies
-- beyond is drawn point by point. Quantiles are interpolated linearly.

local axes = require "unroll.plot.axes"
local color = require "unroll.plot.color"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local samples = require "unroll.plot.samples"
local style = require "unroll.plot.style"
local view_of = require "unroll.plot.view"

local box = {}

local kinds = { label = "string|number", color = "string|number", width = "positive",
  points = "boolean" }

local most_outliers = 1000 -- drawn of one sample

-- Values first..last, at most `most` of them.
local function some(sorted, first, last, most, list)
  for i = first, math.min(last, first + most - 1) do list[#list + 1] = sorted[i] end
  return list
end

local function summary(series)
  local s = samples.summary(series)
  if not s then return nil end
  local sorted, n, fence = s.sorted, s.count, 1.5 * (s.q3 - s.q1)
  local first = samples.first_from(sorted, s.q1 - fence)
  local last = samples.first_from(sorted, s.q3 + fence, true) - 1
  s.low, s.high = sorted[first], sorted[last]
  s.outliers = some(sorted, last + 1, n, most_outliers // 2,
    some(sorted, 1, first - 1, most_outliers // 2, {}))
  s.outlying = first - 1 + n - last
  s.values = n <= most_outliers and data.values(sorted) or nil
  return s
end

---@class unroll.BoxOptions
---@field label? string in the legend
---@field color? string|integer default the next of the palette
---@field width? number the part of a slot that a box fills, in 0..1; default 0.5
---@field points? boolean every value (of samples up to 1000) in place of the outliers; default
--- false

--[[---
--- Boxes with whiskers (Tukey 1977): quartiles and median of samples, whiskers to the last
--- value within 1.5 times the box's height, and the values beyond as points.
---
---     ax:box({ "tanh", "gru" }, { losses_tanh, losses_gru })
---@param categories? (string|number)[] (k) names of the samples; without it 1, 2, ..., k
---@param samples table list of k series of any lengths; NaN and infinities are left out
---@param opts? unroll.BoxOptions
---@return unroll.Axes self
function Axes:box(categories, samples, opts) end
]]
function box.new(panel, a, b, c)
  local names, list, opts = samples.read("box", panel, kinds, a, b, c)
  local mark = { names = names, samples = list, summaries = {}, label = common.label(opts.label),
    width = math.min(1, opts.width or 0.5), points = opts.points,
    color = axes.next_color(panel, "box", opts.color) }
  for i, series in ipairs(list) do mark.summaries[i] = summary(series) or false end
  return mark
end

box.limits = samples.limits

local function draw_box(s, x, half, pen, main)
  local page, view, theme = pen.page, pen.view, pen.theme
  local function y(v) return view.y(view_of.inside(view.yaxis, v)) end
  local stroke = { color = main, width = theme.error_width }
  page:rectangle(x - half, y(s.q3), x + half, y(s.q1), color.fade(main, theme.box_alpha))
  for _, v in ipairs { s.q1, s.q3 } do page:segment(x - half, y(v), x + half, y(v), stroke) end
  for _, side in ipairs { -half, half } do
    page:segment(x + side, y(s.q1), x + side, y(s.q3), stroke)
  end
  page:segment(x, y(s.q1), x, y(s.low), stroke)
  page:segment(x, y(s.q3), x, y(s.high), stroke)
  for _, v in ipairs { s.low, s.high } do
    page:segment(x - half / 2, y(v), x + half / 2, y(v), stroke)
  end
  page:segment(x - half, y(s.median), x + half, y(s.median),
    { color = main, width = 1.6 * theme.line_width })
end

-- Points on the page at x, y: markers take a frame, here that of the page itself.
local function draw_points(points, pen, marker)
  if #points.x == 0 then return end
  pen.page:markers(common.page_frame(pen.view.box), points.x, points.y, marker)
end

-- Spreads n points over the width, the same way each time: multiples of the golden ratio
-- fall evenly into 0..1 (a low-discrepancy sequence).
local function spread(values, x, half, view)
  local points = { x = {}, y = {} }
  for i, v in ipairs(values) do
    points.x[i] = x + half * 0.8 * (2 * (i * 0.6180339887 % 1) - 1)
    points.y[i] = view.y(v)
  end
  return points
end

local function draw_outliers(s, x, pen, main)
  local points = { x = {}, y = {} }
  for i, v in ipairs(s.outliers) do points.x[i], points.y[i] = x, pen.view.y(v) end
  draw_points(points, pen, { shape = "circle", size = 0.7 * pen.theme.marker_size, color = main,
    rim = pen.theme.background, rim_width = 0.5 })
end

function box.draw(mark, pen)
  local main = pen.color(mark.color)
  samples.each(mark, pen.view, function(s, x, half)
    draw_box(s, x, half, pen, main)
    if mark.points and s.values then
      draw_points(spread(s.values, x, half, pen.view), pen, { shape = "circle", color = main,
        size = 0.6 * pen.theme.marker_size, alpha = 0.7 })
    else
      draw_outliers(s, x, pen, main)
    end
  end)
end

box.key = samples.key

function box.obstacles(mark, view, found)
  samples.each(mark, view, function(s, x, half)
    found.boxes[#found.boxes + 1] = { left = x - half, right = x + half,
      top = view.y(view_of.inside(view.yaxis, s.most)),
      bottom = view.y(view_of.inside(view.yaxis, s.least)) }
  end)
end

function box.series(mark, theme)
  local list = {}
  for i, series in ipairs(mark.samples) do
    local s = mark.summaries[i] or {}
    list[i] = { label = mark.label, points = data.count(series), median = s.median, q1 = s.q1,
      q3 = s.q3, low = s.low, high = s.high, outliers = s.outlying,
      color = style.color(theme, mark.color) }
  end
  return list
end

return box
