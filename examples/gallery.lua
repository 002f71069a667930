-- Every kind of chart on one page, in every theme.   unroll examples/gallery.lua [folder]
local unroll = require "unroll"
local tensor, plot = unroll.tensor, unroll.plot

local g = tensor.generator(7)
local function noise(n) return tensor.randn(n, { generator = g }) end

local steps = tensor.arange(1, 600)
local loss = tensor.exp(steps / -120) * 2.4 + 0.5 + noise(600) * 0.1
local slower = tensor.exp(steps / -260) * 2.4 + 0.6 + noise(600) * 0.1
local norms = tensor.exp(noise(600) * 0.4) * tensor.exp(steps / -400)
local small, large = noise(1500), noise(1500) * 0.7 + 2
local few = noise(40) * 0.6 - 0.5
local analytic = noise(250)
local numeric = analytic * 0.9 + noise(250) * 0.3
local lengths = { 5, 10, 25, 50, 100 }

local weights = {}
for i = 1, 24 do
  weights[i] = {}
  for k = 1, 36 do weights[i][k] = math.sin(i * k / 40) * math.exp(-((i - k / 1.5) / 9) ^ 2) end
end

-- One function a panel; they draw in this order.
local panels = {
  function(ax)
    ax:smooth(steps, loss, { label = "Adam" }):smooth(steps, slower, { label = "SGD" })
    ax:hline(math.log(23), { label = "uniform, ln 23" })
    ax:set { title = "Smoothed curves", xlabel = "training step", ylabel = "nats per character" }
  end,
  function(ax)
    ax:line(lengths, { 1.2, 3.9, 22, 85, 330 }, { label = "backward" })
    ax:line(lengths, { 0.7, 1.5, 5.1, 11, 24 }, { label = "forward" })
    ax:set { title = "Lines on log axes", xlabel = "window", ylabel = "time (ms)",
      xscale = "log2", yscale = "log" }
  end,
  function(ax)
    local mean = tensor.exp(steps / -150) * 2 + 0.4
    ax:band(steps, mean, { sd = mean * 0.12, label = "mean ± sd" })
    ax:vline(300, { label = "rate halved" })
    ax:note("last check", 600, mean[600])
    ax:set { title = "Band and note", xlabel = "training step", ylabel = "loss" }
  end,
  function(ax)
    ax:errorbar({ 16, 32, 64, 128 }, { 2.21, 1.93, 1.74, 1.71 },
      { yerr = { 0.1, 0.07, 0.05, 0.08 }, line = true, label = "tanh" })
    ax:errorbar({ 16, 32, 64, 128 }, { 2.05, 1.81, 1.58, 1.47 },
      { yerr = 0.06, line = true, marker = "square", label = "GRU" })
    ax:set { title = "Error bars", xlabel = "hidden size", ylabel = "validation loss" }
  end,
  function(ax)
    ax:bar({ "tanh", "relu", "GRU", "LSTM" }, { { 1.91, 2.04, 1.62, 1.58 },
      { 2.05, 2.31, 1.78, 1.71 } }, { labels = { "train", "test" }, values = true })
    ax:set { title = "Groups of bars", ylabel = "nats per character" }
  end,
  function(ax)
    ax:bar({ "forward", "backward", "update" }, { { 31, 62, 4 }, { 12, 20, 2 }, { 6, 9, 1 } },
      { mode = "stack", horizontal = true, values = true, labels = { "gates", "softmax", "rest" } })
    ax:set { title = "Stacked level bars", xlabel = "share of the time (%)" }
  end,
  function(ax)
    ax:hist({ small, large }, { labels = { "before", "after" } })
    ax:set { title = "Histograms", xlabel = "activation", ylabel = "count" }
  end,
  function(ax)
    ax:box({ "tanh", "relu", "GRU" }, { small, large, few })
    ax:set { title = "Boxes", ylabel = "activation" }
  end,
  function(ax)
    ax:violin({ "tanh", "relu", "both" }, { small, large, tensor.cat({ small, large + 2 }, 1) })
    ax:set { title = "Violins", ylabel = "activation" }
  end,
  function(ax)
    ax:ecdf(small, { label = "before" }):ecdf(large, { label = "after" })
    ax:set { title = "Distributions", xlabel = "activation", ylabel = "share of units" }
  end,
  function(ax)
    local lags = tensor.arange(0, 24)
    ax:stem(lags, tensor.exp(lags / -8) * tensor.cos(lags / 2)):set { title = "Stems",
      xlabel = "lag", ylabel = "autocorrelation" }
  end,
  function(ax)
    ax:heatmap(weights, { label = "weight", norm = "centred" })
    ax:set { title = "Heat map, centred", xlabel = "input", ylabel = "hidden unit" }
  end,
  function(ax)
    ax:heatmap({ { 92, 5, 3 }, { 8, 81, 11 }, { 2, 17, 81 } }, { values = true, map = "greys",
      rows = { "a", "e", "o" }, cols = { "a", "e", "o" }, label = "percent" })
    ax:set { title = "Cells with numbers", xlabel = "predicted", ylabel = "true", aspect = "equal" }
  end,
  function(ax)
    ax:scatter(analytic, numeric, { alpha = 0.6 }):diagonal(1, 0, { label = "y = x" })
    ax:set { title = "Scatter and diagonal", xlabel = "analytic", ylabel = "numeric" }
  end,
  function(ax)
    ax:span(0.5, 2, { label = "healthy", color = "green" }):line(steps, norms, { width = 0.8 })
    ax:set { title = "Span", xlabel = "training step", ylabel = "‖∇‖_{2}", yscale = "log" }
  end,
  function(ax)
    ax:line({ 0, 100, 200, 300, 400 }, { 3, 1.5, 0.75, 0.375, 0.1875 }, { step = "post",
      label = "rate × 10^{3}" })
    ax:twin():line({ 0, 100, 200, 300, 400 }, { 3.1, 1.9, 1.2, 0.9, 0.8 }, { label = "loss" })
      :set { ylabel = "loss" }
    ax:set { title = "Steps, and a twin axis", xlabel = "training step", ylabel = "rate × 10^{3}" }
  end,
  function(ax)
    local x = tensor.linspace(-6, 6, 400)
    ax:line(x, x * x * x * 40):set { title = "Symlog", xlabel = "x", ylabel = "40 x^{3}",
      yscale = "symlog" }
  end,
  function(ax)
    for i = 1, 9 do
      ax:line({ 0, 1, 2 }, { i, i + 0.6 * (i % 3), i + 0.3 }, { label = "series " .. i })
    end
    ax:set { title = "Nine series", xlabel = "epoch" }
  end,
  function(ax)
    ax:line({ 1, 0.1, 0 / 0, 0.004, 0, 2e-5 }, { label = "gradient" }):set { title = "Gaps",
      yscale = "log", xlabel = "layer" }
  end,
}

local folder = arg and arg[1]
for _, theme in ipairs { "light", "dark", "print" } do
  local fig = plot.figure { title = "Charts of unroll, theme " .. theme, rows = 5, cols = 4,
    width = 16, height = 16, letters = true, theme = theme,
    footer = "made-up data · examples/gallery.lua" }
  for i, draw in ipairs(panels) do draw(fig:at((i - 1) // 4 + 1, (i - 1) % 4 + 1)) end
  if folder then
    assert(fig:save(folder .. "/gallery-" .. theme .. ".png"))
    print("wrote " .. folder .. "/gallery-" .. theme .. ".png")
  else
    print(("theme %s: %d bytes"):format(theme, #fig:render("png")))
  end
end
