--- The prompt: reads entries, runs them, shows their values.
--
-- The program calls prompt.run(host, options). host is what it lends: open, read, add_history,
-- close and give_back (a reader of lines, with editing where there is a terminal) and call
-- (xpcall, open to Ctrl-C). An entry is Lua code of one or more lines, or one line that begins
-- with % (a command), ! (the shell) or ? (help). Every entry has a number; its chunk is
-- prompt:<number>.

local color = require "unroll.prompt.color"
local compile = require "unroll.prompt.compile"
local core = require "unroll.core"
local errors = require "unroll.prompt.errors"
local globals = require "unroll.prompt.globals"
local history = require "unroll.prompt.history"
local show = require "unroll.prompt.show"
local snapshot = require "unroll.prompt.snapshot"
local transcript = require "unroll.prompt.transcript"

local prompt = {}

---@class unroll.prompt.Session
---@field host table
---@field options table
---@field count integer entries so far
---@field entries table[] those that ran: { text =, ok = }
---@field history unroll.prompt.History
---@field editor boolean is there a line editor?
---@field failure table? the snapshot of the last error
---@field environment table the global variables, or those of a frame in %debug
local Session = {}
Session.__index = Session

-- --- reading -----------------------------------------------------------------------------

local function prompt_text(self, name, preset)
  local own = rawget(_G, name)
  if own ~= nil then return tostring(own) end
  return (self.editor and color.paint_prompt or color.paint)("prompt", preset)
end

-- Moves to a new line when a program has left the cursor in the middle of one: as many
-- spaces as there are columns end in the same line only from its beginning.
local function begin_line(self)
  if self.editor then io.write((" "):rep(show.width()), "\r") end
end

function Session:read_line(is_first)
  if is_first and self.count > 0 then begin_line(self) end
  io.stdout:flush()
  local text = is_first and prompt_text(self, "_PROMPT", self.frame and "debug> " or "> ")
    or prompt_text(self, "_PROMPT2", ".. ")
  self.pending = not is_first and self.pending or ""
  return self.host.read(text)
end

-- Whether a line is not Lua: such an entry ends with its line, unless it is code to be timed.
local function is_command(line)
  return line:find "^%s*[%%!?]" ~= nil or line:find "^[%w_.:]+%?$" ~= nil
end

local takes_code = { time = true, timeit = true, prof = true }

local function needs_more(text)
  if not is_command(text) then return compile.needs_more(text) end
  local name, code = text:match "^%s*%%(%a+)%s+(.*)$"
  return takes_code[name] and compile.needs_more(code)
end

--- Reads an entry; goes on while it is not complete.
---@return string? text nil after Ctrl-C and at the end
---@return string? how "interrupt" or "end"
function Session:read_entry()
  local text, how = self:read_line(true)
  if not text then return nil, how end
  if not text:find "\n" then text = text:gsub("^> ", "") end
  while needs_more(text) do
    self.pending = text .. "\n"
    local line
    line, how = self:read_line(false)
    if how == "interrupt" then return nil, how end
    if not line then break end -- the compiler says what is missing
    text = text .. "\n" .. line
  end
  return text
end

-- --- running -----------------------------------------------------------------------------

local function is_interrupt(value)
  return type(value) == "string" and value:find "interrupted!$" ~= nil
end

local function pack_results(ok, ...) return ok, table.pack(...) end

--- Calls a function, open to Ctrl-C; an error is shown, unless its value is self.unshown.
---@return boolean ok
---@return table values packed; the snapshot alone after an error
function Session:call(f, ...)
  local start = core.sys.clock()
  local ok, values = pack_results(self.host.call(function(value)
    return snapshot.take(value, f)
  end, f, ...))
  if ok then return true, values end
  -- an error in the handler (out of memory, a stack that is full) comes without a snapshot
  local failure = type(values[1]) == "table" and values[1].frames and values[1]
    or { value = values[1], frames = {} }
  if self.unshown == nil or failure.value ~= self.unshown then
    self:fail(failure, core.sys.clock() - start)
  end
  return false, { failure, n = 1 }
end

--- Shows an error and keeps it for %debug.
---@param failure table a snapshot
---@param seconds? number how long it ran
function Session:fail(failure, seconds)
  self.failure = failure
  self:set_result("_err", failure.value)
  local text
  if is_interrupt(failure.value) then
    text = (self.editor and " " or "") .. errors.interrupted(failure.frames, self.name, seconds)
  else
    text = select(2, pcall(errors.format, failure.value, failure.frames, self.name))
  end
  color.complain(text)
end

-- --- results -----------------------------------------------------------------------------

--- Sets _, __ or _err, unless the user has given the name a value.
function Session:set_result(name, value)
  if rawget(_G, name) ~= self.results[name] then return end
  self.results[name] = value
  rawset(_G, name, value)
end

--- Shows the values of an entry and keeps the first as _.
---@param values table packed
---@param code? string where they come from: when it ends with ";" they are not shown
function Session:show(values, code)
  if values.n == 0 then return end
  if not (code and compile.is_silent(code)) and not self:call(show.values, values) then return end
  self:set_result("__", self.results._)
  self:set_result("_", values[1])
end

--- Compiles Lua code under the name of this entry; shows what is wrong with it.
---@return unroll.prompt.Chunk? chunk nil when it is wrong
function Session:compile(code)
  local chunk, message = compile.entry(code, "=" .. self.name, {
    environment = self.environment, lua_locals = self.options.lua_locals })
  if not chunk then
    self:fail { value = message, frames = {} }
    return nil
  end
  for _, note in ipairs(chunk.notes) do print(color.paint("dim", note)) end
  return chunk
end

--- Runs a chunk.
---@return boolean ok
---@return table values packed, when ok
function Session:values_of(chunk)
  local values
  local ok, returned = self:call(chunk.run, chunk.expression
    and function(...) values = table.pack(...) end or nil)
  return ok, values or returned
end

--- Runs Lua code as an entry.
---@return boolean ok
function Session:evaluate(code)
  local chunk = self:compile(code)
  if not chunk then return false end
  local ok, values = self:values_of(chunk)
  if ok then self:show(values, code) end
  return ok
end

-- --- a turn ------------------------------------------------------------------------------

function Session:remember(text)
  local is_new, problem = self.history:add(text)
  if is_new then self.host.add_history(text) end
  if problem then
    color.complain(color.paint("dim", "the history is not kept: " .. problem))
  end
end

--- Runs an entry, whatever it is.
function Session:enter(text)
  if not text:find "%S" then return end
  self:remember(text)
  self.count = self.count + 1
  self.name = "prompt:" .. self.count
  errors.remember(self.name, text)
  local entry = { text = text, is_command = is_command(text) }
  self.entries[self.count] = entry
  if entry.is_command then
    entry.ok = require("unroll.prompt.commands").run(self, text)
  else
    entry.ok = self:evaluate(text)
  end
end

-- Every turn but the last.
local function turns(self)
  while true do
    local text, how = self:read_entry()
    if text then
      for _, entry in ipairs(transcript.entries(text)) do self:enter(entry) end
    elseif how == "end" then
      if not self.frame then return end
      self.frame, self.environment = nil, _G
    end
  end
end

-- --- the beginning -----------------------------------------------------------------------

-- A person at a terminal that can move its cursor.
local function can_edit()
  local term = os.getenv "TERM"
  return core.sys.isatty(0) and core.sys.isatty(1) and (term or "") ~= "" and term ~= "dumb"
    and os.getenv "UNROLL_READLINE" ~= "0"
end

-- A step of what can wait until the first prompt is shown.
local function prepare(self)
  if self.has_history then return require("unroll.prompt.complete").prepare() end
  self.has_history = true
  self.history = history.open(history.directory(os.getenv))
  for _, entry in ipairs(self.history.entries) do self.host.add_history(entry) end
  return true
end

local function open_editor(self)
  if not can_edit() then return end
  local no_color = os.getenv "NO_COLOR"
  self.editor = self.host.open(function(text)
    if not text then return prepare(self) end
    return require("unroll.prompt.complete").complete(self.pending, text, self.environment)
  end, no_color == nil or no_color == "")
  if self.editor then require("unroll.plot.terminal").give_back = self.host.give_back end
end

local function run_startup_file(self)
  local base = os.getenv "XDG_CONFIG_HOME"
  if not base or base == "" then base = (os.getenv "HOME" or "") .. "/.config" end
  local path = base .. "/unroll/init.lua"
  local file = io.open(path, "rb")
  if not file then return end
  file:close()
  local chunk, message = loadfile(path)
  self.name = "startup"
  if chunk then self:call(chunk) else self:fail { value = message, frames = {} } end
end

--- Talks until the input ends.
---@param host table open, read, add_history, close, give_back, call
---@param options table quiet, norc, lua_locals; color = "auto", "always" or "never"; lua
function prompt.run(host, options)
  color.setup(options.color)
  local self = setmetatable({ host = host, options = options, count = 0, entries = {},
    results = {}, environment = _G, pending = "", editor = false,
    history = history.open(nil) }, Session)
  globals.open()
  if not options.quiet then
    print(require("unroll.prompt.banner").text(options.lua, show.width()))
  end
  open_editor(self)
  if not options.norc then run_startup_file(self) end
  turns(self)
  host.close()
end

return prompt
