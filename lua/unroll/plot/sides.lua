--- What stands to the right of a panel's box: the axis of its twin, and colour bars.
--
-- Each side is a y axis of its own: {kind, panel, reach, plan, offset, label}. The twin's
-- axis is the right edge of the box; a colour bar stands `offset` points beside it.

local axis = require "unroll.plot.axis"
local text = require "unroll.plot.text"
local view = require "unroll.plot.view"

local sides = {}

local bar_gap, bar_width = 10, 9 -- points

--- The sides of a panel, left to right.
---@param panel table
---@param r table its reach
function sides.start(panel, r)
  local list = {}
  if panel.twin then
    list[1] = { kind = "twin", panel = panel.twin, reach = r.twin, offset = 0 }
  end
  for _, mark in ipairs(panel.marks) do
    local bar = mark.kind.color_bar and mark.kind.color_bar(mark)
    if bar then
      list[#list + 1] = { kind = "bar", bar = bar, mark = mark, reach = bar.reach, panel =
        { settings = { ylim = { bar.low, bar.high }, ylabel = bar.label, yformat = bar.format } } }
    end
  end
  return list
end

-- The one colour in which all of a panel is drawn, or nil.
local function only_color(panel, theme)
  local only
  for _, mark in ipairs(panel.marks) do
    for _, entry in ipairs(mark.kind.series and mark.kind.series(mark, theme) or {}) do
      if only and entry.color ~= only then return nil end
      only = entry.color
    end
  end
  return only
end

-- The labels of an axis in the colour of what is measured on it.
local function paint(plan, color)
  for _, tick in ipairs(plan.ticks) do
    if color and tick.text then tick.text.look.color = color end
  end
end

--- Plans the axes of the sides. With a twin, both y axes take the colour of their data where
--- that is one.
---@param p table a panel of a plan
---@param space table of the y axis, as axis.plan takes it
function sides.plan(p, space, theme)
  for _, side in ipairs(p.sides) do
    local room = side.kind == "twin" and space or { length = space.length }
    side.plan = axis.plan("y", side.panel, side.reach, room, theme)
    side.view = view.new(p.box, p.x, side.plan)
    if side.kind == "twin" then
      p.color, side.color = only_color(p.panel, theme), only_color(side.panel, theme)
      paint(p.y, p.color)
      paint(side.plan, side.color)
    end
  end
end

--- Measures the sides and gives each its place; returns what they need beside the box.
function sides.measure(p, theme)
  local at = 0
  for _, side in ipairs(p.sides) do
    if side.kind == "bar" then
      at = at + bar_gap
      side.left = at
      at = at + bar_width
    end
    side.offset = at
    at = at + theme.tick_length + theme.tick_pad
    local widest = 0
    for _, tick in ipairs(side.plan.ticks) do
      if tick.text then widest = math.max(widest, tick.text.width) end
    end
    at = at + widest
    side.label = side.plan.label and text.new(side.plan.label, { size = theme.label_size,
      color = side.color or theme.text, align = "center", angle = 90, role = "ylabel",
      wrap = p.box.bottom - p.box.top }) -- above it the title may reach beyond the box
    if side.label then at = at + theme.label_pad + side.label.width end
    side.right = at
  end
  return at
end

--- Places the texts of the sides; calls add(item) for each.
function sides.place(p, theme, add)
  local b = p.box
  for _, side in ipairs(p.sides) do
    local x = b.right + side.offset + theme.tick_length + theme.tick_pad
    for _, tick in ipairs(side.plan.ticks) do
      if tick.text then
        add(text.place(tick.text, x, side.view.y(tick.at), 0, "digits"))
      end
    end
    if side.label then
      add(text.place(side.label, b.right + side.right, (b.top + b.bottom) / 2, 1, 0.5))
    end
  end
end

local function ticks_of(page, p, side, theme)
  local x = p.box.right + side.offset
  local color = side.color or theme.axis
  local function marks(values, length, width)
    for _, v in ipairs(values) do
      local y = side.view.y(type(v) == "table" and v.at or v)
      page:segment(x, y, x + length, y, { color = color, width = width })
    end
  end
  marks(side.plan.minor, theme.minor_length, theme.minor_width)
  marks(side.plan.ticks, theme.tick_length, theme.tick_width)
end

--- A thin frame: where cells are as light as the page, it says where they end.
function sides.frame(page, b, theme)
  local stroke = { color = theme.axis, width = theme.minor_width }
  page:segment(b.left, b.top, b.right, b.top, stroke)
  page:segment(b.left, b.bottom, b.right, b.bottom, stroke)
  page:segment(b.left, b.top, b.left, b.bottom, stroke)
  page:segment(b.right, b.top, b.right, b.bottom, stroke)
end

--- Draws colour bars, the twin's spine and the ticks.
function sides.draw(page, p, theme)
  local b = p.box
  for _, side in ipairs(p.sides) do
    if side.kind == "bar" then
      local bar = { left = b.right + side.left, right = b.right + side.offset, top = b.top,
        bottom = b.bottom }
      side.mark.kind.draw_color_bar(side.mark, page, bar, theme)
      sides.frame(page, bar, theme)
    else
      page:segment(b.right, b.top, b.right, b.bottom + theme.spine_width / 2,
        { color = side.color or theme.axis, width = theme.spine_width })
    end
    ticks_of(page, p, side, theme)
  end
end

return sides
