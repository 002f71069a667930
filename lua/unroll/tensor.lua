--- tensor: n-dimensional arrays of numbers.
--
--   local a = tensor{{1, 2}, {3, 4}}          -- float32 (2, 2)
--   local b = tensor.randn(2, 3, {dtype = "float64"})
--   local c = a:matmul(b) + 1                 -- operators broadcast; this one is float64
--   c[{ {}, {1, 2} }] = 0                     -- all rows, columns 1 to 2: ranges are views
--
-- What takes a tensor first is a method too: a:matmul(b) is tensor.matmul(a, b). What makes
-- a tensor takes `out` as its last argument, a tensor that is overwritten instead; names that
-- end in "_" overwrite the tensor they are called on. Indices start at 1, also those that
-- argmax or sort give.
--
-- The dtypes float32 (the default) and float64 compute; int32 holds tokens, labels and
-- indices; uint8 and uint16 only store a corpus. A tensor has at most 6 dimensions.
--
-- The functions are written in C (src/bind, documented there); this module is the table
-- that holds them.

return require("unroll.core").tensor
