-- generate.lua -- text drawn from a model, one character at a time.
--
-- Each character needs all of W_hh and W_hy and one row of W_xh once, so it takes at least as
-- long as these are read; how long that is depends on the cache that they fit into, and on
-- whether the next character begins with what the last one has left there.
local bars = require "bars"
local configurations = require "configurations"
local numbers = require "numbers"
local plot = require("unroll").plot

local phase = { name = "generate", title = "Generation, one character at a time" }

local who = { "unroll", "torch", "numpy" }

local function new_case(cell, H)
  local case = { cell = cell, H = H, rates = {}, limits = {},
                 absent = not configurations.has_cell(cell) }
  for _, name in ipairs(who) do case.rates[name] = {} end
  case.rates.by_hand = {}
  return case
end

local function measure(case, ask, seconds)
  for _, name in ipairs(who) do
    table.insert(case.rates[name], ask(name, "generate", case.cell, case.H, seconds))
  end
  table.insert(case.rates.by_hand, ask("torch", "generate_by_hand", case.cell, case.H, seconds))
  local bytes = configurations.weight_bytes(case.cell, case.H)
  table.insert(case.limits, ask("unroll", "bandwidth", bytes) / bytes)
end

function phase.run(context)
  local list = { new_case("tanh", 128), new_case("tanh", 512), new_case("tanh", 1024),
                 new_case("lstm", 512) }
  for _ = 1, context.quick and 1 or 5 do
    for _, case in ipairs(list) do
      if not case.absent then measure(case, context.peers.ask, context.quick and 0.1 or 0.3) end
    end
  end
  return { cases = list }
end

function phase.tables(data)
  local rows = {}
  for _, case in ipairs(data.cases) do
    local r = case.rates
    if not case.absent then
      rows[#rows + 1] = { case.cell, case.H, numbers.short(numbers.median(r.unroll)),
        numbers.short(numbers.median(r.torch)), numbers.short(numbers.median(r.numpy)),
        numbers.times(numbers.ratio(r.unroll, r.torch)),
        numbers.times(numbers.ratio(r.unroll, r.by_hand)),
        numbers.times(numbers.ratio(r.unroll, r.numpy)),
        numbers.short(numbers.median(case.limits)),
        numbers.percent(numbers.ratio(r.unroll, case.limits)) }
    end
  end
  return { { rows = rows, head = { "cell", "H", "unroll, characters/s", "PyTorch", "NumPy",
      "over PyTorch", "by hand", "over NumPy", "limit of reading", "share of it" },
    note = "model:sample at temperature 1; PyTorch by the faster of nn.RNN and nn.RNNCell; by "
      .. "hand: over PyTorch without its modules, as products of matrix and vector. The limit: "
      .. "all weights read once for each character, at the measured speed, in one direction. "
      .. "Generation reads them to and fro, which leaves some in a cache: it may go beyond."
      .. configurations.left_out(data.cases) } }
end

local shown = { { "unroll", "unroll", 1 }, { "numpy", "NumPy", 3 },
                { "by_hand", "PyTorch, by hand", 5 }, { "torch", "PyTorch", 4 } }

-- What share of the limit each reaches, as bars, with the limit as a line.
function phase.figures(data)
  local names, list = {}, {}
  for _, case in ipairs(data.cases) do
    if not case.absent then names[#names + 1] = ("%s %d"):format(case.cell, case.H) end
  end
  for _, peer in ipairs(shown) do
    local shares = {}
    for _, case in ipairs(data.cases) do
      local share = numbers.ratio(case.rates[peer[1]], case.limits)
      if not case.absent then shares[#shares + 1] = share or false end
    end
    if shares[1] then
      list[#list + 1] = { label = peer[2], color = peer[3], shares = shares }
    end
  end
  local fig = plot.figure { title = "Generation, one character at a time", width = 6.5,
                            height = 3.6 }
  local ax = fig:at(1, 1):set { ylabel = "share of the limit", xlabel = "cell and hidden size" }
  bars.draw(ax, names, list, "all weights read once a character")
  ax:legend "below"
  return { generation = fig }
end

return phase
