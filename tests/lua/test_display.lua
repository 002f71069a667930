-- How values look at the prompt: Lua's own, tables, and every kind of object.

local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"

local display = require "unroll.display"
local text = require "unroll.display.text"
local tensor, rnn, optim = unroll.tensor, unroll.rnn, unroll.optim

local function show(value, width, more)
  local opts = { width = width or 80 }
  for name, option in pairs(more or {}) do opts[name] = option end
  return display.show(value, opts)
end

local function widest(shown)
  local most = 0
  for line in shown:gmatch "[^\n]+" do most = math.max(most, text.width(line)) end
  return most
end

-- --- Lua's values -------------------------------------------------------------------------

TestDisplayValues = {}

function TestDisplayValues.test_plain_values()
  for _, case in ipairs { { nil, "nil" }, { true, "true" }, { 3, "3" }, { 3.0, "3.0" },
    { 1 / 0, "inf" }, { -1 / 0, "-inf" }, { 0 / 0, "nan" }, { -(0 / 0), "nan" },
    { math.mininteger, "-9223372036854775808" } } do
    lu.assertEquals(show(case[1]), case[2])
  end
end

function TestDisplayValues.test_strings_are_literals_that_give_the_same_string()
  for _, s in ipairs { "", "plain", "a\nb\tc\r\0\0011\127", "quote \" and \\ backslash", "\27[31m",
    "grün ∂ 水 🎲", "\xff\xfe", "cut\xe2\x88", "\u{202E}\u{200B}\u{85}" } do
    local shown = show(s)
    lu.assertNotStrContains(shown, "\27")
    lu.assertNil(shown:find "%c")
    lu.assertNotNil(utf8.len(shown))
    lu.assertEquals(load("return " .. shown)(), s)
  end
  lu.assertStrContains(show "grün", "grün")
end

function TestDisplayValues.test_long_strings_are_cut_and_say_how_long_they_are()
  local shown = show(("é"):rep(50000))
  lu.assertTrue(#shown < 5000)
  lu.assertStrContains(shown, '…" (100,000 bytes)')
  lu.assertTrue(widest(show { s = ("x"):rep(1000) }) <= 80)
end

function TestDisplayValues.test_functions_have_a_name_or_a_place()
  lu.assertEquals(show(string.format), "function string.format")
  lu.assertEquals(show(print), "function print")
  lu.assertEquals(show(tensor.matmul), "function tensor.matmul")
  lu.assertEquals(show(rnn.lm), "function rnn.lm")
  lu.assertEquals(show(tensor.zeros(1).normal_), "function Tensor:normal_")
  lu.assertEquals(show(load("\n\nreturn function() end", "=prompt")()), "function: prompt:3")
  lu.assertEquals(show(coroutine.create(print)), "coroutine: suspended")
end

-- --- tables ---------------------------------------------------------------------------------

TestDisplayTables = {}

function TestDisplayTables.test_on_one_line()
  for _, case in ipairs {
    { {}, "{}" }, { { 1, "a", false }, '{ 1, "a", false }' },
    { { 1, nil, 3 }, "{ 1, nil, 3 }" }, { { [1] = 1, [1000] = 2 }, "{ 1, [1000] = 2 }" },
    { { n = 2, 10, 20 }, "{ 10, 20, n = 2 }" }, { table.pack(nil, nil), "{ n = 2 }" },
    { { b = 1, a = 2, ["end"] = 3, ["x y"] = 4, [1.5] = 5, [true] = 6, [-1] = 7 },
      '{ [-1] = 7, [1.5] = 5, a = 2, b = 1, ["end"] = 3, ["x y"] = 4, [true] = 6 }' },
    { { k10 = 1, k9 = 2 }, "{ k9 = 2, k10 = 1 }" },
  } do
    lu.assertEquals(show(case[1]), case[2])
  end
end

-- What is shown in Lua's syntax is read back as the same table.
function TestDisplayTables.test_is_lua()
  local value = { 1, 2, { x = { 3.5, "s" } }, name = "a\nb", ["not a name"] = { true },
    long = { ("abc "):rep(10), ("def "):rep(10), ("ghi "):rep(10) } }
  for _, width in ipairs { 200, 80, 40 } do
    local code = "return " .. show(value, width, { items = 100 }):gsub("…", "")
    if width == 200 then support.near(load(code)(), value) end
    lu.assertNotNil(load(code:gsub('" %(%d+ bytes%)', '"')), code)
    lu.assertTrue(widest(show(value, width)) <= width)
  end
end

function TestDisplayTables.test_cycles_and_shared_tables()
  local t = { 1 }
  t.self, t.list = t, { t }
  lu.assertEquals(show(t), "<1>{ 1, list = { <table 1> }, self = <table 1> }")
  local shared = { 7 }
  lu.assertEquals(show { shared, shared, { 7 } }, "{ <1>{ 7 }, <table 1>, { 7 } }")
  local as_key = {}
  as_key[as_key] = 1
  lu.assertStrContains(show(as_key), "<table 1>")
end

function TestDisplayTables.test_depth_and_length_are_bounded()
  lu.assertEquals(show { { { { { 1 } } } } }, "{ { { { {…} } } } }")
  local many = {}
  for i = 1, 1000 do many[i] = i end
  lu.assertStrContains(show(many), "… 970 more")
  lu.assertNil(show(many):find("31", 1, true))
  for i = 1, 100 do many["k" .. i] = i end
  local shown = show(many)
  lu.assertStrContains(shown, "k1 = 1")
  lu.assertStrContains(shown, "… 985 more")
  lu.assertStrContains(shown, "… 85 more")
  local huge = {}
  for i = 1, 100000 do huge["key" .. i] = i end
  local _, lines = show(huge):gsub("\n", "")
  lu.assertTrue(lines < 40)
  lu.assertStrContains(show(huge), "… 99,970 more")
end

function TestDisplayTables.test_nothing_of_the_table_is_called()
  local function boo() error "called" end
  local shown = show(setmetatable({ 1, x = 2 }, { __index = boo, __pairs = boo, __len = boo,
    __name = "Mine" }))
  lu.assertEquals(shown, "Mine { 1, x = 2 }")
  lu.assertEquals(show(setmetatable({ 1 }, { __metatable = "locked" })), "{ 1 }")
end

function TestDisplayTables.test_broken_metamethods_are_shown()
  local function with(f) return setmetatable({}, { __tostring = f }) end
  lu.assertStrContains(show(with(function() error "boo" end)), "<error in __tostring: ")
  lu.assertStrContains(show(with(function() error(with(function() error "two" end)) end)),
    "<error in __tostring: ")
  lu.assertEquals(show(with(function() return 5 end)), "<__tostring gave a number>")
  lu.assertEquals(show { with(function() return "two\nlines\27[31m" end) }, "{ two }")
  lu.assertEquals(show(setmetatable({}, { __display = 5 })):match "^<error in __display",
    "<error in __display")
  lu.assertErrorMsgContains("interrupted!", show, with(function() error("interrupted!", 0) end))
end

function TestDisplayTables.test_a_class_of_anybody_joins()
  local Mine = { __display = function(self, how)
    return how.paint("heading", "mine") .. " " .. self.x .. " in " .. how.width
  end, __tostring = function(self) return "mine " .. self.x end }
  local object = setmetatable({ x = 1 }, Mine)
  lu.assertEquals(show(object, 33), "mine 1 in 33")
  lu.assertEquals(show { object }, "{ mine 1 }")
  lu.assertEquals(show(object, 33, { colour = true }), "\27[1mmine\27[0m 1 in 33")
end

function TestDisplayTables.test_modules()
  local shown = show(string, 40)
  lu.assertStrContains(shown, "module string   17 functions")
  lu.assertStrContains(shown, "gsub")
  lu.assertTrue(widest(shown) <= 40)
  lu.assertEquals(show { m = math }, "{ m = module math }")
  -- also what a module loads only when it is asked for
  lu.assertStrContains(show(require "unroll"), "experiment")
  lu.assertStrContains(show(_G), "_VERSION")
end

-- --- objects --------------------------------------------------------------------------------

TestDisplayObjects = {}

function TestDisplayObjects.test_tensors()
  lu.assertEquals(show(tensor { 1, 2, 3 }), "tensor float32 (3)\n  1  2  3")
  lu.assertEquals(show({ tensor { 1, 2 }, tensor.zeros(2, 3), tensor.zeros(0) }, 100),
    "{ tensor float32 (2)   1  2, tensor float32 (2, 3), tensor float32 (0)   no elements }")
  lu.assertTrue(widest(show(tensor.rand(3, 5), 40)) <= 40)
  lu.assertStrContains(show(tensor.generator(1)), "generator")
end

local function small_model(layers)
  return rnn.lm { cell = "tanh", vocab = 65, hidden = 32, layers = layers, seed = 1 }
end

function TestDisplayObjects.test_model()
  local model = small_model(1)
  model.W_hh:copy_(tensor.eye(32)):mul_(0.5)
  local lines = {}
  for line in show(model, 100):gmatch "[^\n]+" do lines[#lines + 1] = line end
  lu.assertEquals(lines, {
    "lm   65 → tanh 32 → 65   5,281 parameters, float32",
    "  layer 1   W_xh (32, 65)   W_hh (32, 32)  σmax 0.5  ρ 0.5   b_h (32)",
    "  head      W_hy (65, 32)   b_y (65)",
  })
  model.W_hh:fill_(0 / 0)
  lu.assertStrContains(show(model), "W_hh (32, 32)  not finite")
  lu.assertStrContains(show(small_model(2)), "2 × tanh 32")
  local linear = rnn.model { cell = "relu", input = 2, hidden = 3, output = 1, head = "linear" }
  lu.assertStrContains(show(linear), "model   2 → relu 3 → 1 (linear)")
  for _, object in ipairs { small_model(2), small_model(1).layers[1], optim.adam(model) } do
    lu.assertTrue(widest(show(object, 40)) <= 40)
    lu.assertTrue(widest(show({ object, x = { object } }, 40)) <= 46)
  end
end

function TestDisplayObjects.test_parameters_cells_and_traces()
  local model = small_model(2)
  local shown = show(model:parameters(), 100)
  lu.assertStrContains(shown, "8 tensors   7,361 numbers, float32")
  lu.assertStrContains(shown, ("layers[1].W_xh   (32, 65)   %.4g"):format(
    model.layers[1].W_xh:norm()))
  lu.assertStrContains(show(model.layers[1]), "cell tanh   65 → 32")
  local x = tensor.ones(5, 2, { dtype = "int32" })
  local loss, _, trace = model:forward(x, x)
  lu.assertStrContains(show(trace), ("T = 5, B = 2   loss %.4g"):format(loss))
  lu.assertNotStrContains(show(trace), "∂L")
  model:backward(trace)
  local norms = trace:state_gradient_norms(2)
  lu.assertStrContains(show(trace), ("layer 2   |∂L/∂h|   %.3g at step 1   %.3g at step 5"):format(
    norms[1], norms[5]))
  lu.assertStrContains(show(trace.layers[1]), "trace   tanh 32   T = 5, B = 2")
end

function TestDisplayObjects.test_text_and_training()
  local corpus = unroll.text.from_string(("abab\n"):rep(100))
  local shown = show(corpus)
  lu.assertStrContains(shown, "corpus string   500 characters, 3 different")
  lu.assertStrContains(shown, "train 400   validation 50   test 50")
  lu.assertStrContains(shown, '"abab\\nabab')
  lu.assertEquals(show(corpus.vocab), 'vocab   3 characters   "\\nab"')
  lu.assertStrContains(show(corpus:batches { batch = 2, window = 10 }), "T = 10, B = 2")
  local model = rnn.lm { vocab = corpus.vocab, hidden = 8 }
  local history = unroll.train.fit(model, corpus, { steps = 60, batch = 2, window = 10,
    progress = false, validation = { every = 30 } })
  shown = show(history)
  lu.assertStrContains(shown, ("history   60 steps   loss %.4g → %.4g"):format(history.loss[1],
    history.loss[60]))
  lu.assertStrContains(shown, "best val")
  lu.assertStrContains(shown, "loss █")
  for _, object in ipairs { corpus, history, unroll.tasks.adding {} } do
    lu.assertTrue(widest(show(object, 48)) <= 48)
  end
  local opt = optim.adam(model, { lr = 0.5 })
  lu.assertStrContains(show(opt), "adam   lr 0.5")
  lu.assertStrContains(show(opt), "0 steps over")
end

function TestDisplayObjects.test_the_rest_says_what_it_is()
  lu.assertStrContains(show(unroll.tasks.adding {}), "task adding   length 50")
  lu.assertStrContains(show(unroll.tasks.adding {}:batches {}), "batches of task adding")
  lu.assertStrContains(show(unroll.plot.figure {}), "figure")
  local e = unroll.experiment.define { name = "mine", title = "A title", question = "Why?",
    options = { { "hidden", 50, "hidden size" } }, run = function() return {} end }
  lu.assertStrContains(show(e), "experiment mine   A title\n  Why?")
  lu.assertStrContains(show(e), "hidden size")
end

-- --- colours --------------------------------------------------------------------------------

TestDisplayColour = {}

function TestDisplayColour.test_no_escape_unless_asked()
  local model = small_model(1)
  for _, value in ipairs { { 1, "a", true, x = {} }, "s", 1, model, model:parameters(), string } do
    lu.assertNotStrContains(show(value), "\27")
    local shown = show(value, 80, { colour = true })
    lu.assertStrContains(shown, "\27[")
    lu.assertEquals((shown:gsub("\27%[[%d;]*m", "")), show(value))
  end
end
