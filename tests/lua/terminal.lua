--- A person at a terminal: types at a program and reads what the terminal shows.
--
--   local t = terminal.start { columns = 80, rows = 24, arguments = "-q", env = "TERM=xterm" }
--   t:expect "> "            waits until the text is there; what is before it is over
--   t:type "1 + 1\n"
--   t:finish()               types Ctrl-D; the exit code and the mode the terminal is left in

local lu = require "luaunit"
local core = require "unroll.core"
local support = require "support"

local Terminal = {}
Terminal.__index = Terminal

local terminal = {}

local patience = os.getenv "UNROLL_TEST_PRELOAD" and 60 or 20 -- seconds for any answer

local pty = support.program:gsub("/bin/[^/]*$", "/tests/pty")

--- Starts the program, or another. HOME is a new directory, unless `home` gives one.
---@param opts? table columns, rows, arguments, env ("NAME=value ..."), home, program
function terminal.start(opts)
  opts = opts or {}
  local home = opts.home or support.tmpdir()
  local command = ("cd '%s' && exec env -i PATH=\"$PATH\" HOME='%s' TERM=xterm-256color "
    .. "LANG=C.UTF-8 %s %s '%s' %d %d %s %s"):format(home, home, support.sanitizer_options,
    opts.env or "", pty, opts.columns or 80, opts.rows or 24,
    opts.program or support.quoted_program, opts.arguments or "-q")
  local channel = assert(core.sys.spawn { "sh", "-c", command })
  return setmetatable({ channel = channel, home = home, raw = "", at = 1 }, Terminal)
end

-- What is no text: colours and cursor moves, the spaces that end a line, the blank with which
-- readline goes on in the next line of a narrow screen, carriage returns.
local invisible = { "^\27%[[%d;?]*%a()", "^\27%[?[%d;?]*$()", "^" .. (" "):rep(21) .. "+\r()",
  "^ \r()[^\r\n]", "^\r()" }

local function after_invisible(bytes, i)
  for _, pattern in ipairs(invisible) do
    local after = bytes:match(pattern, i)
    if after then return after end
  end
end

--- What the terminal shows as text, and where each byte of it was.
function terminal.plain(bytes)
  local out, places, i = {}, {}, 1
  while i <= #bytes do
    local after = after_invisible(bytes, i)
    if not after then
      out[#out + 1], places[#places + 1] = bytes:sub(i, i), i
    end
    i = after or i + 1
  end
  return table.concat(out), places
end

-- Reads what comes before the deadline; false at the end or when the time is over.
function Terminal:read(deadline)
  local left = deadline - core.sys.clock()
  if left <= 0 or self.ended then return false end
  if #core.sys.poll({ self.channel }, left) == 0 then return true end
  local bytes = self.channel:read()
  if not bytes or bytes == "" then
    self.ended = true
    return false
  end
  self.raw = self.raw .. bytes
  return true
end

--- Waits for a text (plain) in what has not been expected yet.
---@return string before what came before it
function Terminal:expect(text)
  local deadline = core.sys.clock() + patience
  while true do
    local shown, places = terminal.plain(self.raw:sub(self.at))
    local first, last = shown:find(text, 1, true)
    if first then
      self.at = self.at + (places[last] or 0)
      return shown:sub(1, first - 1)
    end
    if not self:read(deadline) then
      lu.fail(("no %q at the terminal, but %q"):format(text, shown))
    end
  end
end

--- Waits for bytes, escapes too, in all that came.
function Terminal:expect_bytes(bytes)
  local deadline = core.sys.clock() + patience
  while not self.raw:find(bytes, 1, true) do
    if not self:read(deadline) then lu.fail(("no %q at the terminal"):format(bytes)) end
  end
end

function Terminal:type(bytes) assert(self.channel:write(bytes)) end

--- Types an entry and returns what the terminal shows from its end to the next prompt.
function Terminal:enter(text, prompt)
  self:type(text .. "\n")
  self:expect(text:match "[^\n]*$")
  return (self:expect("\n" .. (prompt or "> ")):gsub("^\n", ""))
end

function Terminal:resize(columns, rows) self:type(("\31size %d %d\n"):format(columns, rows)) end

function Terminal:signal(number) self:type(("\31kill %d\n"):format(number)) end

--- Waits until the program has ended.
---@return integer code its exit code, 128 + n after a signal
---@return boolean usual whether the terminal is as it was before
function Terminal:wait()
  local deadline = core.sys.clock() + patience
  while self:read(deadline) do end
  if not self.ended then lu.fail("the program goes on: " .. (terminal.plain(self.raw))) end
  local _, code = self.channel:wait()
  return code, self.raw:sub(-1) == "c"
end

--- Ctrl-D, then as wait.
function Terminal:finish()
  self:type "\4"
  return self:wait()
end

return terminal
