--- What the data of a panel cover: the raw material of the limits of its axes.

local canvas = require("unroll.core").canvas

local reach = {}

local Side = {}
Side.__index = Side

local most_distinct = 8

-- Larger values leave the page: the length of an axis must stay a finite number.
local utmost = 1e300

local function new_side(scale)
  return setmetatable({ scale = scale, low = math.huge, high = -math.huge, dropped = 0,
    integers = true, distinct = {}, distinct_count = 0, edges = {}, margin = 0.05 }, Side)
end

--- Counts the numbers of a series (or a table).
function Side:cover(values)
  local low, high, finite, dropped, integers = canvas.range(values, self.scale.positive)
  self.dropped = self.dropped + dropped
  if finite == 0 then return end
  self.low = math.min(self.low, math.max(low, -utmost))
  self.high = math.max(self.high, math.min(high, utmost))
  self.integers = self.integers and integers
end

--- A value that a limit keeps without a margin when it is the outermost: the foot of
--- bars, 1 for shares.
function Side:edge(v)
  if self.scale.positive and v <= 0 then return end
  self:cover({ v })
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

--- The reach of all marks of a panel.
---@param panel table
---@param xscale table
---@param yscale table
function reach.of(panel, xscale, yscale)
  local r = { x = new_side(xscale), y = new_side(yscale) }
  r.x.margin = 0.02
  for _, mark in ipairs(panel.marks) do
    if mark.kind.limits then mark.kind.limits(mark, r, panel) end
  end
  if r.x:few_values() then -- points that stand apart do not belong onto the spine
    r.x.margin, r.x.keep_margin = math.max(r.x.margin, 0.04), true
  end
  return r
end

return reach
