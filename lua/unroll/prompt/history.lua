--- history: what was typed, kept in $XDG_STATE_HOME/unroll/history for the next session.
--
-- Each entry is a line "#" and the time, then its own lines (the form that readline and bash
-- use), so that an entry of several lines comes back as one. It is added to the file, which
-- only its owner can read, as soon as it is entered: sessions side by side lose nothing. When
-- the file has grown to twice `most` entries, the next session cuts it to `most`.

local core = require "unroll.core"

local History = {}
History.__index = History

local history = {}

local most = 10000

-- --- the file ------------------------------------------------------------------------------

--- The folder for what the program remembers, by the XDG base directory specification.
---@param env fun(name: string): string? as os.getenv
---@return string? directory nil when there is no home
function history.directory(env)
  local base = env "XDG_STATE_HOME"
  if base and base:sub(1, 1) == "/" then return base .. "/unroll" end
  local home = env "HOME"
  return home and home ~= "" and home .. "/.local/state/unroll" or nil
end

local stamp = "\n#" .. ("%d"):rep(9) .. "%d*\n"

--- The entries in the text of a history file.
---@return string[]
function history.parse(text)
  local entries, n = {}, 0
  text = "\n" .. text
  local first, last = text:find(stamp)
  while first do
    local from = last + 1
    first, last = text:find(stamp, last) -- its "\n" may be the end of the stamp before
    n = n + 1
    entries[n] = text:sub(from, first and first - 1 or #text - 1)
  end
  return entries
end

local function block(entry) return ("#%d\n%s\n"):format(os.time(), entry) end

-- Cuts the file, while no other session adds to it.
local function shorten(self)
  local _ <close> = core.sys.lock(self.directory)
  local text = core.sys.read_file(self.path)
  local entries = text and history.parse(text) or {}
  if #entries < 2 * most then return end
  local blocks = {}
  for i = #entries - most + 1, #entries do blocks[#blocks + 1] = block(entries[i]) end
  core.sys.write_file(self.path, table.concat(blocks))
end

-- The last `most` entries, each once, where it was last.
local function newest(entries)
  local seen, found = {}, {}
  for i = #entries, 1, -1 do
    if not seen[entries[i]] and entries[i] ~= "" and #found < most then
      seen[entries[i]] = true
      found[#found + 1] = entries[i]
    end
  end
  local ordered = {}
  for i = #found, 1, -1 do ordered[#ordered + 1] = found[i] end
  return ordered
end

--- Reads the history.
---@param directory? string where its file lies; nil: it is not kept
---@return unroll.prompt.History
function history.open(directory)
  local self = setmetatable({ entries = {}, directory = directory, added = 0 }, History)
  if not directory then return self end
  self.path = directory .. "/history"
  local ok, message = core.sys.mkdir(directory)
  local text = core.sys.read_file(self.path)
  if not ok then self.problem = message end
  if text then
    local entries = history.parse(text)
    if #entries >= 2 * most then shorten(self) end
    self.entries = newest(entries)
  end
  return self
end

--- Adds an entry, unless it is the one before again.
---@return boolean is_new
---@return string? problem the first time that the file cannot be written
function History:add(entry)
  if entry == self.entries[#self.entries] or not entry:find "%S" then return false end
  self.entries[#self.entries + 1] = entry
  self.added = self.added + 1
  if not self.path or self.reported then return true end
  local problem = self.problem
  if not problem then
    local _ <close> = core.sys.lock(self.directory)
    problem = select(2, core.sys.append_file(self.path, block(entry), true))
  end
  self.reported = problem ~= nil
  return true, problem
end

return history
