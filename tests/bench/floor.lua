-- floor.lua -- the least time that a step with one sequence can take here, from measurements of
-- the same moment. One after the other it has to
--
--   make its products                         all of them at the peak of fused multiply-adds
--   read W_hh again in each step of a sweep   what goes beyond those multiply-adds, if as much
--                                             as the first cache holds stays there
--   measure the gradients and update          each array read or written once, at the speed at
--                                             which arrays of that size are read
--   do all that does not depend on H          a whole step of a network with one hidden unit and
--                                             two symbols, with as many time steps
--
-- and nothing else: no tanh or softmax of more than one vector, no packing, no loads that wait.
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

-- Arrays that the norm and the update of Adagrad go through: g; then g, s and p, and s and p
-- again to write them.
local arrays = 6

local function updating(H, ask)
  local bytes = number * configurations.parameters(H)
  return arrays * bytes / ask("bandwidth", 3 * bytes)
end

--- Seconds of a step of a tanh network at least, for a program that makes `peak` operations a
--- second and answers `ask(request, ...)` as worker.lua does.
function floor.seconds(case, peak, ask, seconds)
  local H, T = case.H, case.T
  local sweep = 2 * H * H / peak
  return T * configurations.flops(case.cell, H) / peak
    + 2 * T * math.max(0, reading(number * H * H, ask) - sweep)
    + updating(H, ask) + ask("empty", case.cell, T, case.optimizer, seconds)
end

return floor
