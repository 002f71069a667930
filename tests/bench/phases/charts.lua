-- charts.lua -- charts beside matplotlib (tests/bench/charts).
local numbers = require "numbers"

local phase = { name = "charts", title = "Charts" }

function phase.run(context)
  local data = { rows = {} }
  if not context.peers.has_module "matplotlib" then return data end
  local output = context.peers.try { "env", "REPEAT=" .. (context.quick and 1 or 5),
    context.here .. "/charts" } or ""
  for title, ours, theirs in output:gmatch "\n(%S[^\n]-)%s%s+(%d+%.%d+)%s+(%d+%.%d+)%s+%d+%.%d+" do
    table.insert(data.rows, { title = title, unroll = tonumber(ours), peer = tonumber(theirs) })
  end
  return data
end

function phase.tables(data)
  local rows = {}
  for i, row in ipairs(data.rows) do
    rows[i] = { row.title, numbers.seconds(row.unroll), numbers.seconds(row.peer),
                numbers.times(row.peer / row.unroll) }
  end
  return { { rows = rows,
    head = { "chart, CPU time", "unroll", "matplotlib", "over matplotlib" } } }
end

return phase
