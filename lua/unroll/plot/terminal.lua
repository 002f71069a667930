--- What the terminal can show, found out at the first figure.
--
-- In this order: no terminal, a TERM that is dumb or empty or UNROLL_IMAGE=none means a path;
-- UNROLL_IMAGE decides; NO_COLOR means a path; the environment names a terminal that is known;
-- the terminal itself is asked (its device attributes tell sixel). Inside tmux and screen the
-- environment is that of another terminal, so only the question counts.
--
-- Keys typed before the answer come out with it. Whoever reads keys (the prompt) sets
-- terminal.give_back, a function that takes them; without it a terminal with keys waiting is
-- not asked, and figures are shown in blocks until there are none.

local sys = require("unroll.core").sys

local terminal = {}

--- Takes keys that were typed while the terminal was asked; set by whoever reads keys.
---@type fun(keys: string)?
terminal.give_back = nil

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

local answers = { "\27%[6;%d+;%d+t", "\27%[%?[%d;]*c" }

-- The keys among what the terminal sent go back to whoever reads keys.
local function give_keys_back(sent)
  for _, answer in ipairs(answers) do sent = sent:gsub(answer, "", 1) end
  if sent ~= "" and terminal.give_back then terminal.give_back(sent) end
end

-- Has it sixels, and the width and height of its cells; nil when it was not asked.
local function ask(ask_terminal)
  local sent = ask_terminal(question, patience, terminal.give_back ~= nil)
  if not sent then return nil end
  local height, width = sent:match("\27%[6;(%d+);(%d+)t")
  local attributes = sent:match("\27%[%?([%d;]*)c") or ""
  give_keys_back(sent)
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
---@param ask_terminal fun(question, seconds, take_keys): string? as core.sys.ask_terminal
---@return string protocol "kitty", "iterm", "sixel", "block" or "path"
---@return integer|nil width, integer|nil height of a cell in pixels, when it was asked
---@return string|nil message when UNROLL_IMAGE has no known value
---@return boolean|nil open whether the question is still open: keys are waiting
function terminal.detect(env, is_tty, ask_terminal)
  local wish = env("UNROLL_IMAGE")
  if wish == "" then wish = nil end
  if wish and not known[wish] then
    return "path", nil, nil, ("UNROLL_IMAGE=%s is not known: kitty, iterm, sixel, block or none")
      :format(wish)
  end
  local term, no_color = env("TERM"), env("NO_COLOR")
  if wish == "none" or not is_tty or term == "dumb" or term == "" then return "path" end
  if wish then return known[wish] end
  if no_color and no_color ~= "" then return "path" end
  local nested = env("TMUX") or (term or ""):match("^screen") or (term or ""):match("^tmux")
  local named = not nested and from_environment(env)
  if named then return named end
  local sixel, width, height = ask(ask_terminal)
  if sixel then return "sixel", width, height end
  return is_utf8(env) and "block" or "path", width, height, nil, sixel == nil
end

local found -- {protocol, cell width, cell height}

--- The protocol for this terminal and the size of its cells; asked until it answers. A wish
--- in UNROLL_IMAGE counts each time.
---@return string protocol
---@return integer|nil width, integer|nil height
---@return string|nil message
function terminal.protocol()
  if os.getenv("UNROLL_IMAGE") or not found then
    local protocol, width, height, message, open = terminal.detect(os.getenv, sys.isatty(1),
      sys.ask_terminal)
    if message or open or os.getenv("UNROLL_IMAGE") then return protocol, width, height, message end
    found = { protocol, width, height }
  end
  return found[1], found[2], found[3]
end

return terminal
