-- test_plot_options.lua -- styles, margins, categories, colours by value, notes by place, crops,
-- and remarks on what could not be shown.

local lu = require "luaunit"
local colormap = require "unroll.plot.colormap"
local draw = require "unroll.plot.draw"
local layout = require "unroll.plot.layout"
local plot = require "unroll.plot"
local support = require "support"
local tensor = require("unroll").tensor

local function panel_of(fig)
  return fig:describe().panels[1]
end

-- The colour at a point of the data, and the plan.
local function color_at(fig)
  local plan = layout.plan(fig)
  local width, height = math.tointeger(fig.width * 150), math.tointeger(fig.height * 150)
  local pixels = draw.pixels(fig, plan, width, height)
  local view = plan.panels[1].view
  return function(x, y)
    local column, row = view.x(x) * 150 // 72, view.y(y) * 150 // 72
    local at = math.tointeger(3 * (row * width + column)) + 1
    return ("#%02x%02x%02x"):format(pixels:byte(at, at + 2))
  end
end

local function text_of(fig, role)
  for _, item in ipairs(fig:describe().texts) do
    if item.role == role then return item end
  end
end

-- --- scatter -----------------------------------------------------------------------------

TestScatter = {}

-- Few points are drawn as paths, many as stamps.
function TestScatter.test_points_have_the_colours_of_their_values()
  for _, n in ipairs { 5, 500 } do
    local x, values = {}, {}
    for i = 1, n do x[i], values[i] = i % 5, i % 5 end
    values[5] = 0 / 0
    local fig = plot.figure {}
    fig:at():scatter(x, x, { color = values, size = 8, limits = { 0, 4 } })
      :set { xlim = { -1, 5 }, grid = false }
    local color = color_at(fig)
    for i = 1, 4 do lu.assertEquals(color(i, i), colormap.at("viridis", i / 4), "value " .. i) end
  end
end

function TestScatter.test_a_value_that_is_no_number_is_grey_and_the_bar_has_the_range()
  local fig = plot.figure {}
  fig:at():scatter({ 1, 2, 3, 4 }, { 1, 2, 3, 4 }, { color = { 10, 0 / 0, 1000, 1 / 0 },
    norm = "log", size = 8, bar_label = "steps" })
  lu.assertEquals(color_at(fig)(2, 2), "#d9d9d9")
  lu.assertEquals(color_at(fig)(4, 4), "#d9d9d9")
  local series = panel_of(fig).series[1]
  lu.assertEquals({ series.low, series.high, series.map }, { 10, 1000, "viridis" })
  lu.assertEquals(text_of(fig, "ylabel").text, "steps")
end

function TestScatter.test_sizes_are_diameters_and_stay_on_the_page()
  local fig = plot.figure {}
  fig:at():scatter({ 1, 2 }, { 1, 2 }, { size = { 4, 60 }, color = "#ff0000" }):set { grid = false }
  local color = color_at(fig)
  lu.assertEquals(color(2, 2), "#ff0000")
  local plan = layout.plan(fig).panels[1]
  local reach = 30 / (plan.view.x(2) - plan.view.x(1)) -- 30 points, in data
  lu.assertEquals(color(2 - 0.9 * reach, 2), "#ff0000")
  lu.assertNotEquals(color(2 - 1.2 * reach, 2), "#ff0000")
  lu.assertTrue(plan.view.y(2) - 30 >= plan.box.top and plan.view.x(2) + 30 <= plan.box.right)
end

function TestScatter.test_what_goes_with_values_only()
  local ax = plot.figure {}:at()
  lu.assertErrorMsgContains("norm goes with color = a series",
    function() ax:scatter({ 1 }, { 1 }, { norm = "log" }) end)
  lu.assertErrorMsgContains("color has 2 elements, y has 1",
    function() ax:scatter({ 1 }, { 1 }, { color = { 1, 2 } }) end)
end

-- --- lines -------------------------------------------------------------------------------

TestLines = {}

function TestLines.test_markers_at_every_nth_point()
  local x = tensor.arange(0, 100)
  local fig = plot.figure {}
  fig:at():line(x, x * 0, { every = 25, size = 9, width = 1, color = "#ff0000" })
    :set { ylim = { -1, 1 }, grid = false }
  local color = color_at(fig)
  for i = 25, 100, 25 do lu.assertEquals(color(i, 0.03), "#ff0000", i) end
  for _, i in ipairs { 10, 40, 60, 90 } do
    lu.assertEquals(color(i, 0.03), "#ffffff", i)
  end
  lu.assertErrorMsgContains("every must be a whole number",
    function() fig:at():line({ 1, 2 }, { every = 0.5 }) end)
end

function TestLines.test_names_are_places_on_an_axis_of_categories()
  local fig = plot.figure {}
  fig:at():line({ "tanh", "gru" }, { 1, 2 }):scatter({ "gru", "lstm", "tanh" }, { 1, 2, 3 })
    :errorbar({ "lstm" }, { 1.5 }, { yerr = 0.5 })
  lu.assertEquals(panel_of(fig).x.labels, { "tanh", "gru", "lstm" })
  local points = fig:at().panel.marks[2].x:totable()
  lu.assertEquals(points, { 2, 3, 1 })
end

-- A bar's own names are not changed when a line adds one.
function TestLines.test_a_line_may_add_a_name_to_bars()
  local fig = plot.figure {}
  fig:at():bar({ "a", "b" }, { 1, 2 }):line({ "b", "c" }, { 1, 2 })
  lu.assertEquals(panel_of(fig).x.labels, { "a", "b", "c" })
  lu.assertEquals(#fig:at().panel.marks[1].names, 2)
end

-- --- axes --------------------------------------------------------------------------------

TestMargins = {}

function TestMargins.test_margins_are_parts_of_the_range()
  local fig = plot.figure {}
  fig:at():line({ 0, 10 }, { 1, 3 }):set { xmargin = 0, ymargin = 0.5 }
  local p = panel_of(fig)
  lu.assertEquals({ p.x.low, p.x.high, p.y.low, p.y.high }, { 0, 10, 0, 4 })
  lu.assertErrorMsgContains("xmargin must be in 0..10",
    function() fig:at():set { xmargin = -1 } end)
end

function TestMargins.test_bars_stay_on_their_edge()
  local fig = plot.figure {}
  fig:at():bar({ 1, 2 }):set { ymargin = 0.5 }
  local p = panel_of(fig)
  lu.assertEquals({ p.y.low, p.y.high }, { 0, 3 })
end

-- --- styles ------------------------------------------------------------------------------

TestStyles = {}

function TestStyles.test_a_figure_may_change_its_theme()
  local fig = plot.figure { theme = "dark", style = { tick_size = 14, grid = "red" } }
  fig:at():line { 1, 2 }
  local tick = text_of(fig, "ytick")
  lu.assertEquals({ tick.size, tick.color }, { 14, "#b4b7bd" })
  lu.assertStrContains(fig:render("svg"), "stroke:rgb(75.686")
end

function TestStyles.test_changes_for_all_figures_to_come()
  plot.theme("light", { tick_size = 12, palette = { "#123456" } })
  local fig, other = plot.figure { style = { label_size = 20 } }, plot.figure { theme = "print" }
  plot.theme "light"
  fig:at():line({ 1, 2 }):set { xlabel = "x" }
  other:at():line { 1, 2 }
  lu.assertEquals({ text_of(fig, "xtick").size, text_of(fig, "xlabel").size }, { 12, 20 })
  lu.assertEquals(panel_of(fig).series[1].color, "#123456")
  lu.assertEquals(text_of(other, "xtick").size, 9)
  local later = plot.figure {}
  later:at():line { 1, 2 }
  lu.assertEquals(text_of(later, "xtick").size, 9)
end

function TestStyles.test_large()
  local fig = plot.figure { theme = "large" }
  fig:at():line { 1, 2 }
  lu.assertAlmostEquals(text_of(fig, "xtick").size, 1.35 * 9, 1e-9)
end

function TestStyles.test_wrong_styles()
  for message, style in pairs {
    ["unknown style 'line_widht' (did you mean 'line_width'?)"] = { line_widht = 1 },
    ["style.tick_size must be a number in 1..1000"] = { tick_size = 0 },
    ["style.grid must be a colour"] = { grid = 1 },
    ["unknown colour 'greeen' (did you mean 'green'?)"] = { text = "greeen" },
    ["style.dash_each must be a boolean"] = { dash_each = 1 },
  } do
    lu.assertErrorMsgContains(message, function() plot.figure { style = style } end)
  end
end

-- --- notes -------------------------------------------------------------------------------

TestNotes = {}

function TestNotes.test_parts_of_the_panel()
  local fig = plot.figure {}
  fig:at():line({ 1, 2 }):note("corner", 1, 0, { coords = "axes" })
  local item, box = text_of(fig, "note"), panel_of(fig).box
  lu.assertAlmostEquals(item.box.right, box.right - 4, 1e-6)
  lu.assertAlmostEquals(item.box.bottom, box.bottom - 4, 1e-6)
  lu.assertEquals(panel_of(fig).x.high, 2.04) -- the axes do not reach for it
end

function TestNotes.test_parts_of_the_page()
  local fig = plot.figure { rows = 2, title = "A title" }
  fig:at(1, 1):line { 1, 2 }
  fig:at(2, 1):line({ 1, 2 }):note("above all", 1, 1, { coords = "figure" })
  local item = text_of(fig, "note")
  lu.assertAlmostEquals(item.box.right, fig.width * 72 - 4, 1e-6)
  lu.assertAlmostEquals(item.box.top, 4, 1e-6)
end

-- --- crops -------------------------------------------------------------------------------

TestCrop = {}

local function png_size(png)
  return string.unpack(">I4 I4", png, 17)
end

-- One panel of four leaves most of the page empty.
function TestCrop.test_the_page_ends_where_the_drawing_does()
  local fig = plot.figure { rows = 2, cols = 2 }
  fig:at(1, 1):line({ 1, 2 }, { 1, 2 }, { color = "#ff0000" }):set { xlabel = "x" }
  local width, height = png_size(fig:render("png", { crop = true }))
  lu.assertTrue(width < 0.6 * 1200 and width > 0.3 * 1200, width)
  lu.assertTrue(height < 0.6 * 900 and height > 0.3 * 900, height)
  lu.assertTrue(#fig:render("pdf", { crop = true }) > 1000)
  lu.assertStrMatches(fig:render("svg", { crop = true }), '.*width="%d+%.?%d*pt".*')
end

-- The pixels are those of the whole page.
function TestCrop.test_nothing_is_cut_or_moved_by_parts_of_a_pixel()
  local fig = plot.figure { style = { pad = 30 } }
  fig:at():bar({ 1, 2 }):set { title = "Title" }
  local whole, cut = png_size(fig:render("png")), png_size(fig:render("png", { crop = true }))
  lu.assertTrue(cut < whole)
  lu.assertEquals(fig:render("png", { crop = true }), fig:render("png", { crop = true }))
end

-- --- files -------------------------------------------------------------------------------

TestFiles = {}

local function pdf_with_epoch(epoch)
  local path = support.tmpdir() .. "/epoch.pdf"
  local output = support.run(("SOURCE_DATE_EPOCH=%s %s -e \"require('unroll.plot').line({ 1, 2 })"
    .. ":save('%s')\""):format(epoch, support.quoted_program, path))
  lu.assertEquals(output, "")
  return support.read_file(path)
end

function TestFiles.test_the_date_of_a_pdf_is_that_of_the_sources()
  lu.assertStrContains(pdf_with_epoch "1700000000", "/CreationDate (20231114221320Z")
  lu.assertStrContains(pdf_with_epoch "-5", "/CreationDate (19700101000000Z")
  lu.assertStrContains(pdf_with_epoch "99999999999999999999", "/CreationDate (99991231235959Z")
end

function TestFiles.test_a_missing_folder_is_named()
  local _, message = plot.figure {}:save("/nowhere/at/all/figure.png")
  lu.assertStrContains(message, "(make the folder /nowhere/at/all first)")
end

-- --- remarks -----------------------------------------------------------------------------

TestRemarks = {}

function TestRemarks.test_characters_without_a_glyph()
  local fig = plot.figure { title = "loss \u{10FFFD}\u{10FFFD}" } -- private use: no font has it
  fig:at():line { 1, 2 }
  local remark = "2 characters that no installed font has"
  lu.assertEquals(fig:describe().remark, remark)
  lu.assertEquals(text_of(fig, "remark").text, remark)
end

function TestRemarks.test_labels_without_room()
  local fig = plot.figure { width = 2, height = 1.5 }
  local values = {}
  for i = 1, 40 do values[i] = i + 0.123 end
  fig:at():bar(values, { values = true })
  lu.assertEquals(fig:describe().remark, "no room for the numbers of the bars")
end

function TestRemarks.test_ticks_of_the_user_without_room()
  local fig, ticks = plot.figure {}, {}
  for i = 1, 200 do ticks[i] = { i, "a tick" } end
  fig:at():line({ 1, 200 }, { 1, 2 }):set { xticks = ticks }
  lu.assertStrMatches(fig:describe().remark, "no room for 1%d%d tick labels")
end

function TestRemarks.test_an_aspect_without_room()
  local fig = plot.figure {}
  fig:at():line({ 0, 1000 }, { 0, 1 }):set { aspect = "equal" }
  lu.assertEquals(fig:describe().remark, "no room for the aspect")
end

function TestRemarks.test_nothing_to_say()
  local fig = plot.figure { title = "loss" }
  fig:at():line { 1, 2 }
  lu.assertNil(fig:describe().remark)
end

function TestRemarks.test_names_that_are_not_written()
  local names, numbers, values = {}, {}, {}
  for i = 1, 120 do names[i], numbers[i], values[i] = "cell " .. i, i, i end
  local fig = plot.figure { cols = 2 }
  fig:at(1, 1):bar(names, values):set { xlabel = "cell" }
  fig:at(1, 2):bar(numbers, values):set { xlabel = "cell" }
  local panels = fig:describe().panels
  lu.assertStrMatches(panels[1].x.label, "cell %(1 name in %d+ shown%)")
  lu.assertEquals(panels[2].x.label, "cell")
end
