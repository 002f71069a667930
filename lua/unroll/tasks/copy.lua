--- The copy problem (Hochreiter and Schmidhuber 1997; as in Arjovsky, Shah, Bengio 2016).
--
-- `symbols` random symbols of `kinds` come first, then `delay` blanks, then a signal and blanks,
-- while which the symbols are to be repeated in their order:
--   input    3 1 4 . . . . ! . .        . is the symbol kinds + 1, ! is kinds + 2
--   target                 3 1 4        the loss counts at these steps alone

local core = require "unroll.core"
local options = require "unroll.options"
local source = require "unroll.tasks.source"

local tensor = core.tensor

local accepted = { symbols = 5, kinds = 8, delay = 10, seed = 1 }

local function new(o)
  return function(B)
    local T, S = 2 * o.symbols + o.delay, o.symbols
    local x = tensor.full({ T, B }, o.kinds + 1, { dtype = "int32" })
    x:select(1, S + o.delay + 1):fill_(o.kinds + 2)
    local y, weight = tensor.ones(T, B, { dtype = "int32" }), tensor.zeros(T, B)
    weight:narrow(1, T - S + 1, S):fill_(1)
    return { x = x, y = y, weight = weight, numbers = tensor.zeros(S, B, { dtype = "float64" }),
             shown = x:narrow(1, 1, S), asked = y:narrow(1, T - S + 1, S) }
  end
end

local function fill_with(kinds)
  return function(batch, generator)
    batch.shown:copy_(batch.numbers:uniform_(1, kinds + 1, generator):floor_())
    batch.asked:copy_(batch.shown)
  end
end

---@class unroll.CopyOptions
---@field symbols? integer how many are to be repeated; default 5
---@field kinds? integer different symbols; default 8
---@field delay? integer steps between the last symbol and the signal; default 10
---@field seed? integer default 1

--- The copy problem: symbols are to be repeated after a delay, when a signal comes.
---@param opts? unroll.CopyOptions
---@return unroll.Task task x (T,B) int32 symbols 1..kinds+2, T = 2 symbols + delay; y (T,B) int32
--- classes 1..kinds; chance = ln kinds nats
--- Errors: unknown options; sizes below 1.
--- Source: Hochreiter & Schmidhuber, Long short-term memory, 1997; Arjovsky, Shah & Bengio, Unitary
--- evolution recurrent neural networks, 2016.
--- > task = unroll.tasks.copy{symbols = 3, delay = 10}
--- > task.length   --> 16
---@see tasks.adding tasks.temporal_order Task:batches
return function(opts)
  local o = options.check(opts, accepted, "tasks.copy")
  for name, least in pairs { symbols = 1, kinds = 2, delay = 0, seed = math.mininteger } do
    options.integer(o[name], name, "tasks.copy", least)
  end
  local task = source.new({ name = "copy", input = o.kinds + 2, output = o.kinds,
    head = "softmax", length = 2 * o.symbols + o.delay, chance = math.log(o.kinds), new = new(o),
    fill = fill_with(o.kinds) }, o.seed)
  return task
end
