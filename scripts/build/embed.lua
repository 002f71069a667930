-- embed.lua -- turns Lua sources and data files into one C file.
--
--   lua5.4 embed.lua OUT DIR...
--
-- Every file under each DIR becomes an entry { name, bytes, length } of the table
-- un_embedded, sorted by name, so that the program runs from anywhere. A file
-- DIR/unroll/rnn/init.lua has the name "unroll/rnn/init.lua".

local out_path = arg[1]
local roots = table.move(arg, 2, #arg, 1, {})

local function files_under(root)
  local names = {}
  local pipe = assert(io.popen(("cd '%s' && find . -type f | LC_ALL=C sort"):format(root)))
  for line in pipe:lines() do names[#names + 1] = (line:gsub("^%./", "")) end
  assert(pipe:close())
  return names
end

local function read_all(path)
  local file = assert(io.open(path, "rb"))
  local bytes = assert(file:read("a"))
  file:close()
  return bytes
end

-- The bytes as a C array body; a string literal would break at 64 kB under -Wpedantic.
local function c_bytes(bytes)
  local lines = {}
  for first = 1, #bytes, 32 do
    local codes = { bytes:byte(first, first + 31) }
    lines[#lines + 1] = table.concat(codes, ",")
  end
  return table.concat(lines, ",\n")
end

local entries = {}
for _, root in ipairs(roots) do
  for _, name in ipairs(files_under(root)) do
    entries[#entries + 1] = { name = name, bytes = read_all(root .. "/" .. name) }
  end
end
table.sort(entries, function(a, b) return a.name < b.name end)

local chunks = { "/* Made by scripts/build/embed.lua. */\n#include \"embedded.h\"\n" }
for i, entry in ipairs(entries) do
  chunks[#chunks + 1] = ("static const unsigned char file_%d[] = {\n%s};\n")
    :format(i, #entry.bytes > 0 and c_bytes(entry.bytes) or "0")
end
chunks[#chunks + 1] = "const un_embedded_file un_embedded[] = {\n"
for i, entry in ipairs(entries) do
  chunks[#chunks + 1] = ("  {%q, file_%d, %d},\n"):format(entry.name, i, #entry.bytes)
end
chunks[#chunks + 1] = ("};\nconst size_t un_embedded_count = %d;\n"):format(#entries)

local file = assert(io.open(out_path, "wb"))
assert(file:write(table.concat(chunks)))
assert(file:close())
