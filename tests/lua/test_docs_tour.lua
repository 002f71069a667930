-- test_docs_tour.lua -- the tour: straight through in a pipe, page by page on a terminal.
local lu = require "luaunit"
local support = require "support"
local terminal = require "terminal"

TestTour = {}

local pages = support.read_file(support.root .. "/lua/unroll/help/tour/pages.txt")

local function output_of_tour()
  local output, code = support.run(("UNROLL_IMAGE=none %s '%s/examples/tour.lua' </dev/null 2>&1")
    :format(support.quoted_program, support.root))
  for path in output:gmatch "/tmp/[%w_]+%.png" do os.remove(path) end
  return output, code
end

-- Everything it shows is run: an error would stand in the output.
function TestTour.test_a_pipe_gets_all_of_it()
  local output, code = output_of_tour()
  lu.assertEquals(code, 0)
  local place = 1
  for title in pages:gmatch "\n?# ([^\n]*)\n" do
    place = lu.assertNotNil(output:find(title, place, true)) or output:find(title, place, true)
  end
  lu.assertNil(output:find "\27")
  lu.assertNil(output:find "tour:%d+:", 1)
  lu.assertNil(output:find "false")
  local _, count = output:gsub("\ntrue\n", "")
  lu.assertEquals(count, 4)
  lu.assertStrContains(output, "ok: worst error")
  lu.assertStrMatches(output, ".*perplexity.*The %a.*")
end

function TestTour.test_pages_on_a_terminal_wait_and_can_be_left_and_found_again()
  local t = terminal.start { columns = 40, rows = 50, env = "UNROLL_IMAGE=none" }
  t:expect "> "
  t:type "tour()\n"
  lu.assertStrContains(t:expect "tour 1> ", "Welcome")
  t:type "\n"
  lu.assertStrContains(t:expect "tour 2> ", "tensor float32 (2, 3)")
  t:type "t:sum() + 0.5\n"
  lu.assertStrContains(t:expect "tour 2> ", "21.5")
  t:type "nonsense(\n)\n"
  lu.assertStrContains(t:expect "tour 2> ", "attempt to call a nil value")
  t:type "?tensor.dot\n"
  lu.assertStrContains(t:expect "tour 2> ", "tensor.dot(a, b)")
  t:type "b\n"
  lu.assertStrContains(t:expect "tour 1> ", "Welcome")
  t:type "4\n"
  lu.assertStrContains(t:expect "tour 4> ", "A cell")
  t:type "q\n"
  t:expect "tour() goes on with page 4"
  t:expect "> "
  lu.assertStrContains(t:enter("t:size()"), "(2, 3)") -- what it made stays
  t:type "tour()\n"
  lu.assertStrContains(t:expect "tour 4> ", "A cell")
  t:type "\4"
  t:expect "> "
  lu.assertEquals({ t:finish() }, { 0, true })
end

-- At 40 columns no text or code of the tour is cut by the terminal.
function TestTour.test_it_fits_into_forty_columns()
  local t = terminal.start { columns = 40, rows = 50,
    arguments = ("'%s/examples/tour.lua'"):format(support.root) }
  local page = t:expect "tour 1> "
  for line in page:gmatch "[^\n]+" do
    lu.assertTrue(utf8.len(line) <= 40, line)
  end
  t:type "6\n"
  page = t:expect "tour 6> "
  for line in page:match "Backpropagation.-> gradcheck":gmatch "[^\n]+" do
    lu.assertTrue(utf8.len(line) <= 40, line)
  end
  t:type "q\n"
  t:wait()
end

-- --- help on a terminal -------------------------------------------------------------------------

TestHelpOnATerminal = {}

function TestHelpOnATerminal.test_long_pages_go_through_a_pager_and_short_ones_do_not()
  local t = terminal.start { rows = 20 }
  t:expect "> "
  lu.assertStrContains(t:enter "help(tensor.dot)", "Inner product of two vectors")
  t:type "help(tensor)\n"
  t:expect "n-dimensional arrays of numbers"
  if os.execute "command -v less >/dev/null" then
    t:expect "\n:" -- less waits
    t:type "q"
  end
  t:expect "> "
  lu.assertEquals(t:enter "1 + 1", "2")
  lu.assertEquals({ t:finish() }, { 0, true })
end

function TestHelpOnATerminal.test_marks_and_misspelt_names()
  local t = terminal.start { rows = 50, env = "NO_COLOR=1" }
  t:expect "> "
  lu.assertStrContains(t:enter "?tensor.dot", "tensor.dot(a, b) → number")
  lu.assertStrContains(t:enter "??optim.grad_norm", "function clip.grad_norm(model)")
  lu.assertStrContains(t:enter "?clipnorm", "Near: optim.clip_norm")
  lu.assertStrContains(t:enter "apropos 'clip norm'", "optim.clip_norm(model, max, opts)")
  lu.assertStrContains(t:enter "help()", "apropos \"clip\"")
  t:finish()
end

function TestHelpOnATerminal.test_a_terminal_without_utf8_gets_ascii()
  local t = terminal.start { rows = 50, env = "NO_COLOR=1 LC_ALL=C" }
  t:expect "> "
  local page = t:enter "?tensor.dot"
  lu.assertStrContains(page, "tensor.dot(a, b) -> number")
  lu.assertNil(page:find "[\128-\255]")
  t:finish()
end

function TestHelpOnATerminal.test_no_escape_byte_under_no_color()
  local t = terminal.start { rows = 10, env = "NO_COLOR=1" }
  t:expect "> "
  t:enter "?tensor"
  lu.assertStrContains(t:enter "plot.line{1, 2}", ".png")
  lu.assertEquals(t:finish(), 0)
  lu.assertNotStrContains(t.raw, "\27")
end
