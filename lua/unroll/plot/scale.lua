--- Scales: what lies between a number and its place on an axis.
--
-- A scale has a name for the canvas, forward and inverse, the limits of an axis without
-- data, and `positive` when it cannot show other numbers. Margins are parts of the
-- forward range.

local scale = {}

scale.linear = {
  name = "linear", positive = false, empty = { 0, 1 },
  forward = function(v) return v end,
  inverse = function(u) return u end,
}

scale.log = {
  name = "log10", positive = true, empty = { 1, 10 },
  forward = function(v) return math.log(v, 10) end,
  inverse = function(u) return 10.0 ^ math.max(-305, math.min(305, u)) end,
}

--- Limits of an axis whose data are all the same value.
function scale.around(s, v)
  if s.positive then return math.max(v, 1e-304) / 2, math.max(v, 1e-304) * 2 end
  if math.abs(v) < 1e-290 then return -1, 1 end
  local margin = math.abs(v) * 0.05
  return v - margin, v + margin
end

--- low and high moved apart by parts of the range.
function scale.widen(s, low, high, below, above)
  local u, v = s.forward(low), s.forward(high)
  local range = v - u
  return s.inverse(u - below * range), s.inverse(v + above * range)
end

--- Whole decades around low..high, if that adds less than 30 % to the range; else nil.
function scale.decades(low, high)
  local u, v = math.log(low, 10), math.log(high, 10)
  local down, up = math.max(-305, math.floor(u + 1e-9)), math.ceil(v - 1e-9)
  if up > down and (up - down) < 1.3 * (v - u) then return 10.0 ^ down, 10.0 ^ up end
end

return scale
