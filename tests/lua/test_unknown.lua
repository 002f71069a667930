-- Names that do not exist: objects and modules of the library offer the nearest one.

local lu = require "luaunit"
local support = require "support"
local terminal = require "terminal"
local unroll = require "unroll"

local options = require "unroll.options"
local tensor, rnn, optim, text = unroll.tensor, unroll.rnn, unroll.optim, unroll.text

TestUnknown = {}

local function model() return rnn.lm { vocab = 5, hidden = 3 } end

local function forward(m)
  local x = tensor.ones(2, 1, { dtype = "int32" })
  return select(3, m:forward(x, x))
end

local function read(object, name)
  return function() return object[name] end
end

function TestUnknown.test_objects()
  local m, corpus = model(), text.corpus "simple"
  local trace = forward(m)
  for _, case in ipairs {
    { m, "W_hx", "lm has no 'W_hx'. Did you mean 'W_xh'?" },
    { m, "parameter", "lm has no 'parameter'. Did you mean 'parameters'?" },
    { m.layers[1], "W_hx", "cell has no 'W_hx'. Did you mean 'W_xh'?" },
    { m.layers[1], "forwrd", "'forward'?" },
    { trace, "state_gradient_norm", "Did you mean 'state_gradient_norms'?" },
    { trace.layers[1], "genration", "'generation'?" },
    { corpus, "batchez", "corpus has no 'batchez'. Did you mean 'batches'?" },
    { corpus.vocab, "encoded", "vocab has no 'encoded'. Did you mean 'encode'?" },
    { corpus:batches {}, "nextt", "batch iterator has no 'nextt'. Did you mean 'next'?" },
    { unroll.tasks.adding {}:batches {}, "set_sate", "'set_state'?" },
    { optim.adam(m), "stepp", "adam has no 'stepp'. Did you mean 'step'?" },
    { unroll.plot.figure {}, "svae", "figure has no 'svae'. Did you mean 'save'?" },
    { unroll.plot, "scatter", "plot has no 'scatter'. Axes have it: plot.figure{}:at():scatter(" },
    { unroll.plot.figure {}, "line", "figure has no 'line'. Axes have it: fig:at(1, 1):line(...)" },
    { unroll.plot.figure {}, "set", "figure has no 'set'. Axes have it: fig:at(1, 1):set(...)" },
    { tensor.zeros(1), "transpoze", "no method 'transpoze'. Did you mean 'transpose'?" },
  } do
    support.raises(case[3], read(case[1], case[2]))
  end
end

function TestUnknown.test_modules()
  for _, case in ipairs {
    { tensor, "matmull", "tensor has no 'matmull'. Did you mean 'matmul'?" },
    { rnn, "lmm", "rnn has no 'lmm'. Did you mean 'lm'?" },
    { text, "corpuss", "'corpus'?" }, { optim, "adamm", "'adam'?" },
    { unroll.train, "fitt", "'fit'?" }, { unroll.tasks, "ading", "'adding'?" },
    { unroll, "experimnt", "unroll has no 'experimnt'. Did you mean 'experiment'?" },
  } do
    support.raises(case[3], read(case[1], case[2]))
  end
  lu.assertEquals(tensor { 1, 2 }:sum(), 3) -- the module can still be called
end

function TestUnknown.test_the_error_points_at_the_reader()
  local _, message = pcall(load("local t = ...\nreturn t.matmull", "=script"), tensor)
  lu.assertStrContains(message, "script:2: tensor has no 'matmull'")
end

function TestUnknown.test_what_stays_as_it_was()
  local m = model()
  lu.assertNil(m.vocab) -- optional
  lu.assertNil(rawget(m, "W_hx"))
  lu.assertNil(m.__index_of_nothing)
  lu.assertNil(tensor[1])
  lu.assertNil(text.corpus("simple")[1])
  local history = unroll.train.fit(rnn.lm { vocab = text.corpus("simple").vocab, hidden = 3 },
    text.corpus "simple", { steps = 1, batch = 2, window = 5, progress = false })
  lu.assertNil(history.best)
  local count = 0
  for name, value in pairs(rnn) do count = count + (name ~= nil and value ~= nil and 1 or 0) end
  lu.assertTrue(count >= 6)
  lu.assertNil(next({}, nil))
end

-- Scripts may ask for global variables that nobody has set; the prompt says that it is wrong.
function TestUnknown.test_globals_in_scripts_are_plain_lua()
  local path = support.tmpdir() .. "/globals.lua"
  support.write_file(path, "if x_that_is_nowhere then print(1) else print(2) end")
  lu.assertEquals(support.run(support.quoted_program .. " " .. path), "2\n")
end

function TestUnknown.test_the_prompt_names_the_library()
  local t = terminal.start()
  t:expect "> "
  lu.assertStrContains(t:enter "lm {}", "there is no variable 'lm'. Did you mean 'rnn.lm'?")
  lu.assertStrContains(t:enter "tensro", "there is no variable 'tensro'. Did you mean 'tensor'?")
  lu.assertStrContains(t:enter "tensor.matmull", "tensor has no 'matmull'. Did you mean 'matmul'?")
  t:finish()
end

function TestUnknown.test_nearest()
  for _, case in ipairs {
    { "W_hx", { "W_hh", "W_xh" }, "W_xh" }, { "colour", { "color", "width" }, "color" },
    { "trans", { "transpose", "t", "tanh" }, "transpose" }, { "xyz", { "lr", "eps" }, nil },
    { "LR", { "lr" }, "lr" }, { "lr", { "lrs" }, "lrs" }, { "a", { "transpose" }, nil },
    { ("x"):rep(100000), { "x" }, nil },
  } do
    lu.assertEquals(options.nearest(case[1], case[2]), case[3])
  end
end
