-- core.sys: files that are whole or as they were, directories, clock, deferred Ctrl-C.

local lu = require "luaunit"
local support = require "support"
local sys = require("unroll.core").sys

local directory = support.tmpdir() -- empty at the start of each test of writing
local scratch = support.tmpdir()

local function listing()
  return (support.run(("ls -A '%s'"):format(directory)))
end

TestWrite = {}

function TestWrite.setUp() support.run(("rm -rf '%s'/*"):format(directory)) end

function TestWrite.test_string_and_pieces()
  local path = directory .. "/a"
  lu.assertEquals(sys.write_file(path, "one\0two"), true)
  lu.assertEquals(sys.read_file(path), "one\0two")
  lu.assertEquals(sys.write_file(path, { "x", "", "yz", "\n" }), true)
  lu.assertEquals(sys.read_file(path), "xyz\n")
  lu.assertEquals(sys.write_file(path, {}), true)
  lu.assertEquals(sys.read_file(path), "")
  lu.assertEquals(listing(), "a\n")
end

function TestWrite.test_large_file()
  local bytes = ("0123456789abcdef"):rep(1 << 18)
  assert(sys.write_file(directory .. "/large", { bytes, bytes }))
  lu.assertTrue(sys.read_file(directory .. "/large") == bytes .. bytes)
end

-- Runs code in a process that may write at most 8 kB to a file.
local function with_little_room(code)
  local script = scratch .. "/script.lua"
  support.write_file(script, code)
  return support.run(("ulimit -f 8; %s '%s' '%s'"):format(support.quoted_program, script,
    directory))
end

function TestWrite.test_a_full_disk_keeps_the_old_file()
  support.write_file(directory .. "/kept", "precious")
  local output, exit = with_little_room [[
    local sys = require("unroll.core").sys
    print(sys.write_file(arg[1] .. "/kept", ("x"):rep(1 << 20)))
    print(sys.write_file(arg[1] .. "/new", { ("x"):rep(1 << 20), "end" }))]]
  lu.assertEquals(exit, 0)
  lu.assertEquals(output, ("nil\t%s/kept: File too large\nnil\t%s/new: File too large\n")
    :format(directory, directory))
  lu.assertEquals(support.read_file(directory .. "/kept"), "precious")
  lu.assertEquals(listing(), "kept\n")
end

function TestWrite.test_devices_are_written_straight()
  local ok, message = sys.write_file("/dev/full", "x")
  lu.assertNil(ok)
  lu.assertEquals(message, "/dev/full: No space left on device")
  lu.assertEquals(sys.write_file("/dev/null", "x"), true)
  lu.assertEquals(support.run("test -c /dev/null && echo device"), "device\n")
end

function TestWrite.test_failures_name_the_path()
  local cases = {
    { directory, "Is a directory" },
    { directory .. "/none/file", "No such file or directory" },
    { directory .. "/" .. ("n"):rep(300), "File name too long" },
    { directory .. "/" .. ("n/"):rep(4000), "File name too long" },
  }
  for _, case in ipairs(cases) do
    local ok, message = sys.write_file(case[1], "x")
    lu.assertNil(ok)
    lu.assertEquals(message, case[1] .. ": " .. case[2])
  end
  lu.assertEquals(listing(), "")
end

function TestWrite.test_mode_and_link_stay()
  local file, link = directory .. "/file", directory .. "/link"
  support.write_file(file, "old")
  support.run(("chmod 640 '%s'; ln -s file '%s'"):format(file, link))
  assert(sys.write_file(link, "new"))
  lu.assertEquals(support.read_file(file), "new")
  local modes = support.run(("stat -c %%A '%s' '%s'"):format(file, link))
  lu.assertEquals(modes, "-rw-r-----\nlrwxrwxrwx\n")
end

function TestWrite.test_new_file_obeys_the_umask()
  local script = scratch .. "/umask.lua"
  support.write_file(script, "require('unroll.core').sys.write_file(arg[1] .. '/new', '')")
  support.run(("umask 027; %s '%s' '%s'"):format(support.quoted_program, script, directory))
  lu.assertEquals(support.run(("stat -c %%a '%s/new'"):format(directory)), "640\n")
end

function TestWrite.test_wrong_arguments()
  support.raises("element 2 must be a string, got table", sys.write_file, directory .. "/x",
    { "a", {} })
  support.raises("string expected, got nil", sys.write_file, directory .. "/x", nil)
  lu.assertEquals(listing(), "")
end

-- Metamethods have no say: a length that lies would write beyond the list of pieces.
function TestWrite.test_pieces_are_read_without_metamethods()
  local path = directory .. "/a"
  for _, length in ipairs { -1, 1 << 60 - 1, 5 } do
    local pieces = setmetatable({ "one" },
      { __len = function() return length end, __index = function() return "more" end })
    lu.assertEquals(sys.write_file(path, pieces), true)
    lu.assertEquals(support.read_file(path), "one")
  end
end

TestRead = {}

function TestRead.test_failures()
  lu.assertEquals({ sys.read_file(scratch .. "/none") },
    { nil, scratch .. "/none: No such file or directory" })
  lu.assertEquals({ sys.read_file(scratch) }, { nil, scratch .. ": Is a directory" })
end

function TestRead.test_files_whose_size_is_not_known()
  local text = sys.read_file("/proc/self/status")
  lu.assertStrContains(text, "Pid:")
end

function TestRead.test_files_are_closed()
  local function open_files()
    return tonumber((support.run("ls /proc/$PPID/fd | wc -l")))
  end
  local before = open_files()
  for _ = 1, 200 do sys.read_file("/proc/self/status") end
  lu.assertTrue(open_files() <= before)
end

TestMkdir = {}

function TestMkdir.test_with_parents()
  local path = scratch .. "/a/b//c/"
  lu.assertEquals(sys.mkdir(path), true)
  lu.assertEquals(sys.mkdir(path), true)
  lu.assertEquals(select(2, support.run(("test -d '%s'"):format(path))), 0)
end

function TestMkdir.test_failures()
  support.write_file(scratch .. "/file", "")
  lu.assertEquals({ sys.mkdir(scratch .. "/file/x") },
    { nil, scratch .. "/file/x: Not a directory" })
  lu.assertEquals({ sys.mkdir(scratch .. "/file") },
    { nil, scratch .. "/file: Not a directory" })
  lu.assertNil((sys.mkdir("")))
end

TestMachine = {}

function TestMachine.test_clock_counts_seconds()
  local start = sys.clock()
  os.execute("sleep 0.1")
  local passed = sys.clock() - start
  lu.assertTrue(passed >= 0.1 and passed < 10, passed)
end

function TestMachine.test_cores()
  lu.assertEquals(sys.cores(), tonumber((support.run("nproc"))))
end

function TestMachine.test_no_terminal_here()
  local code = "local s = require('unroll.core').sys "
      .. "print(s.isatty(0), s.isatty(1), s.terminal_width())"
  local output = support.run(("'%s' -e \"%s\" </dev/null"):format(support.program, code))
  lu.assertEquals(output, "false\tfalse\tnil\n")
  support.raises("no file descriptor", sys.isatty, -1)
end

function TestMachine.test_terminal()
  local script = scratch .. "/terminal.lua"
  support.write_file(script, [[
    os.execute("stty cols 123")
    local s = require("unroll.core").sys
    print(s.isatty(0), s.isatty(1), s.terminal_width())]])
  local output = support.run(("script -qec \"'%s' '%s'\" /dev/null </dev/null"):format(
    support.program, script))
  lu.assertStrContains(output, "true\ttrue\t123")
end

-- --- Ctrl-C that waits, in the program and in stock Lua -----------------------------------------

TestDefer = {}

local prelude = [[
  local sys = require("unroll.core").sys
  local function press() io.popen("kill -INT $PPID"):close() end
  local function busy() for _ = 1, 1e7 do end return "not interrupted" end
]]

-- What the code prints, in the program and in stock Lua.
local function check_both(expected, code)
  local script = scratch .. "/defer.lua"
  support.write_file(script, prelude .. code)
  for _, interpreter in ipairs { support.quoted_program, support.stock_lua } do
    local output = support.run(interpreter .. " " .. script)
    output = output:gsub("\t[^\t]*: interrupted!", "\tinterrupted!")
    lu.assertEquals(output, expected, interpreter)
  end
end

function TestDefer.test_the_flag()
  check_both("false\ntrue\nfalse\nnot interrupted\n", [[
    do
      local guard <close> = sys.defer_interrupts()
      print(sys.interrupted())
      press()
      busy()
      print(sys.interrupted())
      print(sys.interrupted())
    end
    print(busy())]])
end

function TestDefer.test_a_second_press_interrupts()
  check_both("false\tinterrupted!\n", [[
    print(pcall(function()
      local guard <close> = sys.defer_interrupts()
      press()
      press()
      busy()
    end))]])
end

function TestDefer.test_an_unread_flag_interrupts_at_the_end()
  check_both("after the guard's work\nfalse\tinterrupted!\n", [[
    print(pcall(function()
      do
        local guard <close> = sys.defer_interrupts()
        press()
        print("after the guard's work")
      end
      print(busy())
    end))]])
end

function TestDefer.test_an_error_closes_the_guard()
  check_both("false\tinterrupted!\n", [[
    pcall(function()
      local guard <close> = sys.defer_interrupts()
      error("x")
    end)
    print(pcall(function() press() print(busy()) end))]])
end

function TestDefer.test_a_forgotten_guard_ends_with_the_collector()
  check_both("false\tinterrupted!\n", [[
    sys.defer_interrupts()
    collectgarbage()
    print(pcall(function() press() print(busy()) end))]])
end

TestList = {}

function TestList.test_names_of_a_directory()
  local folder = support.tmpdir()
  lu.assertEquals(sys.list(folder), {})
  for _, name in ipairs { "b", "a", ".hidden" } do support.write_file(folder .. "/" .. name, "") end
  assert(sys.mkdir(folder .. "/c"))
  lu.assertItemsEquals(sys.list(folder), { ".hidden", "a", "b", "c" })
  local names, message = sys.list(folder .. "/none")
  lu.assertNil(names)
  lu.assertEquals(message, folder .. "/none: No such file or directory")
  lu.assertNil(sys.list(folder .. "/a"))
end
