-- Errors at the prompt: message, line, caret, callers; %debug on the frames of the last one.

local lu = require "luaunit"
local support = require "support"
local terminal = require "terminal"

local function start(opts)
  local t = terminal.start(opts)
  t:expect "> "
  return t
end

TestErrors = {}

function TestErrors.test_message_line_and_caret()
  local t = start()
  lu.assertEquals(t:enter "x = math.pi.y.z",
    "error: attempt to index a number value (field 'pi')\n  prompt:1\n"
    .. "  > 1  x = math.pi.y.z\n                ^")
  lu.assertEquals(t:enter "error 'plain'", "error: plain\n  prompt:2")
  lu.assertEquals(t:enter "error('bare', 0)", "error: bare\n  prompt:3")
  lu.assertEquals(t:enter "x x", "error: syntax error near 'x'\n  prompt:4\n  > 1  x x\n         ^")
  lu.assertEquals({ t:finish() }, { 0, true })
end

-- Statements with an expression behind them, which stock Lua takes for something unfinished.
function TestErrors.test_the_last_expression_of_an_entry()
  local t = start()
  lu.assertEquals(t:enter "x, y = 3, 4; x", "3")
  lu.assertEquals(t:enter "local z = 5; x + z, y;", "")
  lu.assertEquals(t:enter "_", "8")
  t:type "\27[200~function f(n)\n  return n\nend\n\nf(6),\n  z\27[201~\n"
  t:expect "\n6\t5\n> "
  lu.assertEquals(t:enter "x = 1; nope",
    "error: there is no variable 'nope'.\n  prompt:5\n  > 1  x = 1; nope\n              ^")
  lu.assertEquals(t:enter "nope", "error: there is no variable 'nope'.\n  prompt:6")
  t:type "for i = 1, 2 do x = i; x\n" -- open, as ever
  t:expect ".. "
  lu.assertEquals(t:enter "= i + 1 end", "")
  lu.assertEquals(t:enter "x", "3")
  t:finish()
end

-- Where one word stands in a line more than once, the caret is under the one that failed, or
-- there is none.
function TestErrors.test_the_caret_among_equal_words()
  local t = start()
  local function under(column, line)
    local text = t:enter(line)
    local blanks = text:match "\n( *)%^$"
    lu.assertEquals(blanks and #blanks - #"  > 1  " + 1, column, text)
  end
  under(18, "goto done; x = 5 5 ::done::")
  under(8, "nope = nope + 1")
  under(23, "local q = {}; q.x = q.x + 1")
  under(24, "local q = {}; return q['x'].y")
  under(nil, "local q = {}; q.x.y = q['x'].y")
  under(nil, "print(nope, nope)")
  t:finish()
end

-- The place of the error and that of its caller are one line: it is shown once.
function TestErrors.test_a_line_that_calls_itself()
  local t = start()
  lu.assertEquals(t:enter "(function() error 'direct' end)()", "error: direct\n  prompt:1")
  t:type "(function()\n"
  t:expect ".. "
  lu.assertStrContains(t:enter "error 'far' end)()", "called from\n    prompt:2:1")
  t:finish()
end

function TestErrors.test_which_lines_wait_for_more()
  local t = start()
  lu.assertEquals(t:enter "x = 'open", "error: unfinished string near <eof>\n  prompt:1")
  t:type "#'a\\\n"
  t:expect ".. "
  lu.assertEquals(t:enter "b'", "3")
  t:type "{1,\n"
  t:expect ".. "
  lu.assertEquals(t:enter "2}", "{ 1, 2 }")
  t:finish()
end

function TestErrors.test_a_wrong_expression_is_wrong_where_it_is()
  local t = start()
  lu.assertStrContains(t:enter "{1, 2 3}", "error: '}' expected near '3'")
  lu.assertStrContains(t:enter "a + * 2", "error: unexpected symbol near '*'")
  lu.assertStrContains(t:enter "b = 1 a + * 2", "error: syntax error near '+'")
  lu.assertStrContains(t:enter ")", "error: unexpected symbol near ')'")
  t:finish()
end

function TestErrors.test_context_and_callers()
  local t = start()
  t:type("\27[200~function add(a)\n  local b = 'é' .. a + 1\n  return b\nend\27[201~\n")
  t:expect "\n> "
  t:enter "function outer() local r = add({}) return r end"
  lu.assertEquals(t:enter "outer()", table.concat({
    "error: attempt to perform arithmetic on a table value (local 'a')",
    "  prompt:1:2",
    "    1  function add(a)",
    "  > 2    local b = 'é' .. a + 1",
    "                          ^",
    "    3    return b",
    "  called from",
    "    prompt:2  in 'outer'",
    "    prompt:3" }, "\n"))
  t:finish()
end

function TestErrors.test_objects_and_other_values()
  local t = start()
  t:enter "own = setmetatable({}, {__tostring = function() return 'own text' end})"
  lu.assertStrContains(t:enter "error(own)", "error: own text\n")
  lu.assertStrContains(t:enter "error {code = 7}", "code = 7")
  lu.assertEquals(t:enter "_err.code", "7")
  lu.assertStrContains(t:enter "error()", "error: nil")
  lu.assertStrContains(t:enter "error(setmetatable({}, {__tostring = error}))", "error: ")
  lu.assertEquals(t:enter "1 + 1", "2")
  t:finish()
end

function TestErrors.test_the_library_s_misuse_shows_the_user_s_line()
  local t = start()
  t:enter "a = tensor.ones(2, 3)"
  local text = t:enter "tensor.matmul(a, a)"
  lu.assertStrContains(text, "error: ")
  lu.assertStrContains(text, "a's columns (3) must equal b's rows (2)")
  lu.assertStrContains(text, "prompt:2")
  lu.assertNotStrContains(text, "unroll/")
  t:finish()
end

function TestErrors.test_a_method_that_is_called_with_a_dot()
  local t = start()
  t:enter "m = rnn.lm { vocab = 3, hidden = 2 }; x = tensor.ones(2, 1):to 'int32'"
  local colon = "\n  a method is called with a colon: object:forward(...)\n"
  lu.assertStrContains(t:enter "m.forward(x, x)", colon)
  lu.assertStrContains(t:enter "m.forward()", colon)
  lu.assertNotStrContains(t:enter "m:forward(x)", "colon")
  lu.assertNotStrContains(t:enter "m.layers[1]:forward(3)", "colon")
  t:enter "ax = plot.figure {}:at(1, 1)" -- marks are methods that are made when asked for
  lu.assertNotStrContains(t:enter "ax:violin 'a'", "colon")
  t:finish()
end

function TestErrors.test_files()
  local t = start()
  support.write_file(t.home .. "/bad.lua", "local t = {}\nreturn t.a.b\n")
  lu.assertEquals(t:enter "dofile 'bad.lua'", table.concat({
    "error: attempt to index a nil value (field 'a')", "  bad.lua:2", "    1  local t = {}",
    "  > 2  return t.a.b", "                ^", "  called from", "    prompt:1" }, "\n"))
  support.write_file(t.home .. "/worse.lua", "x = = 1\n")
  lu.assertStrContains(t:enter "%run worse.lua", "unexpected symbol near '='\n  worse.lua:1\n"
    .. "  > 1  x = = 1\n           ^")
  t:finish()
end

function TestErrors.test_a_coroutine_shows_the_line_inside()
  local t = start()
  lu.assertEquals(t:enter "f = coroutine.wrap(function() local q return q.x end)", "")
  lu.assertEquals(t:enter "f()", table.concat({
    "error: attempt to index a nil value (local 'q')", "  prompt:1",
    "  > 1  f = coroutine.wrap(function() local q return q.x end)",
    "                                                    ^", "  called from", "    prompt:2" },
    "\n"))
  t:finish()
end

function TestErrors.test_a_file_of_bytes()
  local t = start()
  support.write_file(t.home .. "/bytes.lua", "x = \27[31m\xff\0\n")
  local text = t:enter "%run bytes.lua"
  lu.assertStrContains(text, "> 1  x = ?[31m??")
  t:finish()
end

function TestErrors.test_the_library_survives_variables_with_its_names()
  local t = start()
  t:enter "local type, next, error, table, string, select = 1, 2, 3, 4, 5, 6"
  lu.assertStrContains(t:enter "tensor.ones(2, 2)", "tensor float32 (2, 2)")
  lu.assertStrContains(t:enter "tensr", "Did you mean 'tensor'?")
  lu.assertEquals(t:enter "type + next", "3")
  t:finish()
end

function TestErrors.test_a_stack_overflow()
  local t = start()
  t:enter "function deep(n) return 1 + deep(n + 1) end"
  local text = t:enter "deep(1)"
  lu.assertStrContains(text, "stack overflow")
  lu.assertTrue(select(2, text:gsub("\n", "")) < 30, text)
  lu.assertEquals(t:enter "1 + 1", "2")
  t:finish()
end

function TestErrors.test_out_of_memory()
  local t = start()
  lu.assertStrContains(t:enter "x = ('x'):rep(1e15)", "error: ")
  lu.assertEquals(t:enter "1 + 1", "2")
  t:finish()
end

function TestErrors.test_unknown_variables()
  local t = start()
  lu.assertStrContains(t:enter "tensr", "there is no variable 'tensr'. Did you mean 'tensor'?")
  lu.assertStrContains(t:enter "if nothing_here then end", "there is no variable 'nothing_here'.")
  lu.assertStrMatches(t:enter "v = {} print(w)", "error: there is no variable 'w'%.\n[^?]*")
  t:enter "fresh = nil" -- it was set
  lu.assertEquals(t:enter "fresh", "nil")
  lu.assertEquals(t:enter "local state, trace; print(state, trace)", "nil\tnil")
  lu.assertEquals(t:enter "state", "nil")
  lu.assertEquals(t:enter "_G.nothing_here == nil", "true")
  t:enter "strict(false)"
  lu.assertEquals(t:enter "nothing_here", "nil")
  t:finish()
end

function TestErrors.test_files_may_read_unknown_variables()
  local t = start()
  support.write_file(t.home .. "/reads.lua", "return unknown == nil")
  lu.assertEquals(t:enter "dofile 'reads.lua'", "true")
  t:finish()
end

TestDebug = {}

function TestDebug.test_frames_of_the_last_error()
  local t = start()
  t:enter "function inner(v) local w = v * 2 local n return w.x.y, n end"
  t:enter "function outer(name) local r = inner(#name) return r end"
  t:enter "n = 'global'"
  t:enter "outer 'four'"
  local text = t:enter("%debug", "debug> ")
  lu.assertStrContains(text, "frame 1 of 3   prompt:1  in 'inner'")
  lu.assertStrContains(text, "v = 4")
  lu.assertStrContains(text, "w = 8")
  lu.assertEquals(t:enter("w + v", "debug> "), "12")
  lu.assertEquals(t:enter("n", "debug> "), "nil") -- the local one, not the global one
  lu.assertStrContains(t:enter("%up", "debug> "), "frame 2 of 3   prompt:2  in 'outer'")
  lu.assertStrContains(t:enter("name", "debug> "), "four")
  lu.assertEquals(t:enter("n", "debug> "), '"global"')
  lu.assertEquals(t:enter("kept = #name + math.floor(1.5)", "debug> "), "")
  lu.assertStrContains(t:enter("%where", "debug> "), ">  2  prompt:2  in 'outer'")
  t:enter("%down", "debug> ")
  lu.assertStrContains(t:enter("%down", "debug> "), "error: ")
  lu.assertStrContains(t:enter("nothing", "debug> "), "there is no variable 'nothing'")
  t:type "\4"
  t:expect "\n> "
  lu.assertEquals(t:enter "kept", "5")
  t:finish()
end

function TestDebug.test_without_an_error()
  local t = start()
  lu.assertStrContains(t:enter "%debug", "error: there is no error")
  lu.assertStrContains(t:enter "%up", "error: ")
  t:finish()
end

function TestDebug.test_upvalues_and_coroutines()
  local t = start()
  t:enter "do local hidden = 7 function f() local a = hidden return a.b.c end end"
  t:enter "coroutine.wrap(function() f() end)()"
  t:enter "f()"
  local text = t:enter("%debug", "debug> ")
  lu.assertStrContains(text, "hidden = 7")
  lu.assertEquals(t:enter("hidden + a", "debug> "), "14")
  t:enter "%quit"
  t:finish()
end
