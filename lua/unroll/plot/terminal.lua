--- What the terminal can show, found out at the first figure.
--
-- In this order: no terminal, TERM=dumb or UNROLL_IMAGE=none means a path; UNROLL_IMAGE
-- decides; the environment names a terminal that is known; the terminal itself is asked (its
-- device attributes tell sixel). Inside tmux and screen the environment is that of another
-- terminal, so only the question counts.

local sys = require("unroll.core").sys

local terminal = {}

local known = { kitty = "kitty", iterm = "iterm", sixel = "sixel", block = "block", none = "path" }

local by_program = { ghostty = "kitty", WezTerm = "iterm", ["iTerm.app"] = "iterm",
  vscode = "iterm", WarpTerminal = "kitty", mintty = "iterm" }

-- The protocol that the environment names, or nil.
local function from_environment(env)
  local term = env("TERM") or ""
  if term == "xterm-kitty" or term == "xterm-ghostty" or env("KITTY_WINDOW_ID") then
    return "kitty"
  end
  if by_program[env("TERM_PROGRAM") or ""] then return by_program[env("TERM_PROGRAM")] end
  if env("LC_TERMINAL") == "iTerm2" then return "iterm" end
  if (tonumber(env("KONSOLE_VERSION") or "") or 0) >= 220370 then return "kitty" end
end

-- Cell size and device attributes; the last letter of the answer is c.
local question, patience = "\27[16t\27[c", 0.25

local function ask(ask_terminal)
  local answer = ask_terminal(question, "c", patience)
  local height, width = answer:match("\27%[6;(%d+);(%d+)t")
  local attributes = answer:match("\27%[%?([%d;]*)c") or ""
  return (";" .. attributes .. ";"):find(";4;", 1, true) ~= nil, tonumber(width),
    tonumber(height)
end

local function is_utf8(env)
  local locale = env("LC_ALL") or ""
  if locale == "" then locale = env("LC_CTYPE") or "" end
  if locale == "" then locale = env("LANG") or "" end
  return locale:lower():find("utf%-?8") ~= nil
end

--- Chooses how to show figures.
---@param env fun(name: string): string? as os.getenv
---@param is_tty boolean is standard output a terminal?
---@param ask_terminal fun(question, last, seconds): string as core.sys.ask_terminal
---@return string protocol "kitty", "iterm", "sixel", "block" or "path"
---@return integer|nil width, integer|nil height of a cell in pixels, when it was asked
---@return string|nil message when UNROLL_IMAGE has no known value
function terminal.detect(env, is_tty, ask_terminal)
  local wish = env("UNROLL_IMAGE")
  if wish == "" then wish = nil end
  if wish and not known[wish] then
    return "path", nil, nil, ("UNROLL_IMAGE=%s is not known: kitty, iterm, sixel, block or none")
      :format(wish)
  end
  if wish == "none" or not is_tty or env("TERM") == "dumb" then return "path" end
  if wish then return known[wish] end
  local nested = env("TMUX") or (env("TERM") or ""):match("^screen") or (env("TERM") or "")
    :match("^tmux")
  local named = not nested and from_environment(env)
  if named then return named end
  local sixel, width, height = ask(ask_terminal)
  if sixel then return "sixel", width, height end
  return is_utf8(env) and "block" or "path", width, height
end

local found -- {protocol, cell width, cell height}

--- The protocol for this terminal and the size of its cells; asked once. A wish in
--- UNROLL_IMAGE counts each time.
---@return string protocol
---@return integer|nil width, integer|nil height
---@return string|nil message
function terminal.protocol()
  if os.getenv("UNROLL_IMAGE") or not found then
    local protocol, width, height, message = terminal.detect(os.getenv, sys.isatty(1),
      sys.ask_terminal)
    if message or os.getenv("UNROLL_IMAGE") then return protocol, width, height, message end
    found = { protocol, width, height }
  end
  return found[1], found[2], found[3]
end

return terminal
