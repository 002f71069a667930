-- span.lua -- shaded ranges (ax:span).

local color = require "unroll.plot.color"
local common = require "unroll.plot.marks.common"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local text = require "unroll.plot.text"
local view_of = require "unroll.plot.view"

local span = { layer = "back" }

local kinds = { label = "string|number", axis = { "y", "x" }, color = "string|number",
  alpha = "number", edges = "boolean" }

---@class unroll.SpanOptions
---@field label? string written at the range's edge
---@field axis? "y"|"x" which axis the range is of; default "y"
---@field color? string|integer default grey
---@field alpha? number opacity in 0..1; default 0.11
---@field edges? boolean thin lines at low and high; default true

--[[---
--- A shaded range of y (or of x) across the panel. The axis reaches both ends.
---
---     ax:span(0.1, 1, { label = "healthy" })
---@param low number in the units of the axis
---@param high number at least low
---@param opts? unroll.SpanOptions
---@return unroll.Axes self
function Axes:span(low, high, opts) end
]]
function span.new(_, low, high, opts)
  opts = options.check("span", opts, kinds)
  options.number("span", "low", low)
  options.number("span", "high", high)
  if low > high then options.misuse("span: low = %g is above high = %g", low, high) end
  return { low = low, high = high, label = common.label(opts.label),
    axis = opts.axis or "y", color = color.check("span", opts.color),
    alpha = common.check_alpha("span", opts.alpha), edges = opts.edges ~= false }
end

function span.limits(mark, reach)
  reach[mark.axis]:cover({ mark.low, mark.high })
end

-- The range on the page, cut to the panel.
local function area(mark, view)
  local b = view.box
  if mark.axis == "x" then
    local plan = view.xaxis
    return { left = view.x(view_of.inside(plan, mark.low)),
      right = view.x(view_of.inside(plan, mark.high)), top = b.top, bottom = b.bottom }
  end
  local plan = view.yaxis
  return { left = b.left, right = b.right, top = view.y(view_of.inside(plan, mark.high)),
    bottom = view.y(view_of.inside(plan, mark.low)) }
end

local function base_color(mark, theme)
  return mark.color and style.color(theme, mark.color) or theme.reference
end

function span.draw(mark, pen)
  local a, theme = area(mark, pen.view), pen.theme
  local c = base_color(mark, theme)
  pen.page:rectangle(a.left, a.top, a.right, a.bottom,
    color.fade(c, mark.alpha or theme.span_alpha))
  if not mark.edges then return end
  local stroke = { color = c, alpha = 0.35, width = theme.grid_width }
  if mark.axis == "x" then
    pen.page:segment(a.left, a.top, a.left, a.bottom, stroke)
    pen.page:segment(a.right, a.top, a.right, a.bottom, stroke)
  else
    pen.page:segment(a.left, a.top, a.right, a.top, stroke)
    pen.page:segment(a.left, a.bottom, a.right, a.bottom, stroke)
  end
end

-- Outside the range first, along its upper edge, then inside.
local function candidates(mark, view)
  local a = area(mark, view)
  if mark.axis == "x" then
    return common.upright_candidates(view.box, a.right)
  end
  local list = common.level_candidates(view.box, a.top)
  return table.move(common.level_candidates(view.box, a.bottom), 1, 6, #list + 1, list)
end

function span.labels(mark, view, theme)
  if not mark.label then return {} end
  local c = mark.color and color.mix(base_color(mark, theme), theme.text, 0.45)
    or theme.muted
  return { { candidates = candidates(mark, view),
    item = text.new(mark.label, { size = theme.note_size, color = c, role = "label",
      wrap = view.box.right - view.box.left - 12 }) } }
end

return span
