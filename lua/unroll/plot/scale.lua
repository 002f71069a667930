--- Scales: what lies between a number and its place on an axis.
--
-- A scale has a kind ("linear", "log", "log2", "symlog"), a name for the canvas, forward
-- and inverse, the limits of an axis without data, `positive` when it cannot show other
-- numbers, and a base when it is logarithmic. Margins are parts of the forward range.

local scale = {}

scale.linear = {
  kind = "linear", name = "linear", positive = false, empty = { 0, 1 },
  forward = function(v) return v end,
  inverse = function(u) return u end,
}

scale.log = {
  kind = "log", name = "log10", base = 10, positive = true, empty = { 1, 10 },
  forward = function(v) return math.log(v, 10) end,
  inverse = function(u) return 10.0 ^ math.max(-305, math.min(305, u)) end,
}

-- On the page the base makes no difference; ticks stand at powers of it.
scale.log2 = {
  kind = "log2", name = "log10", base = 2, positive = true, empty = { 1, 2 },
  forward = function(v) return math.log(v, 2) end,
  inverse = function(u) return 2.0 ^ math.max(-1013, math.min(1013, u)) end,
}

--- Linear between -threshold and threshold, beyond logarithmic on both sides:
--- u = v / threshold, and where |u| > 1 its sign times 1 + log10 |u|.
function scale.symlog(threshold)
  return {
    kind = "symlog", name = "symlog", positive = false, empty = { -threshold, threshold },
    threshold = threshold,
    forward = function(v)
      local u = v / threshold
      if math.abs(u) <= 1 then return u end
      return (u > 0 and 1 or -1) * (1 + math.log(math.abs(u), 10))
    end,
    inverse = function(w)
      if math.abs(w) <= 1 then return w * threshold end
      local u = 10.0 ^ math.min(305 - math.log(threshold, 10), math.abs(w) - 1)
      return (w > 0 and 1 or -1) * u * threshold
    end,
  }
end

--- The threshold when the user gives none: three decades below the largest value.
function scale.threshold(low, high)
  local most = math.max(math.abs(low), math.abs(high))
  if not (most > 1e-290 and most < math.huge) then return 1 end
  return 10.0 ^ (math.ceil(math.log(most, 10) - 1e-9) - 3)
end

--- The scale with the name that users give; symlog still without its threshold.
function scale.named(name)
  if name == "log" or name == "log10" then return scale.log end
  if name == "log2" then return scale.log2 end
  return scale.linear
end

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

--- Whole decades (powers of two on log2) around low..high, if that adds less than 30 % to
--- the range; else nil.
function scale.decades(s, low, high)
  local u, v = s.forward(low), s.forward(high)
  local down, up = math.floor(u + 1e-9), math.ceil(v - 1e-9)
  if up > down and (up - down) < 1.3 * (v - u) then return s.inverse(down), s.inverse(up) end
end

return scale
