-- train.lua -- training: characters a second of train.fit beside PyTorch's best form, NumPy and
-- the limits.
local configurations = require "configurations"
local numbers = require "numbers"
local plot = require("unroll").plot

local phase = { name = "train", title = "Training, one thread" }

local who = { "unroll", "avx2", "torch", "numpy" }

local function cases()
  local list = {}
  for _, c in ipairs(configurations) do
    list[#list + 1] = { cell = "tanh", name = c.name, H = c.H, T = c.T, B = c.B,
                        optimizer = c.optimizer }
  end
  for _, cell in ipairs { "lstm", "gru" } do
    for i = 4, 6 do
      local c = configurations[i]
      list[#list + 1] = { cell = cell, name = c.name, H = c.H, T = c.T, B = c.B,
                          optimizer = c.optimizer, absent = not configurations.has_cell(cell) }
    end
  end
  return list
end

-- One round of a case: everybody one after the other, with the peak of that moment.
local function measure(case, peers, seconds)
  for _, name in ipairs(who) do
    local ours = name == "unroll" or name == "avx2"
    local rate = peers.ask(name, "train", case.cell, case.H, case.T, case.B, case.optimizer,
      seconds)
    table.insert(case.rates[name], rate)
    if ours and rate then
      local peak = peers.ask(name, "peak")
      table.insert(case.shares[name], rate * configurations.flops(case.cell, case.H) / peak)
    end
  end
  local gemm = case.B > 1 and peers.ask("unroll", "gemm", case.B, case.H, case.H)
  if gemm then table.insert(case.gemm, gemm / peers.ask("unroll", "peak")) end
end

function phase.run(context)
  local list, rounds = cases(), context.quick and 1 or 5
  for _, case in ipairs(list) do
    case.rates, case.shares, case.gemm = {}, { unroll = {}, avx2 = {} }, {}
    for _, name in ipairs(who) do case.rates[name] = {} end
  end
  for _ = 1, rounds do
    for _, case in ipairs(list) do
      if not case.absent then measure(case, context.peers, context.quick and 0.1 or 0.3) end
    end
  end
  return { cases = list, rounds = rounds }
end

local function summary(case)
  local ours = case.rates.unroll
  return {
    rate = numbers.median(ours), torch = numbers.ratio(ours, case.rates.torch),
    numpy = numbers.ratio(ours, case.rates.numpy), share = numbers.median(case.shares.unroll),
    avx2 = numbers.median(case.shares.avx2), gemm = numbers.median(case.gemm),
    theirs = numbers.median(case.rates.torch),
  }
end
phase.summary = summary

function phase.tables(data)
  local rows, absent = {}, {}
  for _, case in ipairs(data.cases) do
    local s = summary(case)
    if case.absent then
      absent[case.cell] = true
    else
      rows[#rows + 1] = { case.cell .. " " .. case.name, case.H, case.T, case.B,
        numbers.short(s.rate), numbers.short(s.theirs), numbers.times(s.torch),
        numbers.times(s.numpy), numbers.percent(s.share), numbers.percent(s.avx2),
        numbers.percent(s.gemm) }
    end
  end
  local left_out = {}
  for cell in pairs(absent) do left_out[#left_out + 1] = cell end
  table.sort(left_out)
  return { { head = { "network", "H", "T", "B", "characters/s", "PyTorch", "over PyTorch",
      "over NumPy", "of FMA peak", "AVX2 of its peak", "sgemm BxH HxH" }, rows = rows,
    note = ("Medians of %d rounds, in which all took turns; a ratio is one of the same round. The "
      .. "peak is the measured one of that moment. Steps of train.fit on random tokens.%s"):format(
      data.rounds, #left_out > 0 and " Left out, because this build has no such cell: "
      .. table.concat(left_out, ", ") .. "." or "") } }
end

-- Shares of the peak as bars, the limit and what sgemm reaches as lines.
function phase.figures(data)
  local names, ours, theirs = {}, {}, {}
  for _, case in ipairs(data.cases) do
    if not case.absent then
      local s = summary(case)
      names[#names + 1] = case.cell == "tanh" and case.name or case.cell .. " " .. case.name
      ours[#names] = s.share
      theirs[#names] = s.torch and s.share / s.torch or false
    end
  end
  local fig = plot.figure { title = "Training: share of the machine's arithmetic", width = 7,
                            height = 3.6 }
  fig:at(1, 1):bar(names, { ours, theirs }, { labels = { "unroll", "PyTorch" } })
    :hline(1, { label = "fused multiply-adds alone" })
    :set { ylabel = "share of measured peak", xlabel = "network", yformat = "percent" }
    :legend()
  return { training = fig }
end

return phase
