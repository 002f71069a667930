-- First tensor: making, indexing, computing.   unroll examples/first_tensor.lua
local unroll = require "unroll"
local tensor = unroll.tensor

-- A tensor is a block of numbers with a shape. float32 unless you say otherwise.
local a = tensor { { 1, 2, 3 }, { 4, 5, 6 } }
print(a)

-- Indices count from 1, negative ones from the end; ranges are inclusive.
print("element", a[{ 2, -1 }])
print("second row", a[2])
print("columns 2 to 3", a[{ {}, { 2, 3 } }])

-- Views share their numbers: writing into the row writes into `a`.
local row = a[1]
row:mul_(10)
assert(a[{ 1, 3 }] == 30)

-- Shapes broadcast as in NumPy: (2,3) + (3) adds the vector to each row.
local shifted = a + tensor { 1, 0, -1 }
print("broadcast sum", shifted)

-- A reduction gives a number; along a dimension it gives a tensor.
print("mean of all", a:mean(), "mean of each column", a:mean(1))

-- Products run on OpenBLAS, decompositions on LAPACK.
local g = tensor.generator(1)
local w = tensor.randn(4, 4, { dtype = "float64", generator = g })
local u, s, vt = tensor.svd(w)
local again = tensor.matmul(u * s, vt)
print("largest singular value", s[1])
assert(tensor.allclose(w, again, { atol = 1e-12 }))

-- A mistake says what was wrong, in the shapes you gave.
print(select(2, pcall(tensor.matmul, a, a)))
