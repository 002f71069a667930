-- Sweeps: the same results from every executor, dead workers, kept results, Ctrl-C, tables.

local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local experiment = unroll.experiment
local display = require "unroll.experiment.display"
local Lines = require "unroll.experiment.lines"
local sys = require("unroll.core").sys

TestSweep = {}

local cases = experiment.grid({ width = 3 }, "lr", { 0.1, 0.2 }, "seed", { 1, 2, 3 })

local function draw(case)
  local noise = unroll.tensor.randn(case.width)
  return { sum = noise:sum() * case.lr, shares = noise:totable(), count = case.width,
           name = "é\n" }
end

local function quietly(opts)
  opts.progress, opts.say = false, opts.say or function() end
  return experiment.sweep(opts)
end

function TestSweep.test_grid()
  lu.assertEquals(#cases, 6)
  lu.assertEquals(cases[2], { width = 3, lr = 0.1, seed = 2 })
  lu.assertEquals(cases[4], { width = 3, lr = 0.2, seed = 1 })
  support.raises("a name and a list expected, got string and number", experiment.grid, {}, "x", 1)
end

function TestSweep.test_same_bits_from_every_executor_and_number_of_jobs()
  local expected = quietly { cases = cases, run = draw, executor = "serial" }
  lu.assertEquals(expected[1].case, cases[1])
  lu.assertEquals(#expected[6].result.shares, 3)
  lu.assertNotEquals(expected[1].result.sum, expected[2].result.sum)
  for jobs = 1, 3 do
    lu.assertEquals(quietly { cases = cases, run = draw, jobs = jobs }, expected)
  end
end

function TestSweep.test_wrong_calls()
  support.raises("option 'cases' is required", experiment.sweep, { run = draw })
  support.raises("executor is 'fokr'. There are: fork, process, serial", experiment.sweep,
    { cases = cases, run = draw, executor = "fokr" })
  support.raises("jobs must be an integer of at least 1, got 0", experiment.sweep,
    { cases = cases, run = draw, jobs = 0 })
  support.raises("case 2 is no plain table: it.f is a function", experiment.sweep,
    { cases = { {}, { f = print } }, run = draw })
  support.raises("case 1 is no plain table: it is a number", experiment.sweep,
    { cases = { 5 }, run = draw })
  support.raises("run must be a function, got string", experiment.sweep,
    { cases = cases, run = "draw" })
  lu.assertEquals(experiment.sweep { cases = {}, run = draw }, {})
  support.raises("executor 'process' runs the cases of a script", experiment.sweep,
    { cases = cases, run = draw, executor = "process" })
end

-- One worker dies, one case raises, one gives what JSON cannot carry, one gives nothing.
function TestSweep.test_failures_are_reported_and_the_rest_goes_on()
  local said = {}
  local results = quietly {
    cases = experiment.grid({}, "seed", { 1, 2, 3, 4, 5, 6 }), jobs = 2, name = "odd",
    say = function(text) said[#said + 1] = text end,
    run = function(case, report)
      if case.seed == 2 then sys.exit_copy(9) end
      if case.seed == 3 then error "ouch" end
      if case.seed == 4 then return { loss = 0 / 0 } end
      if case.seed == 5 then return nil end
      report("seed " .. case.seed)
      return { seed = case.seed }
    end }
  lu.assertEquals(results[1].result, { seed = 1 })
  lu.assertEquals(results[6].result, { seed = 6 })
  lu.assertEquals(results[2].error, "the worker died: exit code 9")
  lu.assertStrContains(results[3].error, "ouch")
  lu.assertStrContains(results[4].error, "loss is NaN")
  lu.assertStrContains(results[5].error, "no result")
  local all = table.concat(said, "\n")
  lu.assertStrContains(all, "FAILED odd, seed=2: the worker died")
  lu.assertStrContains(all, "seed 6")
end

-- The case that takes too long is ended and told of, also where nothing can interrupt it; its
-- slot goes on with the next.
function TestSweep.test_a_time_limit_ends_one_case()
  local said = {}
  local results = quietly { cases = experiment.grid({}, "seed", { 1, 2, 3, 4 }), jobs = 2,
    name = "slow", time_limit = 2, say = function(text) said[#said + 1] = text end,
    run = function(case)
      if case.seed == 2 then os.execute "sleep 100" end
      if case.seed == 3 then while true do end end
      return { seed = case.seed }
    end }
  local message = "stopped: it ran for longer than its time limit of 2 s"
  lu.assertEquals({ results[2].error, results[3].error }, { message, message })
  lu.assertEquals({ results[1].result.seed, results[4].result.seed }, { 1, 4 })
  lu.assertStrMatches(said[1], "FAILED slow, seed=[23]: " .. message)
  lu.assertEquals(said[2], "slow: 2 of 4 cases failed:\n  2 cases, the first seed=2: "
    .. message)
end

function TestSweep.test_wrong_time_limits()
  local function sweep(limit, executor)
    return experiment.sweep { cases = cases, run = draw, time_limit = limit, executor = executor }
  end
  support.raises("sweep: time_limit must be above 0 seconds, got 0", sweep, 0)
  support.raises("sweep: time_limit must be a number, got string", sweep, "1 h")
  support.raises("cannot end a case that runs: it keeps no time limit", sweep, 1, "serial")
end

-- A setting that is wrong fails every case; it is told once, with the calls that led to it.
function TestSweep.test_failures_alike_are_told_once()
  local said = {}
  local results = quietly {
    cases = experiment.grid({}, "seed", { 1, 2, 3, 4, 5 }), jobs = 2, name = "alike",
    say = function(text) said[#said + 1] = text end,
    run = function(case) return { v = case.sead + 1 } end }
  lu.assertEquals(#said, 2)
  lu.assertStrContains(said[1], "attempt to perform arithmetic on a nil value (field 'sead')\n")
  lu.assertStrContains(said[1], "test_sweep.lua")
  lu.assertNotStrContains(said[1], "worker.lua")
  lu.assertStrMatches(said[2], "alike: 5 of 5 cases failed:\n  5 cases, the first seed=1: [^\n]+")
  lu.assertNotStrContains(results[1].error, "traceback")
  lu.assertStrContains(results[5].trace, "test_sweep.lua")
end

-- What is raised may be any value, a result anything: the message names the place.
function TestSweep.test_odd_errors_and_results()
  local odd = { function() error({ code = 3 }) end, function() error("\xff\xfe", 0) end,
                function() return { list = { 1, math.huge } } end, function() return 5 end }
  local results = quietly { cases = experiment.grid({}, "odd", { 1, 2, 3, 4 }), jobs = 1,
    run = function(case) return odd[case.odd]() end }
  lu.assertEquals(results[1].error, "error object: code=3")
  lu.assertEquals(results[2].error, "??")
  lu.assertStrContains(results[3].error, "result.list[2] is infinite")
  lu.assertEquals(results[4].result, 5)
end

-- Far more than a pipe holds, in both directions, from several workers at once.
function TestSweep.test_long_cases_and_results()
  local long = {}
  for i = 1, 40000 do long[i] = i / 7 end
  local results = quietly { cases = experiment.grid({ long = long }, "seed", { 1, 2, 3 }),
    jobs = 3, run = function(case) return { long = case.long, text = ("é"):rep(1e5) } end }
  for i = 1, 3 do
    lu.assertEquals(results[i].result.long, long)
    lu.assertEquals(#results[i].result.text, 2e5)
  end
end

-- An executor as the README describes it, over a shell that says something of its own.
function TestSweep.test_an_executor_of_ones_own()
  local e = ("'%s/examples/executor.lua'"):format(support.root)
  local dir = support.tmpdir()
  support.write_file(dir .. "/own.lua", [[
    local experiment = require("unroll").experiment
    experiment.define { name = "own", title = "Own", question = "?",
      options = { { "seeds", { 1, 2, 3 }, "runs" } },
      cases = function(c) return experiment.grid({}, "seed", c.seeds) end,
      run_case = function(case) return { seed = case.seed } end,
      answer = function(results) return #results .. " results" end }:main(arg)]])
  local command = ("cd '%s' && %s own.lua --jobs 2"):format(dir, support.quoted_program)
  local output, code = support.run(command .. " --executor " .. e)
  lu.assertEquals(code, 0, output)
  lu.assertStrContains(output, "a worker says: welcome")
  lu.assertStrContains(output, "3 results")
  output, code = support.run(command .. " --executor missing.lua")
  lu.assertEquals(code, 1)
  lu.assertStrContains(output, "missing.lua")
  lu.assertNotStrContains(output, "traceback")
end

-- Answers to nobody, words, and a worker that is lost: none of them harms another case.
function TestSweep.test_stray_lines_of_an_executor()
  local Pool, script = {}, { '{"id": 9, "result": {}}', "no JSON", "[1]", '{"id": 1, "say": "hm"}',
                             '{"id": 1, "result": {"v": 1}}', '{"id": 1, "result": {"v": 2}}' }
  function Pool.send() return true end
  function Pool.receive()
    local line = table.remove(script, 1)
    return { line and { slot = 1, line = line } or { slot = 1, died = "signal 15" } }
  end
  Pool.__index, Pool.__close = Pool, function() end
  local said = {}
  local results = quietly { cases = experiment.grid({}, "seed", { 1, 2 }), run = draw, jobs = 1,
    executor = { start = function() return setmetatable({}, Pool) end },
    say = function(text) said[#said + 1] = text end }
  lu.assertEquals(results[1].result, { v = 1 })
  lu.assertEquals(results[2].error, "the worker died: signal 15")
  lu.assertEquals({ said[1], said[2], said[3] },
    { "a worker says: no JSON", "a worker says: [1]", "hm" })
end

-- A folder that cannot be written costs the cache, not the results.
function TestSweep.test_a_cache_that_cannot_be_written()
  local dir, said = support.tmpdir(), {}
  local opts = { cases = cases, run = draw, cache = dir .. "/c", name = "full", jobs = 2,
                 say = function(text) said[#said + 1] = text end }
  sys.mkdir(dir .. "/c/full.jsonl") -- a folder where the file should be
  lu.assertEquals(#quietly(opts)[6].result.shares, 3)
  lu.assertEquals(#said, 1)
  lu.assertStrContains(said[1], "results are not kept, and the sweep goes on without")
  support.write_file(dir .. "/file", "x")
  opts.cache = dir .. "/file/c"
  support.raises("the folder for results cannot be made", experiment.sweep, opts)
end

-- The file that the function stands in is part of the key: an edited one runs again.
function TestSweep.test_an_edited_function_runs_again()
  local dir, text = support.tmpdir(), [[
    local experiment = require("unroll").experiment
    local r = experiment.sweep { cases = { { seed = 1 } }, cache = "c", progress = false,
      run = function() return { v = 1 } end }
    print(r[1].result.v)]]
  local command = ("cd '%s' && %s edited.lua"):format(dir, support.quoted_program)
  support.write_file(dir .. "/edited.lua", text)
  lu.assertStrContains((support.run(command)), "1\n")
  support.write_file(dir .. "/edited.lua", (text:gsub("v = 1", "v = 2")))
  lu.assertStrContains((support.run(command)), "2\n")
end

function TestSweep.test_kept_results_are_not_run_again()
  local dir = support.tmpdir()
  local log = dir .. "/log"
  local function run(case)
    sys.append_file(log, case.seed .. "\n")
    if case.seed == 2 and not sys.read_file(dir .. "/mended") then error "not yet" end
    return { seed = case.seed }
  end
  local opts = { cases = experiment.grid({}, "seed", { 1, 2, 3 }), run = run, cache = dir .. "/c",
                 name = "kept", jobs = 1 }
  lu.assertStrContains(quietly(opts)[2].error, "not yet")
  -- a line that a crash has cut is passed over, and the next one does not stick to it
  sys.append_file(dir .. "/c/kept.jsonl", '{"key": "0123')
  support.write_file(dir .. "/mended", "yes")
  lu.assertEquals(quietly(opts)[2].result, { seed = 2 })
  lu.assertEquals(support.read_file(log), "1\n2\n3\n2\n")
  lu.assertEquals(quietly(opts)[3].result, { seed = 3 })
  lu.assertEquals(support.read_file(log), "1\n2\n3\n2\n")
  opts.fresh = true
  quietly(opts)
  lu.assertEquals(support.read_file(log), "1\n2\n3\n2\n1\n2\n3\n")
end

local script = [[
local experiment = require("unroll").experiment
return experiment.define {
  name = "slow", title = "Slow", question = "?",
  options = { { "seeds", { 1, 2, 3, 4, 5, 6 }, "runs" }, { "wait", 0.0, "seconds" },
              { "dies", 0, "seed" } },
  cases = function(c)
    return experiment.grid({ wait = c.wait, dies = c.dies }, "seed", c.seeds)
  end,
  run_case = function(case)
    print "words that are no answer"
    os.execute("sleep " .. case.wait)
    if case.seed == case.dies then os.exit(4) end
    return { noise = require("unroll").tensor.randn(2):totable(), seed = case.seed }
  end,
  collect = function(_, _, results) return results end,
}:main(arg)
]]

local function prepare()
  local dir = support.tmpdir()
  support.write_file(dir .. "/slow.lua", script)
  return dir, ("cd '%s' && %s slow.lua --out out"):format(dir, support.quoted_program)
end

function TestSweep.test_worker_processes_give_the_same_file()
  local dir, command = prepare()
  local output, code = support.run(command .. " --jobs 3")
  lu.assertEquals(code, 0, output)
  local first = support.read_file(dir .. "/out/slow.json")
  lu.assertEquals(select(2, support.run(command .. " --jobs 1 --fresh")), 0)
  lu.assertEquals(support.read_file(dir .. "/out/slow.json"), first)
  local here = load(script)():record()
  lu.assertEquals(here, experiment.store.read(dir .. "/out", "slow"))
end

function TestSweep.test_a_dead_worker_fails_its_case_only()
  local dir, command = prepare()
  local output, code = support.run(command .. " --dies 3 --jobs 2")
  lu.assertEquals(code, 1)
  lu.assertStrContains(output, "1 of 6 cases failed")
  lu.assertStrContains(output, "The results of the other cases (5) are kept in out/cache: the same")
  lu.assertStrContains(output, "seed=3 wait=0.0: the worker died: exit code 4")
  local kept = select(2, support.read_file(dir .. "/out/cache/slow.jsonl"):gsub("\n", ""))
  lu.assertEquals(kept, 5)
end

function TestSweep.test_ctrl_c_keeps_what_is_done_and_leaves_nobody_behind()
  local dir, command = prepare()
  local output = support.run(command .. [[ --wait 0.4 --jobs 2 &
    for i in $(seq 400); do [ -s ']] .. dir .. [[/out/cache/slow.jsonl' ] && break; sleep 0.05; done
    kill -INT $!; wait $!
    echo "code $?"
    for i in $(seq 100); do ps -eo args | grep -q "[s]low.lua --worker" || break; sleep 0.05; done
    ps -eo args | grep -c "[s]low.lua --worker"]])
  lu.assertStrContains(output, "code 130")
  lu.assertStrContains(output, "the same command continues from there")
  lu.assertStrMatches(output:match "[^\n]*\n$", "0\n")
  local again, code = support.run(command .. " --wait 0.4 --jobs 2")
  lu.assertEquals(code, 0, again)
  lu.assertStrContains(again, "of 6 cases are known from before")
end

-- Several experiments in one queue; one of them fails.
function TestSweep.test_a_suite_goes_on_without_the_experiment_that_fails()
  local dir = prepare()
  local other = script:gsub('"slow"', '"other"'):gsub("case.seed == case.dies", "case.seed == 2")
  support.write_file(dir .. "/other.lua", other)
  local output, code = support.run(("cd '%s' && %s '%s/scripts/suite.lua' other.lua slow.lua")
    :format(dir, support.quoted_program, support.root))
  lu.assertEquals(code, 1)
  lu.assertStrContains(output, "1 of 2 experiments failed")
  lu.assertEquals(#experiment.store.read(dir .. "/results", "slow").results, 6)
  lu.assertNil(experiment.store.read(dir .. "/results", "other"))
  support.write_file(dir .. "/other.lua", (other:gsub("os.exit%(4%)", "case = case")))
  output, code = support.run(("cd '%s' && %s '%s/scripts/suite.lua' other.lua slow.lua")
    :format(dir, support.quoted_program, support.root))
  lu.assertEquals(code, 0, output)
  lu.assertStrContains(output, "6 of 12 cases are known from before")
end

function TestSweep.test_closures_stop_with_ctrl_c_too()
  local dir = support.tmpdir()
  support.write_file(dir .. "/closures.lua", [[
    local experiment = require("unroll").experiment
    print(pcall(experiment.sweep, { jobs = 2, progress = false,
      cases = experiment.grid({}, "seed", { 1, 2, 3, 4 }),
      run = function() while true do end end }))]])
  local output = support.run(([[%s %s/closures.lua & sleep 0.5; kill -INT $!; wait $!
    ps -eo comm,args | grep "^unroll.*%s" | grep -c .]]):format(support.quoted_program, dir, dir))
  lu.assertStrContains(output, "interrupted!")
  lu.assertStrMatches(output:match "[^\n]*\n$", "0\n")
end

-- What a case has started ends with it; a worker that is killed fails its case alone.
function TestSweep.test_programs_of_a_case_end_with_it()
  local dir = support.tmpdir()
  local seconds = 1000 + math.random(1e6) -- a number that no other program sleeps for
  support.write_file(dir .. "/programs.lua", ([[
    local experiment = require("unroll").experiment
    experiment.sweep { jobs = 2, progress = false, cases = experiment.grid({}, "seed", { 1, 2 }),
      run = function() os.execute("sleep %d") end }]]):format(seconds))
  local output = support.run(([[%s %s/programs.lua 2>&1 & for i in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.2; [ $(ps -eo args | grep -c "^sleep %d") = 2 ] && break; done; kill -INT $!; wait $!
    sleep 0.2; echo "left $(ps -eo args | grep -c "^sleep %d")"]]):format(support.quoted_program,
    dir, seconds, seconds))
  lu.assertStrContains(output, "left 0\n")
end

-- Also when nobody is left to end them: the sweep itself was killed, or its worker.
function TestSweep.test_programs_of_a_case_end_with_a_killed_sweep()
  local dir = support.tmpdir()
  local seconds = 1000 + math.random(1e6)
  support.write_file(dir .. "/closures.lua", ([[
    local experiment = require("unroll").experiment
    experiment.sweep { jobs = 2, progress = false, cases = experiment.grid({}, "seed", { 1, 2 }),
      run = function() os.execute("sleep %d") end }]]):format(seconds))
  support.write_file(dir .. "/script.lua", (script:gsub("case.wait", tostring(seconds))))
  local sleepers = ([[$(ps -eo args | grep -c "^sleep %d")]]):format(seconds)
  local wait = [[for i in $(seq 100); do [ %s = %d ] && break; sleep 0.1; done; ]]
  for _, file in ipairs { "closures.lua", "script.lua --jobs 2 --out out" } do
    local output = support.run(([[cd %s; %s %s >/dev/null 2>&1 & %s
      kill -9 $!; %s echo "left %s"]]):format(dir, support.quoted_program, file,
      wait:format(sleepers, 2), wait:format(sleepers, 0), sleepers))
    lu.assertStrContains(output, "left 0\n", false, file)
  end
  local results = quietly { cases = { { seed = 1 } }, jobs = 1, run = function()
    os.execute(("sleep %d & kill -9 $PPID"):format(seconds))
  end }
  lu.assertStrContains(results[1].error, "signal 9")
  lu.assertEquals(support.run("echo " .. sleepers), "0\n")
end

function TestSweep.test_a_killed_worker_is_named()
  local results = quietly { cases = experiment.grid({}, "seed", { 1, 2, 3 }), jobs = 2,
    run = function(case)
      if case.seed == 2 then os.execute "kill -9 $PPID" end
      return { seed = case.seed }
    end }
  lu.assertEquals(results[2].error,
    "the worker died: signal 9 (killed, perhaps for want of memory)")
  lu.assertEquals(results[3].result, { seed = 3 })
end

function TestSweep.test_in_stock_lua()
  local dir = prepare()
  local output, code = support.run(("cd '%s' && %s slow.lua --jobs 2 --out out"):format(dir,
    support.stock_lua))
  lu.assertEquals(code, 0, output)
  lu.assertEquals(experiment.store.read(dir .. "/out", "slow"), load(script)():record())
end

function TestSweep.test_table_over_seeds()
  local results = {}
  for i, case in ipairs(cases) do
    results[i] = { case = case, result = { loss = case.lr * case.seed ^ 2, name = "x" } }
  end
  results[#results + 1] = { case = { lr = 0.2, seed = 9 }, error = "died" }
  local rows = experiment.table(results, { by = "lr", over = "seed" })
  lu.assertEquals(#rows, 2)
  lu.assertEquals(rows[1].lr, 0.1)
  local loss = rows[1].loss
  support.near(loss, { mean = 1.4 / 3, deviation = math.sqrt(0.49 / 3), median = 0.4, low = 0.1,
                       high = 0.9, count = 3 }, 1e-12)
  support.raises("two cases of one group have seed 1", experiment.table, results, { by = "width" })
  support.raises("case 1 has no field 'rate'", experiment.table, results,
    { by = "lr", over = "rate" })
  support.raises("a quantile is 5, must be from 0 to 1", experiment.table, results,
    { by = "lr", quantiles = { 5 } })
end

function TestSweep.test_table_of_several_numbers_with_gaps()
  local results = {}
  for i, case in ipairs(experiment.grid({}, "cell", { "a", "b" }, "lr", { 0.1, 1 }, "seed",
      { 1, 2, 3, 4, 5 })) do
    results[i] = { case = case }
    if case.cell == "a" or case.lr == 1 and case.seed < 3 then
      results[i].result = { loss = case.seed + 0.5, test = { error = case.lr }, list = { 7 } }
    end
  end
  local rows = experiment.table(results, { by = { "cell", "lr" }, quantiles = { 0.1, 0.75 } })
  lu.assertEquals(#rows, 4)
  lu.assertEquals({ rows[3].count, rows[3].failed, rows[4].count, rows[4].failed }, { 0, 5, 2, 3 })
  lu.assertNil(rows[3].loss)
  lu.assertEquals(rows[4]["test.error"].mean, 1)
  lu.assertAlmostEquals(rows[1].loss.q10, 1.9, 1e-12) -- numpy.quantile([1.5, 2.5 ... 5.5], 0.1)
  lu.assertAlmostEquals(rows[1].loss.q75, 4.5, 1e-12)
  local text = tostring(experiment.table(results, { by = { "cell", "lr" }, values = { "loss" },
                                                    quantiles = { 0.1 } }))
  lu.assertEquals(text, " cell    lr          count        loss   q10\n"
    .. " ───────────────────────────────────────────\n"
    .. " a      0.1              5   3.5 ± 1.6   1.9\n"
    .. " a        1              5   3.5 ± 1.6   1.9\n"
    .. " b      0.1   0 (5 failed)           –     –\n"
    .. " b        1   2 (3 failed)    2 ± 0.71   1.6")
end

function TestSweep.test_median()
  lu.assertEquals(experiment.statistics.median { 3, 1, 2, 10 }, 2.5)
end

function TestSweep.test_lines_from_pieces()
  local lines = Lines.new()
  lu.assertEquals(lines:add "ab", {})
  lu.assertEquals(lines:add "c\n\nde", { "abc", "" })
  lu.assertEquals(lines:add "\n", { "de" })
  lu.assertEquals(lines:add(("x"):rep(1e6) .. "\ny"), { ("x"):rep(1e6) })
end

-- The line gives way part by part, and is never as wide as the terminal.
function TestSweep.test_display_on_narrow_terminals()
  local tasks = {}
  for i = 1, 120 do tasks[i] = { experiment = i < 61 and "long_name" or "b", case = {} } end
  for width, expected in pairs {
    [80] = "1/120 " .. ("."):rep(20) .. "  long_name 1/60  ETA 2 min 00 s",
    [50] = "1/120 " .. ("."):rep(10) .. "  long_name 1/60  ETA 2 min 00 s",
    [40] = "1/120 " .. ("."):rep(10) .. "  ETA 2 min 00 s",
    [24] = "1/120  ETA 2 min 00 s", [8] = "1/120", [4] = "" } do
    local written, now = {}, 0
    local screen = display.new(tasks, {}, { live = true, utf8 = false, width = width,
      clock = function() return now end,
      write = function(text) written[#written + 1] = text end })
    now = 1.01
    screen:done(tasks[1], { result = 1 })
    lu.assertEquals(written[1], "\r" .. expected)
  end
end

function TestSweep.test_display_counts_and_clears()
  local written, now = {}, 0
  local tasks = { { experiment = "a", case = { seed = 1 } }, { experiment = "b", case = {} },
                  { experiment = "b", case = {} } }
  local screen = display.new(tasks, { [1] = {} }, { live = true, utf8 = true, width = 80,
    clock = function() return now end,
    write = function(text) written[#written + 1] = text end })
  lu.assertEquals(written[1], "1 of 3 cases are known from before\n")
  now = 10
  screen:done(tasks[2], { result = 1 })
  lu.assertEquals(written[2], "\r2/3 " .. ("━"):rep(13) .. ("╶"):rep(7) .. "  b 1/2  ETA 10 s")
  screen:say "words"
  lu.assertStrMatches(written[3], "\r +\r")
  lu.assertEquals(written[4], "words\n")
end
