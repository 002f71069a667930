--- The legend of a panel: entries, size, and where it goes.
--
-- "best" takes the first of seventeen spots in the panel that covers no data and no text,
-- in one column or several. When there is none, the axis grows a little upwards to make
-- room for a flat legend; when that would take too much, the legend goes outside: to the
-- right, or below when it is wide.

local box = require "unroll.plot.box"
local place = require "unroll.plot.place"
local text = require "unroll.plot.text"

local legend = {}

local function entry_item(entry, theme, wrap)
  return text.new(entry.label, { size = theme.legend_size, color = theme.text,
    role = "legend", wrap = wrap })
end

-- The entries of a panel and its twin, without texts.
local function keys_of(panel, theme)
  local entries = {}
  for _, mark in ipairs(panel.marks) do
    for _, entry in ipairs(mark.kind.key and mark.kind.key(mark, theme) or {}) do
      entries[#entries + 1] = entry
    end
  end
  for _, entry in ipairs(panel.twin and keys_of(panel.twin, theme) or {}) do
    entries[#entries + 1] = entry
  end
  return entries
end

-- Labels wider than `most` points are broken into lines.
local function add_texts(entries, theme, most)
  for _, entry in ipairs(entries) do
    entry.item = entry_item(entry, theme)
    if entry.item.width > most then entry.item = entry_item(entry, theme, most) end
  end
  return entries
end

--- The entries of a panel's legend, or nil when it has none: a single series needs no
--- legend unless the user asked for one.
---@param panel table
---@param theme table
---@param width number points that a legend may take at most
function legend.new(panel, theme, width)
  if panel.legend.place == "none" then return nil end
  local most = width - theme.legend_handle - theme.legend_gap - 2 * theme.legend_pad
  local entries = add_texts(keys_of(panel, theme), theme, math.max(most, 20))
  if #entries == 0 or (#entries == 1 and not panel.legend.wanted) then return nil end
  return { entries = entries, place = panel.legend.place or "best",
    columns = panel.legend.columns and math.ceil(panel.legend.columns) }
end

local function row_height(lg, theme)
  local tallest = 0
  for _, entry in ipairs(lg.entries) do
    tallest = math.max(tallest, entry.item.height)
  end
  return tallest + theme.legend_row_gap * theme.legend_size
end

-- The width of each column when the entries are dealt column by column.
local function column_widths(lg, columns, rows, theme)
  local widths = {}
  for i, entry in ipairs(lg.entries) do
    local column = (i - 1) // rows + 1
    local width = theme.legend_handle + theme.legend_gap + entry.item.width
    widths[column] = math.max(widths[column] or 0, width)
  end
  return widths
end

--- Fixes the number of columns and computes the size.
function legend.shape(lg, columns, theme)
  local n = #lg.entries
  columns = math.max(1, math.min(columns, n))
  lg.rows = math.ceil(n / columns)
  lg.row_height = row_height(lg, theme)
  lg.widths = column_widths(lg, columns, lg.rows, theme)
  local width = 2 * theme.legend_pad + theme.legend_column_gap * (#lg.widths - 1)
  for _, w in ipairs(lg.widths) do width = width + w end
  lg.width = width
  lg.height = 2 * theme.legend_pad + lg.rows * lg.row_height
    - theme.legend_row_gap * theme.legend_size
end

-- --- inside --------------------------------------------------------------------------

local spots = {
  { "upper right", 1, 0 }, { "upper left", 0, 0 }, { "lower right", 1, 1 },
  { "lower left", 0, 1 }, { "right", 1, 0.5 }, { "left", 0, 0.5 }, { "upper", 0.5, 0 },
  { "lower", 0.5, 1 }, { "center", 0.5, 0.5 },
}

-- More of them along the edges, for "best" only.
local between = { { "", 0.75, 0 }, { "", 0.25, 0 }, { "", 0.75, 1 }, { "", 0.25, 1 },
  { "", 1, 0.25 }, { "", 1, 0.75 }, { "", 0, 0.25 }, { "", 0, 0.75 } }

local gap = 4 -- points between the legend and the edge of the panel

local function spot_box(lg, b, h, v)
  local left = b.left + gap + h * (b.right - b.left - 2 * gap - lg.width)
  local top = b.top + gap + v * (b.bottom - b.top - 2 * gap - lg.height)
  return box.new(left, top, left + lg.width, top + lg.height)
end

local function fits_inside(lg, b)
  return lg.width <= b.right - b.left - 2 * gap and lg.height <= b.bottom - b.top - 2 * gap
end

local function named_spot(lg, b)
  for _, spot in ipairs(spots) do
    if spot[1] == lg.place then return spot_box(lg, b, spot[2], spot[3]) end
  end
end

-- A spot that covers nothing; nil when there is none.
local function free_spot(lg, b, obstacles)
  for _, list in ipairs { spots, between } do
    for _, spot in ipairs(list) do
      local candidate = spot_box(lg, b, spot[2], spot[3])
      if not place.covers_text(obstacles, candidate)
        and place.hits(obstacles, box.grow(candidate, 1), 1) == 0 then
        return candidate
      end
    end
  end
end

-- "best": the first number of columns with a free spot.
local function best_spot(lg, b, obstacles, theme)
  for columns = lg.columns or 1, lg.columns or #lg.entries do
    legend.shape(lg, columns, theme)
    local spot = fits_inside(lg, b) and free_spot(lg, b, obstacles)
    if spot then return spot end
  end
end

--- Tries to put the legend into the panel. true when it has a box there.
function legend.place_inside(lg, b, obstacles, theme)
  lg.box, lg.rim = nil, nil
  if lg.place == "outside" or lg.place == "below" then return false end
  if lg.place == "best" then
    lg.box = best_spot(lg, b, obstacles, theme)
  else
    legend.shape(lg, lg.columns or 1, theme)
    local spot = fits_inside(lg, b) and named_spot(lg, b)
    if spot and not place.covers_text(obstacles, spot) then
      lg.box, lg.rim = spot, place.hits(obstacles, spot, 1) > 0
    end
  end
  return lg.box ~= nil
end

-- As many columns as fit into a width.
local function columns_for_width(lg, width, theme)
  for columns = #lg.entries, 2, -1 do
    legend.shape(lg, columns, theme)
    if lg.width <= width then return columns end
  end
  return 1
end

--- The height of the flattest legend that fits into the panel, with a gap below it; nil
--- when it would take more than `most` points.
function legend.headroom(lg, b, most, theme)
  if lg.place ~= "best" then return nil end
  legend.shape(lg, lg.columns or columns_for_width(lg, b.right - b.left - 2 * gap, theme),
    theme)
  local room = lg.height + 2 * gap
  return fits_inside(lg, b) and room <= most and room or nil
end

-- --- outside -------------------------------------------------------------------------

local function columns_for_height(lg, height, theme)
  for columns = 1, #lg.entries do
    legend.shape(lg, columns, theme)
    if lg.height <= height then return columns end
  end
  return #lg.entries
end

--- Chooses the side of an outside legend: right when it takes at most 40 % of the width.
function legend.go_outside(lg, b, theme)
  local width, height = b.right - b.left, b.bottom - b.top
  local columns = lg.columns or columns_for_height(lg, height, theme)
  legend.shape(lg, columns, theme)
  lg.outside = "right"
  if lg.place == "below" or (lg.place ~= "outside" and lg.width > 0.4 * width)
    or lg.width > 0.6 * width then
    lg.outside = "below"
    legend.shape(lg, lg.columns or columns_for_width(lg, width, theme), theme)
  end
end

-- --- for the whole figure --------------------------------------------------------------

-- What an entry looks like, as a string.
local function signature(entry)
  local parts = { entry.label }
  for _, piece in ipairs { "fill", "line", "marker" } do
    local look = entry.swatch[piece]
    local names, values = {}, {}
    for name in pairs(type(look) == "table" and look or {}) do names[#names + 1] = name end
    table.sort(names)
    for i, name in ipairs(names) do
      local v = look[name]
      values[i] = name .. "=" .. (type(v) == "table" and table.concat(v, " ") or tostring(v))
    end
    parts[#parts + 1] = type(look) == "string" and look or table.concat(values, ",")
  end
  return table.concat(parts, "\n")
end

-- The entries of all panels, each once; and whether every panel has the same two or more
-- and leaves the place of its legend open.
local function entries_of_figure(fig, theme)
  local list, count, same = {}, {}, #fig.axes > 1
  for _, ax in ipairs(fig.axes) do
    local own = keys_of(ax.panel, theme)
    same = same and #own > 1 and not ax.panel.legend.wanted
    for _, entry in ipairs(own) do
      local key = signature(entry)
      if not count[key] then list[#list + 1] = entry end
      count[key] = (count[key] or 0) + 1
    end
  end
  for _, n in pairs(count) do same = same and n == #fig.axes end
  return list, same
end

--- The legend of the figure: the one that was asked for, or one in place of equal legends
--- in all panels. nil when each panel has its own.
---@param fig unroll.Figure
---@param theme table
---@param area table box of the page's free part
function legend.of_figure(fig, theme, area)
  local wish = fig.legend_settings
  if wish and wish.place == "none" then return nil end
  local entries, same = entries_of_figure(fig, theme)
  if #entries == 0 or not (wish or same) then return nil end
  local outside = wish and wish.place or "below"
  local width = (outside == "right" and 0.4 or 1) * (area.right - area.left)
  local most = width - theme.legend_handle - theme.legend_gap - 2 * theme.legend_pad
  return { entries = add_texts(entries, theme, math.max(most, 20)), outside = outside,
    columns = wish and wish.columns and math.ceil(wish.columns) }
end

--- Chooses the columns of the figure's legend.
function legend.shape_for_page(lg, area, theme)
  local columns = lg.columns
  if not columns then
    columns = lg.outside == "right" and columns_for_height(lg, area.bottom - area.top, theme)
      or columns_for_width(lg, area.right - area.left, theme)
  end
  legend.shape(lg, columns, theme)
end

--- Places an outside legend beside the decorations of its panel.
function legend.place_outside(lg, b, decor, theme)
  if lg.outside == "right" then
    local left = b.right + decor.right - lg.width
    lg.box = box.new(left, b.top, left + lg.width, b.top + lg.height)
  else
    local middle = (b.left + b.right - decor.left + decor.right) / 2
    local bottom = b.bottom + decor.bottom
    lg.box = box.new(middle - lg.width / 2, bottom - lg.height, middle + lg.width / 2,
      bottom)
  end
end

--- Gives every entry its place inside the legend's box.
function legend.arrange(lg, theme)
  local x = lg.box.left + theme.legend_pad
  for i, entry in ipairs(lg.entries) do
    local row = (i - 1) % lg.rows
    if row == 0 and i > 1 then
      x = x + lg.widths[(i - 1) // lg.rows] + theme.legend_column_gap
    end
    local middle = lg.box.top + theme.legend_pad + row * lg.row_height
      + (lg.row_height - theme.legend_row_gap * theme.legend_size) / 2
    text.place(entry.item, x + theme.legend_handle + theme.legend_gap, middle, 0, 0.5)
    entry.swatch_box = box.new(x, middle - 4.5, x + theme.legend_handle, middle + 4.5)
  end
end

return legend
