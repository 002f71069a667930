-- run.lua -- runs the tests in tests/lua, each file in a process of its own.
--
--   unroll tests/run.lua [--gc-stress] [--jobs N] [NAME...]
--
-- NAME is "ops", "test_ops" or "test_ops.lua"; without one every test_*.lua runs. A test
-- file defines global tables TestXxx with functions test_xxx, as luaunit wants them, and
-- does not start luaunit: this file does. --gc-stress drives the collector as hard as it
-- goes, so that an object which is used but not anchored is found.
--
-- The last line is always "N passed, N failed". A file that crashes, ends early or has no
-- test is one failure with the file's name. The exit code is 1 when anything failed.

local here = arg[0]:match("^(.*)/[^/]*$") or "."

-- The program that runs this file: the first word of the command line, made absolute, so
-- that tests may change the directory.
local function program_path()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  local pipe = assert(io.popen(("command -v '%s' && pwd"):format(arg[first])))
  local path, cwd = pipe:read("l", "l")
  pipe:close()
  return path:sub(1, 1) == "/" and path or cwd .. "/" .. path
end

local function usage(message)
  io.stderr:write("run.lua: ", message, "\n",
    "usage: unroll tests/run.lua [--gc-stress] [--jobs N] [NAME...]\n")
  os.exit(2)
end

local function parse(args)
  local options = { names = {}, jobs = 2 }
  local i = 1
  while args[i] do
    local word = args[i]
    if word == "--gc-stress" then
      options.gc_stress = true
    elseif word == "--jobs" then
      i = i + 1
      options.jobs = math.tointeger(tonumber(args[i])) or usage("--jobs needs a number")
    elseif word == "--child" then
      i = i + 1
      options.child = args[i]
    elseif word:sub(1, 1) == "-" then
      usage("unknown option " .. word)
    else
      options.names[#options.names + 1] = word
    end
    i = i + 1
  end
  return options
end

-- --- one file, in this process -----------------------------------------------------------

-- luaunit's traceback without luaunit's own lines.
local function own_lines(traceback)
  local lines = {}
  for line in (traceback or ""):gmatch("[^\n]+") do
    if line:find("test_", 1, true) or line:find("unroll/", 1, true) then
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n")
end

local function report(node)
  print(("FAILED %s"):format(node.testName))
  print((tostring(node.msg):gsub("^", "  "):gsub("\n", "\n  ")))
  local where = own_lines(node.stackTrace)
  if where ~= "" then print(where) end
end

-- luaunit 3.3 of Ubuntu 22.04 knows Lua up to 5.3: it lies elsewhere and gives randomseed
-- a float.
local function require_luaunit()
  package.path = package.path .. ";/usr/share/lua/5.3/?.lua"
  local randomseed = math.randomseed
  math.randomseed = function(seed) randomseed(math.floor(seed)) end
  local ok, luaunit = pcall(require, "luaunit")
  math.randomseed = randomseed
  if not ok then error("luaunit is missing (Debian package lua-unit): " .. luaunit, 0) end
  return luaunit
end

local function run_file(path, gc_stress)
  package.path = here .. "/lua/?.lua;" .. package.path
  arg[-1] = program_path()
  local luaunit = require_luaunit()
  dofile(path)
  if gc_stress then collectgarbage("incremental", 0, 1000, 8) end
  local runner = luaunit.LuaUnit.new()
  runner:runSuite("--output", "nil")
  local passed, failed = 0, 0
  for _, node in ipairs(runner.result.allTests or runner.result.tests) do
    if node.status == "SUCCESS" or node.status == "PASS" then
      passed = passed + 1
    else -- a skipped test counts as failed: nothing was shown
      failed = failed + 1
      report(node)
    end
  end
  print(("%d passed, %d failed"):format(passed, failed))
  os.exit(failed == 0 and passed > 0, true)
end

-- --- all files -----------------------------------------------------------------------------

local function test_files(names)
  local files, known = {}, {}
  local pipe = assert(io.popen(("ls '%s/lua'"):format(here)))
  for file in pipe:lines() do
    local name = file:match("^test_(.*)%.lua$")
    if name then
      known[name] = true
      if #names == 0 then files[#files + 1] = file end
    end
  end
  pipe:close()
  for _, word in ipairs(names) do
    local name = word:match("([^/]*)$"):gsub("^test_", ""):gsub("%.lua$", "")
    if not known[name] then usage("there is no test file test_" .. name .. ".lua") end
    files[#files + 1] = "test_" .. name .. ".lua"
  end
  return files
end

local function read_all(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- Prints what one process said and returns how many tests passed and failed.
local function finish(file, code, log)
  local body, passed, failed = log:match("^(.-)(%d+) passed, (%d+) failed\n$")
  passed, failed = tonumber(passed) or 0, tonumber(failed) or 0
  if not body then
    body, failed = log .. ("CRASHED %s (exit code %d)\n"):format(file, code), 1
  elseif passed + failed == 0 then
    body, failed = ("FAILED %s has no tests\n"):format(file), 1
  elseif code ~= 0 and failed == 0 then
    body, failed = body .. ("FAILED %s ended with exit code %d\n"):format(file, code), 1
  end
  print(("%-32s %4d passed%s"):format(file, passed,
    failed > 0 and (", %d failed"):format(failed) or ""))
  if failed > 0 then io.write(body) end
  io.flush()
  return passed, failed
end

-- xargs keeps `jobs` processes busy; each writes a log and then its exit code and name to
-- the one pipe that is read here.
local function run_all(files, options)
  local directory = assert(io.popen("mktemp -d")):read("l")
  local list <close> = assert(io.open(directory .. "/files", "w"))
  list:write(table.concat(files, "\n"), "\n")
  list:flush()
  local command = ([[xargs -P %d -I{} sh -c '"$0" "$1" --child "$2/lua/{}" %s ]] ..
      [[>"$3/{}" 2>&1 </dev/null; echo "$? {}"' '%s' '%s' '%s' '%s' <'%s/files']]):format(
    options.jobs, options.gc_stress and "--gc-stress" or "", program_path(), arg[0], here,
    directory, directory)
  local passed, failed = 0, 0
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    local code, file = line:match("^(%d+) (.*)$")
    local p, f = finish(file, tonumber(code), read_all(directory .. "/" .. file))
    passed, failed = passed + p, failed + f
  end
  pipe:close()
  os.execute(("rm -rf '%s'"):format(directory))
  return passed, failed
end

local options = parse(arg)
if options.child then
  run_file(options.child, options.gc_stress)
else
  local passed, failed = run_all(test_files(options.names), options)
  print(("%d passed, %d failed"):format(passed, failed))
  os.exit(failed == 0 and passed > 0, true)
end
