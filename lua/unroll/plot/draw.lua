--- From a plan to a page: what is decided is drawn, back to front.

local canvas = require("unroll.core").canvas
local color = require "unroll.plot.color"
local describe = require "unroll.plot.describe"
local sides = require "unroll.plot.sides"
local style = require "unroll.plot.style"
local text = require "unroll.plot.text"

local draw = {}

-- --- axes ----------------------------------------------------------------------------

-- Is there a chart of which this is true?
local function any_mark(p, what)
  for _, mark in ipairs(p.panel.marks) do
    if mark.kind[what] then return true end
  end
  return false
end

-- Across the values: where the names of bars stand on the y axis, these are on x.
local function grid_lines(page, p, theme)
  local b = p.box
  local major = { color = theme.grid, width = theme.grid_width }
  local minor = { color = theme.minor_grid, width = theme.minor_grid_width }
  local function level(v, stroke)
    page:segment(b.left, p.view.y(v), b.right, p.view.y(v), stroke)
  end
  local function upright(v, stroke)
    page:segment(p.view.x(v), b.top, p.view.x(v), b.bottom, stroke)
  end
  local function few_decades(plan) return math.log(plan.high, 10) - math.log(plan.low, 10) < 4 end
  if p.y.scale.positive and few_decades(p.y) then
    for _, v in ipairs(p.y.minor) do level(v, minor) end
  end
  for _, tick in ipairs(p.y.categories and {} or p.y.ticks) do level(tick.at, major) end
  if p.x.scale.positive or p.y.categories then
    for _, tick in ipairs(p.x.ticks) do upright(tick.at, major) end
  end
end

-- From the axis to labels in a lower row.
local function leads(page, p, theme)
  local stroke = { color = theme.legend_rim, width = theme.minor_width }
  for _, tick in ipairs(p.x.ticks) do
    if tick.text and (tick.row or 0) > 0 then
      local x = p.view.x(tick.at)
      page:segment(x, p.box.bottom + 1, x, tick.text.box.top + 0.5, stroke)
    end
  end
end

local function tick_marks(page, p, theme)
  local b = p.box
  local major = { color = theme.axis, width = theme.tick_width }
  local minor = { color = theme.axis, width = theme.minor_width }
  local function below(v, length, stroke)
    page:segment(p.view.x(v), b.bottom, p.view.x(v), b.bottom + length, stroke)
  end
  local function beside(v, length, stroke)
    page:segment(b.left - length, p.view.y(v), b.left, p.view.y(v), stroke)
  end
  for _, v in ipairs(p.x.minor) do below(v, theme.minor_length, minor) end
  for _, v in ipairs(p.y.minor) do beside(v, theme.minor_length, minor) end
  if not p.x.categories then
    for _, tick in ipairs(p.x.ticks) do below(tick.at, theme.tick_length, major) end
  end
  leads(page, p, theme)
  local own = { color = p.color or theme.axis, width = theme.tick_width }
  for _, tick in ipairs(p.y.categories and {} or p.y.ticks) do
    beside(tick.at, theme.tick_length, own)
  end
end

local function spines(page, p, theme)
  local b = p.box
  local stroke = { color = theme.axis, width = theme.spine_width }
  local half = theme.spine_width / 2
  page:segment(b.left, b.top, b.left, b.bottom + half,
    { color = p.color or theme.axis, width = theme.spine_width })
  page:segment(b.left - half, b.bottom, b.right, b.bottom, stroke)
end

-- --- marks ---------------------------------------------------------------------------

local layers = { "back", "reference", "fill", "data", "front" }

-- Strokes that run along the edge of the panel show their full width.
local bleed = 1

local function draw_marks(page, panel, view, theme)
  local b = view.box
  local pen = { page = page, view = view, theme = theme,
    color = function(c) return style.color(theme, c) end }
  page:clip(b.left - bleed, b.top - bleed, b.right + bleed, b.bottom + bleed)
  for _, layer in ipairs(layers) do
    for _, mark in ipairs(panel.marks) do
      if (mark.kind.layer or "data") == layer then mark.kind.draw(mark, pen) end
    end
  end
  page:unclip()
end

-- --- legend and labels ---------------------------------------------------------------

-- A swatch is {fill=, line=, marker=}: what of it is there is drawn, in this order.
local function draw_swatch(page, swatch, b)
  local middle = (b.top + b.bottom) / 2
  if swatch.fill then
    page:rectangle(b.left, b.top + 0.5, b.right, b.bottom - 0.5, swatch.fill)
  end
  local frame = { left = b.left, right = b.right, top = b.top, bottom = b.bottom,
    xlow = b.left, xhigh = b.right, ylow = b.bottom, yhigh = b.top }
  if swatch.line then
    page:polyline(frame, { b.left, b.right }, { middle, middle }, swatch.line)
  end
  if swatch.marker then
    page:markers(frame, { (b.left + b.right) / 2 }, { middle }, swatch.marker)
  end
end

-- Near an edge of the panel the legend's ground reaches it, so that no stubs of grid
-- lines stand beside it.
local function legend_ground(b, panel)
  local function reach(v, edge) return math.abs(v - edge) < 12 and edge or v end
  return reach(b.left, panel.left + 1), reach(b.top, panel.top), reach(b.right, panel.right),
    reach(b.bottom, panel.bottom - 1)
end

local function draw_legend(page, lg, panel, theme)
  local b = lg.box
  if lg.rim then
    page:rectangle(b.left - 0.6, b.top - 0.6, b.right + 0.6, b.bottom + 0.6,
      theme.legend_rim)
    page:rectangle(b.left, b.top, b.right, b.bottom, theme.background)
  elseif not lg.outside then
    local left, top, right, bottom = legend_ground(b, panel)
    page:rectangle(left, top, right, bottom, color.fade(theme.background, theme.legend_back))
  end
  for _, entry in ipairs(lg.entries) do draw_swatch(page, entry.swatch, entry.swatch_box) end
end

-- From the edge of the text's box towards the point, a little short of it, with a head.
local function draw_leader(page, item, theme)
  local b, to = item.box, item.leader
  local x = math.max(b.left, math.min(b.right, to.x))
  local y = math.max(b.top + 2, math.min(b.bottom - 2, to.y))
  local dx, dy = to.x - x, to.y - y
  local length = math.sqrt(dx * dx + dy * dy)
  if length < 7 then return end
  dx, dy = dx / length, dy / length
  local gap, head = 3, 4
  local tip_x, tip_y = to.x - gap * dx, to.y - gap * dy
  local neck_x, neck_y = tip_x - head * dx, tip_y - head * dy
  page:segment(x + 1.5 * dx, y + 1.5 * dy, neck_x, neck_y,
    { color = theme.muted, width = 0.8 })
  page:polygon({ tip_x, tip_y, neck_x - 1.5 * dy, neck_y + 1.5 * dx,
    neck_x + 1.5 * dy, neck_y - 1.5 * dx }, theme.muted)
end

local function draw_labels(page, p, theme)
  for _, item in ipairs(p.labels) do
    if item.leader then draw_leader(page, item, theme) end
    if item.halo then
      local b = item.box
      page:rectangle(b.left - 1, b.top, b.right + 1, b.bottom,
        color.fade(theme.background, 0.75))
    end
  end
end

-- --- the whole -----------------------------------------------------------------------

-- Lines and markers at the edge lie over the axes, bars stand on them.
local function draw_panel(page, p, theme)
  local bare, standing = any_mark(p, "bare"), any_mark(p, "standing")
  if not bare and p.panel.settings.grid ~= false then grid_lines(page, p, theme) end
  if not bare and not standing then spines(page, p, theme) end
  draw_marks(page, p.panel, p.view, theme)
  if p.panel.twin then draw_marks(page, p.panel.twin, p.sides[1].view, theme) end
  if bare then sides.frame(page, p.box, theme) elseif standing then spines(page, p, theme) end
  sides.draw(page, p, theme)
  tick_marks(page, p, theme)
  draw_labels(page, p, theme)
  if p.legend then draw_legend(page, p.legend, p.box, theme) end
end

-- The box around all that is drawn, in points of the page and whole pixels.
local function drawn_box(plan, dpi)
  local all = { left = math.huge, top = math.huge, right = -math.huge, bottom = -math.huge }
  local function cover(b, by)
    all.left, all.top = math.min(all.left, b.left - by), math.min(all.top, b.top - by)
    all.right, all.bottom = math.max(all.right, b.right + by), math.max(all.bottom, b.bottom + by)
  end
  for _, item in ipairs(plan.texts) do cover(item.box, 0) end
  for _, p in ipairs(plan.panels) do
    local d = p.inner
    cover(p.box, plan.theme.tick_length)
    cover({ left = p.box.left - d.left, top = p.box.top, right = p.box.right + d.right,
      bottom = p.box.bottom + d.bottom }, 0)
    if p.legend then cover(p.legend.box, 0) end
  end
  if plan.legend then cover(plan.legend.box, 0) end
  local unit = dpi / 72
  local function floor(v) return math.floor((v * plan.zoom - 2) * unit) / unit end
  local function ceil(v) return math.ceil((v * plan.zoom + 2) * unit) / unit end
  return math.max(0, floor(all.left)), math.max(0, floor(all.top)),
    math.min(plan.width * plan.zoom, ceil(all.right)),
    math.min(plan.height * plan.zoom, ceil(all.bottom))
end

-- A page with the plan on it.
local function open_page(fig, plan, format, dpi, crop)
  local theme = plan.theme
  local left, top, right, bottom = 0, 0, fig.width * 72, fig.height * 72
  if crop and #plan.panels > 0 then left, top, right, bottom = drawn_box(plan, dpi) end
  local page = canvas.open { format = format, left = left, top = top, width = right - left,
    height = bottom - top, dpi = dpi, zoom = plan.zoom,
    background = not fig.transparent and theme.background or nil,
    title = fig.title and text.plain(fig.title),
    description = text.plain(fig.alt or describe.alt(fig, plan)) }
  for _, p in ipairs(plan.panels) do draw_panel(page, p, theme) end
  if plan.legend then draw_legend(page, plan.legend, nil, theme) end
  for _, item in ipairs(plan.texts) do text.draw(page, item) end
  return page
end

--- Draws a plan.
---@param fig unroll.Figure
---@param plan table from layout.plan
---@param format string "png", "svg" or "pdf"
---@param dpi number
---@param crop? boolean
---@return string bytes of the file
function draw.render(fig, plan, format, dpi, crop)
  local page <close> = open_page(fig, plan, format, dpi, crop)
  return page:finish()
end

--- Draws a plan into width x height pixels.
---@return string rows of r, g, b; what is transparent is white
function draw.pixels(fig, plan, width, height)
  local page <close> = open_page(fig, plan, "png", width / fig.width)
  return page:pixels(width, height)
end

return draw
