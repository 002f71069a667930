-- generate.lua -- text drawn from a model, one character at a time.
local configurations = require "configurations"
local numbers = require "numbers"

local phase = { name = "generate", title = "Generation, one character at a time" }

local who = { "unroll", "torch", "numpy" }

function phase.run(context)
  local list = { { cell = "tanh", H = 128 }, { cell = "tanh", H = 512 },
                 { cell = "tanh", H = 1024 }, { cell = "lstm", H = 512 } }
  for _, case in ipairs(list) do
    case.rates = { unroll = {}, torch = {}, numpy = {} }
    case.absent = not configurations.has_cell(case.cell)
  end
  for _ = 1, context.quick and 1 or 5 do
    for _, case in ipairs(list) do
      for _, name in ipairs(who) do
        local rate = not case.absent
          and context.peers.ask(name, "generate", case.cell, case.H, context.quick and 0.1 or 0.3)
        table.insert(case.rates[name], rate or nil)
      end
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
        numbers.times(numbers.ratio(r.unroll, r.numpy)) }
    end
  end
  return { { head = { "cell", "H", "unroll, characters/s", "PyTorch", "NumPy", "over PyTorch",
    "over NumPy" }, rows = rows, note = "model:sample at temperature 1; PyTorch by the faster of "
    .. "its layer and its cell." } }
end

return phase
