-- smooth.lua -- a noisy series under its moving average (ax:smooth).
--
-- The average is exponential and bias-corrected (Kingma and Ba 2015):
--   s_t = beta s_{t-1} + (1 - beta) y_t,   smooth_t = s_t / (1 - beta^t)
-- with beta = 1 - 2 / (window + 1), so that the first points are not pulled to zero.

local axes = require "unroll.plot.axes"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local smooth = {}

local kinds = common.line_kinds { window = "positive" }
kinds.alpha = nil

local function moving_average(y, window)
  local beta = 1 - 2 / (math.max(1, window) + 1)
  local sum, weight, result = 0.0, 1.0, {}
  for i, v in ipairs(data.values(y)) do
    if v - v == 0 then
      sum, weight = beta * sum + (1 - beta) * v, weight * beta
      result[i] = sum / (1 - weight)
    else
      result[i] = 0 / 0
    end
  end
  return data.series("smooth", "y", result)
end

---@class unroll.SmoothOptions
---@field label? string in the legend
---@field color? string|integer default the next of the palette
---@field width? number of the average, in points; default 1.6
---@field dash? string|number[] of the average: "solid", "dashed", "dotted", "dashdot" or lengths
---@field window? number how many points the average spans, beta = 1 - 2 / (window + 1); default
--- n / 25, at least 5

--[[---
--- A noisy series, pale, and on it its exponential moving average, corrected for its start
--- (Kingma and Ba 2015): s_t = beta s_{t-1} + (1 - beta) y_t, drawn is s_t / (1 - beta^t).
--- Points that are not finite are left out of the average.
---
---     ax:smooth(history.loss, { label = "loss", window = 50 })
---@param x? unroll.Tensor|number[] (n); without it 1, 2, ..., n
---@param y unroll.Tensor|number[] (n)
---@param opts? unroll.SmoothOptions
---@return unroll.Axes self
function Axes:smooth(x, y, opts) end
]]
function smooth.new(panel, a, b, c)
  local x, y, opts = common.xy("smooth", panel, a, b, c)
  opts = options.check("smooth", opts, kinds)
  local n = data.count(y)
  return { x = x, y = y, n = n, label = common.label(opts.label), width = opts.width,
    dash = style.check_dash("smooth", opts.dash),
    average = moving_average(y, opts.window or math.max(5, n // 25)),
    color = axes.next_color(panel, "smooth", opts.color) }
end

function smooth.limits(mark, reach)
  reach.x:cover_x(mark.x, mark.n)
  reach.y:cover(mark.y)
end

function smooth.draw(mark, pen)
  local frame, theme = pen.view.frame, pen.theme
  pen.page:polyline(frame, mark.x, mark.y, { color = pen.color(mark.color),
    width = theme.raw_width, alpha = theme.raw_alpha })
  pen.page:polyline(frame, mark.x, mark.average,
    common.stroke(mark, theme, theme.line_width))
end

function smooth.key(mark, theme)
  return common.key(mark, { line = common.stroke(mark, theme, theme.line_width) })
end

function smooth.obstacles(mark, view, found)
  common.outline(view, mark.x, mark.y, found)
end

function smooth.series(mark, theme)
  return { { label = mark.label, points = mark.n, color = style.color(theme, mark.color) } }
end

return smooth
