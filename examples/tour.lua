-- A tour of unroll in ten minutes: tensors, a cell, backpropagation through time by hand,
-- training, sampling, a figure. Each page waits for Enter; any Lua can be tried in between.
--
--   build/bin/unroll examples/tour.lua [page]
--
-- At the prompt, tour() is the same.

require("unroll").help.tour(math.tointeger(arg[1]))
