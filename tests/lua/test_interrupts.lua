-- Ctrl-C in the middle of long work in C: the work ends at once, the error is the one
-- that Lua code gets, and everything can be used afterwards. Most operations here would
-- take hours: they run over an expanded tensor of 1e12 elements.

local lu = require "luaunit"
local support = require "support"
local terminal = require "terminal"

TestLongWork = {}

local prelude = [[
  local unroll = require "unroll"
  local tensor, rnn = unroll.tensor, unroll.rnn
  pressers = {} -- kept: the collector would wait for the end of one that it closes
  local function press(after)
    pressers[#pressers + 1] = io.popen(("sleep %s; kill -INT $PPID"):format(after or 0.05))
  end
  local huge = tensor.ones(1):expand(1e6, 1e6)
  -- Runs f; fails unless it is interrupted within a second of work. That is the processor's
  -- time: on a busy machine the press comes late, and others have their turn.
  local function ends(name, f, ...)
    os.execute "sleep 1.05" -- two presses within a second get through pcall
    local started = os.clock()
    press()
    local ok, message = pcall(f, ...)
    local took = os.clock() - started
    if ok or not tostring(message):find("interrupted!", 1, true) then
      error(name .. ": " .. tostring(message))
    end
    if took > 1.05 then error(("%s took %.2f s"):format(name, took)) end
  end
]]

local directory = support.tmpdir()

local function run(code)
  local path = directory .. "/script.lua"
  support.write_file(path, prelude .. code)
  return support.run(("%s '%s'"):format(support.quoted_program, path))
end

local function finishes(code)
  local output, status = run(code .. "\nprint(7 * 6)")
  lu.assertEquals({ output:gsub("\n$", ""), status }, { "42", 0 })
end

function TestLongWork.test_walks_and_reductions()
  finishes [[
    ends("sum", huge.sum, huge)
    ends("var", huge.var, huge)
    ends("argmax", huge.argmax, huge)
    ends("sum(1)", huge.sum, tensor.ones(1):expand(1e10, 100), 1)
    ends("max(2)", huge.max, tensor.ones(1):expand(1000, 2e9), 2)
    ends("equal", tensor.equal, huge, huge)
    ends("all", huge.all, huge)
    ends("peak", require "unroll.core".profile.peak, "float32", 1, 10000000)
    ends("products", require "unroll.core".profile.products, "float32", 10000000)
    ends("bandwidth", require "unroll.core".profile.bandwidth, 65536, 10000000)]]
end

function TestLongWork.test_what_is_left_is_old_or_new()
  finishes [[
    local t = tensor.zeros(100000000)
    ends("normal_", t.normal_, t)
    assert(t[1] ~= 0 and t[-1] == 0, "not ended half-way")
    local before = tensor.version(t)
    t:narrow(1, 1, 10):fill_(1)
    assert(t:narrow(1, 1, 10):sum() == 10 and tensor.version(t) > before)]]
end

function TestLongWork.test_products_and_sorting()
  finishes [[
    local a = tensor.rand(6000, 6000)
    ends("matmul", tensor.matmul, a, a)
    ends("matmul, transposed", tensor.matmul, a:t(), a:t())
    local line = tensor.rand(20000000)
    ends("sort", line.sort, line)
    ends("randperm", tensor.randperm, 50000000)
    assert(tensor.matmul(tensor.eye(3), tensor.eye(3)):sum() == 3)]]
end

function TestLongWork.test_in_a_coroutine()
  finishes [[
    ends("in wrap", coroutine.wrap(function() huge:sum() end))
    ends("as the coroutine", coroutine.wrap(huge.sum), huge)
    local co = coroutine.create(function()
      coroutine.yield(pcall(huge.sum, huge))
      return "went on"
    end)
    os.execute "sleep 1.05"
    press()
    local _, ok = coroutine.resume(co)
    assert(not ok)
    assert(select(2, coroutine.resume(co)) == "went on")]]
end

-- Both threads leave the pass; the next one, on the same trace, gives the bits of a thread
-- that was never interrupted.
function TestLongWork.test_a_pass_of_two_threads()
  finishes [[
    local x = tensor.ones(4000, 32, { dtype = "int32" })
    local short = x:narrow(1, 1, 5):clone()
    local function made() return rnn.lm { vocab = 20, hidden = 512, seed = 1 } end
    local function results(model, trace)
      local loss, _, own = model:forward(short, short, nil, { trace = trace })
      model:zero_gradients()
      model:backward(own)
      return loss, model:gradients().flat
    end
    local loss, gradients = results(made())
    unroll.threads(2)
    local model = made()
    local _, _, trace = model:forward(x, x)
    ends("backward", model.backward, model, trace)
    ends("forward", model.forward, model, x, x, nil, { trace = trace })
    local ok, message = pcall(model.backward, model, trace)
    assert(not ok and message:find("forward", 1, true), message)
    for _, old in ipairs { trace, false } do
      local again, same = results(model, old or nil)
      assert(again == loss and tensor.equal(same, gradients))
    end]]
end

-- The interrupted pass of a model, of a cell in C, and of one that is stepped in Lua.
function TestLongWork.test_a_trace_of_an_interrupted_forward_is_refused()
  finishes [[
    local function refused(f, ...)
      local ok, message = pcall(f, ...)
      assert(not ok, "backward was done")
      assert(message:find("forward", 1, true), message)
    end
    rnn.register { name = "slow", states = { "h" }, gates = { "a" },
      step = function(pre, _, next) tensor.tanh(pre.a, next.h) end,
      step_grad = function(grad, _, _, next) grad.pre.a:copy_(grad.next.h * (1 - next.h ^ 2)) end }
    for _, name in ipairs { "tanh", "slow" } do
      local model = rnn.lm { cell = name, vocab = 20, hidden = 1024 }
      local short = tensor.ones(2, 8, { dtype = "int32" })
      local x = tensor.ones(1000, 8, { dtype = "int32" })
      local trace = select(3, model:forward(x:narrow(1, 1, 2), x:narrow(1, 1, 2)))
      ends(name, model.forward, model, x, x, nil, { trace = trace })
      refused(model.backward, model, trace)
      local again = select(3, model:forward(short, short, nil, { trace = trace }))
      model:backward(again)
      assert(model:gradients().flat:norm() > 0)
    end
    for _, name in ipairs { "tanh", "slow" } do
      local cell = rnn.cell(name, { input = 4, hidden = 1024 })
      local xs = tensor.ones(1000, 8, 4)
      local _, _, trace = cell:forward(xs:narrow(1, 1, 2))
      ends("cell", cell.forward, cell, xs, nil, { trace = trace })
      refused(cell.backward, cell, trace)
    end]]
end

function TestLongWork.test_backward()
  finishes [[
    local model = rnn.lm { cell = "tanh", vocab = 20, hidden = 1024 }
    local x = tensor.ones(500, 8, { dtype = "int32" })
    local _, _, trace = model:forward(x, x)
    ends("backward", model.backward, model, trace)
    assert(not pcall(model.backward, model, trace))
    model:gradients().flat:fill_(1)
    model:zero_gradients()
    assert(model:gradients().flat:norm() == 0)
    -- gradients that a pass would have written: none of the old ones is left
    model:gradients().flat:fill_(1)
    model:zero_gradients()
    model:forward(x, x, nil, { trace = trace })
    ends("backward", model.backward, model, trace)
    assert(model:gradients().flat:norm() == 0)]]
end

-- In training the first press waits for the end of the step, the second does not.
function TestLongWork.test_second_press_in_training()
  finishes [[
    local model = rnn.lm { cell = "tanh", vocab = 20, hidden = 2048 }
    local x = tensor.ones(400, 32, { dtype = "int32" })
    local source = { batches = function() return function() return x, x, {} end end }
    press(0.3)
    press(0.6)
    local started = os.clock()
    local ok, message = pcall(unroll.train.fit, model, source, { steps = 100, progress = false })
    assert(not ok and message:find "interrupted!", message)
    assert(os.clock() - started < 3)]]
end

-- At a terminal: the prompt is there again, with everything that there was.
function TestLongWork.test_at_the_prompt()
  local t = terminal.start()
  t:expect "> "
  t:enter "a = tensor.rand(6000, 6000)"
  t:enter "x = 5"
  for _, code in ipairs { "b = tensor.matmul(a, a)",
    "coroutine.wrap(function() b = a:matmul(a) end)()",
    "s = tensor.ones(1):expand(1e6, 1e6):sum()" } do
    t:type("io.write('go', 1, '\\n') " .. code .. "\n")
    t:expect "go1"
    t:type "\3"
    t:expect "interrupted after"
    t:expect "\n> "
  end
  lu.assertEquals(t:enter "x, rawget(_G, 'b'), rawget(_G, 's')", "5\tnil\tnil")
  lu.assertEquals(t:enter "tensor.matmul(tensor.eye(2), tensor.eye(2)):sum()", "2.0")
  lu.assertEquals({ t:finish() }, { 0, true })
end

-- What the library calls with pcall must not take the key press for a failure of its own.
function TestLongWork.test_a_model_that_is_being_made()
  finishes [[
    ends("rnn.lm", function()
      for _ = 1, 1000 do rnn.lm { vocab = 10, hidden = 3000 } end
    end)
    local protected = require "unroll.protected"
    local ok, message = pcall(protected, error, "x.lua:1: interrupted!", 0)
    assert(not ok and message == "x.lua:1: interrupted!")
    assert(select(2, protected(error, "other", 0)) == "other")
    assert(select("#", protected(function() return nil, nil end)) == 3)]]
end

function TestLongWork.test_lapack_says_that_it_cannot_stop()
  local output, status = run [[
    local a = tensor.rand(900, 900, { dtype = "float64" })
    press()
    tensor.svd(a)
    print "not reached"]]
  lu.assertStrContains(output, "svd cannot be stopped half-way")
  lu.assertStrContains(output, "interrupted!")
  lu.assertNotStrContains(output, "not reached")
  lu.assertEquals(status, 130)
end
