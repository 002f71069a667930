-- test_plot.lua -- charts as files: formats, bytes, odd data, wrong calls.

local lu = require "luaunit"
local core = require "unroll.core"
local plot = require "unroll.plot"
local support = require "support"
local tensor = require "unroll.tensor"

local raises = support.raises

local function temporary(name)
  local path = os.tmpname()
  os.remove(path)
  return path .. name
end

local function read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- A figure with every kind of chart.
local function full_figure(opts)
  opts = opts or {}
  opts.rows, opts.cols, opts.letters = 2, 2, true
  opts.title, opts.caption, opts.footer = "All <charts> & signs", "A caption.", "run 1"
  local fig = plot.figure(opts)
  local noisy = {}
  for i = 1, 3000 do noisy[i] = 2 + math.sin(i * i) + 1000 / i end
  fig:at(1, 1):smooth(noisy, { label = "raw" }):hline(2, { label = "two" })
    :note("here", 1500, 2):set { title = "Smooth", yscale = "log" }
  fig:at(1, 2):band({ 1, 2, 3 }, { 1, 2, 3 }, { sd = 0.3, label = "mean ± sd" })
    :band(nil, { 0, 1, 2 }, { 1, 2, 3 }):line({ 3, 1, 2 }, { label = "h_{t}", dash = "dotted" })
    :vline(2, { label = "middle" }):set { xlabel = "x^{2}", ylabel = "y\nz" }
  fig:at(2, 1):bar({ " ", "<", "&" }, { { 1, 2, 3 }, { 2, 1, 2 } }, { labels = { "a", "b" },
    values = true, errors = { { 0.1, 0.1, 0.1 }, { 0.2, 0.2, 0.2 } } })
  fig:at(2, 2):errorbar(nil, { 1, 2, 3 }, { yerr = { low = { 0.5, 2.5, 1 }, high = 1 },
    xerr = 0.2, label = "e" }):scatter({ 1, 2, 3 }, { 3, 2, 1 }, { marker = "diamond",
    label = "s" }):span(0.5, 1, { label = "zone", color = "green" })
  return fig
end

TestPlot = {}

-- --- files -------------------------------------------------------------------------------

local starts = { png = "^\137PNG\r\n\26\n", svg = "^<%?xml", pdf = "^%%PDF%-1" }

function TestPlot.test_three_formats()
  for format, pattern in pairs(starts) do
    local path = temporary("." .. format)
    lu.assertTrue(full_figure():save(path))
    local bytes = read_file(path)
    os.remove(path)
    lu.assertNotNil(bytes:find(pattern), format)
    lu.assertEquals(bytes, full_figure():render(format))
  end
end

function TestPlot.test_same_bytes_twice()
  for format in pairs(starts) do
    local fig = full_figure()
    local first = fig:render(format)
    lu.assertEquals(fig:render(format) == first, true, format .. " drawn twice")
    lu.assertEquals(full_figure():render(format) == first, true, format .. " made twice")
  end
end

function TestPlot.test_same_bytes_in_another_process()
  local script = temporary(".lua")
  local file = assert(io.open(script, "w"))
  file:write([[
    local plot = require "unroll.plot"
    for i = 1, tonumber(arg[1]) do plot.figure {}:render("svg") end
    local fig = plot.figure {}
    fig:at():line({ 1, 3, 2 }, { alpha = 0.5 }):scatter({ 2, 2, 1 })
    io.write(fig:render(arg[2]))]])
  file:close()
  local function run(before, format)
    local pipe <close> = io.popen(("%s %s %d %s"):format(support.quoted_program, script,
      before, format))
    return pipe:read("a")
  end
  for format, pattern in pairs(starts) do
    local bytes = run(0, format)
    lu.assertNotNil(bytes:find(pattern))
    lu.assertEquals(run(2, format) == bytes, true, format)
  end
  os.remove(script)
end

local function be32(s, at)
  return (string.unpack(">I4", s, at))
end

function TestPlot.test_png_has_size_and_resolution()
  local png = plot.figure { width = 4, height = 3, dpi = 200 }:render("png")
  lu.assertEquals({ be32(png, 17), be32(png, 21) }, { 800, 600 })
  local at = png:find("pHYs", 1, true)
  lu.assertEquals({ be32(png, at + 4), be32(png, at + 8), png:byte(at + 12) }, { 7874, 7874, 1 })
  lu.assertEquals(be32(plot.figure {}:render("png", { dpi = 72 }), 17), 324)
end

function TestPlot.test_default_sizes()
  local function pixels(rows, cols)
    local png = plot.figure { rows = rows, cols = cols }:render("png")
    return { be32(png, 17), be32(png, 21) }
  end
  lu.assertEquals(pixels(1, 1), { 675, 480 })
  lu.assertEquals(pixels(2, 2), { 1200, 900 })
end

function TestPlot.test_missing_folder()
  local ok, message = full_figure():save("/nonexistent-folder/a.png")
  lu.assertNil(ok)
  lu.assertStrContains(message, "/nonexistent-folder")
  lu.assertNil(core.sys.list("/nonexistent-folder")) -- and it is not made
end

function TestPlot.test_pages_that_no_canvas_can_hold()
  for text, call in pairs {
    ["figure: width = 1e+06 inches at 150 dpi are 1.5e+08 pixels, must be in 1..32767"] =
      function() plot.figure { width = 1e6 } end,
    ["figure: height = 1e-06 inches"] = function() plot.figure { height = 1e-6 } end,
    ["figure: width = 4.5 inches at 1e+06 dpi"] = function() plot.figure { dpi = 1e6 } end,
    ["save: width = 4.5 inches at 1e+06 dpi"] = function()
      plot.figure():save("never.png", { dpi = 1e6 })
    end,
  } do
    lu.assertStrContains(support.raises(text, call), "test_plot.lua:")
  end
end

function TestPlot.test_old_file_stays_when_saving_fails()
  local folder = temporary("")
  assert(core.sys.mkdir(folder))
  local path = folder .. "/taken.png"
  assert(core.sys.mkdir(path)) -- a folder of that name cannot be replaced by a file
  local ok, message = plot.figure {}:save(path)
  lu.assertNil(ok)
  lu.assertIsString(message)
  os.remove(path)
  os.remove(folder)
end

-- --- data --------------------------------------------------------------------------------

local nan, inf = 0 / 0, 1 / 0

local odd_data = {
  empty = {}, one = { 5 }, constant = { 3, 3, 3 }, zeros = { 0, 0 }, nans = { nan, nan },
  gaps = { 1, nan, 3, inf, 5, -inf }, huge = { 1, 1e30, -1e30, 2 }, largest = { 1e308, -1e308 },
  tiny = { 1e-40, 2e-40 }, negative = { -1, -2, -3 }, mixed = { 1, 0, -1, 10 },
}

function TestPlot.test_odd_data_is_never_an_error()
  for name, values in pairs(odd_data) do
    for _, scale in ipairs { "linear", "log" } do
      local fig = plot.figure { cols = 3 }
      fig:at(1, 1):line(values):set { yscale = scale }
      fig:at(1, 2):bar(values, { values = true }):set { yscale = scale }
      fig:at(1, 3):scatter(values):smooth(values):set { yscale = scale }
      fig:at(1, 3):band(nil, values, values)
      for format, pattern in pairs(starts) do
        lu.assertNotNil(fig:render(format):find(pattern), name .. " " .. scale)
      end
      for _, p in ipairs(fig:describe().panels) do
        lu.assertTrue(p.y.low < p.y.high, name .. " " .. scale)
      end
    end
  end
end

function TestPlot.test_empty_panel_says_so()
  local fig = plot.figure { cols = 2 }
  fig:at(1, 1):line({})
  fig:at(1, 2)
  for _, p in ipairs(fig:describe().panels) do
    lu.assertEquals(p.notes, { "no data" })
    lu.assertEquals({ p.y.low, p.y.high }, { 0, 1 })
  end
end

function TestPlot.test_values_that_a_log_axis_drops_are_counted()
  local fig = plot.figure {}
  fig:at():line({ 1, 0, -3, 100 }):set { yscale = "log" }
  lu.assertEquals(fig:describe().panels[1].notes, { "2 values ≤ 0 not shown" })
  local texts = {}
  for _, item in ipairs(fig:describe().texts) do texts[item.text] = true end
  lu.assertTrue(texts["2 values ≤ 0 not shown"])
end

function TestPlot.test_infinities_do_not_count_in_limits()
  local fig = plot.figure {}
  fig:at():line({ 1, inf, 3, -inf, nan })
  local y = fig:describe().panels[1].y
  lu.assertAlmostEquals(y.low, 0.9, 1e-9)
  lu.assertAlmostEquals(y.high, 3.1, 1e-9)
end

-- The numbers in the paths of an SVG that have this style: x0, y0, x1, y1, ...
local function path_numbers(svg, style)
  local numbers = {}
  for path in svg:gmatch("<path[^>]*>") do
    if path:find(style, 1, true) then
      for number in path:match(' d="(.-)"'):gmatch("%-?[%d.]+") do
        numbers[#numbers + 1] = tonumber(number)
      end
    end
  end
  return numbers
end

function TestPlot.test_a_far_point_stays_near_the_page()
  local fig = plot.figure {}
  fig:at():line({ 0, 1, 1e30, 1, 0 }, { color = "#ff0000", marker = "none" })
    :band(nil, { 0, 1, -1e30, 1, 0 }, { 1, 2, 1e30, 2, 1 }, { color = "#00ff00" })
    :set { ylim = { 0, 2 } }
  local svg = fig:render("svg")
  for _, style in ipairs { "stroke:rgb(100%,0%,0%)", "fill:rgb(0%,100%,0%)" } do
    local numbers = path_numbers(svg, style)
    lu.assertTrue(#numbers >= 12, style)
    for _, v in ipairs(numbers) do lu.assertTrue(v > -20 and v < 350, style .. " " .. v) end
  end
end

function TestPlot.test_bars_on_a_log_axis_stand_on_its_floor()
  local fig = plot.figure {}
  fig:at():bar({ 10, 100, 1000 }, { color = "#ff0000" })
    :set { yscale = "log", ylim = { 1, 1000 } }
  local p = fig:describe().panels[1]
  local numbers = path_numbers(fig:render("svg"), "fill:rgb(100%,0%,0%)")
  lu.assertEquals(#numbers, 3 * 10) -- four corners and back to the first, x and y
  for i = 0, 2 do
    local top, bottom = math.huge, -math.huge
    for k = 2, 10, 2 do
      top, bottom = math.min(top, numbers[10 * i + k]), math.max(bottom, numbers[10 * i + k])
    end
    lu.assertAlmostEquals(bottom, p.box.bottom, 0.01)
    local part = (bottom - top) / (p.box.bottom - p.box.top)
    lu.assertAlmostEquals(part, (i + 1) / 3, 0.001)
  end
end

function TestPlot.test_tensors_of_every_kind()
  local base = tensor { { 1, 5 }, { 2, 6 }, { 3, 7 } }
  local expected = plot.figure {}
  expected:at():line({ 1, 2, 3 }, { 5, 6, 7 })
  local function same(x, y, what)
    local fig = plot.figure {}
    fig:at():line(x, y)
    lu.assertEquals(fig:render("svg") == expected:render("svg"), true, what)
  end
  same(base:select(2, 1), base:select(2, 2), "strided float32")
  same(base:to("float64"):select(2, 1), base:to("float64"):select(2, 2), "strided float64")
  same(tensor({ 1, 2, 3 }, { dtype = "int32" }), { 5, 6, 7 }, "int32 and a table")
end

function TestPlot.test_a_figure_keeps_its_own_copy_of_the_data()
  local values = { 1, 2, 3 }
  local fig = plot.figure {}
  fig:at():line(values)
  local before = fig:render("svg")
  values[2] = 50
  lu.assertEquals(fig:render("svg") == before, true)
end

function TestPlot.test_the_average_of_smooth_is_bias_corrected()
  local smooth = require "unroll.plot.marks.smooth"
  local panel = { marks = {}, colors = 0 }
  local mark = smooth.new(panel, { 4, 4, nan, 8 }, { window = 3 })
  local values = core.canvas.values(mark.average)
  lu.assertAlmostEquals(values[1], 4, 1e-12)
  lu.assertAlmostEquals(values[2], 4, 1e-12)
  lu.assertNotEquals(values[3], values[3])
  lu.assertAlmostEquals(values[4], (0.125 * 4 + 0.25 * 4 + 0.5 * 8) / 0.875, 1e-12)
end

-- --- description -------------------------------------------------------------------------

function TestPlot.test_describe()
  local d = full_figure():describe()
  lu.assertEquals({ d.width, d.height, #d.panels }, { 576, 432, 4 })
  local p = d.panels[3]
  lu.assertEquals({ p.row, p.col, p.title }, { 2, 1, "(c)" })
  lu.assertEquals(p.legend.labels, { "a", "b" })
  lu.assertEquals(p.series[1].kind, "bar")
  lu.assertEquals({ p.series[1].label, p.series[2].label }, { "a", "b" })
  lu.assertNotEquals(p.series[1].color, p.series[2].color)
  lu.assertEquals(d.panels[1].y.scale, "log")
  lu.assertEquals(d.texts[1].role, "figure title")
end

function TestPlot.test_a_new_kind_of_chart_is_one_file()
  package.preload["unroll.plot.marks.test_stem"] = function()
    local data = require "unroll.plot.data"
    return {
      new = function(_, y) return { y = data.series("test_stem", "y", y) } end,
      limits = function(mark, reach)
        reach.x:count_to(data.count(mark.y))
        reach.y:cover(mark.y)
        reach.y:edge(0)
      end,
      draw = function(mark, pen)
        for i, v in ipairs(data.values(mark.y)) do
          pen.page:segment(pen.view.x(i), pen.view.y(0), pen.view.x(i), pen.view.y(v),
            { color = "#ff0000", width = 2 })
        end
      end,
    }
  end
  local fig = plot.figure {}
  fig:at():test_stem({ 3, 1, 2 })
  local p = fig:describe().panels[1]
  lu.assertEquals(p.y.low, 0)
  lu.assertEquals(p.series[1].kind, "test_stem")
  lu.assertEquals(#path_numbers(fig:render("svg"), "stroke:rgb(100%,0%,0%)"), 3 * 4)
  package.preload["unroll.plot.marks.test_stem"] = nil
end

function TestPlot.test_long_texts_and_many_panels()
  local fig = plot.figure { title = ("word "):rep(600) }
  fig:at():line({ 1, 2 }, { label = ("x"):rep(300) }):set { ylabel = ("y "):rep(300) }
  lu.assertTrue(fig:describe().zoom < 1)
  fig = plot.figure { rows = 12, cols = 12 }
  for i = 1, 12 do
    for k = 1, 12 do fig:at(i, k):line({ i, k }):set { title = "t" } end
  end
  lu.assertEquals(#fig:describe().panels, 144)
end

function TestPlot.test_tostring()
  lu.assertStrContains(tostring(full_figure()), "figure 8 x 6 in, 2 x 2 panels. Smooth: smooth")
  lu.assertStrContains(tostring(full_figure():at(2, 1)), "axes (2,1)")
end

function TestPlot.test_colors_go_on_with_other_dashes_after_the_palette()
  local style = require "unroll.plot.style"
  for _, theme in pairs(style.themes) do
    local seen = {}
    for i = 1, 20 do
      local color, dash = style.series(theme, i)
      local look = color .. (dash and table.concat(dash, ",") or "solid")
      lu.assertNil(seen[look], "series " .. i .. " looks like another one")
      seen[look] = true
    end
  end
end

function TestPlot.test_themes()
  local blue = "rgb(0%,44.705882%,69.803922%)"
  lu.assertStrContains(full_figure():render("svg"), blue)
  lu.assertNotStrContains(full_figure { theme = "print" }:render("svg"), blue)
  local dark = full_figure { theme = "dark" }:render("svg")
  lu.assertStrContains(dark, '<rect x="0" y="0" width="576" height="432" '
    .. 'style="fill:rgb(8.627451%,9.411765%,11.372549%)')
end

function TestPlot.test_title_and_description_for_readers_who_do_not_see()
  local fig = plot.figure { title = "Loss & more", alt = "It falls." }
  fig:at():line({ 3, 2, 1 })
  local svg = fig:render("svg")
  lu.assertStrContains(svg, "<title>Loss &amp; more</title>")
  lu.assertStrContains(svg, "<desc>It falls.</desc>")
end

-- --- wrong calls -------------------------------------------------------------------------

function TestPlot.test_misuse_is_reported_at_the_callers_line()
  local fig = plot.figure {}
  local ok, message = pcall(function() fig:at():line({ 1, 2 }, { colour = "red" }) end)
  lu.assertFalse(ok)
  lu.assertStrMatches(message, ".*test_plot%.lua:%d+: line: unknown option 'colour' %(did you "
    .. "mean 'color'%?%)")
  ok, message = pcall(function() plot.figure { row = 2 } end)
  lu.assertFalse(ok)
  lu.assertStrMatches(message, ".*test_plot%.lua:%d+: figure: unknown option 'row' %(did you "
    .. "mean 'rows'%?%)")
end

local wrong_calls = {
  { "rows must be a whole number", function() plot.figure { rows = 0 } end },
  { "rows must be a whole number", function() plot.figure { rows = 1.5 } end },
  { "option 'width' must be a positive number", function() plot.figure { width = -1 } end },
  { "unknown theme 'drak' (did you mean 'dark'", function() plot.figure { theme = "drak" } end },
  { "widths has 1 weights, must have 2", function() plot.figure { cols = 2, widths = { 1 } } end },
  { "outside the 1 x 1 grid", function(fig) fig:at(1, 2) end },
  { "no chart or method 'lin' (did you mean 'line'", function(_, ax) ax:lin({ 1 }) end },
  { "call it with a colon", function(_, ax) ax.line({ 1 }) end },
  { "x has 2 elements, y has 3", function(_, ax) ax:line({ 1, 2 }, { 1, 2, 3 }) end },
  { "y element 2 is a string", function(_, ax) ax:line({ 1, "2" }) end },
  { "y must be a list of numbers, got a table with the key 'a'", function(_, ax)
    ax:line({ a = 1 })
  end },
  { "box: samples must be a list, got a table with the key 'tanh'", function(_, ax)
    ax:box({ tanh = { 1, 2 } })
  end },
  { "y must be a tensor or a table of numbers, got nil", function(_, ax) ax:line() end },
  { "y must have one dimension, got (2,2)",
    function(_, ax) ax:line(tensor { { 1, 2 }, { 3, 4 } }) end },
  { "alpha must be in 0..1", function(_, ax) ax:line({ 1 }, { alpha = 2 }) end },
  { "unknown colour 'gren' (did you mean 'green'",
    function(_, ax) ax:line({ 1 }, { color = "gren" }) end },
  { "color must be", function(_, ax) ax:line({ 1 }, { color = "#12" }) end },
  { "unknown dash 'dash'", function(_, ax) ax:line({ 1 }, { dash = "dash" }) end },
  { "option 'marker' must be one of", function(_, ax) ax:line({ 1 }, { marker = "star" }) end },
  { "option 'xscale' must be one of", function(_, ax) ax:set { xscale = "ln" } end },
  { "unknown option 'xlable' (did you mean 'xlabel'",
    function(_, ax) ax:set { xlable = "x" } end },
  { "ylim = {2, 1} must rise", function(_, ax) ax:set { ylim = { 2, 1 } } end },
  { "must rise", function(_, ax) ax:set { ylim = { 0, 5e-324 } } end },
  { "cannot be shown on a log axis",
    function(_, ax) ax:set { yscale = "log", ylim = { 0, 1 } } end },
  { "ylim[1] must be a finite number", function(_, ax) ax:set { ylim = { nan, 1 } } end },
  { "yformat must be", function(_, ax) ax:set { yformat = "procent" } end },
  { "option 'place' must be one of", function(_, ax) ax:legend { place = "top" } end },
  { "series 1 has 2 values, there are 3 categories",
    function(_, ax) ax:bar({ "a", "b", "c" }, { 1, 2 }) end },
  { "1 labels for 2 series", function(_, ax) ax:bar({ { 1 }, { 2 } }, { labels = { "a" } }) end },
  { "other categories already", function(_, ax) ax:bar({ 1, 2 }):bar({ 1, 2, 3 }) end },
  { "hline: the position must be a finite number", function(_, ax) ax:hline("1") end },
  { "span: low = 2 is above high = 1", function(_, ax) ax:span(2, 1) end },
  { "note: the text must be a string", function(_, ax) ax:note(nil, 1, 1) end },
  { "give low and high, or the option sd", function(_, ax) ax:band(nil, { 1 }, {}) end },
  { "errorbar: y is missing", function(_, ax) ax:errorbar({ 1 }) end },
  { "yerr has 1 elements, y has 2",
    function(_, ax) ax:errorbar(nil, { 1, 2 }, { yerr = { 1 } }) end },
  { "must end in .png, .svg or .pdf", function(fig) fig:save("a.jpg") end },
  { "must end in", function(fig) fig:save("png") end },
  { "a file name expected", function(fig) fig:save(nil) end },
}

function TestPlot.test_wrong_calls()
  for _, case in ipairs(wrong_calls) do
    local fig = plot.figure {}
    local ax = fig:at()
    raises(case[1], case[2], fig, ax)
    lu.assertTrue(#ax.panel.marks <= 1) -- nothing half-added
  end
end

-- --- the canvas --------------------------------------------------------------------------

TestCanvas = {}

local function open_page()
  return core.canvas.open { format = "svg", width = 100, height = 80 }
end

function TestCanvas.test_closing_twice()
  local page = open_page()
  page:close()
  page:close()
  lu.assertEquals(tostring(page), "canvas (closed)")
  raises("the canvas is closed", page.rectangle, page, 0, 0, 1, 1, "#000000")
  raises("the canvas is closed", page.finish, page)
  do
    local closed <close> = open_page()
    closed:close()
  end
end

function TestCanvas.test_wrong_pages()
  raises("cannot be drawn", core.canvas.open, { format = "png", width = 1e6, height = 10 })
  raises("cannot be drawn", core.canvas.open, { format = "pdf", width = nan, height = 10 })
  raises("unknown format 'gif'", core.canvas.open, { format = "gif" })
end

function TestCanvas.test_text_is_plain_unless_it_is_markup()
  local plain = core.canvas.measure("<b>x</b>", { size = 10 })
  local markup = core.canvas.measure("<b>x</b>", { size = 10, markup = true })
  lu.assertTrue(plain > 3 * markup)
  raises("valid name", core.canvas.measure, "<b", { size = 10, markup = true })
  raises("UTF-8", core.canvas.measure, "\xff", { size = 10 })
end

function TestCanvas.test_widths_are_not_rounded_and_scale_with_the_size()
  local small = core.canvas.measure("gradient", { size = 5 })
  local large = core.canvas.measure("gradient", { size = 50 })
  lu.assertAlmostEquals(large / small, 10, 0.01)
end

function TestCanvas.test_range()
  local low, high, finite, dropped, integers = core.canvas.range({ 3, nan, inf, -1, 0 }, true)
  lu.assertEquals({ low, high, finite, dropped, integers }, { 3, 3, 1, 2, true })
  low, high = core.canvas.range({}, false)
  lu.assertEquals({ low, high }, { inf, -inf })
end

function TestCanvas.test_outline_keeps_the_extremes_of_a_long_series()
  local values = {}
  for i = 1, 100000 do values[i] = math.sin(i) end
  values[50000] = 9
  local points = core.canvas.outline({ left = 0, top = 0, right = 100, bottom = 100,
    xlow = 1, xhigh = 100000, ylow = -10, yhigh = 10 }, nil, values, 2)
  local highest = inf
  for i = 2, #points, 2 do
    if points[i] < highest then highest = points[i] end
  end
  lu.assertTrue(#points < 500)
  lu.assertAlmostEquals(highest, 5, 1e-9)
end

function TestCanvas.test_missing_font_names_the_package()
  local config = temporary(".conf")
  local file = assert(io.open(config, "w"))
  file:write('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    "<fontconfig><dir>/nonexistent-fonts</dir></fontconfig>")
  file:close()
  local pipe <close> = io.popen(("FONTCONFIG_FILE='%s' %s -e '%s' 2>&1"):format(config,
    support.quoted_program, 'require("unroll.core").canvas.measure("x", {})'))
  lu.assertStrContains(pipe:read("a"), "fonts-dejavu-core")
  os.remove(config)
end

function TestCanvas.test_metamethods_of_arguments_do_no_harm()
  local canvas = core.canvas.open { format = "svg", width = 50, height = 50 }
  local closing = setmetatable({}, { __index = function() canvas:close() end })
  raises("the canvas is closed", canvas.polyline, canvas, {}, nil, { 1, 2 }, closing)
  local lying = setmetatable({ 1, 2 }, { __len = function() return (1 << 61) + 1 end })
  lu.assertEquals(select(3, core.canvas.range(lying)), 2)
end
