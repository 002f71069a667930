-- From what was typed to a function: tokens, entries that are not finished or end with an
-- expression, what `local` is rewritten to and then does.

local lu = require "luaunit"
local compile = require "unroll.prompt.compile"
local lexer = require "unroll.prompt.lexer"
local locals = require "unroll.prompt.locals"
local terminal = require "terminal"

TestRewrite = {}

local cases = {
  { "local x = 1", " x = 1" },
  { "local x", " x = nil" },
  { "local x y = 2", " x = nil y = 2" },
  { "local a, b, c = f()", " a, b, c = f()" },
  { "local function f() return f end", " function f() return f end" },
  { "local print = print", " print = print" },
  -- only the outermost ones
  { "for i = 1, 3 do local x = i end", "for i = 1, 3 do local x = i end" },
  { "function f() local x = 1 end local y = 2", "function f() local x = 1 end  y = 2" },
  { "if a then local b = 1 elseif c then local d else local e end local z = 3",
    "if a then local b = 1 elseif c then local d else local e end  z = 3" },
  { "repeat local x = 1 until x local y = 1", "repeat local x = 1 until x  y = 1" },
  { "while a do local x = 1 end local y = 1", "while a do local x = 1 end  y = 1" },
  { "do local x = 1 end local y = 1", "do local x = 1 end  y = 1" },
  { "local f = function() local x = 1 return x end local y = 2",
    " f = function() local x = 1 return x end  y = 2" },
  -- where the word is no keyword
  { "s = 'local x = 1'", "s = 'local x = 1'" },
  { "s = \"a \\\" local x\" local y = 1", "s = \"a \\\" local x\"  y = 1" },
  { "s = [[\nlocal x = 1\n]] local y = 1", "s = [[\nlocal x = 1\n]]  y = 1" },
  { "s = [==[ ]] local x ]==] local y = 1", "s = [==[ ]] local x ]==]  y = 1" },
  { "-- local x = 1\nlocal y = 2", "-- local x = 1\n y = 2" },
  { "--[[ local x\n]] local y = 2", "--[[ local x\n]]  y = 2" },
  { "t = {localx = 1} mylocal = 2", "t = {localx = 1} mylocal = 2" },
  -- lines stay
  { "local x =\n  1\nlocal y\nprint(x)", " x =\n  1\n y = nil\nprint(x)" },
  -- attributes
  { "local x <const> = 1", " x  = 1" },
  { "local f <close> = io.open('x')", "local f <close> = io.open('x')" },
  { "local a, f <close> = 1, g() local b = 2", "local a, f <close> = 1, g()  b = 2" },
  { "local f <close> = g() local f = 1", "local f <close> = g() local f = 1" },
  -- what is not wanted, and names given twice
  { "local _, x = f()", "local _; _, x = f()" },
  { "local x, x = 1, 2", "local _; _, x = 1, 2" },
}

function TestRewrite.test_cases()
  for _, case in ipairs(cases) do
    local code = locals.rewrite(case[1])
    lu.assertEquals(code, case[2])
    lu.assertNotNil(load(code), code)
    local _, lines = case[1]:gsub("\n", "")
    lu.assertEquals(select(2, code:gsub("\n", "")), lines)
  end
end

function TestRewrite.test_a_note_tells_of_dropped_constness()
  local _, notes = locals.rewrite "local x <const> = 1"
  lu.assertEquals(notes, { "x is not <const> at the prompt" })
end

-- Runs entries one after the other in one environment.
local function session(entries, options)
  local environment = setmetatable({}, { __index = _G })
  for i, text in ipairs(entries) do
    local chunk = assert(compile.entry(text, "=prompt:" .. i, { environment = environment,
      lua_locals = options and options.lua_locals }))
    chunk.run(function(...) environment.last = ... end)
  end
  return environment
end

function TestRewrite.test_values_are_those_of_lua()
  local e = session { "local a, b = 1, 2", "a, b = b, a", "local x, x = 10, 20",
    "local _, second = 'no', 'yes'", "local n = 0 local function count() n = n + 1 return n end",
    "count() count()", "local print = print" }
  lu.assertEquals({ e.a, e.b, e.x, rawget(e, "_"), e.second, e.n, rawget(e, "print") },
    { 2, 1, 20, nil, "yes", 2, print })
end

function TestRewrite.test_more_than_200_locals()
  local lines = {}
  for i = 1, 300 do lines[i] = ("local v%d = %d"):format(i, i) end
  lu.assertEquals(session({ table.concat(lines, "\n"), "v300 + v1" }).last, 301)
end

function TestRewrite.test_to_be_closed_variables_close_with_the_entry()
  local e = session { [[local function close() closed = 1 end
    local guard <close> = setmetatable({}, { __close = close }) open = closed == nil]], "guard" }
  lu.assertEquals({ e.closed, e.open, e.last }, { 1, true, nil })
end

function TestRewrite.test_lua_locals_end_with_their_entry()
  local e = session({ "local x = 1 y = x + 1", "x" }, { lua_locals = true })
  lu.assertEquals({ e.y, e.last }, { 2, nil })
end

TestCompile = {}

local function needs_more(text) return compile.needs_more(text) end

local function is_expression(text)
  return assert(compile.entry(text, "=prompt:1", { environment = {} })).expression
end

function TestCompile.test_an_expression_after_statements()
  for _, text in ipairs { "x = 1; a", "x = 1\na, b", "x = 1; a.b", "f()\n.y", "f()\n(g) + 1",
    "t = {1,\n2}; t", "function f()\n x()\nend\nf" } do
    lu.assertEquals({ needs_more(text), is_expression(text) }, { false, true }, text)
  end
  for _, text in ipairs { "x = 1; a:b", "t = {f;\n a", "f(x,\ny", "function f()\n x" } do
    lu.assertTrue(needs_more(text), text)
  end
end

-- How many times f calls the compiler.
local function compilations(f)
  local count = 0
  debug.sethook(function()
    if debug.getinfo(2, "f").func == load then count = count + 1 end
  end, "c")
  local ok, message = pcall(f)
  debug.sethook()
  lu.assertTrue(ok, message)
  return count
end

function TestCompile.test_lines_are_not_compiled_again_for_each_that_follows()
  local open = "function f(x)\n" .. ("  x = x + 1\n"):rep(300)
  local count = compilations(function()
    lu.assertTrue(needs_more(open))
    lu.assertNil((compile.entry(open .. "x = = 1\n" .. open, "=prompt:1", {})))
  end)
  lu.assertTrue(count > 0 and count < 10, count)
end

TestLexer = {}

function TestLexer.test_kinds()
  local found = {}
  for _, token in ipairs(lexer.tokens "x1=0x1p4..'a\\'b' --c\n>= [[d]]::e:: 3.5e-3 1e5 .5") do
    found[#found + 1] = token.kind .. " " .. token.text
  end
  lu.assertEquals(found, { "name x1", "symbol =", "number 0x1p4", "symbol ..", "string 'a\\'b'",
    "comment --c", "symbol >=", "string [[d]]", "symbol ::", "name e", "symbol ::",
    "number 3.5e-3", "number 1e5", "number .5" })
end

function TestLexer.test_what_does_not_end()
  for _, code in ipairs { "'abc", "\"abc\\", "[[abc", "[=[abc]]", "--[[abc" } do
    local tokens = lexer.tokens(code)
    lu.assertEquals({ #tokens, tokens[1].open, tokens[1].last }, { 1, true, #code }, code)
  end
  lu.assertEquals(lexer.tokens("'abc\nd")[2].text, "d")
end

function TestLexer.test_lines()
  local tokens = lexer.tokens "a\n\n[[\n]] b"
  lu.assertEquals({ tokens[1].line, tokens[2].line, tokens[3].line }, { 1, 3, 4 })
end

TestLocalsTyped = {}

function TestLocalsTyped.test_they_survive()
  local t = terminal.start()
  t:expect "> "
  t:enter "local x = 4"
  t:enter "local function twice(v) return 2 * v end"
  lu.assertEquals(t:enter "twice(x)", "8")
  lu.assertStrContains(t:enter "local c <const> = 1", "c is not <const> at the prompt")
  t:finish()
end

function TestLocalsTyped.test_lua_locals()
  local t = terminal.start { arguments = "-q --lua-locals" }
  t:expect "> "
  t:enter "local x = 4"
  lu.assertStrContains(t:enter "x", "there is no variable 'x'")
  t:finish()
end
