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
  if v - u <= math.max(1e-300, 1e-12 * math.max(math.abs(u), math.abs(v))) then
    return scale.around(s, side.low)
  end
  return side.low, side.high
end

local function is_constant(side, low, high)
  return low < side.low and high > side.high
end

-- Data that are never negative do not get an axis below zero; an axis that would end
-- close to zero ends there.
local function keep_sign(side, low, high, data_low, data_high)
  if side.scale.positive or side.keep_margin or side.given_margin or side.tight then
    return low, high
  end
  local near = 0.05 * (high - low)
  if data_low >= 0 and low < near then low = 0.0 end
  if data_high <= 0 and high > -near then high = 0.0 end
  return low, high
end

-- Whole decades, a little more where the data would lie on an end of the axis.
local function whole_decades(side, data_low, data_high)
  local s = side.scale
  local low, high = scale.decades(s, data_low, data_high)
  if not low then return nil end
  local range = s.forward(high) - s.forward(low)
  local function near(a, b) return math.abs(s.forward(a) - s.forward(b)) < 0.02 * range end
  local below = near(low, data_low) and not side.edges[data_low] and 0.04 or 0
  local above = near(high, data_high) and not side.edges[data_high] and 0.04 or 0
  if below + above == 0 then return low, high end
  return scale.widen(s, low, high, below, above)
end

local function padded(side, data_low, data_high)
  local s = side.scale
  if s.positive and not side.given_margin then
    local low, high = whole_decades(side, data_low, data_high)
    if low then return low, high end
  end
  local below = side.edges[data_low] and 0 or side.margin
  local above = side.edges[data_high] and 0 or side.margin
  local low, high = scale.widen(s, data_low, data_high, below, above)
  return keep_sign(side, low, high, data_low, data_high)
end

-- Room for texts above and below the data, in parts of the axis. A side without texts
-- stays where it is.
local function make_room(s, low, high, data_low, data_high, space)
  local above = math.min(0.5, (space.above or 0) / space.length)
  local below = math.min(0.3, (space.below or 0) / space.length)
  local u = s.forward(below > 0 and data_low or low)
  local v = s.forward(above > 0 and data_high or high)
  local unit = (v - u) / (1 - above - below)
  if above > 0 then high = math.max(high, s.inverse(v + above * unit)) end
  if below > 0 then low = math.min(low, s.inverse(u - below * unit)) end
  return low, high
end

-- Bars stand apart from the ends of their axis, cells touch them.
local function category_limits(side)
  local air = side.tight and 0 or 0.15
  return 0.5 - air, #side.categories + 0.5 + air
end

--- The limits of an axis: the user's where given, else the data's with a margin.
---@param side table reach of the data
---@param lim table|nil {low, high}, either may be nil
---@param space table {length, above, below}: points, of the axis and of the room to keep
--- free beyond the data
function axis.limits(side, lim, space)
  local low, high
  if side.categories then
    low, high = category_limits(side)
  else
    local data_low, data_high = natural_limits(side)
    low, high = data_low, data_high
    if side.low <= side.high and not is_constant(side, low, high) then
      low, high = padded(side, data_low, data_high)
    end
    low, high = make_room(side.scale, low, high, data_low, data_high, space)
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
    role = plan.which .. "tick", align = plan.which == "x" and "center" or nil })
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

-- How far a label reaches from its tick along the axis. Beside a y axis numbers are centred
-- by their digits.
local function half_extent(plan, item)
  if plan.which == "x" then return item.width / 2 end
  if plan.categories then return item.height / 2 end
  local up = text.rise(item)
  return math.max(up, item.height - up)
end

-- Is the tick's label nearer than `gap` to the one before it in its row? last: where the
-- labels of each row end so far.
local function is_crowded(plan, tick, gap, last)
  local row, half = tick.row or 0, half_extent(plan, tick.text)
  local middle = position(plan, tick.at)
  if last[row] and middle - half < last[row] + gap then return true end
  last[row] = middle + half
  return false
end

-- Calls crowded(tick) for each label that is nearer than `gap` to the one before it.
local function each_crowded(plan, gap, crowded)
  local last = {}
  for _, tick in ipairs(plan.ticks) do
    if tick.text and is_crowded(plan, tick, gap, last) then crowded(tick) end
  end
end

local function labels_fit(plan, gap)
  local fit = true
  each_crowded(plan, gap, function() fit = false end)
  return fit
end

local function write_labels(plan, spec, values, step, decades_only)
  if spec then return format.custom(spec, values, step) end
  if step then return format.linear(values, step) end
  if plan.scale.kind == "log2" then return format.log2(values) end
  if plan.scale.kind == "symlog" then return format.symlog(values) end
  return format.log(values, decades_only)
end

-- Ticks in the manner of the scale; nil when the linear rule serves.
local function scale_ticks(plan, most)
  local s = plan.scale
  if s.kind == "log" then return ticks.log(plan.low, plan.high, most) end
  if s.kind == "log2" then return ticks.log2(plan.low, plan.high, most) end
  if s.kind == "symlog" then return ticks.symlog(plan.low, plan.high, s.threshold, most) end
end

-- The ticks for at most `most` labels.
local function automatic(plan, side, spec, most, theme)
  local values, decades_only = scale_ticks(plan, most)
  local step
  if not values then
    values, step = ticks.linear(plan.low, plan.high, most, side.integers and
      side.low <= side.high and plan.high - plan.low >= 2)
  end
  local labels, factor = write_labels(plan, spec, values, step, decades_only)
  set_ticks(plan, values, labels, theme)
  plan.factor = factor
end

-- One label in 3 sizes of the font along x, in 2.4 along y; at most nine.
local function room_for(plan, theme)
  local pitch = theme.tick_size * (plan.which == "x" and 3 or 2.4)
  return math.max(2, math.min(9, plan.length // pitch))
end

-- The most labels, up to `most`, that leave a gap; the number that was asked for.
local function fit_at_most(plan, side, spec, most, gap, theme)
  automatic(plan, side, spec, most, theme)
  while most > 2 and not labels_fit(plan, gap) do
    most = most - 1
    automatic(plan, side, spec, most, theme)
  end
  return most
end

-- Three labels if they can stand beside each other at all.
local function try_three(plan, side, spec, most, gap, theme)
  local had = #plan.ticks
  for more = most + 1, math.max(5, plan.length // (1.4 * theme.tick_size)) do
    automatic(plan, side, spec, more, theme)
    if #plan.ticks >= 3 then break end
  end
  if #plan.ticks <= had or not labels_fit(plan, gap) then
    automatic(plan, side, spec, most, theme)
  end
end

local function fit_automatic(plan, side, spec, theme)
  local gap = plan.which == "x" and 0.6 * theme.tick_size or 1
  local most = fit_at_most(plan, side, spec, room_for(plan, theme), gap, theme)
  if #plan.ticks < 3 then
    try_three(plan, side, spec, most, plan.which == "x" and 0.5 * gap or 0, theme)
  end
end

-- Labels of ticks where the data are. Beside 10^{-4}, 0.001 would be another style.
local function data_labels(plan, spec, values)
  local has_powers = values[1] < 1e-3 or values[#values] >= 1e5
  if not spec and plan.scale.base == 10 and has_powers then return format.log(values) end
  local labels = {}
  for i, v in ipairs(values) do labels[i] = format.single(spec, v) end
  return labels
end

-- Few distinct x (5, 10, 15, 25, 50): exactly those, when their labels fit.
local function try_data_values(plan, side, spec, theme)
  local values = plan.which == "x" and side:few_values()
  if not values or values[1] < plan.low or values[#values] > plan.high then return false end
  set_ticks(plan, values, data_labels(plan, spec, values), theme)
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

-- look: {size, wrap, angle, longest, rows, gap}
local function category_item(name, theme, look)
  return text.shorten(text.category(name), { size = look.size or theme.tick_size,
    color = theme.muted, role = "xtick", wrap = look.wrap, angle = look.angle,
    align = look.angle and "right" or look.wrap and "center" }, look.longest or 1e4)
end

-- The first and the last name within the limits.
local function in_view(plan, names)
  return math.max(1, math.ceil(plan.low)), math.min(#names, math.floor(plan.high))
end

-- Writes all names in this look; false at the first one that stands too near to another.
local function set_categories(plan, names, theme, look)
  local last, from, to = {}, in_view(plan, names)
  plan.ticks, plan.rows = {}, look.rows
  for i = from, to do
    local tick = { at = i, text = category_item(names[i], theme, look),
      row = look.rows and (i - 1) % look.rows }
    if is_crowded(plan, tick, look.gap, last) then return false end
    plan.ticks[#plan.ticks + 1] = tick
  end
  return true
end

-- Does no word have to break at this width?
local function words_whole(names, size, width)
  for _, name in ipairs(names) do
    for word in text.category(name):gmatch("%S+") do
      if text.new(word, { size = size }).width > width then return false end
    end
  end
  return true
end

local function all_short(names, size, width)
  for _, name in ipairs(names) do
    if text.new(text.category(name), { size = size }).width > width then return false end
  end
  return true
end

-- The ways to write many or long labels, best first: level, on several lines, smaller,
-- short ones in two or three rows, upright.
local function category_looks(names, theme, slot, cell)
  local looks = { { gap = 2.5 } }
  local function add(look) looks[#looks + 1] = look end
  if words_whole(names, theme.tick_size, slot - 3) then add { wrap = slot - 3, gap = 2 } end
  add { size = 8, gap = 1.2 }
  if words_whole(names, 8, slot - 3) then add { size = 8, wrap = slot - 3, gap = 2 } end
  if all_short(names, 8, 24) then
    for rows = 2, 3 do add { size = 8, rows = rows, gap = 2.5 } end
  end
  add { angle = 90, longest = 0.3 * cell, gap = 1 }
  add { angle = 90, wrap = 0.3 * cell, gap = 2 }
  add { angle = 90, size = 8, longest = 0.3 * cell, gap = 0 }
  return looks
end

-- The part of the axis that each name has.
local function slot_of(plan) return plan.length / (plan.high - plan.low) end

local least_pitch = 7 -- points between two labels, whatever they say

-- Writes every n-th name: the smallest n, roughly, with which the labels stand apart. Names
-- that are not written are not measured: there may be thousands.
local function thin(plan, names, gap, make)
  local every, from, to = math.max(1, least_pitch // slot_of(plan)), in_view(plan, names)
  repeat
    plan.ticks, plan.every = {}, every
    for i = from, to, every do
      plan.ticks[#plan.ticks + 1] = { at = i, text = make(names[i]) }
    end
    every = every + math.max(1, every // 20)
  until labels_fit(plan, gap) or every > #names
end

-- Level if that shows as many labels as upright ones would.
local function thin_categories(plan, names, theme, cell)
  local function thin_at(angle, longest)
    thin(plan, names, 1.5, function(name)
      return category_item(name, theme, { size = 8, angle = angle, longest = longest })
    end)
    return plan.ticks, plan.every
  end
  plan.rows = nil
  local upright, every = thin_at(90, 0.3 * cell)
  if select(2, thin_at()) > every then plan.ticks, plan.every = upright, every end
end

local function has_cut_label(plan)
  for _, tick in ipairs(plan.ticks) do
    if tick.text and tick.text.cut then return true end
  end
  return false
end

local least_slot = 2.5 -- points; narrower ones have no room for every name

local function fit_categories(plan, names, theme, cell)
  local slot, second_best = slot_of(plan), nil
  if slot < least_slot then return thin_categories(plan, names, theme, cell) end
  for _, look in ipairs(category_looks(names, theme, slot, cell)) do
    if set_categories(plan, names, theme, look) then
      if not has_cut_label(plan) then return end
      second_best = second_best or look
    end
  end
  if second_best then
    set_categories(plan, names, theme, second_best)
  else
    thin_categories(plan, names, theme, cell)
  end
end

-- Names beside a y axis: cut when they would take much of the panel, thinned when they are
-- too many.
local function fit_level_categories(plan, names, theme, cell_width)
  local look = { size = theme.tick_size, color = theme.muted, role = "ytick" }
  thin(plan, names, 0, function(name)
    return text.shorten(text.category(name), look, 0.4 * cell_width)
  end)
end

-- --- the whole -----------------------------------------------------------------------

-- Numbers tell by themselves which of them are missing; of names it must be said.
local function is_counting(names)
  for _, name in ipairs(names) do
    if not tonumber(name) then return false end
  end
  return true
end

-- What belongs to the label besides the user's words: the factor of the numbers, and that
-- not every name is written.
local function axis_label(plan, side, settings)
  local label = settings[plan.which .. "label"]
  local extra = plan.factor
  if (plan.every or 1) > 1 and not is_counting(side.categories) then
    extra = ("1 name in %d shown"):format(plan.every)
  end
  if not extra then return label end
  return label and label .. " (" .. extra .. ")" or extra
end

--- The plan of one axis: scale, low, high, ticks (with measured labels), minor, label.
---@param which string "x" or "y"
---@param panel table
---@param side table its reach
---@param space table {length, above, below, cell, cell_width} points; cell, cell_width: the
--- panel with its decorations; forced: limits {low, high} that are decided already
---@param theme table
function axis.plan(which, panel, side, space, theme)
  local settings = panel.settings
  local plan = { which = which, scale = side.scale, length = space.length, minor = {},
    flip = (side.flip or false) ~= (settings[which .. "invert"] or false),
    categories = side.categories and #side.categories }
  if space.forced then
    plan.low, plan.high = space.forced[1], space.forced[2]
  else
    plan.low, plan.high = axis.limits(side, settings[which .. "lim"], space)
  end
  local spec, given = settings[which .. "format"], settings[which .. "ticks"]
  if given then
    given_ticks(plan, given, spec, theme)
  elseif side.categories and which == "y" then
    fit_level_categories(plan, side.categories, theme, space.cell_width)
  elseif side.categories then
    fit_categories(plan, side.categories, theme, space.cell)
  elseif not try_data_values(plan, side, spec, theme) then
    fit_automatic(plan, side, spec, theme)
    if side.scale.kind == "log" then plan.minor = ticks.log_minor(plan.low, plan.high) end
  end
  each_crowded(plan, 0, function(tick) -- the last resort
    tick.text, plan.dropped = false, (plan.dropped or 0) + 1
  end)
  plan.label = axis_label(plan, side, settings)
  return plan
end

--- Leaves the ticks and takes their labels away: another panel shows them.
function axis.hide_labels(plan)
  for _, tick in ipairs(plan.ticks) do tick.text = false end
  plan.factor = nil
end

return axis
