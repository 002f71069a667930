--- What the data of a panel cover: the raw material of the limits of its axes.

local canvas = require("unroll.core").canvas

local scale = require "unroll.plot.scale"

local reach = {}

local Side = {}
Side.__index = Side

local most_distinct = 8

-- Larger values leave the page: the length of an axis must stay a finite number. So do
-- smaller ones on a log axis.
local utmost, least = 1e300, 1e-300

local function new_side(s)
  return setmetatable({ scale = s, low = math.huge, high = -math.huge, dropped = 0, holes = 0,
    integers = true, distinct = {}, distinct_count = 0, edges = {}, margin = 0.05 }, Side)
end

--- Covers a series (or a table of numbers), and counts what of it cannot be shown: values
--- <= 0 on a log axis (dropped), NaN and infinities (holes).
function Side:cover(values)
  local _, _, finite, dropped = canvas.range(values, self.scale.positive)
  self.dropped = self.dropped + dropped
  self.holes = self.holes + canvas.count(values) - finite - dropped
  self:stretch(values)
end

--- Covers numbers that were computed from the data: none of them counts as missing.
function Side:stretch(values)
  local low, high, finite, _, integers = canvas.range(values, self.scale.positive)
  if finite == 0 then return end
  local floor = self.scale.positive and least or -utmost
  self.low = math.min(self.low, math.min(utmost, math.max(low, floor)))
  self.high = math.max(self.high, math.min(utmost, math.max(high, floor)))
  self.integers = self.integers and integers
end

--- Counts what of a series nothing shows, without covering it.
---@param positive boolean whether values <= 0 count
function Side:count_missing(values, positive)
  local _, _, finite, dropped = canvas.range(values, positive)
  self.dropped = self.dropped + dropped
  self.holes = self.holes + canvas.count(values) - finite - dropped
end

--- A value that a limit keeps without a margin when it is the outermost: the foot of
--- bars, 1 for shares.
function Side:edge(v)
  if self.scale.positive and v <= 0 then return end
  self:stretch({ v })
  self.edges[v] = true
end

--- Remembers the single values, so that an axis with few of them can tick exactly those.
function Side:positions(values)
  if self.distinct_count > most_distinct then return end
  if canvas.count(values) > 1000 then self.distinct_count = math.huge return end
  for _, v in ipairs(canvas.values(values)) do
    if not self.distinct[v] and v == v then
      self.distinct[v] = true
      self.distinct_count = self.distinct_count + 1
    end
  end
end

--- The remembered values in order when there are 1 to 8 of them, else nil.
function Side:few_values()
  if self.distinct_count > most_distinct then return nil end
  local values = {}
  for v in pairs(self.distinct) do
    if v < math.huge and v > -math.huge and not (self.scale.positive and v <= 0) then
      values[#values + 1] = v
    end
  end
  table.sort(values)
  return #values >= 1 and values or nil
end

--- Positions 1..n of a series without x.
function Side:count_to(n)
  if n == 0 then return end
  self:cover({ 1, n })
  if n <= most_distinct then
    for i = 1, n do self:positions({ i }) end
  else
    self.distinct_count = math.huge
  end
end

--- An x series, or positions 1..n when it is nil.
function Side:cover_x(x, n)
  if x then
    self:cover(x)
    self:positions(x)
  else
    self:count_to(n)
  end
end

--- A side with known limits: that of a colour bar.
function reach.fixed(s, low, high)
  local side = new_side(s)
  side.low, side.high, side.integers = low, high, false
  return side
end

--- Gives all sides the reach of all.
---@param list table[] sides of the same scale
function reach.join(list)
  local first = list[1]
  for _, side in ipairs(list) do
    first.low, first.high = math.min(first.low, side.low), math.max(first.high, side.high)
    first.integers = first.integers and side.integers
    first.margin = math.max(first.margin, side.margin)
    first.keep_margin = first.keep_margin or side.keep_margin
    first.flip, first.tight = first.flip or side.flip, first.tight or side.tight
    first.categories = first.categories or side.categories
    for v in pairs(side.edges) do first.edges[v] = true end
    first.distinct_count = first.distinct_count + side.distinct_count
    for v in pairs(side.distinct) do first.distinct[v] = true end
  end
  for _, side in ipairs(list) do
    for name, value in pairs(first) do
      if name ~= "dropped" and name ~= "holes" then side[name] = value end
    end
  end
end

-- A symlog scale needs to know the data before it is one.
local function finish_scale(side, settings, which)
  if settings[which .. "scale"] ~= "symlog" then return end
  local given = settings[which .. "threshold"]
  side.scale = scale.symlog(given or scale.threshold(side.low, side.high))
end

local function cover_marks(r, panel)
  for _, mark in ipairs(panel.marks) do
    if mark.kind.limits then mark.kind.limits(mark, r, panel) end
  end
end

-- The user's margin holds without rounding; bars still stand on their edge.
local function finish_margin(side, given)
  if given then side.margin, side.given_margin = given, true end
end

--- The reach of all marks of a panel, and of its twin.
---@param panel table
---@param settings table the panel's, with those of axes it shares
function reach.of(panel, settings)
  local r = { x = new_side(scale.named(settings.xscale)),
    y = new_side(scale.named(settings.yscale)) }
  r.x.margin = 0.02
  r.x.categories, r.y.categories = panel.xcategories, panel.ycategories
  cover_marks(r, panel)
  finish_scale(r.y, settings, "y")
  local twin = panel.twin
  if twin then
    r.twin = new_side(scale.named(twin.settings.yscale))
    cover_marks({ x = r.x, y = r.twin }, twin)
    finish_scale(r.twin, twin.settings, "y")
    finish_margin(r.twin, twin.settings.ymargin)
  end
  finish_scale(r.x, settings, "x")
  if r.x:few_values() then -- points that stand apart do not belong onto the spine
    r.x.margin, r.x.keep_margin = math.max(r.x.margin, 0.04), true
  end
  finish_margin(r.x, settings.xmargin)
  finish_margin(r.y, settings.ymargin)
  return r
end

return reach
