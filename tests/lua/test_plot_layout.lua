-- test_plot_layout.lua -- nothing overlaps, nothing leaves the page, whatever is drawn.

local lu = require "luaunit"
local plot = require "unroll.plot"

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

-- --- random figures ----------------------------------------------------------------------

-- A generator of its own, so that a failing seed can be repeated.
local function random_source(seed)
  local state = seed * 2654435761 % 4294967296
  return function(low, high)
    state = (state * 1664525 + 1013904223) % 4294967296
    local unit = state / 4294967296
    if not low then return unit end
    return low + math.floor(unit * (high - low + 1))
  end
end

local words = { "loss", "of", "the", "gradient", "norm", "i", "vanishing", "hidden-to-hidden",
  "Σ", "‖∇‖_{2}", "x^{2}", "<b>", "a&b", "perplexity", "Größe", "超参数", "of a very long run" }

local function some_words(random, most)
  local list = {}
  for i = 1, random(1, most) do list[i] = words[random(1, #words)] end
  return table.concat(list, " ")
end

local function maybe(random, part, value)
  if random() < part then return value() end
end

local function numbers(random, n, positive)
  local scale, shift = 10.0 ^ random(-9, 9), random() < 0.3 and random(-1000, 1000) or 0
  local list = {}
  for i = 1, n do
    local v = (random() - (positive and 0 or 0.5)) * scale + shift
    if random() < 0.02 then v = 0 / 0 end
    list[i] = v
  end
  return list
end

local function add_lines(ax, random)
  local labelled = random() < 0.6
  for i = 1, random(1, 9) do
    ax:line(numbers(random, random(0, 80)), { label = labelled and some_words(random, 3) or nil,
      dash = i % 3 == 0 and "dashed" or nil })
  end
end

local function add_bars(ax, random)
  local categories, series = {}, {}
  for i = 1, random(1, 30) do
    categories[i] = random() < 0.5 and string.char(random(9, 126)) or some_words(random, 3)
  end
  for i = 1, random(1, 3) do series[i] = numbers(random, #categories) end
  local labels = maybe(random, 0.6, function()
    local list = {}
    for i = 1, #series do list[i] = some_words(random, 2) end
    return list
  end)
  ax:bar(categories, series, { labels = labels, values = random() < 0.5 })
end

local function add_reference(ax, random)
  for _ = 1, random(0, 2) do
    ax:hline((random() - 0.5) * 2, { label = some_words(random, 4) })
  end
  if random() < 0.4 then ax:vline(random(1, 20), { label = some_words(random, 2) }) end
  if random() < 0.4 then ax:span(0.1, 0.4, { label = some_words(random, 3) }) end
  for _ = 1, random(0, 2) do
    ax:note(some_words(random, 4), random(1, 20), random() - 0.5)
  end
end

local places = { "best", "upper left", "center", "outside", "below", "lower right" }

local function fill_panel(ax, random)
  local kind = random(1, 4)
  if kind == 1 then
    add_bars(ax, random)
  elseif kind == 2 then
    ax:smooth(numbers(random, 60, true), { label = some_words(random, 3) })
    ax:errorbar(nil, numbers(random, 12, true), { yerr = 0.1, label = some_words(random, 3) })
  else
    add_lines(ax, random)
  end
  if kind > 2 then add_reference(ax, random) end
  if random() < 0.3 then ax:legend { place = places[random(1, #places)] } end
  ax:set {
    title = maybe(random, 0.8, function() return some_words(random, 8) end),
    xlabel = maybe(random, 0.7, function() return some_words(random, 8) end),
    ylabel = maybe(random, 0.7, function() return some_words(random, 8) end),
    yscale = random() < 0.4 and "log" or "linear",
    yformat = maybe(random, 0.15, function() return "percent" end),
  }
end

local function random_figure(seed)
  local random = random_source(seed)
  local rows, cols = random(1, 3), random(1, 3)
  local fig = plot.figure { rows = rows, cols = cols, letters = random() < 0.5,
    width = 2 + random() * 8, height = 1.5 + random() * 6,
    title = maybe(random, 0.6, function() return some_words(random, 14) end),
    caption = maybe(random, 0.4, function() return some_words(random, 14) end),
    footer = maybe(random, 0.4, function() return some_words(random, 8) end) }
  for row = 1, rows do
    for col = 1, cols do
      if random() < 0.9 then fill_panel(fig:at(row, col), random) end
    end
  end
  return fig
end

-- --- tests -------------------------------------------------------------------------------

TestPlotLayout = {}

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

function TestPlotLayout.test_layout_changes_nothing()
  local fig = random_figure(4)
  local before = fig:describe()
  fig:render("png", { dpi = 40 })
  lu.assertEquals(fig:describe(), before)
end
