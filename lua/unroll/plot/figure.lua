--- Figures: a grid of panels with titles, and what can be done with it.

local core = require "unroll.core"
local axes = require "unroll.plot.axes"
local describe = require "unroll.plot.describe"
local draw = require "unroll.plot.draw"
local layout = require "unroll.plot.layout"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local unknown = require "unroll.unknown"

--- A figure: a grid of panels. It is a description: save, render, describe and show lay it out
--- anew and change nothing in it, so that it can be drawn any number of times.
---@class unroll.Figure
---@field alt? string words for readers who do not see the figure; written automatically when nil
---@see plot.figure unroll.Axes
local Figure = {}
Figure.__index = unknown.index(Figure, "figure", nil, function(name)
  if axes.has(name) then return ("Axes have it: fig:at(1, 1):%s(...)"):format(name) end
end)
Figure.__name = "unroll.Figure"

local figure_kinds = {
  rows = "number", cols = "number", width = "positive", height = "positive",
  dpi = "positive", title = "string|number", caption = "string|number",
  footer = "string|number", letters = "boolean", theme = "string", widths = "table",
  heights = "table", alt = "string", share = { "x", "y", "both" },
  palette = "string|table", style = "table", transparent = "boolean",
}

local figure = {}

-- --- making --------------------------------------------------------------------------

local function whole(who, name, value)
  if math.type(value) ~= "integer" or value < 1 or value > 20 then
    options.misuse("%s: %s must be a whole number in 1..20, got %s", who, name,
      value ~= value and "nan" or tostring(value))
  end
  return value
end

local function check_weights(name, weights, n)
  if not weights then return end
  if #weights ~= n then
    options.misuse("figure: %s has %d weights, must have %d", name, #weights, n)
  end
  for _, w in ipairs(weights) do
    if math.type(w) == nil or not (w > 0 and w < math.huge) then
      options.misuse("figure: %s must hold positive numbers", name)
    end
  end
end

-- What cairo can draw, in pixels.
local longest_side <const> = 32767

local function check_size(who, name, inches, dpi)
  if inches * dpi < 1 or inches * dpi > longest_side then
    options.misuse("%s: %s = %g inches at %g dpi are %.3g pixels, must be in 1..%d", who,
      name, inches, dpi, inches * dpi, longest_side)
  end
  return inches
end

-- Inches: one panel 4.5 x 3.2, 2 x 2 panels 8 x 6.
local function default_size(rows, cols)
  local width = cols == 1 and (rows == 1 and 4.5 or 5) or cols == 2 and 8 or 3.6 * cols
  local height = rows == 1 and 3.2 or 3 * rows
  return width, height
end

local function as_text(v)
  return v ~= nil and tostring(v) or nil
end

local function copy_list(list)
  return list and { table.unpack(list) }
end

function figure.new(opts)
  options.check("figure", opts, figure_kinds)
  local rows = whole("figure", "rows", opts.rows or 1)
  local cols = whole("figure", "cols", opts.cols or 1)
  check_weights("widths", opts.widths, cols)
  check_weights("heights", opts.heights, rows)
  local width, height = default_size(rows, cols)
  local dpi = opts.dpi or 150
  local theme, changes = style.choose("figure", opts.theme, opts.style)
  return setmetatable({
    rows = rows, cols = cols, dpi = dpi,
    width = check_size("figure", "width", opts.width or width, dpi),
    height = check_size("figure", "height", opts.height or height, dpi),
    title = as_text(opts.title), caption = as_text(opts.caption), footer = as_text(opts.footer),
    letters = opts.letters or false, alt = opts.alt, theme = theme, style = changes,
    widths = copy_list(opts.widths), heights = copy_list(opts.heights), share = opts.share,
    palette = style.check_palette("figure", opts.palette),
    transparent = opts.transparent or false,
    axes = {},
  }, Figure)
end

-- --- panels --------------------------------------------------------------------------

local function overlaps(panel, row, col, rowspan, colspan)
  return row < panel.row + panel.rowspan and panel.row < row + rowspan
    and col < panel.col + panel.colspan and panel.col < col + colspan
end

local function check_inside(self, row, col, rowspan, colspan)
  if row < 1 or col < 1 or row + rowspan - 1 > self.rows or col + colspan - 1 > self.cols then
    options.misuse("at: (%d,%d) spanning %d x %d is outside the %d x %d grid", row, col,
      rowspan, colspan, self.rows, self.cols)
  end
end

local function at(self, row, col, opts)
  row, col = whole("at", "row", row or 1), whole("at", "col", col or 1)
  options.check("at", opts, { rowspan = "number", colspan = "number" })
  local rowspan = whole("at", "rowspan", opts and opts.rowspan or 1)
  local colspan = whole("at", "colspan", opts and opts.colspan or 1)
  check_inside(self, row, col, rowspan, colspan)
  for _, ax in ipairs(self.axes) do
    local panel = ax.panel
    if panel.row == row and panel.col == col and not opts then return ax end
    if overlaps(panel, row, col, rowspan, colspan) then
      options.misuse("at: (%d,%d) overlaps the panel at (%d,%d)", row, col, panel.row,
        panel.col)
    end
  end
  local ax = axes.new(row, col, rowspan, colspan)
  self.axes[#self.axes + 1] = ax
  return ax
end

---@class unroll.PanelOptions
---@field rowspan? integer rows that the panel takes; default 1
---@field colspan? integer columns that it takes; default 1

--- The axes of a panel, made at the first call; the same ones at the next.
---
---     fig:at(1, 2):line(x, y)
---     fig:at(2, 1, { colspan = 2 })
---
--- Errors: a place outside of the grid, or one that another panel takes.
---@param row? integer from the top; default 1
---@param col? integer from the left; default 1
---@param opts? unroll.PanelOptions
---@return unroll.Axes
function Figure:at(row, col, opts)
  return (options.guard(at, self, row, col, opts)) -- no tail call: errors count levels
end

-- --- legend --------------------------------------------------------------------------

local function set_legend(self, opts)
  if opts == false then opts = { place = "none" } end
  if type(opts) == "string" then opts = { place = opts } end
  opts = options.check("legend", opts, { place = { "below", "above", "right", "none" },
    columns = "positive" })
  self.legend_settings = { place = opts.place or "below", columns = opts.columns }
end

---@class unroll.FigureLegendOptions
---@field place? "below"|"above"|"right"|"none" default "below"
---@field columns? integer default as many as there is room for

--- One legend for all panels, each entry once, in place of theirs. Without this call there
--- is one when all panels would have the same legend.
---@param opts? unroll.FigureLegendOptions|string|boolean a string is the place; false is "none"
---@return unroll.Figure self
function Figure:legend(opts)
  options.guard(set_legend, self, opts)
  return self
end

-- --- results -------------------------------------------------------------------------

local save_kinds = { dpi = "positive", crop = "boolean" }

local function check_path(self, path, opts)
  if type(path) ~= "string" then
    options.misuse("save: a file name expected, got %s", type(path))
  end
  local dpi = options.check("save", opts, save_kinds).dpi or self.dpi
  check_size("save", "width", self.width, dpi)
  check_size("save", "height", self.height, dpi)
  local suffix = path:match("%.(%a+)$")
  suffix = suffix and suffix:lower()
  if suffix ~= "png" and suffix ~= "svg" and suffix ~= "pdf" then
    options.misuse("save: '%s' must end in .png, .svg or .pdf", path)
  end
  return suffix
end

---@class unroll.SaveOptions
---@field dpi? number pixels an inch of a PNG; default that of the figure
---@field crop? boolean cut the page down to what is drawn; default false

--- The bytes of the file that save would write; the same each time.
---@param format "png"|"svg"|"pdf"
---@param opts? unroll.SaveOptions
---@return string
function Figure:render(format, opts)
  format = options.guard(check_path, self, "." .. tostring(format), opts)
  opts = opts or {}
  return draw.render(self, layout.plan(self), format, opts.dpi or self.dpi, opts.crop)
end

--- Draws the figure into a file. It is written under a temporary name first, so that an old
--- file stays when that fails.
---
---     assert(fig:save("loss.pdf"))
---     assert(fig:save("loss.png", { dpi = 300, crop = true }))
---@param path string ends in .png, .svg or .pdf
---@param opts? unroll.SaveOptions
---@return boolean? done
---@return string? message nil and a message when it cannot be written
function Figure:save(path, opts)
  local format = options.guard(check_path, self, path, opts)
  local ok, message = core.sys.write_file(path, self:render(format, opts))
  if not ok and message:find "No such file or directory" then
    message = ("%s (make the folder %s first)"):format(message, path:match "^(.*)/" or ".")
  end
  return ok, message
end

--- What is drawn, as plain data, so that a test needs no pixels: width, height (points), zoom,
--- texts (list of {text, role, box, angle, size, color}, boxes with left, top, right, bottom in
--- points, y downwards), panels (list of {row, col, title, box, x, y, twin, series, legend,
--- notes, left_out}, the axes with scale, low, high, ticks, labels, label), legend, and remark:
--- what could not be shown.
---
---     fig:describe().panels[1].y.ticks
---@return table
function Figure:describe()
  return describe.plain(self, layout.plan(self))
end

--- Shows the figure in the terminal: the picture itself where the terminal can, else as
--- coloured blocks; where there is no terminal the figure is saved and its path printed. The
--- environment variable UNROLL_IMAGE decides: kitty, iterm, sixel, block or none (a path).
---@return boolean? done
---@return string? message nil and a message when it cannot be written
function Figure:show()
  return require("unroll.plot.show").figure(self)
end

-- What the prompt does with a figure that is the value of a line.
Figure.__show = Figure.show

function Figure:__tostring()
  return describe.sentence(self)
end

return figure
