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

--- A new figure: a grid of panels.
---@param opts? table
--- rows=1, cols=1; width, height in inches (4.5 x 3.2 for one panel, 8 x 6 for 2 x 2);
--- dpi=150 (PNG); title, caption (below, left), footer (below, right, small);
--- letters=false: (a), (b), ... before the panel titles; theme="light"|"dark"|"print";
--- palette="okabe-ito"|"petroff10"|"tab10"|"tol-muted" or a list of colours; widths, heights:
--- lists of weights of the columns and rows; share="x"|"y"|"both": all panels have the same
--- limits, only the outer ones are labelled; transparent=false: no page colour; alt: a
--- description for readers who do not see the figure (written automatically when absent).
---@return unroll.Figure
function plot.figure(opts)
  return (options.guard(figure.new, opts or {})) -- no tail call: errors count levels
end

--- Sets the theme of the figures made from now on.
---@param name string "light", "dark" or "print"
function plot.theme(name)
  options.guard(style.set_default, name)
end

-- --- quick forms ---------------------------------------------------------------------

-- A figure with one panel and one chart in it.
local function quick(name, ...)
  local fig = figure.new {}
  axes.add(fig:at(), name, ...)
  return fig
end

--- A figure with one line: plot.line(y) or plot.line(x, y, opts), as ax:line. At the prompt
--- it shows itself.
---@param ... any x? and y, as `ax:line` takes them, then its options
---@return unroll.Figure
function plot.line(...)
  return (options.guard(quick, "line", ...))
end

--- A figure with one histogram: plot.hist(values, opts), as ax:hist.
---@param ... any the values, as `ax:hist` takes them, then its options
---@return unroll.Figure
function plot.hist(...)
  return (options.guard(quick, "hist", ...))
end

--- A figure with one heat map: plot.heatmap(matrix, opts), as ax:heatmap.
---@param ... any the matrix, as `ax:heatmap` takes it, then its options
---@return unroll.Figure
function plot.heatmap(...)
  return (options.guard(quick, "heatmap", ...))
end

--- Shows a figure in the terminal; see Figure:show.
---@param fig unroll.Figure
---@return boolean|nil true, string|nil message
function plot.show(fig)
  if type(fig) ~= "table" or type(fig.show) ~= "function" then
    error("show: a figure expected, got " .. type(fig), 2)
  end
  return fig:show()
end

return plot
