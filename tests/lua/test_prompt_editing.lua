-- Editing at the prompt: entries of several lines, pasting, history, UTF-8, the window, signals.

local lu = require "luaunit"
local core = require "unroll.core"
local support = require "support"
local terminal = require "terminal"

local up, down, left, home = "\27[A", "\27[B", "\27[D", "\1"
local alt_enter, paste_begin, paste_end = "\27\r", "\27[200~", "\27[201~"

local function start(opts)
  local t = terminal.start(opts)
  t:expect "> "
  return t
end

-- --- entries of several lines --------------------------------------------------------------

TestMultiLine = {}

function TestMultiLine.test_a_paste_is_one_entry_and_runs_on_enter()
  local t = start()
  local code = "function f(a)\n\n  local b = a * 2\n\tif b > 10 then\n    b = -b\n  end\n"
    .. "  return b\nend\n"
  t:type(paste_begin .. code .. "print('ran', f(2) + 1)" .. paste_end)
  t:expect "f(2) + 1)"
  t:type " print(f(21))\n"
  lu.assertStrContains(t:expect "-42\n", "ran\t5\n")
  t:expect "> "
  lu.assertEquals(t:enter "f(1)", "2")
  t:finish()
end

function TestMultiLine.test_forty_lines_are_pasted()
  local lines = { "function long(x)", "  local sum = 0" }
  for i = 1, 36 do lines[#lines + 1] = ("  sum = sum + x * %d"):format(i) end
  lines[#lines + 1] = "  return sum"
  lines[#lines + 1] = "end"
  local t = start { rows = 24 }
  t:type(paste_begin .. table.concat(lines, "\r") .. paste_end .. "\n")
  lu.assertEquals(t:enter "long(1)", "666")
  t:finish()
end

function TestMultiLine.test_a_transcript_is_run_without_its_prompts_and_output()
  local t = start()
  t:type(paste_begin .. "> x = 20\n> for i = 1, 2 do\n..   x = x + i\n.. end\n> x\n99\n> x + 1\n"
    .. paste_end .. "\n")
  t:expect "\n23\n24\n> "
  lu.assertEquals(t:enter "> x", "23")
  t:enter("> for i = 1, 2 do", ".. ")
  t:enter "end"
  t:finish()
end

function TestMultiLine.test_it_is_recalled_and_edited_as_a_whole()
  local t = start()
  t:enter("for i = 1, 2 do", ".. ")
  t:enter("  print(i + 10)", ".. ")
  lu.assertEquals(t:enter "end", "11\n12")
  t:type(up)
  t:expect "for i = 1, 2 do\n  print(i + 10)\nend"
  t:type(up .. home .. "  print(i + 20)\n") -- up goes to the second line
  t:expect "21\n11\n22\n12\n> "
  t:finish()
end

function TestMultiLine.test_alt_enter_begins_a_line()
  local t = start()
  t:type("x = 1" .. alt_enter .. "x = x + 1 print(x)\n")
  t:expect "\n2\n> "
  t:finish()
end

function TestMultiLine.test_without_paste_mode_lines_run_one_by_one()
  local t = start { env = "NO_COLOR=1" }
  t:type "x = 4\nx = x + 1\nx\n"
  t:expect "\n5\n> "
  t:finish()
end

-- --- history ---------------------------------------------------------------------------------

TestHistory = {}

local function history_file(home_directory)
  return home_directory .. "/.local/state/unroll/history"
end

function TestHistory.test_it_survives_and_only_its_owner_can_read_it()
  local t = start()
  t:enter "first = 1"
  t:enter("for i = 1, 2 do", ".. ")
  t:enter "end"
  t:finish()
  local path = history_file(t.home)
  lu.assertEquals((support.run(("stat -c %%a '%s'"):format(path))), "600\n")
  lu.assertStrMatches(support.read_file(path),
    "#%d+\nfirst = 1\n#%d+\nfor i = 1, 2 do\nend\n")
  local again = start { home = t.home }
  again:type(up)
  again:expect "for i = 1, 2 do\nend"
  again:type(up .. up .. " print(first)\n")
  again:expect "\n1\n> "
  again:finish()
end

function TestHistory.test_each_entry_is_written_when_it_is_entered()
  local t = start()
  t:enter "kept = 1"
  lu.assertStrContains(support.read_file(history_file(t.home)), "kept = 1\n")
  t:signal(9)
  t:wait()
end

function TestHistory.test_an_entry_again_is_not_kept_twice()
  local t = start()
  t:enter "same = 1"
  t:enter "same = 1"
  t:enter "other = 1"
  t:finish()
  local _, count = support.read_file(history_file(t.home)):gsub("same = 1\n", "")
  lu.assertEquals(count, 1)
end

function TestHistory.test_two_prompts_lose_nothing()
  local a = start()
  local b = start { home = a.home }
  for i = 1, 10 do
    a:enter(("a%d = 1"):format(i))
    b:enter(("b%d = 1"):format(i))
  end
  a:finish()
  b:finish()
  local text = support.read_file(history_file(a.home))
  for i = 1, 10 do
    lu.assertStrContains(text, ("\na%d = 1\n"):format(i))
    lu.assertStrContains(text, ("\nb%d = 1\n"):format(i))
  end
end

function TestHistory.test_ctrl_r_finds_an_entry()
  local t = start()
  t:enter("needle = {", ".. ")
  t:enter "1, 2, 3}"
  t:enter "hay = 1"
  t:type "\18needl"
  t:expect "1, 2, 3}"
  t:type "\r" -- what Enter sends; "\n" would only end the search
  t:expect "\n> "
  lu.assertEquals(t:enter "#needle", "3")
  t:finish()
end

function TestHistory.test_up_searches_for_what_is_typed()
  local t = start()
  t:enter "alpha = 'found'"
  t:enter "beta = 2"
  t:type("al" .. up)
  t:expect "pha = 'found'"
  t:type(" print(alpha)\n")
  t:expect "\nfound\n> "
  t:type(up .. up .. down .. "print(alpha)\n")
  t:expect "\nfound\nfound\n> "
  t:finish()
end

function TestHistory.test_a_folder_that_cannot_be_written_is_one_note()
  local home_directory = support.tmpdir()
  support.write_file(home_directory .. "/.local", "a file where a folder should be")
  local t = start { home = home_directory }
  lu.assertStrContains(t:enter "x = 1", "the history is not kept: ")
  lu.assertEquals(t:enter "y = 1", "")
  t:type(up)
  t:expect "y = 1"
  t:type "\3"
  t:expect "^C\n> "
  lu.assertEquals({ t:finish() }, { 0, true })
end

function TestHistory.test_without_a_home_it_lasts_for_the_session()
  local t = start { env = "HOME=" }
  t:enter "x = 41"
  t:type(up .. " print(x + 1)\n")
  t:expect "\n42\n> "
  t:finish()
end

function TestHistory.test_parts()
  local history = require "unroll.prompt.history"
  local function env(values) return function(name) return values[name] end end
  lu.assertEquals(history.directory(env { XDG_STATE_HOME = "/s", HOME = "/h" }), "/s/unroll")
  lu.assertEquals(history.directory(env { XDG_STATE_HOME = "relative", HOME = "/h" }),
    "/h/.local/state/unroll")
  lu.assertNil(history.directory(env {}))
  lu.assertEquals(history.parse "lost\n#1700000000\na\n#1\nb\n\n#1700000001\nc\n",
    { "a\n#1\nb\n", "c" })
end

function TestHistory.test_a_long_file_is_cut()
  local directory = support.tmpdir()
  local blocks = {}
  for i = 1, 20000 do blocks[i] = ("#%d\nentry %d\n"):format(1700000000 + i, i) end
  support.write_file(directory .. "/history", table.concat(blocks))
  support.run(("chmod 600 '%s/history'"):format(directory))
  local h = require("unroll.prompt.history").open(directory)
  lu.assertEquals({ #h.entries, h.entries[1], h.entries[10000] },
    { 10000, "entry 10001", "entry 20000" })
  local kept = require("unroll.prompt.history").parse(support.read_file(directory .. "/history"))
  lu.assertEquals({ #kept, kept[1] }, { 10000, "entry 10001" })
  lu.assertEquals((support.run(("stat -c %%a '%s/history'"):format(directory))), "600\n")
end

-- --- characters and the window ---------------------------------------------------------------

TestWindow = {}

function TestWindow.test_utf8()
  local t = start()
  t:type("s = 'éa∂b'" .. left .. left .. left .. "\127\n") -- removes a
  t:expect "\n> "
  lu.assertEquals(t:enter "utf8.len(s), #s", "3\t6")
  t:finish()
end

function TestWindow.test_utf8_without_a_locale()
  local t = start { env = "LANG= LC_ALL=" }
  t:type("s = 'é∂'" .. left .. "\127\n")
  t:expect "\n> "
  lu.assertEquals(t:enter "s == 'é'", "true")
  t:finish()
end

function TestWindow.test_forty_columns()
  local t = start { columns = 40, arguments = "" }
  t:type("x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' " .. home .. "y = 1 \n")
  t:expect "\n> "
  lu.assertEquals(t:enter "#x, y", "56\t1")
  t:finish()
end

function TestWindow.test_the_greeting_fits()
  local banner = require "unroll.prompt.banner"
  for width = 20, 140 do
    local text = banner.text("Lua 5.4.4", width)
    lu.assertTrue(utf8.len(text) < width, text)
    lu.assertStrContains(text, "unroll ")
  end
  for _, part in ipairs { "Lua 5.4.4", core.blas, "?  help", "tour()" } do
    lu.assertStrContains(banner.text("Lua 5.4.4", 120), part)
  end
end

function TestWindow.test_a_new_size_is_used()
  local t = start { columns = 80 }
  t:resize(30, 20)
  t:type(("z"):rep(28) .. " = 1")
  t:expect "= 1"
  t:type "\n"
  t:expect "\n> "
  lu.assertEquals(t:enter "require('unroll.core').sys.terminal_width()", "30")
  t:finish()
end

-- --- signals -----------------------------------------------------------------------------------

TestSignals = {}

function TestSignals.test_the_terminal_is_restored_when_the_program_is_killed()
  for _, number in ipairs { 15, 1, 3, 11 } do
    local t = start()
    t:enter "kept = 1"
    t:type "half a li"
    t:expect "half a li"
    t:signal(number)
    lu.assertEquals({ t:wait() }, { 128 + number, true })
    lu.assertStrContains(support.read_file(history_file(t.home)), "kept = 1")
  end
end

function TestSignals.test_os_exit_and_an_error_in_c_leave_it_in_order()
  local t = start()
  t:type "os.exit(7)\n"
  lu.assertEquals({ t:wait() }, { 7, true })
  t = start()
  t:type "os.execute('kill -ABRT $PPID')\n"
  lu.assertEquals({ t:wait() }, { 134, true })
end

function TestSignals.test_ctrl_z_stops_and_goes_on()
  local t = start { program = "sh", arguments = "-i", env = "PS1='> '" }
  t:type(support.quoted_program .. " -q\n")
  t:expect "\n> "
  t:type "x = 41\n"
  t:expect "\n> "
  t:type "x + "
  t:expect "x + "
  t:type "\26"
  t:expect "Stopped"
  t:type "fg\n"
  t:expect "x + "
  t:type "1\n"
  t:expect "\n42\n> "
  t:type "\4"
  t:expect "\n> "
  t:finish()
end
