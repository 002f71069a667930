-- busy.lua -- how much the machine is doing besides us, which makes every number too low.
local core = require "unroll.core"

local busy = {}

-- Jiffies of all processors, and those without work; nil where nobody counts them.
local function jiffies()
  local line = (core.sys.read_file "/proc/stat" or ""):match "^cpu ([^\n]*)"
  if not line then return nil end
  local all, idle, field = 0, 0, 0
  for number in line:gmatch "%d+" do
    field, all = field + 1, all + tonumber(number)
    if field == 4 or field == 5 then idle = idle + tonumber(number) end -- idle, iowait
  end
  return all, idle
end

--- How many processors others keep busy, in a second in which we do nothing; nil when that
--- cannot be told.
---@return number?
function busy.processors()
  local all, idle = jiffies()
  if not all then return nil end
  os.execute "sleep 1"
  local all_after, idle_after = jiffies()
  return core.sys.cores() * (1 - (idle_after - idle) / (all_after - all))
end

return busy
