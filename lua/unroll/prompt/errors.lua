--- errors: how an error looks: the message, the line it came from, and who called.
--
--   error: attempt to perform arithmetic on a nil value (local 'x')
--     prompt:3, line 2
--       1  function f(x)
--     > 2    return x + 1
--                   ^
--       3  end
--     called from
--       prompt:4
--
-- Frames of the prompt itself are left out, those inside the library are one line.

local color = require "unroll.prompt.color"
local lexer = require "unroll.prompt.lexer"
local show = require "unroll.prompt.show"

local errors = {}

local most_frames, context = 12, 1

-- --- sources -----------------------------------------------------------------------------

local typed = {} -- chunk name without "=" -> text of the entry

--- Remembers the text of an entry, so that errors can show its lines.
---@param name string "prompt:7"
function errors.remember(name, text) typed[name] = text end

--- The text of an entry; nil when it is none.
---@param name string "prompt:7"
---@return string?
function errors.entry(name) return typed[name] end

-- The code of a chunk, by what debug.getinfo calls source and short_src.
local function code_of(source, short)
  if typed[short] then return typed[short] end
  local path = source and source:match "^@(.*)"
  if not path then return nil end
  local file = io.open(path, "rb")
  if not file then return nil end
  local code = file:read "a"
  file:close()
  return code
end

-- A line as it can be shown, whatever the file holds.
local function printable(line)
  if not utf8.len(line) then line = line:gsub("[\128-\255]", "?") end
  return (line:gsub("[^%C\t]", "?"))
end

local function lines_of(code)
  local lines = {}
  for line in (code .. "\n"):gmatch "(.-)\r?\n" do lines[#lines + 1] = printable(line) end
  if code:sub(-1) == "\n" then lines[#lines] = nil end
  return lines
end

-- --- where -------------------------------------------------------------------------------

-- Takes "place:12: " from the front of a message. Coroutines put one in front of another:
-- then the last that can be shown is where the error came from.
local split
function split(message)
  for _, pattern in ipairs { "^(prompt:%d+):(%d+): (.*)$", "^(.-):(%d+): (.*)$" } do
    local place, line, text = message:match(pattern)
    if place and not place:find "\n" then
      local inner, inner_place, inner_line = split(text)
      if inner_place and code_of("@" .. inner_place, inner_place) then
        return inner, inner_place, inner_line
      end
      return text, place, tonumber(line)
    end
  end
  return message
end

--- Whether a frame is inside the library.
function errors.is_library(frame)
  return frame.source ~= nil and frame.source:find "^@unroll/" ~= nil
end

local is_library = errors.is_library

-- Where the error is to be shown: the place in its message, or else the first frame that
-- is neither C nor the library's: { text, source, place, line, frame = its index or 0 }.
local function locate(message, frames)
  local text, place, line = split(message)
  for i, frame in ipairs(frames) do
    local is_it
    if place then
      is_it = frame.short_src == place and frame.line == line
    else
      is_it = frame.line > 0 and not is_library(frame)
    end
    if is_it then
      return { text = text, source = frame.source, place = frame.short_src, line = frame.line,
        frame = i }
    end
  end
  return { text = text, source = place and "@" .. place, place = place, line = line, frame = 0 }
end

-- --- the caret ---------------------------------------------------------------------------

-- The token of a line that a syntax error names: the first that the parser refuses, in the
-- same words. (What is only left open by then, a label for one, has others.)
local function refused_token(code, line, text)
  local refusal = ("near '%s'"):format(text)
  for _, token in ipairs(lexer.code(code)) do
    if token.line == line and token.text == text then
      local _, message = load(code:sub(1, token.last), "=?")
      if message and message:sub(-#refusal) == refusal then return token end
    end
  end
end

-- What must follow a variable that fails in this way.
local followers = { index = "^[%.:%[]$", call = "^[%({\"'%[]" }

-- Whether the next token lets a variable fail so; one before "=" is only written.
local function may_fail(after, act)
  if after and after.text == "=" then return false end
  return not followers[act] or after ~= nil and after.text:find(followers[act]) ~= nil
end

-- Whether a token is the variable or field of this name: x, t.x, t:x or t["x"].
local function is_named(token, before, kind, name)
  local connects = before and before.text or ""
  local is_field = kind == "field" or kind == "method"
  if token.kind == "string" then
    return is_field and connects == "[" and token.text:sub(2, -2) == name
  end
  return token.kind == "name" and token.text == name
    and is_field == (connects == "." or connects == ":")
end

-- The one token of a line that a message names as a variable; nil when several may be meant.
local function named_token(code, line, kind, name, act)
  local tokens, found = lexer.code(code), nil
  for i, token in ipairs(tokens) do
    if token.line == line and is_named(token, tokens[i - 1], kind, name) then
      local place = token.kind == "string" and i + 1 or i -- after the "]"
      if may_fail(tokens[place + 1], act) then
        if found then return nil end
        found = token
      end
    end
  end
  return found
end

local function token_of(code, line, message)
  local refused = message:match "near '(.*)'$"
  if refused then return refused_token(code, line, refused) end
  local kind, name = message:match "%((%a+) '([^']*)'%)"
  if kind then
    return named_token(code, line, kind, name, message:match "^attempt to (%a+)")
  end
  name = message:match "there is no variable '([^']*)'"
  return name and named_token(code, line, "global", name)
end

-- Columns before a position of a line; a tab stays a tab.
local function indent(line, column)
  return (line:sub(1, column - 1):gsub("[^\t\128-\191]", " "):gsub("[\128-\191]", ""))
end

-- The lines around the place, the line itself marked, and a caret when the token is known.
local function lines_around(code, number, message)
  local lines, out = lines_of(code), {}
  if not lines[number] then return out end
  local token = token_of(code, number, message)
  local first, last = math.max(1, number - context), math.min(#lines, number + context)
  local digits = #tostring(last)
  for i = first, last do
    local mark = i == number and "> " or "  "
    local head = ("  %s%" .. digits .. "d  "):format(mark, i)
    out[#out + 1] = i == number and color.paint("bold", head .. lines[i])
      or color.paint("dim", head .. lines[i])
    if i == number and token then
      local before = 0
      for j = 1, number - 1 do before = before + #code:match("[^\n]*\n", before + 1) end
      out[#out + 1] = (" "):rep(#head) .. indent(lines[i], token.first - before)
        .. color.paint("mark", "^")
    end
  end
  return out
end

-- --- who called --------------------------------------------------------------------------

-- A function that was called as the last act of another has no name of its own.
local function global_name(f)
  for name, value in next, _G do
    if value == f then return name end
  end
end

local function describe(frame)
  if frame.what == "main" then return frame.short_src:find "^prompt:" and "" or "main chunk" end
  local name = frame.name
  if frame.what == "C" then return ("'%s'"):format(name or "?") end
  name = name or global_name(frame.func)
  if not name then return ("a function of line %d"):format(frame.first_line) end
  return (frame.namewhat == "method" and "method '%s'" or "'%s'"):format(name)
end

local function place_of(frame)
  local entry = frame.short_src:match "^prompt:%d+$" and typed[frame.short_src]
  if entry and not entry:find "\n" then return frame.short_src end
  return ("%s:%d"):format(frame.short_src, frame.line)
end

--- A frame in one line: "prompt:3  in 'f'".
function errors.describe_place(frame)
  local what = describe(frame)
  if frame.what == "C" then return "C function " .. what end
  return place_of(frame) .. (what ~= "" and "  in " .. what or "")
end

--- The lines around the place of a frame; nil when the code is not at hand.
---@return string?
function errors.excerpt(frame)
  local code = frame.line > 0 and code_of(frame.source, frame.short_src)
  return code and table.concat(lines_around(code, frame.line, ""), "\n") or nil
end

-- One line for each frame after `index`; the library's own, between others, are counted.
local function callers(frames, index)
  local out, hidden = {}, 0
  local function flush()
    if hidden > 0 then out[#out + 1] = ("… %d in unroll"):format(hidden) end
    hidden = 0
  end
  for i = index + 1, #frames do
    local frame = frames[i]
    if is_library(frame) then
      hidden = hidden + 1
    elseif frame.line > 0 then
      flush()
      out[#out + 1] = errors.describe_place(frame)
    end
    if frame.skipped then
      flush()
      out[#out + 1] = ("… %d more"):format(frame.skipped)
    end
  end
  return out
end

local function add_callers(out, frames, index, place)
  local list = callers(frames, index)
  if list[#list] == place then list[#list] = nil end -- an entry of one line that calls itself
  if #list == 0 then return end
  out[#out + 1] = color.paint("dim", "  called from")
  for i = 1, math.min(#list, most_frames) do
    out[#out + 1] = color.paint("dim", "    " .. list[i])
  end
  if #list > most_frames then out[#out + 1] = color.paint("dim", "    …") end
end

-- --- the whole ---------------------------------------------------------------------------

--- The text of an error value.
---@return string
function errors.text(value)
  if type(value) == "string" then return value end
  return show.text(value)
end

-- An entry of one line stands just above: it is shown again only when a caret helps.
local function is_in_sight(code, where, current)
  if where.place ~= current or code:find "\n" then return false end
  local token = token_of(code, where.line, where.text)
  return not token or token.text == code
end

-- Whether a function is a method that runs on something else: called as object.method(...).
-- A name counts, too: axes make the function of a mark anew each time it is asked for.
local function has_wrong_self(frame)
  local first = frame.locals and frame.locals[1]
  if not is_library(frame) or not first or first.name ~= "self" then return false end
  local lookup = require "unroll.prompt.lookup" -- which needs this file
  for name, member in next, lookup.members(first.value) do
    if member == frame.func or name == frame.name then return false end
  end
  return true
end

-- A hint below the message, for a method that was called with a dot by the user's own code.
local function hint(frames)
  for i, frame in ipairs(frames) do
    local caller = frames[i + 1]
    if caller and caller.line > 0 and not is_library(caller) then
      if not has_wrong_self(frame) then return nil end
      return ("  a method is called with a colon: object:%s(...)"):format(frame.name or "method")
    end
  end
end

--- The error as it is shown.
---@param value any
---@param frames table[] of a snapshot
---@param current string the entry that ran: "prompt:7"
---@return string
function errors.format(value, frames, current)
  local where = locate(errors.text(value), frames)
  local out, place = { color.paint("error", "error: ") .. where.text, hint(frames) }, nil
  if where.place then
    local code = code_of(where.source, where.place)
    local is_line = code and not code:find "\n" and typed[where.place]
    place = is_line and where.place or where.place .. ":" .. where.line
    out[#out + 1] = "  " .. color.paint("name", place)
    if code and not is_in_sight(code, where, current) then
      table.move(lines_around(code, where.line, where.text), 1, 1e3, #out + 1, out)
    end
  end
  add_callers(out, frames, where.frame, place)
  return table.concat(out, "\n")
end

--- What is said after Ctrl-C.
---@param frames table[]
---@param current string
---@param seconds number how long it had run
---@return string
function errors.interrupted(frames, current, seconds)
  local text = ("interrupted after %.1f s"):format(seconds)
  for _, frame in ipairs(frames) do
    if frame.line > 0 and not is_library(frame) then
      local place = place_of(frame)
      return place == current and text or text .. "\n  " .. color.paint("name", place)
    end
  end
  return text
end

return errors
