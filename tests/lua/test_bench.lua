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
  lu.assertEquals(numbers.times(31.44), "31.4x")
  lu.assertEquals(numbers.times(1234.5), "1234x")
end

-- A run as bench.json has it, with and without peers.
local function results(peers)
  local rates = { unroll = { 1000, 3000, 2000 }, avx2 = {}, numpy = {}, onednn = {},
                  torch = peers and { 100, 100, 100 } or {} }
  local case = { cell = "tanh", name = "a", H = 25, T = 15, B = 1, optimizer = "adagrad",
                 rates = rates, shares = { unroll = { 0.25, 0.5, 0.4 }, avx2 = { 0.2 } }, gemm = {},
                 bounds = { unroll = { 0.9 }, avx2 = { 0.8 } } }
  local absent = { cell = "lstm", name = "d", H = 128, T = 50, B = 32, absent = true,
                   rates = { unroll = {}, avx2 = {}, torch = {}, numpy = {}, onednn = {} },
                   shares = { unroll = {}, avx2 = {} }, gemm = {},
                   bounds = { unroll = {}, avx2 = {} } }
  return { machine = { processor = "P", instruction_set = "I", openblas = "O" },
           phases = { train = { cases = { case, absent }, rounds = 3 } } }
end

function TestBench.test_the_table_of_training()
  local speed, shares = table.unpack(load("phases.train").tables(results(true).phases.train))
  lu.assertEquals(speed.rows, { { "tanh a", 25, 15, 1, "2k", "100", "20x", "45x", "–", "–" } })
  lu.assertEquals(shares.rows, { { "tanh a", "40.0 %", "90.0 %", "20.0 %", "80.0 %", "–" } })
  lu.assertStrContains(speed.note, "no such cell: lstm")
  speed = load("phases.train").tables(results(false).phases.train)[1]
  lu.assertEquals({ speed.rows[1][7], speed.rows[1][8] }, { "–", "–" })
end

-- A machine that reads 1e9 bytes a second, makes 5e8 operations a second in products, and needs
-- 1 ms for an empty step.
local function least(case, peak)
  local speed = { empty = 1e-3, products = 5e8, bandwidth = 1e9 }
  return load("floor").seconds(case, peak, function(what) return speed[what] end, 0.1)
end

local learned = 2 * 100 * 65 + 100 * 100 + 100 + 65 -- numbers, H = 100

function TestBench.test_the_least_time_of_a_step_with_one_sequence()
  local case = { cell = "tanh", H = 100, T = 10, B = 1, optimizer = "adagrad" }
  local products = 10 * (2e4 + 6 * 6500) / 5e8 -- all but those of the two sweeps
  local rest = products + 6 * 4 * learned / 1e9 + 1e-3
  lu.assertAlmostEquals(least(case, 1e9), rest + 20 * 4e4 / 1e9, 1e-12)
  lu.assertAlmostEquals(least(case, 1e8), rest + 20 * 2e4 / 1e8, 1e-12) -- reading is faster
end

function TestBench.test_the_least_time_of_a_step_with_a_batch()
  local case = { cell = "tanh", H = 100, T = 10, B = 3, optimizer = "adam" }
  local products = 30 * 6 * (1e4 + 6500) / 5e8
  lu.assertAlmostEquals(least(case, 1e9), products + 8 * 4 * learned / 1e9, 1e-12)
end

function TestBench.test_the_least_time_of_a_step_with_gates()
  local numbers_of_lstm = 4 * (65 * 100 + 100 * 100 + 100) + 100 * 65 + 65
  local case = { cell = "lstm", H = 100, T = 10, B = 3, optimizer = "adam" }
  local products = 30 * 6 * (4e4 + 6500) / 5e8
  lu.assertAlmostEquals(least(case, 1e9), products + 8 * 4 * numbers_of_lstm / 1e9, 1e-12)
  case.B = 1
  products = 10 * (2 * 4e4 + 6 * 6500) / 5e8
  local update, reading = 8 * 4 * numbers_of_lstm / 1e9, 20 * 4 * 4e4 / 1e9
  lu.assertAlmostEquals(least(case, 1e9), products + update + reading + 1e-3, 1e-12)
end

function TestBench.test_a_size_between_is_held_beside_the_worse_neighbour()
  local function point(value, share, between)
    return { value = value, shares = { share }, between = between or false }
  end
  local sizes = load "phases.sizes"
  local points = { point(64, 0.5), point(96, 0.44, true), point(128, 0.8), point(200, 0.6, true) }
  lu.assertAlmostEquals(sizes.beside_neighbours(points, 2), 0.88, 1e-12)
  lu.assertNil(sizes.beside_neighbours(points, 3))
  lu.assertNil(sizes.beside_neighbours(points, 4))
  local ratio, name = sizes.worst { sweeps = { { axis = "H", points = points } } }
  lu.assertAlmostEquals(ratio, 0.88, 1e-12)
  lu.assertEquals(name, "H = 96")
end

local from_mark = "<!-- speed: scripts/bench --readme writes this -->"
local to_mark = "<!-- end of speed -->"

function TestBench.test_the_block_of_the_readme_is_written_again()
  local readme, path = load "readme", os.tmpname()
  assert(core.sys.write_file(path, "before\n" .. from_mark .. "\nold\n" .. to_mark .. "\nafter\n"))
  for _ = 1, 2 do readme.update(path, results(true)) end
  local text = core.sys.read_file(path)
  lu.assertStrContains(text,
    "| tanh a: H 25, T 15, B 1 | 2k | 20x | 45x | – | – | 40.0 % | 20.0 % |")
  lu.assertStrContains(text, "before\n" .. from_mark)
  lu.assertStrContains(text, to_mark .. "\nafter\n")
  lu.assertNil(text:find "old")
  assert(core.sys.write_file(path, "no marks"))
  support.raises("no block between the marks", readme.update, path, results(true))
  support.raises("run scripts/bench first", readme.update, path, { phases = {} })
  os.remove(path)
end

-- The other phases as bench.json has them: each gives a line.
function TestBench.test_the_lines_of_the_readme()
  local r, readme, path = results(true), load "readme", os.tmpname()
  r.phases.generate = { cases = { { cell = "tanh", H = 8, limits = { 4000 },
    rates = { unroll = { 3000 }, torch = { 100 } } } } }
  r.phases.threads = { cases = { { cell = "tanh", name = "d", rate = { { 10 }, { 19 } },
    peak = { { 10 }, { 20 } } } } }
  r.phases.document = { cases = { { network = { seconds = 2.3 }, losses = { 0.01 },
    seconds = { 0.023 } } } }
  r.phases.text = { points = { { bytes = 1e8, start = { 0.5 }, memory = 3, tokens = 2 } } }
  assert(core.sys.write_file(path, from_mark .. to_mark))
  readme.update(path, r)
  local text = core.sys.read_file(path)
  for _, part in ipairs { "tanh 8 3k (30x, 75.0 %)", "tanh d 1.9x (0.95)",
      "0.0100 nats in 23 ms (2.3 s)", "A text of 100 MB: 500 ms to the first step, 1.50 times" } do
    lu.assertStrContains(text, part)
  end
  for line in text:gmatch "[^\n]+" do lu.assertTrue(utf8.len(line) <= 128, line) end
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
