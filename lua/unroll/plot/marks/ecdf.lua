-- ecdf.lua -- the share of values up to each value (ax:ecdf).
--
-- F(v) = the number of values <= v, divided by n: a staircase that rises by 1/n at each value.
-- Of many values, the staircase through `most_steps` of their ranks is drawn, the first and the
-- last among them: it is nowhere more than 1/most_steps from F, less than a page shows.

local axes = require "unroll.plot.axes"
local canvas = require("unroll.core").canvas
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local ecdf = {}

local kinds = common.line_kinds()

local most_steps <const> = 4000

-- The corners of the staircase, from the foot of its first step to its top.
local function stairs(sorted)
  local n, xs, ys, before = canvas.count(sorted), {}, {}, 0
  local count = math.min(n, most_steps)
  for i = 1, count do
    local rank = count == n and i or math.max(1, math.floor(i * n / count + 0.5))
    local at, share = sorted[i == 1 and 1 or rank], rank / n
    table.move({ at, at }, 1, 2, #xs + 1, xs)
    table.move({ before, share }, 1, 2, #ys + 1, ys)
    before = share
  end
  return xs, ys
end

---@class unroll.EcdfOptions
---@field label? string in the legend
---@field color? string|integer default the next of the palette
---@field width? number points; default 1.6
---@field dash? string|number[] "solid", "dashed", "dotted", "dashdot", or lengths in points
---@field alpha? number opacity in 0..1; default 1

--[[---
--- The empirical distribution: at each value the share of the values that are not above it. It
--- has no bins to choose, and several lie over one another without hiding any.
---
---     ax:ecdf(losses_tanh, { label = "tanh" }):ecdf(losses_gru, { label = "gru" })
---@param values unroll.Tensor|number[] (n), in any order; NaN and infinities are left out
---@param opts? unroll.EcdfOptions
---@return unroll.Axes self
function Axes:ecdf(values, opts) end
]]
function ecdf.new(panel, values, opts)
  opts = options.check("ecdf", opts, kinds)
  local mark = { values = data.series("ecdf", "values", values), width = opts.width,
    label = common.label(opts.label), alpha = common.check_alpha("ecdf", opts.alpha),
    dash = style.check_dash("ecdf", opts.dash),
    color = axes.next_color(panel, "ecdf", opts.color) }
  mark.sorted = canvas.sorted(mark.values)
  mark.x, mark.y = stairs(mark.sorted)
  return mark
end

function ecdf.limits(mark, reach)
  reach.x:cover(mark.values)
  reach.y:edge(0)
  reach.y:edge(1)
end

function ecdf.draw(mark, pen)
  pen.page:polyline(pen.view.frame, mark.x, mark.y,
    common.stroke(mark, pen.theme, pen.theme.line_width))
end

function ecdf.key(mark, theme)
  return common.key(mark, { line = common.stroke(mark, theme, theme.line_width) })
end

function ecdf.obstacles(mark, view, found)
  common.outline(view, mark.x, mark.y, found)
end

function ecdf.series(mark, theme)
  local some = canvas.count(mark.sorted) > 0
  return { { label = mark.label, points = canvas.count(mark.values),
    median = some and canvas.quantile(mark.sorted, 0.5) or nil,
    color = style.color(theme, mark.color) } }
end

return ecdf
