-- peers.lua -- the programs that are measured, each a process that answers requests: ours
-- (worker.lua), the same with AVX2, PyTorch and NumPy. They start when they are first asked and
-- wait while others run, so that they can take turns.
local core = require "unroll.core"

local here = arg[0]:match "^(.*)/[^/]*$" or "."

local peers = { python = os.getenv "PYTHON" or "/usr/bin/python3" }

local program = core.sys.executable()
local commands = {
  unroll = { program, here .. "/worker.lua" },
  avx2 = { "env", "UNROLL_ISA=avx2", program, here .. "/worker.lua" },
  torch = { peers.python, here .. "/peers/rnn_torch.py" },
  numpy = { peers.python, here .. "/peers/rnn_numpy.py" },
}

peers.titles = { unroll = "unroll", avx2 = "unroll, AVX2", torch = "PyTorch", numpy = "NumPy" }

local running, missing = {}, {}

--- Whether a Python module can be loaded; a note says how to get one that is missing.
function peers.has_module(name)
  local ok = os.execute(("%s -c 'import %s' >/dev/null 2>&1"):format(peers.python, name))
  if not ok then missing[name] = true end
  return ok
end

--- Lines about what was left out.
function peers.notes()
  local notes = {}
  for name in pairs(missing) do
    notes[#notes + 1] = ("%s is missing: scripts/setup --peers installs it"):format(name)
  end
  return notes
end

local function start(name)
  if (name == "torch" or name == "numpy") and not peers.has_module(name) then return false end
  if name == "avx2" and core.isa ~= "avx512" then return false end
  local channel, message = core.sys.spawn(commands[name])
  if not channel then error(message, 0) end
  return { channel = channel, rest = "" }
end

local function read_line(peer)
  while not peer.rest:find "\n" do
    local bytes = peer.channel:read()
    if not bytes or bytes == "" then error("a peer has ended", 0) end
    peer.rest = peer.rest .. bytes
  end
  local line, rest = peer.rest:match "^([^\n]*)\n(.*)$"
  peer.rest = rest
  return line
end

--- Asks a peer; nil when it is missing or has no answer.
---@param name string
---@param ... any words of the request
---@return number?
function peers.ask(name, ...)
  if running[name] == nil then running[name] = start(name) end
  local peer = running[name]
  if not peer then return nil end
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  local ok, message = peer.channel:write(table.concat(words, " ") .. "\n")
  if not ok then error(message, 0) end
  return tonumber(read_line(peer))
end

--- Ends a peer, so that the next question starts a fresh one.
function peers.stop(name)
  if running[name] then running[name].channel:close() end
  running[name] = nil
end

--- Runs a command to its end; its output, and the seconds it took.
function peers.run(words)
  local from = core.sys.clock()
  local channel <close> = assert(core.sys.spawn(words))
  local parts = {}
  while true do
    local bytes = channel:read()
    if not bytes or bytes == "" then break end
    parts[#parts + 1] = bytes
  end
  local how, code = channel:wait()
  if how ~= "exit" or code ~= 0 then
    error(("%s: %s %s"):format(table.concat(words, " "), how, code), 0)
  end
  return table.concat(parts), core.sys.clock() - from
end

peers.program = program

return peers
