--- Colours: names, palettes, mixing. A colour is "#rrggbb" or "#rrggbbaa".

local options = require "unroll.plot.options"

local color = {}

--- Lists of colours for series. "okabe-ito" is Okabe and Ito's set (2008) in an order in
--- which the first four have 3:1 contrast on white; its yellow is left out.
color.palettes = {
  ["okabe-ito"] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
    "#000000" },
  petroff10 = { "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59",
    "#e76300", "#b9ac70", "#717581", "#92dadd" },
  tab10 = { "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2",
    "#7f7f7f", "#bcbd22", "#17becf" },
  ["tol-muted"] = { "#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77",
    "#cc6677", "#882255", "#aa4499" },
}

local names = {
  blue = "#0072b2", orange = "#d55e00", green = "#009e73", pink = "#cc79a7",
  amber = "#e69f00", sky = "#56b4e9", black = "#000000", white = "#ffffff",
  grey = "#7f7f7f", gray = "#7f7f7f", lightgrey = "#cccccc", lightgray = "#cccccc",
  red = "#c1272d", yellow = "#f0e442", purple = "#7a3e9d", brown = "#8c564b",
}

--- What a user may give: a name, "#rgb", "#rrggbb", "#rrggbbaa", or an integer, which
--- means the n-th colour of the theme's palette and stays an integer here.
function color.check(who, value)
  if value == nil or (math.type(value) == "integer" and value >= 1) then return value end
  local text = type(value) == "string" and value:lower() or ""
  if names[text] then return names[text] end
  if text:match("^#%x%x%x$") then return (text:gsub("%x", "%0%0")) end
  if text:match("^#%x%x%x%x%x%x$") or text:match("^#%x%x%x%x%x%x%x%x$") then return text end
  if text:match("^%a+$") then
    options.misuse("%s: unknown colour %s", who, options.describe_unknown(value, names))
  end
  options.misuse("%s: color must be a name, \"#rrggbb\" or 1, 2, ..., got %s", who,
    tostring(value))
end

local function channels(c)
  local r, g, b, a = c:match("^#(%x%x)(%x%x)(%x%x)(%x*)$")
  return tonumber(r, 16), tonumber(g, 16), tonumber(b, 16), tonumber(a, 16) or 255
end

--- `part` of b in a (0: a, 1: b); opaque.
function color.mix(a, b, part)
  local r1, g1, b1 = channels(a)
  local r2, g2, b2 = channels(b)
  local function between(u, v) return math.floor(u + (v - u) * part + 0.5) end
  return ("#%02x%02x%02x"):format(between(r1, r2), between(g1, g2), between(b1, b2))
end

local function linear(v)
  v = v / 255
  return v <= 0.04045 and v / 12.92 or ((v + 0.055) / 1.055) ^ 2.4
end

--- The text colour, dark or white, that has more contrast on c (WCAG's luminance).
function color.on(c)
  local r, g, b = channels(c)
  local luminance = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  return luminance > 0.21 and "#262626" or "#ffffff"
end

--- c with its opacity multiplied by alpha.
function color.fade(c, alpha)
  local r, g, b, a = channels(c)
  local faded = math.floor(a * math.max(0, math.min(1, alpha)) + 0.5)
  return ("#%02x%02x%02x%02x"):format(r, g, b, faded)
end

return color
