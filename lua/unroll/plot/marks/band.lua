-- band.lua -- the area between two lines (ax:band).

local axes = require "unroll.plot.axes"
local color = require "unroll.plot.color"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local band = { layer = "fill" }

local kinds = common.line_kinds { sd = "table|userdata|number" }

local function read_x(x, y)
  if x == nil then return nil end
  return data.beside("band", "x", x, y)
end

-- (x, mean, {sd=}) or (x, low, high, opts).
local function read(x, a, b, opts)
  if not data.is_values(b) and opts == nil and not data.both_empty(a, b) then
    opts = options.check("band", b, kinds)
    local mean = data.series("band", "mean", a)
    if not opts.sd then
      options.misuse("band: give low and high, or the option sd")
    end
    local sd = data.beside("band", "sd", opts.sd, mean)
    return { x = read_x(x, mean), mean = mean, low = data.offset(mean, sd, -1),
      high = data.offset(mean, sd, 1) }, opts
  end
  opts = options.check("band", opts, kinds)
  if opts.sd then options.misuse("band: sd goes with a mean, not with low and high") end
  local low = data.series("band", "low", a)
  return { x = read_x(x, low), low = low, high = data.beside("band", "high", b, low) }, opts
end

---@class unroll.BandOptions
---@field sd? number|unroll.Tensor|number[] the second argument is a mean: its line is drawn, in a
--- band from mean - sd to mean + sd
---@field label? string in the legend
---@field color? string|integer default that of the series drawn last; with sd the next of the
--- palette
---@field alpha? number opacity of the area in 0..1; default 0.18
---@field width? number of the mean's line, in points; default 1.6
---@field dash? string|number[] of the mean's line

--[[---
--- The area between two lines, or a mean in the band of its deviation. It breaks where a
--- number is not finite; on a log axis what is not positive is the axis' floor.
---
---     ax:band(steps, mean, { sd = deviation, label = "5 seeds" })
---     ax:line(steps, median):band(steps, quartile1, quartile3)
---@param x? unroll.Tensor|number[] (n); nil: 1, 2, ..., n
---@param low unroll.Tensor|number[] (n), or the mean
---@param high? unroll.Tensor|number[]|number (n); a number serves all points
---@param opts? unroll.BandOptions
---@return unroll.Axes self
function Axes:band(x, low, high, opts) end
]]
function band.new(panel, x, a, b, opts)
  local mark, given = read(x, a, b, opts)
  mark.label, mark.width = common.label(given.label), given.width
  mark.fade = common.check_alpha("band", given.alpha)
  mark.dash = style.check_dash("band", given.dash)
  local choose = mark.mean and axes.next_color or axes.same_color
  mark.color = choose(panel, "band", given.color)
  return mark
end

function band.limits(mark, reach)
  reach.x:cover_x(mark.x, data.count(mark.low))
  reach.y:cover(mark.low)
  reach.y:cover(mark.high)
end

local function fill_color(mark, theme)
  return color.fade(style.color(theme, mark.color), mark.fade or theme.band_alpha)
end

function band.draw(mark, pen)
  local frame, theme = pen.view.frame, pen.theme
  pen.page:area(frame, mark.x, mark.low, mark.high, fill_color(mark, theme))
  if mark.mean then
    pen.page:polyline(frame, mark.x, mark.mean, common.stroke(mark, theme, theme.line_width))
  end
end

function band.key(mark, theme)
  return common.key(mark, { fill = fill_color(mark, theme),
    line = mark.mean and common.stroke(mark, theme, theme.line_width) })
end

function band.obstacles(mark, view, found)
  common.outline(view, mark.x, mark.low, found)
  common.outline(view, mark.x, mark.high, found)
end

function band.series(mark, theme)
  return { { label = mark.label, points = data.count(mark.low),
    color = style.color(theme, mark.color) } }
end

return band
