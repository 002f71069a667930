-- test_tasks.lua -- the synthetic problems: what their sequences ask, and that they repeat.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local rnn, tasks, train = unroll.rnn, unroll.tasks, unroll.train

TestTasks = {}

function TestTasks.test_adding_asks_for_the_sum_of_the_marked_numbers()
  local x, y, info = tasks.adding { length = 9, seed = 3 }:batches { batch = 20 }()
  lu.assertEquals(x:size(), { 9, 20, 2 })
  lu.assertTrue(info.reset)
  for b = 1, 20 do
    local sum, places = 0, {}
    for t = 1, 9 do
      local number, marker = x[{ t, b, 1 }], x[{ t, b, 2 }]
      lu.assertTrue(number >= 0 and number < 1)
      if marker == 1 then
        sum, places[#places + 1] = sum + number, t
      else
        lu.assertEquals(marker, 0)
      end
      lu.assertEquals(info.weight[{ t, b }], t == 9 and 1 or 0)
    end
    lu.assertEquals(#places, 2)
    lu.assertTrue(places[1] <= 4 and places[2] > 4)
    support.near(y[{ 9, b, 1 }], sum, 1e-6)
  end
end

function TestTasks.test_adding_has_the_chance_it_says()
  local total, count = 0, 0
  for _, y in tasks.adding { length = 4 }:batches { split = "test", batch = 500 } do
    local targets = y:select(1, 4)
    total, count = total + ((targets - 1) ^ 2):sum(), count + targets:numel()
  end
  lu.assertEquals(count, 5000)
  support.near(total / count, tasks.adding().chance, 0.01)
end

function TestTasks.test_temporal_order_asks_for_the_order()
  local T, seen = 20, {}
  local x, y = tasks.temporal_order { length = T, seed = 2 }:batches { batch = 200 }()
  for b = 1, 200 do
    local found = {}
    for t = 1, T do
      local symbol = x[{ t, b }]
      lu.assertTrue(symbol >= 1 and symbol <= 6)
      if symbol > 4 then found[#found + 1] = { t, symbol } end
    end
    lu.assertEquals(#found, 2)
    lu.assertTrue(found[1][1] >= 2 and found[1][1] <= 4)
    lu.assertTrue(found[2][1] >= 8 and found[2][1] <= 10)
    lu.assertEquals(y[{ T, b }], 2 * (found[1][2] - 5) + found[2][2] - 4)
    seen[y[{ T, b }]] = true
  end
  lu.assertEquals(seen, { true, true, true, true })
end

function TestTasks.test_copy_asks_for_the_symbols_after_the_signal()
  local task = tasks.copy { symbols = 3, kinds = 4, delay = 5 }
  local x, y, info = task:batches { batch = 6 }()
  lu.assertEquals(x:size(), { 11, 6 })
  lu.assertEquals(task.length, 11)
  for b = 1, 6 do
    for t = 1, 3 do
      lu.assertTrue(x[{ t, b }] >= 1 and x[{ t, b }] <= 4)
      lu.assertEquals(y[{ 8 + t, b }], x[{ t, b }])
    end
    for t = 4, 11 do lu.assertEquals(x[{ t, b }], t == 9 and 6 or 5) end
  end
  lu.assertEquals(info.weight:sum(2):totable(), { 0, 0, 0, 0, 0, 0, 0, 0, 6, 6, 6 })
end

local function some_tasks()
  return { tasks.adding { length = 6, seed = 7 }, tasks.temporal_order { length = 10, seed = 7 },
           tasks.copy { seed = 7 } }
end

function TestTasks.test_batches_repeat_continue_and_differ()
  for i, task in ipairs(some_tasks()) do
    local a, b = task:batches { batch = 4 }, some_tasks()[i]:batches { batch = 4 }
    local first = a():clone()
    support.near(b():clone(), first, 0)
    local saved = a:state()
    local second = a():clone()
    lu.assertFalse(unroll.tensor.equal(first, second))
    b()
    b:set_state(saved)
    support.near(b(), second, 0)
    local test = task:batches { batch = 4, split = "test" }
    lu.assertFalse(unroll.tensor.equal(test(), first))
  end
end

function TestTasks.test_held_out_splits_end_and_are_fixed()
  local task = tasks.copy { seed = 5 }
  local count, sums = 0, {}
  for x in task:batches { split = "validation", batch = 3 } do
    count = count + 1
    sums[count] = x:to("float64"):sum()
  end
  lu.assertEquals(count, 10)
  local looped = task:batches { split = "validation", batch = 3, loop = true }
  for k = 1, 20 do lu.assertEquals((looped()):to("float64"):sum(), sums[(k - 1) % 10 + 1]) end
end

function TestTasks.test_models_train_on_them()
  for _, task in ipairs(some_tasks()) do
    local model = rnn.model { cell = "tanh", input = task.input, hidden = 16,
      output = task.output, head = task.head, seed = 1 }
    local before = train.evaluate(model, task, { split = "test", batch = 50 })
    train.fit(model, task, { steps = 150, batch = 32, lr = 0.01, clip_norm = 1,
                             progress = false })
    local after = train.evaluate(model, task, { split = "test", batch = 50 })
    lu.assertTrue(after < before)
  end
end

function TestTasks.test_wrong_options()
  support.raises("tasks.adding: length must be an integer of at least 2", tasks.adding,
    { length = 1 })
  support.raises("tasks.copy: unknown option 'delai'. Did you mean 'delay'?", tasks.copy,
    { delai = 3 })
  local task = tasks.temporal_order()
  support.raises("split is 'tset'", task.batches, task, { split = "tset" })
end
