-- core.sys: channels to other processes, forked copies, poll, appending, hashes.

local lu = require "luaunit"
local support = require "support"
local sys = require("unroll.core").sys

TestProcess = {}

local function read_all(channel)
  local pieces = {}
  while true do
    local bytes = assert(channel:read())
    if bytes == "" then return table.concat(pieces) end
    pieces[#pieces + 1] = bytes
  end
end

local function sh(command) return assert(sys.spawn { "sh", "-c", command }) end

-- Whether the process is there at all, as a zombie too.
local function exists(pid)
  local _, code = support.run(("test -d /proc/%d"):format(pid))
  return code == 0
end

function TestProcess.test_bytes_go_both_ways()
  local cat <close> = sh "read line; echo \"got $line\"; head -c 200000 /dev/zero"
  lu.assertTrue(cat:write "a word\n")
  lu.assertEquals(read_all(cat), "got a word\n" .. ("\0"):rep(200000))
  lu.assertEquals({ cat:wait() }, { "exit", 0 })
end

function TestProcess.test_exit_codes_and_signals()
  lu.assertEquals({ sh("exit 7"):wait() }, { "exit", 7 })
  local sleeper <close> = sh "exec sleep 60"
  lu.assertTrue(sleeper:kill "terminate")
  lu.assertEquals({ sleeper:wait() }, { "signal", 15 })
  local _, message = sleeper:wait()
  lu.assertStrContains(message, "channel:")
end

function TestProcess.test_a_program_that_is_missing()
  local channel, message = sys.spawn { "/no/such/program" }
  lu.assertNil(channel)
  lu.assertEquals(message, "/no/such/program: No such file or directory")
  support.raises("the list of words is empty", sys.spawn, {})
  support.raises("the words must be strings", sys.spawn, { true })
end

function TestProcess.test_a_write_that_nobody_reads_is_a_message()
  local gone <close> = sh "exit 0"
  gone:wait()
  local ok, message = gone:write "x"
  lu.assertNil(ok)
  lu.assertStrContains(message, "Broken pipe")
end

function TestProcess.test_close_kills_and_leaves_no_zombie()
  local sleeper = sh "exec sleep 60"
  local pid = sleeper:pid()
  lu.assertTrue(exists(pid))
  sleeper:close()
  sleeper:close()
  lu.assertFalse(exists(pid))
  support.raises("the channel is closed", sleeper.read, sleeper)
  local forgotten = sh("exec sleep 60"):pid()
  collectgarbage()
  collectgarbage()
  lu.assertFalse(exists(forgotten))
end

function TestProcess.test_poll_tells_who_has_something()
  local quiet <close> = sh "exec sleep 60"
  local ended <close> = sh "exit"
  local talks <close> = sh "echo x; exec sleep 60"
  local seen = {}
  for _ = 1, 100 do
    for _, place in ipairs(sys.poll({ quiet, ended, talks }, 5)) do seen[place] = true end
    if seen[2] and seen[3] then break end
    os.execute "sleep 0.02" -- the ended one is ready at once, each time
  end
  lu.assertEquals(seen, { [2] = true, [3] = true })
  local started = sys.clock()
  lu.assertEquals(sys.poll({ quiet }, 0.05), {})
  lu.assertTrue(sys.clock() - started >= 0.04)
end

function TestProcess.test_a_copy_sees_what_was_made()
  local secret = { "made before" }
  local channel <close>, is_copy = sys.fork()
  if is_copy then
    channel:write(secret[1] .. " " .. channel:read())
    sys.exit_copy(3)
  end
  channel:write "asked"
  lu.assertEquals(read_all(channel), "made before asked")
  lu.assertEquals({ channel:wait() }, { "exit", 3 })
end

-- A copy that closes the channels it has inherited must not kill its siblings.
function TestProcess.test_a_copy_does_not_own_its_siblings()
  local sibling <close> = sh "read x; echo alive"
  local channel <close>, is_copy = sys.fork()
  if is_copy then
    sibling:close()
    sys.exit_copy(0)
  end
  channel:wait()
  sibling:write "\n"
  lu.assertEquals(read_all(sibling), "alive\n")
end

function TestProcess.test_children_die_with_their_parent()
  local parent = sys.spawn { support.program, "-e", [[
    local sys = require("unroll.core").sys
    local child = sys.spawn { "sleep", "60" }
    io.stdout:write(child:pid(), "\n") io.stdout:flush()
    while true do end]] }
  local pid = tonumber(parent:read())
  parent:close()
  for _ = 1, 100 do
    if not exists(pid) then break end
    os.execute "sleep 0.02"
  end
  local state = support.run(("cat /proc/%d/status 2>/dev/null | grep State"):format(pid))
  lu.assertTrue(state == "" or state:find "zombie" ~= nil, state)
end

function TestProcess.test_append_and_hash()
  local path = support.tmpdir() .. "/lines"
  lu.assertTrue(sys.append_file(path, "one\n"))
  lu.assertTrue(sys.append_file(path, "two\n"))
  lu.assertEquals(sys.read_file(path), "one\ntwo\n")
  local ok, message = sys.append_file("/no/such/dir/x", "")
  lu.assertNil(ok)
  lu.assertStrContains(message, "/no/such/dir/x")
  -- the test values that the authors of FNV publish
  lu.assertEquals(sys.hash "", "cbf29ce484222325")
  lu.assertEquals(sys.hash "a", "af63dc4c8601ec8c")
  lu.assertEquals(sys.hash "foobar", "85944171f73967e8")
end

-- A length that lies would write beyond the list of words or of channels.
function TestProcess.test_lists_are_read_without_metamethods()
  local function lying(list)
    return setmetatable(list, { __len = function() return (1 << 61) - 1 end,
      __index = function() return "more" end })
  end
  local channel <close> = sys.spawn(lying { "echo", "a" })
  lu.assertEquals(channel:read(), "a\n")
  lu.assertEquals(sys.poll(lying { channel }, 5), { 1 }) -- the end can be read
end
