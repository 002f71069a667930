-- vline.lua -- upright reference lines (ax:vline).

local common = require "unroll.plot.marks.common"
local hline = require "unroll.plot.marks.hline"

local vline = { layer = "reference" }

--[[---
--- An upright reference line across the panel. The x axis reaches it.
---
---     ax:vline(600, { label = "rate halved" })
---@param x number in the units of the axis
---@param opts? unroll.ReferenceOptions
---@return unroll.Axes self
function Axes:vline(x, opts) end
]]
function vline.new(_, at, opts)
  return hline.make("vline", at, opts)
end

function vline.limits(mark, reach)
  reach.x:cover({ mark.at })
end

local function shown(mark, plan)
  return mark.at >= plan.low and mark.at <= plan.high
end

function vline.draw(mark, pen)
  local b, x = pen.view.box, pen.view.x(mark.at)
  if shown(mark, pen.view.xaxis) then
    pen.page:segment(x, b.top, x, b.bottom, hline.stroke(mark, pen.theme))
  end
end

function vline.obstacles(mark, view, found)
  local b, x = view.box, view.x(mark.at)
  if shown(mark, view.xaxis) then
    found.lines[#found.lines + 1] = { x, b.top, x, b.bottom }
  end
end

function vline.labels(mark, view, theme)
  if not mark.label or not shown(mark, view.xaxis) then return {} end
  return { { item = hline.item(mark, view, theme),
    candidates = common.upright_candidates(view.box, view.x(mark.at)) } }
end

return vline
