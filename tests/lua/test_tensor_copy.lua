-- Copies: to other dtypes and strides, over themselves, of one value.

local lu = require "luaunit"
local support = require "support"
local cases = require "tensor_cases"
local tensor = require "unroll.tensor"

local eq = lu.assertEquals

TestCopy = {}

function TestCopy.test_clone_in_every_layout()
  cases.each_matrix(function(case, dtype, label)
    local c = case.t:clone()
    eq(c:totable(), case.expected, label)
    eq(c:dtype(), dtype)
    lu.assertTrue(c:is_contiguous())
    if c:numel() > 0 then
      c[{ 1, 1 }] = 99
      eq(case.t:totable(), case.expected, label)
    end
  end)
  eq(tensor(4):clone():item(), 4.0)
end

function TestCopy.test_to_every_dtype_from_every_layout()
  cases.each_matrix(function(case, dtype, label)
    for _, target in ipairs(cases.dtypes) do
      local c = case.t:to(target)
      eq(c:dtype(), target)
      eq(c:totable(), case.expected, label .. " to " .. target)
      eq(rawequal(c, case.t), target == dtype)
    end
  end)
end

-- Larger than the tiles in which crossed memory is moved.
function TestCopy.test_transposed_of_every_dtype_and_many_sizes()
  for _, dtype in ipairs(cases.dtypes) do
    for _, sizes in ipairs { { 65, 130 }, { 8, 8 }, { 64, 7 }, { 9, 200 }, { 128, 64 } } do
      local rows, columns = table.unpack(sizes)
      local t = tensor.zeros(rows, columns, { dtype = dtype })
      local i = tensor.arange(0, rows * columns - 1):reshape(rows, columns)
      t:copy_(i - tensor.where(i:ge(250), 250, 0) * (i / 250):floor())
      local turned, label = t:t():clone(), dtype .. " " .. tostring(t:size())
      for _, at in ipairs { { 1, 1 }, { rows, columns }, { rows, 1 }, { 1, columns },
          { rows // 2, columns // 2 }, { 8, 7 }, { 7, 2 } } do
        eq(turned[{ at[2], at[1] }], t[at], label)
      end
      lu.assertTrue(tensor.equal(turned:t(), t), label)
    end
  end
end

function TestCopy.test_permuted_with_dimensions_outside_the_tiles()
  local t = tensor.randn(3, 40, 5, 33)
  for _, order in ipairs { { 1, 4, 3, 2 }, { 4, 3, 2, 1 }, { 2, 1, 4, 3 }, { 4, 1, 2, 3 } } do
    local turned = t:permute(table.unpack(order)):clone()
    for n = 1, 50 do
      local at = { n % 3 + 1, n * 7 % 40 + 1, n % 5 + 1, n * 5 % 33 + 1 }
      local to = {}
      for k, d in ipairs(order) do to[k] = at[d] end
      eq(turned[to], t[at])
    end
  end
end

function TestCopy.test_arithmetic_with_a_transposed_operand()
  local a, b = tensor.randn(70, 90), tensor.randn(90, 70, { dtype = "float64" })
  lu.assertTrue(tensor.equal(a + b:t(), a + b:t():clone()))
  lu.assertTrue(tensor.equal(a:t() * a:t(), (a * a):t()))
  lu.assertTrue(tensor.equal(tensor.where(b:t():gt(0), a, b:t()),
    tensor.where(b:t():clone():gt(0), a, b:t():clone())))
  local c, square = a:clone(), tensor.randn(70, 70)
  c:narrow(2, 1, 70):add_(square:t())
  lu.assertTrue(tensor.equal(c:narrow(2, 1, 70), a:narrow(2, 1, 70) + square:t():clone()))
end

function TestCopy.test_copy_into_every_layout()
  cases.each_matrix(function(source, _, label)
    for _, dtype in ipairs(cases.dtypes) do
      for _, case in ipairs(cases.matrices(dtype)) do
        local t = case.t
        local same_size = t:size(1) == source.t:size(1) and t:size(2) == source.t:size(2)
        if case.name ~= "broadcast" and same_size then
          eq(t:copy_(source.t):totable(), source.expected, label .. " to " .. case.name)
        end
      end
    end
  end)
end

function TestCopy.test_large_transposed_copies()
  -- Larger than the tiles that such copies are made in, and no multiple of them.
  for _, size in ipairs { { 1, 70 }, { 33, 65 }, { 100, 31 } } do
    local rows, columns = size[1], size[2]
    local t = tensor.arange(rows * columns):view(rows, columns)
    local c = t:t():clone()
    for i = 1, rows, 7 do
      for j = 1, columns do eq(c[{ j, i }], (i - 1) * columns + j + 0.0) end
    end
    local batch = tensor.stack({ t, t }, 1):transpose(2, 3):to("float64")
    eq(batch[{ 2, columns, rows }], rows * columns + 0.0)
    eq(batch[1]:totable(), c:totable())
  end
end

function TestCopy.test_to_integers_cuts_the_fraction()
  eq(tensor { 2.7, -2.7, 0.5, -0.5 }:to("int32"):totable(), { 2, -2, 0, 0 })
  eq(tensor { 255.9, -0.9 }:to("uint8"):totable(), { 255, 0 })
  support.raises("to: nan is out of range for int32 (-2147483648 to 2147483647)",
    tensor.zeros(1).to, tensor { 1, 0 / 0 }, "int32")
  support.raises("to: 3000000000 is out of range for int32",
    tensor.zeros(1).to, tensor { 3e9 }, "int32")
  support.raises("to: -1 is out of range for uint8",
    tensor.zeros(1).to, tensor({ -1 }, { dtype = "int32" }), "uint8")
  support.raises("dtype is 'half', must be one of float32, float64, int32, uint8, uint16",
    tensor.zeros(1).to, tensor { 1 }, "half")
end

-- The ends of what an integer holds, at the end of a long tensor.
function TestCopy.test_to_integers_near_their_ends()
  local ends = { int32 = { -2 ^ 31, 2 ^ 31 - 1 }, uint8 = { 0, 255 }, uint16 = { 0, 65535 } }
  for dtype, limit in pairs(ends) do
    for _, real in ipairs { "float32", "float64" } do
      local x = tensor.ones(1000, { dtype = real })
      local largest = real == "float32" and dtype == "int32" and 2 ^ 31 - 128 or limit[2]
      for _, value in ipairs { limit[1], largest } do
        x[1000] = value
        lu.assertEquals(x:to(dtype)[1000], value)
        lu.assertEquals(tensor.zeros(1000, { dtype = dtype }):copy_(x)[1000], value)
      end
      local above = real == "float32" and dtype == "int32" and 2 ^ 31 or limit[2] + 1
      local below = real == "float32" and dtype == "int32" and -2 ^ 31 - 256 or limit[1] - 1
      for _, value in ipairs { above, below, 0 / 0, math.huge } do
        x[1000] = value
        support.raises("is out of range for " .. dtype, x.to, x, dtype)
      end
      x[1000] = 1.5
      lu.assertEquals(x:to(dtype)[1000], 1)
      support.raises("1.5 is not a whole number", tensor.zeros(1000, { dtype = dtype }).copy_,
        tensor.zeros(1000, { dtype = dtype }), x)
    end
  end
end

-- So many that they are looked at in pieces, and that the result goes past the caches.
function TestCopy.test_to_integers_of_many_numbers()
  for _, dtype in ipairs { "float32", "float64" } do
    local n <const> = 2500001
    local x = tensor.arange(1, n, 1, { dtype = dtype }) - 0.25
    local whole = x:to("int32")
    eq(whole:to("float64"):sub(tensor.arange(0, n - 1, 1, { dtype = "float64" })):norm(), 0.0)
    x[n], x[2000003], x[2200000] = 0 / 0, 3e9, -4e9
    support.raises("to: 3000000000 is out of range for int32", x.to, x, "int32")
    support.raises("to: nan is out of range for int32", x.to, x[{ { 2200001, n } }], "int32")
  end
end

function TestCopy.test_to_float32_rounds()
  local x = 1 + 2 ^ -30
  eq(tensor({ x }, { dtype = "float64" }):to("float32")[1], 1.0)
  eq(tensor({ 1e300 }, { dtype = "float64" }):to("float32")[1], math.huge)
  local nan = tensor({ 0 / 0 }, { dtype = "float64" }):to("float32")[1]
  lu.assertTrue(nan ~= nan)
end

function TestCopy.test_copy_broadcasts()
  eq(tensor.zeros(2, 3):copy_(tensor { 1, 2, 3 }):totable(), { { 1, 2, 3 }, { 1, 2, 3 } })
  eq(tensor.zeros(2, 2):copy_(tensor { { 4 }, { 5 } }):totable(), { { 4, 4 }, { 5, 5 } })
  eq(tensor.zeros(2):copy_(tensor(6)):totable(), { 6, 6 })
  eq(tensor.zeros(0, 2):copy_(tensor.zeros(1, 2)):size(), { 0, 2 })
end

function TestCopy.test_copy_returns_self_and_refuses()
  local t = tensor.ones(2, 3)
  lu.assertTrue(rawequal(t, t:copy_(tensor { 1, 2, 3 })))
  support.raises("copy_: (2) does not broadcast to (2,3)", t.copy_, t, tensor { 1, 2 })
  support.raises("copy_: (1,2,3) does not broadcast to (2,3)", t.copy_, t, tensor.zeros(1, 2, 3))
  support.raises("unroll.Tensor expected, got number", t.copy_, t, 1)
  local i = tensor.ones(2, { dtype = "int32" })
  support.raises("copy_: 0.5 is not a whole number", i.copy_, i, tensor { 3, 0.5 })
  eq(i:totable(), { 1, 1 })
end

-- copy_ between views of one tensor must read everything before it writes.
function TestCopy.test_overlapping_views()
  local g = tensor.generator(3)
  for _ = 1, 200 do
    local t = tensor.arange(36):view(6, 6)
    local function part()
      local rows, columns = g:integer(3), g:integer(3)
      local view = t[{ { rows, rows + 3 }, { columns, columns + 3 } }]
      if g:integer(2) == 1 then view = view:t() end
      if g:integer(3) == 1 then view = t[{ { rows % 2 + 1, 6, 2 }, { 1, 3 } }] end
      return view
    end
    local to, from = part(), part()
    if to:numel() == from:numel() then
      local expected = from:totable()
      eq(to:copy_(from):totable(), expected)
    end
  end
end

function TestCopy.test_overlapping_contiguous_moves()
  local t = tensor.arange(10)
  t:narrow(1, 4, 7):copy_(t:narrow(1, 1, 7))
  eq(t:totable(), { 1, 2, 3, 1, 2, 3, 4, 5, 6, 7 })
  t = tensor.arange(10)
  t:narrow(1, 1, 7):copy_(t:narrow(1, 4, 7))
  eq(t:totable(), { 4, 5, 6, 7, 8, 9, 10, 8, 9, 10 })
end

TestFill = {}

function TestFill.test_fill_and_zero_in_every_layout()
  cases.each_matrix(function(case, _, label)
    if case.name == "broadcast" then return end
    local expected = {}
    for i, row in ipairs(case.expected) do
      expected[i] = {}
      for j = 1, #row do expected[i][j] = 3 end
    end
    lu.assertTrue(rawequal(case.t:fill_(3), case.t))
    eq(case.t:totable(), expected, label)
    eq(#cases.flatten(case.t:zero_():totable()), case.t:numel())
    for _, x in ipairs(cases.flatten(case.t:totable())) do eq(x, 0) end
  end)
end

function TestFill.test_fill_touches_nothing_else()
  local t = tensor.zeros(4, 6)
  t[{ { 2, 3 }, { 1, 6, 2 } }]:fill_(1)
  eq(t:totable(), { { 0, 0, 0, 0, 0, 0 }, { 1, 0, 1, 0, 1, 0 }, { 1, 0, 1, 0, 1, 0 },
    { 0, 0, 0, 0, 0, 0 } })
end

function TestFill.test_refuses()
  local i = tensor.zeros(2, { dtype = "uint16" })
  support.raises("fill_: 0.5 is not a whole number, uint16", i.fill_, i, 0.5)
  support.raises("fill_: 65536 is out of range for uint16 (0 to 65535)", i.fill_, i, 65536)
  support.raises("number expected, got nil", i.fill_, i, nil)
  eq(i:totable(), { 0, 0 })
end
