--- source: where functions come from: their files, lines and documentation.
--
-- A Lua function's documentation is read from the file that it was loaded from, embedded or
-- not, when it is first asked for; so it is never older than the function. That of a C function
-- is in unroll/help/bindings.lua, which scripts/build/docs.lua makes at build time.

local parse = require "unroll.help.parse"

local embedded = package.preload["unroll.embedded"] and require "unroll.embedded"

local source = {}

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

--- The text of the file with this chunk name ("@unroll/optim.lua", "@script.lua").
---@param chunk string as debug.getinfo gives it
---@return string? text nil when the chunk is not a file that can be read
---@return boolean is_inside whether it is one of the program's own, which never change
function source.text(chunk)
  local path = chunk:match "^@(.*)$"
  local text = path and embedded and embedded.read(path)
  if text then return text, true end
  return path and read_file(path), false
end

-- chunk -> { by_line = { [line of a definition] = record }, list = records }
local parsed = {}

local function add_place(records, path)
  for _, record in ipairs(records) do record.path = path end
end

--- The records of a Lua file. One that was edited since is read again.
---@param chunk string its chunk name
---@return table[] records none when it cannot be read
---@return table<integer, table> by_line by the line of the definition
function source.records(chunk)
  local known = parsed[chunk]
  if known and known.is_inside then return known.list, known.by_line end
  local text, is_inside = source.text(chunk)
  if not known or text ~= known.text then
    known = { text = text, is_inside = is_inside, list = text and parse.file(text) or {},
      by_line = {} }
    add_place(known.list, chunk:sub(2))
    for _, record in ipairs(known.list) do known.by_line[record.line] = record end
    if text then parsed[chunk] = known end
  end
  return known.list, known.by_line
end

--- The record of a Lua function, from the comment above it.
---@param f function
---@return table? record nil when there is none
function source.of_function(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" then return nil end
  local _, by_line = source.records(info.source)
  return by_line[info.linedefined]
end

-- --- C ------------------------------------------------------------------------------------

-- In stock Lua the file lies beside core.so.
local function bindings_text()
  local text = embedded and embedded.read "unroll/help/bindings.lua"
  if text then return text end
  local module = package.searchpath("unroll.core", package.cpath)
  return module and read_file((module:gsub("core%.so$", "help/bindings.lua"))) or ""
end

local bindings

-- "--@source src/bind/matmul.c:12 Heading" stands in the line before a block.
local function add_origin(lines, record)
  local above = lines[record.doc_line - 1] or ""
  local path, line, heading = above:match "^%-%-@source (.-):(%d+) ?(.*)$"
  record.path, record.line, record.heading = path, tonumber(line), heading
end

--- The records of what is written in C.
---@return table[] records in the order of the C files
---@return table<string, table> by_name "core.tensor.matmul", "Tensor:size"
function source.bindings()
  if bindings then return bindings.list, bindings.by_name end
  local text = bindings_text()
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  local list, by_name = parse.file(text), {}
  for i, record in ipairs(list) do
    add_origin(lines, record)
    record.native, record.order = true, i
    if record.name then
      record.name = record.name:gsub("^tensor%.", "core.tensor.")
      local known = by_name[record.name] -- a block of its own, before that of ops.def
      by_name[record.name] = known or record
    end
  end
  bindings = { list = list, by_name = by_name }
  return list, by_name
end

--- The lines of a Lua function.
---@param f function
---@return string? text nil for a C function, or where the file cannot be read
---@return string path
---@return integer line
function source.lines(f)
  local info = debug.getinfo(f, "S")
  local text = info.what ~= "C" and source.text(info.source)
  if not text then return nil, info.short_src, info.linedefined end
  local lines, n = {}, 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    n = n + 1
    if n >= info.linedefined and n <= info.lastlinedefined then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n"), info.source:sub(2), info.linedefined
end

return source
