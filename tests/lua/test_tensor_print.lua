-- Tensors as text.

local lu = require "luaunit"
local tensor = require "unroll.tensor"

local eq = lu.assertEquals

local function lines_of(t)
  local list = {}
  for line in (tostring(t) .. "\n"):gmatch("(.-)\n") do list[#list + 1] = line end
  return list
end

TestPrint = {}

function TestPrint.test_small_tensors_in_full()
  eq(tostring(tensor { { 1, 2 }, { 3, 40 } }),
    "tensor float32 (2, 2)\n   1   2\n   3  40")
  eq(tostring(tensor { 0.5, -12.25 }), "tensor float32 (2)\n    0.50  -12.25")
  eq(tostring(tensor({ 1, -20 }, { dtype = "int32" })), "tensor int32 (2)\n    1  -20")
  eq(tostring(tensor({ 7 }, { dtype = "uint8" })), "tensor uint8 (1)\n  7")
end

function TestPrint.test_scalars_and_empty()
  eq(tostring(tensor(3.5)), "tensor float32 ()   3.5")
  eq(tostring(tensor(1 / 3, { dtype = "float64" })), "tensor float64 ()   0.333333333333333")
  eq(tostring(tensor(0 / 0)), "tensor float32 ()   nan")
  eq(tostring(tensor.full({}, 2, { dtype = "int32" })), "tensor int32 ()   2")
  eq(tostring(tensor.zeros(0, 3)), "tensor float32 (0, 3)   no elements")
end

function TestPrint.test_not_finite()
  eq(lines_of(tensor { 1.5, 0 / 0, 1 / 0, -1 / 0 })[2], "  1.500    nan    inf   -inf")
  eq(lines_of(tensor { 0 / 0, 0 / 0 })[2], "  nan  nan")
end

function TestPrint.test_one_format_for_all()
  eq(lines_of(tensor { 0.001, 0.02 })[2], "  0.00100  0.02000")
  eq(lines_of(tensor { 1234.5, 1 })[2], "  1234.5     1.0")
  eq(lines_of(tensor { 1e-8, 1.5e-7 })[2], "  1.000e-08  1.500e-07")
  eq(lines_of(tensor { 1e9, 1 })[2], "  1.000e+09  1.000e+00")
end

function TestPrint.test_slices()
  eq(tostring(tensor { { { 1, 2 } }, { { 3, 4 } } }),
    "tensor float32 (2, 1, 2)\n[1]\n  1  2\n[2]\n  3  4")
  eq(lines_of(tensor.zeros(2, 2, 1, 1))[6], "[2, 1]")
end

function TestPrint.test_large_tensors_show_their_edges()
  local t = tensor.arange(1200, { dtype = "int32" }):view(30, 40)
  eq(lines_of(t), {
    "tensor int32 (30, 40)",
    "     1     2     3  …    38    39    40",
    "    41    42    43  …    78    79    80",
    "    81    82    83  …   118   119   120",
    "     ⋮",
    "  1081  1082  1083  …  1118  1119  1120",
    "  1121  1122  1123  …  1158  1159  1160",
    "  1161  1162  1163  …  1198  1199  1200",
  })
  eq(lines_of(tensor.arange(2000, { dtype = "int32" }))[2],
    "     1     2     3  …  1998  1999  2000")
  local deep = lines_of(tensor.zeros(10, 2, 100))
  eq(deep[#deep - 2], "[10]")
  eq(deep[2], "[1]")
  eq(#deep, 1 + 6 * 3 + 1)
end

function TestPrint.test_statistics()
  local t = tensor.zeros(40, 40)
  t[{ { 1, 20 } }] = 2
  lu.assertStrContains(lines_of(t)[1], "tensor float32 (40, 40)   min 0.00   mean 1.00   "
    .. "max 2.00   sd 1.00")
  t[{ 1, 1 }], t[{ 1, 2 }], t[{ 1, 3 }] = 0 / 0, 1 / 0, -1 / 0
  eq(lines_of(t)[1], "tensor float32 (40, 40)   min 0.00   max 2.00   1 NaN   2 Inf")
  eq(lines_of(tensor.full({ 200 }, 0 / 0))[1], "tensor float32 (200)   200 NaN")
end

function TestPrint.test_wide_rows_go_on_in_the_next_line()
  local lines = lines_of(tensor.arange(100, { dtype = "int32" }))
  for _, line in ipairs(lines) do lu.assertTrue(#line <= 80) end
  eq(lines[3]:sub(1, 5), lines[3]:match("^  %s?%s?%d+"):sub(1, 5))
  lu.assertStrContains(lines[#lines], "100")
  local matrix = lines_of(tensor.ones(2, 100, { dtype = "int32" }))
  eq(matrix[2]:sub(1, 6), "  1  1")
  eq(matrix[3]:sub(1, 6), "    1 ")
end

function TestPrint.test_strided_views()
  local t = tensor.arange(6, { dtype = "int32" }):view(2, 3)
  eq(tostring(t:t()), "tensor int32 (3, 2)\n  1  4\n  2  5\n  3  6")
  eq(tostring(tensor { 1 }:expand(2, 2)), "tensor float32 (2, 2)\n  1  1\n  1  1")
end

function TestPrint.test_large_tensors_are_fast()
  local t = tensor.zeros(3000, 1000)
  local started = os.clock()
  eq(#lines_of(t), 8)
  lu.assertTrue(os.clock() - started < 1)
end
