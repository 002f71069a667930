--- %run, %reload, %edit, %save: code in files.

local color = require "unroll.prompt.color"
local core = require "unroll.core"
local options = require "unroll.options"
local unknown = require "unroll.unknown"
local words = require "unroll.prompt.words"

local function complain(message) return require("unroll.prompt.commands").complain(message) end

-- --- %run --------------------------------------------------------------------------------

local function find_script(path)
  for _, candidate in ipairs { path, path .. ".lua" } do
    local file = io.open(candidate, "rb")
    if file then
      file:close()
      return candidate
    end
  end
  return path
end

-- While a script runs, os.exit ends the script alone: an error that nobody shows.
local function call_script(session, chunk, arguments)
  local exit, ended = os.exit, { code = 0 }
  os.exit = function(code) -- luacheck: ignore 122
    ended.code = code == false and 1 or math.tointeger(code) or 0
    error(ended, 0)
  end
  session.unshown = ended
  local ok, values = session:call(chunk, table.unpack(arguments))
  session.unshown = nil
  os.exit = exit -- luacheck: ignore 122
  if ok or values[1].value ~= ended then return ok, values end
  if ended.code ~= 0 then print(color.paint("dim", "exit code " .. ended.code)) end
  return ended.code == 0, { n = 0 }
end

-- Runs a file as a script; `arg` is set while it runs.
local function run_file(session, path, arguments)
  local chunk, message = loadfile(path)
  if not chunk then
    session:fail { value = message, frames = {} }
    return false
  end
  local before = rawget(_G, "arg")
  arguments[0] = path
  rawset(_G, "arg", arguments)
  local ok, values = call_script(session, chunk, arguments)
  rawset(_G, "arg", before)
  if ok then session:show(values) end
  return ok
end

local function run(session, rest)
  local list, message = words.split(rest)
  if not list then return complain(message) end
  if #list == 0 then return complain "%run takes a file and the script's arguments" end
  return run_file(session, find_script(table.remove(list, 1)), list)
end

-- --- %reload -----------------------------------------------------------------------------

-- Puts the fields of the new module into the old table, which others hold.
local function splice(old, new)
  for key in next, old do if rawget(new, key) == nil then rawset(old, key, nil) end end
  for key, value in next, new do rawset(old, key, value) end
  if debug.getmetatable(old) ~= debug.getmetatable(new) then
    debug.setmetatable(old, debug.getmetatable(new))
  end
end

-- Whether require would find it, or has it; asked first, since its own answer lists every
-- place where it has looked.
local function is_module(name)
  if package.loaded[name] ~= nil or package.preload[name] then return true end
  for _, searcher in ipairs(package.searchers) do
    local ok, loader = pcall(searcher, name)
    if not ok or type(loader) == "function" then return true end -- it is there, perhaps broken
  end
  return false
end

local function reload(session, name)
  if name == "" then return complain "%reload takes the name of a module" end
  if not is_module(name) then
    local loaded = unknown.names(package.loaded)
    local nearest = options.nearest(name, loaded)
    return complain(("there is no module '%s'.%s"):format(name, nearest
      and (" Did you mean '%s'?"):format(nearest)
      or " It is looked for as package.path says, from the folder where you are."))
  end
  local old = package.loaded[name]
  package.loaded[name] = nil
  local ok, values = session:call(require, name)
  if not ok then
    package.loaded[name] = old
    return false
  end
  local new = values[1]
  if type(old) == "table" and type(new) == "table" then
    splice(old, new)
    package.loaded[name] = old
  end
  print(color.paint("dim", ("%s %s"):format(old == nil and "loaded" or "reloaded", name)))
  return true
end

-- --- %edit -------------------------------------------------------------------------------

local function editor()
  for _, name in ipairs { "VISUAL", "EDITOR" } do
    local value = os.getenv(name)
    if value and value ~= "" then return value end
  end
  return "vi"
end

-- Opens a file in the editor; whether it ended well.
local function open_editor(path)
  io.stdout:flush()
  local done, _, code = os.execute(("%s '%s'"):format(editor(), path:gsub("'", "'\\''")))
  if done then return true end
  return complain(("the editor %s ended with code %d; nothing runs"):format(editor(), code))
end

-- The text of an entry that is not a command, by number; the last one without.
local function entry_text(session, number)
  if number then
    local entry = session.entries[number]
    return entry and entry.text
  end
  for i = #session.entries, 1, -1 do
    if not session.entries[i].is_command then return session.entries[i].text end
  end
  return ""
end

-- Edits a text in a file of its own; nil when that failed.
local function edit_text(text)
  local name = os.tmpname()
  local path = name .. ".lua"
  local ok, message = core.sys.write_file(path, text == "" and "" or text .. "\n")
  os.remove(name)
  if not ok then
    complain(message)
    return nil
  end
  local edited = open_editor(path) and core.sys.read_file(path) or nil
  os.remove(path)
  return edited
end

local function edit(session, rest)
  local number = math.tointeger(tonumber(rest))
  if rest ~= "" and not number then
    local list, message = words.split(rest)
    if not list then return complain(message) end
    local path = find_script(list[1])
    return open_editor(path) and run_file(session, path, {})
  end
  local text = entry_text(session, number)
  if not text then return complain(("there is no entry %d"):format(number)) end
  local edited = edit_text(text)
  if not edited then return false end
  edited = edited:gsub("%s+$", "")
  if edited ~= "" then session:enter(edited) end
  return true
end

-- --- %save -------------------------------------------------------------------------------

-- An entry as lines of a script: what is no statement becomes a comment.
local function as_script(entry)
  if not entry.is_command and load(entry.text, "=?") then return entry.text end
  return "-- " .. entry.text:gsub("\n", "\n-- ")
end

local at_hand = { "tensor", "rnn", "optim", "text", "train", "plot", "experiment", "diagnostics",
  "gradcheck", "tasks", "metrics" }

local function script_of(entries)
  local parts = {}
  for _, entry in ipairs(entries) do
    if entry.ok then parts[#parts + 1] = as_script(entry) end
  end
  local body, names, values = table.concat(parts, "\n"), {}, {}
  for _, name in ipairs(at_hand) do
    if body:find("%f[%w_]" .. name .. "%f[^%w_]") then
      names[#names + 1] = name
      values[#values + 1] = "unroll." .. name
    end
  end
  local head = 'local unroll = require "unroll"\n'
  if #names > 0 then
    head = head .. ("local %s = %s\n"):format(table.concat(names, ", "), table.concat(values, ", "))
  end
  return head .. "\n" .. body .. "\n", #parts
end

local function save(session, rest)
  local list, message = words.split(rest)
  if not list then return complain(message) end
  local force = list[1] == "-f"
  if force then table.remove(list, 1) end
  local path = list[1]
  if not path then return complain "%save takes a file (-f: one that exists)" end
  local existing = io.open(path, "rb")
  if existing then existing:close() end
  if existing and not force then
    return complain(path .. " exists; %save -f " .. path .. " replaces it")
  end
  local text, count = script_of(session.entries)
  local ok
  ok, message = core.sys.write_file(path, text)
  if not ok then return complain(message) end
  print(color.paint("dim", ("%d entries in %s"):format(count, path)))
  return true
end

return {
  run = { usage = "%run file [words]", text = "runs a script here; its variables stay", run = run },
  reload = { usage = "%reload module", text = "loads a module again, into the same table",
    run = reload },
  edit = { usage = "%edit [file | number]",
    text = "opens a file or an entry in $EDITOR, then runs it", run = edit },
  save = { usage = "%save [-f] file", text = "writes what was entered and ran, as a script",
    run = save },
}
