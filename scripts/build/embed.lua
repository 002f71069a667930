-- embed.lua -- turns Lua sources and data files into one C file.
--
--   lua5.4 embed.lua OUT ROOT BINDINGS PACKAGE...
--
-- Every file under ROOT/lua becomes an entry { name, bytes, code } of the table
-- un_embedded, sorted by name, so that the program runs from anywhere: ROOT/lua/unroll/
-- rnn/init.lua has the name "unroll/rnn/init.lua". BINDINGS is what docs.lua made, and
-- becomes "unroll/help/bindings.lua". PACKAGE is a Lua file of another
-- project, whose name is the file's own, or a header of what is linked in. The licences,
-- ours and those of the packages, are entries too: "licenses/NAME".
--
-- The code of a Lua file is the file compiled, with the numbers of its lines: it loads in
-- an eighth of the time, and the start of the program is mostly that. The bytes stay for
-- help, which shows them.

local out_path, root, bindings = arg[1], arg[2], arg[3]
local packages = table.move(arg, 4, #arg, 1, {})

local function files_under(directory)
  local names = {}
  local command = ("cd '%s' && find . -type f | LC_ALL=C sort"):format(directory)
  local pipe = assert(io.popen(command))
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

-- The licence stands in a comment of the file itself: from the first line with a
-- copyright to the one that ends the disclaimer.
local function licence_of(path)
  local lines, inside = {}, false
  for line in (read_all(path) .. "\n"):gmatch("([^\n]*)\n") do
    local text = line:gsub("^%-%- ?", ""):gsub("^%* ?", "")
    inside = inside or text:find("^Copyright %([cC]%)") ~= nil
    if inside then lines[#lines + 1] = text end
    if inside and text:find("SOFTWARE%.$") then
      return table.concat(lines, "\n") .. "\n"
    end
  end
  error("no licence found in " .. path)
end

-- The bytes as a C array body; a string literal would break at 64 kB under -Wpedantic.
local function c_bytes(bytes)
  local lines = {}
  for first = 1, #bytes, 32 do
    local codes = { bytes:byte(first, math.min(first + 31, #bytes)) }
    lines[#lines + 1] = table.concat(codes, ",")
  end
  return table.concat(lines, ",\n")
end

local entries = {}
local function add(name, bytes)
  local chunk = name:find("%.lua$") and assert(load(bytes, "@" .. name, "t"))
  entries[#entries + 1] = { name = name, bytes = bytes,
                            code = chunk and string.dump(chunk) or "" }
end

for _, name in ipairs(files_under(root .. "/lua")) do
  add(name, read_all(root .. "/lua/" .. name))
end
add("unroll/help/bindings.lua", read_all(bindings))
add("licenses/unroll", read_all(root .. "/LICENSE"))
for _, path in ipairs(packages) do
  local name, kind = path:match("([^/]+)%.(%w+)$")
  if kind == "lua" then add(name .. ".lua", read_all(path)) end
  add("licenses/" .. name, licence_of(path))
end
table.sort(entries, function(a, b) return a.name < b.name end)

local chunks = { "/* Made by scripts/build/embed.lua. */\n#include \"embedded.h\"\n" }
local function define(name, bytes)
  chunks[#chunks + 1] = ("static const unsigned char %s[] = {\n%s};\n")
    :format(name, #bytes > 0 and c_bytes(bytes) or "0")
end
for i, entry in ipairs(entries) do
  define("file_" .. i, entry.bytes)
  define("code_" .. i, entry.code)
end
chunks[#chunks + 1] = "const un_embedded_file un_embedded[] = {\n"
for i, entry in ipairs(entries) do
  chunks[#chunks + 1] = ("  {%q, {file_%d, %d}, {code_%d, %d}},\n"):format(entry.name, i,
    #entry.bytes, i, #entry.code)
end
chunks[#chunks + 1] = ("};\nconst size_t un_embedded_count = %d;\n"):format(#entries)

local file = assert(io.open(out_path, "wb"))
assert(file:write(table.concat(chunks)))
assert(file:close())
