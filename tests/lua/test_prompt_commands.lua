-- Lines that are not Lua: % commands, the shell, help.

local lu = require "luaunit"
local support = require "support"
local terminal = require "terminal"
local timing = require "unroll.prompt.timing"
local words = require "unroll.prompt.words"

local function start(opts)
  local t = terminal.start(opts)
  t:expect "> "
  return t
end

TestWords = {}

function TestWords.test_split()
  lu.assertEquals(words.split [[a "b c" 'd "e' f\ g "h\"i" '' x"y z"w]],
    { "a", "b c", 'd "e', "f g", 'h"i', "", "xy zw" })
  lu.assertEquals(words.split "  ", {})
  lu.assertEquals(words.split "~/x '~/x'", { os.getenv "HOME" .. "/x", "~/x" })
  lu.assertEquals({ words.split "a 'b" }, { nil, "a quote is not closed: 'b" })
end

TestTiming = {}

function TestTiming.test_text()
  lu.assertEquals({ timing.text(1.804), timing.text(0.000412), timing.text(9.9951e-3),
    timing.text(2.5e-8), timing.text(123) }, { "1.80 s", "412 µs", "10.0 ms", "25.0 ns", "123 s" })
end

function TestTiming.test_measure_calls_often_enough()
  local calls = 0
  local r = timing.measure(function() calls = calls + 1 end)
  lu.assertTrue(calls >= r.calls * r.rounds)
  lu.assertTrue(r.min > 0 and r.min <= r.median)
end

TestCommands = {}

function TestCommands.test_time()
  local t = start()
  lu.assertStrMatches(t:enter "%time 6 * 7", "42\n  %d[%d.]* %S-s")
  lu.assertStrMatches(t:enter "%time local x = 5", "  %d[%d.]* %S-s")
  lu.assertEquals(t:enter "x", "5")
  lu.assertStrMatches(t:enter "%timeit x + 1", "  [%d.]+ ns  %(min [%d.]+ ns, %d+ × %d+ runs%)")
  t:enter("%time for i = 1, 2 do", ".. ")
  lu.assertStrContains(t:enter "x = x + i end", "s")
  lu.assertEquals(t:enter "x", "8")
  lu.assertStrContains(t:enter "%timeit x + * 2", "error: ")
  lu.assertStrContains(t:enter "%timeit", "error: %timeit takes")
  lu.assertStrContains(t:enter "%prof tensor.ones(9, 9):matmul(tensor.ones(9, 9))", "matmul")
  t:finish()
end

function TestCommands.test_run()
  local t = start()
  support.write_file(t.home .. "/a script.lua",
    "made = arg[0] .. '|' .. table.concat({...}, '|')\n")
  t:enter [[%run "a script" one 'two three' four\ five]]
  lu.assertStrContains(t:enter "made", "a script.lua|one|two three|four five")
  lu.assertStrContains(t:enter "%run missing.lua", "error: cannot open missing.lua")
  lu.assertStrContains(t:enter "%run", "error: %run takes")
  support.write_file(t.home .. "/exits.lua", "x = 1 os.exit(4)")
  lu.assertEquals(t:enter "%run exits.lua", "exit code 4")
  lu.assertEquals(t:enter "x", "1")
  t:type "os.exit(5)\n"
  lu.assertEquals(t:wait(), 5)
end

function TestCommands.test_run_of_a_script_that_is_interrupted()
  local t = start()
  support.write_file(t.home .. "/long.lua", "steps = 1 print 'go' while true do end")
  t:type "%run long.lua\n"
  t:expect "\ngo\n"
  t:type "\3"
  t:expect "interrupted after"
  t:expect "\n> "
  lu.assertEquals(t:enter "steps", "1")
  t:finish()
end

function TestCommands.test_reload_keeps_the_table()
  local t = start()
  support.write_file(t.home .. "/mod.lua", "return { value = 1, old = 1 }")
  t:enter "mod = require 'mod'"
  support.write_file(t.home .. "/mod.lua", "return { value = 2 }")
  t:enter "%reload mod"
  lu.assertEquals(t:enter "mod.value, mod.old, mod == require 'mod'", "2\tnil\ttrue")
  support.write_file(t.home .. "/mod.lua", "error 'broken'")
  lu.assertStrContains(t:enter "%reload mod", "broken")
  lu.assertEquals(t:enter "%reload unroll.optons",
    "error: there is no module 'unroll.optons'. Did you mean 'unroll.options'?")
  lu.assertStrMatches(t:enter "%reload nosuch", "error: there is no module 'nosuch'%. [^\n]*")
  lu.assertEquals(t:enter "mod == require 'mod', mod.value", "true\t2")
  t:finish()
end

function TestCommands.test_edit()
  local home = support.tmpdir()
  support.write_file(home .. "/ed", "#!/bin/sh\nsed -i 's/20/21/' \"$1\"\n")
  support.run(("chmod +x '%s/ed'"):format(home))
  local t = start { home = home, env = ("EDITOR='%s/ed'"):format(home) }
  t:enter "x = 20"
  t:enter "%edit"
  lu.assertEquals(t:enter "x", "21")
  support.write_file(home .. "/file.lua", "y = 20")
  t:enter "%edit file.lua"
  lu.assertEquals(t:enter "y", "21")
  lu.assertStrContains(t:enter "%edit 99", "error: there is no entry 99")
  t:finish()
end

function TestCommands.test_save()
  local t = start()
  t:enter "x = 5"
  t:enter("for i = 1, 2 do", ".. ")
  t:enter "x = x + i end"
  t:enter "x + 1"
  t:enter "x = nil + 1"
  t:enter "t = tensor.ones(x)"
  t:enter "%who"
  t:enter "%save saved.lua"
  local text = support.read_file(t.home .. "/saved.lua")
  lu.assertEquals(text, 'local unroll = require "unroll"\nlocal tensor = unroll.tensor\n\nx = 5\n'
    .. "for i = 1, 2 do\nx = x + i end\n-- x + 1\nt = tensor.ones(x)\n-- %who\n")
  lu.assertStrContains(t:enter "%save saved.lua", "saved.lua exists")
  lu.assertEquals(support.read_file(t.home .. "/saved.lua"), text)
  t:enter "%save -f saved.lua"
  lu.assertEquals({ support.run(("cd '%s' && %s saved.lua"):format(t.home,
    support.quoted_program)) }, { "", 0 })
  lu.assertStrContains(t:enter "%save none/saved.lua", "error: ")
  t:finish()
end

function TestCommands.test_who_and_reset()
  local t = start()
  lu.assertEquals(t:enter "%who", "no variables yet")
  t:enter "alpha, beta = 5, {1, 2}"
  local text = t:enter "%who"
  lu.assertStrMatches(text, "alpha  number +5\nbeta   table +.*")
  t:enter "mine = 1"
  lu.assertStrContains(t:enter "%who", "mine   number")
  t:enter "%reset"
  lu.assertStrContains(t:enter "alpha", "there is no variable")
  lu.assertEquals(t:enter "tensor.ones(2):sum()", "2.0")
  t:finish()
end

function TestCommands.test_history()
  local t = start()
  for i = 1, 4 do t:enter(("v%d = 1"):format(i)) end
  t:type "%history 2\n"
  t:expect "%history 2\n> v4 = 1\n> %history 2\n> "
  t:type "%history v2\n"
  t:expect "%history v2\n> v2 = 1\n> %history v2\n> "
  t:finish()
end

function TestCommands.test_shell()
  local t = start()
  lu.assertEquals(t:enter "!echo from the shell", "from the shell")
  lu.assertEquals(t:enter "_", "0")
  lu.assertStrContains(t:enter "!exit 3", "exit code 3")
  lu.assertEquals(t:enter "_", "3")
  t:type "!echo go; exec sleep 100\n"
  t:expect "\ngo\n"
  t:type "\3"
  t:expect "exit code 130"
  t:expect "\n> "
  lu.assertEquals(t:enter "1 + 1", "2")
  t:finish()
end

function TestCommands.test_help()
  local t = start()
  for _, text in ipairs { "?tensor.matmul", "tensor.matmul?", "help(tensor.matmul)" } do
    lu.assertStrContains(t:enter(text), "tensor.matmul(a, b, out)")
  end
  t:enter "m = tensor.matmul"
  lu.assertStrContains(t:enter "?m", "tensor.matmul(a, b, out)")
  lu.assertStrContains(t:enter "?tensor.matmull", "tensor.matmul")
  lu.assertStrContains(t:enter "??optim.clip_norm", "function clip.clip_norm(")
  lu.assertStrContains(t:enter "?%time", "%time code")
  lu.assertStrContains(t:enter "apropos 'clip'", "optim.clip_norm")
  lu.assertStrContains(t:enter "%help", "%history")
  lu.assertStrContains(t:enter "%tme", "there is no command %tme. Did you mean 'time'?")
  t:finish()
end
