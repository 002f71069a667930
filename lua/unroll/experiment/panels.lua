--- Panels that show several seeds: curves with their band, points with their range.

local statistics = require "unroll.experiment.statistics"
local summary = require "unroll.experiment.summary"

local panels = {}

local function same(value) return value end

local function mapped(values, f)
  local out = {}
  for i, v in ipairs(values) do out[i] = f(v) end
  return out
end

--- Draws the mean of several curves, and a band from the lowest to the highest of them.
---@param ax unroll.Axes
---@param x number[]
---@param curves number[][] one for each seed, as long as x
---@param opts table label, color (a number), dash; smooth = weight of the newest value in a
--- moving average, default none; transform = rising function for what is drawn, default none;
--- band = its opacity, false: no band
function panels.curves(ax, x, curves, opts)
  local f = opts.transform or same
  if opts.smooth then
    curves = mapped(curves, function(curve) return summary.smooth(curve, opts.smooth) end)
  end
  local mean, low, high = summary.across(curves)
  if #curves > 1 and opts.band ~= false then
    ax:band(x, mapped(low, f), mapped(high, f), { color = opts.color, alpha = opts.band })
  end
  ax:line(x, mapped(mean, f), { label = opts.label, color = opts.color, dash = opts.dash,
                                marker = "none" })
end

--- Draws a point for each list of values, with a bar over their range.
---@param ax unroll.Axes
---@param x number[]
---@param lists number[][] the values of all seeds, for each x
---@param opts table middle = "mean" or "median"; the others are those of ax:errorbar
function panels.points(ax, x, lists, opts)
  local y, low, high, options = {}, {}, {}, {}
  for i, values in ipairs(lists) do
    local d = statistics.describe(values)
    y[i] = d[opts.middle]
    low[i], high[i] = y[i] - d.low, d.high - y[i]
  end
  for name, value in pairs(opts) do
    if name ~= "middle" then options[name] = value end
  end
  options.yerr = { low = low, high = high }
  ax:errorbar(x, y, options)
end

--- Gives an axis one place for each name, at 1, 2, ...
---@param ax unroll.Axes
---@param names string[]
function panels.places(ax, names)
  local ticks = {}
  for i, name in ipairs(names) do ticks[i] = { i, name } end
  ax:set { xticks = ticks, xlim = { 0.5, #names + 0.5 } }
end

-- A log axis with room for a marker beyond the lowest and the highest value.
local function set_log(ax, series)
  local low, high = math.huge, 0
  for _, one in ipairs(series) do
    for _, values in ipairs(one.lists) do
      for _, v in ipairs(values) do
        if v > 0 then low, high = math.min(low, v), math.max(high, v) end
      end
    end
  end
  local room = (high / low) ^ 0.06
  ax:set { yscale = "log", ylim = high > low and { low / room, high * room } or nil }
end

--- Draws points with their range, several series beside each other at each name.
---@param ax unroll.Axes
---@param names string[]
---@param series table[] of { lists = values of all seeds for each name, label, color, marker }
---@param opts table middle = "mean" or "median"; log = true for a log axis
function panels.beside(ax, names, series, opts)
  local apart = math.min(0.2, 0.6 / #series)
  for s, one in ipairs(series) do
    local x = {}
    for i = 1, #names do x[i] = i + apart * (s - (#series + 1) / 2) end
    panels.points(ax, x, one.lists, { middle = opts.middle, label = one.label,
                                      color = one.color, marker = one.marker })
  end
  panels.places(ax, names)
  if opts.log then set_log(ax, series) end
end

return panels
