-- threads.lua -- two threads over the batch, beside what the bare loop of fused multiply-adds
-- gains from them: less than twice where two processors share a core or its power.
local configurations = require "configurations"
local core = require "unroll.core"
local numbers = require "numbers"

local phase = { name = "threads", title = "Two threads" }

local function new_case(cell, c)
  return { cell = cell, name = c.name, H = c.H, T = c.T, B = c.B, rate = { {}, {} },
           peak = { {}, {} } }
end

function phase.run(context)
  local data = { cores = core.sys.cores(), cases = {} }
  if data.cores < 2 then return data end
  local ask, seconds = context.peers.ask, context.quick and 0.1 or 0.4
  for i = 4, 7 do data.cases[#data.cases + 1] = new_case("tanh", configurations[i]) end
  for _, cell in ipairs { "lstm", "gru" } do
    data.cases[#data.cases + 1] = new_case(cell, configurations[4])
  end
  for _ = 1, context.quick and 1 or 7 do
    for _, case in ipairs(data.cases) do
      for threads = 1, 2 do
        ask("unroll", "threads", threads)
        table.insert(case.rate[threads],
          ask("unroll", "train", case.cell, case.H, case.T, case.B, "adam", seconds))
        table.insert(case.peak[threads], ask("unroll", "peak", threads))
      end
    end
  end
  ask("unroll", "threads", 1)
  return data
end

--- How many times as fast two threads are: training, and the bare loop.
function phase.gains(case)
  return numbers.ratio(case.rate[2], case.rate[1]), numbers.ratio(case.peak[2], case.peak[1])
end

function phase.tables(data)
  local rows = {}
  for _, case in ipairs(data.cases) do
    local gain, bare = phase.gains(case)
    rows[#rows + 1] = { case.cell .. " " .. case.name, numbers.short(numbers.median(case.rate[1])),
      numbers.short(numbers.median(case.rate[2])), numbers.times(gain), numbers.times(bare),
      ("%.2f"):format(gain / bare), numbers.verdict(gain / bare >= 0.95) }
  end
  return { { head = { "network", "one thread, characters/s", "two", "gain", "gain of the bare loop",
    "share of it", "" }, rows = rows, note = data.cores < 2 and "This machine has one processor."
    or "At least 0.95 of the bare loop's gain is asked for. The bits of all results are the same "
    .. "with one thread and with two." } }
end

return phase
