--- What several test files need.

local luaunit = require "luaunit"

local support = {}

local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")

--- The program under test and the root of the source tree, as absolute paths.
support.program = arg[-1]
support.root = io.popen(("cd '%s/../..' && pwd"):format(here)):read("l")

-- Under a sanitizer stock Lua must load the sanitizer's library first; it unloads the
-- module before leaks are looked for, so that none could be told by its name.
local preload = os.getenv("UNROLL_TEST_PRELOAD")
local sanitizer = preload and
    ("LD_PRELOAD='%s' ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0"):format(preload) or ""

--- For the shell, to be handed on by `env -i`.
support.sanitizer_options = 'ASAN_OPTIONS="$ASAN_OPTIONS" LSAN_OPTIONS="$LSAN_OPTIONS"'

--- Ready for the shell: the program, and stock Lua with the library of this tree.
support.quoted_program = ("'%s'"):format(support.program)
support.stock_lua = ("env %s LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' "
  .. "LUA_CPATH='%s/lib/?.so;;' lua5.4"):format(sanitizer, support.root, support.root,
  (support.program:gsub("/bin/[^/]*$", "")))

local function is_tensor(value)
  return type(value) == "userdata" and value.totable ~= nil
end

local function plain(value)
  if not is_tensor(value) then return value end
  return value:dim() == 0 and value:item() or value:totable()
end

local function close(a, b, tolerance)
  if a == b or (a ~= a and b ~= b) then return true end
  return math.abs(a - b) <= tolerance * math.max(1, math.abs(b))
end

-- The first difference as a text, nil when there is none.
local function difference(actual, expected, tolerance, path)
  if type(actual) ~= type(expected) then
    return ("%s is a %s, expected a %s"):format(path, type(actual), type(expected))
  elseif type(actual) == "number" then
    if close(actual, expected, tolerance) then return nil end
    return ("%s is %.17g, expected %.17g"):format(path, actual, expected)
  elseif type(actual) ~= "table" then
    if actual == expected then return nil end
    return ("%s is %s, expected %s"):format(path, tostring(actual), tostring(expected))
  elseif #actual ~= #expected then
    return ("%s has %d elements, expected %d"):format(path, #actual, #expected)
  end
  for key in pairs(actual) do
    if expected[key] == nil then return ("%s[%s] is too much"):format(path, key) end
  end
  for key, value in pairs(expected) do
    local text = difference(plain(actual[key]), plain(value), tolerance,
      ("%s[%s]"):format(path, key))
    if text then return text end
  end
end

--- Fails unless two numbers, nested tables or tensors agree: |a - e| <= tolerance *
--- max(1, |e|) for each element, and the same shape. NaN agrees with NaN.
---@param tolerance? number 1e-6 when absent
---@param message? string put before the failure's text
function support.near(actual, expected, tolerance, message)
  local text = difference(plain(actual), plain(expected), tolerance or 1e-6, "value")
  if text then luaunit.fail((message and message .. ": " or "") .. text) end
end

--- Fails unless f(...) raises an error whose text contains `part` (plain text).
---@return string text of the error
function support.raises(part, f, ...)
  local ok, err = pcall(f, ...)
  local text = tostring(err)
  if ok then luaunit.fail(("no error, expected one with %q"):format(part)) end
  if not text:find(part, 1, true) then
    luaunit.fail(("the error is %q, expected one with %q"):format(text, part))
  end
  return text
end

--- The Lua memory, in bytes, that n calls of f leave behind with the collector stopped.
--- One call goes before the count: the collector shrinks the stack, that call grows it.
function support.garbage(n, f)
  for _ = 1, 3 do f() end
  collectgarbage()
  collectgarbage("stop")
  f()
  local before = collectgarbage("count")
  for _ = 1, n do f() end
  local grown = collectgarbage("count") - before
  collectgarbage("restart")
  return grown * 1024
end

--- Runs a shell command, for at most five minutes.
---@return string output what it wrote to both outputs
---@return integer code its exit code, 128 + n after signal n
function support.run(command)
  local pipe = assert(io.popen(("timeout -k 1 300 sh -c '%s' 2>&1"):format(
    command:gsub("'", "'\\''"))))
  local output = pipe:read("a")
  local _, how, code = pipe:close()
  return output, how == "signal" and 128 + code or code
end

--- A new directory, removed when the tests of this file end.
function support.tmpdir()
  local pipe = assert(io.popen("mktemp -d"))
  local path = pipe:read("l")
  pipe:close()
  support.directories[#support.directories + 1] = path
  return path
end

support.directories = setmetatable({}, {
  __gc = function(directories)
    for _, path in ipairs(directories) do os.execute(("rm -rf '%s'"):format(path)) end
  end,
})

function support.read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

function support.write_file(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(bytes))
end

return support
