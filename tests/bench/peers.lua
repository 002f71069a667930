-- peers.lua -- the programs that are measured, each a process that answers requests: ours
-- (worker.lua), the same with AVX2, PyTorch, NumPy, and oneDNN's RNN
-- primitive. They start when they are first asked and wait while others run, so that they can
-- take turns. One that is missing or dies is left out, with a note.
local core = require "unroll.core"

local here = arg[0]:match "^(.*)/[^/]*$" or "."

local program = core.sys.executable()
local peers = { python = os.getenv "PYTHON" or "/usr/bin/python3", program = program }

peers.titles = { unroll = "unroll", avx2 = "unroll, AVX2", torch = "PyTorch", numpy = "NumPy",
                 onednn = "oneDNN" }

local notes, noted = {}, {}

local function note(text)
  if not noted[text] then notes[#notes + 1] = text end
  noted[text] = true
end

--- Lines about what was left out.
function peers.notes() return notes end

local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

-- --- what there is ----------------------------------------------------------------------

local modules = {}

-- Whether a shell command succeeds, in silence. Ctrl-C, which Lua does not hear meanwhile, ends
-- us too.
local function succeeds(command)
  local ok, how, code = os.execute(command .. " >/dev/null 2>&1")
  if how == "signal" or code == 130 then error("interrupted!", 0) end
  return ok == true
end

--- Whether a Python module can be loaded; a note says how to get one that is missing.
function peers.has_module(name)
  if modules[name] == nil then
    modules[name] = succeeds(("%s -c 'import %s'"):format(peers.python, name))
    if not modules[name] then note(name .. " is missing: scripts/setup --peers installs it") end
  end
  return modules[name]
end

-- A peer that is a library: its program is compiled beside ours.
local function compile(name, compiler, source, library)
  local out = program:gsub("[^/]*$", "") .. "bench-" .. name
  if succeeds(("%s -o %s %s %s"):format(compiler, quoted(out),
      quoted(here .. "/peers/" .. source), library)) then
    return out
  end
  note(("%s is missing: scripts/setup --peers installs it"):format(name))
end

-- --- the processes ----------------------------------------------------------------------

-- The words that start each peer, or nothing when it is not there.
local commands = {}

function commands.unroll() return { program, here .. "/worker.lua" } end

function commands.avx2()
  return core.isa == "avx512" and { "env", "UNROLL_ISA=avx2", program, here .. "/worker.lua" }
end

function commands.torch()
  return peers.has_module "torch" and { peers.python, here .. "/peers/rnn_torch.py" }
end

function commands.numpy()
  return peers.has_module "numpy" and { peers.python, here .. "/peers/rnn_numpy.py" }
end

function commands.onednn()
  local path = compile("oneDNN", "c++ -std=c++17 -O2", "rnn_onednn.cpp", "-ldnnl")
  return path and { "env", "OMP_NUM_THREADS=1", path }
end

local running = {} -- by name; false: left out

local function start(name)
  local words = commands[name]()
  if not words then return false end
  local channel, message = core.sys.spawn(words)
  if channel then return { channel = channel, rest = "" } end
  note(("%s does not start: %s"):format(peers.titles[name], message))
  return false
end

-- A line of the answer; nil when the process has ended.
local function read_line(peer)
  while not peer.rest:find "\n" do
    local bytes = peer.channel:read()
    if not bytes or bytes == "" then return nil end
    peer.rest = peer.rest .. bytes
  end
  local line, rest = peer.rest:match "^([^\n]*)\n(.*)$"
  peer.rest = rest
  return line
end

local function exchange(peer, words)
  return peer.channel:write(table.concat(words, " ") .. "\n") and read_line(peer)
end

--- Asks a peer; nil when it is left out or has no answer. A peer that dies is left out from
--- then on; when it is our own program, that is an error.
---@param name string
---@param ... any words of the request
---@return number?
function peers.ask(name, ...)
  if running[name] == nil then running[name] = start(name) end
  local peer = running[name]
  if not peer then return nil end
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  local line = exchange(peer, words)
  if line then return tonumber(line) end
  local what = ("%s ended at '%s'"):format(peers.titles[name], table.concat(words, " "))
  if name == "unroll" or name == "avx2" then
    running[name] = nil -- the next phase starts another
    error(what, 0)
  end
  note(what .. " and was left out from there")
  running[name] = false
  return nil
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

--- The same for a peer: nil, and a note, when it fails.
function peers.try(words)
  local ok, output, seconds = pcall(peers.run, words)
  if ok then return output, seconds end
  note(output)
end

return peers
