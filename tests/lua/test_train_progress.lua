-- The progress line, and a training as a person meets it: in a pipe, under Ctrl-C.

local lu = require "luaunit"
local support = require "support"
local progress = require "unroll.train.progress"

TestProgress = {}

local status = { step = 120, total = 2000, loss = 2.1837, validation = 2.211, norm = 0.613,
                 rate = 1.184e6, seconds = 2.44 }

function TestProgress.test_the_line()
  lu.assertEquals(progress.format(status, 110, true),
    "   120/2000 ━╶╶╶╶╶╶╶╶╶╶╶╶╶╶╶╶╶╶╶" ..
    "  loss 2.184  val 2.211  ppl 8.88  |∇| 0.61  1.18M chars/s  ETA 2.4 s")
  lu.assertEquals(progress.format(status, nil, false),
    "   120/2000  loss 2.184  val 2.211  ppl 8.88  |grad| 0.61  1.18M chars/s  ETA 2.4 s")
end

function TestProgress.test_a_finished_line_says_how_long_it_took()
  local done = { step = 20, total = 20, seconds = 65, finished = true, rate = 50, unit = "steps" }
  lu.assertEquals(progress.format(done, nil, true), "  20/20  50 steps/s  1 min 05 s")
end

function TestProgress.test_it_fits_any_width()
  for width = 1, 120 do
    local line = progress.format(status, width, true)
    lu.assertTrue(utf8.len(line) <= width, line)
    if width > 45 then lu.assertStrContains(line, "loss 2.184") end
  end
end

function TestProgress.test_rates_and_durations()
  local rates = { [0] = "0", [999] = "999", [1000] = "1.00k", [45300] = "45.3k", [820e3] = "820k",
                  [1.21e6] = "1.21M", [2e9] = "2.00G" }
  for rate, shown in pairs(rates) do lu.assertEquals(progress.rate(rate), shown) end
  local durations = { [0.04] = "0.0 s", [9.94] = "9.9 s", [9.96] = "10 s", [59.4] = "59 s",
                      [60] = "1 min 00 s", [3599] = "59 min 59 s", [7620] = "2 h 07 min" }
  for seconds, shown in pairs(durations) do lu.assertEquals(progress.duration(seconds), shown) end
end

-- Runs 1000 steps of 10.1 ms under a clock of our own; returns what was written.
local function run(live)
  local now, written = 0, {}
  local line = progress.new(1000, { live = live, width = 110, utf8 = true,
    clock = function() return now end, write = function(text) written[#written + 1] = text end })
  for step = 1, 1000 do
    now = now + 0.0101
    line:update(step, 3 - step / 500, 1, 100)
    if step == 500 then line:validated(2.5) end
  end
  line:finish()
  return written
end

function TestProgress.test_a_terminal_gets_five_frames_a_second_at_most()
  local written = run(true)
  lu.assertTrue(#written > 40 and #written <= 10 * 5 + 2, #written)
  for i, frame in ipairs(written) do
    lu.assertStrMatches(frame, "\r.*")
    lu.assertNil(frame:find("\27"))
    lu.assertEquals(frame:sub(-1) == "\n", i == #written)
    lu.assertTrue(utf8.len(frame) <= 111)
  end
  lu.assertStrContains(written[#written], "1000/1000 ━━━━━━━━━━━━━━━━━━━━")
  lu.assertStrContains(written[#written], "val 2.500")
  lu.assertStrContains(written[#written], "9.90k chars/s")
end

function TestProgress.test_elsewhere_a_line_every_ten_seconds()
  local written = run(false)
  lu.assertEquals(#written, 2)
  for _, line in ipairs(written) do lu.assertStrMatches(line, "[^\r\27]*\n") end
end

function TestProgress.test_a_shorter_line_covers_the_longer_one()
  local written, now = {}, 0
  local line = progress.new(10, { live = true, width = 90, utf8 = false,
    clock = function() return now end, write = function(text) written[#written + 1] = text end })
  line:update(1, 123456.789, 1, 1)
  now = 1
  line:update(2, 1.0, 1, 1)
  lu.assertTrue(#written[2] >= #written[1])
end

-- --- the real program ------------------------------------------------------------------

TestTrainingProgram = {}

local script = [[
package.path = %q .. package.path
local bigram = require "bigram"
local corpus = unroll.text.corpus "numbers"
local history = unroll.train.fit(bigram.new(10), corpus, {
  %s
})
print("stop: " .. history.stop, "steps: " .. history.steps)
]]

local function write_script(options)
  local path = support.tmpdir() .. "/train.lua"
  support.write_file(path, script:format(support.root .. "/tests/lua/?.lua;", options))
  return path
end

function TestTrainingProgram.test_a_pipe_gets_plain_lines()
  for _, setting in ipairs { "LANG=C.UTF-8", "LC_ALL=C NO_COLOR=1", "TERM=dumb" } do
    local output, code = support.run(("%s %s '%s'"):format("env " .. setting,
      support.quoted_program, write_script "steps = 20, window = 5, lr = 0.1"))
    lu.assertEquals(code, 0, output)
    lu.assertNil(output:find("[\27\r]"))
    lu.assertStrMatches(output, ".*20/20  loss %d.*\nstop: steps\tsteps: 20\n")
  end
end

function TestTrainingProgram.test_silence_is_silent()
  local output = support.run(("%s '%s'"):format(support.quoted_program,
    write_script "steps = 3, progress = false"))
  lu.assertEquals(output, "stop: steps\tsteps: 3\n")
end

function TestTrainingProgram.test_ctrl_c_leaves_a_checkpoint_and_the_run_can_go_on()
  local checkpoint = support.tmpdir() .. "/run.safetensors"
  local ready = checkpoint .. ".ready"
  local options = ("steps = %%s, window = 5, checkpoint = %q, resume = true, "
    .. "on_step = function(step) if step == 5 then io.open(%q, 'w'):close() end end")
    :format(checkpoint, ready)
  local endless = write_script(options:format("1000000000"))
  -- A background job of a non-interactive shell ignores SIGINT; the program has its own
  -- handler.
  local output, code = support.run(([[
    %s '%s' & pid=$!
    n=0; while [ ! -e '%s' ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done
    kill -INT $pid; wait $pid]]):format(support.quoted_program, endless, ready))
  lu.assertEquals(code, 0, output)
  local step = tonumber(output:match("interrupted after step (%d+) of 1000000000; checkpoint: "))
  lu.assertNotNil(step, output)
  lu.assertStrContains(output, "stop: interrupted\tsteps: " .. step)
  output = support.run(("%s '%s'"):format(support.quoted_program,
    write_script(options:format(step + 2))))
  lu.assertStrContains(output, "stop: steps\tsteps: " .. step + 2)
end

TestSchedule = {}

function TestSchedule.test_linear_and_cosine_fall_from_the_rate_towards_zero()
  local schedule = require("unroll").train.schedule
  for name, middle in pairs { linear = 0.05, cosine = 0.05 } do
    local rate = schedule[name](0.1, 100)
    lu.assertEquals(rate(1), 0.1)
    lu.assertAlmostEquals(rate(51), middle, 1e-15, name)
    for step = 2, 100 do lu.assertTrue(rate(step) < rate(step - 1) and rate(step) > 0, name) end
    lu.assertTrue(rate(150) >= 0, "a resumed, longer run")
  end
end

function TestSchedule.test_wrong_arguments()
  local schedule = require("unroll").train.schedule
  lu.assertErrorMsgContains("schedule.linear: lr is -1", schedule.linear, -1, 10)
  lu.assertErrorMsgContains("steps must be an integer of at least 1", schedule.cosine, 0.1, 0)
end
