--- paint: the colours of what the prompt shows; one place decides which.

local core = require "unroll.core"

local paint = {}

local codes = { string = "32", number = "36", constant = "35", key = "0", heading = "1", dim = "2" }

local function plain(_, text) return text end

local function coloured(style, text)
  local code = codes[style]
  if code == "0" or text == "" then return text end
  return ("\27[%sm%s\27[0m"):format(code, text)
end

--- paint(style, text) -> text, in colour or as it is. Styles: "string", "number",
--- "constant", "key", "heading", "dim".
---@param colour boolean
---@return fun(style: string, text: string): string
function paint.new(colour)
  return colour and coloured or plain
end

local function is_set(value) return value ~= nil and value ~= "" end

--- Whether the standard output is a terminal that shows colours: NO_COLOR and TERM=dumb say
--- no, FORCE_COLOR and CLICOLOR_FORCE say yes even to a pipe.
---@param getenv? fun(name: string): string? for tests
---@param is_terminal? boolean for tests
---@return boolean
function paint.wanted(getenv, is_terminal)
  getenv = getenv or os.getenv
  if is_terminal == nil then is_terminal = core.sys.isatty(1) end
  if is_set(getenv "NO_COLOR") then return false end
  for _, name in ipairs { "FORCE_COLOR", "CLICOLOR_FORCE" } do
    local value = getenv(name)
    if is_set(value) and value ~= "0" then return true end
  end
  local term = getenv "TERM"
  return is_terminal and is_set(term) and term ~= "dumb"
end

return paint
