-- Making tensors: from tables, by a rule; what they say about themselves.

local lu = require "luaunit"
local support = require "support"
local cases = require "tensor_cases"
local tensor = require "unroll.tensor"

local eq = lu.assertEquals

TestFromTables = {}

function TestFromTables.test_round_trip_in_every_dtype_and_depth()
  for _, dtype in ipairs(cases.dtypes) do
    for _, size in ipairs { { 3 }, { 2, 3 }, { 2, 1, 3 }, { 1, 2, 3, 2 }, { 2, 1, 2, 1, 2, 2 } } do
      local list = cases.counted(size)
      local t = tensor(list, { dtype = dtype })
      eq(t:totable(), list)
      eq(t:size(), size)
      eq(t:dtype(), dtype)
      eq(t:dim(), #size)
      eq(t:numel(), #cases.flatten(list))
      lu.assertTrue(t:is_contiguous())
    end
  end
end

function TestFromTables.test_element_types()
  eq(math.type(tensor({ 3 }, { dtype = "int32" })[1]), "integer")
  eq(math.type(tensor({ 3 }, { dtype = "uint8" }):item()), "integer")
  eq(math.type(tensor { 3 }[1]), "float")
  eq(tensor({ 1 / 3 }, { dtype = "float64" })[1], 1 / 3)
  eq(tensor { 1 / 3 }[1], string.unpack("f", string.pack("f", 1 / 3)))
end

function TestFromTables.test_scalars_and_empty()
  eq(tensor(3.5):dim(), 0)
  eq(tensor(3.5):item(), 3.5)
  eq(tensor(3.5):totable(), 3.5)
  eq(tensor {}:size(), { 0 })
  eq(tensor { {}, {} }:size(), { 2, 0 })
  eq(tensor { {}, {} }:totable(), { {}, {} })
  eq(#tensor { { 1, 2 }, { 3, 4 }, { 5, 6 } }, 3)
end

function TestFromTables.test_from_a_tensor_copies()
  local a = tensor { { 1, 2 }, { 3, 4 } }
  local b = tensor(a:t(), { dtype = "float64" })
  b[{ 1, 1 }] = 9
  eq(a[{ 1, 1 }], 1.0)
  eq(b:totable(), { { 9, 3 }, { 2, 4 } })
  eq(tensor(tensor({ 1 }, { dtype = "int32" })):dtype(), "int32")
end

function TestFromTables.test_ragged_and_wrong_elements_name_the_place()
  support.raises("tensor: element [2] has 1 elements, the first one has 2",
    tensor.tensor, { { 1, 2 }, { 3 } })
  support.raises("tensor: element [2][1] has 3 elements",
    tensor.tensor, { { { 1, 2 }, { 1, 2 } }, { { 1, 2, 3 }, { 1, 2 } } })
  support.raises("element [2] is a number, a table was expected",
    tensor.tensor, { { 1, 2 }, 3 })
  support.raises("element [1][2] is a table, a number was expected",
    tensor.tensor, { { 1, { 2 } } })
  support.raises("element [2] is a string, a number was expected", tensor.tensor, { 1, "2" })
  support.raises("element [2] is a boolean", tensor.tensor, { 1, true })
  support.raises("number expected, got string", tensor.tensor, "3")
  support.raises("got one with the field 'x'", tensor.tensor, { x = 1 })
  support.raises("nested more than 6 deep", tensor.tensor, { { { { { { { 1 } } } } } } })
  local endless = {}
  endless[1] = endless
  support.raises("nested more than 6 deep", tensor.tensor, endless)
end

function TestFromTables.test_integers_take_only_what_they_hold()
  support.raises("element [2]: 1.5 is not a whole number, int32 holds no other",
    tensor.tensor, { 1, 1.5 }, { dtype = "int32" })
  support.raises("out of range for int32", tensor.tensor, { 2 ^ 31 }, { dtype = "int32" })
  support.raises("256 is out of range for uint8 (0 to 255)",
    tensor.tensor, { 256 }, { dtype = "uint8" })
  support.raises("-1 is out of range for uint16", tensor.tensor, { -1 }, { dtype = "uint16" })
  support.raises("nan is out of range", tensor.tensor, { 0 / 0 }, { dtype = "int32" })
  eq(tensor({ -2 ^ 31, 2 ^ 31 - 1 }, { dtype = "int32" }):totable(), { -2 ^ 31, 2 ^ 31 - 1 })
end

function TestFromTables.test_frequent_mistakes()
  support.raises("element [1] is a tensor (see stack), a number was expected",
    tensor.tensor, { tensor { 1 }, tensor { 2 } })
  support.raises("dtype belongs into a second table", tensor.tensor, { 1, dtype = "float64" })
end

function TestFromTables.test_options()
  support.raises("no option 'dtpye', there are: dtype)", tensor.tensor, { 1 },
    { dtpye = "float64" })
  support.raises("dtype is 'float16', must be one of float32, float64, int32, uint8, uint16",
    tensor.tensor, { 1 }, { dtype = "float16" })
  support.raises("table expected", tensor.tensor, { 1 }, "float64")
end

TestFilled = {}

function TestFilled.test_zeros_ones_full_in_every_dtype()
  for _, dtype in ipairs(cases.dtypes) do
    local o = { dtype = dtype }
    eq(tensor.zeros(2, 2, o):totable(), { { 0, 0 }, { 0, 0 } })
    eq(tensor.ones({ 2, 2 }, o):totable(), { { 1, 1 }, { 1, 1 } })
    eq(tensor.full({ 3 }, 7, o):totable(), { 7, 7, 7 })
    eq(tensor.full(3, 7, o):dtype(), dtype)
    eq(tensor.zeros_like(tensor.ones(2, 1, o)):dtype(), dtype)
  end
  eq(tensor.zeros_like(tensor.ones(2, 1), { dtype = "int32" }):totable(), { { 0 }, { 0 } })
  eq(tensor.full({}, 2.5):item(), 2.5)
  eq(tensor.zeros({}):dim(), 0)
  eq(tensor.zeros({}, { dtype = "float64" }):item(), 0.0)
  eq(tensor.zeros(3, 0, 2):numel(), 0)
  eq(tensor.zeros(2.0, 3):size(), { 2, 3 })
end

function TestFilled.test_memory_is_not_shared()
  local a, b = tensor.zeros(3), tensor.zeros(3)
  a:fill_(1)
  eq(b:totable(), { 0, 0, 0 })
end

function TestFilled.test_arange()
  eq(tensor.arange(4):totable(), { 1, 2, 3, 4 })
  eq(tensor.arange(3, 5):totable(), { 3, 4, 5 })
  eq(tensor.arange(5, 1, -2):totable(), { 5, 3, 1 })
  eq(tensor.arange(0, 1, 0.25, { dtype = "float64" }):totable(), { 0, 0.25, 0.5, 0.75, 1 })
  eq(tensor.arange(0, 0.3, 0.1):numel(), 4)
  eq(tensor.arange(1, 2, 0.75):numel(), 2)
  eq(tensor.arange(0):numel(), 0)
  eq(tensor.arange(2, 1):numel(), 0)
  eq(tensor.arange(3, { dtype = "int32" }):totable(), { 1, 2, 3 })
  support.raises("step is zero", tensor.arange, 1, 2, 0)
  support.raises("must be finite", tensor.arange, 1, math.huge)
  support.raises("more elements than memory", tensor.arange, 1, 1e300)
  support.raises("is not a whole number", tensor.arange, 1, 2, 0.5, { dtype = "int32" })
  support.raises("out of range for uint8", tensor.arange, 1, 300, { dtype = "uint8" })
end

-- They are made piece by piece, of 256 numbers; these are exact in both types.
function TestFilled.test_arange_of_several_pieces()
  for _, dtype in ipairs { "float32", "float64" } do
    for _, n in ipairs { 255, 256, 257, 511, 512, 700 } do
      local expected = {}
      for i = 1, n do expected[i] = 3 - (i - 1) * 0.25 end
      eq(tensor.arange(3, expected[n], -0.25, { dtype = dtype }):totable(), expected)
      eq(tensor.linspace(3, expected[n], n, { dtype = dtype }):totable(), expected)
    end
  end
end

function TestFilled.test_linspace()
  eq(tensor.linspace(0, 1, 5):totable(), { 0, 0.25, 0.5, 0.75, 1 })
  eq(tensor.linspace(3, 1, 3):totable(), { 3, 2, 1 })
  eq(tensor.linspace(2, 9, 1):totable(), { 2 })
  eq(tensor.linspace(2, 9, 0):totable(), {})
  eq(tensor.linspace(0, 0.7, 11, { dtype = "float64" })[11], 0.7)
  support.raises("size -1 of dimension 1 is negative", tensor.linspace, 0, 1, -1)
  support.raises("must be float32 or float64", tensor.linspace, 0, 1, 3, { dtype = "int32" })
end

function TestFilled.test_eye()
  eq(tensor.eye(2):totable(), { { 1, 0 }, { 0, 1 } })
  eq(tensor.eye(2, 3, { dtype = "int32" }):totable(), { { 1, 0, 0 }, { 0, 1, 0 } })
  eq(tensor.eye(3, 1):totable(), { { 1 }, { 0 }, { 0 } })
  eq(tensor.eye(0):size(), { 0, 0 })
end

function TestFilled.test_impossible_sizes()
  for name, make in pairs { zeros = tensor.zeros, ones = tensor.ones, rand = tensor.rand } do
    support.raises(name .. ": size -1 of dimension 2 is negative", make, 2, -1)
    support.raises(name .. ": (4611686018427387904,2) has more elements than memory can hold",
      make, 1 << 62, 2)
    support.raises("more elements than memory can hold", make, 1 << 62)
    support.raises("7 sizes given, at most 6", make, 1, 1, 1, 1, 1, 1, 1)
    support.raises("7 sizes given, at most 6", make, { 1, 1, 1, 1, 1, 1, 1 })
    support.raises("number has no integer representation", make, 2.5)
    support.raises("size 2 must be an integer, got x", make, { 2, "x" })
    support.raises(name .. ": sizes expected, got none", make)
    support.raises("no option 'size'", make, 2, { size = 3 })
  end
  support.raises("got nan", function() return tensor.zeros(2)[-(0 / 0)] end)
  support.raises("got nan", function() return tensor.zeros(2)[0 / 0] end)
  support.raises("size 1 must be an integer, got nan", tensor.zeros, { 0 / 0 })
  support.raises("more memory than there is", tensor.zeros, 1 << 55)
  support.raises("full: 1.5 is not a whole number", tensor.full, { 2 }, 1.5, { dtype = "int32" })
  support.raises("number expected", tensor.full, { 2 })
end

TestDescription = {}

function TestDescription.test_sizes()
  local t = tensor.zeros(2, 3, 4)
  eq(t:size(2), 3)
  eq(t:size(-1), 4)
  eq(math.type(t:size(1)), "integer")
  eq(t:stride(), { 12, 4, 1 })
  eq(t:transpose(1, 3):stride(1), 1)
  support.raises("dimension 4 is out of range 1..3", t.size, t, 4)
  support.raises("dimension 0 is out of range 1..3", t.size, t, 0)
end

function TestDescription.test_lists_of_sizes_compare_and_print()
  local t = tensor.zeros(2, 3)
  lu.assertTrue(t:size() == tensor.ones(2, 3):size())
  lu.assertTrue(t:size() == { 2, 3 })
  lu.assertFalse(t:size() == t:t():size())
  lu.assertFalse(t:size() == tensor.zeros(2):size())
  eq(tostring(t:size()), "(2, 3)")
  eq(tostring(tensor(1):size()), "()")
  eq(#t:size(), 2)
end

function TestDescription.test_item()
  eq(tensor { { 4 } }:item(), 4.0)
  support.raises("item: a tensor with one element expected, got (2)",
    tensor.zeros(2).item, tensor.zeros(2))
  support.raises("got (0)", tensor.zeros(0).item, tensor.zeros(0))
end

function TestDescription.test_is_tensor()
  lu.assertTrue(tensor.is_tensor(tensor {}))
  for _, other in ipairs { 1, "x", {}, io.stdout, tensor.generator(1) } do
    lu.assertFalse(tensor.is_tensor(other))
  end
end

function TestDescription.test_length_of_a_scalar()
  support.raises("a 0-d tensor has no length", function() return #tensor(1) end)
end

function TestDescription.test_methods_refuse_what_is_no_tensor()
  local t = tensor.zeros(2)
  for _, name in ipairs { "size", "dim", "numel", "dtype", "clone", "fill_", "narrow", "t" } do
    support.raises("unroll.Tensor expected, got table", t[name], {}, 1, 1, 1)
    support.raises("unroll.Tensor expected, got unroll.Generator", t[name],
      tensor.generator(1), 1, 1, 1)
  end
end

function TestDescription.test_metatable_is_locked()
  eq(getmetatable(tensor.zeros(1)), false)
end

function TestFilled.test_lists_of_sizes_with_a_false_length()
  local list = setmetatable({}, { __len = function() return -3 end })
  support.raises("length of the list of sizes is negative", tensor.zeros, list)
  support.raises("length of the list of sizes is negative", tensor.zeros(1).view,
    tensor.zeros(1), list)
end
