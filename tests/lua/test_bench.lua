-- The parts of scripts/bench that compute and write: medians, tables, the block of the README.
local lu = require "luaunit"
local support = require "support"
local core = require "unroll.core"

local folder = support.root .. "/tests/bench"

-- The modules of tests/bench, loaded from there.
local function load(name)
  local path = package.path
  package.path = folder .. "/?.lua;" .. path
  local ok, module = pcall(require, name)
  package.path = path
  if not ok then error(module) end
  return module
end

local numbers = load "numbers"

TestBench = {}

function TestBench.test_medians_and_ratios_of_rounds()
  lu.assertEquals(numbers.median { 3, 1, 2 }, 2)
  lu.assertEquals(numbers.median { 4, 1, 2, 3 }, 2.5)
  lu.assertNil(numbers.median {})
  lu.assertEquals(numbers.ratio({ 2, 9, 8 }, { 1, 3, 2 }), 3)
  lu.assertNil(numbers.ratio({ 1 }, {}))
end

function TestBench.test_numbers_as_tables_show_them()
  lu.assertEquals(numbers.short(1349000), "1.35M")
  lu.assertEquals(numbers.short(42), "42")
  lu.assertEquals(numbers.seconds(0.0123), "12.3 ms")
  lu.assertEquals(numbers.seconds(2.5e-7), "250 ns")
  lu.assertEquals(numbers.percent(0.256), "25.6 %")
  lu.assertEquals(numbers.bytes(3 << 20), "3.0 MiB")
  lu.assertEquals(numbers.times(nil), "–")
end

-- A run as bench.json has it, with and without peers.
local function results(peers)
  local rates = { unroll = { 1000, 3000, 2000 }, avx2 = {}, numpy = {},
                  torch = peers and { 100, 100, 100 } or {} }
  local case = { cell = "tanh", name = "a", H = 25, T = 15, B = 1, optimizer = "adagrad",
                 rates = rates, shares = { unroll = { 0.25, 0.5, 0.3 }, avx2 = {} }, gemm = {} }
  local absent = { cell = "lstm", name = "d", H = 128, T = 50, B = 32, absent = true,
                   rates = { unroll = {}, avx2 = {}, torch = {}, numpy = {} },
                   shares = { unroll = {}, avx2 = {} }, gemm = {} }
  return { machine = { processor = "P", instruction_set = "I", openblas = "O" },
           phases = { train = { cases = { case, absent }, rounds = 3 } } }
end

function TestBench.test_the_table_of_training()
  local t = load("phases.train").tables(results(true).phases.train)[1]
  lu.assertEquals(#t.rows, 1)
  lu.assertEquals(t.rows[1][1], "tanh a")
  lu.assertEquals(t.rows[1][7], "20x")
  lu.assertEquals(t.rows[1][9], "30.0 %")
  lu.assertStrContains(t.note, "no such cell: lstm")
  lu.assertEquals(load("phases.train").tables(results(false).phases.train)[1].rows[1][7], "–")
end

function TestBench.test_the_block_of_the_readme_is_written_again()
  local readme, path = load "readme", os.tmpname()
  local from, to = "<!-- speed: scripts/bench --readme writes this -->", "<!-- end of speed -->"
  assert(core.sys.write_file(path, "before\n" .. from .. "\nold\n" .. to .. "\nafter\n"))
  for _ = 1, 2 do readme.update(path, results(true)) end
  local text = core.sys.read_file(path)
  lu.assertStrContains(text, "| tanh a: H 25, T 15, B 1 | 2k | 20x | – | 30.0 % |")
  lu.assertStrContains(text, "before\n" .. from)
  lu.assertStrContains(text, to .. "\nafter\n")
  lu.assertNil(text:find "old")
  assert(core.sys.write_file(path, "no marks"))
  support.raises("no block between the marks", readme.update, path, results(true))
  support.raises("run scripts/bench first", readme.update, path, { phases = {} })
  os.remove(path)
end

function TestBench.test_the_worker_answers()
  local channel <close> = assert(core.sys.spawn { support.program, folder .. "/worker.lua" })
  assert(channel:write("train tanh 8 5 2 adam 0.001\n" .. "generate tanh 8 0.001\nrss\n"
    .. "train none 8 5 2 adam 1\n"))
  local answer = ""
  while select(2, answer:gsub("\n", "")) < 4 do answer = answer .. channel:read() end
  local lines = {}
  for line in answer:gmatch "[^\n]+" do lines[#lines + 1] = line end
  for i = 1, 3 do lu.assertTrue(tonumber(lines[i]) > 0, lines[i]) end
  lu.assertStrContains(lines[4], "- ")
  lu.assertStrContains(lines[4], "there is no cell 'none'")
end
