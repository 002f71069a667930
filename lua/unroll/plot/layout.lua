--- Where everything goes: from a figure to a plan in points.
--
-- Each panel has a box and decorations around it (tick labels, axis labels, title,
-- outside legend). All panels of a row share the top and bottom of their boxes, those of
-- a column left and right. How many ticks fit depends on the boxes, how wide the labels
-- are on the ticks, and the boxes on the labels: so measure and divide the page until
-- the boxes stay, then keep ticks and labels and place them.
--
-- A page too small for its texts, or one whose boxes do not settle, is planned on a larger
-- page and drawn reduced (`zoom`), so that nothing ever overlaps.

local axis = require "unroll.plot.axis"
local box = require "unroll.plot.box"
local heading = require "unroll.plot.heading"
local labels = require "unroll.plot.labels"
local legend = require "unroll.plot.legend"
local reach = require "unroll.plot.reach"
local share = require "unroll.plot.share"
local sides = require "unroll.plot.sides"
local style = require "unroll.plot.style"
local text = require "unroll.plot.text"
local view = require "unroll.plot.view"

local layout = {}

local passes = 10
local settled = 0.25 -- points that a box may still move after the last pass
local least_width, least_height = 60, 44 -- of a panel's box, points
local least_part, most_reduced = 0.36, 1.35 -- of its cell, while this reduction suffices

-- --- panels --------------------------------------------------------------------------

local function title_of(panel, letter)
  local title = panel.settings.title
  if not letter then return title end
  return title and ("(%s) %s"):format(letter, title) or ("(%s)"):format(letter)
end

-- What does not change from pass to pass.
local function start_panel(fig, panel, letter, panels)
  local p = { panel = panel, letter = letter }
  p.settings = share.settings(fig, panel, panels)
  p.reach = reach.of(panel, p.settings)
  p.sides = sides.start(panel, p.reach)
  p.decor = { left = 0, right = 0, top = 0, bottom = 0 }
  return p
end

-- Points that the texts of marks need beyond the data: above, below, to the right, left.
local function room_beyond(p, width, height, theme)
  local room = { 0, 0, 0, 0 }
  labels.each_mark(p, function(mark)
    if not mark.kind.headroom then return end
    for i, points in ipairs { mark.kind.headroom(mark, width, height, theme) } do
      room[i] = math.max(room[i], points)
    end
  end)
  if p.legend and p.legend.room then room[1] = room[1] + p.legend.room end
  return room
end

local function spaces_of(p, theme)
  local width, height = p.box.right - p.box.left, p.box.bottom - p.box.top
  local room = room_beyond(p, width, height, theme)
  local cell, cell_width = p.cell.bottom - p.cell.top, p.cell.right - p.cell.left
  p.xspace = { length = width, above = room[3], below = room[4], cell = cell }
  p.yspace = { length = height, above = room[1], below = room[2], cell = cell,
    cell_width = cell_width }
end

-- Shared axes have the widest limits that a panel needs.
local function force_limits(panels, which)
  local low, high = math.huge, -math.huge
  for _, p in ipairs(panels) do
    local l, h = axis.limits(p.reach[which], p.settings[which .. "lim"], p[which .. "space"])
    low, high = math.min(low, l), math.max(high, h)
  end
  for _, p in ipairs(panels) do p[which .. "space"].forced = { low, high } end
end

local function plan_axes(plan)
  local theme, shared = plan.theme, share.of(plan.figure)
  for _, p in ipairs(plan.panels) do spaces_of(p, theme) end
  for _, which in ipairs { "x", "y" } do
    if shared[which] and #plan.panels > 1 then force_limits(plan.panels, which) end
  end
  for _, p in ipairs(plan.panels) do
    p.x = axis.plan("x", p, p.reach.x, p.xspace, theme)
    p.y = axis.plan("y", p, p.reach.y, p.yspace, theme)
    p.view = view.new(p.box, p.x, p.y)
    sides.plan(p, p.yspace, theme)
  end
  share.hide_inner(plan.figure, plan.panels)
end

-- --- decorations ---------------------------------------------------------------------

local function largest(ticks, side)
  local most = 0
  for _, tick in ipairs(ticks) do
    if tick.text then most = math.max(most, tick.text[side]) end
  end
  return most
end

-- How far the labels of the x axis stick out on the left and right.
local function overhang(p)
  local left, right = 0, 0
  for _, tick in ipairs(p.x.ticks) do
    if tick.text then
      local middle, half = p.view.x(tick.at), tick.text.width / 2
      left = math.max(left, p.box.left - middle + half)
      right = math.max(right, middle + half - p.box.right)
    end
  end
  return left, right
end

-- The label of the y axis may be as long as axis and title together. A low box gives more
-- lines, these a narrower box, that more lines below it and a lower box: so after a few
-- passes the room only shrinks, and the boxes come to rest.
local function ylabel_room(p, pass)
  local room = p.box.bottom - p.box.top + p.decor.top
  if pass > 4 then room = math.min(room, p.ylabel_room) end
  p.ylabel_room = room
  return room
end

local function measure_labels(p, pass, theme)
  local width = p.slot.right - p.slot.left
  local label = { size = theme.label_size, align = "center" }
  local function item(s, wrap, angle, role, color)
    label.wrap, label.angle, label.role, label.color = wrap, angle, role, color or theme.text
    return s and text.new(s, label)
  end
  p.xlabel = item(p.x.label, width, 0, "xlabel")
  p.ylabel = item(p.y.label, ylabel_room(p, pass), 90, "ylabel", p.color)
  local title = title_of(p.panel, p.letter)
  p.title = title and text.new(title, { size = theme.title_size, bold = true,
    color = theme.text, wrap = p.slot.right - p.box.left, role = "title" })
end

local function measure_decor(p, pass, theme)
  measure_labels(p, pass, theme)
  local out = theme.tick_length + theme.tick_pad
  local ticks_wide = largest(p.y.ticks, "width")
  local ticks_high = largest(p.x.ticks, "height") * (p.x.rows or 1)
  local left, right = overhang(p)
  local d = { left = out + ticks_wide, bottom = out + ticks_high, top = theme.tick_size / 2 }
  if p.xlabel then d.bottom = d.bottom + theme.label_pad + p.xlabel.height end
  if p.ylabel then d.left = d.left + theme.label_pad + p.ylabel.width end
  if p.title then d.top = theme.title_pad + p.title.height end
  d.left, d.right = math.max(d.left, left), math.max(right, 2, sides.measure(p, theme))
  p.inner = { left = d.left, right = d.right, top = d.top, bottom = d.bottom }
  if p.legend and p.legend.outside == "right" then
    d.right = d.right + theme.legend_gap + p.legend.width
  elseif p.legend and p.legend.outside == "below" then
    d.bottom = d.bottom + theme.legend_gap + p.legend.height
    d.right = math.max(d.right, p.legend.width - d.left - (p.box.right - p.box.left))
  end
  p.decor = d
end

-- --- the legend ------------------------------------------------------------------------

-- May the y axis grow for the legend, and how far?
local function room_for_legend(p, theme)
  local lim = p.settings.ylim
  if (lim and lim[2]) or p.y.flip or p.y.categories then return nil end
  local width, height = p.box.right - p.box.left, p.box.bottom - p.box.top
  local above = room_beyond(p, width, height, theme)[1]
  local most = math.min(0.28 * height, 0.45 * height - above)
  return legend.headroom(p.legend, p.box, most, theme)
end

local first_decision, last_decision = 2, 4 -- passes

-- Decides whether the legend goes inside: at the first decision as the panel is, or with
-- room made for it, which shows at the last decision; else outside.
local function decide_legend(p, pass, plan)
  local lg, theme = p.legend, plan.theme
  if not lg or lg.outside or (pass ~= first_decision and pass ~= last_decision) then return end
  if plan.outside[p.panel] then return legend.go_outside(lg, p.cell, theme) end
  if pass == last_decision and not lg.room then return end
  labels.place(p, plan)
  if legend.place_inside(lg, p.box, p.obstacles, theme) then return end
  lg.room = pass == first_decision and room_for_legend(p, theme) or nil
  if not lg.room then legend.go_outside(lg, p.cell, theme) end
end

-- --- dividing the page ---------------------------------------------------------------

local function zeros(n)
  local list = {}
  for i = 1, n do list[i] = 0 end
  return list
end

local function raise(list, i, value)
  list[i] = math.max(list[i], value)
end

-- The largest decorations of each column and row.
local function shared_decor(plan)
  local fig = plan.figure
  local d = { left = zeros(fig.cols), right = zeros(fig.cols), top = zeros(fig.rows),
    bottom = zeros(fig.rows) }
  for _, p in ipairs(plan.panels) do
    local panel = p.panel
    raise(d.left, panel.col, p.decor.left)
    raise(d.right, panel.col + panel.colspan - 1, p.decor.right)
    raise(d.top, panel.row, p.decor.top)
    raise(d.bottom, panel.row + panel.rowspan - 1, p.decor.bottom)
  end
  return d
end

-- Starts and ends of the boxes along one direction.
local function divide(from, to, n, before, after, gap, weights)
  local free, total = to - from - gap * (n - 1), 0
  for i = 1, n do
    free = free - before[i] - after[i]
    total = total + (weights and weights[i] or 1)
  end
  local starts, ends, at = {}, {}, from
  for i = 1, n do
    starts[i] = at + before[i]
    ends[i] = starts[i] + free * (weights and weights[i] or 1) / total
    at = ends[i] + after[i] + gap
  end
  return starts, ends
end

-- Boxes of all panels, given the decorations of the columns and rows.
local function divide_page(plan, d, key)
  local fig, theme, area = plan.figure, plan.theme, plan.area
  local left, right = divide(area.left, area.right, fig.cols, d.left, d.right,
    theme.column_gap, fig.widths)
  local top, bottom = divide(area.top, area.bottom, fig.rows, d.top, d.bottom,
    theme.row_gap, fig.heights)
  for _, p in ipairs(plan.panels) do
    local panel = p.panel
    p[key] = box.new(left[panel.col], top[panel.row],
      right[panel.col + panel.colspan - 1], bottom[panel.row + panel.rowspan - 1])
  end
end

local function set_cells(plan)
  local fig = plan.figure
  divide_page(plan, { left = zeros(fig.cols), right = zeros(fig.cols),
    top = zeros(fig.rows), bottom = zeros(fig.rows) }, "cell")
end

local function moved(a, b)
  return math.max(math.abs(a.left - b.left), math.abs(a.top - b.top),
    math.abs(a.right - b.right), math.abs(a.bottom - b.bottom))
end

local least_aspect = 20 -- points of either side of a box with an aspect

-- The largest box within the slot in which a unit of y is `aspect` times as long as one of
-- x, in its middle; the slot itself where that would leave too little of it.
local function aspect_box(p)
  local aspect = p.settings.aspect
  if not aspect then return nil end
  local function units(plan) return plan.scale.forward(plan.high) - plan.scale.forward(plan.low) end
  local width, height = p.slot.right - p.slot.left, p.slot.bottom - p.slot.top
  local ratio = (aspect == "equal" and 1 or aspect) * units(p.y) / units(p.x)
  local new_width = math.min(width, height / ratio)
  local new_height = new_width * ratio
  p.no_aspect = math.min(new_width, new_height) < least_aspect
  if p.no_aspect then return nil end
  local x, y = (p.slot.left + p.slot.right) / 2, (p.slot.top + p.slot.bottom) / 2
  return box.new(x - new_width / 2, y - new_height / 2, x + new_width / 2, y + new_height / 2)
end

-- New boxes; returns the largest move of an edge.
local function set_boxes(plan)
  local most = 0
  for _, p in ipairs(plan.panels) do p.old_box = p.box end
  divide_page(plan, shared_decor(plan), "slot")
  for _, p in ipairs(plan.panels) do
    p.box = p.x and aspect_box(p) or p.slot
    most = math.max(most, p.old_box and moved(p.box, p.old_box) or math.huge)
  end
  return most
end

local function large_enough(plan)
  local part = plan.zoom * most_reduced > 1 and least_part or 0
  for _, p in ipairs(plan.panels) do
    local width, height = p.slot.right - p.slot.left, p.slot.bottom - p.slot.top
    if width < math.max(least_width, part * (p.cell.right - p.cell.left))
      or height < math.max(least_height, part * (p.cell.bottom - p.cell.top)) then
      return false
    end
  end
  return true
end

-- --- placing the decorations ---------------------------------------------------------

local function add(plan, item)
  if item then plan.texts[#plan.texts + 1] = item end
end

local function place_ticks(plan, p)
  local theme = plan.theme
  local out, row_height = theme.tick_length + theme.tick_pad, largest(p.x.ticks, "height")
  for _, tick in ipairs(p.x.ticks) do
    if tick.text then
      local down = (tick.row or 0) * row_height
      add(plan, text.place(tick.text, p.view.x(tick.at), p.box.bottom + out + down, 0.5, 0))
    end
  end
  for _, tick in ipairs(p.y.ticks) do
    if tick.text then
      add(plan, text.place(tick.text, p.box.left - out, p.view.y(tick.at), 1,
        p.y.categories and 0.5 or "digits"))
    end
  end
end

local function place_decor(plan, p)
  local theme, b, d = plan.theme, p.box, p.inner
  place_ticks(plan, p)
  if p.xlabel then
    add(plan, text.place(p.xlabel, (b.left + b.right) / 2, b.bottom + d.bottom, 0.5, 1))
  end
  if p.ylabel then
    local middle, half = (b.top + b.bottom) / 2, p.ylabel.height / 2
    middle = math.max(b.top - d.top + half, math.min(middle, b.bottom - half))
    add(plan, text.place(p.ylabel, b.left - d.left, middle, 0, 0.5))
  end
  sides.place(p, theme, function(item) add(plan, item) end)
  if p.title then add(plan, text.place(p.title, b.left, b.top - theme.title_pad, 0, 1)) end
end

local function place_legend(plan, p)
  local lg = p.legend
  if not lg then return end
  if lg.outside then
    legend.place_outside(lg, p.box, p.decor, plan.theme)
  elseif not legend.place_inside(lg, p.box, p.obstacles, plan.theme) then
    plan.outside[p.panel], plan.again = true, true -- no spot is left after all
    return
  end
  legend.arrange(lg, plan.theme)
  for _, entry in ipairs(lg.entries) do add(plan, entry.item) end
end

local function finish_panel(plan, p)
  p.x.length, p.y.length = p.box.right - p.box.left, p.box.bottom - p.box.top
  p.view = view.new(p.box, p.x, p.y)
  for _, side in ipairs(p.sides) do side.view = view.new(p.box, p.x, side.plan) end
  labels.place(p, plan)
  place_decor(plan, p)
  for _, item in ipairs(p.labels) do add(plan, item) end
  place_legend(plan, p)
end

-- --- the whole -----------------------------------------------------------------------

local function letter_of(fig, i)
  return fig.letters and string.char(96 + (i - 1) % 26 + 1) or nil
end

-- Panels in reading order.
local function sorted_panels(fig)
  local panels = {}
  for i, ax in ipairs(fig.axes) do panels[i] = ax.panel end
  table.sort(panels, function(a, b)
    if a.row ~= b.row then return a.row < b.row end
    return a.col < b.col
  end)
  return panels
end

local function start_plan(fig, enlarged, remark, outside)
  local theme = style.of(fig)
  local plan = { figure = fig, theme = theme, zoom = 1 / enlarged, texts = {}, panels = {},
    width = fig.width * 72 * enlarged, height = fig.height * 72 * enlarged, remark = remark,
    enlarged = enlarged, outside = outside }
  plan.page = box.new(0, 0, plan.width, plan.height)
  heading.place(plan)
  local panels, wrapped = sorted_panels(fig), {}
  for i, panel in ipairs(panels) do wrapped[i] = { panel = panel } end
  for i, panel in ipairs(panels) do
    plan.panels[i] = start_panel(fig, panel, letter_of(fig, i), wrapped)
  end
  share.join(fig, plan.panels)
  return plan
end

local function measure_panels(plan, pass)
  plan_axes(plan)
  for _, p in ipairs(plan.panels) do
    decide_legend(p, pass, plan)
    measure_decor(p, pass, plan.theme)
  end
end

-- true when every panel got a usable box and all texts fit these boxes.
local function settle(plan)
  set_cells(plan)
  set_boxes(plan)
  for _, p in ipairs(plan.panels) do
    p.legend = not plan.legend
      and legend.new(p.panel, plan.theme, 0.85 * (p.cell.right - p.cell.left)) or nil
  end
  for pass = 1, passes do
    if not large_enough(plan) then return false end
    measure_panels(plan, pass)
    if set_boxes(plan) <= settled and pass > last_decision then return large_enough(plan) end
  end
  return false
end

-- The plan on the first page, `enlarged` times as large or more, on which everything fits.
-- Where a legend finds no spot in its panel in the end, the page is divided again with it
-- outside; `outside` remembers of which panels.
local function plan_with(fig, enlarged, remark, outside)
  local plan
  repeat
    plan = start_plan(fig, enlarged, remark, outside)
    enlarged = enlarged * 1.1
  until settle(plan) or enlarged > 1e3
  for _, p in ipairs(plan.panels) do finish_panel(plan, p) end
  if plan.again then return plan_with(fig, plan.enlarged, remark, outside) end
  labels.place_on_page(plan)
  return plan
end

local most_remarks = 3

--- Lays a figure out. The figure is not changed. When something could not be shown the page is
--- divided again, with room for a remark that says so.
---@return table plan {width, height, zoom, texts, panels, theme, remark}
function layout.plan(fig)
  local outside = {}
  local plan = plan_with(fig, 1, nil, outside)
  for _ = 1, most_remarks do
    local remark = labels.remark(plan)
    if not remark or remark == plan.remark then break end
    plan = plan_with(fig, plan.enlarged, remark, outside)
  end
  return plan
end

return layout
