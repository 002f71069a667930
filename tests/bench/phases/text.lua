-- text.lua -- cost against the length of a text, up to 100 MB of characters of one to four
-- bytes: from the start of the process to the first step, memory, and the steps after that.
local numbers = require "numbers"
local plot = require("unroll").plot
local unroll = require "unroll"

local phase = { name = "text", title = "Length of the text (d)" }

-- Copies of the built-in text, each with other letters changed; the last one is plain and cut.
local function write_text(path, bytes)
  local plain = unroll.text.corpus("shakespeare").text
  local changes = { { "e", "é" }, { "a", "ä" }, { "th", "þ" }, { "s", "ſ" }, { "love", "λόγος" },
                    { "\n\n", "\n—\n" }, { "O", "𝄞" } }
  local file <close> = assert(io.open(path, "w"))
  for i = 0, math.huge do
    local change = changes[i % (2 * #changes) + 1]
    local copy, left = change and plain:gsub(change[1], change[2]) or plain, bytes - file:seek()
    if left <= #copy then return assert(file:write(plain:sub(1, left))) end
    assert(file:write(copy))
  end
end

-- A training in a process of its own: most memory, seconds of a step, bytes of the tokens, and
-- the seconds of the whole process.
local function once(context, path, steps)
  local out, seconds = context.peers.run { context.peers.program, context.here .. "/once.lua",
    "tanh", "128", "50", "32", "adam", tostring(steps), path }
  local bytes, step, tokens = out:match "(%S+)%s+(%S+)%s+(%S+)"
  return tonumber(bytes), tonumber(step), tonumber(tokens), seconds
end

local function measure(context, path, point)
  point.start, point.step = {}, {}
  for round = 1, context.quick and 1 or 3 do
    local bytes, _, tokens, seconds = once(context, path, 1)
    point.memory, point.tokens, point.start[round] = bytes, tokens, seconds
    point.step[round] = select(2, once(context, path, 100))
  end
end

function phase.run(context)
  local path, data = os.tmpname(), { points = {} }
  for i, megabytes in ipairs(context.quick and { 1, 10 } or { 1, 3, 10, 30, 100 }) do
    local point = { bytes = megabytes * 1000000 }
    write_text(path, point.bytes)
    measure(context, path, point)
    data.points[i] = point
  end
  os.remove(path)
  return data
end

local characters = 50 * 32 -- of a step

function phase.tables(data)
  local rows = {}
  for i, point in ipairs(data.points) do
    rows[i] = { ("%.0f MB"):format(point.bytes / 1e6), numbers.bytes(point.tokens),
      numbers.bytes(point.memory), numbers.times(point.memory / point.tokens),
      numbers.seconds(numbers.median(point.start)),
      numbers.seconds(numbers.median(point.step) / characters) }
  end
  return { { rows = rows, head = { "text", "tokens", "most memory of the process", "over tokens",
      "process start to first step", "a character of a step" },
    note = "Asked for at 100 MB: at most 1.5 times the tokens, and a second." } }
end

function phase.figures(data)
  local size, start, step = {}, {}, {}
  for i, point in ipairs(data.points) do
    size[i], start[i] = point.bytes / 1e6, numbers.median(point.start)
    step[i] = 1e6 * numbers.median(point.step) / characters
  end
  local fig = plot.figure { title = "Cost against the length of the text", cols = 2, width = 8,
                            height = 3.4, letters = true }
  fig:at(1, 1):line(size, start, { marker = "circle" })
    :set { xlabel = "text, MB", ylabel = "seconds", xscale = "log", yscale = "log",
           title = "Process start to first step" }
  fig:at(1, 2):line(size, step, { marker = "circle" })
    :set { xlabel = "text, MB", ylabel = "µs a character", xscale = "log",
           ylim = { 0, 1.4 * math.max(table.unpack(step)) }, title = "A step after that" }
  return { text = fig }
end

return phase
