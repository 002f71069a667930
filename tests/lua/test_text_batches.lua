-- Windows of parallel streams: every transition once, none around the end, reuse, state.

local lu = require "luaunit"
local support = require "support"
local tensor = require "unroll.tensor"
local text = require "unroll.text"

TestBatches = {}

-- A text of n different symbols, so that a transition tells where it is from.
local function distinct(n)
  local symbols = {}
  for i = 1, n do symbols[i] = utf8.char(0x4E00 + i) end
  return text.from_string(table.concat(symbols), { split = { 1 } })
end

-- Runs one pass; returns how often each transition i > i+1 was trained.
local function count_transitions(c, opts)
  local counts = {}
  for x, y, info in c:batches(opts) do
    local xs, ys = x:totable(), y:totable()
    local ws = info.weight and info.weight:totable()
    for t = 1, #xs do
      for b = 1, #xs[t] do
        lu.assertEquals(ys[t][b], xs[t][b] + 1)
        local weight = ws and ws[t][b] or 1
        counts[xs[t][b]] = (counts[xs[t][b]] or 0) + weight
      end
    end
  end
  return counts
end

function TestBatches.test_every_transition_once()
  for n = 2, 14 do
    local c = distinct(n)
    for batch = 1, n - 1 do
      for window = 1, n + 1 do
        local counts = count_transitions(c, { batch = batch, window = window })
        local where = ("%d tokens, batch %d, window %d"):format(n, batch, window)
        for i = 1, n - 1 do lu.assertEquals(counts[i], 1, where) end
        lu.assertNil(counts[n], where)
      end
    end
  end
end

function TestBatches.test_streams_continue_from_window_to_window()
  local c = distinct(41)
  local last
  for x, y, info in c:batches { batch = 4, window = 3 } do
    local xs, ys = x:totable(), y:totable()
    if last then
      lu.assertFalse(info.reset)
      lu.assertEquals(xs[1], last)
    else
      lu.assertTrue(info.reset)
      lu.assertEquals(xs[1], { 1, 11, 21, 31 })
    end
    last = ys[#ys]
  end
  lu.assertEquals(last, { 11, 21, 31, 41 })
end

function TestBatches.test_nothing_wraps_around_and_passes_start_anew()
  local c = distinct(8)
  local it = c:batches { batch = 1, window = 3, loop = true }
  local seen = {}
  for _ = 1, 6 do
    local x, y, info = it:next()
    seen[#seen + 1] = { x:size(1), x:totable()[1][1], info.reset }
    for t, row in ipairs(y:totable()) do lu.assertEquals(row[1], x:totable()[t][1] + 1) end
  end
  lu.assertEquals(seen, { { 3, 1, true }, { 3, 4, false }, { 1, 7, false },
                          { 3, 1, true }, { 3, 4, false }, { 1, 7, false } })
  lu.assertEquals(it.epoch, 2)
  lu.assertEquals(it.windows, 3)
end

function TestBatches.test_one_pass_ends_and_stays_ended()
  local it = distinct(5):batches { window = 4 }
  lu.assertNotNil(it())
  lu.assertNil(it())
  lu.assertNil(it:next())
end

function TestBatches.test_a_window_longer_than_the_text()
  local it = distinct(6):batches { batch = 1, window = 100 }
  local x = it()
  lu.assertEquals(x:size(), { 5, 1 })
  lu.assertEquals(it.windows, 1)
end

function TestBatches.test_weights_only_where_runs_differ()
  local it = distinct(8):batches { batch = 2, window = 2 } -- runs of 4 and 3
  local _, _, info = it()
  lu.assertNil(info.weight)
  _, _, info = it()
  lu.assertEquals(info.weight:totable(), { { 1, 1 }, { 1, 0 } })
  lu.assertNil(it())
  for _, _, even in distinct(9):batches { batch = 2, window = 2 } do lu.assertNil(even.weight) end
end

function TestBatches.test_tensors_are_reused_and_a_step_makes_no_garbage()
  local it = text.corpus("simple"):batches { batch = 7, window = 10, loop = true }
  local x1 = it()
  lu.assertEquals(x1:dtype(), "int32")
  local same = it()
  lu.assertTrue(rawequal(x1, same))
  for _ = 1, 2 * it.windows do it() end
  collectgarbage() collectgarbage() collectgarbage "stop"
  local before = collectgarbage "count"
  for _ = 1, 1000 do it() end
  local after = collectgarbage "count"
  collectgarbage "restart"
  lu.assertEquals(after, before)
end

function TestBatches.test_filling_counts_as_a_write()
  local it = distinct(20):batches { window = 3, loop = true }
  local x = it()
  local version = tensor.version(x)
  it()
  lu.assertTrue(tensor.version(x) > version)
end

function TestBatches.test_state_resumes_exactly()
  local c = text.corpus "simple"
  local opts = { batch = 3, window = 17, loop = true }
  for _, steps in ipairs { 0, 1, 5, c:batches(opts).windows, c:batches(opts).windows + 2 } do
    local a = c:batches(opts)
    for _ = 1, steps do a() end
    local b = c:batches(opts):set_state(a:state())
    for _ = 1, 100 do
      local xa, ya, ia = a()
      local xb, yb, ib = b()
      lu.assertEquals(xb:totable(), xa:totable())
      lu.assertEquals(yb:totable(), ya:totable())
      lu.assertEquals(ib.reset, ia.reset)
      lu.assertEquals(ib.weight ~= nil, ia.weight ~= nil)
    end
    lu.assertEquals(b:state(), a:state())
  end
end

function TestBatches.test_impossible_states_are_refused()
  local it = distinct(21):batches { window = 6 }
  for _, position in ipairs { -1, 7, 21, 1.5 } do
    support.raises("does not fit windows of 6 over 20 steps", it.set_state, it,
      { position = position, epoch = 0 })
  end
  support.raises("table expected, got nil", it.set_state, it)
  lu.assertEquals(it:set_state({ position = 12, epoch = 0 }):state().position, 12)
end

function TestBatches.test_windows_far_behind_the_end_repeat_the_last_transition()
  local tokens = tensor({ 1, 2, 3, 4, 5 }, { dtype = "int32" })
  local x = tensor.zeros(3, 2, { dtype = "int32" })
  local y = tensor.zeros(3, 2, { dtype = "int32" })
  local fill = require("unroll.core").text.window(tokens, x, y, "info")
  for _, first in ipairs { 2, 100, math.maxinteger - 1, math.maxinteger } do
    local x_filled, y_filled, info = fill(first)
    lu.assertTrue(rawequal(x_filled, x) and rawequal(y_filled, y) and info == "info")
    lu.assertEquals(x:totable(), { { 2, 4 }, { 2, 4 }, { 2, 4 } })
    lu.assertEquals(y:totable(), { { 3, 5 }, { 3, 5 }, { 3, 5 } })
  end
end
