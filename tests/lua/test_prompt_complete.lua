-- Tab: what is offered, that nothing is run to find out, and how it looks at a terminal.

local lu = require "luaunit"
local core = require "unroll.core"
local support = require "support"
local terminal = require "terminal"

local complete = require("unroll.prompt.complete").complete

-- The names offered after a text.
local function names(text, environment, pending)
  return complete(pending or "", text, environment or _G).names
end

local function has(list, ...)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  for _, name in ipairs { ... } do lu.assertTrue(set[name], name .. " is missing") end
end

local function lacks(list, ...)
  for _, name in ipairs(list) do
    for _, unwanted in ipairs { ... } do lu.assertNotEquals(name, unwanted) end
  end
end

TestComplete = {}

function TestComplete.test_variables_and_keywords()
  has(names "str", "string")
  has(names "x = fun", "function")
  has(names "loc", "local")
  has(names "mine", "mine")
  has(names("abc", { abcd = 1 }), "abcd")
  lacks(names "x = ", "_G", "_VERSION")
  has(names "_V", "_VERSION")
  lu.assertEquals(names "nothing_like_it", {})
end

_G.mine = { [1] = { deep = { deeper = 1 } }, field = 1, call = print, ["not a name"] = 1 }

function TestComplete.test_members()
  lu.assertEquals(names "string.form", { "format" })
  lu.assertEquals(names "mine.", { "call", "field" })
  lu.assertEquals(names "mine:", { "call" })
  lu.assertEquals(names "mine[1].", { "deep" })
  lu.assertEquals(names "mine[1].deep.dee", { "deeper" })
  lu.assertEquals(names "x = #mine.fi", { "field" })
  lu.assertEquals(names "('x'):upp", { "upper" })
  lu.assertEquals(names "f().", {})
  lu.assertEquals(names "mine [ 1 ] . de", { "deep" })
  lu.assertEquals(names 'mine["call"].', {})
end

function TestComplete.test_classes()
  local Base = { base = print }
  Base.__index = Base
  local Class = setmetatable({ method = print, value = 1, __secret = 1 }, { __index = Base })
  Class.__index = Class
  local environment = { o = setmetatable({ own = 1 }, Class) }
  lu.assertEquals(names("o.", environment), { "base", "method", "own", "value" })
  lu.assertEquals(names("o:", environment), { "base", "method" })
end

function TestComplete.test_tensors_and_models()
  local environment = { t = unroll.tensor.ones(2), rnn = unroll.rnn,
    model = unroll.rnn.lm { cell = "tanh", vocab = 3, hidden = 2 } }
  has(names("t:s", environment), "sum", "size", "sqrt")
  has(names("model.W_", environment), "W_xh", "W_hh", "W_hy")
  lacks(names("model:", environment), "W_xh", "layers")
  has(names("model:", environment), "forward", "sample")
  has(names("model.layers[1].W_", environment), "W_xh", "W_hh")
  has(names("unroll.te", environment), "tensor", "text")
  has(names("rnn.l", environment), "lm", "load")
end

-- A trap that goes off when anything is called.
local function armed(fired)
  local function fire() fired[1] = true error "fired" end
  return setmetatable({ inside = 1 }, { __index = fire, __newindex = fire, __len = fire,
    __call = fire, __eq = fire, __tostring = fire, __pairs = fire, __name = "trap" })
end

function TestComplete.test_nothing_is_run()
  local fired = {}
  local environment = setmetatable({ trap = armed(fired), holder = { armed(fired) },
    chain = setmetatable({}, { __index = armed(fired) }) }, { __index = function()
      fired[1] = true
    end })
  for _, text in ipairs { "trap", "trap.", "trap.x.y", "trap:", "trap(", "trap{", "trap[1].",
    "holder[1].", "chain.", "chain.x.", "trap.inside.", "missing.", "missing(", 'trap["',
    "x = trap." } do
    complete("", text, environment)
  end
  lu.assertNil(fired[1])
  lu.assertEquals(names("trap.", environment), { "inside" })
end

function TestComplete.test_cycles_end()
  local a, b = {}, { b = 1 }
  setmetatable(a, { __index = b })
  setmetatable(b, { __index = a })
  lu.assertEquals(names("a.", { a = a }), { "b" })
end

function TestComplete.test_no_module_is_loaded()
  local directory = support.tmpdir()
  support.write_file(directory .. "/loud.lua", "loud_was_loaded = true")
  support.run(("mkdir -p '%s/pack' && touch '%s/pack/init.lua' '%s/pack/part.lua'"):format(
    directory, directory, directory))
  local path = package.path
  package.path = directory .. "/?.lua;" .. directory .. "/?/init.lua"
  lu.assertEquals(names 'require "lou', { "loud" })
  lu.assertEquals(names 'x = require("pac', { "pack", "package" })
  lu.assertEquals(names "require 'pack.", { "pack.part" })
  has(names 'require "unroll.pl', "unroll.plot")
  package.path = path
  lu.assertNil(rawget(_G, "loud_was_loaded"))
end

function TestComplete.test_files()
  local directory = support.tmpdir()
  support.run(("cd '%s' && mkdir 'a folder' && touch data.txt dates.txt .hidden 'a folder/x'")
    :format(directory))
  lu.assertEquals(names(('io.open("%s/da'):format(directory)),
    { directory .. "/data.txt", directory .. "/dates.txt" })
  lu.assertEquals(names(("f('%s/a folder/"):format(directory)), { directory .. "/a folder/x" })
  lacks(names(('f("%s/'):format(directory)), directory .. "/.hidden")
  lu.assertEquals(names(('f("%s/.h'):format(directory)), { directory .. "/.hidden" })
  lu.assertEquals(complete("", 'f("da', _G).append, '"')
  lu.assertEquals(names(("%%run %s/dat"):format(directory)),
    { directory .. "/data.txt", directory .. "/dates.txt" })
end

function TestComplete.test_keys_in_brackets()
  has(names 'mine["', "not a name", "call")
  lu.assertEquals(names "mine['fi", { "field" })
end

function TestComplete.test_comments_and_numbers()
  lu.assertEquals(names "x = 1 -- str", {})
  lu.assertEquals(names "--[[ str", {})
  lu.assertEquals(names "x = 0x1f", {})
  has(names "x = 1 --[[ a ]] str", "string")
end

function TestComplete.test_names_of_the_entry_itself()
  has(names "local alpha, beta = 1, 2 al", "alpha")
  has(names("  gam", _G, "function f(gamma, delta)\n"), "gamma")
  has(names("  ite", _G, "for item in pairs(mine) do\n"), "item")
  lu.assertEquals(names "local mine = f() mine.", {}) -- another mine
end

function TestComplete.test_empty_line()
  lu.assertEquals(complete("", "", _G).insert, "  ")
  lu.assertEquals(complete("do\n", "  ", _G).insert, "  ")
end

function TestComplete.test_signature()
  local environment = { f = function(a, b, ...) return a, b, ... end, tensor = unroll.tensor }
  lu.assertEquals(complete("", "f(", environment).message, "f(a, b, ...)")
  lu.assertEquals(complete("", "x = 1 + f(1, ", environment).message, "f(a, b, ...)")
  lu.assertStrContains(complete("", "tensor.matmul(", environment).message, "tensor.matmul(a, b")
  lu.assertNil(complete("", "f(mi", environment).message)
end

function TestComplete.test_options()
  local help = require "unroll.help"
  local options = help.options
  local f = function() end
  help.options = function(g)
    return g == f and { { name = "alpha" }, { name = "beta", type = '"one"|"only"|"two"' },
      { name = "batch" } } or {}
  end
  local environment = { f = f }
  lu.assertEquals(names("f{", environment), { "alpha", "batch", "beta" })
  lu.assertEquals(names("f(1, { alpha = 2, b", environment), { "batch", "beta" })
  lu.assertEquals(complete("", "f{al", environment).append, "=")
  lacks(names("f{alpha = ", environment), "beta") -- a value belongs there
  lu.assertEquals(names('f{beta = "on', environment), { "one", "only" })
  help.options = options
end

-- What the documentation says of rnn.cell and rnn.lm.
function TestComplete.test_names_of_cells()
  local environment = { rnn = unroll.rnn, f = function() end }
  lu.assertEquals(names('rnn.lm{cell = "l', environment), { "lstm" })
  lu.assertEquals(names('c = rnn.cell("', environment), { "tanh", "relu", "lstm", "gru" })
  lu.assertEquals(names('c = rnn.cell("g', environment), { "gru" })
  lu.assertEquals(complete("", 'rnn.cell("g', environment).append, '"')
  lu.assertEquals(names('rnn.cell("gru", {reset = "b', environment), { "before" })
  has(names('rnn.cell("lstm", {forg', environment), "forget_bias")
  lacks(names('f("', environment), "gru")
end

function TestComplete.test_commands()
  has(names "%ti", "time", "timeit")
  lu.assertEquals(names "%timeit mine.fi", { "field" })
  lu.assertEquals(names "?mine.fi", { "field" })
  lu.assertEquals(names "??string.for", { "format" })
end

function TestComplete.test_it_is_quick()
  local environment = {}
  for i = 1, 1000 do environment["name" .. i] = i end
  local code = ("x = f(a, { b = 1 }) -- c\n"):rep(200)
  local start = core.sys.clock()
  complete(code, "name", environment)
  lu.assertTrue(core.sys.clock() - start < 1) -- not a measurement: against a square of the length
end

-- --- at the terminal -------------------------------------------------------------------------

TestTab = {}

function TestTab.test_one_name_is_filled_in_and_several_are_listed()
  local t = terminal.start()
  t:expect "> "
  t:type "alpha1 = 6 alpha2 = 8 gamma = {delta = 42}\n"
  t:expect "\n> "
  t:type "gam\t.de\t\n"
  t:expect "gamma.delta\n42\n> "
  t:type "al\t"
  t:expect "alpha1  alpha2"
  t:type "1 + 1\n"
  t:expect "\n7\n> "
  t:finish()
end

function TestTab.test_an_object_that_raises_when_it_is_read()
  local t = terminal.start()
  t:expect "> "
  t:enter "trap = setmetatable({own = 1}, {__index = function() print 'fired' error 'no' end})"
  t:type "trap.\t\n"
  lu.assertNotStrContains(t:expect "\n1\n> ", "fired")
  t:finish()
end

function TestTab.test_indent_signature_and_files()
  local t = terminal.start()
  t:expect "> "
  support.write_file(t.home .. "/only_one.txt", "text")
  t:type "\tx = 1\n"
  t:expect "  x = 1\n"
  t:type "tensor.matmul(\t"
  t:expect "tensor.matmul(a, b, out)"
  t:expect "> tensor.matmul("
  t:type "\21"
  t:type "io.open('only\t):read 'a'\n"
  t:expect "text"
  t:expect "\n> "
  t:finish()
end
