-- diagonal.lua -- reference lines y = slope x + intercept (ax:diagonal).
--
-- On scales that are not linear the line is a curve, so it is drawn through many points,
-- evenly spaced on the page.

local data = require "unroll.plot.data"
local hline = require "unroll.plot.marks.hline"
local options = require "unroll.plot.options"

local diagonal = { layer = "reference" }

local pieces = 100

--[[---
--- A reference line across the panel: y = slope * x + intercept, on any scales. It does not
--- stretch the axes.
---
---     ax:scatter(analytic, numeric):diagonal(1, 0, { label = "y = x" })
---@param slope? number default 1
---@param intercept? number default 0
---@param opts? unroll.ReferenceOptions
---@return unroll.Axes self
function Axes:diagonal(slope, intercept, opts) end
]]
function diagonal.new(_, slope, intercept, opts)
  if type(slope) == "table" then slope, opts = nil, slope end
  if type(intercept) == "table" then intercept, opts = nil, intercept end
  local mark = hline.make("diagonal", slope or 1, opts)
  mark.intercept = options.number("diagonal", "the intercept", intercept or 0)
  return mark
end

-- Points along the line, evenly spaced on the page.
local function points(mark, view)
  local s, xs, ys = view.xaxis.scale, {}, {}
  local low, high = s.forward(view.xaxis.low), s.forward(view.xaxis.high)
  for i = 0, pieces do
    xs[i + 1] = s.inverse(low + (high - low) * i / pieces)
    ys[i + 1] = mark.at * xs[i + 1] + mark.intercept
  end
  return xs, ys
end

function diagonal.draw(mark, pen)
  local xs, ys = points(mark, pen.view)
  pen.page:polyline(pen.view.frame, data.series("diagonal", "x", xs),
    data.series("diagonal", "y", ys), hline.stroke(mark, pen.theme))
end

-- The page points that lie in the panel.
local function shown(mark, view)
  local xs, ys = points(mark, view)
  local list, b = {}, view.box
  for i, x in ipairs(xs) do
    local px, py = view.x(x), view.y(ys[i])
    if px == px and py >= b.top and py <= b.bottom then list[#list + 1] = { px, py } end
  end
  return list
end

function diagonal.obstacles(mark, view, found)
  local line = {}
  for _, point in ipairs(shown(mark, view)) do
    line[#line + 1], line[#line + 2] = point[1], point[2]
  end
  found.lines[#found.lines + 1] = line
end

-- Beside the line, near its upper end first.
function diagonal.labels(mark, view, theme)
  local list, candidates = shown(mark, view), {}
  if not mark.label or #list == 0 then return {} end
  for _, part in ipairs { 0.9, 0.75, 0.6, 0.45, 0.3, 0.15 } do
    local point = list[math.max(1, math.floor(#list * part))]
    candidates[#candidates + 1] = { point[1] - 7, point[2] - 3, 1, 1 }
    candidates[#candidates + 1] = { point[1] + 7, point[2] + 3, 0, 0 }
    candidates[#candidates + 1] = { point[1] + 7, point[2] - 3, 0, 1 }
    candidates[#candidates + 1] = { point[1] - 7, point[2] + 3, 1, 0 }
  end
  return { { item = hline.item(mark, view, theme), candidates = candidates } }
end

return diagonal
