-- The prompt on a terminal: reading, editing, history, results, Ctrl-C, signals.

local lu = require "luaunit"
local terminal = require "terminal"

-- Starts at the first prompt.
local function start(opts)
  local t = terminal.start(opts)
  t:expect "> "
  return t
end

-- --- entries and results -----------------------------------------------------------------

TestEntries = {}

function TestEntries.test_values_are_printed()
  local t = start()
  lu.assertEquals(t:enter "6 * 7", "42")
  lu.assertEquals(t:enter "= 6 * 8", "48")
  lu.assertEquals(t:enter "1, nil, 3", "1\tnil\t3")
  lu.assertEquals(t:enter "nil", "nil")
  lu.assertEquals(t:enter "x = 5", "")
  lu.assertEquals(t:enter "x + 1;", "")
  lu.assertEquals(t:enter "x + 1; -- a note", "")
  lu.assertEquals(t:enter "x -- a note; or two", "5")
  lu.assertEquals(t:enter "(function() end)()", "")
  lu.assertEquals({ t:finish() }, { 0, true })
end

function TestEntries.test_last_results()
  local t = start()
  t:enter "6 * 7"
  t:enter "6 * 8"
  lu.assertEquals(t:enter "_, __", "48\t42")
  t:enter "error 'lost'"
  lu.assertEquals(t:enter "_, __", "48\t48")
  lu.assertStrContains(t:enter "_err", "lost")
  t:enter "for _, v in ipairs {} do end"
  t:enter "_ = 'mine'"
  t:enter "1 + 1"
  lu.assertStrContains(t:enter "_", "mine")
  t:finish()
end

function TestEntries.test_several_lines()
  local t = start()
  t:enter("for i = 1, 2 do", ".. ")
  t:enter("", ".. ") -- an empty line ends nothing
  t:enter("  print(i * 11)", ".. ")
  lu.assertEquals(t:enter "end", "11\n22")
  t:enter("s = [[two", ".. ")
  lu.assertEquals(t:enter "lines]]", "")
  lu.assertEquals(t:enter "#s", "9")
  t:finish()
end

function TestEntries.test_output_without_a_newline()
  local t = start()
  t:type "io.write('abc')\n"
  t:expect "abc"
  t:expect "> "
  lu.assertEquals(t:enter "1 + 1", "2")
  t:finish()
end

-- --- Ctrl-C and Ctrl-D -------------------------------------------------------------------

TestKeys = {}

function TestKeys.test_ctrl_d_ends_with_0()
  local t = start()
  lu.assertEquals({ t:finish() }, { 0, true })
end

function TestKeys.test_ctrl_c_clears_what_is_typed()
  local t = start()
  t:type "half a li"
  t:expect "half a li"
  t:type "\3"
  t:expect "^C\n> "
  lu.assertEquals(t:enter "1 + 1", "2")
  t:enter("for i = 1, 3 do", ".. ")
  t:type "\3"
  t:expect "\n> "
  lu.assertEquals(t:enter "2 + 2", "4")
  lu.assertEquals({ t:finish() }, { 0, true })
end

function TestKeys.test_ctrl_c_stops_what_runs_and_keeps_the_state()
  local t = start()
  t:enter "x = 5"
  for _, code in ipairs { "while true do end",
    "coroutine.wrap(function() while true do end end)()" } do
    t:type("io.write('go', 1, '\\n') " .. code .. "\n")
    t:expect "go1"
    t:type "\3"
    t:expect "interrupted after"
    t:expect "\n> "
  end
  lu.assertEquals(t:enter "x", "5")
  lu.assertEquals({ t:finish() }, { 0, true })
end

function TestKeys.test_a_second_ctrl_c_gets_through_pcall()
  local t = start()
  t:enter "function forever() print('go'..1) while true do end end"
  t:type "while true do print(pcall(forever)) end\n"
  t:expect "go1"
  t:type "\3"
  t:expect "false"
  t:type "\3"
  t:expect "interrupted after"
  t:expect "\n> "
  lu.assertEquals(t:enter "1 + 1", "2")
  t:finish()
end
