-- test_plot_show.lua -- figures in the terminal: what is chosen, and what is written.

local lu = require "luaunit"
local core = require "unroll.core"
local person = require "terminal"
local plot = require "unroll.plot"
local show = require "unroll.plot.show"
local support = require "support"
local terminal = require "unroll.plot.terminal"

TestShow = {}

-- --- choosing ----------------------------------------------------------------------------

-- What is chosen in an environment, and whether the terminal was asked.
local function choice(env, answer, is_tty)
  local asked = false
  local protocol, width, height, message = terminal.detect(function(name) return env[name] end,
    is_tty ~= false, function()
      asked = true
      return answer or ""
    end)
  return { protocol, asked }, message, width, height
end

local cases = {
  { { "path", false }, { TERM = "xterm-kitty" }, is_tty = false },
  { { "path", false }, { TERM = "dumb", LANG = "C.UTF-8" } },
  { { "path", false }, { TERM = "", LANG = "C.UTF-8" } },
  { { "path", false }, { TERM = "xterm-kitty", NO_COLOR = "1" } },
  { { "kitty", false }, { TERM = "xterm-kitty", NO_COLOR = "" } },
  { { "sixel", false }, { TERM = "xterm", NO_COLOR = "1", UNROLL_IMAGE = "sixel" } },
  { { "path", false }, { TERM = "xterm-kitty", UNROLL_IMAGE = "none" } },
  { { "path", false }, { UNROLL_IMAGE = "kitty" }, is_tty = false },
  { { "block", false }, { TERM = "xterm-kitty", UNROLL_IMAGE = "block" } },
  { { "kitty", false }, { TERM = "xterm-kitty" } },
  { { "kitty", false }, { TERM = "xterm-256color", KITTY_WINDOW_ID = "1" } },
  { { "kitty", false }, { TERM_PROGRAM = "ghostty" } },
  { { "kitty", false }, { KONSOLE_VERSION = "220370" } },
  { { "iterm", false }, { TERM_PROGRAM = "iTerm.app" } },
  { { "iterm", false }, { TERM_PROGRAM = "WezTerm" } },
  { { "iterm", false }, { LC_TERMINAL = "iTerm2" } },
  { { "block", true }, { KONSOLE_VERSION = "210000", LANG = "en_US.utf8" } },
  { { "sixel", true }, { TERM = "xterm" }, "\27[?62;4;22c" },
  { { "sixel", true }, { TERM = "xterm" }, "\27[6;18;9t\27[?62;22;4c" },
  { { "block", true }, { TERM = "xterm", LC_ALL = "C.UTF-8" }, "\27[?64;22c" },
  { { "path", true }, { TERM = "xterm", LC_ALL = "C", LANG = "C.UTF-8" }, "\27[?64;14c" },
  { { "block", true }, { TMUX = "x", TERM = "tmux-256color", LANG = "C.UTF-8",
    KITTY_WINDOW_ID = "1" } },
  { { "sixel", true }, { TERM = "screen", TERM_PROGRAM = "ghostty" }, "\27[?1;4c" },
}

function TestShow.test_the_order_of_detection()
  for i, case in ipairs(cases) do
    lu.assertEquals(choice(case[2], case[3], case.is_tty), case[1], "case " .. i)
  end
end

function TestShow.test_the_size_of_cells_is_in_the_answer()
  local _, _, width, height = choice({ TERM = "xterm" }, "\27[6;18;9t\27[?4c")
  lu.assertEquals({ width, height }, { 9, 18 })
end

-- What was typed before and between the answers, in this order.
function TestShow.test_keys_among_the_answers_are_given_back()
  local back, may_take
  terminal.give_back = function(keys) back = keys end
  local function asked(_, _, take_keys)
    may_take = take_keys
    return "x = 4\27[A\27[6;18;9t2\27[?62;4c"
  end
  local env = { TERM = "xterm" }
  local protocol, width = terminal.detect(function(name) return env[name] end, true, asked)
  terminal.give_back = nil
  lu.assertEquals({ protocol, width, back, may_take }, { "sixel", 9, "x = 4\27[A2", true })
end

function TestShow.test_with_keys_waiting_and_nobody_to_take_them_the_question_stays_open()
  local env = { TERM = "xterm", LANG = "C.UTF-8" }
  local protocol, _, _, message, open = terminal.detect(function(name) return env[name] end, true,
    function(_, _, take_keys) lu.assertFalse(take_keys) end)
  lu.assertEquals({ protocol, message, open }, { "block", nil, true })
end

function TestShow.test_an_unknown_wish_is_a_message()
  local _, message = choice { UNROLL_IMAGE = "sixels" }
  lu.assertStrContains(message, "UNROLL_IMAGE=sixels is not known")
end

-- --- encodings ---------------------------------------------------------------------------

function TestShow.test_base64()
  for plain, expected in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v",
      foob = "Zm9vYg==", ["\0\255\16"] = "AP8Q" } do
    lu.assertEquals(show.base64(plain), expected)
  end
end

function TestShow.test_kitty_sends_pieces_of_4096()
  local png = ("x"):rep(7000)
  local sent, heads = {}, {}
  for head, data in show.kitty(png, 50):gmatch("\27_G(.-);(.-)\27\\") do
    heads[#heads + 1], sent[#sent + 1] = head, data
    lu.assertTrue(#data <= 4096)
  end
  lu.assertEquals(heads, { "a=T,f=100,q=2,c=50,m=1", "m=1", "m=0" })
  lu.assertEquals(table.concat(sent), show.base64(png))
end

function TestShow.test_iterm()
  lu.assertEquals(show.iterm("foo", 40),
    "\27]1337;File=inline=1;size=3;width=40;preserveAspectRatio=1:Zm9v\a\n")
end

function TestShow.test_blocks()
  local pixels = "\255\0\0" .. "\255\0\0" .. "\0\0\255" .. "\0\0\255"
  lu.assertEquals(show.blocks(pixels, 2, 1, true),
    "\27[38;2;255;0;0m\27[48;2;0;0;255m▀▀\27[0m\n")
  lu.assertEquals(show.blocks(pixels, 2, 1, false), "\27[38;5;196m\27[48;5;21m▀▀\27[0m\n")
end

-- The pixels of a sixel image: rows of r, g, b in percent.
local function decode_sixel(s)
  local width, height, rest = s:match('^\27Pq"1;1;(%d+);(%d+)(.*)\27\\$')
  local colors, rows, current, x, top = {}, {}, nil, 0, 0
  for y = 0, tonumber(height) + 5 do rows[y] = {} end
  local function put(c, count)
    for _ = 1, count do
      for k = 0, 5 do
        if (c:byte() - 63) >> k & 1 == 1 then rows[top + k][x] = colors[current] end
      end
      x = x + 1
    end
  end
  local at = 1
  while at <= #rest do
    local n, r, g, b, next_at = rest:match("^#(%d+);2;(%d+);(%d+);(%d+)()", at)
    local count, c, after = rest:match("^!(%d+)(.)()", at)
    local chosen, after_choice = rest:match("^#(%d+)()", at)
    if n then
      colors[n], at = ("%s,%s,%s"):format(r, g, b), next_at
    elseif chosen then
      current, at = chosen, after_choice
    elseif count then
      put(c, tonumber(count))
      at = after
    else
      c, at = rest:sub(at, at), at + 1
      if c == "$" then x = 0
      elseif c == "-" then x, top = 0, top + 6
      else put(c, 1) end
    end
  end
  return rows, tonumber(width), tonumber(height)
end

function TestShow.test_sixels_hold_every_pixel()
  local colors = { ["100,0,0"] = "\255\0\0", ["0,100,0"] = "\0\255\0", ["100,100,100"] =
    "\255\255\255" }
  local names, pixels, expected = { "100,0,0", "0,100,0", "100,100,100" }, {}, {}
  for y = 0, 12 do
    for x = 0, 19 do
      local name = names[(x // 5 + y // 4) % 3 + 1]
      pixels[#pixels + 1], expected[#expected + 1] = colors[name], name
    end
  end
  local rows, width, height = decode_sixel(core.canvas.sixel(table.concat(pixels), 20, 13))
  lu.assertEquals({ width, height }, { 20, 13 })
  for y = 0, 12 do
    for x = 0, 19 do lu.assertEquals(rows[y][x], expected[y * 20 + x + 1], x .. "," .. y) end
  end
end

function TestShow.test_sixels_of_more_than_256_colours_take_near_ones()
  local pixels = {}
  for i = 0, 999 do pixels[i + 1] = string.char(i % 256, i * 7 % 256, i * 13 % 256) end
  local rows = decode_sixel(core.canvas.sixel(table.concat(pixels), 50, 20))
  for i = 0, 999 do
    local r = tonumber((rows[i // 50][i % 50]:match("^%d+"))) * 2.55
    lu.assertTrue(math.abs(r - i % 256) < 70, i)
  end
end

function TestShow.test_wrong_pixels()
  support.raises("3 bytes for each pixel", core.canvas.sixel, "abc", 2, 2)
  local page = core.canvas.open { format = "svg", width = 10, height = 10 }
  support.raises("only a png page", page.pixels, page, 2, 2)
end

-- --- at a terminal -----------------------------------------------------------------------

-- Shows a figure at a terminal with these settings that answers so, and what came then.
local function at_terminal(env, answer, shown, keys)
  local t = person.start { env = env }
  t:expect "> "
  t:type("plot.line({ 1, 3, 2 })\n" .. (keys or ""))
  if answer then
    t:expect_bytes "\27[16t\27[c"
    t:type(answer)
  end
  t:expect_bytes(shown)
  return t
end

function TestShow.test_every_protocol_at_a_terminal()
  local attributes = "\27[6;20;10t\27[?62;22c"
  for _, case in ipairs {
    { "TERM=xterm-kitty", nil, "\27_Ga=T,f=100,q=2,c=" },
    { "LC_TERMINAL=iTerm2", nil, "\27]1337;File=inline=1;" },
    { "", "\27[?62;4;22c", '\27Pq"1;1;' },
    { "", attributes, "\27[38;5;" }, { "COLORTERM=truecolor", attributes, "\27[38;2;" },
    { "TERM=tmux-256color TMUX=x KITTY_WINDOW_ID=1", attributes, "▀▀▀" },
    { "TERM=dumb", nil, ".png" }, { "UNROLL_IMAGE=sixels", nil, "=sixels is not known" },
  } do
    local t = at_terminal(case[1], case[2], case[3])
    t:expect "\n> "
    lu.assertEquals(t:finish(), 0)
  end
end

-- The second line is typed before the terminal is asked; the prompt runs it all the same.
function TestShow.test_no_key_is_lost_when_the_terminal_is_asked()
  local t = at_terminal("", nil, "▀▀▀", "print(40 + 2)\n")
  t:expect_bytes "42\r\n"
  t:expect "\n42\n> "
  lu.assertEquals(t:finish(), 0)
end

-- --- the whole ---------------------------------------------------------------------------

function TestShow.test_without_a_terminal_the_path_is_printed()
  local output = support.run(support.quoted_program
    .. " -e \"local p = require 'unroll.plot' print(p.show(p.line({ 1, 2 })))\"")
  local path, result = output:match("^(/[^\n]+%.png)\n(%w+)\n$")
  lu.assertEquals(result, "true")
  lu.assertStrContains(support.read_file(path), "PNG")
  os.remove(path)
end

function TestShow.test_a_figure_shows_itself_at_the_prompt()
  local lines = support.tmpdir() .. "/lines"
  support.write_file(lines,
    "plot.hist({ 1, 2, 2 })\nplot.heatmap({ { 1, 2 } });\n1, plot.line({ 1 })\n")
  local output = support.run(("%s -i <'%s'"):format(support.quoted_program, lines))
  local count = 0
  for path in output:gmatch("/%S+%.png") do
    count = count + 1
    lu.assertTrue(os.remove(path))
  end
  lu.assertEquals(count, 2)
  lu.assertNotStrContains(output, "figure 4.5")
end

function TestShow.test_quick_forms()
  for _, fig in ipairs { plot.line({ 1, 2 }), plot.hist({ 1, 2 }), plot.heatmap({ { 1 } }) } do
    lu.assertEquals(#fig:describe().panels[1].series, 1)
  end
  local _, message = pcall(function() plot.line({ 1, "x" }) end)
  lu.assertStrMatches(message, ".*test_plot_show%.lua:%d+: line: y element 2 is a string.*")
  support.raises("show: a figure expected, got nil", plot.show)
end
