-- test_plot_odd.lua -- odd data, odd words, a full disk, a new mark from the README alone.

local lu = require "luaunit"
local plot = require "unroll.plot"
local support = require "support"

local nan, inf = 0 / 0, 1 / 0

TestPlotOdd = {}

-- --- data --------------------------------------------------------------------------------

local data = {
  empty = {}, one = { 5 }, constant = { 3, 3, 3 }, zeros = { 0, 0 }, nans = { nan, nan },
  gaps = { 1, nan, 3, inf, 5, -inf }, huge = { 1, 1e30, -1e30, 2 }, largest = { 1e308, -1e308 },
  tiny = { 1e-40, 2e-40 }, denormal = { 5e-324, 1e-320 }, negative = { -1, -2, -3 },
  mixed = { 1, 0, -1, 10 }, close = { 1, 1 + 1e-15 }, integers = { 2 ^ 53, 2 ^ 53 + 2 },
}

local marks = {
  line = function(ax, v) ax:line(v) end,
  step = function(ax, v) ax:line(v, { step = "mid" }) end,
  smooth = function(ax, v) ax:smooth(v) end,
  scatter = function(ax, v) ax:scatter(v) end,
  xy = function(ax, v) ax:scatter(v, v) end,
  bar = function(ax, v) ax:bar(v, { values = true }) end,
  level = function(ax, v) ax:bar(v, { horizontal = true, values = true }) end,
  stack = function(ax, v) ax:bar({ v, v }, { mode = "stack", values = true }) end,
  errorbar = function(ax, v) ax:errorbar(nil, v, { yerr = v }) end,
  band = function(ax, v) ax:band(nil, v, v) end,
  hist = function(ax, v) ax:hist(v) end,
  box = function(ax, v) ax:box({ v }) end,
  violin = function(ax, v) ax:violin({ v }) end,
  ecdf = function(ax, v) ax:ecdf(v) end,
  stem = function(ax, v) ax:stem(v) end,
  heatmap = function(ax, v) ax:heatmap({ v, v }, { values = true }) end,
  log_heatmap = function(ax, v) ax:heatmap({ v }, { norm = "log" }) end,
  twin = function(ax, v) ax:line(v):twin():line(v) end,
}

local starts = { png = "^\137PNG\r\n\26\n", svg = "^<%?xml", pdf = "^%%PDF%-1" }

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

function TestPlotOdd.test_every_mark_draws_every_odd_data_on_every_scale()
  for _, mark in ipairs(sorted_keys(marks)) do
    local formats = { "png", "svg", "pdf" }
    for _, name in ipairs(sorted_keys(data)) do
      local what = mark .. " of " .. name
      local fig = plot.figure { cols = 4, width = 10, dpi = 50 }
      for i, scale in ipairs { "linear", "log", "log2", "symlog" } do
        marks[mark](fig:at(1, i), data[name])
        fig:at(1, i):set { yscale = mark:match "heatmap" and "linear" or scale,
          xscale = mark == "level" and scale or "linear" }
      end
      for _, format in ipairs(formats) do
        lu.assertNotNil(fig:render(format):find(starts[format]), what)
      end
      for _, p in ipairs(fig:describe().panels) do
        lu.assertTrue(p.y.low < p.y.high and p.x.low < p.x.high, what)
        lu.assertTrue(p.y.high - p.y.low < inf and p.x.high - p.x.low < inf, what)
      end
    end
  end
end

function TestPlotOdd.test_what_is_missing_is_written_on_the_panel()
  local function notes(draw, settings)
    local fig = plot.figure {}
    draw(fig:at())
    fig:at():set(settings or {})
    local d, shown = fig:describe(), {}
    for _, item in ipairs(d.texts) do shown[item.text] = true end
    for _, note in ipairs(d.panels[1].notes) do lu.assertTrue(shown[note], note) end
    return d.panels[1].notes
  end
  local odd = data.gaps
  for _, mark in ipairs { "line", "smooth", "scatter", "bar", "errorbar", "hist", "box",
    "violin", "ecdf", "stem" } do
    lu.assertEquals(notes(function(ax) marks[mark](ax, odd) end),
      { "3 values NaN or ∞ not shown" }, mark)
  end
  lu.assertEquals(notes(function(ax) ax:heatmap({ odd }) end),
    { "3 values NaN or ∞ not shown" })
  lu.assertEquals(notes(function(ax) ax:line({ 1, 0, nan }) end, { yscale = "log" }),
    { "1 value ≤ 0, 1 NaN or ∞ not shown" })
  lu.assertEquals(notes(function(ax) ax:line({ -1, 0 }) end, { yscale = "log" }),
    { "no data", "2 values ≤ 0 not shown" })
  lu.assertEquals(notes(function(ax) ax:line({}) end), { "no data" })
  lu.assertEquals(notes(function(ax) ax:line({ 1, 2 }) end), {})
end

-- --- words -------------------------------------------------------------------------------

local odd_words = { "a < b", "a & b", "<b>not bold</b>", "two\nlines", "bell \7 tab \t end",
  "nul \0 inside", "broken \xff\xfe UTF-8", "شبكة عصبية متكررة", "רשת נוירונים", "循环神经网络",
  "e\u{301}\u{327}", "x^{2}_{i}", "x^{", "%d %s", ("long "):rep(80), "" , " " }

function TestPlotOdd.test_odd_words_everywhere()
  for _, words in ipairs(odd_words) do
    local fig = plot.figure { title = words, caption = words, footer = words, alt = words }
    fig:at():bar({ words, words .. "2" }, { 1, 2 }, { label = words }):hline(1, { label = words })
      :note(words, 1, 1):set { title = words, xlabel = words, ylabel = words }:legend()
    for format, start in pairs(starts) do
      lu.assertNotNil(fig:render(format):find(start), words)
    end
  end
end

function TestPlotOdd.test_odd_words_are_shown()
  local fig = plot.figure {}
  fig:at():bar({ "<", "&", " ", "\n", "\7" }, { 1, 2, 3, 4, 5 })
  lu.assertEquals(fig:describe().panels[1].x.labels, { "<", "&", "␣", "⏎", "\\x07" })
  local svg = plot.figure { title = "a < b & c", alt = "x\0y\7" }:render("svg")
  lu.assertStrContains(svg, "<title>a &lt; b &amp; c</title>")
  lu.assertStrContains(svg, "<desc>x y </desc>")
end

-- --- files -------------------------------------------------------------------------------

function TestPlotOdd.test_a_full_disk_keeps_the_old_file()
  local folder = support.tmpdir()
  support.write_file(folder .. "/figure.png", "old")
  support.write_file(folder .. "/save.lua", [[
    local plot = require "unroll.plot"
    local values = {}
    for i = 1, 3000 do values[i] = math.sin(i * i) end
    print(plot.line(values):save(arg[1]))]])
  -- a file may not grow beyond 4 blocks of 512 bytes, and the signal for that is ignored
  local output = support.run(("trap \"\" XFSZ; ulimit -f 4; %s '%s/save.lua' '%s/figure.png'")
    :format(support.quoted_program, folder, folder))
  lu.assertStrMatches(output, "nil\t.*figure%.png: File too large\n")
  lu.assertEquals(support.read_file(folder .. "/figure.png"), "old")
  local left = support.run(("ls -A '%s'"):format(folder))
  lu.assertEquals(left, "figure.png\nsave.lua\n") -- no temporary file stays
end

-- --- a new mark --------------------------------------------------------------------------

-- The code of the README's section "A chart.".
local function recipe()
  local readme = support.read_file(support.root .. "/README.md")
  return readme:match("%*%*A chart%.%*%*.-\n```lua\n(.-)\n```\n")
end

function TestPlotOdd.test_the_recipe_of_the_readme()
  local folder = support.tmpdir()
  support.run(("mkdir -p '%s/unroll/plot/marks'"):format(folder))
  support.write_file(folder .. "/unroll/plot/marks/pin.lua", recipe())
  support.write_file(folder .. "/draw.lua", [[
    local plot = require "unroll.plot"
    local fig = plot.figure {}
    fig:at():pin({ 3, 1, 2 }, { label = "one" }):pin({ 1, 1, 1 }, { label = "two" })
    local p = fig:describe().panels[1]
    print(p.y.low, p.legend.labels[2], p.series[1].kind)
    assert(fig:save(arg[1]))]])
  local output, code = support.run(("LUA_PATH='%s/?.lua;;' %s '%s/draw.lua' '%s/pin.svg'")
    :format(folder, support.quoted_program, folder, folder))
  lu.assertEquals(output, "0.0\ttwo\tpin\n")
  lu.assertEquals(code, 0)
  local svg = support.read_file(folder .. "/pin.svg")
  local _, stems = svg:gsub("stroke:rgb%(0%%,44%.705882%%,69%.803922%%%)", "")
  lu.assertEquals(stems, 3)
end
