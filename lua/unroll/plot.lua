--- Charts: figures of panels, drawn to PNG, SVG or PDF.
--
--   local fig = plot.figure{title = "Training", rows = 1, cols = 2}
--   fig:at(1, 1):smooth(steps, losses):set{xlabel = "step", ylabel = "nats"}
--   fig:at(1, 2):bar({"tanh", "relu"}, {1.91, 2.05}):set{title = "Held-out loss"}
--   assert(fig:save("training.png"))
--
-- A figure is a description; save and describe lay it out anew and change nothing in it.
-- The layout is always automatic: texts overlap neither each other nor the page's edge.
--
-- Who decides what: marks (plot/marks/NAME.lua, one kind of chart each) know their data;
-- axis, scale, ticks and format turn data into limits and labels; layout places
-- everything in points; draw hands it to the canvas (unroll.core.canvas).

local axes = require "unroll.plot.axes"
local figure = require "unroll.plot.figure"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"

local plot = {}

---@class unroll.FigureOptions
---@field rows? integer rows of panels, 1..20; default 1
---@field cols? integer columns of panels, 1..20; default 1
---@field width? number inches; default 4.5 for one panel, 8 for two columns, 3.6 a column beyond
---@field height? number inches; default 3.2 for one row, 3 a row beyond
---@field dpi? number pixels an inch of a PNG; default 150
---@field title? string above the panels
---@field caption? string below them, on the left
---@field footer? string below them, on the right, small
---@field letters? boolean (a), (b), ... before the panels' titles; default false
---@field theme? "light"|"dark"|"print"|"large" default that of plot.theme
---@field style? unroll.Style changes to the theme
---@field palette? string|string[] "okabe-ito", "petroff10", "tab10", "tol-muted", or a list of
--- colours; default that of the theme
---@field widths? number[] weights of the columns; default all equal
---@field heights? number[] weights of the rows; default all equal
---@field share? "x"|"y"|"both" all panels have the same limits, only the outer ones are labelled
---@field transparent? boolean no colour behind the panels; default false
---@field alt? string for readers who do not see the figure; written automatically when nil

---@class unroll.Style
---@field background? string colour of the page; default "#ffffff"
---@field text? string colour of titles and axis labels; default "#262626"
---@field muted? string colour of tick labels; default "#4d4d4d"
---@field faint? string colour of the footer and of remarks; default "#6f6f6f"
---@field axis? string colour of axes and ticks; default "#4d4d4d"
---@field grid? string colour of its lines; default "#e6e6e6"
---@field minor_grid? string colour of its lines between decades; default "#f2f2f2"
---@field palette? string|string[] as in unroll.FigureOptions
---@field reference? string colour of reference lines and spans; default "#7f7f7f"
---@field missing? string colour of cells without a number; default "#d9d9d9"
---@field figure_title_size? number points, like all sizes; default 13.5
---@field title_size? number of panels; default 11
---@field label_size? number of axis labels; default 10
---@field tick_size? number of tick labels; default 9
---@field legend_size? number default 9
---@field note_size? number of notes, of labels at lines and of bars' numbers; default 8.5
---@field footer_size? number default 8
---@field line_width? number of data; default 1.6
---@field raw_width? number of the pale line of ax:smooth; default 0.8
---@field raw_alpha? number its opacity; default 0.3
---@field reference_width? number default 1
---@field reference_dash? number[] default {4, 3}
---@field spine_width? number of the axes; default 0.8
---@field grid_width? number default 0.6
---@field tick_length? number default 3.5
---@field tick_width? number default 0.8
---@field tick_pad? number between a tick and its label; default 3
---@field label_pad? number between tick labels and axis label; default 5
---@field title_pad? number between a panel and its title; default 7
---@field marker_size? number diameter; default 5
---@field marker_rim? number width of the rim in the page's colour; default 0.8
---@field marker_most? number lines of so many points have markers; default 30
---@field error_width? number of error bars; default 1.1
---@field error_cap? number half their caps' length; default 3
---@field band_alpha? number opacity of bands; default 0.18
---@field span_alpha? number opacity of spans; default 0.11
---@field box_alpha? number opacity of boxes; default 0.22
---@field bar_group? number the part of a slot that bars fill; default 0.8
---@field dash_each? boolean every series its own dash; default false, in "print" true
---@field pad? number around the page; default 8
---@field column_gap? number between panels; default 16
---@field row_gap? number between panels; default 18

--- A new figure: a grid of panels.
---
---     local fig = plot.figure { rows = 2, cols = 2, letters = true }
---     local column = plot.figure { width = 3.3, style = { tick_size = 8 } }
---
--- Errors: an unknown option (with the nearest known one), a size that no page can have.
---@param opts? unroll.FigureOptions
---@return unroll.Figure
function plot.figure(opts)
  return (options.guard(figure.new, opts or {})) -- no tail call: errors count levels
end

--- Sets the theme of the figures made from now on: "light", "dark", "print" (black and greys,
--- told apart by dashes) or "large" (for slides), with changes to it.
---
---     plot.theme("light", { line_width = 2, palette = "petroff10" })
---@param name "light"|"dark"|"print"|"large"
---@param changes? unroll.Style
function plot.theme(name, changes)
  options.guard(style.set_default, name, changes)
end

-- --- quick forms ---------------------------------------------------------------------

-- A figure with one panel and one chart in it.
local function quick(name, ...)
  local fig = figure.new {}
  axes.add(fig:at(), name, ...)
  return fig
end

--- A figure with one line, as ax:line draws it. At the prompt it shows itself.
---
---     plot.line(history.loss)
---     plot.line(x, y, { label = "loss" }):save("loss.png")
---@param x? unroll.Tensor|number[]|string[] (n); without it 1, 2, ..., n
---@param y unroll.Tensor|number[] (n)
---@param opts? unroll.LineOptions
---@return unroll.Figure
function plot.line(x, y, opts)
  return (options.guard(quick, "line", x, y, opts))
end

--- A figure with one histogram, as ax:hist draws it. At the prompt it shows itself.
---
---     plot.hist(model.W_hh)
---@param values unroll.Tensor|number[]|table (n), or a list of such series
---@param opts? unroll.HistOptions
---@return unroll.Figure
function plot.hist(values, opts)
  return (options.guard(quick, "hist", values, opts))
end

--- A figure with one heat map, as ax:heatmap draws it. At the prompt it shows itself.
---
---     plot.heatmap(model.W_hh, { norm = "centred" })
---@param matrix unroll.Tensor|number[][] (rows, columns)
---@param opts? unroll.HeatmapOptions
---@return unroll.Figure
function plot.heatmap(matrix, opts)
  return (options.guard(quick, "heatmap", matrix, opts))
end

--- Shows a figure in the terminal; see Figure:show.
---@param fig unroll.Figure
---@return boolean? done
---@return string? message nil and a message when it cannot be written
function plot.show(fig)
  if type(fig) ~= "table" or type(fig.show) ~= "function" then
    error("show: a figure expected, got " .. type(fig), 2)
  end
  return fig:show()
end

return setmetatable(plot, { __elsewhere = function(name)
  if axes.has(name) then return ("Axes have it: plot.figure{}:at():%s(...)"):format(name) end
end })
