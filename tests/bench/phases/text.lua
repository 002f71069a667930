-- text.lua -- a text of 100 MB, with characters of one to four bytes: read, encoded, trained on.
local numbers = require "numbers"
local unroll = require "unroll"

local phase = { name = "text", title = "A large text" }

-- Copies of the built-in text, each with other letters changed.
local function write_text(path, bytes)
  local plain = unroll.text.corpus("shakespeare").text
  local changes = { { "e", "é" }, { "a", "ä" }, { "th", "þ" }, { "s", "ſ" }, { "love", "λόγος" },
                    { "\n\n", "\n—\n" }, { "O", "𝄞" } }
  local file <close> = assert(io.open(path, "w"))
  for i = 0, bytes // #plain do
    local change = changes[i % (2 * #changes) + 1]
    file:write(change and (plain:gsub(change[1], change[2])) or plain)
  end
end

function phase.run(context)
  local path = os.tmpname()
  write_text(path, context.quick and 10000000 or 100000000)
  local data = { runs = {} }
  for round = 1, context.quick and 1 or 5 do
    local out, seconds = context.peers.run { context.peers.program, context.here .. "/once.lua",
      "tanh", "128", "50", "32", "adam", "1", path }
    local bytes, _, tokens = out:match "(%S+)%s+(%S+)%s+(%S+)"
    data.runs[round] = { seconds = seconds, bytes = tonumber(bytes), tokens = tonumber(tokens) }
  end
  local file <close> = assert(io.open(path))
  data.bytes = file:seek "end"
  os.remove(path)
  return data
end

function phase.tables(data)
  local seconds = {}
  for i, run in ipairs(data.runs) do seconds[i] = run.seconds end
  local run = data.runs[1]
  return { { head = { "what", "" }, rows = {
    { "text", numbers.bytes(data.bytes) }, { "tokens in memory", numbers.bytes(run.tokens) },
    { "most memory of the process", numbers.bytes(run.bytes) },
    { "memory of the process / tokens", numbers.times(run.bytes / run.tokens) },
    { "process start to end of first step (d)", numbers.seconds(numbers.median(seconds)) },
  } } }
end

return phase
