--- A figure in words and as plain data: for tests, for alt texts, for tostring.

local format = require "unroll.plot.format"

local describe = {}

local function panel_sentence(panel)
  local kinds, order = {}, {}
  for _, mark in ipairs(panel.marks) do
    if not kinds[mark.name] then order[#order + 1] = mark.name end
    kinds[mark.name] = (kinds[mark.name] or 0) + 1
  end
  local parts = {}
  for i, name in ipairs(order) do
    parts[i] = kinds[name] > 1 and ("%s x%d"):format(name, kinds[name]) or name
  end
  local title = panel.settings.title or ("panel (%d,%d)"):format(panel.row, panel.col)
  return title .. ": " .. (#parts > 0 and table.concat(parts, ", ") or "empty")
end

--- "figure 8 x 6 in, 2 x 2 panels. Training loss: smooth, hline; ..."
function describe.sentence(fig)
  local parts = {}
  for i, ax in ipairs(fig.axes) do parts[i] = panel_sentence(ax.panel) end
  return ("figure %g x %g in, %d x %d panels. %s"):format(fig.width, fig.height, fig.rows,
    fig.cols, table.concat(parts, "; "))
end

local function page_box(b, zoom)
  return { left = b.left * zoom, top = b.top * zoom, right = b.right * zoom,
    bottom = b.bottom * zoom }
end

local function plain_axis(plan)
  local values, labels = {}, {}
  for i, tick in ipairs(plan.ticks) do
    values[i], labels[i] = tick.at, tick.text and tick.text.text or ""
  end
  return { scale = plan.scale.kind, invert = plan.flip, low = plan.low,
    high = plan.high, ticks = values, labels = labels, minor = plan.minor,
    label = plan.label }
end

local function plain_marks(panel, theme)
  local series = {}
  for _, mark in ipairs(panel.marks) do
    for _, entry in ipairs(mark.kind.series and mark.kind.series(mark, theme)
      or { { label = mark.label } }) do
      entry.kind = mark.name
      series[#series + 1] = entry
    end
  end
  for _, entry in ipairs(panel.twin and plain_marks(panel.twin, theme) or {}) do
    series[#series + 1] = entry
  end
  return series
end

local function plain_legend(lg, zoom)
  if not lg then return nil end
  local labels = {}
  for i, entry in ipairs(lg.entries) do labels[i] = entry.label end
  return { place = lg.outside or "inside", box = page_box(lg.box, zoom), labels = labels,
    columns = #lg.widths }
end

local function plain_panel(p, plan)
  return { row = p.panel.row, col = p.panel.col, title = p.title and p.title.text,
    box = page_box(p.box, plan.zoom), x = plain_axis(p.x), y = plain_axis(p.y),
    twin = p.panel.twin and plain_axis(p.sides[1].plan),
    series = plain_marks(p.panel, plan.theme), legend = plain_legend(p.legend, plan.zoom),
    notes = p.notes, left_out = p.left_out }
end

local function plain_text(item, zoom)
  return { text = item.text, role = item.role, box = page_box(item.box, zoom),
    angle = item.angle, size = item.look.size * zoom, color = item.look.color }
end

-- "x 0 to 5,000"
local function range_words(name, plan)
  if plan.categories then return ("%s %d categories"):format(name, plan.categories) end
  return ("%s %s to %s%s"):format(name, format.value(plan.low), format.value(plan.high),
    plan.scale.kind ~= "linear" and " (" .. plan.scale.kind .. ")" or "")
end

--- The words for readers who do not see the figure: what each panel shows, and its axes.
---@param fig unroll.Figure
---@param plan table from layout.plan
function describe.alt(fig, plan)
  local parts = {}
  for i, p in ipairs(plan.panels) do
    local labels = {}
    for _, entry in ipairs(plain_marks(p.panel, plan.theme)) do
      labels[#labels + 1] = entry.label
    end
    local panel = p.panel
    parts[i] = ("%s%s%s; %s; %s."):format(p.letter and "(" .. p.letter .. ") " or "",
      panel_sentence(panel), #labels > 0 and " (" .. table.concat(labels, ", ") .. ")" or "",
      range_words(panel.settings.xlabel or "x", p.x),
      range_words(panel.settings.ylabel or "y", p.y))
  end
  return ("Figure of %d x %d panels. %s"):format(fig.rows, fig.cols, table.concat(parts, " "))
end

--- A plan as plain data, in points of the page.
function describe.plain(fig, plan)
  local result = { width = fig.width * 72, height = fig.height * 72, zoom = plan.zoom,
    texts = {}, panels = {}, legend = plain_legend(plan.legend, plan.zoom), remark = plan.remark }
  for i, item in ipairs(plan.texts) do result.texts[i] = plain_text(item, plan.zoom) end
  for i, p in ipairs(plan.panels) do result.panels[i] = plain_panel(p, plan) end
  return result
end

return describe
