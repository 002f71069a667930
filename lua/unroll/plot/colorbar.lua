--- Values shown as colours: the options of charts that do so, what the canvas needs, and the
--- colour bar that explains it.
--
-- Such a chart keeps {map, norm, bar, label, format} as mark.colors.

local canvas = require("unroll.core").canvas
local colormap = require "unroll.plot.colormap"
local data = require "unroll.plot.data"
local format = require "unroll.plot.format"
local options = require "unroll.plot.options"
local reach = require "unroll.plot.reach"

local colorbar = {}

--- The kinds of these options, with those of one chart.
---@param own table<string, any>
function colorbar.kinds(own)
  local kinds = { map = "string", norm = { "linear", "log", "centred" }, center = "number",
    limits = "table", format = "string|function", bar = "boolean" }
  for name, kind in pairs(own) do kinds[name] = kind end
  return kinds
end

local function check_limits(who, limits)
  if not limits then return {} end
  for i = 1, 2 do
    if limits[i] ~= nil then options.number(who, "limits[" .. i .. "]", limits[i]) end
  end
  if limits[1] and limits[2] and limits[1] >= limits[2] then
    options.misuse("%s: limits = {%g, %g} must rise", who, limits[1], limits[2])
  end
  return limits
end

-- From values to 0..1, as far as the page can show them.
local function make_norm(who, kind, opts, values)
  local low, high, finite = canvas.range(values, kind == "log")
  local least = kind == "log" and 1e-300 or -1e300
  low, high = math.max(least, math.min(1e300, low)), math.max(least, math.min(1e300, high))
  if finite == 0 then low, high = nil, nil end
  local norm, limits = colormap.norm(kind, low, high, opts.center or 0),
    check_limits(who, opts.limits)
  norm.low, norm.high = limits[1] or norm.low, limits[2] or norm.high
  if norm.low >= norm.high or (kind == "log" and norm.low <= 0) then
    options.misuse("%s: no colours between limits %g and %g", who, norm.low, norm.high)
  end
  return norm
end

--- Reads map, norm, center, limits, format and bar.
---@param who string the chart, for messages
---@param opts table
---@param values userdata all values, as data.series gives them
---@param label string|nil of the colour bar
function colorbar.read(who, opts, values, label)
  local kind = opts.norm or (opts.center and "centred") or "linear"
  format.check(who .. ": format", opts.format)
  return { norm = make_norm(who, kind, opts, values), format = opts.format, label = label,
    map = colormap.check(who, opts.map or (kind == "centred" and "RdBu_r" or "viridis")),
    bar = opts.bar ~= false }
end

--- What the canvas takes.
function colorbar.palette(colors, theme)
  local norm = colors.norm
  return { table = colormap.table(colors.map), scale = norm.scale.name, low = norm.low,
    high = norm.high, missing = theme.missing }
end

--- The colour bar's axis, for plot/sides.lua; nil without one.
function colorbar.axis(mark)
  local colors = mark.colors
  if not colors or not colors.bar then return nil end
  local norm = colors.norm
  return { low = norm.low, high = norm.high, label = colors.label, format = colors.format,
    reach = reach.fixed(norm.scale, norm.low, norm.high) }
end

local ramp -- 0..255 from the lower end up

--- Draws the bar into a box.
function colorbar.draw(mark, page, b, theme)
  if not ramp then
    local steps = {}
    for i = 1, 256 do steps[i] = { i - 1 } end
    ramp = data.matrix("colour bar", "its steps", steps)
  end
  page:heatmap(b.left, b.top, b.right, b.bottom, ramp.grid, { low = 0, high = 255,
    table = colormap.table(mark.colors.map), missing = theme.missing }, { bottom_up = true })
end

return colorbar
