--- One axis: from the reach of the data to limits, ticks and labels.

local format = require "unroll.plot.format"
local scale = require "unroll.plot.scale"
local text = require "unroll.plot.text"
local ticks = require "unroll.plot.ticks"

local axis = {}

-- --- limits --------------------------------------------------------------------------

local function natural_limits(side)
  local s = side.scale
  if side.low > side.high then return s.empty[1], s.empty[2] end
  local u, v = s.forward(side.low), s.forward(side.high)
  if v - u <= 1e-12 * math.max(math.abs(u), math.abs(v)) then
    return scale.around(s, side.low)
  end
  return side.low, side.high
end

local function is_constant(side, low, high)
  return low < side.low and high > side.high
end

-- Data that are never negative do not get an axis below zero.
local function keep_sign(side, low, high, data_low, data_high)
  if side.scale.positive then return low, high end
  if data_low >= 0 and low < 0 then low = 0.0 end
  if data_high <= 0 and high > 0 then high = 0.0 end
  return low, high
end

local function padded(side, data_low, data_high)
  local s = side.scale
  if s.positive then
    local low, high = scale.decades(data_low, data_high)
    if low then return low, high end
  end
  local below = side.edges[data_low] and 0 or side.margin
  local above = side.edges[data_high] and 0 or side.margin
  local low, high = scale.widen(s, data_low, data_high, below, above)
  return keep_sign(side, low, high, data_low, data_high)
end

-- Room at the top for texts above the data (`headroom` of `length` points).
local function make_headroom(s, low, high, data_high, headroom, length)
  if headroom <= 0 then return high end
  local part = math.min(0.5, headroom / length)
  local u, v = s.forward(low), s.forward(data_high)
  return math.max(high, s.inverse(u + (v - u) / (1 - part)))
end

local function category_limits(n)
  return 0.35, n + 0.65
end

--- The limits of an axis: the user's where given, else the data's with a margin.
---@param side table reach of the data
---@param lim table|nil {low, high}, either may be nil
---@param headroom number points above the highest value
---@param length number points
function axis.limits(side, lim, headroom, length)
  local low, high
  if side.categories then
    low, high = category_limits(#side.categories)
  else
    local data_low, data_high = natural_limits(side)
    low, high = data_low, data_high
    if side.low <= side.high and not is_constant(side, low, high) then
      low, high = padded(side, data_low, data_high)
    end
    high = make_headroom(side.scale, low, high, data_high, headroom, length)
  end
  if lim then
    low, high = lim[1] or low, lim[2] or high
    if lim[1] and low >= high then high = select(2, scale.around(side.scale, low)) end
    if lim[2] and low >= high then low = scale.around(side.scale, high) end
  end
  return low, high
end

-- --- ticks ---------------------------------------------------------------------------

local function label_item(plan, label, theme)
  return text.new(label, { size = theme.tick_size, color = theme.muted,
    role = plan.which .. "tick" })
end

local function set_ticks(plan, values, labels, theme)
  plan.ticks = {}
  for i, v in ipairs(values) do
    plan.ticks[i] = { at = v, text = labels[i] ~= "" and label_item(plan, labels[i], theme) }
  end
end

local function position(plan, v)
  local s = plan.scale
  local u, w = s.forward(plan.low), s.forward(plan.high)
  return (s.forward(v) - u) / (w - u) * plan.length
end

-- Do neighbouring labels of a horizontal axis leave a gap?
local function labels_fit(plan, gap)
  local last
  for _, tick in ipairs(plan.ticks) do
    if tick.text then
      local middle = position(plan, tick.at)
      if last and middle - tick.text.width / 2 < last + gap then return false end
      last = middle + tick.text.width / 2
    end
  end
  return true
end

local function write_labels(plan, spec, values, step, decades_only)
  if spec then return format.custom(spec, values, step) end
  if plan.scale.positive and not step then return format.log(values, decades_only) end
  return format.linear(values, step)
end

-- The ticks for at most `most` labels.
local function automatic(plan, side, spec, most, theme)
  local values, step, decades_only
  if plan.scale.positive then values, decades_only = ticks.log(plan.low, plan.high, most) end
  if not values then
    values, step = ticks.linear(plan.low, plan.high, most, side.integers and
      side.low <= side.high and plan.high - plan.low >= 2)
  end
  local labels, factor = write_labels(plan, spec, values, step, decades_only)
  set_ticks(plan, values, labels, theme)
  plan.factor = factor
end

local function room_for(plan, theme)
  local pitch = theme.tick_size * (plan.which == "x" and 3.6 or 2.3)
  return math.max(2, math.min(9, plan.length // pitch))
end

local function fit_automatic(plan, side, spec, theme)
  local most = room_for(plan, theme)
  if plan.which == "y" and most < 3 then most = 3 end
  automatic(plan, side, spec, most, theme)
  while plan.which == "x" and most > 2 and not labels_fit(plan, 0.6 * theme.tick_size) do
    most = most - 1
    automatic(plan, side, spec, most, theme)
  end
end

-- Few distinct x (5, 10, 15, 25, 50): exactly those, when their labels fit.
local function try_data_values(plan, side, spec, theme)
  local values = plan.which == "x" and side:few_values()
  if not values or values[1] < plan.low or values[#values] > plan.high then return false end
  local labels = {}
  for i, v in ipairs(values) do labels[i] = format.single(spec, v) end
  set_ticks(plan, values, labels, theme)
  return labels_fit(plan, 0.6 * theme.tick_size)
end

-- The user's ticks: numbers, or {number, "label"} pairs.
local function given_ticks(plan, list, spec, theme)
  local values, labels = {}, {}
  for _, entry in ipairs(list) do
    local at = type(entry) == "table" and entry[1] or entry
    if at >= plan.low and at <= plan.high then
      values[#values + 1] = at
      labels[#labels + 1] = type(entry) == "table" and entry[2] or format.single(spec, at)
    end
  end
  set_ticks(plan, values, labels, theme)
end

-- --- categories ----------------------------------------------------------------------

local function category_item(name, theme, look)
  local size = look.size or theme.tick_size
  return text.shorten(text.category(name), { size = size, color = theme.muted,
    role = "xtick", wrap = look.wrap, align = look.wrap and "center", angle = look.angle },
    look.longest)
end

local function set_categories(plan, names, theme, look)
  plan.ticks = {}
  for i, name in ipairs(names) do
    local shown = (i - 1) % (look.every or 1) == 0
    plan.ticks[i] = { at = i, text = shown and category_item(name, theme, look) or false }
  end
end

-- Does no word of a wrapped label have to break?
local function words_whole(names, theme, width)
  for _, name in ipairs(names) do
    for word in text.category(name):gmatch("%S+") do
      if text.new(word, { size = theme.tick_size }).width > width then return false end
    end
  end
  return true
end

-- Level if they fit, else on several lines, else smaller, else upright, else only every
-- n-th. `across` is how tall the labels may get.
local function fit_categories(plan, names, theme, across)
  local slot = plan.length / (#names + 0.3)
  local longest = 0.4 * across
  set_categories(plan, names, theme, { longest = 10 * plan.length })
  if labels_fit(plan, 0.25 * theme.tick_size) then return end
  if words_whole(names, theme, slot - 3) then
    set_categories(plan, names, theme, { wrap = slot - 3, longest = 10 * plan.length })
    return
  end
  set_categories(plan, names, theme, { size = 8, longest = 10 * plan.length })
  if labels_fit(plan, 1.2) then return end
  local look = { angle = 90, longest = longest }
  if slot < 1.15 * theme.tick_size then look = { size = 8, longest = longest } end
  for every = 1, #names do
    look.every = every
    look.angle = longest and 90 or nil
    set_categories(plan, names, theme, look)
    if labels_fit(plan, 0.5) then return end
  end
end

-- --- the whole -----------------------------------------------------------------------

local function axis_label(plan, settings)
  local label = settings[plan.which .. "label"]
  if not plan.factor then return label end
  return label and label .. " (" .. plan.factor .. ")" or plan.factor
end

--- The plan of one axis: scale, low, high, ticks (with measured labels), minor, label.
---@param which string "x" or "y"
---@param panel table
---@param side table its reach
---@param space table {length, across, headroom} points
---@param theme table
function axis.plan(which, panel, side, space, theme)
  local settings = panel.settings
  local plan = { which = which, scale = side.scale, length = space.length, minor = {} }
  plan.low, plan.high = axis.limits(side, settings[which .. "lim"], space.headroom,
    space.length)
  local spec, given = settings[which .. "format"], settings[which .. "ticks"]
  if given then
    given_ticks(plan, given, spec, theme)
  elseif side.categories then
    fit_categories(plan, side.categories, theme, space.across)
  elseif not try_data_values(plan, side, spec, theme) then
    fit_automatic(plan, side, spec, theme)
    if side.scale.positive then plan.minor = ticks.log_minor(plan.low, plan.high) end
  end
  plan.label = axis_label(plan, settings)
  return plan
end

return axis
