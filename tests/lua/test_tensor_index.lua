-- t[i], t[{...}] and assignment through them.

local lu = require "luaunit"
local support = require "support"
local cases = require "tensor_cases"
local tensor = require "unroll.tensor"

local eq = lu.assertEquals

local function write(t, key, value) t[key] = value end
local function read(t, key) return t[key] end

TestIndex = {}

function TestIndex.test_elements_in_every_layout()
  cases.each_matrix(function(case, dtype, label)
    local t, expected = case.t, case.expected
    for i, row in ipairs(expected) do
      eq(t[i]:totable(), row, label)
      eq(t[i]:dtype(), dtype)
      eq(t[i - 1 - #expected]:totable(), row, label)
      for j, value in ipairs(row) do
        eq(t[{ i, j }], value, label)
        eq(t[i][j], value, label)
        eq(t[{ i - 1 - #expected, j - 1 - #row }], value, label)
      end
    end
  end)
end

function TestIndex.test_whole_floats_are_integers()
  eq(tensor { 1, 2 }[2.0], 2.0)
  eq(tensor { { 1, 2 } }[{ 1.0, 2.0 }], 2.0)
end

function TestIndex.test_ranges_in_every_layout()
  local ranges = {
    {}, { 1, 2 }, { 2, 2 }, { -2, -1 }, { 1, -1 }, { 1, 3, 2 }, { 2, 3, 5 }, { 1, 0 }, { 4, 3 },
  }
  cases.each_matrix(function(case, _, label)
    if #case.expected ~= 3 then return end
    for _, range in ipairs(ranges) do
      local rows = {}
      local first, last = range[1] or 1, range[2] or 3
      if first < 0 then first = first + 4 end
      if last < 0 then last = last + 4 end
      for i = first, last, range[3] or 1 do rows[#rows + 1] = case.expected[i] end
      eq(case.t[{ range }]:totable(), rows, label)
      local column = {}
      for i, row in ipairs(rows) do column[i] = row[2] end
      eq(case.t[{ range, 2 }]:totable(), column, label)
    end
  end)
end

function TestIndex.test_ranges_of_several_dimensions()
  local t = tensor(cases.counted { 2, 3, 4 })
  eq(t[{ 2, {}, 3 }]:totable(), { 15, 19, 23 })
  eq(t[{ {}, { 2, 3 }, { 1, 4, 3 } }]:totable(),
    { { { 5, 8 }, { 9, 12 } }, { { 17, 20 }, { 21, 24 } } })
  eq(t[{ {}, 1 }]:size(), { 2, 4 })
  eq(t[{}]:size(), { 2, 3, 4 })
  eq(t[{ {}, {}, { 2, 1 } }]:size(), { 2, 3, 0 })
  eq(tensor(5)[{}], 5.0)
end

function TestIndex.test_parts_are_views()
  local t = tensor(cases.counted { 3, 4 })
  t[2][3] = 70
  t[{ {}, { 1, 4, 3 } }][{ 3, 2 }] = 120
  eq(t[{ 2, 3 }], 70.0)
  eq(t[{ 3, 4 }], 120.0)
end

function TestIndex.test_views_keep_the_memory_alive()
  local row
  do
    local t = tensor.full({ 1000, 10 }, 3)
    row = t[{ { 5, 900 } }][{ {}, 2 }][{ { 10, 20 } }]
  end
  collectgarbage()
  local other = tensor.full({ 1000, 10 }, 4)
  eq(row:totable(), { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3 })
  eq(other[{ 1, 1 }], 4.0)
end

function TestIndex.test_pairs_goes_over_the_first_dimension()
  local seen = {}
  for i, x in pairs(tensor { 5, 6, 7 }) do seen[i] = x end
  eq(seen, { 5, 6, 7 })
  seen = {}
  for i, row in pairs(tensor { { 1, 2 }, { 3, 4 } }) do seen[i] = row:totable() end
  eq(seen, { { 1, 2 }, { 3, 4 } })
  for _ in pairs(tensor {}) do lu.fail("nothing to go over") end
  support.raises("a 0-d tensor has no parts", pairs, tensor(1))
end

-- ipairs asks for the element after the last one; nobody else may.
function TestIndex.test_ipairs_goes_over_the_first_dimension()
  local seen = {}
  for i, v in ipairs(tensor { 5, 6, 7 }) do seen[i] = v end
  for _, row in ipairs(tensor { { 1, 2 }, { 3, 4 } }) do seen[#seen + 1] = row:sum() end
  for _ in ipairs(tensor.zeros(0)) do seen = nil end
  lu.assertEquals(seen, { 5.0, 6.0, 7.0, 3.0, 7.0 })
  support.raises("dimension 1: index 2 is out of range 1..1", function()
    for i = 1, 2 do seen[i] = tensor { 1 }[i] end
  end)
end

function TestIndex.test_out_of_range()
  local t = tensor.zeros(2, 3)
  support.raises("dimension 1: index 3 is out of range 1..2", read, t, 3)
  support.raises("dimension 1: index 0 is out of range 1..2", read, t, 0)
  support.raises("dimension 1: index -3 is out of range 1..2", read, t, -3)
  support.raises("dimension 2: index 4 is out of range 1..3", read, t, { 1, 4 })
  support.raises("dimension 2: index 4 is out of range 1..3", read, t, { {}, 4 })
  support.raises("dimension 1: index " .. math.mininteger, read, t, math.mininteger)
  support.raises("there are no elements", read, tensor.zeros(0), 1)
  support.raises("3 indices for a tensor (2,3) with 2 dimensions", read, t, { 1, 1, 1 })
  support.raises("dimension 2: range {0,2} does not lie within 1..3", read, t, { {}, { 0, 2 } })
  support.raises("range {1,4} does not lie within 1..3", read, t, { {}, { 1, 4 } })
  support.raises("range {3,1} does not lie within", read, t, { {}, { 3, 1 } })
  support.raises("a step of at least 1", read, t, { {}, { 1, 3, 0 } })
  support.raises("a step of at least 1", read, t, { {}, { 1, 3, -1 } })
  support.raises("a step of at least 1", read, t, { { 1, 2, 1, 1 } })
  support.raises("field 2 is a nil", read, t, { { 1 } })
  support.raises("field 1 is a string", read, t, { { "a", 2 } })
  support.raises("a 0-d tensor has no index", read, tensor(1), 1)
end

function TestIndex.test_keys_of_wrong_types()
  local t = tensor.zeros(2, 3)
  support.raises("indexed by an integer or by a list {i, {first, last}, {}}, got 1.5",
    read, t, 1.5)
  support.raises("got boolean", read, t, true)
  support.raises("a tensor cannot be an index; use index_select", read, t, t)
  support.raises("dimension 2: an integer or a range expected, got boolean", read, t, { 1, true })
  support.raises("dimension 1: an integer or a range expected, got 1.5", read, t, { 1.5 })
end

function TestIndex.test_unknown_methods()
  local t = tensor.zeros(2)
  support.raises("a tensor has no method 'viwe'. Did you mean 'view'?", read, t, "viwe")
  support.raises("a tensor has no method 'qqqqqqqq'", function() t:qqqqqqqq() end)
  support.raises("a tensor has no field 'x' that could be set", write, t, "x", 1)
end

function TestIndex.test_errors_point_at_the_script()
  local text = support.raises("index 5", function() return tensor.zeros(2)[5] end)
  lu.assertStrContains(text, "test_tensor_index.lua:")
end

TestAssign = {}

function TestAssign.test_elements_in_every_dtype()
  for _, dtype in ipairs(cases.dtypes) do
    local t = tensor.zeros(2, 2, { dtype = dtype })
    t[1][2] = 3
    t[{ 2, 1 }] = 4.0
    t[{ -1, -1 }] = 5
    eq(t:totable(), { { 0, 3 }, { 4, 5 } })
  end
end

function TestAssign.test_numbers_fill_parts()
  local t = tensor.zeros(3, 4)
  t[2] = 1
  t[{ {}, { 1, 4, 3 } }] = 2
  eq(t:totable(), { { 2, 0, 0, 2 }, { 2, 1, 1, 2 }, { 2, 0, 0, 2 } })
  t[{}] = 7
  eq(t:totable(), { { 7, 7, 7, 7 }, { 7, 7, 7, 7 }, { 7, 7, 7, 7 } })
  t[{ { 2, 1 } }] = 9
  eq(t[1]:totable(), { 7, 7, 7, 7 })
  local s = tensor(1)
  s[{}] = 4
  eq(s:item(), 4.0)
end

function TestAssign.test_tensors_broadcast_and_convert()
  local t = tensor.zeros(2, 3)
  t[1] = tensor { 1, 2, 3 }
  t[{ {}, { 2, 3 } }] = tensor({ { 8 }, { 9 } }, { dtype = "int32" })
  eq(t:totable(), { { 1, 8, 8 }, { 0, 9, 9 } })
  t[{}] = tensor({ 4, 5, 6 }, { dtype = "float64" })
  eq(t:totable(), { { 4, 5, 6 }, { 4, 5, 6 } })
  t[1] = tensor(2)
  eq(t[1]:totable(), { 2, 2, 2 })
  t[{ 1, 2 }] = tensor(5)
  eq(t[{ 1, 2 }], 5.0)
end

function TestAssign.test_overlapping_source()
  local t = tensor.arange(6)
  t[{ { 2, 6 } }] = t[{ { 1, 5 } }]
  eq(t:totable(), { 1, 1, 2, 3, 4, 5 })
  t = tensor.arange(6)
  t[{ { 1, 5, 2 } }] = t[{ { 2, 4 } }]
  eq(t:totable(), { 2, 2, 3, 4, 4, 6 })
  t = tensor(cases.counted { 3, 3 })
  t[{}] = t:t()
  eq(t:totable(), { { 1, 4, 7 }, { 2, 5, 8 }, { 3, 6, 9 } })
  t = tensor(cases.counted { 2, 2 })
  t[{}] = t[2]
  eq(t:totable(), { { 3, 4 }, { 3, 4 } })
end

function TestAssign.test_errors_leave_the_tensor_alone()
  local t = tensor.ones(2, 3)
  local i = tensor.ones(2, { dtype = "int32" })
  support.raises("assignment: (2) does not broadcast to (3)", write, t, 1, tensor { 1, 2 })
  support.raises("assignment: (1,3) does not broadcast to (3)", write, t, 1, tensor { { 1, 2, 3 } })
  support.raises("a number or a tensor expected, got table", write, t, 1, { 1, 2, 3 })
  support.raises("a number or a tensor expected, got nil", write, t, 1, nil)
  support.raises("a number or a tensor expected, got string", write, t, 1, "1")
  support.raises("out of range 1..2", write, t, 3, 1)
  support.raises("assignment: 1.5 is not a whole number, int32 holds no other", write, i, 1, 1.5)
  support.raises("assignment: 2.5 is not a whole number", write, i, {}, tensor { 1, 2.5 })
  support.raises("inf is out of range for int32", write, i, {}, tensor { 1, 1 / 0 })
  support.raises("expanded tensor", write, tensor.zeros(1):expand(3), 1, 1)
  eq(t:totable(), { { 1, 1, 1 }, { 1, 1, 1 } })
  eq(i:totable(), { 1, 1 })
end

function TestAssign.test_writes_count_in_the_version_of_all_views()
  local t = tensor.zeros(2, 3)
  local row = t:t()[2]
  local before = tensor.version(t)
  row[1] = 5
  eq(tensor.version(t), before + 1)
  eq(tensor.version(row), before + 1)
  row:fill_(1)
  t:zero_()
  lu.assertEquals(tensor.version(row), before + 3)
  t:clone():fill_(t[{ 1, 1 }])
  eq(tensor.version(t), before + 3)
end

TestAllocation = {}

-- The growth of Lua's memory over many calls, in bytes.
local function growth(f)
  f()
  collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  for _ = 1, 100 do f() end
  local after = collectgarbage("count")
  collectgarbage("restart")
  return (after - before) * 1024
end

function TestAllocation.test_elements_and_copies_allocate_nothing()
  local t, other = tensor.zeros(8), tensor.ones(8, { dtype = "float64" })
  local m, mt, key = tensor.zeros(4, 4), tensor.ones(4, 4):t(), { 2, 3 }
  eq(growth(function() t[3] = t[2] end), 0)
  eq(growth(function() m[key] = m[key] end), 0)
  eq(growth(function() t:copy_(other) end), 0)
  eq(growth(function() m:copy_(mt) end), 0)
  eq(growth(function() m:fill_(2) end), 0)
  eq(growth(function() t:normal_() end), 0)
end

function TestIndex.test_steps_beyond_the_range_take_its_first_element()
  local t = tensor.arange(5)
  for _, step in ipairs { 5, 1 << 31, math.maxinteger - 1, math.maxinteger } do
    eq(t[{ { 2, 5, step } }]:totable(), { 2 })
    eq(t[{ { 2, 3, step } }]:totable(), { 2 })
    eq(t[{ { 2, 1, step } }]:totable(), {})
  end
end
