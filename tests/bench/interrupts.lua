--- How long Ctrl-C takes to end a long operation: build/bin/unroll tests/bench/interrupts.lua
--
-- Each operation runs in one call; a process that was started before sends SIGINT while
-- it is at work. Printed: milliseconds from the key press until pcall has the error
-- (among them about 2 for starting the program that reads the clock). totable is the one
-- that waits: Lua makes the whole table first. Needs 4 GB and a minute.

local unroll = require "unroll"

local tensor, rnn, text = unroll.tensor, unroll.rnn, unroll.text

local PRESS_AFTER = "0.15" -- seconds
local stamp = os.tmpname()
local pressers = {} -- kept: the collector would wait for the end of one that it closes

local function wall_clock() -- seconds
  local pipe = io.popen("date +%s%N")
  local now = pipe:read("n") / 1e9
  pipe:close()
  return now
end

-- Returns how long f took to end after SIGINT; nil when it was done before.
local function latency(f)
  pressers[#pressers + 1] =
    io.popen(("sleep %s; date +%%s%%N >%s; kill -INT $PPID"):format(PRESS_AFTER, stamp))
  local ok, message = pcall(f)
  local now = wall_clock()
  if ok or not tostring(message):find("interrupted!", 1, true) then
    pcall(function() while true do end end) -- the key press is still to come
    return nil
  end
  local file <close> = assert(io.open(stamp))
  return now - file:read("n") / 1e9
end

local N = 100000000
local a, b, out = tensor.rand(N), tensor.rand(N), tensor.zeros(N)
local square = tensor.randn(10000, 10000)
local big, big64 = tensor.randn(6144, 6144), tensor.randn(4096, 4096, { dtype = "float64" })
local many = tensor.randn(400, 512, 512)

local function rnn_case(cell, hidden, backward)
  local model = rnn.lm { cell = cell, vocab = 256, hidden = hidden, layers = 1 }
  local x = tensor.zeros(100, 128, { dtype = "int32" }):fill_(7)
  if not backward then
    return function() for _ = 1, 100 do model:forward(x, x) end end
  end
  local _, _, trace = model:forward(x, x)
  return function() model:backward(trace) end
end

local inputs = rnn.cell("tanh", { input = 2048, hidden = 2048 })
local xs = tensor.randn(64, 256, 2048)

local long = ("The quick brown fox jumps. "):rep(4000000) -- stock Lua makes it: no stop there

local cases = {
  { "fill_", function() for _ = 1, 100 do out:fill_(1) end end },
  { "normal_", function() out:normal_() end },
  { "randperm", function() tensor.randperm(N) end },
  { "arange", function() for _ = 1, 10 do tensor.arange(N) end end },
  { "tanh", function() for _ = 1, 100 do tensor.tanh(a, out) end end },
  { "a + b", function() for _ = 1, 100 do tensor.add(a, b, out) end end },
  { "a ^ b", function() tensor.pow(a, b, out) end },
  { "copy", function() for _ = 1, 100 do out:copy_(a) end end },
  { "copy of a transposed", function() for _ = 1, 100 do square:t():contiguous() end end },
  { "to float64", function() for _ = 1, 100 do a:to("float64") end end },
  { "sum", function() for _ = 1, 100 do a:sum() end end },
  { "var", function() for _ = 1, 100 do a:var() end end },
  { "sum(1)", function() for _ = 1, 100 do square:sum(1) end end },
  { "max(2)", function() for _ = 1, 100 do square:max(2) end end },
  { "softmax of one line", function() for _ = 1, 100 do tensor.softmax(a, 1, out) end end },
  { "cumsum of one line", function() for _ = 1, 100 do a:cumsum(1, out) end end },
  { "sort", function() a:narrow(1, 1, N // 2):sort() end },
  { "index_select", function() a:index_select(1, tensor.randperm(N // 2)) end },
  { "totable", function() a:totable() end },
  { "cat", function() for _ = 1, 100 do tensor.cat({ a, b }, 1) end end },
  { "dot", function() for _ = 1, 1000 do tensor.dot(a, b) end end },
  { "matmul 6144", function() tensor.matmul(big, big) end },
  { "matmul 6144, transposed", function() tensor.matmul(big:t(), big) end },
  { "matmul 4096 float64", function() tensor.matmul(big64, big64) end },
  { "matmul with a vector", function()
    local v = tensor.rand(10000)
    for _ = 1, 1000 do tensor.matmul(square, v) end
  end },
  { "matmul, a batch", function() tensor.matmul(many, many) end },
  { "tanh 2048 forward", rnn_case("tanh", 2048) },
  { "tanh 2048 backward", rnn_case("tanh", 2048, true) },
  { "tanh 2048, dense inputs", function() for _ = 1, 100 do inputs:forward(xs) end end },
  { "text.vocab of 100 MB", function() for _ = 1, 10 do text.vocab(long) end end },
  { "encode 100 MB", function()
    for _ = 1, 10 do text.vocab("The quick brown fox jumps. "):encode(long) end
  end },
}

local only = arg[1]
local worst = 0 -- of all but totable
for _, case in ipairs(cases) do
  local name, f = table.unpack(case)
  if not only or name:find(only, 1, true) then
    collectgarbage()
    os.execute "sleep 1.1" -- two presses within a second would be one that no pcall stops
    local seconds = latency(f)
    print(("%-26s %s"):format(name, seconds and ("%6.1f ms"):format(seconds * 1e3)
      or "done before the key press"))
    if name ~= "totable" then worst = math.max(worst, seconds or 0) end
  end
end
print(("%-26s %6.1f ms"):format("worst", worst * 1e3))
os.remove(stamp)
