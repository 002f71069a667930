-- hist.lua -- histograms (ax:hist).
--
-- The number of bins follows Freedman and Diaconis (1981): width 2 IQR / n^(1/3), where that
-- is 0 Sturges' 1 + log2 n, at most 200. On a log axis bins are equally wide on the page.
-- Whole numbers with few values get a bin each. All series of one call share the bins.

local axes = require "unroll.plot.axes"
local canvas = require("unroll.core").canvas
local color = require "unroll.plot.color"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local common = require "unroll.plot.marks.common"
local view_of = require "unroll.plot.view"

local hist = { standing = true }

local kinds = { bins = "number|table", density = "boolean", range = "table", labels = "table",
  label = "string|number", color = "string|number", alpha = "number" }

local most_bins = 200
local most_whole = 60 -- distinct whole numbers that get a bin each

-- --- bins ----------------------------------------------------------------------------

-- The finite values of all series together, sorted; on a log axis the positive ones.
local function pooled(mark, s)
  if #mark.series_values == 1 and not s.positive then
    return canvas.sorted(mark.series_values[1])
  end
  local all = {}
  for _, series in ipairs(mark.series_values) do
    for _, v in ipairs(data.values(canvas.sorted(series))) do
      if not (s.positive and v <= 0) then all[#all + 1] = v end
    end
  end
  return canvas.sorted(all)
end

local function automatic_count(sorted, n, low, high, s)
  local q1, q3 = canvas.quantile(sorted, 0.25), canvas.quantile(sorted, 0.75)
  local width = 2 * (s.forward(q3) - s.forward(q1)) / n ^ (1 / 3)
  local span = s.forward(high) - s.forward(low)
  if width <= 0 or span / width > 1e9 then return math.ceil(1 + math.log(n, 2)) end
  return math.max(1, math.min(most_bins, math.ceil(span / width)))
end

-- Whole numbers within a short range: one bin each, around the number.
local function whole_edges(mark, low, high)
  if high - low >= most_whole or math.max(-low, high) > 1e15 then return nil end -- or no 0.5
  for _, series in ipairs(mark.series_values) do
    if not select(5, canvas.range(series)) then return nil end
  end
  local edges = {}
  for v = low, high + 1 do edges[#edges + 1] = v - 0.5 end
  return edges
end

local function even_edges(low, high, count, s)
  local u, v, edges = s.forward(low), s.forward(high), {}
  for i = 0, count do edges[i + 1] = s.inverse(u + (v - u) * i / count) end
  edges[1], edges[count + 1] = low, high
  for i = 2, count + 1 do
    if edges[i] <= edges[i - 1] then return { low, high } end -- narrower than numbers can be
  end
  return edges
end

local function edges_of(mark, s)
  if type(mark.bins) == "table" then return mark.bins end
  local sorted = pooled(mark, s)
  local n = data.count(sorted)
  if n == 0 then return { s.empty[1], s.empty[2] } end
  local low, high = canvas.quantile(sorted, 0), canvas.quantile(sorted, 1)
  if mark.range then
    low, high = s.positive and math.max(low, mark.range[1]) or mark.range[1], mark.range[2]
    if low >= high then return { low, low * 2 } end -- all of it <= 0 on a log axis
  end
  if not mark.bins and not s.positive and not mark.range then
    local edges = whole_edges(mark, low, high)
    if edges then return edges end
  end
  if low == high then
    local margin = math.max(0.5, math.abs(low) * 1e-3)
    low, high = s.positive and low / 2 or low - margin, s.positive and high * 2 or high + margin
  end
  low, high = math.max(low, -1e300), math.min(high, 1e300)
  return even_edges(low, high, mark.bins or automatic_count(sorted, n, low, high, s), s)
end

local function heights_of(mark, edges)
  local list = {}
  for k, series in ipairs(mark.series_values) do
    local counts, total = canvas.histogram(series, edges), 0
    for _, count in ipairs(counts) do total = total + count end
    if mark.density and total > 0 then
      for i, count in ipairs(counts) do counts[i] = count / total / (edges[i + 1] - edges[i]) end
    end
    list[k] = counts
  end
  return list
end

-- Edges and heights on a scale; counted once.
local function bins_of(mark, s)
  local known = mark.counted[s.kind]
  if not known then
    known = { edges = edges_of(mark, s) }
    known.heights = heights_of(mark, known.edges)
    mark.counted[s.kind] = known
  end
  return known
end

-- --- arguments -----------------------------------------------------------------------

local function check_bins(bins)
  if type(bins) == "number" then
    if math.type(bins) ~= "integer" or bins < 1 or bins > 10000 then
      options.misuse("hist: bins must be a whole number in 1..10000, got %s", tostring(bins))
    end
    return bins
  end
  for i, edge in ipairs(bins or {}) do
    options.number("hist", "bins[" .. i .. "]", edge)
    if i > 1 and edge <= bins[i - 1] then options.misuse("hist: the edges in bins must rise") end
  end
  if bins and #bins < 2 then options.misuse("hist: bins needs at least two edges") end
  return bins and { table.unpack(bins) }
end

local function check_range(range)
  if not range then return nil end
  options.number("hist", "range[1]", range[1])
  options.number("hist", "range[2]", range[2])
  if range[1] >= range[2] then options.misuse("hist: range must be {low, high}") end
  return { range[1], range[2] }
end

local function read_series(values)
  local list = {}
  local many = type(values) == "table" and type(values[1]) ~= "number" and #values > 0
  for i, v in ipairs(many and values or { values }) do
    if type(v) == "userdata" and v:dim() ~= 1 then v = v:reshape(v:numel()) end
    list[i] = data.series("hist", many and "values[" .. i .. "]" or "values", v)
  end
  return list
end

local function read_labels(opts, count)
  local labels = opts.labels or (opts.label ~= nil and { opts.label }) or {}
  local list = {}
  for i = 1, #labels do list[i] = options.text("hist", "labels[" .. i .. "]", labels[i]) end
  if #list > 0 and #list ~= count then
    options.misuse("hist: %d labels for %d series", #list, count)
  end
  return list
end

---@class unroll.HistOptions
---@field bins? integer|number[] a number of bins (1..10000), or their edges, rising; default
--- Freedman and Diaconis' number, at most 200; few whole numbers get a bin each
---@field range? number[] {low, high} of the bins; values outside are not counted
---@field density? boolean areas are shares of the values, in place of counts; default false
---@field label? string in the legend
---@field labels? string[] one a series
---@field color? string|integer of the first series; default the next of the palette
---@field alpha? number opacity in 0..1; default 1, with several series 0.45

--[[---
--- A histogram; several series share their bins. On a log axis the bins are equally wide on
--- the page. NaN and infinities are left out and counted in a note.
---
---     ax:hist(model.W_hh, { label = "W_hh" })
---     ax:hist({ before, after }, { labels = { "before", "after" } })
---@param values unroll.Tensor|number[]|table (n), or a list of such series; all elements of a
--- tensor with more dimensions
---@param opts? unroll.HistOptions
---@return unroll.Axes self
function Axes:hist(values, opts) end
]]
function hist.new(panel, values, opts)
  opts = options.check("hist", opts, kinds)
  if values == nil then options.misuse("hist: values are missing") end
  local mark = { series_values = read_series(values), bins = check_bins(opts.bins),
    range = check_range(opts.range), density = opts.density, counted = {}, colors = {},
    alpha = common.check_alpha("hist", opts.alpha) }
  mark.labels = read_labels(opts, #mark.series_values)
  for i = 1, #mark.series_values do
    mark.colors[i] = axes.next_color(panel, "hist", i == 1 and opts.color or nil)
  end
  return mark
end

-- Are the bins around whole numbers?
local function is_whole(edges)
  return #edges > 1 and (edges[1] + 0.5) % 1 == 0 and edges[2] - edges[1] == 1
end

function hist.limits(mark, reach)
  local bins = bins_of(mark, reach.x.scale)
  for _, series in ipairs(mark.series_values) do
    reach.x:count_missing(series, reach.x.scale.positive)
  end
  reach.x:cover({ bins.edges[1], bins.edges[#bins.edges] })
  reach.x.integers = reach.x.integers or is_whole(bins.edges)
  reach.x.margin, reach.x.keep_margin = 0.025, true
  local any = false
  for _, heights in ipairs(bins.heights) do
    local shown = {}
    for _, h in ipairs(heights) do
      if h > 0 then shown[#shown + 1] = h end
    end
    any = any or #shown > 0
    reach.y:cover(shown)
  end
  if any then reach.y:edge(0) end
end

-- --- drawing -------------------------------------------------------------------------

local gap = 0.5 -- points between wide bars

-- The page box of bin i; nil for an empty one.
local function bar_box(bins, heights, i, view)
  if heights[i] <= 0 then return nil end
  local foot = view.y(view_of.inside(view.yaxis, 0))
  local a, b = view.x(bins.edges[i]), view.x(bins.edges[i + 1])
  local top = view.y(view_of.inside(view.yaxis, heights[i]))
  return { left = math.min(a, b), right = math.max(a, b), top = math.min(top, foot),
    bottom = math.max(top, foot) }
end

-- The outline of the bars, from foot to foot.
local function stairs(bins, heights, view)
  local foot = view.y(view_of.inside(view.yaxis, 0))
  local points = { view.x(bins.edges[1]), foot }
  for i, h in ipairs(heights) do
    local y = h > 0 and view.y(view_of.inside(view.yaxis, h)) or foot
    table.move({ view.x(bins.edges[i]), y, view.x(bins.edges[i + 1]), y }, 1, 4,
      #points + 1, points)
  end
  points[#points + 1], points[#points + 2] = view.x(bins.edges[#bins.edges]), foot
  return points
end

local function draw_line(points, pen, stroke)
  local b, xs, ys = pen.view.box, {}, {}
  for i = 1, #points, 2 do xs[#xs + 1], ys[#ys + 1] = points[i], points[i + 1] end
  pen.page:polyline({ left = b.left, right = b.right, top = b.top, bottom = b.bottom,
    xlow = b.left, xhigh = b.right, ylow = b.bottom, yhigh = b.top }, xs, ys, stroke)
end

local function fill_alpha(mark)
  return mark.alpha or #mark.series_values > 1 and 0.45 or 1
end

local function draw_bars(bins, heights, pen, fill)
  for i = 1, #heights do
    local b = bar_box(bins, heights, i, pen.view)
    if b then pen.page:rectangle(b.left + gap / 2, b.top, b.right - gap / 2, b.bottom, fill) end
  end
end

function hist.draw(mark, pen)
  local view, theme = pen.view, pen.theme
  local bins = bins_of(mark, view.xaxis.scale)
  local wide = math.abs(view.x(bins.edges[2]) - view.x(bins.edges[1])) > 2.5
  for k, heights in ipairs(bins.heights) do
    local c = pen.color(mark.colors[k])
    local fill = color.fade(c, fill_alpha(mark))
    if wide and #bins.heights == 1 then
      draw_bars(bins, heights, pen, fill)
    else -- one shape: narrow neighbours would show seams
      local points = stairs(bins, heights, view)
      pen.page:polygon(points, fill)
      if fill_alpha(mark) < 1 then
        draw_line(points, pen, { color = c, width = theme.error_width })
      end
    end
  end
end

function hist.key(mark, theme)
  local entries = {}
  for k, label in ipairs(mark.labels) do
    local c = style.color(theme, mark.colors[k])
    entries[k] = { label = label, swatch = { fill = color.fade(c, fill_alpha(mark)) } }
  end
  return entries
end

function hist.obstacles(mark, view, found)
  local bins = bins_of(mark, view.xaxis.scale)
  for _, heights in ipairs(bins.heights) do
    for i = 1, #heights do found.boxes[#found.boxes + 1] = bar_box(bins, heights, i, view) end
  end
end

function hist.series(mark, theme)
  local _, bins = next(mark.counted)
  local list = {}
  for k, series in ipairs(mark.series_values) do
    list[k] = { label = mark.labels[k], points = data.count(series),
      color = style.color(theme, mark.colors[k]), edges = bins and bins.edges,
      heights = bins and bins.heights[k] }
  end
  return list
end

return hist
