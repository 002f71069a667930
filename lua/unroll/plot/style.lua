--- Themes: every size (points) and colour of a figure.
--
-- A theme is a flat table; the other themes say only how they differ from light, and a
-- figure how it differs from its theme.

local color = require "unroll.plot.color"
local options = require "unroll.plot.options"

local style = {}

local function copy(t)
  local result = {}
  for k, v in pairs(t) do result[k] = v end
  return result
end

local light = {
  -- page
  dpi = 150,
  background = "#ffffff",
  pad = 8, column_gap = 16, row_gap = 18, header_gap = 12, footer_gap = 10,
  -- text
  text = "#262626", muted = "#4d4d4d", faint = "#6f6f6f",
  tick_size = 9, label_size = 10, title_size = 11, figure_title_size = 13.5,
  legend_size = 9, note_size = 8.5, footer_size = 8,
  -- axes
  axis = "#4d4d4d", spine_width = 0.8,
  tick_length = 3.5, tick_width = 0.8, minor_length = 2, minor_width = 0.6,
  tick_pad = 3, label_pad = 5, title_pad = 7,
  grid = "#e6e6e6", grid_width = 0.6, minor_grid = "#f2f2f2", minor_grid_width = 0.4,
  -- marks
  palette = color.palettes["okabe-ito"],
  dashes = { false, { 5, 2.2 }, { 1.6, 1.8 }, { 7, 2, 1.6, 2 }, { 9, 3 } },
  dash_each = false, -- every series its own dash, not only after the palette's end
  line_width = 1.6, raw_width = 0.8, raw_alpha = 0.3, band_alpha = 0.18,
  marker_size = 5, marker_rim = 0.8, marker_most = 30,
  reference = "#7f7f7f", reference_width = 1, reference_dash = { 4, 3 },
  span_alpha = 0.11, box_alpha = 0.22, bar_group = 0.8, error_cap = 3, error_width = 1.1,
  -- legend
  legend_handle = 18, legend_gap = 6, legend_row_gap = 0.35, legend_pad = 4,
  legend_column_gap = 14, missing = "#d9d9d9", legend_back = 0.85, legend_rim = "#d9d9d9",
}

local dark = {
  background = "#16181d", text = "#e8e8e8", muted = "#b4b7bd", faint = "#8d9199",
  axis = "#9a9ea6", grid = "#2b2f37", minor_grid = "#22252c", reference = "#9a9ea6",
  legend_rim = "#3c414b", missing = "#3c414b", span_alpha = 0.2, band_alpha = 0.25,
  palette = { "#4fa8e0", "#ff8a3d", "#2cc295", "#e39ac4", "#f2b632", "#8fd0f5",
    "#f2f2f2" },
}

local print_theme = {
  palette = { "#000000", "#5a5a5a", "#8c8c8c", "#333333", "#747474", "#a6a6a6" },
  dash_each = true, span_alpha = 0.12,
}

-- For slides and posters: the same lines and letters, larger.
local large = {}
for name, value in pairs(light) do
  if type(value) == "number" and name ~= "dpi" and not name:find "alpha" and not name:find "most"
    and name ~= "bar_group" and name ~= "legend_row_gap" and name ~= "legend_back" then
    large[name] = 1.35 * value
  end
end

local function derive(changes)
  return setmetatable(changes, { __index = light })
end

style.themes = { light = light, dark = derive(dark), print = derive(print_theme),
  large = derive(large) }

--- The theme of a figure, with its own palette and style if it has them.
function style.of(fig)
  local theme = style.themes[fig.theme]
  if fig.style then theme = setmetatable(copy(fig.style), { __index = theme }) end
  if fig.palette then theme = setmetatable({ palette = fig.palette }, { __index = theme }) end
  return theme
end

--- A user's palette: a name or a list of colours. nil stays nil.
function style.check_palette(who, palette)
  if palette == nil then return nil end
  if type(palette) == "string" then
    if not color.palettes[palette] then
      options.misuse("%s: unknown palette %s", who,
        options.describe_unknown(palette, color.palettes))
    end
    return color.palettes[palette]
  end
  local list = {}
  for i, c in ipairs(palette) do
    list[i] = color.check(who, c)
    if math.type(list[i]) then options.misuse("%s: palette[%d] must be a colour", who, i) end
  end
  if #list == 0 then options.misuse("%s: palette must hold colours", who) end
  return list
end

-- The kind of a theme's value: what may stand in its place.
local function check_change(who, name, value)
  local model = light[name]
  if name == "palette" then return style.check_palette(who, value) end
  if name == "dashes" then
    options.misuse("%s: the dashes of series are not for change; lines have the option dash", who)
  end
  if type(model) == "string" and type(value) == "string" then return color.check(who, value) end
  if type(model) == "table" then return style.check_dash(who, value) or {} end
  local least = name:find "_size$" and 1 or 0
  local fits = type(value) == type(model)
    and (type(value) ~= "number" or (value >= least and value < 1000))
  if not fits then
    options.misuse("%s: style.%s must be a %s, got %s", who, name, type(model) == "number"
      and ("number in %d..1000"):format(least) or type(model) == "string" and "colour"
      or type(model), tostring(value))
  end
  return value
end

--- A user's changes to a theme, checked; nil stays nil.
function style.check_changes(who, changes)
  if changes == nil then return nil end
  local checked = {}
  for name, value in pairs(changes) do
    if light[name] == nil then
      options.misuse("%s: unknown style %s", who, options.describe_unknown(name, light))
    end
    checked[name] = check_change(who, name, value)
  end
  return checked
end

local preset, preset_changes = "light", nil

function style.check(who, name)
  if type(name) ~= "string" or not style.themes[name] then
    options.misuse("%s: unknown theme %s", who,
      options.describe_unknown(name, style.themes))
  end
  return name
end

--- The theme of the figures to come, and changes to it.
function style.set_default(name, changes)
  local checked = style.check_changes("theme", changes)
  preset, preset_changes = style.check("theme", name), checked
end

--- The theme of a figure and its changes: the figure's own, else those of the figures to come.
---@param name string|nil
---@param changes table|nil
function style.choose(who, name, changes)
  changes = style.check_changes(who, changes)
  if name then return style.check(who, name), changes end
  if not preset_changes then return preset, changes end
  local all = copy(preset_changes)
  for key, value in pairs(changes or {}) do all[key] = value end
  return preset, all
end

--- The look of series n: colour and dash. After the end of the palette the dash changes
--- too, so that two series never look the same.
---@return string color, number[]|nil dash
function style.series(theme, n)
  local colors, dashes = theme.palette, theme.dashes
  local round = theme.dash_each and n - 1 or (n - 1) // #colors
  return colors[(n - 1) % #colors + 1], dashes[round % #dashes + 1] or nil
end

--- The colour of a mark: a palette index or a colour.
function style.color(theme, c)
  if math.type(c) == "integer" then return (style.series(theme, c)) end
  return c
end

--- The dash of a mark: its own ("solid" for none), else that of its palette index.
function style.dash(theme, mark)
  if mark.dash ~= nil then return mark.dash or nil end
  if math.type(mark.color) == "integer" then
    return select(2, style.series(theme, mark.color))
  end
end

local named_dashes = { solid = false, dashed = { 5, 2.2 }, dotted = { 1.6, 1.8 },
  dashdot = { 7, 2, 1.6, 2 } }

--- A user's dash: a name, or a list of lengths in points. nil stays nil.
function style.check_dash(who, dash)
  if dash == nil then return nil end
  if type(dash) == "string" then
    if named_dashes[dash] == nil then
      options.misuse("%s: unknown dash %s", who,
        options.describe_unknown(dash, named_dashes))
    end
    return named_dashes[dash]
  end
  for i, length in ipairs(dash) do
    if math.type(length) == nil or not (length >= 0 and length < math.huge) or i > 8 then
      options.misuse("%s: dash must hold up to 8 lengths in points", who)
    end
  end
  return #dash > 0 and { table.unpack(dash) } or false
end

return style
