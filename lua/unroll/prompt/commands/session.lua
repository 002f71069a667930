--- %who, %reset, %history: what the session holds.

local color = require "unroll.prompt.color"
local globals = require "unroll.prompt.globals"
local show = require "unroll.prompt.show"

local function first_line(value)
  local ok, text = pcall(show.text, value)
  text = ok and text or tostring(value)
  local line = text:match "^[^\n]*"
  return #line < #text and line .. " …" or line
end

-- Cuts a text to so many characters.
local function cut(text, width)
  if (utf8.len(text) or #text) <= width then return text end
  return text:sub(1, (utf8.offset(text, math.max(width, 1)) or width + 1) - 1) .. "…"
end

local function who()
  local names, widest = globals.own(), 0
  for _, name in ipairs(names) do widest = math.max(widest, #name) end
  for _, name in ipairs(names) do
    local head = ("%-" .. widest .. "s  %-9s "):format(name, type(rawget(_G, name)))
    print(cut(head .. first_line(rawget(_G, name)), show.width() - 1))
  end
  if #names == 0 then print(color.paint("dim", "no variables yet")) end
  return true
end

local function reset(session)
  local names = globals.remove_own()
  for _, name in ipairs { "_", "__", "_err" } do rawset(_G, name, nil) end
  session.results, session.failure = {}, nil
  collectgarbage()
  print(color.paint("dim", ("%d variable%s removed"):format(#names, #names == 1 and "" or "s")))
  return true
end

local default_count = 20

-- The last n entries, or those that contain a text.
local function selected(entries, rest)
  local count = rest == "" and default_count or math.tointeger(tonumber(rest))
  local found = {}
  for i = #entries, 1, -1 do
    if not count and entries[i]:find(rest, 1, true) or count and #found < count then
      table.insert(found, 1, entries[i])
    end
  end
  return found
end

local function history(session, rest)
  for _, entry in ipairs(selected(session.history.entries, rest)) do
    print(color.paint("dim", "> ") .. entry:gsub("\n", "\n" .. color.paint("dim", ".. ")))
  end
  return true
end

return {
  who = { usage = "%who", text = "the variables of this session", run = who },
  reset = { usage = "%reset", text = "removes the variables of this session", run = reset },
  history = { usage = "%history [n | text]", run = history,
    text = "the last entries, or those with a text in them" },
}
