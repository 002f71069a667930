-- train.lua -- training: characters a second of train.fit beside the peers and the limits.
local bars = require "bars"
local configurations = require "configurations"
local floor = require "floor"
local numbers = require "numbers"
local plot = require("unroll").plot

local phase = { name = "train", title = "Training, one thread" }

local who = { "unroll", "avx2", "torch", "numpy", "onednn" }

-- Lists for the rounds: characters/s of each peer; for our own two the share of the peak of
-- that moment; the share that a product of the size of one step reaches in OpenBLAS; the most
-- that a single row allows.
local function new_case(cell, c)
  local case = { cell = cell, name = c.name, H = c.H, T = c.T, B = c.B, optimizer = c.optimizer,
                 absent = not configurations.has_cell(cell), rates = {},
                 shares = { unroll = {}, avx2 = {} }, bounds = { unroll = {}, avx2 = {} },
                 gemm = {} }
  for _, name in ipairs(who) do case.rates[name] = {} end
  return case
end

local function cases()
  local list = {}
  for _, c in ipairs(configurations) do list[#list + 1] = new_case("tanh", c) end
  for _, cell in ipairs { "lstm", "gru" } do
    for i = 4, 6 do list[#list + 1] = new_case(cell, configurations[i]) end
  end
  return list
end

-- Of our own, beside a rate: the share of the peak that it is and the share that is possible.
local function measure_shares(case, name, rate, ask, seconds)
  local flops, peak = configurations.flops(case.cell, case.H), ask(name, "peak")
  table.insert(case.shares[name], rate * flops / peak)
  local least = floor.seconds(case, peak, function(...) return ask(name, ...) end, seconds)
  table.insert(case.bounds[name], case.T * case.B * flops / peak / least)
end

-- One round of a case: everybody one after the other, with the limits of that moment.
local function measure(case, ask, seconds)
  for _, name in ipairs(who) do
    local rate = ask(name, "train", case.cell, case.H, case.T, case.B, case.optimizer, seconds)
    table.insert(case.rates[name], rate)
    if case.shares[name] and rate then measure_shares(case, name, rate, ask, seconds) end
  end
  if case.B > 1 then
    table.insert(case.gemm,
      ask("unroll", "gemm", case.B, case.H, case.H) / ask("unroll", "peak"))
  end
end

function phase.run(context)
  local list, rounds = cases(), context.quick and 1 or 7
  for _ = 1, rounds do
    for _, case in ipairs(list) do
      if not case.absent then measure(case, context.peers.ask, context.quick and 0.1 or 0.3) end
    end
  end
  return { cases = list, rounds = rounds }
end

--- What the rounds of a case come to. `most` is our ratio over PyTorch at the share of the
--- peak that is possible (floor.lua).
function phase.summary(case)
  local ours, share = case.rates.unroll, numbers.median(case.shares.unroll)
  local torch = numbers.ratio(ours, case.rates.torch)
  local bound = numbers.median(case.bounds.unroll)
  return {
    rate = numbers.median(ours), torch = torch, numpy = numbers.ratio(ours, case.rates.numpy),
    onednn = numbers.ratio(ours, case.rates.onednn), share = share,
    avx2 = numbers.median(case.shares.avx2), gemm = numbers.median(case.gemm),
    bound = bound, avx2_bound = numbers.median(case.bounds.avx2),
    theirs = numbers.median(case.rates.torch),
    most = torch and torch / share * bound,
  }
end

local function present(data)
  local list = {}
  for _, case in ipairs(data.cases) do
    if not case.absent then list[#list + 1] = case end
  end
  return list
end

local function name_of(case) return case.cell .. " " .. case.name end

local function speed_rows(data)
  local rows = {}
  for i, case in ipairs(present(data)) do
    local s = phase.summary(case)
    rows[i] = { name_of(case), case.H, case.T, case.B, numbers.short(s.rate),
      numbers.short(s.theirs), numbers.times(s.torch), numbers.times(s.most),
      numbers.times(s.numpy), numbers.times(s.onednn) }
  end
  return rows
end

local function share_rows(data)
  local rows = {}
  for i, case in ipairs(present(data)) do
    local s = phase.summary(case)
    rows[i] = { name_of(case), numbers.percent(s.share), numbers.percent(s.bound),
                numbers.percent(s.avx2), numbers.percent(s.avx2_bound), numbers.percent(s.gemm) }
  end
  return rows
end

function phase.tables(data)
  return {
    { title = "Speed", rows = speed_rows(data),
      head = { "network", "H", "T", "B", "characters/s", "PyTorch", "over PyTorch",
        "most possible", "over NumPy", "over oneDNN" },
      note = ("Medians of %d rounds, in which all took turns; a ratio is one of the same round. "
        .. "Steps of train.fit on random tokens. Most possible: over PyTorch at the share "
        .. "of the peak that is possible (below). oneDNN: its RNN primitive alone, without "
        .. "read-out, loss and update.%s"):format(
        data.rounds, configurations.left_out(data.cases)) },
    { title = "Share of the measured FMA peak", rows = share_rows(data),
      head = { "network", "share", "possible", "AVX2, of its peak", "possible, AVX2",
        "sgemm BxH HxH" },
      note = "The peak is that of the same moment. Possible: the products at the speed of one "
        .. "whose factors lie in the first cache, and the arrays of the update read at the "
        .. "measured speed of the caches; with one row each step also reads W_hh at that speed, "
        .. "and what is left takes as long as with one hidden unit." } }
end

-- --- figures ----------------------------------------------------------------------------

local shown = { { "unroll", "unroll" }, { "onednn", "oneDNN's primitive alone" },
                { "numpy", "NumPy" }, { "torch", "PyTorch" } }

-- Median characters/s of a peer by case, false where there is none; nil when nowhere.
local function rates_of(list, name)
  local rates, any = {}, false
  for i, case in ipairs(list) do
    rates[i] = numbers.median(case.rates[name] or {}) or false
    any = any or rates[i]
  end
  return any and rates
end

local function peak_of(case)
  return numbers.median(case.rates.unroll) * configurations.flops(case.cell, case.H)
    / numbers.median(case.shares.unroll)
end

local function draw_shares(ax, list, names)
  local peers = {}
  for color, peer in ipairs(shown) do
    local shares = rates_of(list, peer[1])
    for i, rate in ipairs(shares or {}) do
      local case = list[i]
      shares[i] = rate and rate * configurations.flops(case.cell, case.H) / peak_of(case)
    end
    if shares then
      peers[#peers + 1] = { label = peer[2], color = color, shares = shares }
    end
  end
  ax:set { title = "Share of the machine's arithmetic", ylabel = "of the measured peak" }
  bars.draw(ax, names, peers, "fused multiply-adds in registers")
end

-- Lines over the networks of each cell: none leads from one cell to the next.
local function draw_lines(ax, list, names, rates, style)
  local first = 1
  for last, case in ipairs(list) do
    if not list[last + 1] or list[last + 1].cell ~= case.cell then
      local x, y = {}, {}
      for i = first, last do
        if rates[i] then x[#x + 1], y[#y + 1] = names[i], rates[i] end
      end
      if #x > 0 then ax:line(x, y, style) end
      first = last + 1
    end
  end
end

local function draw_rates(ax, list, names)
  local limit = {}
  for i, case in ipairs(list) do
    limit[i] = peak_of(case) / configurations.flops(case.cell, case.H)
  end
  draw_lines(ax, list, names, limit, { color = "#808080", dash = "dashed", marker = "none" })
  ax:note("all arithmetic at the peak", 2, limit[2], { dx = 12, dy = 8, arrow = false })
  for color, peer in ipairs(shown) do
    local rates = rates_of(list, peer[1])
    if rates then draw_lines(ax, list, names, rates, { color = color, marker = "circle" }) end
  end
  ax:set { title = "Characters a second", ylabel = "characters/s", yscale = "log",
           xlabel = "network (hidden size)", yformat = "si" }
end

-- Shares of the peak as bars with the limit as a line, and the same as characters a second.
function phase.figures(data)
  local list, names = present(data), {}
  for i, case in ipairs(list) do
    names[i] = ("%s (%d)"):format(case.cell == "tanh" and case.name or name_of(case), case.H)
  end
  local fig = plot.figure { rows = 2, cols = 1, width = 7.5, height = 7.5, letters = true,
    title = "Training on one thread", caption = "medians of the rounds of one run" }
  draw_shares(fig:at(1, 1), list, names)
  draw_rates(fig:at(2, 1), list, names)
  fig:legend "above"
  return { training = fig }
end

return phase
