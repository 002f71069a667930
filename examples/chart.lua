-- A chart: a noisy curve, smoothed, with a reference line.   unroll examples/chart.lua [file]
local unroll = require "unroll"
local tensor, plot = unroll.tensor, unroll.plot

local steps = tensor.arange(1, 400)
local g = tensor.generator(3)
local loss = tensor.exp(steps / -80) * 2.6 + 0.3 + tensor.randn(400, { generator = g }) * 0.08

local fig = plot.figure { title = "A loss falls" }
local ax = fig:at(1, 1)
ax:smooth(steps, loss, { label = "loss" })
ax:hline(math.log(23), { label = "uniform, ln 23" })
ax:set { xlabel = "training step", ylabel = "nats per character", ylim = { 0, 3.4 } }

local path = arg and arg[1] or "chart.png"
assert(fig:save(path))
print("wrote " .. path)
