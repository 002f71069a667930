-- hline.lua -- level reference lines (ax:hline).

local color = require "unroll.plot.color"
local common = require "unroll.plot.marks.common"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local text = require "unroll.plot.text"

local hline = { layer = "reference" }

local kinds = common.line_kinds()

--- The mark of a reference line; vline makes its own with it.
function hline.make(who, at, opts)
  opts = options.check(who, opts, kinds)
  return { at = options.number(who, "the position", at), label = common.label(opts.label),
    color = color.check(who, opts.color), width = opts.width,
    dash = style.check_dash(who, opts.dash),
    alpha = common.check_alpha(who, opts.alpha) }
end

---@class unroll.ReferenceOptions
---@field label? string written at the line, where there is room
---@field color? string|integer default grey
---@field width? number points; default 1
---@field dash? string|number[] default dashed; "solid", "dotted", "dashdot" or lengths in points
---@field alpha? number opacity in 0..1; default 1

--[[---
--- A level reference line across the panel. The y axis reaches it.
---
---     ax:hline(math.log(23), { label = "uniform, ln 23" })
---@param y number in the units of the axis
---@param opts? unroll.ReferenceOptions
---@return unroll.Axes self
function Axes:hline(y, opts) end
]]
function hline.new(_, at, opts)
  return hline.make("hline", at, opts)
end

function hline.limits(mark, reach)
  reach.y:cover({ mark.at })
end

--- How reference lines are drawn.
function hline.stroke(mark, theme)
  local dash = mark.dash
  if dash == nil then dash = theme.reference_dash end
  return { color = mark.color and style.color(theme, mark.color) or theme.reference,
    width = mark.width or theme.reference_width, dash = dash or nil, alpha = mark.alpha }
end

--- The text item of a reference line's label.
function hline.item(mark, view, theme)
  return text.new(mark.label, { size = theme.note_size, color = theme.muted,
    role = "label", wrap = view.box.right - view.box.left - 12 })
end

local function shown(mark, plan)
  return mark.at >= plan.low and mark.at <= plan.high
end

function hline.draw(mark, pen)
  local b, y = pen.view.box, pen.view.y(mark.at)
  if shown(mark, pen.view.yaxis) then
    pen.page:segment(b.left, y, b.right, y, hline.stroke(mark, pen.theme))
  end
end

function hline.obstacles(mark, view, found)
  local b, y = view.box, view.y(mark.at)
  if shown(mark, view.yaxis) then
    found.lines[#found.lines + 1] = { b.left, y, b.right, y }
  end
end

function hline.labels(mark, view, theme)
  if not mark.label or not shown(mark, view.yaxis) then return {} end
  return { { item = hline.item(mark, view, theme),
    candidates = common.level_candidates(view.box, view.y(mark.at)) } }
end

return hline
