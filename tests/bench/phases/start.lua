-- start.lua -- from the start of the process to the end of the first training step.
local numbers = require "numbers"

local phase = { name = "start", title = "Start: from nothing to one training step (d)" }

function phase.run(context)
  local peers, here = context.peers, context.here
  local arguments = { "once", "tanh", "128", "50", "32", "adam" }
  local commands = {
    unroll = { peers.program, here .. "/once.lua", table.unpack(arguments, 2) },
    torch = { peers.python, here .. "/peers/rnn_torch.py", table.unpack(arguments) },
    numpy = { peers.python, here .. "/peers/rnn_numpy.py", table.unpack(arguments) },
  }
  local data = { unroll = {}, torch = {}, numpy = {} }
  for round = 1, context.quick and 3 or 15 do
    for name, command in pairs(commands) do
      local few = name ~= "unroll" and round > 3
      if not few and (name == "unroll" or peers.has_module(name)) then
        local _, seconds = peers.run(command)
        table.insert(data[name], seconds)
      end
    end
  end
  return data
end

function phase.tables(data)
  local rows = {}
  for _, name in ipairs { "unroll", "numpy", "torch" } do
    local seconds = numbers.median(data[name])
    if seconds then
      rows[#rows + 1] = { name == "torch" and "PyTorch" or name == "numpy" and "NumPy" or name,
                          numbers.seconds(seconds) }
    end
  end
  return { { head = { "program", "process start to end of first step" }, rows = rows } }
end

return phase
