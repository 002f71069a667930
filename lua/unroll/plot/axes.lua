--- The axes of one panel, as users see them: ax:line(...), ax:set{...}, ax:legend{...}.
--
-- ax:NAME(...) finds the chart in plot/marks/NAME.lua, so a new kind of chart is one new
-- file. A chart's file returns a table with
--   new(panel, ...)        arguments -> mark (a table); checks everything
--   limits(mark, reach, panel)      what it covers: reach.x:cover(values) ...
--   draw(mark, pen)        pen: page (a canvas), view, theme, color(c)
-- and, where it makes sense,
--   layer                  "back", "reference", "fill", "data" (default) or "front"
--   key(mark, theme)       legend entries {label, swatch}
--   headroom(mark, width, height, theme)   points to keep free above and below the data
--   obstacles(mark, view, found)    what labels and the legend must keep clear of
--   labels(mark, view, theme, page)   texts to place: {item, candidates, leader}, and a list of
--                          what has no room, in words
--   color_bar(mark), draw_color_bar(mark, page, box, theme)    as plot/colorbar.lua has them
--   series(mark, theme)    what figure:describe() says of it: {label, points, color}
--   bare                   true: no grid behind it, a frame around it
--   standing               true: it stands on the axes, which are drawn over it
-- pen.view has x and y (functions from data to page points) and frame (for page:polyline,
-- page:markers, page:area, which take series of numbers).

local color = require "unroll.plot.color"
local format = require "unroll.plot.format"
local options = require "unroll.plot.options"
local scale = require "unroll.plot.scale"

--- The axes of one panel of a figure, from fig:at(row, col). Each method adds a chart or sets
--- something and returns the axes, so that calls can be chained.
---@class unroll.Axes
---@see Figure:at plot.figure
local Axes = {}
local axes = {}

-- --- settings ------------------------------------------------------------------------

local setting_kinds = {
  title = "string|number", xlabel = "string|number", ylabel = "string|number",
  xscale = { "linear", "log", "log10", "log2", "symlog" },
  yscale = { "linear", "log", "log10", "log2", "symlog" },
  xthreshold = "positive", ythreshold = "positive", xmargin = "number", ymargin = "number",
  xinvert = "boolean", yinvert = "boolean", aspect = "string|number",
  xlim = "table", ylim = "table", xformat = "string|function", yformat = "string|function",
  xticks = "table", yticks = "table", grid = "boolean",
}

local function check_limits(name, lim, is_log)
  for i, v in pairs(lim) do
    if i ~= 1 and i ~= 2 then
      options.misuse("set: %s must be {low, high}; either may be nil", name)
    end
    options.number("set", name .. "[" .. i .. "]", v)
    if math.abs(v) > 1e300 or (is_log and v > 0 and v < 1e-300) then
      options.misuse("set: %s[%d] = %g is out of the range of axes (1e-300 to 1e300)",
        name, i, v)
    end
    if is_log and v <= 0 then
      options.misuse("set: %s[%d] = %g cannot be shown on a log axis", name, i, v)
    end
  end
  if lim[1] and lim[2] and lim[2] - lim[1] <= math.max(1e-300, 1e-12 * math.abs(lim[1])) then
    options.misuse("set: %s = {%g, %g} must rise", name, lim[1], lim[2])
  end
end

local function check_ticks(name, list)
  for _, entry in ipairs(list) do
    local at = type(entry) == "table" and entry[1] or entry
    options.number("set", name, at)
    if type(entry) == "table" then options.text("set", name .. " label", entry[2]) end
  end
end

local function check_settings(settings)
  for _, which in ipairs { "x", "y" } do
    local lim = settings[which .. "lim"]
    local is_log = scale.named(settings[which .. "scale"]).positive
    if lim then check_limits(which .. "lim", lim, is_log) end
    if settings[which .. "ticks"] then
      check_ticks(which .. "ticks", settings[which .. "ticks"])
    end
    format.check("set: " .. which .. "format", settings[which .. "format"])
    local margin = settings[which .. "margin"]
    if margin and not (margin >= 0 and margin <= 10) then
      options.misuse("set: %smargin must be in 0..10, got %s", which, tostring(margin))
    end
  end
  local aspect = settings.aspect
  if aspect and aspect ~= "equal" and not (math.type(aspect) and aspect > 0 and aspect < 1e6) then
    options.misuse("set: aspect must be \"equal\" or a positive number, got %s", aspect)
  end
end

local function copy(t)
  local result = {}
  for k, v in pairs(t) do result[k] = v end
  return result
end

local texts = { title = true, xlabel = true, ylabel = true }

-- Of a twin only the y axis is its own.
local function check_twin(given)
  for name in pairs(given) do
    if type(name) ~= "string" or name:sub(1, 1) ~= "y" then
      options.misuse("set: %s belongs to the panel, not to its twin", tostring(name))
    end
  end
end

local function set(panel, given)
  if panel.owner and type(given) == "table" then check_twin(given) end
  local settings = copy(panel.settings)
  for name, value in pairs(options.check("set", given, setting_kinds)) do
    settings[name] = type(value) == "table" and copy(value)
      or texts[name] and tostring(value) or value
  end
  check_settings(settings)
  panel.settings = settings
end

---@class unroll.AxesSettings
---@field title? string above the panel. In all texts x^{2} and h_{t} raise and lower
---@field xlabel? string name the unit
---@field ylabel? string
---@field xscale? "linear"|"log"|"log2"|"symlog" default "linear". symlog: linear between
--- -xthreshold and xthreshold, logarithmic beyond
---@field yscale? "linear"|"log"|"log2"|"symlog"
---@field xthreshold? number of symlog; default three decades below the largest value
---@field ythreshold? number
---@field xlim? number[] {low, high}, either may be nil; default the data with a margin
---@field ylim? number[]
---@field xmargin? number room beyond the data, as a part of their range; default 0.02, beside
--- points that stand apart 0.04
---@field ymargin? number default 0.05, and an axis that would end close to 0 ends there
---@field xinvert? boolean turns the axis round; default false
---@field yinvert? boolean
---@field aspect? "equal"|number a unit of y is as long as one of x, or so many times as long
---@field xformat? string|fun(v: number): string "percent" (of 1), "si" (k, M, m), a pattern such
--- as "%.2f", or a function; default the shortest numbers with common decimals
---@field yformat? string|fun(v: number): string
---@field xticks? table numbers and {number, "label"} pairs, in place of the automatic ticks;
--- what lies outside of the axis is left out
---@field yticks? table
---@field grid? boolean default true

--- Sets what surrounds the data; may be called again, later values win.
---
---     ax:set { xlabel = "training step", ylabel = "nats", yscale = "log" }
---     ax:set { ylim = { 0, nil }, xticks = { 1, 10, { 100, "hundred" } } }
---
--- Errors: an unknown setting (with the nearest known one), limits that do not rise or that a
--- log axis cannot show.
---@param settings unroll.AxesSettings
---@return unroll.Axes self
function Axes:set(settings)
  options.guard(set, self.panel, settings)
  return self
end

-- --- legend --------------------------------------------------------------------------

local places = { "best", "upper right", "upper left", "lower right", "lower left",
  "right", "left", "upper", "lower", "center", "outside", "below", "none" }

local function set_legend(panel, opts)
  if opts == false then opts = { place = "none" } end
  if type(opts) == "string" then opts = { place = opts } end
  opts = copy(options.check("legend", opts, { place = places, columns = "positive" }))
  opts.wanted = true
  panel.legend = opts
end

---@class unroll.LegendOptions
---@field place? string "best" (where it covers nothing, else outside), "upper right", "upper
--- left", "lower right", "lower left", "right", "left", "upper", "lower", "center", "outside" (on
--- the right), "below" or "none"; default "best"
---@field columns? integer default 1, more where that finds a place

--- Says where the legend goes. Without this call a panel with two or more labelled
--- series has one where it covers nothing ("best"), else outside.
---
---     ax:legend "lower left"
---     ax:legend { place = "below", columns = 3 }
---     ax:legend(false)
---@param opts? unroll.LegendOptions|string|boolean a string is the place; false is "none"
---@return unroll.Axes self
function Axes:legend(opts)
  options.guard(set_legend, self.panel, opts)
  return self
end

-- --- twin ----------------------------------------------------------------------------

local function twin(panel)
  if panel.owner then options.misuse("twin: these axes are a twin already") end
  if not panel.twin then
    panel.twin = { row = panel.row, col = panel.col, owner = panel, settings = {},
      legend = { place = "none" }, marks = {} }
    panel.twin_axes = setmetatable({ panel = panel.twin }, Axes)
  end
  return panel.twin_axes
end

--- The second y axis of the panel, on the right, over the same x. Its charts go on with the
--- panel's colours and stand in the panel's legend; x is set on the panel itself.
---
---     ax:line(steps, loss):set { ylabel = "loss" }
---     ax:twin():line(steps, rate):set { ylabel = "learning rate" }
---@return unroll.Axes axes made at the first call
function Axes:twin()
  return (options.guard(twin, self.panel)) -- no tail call: errors count levels
end

-- --- marks ---------------------------------------------------------------------------

-- For "did you mean": the charts that come with unroll.
local known = { line = true, smooth = true, bar = true, hline = true, vline = true,
  span = true, band = true, errorbar = true, scatter = true, note = true, hist = true,
  heatmap = true, box = true, violin = true, ecdf = true, stem = true, diagonal = true,
  set = true, legend = true, twin = true }
Axes.__members = known -- for completion

-- The module of a chart, or nil when no searcher knows it.
local function find_kind(name)
  if type(name) ~= "string" or not name:match("^%l[%w_]*$") then return nil end
  local module = "unroll.plot.marks." .. name
  if package.loaded[module] then return package.loaded[module] end
  for _, searcher in ipairs(package.searchers) do
    if type(searcher(module)) == "function" then return require(module) end
  end
end

--- Whether axes have a chart or method of this name.
---@return boolean
function axes.has(name) return rawget(Axes, name) ~= nil or find_kind(name) ~= nil end

local function add_mark(panel, kind, name, ...)
  local mark = kind.new(panel, ...)
  mark.kind, mark.name = kind, name
  panel.marks[#panel.marks + 1] = mark
end

--- Adds a chart to axes, for callers within the module: misuse is raised as such.
function axes.add(ax, name, ...)
  add_mark(ax.panel, find_kind(name), name, ...)
end

local adders = {}

local function adder(name)
  local kind = find_kind(name)
  if not kind then return nil end
  adders[name] = adders[name] or function(self, ...)
    if getmetatable(self) ~= Axes then
      error(("call it with a colon: ax:%s(...)"):format(name), 2)
    end
    options.guard(add_mark, self.panel, kind, name, ...)
    return self
  end
  return adders[name]
end

-- Their names, and those of others that were used.
local function known_names()
  local names = copy(known)
  for module in pairs(package.loaded) do
    local name = type(module) == "string" and module:match "^unroll%.plot%.marks%.([%w_]+)$"
    if name and name ~= "common" then names[name] = true end
  end
  return names
end

function Axes:__index(name)
  local method = rawget(Axes, name) or adder(name)
  if method then return method end
  error("axes have no chart or method " .. options.describe_unknown(name, known_names()), 2)
end

function Axes:__tostring()
  local panel = self.panel
  return ("axes (%d,%d): %d marks"):format(panel.row, panel.col, #panel.marks)
end

Axes.__name = "unroll.Axes"

--- Axes in a cell of the grid.
function axes.new(row, col, rowspan, colspan)
  local panel = { row = row, col = col, rowspan = rowspan, colspan = colspan,
    settings = {}, legend = { place = "best" }, marks = {}, colors = 0 }
  return setmetatable({ panel = panel }, Axes)
end

--- The colour of a new mark: the user's, else the next of the palette.
function axes.next_color(panel, who, given)
  local chosen = color.check(who, given)
  if chosen then return chosen end
  local home = panel.owner or panel
  home.colors = home.colors + 1
  return home.colors
end

--- The colour of the series drawn last: what a band around it takes.
function axes.same_color(panel, who, given)
  return color.check(who, given) or math.max(1, (panel.owner or panel).colors)
end

return axes
