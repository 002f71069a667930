--- What belongs to the whole page: title, caption, footer, the figure's legend.

local box = require "unroll.plot.box"
local legend = require "unroll.plot.legend"
local text = require "unroll.plot.text"

local heading = {}

local function item(plan, s, look)
  if not s then return nil end
  look.wrap = plan.width - 2 * plan.theme.pad
  return text.new(s, look)
end

-- What could not be shown, at the very foot. Returns the lower end of the page's free part.
local function place_remark(plan)
  local bottom = plan.height - plan.theme.pad
  local remark = item(plan, plan.remark, { size = plan.theme.footer_size,
    color = plan.theme.faint, role = "remark" })
  if not remark then return bottom end
  plan.remark_item = text.place(remark, plan.theme.pad, bottom, 0, 1)
  plan.texts[#plan.texts + 1] = remark
  return remark.box.top - 3
end

-- The footer on the right, the caption on the left, beside it if both fit. Returns the
-- lower end of the page's free part.
local function place_footer(plan)
  local fig, theme = plan.figure, plan.theme
  local bottom = place_remark(plan)
  local caption = item(plan, fig.caption, { size = theme.legend_size,
    color = theme.text, role = "caption" })
  local footer = item(plan, fig.footer, { size = theme.footer_size,
    color = theme.faint, role = "footer", align = "right" })
  if footer then
    text.place(footer, plan.width - theme.pad, bottom, 1, 1)
    plan.texts[#plan.texts + 1] = footer
  end
  if caption then
    local beside = not footer or caption.width + footer.width + 20
      <= plan.width - 2 * theme.pad
    text.place(caption, theme.pad, beside and bottom or footer.box.top - 3, 0, 1)
    plan.texts[#plan.texts + 1] = caption
  end
  local top = math.min(footer and footer.box.top or bottom, caption and caption.box.top
    or bottom)
  return top < plan.height - theme.pad and top - theme.footer_gap or bottom
end

local function place_title(plan)
  local fig, theme = plan.figure, plan.theme
  local title = item(plan, fig.title, { size = theme.figure_title_size, bold = true,
    color = theme.text, role = "figure title" })
  if not title then return theme.pad end
  text.place(title, theme.pad, theme.pad, 0, 0)
  plan.texts[#plan.texts + 1] = title
  return title.box.bottom + theme.header_gap
end

-- Cuts the legend's place off the page's free part.
local function place_legend(plan)
  local lg, area, theme = plan.legend, plan.area, plan.theme
  legend.shape_for_page(lg, area, theme)
  local middle, gap = (area.left + area.right) / 2, theme.legend_gap
  local left, top = middle - lg.width / 2, area.top
  if lg.outside == "right" then
    left, area.right = area.right - lg.width, area.right - lg.width - gap
  elseif lg.outside == "above" then
    area.top = area.top + lg.height + gap
  else
    top, area.bottom = area.bottom - lg.height, area.bottom - lg.height - gap
  end
  lg.box = box.new(left, top, left + lg.width, top + lg.height)
  legend.arrange(lg, theme)
  for _, entry in ipairs(lg.entries) do plan.texts[#plan.texts + 1] = entry.item end
end

--- Places the texts of the page and sets plan.area, which is left for the panels.
function heading.place(plan)
  local theme = plan.theme
  plan.area = box.new(theme.pad, place_title(plan), plan.width - theme.pad,
    place_footer(plan))
  plan.legend = legend.of_figure(plan.figure, theme, plan.area)
  if plan.legend then place_legend(plan) end
end

return heading
