--- Finding free spots in a panel for labels, notes and the legend.
--
-- Obstacles are {lines, boxes, texts}: outlines of the data (page points), boxes of marks,
-- and boxes of texts that have a place already. A text never covers another text; data it
-- covers only when there is no better spot.

local box = require "unroll.plot.box"

local place = {}

-- How many segments of the line touch the box, and points that stand alone between gaps;
-- stops counting at `most`.
local function line_hits(b, points, most)
  local hits, x0, y0 = 0, 0 / 0, 0 / 0
  for i = 1, #points - 1, 2 do
    local x1, y1 = points[i], points[i + 1]
    if x0 ~= x0 then x0, y0 = x1, y1 end
    if x1 == x1 and box.meets_segment(b, x0, y0, x1, y1) then
      hits = hits + 1
      if hits >= most then return hits end
    end
    x0, y0 = x1, y1
  end
  return hits
end

--- How much of the data a box would cover, counted up to `most` (default: all).
function place.hits(obstacles, b, most)
  most = most or math.huge
  local hits = 0
  for _, points in ipairs(obstacles.lines) do
    hits = hits + line_hits(b, points, most)
    if hits >= most then return hits end
  end
  for _, other in ipairs(obstacles.boxes) do
    if box.overlap(b, other) then hits = hits + 1 end
  end
  return hits
end

--- Would the box cover a text?
function place.covers_text(obstacles, b)
  for _, other in ipairs(obstacles.texts) do
    if box.overlap(b, other) then return true end
  end
  return false
end

--- The first of the candidate boxes with the fewest hits that lies within `bounds` and
--- covers no text; nil when there is none.
---@return table|nil box, integer hits
function place.choose(obstacles, bounds, candidates, margin)
  local best, fewest
  for _, candidate in ipairs(candidates) do
    if box.contains(bounds, candidate) and not place.covers_text(obstacles, candidate) then
      local hits = place.hits(obstacles, box.grow(candidate, margin), fewest)
      if not best or hits < fewest then best, fewest = candidate, hits end
      if hits == 0 then break end
    end
  end
  return best, fewest
end

--- Boxes of one size all over the bounds: the last resort of a label.
function place.everywhere(bounds, width, height)
  local candidates = {}
  local across, down = bounds.right - bounds.left - width, bounds.bottom - bounds.top - height
  if across < 0 or down < 0 then return candidates end
  for i = 0, 8 do
    for j = 0, 4 do
      local left, top = bounds.left + across * (4 - j) / 4, bounds.top + down * i / 8
      candidates[#candidates + 1] = box.new(left, top, left + width, top + height)
    end
  end
  return candidates
end

return place
