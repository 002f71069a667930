-- How the prompt starts and what it is not: options, startup file, pipes, colours, exit codes.

local lu = require "luaunit"
local color = require "unroll.prompt.color"
local support = require "support"
local terminal = require "terminal"

local program = support.quoted_program
local directory = support.tmpdir()

-- Runs the program on an input from a pipe, without any setting from outside.
local function pipe(input, arguments, environment)
  support.write_file(directory .. "/input", input)
  return support.run(("cd '%s' && env -i HOME='%s' TERM=xterm %s %s %s %s <input"):format(
    directory, directory, support.sanitizer_options, environment or "", program, arguments or ""))
end

-- Without prompts and the newline at the end.
local function talk(input, arguments, environment)
  local output, code = pipe(input, "-i -q " .. (arguments or ""), environment)
  return (output:gsub("%.%. ", ""):gsub("^> ", ""):gsub("\n> ", "\n"):gsub("\n$", "")), code
end

-- --- pipes -----------------------------------------------------------------------------------

TestPipes = {}

function TestPipes.test_a_pipe_is_a_script()
  lu.assertEquals({ pipe "print(1)\nlocal x = 2\nprint(x)" }, { "1\n2\n", 0 })
  local output, code = pipe "1 + 1\n"
  lu.assertStrContains(output, "stdin:1: ")
  lu.assertEquals(code, 1)
  lu.assertEquals({ pipe "undefined = undefined" }, { "", 0 })
  lu.assertEquals(select(2, pipe "os.exit(5)"), 5)
end

function TestPipes.test_with_i_it_is_read_line_by_line()
  lu.assertEquals({ talk "x = 5\nx\nfor i = 1, 2 do\n  print(i)\nend\n6 * 7\n" },
    { "> 5\n1\n2\n42\n", 0 })
  lu.assertStrContains(talk "x = (1 +", "near <eof>")
  local output, code = talk "error 'first'\nx x\n'alive'\n"
  for _, text in ipairs { "error: first", "syntax error near 'x'", "alive" } do
    lu.assertStrContains(output, text)
  end
  lu.assertEquals(code, 0)
end

function TestPipes.test_the_input_is_shared_with_io_read()
  lu.assertEquals(talk "io.read()\nnext line\n", '"next line"\n')
end

function TestPipes.test_names_of_a_script_stay()
  support.write_file(directory .. "/names.lua", "text = 'mine'")
  lu.assertEquals(talk("text\n", "names.lua"), '"mine"\n')
  lu.assertStrContains(talk("%who\n", "names.lua"), "text  string")
end

function TestPipes.test_a_script_s_error_ends_before_the_prompt()
  support.write_file(directory .. "/fails.lua", "error 'no'")
  local output, code = pipe("print('reached')\n", "-i fails.lua")
  lu.assertNotStrContains(output, "reached")
  lu.assertEquals(code, 1)
end

function TestPipes.test_the_library_is_at_hand()
  lu.assertEquals(talk [[
tensor == unroll.tensor and rnn == unroll.rnn and optim == unroll.optim
text == unroll.text and train == unroll.train and plot == unroll.plot
]], "true\ntrue\n")
end

function TestPipes.test_prompts_can_be_changed()
  lu.assertStrContains(pipe("_PROMPT = 'next? '\n_PROMPT2 = 'more? '\nx = (\n1)\n", "-i -q"),
    "> next? next? more? next? ")
end

-- --- startup ---------------------------------------------------------------------------------

TestStartup = {}

function TestStartup.test_startup_file()
  support.run(("mkdir -p '%s/.config/unroll' '%s/xdg/unroll'"):format(directory, directory))
  support.write_file(directory .. "/.config/unroll/init.lua", "started = 'home'")
  support.write_file(directory .. "/xdg/unroll/init.lua", "started = 'xdg'")
  lu.assertEquals(talk "started\n", '"home"\n')
  lu.assertEquals(talk("started\n", "", "XDG_CONFIG_HOME=" .. directory .. "/xdg"), '"xdg"\n')
  lu.assertEquals(talk("_G.started\n", "--norc"), "nil\n")
  lu.assertEquals(pipe "print(started)", "nil\n") -- not for scripts
  support.write_file(directory .. "/.config/unroll/init.lua", "error 'in init'")
  lu.assertStrContains(talk "'alive'\n", "alive")
  support.run(("rm -r '%s/.config'"):format(directory))
end

function TestStartup.test_lua_init()
  lu.assertEquals(talk("_G.x\n", "", "LUA_INIT='x = 9'"), "9\n")
  lu.assertEquals(talk("_G.x\n", "-E", "LUA_INIT='x = 9'"), "nil\n")
end

function TestStartup.test_greeting()
  lu.assertStrMatches(pipe("", "-i"), "unroll %d+%.%d+   Lua 5%.4[^\n]+\n> \n")
  lu.assertEquals(pipe("", "-i -q"), "> \n")
end

function TestStartup.test_exit_codes()
  lu.assertEquals({ select(2, pipe("", "-e 'error()'")), select(2, pipe("os.exit(3)", "-i -q")),
    select(2, pipe("", "--color=blue")) }, { 1, 3, 1 })
end

-- --- colours ---------------------------------------------------------------------------------

TestColor = {}

local function decide(wish, is_terminal, values)
  values.TERM = values.TERM or "xterm"
  return color.decide(wish, function(name) return values[name] end, is_terminal)
end

function TestColor.test_decisions()
  lu.assertTrue(decide("auto", true, {}))
  lu.assertFalse(decide("auto", false, {}))
  lu.assertFalse(decide("auto", true, { NO_COLOR = "1" }))
  lu.assertTrue(decide("auto", true, { NO_COLOR = "" }))
  lu.assertFalse(decide("auto", true, { TERM = "dumb" }))
  lu.assertTrue(decide("auto", false, { FORCE_COLOR = "1" }))
  lu.assertTrue(decide("auto", false, { CLICOLOR_FORCE = "1" }))
  lu.assertFalse(decide("auto", false, { FORCE_COLOR = "1", NO_COLOR = "1" }))
  lu.assertTrue(decide("always", false, { NO_COLOR = "1" }))
  lu.assertFalse(decide("never", true, { FORCE_COLOR = "1" }))
end

local input = "t = tensor.ones(2, 2)\nt\n{ a = 1 }\nerror 'x'\n?tensor.dot\n%who\n"

function TestColor.test_no_escape_in_a_pipe()
  lu.assertNotStrContains(pipe(input, "-i"), "\27")
  lu.assertStrContains(pipe(input, "-i --color=always"), "\27")
end

function TestColor.test_no_escape_at_a_terminal_that_wants_none()
  for _, environment in ipairs { "NO_COLOR=1", "TERM=dumb" } do
    local t = terminal.start { env = environment, arguments = "", columns = 100 }
    t:expect "> "
    for line in input:gmatch "[^\n]+" do t:enter(line) end
    t:enter "plot.figure{};"
    lu.assertEquals({ t:finish() }, { 0, true })
    lu.assertNotStrContains(t.raw, "\27")
    lu.assertStrContains(t.raw, "tensor.dot(a, b)")
  end
end

function TestColor.test_there_are_colours_at_a_terminal()
  local t = terminal.start()
  t:expect "> "
  t:enter "error 'x'"
  t:finish()
  lu.assertStrContains(t.raw, "\27[1;31merror: \27[0m")
end

function TestColor.test_errors_that_go_to_a_file_have_none()
  local t = terminal.start { program = "sh", arguments = ("-c \"%s -q 2>errors\""):format(program) }
  t:expect "> "
  t:enter "error 'x'"
  t:finish()
  lu.assertEquals(support.read_file(t.home .. "/errors"), "error: x\n  prompt:1\n")
end

-- --- readers ---------------------------------------------------------------------------------

TestReaders = {}

function TestReaders.test_without_readline()
  local t = terminal.start { env = "UNROLL_READLINE=0" }
  t:expect "> "
  lu.assertEquals(t:enter "6 * 7", "42")
  t:enter("for i = 1, 2 do", ".. ")
  t:type "\3"
  t:expect "\n> "
  t:type "half a li"
  t:expect "half a li"
  t:type "\3"
  t:expect "\n> "
  lu.assertEquals(t:enter "1 + 1", "2")
  lu.assertEquals({ t:finish() }, { 0, true })
end

function TestReaders.test_inputrc_is_read()
  local home = support.tmpdir()
  support.write_file(home .. "/.inputrc",
    "$if unroll\n\"\\C-x\": \"6 * 7\"\n$endif\n\"\\e[A\": \"8 * 8\"\n")
  local t = terminal.start { home = home }
  t:expect "> "
  t:type "\24\n"
  t:expect "\n42\n> "
  t:type "\27[A\n"
  t:expect "\n64\n> "
  t:finish()
end

-- --- figures and training --------------------------------------------------------------------

TestShows = {}

function TestShows.test_a_figure_shows_itself()
  local t = terminal.start { env = "UNROLL_IMAGE=none" }
  t:expect "> "
  local path = t:enter("plot.line({1, 3, 2})"):match "(%S+%.png)"
  lu.assertEquals(support.read_file(path):sub(2, 4), "PNG")
  os.remove(path)
  lu.assertEquals(t:enter "plot.line({1, 3, 2});", "")
  t:finish()
  t = terminal.start { env = "UNROLL_IMAGE=block" }
  t:expect "> "
  lu.assertStrContains(t:enter "plot.line({1, 3, 2})", "▀▀▀▀")
  lu.assertEquals(t:enter "1 + 1", "2")
  t:finish()
end

-- The keys come while the terminal is asked what it can show; it gives no answer here.
function TestShows.test_keys_typed_before_the_first_figure_are_not_lost()
  local t = terminal.start { env = "TERM=xterm UNROLL_IMAGE= TERM_PROGRAM= KITTY_WINDOW_ID= TMUX=" }
  t:expect "> "
  t:type "print('go' .. 1) plot.show(plot.line({1, 3, 2}))\n"
  t:expect "go1"
  t:type "x = 'é' .. 617\n#x * 100\n"
  t:expect "\n> "
  t:expect "\n500"
  t:expect "\n> "
  lu.assertStrContains(t.raw, "\27[16t")
  t:finish()
end

function TestShows.test_training_and_ctrl_c()
  local t = terminal.start { columns = 60 }
  t:expect "> "
  t:enter "corpus = text.corpus 'simple' model = rnn.lm{cell='tanh', vocab=corpus.vocab, hidden=8}"
  t:enter "run = {steps = 20, batch = 2, window = 5, lr = 1e-3}"
  lu.assertStrContains(t:enter "train.fit(model, corpus, run);", "20/20")
  t:enter "run.steps = 10000000"
  t:type "h = train.fit(model, corpus, run)\n"
  t:expect "/10000000"
  t:type "\3"
  t:expect "interrupted after step"
  t:expect "\n> "
  lu.assertStrContains(t:enter "h.stop", "interrupted")
  t:finish()
end
