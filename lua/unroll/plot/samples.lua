--- Samples side by side, one in each slot of an axis: what boxes and violins are drawn of.

local canvas = require("unroll.core").canvas
local categories = require "unroll.plot.categories"
local color = require "unroll.plot.color"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local samples = {}

local function read_list(who, values)
  if type(values) == "userdata" or (type(values) == "table" and type(values[1]) == "number") then
    values = { values }
  end
  if type(values) ~= "table" then
    options.misuse("%s: samples must be a list of series, got %s", who, type(values))
  end
  local key = next(values)
  if #values == 0 and key ~= nil then
    options.misuse("%s: samples must be a list, got a table with the key '%s': names come first, "
      .. "as a list of their own", who, tostring(key))
  end
  local list = {}
  for i, v in ipairs(values) do list[i] = data.series(who, "sample " .. i, v) end
  return list
end

--- (categories, samples, opts) or (samples, opts) -> names, list of series, opts; the panel's x
--- axis gets the names.
function samples.read(who, panel, kinds, a, b, c)
  local is_list = type(b) == "table" and (next(b) == nil or math.type(next(b)) ~= nil)
  local names, values, opts = a, b, c
  if not is_list and c == nil then names, values, opts = nil, a, b end
  opts = options.check(who, opts, kinds)
  local list = read_list(who, values)
  names = names and categories.read(who, names) or categories.numbered(#list)
  if #names ~= #list then
    options.misuse("%s: %d samples for %d categories", who, #list, #names)
  end
  categories.share(who, panel, "x", names)
  return names, list, opts
end

--- The finite values of a series in order, and what is told of them; nil when there are none.
---@return table? summary { sorted, count, least, q1, median, q3, most }
function samples.summary(series)
  local sorted = canvas.sorted(series)
  local n = canvas.count(sorted)
  if n == 0 then return nil end
  return { sorted = sorted, count = n, least = sorted[1], most = sorted[n],
    q1 = canvas.quantile(sorted, 0.25), median = canvas.quantile(sorted, 0.5),
    q3 = canvas.quantile(sorted, 0.75) }
end

--- The place of the first sorted value that is not below v (above it, with `beyond`).
function samples.first_from(sorted, v, beyond)
  local low, high = 1, canvas.count(sorted) + 1
  while low < high do
    local middle = (low + high) // 2
    if sorted[middle] < v or (beyond and sorted[middle] == v) then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

-- Half of what a mark takes of its slot, in points of the page.
local function half_width(mark, view)
  return math.min(mark.width * math.abs(view.x(2) - view.x(1)) / 2, 40)
end

--- Calls f(summary, x, half) for each of mark.summaries that the axis can show: the middle of
--- its slot and half of the mark's width there.
function samples.each(mark, view, f)
  local half = half_width(mark, view)
  for i, s in ipairs(mark.summaries) do
    if s and not (view.yaxis.scale.positive and s.q1 <= 0) then f(s, view.x(i), half) end
  end
end

--- What the axes must show of a mark with names and samples.
function samples.limits(mark, reach)
  reach.x:cover({ 1, math.max(1, #mark.names) })
  for _, series in ipairs(mark.samples) do reach.y:cover(series) end
end

--- The legend's entry: a faded patch within its outline.
function samples.key(mark, theme)
  local main = style.color(theme, mark.color)
  return common.key(mark, { fill = color.fade(main, theme.box_alpha),
    line = { color = main, width = theme.line_width } })
end

return samples
