-- test_plot_layout.lua -- nothing overlaps, nothing leaves the page, whatever is drawn.

local lu = require "luaunit"
local plot = require "unroll.plot"
local random_figure = require "random_figures"

-- --- checks ------------------------------------------------------------------------------

local slack = 0.01 -- points

local function overlap(a, b)
  return a.left < b.right - slack and b.left < a.right - slack
    and a.top < b.bottom - slack and b.top < a.bottom - slack
end

local function box_text(b)
  return ("[%.1f %.1f %.1f %.1f]"):format(b.left, b.top, b.right, b.bottom)
end

local function check_texts(d, what)
  for i, item in ipairs(d.texts) do
    local b = item.box
    lu.assertTrue(b.left >= -slack and b.top >= -slack and b.right <= d.width + slack
      and b.bottom <= d.height + slack,
      ("%s: %s '%s' %s leaves the page of %g x %g"):format(what, item.role, item.text,
        box_text(b), d.width, d.height))
    for j = 1, i - 1 do
      local other = d.texts[j]
      lu.assertFalse(overlap(b, other.box), ("%s: %s '%s' %s covers %s '%s' %s"):format(what,
        item.role, item.text, box_text(b), other.role, other.text, box_text(other.box)))
    end
  end
end

local function check_panels(d, what)
  for _, p in ipairs(d.panels) do
    lu.assertTrue(p.box.right > p.box.left and p.box.bottom > p.box.top, what)
    for i = 2, #p.x.ticks do lu.assertTrue(p.x.ticks[i] > p.x.ticks[i - 1], what) end
    for i = 2, #p.y.ticks do lu.assertTrue(p.y.ticks[i] > p.y.ticks[i - 1], what) end
    for _, other in ipairs(d.panels) do
      if other ~= p then
        lu.assertFalse(overlap(p.box, other.box), what .. ": panels overlap")
      end
    end
    if p.legend then
      for _, text in ipairs(d.texts) do
        if text.role ~= "legend" then
          lu.assertFalse(overlap(p.legend.box, text.box),
            ("%s: the legend covers %s '%s'"):format(what, text.role, text.text))
        end
      end
    end
  end
end

local function check(fig, what)
  local d = fig:describe()
  check_texts(d, what)
  check_panels(d, what)
  return d
end

-- --- tests -------------------------------------------------------------------------------

TestPlotLayout = {}

-- In two rows, with raised letters in some names: these are higher than the others.
function TestPlotLayout.test_rows_of_names_of_different_heights()
  local names, values = {}, {}
  for i = 1, 36 do names[i], values[i] = i % 3 == 0 and "h_{t}^{2}" or "ab", i end
  local fig = plot.figure { width = 5 }
  fig:at():bar(names, values)
  local texts = fig:describe().texts
  for i, a in ipairs(texts) do
    for j = 1, i - 1 do
      local b = texts[j]
      lu.assertFalse(a.box.left < b.box.right - 0.01 and b.box.left < a.box.right - 0.01
        and a.box.top < b.box.bottom - 0.01 and b.box.top < a.box.bottom - 0.01,
        a.text .. " over " .. b.text)
    end
  end
end

function TestPlotLayout.test_random_figures()
  for seed = 1, 200 do check(random_figure(seed), "seed " .. seed) end
end

function TestPlotLayout.test_tiny_and_narrow_pages()
  for _, size in ipairs { { 1, 1 }, { 0.5, 3 }, { 6, 0.6 }, { 0.3, 0.3 } } do
    local fig = plot.figure { rows = 2, cols = 2, width = size[1], height = size[2],
      title = "A title that does not fit" }
    for row = 1, 2 do
      for col = 1, 2 do
        fig:at(row, col):line({ 1, 3, 2 }, { label = "one" }):line({ 3, 1, 2 }, { label = "two" })
          :set { title = "Panel", xlabel = "step", ylabel = "loss" }
      end
    end
    local d = check(fig, ("%g x %g in"):format(size[1], size[2]))
    lu.assertTrue(d.zoom < 1)
  end
end

function TestPlotLayout.test_panels_of_a_grid_are_aligned()
  local fig = plot.figure { rows = 2, cols = 2 }
  fig:at(1, 1):line({ 1e4, 2e4 }):set { ylabel = "long" }
  fig:at(1, 2):line({ 1, 2 }):set { title = "two\nlines" }
  fig:at(2, 1):line({ 1, 2 })
  fig:at(2, 2):line({ 1, 2 }):set { xlabel = "x" }
  local p = fig:describe().panels
  lu.assertAlmostEquals(p[1].box.left, p[3].box.left, 1e-9)
  lu.assertAlmostEquals(p[1].box.top, p[2].box.top, 1e-9)
  lu.assertAlmostEquals(p[3].box.bottom, p[4].box.bottom, 1e-9)
  lu.assertAlmostEquals(p[1].box.right - p[1].box.left, p[2].box.right - p[2].box.left, 1e-9)
end

function TestPlotLayout.test_spans_and_weights()
  local fig = plot.figure { rows = 2, cols = 3, widths = { 2, 1, 1 } }
  fig:at(1, 1, { colspan = 3 }):line({ 1, 2 })
  for col = 1, 3 do fig:at(2, col):line({ 1, 2 }) end
  local p = check(fig, "spans").panels
  lu.assertAlmostEquals(p[1].box.left, p[2].box.left, 1e-9)
  lu.assertAlmostEquals(p[1].box.right, p[4].box.right, 1e-9)
  local first, second = p[2].box, p[3].box
  lu.assertAlmostEquals((first.right - first.left) / (second.right - second.left), 2, 1e-9)
end

-- Does a line through these points (data = 1..n) enter the box?
local function covers_data(d, p, values)
  local function place(i, v)
    local x = p.box.left + (i - p.x.low) / (p.x.high - p.x.low) * (p.box.right - p.box.left)
    local y = p.box.bottom - (v - p.y.low) / (p.y.high - p.y.low) * (p.box.bottom - p.box.top)
    return x, y
  end
  for i, v in ipairs(values) do
    local x, y = place(i, v)
    local b = p.legend.box
    if x > b.left and x < b.right and y > b.top and y < b.bottom then return true end
  end
  return false
end

function TestPlotLayout.test_legend_best_covers_no_data()
  local rising, falling = {}, {}
  for i = 1, 400 do rising[i], falling[i] = i, i < 40 and 400 or 0 end
  local fig = plot.figure {}
  fig:at():line(rising, { label = "rising" }):line(falling, { label = "falling" })
  local d = check(fig, "best")
  lu.assertEquals(d.panels[1].legend.place, "inside")
  lu.assertFalse(covers_data(d, d.panels[1], rising))
  lu.assertFalse(covers_data(d, d.panels[1], falling))
end

function TestPlotLayout.test_axis_grows_for_a_flat_legend()
  local fig = plot.figure { width = 6 }
  fig:at():bar({ "p", "q", "r" }, { { 1, 1, 1 }, { 1, 1, 1 } }, { labels = { "a", "b" } })
  local p = check(fig, "bars").panels[1]
  lu.assertEquals(p.legend.place, "inside")
  lu.assertEquals(p.legend.columns, 2)
  lu.assertTrue(p.y.high > 1.1)
  fig:at():set { ylim = { 0, 1.05 } } -- a limit that is set stays
  p = check(fig, "bars").panels[1]
  lu.assertEquals(p.y.high, 1.05)
  lu.assertNotEquals(p.legend.place, "inside")
end

function TestPlotLayout.test_legend_goes_outside_when_there_is_no_room()
  local fig = plot.figure {}
  for i = 1, 12 do
    local values = {}
    for k = 1, 200 do values[k] = math.sin(k / 9 + i) + i / 3 end
    fig:at():line(values, { label = "series " .. i })
  end
  local p = check(fig, "twelve").panels[1]
  lu.assertEquals(p.legend.place, "right")
  lu.assertEquals(#p.legend.labels, 12)
  lu.assertTrue(p.legend.box.left >= p.box.right)
end

function TestPlotLayout.test_legend_only_for_two_or_more_series()
  local fig = plot.figure { cols = 3 }
  fig:at(1, 1):line({ 1, 2 }, { label = "alone" })
  fig:at(1, 2):line({ 1, 2 }, { label = "alone" }):legend("upper left")
  fig:at(1, 3):line({ 1, 2 }, { label = "a" }):line({ 2, 1 }, { label = "b" }):legend(false)
  local p = fig:describe().panels
  lu.assertNil(p[1].legend)
  lu.assertEquals(p[2].legend.labels, { "alone" })
  lu.assertNil(p[3].legend)
end

function TestPlotLayout.test_every_character_of_an_alphabet_is_labelled()
  local categories, values = {}, {}
  for i = 1, 67 do categories[i], values[i] = string.char(31 + i), 1 / i end
  for _, width in ipairs { 4.5, 8 } do
    local fig = plot.figure { width = width }
    fig:at():bar(categories, values)
    local shown = 0
    for _, label in ipairs(check(fig, "67 bars").panels[1].x.labels) do
      if label ~= "" then shown = shown + 1 end
    end
    lu.assertEquals(shown, 67)
  end
end

function TestPlotLayout.test_words_keep_off_points_between_gaps()
  local place = require "unroll.plot.place"
  local nan = 0 / 0
  local function hits(points)
    return place.hits({ lines = { points }, boxes = {}, texts = {} },
      { left = 0, top = 0, right = 10, bottom = 10 })
  end
  lu.assertEquals(hits { nan, nan, 5, 5, nan, nan }, 1)
  lu.assertEquals(hits { 5, 5 }, 1)
  lu.assertEquals(hits { -5, 5, 15, 5 }, 1) -- only the segment between them
  lu.assertEquals(hits { -5, 5, nan, nan, 15, 5 }, 0)
end

function TestPlotLayout.test_layout_changes_nothing()
  local fig = random_figure(4)
  local before = fig:describe()
  fig:render("png", { dpi = 40 })
  lu.assertEquals(fig:describe(), before)
end
