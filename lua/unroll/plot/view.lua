--- A panel's map from data to page points.

local view = {}

-- The map of one axis onto from..to; a flipped axis runs the other way.
local function map(plan, from, to)
  local forward = plan.scale.forward
  local low, high = forward(plan.low), forward(plan.high)
  if plan.flip then from, to = to, from end
  return function(v) return from + (forward(v) - low) / (high - low) * (to - from) end
end

--- A view has `box`, `frame` (for the canvas), `x` and `y` (functions to page points).
---@param b table the panel's box
---@param xaxis table plan of the x axis
---@param yaxis table plan of the y axis
function view.new(b, xaxis, yaxis)
  local frame = { left = b.left, top = b.top, right = b.right, bottom = b.bottom,
    xscale = xaxis.scale.name, xlow = xaxis.low, xhigh = xaxis.high, xflip = xaxis.flip,
    xthreshold = xaxis.scale.threshold,
    yscale = yaxis.scale.name, ylow = yaxis.low, yhigh = yaxis.high, yflip = yaxis.flip,
    ythreshold = yaxis.scale.threshold }
  return { box = b, frame = frame, xaxis = xaxis, yaxis = yaxis,
    x = map(xaxis, b.left, b.right), y = map(yaxis, b.bottom, b.top) }
end

--- v pulled into the axis: the floor of a log axis for what is not positive.
function view.inside(plan, v)
  if v ~= v then return v end
  return math.max(plan.low, math.min(plan.high, v))
end

return view
