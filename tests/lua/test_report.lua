-- The report: one page that loads nothing, from saved results; opened in a browser.
local lu = require "luaunit"
local support = require "support"
local html = require "unroll.report.html"
local svg = require "unroll.report.svg"

TestReport = {}

local names = { "training", "architectures", "datasets" }
local dir -- results of the short forms of three experiments, and the report on them

local function script_list()
  local files = {}
  for i, name in ipairs(names) do
    files[i] = ("'%s/scripts/experiments/%s.lua'"):format(support.root, name)
  end
  return table.concat(files, " ")
end

local function program(script, arguments)
  local output, code = support.run(("%s '%s/scripts/%s.lua' --out '%s' %s %s"):format(
    support.quoted_program, support.root, script, dir, arguments, script_list()))
  lu.assertEquals(code, 0, output)
  return output
end

local function page()
  if not dir then
    dir = support.tmpdir()
    program("suite", "--quick --formats svg")
    program("report", "")
  end
  return support.read_file(dir .. "/report.html")
end

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

local void = { meta = true, br = true, ["!DOCTYPE"] = true, ["!doctype"] = true }

function TestReport.test_elements_are_closed_in_order()
  local open = {}
  for close, name, rest in page():gmatch "<(/?)([%w!:]+)([^>]*)>" do
    if close == "/" then
      lu.assertEquals(table.remove(open), name)
    elseif not void[name] and rest:sub(-1) ~= "/" then
      open[#open + 1] = name
    end
  end
  lu.assertEquals(open, {})
end

function TestReport.test_nothing_is_loaded_and_nothing_runs()
  local text = page()
  lu.assertNil(text:find "<script")
  lu.assertNil(text:find "<link")
  lu.assertNil(text:find "%ssrc=")
  lu.assertNil(text:find "@import")
  for target in text:gmatch 'href="([^"]*)"' do lu.assertEquals(target:sub(1, 1), "#", target) end
  for target in text:gmatch "url%(([^)]*)%)" do lu.assertEquals(target:sub(1, 1), "#", target) end
end

function TestReport.test_ids_are_unique_and_every_link_has_an_end()
  local ids, text = {}, page()
  for id in text:gmatch '%sid="([^"]*)"' do
    lu.assertNil(ids[id], id)
    ids[id] = true
  end
  -- a statement links to its experiment, also to one that has not been run
  local figures = 0
  for target in text:gmatch '<use [^>]-href="#([^"]*)"' do
    lu.assertTrue(ids[target], target)
    figures = figures + 1
  end
  lu.assertTrue(figures > 100)
  for target in text:gmatch '<nav.-</nav>' do
    for link in target:gmatch 'href="#([^"]*)"' do lu.assertTrue(ids[link], link) end
  end
end

function TestReport.test_says_what_was_measured_and_what_was_not()
  local text = page()
  lu.assertEquals(count(text, '<li class="statement" id="verdict%-%d+" value="%d+"'), 17)
  lu.assertEquals(count(text, '<li class="statement" id="verdict%-s%-'), 30)
  lu.assertEquals(count(text, '<th scope="row">T%d'), 28)
  lu.assertEquals(count(text, "<figure>"), 4) -- three, and the times of the architectures
  -- one seed is not enough, gradient_flow has not been run
  lu.assertStrContains(text, "1 of the 5 seeds that a verdict needs")
  lu.assertStrContains(text, "There are no results of the experiment gradient_flow")
  local record = require("unroll.experiment.store").read(dir, "training")
  lu.assertStrContains(support.read_file(dir .. "/report.md"),
    ("to %.4f nats per character"):format(record.results.runs[1].final))
end

function TestReport.test_verdicts_are_saved_and_the_report_is_the_same_again()
  local first = page()
  local verdicts = require("unroll.experiment.store").read(dir, "verdicts")
  lu.assertEquals(#verdicts, 70)
  lu.assertEquals(#require("unroll.experiment.store").read(dir, "verdicts-times"), 5)
  program("report", "")
  lu.assertTrue(page() == first)
end

-- What a person can mend is told without a traceback.
function TestReport.test_wrong_calls()
  local function fails(command, part)
    local output, code = support.run(("%s '%s/scripts/%s"):format(support.quoted_program,
      support.root, command) .. " 2>&1")
    lu.assertEquals(code, 1, output)
    lu.assertStrContains(output, part)
    lu.assertNil(output:find "traceback", output)
  end
  local training = ("'%s/scripts/experiments/training.lua'"):format(support.root)
  local empty = support.tmpdir()
  fails(("report.lua' --out '%s' %s"):format(empty, training), "there are no results in " .. empty)
  fails(("report.lua' --out '%s' none.lua"):format(empty), "there is no script none.lua")
  fails(("suite.lua' --out '%s' none.lua"):format(empty), "there is no script none.lua")
  support.write_file(empty .. "/training.json", "{bad")
  fails(("report.lua' --out '%s' %s"):format(empty, training), "training.json: json.decode")
  support.write_file(empty .. "/no.lua", "return 1")
  fails(("report.lua' --out '%s' '%s/no.lua'"):format(empty, empty), "defines no experiment")
end

-- What ran in its short form is told above everything else.
function TestReport.test_a_quick_report_says_that_it_is_one()
  lu.assertStrContains(page(), '<p class="warning" role="note">All experiments ran in their short')
  lu.assertStrContains(support.read_file(dir .. "/report.md"), "**All experiments ran in their")
end

function TestReport.test_results_of_another_version()
  page()
  local store, other = require "unroll.experiment.store", support.tmpdir()
  local record = store.read(dir, "training")
  record.version, record.results = "0.0.1", { other = 1 }
  store.write(other, "training", record)
  local output, code = support.run(("%s '%s/scripts/report.lua' --out '%s' %s"):format(
    support.quoted_program, support.root, other, script_list()))
  lu.assertEquals(code, 1)
  lu.assertStrContains(output, other .. "/training.json was written by version 0.0.1 of unroll")
  lu.assertStrContains(output, "To make it again: unroll ")
  lu.assertNil(output:find "traceback", output)
end

function TestReport.test_words_are_escaped()
  lu.assertEquals(html.escape [[a < b & "c"]], "a &lt; b &amp; &quot;c&quot;")
end

function TestReport.test_inline_svg()
  local text = '<?xml version="1.0"?>\n<svg xmlns="x" width="9pt" height="4pt" viewBox="0 0 9 4">'
    .. '<g id="a"/><use xlink:href="#a"/><path clip-path="url(#b)"/></svg>\n'
  local alt = { title = "A < B", description = "It is so." }
  lu.assertEquals(svg.inline(text, "f-", alt), '<svg style="max-width:15px;min-width:9px" '
    .. 'xmlns="x" viewBox="0 0 9 4" role="img" aria-labelledby="f-alt">'
    .. '<title id="f-alt">A &lt; B: It is so.</title>'
    .. '<g id="f-a"/><use xlink:href="#f-a"/><path clip-path="url(#f-b)"/></svg>')
  support.raises("has no <svg> element", svg.inline, "nothing", "f-", alt)
end

function TestReport.test_every_figure_is_said_in_words()
  local figures = 0
  for tag, title in page():gmatch "(<svg[^>]*>)<title[^>]*>([^<]*)</title>" do
    figures = figures + 1
    lu.assertStrContains(tag, 'role="img"')
    lu.assertTrue(#title > 60, title)
  end
  lu.assertEquals(figures, count(page(), "<figure>"))
end

function TestReport.test_headings_do_not_skip_a_level()
  local last = 0
  for level in page():gmatch "<h(%d)" do
    lu.assertTrue(tonumber(level) <= last + 1)
    last = tonumber(level)
  end
  lu.assertEquals(count(page(), "<h1"), 1)
end

-- The contrast of two colours, WCAG 2: 1 to 21.
local function contrast(one, other)
  local function luminance(color)
    local sum, weights = 0, { 0.2126, 0.7152, 0.0722 }
    for i = 1, 3 do
      local v = tonumber(color:sub(2 * i, 2 * i + 1), 16) / 255
      sum = sum + weights[i] * (v <= 0.04045 and v / 12.92 or ((v + 0.055) / 1.055) ^ 2.4)
    end
    return sum
  end
  local a, b = luminance(one), luminance(other)
  return (math.max(a, b) + 0.05) / (math.min(a, b) + 0.05)
end

function TestReport.test_words_stand_out_in_light_and_dark()
  lu.assertAlmostEquals(contrast("#000000", "#ffffff"), 21, 1e-9)
  local modes = 0
  for block in require("unroll.report.style"):gmatch ":root {(.-)}" do
    local colors = {}
    for name, value in block:gmatch "%-%-([%w-]+): (#%x+)" do colors[name] = value end
    for _, name in ipairs { "ink", "soft", "link", "yes", "if", "no", "open" } do
      local on = colors[name .. "-back"] or colors.paper
      lu.assertTrue(contrast(colors[name], on) >= 4.5, name .. " on " .. on)
    end
    modes = modes + 1
  end
  lu.assertEquals(modes, 2)
end

function TestReport.test_the_terminal_has_80_columns()
  for line in support.read_file(page() and dir .. "/report.md"):gmatch "[^\n]*" do
    lu.assertTrue(utf8.len(line) <= 80, line)
  end
end

-- --- in a browser --------------------------------------------------------------------------

local function browser()
  local path = support.run "command -v chromium || command -v chromium-browser"
  return path:match "^%S+"
end

local function browse(options, url)
  return support.run(("timeout 60 '%s' --headless --no-sandbox --disable-gpu --no-first-run "
    .. "--disable-background-networking --hide-scrollbars --user-data-dir='%s/profile' %s %s "
    .. "2>/dev/null"):format(browser(), dir, options, url))
end

-- The width that the page takes in a frame as wide as a phone or a desk: a frame, because a
-- window has a least width.
local function width_in_browser(width)
  local probe = page():gsub("</body>", function()
    return "<script>parent.document.title = document.documentElement.scrollWidth</script></body>"
  end)
  support.write_file(dir .. "/probe.html", ('<iframe width="%d" height="800" style="border:0" '
    .. 'srcdoc="%s"></iframe>'):format(width, (probe:gsub("&", "&amp;"):gsub('"', "&quot;"))))
  local dom = browse("--dump-dom", "file://" .. dir .. "/probe.html")
  return tonumber(dom:match "<title>(%d+)</title>")
end

function TestReport.test_fits_a_phone_and_a_desk()
  page()
  if not browser() then -- then at least the page says how it is to be laid out
    lu.assertStrContains(page(), 'name="viewport" content="width=device-width')
    return
  end
  lu.assertEquals(width_in_browser(390), 390)
  lu.assertEquals(width_in_browser(1280), 1280)
end

function TestReport.test_a_browser_draws_it()
  page()
  if not browser() then
    lu.assertStrContains(page(), "</svg>")
    return
  end
  local shot = dir .. "/shot.png"
  browse(("--window-size=1280,4000 --screenshot='%s'"):format(shot), "file://" .. dir
    .. "/report.html")
  local bytes = support.read_file(shot)
  lu.assertEquals({ (">I4I4"):unpack(bytes, 17) }, { 1280, 4000, 25 })
  lu.assertTrue(#bytes > 100000, "an empty page is smaller")
end
