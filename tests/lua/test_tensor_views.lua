-- Views: parts, orders and shapes of the same numbers, against plain Lua loops.

local lu = require "luaunit"
local support = require "support"
local cases = require "tensor_cases"
local tensor = require "unroll.tensor"

local eq = lu.assertEquals

local function transposed(list)
  local result = {}
  for j = 1, #(list[1] or {}) do
    result[j] = {}
    for i = 1, #list do result[j][i] = list[i][j] end
  end
  return result
end

TestViews = {}

function TestViews.test_transpose_and_t()
  cases.each_matrix(function(case, dtype, label)
    local t = case.t
    if t:numel() > 0 then
      eq(t:t():totable(), transposed(case.expected), label)
      eq(t:transpose(1, 2):totable(), transposed(case.expected), label)
    end
    eq(t:t():size(), { t:size(2), t:size(1) }, label)
    eq(t:transpose(-1, -1):totable(), case.expected, label)
    eq(t:t():dtype(), dtype)
  end)
  eq(tensor { 1, 2 }:t():totable(), { 1, 2 })
  eq(tensor(3):t():item(), 3.0)
  support.raises("t: a matrix expected, got (1,1,1)", function() tensor.zeros(1, 1, 1):t() end)
  support.raises("bad argument #2 to 'unroll.tensor.transpose' "
    .. "(a dimension of (2,2) expected, got no value)", tensor.transpose, tensor.zeros(2, 2))
  support.raises("#1 to 'transpose' (a dimension of (2,2) expected, got no value)", function()
    tensor.zeros(2, 2):transpose()
  end)
  support.raises("#2 to 'transpose' (a dimension of (2,2) expected, got no value)", function()
    tensor.zeros(2, 2):transpose(1)
  end)
  support.raises("dimension 3 is out of range 1..2", tensor.transpose, tensor.zeros(2, 2), 1, 3)
end

function TestViews.test_select_and_narrow()
  cases.each_matrix(function(case, _, label)
    local t, expected = case.t, case.expected
    for i = 1, #expected do
      eq(t:select(1, i):totable(), expected[i], label)
      eq(t:narrow(1, i, 1):totable(), { expected[i] }, label)
      eq(t:narrow(1, i, #expected - i + 1):totable(),
        table.move(expected, i, #expected, 1, {}), label)
    end
    for j = 1, #(expected[1] or {}) do
      eq(t:select(2, j - 1 - #expected[1]):totable(), transposed(expected)[j], label)
    end
    eq(t:narrow(1, t:size(1) + 1, 0):size(), { 0, t:size(2) }, label)
  end)
end

function TestViews.test_select_and_narrow_refuse()
  local t = tensor.zeros(2, 3)
  support.raises("index 4 is out of range 1..3", tensor.select, t, 2, 4)
  support.raises("dimension 3 is out of range 1..2", tensor.select, t, 3, 1)
  support.raises("length 3 from 2 on, the size is 3", tensor.narrow, t, 2, 2, 3)
  support.raises("length -1 from 2 on", tensor.narrow, t, 2, 2, -1)
  support.raises("first 4 is out of range 1..3", tensor.narrow, t, 2, 4, 1)
  support.raises("length " .. math.maxinteger, tensor.narrow, t, 2, 2, math.maxinteger)
  support.raises("number expected, got no value", tensor.narrow, t, 2, 2)
end

function TestViews.test_permute()
  local t = tensor(cases.counted { 2, 3, 4 })
  for _, order in ipairs { { 1, 2, 3 }, { 3, 1, 2 }, { 2, 3, 1 }, { 3, 2, 1 }, { -1, 1, 2 } } do
    local p = t:permute(order)
    for i = 1, p:size(1) do
      for j = 1, p:size(2) do
        for k = 1, p:size(3) do
          local index, at = {}, { i, j, k }
          for d = 1, 3 do index[order[d] < 0 and order[d] + 4 or order[d]] = at[d] end
          eq(p[at], t[index])
        end
      end
    end
  end
  eq(t:permute(2, 1, 3):size(), { 3, 2, 4 })
  eq(tensor(1):permute():dim(), 0)
  support.raises("permute: 2 dimensions given, the tensor (2,3,4) has 3", t.permute, t, 1, 2)
  support.raises("named twice", t.permute, t, 1, 2, 2)
  support.raises("dimension 4 is out of range 1..3", t.permute, t, 1, 2, 4)
end

function TestViews.test_view_and_reshape_keep_row_major_order()
  cases.each_matrix(function(case, dtype, label)
    local flat = cases.flatten(case.expected)
    local r = case.t:reshape(#flat)
    eq(r:totable(), flat, label)
    eq(r:dtype(), dtype)
    eq(case.t:reshape(case.t:size()):totable(), case.expected, label)
    if #flat == 12 then
      eq(cases.flatten(case.t:reshape(2, -1, 3):totable()), flat, label)
      eq(case.t:reshape(2, -1, 3):size(), { 2, 2, 3 })
      eq(cases.flatten(case.t:reshape(1, 3, 1, 4, 1):totable()), flat, label)
    end
  end)
end

function TestViews.test_flatten()
  local t = tensor(cases.counted { 2, 3 })
  eq(t:flatten():totable(), { 1, 2, 3, 4, 5, 6 })
  eq(t:t():flatten():totable(), { 1, 4, 2, 5, 3, 6 })
  eq(tensor(5):flatten():totable(), { 5 })
  eq(tensor.zeros(2, 0):flatten():size(), { 0 })
end

function TestViews.test_view_shares_memory_or_refuses()
  local t = tensor(cases.counted { 2, 3, 4 })
  t:view(6, 4)[{ 6, 4 }] = 99
  eq(t[{ 2, 3, 4 }], 99.0)
  t:view(24)[1] = 98
  eq(t[{ 1, 1, 1 }], 98.0)
  eq(t[{ {}, { 1, 2 } }]:view(2, 2, 2, 2):size(), { 2, 2, 2, 2 })
  support.raises("view: the strides of (2,2,4) do not allow these sizes without a copy; "
    .. "use reshape", function() t[{ {}, { 1, 2 } }]:view(16) end)
  support.raises("do not allow", function() t:transpose(1, 2):view(24) end)
  eq(t:permute(3, 1, 2):view(4, 6):size(), { 4, 6 })
end

function TestViews.test_view_of_broadcast_and_single_dimensions()
  local t = tensor { 1, 2 }:view(2, 1):expand(2, 3)
  eq(t:view(2, 3, 1):totable(), { { { 1 }, { 1 }, { 1 } }, { { 2 }, { 2 }, { 2 } } })
  eq(t:reshape(6):totable(), { 1, 1, 1, 2, 2, 2 })
  eq(tensor(4):view(1, 1):totable(), { { 4 } })
  eq(tensor { { 4 } }:view({}):item(), 4.0)
  eq(tensor { { 1, 2, 3 } }:t():view(1, 3, 1):totable(), { { { 1 }, { 2 }, { 3 } } })
end

function TestViews.test_reshape_copies_only_when_it_must()
  local t = tensor(cases.counted { 2, 3 })
  t:reshape(3, 2)[{ 1, 1 }] = 50
  eq(t[{ 1, 1 }], 50.0)
  t:t():reshape(6)[1] = 60
  eq(t[{ 1, 1 }], 50.0)
end

function TestViews.test_sizes_that_do_not_fit()
  local t = tensor.zeros(2, 3)
  support.raises("view: (2,3) has 6 elements, they do not fit in (4)", t.view, t, 4)
  support.raises("reshape: (2,3) has 6 elements, they do not fit in (-1,4)", t.reshape, t, -1, 4)
  support.raises("view: size -1 of dimension 2 is negative", t.view, t, -1, -1)
  support.raises("view: size -2 of dimension 1 is negative", t.view, t, -2, 3)
  support.raises("do not fit in", t.view, t, 1 << 62, 8)
  support.raises("do not fit in (0,-1)", t.view, tensor.zeros(0), 0, -1)
  eq(tensor.zeros(0, 3):view(-1, 3):size(), { 0, 3 })
  eq(tensor.zeros(0, 3):view(5, 0, 2):size(), { 5, 0, 2 })
end

function TestViews.test_expand()
  local t = tensor { { 1 }, { 2 } }
  eq(t:expand(2, 3):totable(), { { 1, 1, 1 }, { 2, 2, 2 } })
  eq(t:expand(2, -1, 2):totable(), { { { 1, 1 }, { 2, 2 } }, { { 1, 1 }, { 2, 2 } } })
  eq(t:expand({ -1, 2 }):size(), { 2, 2 })
  eq(t:expand(2, 0):size(), { 2, 0 })
  eq(tensor(5):expand(3):totable(), { 5, 5, 5 })
  eq(t:expand(2, 3):stride(), { 1, 0 })
  support.raises("expand: (2,1) does not broadcast to (3,1)", t.expand, t, 3, 1)
  support.raises("expand: (2,1) does not broadcast to (2)", t.expand, t, 2)
  support.raises("expand: size -1 of dimension 1 is negative", t.expand, t, -1, 2, 1)
  support.raises("more elements than memory can hold", t.expand, t, 1 << 61, 2, 8)
end

function TestViews.test_expanded_tensors_cannot_be_written()
  local t = tensor { { 1 }, { 2 } }:expand(2, 3)
  for _, name in ipairs { "zero_", "normal_", "uniform_" } do
    support.raises("cannot write to an expanded tensor", t[name], t)
  end
  support.raises("cannot write to an expanded tensor", t.fill_, t, 1)
  support.raises("cannot write to an expanded tensor", t.copy_, t, tensor.zeros(2, 3))
  eq(t:totable(), { { 1, 1, 1 }, { 2, 2, 2 } })
  eq(t:clone():fill_(3):totable(), { { 3, 3, 3 }, { 3, 3, 3 } })
end

function TestViews.test_squeeze_and_unsqueeze()
  local t = tensor.zeros(1, 3, 1, 2)
  eq(t:squeeze():size(), { 3, 2 })
  eq(t:squeeze(1):size(), { 3, 1, 2 })
  eq(t:squeeze(2):size(), { 1, 3, 1, 2 })
  eq(t:squeeze(-2):size(), { 1, 3, 2 })
  eq(tensor.zeros(1, 1):squeeze():dim(), 0)
  eq(t:unsqueeze(1):size(), { 1, 1, 3, 1, 2 })
  eq(t:unsqueeze(-1):size(), { 1, 3, 1, 2, 1 })
  eq(t:unsqueeze(5):size(), { 1, 3, 1, 2, 1 })
  eq(tensor(7):unsqueeze(1):totable(), { 7 })
  eq(tensor { 1, 2 }:unsqueeze(2):totable(), { { 1 }, { 2 } })
  support.raises("dimension 6 is out of range 1..5", t.unsqueeze, t, 6)
  support.raises("has 6 dimensions already",
    t.unsqueeze, tensor.zeros(1, 1, 1, 1, 1, 1), 1)
end

function TestViews.test_contiguous()
  cases.each_matrix(function(case, dtype, label)
    local c = case.t:contiguous()
    lu.assertTrue(c:is_contiguous(), label)
    eq(c:totable(), case.expected, label)
    eq(c:dtype(), dtype)
    lu.assertEquals(rawequal(c, case.t), case.t:is_contiguous(), label)
  end)
end

function TestViews.test_functions_and_methods_are_the_same()
  for _, name in ipairs { "select", "narrow", "transpose", "t", "permute", "view", "reshape",
    "expand", "squeeze", "unsqueeze", "index_select", "gather" } do
    eq(tensor[name], tensor.zeros(1)[name], name)
  end
end

function TestViews.test_empty_views_keep_sizes_that_memory_could_hold()
  local empty = tensor.zeros(0)
  eq(empty:view(0, 1 << 20):size(), { 0, 1 << 20 })
  support.raises("more elements than memory can hold", empty.view, empty, 0, 1 << 62, 1 << 62)
  support.raises("more elements than memory can hold", empty.reshape, empty, 0, 1 << 62, 4)
end
