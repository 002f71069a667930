-- bar.lua -- bars: single, in groups or stacks, upright or level (ax:bar).
--
-- Bars stand on 0, on a log axis on its lower end. In a stack what is positive goes up from
-- 0 and what is negative goes down. Each bar is known by its ends along the axis of the
-- categories (in slots) and along that of the values; only `to_page` knows which is which.

local axes = require "unroll.plot.axes"
local box = require "unroll.plot.box"
local categories = require "unroll.plot.categories"
local color = require "unroll.plot.color"
local common = require "unroll.plot.marks.common"
local data = require "unroll.plot.data"
local format = require "unroll.plot.format"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local text = require "unroll.plot.text"
local view_of = require "unroll.plot.view"

local bar = { standing = true }

local kinds = { labels = "table", label = "string|number", values = "boolean",
  format = "string|function", errors = "table|userdata", color = "string|number",
  colors = "table", width = "positive", alpha = "number", mode = { "group", "stack" },
  horizontal = "boolean" }

-- --- arguments -----------------------------------------------------------------------

local function is_list_of_series(v)
  return type(v) == "table" and (type(v[1]) == "table" or type(v[1]) == "userdata")
end

local function is_data(v)
  return is_list_of_series(v) or data.is_values(v)
end

-- `false` stands for a bar that does not exist: no bar, and nothing that is missing.
local function without_absent(series)
  local numbers, absent = {}, 0
  for i, v in ipairs(series) do
    if v == false then absent = absent + 1 end
    numbers[i] = v or 0 / 0
  end
  if absent == 0 then return series, 0 end
  return numbers, absent
end

local function read_series(name, v)
  local list, absent = {}, 0
  for i, series in ipairs(is_list_of_series(v) and v or { v }) do
    if type(series) == "table" then
      local n
      series, n = without_absent(series)
      absent = absent + n
    end
    list[i] = data.series("bar", is_list_of_series(v) and name .. "[" .. i .. "]" or name,
      series)
  end
  return list, absent
end

local function check_counts(series, n, name)
  for i, s in ipairs(series) do
    if data.count(s) ~= n then
      options.misuse("bar: %s %d has %d values, there are %d categories", name, i,
        data.count(s), n)
    end
  end
end

-- Where each part of a stack begins: feet[k][i]. Parts that are no number take no room.
local function feet_of(series, n)
  local feet = {}
  local up, down = {}, {}
  for k, s in ipairs(series) do
    feet[k] = {}
    for i, v in ipairs(data.values(s)) do
      local sums = v < 0 and down or up
      feet[k][i] = sums[i] or 0
      if v - v == 0 then sums[i] = feet[k][i] + v end
    end
  end
  feet.up, feet.down = {}, {}
  for i = 1, n do feet.up[i], feet.down[i] = up[i] or 0, down[i] or 0 end
  return feet
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
  if is_data(b) or c ~= nil then return categories.read("bar", a), b, c end
  return nil, a, b
end

---@class unroll.BarOptions
---@field labels? string[] one a series, in the legend
---@field label? string the same for a single series
---@field mode? "group"|"stack" several series side by side, or on top of each other; in a stack
--- negative parts go down from 0. Default "group"
---@field horizontal? boolean level bars, the first one at the top; default false
---@field values? boolean numbers beyond the bars, in a stack within; default false
---@field format? string|fun(v: number): string of these numbers: "percent", "si", "%.2f", ...;
--- giving it shows them
---@field errors? table shaped like values: half the height of an error bar; not for stacks
---@field color? string|integer of all bars; default the next of the palette for each series
---@field colors? (string|integer)[] one a series; for a single series one a bar
---@field width? number the part of a slot that is filled, in 0..1; default 0.8
---@field alpha? number opacity in 0..1; default 1

--[[---
--- Bars that stand on 0; on a log axis on its lower end.
---
---     ax:bar({ "tanh", "gru" }, { 1.91, 1.62 }, { values = true })
---     ax:bar(names, { train, test }, { labels = { "train", "test" } })
---
--- Errors: series of different lengths, another number of labels or colours than series.
---@param categories? (string|number)[]|unroll.Tensor (n) one a slot; without it 1, 2, ..., n.
--- A name that is a space, tab or newline is shown as a sign
---@param values unroll.Tensor|number[]|table (n), or a list of such series; false in a table:
--- there is no such bar
---@param opts? unroll.BarOptions
---@return unroll.Axes self
function Axes:bar(categories, values, opts) end
]]
function bar.new(panel, a, b, c)
  local names, values, opts = arguments(a, b, c)
  opts = options.check("bar", opts, kinds)
  if not is_data(values) and not (type(values) == "table" and not next(values)) then
    options.misuse("bar: values must be numbers or a list of series, got %s", type(values))
  end
  local series, absent = read_series("values", values)
  local n = #series > 0 and data.count(series[1]) or 0
  names = names or categories.numbered(n)
  check_counts(series, #names, "series")
  local errors = opts.errors and read_series("errors", opts.errors)
  if errors then check_counts(errors, #names, "errors") end
  local labels = read_labels(opts, #series)
  format.check("bar: format", opts.format)
  local stacked = opts.mode == "stack"
  if stacked and errors then options.misuse("bar: errors do not go with a stack") end
  categories.share("bar", panel, opts.horizontal and "y" or "x", names)
  local colors, each = read_colors(panel, opts, #series, #names)
  return { names = names, series_values = series, absent = absent, errors = errors, labels = labels,
    colors = colors, color_each = each, show = opts.values or opts.format ~= nil,
    format = opts.format, fill = math.min(1, opts.width or 0), stacked = stacked,
    horizontal = opts.horizontal, feet = stacked and feet_of(series, #names),
    alpha = common.check_alpha("bar", opts.alpha) }
end

-- --- geometry ------------------------------------------------------------------------

-- Both ends of bar i of series k, in slots.
local function extent(mark, k, i, theme)
  local fill = mark.fill > 0 and mark.fill or theme.bar_group
  if mark.stacked then return i - fill / 2, i + fill / 2 end
  local width = fill / #mark.series_values
  local left = i - fill / 2 + (k - 1) * width
  return left, left + width
end

local function value_axis(mark, view)
  return mark.horizontal and view.xaxis or view.yaxis
end

-- A value as a page position.
local function value_at(mark, view, v)
  return (mark.horizontal and view.x or view.y)(view_of.inside(value_axis(mark, view), v))
end

-- The box of slots c0..c1 between the page positions u and w of the values.
local function to_page(mark, view, c0, c1, u, w)
  local at = mark.horizontal and view.y or view.x
  local a, b = at(c0), at(c1)
  a, b, u, w = math.min(a, b), math.max(a, b), math.min(u, w), math.max(u, w)
  if mark.horizontal then return box.new(u, a, w, b) end
  return box.new(a, u, b, w)
end

-- Calls f(box, value, k, i) for each bar that can be shown.
local function each_bar(mark, view, theme, f)
  local positive = value_axis(mark, view).scale.positive
  for k, series in ipairs(mark.series_values) do
    for i, v in ipairs(data.values(series)) do
      if v - v == 0 and not (positive and v <= 0) then
        local c0, c1 = extent(mark, k, i, theme)
        local foot = mark.feet and mark.feet[k][i] or 0
        f(to_page(mark, view, c0, c1, value_at(mark, view, foot),
          value_at(mark, view, foot + v)), v, k, i)
      end
    end
  end
end

local function cover_errors(mark, side)
  for k, errors in ipairs(mark.errors or {}) do
    for _, sign in ipairs { 1, -1 } do
      side:stretch(data.offset(mark.series_values[k], errors, sign))
    end
  end
end

function bar.limits(mark, reach)
  local along, across = reach.x, reach.y
  if mark.horizontal then
    along, across = across, along
    along.flip, across.margin = true, 0.05
  end
  along:cover({ 1, math.max(1, #mark.names) })
  for _, series in ipairs(mark.series_values) do across:cover(series) end
  across.holes = across.holes - mark.absent
  if mark.feet then
    across:stretch(mark.feet.up)
    across:stretch(mark.feet.down)
  end
  cover_errors(mark, across)
  across:edge(0)
end

-- --- drawing -------------------------------------------------------------------------

local function bar_color(mark, k, i)
  return mark.colors[mark.color_each and i or k]
end

-- A line from (a, u) to (b, w): slots' direction, values' direction, in page positions.
local function stroke_line(mark, pen, a, u, b, w, stroke)
  if mark.horizontal then
    pen.page:segment(u, a, w, b, stroke)
  else
    pen.page:segment(a, u, b, w, stroke)
  end
end

local function draw_error(mark, pen, b, v, k, i)
  local e = data.values(mark.errors[k])[i]
  if e - e ~= 0 then return end
  local view, theme = pen.view, pen.theme
  local middle = mark.horizontal and (b.top + b.bottom) / 2 or (b.left + b.right) / 2
  local high, low = value_at(mark, view, v + e), value_at(mark, view, v - e)
  local stroke = { color = theme.text, width = theme.error_width }
  stroke_line(mark, pen, middle, high, middle, low, stroke)
  for _, u in ipairs { high, low } do
    stroke_line(mark, pen, middle - theme.error_cap, u, middle + theme.error_cap, u, stroke)
  end
end

-- The line on which bars of both signs stand.
local function draw_foot(mark, pen)
  local plan, b = value_axis(mark, pen.view), pen.view.box
  if plan.low < 0 and plan.high > 0 then
    local u, from, to = value_at(mark, pen.view, 0), b.left, b.right
    if mark.horizontal then from, to = b.top, b.bottom end
    stroke_line(mark, pen, from, u, to, u,
      { color = pen.theme.axis, width = pen.theme.spine_width })
  end
end

function bar.draw(mark, pen)
  each_bar(mark, pen.view, pen.theme, function(b, v, k, i)
    pen.page:rectangle(b.left, b.top, b.right, b.bottom,
      color.fade(pen.color(bar_color(mark, k, i)), mark.alpha or 1))
    if mark.errors and mark.errors[k] then draw_error(mark, pen, b, v, k, i) end
  end)
  draw_foot(mark, pen)
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

-- The widest and the tallest of the numbers.
local function value_size(mark, theme)
  local widest, tallest = 0, 0
  for _, list in ipairs(value_texts(mark)) do
    for _, s in ipairs(list) do
      local item = value_item(s, theme, 0)
      widest, tallest = math.max(widest, item.width), math.max(tallest, item.height)
    end
  end
  return widest, tallest
end

-- How much of the categories' axis one number may take: the bar's width, or the whole slot
-- when the bars stand alone.
local function value_room(mark, length, theme)
  local slot = length / (#mark.names + 0.3)
  local fill = mark.fill > 0 and mark.fill or theme.bar_group
  if mark.stacked then return slot * fill end
  if #mark.series_values <= 1 then return slot end
  return slot * fill / #mark.series_values
end

-- 0 or 90 degrees and the room that takes along the values, or nil when the numbers fit in
-- neither way.
local function value_angle(mark, width, height, theme)
  local widest, tallest = value_size(mark, theme)
  if mark.horizontal then
    if tallest <= value_room(mark, height, theme) and widest <= 0.4 * width then
      return 0, widest
    end
    return nil
  end
  local room = value_room(mark, width, theme)
  if widest <= room - 2 and tallest <= 0.3 * height then return 0, tallest end
  if not mark.stacked and tallest <= room and widest <= 0.4 * height then return 90, widest end
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
  if not mark.show or mark.stacked then return 0, 0 end
  local angle, high = value_angle(mark, width, height, theme)
  local room = angle and high + 2 * value_gap or 0
  local below = has_negative(mark) and room or 0
  if mark.horizontal then return 0, 0, room, below end
  return room, below
end

-- Beyond the end of a bar and of its error bar.
local function candidate(mark, view, b, v, k, i)
  local e = mark.errors and mark.errors[k] and data.values(mark.errors[k])[i] or 0
  if e - e ~= 0 then e = 0 end
  local reach = value_at(mark, view, v < 0 and v - e or v + e)
  local x, y = (b.left + b.right) / 2, (b.top + b.bottom) / 2
  if mark.stacked then return { x, y, 0.5, 0.5 } end
  local backwards = (v < 0) ~= (value_axis(mark, view).flip or false)
  if mark.horizontal then
    if backwards then return { math.min(b.left, reach) - value_gap, y, 1, 0.5 } end
    return { math.max(b.right, reach) + value_gap, y, 0, 0.5 }
  end
  if backwards then return { x, math.max(b.bottom, reach) + value_gap, 0.5, 0 } end
  return { x, math.min(b.top, reach) - value_gap, 0.5, 1 }
end

-- In a stack the numbers stand in their parts, in white or black, where these are large
-- enough.
local function stack_item(mark, s, k, i, at, theme)
  local item = value_item(s, theme, 0)
  if item.height > at.bottom - at.top + 1 or item.width > at.right - at.left - 2 then
    return nil
  end
  local fill = style.color(theme, bar_color(mark, k, i))
  item.look.color = color.on(color.mix(theme.background, fill, mark.alpha or 1))
  return item
end

function bar.labels(mark, view, theme)
  local requests = {}
  if not mark.show then return requests end
  local b = view.box
  local angle = value_angle(mark, b.right - b.left, b.bottom - b.top, theme)
  if not angle then return requests, { "the numbers of the bars" } end
  local texts = value_texts(mark)
  each_bar(mark, view, theme, function(at, v, k, i)
    local item = mark.stacked and stack_item(mark, texts[k][i], k, i, at, theme)
      or not mark.stacked and value_item(texts[k][i], theme, angle)
    if item then
      requests[#requests + 1] = { item = item, fixed = true,
        candidates = { candidate(mark, view, at, v, k, i) } }
    end
  end)
  return requests
end

return bar
