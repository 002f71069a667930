-- test_plot_ticks.lua -- limits, ticks and labels of axes.

local lu = require "luaunit"
local plot = require "unroll.plot"
local ticks = require "unroll.plot.ticks"

-- The y axis of a panel with these limits.
local function y_axis(low, high, settings)
  settings = settings or {}
  settings.ylim = { low, high }
  local fig = plot.figure {}
  fig:at():line({ low, high }):set(settings)
  return fig:describe().panels[1].y
end

-- The axis that data get.
local function axes_of(y, settings, x)
  local fig = plot.figure {}
  if x then fig:at():line(x, y) else fig:at():line(y) end
  return fig:at():set(settings or {}) and fig:describe().panels[1]
end

TestPlotTicks = {}

-- --- linear ------------------------------------------------------------------------------

local ranges = { { 0, 1 }, { 0, 1e-9 }, { 1e6, 1e6 + 1 }, { -3e-5, 7e5 }, { 0, 100 },
  { -1, 1 }, { 0.1, 0.35 }, { 0, 3 }, { 1234, 98765 }, { -7, -2 }, { 0, 1e30 },
  { 0, 99999 }, { 0, 100000 }, { 1e-3, 2e-3 }, { -1e-12, 1e-12 }, { 17, 18.5 },
  { 0, 0.0007 }, { 5e8, 6e8 }, { 0.999, 1.001 }, { -250, 1750 } }

function TestPlotTicks.test_linear_ranges()
  for _, r in ipairs(ranges) do
    local what = ("[%g, %g]"):format(r[1], r[2])
    local axis = y_axis(r[1], r[2])
    lu.assertTrue(#axis.ticks >= 3 and #axis.ticks <= 9, what .. " " .. #axis.ticks)
    local seen, step = {}, axis.ticks[2] - axis.ticks[1]
    for i, v in ipairs(axis.ticks) do
      lu.assertTrue(v >= r[1] - 1e-9 * step and v <= r[2] + 1e-9 * step, what)
      lu.assertAlmostEquals((v - axis.ticks[1]) / step, i - 1, 1e-6, what)
      local label = axis.labels[i]
      lu.assertNil(seen[label], what .. " writes " .. label .. " twice")
      seen[label] = true
      lu.assertNil(label:find("-", 1, true), what .. ": hyphen in " .. label)
      lu.assertNotEquals(label, "\u{2212}0", what)
    end
    local digits = ("%.3e"):format(step):match("^(%d%.?%d-)0*e")
    lu.assertNotNil(({ ["1."] = 1, ["2."] = 1, ["2.5"] = 1, ["5."] = 1 })[digits],
      what .. " has the step " .. step)
  end
end

local tables = {
  { { 0, 1 }, { "0.0", "0.2", "0.4", "0.6", "0.8", "1.0" }, "y" },
  { { 0, 3.5 }, { "0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5" },
    "y" },
  { { 0, 1e-9 }, { "0.0", "0.2", "0.4", "0.6", "0.8", "1.0" }, "y (×10⁻⁹)" },
  { { 0, 100000 }, { "0", "20", "40", "60", "80", "100" }, "y (×10³)" },
  { { 0, 50000 }, { "0", "10,000", "20,000", "30,000", "40,000", "50,000" }, "y" },
  { { -1, 1 }, { "−1", "0", "1" }, "y" },
}

function TestPlotTicks.test_labels_of_linear_axes()
  for _, case in ipairs(tables) do
    local axis = y_axis(case[1][1], case[1][2], { ylabel = "y" })
    lu.assertEquals(axis.labels, case[2])
    lu.assertEquals(axis.label, case[3])
  end
end

function TestPlotTicks.test_no_offset_for_a_narrow_range_far_from_zero()
  local axis = y_axis(1e6, 1e6 + 1)
  lu.assertNil(axis.label)
  lu.assertEquals(axis.labels[1], "1,000,000.0")
end

function TestPlotTicks.test_whole_numbers_for_integer_data()
  local p = axes_of({ 3, 5, 4, 6, 3, 5, 6, 7, 7, 6, 5 })
  for _, v in ipairs(p.x.ticks) do lu.assertEquals(v % 1, 0.0) end
  for _, v in ipairs(p.y.ticks) do lu.assertEquals(v % 1, 0.0) end
end

function TestPlotTicks.test_few_distinct_x_are_ticked_exactly()
  local x = { 5, 10, 15, 25, 50 }
  lu.assertEquals(axes_of({ 1, 2, 3, 2, 1 }, nil, x).x.ticks, x)
  lu.assertEquals(axes_of({ 1, 2, 3, 2, 1 }, nil, x).x.labels, { "5", "10", "15", "25", "50" })
end

function TestPlotTicks.test_step_rule()
  local values, step = ticks.linear(0, 10, 6)
  lu.assertEquals(step, 2.0)
  lu.assertEquals(values, { 0.0, 2.0, 4.0, 6.0, 8.0, 10.0 })
  values = ticks.linear(0, 3, 9, true)
  lu.assertEquals(values, { 0.0, 1.0, 2.0, 3.0 })
end

-- --- logarithmic -------------------------------------------------------------------------

local log_tables = {
  { { 0.55, 4.5 }, { 1, 2, 3 } },
  { { 0.01, 100 }, { 0.01, 0.1, 1, 10, 100 } },
  { { 1, 50 }, { 1, 2, 5, 10, 20, 50 } },
  { { 1e-8, 1 }, nil, 7 },
  { { 1e-300, 1e300 }, nil, 7 },
}

function TestPlotTicks.test_log_ranges()
  for _, case in ipairs(log_tables) do
    local axis = y_axis(case[1][1], case[1][2], { yscale = "log" })
    local what = ("[%g, %g]"):format(case[1][1], case[1][2])
    if case[2] then
      lu.assertEquals(#axis.ticks, #case[2], what)
      for i, v in ipairs(case[2]) do lu.assertAlmostEquals(axis.ticks[i] / v, 1, 1e-9, what) end
    else
      lu.assertTrue(#axis.ticks >= 3 and #axis.ticks <= case[3], what)
    end
  end
end

function TestPlotTicks.test_one_style_for_the_labels_of_a_log_axis()
  lu.assertEquals(y_axis(0.1, 100, { yscale = "log" }).labels, { "0.1", "1", "10", "100" })
  lu.assertEquals(y_axis(0.01, 10, { yscale = "log" }).labels,
    { "10^{−2}", "10^{−1}", "10^{0}", "10^{1}" })
end

function TestPlotTicks.test_minor_ticks_between_decades()
  lu.assertEquals(#y_axis(1, 100, { yscale = "log" }).minor, 16)
  lu.assertEquals(#y_axis(1e-20, 1, { yscale = "log" }).minor, 21) -- the decades themselves
  lu.assertEquals(#y_axis(1e-60, 1, { yscale = "log" }).minor, 0)
end

function TestPlotTicks.test_narrow_log_range_falls_back_to_the_linear_rule()
  local axis = y_axis(101, 109, { yscale = "log" })
  lu.assertTrue(#axis.ticks >= 3)
  lu.assertTrue(axis.ticks[1] >= 101 and axis.ticks[#axis.ticks] <= 109)
end

-- --- limits ------------------------------------------------------------------------------

function TestPlotTicks.test_margins()
  local x, y = {}, {}
  for i = 0, 20 do x[i + 1], y[i + 1] = 1000 + 50 * i, i - 10 end
  local p = axes_of(y, nil, x)
  lu.assertAlmostEquals(p.y.low, -11, 1e-9)
  lu.assertAlmostEquals(p.y.high, 11, 1e-9)
  lu.assertAlmostEquals(p.x.low, 980, 1e-9)
  lu.assertAlmostEquals(p.x.high, 2020, 1e-9)
end

function TestPlotTicks.test_few_points_keep_off_the_spine()
  local p = axes_of({ 1, 2, 3 }, nil, { 0, 1, 2 })
  lu.assertTrue(p.x.low < 0 and p.x.high > 2)
  lu.assertEquals(p.x.ticks, { 0, 1, 2 })
end

function TestPlotTicks.test_axis_of_positive_data_does_not_go_below_zero()
  lu.assertEquals(axes_of({ 0.01, 5, 3 }).y.low, 0.0)
  lu.assertEquals(axes_of({ -0.01, -5, -3 }).y.high, 0.0)
end

function TestPlotTicks.test_constant_data()
  local p = axes_of({ 100, 100, 100 })
  lu.assertEquals({ p.y.low, p.y.high }, { 95.0, 105.0 })
  p = axes_of({ 0, 0 })
  lu.assertEquals({ p.y.low, p.y.high }, { -1, 1 })
end

function TestPlotTicks.test_limits_that_are_half_given()
  local p = axes_of({ 1, 2, 3 }, { ylim = { 0 }, xlim = { nil, 10 } })
  lu.assertEquals(p.y.low, 0)
  lu.assertTrue(p.y.high > 3)
  lu.assertEquals(p.x.high, 10)
end

function TestPlotTicks.test_log_limits_reach_decades_when_they_are_near()
  local p = axes_of({ 0.015, 0.5, 70 }, { yscale = "log" })
  lu.assertAlmostEquals(p.y.low, 0.01, 1e-12)
  lu.assertAlmostEquals(p.y.high, 100, 1e-9)
  p = axes_of({ 3, 20 }, { yscale = "log" })
  lu.assertTrue(p.y.low > 2 and p.y.low < 3 and p.y.high > 20 and p.y.high < 30)
end

function TestPlotTicks.test_a_narrow_axis_has_more_than_one_label()
  local fig = plot.figure { cols = 6, width = 6.5, height = 1.5 }
  fig:at():line({ -3.1, 0, 2.9 }, { 1, 2, 1 }):line({ -2, 0.5 }, { 1, 2 }):line({ -1, 1.5, 2, 2.5 },
    { 1, 2, 1, 1 })
  for i = 2, 6 do fig:at(1, i):line { 1, 2 } end
  lu.assertTrue(#fig:describe().panels[1].x.labels >= 3)
end

-- Not 0 and 1e300 from the linear rule: 0 has no place on this axis.
function TestPlotTicks.test_a_log_axis_over_six_hundred_decades()
  for _, height in ipairs { 1, 2, 6 } do
    local fig = plot.figure { height = height }
    fig:at():line { 1e-300, 1, 1e300 }:set { yscale = "log" }
    local at = fig:describe().panels[1].y.ticks
    lu.assertTrue(#at >= 2 and at[1] > 0)
    for i = 2, #at do
      lu.assertAlmostEquals(math.log(at[i], 10) % 1, 0, 1e-6)
    end
  end
end

function TestPlotTicks.test_data_at_whole_decades_do_not_lie_on_the_axis()
  local p = axes_of({ 1, 10, 100 }, { yscale = "log" })
  lu.assertTrue(p.y.low > 0.5 and p.y.low < 1 and p.y.high > 100 and p.y.high < 200)
  lu.assertEquals(p.y.labels, { "1", "10", "100" })
end

-- --- formats -----------------------------------------------------------------------------

function TestPlotTicks.test_formats()
  local nb = "\u{202F}%"
  lu.assertEquals(y_axis(0, 0.2, { yformat = "percent" }).labels,
    { "0" .. nb, "5" .. nb, "10" .. nb, "15" .. nb, "20" .. nb })
  lu.assertEquals(y_axis(0, 2e6, { yformat = "si" }).labels,
    { "0", "500k", "1M", "1.5M", "2M" })
  lu.assertEquals(y_axis(0, 1, { yformat = "%.2f" }).labels[2], "0.20")
  lu.assertEquals(y_axis(0, 1, { yformat = function(v) return "<" .. v .. ">" end }).labels[1],
    "<0.0>")
end

function TestPlotTicks.test_exponents_are_raised()
  lu.assertEquals(y_axis(1e-5, 3e-5, { yformat = "%.2g" }).labels[3], "2×10^{−5}")
end

function TestPlotTicks.test_ticks_given_by_the_user()
  local axis = y_axis(0, 10, { yticks = { 1, { 4, "four" }, 40 } })
  lu.assertEquals(axis.ticks, { 1, 4 })
  lu.assertEquals(axis.labels, { "1", "four" })
end

function TestPlotTicks.test_categories_show_invisible_characters()
  local fig = plot.figure {}
  fig:at():bar({ " ", "\n", "\t", "<", "&", "\1", "two words" }, { 1, 2, 3, 4, 5, 6, 7 })
  local axis = fig:describe().panels[1].x
  lu.assertEquals(axis.labels, { "␣", "⏎", "⇥", "<", "&", "\\x01", "two words" })
end

function TestPlotTicks.test_data_on_a_log_axis_are_labelled_in_one_style()
  local y = { 1, 2, 3, 4 }
  lu.assertEquals(axes_of(y, { xscale = "log" }, { 1e-4, 1e-3, 1e-2, 1e-1 }).x.labels,
    { "10^{−4}", "10^{−3}", "10^{−2}", "10^{−1}" })
  lu.assertEquals(axes_of(y, { xscale = "log" }, { 1e-3, 1e-2, 1e-1, 1 }).x.labels,
    { "0.001", "0.01", "0.1", "1" })
end

-- Names that the limits leave out took part in the layout: this page became 1000 times as large.
function TestPlotTicks.test_categories_beyond_the_limits_have_no_tick()
  local names, values = { "a", "b", "c", "d", "e" }, { 1, 2, 3, 4, 5 }
  local fig = plot.figure { cols = 3 }
  fig:at(1, 1):bar(names, values):set { xlim = { 1.5, 4.5 } }
  fig:at(1, 2):bar(names, values, { horizontal = true }):set { ylim = { 2, nil } }
  fig:at(1, 3):bar(names, values):set { xlim = { 0.1, 0.2 } }
  local panels = fig:describe().panels
  lu.assertEquals(panels[1].x.labels, { "b", "c", "d" })
  lu.assertEquals(panels[2].y.labels, { "b", "c", "d", "e" })
  lu.assertEquals(panels[3].x.labels, {})
end
