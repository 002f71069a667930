-- test_plot_marks.lua -- what single charts draw: bins, quartiles, cells, stacks, scales, axes.

local lu = require "luaunit"
local core = require "unroll.core"
local plot = require "unroll.plot"
local support = require "support"
local tensor = require "unroll.tensor"

local raises = support.raises
local nan, inf = 0 / 0, 1 / 0

-- The figure's only panel, described.
local function panel_of(fig)
  return fig:describe().panels[1]
end

-- Boxes {left, top, right, bottom} of the rectangles of one colour in an SVG.
local function rectangles(svg, rgb)
  local list = {}
  for path in svg:gmatch("<path[^>]*>") do
    if path:find("fill:rgb(" .. rgb .. ")", 1, true) then
      local box = { inf, inf, -inf, -inf }
      for x, y in path:match(' d="(.-)"'):gmatch("(%-?[%d.]+) (%-?[%d.]+)") do
        x, y = tonumber(x), tonumber(y)
        box = { math.min(box[1], x), math.min(box[2], y), math.max(box[3], x),
          math.max(box[4], y) }
      end
      list[#list + 1] = box
    end
  end
  return list
end

local red, green = "100%,0%,0%", "0%,100%,0%"

-- --- histogram ---------------------------------------------------------------------------

TestHist = {}

function TestHist.test_counts_and_given_edges()
  local fig = plot.figure {}
  fig:at():hist({ 1, 1.5, 2, 3, 4, nan, inf, 9 }, { bins = { 1, 2, 3, 4 } })
  local s = panel_of(fig).series[1]
  lu.assertEquals(s.edges, { 1, 2, 3, 4 })
  lu.assertEquals(s.heights, { 2, 1, 2 }) -- 4 belongs to the last bin, 9 to none
end

function TestHist.test_the_number_of_bins_follows_freedman_and_diaconis()
  local values = {}
  for i = 1, 1000 do values[i] = i / 1000 + 0.0001 end
  local fig = plot.figure {}
  fig:at():hist(values)
  local s = panel_of(fig).series[1]
  -- IQR 0.4995, width 2 * 0.4995 / 10, span 0.999
  lu.assertEquals(#s.heights, math.ceil(0.999 / (2 * 0.4995 / 10)))
  local total = 0
  for _, h in ipairs(s.heights) do total = total + h end
  lu.assertEquals(total, 1000)
end

function TestHist.test_density_has_area_one_and_series_share_bins()
  local fig = plot.figure {}
  fig:at():hist({ { 1, 2, 2.5, 3 }, { 2, 4.5, 5, 5.5, 6 } }, { density = true,
    labels = { "a", "b" } })
  local p = panel_of(fig)
  lu.assertEquals(p.series[1].edges, p.series[2].edges)
  lu.assertEquals(p.legend.labels, { "a", "b" })
  for _, s in ipairs(p.series) do
    local area = 0
    for i, h in ipairs(s.heights) do area = area + h * (s.edges[i + 1] - s.edges[i]) end
    lu.assertAlmostEquals(area, 1, 1e-12)
  end
end

function TestHist.test_whole_numbers_get_a_bin_each()
  local fig = plot.figure {}
  fig:at():hist(tensor({ { 3, 1 }, { 3, 5 } }, { dtype = "int32" }))
  local s = panel_of(fig).series[1]
  lu.assertEquals(s.edges, { 0.5, 1.5, 2.5, 3.5, 4.5, 5.5 })
  lu.assertEquals(s.heights, { 1, 0, 2, 0, 1 })
end

function TestHist.test_bins_on_a_log_axis_are_equal_on_the_page()
  local fig = plot.figure {}
  fig:at():hist({ 1, 10, 100, 1000, 0, -5 }, { bins = 3 }):set { xscale = "log" }
  local p = panel_of(fig)
  support.near(p.series[1].edges, { 1, 10, 100, 1000 }, 1e-9)
  lu.assertEquals(p.series[1].heights, { 1, 1, 2 })
  lu.assertEquals(p.notes, { "2 values ≤ 0 not shown" })
end

function TestHist.test_outliers_do_not_make_a_million_bins()
  local values = {}
  for i = 1, 1000 do values[i] = i end
  values[1001] = 1e30
  local fig = plot.figure {}
  fig:at():hist(values)
  lu.assertTrue(#panel_of(fig).series[1].heights <= 200)
end

-- --- heat map ----------------------------------------------------------------------------

TestHeatmap = {}

-- r, g, b of a pixel of a figure's PNG page.
local function pixel_reader(fig)
  local layout, draw = require "unroll.plot.layout", require "unroll.plot.draw"
  local plan = layout.plan(fig)
  local width, height = fig.width * 150 // 1, fig.height * 150 // 1
  local pixels = draw.pixels(fig, plan, width, height)
  return function(x, y) -- points
    local at = 3 * ((y * 150 / 72 // 1) * width + x * 150 / 72 // 1)
    return ("#%02x%02x%02x"):format(pixels:byte(math.tointeger(at) + 1, math.tointeger(at) + 3))
  end, plan.panels[1]
end

-- The page point in the middle of cell (row, col) of rows x cols cells.
local function cell_point(box, row, col, rows, cols)
  return box.left + (col - 0.5) / cols * (box.right - box.left),
    box.top + (row - 0.5) / rows * (box.bottom - box.top)
end

function TestHeatmap.test_cells_have_the_colours_of_their_values()
  local colormap = require "unroll.plot.colormap"
  local fig = plot.figure {}
  fig:at():heatmap({ { 0, 1, 2 }, { 3, 4, nan } })
  local pixel, p = pixel_reader(fig)
  for row = 1, 2 do
    for col = 1, 3 do
      local expected = colormap.at("viridis", ((row - 1) * 3 + col - 1) / 4)
      if row * col == 6 then expected = "#d9d9d9" end
      lu.assertEquals(pixel(cell_point(p.box, row, col, 2, 3)), expected)
    end
  end
  fig = plot.figure {}
  fig:at():heatmap(tensor { { 0, 1, 2 }, { 3, 4, 5 } }, { origin = "lower" })
    :set { xinvert = true }
  pixel, p = pixel_reader(fig)
  lu.assertEquals(pixel(cell_point(p.box, 2, 3, 2, 3)), colormap.at("viridis", 0))
  lu.assertEquals(pixel(cell_point(p.box, 1, 1, 2, 3)), colormap.at("viridis", 1))
end

function TestHeatmap.test_cells_that_are_no_numbers_are_grey()
  local fig = plot.figure {}
  fig:at():heatmap({ { 0 / 0, 1 / 0 }, { -1 / 0, 1 } })
  local read, p = pixel_reader(fig)
  for _, cell in ipairs { { 1, 1 }, { 1, 2 }, { 2, 1 } } do
    lu.assertEquals(read(cell_point(p.box, cell[1], cell[2], 2, 2)), "#d9d9d9")
  end
end

function TestHeatmap.test_small_cells_are_averaged()
  local rows = {}
  for i = 1, 3000 do rows[i] = { i % 2, i % 2 } end
  local fig = plot.figure {}
  fig:at():heatmap(rows, { map = "greys" })
  local pixel, p = pixel_reader(fig)
  local middle = (p.box.top + p.box.bottom) / 2
  local grey = tonumber(pixel((p.box.left + p.box.right) / 2, middle):sub(2, 3), 16)
  local half = tonumber(require("unroll.plot.colormap").at("greys", 0.5):sub(2, 3), 16)
  lu.assertTrue(math.abs(grey - half) < 25, grey)
end

function TestHeatmap.test_norms()
  local function series(matrix, opts)
    local fig = plot.figure {}
    fig:at():heatmap(matrix, opts)
    local p = panel_of(fig)
    return p.series[1], p
  end
  local s = series({ { -1, 5 } }, { norm = "centred" })
  lu.assertEquals({ s.low, s.high, s.map }, { -5, 5, "RdBu_r" })
  s = series({ { 1, 5 } }, { center = 2 })
  lu.assertEquals({ s.low, s.high }, { -1, 5 })
  local p
  s, p = series({ { 0, 10, 1000 } }, { norm = "log" })
  lu.assertEquals({ s.low, s.high }, { 10, 1000 })
  lu.assertEquals(p.notes, { "1 value ≤ 0 not shown" })
  s = series({ { 3, 3 } }, { limits = { 0 } })
  lu.assertEquals({ s.low, s.high }, { 0, 3.15 })
end

function TestHeatmap.test_names_and_values_in_cells()
  local fig = plot.figure {}
  fig:at():heatmap({ { 0.5, -1 }, { 0.25, 1 } }, { values = true, rows = { "p", "q" },
    cols = { "a", "b" }, norm = "centred", label = "weight" })
  local texts = {}
  for _, item in ipairs(fig:describe().texts) do texts[item.text] = item end
  for _, word in ipairs { "0.50", "−1.00", "0.25", "1.00", "p", "q", "a", "b", "weight" } do
    lu.assertNotNil(texts[word], word)
  end
  lu.assertTrue(texts.p.box.top < texts.q.box.top) -- row 1 at the top
  lu.assertEquals(texts["−1.00"].color, "#ffffff") -- dark blue below
  lu.assertEquals(texts["0.25"].color, "#262626")
end

function TestHeatmap.test_a_large_matrix_makes_a_small_file()
  local fig = plot.figure {}
  fig:at():heatmap(tensor.rand(1000, 1000))
  for format, most in pairs { pdf = 1e6, png = 1e6, svg = 1.5e6 } do
    local size = #fig:render(format)
    lu.assertTrue(size < most, format .. " " .. size)
  end
end

-- --- boxes, stacks, level bars -----------------------------------------------------------

TestBars = {}

function TestBars.test_quartiles_whiskers_and_outliers()
  local fig = plot.figure {}
  fig:at():box({ "s" }, { { 1, 2, 3, 4, 5, 6, 7, 8, 30, nan } })
  local s = panel_of(fig).series[1]
  lu.assertEquals({ s.q1, s.median, s.q3 }, { 3, 5, 7 })
  lu.assertEquals({ s.low, s.high, s.outliers }, { 1, 8, 1 })
end

-- The density of two values far apart has two equal peaks; that of a normal sample is the
-- normal density, and on a log axis so is that of its exponentials.
function TestBars.test_violins()
  local violin, scale = require "unroll.plot.marks.violin", require "unroll.plot.scale"
  local samples = require "unroll.plot.samples"
  local function density(values, of)
    return violin.density(samples.summary(unroll.tensor(values, { dtype = "float64" })), of)
  end
  local two = density({ 0, 0.1, -0.1, 9.9, 10, 10.1 }, scale.linear)
  lu.assertEquals({ two[1][1], two[#two][1] }, { -0.1, 10.1 })
  support.near({ two[2][2], two[#two - 1][2] }, { two[#two - 1][2], two[2][2] }, 1e-9)
  lu.assertTrue(two[#two // 2 + 1][2] < 0.9 * two[2][2])
  unroll.tensor.manual_seed(1)
  local normal = unroll.tensor.randn(20000, { dtype = "float64" })
  for _, case in ipairs { { normal, scale.linear, 1 },
                          { normal:exp(), scale.log, math.log(10) } } do
    for _, point in ipairs(density(case[1]:totable(), case[2])) do
      local z = case[2].forward(point[1]) * case[3]
      support.near(point[2], math.exp(-z * z / 2), 0.07)
    end
  end
  lu.assertNil(density({ 3, 3, 3 }, scale.linear))
  lu.assertNil(density({ -1, 0 }, scale.log))
end

function TestBars.test_the_empirical_distribution()
  local fig = plot.figure {}
  local mark = fig:at():ecdf({ 3, 1, nan, 2, 1 }).panel.marks[1]
  lu.assertEquals(mark.x, { 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0 })
  lu.assertEquals(mark.y, { 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0 })
  lu.assertEquals(panel_of(fig).series[1].median, 1.5)
  local p = panel_of(fig)
  lu.assertEquals({ p.y.low, p.y.high }, { 0, 1 })
  local many = fig:at():ecdf(unroll.tensor.arange(1, 100000)).panel.marks[2]
  lu.assertEquals({ many.x[1], many.x[#many.x], many.y[#many.y] }, { 1.0, 1e5, 1.0 })
  for i = 1, #many.x, 2 do
    lu.assertTrue(math.abs(many.y[i + 1] - many.x[i] / 1e5) < 1 / 3999, i)
  end
end

function TestBars.test_stems_stand_on_their_base()
  local fig = plot.figure {}
  fig:at():stem({ 10, 20 }, { 3, 5 }, { base = 4 })
  lu.assertTrue(panel_of(fig).y.low < 3)
  fig = plot.figure {}
  fig:at():stem({ 1, 3, 2 })
  lu.assertEquals(panel_of(fig).y.low, 0)
  support.raises("stem: unknown option 'bas'", fig:at().stem, fig:at(), { 1 }, { bas = 1 })
end

-- Few values are sorted by comparing, many by their digits; both as Lua does it.
function TestBars.test_sorting()
  local canvas = require("unroll.core").canvas
  for _, n in ipairs { 0, 1, 2, 2048, 2049, 20000 } do
    for _, dtype in ipairs { "float32", "float64" } do
      local values = tensor.randn(n, { dtype = dtype }):mul(1e3):totable()
      for i, v in ipairs { 0.0, -0.0, 5e-324, -1e300, 1e300, 7.0, 7.0 } do
        if i < n and dtype == "float64" then values[i] = v end
      end
      local expected = table.move(values, 1, #values, 1, {})
      table.sort(expected)
      if n > 2 then values[n + 1], values[n + 2] = 0 / 0, -1 / 0 end
      lu.assertEquals(canvas.sorted(tensor(values, { dtype = dtype })):totable(), expected)
    end
  end
end

function TestBars.test_a_stack_goes_both_ways_from_zero()
  local fig = plot.figure {}
  fig:at():bar({ "x" }, { { 2 }, { -1 }, { 3 } }, { mode = "stack",
    colors = { "#ff0000", "#0000ff", "#00ff00" } })
  local p = panel_of(fig)
  lu.assertTrue(p.y.low <= -1 and p.y.high >= 5)
  local svg = fig:render("svg")
  local first, third = rectangles(svg, red)[1], rectangles(svg, green)[1]
  lu.assertAlmostEquals(first[2], third[4], 0.01) -- the third stands on the first
  lu.assertAlmostEquals((third[4] - third[2]) / (first[4] - first[2]), 1.5, 0.01)
end

function TestBars.test_level_bars_begin_at_the_top()
  local fig = plot.figure {}
  fig:at():bar({ "one", "two" }, { 1, 2 }, { horizontal = true, values = true,
    colors = { "#ff0000", "#00ff00" } })
  local svg, p = fig:render("svg"), panel_of(fig)
  local one, two = rectangles(svg, red)[1], rectangles(svg, green)[1]
  lu.assertTrue(one[4] < two[2])
  lu.assertAlmostEquals((two[3] - two[1]) / (one[3] - one[1]), 2, 0.01)
  lu.assertEquals(p.x.low, 0)
  lu.assertEquals(p.y.labels, { "one", "two" })
end

-- --- scales and axes ---------------------------------------------------------------------

-- A bar that does not exist is not a value that could not be shown; NaN is.
function TestBars.test_false_is_no_bar_and_no_missing_value()
  local function notes(values)
    local fig = plot.figure {}
    fig:at(1, 1):bar({ "a", "b" }, { { 1, 2 }, values })
    return fig:describe().panels[1].notes
  end
  lu.assertEquals(notes { 3, false }, {})
  lu.assertEquals(notes { false, 3 }, {})
  lu.assertEquals(#notes { 3, 0 / 0 }, 1)
end

TestAxes = {}

function TestAxes.test_symlog()
  local scale = require "unroll.plot.scale"
  local s = scale.symlog(2)
  for _, case in ipairs { { 0, 0 }, { 1, 0.5 }, { -2, -1 }, { 20, 2 }, { -2000, -4 } } do
    lu.assertAlmostEquals(s.forward(case[1]), case[2], 1e-12)
    lu.assertAlmostEquals(s.inverse(case[2]), case[1], 1e-9)
  end
  local fig = plot.figure {}
  fig:at():line({ -1000, 0, 1000 }):set { yscale = "symlog", ythreshold = 1 }
  local y = panel_of(fig).y
  lu.assertEquals(y.scale, "symlog")
  for i, v in ipairs(y.ticks) do lu.assertAlmostEquals(v, -y.ticks[#y.ticks + 1 - i], 1e-9) end
  -- Lua and C agree on where values lie
  local points = core.canvas.outline({ left = 0, right = 10, top = 0, bottom = 8,
    xlow = 1, xhigh = 2, ylow = -2000, yhigh = 2000, yscale = "symlog", ythreshold = 2 }, nil,
    { 20, -2 }, 0.1)
  lu.assertAlmostEquals(points[2], 4 - 2, 1e-9)
  lu.assertAlmostEquals(points[4], 4 + 1, 1e-9)
end

function TestAxes.test_log2()
  local fig = plot.figure {}
  fig:at():line({ 1, 2, 3 }, { 1.2, 16, 50 }):set { yscale = "log2" }
  local y = panel_of(fig).y
  lu.assertEquals({ y.scale, y.low, y.high }, { "log2", 1, 64 })
  for _, v in ipairs(y.ticks) do lu.assertEquals(math.log(v, 2) % 1, 0) end
end

function TestAxes.test_an_inverted_axis()
  local fig = plot.figure {}
  fig:at():bar({ 1, 2 }, { color = "#ff0000" }):set { yinvert = true }
  local svg, p = fig:render("svg"), panel_of(fig)
  lu.assertTrue(p.y.invert)
  for _, box in ipairs(rectangles(svg, red)) do
    lu.assertAlmostEquals(box[2], p.box.top, 0.01) -- they hang from the top
  end
end

function TestAxes.test_equal_aspect()
  local fig = plot.figure { width = 7 }
  fig:at():line({ 0, 4 }, { 0, 2 }):set { aspect = "equal", xlim = { 0, 4 }, ylim = { 0, 2 } }
  local b = panel_of(fig).box
  lu.assertAlmostEquals((b.right - b.left) / (b.bottom - b.top), 2, 1e-6)
end

function TestAxes.test_a_twin_has_its_own_y_and_the_same_x()
  local fig = plot.figure {}
  local ax = fig:at():line({ 1, 2, 3 }, { label = "a" })
  local twin = ax:twin():line({ 0, 5 }, { 1000, 3000 }, { label = "b" })
  lu.assertIs(ax:twin(), twin)
  local p = panel_of(fig)
  lu.assertTrue(p.y.high < 4 and p.twin.low > 500 and p.twin.high > 3000)
  lu.assertTrue(p.x.high >= 5)
  lu.assertEquals(p.legend.labels, { "a", "b" })
  lu.assertNotEquals(p.series[1].color, p.series[2].color)
  raises("belongs to the panel", twin.set, twin, { xlabel = "x" })
  raises("a twin already", twin.twin, twin)
end

function TestAxes.test_shared_axes()
  local fig = plot.figure { rows = 2, cols = 2, share = "both" }
  for i = 1, 4 do
    fig:at((i - 1) // 2 + 1, (i - 1) % 2 + 1):line({ 0, i * 10 }, { 0, i })
      :set { xlabel = "step", ylabel = "loss" }
  end
  local d = fig:describe()
  local first = d.panels[1]
  for _, p in ipairs(d.panels) do
    lu.assertEquals({ p.x.low, p.x.high, p.y.low, p.y.high },
      { first.x.low, first.x.high, first.y.low, first.y.high })
    lu.assertEquals(p.x.label, p.row == 2 and "step" or nil)
    lu.assertEquals(p.y.label, p.col == 1 and "loss" or nil)
    lu.assertEquals(table.concat(p.x.labels) == "", p.row == 1)
    lu.assertEquals(table.concat(p.y.labels) == "", p.col == 2)
  end
  lu.assertTrue(first.x.high >= 40 and first.y.high >= 4)
end

function TestAxes.test_one_legend_for_equal_legends()
  local function figure()
    local fig = plot.figure { cols = 2 }
    for col = 1, 2 do
      fig:at(1, col):line({ 1, 2 }, { label = "train" }):line({ 2, 1 }, { label = "test" })
    end
    return fig
  end
  local d = figure():describe()
  lu.assertEquals(d.legend.labels, { "train", "test" })
  lu.assertNil(d.panels[1].legend)
  d = figure():legend(false):describe()
  lu.assertNil(d.legend)
  lu.assertEquals(d.panels[2].legend.labels, { "train", "test" })
  local fig = figure()
  fig:at(1, 2):line({ 1, 1 }, { label = "extra" })
  lu.assertNil(fig:describe().legend)
  lu.assertEquals(fig:legend("right"):describe().legend.labels, { "train", "test", "extra" })
end

function TestAxes.test_a_diagonal_does_not_stretch_the_axes()
  local fig = plot.figure {}
  fig:at():scatter({ 1, 2, 3 }, { 1, 2, 3 })
  local before = panel_of(fig)
  fig:at():diagonal(50, -3, { label = "y = 50 x − 3" })
  local after = panel_of(fig)
  lu.assertEquals({ after.y.low, after.y.high }, { before.y.low, before.y.high })
end

-- --- pages -------------------------------------------------------------------------------

TestPages = {}

function TestPages.test_palettes()
  local fig = plot.figure { palette = "petroff10" }
  fig:at():line({ 1, 2 })
  lu.assertEquals(panel_of(fig).series[1].color, "#3f90da")
  fig = plot.figure { palette = { "green", "#123456" } }
  fig:at():line({ 1, 2 }):line({ 2, 1 })
  lu.assertEquals(panel_of(fig).series[2].color, "#123456")
end

function TestPages.test_a_transparent_page()
  local function color_type(fig) return fig:render("png"):byte(26) end
  lu.assertEquals(color_type(plot.figure { transparent = true }), 6) -- with alpha
  lu.assertEquals(color_type(plot.figure {}), 2)
end

function TestPages.test_description_in_every_format()
  local fig = plot.figure { title = "Runs" }
  fig:at():line({ 1, 2 }, { label = "first" }):set { title = "Loss", xlabel = "step" }
  local words = "Loss: line (first); step 0.96 to 2.04"
  lu.assertStrContains(fig:render("svg"), "<desc>Figure of 1 x 1 panels. " .. words)
  lu.assertStrContains(fig:render("svg"), 'role="img"')
  local png = fig:render("png")
  lu.assertStrContains(png, "tEXtTitle\0Runs")
  lu.assertStrContains(png, words)
  fig = plot.figure { alt = "Größe" }
  lu.assertStrContains(fig:render("png"), "iTXtDescription\0\0\0\0\0Größe")
end

-- --- wrong calls -------------------------------------------------------------------------

local wrong_calls = {
  { "hist: values are missing", function(ax) ax:hist() end },
  { "hist: the edges in bins must rise", function(ax) ax:hist({ 1 }, { bins = { 2, 1 } }) end },
  { "hist: bins needs at least two", function(ax) ax:hist({ 1 }, { bins = { 2 } }) end },
  { "hist: bins must be a whole number", function(ax) ax:hist({ 1 }, { bins = 0 }) end },
  { "hist: range must be {low, high}", function(ax) ax:hist({ 1 }, { range = { 2, 2 } }) end },
  { "hist: 1 labels for 2", function(ax) ax:hist({ { 1 }, { 2 } }, { labels = { "a" } }) end },
  { "must be a tensor with two dimensions", function(ax) ax:heatmap(tensor.zeros(3)) end },
  { "rows of the same length (row 2)", function(ax) ax:heatmap({ { 1, 2 }, { 3 } }) end },
  { "unknown colour map 'virids' (did you mean 'viridis'",
    function(ax) ax:heatmap({ { 1 } }, { map = "virids" }) end },
  { "3 names for 1 rows", function(ax) ax:heatmap({ { 1 } }, { rows = { 1, 2, 3 } }) end },
  { "limits = {2, 1} must rise", function(ax) ax:heatmap({ { 1 } }, { limits = { 2, 1 } }) end },
  { "box: 1 samples for 2", function(ax) ax:box({ "a", "b" }, { { 1 } }) end },
  { "bar: errors do not go with a stack",
    function(ax) ax:bar({ 1 }, { mode = "stack", errors = { 1 } }) end },
  { "stand on its other axis", function(ax) ax:bar({ 1 }):bar({ 1 }, { horizontal = true }) end },
  { "aspect must be", function(ax) ax:set { aspect = "square" } end },
  { "unknown palette 'petrof10' (did you mean 'petroff10'",
    function() plot.figure { palette = "petrof10" } end },
  { "option 'share' must be one of", function() plot.figure { share = "z" } end },
  { "option 'place' must be one of", function() plot.figure {}:legend("left") end },
  { "diagonal: the position", function(ax) ax:diagonal("1") end },
}

function TestPages.test_wrong_calls()
  for _, case in ipairs(wrong_calls) do raises(case[1], case[2], plot.figure {}:at()) end
end
