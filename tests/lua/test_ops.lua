-- Element-wise operations. Every op of the list tensor.ops, in every dtype and layout,
-- against its formula in a plain Lua loop, and its derivative against differences.

local luaunit = require "luaunit"
local layouts = require "layouts"
local support = require "support"
local tensor = require("unroll").tensor

local number, list, like = layouts.number, layouts.list, layouts.like

-- --- the naive reference -----------------------------------------------------------------

local function compile(op)
  local names = op.arity == 1 and { "x", table.unpack(op.params) } or { "a", "b" }
  return assert(load(("local %s = ... return %s"):format(table.concat(names, ", "), op.formula)))
end

-- Numbers for the parameters of an op: bounds for clamp, a slope.
local function parameters(op)
  return op.name == "clamp" and { -1.5, 2 } or op.params[1] and { 0.125 } or {}
end

local function map(t, f)
  local result = {}
  for i, x in ipairs(list(t)) do result[i] = f(x) end
  return result
end

local function each_op(arity, f)
  local count = 0
  for _, op in ipairs(tensor.ops) do
    if op.arity == arity then
      count = count + 1
      f(op, compile(op))
    end
  end
  luaunit.assertTrue(count >= 14)
end

local function label(...)
  return table.concat({ ... }, " ")
end

-- --- values ------------------------------------------------------------------------------

TestValues = {}

function TestValues.test_unary_ops_in_every_layout()
  each_op(1, function(op, reference)
    local numbers = parameters(op)
    for _, real in ipairs(layouts.reals) do
      for _, layout in ipairs(layouts.names) do
        local x = layouts.make[layout](real[1], op.low, op.high)
        local expected = map(x, function(v) return reference(v, table.unpack(numbers)) end)
        local y = tensor[op.name](x, table.unpack(numbers))
        local what = label(op.name, real[1], layout)
        luaunit.assertEquals(y:size(), x:size(), what)
        luaunit.assertEquals(y:dtype(), op.vjp and real[1] or "int32", what)
        support.near(list(y), expected, real[2], what)
        local method = x[op.name](x, table.unpack(numbers))
        luaunit.assertTrue(tensor.equal(method, y), what)
      end
    end
  end)
end

function TestValues.test_outputs_of_unary_ops()
  each_op(1, function(op)
    local numbers = parameters(op)
    for _, layout in ipairs { "contiguous", "transposed", "strided" } do
      local x = layouts.make[layout]("float32", op.low, op.high)
      local y = tensor[op.name](x, table.unpack(numbers))
      local out = layouts.make.strided("float32", 0, 1):to(y:dtype())
      local target = tensor.zeros(5, 3, { dtype = y:dtype() }):t()
      numbers[#op.params + 1] = out
      luaunit.assertTrue(rawequal(tensor[op.name](x, table.unpack(numbers)), out))
      luaunit.assertTrue(tensor.equal(out, y), op.name)
      numbers[#op.params + 1] = target
      tensor[op.name](x, table.unpack(numbers))
      luaunit.assertTrue(tensor.equal(target, y), op.name)
      numbers[#op.params + 1] = nil
      if op.vjp then -- the same view in and out, and the method that ends in _
        local changed = x:clone()
        luaunit.assertTrue(rawequal(changed[op.name .. "_"](changed, table.unpack(numbers)),
          changed))
        luaunit.assertTrue(tensor.equal(changed, y), op.name)
        numbers[#op.params + 1] = x
        tensor[op.name](x, table.unpack(numbers))
        luaunit.assertTrue(tensor.equal(x, y), op.name)
        numbers[#op.params + 1] = nil
      end
    end
  end)
end

function TestValues.test_binary_ops_in_every_pair_of_layouts()
  each_op(2, function(op, reference)
    for _, real in ipairs(layouts.reals) do
      for _, first in ipairs(layouts.names) do
        for _, second in ipairs(layouts.names) do
          local a = layouts.make[first](real[1], op.low, op.high)
          local b = layouts.make[second](real[1], op.low, op.high)
          if first == second or first == "scalar" or second == "scalar" or
            (a:dim() == 2 and b:dim() == 2 and a:size(1) == b:size(1)) then
            local from_a, from_b = list(a), list(b)
            local n = (first == "scalar") and #from_b or #from_a
            local expected = {}
            for i = 1, n do
              expected[i] = reference(from_a[#from_a == 1 and 1 or i],
                from_b[#from_b == 1 and 1 or i])
            end
            local y = tensor[op.name](a, b)
            support.near(list(y), expected, 2 * real[2],
              label(op.name, real[1], first, second))
            luaunit.assertEquals(y:dtype(), op.vjp and real[1] or "int32")
          end
        end
      end
    end
  end)
end

function TestValues.test_binary_ops_with_numbers_and_broadcasting()
  each_op(2, function(op, reference)
    for _, real in ipairs(layouts.reals) do
      local a = layouts.make.contiguous(real[1], op.low, op.high)
      local row = layouts.make.contiguous(real[1], op.low, op.high):select(1, 1)
      local column = layouts.make.transposed(real[1], op.low, op.high):narrow(2, 1, 1)
      local c = number(op.low, op.high)
      support.near(list(tensor[op.name](a, c)),
        map(a, function(x) return reference(x, c) end), 2 * real[2], op.name)
      support.near(list(tensor[op.name](c, a)),
        map(a, function(x) return reference(c, x) end), 2 * real[2], op.name)
      local table_a, table_row, table_column = a:totable(), row:totable(), column:totable()
      local by_row, by_column, grid = {}, {}, {}
      for i = 1, 3 do
        by_row[i], by_column[i], grid[i] = {}, {}, {}
        for j = 1, 5 do
          by_row[i][j] = reference(table_a[i][j], table_row[j])
          by_column[i][j] = reference(table_column[i][1], table_a[i][j])
          grid[i][j] = reference(table_column[i][1], table_row[j])
        end
      end
      support.near(tensor[op.name](a, row), by_row, 2 * real[2], op.name)
      support.near(tensor[op.name](column, a), by_column, 2 * real[2], op.name)
      support.near(tensor[op.name](column, row), grid, 2 * real[2], op.name)
    end
  end)
end

function TestValues.test_in_place_binary_ops()
  each_op(2, function(op)
    if not op.vjp then return end
    for _, layout in ipairs { "contiguous", "transposed", "strided", "empty" } do
      local a = layouts.make[layout]("float64", op.low, op.high)
      local b = layouts.make.broadcast("float64", op.low, op.high)
      if layout == "empty" then b = 1 end
      local expected = tensor[op.name](a, b)
      luaunit.assertTrue(rawequal(a[op.name .. "_"](a, b), a))
      luaunit.assertTrue(tensor.equal(a, expected), label(op.name, layout))
    end
  end)
end

function TestValues.test_operators()
  local a, b = tensor { 1, 2, 3 }, tensor { 4, 5, 6 }
  support.near(a + b, { 5, 7, 9 })
  support.near(a - b, { -3, -3, -3 })
  support.near(a * b, { 4, 10, 18 })
  support.near(b / a, { 4, 2.5, 2 })
  support.near(a ^ 2, { 1, 4, 9 })
  support.near(2 ^ a, { 2, 4, 8 })
  support.near(10 - a, { 9, 8, 7 })
  support.near(-a, { -1, -2, -3 })
  support.near((a + 1) * 2 / 4 - b, { -3, -3.5, -4 })
end

function TestValues.test_float32_with_float64_gives_float64()
  local single, double = tensor { 0.1 }, tensor({ 0.2 }, { dtype = "float64" })
  local sum = single + double
  luaunit.assertEquals(sum:dtype(), "float64")
  luaunit.assertEquals(sum:item(), string.unpack("f", string.pack("f", 0.1)) + 0.2)
  luaunit.assertEquals((single + 0.2):dtype(), "float32")
  luaunit.assertEquals(single:clone():add_(double):dtype(), "float32")
  support.near(single:clone():add_(double), { 0.3 }, 1e-7)
end

function TestValues.test_mixed_dtypes_over_many_pieces()
  local a = tensor.arange(1, 1000):to("float32"):view(2, 500)
  local b = tensor.arange(1, 1000):to("float64"):view(500, 2):t()
  local expected, from_a, from_b = {}, list(a), list(b)
  for i = 1, 1000 do expected[i] = from_a[i] * from_b[i] end
  support.near(list(a * b), expected, 0)
end

function TestValues.test_add_scaled()
  local t, x = tensor { { 1, 2 }, { 3, 4 } }, tensor { 10, 20 }
  support.near(t:add_(x, 0.5), { { 6, 12 }, { 8, 14 } })
  support.near(t:add_(1, -2), { { 4, 10 }, { 6, 12 } })
end

-- Longer than the vectors and pieces of their kernels.
function TestValues.test_long_int32_in_every_layout()
  local t = tensor.randperm(3 * 64 * 97):view(3, 64, 97)
  local numbers = t:view(t:numel()):totable()
  for _, x in ipairs { t, t:permute(3, 1, 2):contiguous():permute(2, 3, 1), t:to("uint16") } do
    luaunit.assertEquals(x:lt(5):sum(), 4)
    luaunit.assertEquals(x:ge(2.5):sum(), #numbers - 2)
    luaunit.assertEquals(x:eq(t):sum(), #numbers)
    luaunit.assertEquals(x:lt(3e9):sum(), #numbers)
    luaunit.assertEquals(tensor.gt(10, x):sum(), 9)
  end
  local y = t:permute(3, 1, 2):contiguous():permute(2, 3, 1)
  for _, x in ipairs { t, y } do
    luaunit.assertEquals(x:min(), 1)
    luaunit.assertEquals(x:max(), #numbers)
    luaunit.assertEquals(numbers[x:argmax()], #numbers)
    luaunit.assertEquals(numbers[x:argmin()], 1)
    luaunit.assertTrue(x:all())
    luaunit.assertTrue(tensor.equal(x, t))
  end
  y[{ 3, 64, 97 }] = 0
  luaunit.assertFalse(y:all())
  luaunit.assertFalse(tensor.equal(y, t))
  luaunit.assertTrue(y:eq(0):any())
end

function TestValues.test_comparisons_of_int32()
  local t = tensor({ 1, 2, 3 }, { dtype = "int32" })
  luaunit.assertEquals(t:eq(2):totable(), { 0, 1, 0 })
  luaunit.assertEquals(t:lt(2.5):totable(), { 1, 1, 0 })
  luaunit.assertEquals(t:ne(tensor { 1, 0, 3 }):totable(), { 0, 1, 0 })
  luaunit.assertEquals(t:isfinite():totable(), { 1, 1, 1 })
  local large = tensor({ 16777217, 2147483647 }, { dtype = "int32" })
  luaunit.assertEquals(large:eq(16777216):totable(), { 0, 0 })
  luaunit.assertEquals(large:ge(2147483647):totable(), { 0, 1 })
end

-- --- NaN, infinities, zeros, denormals ---------------------------------------------------

TestSpecial = {}

local inf, nan = math.huge, 0 / 0

-- name -> results for -inf, -0, 0, the smallest denormal float, inf
local tiny = 2.0 ^ -149
local special = {
  neg = { inf, 0, 0, -tiny, -inf }, abs = { inf, 0, 0, tiny, inf },
  sign = { -1, 0, 0, 1, 1 }, square = { inf, 0, 0, 0, inf }, sqrt = { nan, 0, 0, 2.0 ^ -74.5, inf },
  rsqrt = { nan, -inf, inf, 2.0 ^ 74.5, 0 }, reciprocal = { 0, -inf, inf, inf, 0 },
  exp = { 0, 1, 1, 1, inf }, expm1 = { -1, 0, 0, tiny, inf },
  log = { nan, -inf, -inf, -149 * math.log(2), inf }, log2 = { nan, -inf, -inf, -149, inf },
  log1p = { nan, 0, 0, tiny, inf }, sin = { nan, 0, 0, tiny, nan }, cos = { nan, 1, 1, 1, nan },
  tanh = { -1, 0, 0, tiny, 1 }, sigmoid = { 0, 0.5, 0.5, 0.5, 1 },
  softplus = { 0, math.log(2), math.log(2), math.log(2), inf }, relu = { 0, 0, 0, tiny, inf },
  leaky_relu = { -inf, 0, 0, tiny, inf }, clamp = { -inf, 0, 0, tiny, inf },
  floor = { -inf, 0, 0, 0, inf }, ceil = { -inf, 0, 0, 1, inf }, round = { -inf, 0, 0, 0, inf },
  isnan = { 0, 0, 0, 0, 0 }, isinf = { 1, 0, 0, 0, 1 }, isfinite = { 0, 1, 1, 1, 0 },
}

function TestSpecial.test_unary_ops_at_special_values()
  local points = { -inf, -0.0, 0.0, tiny, inf }
  local known = {}
  each_op(1, function(op, reference)
    known[op.name] = true
    local expected = special[op.name]
    if not expected then -- a new operation: its plain Lua formula, tiny numbers as in float32
      expected = {}
      for i, x in ipairs(points) do
        expected[i] = tensor({ reference(x, table.unpack(parameters(op))) }):item()
      end
    end
    for _, copies in ipairs { 1, 20 } do -- alone, and in SIMD
      local values, wanted = {}, {}
      for _ = 1, copies do
        for i, x in ipairs(points) do
          values[#values + 1], wanted[#wanted + 1] = x, expected[i]
        end
      end
      local y = list(tensor[op.name](tensor(values)))
      support.near(y, wanted, 1e-6, op.name)
      for i, want in ipairs(wanted) do -- tolerances say nothing about tiny numbers
        if want == tiny then luaunit.assertEquals(y[i], tiny, op.name) end
      end
    end
  end)
  for name in pairs(special) do luaunit.assertTrue(known[name], name) end
end

function TestSpecial.test_nan_goes_through()
  each_op(1, function(op)
    for _, real in ipairs(layouts.reals) do
      local x = tensor.full({ 21 }, nan, { dtype = real[1] })
      for _, y in ipairs(list(tensor[op.name](x))) do
        if op.vjp then luaunit.assertNaN(y)
        else luaunit.assertEquals(y, op.name == "isnan" and 1 or 0) end
      end
    end
  end)
  for _, name in ipairs { "add", "sub", "mul", "div", "minimum", "maximum", "atan2" } do
    local bad, good = tensor { nan, 1, nan }, tensor { 1, nan, nan }
    luaunit.assertEquals(tensor[name](bad, good):isnan():sum(), 3, name)
  end
  luaunit.assertEquals((tensor { nan } ^ 0):item(), 1.0)
  luaunit.assertEquals(tensor { nan }:eq(nan):item(), 0)
  luaunit.assertEquals(tensor { nan }:ne(nan):item(), 1)
end

function TestSpecial.test_signed_zero_and_halves()
  luaunit.assertEquals(1 / tensor({ -0.0 }):tanh():item(), -inf)
  luaunit.assertEquals(1 / tensor({ 0.0 }):neg():item(), -inf)
  support.near(tensor({ 0.5, 1.5, 2.5, -0.5, -1.5 }):round(), { 0, 2, 2, 0, -2 }, 0)
end

function TestSpecial.test_far_out()
  local x = tensor({ -1e4, -104, -90, 90, 1e4 })
  luaunit.assertEquals(list(x:sigmoid())[1], 0.0)
  luaunit.assertTrue(list(x:sigmoid())[3] > 0)
  luaunit.assertEquals(list(x:softplus())[5], 1e4)
  luaunit.assertEquals(list(x:tanh()), { -1.0, -1.0, -1.0, 1.0, 1.0 })
  luaunit.assertEquals(list(x:exp())[4], inf)
end

-- --- derivatives -------------------------------------------------------------------------

TestVjp = {}

local STEP = 1e-5

function TestVjp.test_unary_derivatives_in_every_layout()
  each_op(1, function(op)
    if not op.vjp then
      luaunit.assertNil(tensor.vjp[op.name])
      return
    end
    local numbers = parameters(op)
    local function f(x) return tensor[op.name](x, table.unpack(numbers)) end
    for _, layout in ipairs(layouts.names) do
      local x = layouts.make[layout]("float64", op.low, op.high)
      local dy = layouts.make[layout]("float64", -1, 1)
      local slope = (f(x + STEP) - f(x - STEP)) / (2 * STEP)
      local arguments = { dy, x, f(x) }
      for i, p in ipairs(numbers) do arguments[3 + i] = p end
      local dx = tensor.vjp[op.name](table.unpack(arguments))
      support.near(dx, slope * dy, 1e-6, label(op.name, layout))
      -- float32 gives the same, into an output
      for i = 1, 3 do arguments[i] = arguments[i]:to("float32") end
      local out = layouts.like(arguments[2], list(arguments[2]))
      arguments[4 + #numbers] = out
      luaunit.assertTrue(rawequal(tensor.vjp[op.name](table.unpack(arguments)), out))
      support.near(out, dx, 2e-5, label(op.name, layout))
    end
  end)
end

function TestVjp.test_what_a_derivative_does_not_need_may_be_nil()
  each_op(1, function(op)
    if not op.vjp then return end
    local numbers = parameters(op)
    local x = layouts.make.contiguous("float64", op.low, op.high)
    local y = tensor[op.name](x, table.unpack(numbers))
    local dy = tensor.ones(3, 5, { dtype = "float64" })
    local full = tensor.vjp[op.name](dy, x, y, table.unpack(numbers))
    local arguments = { dy, op.needs:find("x") and x or nil, op.needs:find("y") and y or nil }
    for i, p in ipairs(numbers) do arguments[3 + i] = p end
    local lean = tensor.vjp[op.name](table.unpack(arguments, 1, 3 + #numbers))
    luaunit.assertTrue(tensor.equal(lean, full), op.name)
  end)
end

-- dL/dx by differences, where L = sum(dy * f(x)).
local function differences(f, x, dy)
  local result, values = {}, list(x)
  for i, v in ipairs(values) do
    values[i] = v + STEP
    local up = (f(like(x, values)) * dy):sum()
    values[i] = v - STEP
    local down = (f(like(x, values)) * dy):sum()
    values[i] = v
    result[i] = (up - down) / (2 * STEP)
  end
  return like(x, result)
end

local function column(dtype, low, high)
  return layouts.make.transposed(dtype, low, high):narrow(2, 1, 1)
end

function TestVjp.test_binary_derivatives_are_summed_to_the_operands_sizes()
  each_op(2, function(op)
    if not op.vjp then return end
    local f = tensor[op.name]
    local function make(layout) return layouts.make[layout]("float64", op.low, op.high) end
    local pairs_of_operands = {
      { make "contiguous", make "contiguous" }, { make "transposed", make "strided" },
      { make "contiguous", make("contiguous"):select(1, 2) },
      { column("float64", op.low, op.high), make "strided" },
      { column("float64", op.low, op.high), make("contiguous"):narrow(1, 1, 1) },
      { make "scalar", make "contiguous" }, { make "broadcast", make "scalar" },
      { make "empty", make("contiguous"):select(1, 1) }, { make "scalar", make "scalar" },
      { make "long", make "long" },
    }
    for i, operands in ipairs(pairs_of_operands) do
      local a, b = operands[1], operands[2]
      local y = f(a, b)
      local dy = like(y, map(y, function() return number(-1, 1) end))
      local da, db = tensor.vjp[op.name](dy, a, b, y)
      local what = label(op.name, i)
      support.near(da, differences(function(x) return f(x, b) end, a, dy), 1e-6, what)
      support.near(db, differences(function(x) return f(a, x) end, b, dy), 1e-6, what)
      local out_a, out_b = like(a, list(a)), like(b, list(b)):to("float32")
      tensor.vjp[op.name](dy, a, b:to("float32"), y, out_a, out_b)
      support.near(out_a, da, 2e-5, what)
      support.near(out_b, db, 2e-5, what)
    end
  end)
end

function TestVjp.test_numbers_and_skipped_operands_have_no_derivative()
  local a, dy = tensor { 1, 2, 3 }, tensor { 1, 1, 2 }
  local da, db = tensor.vjp.mul(dy, a, 3)
  support.near(da, { 3, 3, 6 })
  luaunit.assertNil(db)
  da, db = tensor.vjp.sub(dy, 1, a)
  luaunit.assertNil(da)
  support.near(db, { -1, -1, -2 })
  da, db = tensor.vjp.mul(dy, a, a, nil, false)
  luaunit.assertNil(da)
  support.near(db, { 1, 2, 6 })
end

function TestVjp.test_ties_and_edges()
  local a, dy = tensor { 1, 2, 2 }, tensor { 1, 1, 1 }
  local da, db = tensor.vjp.maximum(dy, a, tensor { 2, 1, 2 })
  support.near(da, { 0, 1, 0.5 })
  support.near(db, { 1, 0, 0.5 })
  support.near(tensor.vjp.relu(dy, tensor { 0, -1, 1 }), { 0, 0, 1 })
  support.near(tensor.vjp.abs(dy, tensor { 0, -1, 1 }), { 0, -1, 1 })
  da, db = tensor.vjp.pow(dy, tensor { 0, 0, 3 }, tensor { 0, 2, 0 })
  support.near(da, { 0, 0, 0 })
  support.near(db, { 0, 0, math.log(3) })
end

function TestVjp.test_wrong_calls()
  local a, b = tensor.zeros(2, 3), tensor.zeros(3)
  support.raises("vjp.tanh: dy is (2,3), y is (3): must have the same sizes",
    tensor.vjp.tanh, a, nil, b)
  support.raises("bad argument #3 to", tensor.vjp.tanh, a, a)
  support.raises("vjp.mul: dy is (3), a is (2,3), b is (3): dy must have the sizes that a and b " ..
    "broadcast to", tensor.vjp.mul, b, a, b)
  support.raises("out must not overlap dy", tensor.vjp.mul, a, a:clone(), a:clone(), nil, a)
  local out = tensor.zeros(2, 3)
  support.raises("out must not overlap out_b", tensor.vjp.mul, a, a, a, nil, out, out)
  support.raises("int32 does not compute", tensor.vjp.mul, a, a:to("int32"), a)
end

-- --- where -------------------------------------------------------------------------------

TestWhere = {}

function TestWhere.test_layouts_and_dtypes()
  for _, real in ipairs(layouts.reals) do
    for _, layout in ipairs(layouts.names) do
      local a = layouts.make[layout](real[1], -2, 2)
      local b = layouts.make[layout](real[1], -2, 2)
      local expected, from_a, from_b = {}, list(a), list(b)
      for i = 1, #from_a do expected[i] = math.max(from_a[i], from_b[i]) end
      support.near(list(tensor.where(a:gt(b), a, b)), expected, 0, layout)
      support.near(list(tensor.where(a - a, a, 7)), map(a, function() return 7 end), 0, layout)
    end
  end
end

function TestWhere.test_broadcasting_and_results()
  local cond = tensor { { 1 }, { 0 } }
  local y = tensor.where(cond, tensor { 1, 2 }, 9)
  support.near(y, { { 1, 2 }, { 9, 9 } }, 0)
  local tokens = tensor({ 3, 4, 5 }, { dtype = "int32" })
  local masked = tensor.where(tokens:eq(4), tokens, 0)
  luaunit.assertEquals(masked:dtype(), "int32")
  luaunit.assertEquals(masked:totable(), { 0, 4, 0 })
  luaunit.assertEquals(tokens:eq(4):where(tokens, 0.5):dtype(), "float32")
  luaunit.assertEquals(tensor.where(tensor { 0 / 0, 0 }, 1, 2):totable(), { 1.0, 2.0 })
  local out = tensor.zeros(2, 2)
  luaunit.assertTrue(rawequal(tensor.where(cond, tensor { 1, 2 }, 9, out), out))
  support.raises("where: cond is (2,1), a is (2), b is (3): these sizes do not broadcast",
    tensor.where, cond, tensor.zeros(2), tensor.zeros(3))
end

-- --- outputs and memory ------------------------------------------------------------------

TestOutputs = {}

function TestOutputs.test_overlap()
  local t = tensor.arange(1, 6):to("float32")
  local head, tail = t:narrow(1, 1, 5), t:narrow(1, 2, 5)
  support.raises("exp: out must not overlap x", tensor.exp, head, tail)
  support.raises("add: out must not overlap a", tensor.add, head, 1, tail)
  support.raises("mul: out must not overlap b", tensor.mul, 2, head, tail)
  support.raises("add: out must not overlap x", tail.add_, tail, head)
  local square = tensor.zeros(3, 3)
  support.raises("neg: out must not overlap x", tensor.neg, square, square:t())
  support.near(t, { 1, 2, 3, 4, 5, 6 }, 0, "nothing is written")
end

function TestOutputs.test_neighbours_that_share_no_element_are_fine()
  local gates = tensor.arange(1, 12):to("float32"):view(3, 4)
  tensor.mul(gates:narrow(2, 1, 2), 10, gates:narrow(2, 3, 2))
  support.near(gates, { { 1, 2, 10, 20 }, { 5, 6, 50, 60 }, { 9, 10, 90, 100 } }, 0)
end

function TestOutputs.test_writes_count()
  local t = tensor.zeros(3)
  local before = tensor.version(t)
  t:add_(1)
  tensor.exp(t, t)
  luaunit.assertTrue(tensor.version(t) >= before + 2)
end

function TestOutputs.test_no_memory_is_allocated()
  local a, b, out = tensor.randn(4, 5), tensor.randn(5), tensor.zeros(4, 5)
  local truth = tensor.zeros(4, 5, { dtype = "int32" })
  local sum, gradient = tensor.zeros(5), tensor.zeros(5)
  local function step()
    tensor.add(a, b, out)
    tensor.tanh(out, out)
    out:mul_(0.5):add_(b, 0.1):clamp_(-1, 1)
    tensor.lt(out, a, truth)
    tensor.vjp.add(out, a, b, nil, false, gradient)
    out:sum(1, nil, sum)
    out:sum()
  end
  step()
  collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  for _ = 1, 100 do step() end
  local grown = collectgarbage("count") - before
  collectgarbage("restart")
  luaunit.assertEquals(grown, 0)
end

-- --- wrong calls -------------------------------------------------------------------------

TestWrongCalls = {}

function TestWrongCalls.test_sizes()
  support.raises("add: a is (2,3), b is (4): these sizes do not broadcast",
    function() return tensor.zeros(2, 3) + tensor.zeros(4) end)
  support.raises("mul_: x is (2,3), does not broadcast to (3)",
    function() tensor.zeros(3):mul_(tensor.zeros(2, 3)) end)
  support.raises("out is float32 (2), must be float32 (3)", tensor.exp, tensor.zeros(3),
    tensor.zeros(2))
  support.raises("out is float64 (3), must be float32 (3)", tensor.exp, tensor.zeros(3),
    tensor.zeros(3, { dtype = "float64" }))
  support.raises("out is float32 (3), must be int32 (3)", tensor.eq, tensor.zeros(3), 0,
    tensor.zeros(3))
end

function TestWrongCalls.test_types()
  local t, tokens = tensor.zeros(2), tensor.zeros(2, { dtype = "int32" })
  support.raises("(tensor or number expected, got string)", function() return t + "x" end)
  support.raises("(tensor or number expected, got table)", tensor.mul, t, {})
  support.raises("expected, got number", tensor.exp, 1)
  support.raises("expected, got number", tensor.add, 1, 2)
  support.raises("expected, got no value", tensor.tanh)
  support.raises([[int32 does not compute; use :to("float32")]], function() return tokens + 1 end)
  support.raises("int32 does not compute", tensor.exp, tokens)
  support.raises("int32 does not compute", tokens.neg_, tokens)
  support.raises("int32 does not compute", function() return t * tokens end)
  support.raises("number expected, got string", t.clamp, t, "low")
end

function TestWrongCalls.test_expanded_tensors_cannot_be_written()
  local t = tensor.zeros(1, 3):expand(2, 3)
  support.raises("cannot write to an expanded tensor", t.add_, t, 1)
  support.raises("cannot write to an expanded tensor", tensor.exp, tensor.zeros(2, 3), t)
end
