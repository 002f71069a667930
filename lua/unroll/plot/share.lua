--- Shared axes: panels with the same limits, of which only the outer ones are labelled.

local axis = require "unroll.plot.axis"
local reach = require "unroll.plot.reach"

local share = {}

--- Which axes a figure shares: {x = boolean, y = boolean}.
function share.of(fig)
  return { x = fig.share == "x" or fig.share == "both",
    y = fig.share == "y" or fig.share == "both" }
end

-- The first panel's setting of that name: one speaks for all.
local function first_setting(panels, name)
  for _, p in ipairs(panels) do
    if p.panel.settings[name] ~= nil then return p.panel.settings[name] end
  end
end

--- The settings of the panel, with those of shared axes from whichever panel has them.
function share.settings(fig, panel, panels)
  local settings, shared = {}, share.of(fig)
  for name, value in pairs(panel.settings) do settings[name] = value end
  for which, is_shared in pairs(shared) do
    for _, name in ipairs { "scale", "lim", "invert", "threshold", "margin" } do
      if is_shared then settings[which .. name] = first_setting(panels, which .. name) end
    end
  end
  return settings
end

--- Gives the sides of all panels the reach of all.
function share.join(fig, panels)
  for which, is_shared in pairs(share.of(fig)) do
    local list = {}
    for i, p in ipairs(panels) do list[i] = p.reach[which] end
    if is_shared and #list > 1 then reach.join(list) end
  end
end

local function covers(p, other, from, span)
  return p.panel[from] < other.panel[from] + other.panel[span]
    and other.panel[from] < p.panel[from] + p.panel[span]
end

-- Is there a panel of the same column below this one (or of the same row to the left)?
local function is_inner(p, panels, which)
  for _, other in ipairs(panels) do
    if which == "x" and other.panel.row > p.panel.row and covers(p, other, "col", "colspan")
      or which == "y" and other.panel.col < p.panel.col and covers(p, other, "row", "rowspan")
    then
      return other
    end
  end
end

--- Takes the labels of inner panels away; a label of their own they keep.
function share.hide_inner(fig, panels)
  for which, is_shared in pairs(share.of(fig)) do
    for _, p in ipairs(is_shared and panels or {}) do
      local outer = is_inner(p, panels, which)
      if outer then
        axis.hide_labels(p[which])
        local name = which .. "label"
        local own = p.panel.settings[name]
        p[which].label = own ~= outer.panel.settings[name] and own or nil
      end
    end
  end
end

return share
