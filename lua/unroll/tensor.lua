--- tensor: n-dimensional arrays of numbers.
--
-- The functions are written in C (src/bind, documented there); this module is the table
-- that holds them: tensor{{1, 2}, {3, 4}}, tensor.zeros(2, 3), tensor.matmul(a, b). What
-- takes a tensor first is a method too: a:matmul(b).

return require("unroll.core").tensor
