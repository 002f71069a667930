-- start.lua -- from the start of a process to its end after one training step: a little more
-- than the time to that step.
local numbers = require "numbers"

local phase = { name = "start", title = "Start: from nothing to one training step" }

local networks = { { "a", "tanh", "25", "15", "1", "adagrad" },
                   { "d", "tanh", "128", "50", "32", "adam" } }

-- The words that run one step, by program; nil when it is not there.
local function command(name, context, arguments)
  local peers, here = context.peers, context.here
  if name == "unroll" then
    return { peers.program, here .. "/once.lua", table.unpack(arguments) }
  end
  return peers.has_module(name) and { peers.python, ("%s/peers/rnn_%s.py"):format(here, name),
                                      "once", table.unpack(arguments) }
end

function phase.run(context)
  local data = { networks = {} }
  for i, network in ipairs(networks) do
    local entry = { name = network[1], seconds = { unroll = {}, torch = {}, numpy = {} } }
    for name, list in pairs(entry.seconds) do
      local words = command(name, context, { table.unpack(network, 2) })
      for round = 1, not words and 0 or context.quick and 3 or name == "unroll" and 25 or 3 do
        list[round] = select(2, context.peers[name == "unroll" and "run" or "try"](words))
      end
    end
    data.networks[i] = entry
  end
  return data
end

function phase.tables(data)
  local rows = {}
  for i, entry in ipairs(data.networks) do
    local s = entry.seconds
    local ours = numbers.median(s.unroll)
    rows[i] = { entry.name, numbers.seconds(ours), numbers.at_most(ours, 20e-3, numbers.seconds),
      numbers.seconds(numbers.median(s.numpy)), numbers.seconds(numbers.median(s.torch)) }
  end
  return { { head = { "network", "unroll", "", "NumPy", "PyTorch" }, rows = rows,
    note = "Processes that end after one step; the time is that of the whole process." } }
end

return phase
