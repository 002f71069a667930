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
  lu.assertStrContains(output, "seed=3 wait=0.0: the worker died: exit code 4")
  local kept = select(2, support.read_file(dir .. "/out/cache/slow.jsonl"):gsub("\n", ""))
  lu.assertEquals(kept, 5)
end

function TestSweep.test_ctrl_c_keeps_what_is_done_and_leaves_nobody_behind()
  local dir, command = prepare()
  local output = support.run(command .. [[ --wait 0.4 --jobs 2 &
    for i in $(seq 400); do [ -s ']] .. dir .. [[/out/cache/slow.jsonl' ] && break; sleep 0.05; done
    kill -INT $!; wait $!
    echo "code $?"; sleep 0.1; ps -eo args | grep -c "[s]low.lua --worker"]])
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
end

function TestSweep.test_median()
  lu.assertEquals(experiment.statistics.median { 3, 1, 2, 10 }, 2.5)
end

function TestSweep.test_lines_from_pieces()
  local lines = Lines.new()
  lu.assertEquals(lines:add "ab", {})
  lu.assertEquals(lines:add "c\n\nde", { "abc", "" })
  lu.assertEquals(lines:add "\n", { "de" })
end

function TestSweep.test_display_counts_and_clears()
  local written, now = {}, 0
  local tasks = { { experiment = "a", case = { seed = 1 } }, { experiment = "b", case = {} },
                  { experiment = "b", case = {} } }
  local screen = display.new(tasks, { [1] = {} }, { live = true, utf8 = true, clock = function() return now end,
    write = function(text) written[#written + 1] = text end })
  lu.assertEquals(written[1], "1 of 3 cases are known from before\n")
  now = 10
  screen:done(tasks[2], { result = 1 })
  lu.assertEquals(written[2], "\r2/3 " .. ("━"):rep(13) .. ("╶"):rep(7) .. "  b 1/2  ETA 10 s")
  screen:say "words"
  lu.assertStrMatches(written[3], "\r +\r")
  lu.assertEquals(written[4], "words\n")
end
