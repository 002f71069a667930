--- color: whether and how the prompt colours what it writes.
--
-- --color=always and --color=never decide; then NO_COLOR (set and not empty) forbids, and
-- FORCE_COLOR or CLICOLOR_FORCE demands; else colours need a terminal that is not "dumb".

local core = require "unroll.core"

local color = { enabled = false }

local function is_set(env, name)
  local value = env(name)
  return value ~= nil and value ~= ""
end

--- Whether colours are wanted.
---@param wish "auto"|"always"|"never"
---@param env fun(name: string): string? as os.getenv
---@param is_terminal boolean
---@return boolean
function color.decide(wish, env, is_terminal)
  if wish == "always" then return true end
  if wish == "never" or is_set(env, "NO_COLOR") then return false end
  for _, name in ipairs { "FORCE_COLOR", "CLICOLOR_FORCE" } do
    if is_set(env, name) and env(name) ~= "0" then return true end
  end
  return is_terminal and env "TERM" ~= "dumb" and is_set(env, "TERM")
end

---@param wish "auto"|"always"|"never"
function color.setup(wish)
  color.enabled = color.decide(wish, os.getenv, core.sys.isatty(1))
  color.always = color.decide(wish, os.getenv, false)
end

local codes = { error = "1;31", dim = "2", bold = "1", prompt = "1;32", mark = "1;33", name = "36" }

--- The text in the look of that name, or as it is.
---@param look "error"|"dim"|"bold"|"prompt"|"mark"|"name"
---@param text string
---@return string
function color.paint(look, text)
  if not color.enabled then return text end
  return ("\27[%sm%s\27[0m"):format(codes[look], text)
end

--- Writes a line to standard error, without colours when that goes elsewhere.
function color.complain(text)
  io.stdout:flush()
  if not core.sys.isatty(2) and not color.always then text = text:gsub("\27%[[%d;]*m", "") end
  io.stderr:write(text, "\n")
  io.stderr:flush()
end

--- As paint, for a text that a line editor must measure.
function color.paint_prompt(look, text)
  if not color.enabled then return text end
  return ("\1\27[%sm\2%s\1\27[0m\2"):format(codes[look], text)
end

return color
