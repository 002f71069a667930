--- Rectangles on the page: {left, top, right, bottom}, y downwards.

local box = {}

function box.new(left, top, right, bottom)
  return { left = left, top = top, right = right, bottom = bottom }
end

function box.grow(b, by)
  return box.new(b.left - by, b.top - by, b.right + by, b.bottom + by)
end

function box.overlap(a, b)
  return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
end

function box.contains(outer, inner)
  return inner.left >= outer.left and inner.right <= outer.right
    and inner.top >= outer.top and inner.bottom <= outer.bottom
end

-- Shrinks [t0, t1], the part of a segment from p to p + d that is within low..high.
local function within(p, d, low, high, t0, t1)
  if d == 0 then return t0, (p >= low and p <= high) and t1 or -1 end
  local a, b = (low - p) / d, (high - p) / d
  if a > b then a, b = b, a end
  return math.max(t0, a), math.min(t1, b)
end

--- Does the segment touch the box?
function box.meets_segment(b, x0, y0, x1, y1)
  local t0, t1 = within(x0, x1 - x0, b.left, b.right, 0, 1)
  if t0 > t1 then return false end
  t0, t1 = within(y0, y1 - y0, b.top, b.bottom, t0, t1)
  return t0 <= t1
end

return box
