-- violin.lua -- the density of samples (ax:violin).
--
-- The outline is a kernel estimate with Gaussian kernels, f(u) = sum over i of
-- exp(-((u - u_i) / h)^2 / 2), of width h = 0.9 min(sd, IQR / 1.34) n^(-1/5) (Silverman 1986,
-- 3.31), between the least and the greatest value. u is the place on the axis, so that on a log
-- axis it is the density of the logarithms. The values are counted in `bins` first; h is at
-- least one of them. Each violin is as wide as its slot allows.

local axes = require "unroll.plot.axes"
local canvas = require("unroll.core").canvas
local color = require "unroll.plot.color"
local common = require "unroll.plot.marks.common"
local samples = require "unroll.plot.samples"
local style = require "unroll.plot.style"

local violin = {}

local kinds = { label = "string|number", color = "string|number", width = "positive" }

local bins <const>, heights <const>, reach_of_kernel <const> = 512, 128, 5 -- the last in h

---@class unroll.ViolinOptions
---@field label? string in the legend
---@field color? string|integer default the next of the palette
---@field width? number the part of a slot that a violin fills, in 0..1; default 0.8

--[[---
--- Violins: the density of samples (Gaussian kernels, their width after Silverman 1986), each
--- drawn to both sides of its middle, with quartiles as a bar and the median as a dot. Of the
--- same samples `box` shows outliers, this one several peaks.
---
---     ax:violin({ "tanh", "gru" }, { states_tanh, states_gru })
---@param categories? (string|number)[] (k) names of the samples; without it 1, 2, ..., k
---@param samples table list of k series of any lengths; NaN and infinities are left out
---@param opts? unroll.ViolinOptions
---@return unroll.Axes self
function Axes:violin(categories, samples, opts) end
]]
function violin.new(panel, a, b, c)
  local names, list, opts = samples.read("violin", panel, kinds, a, b, c)
  local mark = { names = names, samples = list, summaries = {}, label = common.label(opts.label),
    width = math.min(1, opts.width or 0.8), color = axes.next_color(panel, "violin", opts.color) }
  for i, series in ipairs(list) do mark.summaries[i] = samples.summary(series) or false end
  return mark
end

violin.limits = samples.limits

-- --- the density -----------------------------------------------------------------------

-- Counts of the values in equal parts of the axis: a list of {place, count}, the width of a
-- part, and the ends. Nil when all values are one.
local function binned(s, scale)
  local first = scale.positive and samples.first_from(s.sorted, 0, true) or 1
  if first > s.count then return nil end
  local from, to = scale.forward(s.sorted[first]), scale.forward(s.most)
  if to <= from then return nil end
  local step, edges = (to - from) / bins, {}
  for i = 0, bins do edges[i + 1] = scale.inverse(from + i * step) end
  edges[1], edges[bins + 1] = s.sorted[first], s.most -- not what rounding makes of them
  local found = {}
  for i, count in ipairs(canvas.histogram(s.sorted, edges)) do
    if count > 0 then found[#found + 1] = { from + (i - 0.5) * step, count } end
  end
  return found, step, from, to
end

local function kernel_width(found, step, s, scale)
  local n, sum, squares = 0, 0, 0
  for _, bin in ipairs(found) do n, sum = n + bin[2], sum + bin[2] * bin[1] end
  for _, bin in ipairs(found) do squares = squares + bin[2] * (bin[1] - sum / n) ^ 2 end
  local width = math.sqrt(squares / n)
  if not scale.positive or s.q1 > 0 then
    local quartiles = scale.forward(s.q3) - scale.forward(s.q1)
    if quartiles > 0 then width = math.min(width, quartiles / 1.34) end
  end
  return math.max(0.9 * width * n ^ -0.2, step)
end

--- The density at equal distances along the axis, from the bottom up.
---@param s table of samples.summary
---@param scale table of the axis
---@return table[]? points { value, density as a part of the highest }; nil when all are equal
function violin.density(s, scale)
  local found, step, from, to = binned(s, scale)
  if not found then return nil end
  local h, points, highest = kernel_width(found, step, s, scale), {}, 0
  for i = 0, heights do
    local u, f = from + (to - from) * i / heights, 0
    for _, bin in ipairs(found) do
      local z = (u - bin[1]) / h
      if math.abs(z) < reach_of_kernel then f = f + bin[2] * math.exp(-z * z / 2) end
    end
    points[i + 1], highest = { scale.inverse(u), f }, math.max(highest, f)
  end
  for _, point in ipairs(points) do point[2] = point[2] / highest end
  return points
end

-- --- drawing -----------------------------------------------------------------------------

-- The outline on the page, closed: up the right side and down the left one.
local function outline(points, x, half, view)
  local xs, ys, n = {}, {}, #points
  for i = 1, 2 * n do
    local point = points[i <= n and i or 2 * n + 1 - i]
    xs[i] = x + (i <= n and 1 or -1) * half * point[2]
    ys[i] = view.y(point[1])
  end
  xs[2 * n + 1], ys[2 * n + 1] = xs[1], ys[1]
  return xs, ys
end

local function draw_body(s, x, half, pen, main)
  local view, theme = pen.view, pen.theme
  local stroke = { color = main, width = theme.error_width }
  local points = violin.density(s, view.yaxis.scale)
  if not points then
    return pen.page:segment(x - half, view.y(s.most), x + half, view.y(s.most), stroke)
  end
  local xs, ys = outline(points, x, half, view)
  local flat = {}
  for i = 1, #xs do flat[2 * i - 1], flat[2 * i] = xs[i], ys[i] end
  pen.page:polygon(flat, color.fade(main, theme.box_alpha))
  pen.page:polyline(common.page_frame(view.box), xs, ys, stroke)
end

function violin.draw(mark, pen)
  local main, view, theme = pen.color(mark.color), pen.view, pen.theme
  samples.each(mark, view, function(s, x, half)
    draw_body(s, x, half, pen, main)
    pen.page:segment(x, view.y(s.q1), x, view.y(s.q3),
      { color = main, width = 2.5 * theme.line_width })
    pen.page:markers(common.page_frame(view.box), { x }, { view.y(s.median) }, { shape = "circle",
      size = theme.marker_size, color = theme.background, rim = main, rim_width = 1 })
  end)
end

violin.key = samples.key

function violin.obstacles(mark, view, found)
  samples.each(mark, view, function(s, x, half)
    found.boxes[#found.boxes + 1] = { left = x - half, right = x + half, top = view.y(s.most),
      bottom = view.y(s.q1) }
  end)
end

function violin.series(mark, theme)
  local list = {}
  for i, series in ipairs(mark.samples) do
    local s = mark.summaries[i] or {}
    list[i] = { label = mark.label, points = canvas.count(series), median = s.median, q1 = s.q1,
      q3 = s.q3, low = s.least, high = s.most, color = style.color(theme, mark.color) }
  end
  return list
end

return violin
