-- Picking by index and joining, against plain Lua loops.

local lu = require "luaunit"
local support = require "support"
local cases = require "tensor_cases"
local tensor = require "unroll.tensor"

local eq = lu.assertEquals

local function int32(list) return tensor(list, { dtype = "int32" }) end

-- An index tensor in every layout: contiguous, strided, reversed by a transposed view.
local function index_layouts(list)
  local wide = {}
  for i, k in ipairs(list) do wide[i] = { k, 99 } end
  return { int32(list), int32(wide)[{ {}, 1 }], int32 { list }:t()[{ {}, 1 }] }
end

TestIndexSelect = {}

function TestIndexSelect.test_every_layout_and_dtype()
  cases.each_matrix(function(case, dtype, label)
    local expected = case.expected
    if #expected ~= 3 then return end
    for _, index in ipairs(index_layouts { 3, 1, 3, 2 }) do
      local rows = case.t:index_select(1, index)
      eq(rows:totable(), { expected[3], expected[1], expected[3], expected[2] }, label)
      eq(rows:dtype(), dtype)
      local columns = case.t:index_select(2, index)
      for i, row in ipairs(expected) do
        eq(columns[i]:totable(), { row[3], row[1], row[3], row[2] }, label)
      end
    end
  end)
end

function TestIndexSelect.test_three_dimensions_and_one()
  local t = tensor(cases.counted { 2, 3, 4 })
  local picked = t:index_select(2, int32 { 3, 3 })
  for i = 1, 2 do
    for j = 1, 2 do eq(picked[i][j]:totable(), t[i][3]:totable()) end
  end
  eq(t:index_select(-1, int32 { 4 })[{ 2, 3, 1 }], 24.0)
  eq(tensor { 5, 6, 7 }:index_select(1, int32 { 3, 1 }):totable(), { 7, 5 })
  eq(t:index_select(1, int32 {}):size(), { 0, 3, 4 })
end

function TestIndexSelect.test_out()
  local t, out = tensor { { 1, 2 }, { 3, 4 } }, tensor.zeros(3, 2)
  lu.assertTrue(rawequal(t:index_select(1, int32 { 2, 1, 2 }, out), out))
  eq(out:totable(), { { 3, 4 }, { 1, 2 }, { 3, 4 } })
  local wide = tensor.zeros(3, 4)
  t:index_select(1, int32 { 2, 1, 2 }, wide[{ {}, { 1, 4, 3 } }])
  eq(wide:totable(), { { 3, 0, 0, 4 }, { 1, 0, 0, 2 }, { 3, 0, 0, 4 } })
  support.raises("out is float32 (3,2), must be float32 (1,2)",
    t.index_select, t, 1, int32 { 1 }, out)
  support.raises("out must not overlap the tensor", t.index_select, t, 1, int32 { 2, 1 }, t)
end

function TestIndexSelect.test_refuses()
  local t, out = tensor { { 1, 2 }, { 3, 4 } }, tensor.zeros(2, 2)
  support.raises("index_select: index 3 (element 2 of the indices) is out of range 1..2",
    t.index_select, t, 1, int32 { 1, 3 }, out)
  support.raises("index 0 (element 1 of", t.index_select, t, 2, int32 { 0, 1 }, out)
  support.raises("index -1 (element 1 of", t.index_select, t, 2, int32 { -1, 1 }, out)
  support.raises("int32 tensor expected, got float32 (2)", t.index_select, t, 1, tensor { 1, 2 })
  support.raises("1-d int32 tensor expected, got (1,2)", t.index_select, t, 1, int32 { { 1, 2 } })
  support.raises("dimension 3 is out of range 1..2", t.index_select, t, 3, int32 { 1 })
  eq(out:totable(), { { 0, 0 }, { 0, 0 } })
end

function TestIndexSelect.test_index_add_is_its_derivative()
  for _, dtype in ipairs(cases.real_dtypes) do
    local t = tensor.zeros(3, 2, { dtype = dtype })
    t:index_add_(1, int32 { 2, 2, 3 }, tensor({ { 1, 2 }, { 3, 4 }, { 5, 6 } }, { dtype = dtype }))
    eq(t:totable(), { { 0, 0 }, { 4, 6 }, { 5, 6 } })
    t:t():index_add_(2, int32 { 1 }, tensor({ { 7 }, { 8 } }, { dtype = dtype }))
    eq(t[1]:totable(), { 7, 8 })
  end
  local t = tensor.zeros(3, 2)
  support.raises("index_add_: src is float32 (2,2), must be float32 (1,2)",
    t.index_add_, t, 1, int32 { 1 }, tensor.zeros(2, 2))
  support.raises("index 4 (element 1 of the indices) is out of range 1..3",
    t.index_add_, t, 1, int32 { 4 }, tensor.ones(1, 2))
  support.raises("must not overlap", t.index_add_, t, 1, int32 { 1, 2, 3 }, t)
  support.raises("float32 or float64 tensor expected",
    t.index_add_, int32 { 1 }, 1, int32 { 1 }, int32 { 1 })
  eq(t:totable(), { { 0, 0 }, { 0, 0 }, { 0, 0 } })
end

TestGather = {}

function TestGather.test_against_loops()
  cases.each_matrix(function(case, dtype, label)
    local expected = case.expected
    if #expected ~= 3 then return end
    for _, index in ipairs { int32 { { 3, 1 }, { 4, 4 }, { 2, 1 } },
      int32 { { 3, 4, 2 }, { 1, 4, 1 } }:t(), int32 { { 2, 3, 1, 2, 4 } } } do
      local picked = case.t:gather(2, index)
      eq(picked:size(), index:size())
      eq(picked:dtype(), dtype)
      for i, row in ipairs(index:totable()) do
        for j, k in ipairs(row) do eq(picked[{ i, j }], expected[i][k], label) end
      end
    end
    local index = int32 { { 3, 1, 2, 1 }, { 1, 1, 1, 3 } }
    for i, row in ipairs(index:totable()) do
      for j, k in ipairs(row) do eq(case.t:gather(1, index)[{ i, j }], expected[k][j], label) end
    end
  end)
end

function TestGather.test_refuses()
  local t = tensor.zeros(2, 3)
  support.raises("gather: the index (1,4) does not fit in (2,3): only dimension 1 may be larger",
    t.gather, t, 1, int32 { { 1, 1, 1, 1 } })
  support.raises("gather: the index (2) does not fit in (2,3)", t.gather, t, 1, int32 { 1, 1 })
  support.raises("gather: index 4 (element 2 of the indices) is out of range 1..3",
    t.gather, t, 2, int32 { { 1, 4 } })
  support.raises("out is float32 (2,3), must be float32 (1,1)", t.gather, t, 2, int32 { { 1 } }, t)
end

function TestGather.test_scatter_add_is_its_derivative()
  local t = tensor.zeros(2, 3)
  t:scatter_add_(2, int32 { { 3, 3 }, { 1, 2 } }, tensor { { 1, 2 }, { 3, 4 } })
  eq(t:totable(), { { 0, 0, 3 }, { 3, 4, 0 } })
  support.raises("scatter_add_: src is float32 (2,3), must be float32 (1,1)",
    t.scatter_add_, t, 2, int32 { { 1 } }, tensor.zeros(2, 3))
  support.raises("is out of range 1..3", t.scatter_add_, t, 2, int32 { { 4 } }, tensor { { 1 } })
end

TestJoin = {}

function TestJoin.test_cat_every_layout()
  cases.each_matrix(function(case, dtype, label)
    local t, expected = case.t, case.expected
    local rows = table.move(expected, 1, #expected, #expected + 1, { table.unpack(expected) })
    eq(tensor.cat({ t, t }):totable(), rows, label)
    eq(tensor.cat({ t, t }, 2):dtype(), dtype)
    local wide = tensor.cat({ t, t, t }, -1)
    eq(wide:size(), { t:size(1), 3 * t:size(2) })
    for i, row in ipairs(expected) do
      eq(wide[i]:narrow(1, 2 * #row + 1, #row):totable(), row, label)
    end
  end)
end

function TestJoin.test_cat_different_sizes()
  local joined = tensor.cat(
    { tensor { { 1 }, { 2 } }, tensor.zeros(2, 0), tensor { { 3, 4 }, { 5, 6 } } }, 2)
  eq(joined:totable(), { { 1, 3, 4 }, { 2, 5, 6 } })
  eq(tensor.cat({ tensor { 1 }, tensor { 2, 3 } }):totable(), { 1, 2, 3 })
end

function TestJoin.test_stack_every_dimension()
  local a, b = tensor(cases.counted { 2, 3 }), tensor(cases.counted { 2, 3 }) * 10
  eq(tensor.stack({ a, b }):totable(), { a:totable(), b:totable() })
  local middle, last = tensor.stack({ a, b }, 2), tensor.stack({ a, b }, -1)
  eq(middle:size(), { 2, 2, 3 })
  eq(last:size(), { 2, 3, 2 })
  for i = 1, 2 do
    for j = 1, 3 do
      eq(middle[{ i, 2, j }], b[{ i, j }])
      eq(last[{ i, j, 1 }], a[{ i, j }])
    end
  end
  eq(tensor.stack { tensor(1), tensor(2) }:totable(), { 1, 2 })
end

function TestJoin.test_out()
  local a, out = tensor { 1, 2 }, tensor.zeros(4)
  lu.assertTrue(rawequal(tensor.cat({ a, a }, 1, out), out))
  eq(out:totable(), { 1, 2, 1, 2 })
  eq(tensor.stack({ a, a }, 1, out:view(2, 2)):totable(), { { 1, 2 }, { 1, 2 } })
  support.raises("cat: out must not overlap the tensors of the list",
    tensor.cat, { out:narrow(1, 1, 2), a }, 1, out)
  support.raises("out is float32 (4), must be float32 (2)", tensor.cat, { a }, 1, out)
  support.raises("cannot write to an expanded tensor", tensor.cat, { a, a }, 1, tensor(1):expand(4))
end

function TestJoin.test_refuses()
  local a = tensor.zeros(2, 3)
  support.raises("cat: tensor 2 is float32 (3,2), it does not fit to the first, float32 (2,3)",
    tensor.cat, { a, a:t() })
  support.raises("tensor 2 is float64 (2,3)", tensor.cat, { a, a:to("float64") })
  support.raises("tensor 2 is float32 (2)", tensor.cat, { a, tensor.zeros(2) })
  support.raises("stack: tensor 3 is float32 (2,1)", tensor.stack, { a, a, tensor.zeros(2, 1) })
  support.raises("cat: the list of tensors is empty", tensor.cat, {})
  support.raises("stack: element 1 of the list is a number", tensor.stack, { 1 })
  support.raises("table expected, got unroll.Tensor", tensor.cat, a, a)
  support.raises("0-d tensors have no dimension; use stack", tensor.cat, { tensor(1) })
  support.raises("dimension 4 is out of range 1..3", tensor.stack, { a }, 4)
  support.raises("6 dimensions already", tensor.stack, { tensor.zeros(1, 1, 1, 1, 1, 1) })
end

function TestJoin.test_sizes_that_overflow()
  local large = tensor.zeros(1, { dtype = "uint8" }):expand(1 << 62)
  support.raises("more elements than memory can hold", tensor.cat, { large, large, large, large })
end
