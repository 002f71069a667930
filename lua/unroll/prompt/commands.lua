--- commands: lines that are not Lua: %name arguments, !shell command, ?name and ??name.
--
-- A file of prompt/commands returns a table of commands by name: { usage =, text =, takes =
-- "code" when Tab should complete Lua, run = function(session, rest) -> ok }. `rest` is the
-- line after the name, without blanks around it.

local color = require "unroll.prompt.color"
local options = require "unroll.options"

local commands = {}

---@type table<string, table>
commands.list = {}

for _, name in ipairs { "measure", "files", "session", "debug" } do
  for key, command in pairs(require("unroll.prompt.commands." .. name)) do
    commands.list[key] = command
  end
end

local function sorted_names()
  local names = {}
  for name in pairs(commands.list) do names[#names + 1] = name end
  table.sort(names)
  return names
end

commands.list.help = {
  usage = "%help", text = "this list",
  run = function()
    local lines = {}
    for _, name in ipairs(sorted_names()) do
      local command = commands.list[name]
      lines[#lines + 1] = ("  %-28s %s"):format(command.usage, command.text)
    end
    for _, row in ipairs { { "?name  ??name", "help; where it is and its code" },
      { "!command", "runs a shell command; _ is its exit code" } } do
      lines[#lines + 1] = ("  %-28s %s"):format(row[1], row[2])
    end
    print(table.concat(lines, "\n"))
    return true
  end,
}

--- Prints what went wrong in a command.
---@return boolean false
function commands.complain(message)
  color.complain(color.paint("error", "error: ") .. message)
  return false
end

local function run_command(session, line)
  local name, rest = line:match "^%s*%%%s*(%w*)%s*(.-)%s*$"
  if name == "" then name = "help" end
  local command = commands.list[name]
  if not command then
    return commands.complain(("there is no command %%%s.%s"):format(name,
      options.suggestion(name, sorted_names())))
  end
  return command.run(session, rest)
end

local function run_shell(session, line)
  io.stdout:flush()
  local ok, results = session:call(os.execute, line:match "^%s*!(.*)$")
  if not ok then return false end
  local _, how, code = table.unpack(results)
  if how == "signal" then code = 128 + code end
  if code ~= 0 then print(color.paint("dim", "exit code " .. code)) end
  session:set_result("__", session.results._)
  session:set_result("_", code)
  return code == 0
end

-- What a text after ? stands for: a value, or else the text itself, for a search by name.
local function meaning(session, text)
  local code = require("unroll.prompt.complete")
  local value = code.value_of(text, session.environment)
  if value ~= nil and type(value) ~= "string" and type(value) ~= "number" then return value end
  return text
end

local function run_help(session, line)
  local marks, text = line:match "^%s*(%?+)%s*(.-)%s*$"
  if not marks then marks, text = "?", line:match "^%s*(.-)%?$" end
  local command = commands.list[text:match "^%%(%w+)$"]
  if command then
    print(("%s   %s"):format(command.usage, command.text))
    return true
  end
  return (session:call(function()
    local help = require "unroll.help"
    help.colour = color.enabled
    if text == "" then return help.show() end
    local what = meaning(session, text)
    if #marks == 1 then return help.show(what) end
    local place, code = help.source(what)
    print(place and color.paint("name", place) or code)
    if place then print(code) end
  end))
end

--- Runs a line that is not Lua.
---@param session unroll.prompt.Session
---@param line string
---@return boolean ok
function commands.run(session, line)
  local first = line:match "%S"
  if first == "%" then return run_command(session, line) end
  if first == "!" then return run_shell(session, line) end
  return run_help(session, line)
end

return commands
