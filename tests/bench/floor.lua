-- floor.lua -- the least time that a step can take here, from measurements of the same moment.
-- One after the other it has to
--
--   make its products                         at the speed of one whose factors lie in the
--                                             first cache; one sequence has to read W_hh again
--                                             in each step of both sweeps, or to make those
--                                             products at the peak of fused multiply-adds,
--                                             whichever takes longer (as much of W_hh as the
--                                             first cache holds stays there)
--   measure the gradients and update          each array read or written once, at the speed at
--                                             which arrays of that size are read
--   do all that does not depend on H          one sequence: a whole step of a network with one
--                                             hidden unit and two symbols, with as many time
--                                             steps
--
-- and nothing else: no tanh, sigmoid or softmax of more than one vector, no packing, no loads that
-- wait.
local configurations = require "configurations"
local core = require "unroll.core"

local floor = {}

local number = 4 -- bytes

local function first_cache()
  local text = core.sys.read_file "/sys/devices/system/cpu/cpu0/cache/index0/size"
  return (tonumber(text and text:match "^(%d+)K") or 32) << 10
end

-- Seconds to read W_hh when the last step has left the end of it in the first cache.
local function reading(bytes, ask)
  local near = math.min(bytes, first_cache())
  local seconds = near / ask("bandwidth", math.max(1024, near // 2))
  if bytes == near then return seconds end
  return seconds + (bytes - near) / ask("bandwidth", 4 * first_cache())
end

-- How many arrays the norm and the update go through: g; then g, p and what the optimiser
-- keeps, and all but g once more to write them.
local arrays = { adagrad = 6, adam = 8 }

local function updating(case, ask)
  local bytes = number * configurations.parameters(case.cell, case.H)
  return arrays[case.optimizer] * bytes / ask("bandwidth", arrays[case.optimizer] // 2 * bytes)
end

-- Both sweeps of one sequence, and what it needs beside products and update.
local function alone(case, peak, ask, seconds)
  local T, recurrent = case.T, configurations.recurrent(case.cell, case.H)
  return 2 * T * math.max(reading(number * recurrent, ask), 2 * recurrent / peak)
    + ask("empty", case.cell, T, case.optimizer, seconds)
end

--- Seconds of a step of a network at least, for a program that makes `peak` operations a
--- second and answers `ask(request, ...)` as worker.lua does.
function floor.seconds(case, peak, ask, seconds)
  local T, B = case.T, case.B
  local flops, rate = configurations.flops(case.cell, case.H), ask "products"
  if B > 1 then return T * B * flops / rate + updating(case, ask) end
  local sweeps = 4 * configurations.recurrent(case.cell, case.H)
  return T * (flops - sweeps) / rate + updating(case, ask) + alone(case, peak, ask, seconds)
end

return floor
