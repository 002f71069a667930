-- bar.lua -- bars, single and in groups (ax:bar).
--
-- Bars stand on 0, on a log axis on its lower end.

local axes = require "unroll.plot.axes"
local box = require "unroll.plot.box"
local color = require "unroll.plot.color"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local format = require "unroll.plot.format"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local text = require "unroll.plot.text"
local view_of = require "unroll.plot.view"

local bar = {}

local kinds = { labels = "table", label = "string|number", values = "boolean",
  format = "string|function", errors = "table|userdata", color = "string|number",
  colors = "table", width = "positive", alpha = "number" }

-- --- arguments -----------------------------------------------------------------------

local function is_list_of_series(v)
  return type(v) == "table" and (type(v[1]) == "table" or type(v[1]) == "userdata")
end

local function is_data(v)
  return is_list_of_series(v) or data.is_values(v)
end

local function read_series(name, v)
  local list = {}
  for i, series in ipairs(is_list_of_series(v) and v or { v }) do
    list[i] = data.series("bar", is_list_of_series(v) and name .. "[" .. i .. "]" or name,
      series)
  end
  return list
end

local function check_counts(series, n, name)
  for i, s in ipairs(series) do
    if data.count(s) ~= n then
      options.misuse("bar: %s %d has %d values, there are %d categories", name, i,
        data.count(s), n)
    end
  end
end

local function read_categories(v)
  if type(v) == "userdata" then v = data.values(data.series("bar", "categories", v)) end
  if type(v) ~= "table" then
    options.misuse("bar: categories must be a list, got %s", type(v))
  end
  local names = {}
  for i, name in ipairs(v) do
    if type(name) == "number" then
      name = math.tointeger(name) or name
      names[i] = tostring(name)
    else
      names[i] = options.text("bar", "category " .. i, name)
    end
  end
  return names
end

local function numbered(n)
  local names = {}
  for i = 1, n do names[i] = tostring(i) end
  return names
end

-- All bars of a panel share its categories.
local function share_categories(panel, names)
  local known = panel.categories
  if known and table.concat(known, "\0") ~= table.concat(names, "\0") then
    options.misuse("bar: the panel has other categories already")
  end
  panel.categories = names
end

local function read_labels(opts, count)
  local labels = opts.labels or (opts.label ~= nil and { opts.label }) or {}
  local list = {}
  for i = 1, #labels do list[i] = options.text("bar", "labels[" .. i .. "]", labels[i]) end
  if #list > 0 and #list ~= count then
    options.misuse("bar: %d labels for %d series", #list, count)
  end
  return list
end

-- One colour for each series, or for each bar of a single series.
local function read_colors(panel, opts, count, n)
  local list = {}
  if opts.colors then
    local wanted = count == 1 and n or count
    if #opts.colors ~= wanted then
      options.misuse("bar: %d colors, must be %d", #opts.colors, wanted)
    end
    for i, c in ipairs(opts.colors) do list[i] = color.check("bar", c) end
    return list, count == 1
  end
  for i = 1, count do list[i] = axes.next_color(panel, "bar", opts.color) end
  return list, false
end

local function arguments(a, b, c)
  if is_data(b) or c ~= nil then return read_categories(a), b, c end
  return nil, a, b
end

--[[---
--- Bars; values may be a list of series, {a, b}, for groups of bars side by side.
---@param categories? (string|number)[]|unroll.Tensor (n) one a slot; without it 1, 2, ...
--- A category that is a space, tab or newline is shown as a sign.
---@param values unroll.Tensor|number[]|table (n), or a list of such series
---@param opts? table
--- labels = {"a", "b"} (legend), or label for one series; values = true: numbers above
--- the bars; format = "percent", "%.2f", ... of these numbers (and shows them); errors =
--- shaped like values, half the height of an error bar; color; colors = one for each
--- series, or for one series one for each bar; width = 0.8, the part of a slot that is
--- filled; alpha = 1
---@return unroll.Axes self
function Axes:bar(categories, values, opts) end
]]
function bar.new(panel, a, b, c)
  local names, values, opts = arguments(a, b, c)
  opts = options.check("bar", opts, kinds)
  if not is_data(values) and not (type(values) == "table" and not next(values)) then
    options.misuse("bar: values must be numbers or a list of series, got %s", type(values))
  end
  local series = read_series("values", values)
  local n = #series > 0 and data.count(series[1]) or 0
  names = names or numbered(n)
  check_counts(series, #names, "series")
  local errors = opts.errors and read_series("errors", opts.errors)
  if errors then check_counts(errors, #names, "errors") end
  local labels = read_labels(opts, #series)
  format.check("bar: format", opts.format)
  share_categories(panel, names)
  local colors, each = read_colors(panel, opts, #series, #names)
  return { names = names, series_values = series, errors = errors, labels = labels,
    colors = colors, color_each = each, show = opts.values or opts.format ~= nil,
    format = opts.format, fill = math.min(1, opts.width or 0),
    alpha = common.check_alpha("bar", opts.alpha) }
end

-- --- geometry ------------------------------------------------------------------------

-- Left and right end of bar i of series k, in slots.
local function extent(mark, k, i, theme)
  local fill = mark.fill > 0 and mark.fill or theme.bar_group
  local width = fill / #mark.series_values
  local left = i - fill / 2 + (k - 1) * width
  return left, left + width
end

-- Calls f(box, value, k, i) for each bar that can be shown.
local function each_bar(mark, view, theme, f)
  local plan = view.yaxis
  local foot = view.y(view_of.inside(plan, 0))
  for k, series in ipairs(mark.series_values) do
    for i, v in ipairs(data.values(series)) do
      if v - v == 0 and not (plan.scale.positive and v <= 0) then
        local left, right = extent(mark, k, i, theme)
        local y = view.y(view_of.inside(plan, v))
        f(box.new(view.x(left), math.min(y, foot), view.x(right), math.max(y, foot)),
          v, k, i)
      end
    end
  end
end

local function cover_errors(mark, reach)
  for k, errors in ipairs(mark.errors or {}) do
    for _, sign in ipairs { 1, -1 } do
      reach.y:cover(data.offset(mark.series_values[k], errors, sign))
    end
  end
end

function bar.limits(mark, reach)
  reach.x:cover({ 1, math.max(1, #mark.names) })
  for _, series in ipairs(mark.series_values) do reach.y:cover(series) end
  cover_errors(mark, reach)
  reach.y:edge(0)
end

-- --- drawing -------------------------------------------------------------------------

local function bar_color(mark, k, i)
  return mark.colors[mark.color_each and i or k]
end

local function draw_error(mark, pen, b, v, k, i)
  local e = data.values(mark.errors[k])[i]
  if e - e ~= 0 then return end
  local view, theme = pen.view, pen.theme
  local x = (b.left + b.right) / 2
  local top = view.y(view_of.inside(view.yaxis, v + e))
  local bottom = view.y(view_of.inside(view.yaxis, v - e))
  local stroke = { color = theme.text, width = theme.error_width }
  pen.page:segment(x, top, x, bottom, stroke)
  for _, y in ipairs { top, bottom } do
    pen.page:segment(x - theme.error_cap, y, x + theme.error_cap, y, stroke)
  end
end

-- The line on which bars of both signs stand.
local function draw_foot(pen)
  local plan, b = pen.view.yaxis, pen.view.box
  if plan.low < 0 and plan.high > 0 then
    local y = pen.view.y(0)
    pen.page:segment(b.left, y, b.right, y,
      { color = pen.theme.axis, width = pen.theme.spine_width })
  end
end

function bar.draw(mark, pen)
  each_bar(mark, pen.view, pen.theme, function(b, v, k, i)
    pen.page:rectangle(b.left, b.top, b.right, b.bottom,
      color.fade(pen.color(bar_color(mark, k, i)), mark.alpha or 1))
    if mark.errors and mark.errors[k] then draw_error(mark, pen, b, v, k, i) end
  end)
  draw_foot(pen)
end

function bar.key(mark, theme)
  local entries = {}
  for k, label in ipairs(mark.labels) do
    local c = style.color(theme, bar_color(mark, k, 1))
    entries[k] = { label = label, swatch = { fill = color.fade(c, mark.alpha or 1) } }
  end
  return entries
end

function bar.obstacles(mark, view, found)
  each_bar(mark, view, { bar_group = 0.8 }, function(b)
    found.boxes[#found.boxes + 1] = b
  end)
end

function bar.series(mark, theme)
  local list = {}
  for k, series in ipairs(mark.series_values) do
    list[k] = { label = mark.labels[k], points = data.count(series),
      color = style.color(theme, bar_color(mark, k, 1)) }
  end
  return list
end

-- --- value labels --------------------------------------------------------------------

local value_gap = 2 -- points between a bar and its number

-- The numbers of all bars as text, in one list per series.
local function value_texts(mark)
  local all, texts = {}, {}
  for _, series in ipairs(mark.series_values) do
    for _, v in ipairs(data.values(series)) do
      all[#all + 1] = mark.format == "percent" and v * 100 or v
    end
  end
  local plain = format.values(all)
  for k, series in ipairs(mark.series_values) do
    texts[k] = {}
    for i, v in ipairs(data.values(series)) do
      local s = plain[(k - 1) * #mark.names + i]
      if mark.format == "percent" then
        s = s .. "\u{202F}%"
      elseif mark.format then
        s = format.single(mark.format, v)
      end
      texts[k][i] = s
    end
  end
  return texts
end

local function value_item(s, theme, angle)
  return text.new(s, { size = theme.note_size, color = theme.muted, role = "value",
    angle = angle })
end

-- The width that the number of one bar may take: the bar's, or the whole slot when the
-- bars stand alone.
local function value_room(mark, width, theme)
  local slot = width / (#mark.names + 0.3)
  if #mark.series_values <= 1 then return slot end
  local fill = mark.fill > 0 and mark.fill or theme.bar_group
  return slot * fill / #mark.series_values
end

-- 0 or 90 degrees and the height that takes, or nil when the numbers fit in neither way.
local function value_angle(mark, width, height, theme)
  local widest, tallest = 0, 0
  for _, list in ipairs(value_texts(mark)) do
    for _, s in ipairs(list) do
      local item = value_item(s, theme, 0)
      widest, tallest = math.max(widest, item.width), math.max(tallest, item.height)
    end
  end
  local room = value_room(mark, width, theme)
  if widest <= room - 2 and tallest <= 0.3 * height then return 0, tallest end
  if tallest <= room and widest <= 0.4 * height then return 90, widest end
end

local function has_negative(mark)
  for _, series in ipairs(mark.series_values) do
    for _, v in ipairs(data.values(series)) do
      if v < 0 then return true end
    end
  end
  return false
end

function bar.headroom(mark, width, height, theme)
  if not mark.show then return 0, 0 end
  local angle, high = value_angle(mark, width, height, theme)
  local room = angle and high + 2 * value_gap or 0
  return room, has_negative(mark) and room or 0
end

-- The top (or, below zero, the bottom) of a bar and its error bar.
local function value_edge(mark, view, b, v, k, i)
  local e = mark.errors and mark.errors[k] and data.values(mark.errors[k])[i] or 0
  if e - e ~= 0 then e = 0 end
  local reach = view.y(view_of.inside(view.yaxis, v < 0 and v - e or v + e))
  if v < 0 then return math.max(b.bottom, reach) + value_gap, 0 end
  return math.min(b.top, reach) - value_gap, 1
end

function bar.labels(mark, view, theme)
  local requests = {}
  if not mark.show then return requests end
  local b = view.box
  local angle = value_angle(mark, b.right - b.left, b.bottom - b.top, theme)
  if not angle then return requests end
  local texts = value_texts(mark)
  each_bar(mark, view, theme, function(at, v, k, i)
    local y, side = value_edge(mark, view, at, v, k, i)
    requests[#requests + 1] = { item = value_item(texts[k][i], theme, angle), fixed = true,
      candidates = { { (at.left + at.right) / 2, y, 0.5, side } } }
  end)
  return requests
end

return bar
