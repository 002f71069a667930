-- test_plot_witness.lua -- the layout seen by a program that does not know it.
--
-- pdftotext reads the words of a PDF with their boxes. Its boxes are as high as the font
-- allows, not as the letters are, so words may touch by a little; the words of one line are
-- next to each other, and a raised exponent lies beside its base.

local lu = require "luaunit"
local plot = require "unroll.plot"
local random_figure = require "random_figures"
local support = require "support"

TestPlotWitness = {}

local touching = 1.6 -- points by which two boxes may overlap in the smaller direction

-- All words of a PDF: {text, left, top, right, bottom}, and the size of the page.
local function words_of(pdf)
  local path = support.tmpdir() .. "/figure"
  support.write_file(path .. ".pdf", pdf)
  local output, code = support.run(("pdftotext -bbox '%s.pdf' '%s.html'"):format(path, path))
  lu.assertEquals(code, 0, output)
  local html = support.read_file(path .. ".html")
  local width, height = html:match('<page width="([%d.]+)" height="([%d.]+)"')
  local words = {}
  for left, top, right, bottom, text in html:gmatch(
    '<word xMin="([-%d.]+)" yMin="([-%d.]+)" xMax="([-%d.]+)" yMax="([-%d.]+)">(.-)</word>') do
    words[#words + 1] = { text = text, left = tonumber(left), top = tonumber(top),
      right = tonumber(right), bottom = tonumber(bottom) }
  end
  return words, tonumber(width), tonumber(height)
end

-- By how much two boxes overlap in the direction in which they overlap less.
local function overlap(a, b)
  local across = math.min(a.right, b.right) - math.max(a.left, b.left)
  local down = math.min(a.bottom, b.bottom) - math.max(a.top, b.top)
  return math.min(across, down)
end

local function check(fig, what)
  local words, width, height = words_of(fig:render("pdf"))
  for i, a in ipairs(words) do
    local place = ("%s: '%s' at %.1f %.1f %.1f %.1f"):format(what, a.text, a.left, a.top,
      a.right, a.bottom)
    lu.assertTrue(a.left >= -0.5 and a.top >= -0.5 and a.right <= width + 0.5
      and a.bottom <= height + 0.5, place .. " leaves the page")
    for j = 1, i - 1 do
      lu.assertTrue(overlap(a, words[j]) <= touching,
        ("%s is covered by '%s', %.1f points"):format(place, words[j].text,
          overlap(a, words[j])))
    end
  end
  return words
end

function TestPlotWitness.test_words_of_random_figures_in_the_pdf()
  local count = 0
  for seed = 1, 200 do count = count + #check(random_figure(seed, true), "seed " .. seed) end
  lu.assertTrue(count > 200 * 10, count) -- the witness sees something
end

function TestPlotWitness.test_the_witness_notices_an_overlap()
  local fig = plot.figure {}
  fig:at():line({ 1, 2 }):set { title = "Overlapping" }
  local layout, text = require "unroll.plot.layout", require "unroll.plot.text"
  local plan = layout.plan(fig)
  for _, item in ipairs(plan.texts) do
    if item.role == "title" then
      plan.texts[#plan.texts + 1] = text.place(text.new("words", item.look), item.box.left + 3,
        item.box.top + 3, 0, 0)
      break
    end
  end
  local words = words_of(require("unroll.plot.draw").render(fig, plan, "pdf", 150))
  local most = 0
  for i, a in ipairs(words) do
    for j = 1, i - 1 do most = math.max(most, overlap(a, words[j])) end
  end
  lu.assertTrue(most > touching)
end

-- Nothing is drawn on the outermost points of a page but its ground.
function TestPlotWitness.test_no_ink_at_the_edge_of_the_page()
  local draw, layout = require "unroll.plot.draw", require "unroll.plot.layout"
  for seed = 201, 230 do
    local fig = random_figure(seed)
    local width, height = fig.width * 72 // 1 | 0, fig.height * 72 // 1 | 0
    local pixels = draw.pixels(fig, layout.plan(fig), width, height)
    local white = ("\255"):rep(3 * width)
    lu.assertEquals(pixels:sub(1, 3 * width) == white, true, "top of seed " .. seed)
    lu.assertEquals(pixels:sub(-3 * width) == white, true, "bottom of seed " .. seed)
    for y = 0, height - 1 do
      local left, right = pixels:sub(3 * width * y + 1, 3 * width * y + 3),
        pixels:sub(3 * width * (y + 1) - 2, 3 * width * (y + 1))
      lu.assertEquals(left == "\255\255\255" and right == left, true, "sides of seed " .. seed)
    end
  end
end
