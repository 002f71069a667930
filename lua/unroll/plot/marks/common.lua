--- What several charts share: strokes, markers, outlines, labels of reference lines.

local canvas = require("unroll.core").canvas
local categories = require "unroll.plot.categories"
local data = require "unroll.plot.data"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local common = {}

common.shapes = { "circle", "square", "diamond", "triangle", "plus", "cross", "none" }

--- Options that every chart with a line has.
function common.line_kinds(extra)
  local kinds = { label = "string|number", color = "string|number", width = "positive",
    dash = "string|table", alpha = "number" }
  for name, kind in pairs(extra or {}) do kinds[name] = kind end
  return kinds
end

--- An opacity in 0..1.
function common.check_alpha(who, alpha)
  if alpha ~= nil and not (alpha >= 0 and alpha <= 1) then
    options.misuse("%s: alpha must be in 0..1, got %s", who, tostring(alpha))
  end
  return alpha
end

--- label as a string, or nil.
function common.label(label)
  return label ~= nil and tostring(label) or nil
end

--- (x, y, opts) or (y, opts) -> x or nil, y, opts. x may be a list of names, which are places
--- on an axis of categories.
function common.xy(who, panel, a, b, c)
  if data.is_names(a) then a = categories.places(who, panel, "x", a) end
  return data.xy(who, a, b, c)
end

--- How a mark's line is drawn.
function common.stroke(mark, theme, width)
  return { color = style.color(theme, mark.color), width = mark.width or width,
    dash = style.dash(theme, mark), alpha = mark.alpha }
end

common.most_rims = 2000 -- points; rims of more would hide the others

--- How a mark's markers are drawn; nil for none.
function common.marker(mark, theme)
  local shape = mark.marker
  if shape == "none" then return nil end
  local opaque = (mark.alpha or 1) == 1 and (mark.n or 0) <= common.most_rims
  return { shape = shape, size = mark.size or theme.marker_size,
    color = style.color(theme, mark.color), alpha = mark.alpha, rim = theme.background,
    rim_width = opaque and theme.marker_rim or 0 }
end

--- The points of a series become obstacles for labels.
function common.outline(view, x, y, found)
  found.lines[#found.lines + 1] = canvas.outline(view.frame, x, y, 2)
end

--- Page boxes around each point, for charts without a line.
function common.point_boxes(view, x, y, radius, found)
  local xs, ys = x and canvas.values(x), canvas.values(y)
  if #ys > 2000 then return common.outline(view, x, y, found) end
  for i, v in ipairs(ys) do
    local px, py = view.x(xs and xs[i] or i), view.y(v)
    if px == px and py == py then
      found.boxes[#found.boxes + 1] = { left = px - radius, right = px + radius,
        top = py - radius, bottom = py + radius }
    end
  end
end

--- A frame in which the numbers are points of the page, for what is computed there.
function common.page_frame(b)
  return { left = b.left, right = b.right, top = b.top, bottom = b.bottom,
    xlow = b.left, xhigh = b.right, ylow = b.bottom, yhigh = b.top }
end

--- Legend entries of a mark with one label.
function common.key(mark, swatch)
  return mark.label and { { label = mark.label, swatch = swatch } } or {}
end

--- Where the label of a level line at page height y may stand.
function common.level_candidates(b, y)
  local list = {}
  for _, h in ipairs { 1, 0, 0.5 } do
    local x = b.left + 4 + h * (b.right - b.left - 8)
    list[#list + 1] = { x, y - 1.5, h, 1 }
    list[#list + 1] = { x, y + 1.5, h, 0 }
  end
  return list
end

--- Where the label of an upright line at page position x may stand.
function common.upright_candidates(b, x)
  local list = {}
  for _, v in ipairs { 0, 1, 0.5 } do
    local y = b.top + 3 + v * (b.bottom - b.top - 6)
    list[#list + 1] = { x + 4, y, 0, v }
    list[#list + 1] = { x - 4, y, 1, v }
  end
  return list
end

return common
