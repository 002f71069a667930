-- The program: options and exit codes as stock Lua, Ctrl-C, the prompt, embedded sources.

local lu = require "luaunit"
local support = require "support"

local directory = support.tmpdir()
local program = support.quoted_program

local function file(name, contents)
  local path = directory .. "/" .. name
  support.write_file(path, contents)
  return path
end

local function run(arguments)
  return support.run(("cd '%s' && %s %s"):format(directory, program, arguments))
end

-- --- like stock Lua -----------------------------------------------------------------------

TestLikeLua = {}

file("args.lua", [[
  local low = 0
  while arg[low - 1] do low = low - 1 end
  print(#arg, low, arg[0], ...)
  for i = low + 1, #arg do print(i, arg[i]) end]])
file("fails.lua", "local t = nil\nprint(t.x)")
file("bad.lua", "x = = 1")
file("returns.lua", "return 7")
file("coroutines.lua", [[
  local function show(...) print(select("#", ...), ...) end
  show(coroutine.resume(coroutine.create(function(...) return ... end), 1, nil, 3))
  local co = coroutine.create(function(a)
    local b, c = coroutine.yield(a + 1)
    error({ b + c })
  end)
  show(coroutine.resume(co, 1))
  local ok, err = coroutine.resume(co, 2, 3)
  show(ok, err[1], coroutine.status(co))
  show(coroutine.resume(co))
  local wrapped = coroutine.wrap(function() error("from inside") end)
  show(pcall(wrapped))
  show(pcall(wrapped))
  show(pcall(coroutine.wrap(function() error() end)))
  show(pcall(coroutine.wrap, 1))
  show(pcall(coroutine.wrap(function()
    local x <close> = setmetatable({}, { __close = function(_, e) print("closed", e) end })
    error("with close")
  end)))
  local open = coroutine.create(function()
    local x <close> = setmetatable({}, { __close = function() error("in close", 0) end })
    coroutine.yield(1)
  end)
  show(coroutine.resume(open))
  show(coroutine.close(open))
  show(pcall(coroutine.close, coroutine.running()))
  show(coroutine.resume(coroutine.create(function()
    return pcall(function() return coroutine.yield(coroutine.isyieldable()) end)
  end)))
  local function deep(n)
    return coroutine.wrap(function() return n == 0 and 0 or 1 + deep(n - 1) end)()
  end
  show(deep(100))
  show((pcall(deep, 1000)))
  for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do
    print(v)
  end]])

local cases = {
  "", -- nothing on standard input
  "args.lua", "args.lua a 'b c' ''", "-- args.lua a -x", "-e 'x=1' args.lua a",
  "-e x=1 -e 'print(x)'", "-e'print(2)'", "-e 'error(\"boo\")'", "-e 'error(\"boo\", 0)'",
  "-e 'x ='", "-e", "-e -e", "-l", "-x", "-i2", "-vv", "-EE", "-W1", "--foo", "---",
  "-e 'error(setmetatable({}, {__tostring = function() return \"own text\" end}))'",
  "-e 'error({})'", "-e 'error()'", "-e 'os.exit(3)'", "-e 'os.exit(true, true)'",
  "-e 'os.exit(false)'", "fails.lua", "bad.lua", "none.lua", "returns.lua",
  "-l string -e 'print(string.rep(\"a\", 3))'", "-l s=string -e 'print(s.rep(\"b\", 3))'",
  "-lstring -e 'print(1)'", "-l returns -e 'print(returns)'", "-l none.such",
  "-l r=returns args.lua a", "-l fails -e 'print(\"not reached\")'",
  "-e 'warn(\"unseen\")' -W -e 'warn(\"seen\")'",
  "- a b <args.lua", "- <fails.lua", "-e 'print(1)' <args.lua", "-- - a",
  "coroutines.lua",
  "-e 'for k, v in pairs(arg) do print(k, v) end' -W --",
}

-- Both outputs and the exit code. The usage texts differ below their first line.
local function behaviour(interpreter, arguments)
  local environment = "env -u LUA_INIT LUA_PATH='./?.lua' "
  local output, code = support.run(("cd '%s' && %s %s %s </dev/null"):format(directory,
    environment, interpreter, arguments))
  if arguments:find("<args") or arguments:find("<fails") then
    output, code = support.run(("cd '%s' && %s %s %s"):format(directory, environment,
      interpreter, arguments))
  end
  local name = interpreter:gsub("'", ""):gsub("%p", "%%%0")
  output = output:gsub(name, "lua"):gsub("\nusage: .*", "")
  return output:gsub("0x%x+", "ADDRESS"), code
end

function TestLikeLua.test_outputs_and_exit_codes()
  for _, arguments in ipairs(cases) do
    local expected, expected_code = behaviour("lua5.4", arguments)
    local output, code = behaviour(program, arguments)
    -- unroll has one more place to look for modules
    output = output:gsub("\n\tno file '[%w/.]*' in the program", "")
    lu.assertEquals(output, expected, "unroll " .. arguments)
    lu.assertEquals(code, expected_code, "unroll " .. arguments)
  end
end

function TestLikeLua.test_environment()
  local variables = {
    "LUA_INIT='print(1)'", "LUA_INIT_5_4='print(2)' LUA_INIT='print(1)'",
    "LUA_INIT=@args.lua", "LUA_INIT=@none.lua", "LUA_INIT='error(\"init\")'",
  }
  for _, variable in ipairs(variables) do
    for _, arguments in ipairs { "-e 'print(3)'", "-E -e 'print(3)'" } do
      local results = {}
      for i, interpreter in ipairs { "lua5.4", program } do
        local output, code = support.run(("cd '%s' && %s %s %s"):format(directory, variable,
          interpreter, arguments))
        local name = interpreter:gsub("'", ""):gsub("%p", "%%%0")
        results[i] = { output:gsub(name, "lua"), code }
        results[i][1] = output:gsub(name, "lua")
      end
      lu.assertEquals(results[2], results[1], variable .. " " .. arguments)
    end
  end
end

function TestLikeLua.test_an_error_in_a_piped_chunk_is_an_exit_code() -- stock Lua ends with 0
  lu.assertEquals(select(2, run("<fails.lua")), 1)
  lu.assertEquals({ run("<returns.lua") }, { "", 0 })
end

-- --- own options --------------------------------------------------------------------------

TestOptions = {}

function TestOptions.test_version()
  local output, code = run("--version")
  lu.assertStrMatches(output, "unroll %d+%.%d+%.%d+ with Lua 5%.4.*\n")
  lu.assertEquals(code, 0)
  lu.assertEquals({ run("-v") }, { output, 0 })
end

function TestOptions.test_help_names_every_option()
  local output, code = run("--help")
  lu.assertEquals(code, 0)
  for _, option in ipairs { "-e stat", "-i ", "-l mod", "-l g=mod", "-v ", "-E ", "-W ", "-q ",
    "-- ", "- ", "--norc", "--lua-locals", "--color=", "--help",
    "--version", "--licenses", "LUA_INIT", "UNROLL_LUA", "UNROLL_ISA", "UNROLL_READLINE" } do
    lu.assertStrContains(output, "  " .. option)
  end
end

function TestOptions.test_licenses()
  local output, code = run("--licenses")
  lu.assertEquals(code, 0)
  for _, name in ipairs { "unroll", "argparse", "dkjson" } do
    lu.assertStrContains(output, "--- " .. name .. "\n")
  end
  -- Lua's, too, when it is inside
  local _, parts = ("\n" .. output):gsub("\n%-%-%- %w+\n", "")
  local _, texts = output:gsub("Permission is hereby granted", "")
  lu.assertEquals(texts, parts)
end

function TestOptions.test_help_stops_everything_else()
  lu.assertNotStrContains((run("-e 'print(\"ran\")' --help")), "ran\n")
end

function TestOptions.test_usage_errors_go_to_the_error_output()
  lu.assertEquals({ run("-x 2>/dev/null") }, { "", 1 })
end

-- --- embedded sources -----------------------------------------------------------------------

TestEmbedded = {}

function TestEmbedded.test_unroll_is_global_and_not_the_prompts_names()
  lu.assertEquals(run("-e 'print(unroll == require \"unroll\", rawget(_G, \"tensor\"))'"),
    "true\tnil\n")
end

function TestEmbedded.test_a_copy_elsewhere_runs()
  local copy = directory .. "/elsewhere/bin/other-name"
  support.run(("mkdir -p '%s/elsewhere/bin' && cp %s '%s'"):format(directory, program, copy))
  local code = "print(unroll.tensor.ones(2, 2):sum(), require('unroll.json').encode {1}, "
      .. "require 'argparse' ~= nil, require 'dkjson' ~= nil)"
  local output = support.run(("cd / && env -i '%s' -e \"%s\""):format(copy, code))
  lu.assertEquals(output, "4.0\t[1]\n\ttrue\ttrue\n")
end

-- Loading it would take longer than the rest of a start.
function TestEmbedded.test_only_a_drawing_loads_the_library_for_drawing()
  file("loaded.lua", [[
    local function loaded()
      local maps <close> = assert(io.open "/proc/self/maps")
      return maps:read("a"):find "libcairo" ~= nil
    end
    local corpus = unroll.text.corpus "simple"
    local model = unroll.rnn.lm { cell = "tanh", vocab = corpus.vocab, hidden = 4 }
    unroll.train.fit(model, corpus, { steps = 1, progress = false })
    print(loaded())
    unroll.plot.line { 1, 2 }:save(arg[0] .. ".png")
    print(loaded())]])
  lu.assertEquals(run "loaded.lua", "false\ntrue\n")
end

function TestEmbedded.test_files_in_the_current_directory_do_not_hide_the_library()
  support.run(("mkdir -p '%s/shadow/unroll'"):format(directory))
  file("shadow/unroll.lua", "error('shadowed')")
  file("shadow/unroll/json.lua", "error('shadowed')")
  local output = support.run(("cd '%s/shadow' && %s -e \"%s\""):format(directory, program,
    "print(unroll.version, require('unroll.json').encode(1))"))
  lu.assertStrMatches(output, "%d.%d.%d\t1\n\n")
end

function TestEmbedded.test_own_modules_below_unroll_are_found()
  support.run(("mkdir -p '%s/extra/unroll'"):format(directory))
  file("extra/unroll/mine.lua", "return 'mine'")
  local output = support.run(("cd '%s/extra' && %s -e \"print(require 'unroll.mine')\""):format(
    directory, program))
  lu.assertStrContains(output, "mine\t")
end

function TestEmbedded.test_UNROLL_LUA_uses_files()
  local lua = directory .. "/edited"
  support.run(("cp -r '%s/lua' '%s'"):format(support.root, lua))
  file("edited/unroll/json.lua", "return { edited = true, ... }")
  file("edited/unroll/note.txt", "beside")
  local code = "print(require('unroll.json').edited, "
      .. "require('unroll.resource').read('note.txt'), require 'argparse' ~= nil)"
  local output = support.run(("UNROLL_LUA='%s' %s -e \"%s\""):format(lua, program, code))
  lu.assertEquals(output, "true\tbeside\ttrue\n")
  output = support.run(("UNROLL_LUA='%s' %s -E -e \"%s\""):format(lua, program,
    "print(require('unroll.json').edited)"))
  lu.assertEquals(output, "nil\n")
end

function TestEmbedded.test_UNROLL_LUA_without_a_library()
  local output, code = support.run(("UNROLL_LUA=/nowhere %s -e ''"):format(program))
  lu.assertStrContains(output, "UNROLL_LUA=/nowhere: no library there")
  lu.assertEquals(code, 1)
end

function TestEmbedded.test_the_library_does_not_see_a_script_s_variables()
  local names = "type next error pairs ipairs select table string math tostring setmetatable "
  local code = "local pcall, print = pcall, print " .. names:gsub("(%w+) ", "%1 = 1 ")
    .. "local m = unroll.rnn.lm { cell = [[tanh]], vocab = 3, hidden = 2 } "
    .. "print(pcall(function() return m.missing_name end))"
  local output = run(("-e '%s' 2>&1"):format(code))
  lu.assertStrContains(output, "has no 'missing_name'")
end

function TestEmbedded.test_tracebacks_name_the_library_s_files()
  local output = run("-e 'require(\"unroll.json\").encode(print)' 2>&1")
  lu.assertStrContains(output, "(command line):1: json.encode: value is a function")
  lu.assertStrContains(output, "unroll/json.lua:")
end

function TestEmbedded.test_resources_are_listed()
  local code = "for _, folder in ipairs { 'rnn', 'text/data', 'none' } do "
    .. "print(table.concat(require('unroll.resource').list(folder), ' ')) end"
  local expected = support.run(("cd '%s/lua/unroll' && for d in rnn text/data none; do "
    .. "LC_ALL=C ls $d 2>/dev/null | paste -sd ' '; done"):format(support.root))
  lu.assertStrContains(expected, "cell.lua")
  lu.assertEquals(run(('-e "%s"'):format(code)), expected)
  lu.assertEquals(support.run(('%s -e "%s"'):format(support.stock_lua, code)), expected)
end

function TestEmbedded.test_resources_are_the_files_of_the_tree()
  local code = "io.write(require('unroll.resource').read('json.lua'))"
  local expected = support.read_file(support.root .. "/lua/unroll/json.lua")
  lu.assertEquals(run(("-e \"%s\""):format(code)), expected)
  lu.assertEquals((support.run(("%s -e \"%s\""):format(support.stock_lua, code))), expected)
  lu.assertEquals(run("-e 'print(require(\"unroll.resource\").read(\"none\"))'"),
    "nil\tnone: no such file in the program\n")
end

TestModule = {}

function TestModule.test_stock_lua_loads_the_module()
  local code = "local u = require 'unroll' print(_VERSION, u.version, "
      .. "u.tensor.ones(2, 3):sum(), rawget(_G, 'unroll'))"
  local output = support.run(("%s -e \"%s\""):format(support.stock_lua, code))
  lu.assertStrMatches(output, "Lua 5%.4\t%d+%.%d+%.%d+\t6%.0\tnil\n")
end

function TestModule.test_the_module_brings_no_second_lua()
  local module = support.program:gsub("/bin/[^/]*$", "/lib/unroll/core.so")
  lu.assertNotStrContains((support.run(("ldd '%s'"):format(module))), "liblua")
end

function TestModule.test_an_unknown_instruction_set_is_an_error()
  local output, code = support.run("UNROLL_ISA=sse9 " .. program .. " -e ''")
  lu.assertStrContains(output, "UNROLL_ISA=sse9")
  lu.assertEquals(code, 1)
end

-- --- memory ----------------------------------------------------------------------------------

TestMemory = {}

file("room.lua", [[
  local tensor, kept = require("unroll").tensor, {}
  if arg[2] == "after" then
    tensor.zeros(60 << 20)
    collectgarbage()
    collectgarbage()
  end
  for i = 1, 150 do
    kept[i] = arg[1] == "tensors" and tensor.ones(700000) or ("x"):rep(2500000) .. i
  end
  print(io.open("/proc/self/status"):read("a"):match("VmPeak:%s*(%d+)"))]])

-- The block of a large tensor that is gone is there for small ones when the system has no more.
function TestMemory.test_what_a_large_tensor_leaves_behind_can_be_used()
  for _, kind in ipairs { "tensors", "strings" } do
    local needed = tonumber((run("room.lua " .. kind)))
    -- a sanitizer reserves all memory there is
    local limit = os.getenv "UNROLL_TEST_PRELOAD" and "unlimited" or needed + 16000
    local output, exit = support.run(("cd '%s' && ulimit -v %s && %s room.lua %s after"):format(
      directory, limit, program, kind))
    lu.assertEquals(exit, 0, output)
  end
end

file("cut.lua", [[
  local tensor = require("unroll").tensor
  local function megabytes()
    return io.open("/proc/self/status"):read("a"):match("VmSize:%s*(%d+)") // 1024
  end
  local t = tensor.zeros(60 << 20)
  local before = megabytes()
  t = nil
  collectgarbage()
  collectgarbage()
  t = tensor.zeros(48 << 20)
  print(before - megabytes())]])

function TestMemory.test_a_smaller_tensor_takes_no_more_than_it_needs()
  if os.getenv "UNROLL_TEST_PRELOAD" then return end -- a sanitizer gives nothing back
  local less = tonumber((run("cut.lua")))
  lu.assertTrue(less >= 40 and less <= 56, less)
end

-- --- start ----------------------------------------------------------------------------------

TestStart = {}

function TestStart.test_start_loads_no_library_beyond_the_first_file()
  local output = run("-e 'for k in pairs(package.loaded) do print(k) end'")
  local own = {}
  for name in output:gmatch("unroll[%w.]*") do own[#own + 1] = name end
  table.sort(own)
  lu.assertEquals(own, { "unroll", "unroll.core" })
end

-- --- Ctrl-C ---------------------------------------------------------------------------------

TestInterrupt = {}

local prelude = [[
  local function press() io.popen("kill -INT $PPID"):close() end
  local function forever() press() while true do end end
]]

local function interrupted(name, code)
  local path = file(name, prelude .. code)
  return support.run(("%s '%s'"):format(program, path))
end

function TestInterrupt.test_script()
  local output, code = interrupted("loop.lua", "forever()")
  lu.assertStrContains(output, "interrupted!\nstack traceback:\n")
  lu.assertEquals(code, 130)
end

function TestInterrupt.test_from_outside()
  local path = file("outside.lua", "print('ready') io.stdout:flush() while true do end")
  local output, code = support.run(([[
    %s '%s' >'%s/ready' & pid=$!
    until grep -q ready '%s/ready'; do sleep 0.02; done
    kill -INT $pid; wait $pid]]):format(program, path, directory, directory))
  lu.assertStrContains(output, "interrupted!")
  lu.assertEquals(code, 130)
end

function TestInterrupt.test_in_coroutines()
  local ways = {
    "coroutine.wrap(forever)()",
    "coroutine.resume(coroutine.create(forever)) print('not reached')",
    "coroutine.wrap(function() coroutine.wrap(forever)() end)()",
    "for _ in coroutine.wrap(function() coroutine.yield(1) forever() end) do end",
    "coroutine.wrap(function() coroutine.yield() end)() forever()",
    "local co = coroutine.create(function() local x <close> = setmetatable({}, "
    .. "{ __close = forever }) coroutine.yield() end) "
    .. "coroutine.resume(co) coroutine.close(co) while true do end",
  }
  for _, way in ipairs(ways) do
    local output, code = interrupted("coroutine.lua", way)
    lu.assertStrContains(output, "interrupted!")
    lu.assertNotStrContains(output, "not reached")
    lu.assertEquals(code, 130, way)
  end
end

function TestInterrupt.test_while_the_coroutine_changes()
  for _ = 1, 10 do -- the key may be pressed at any moment of the change
    local _, code = interrupted("switch.lua", [[
      local hop = coroutine.wrap(function() while true do coroutine.yield() end end)
      io.popen("sleep 0.0$(($$ % 10)); kill -INT $PPID")
      while true do hop() end]])
    lu.assertEquals(code, 130)
  end
end

function TestInterrupt.test_pcall_catches_one()
  local output, code = interrupted("caught.lua", [[
    print((select(2, pcall(forever)):gsub("^.*: ", "")))
    print("went on")]])
  lu.assertEquals({ output, code }, { "interrupted!\nwent on\n", 0 })
end

function TestInterrupt.test_another_error_later_is_no_interrupt()
  local _, code = interrupted("later.lua", "pcall(forever) error('other')")
  lu.assertEquals(code, 1)
end

function TestInterrupt.test_two_presses_get_through_pcall()
  local _, code = interrupted("stubborn.lua", [[
    while true do pcall(forever) end]])
  lu.assertEquals(code, 130)
end

function TestInterrupt.test_a_read_ends()
  local path = file("read.lua", prelude .. [[
    io.popen("sleep 0.1; kill -INT $PPID")
    io.read()
    while true do end]])
  local _, code = support.run(("sleep 3 | %s '%s'"):format(program, path))
  lu.assertEquals(code, 130)
end
