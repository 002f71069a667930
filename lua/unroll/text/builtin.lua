--- builtin: the corpora that ship with unroll (data/README.md says where they come from).

local resource = require "unroll.resource"

-- 81 characters, 23 symbols, 4.12 bits at order 0; three characters of context decide the
-- next one. Composed for unroll.
local simple = "a gray cat sits by the window, watching snow fall on blue roofs and empty paths. "

local builtin = {
  simple = function() return simple:rep(50) end,
  numbers = function() return ("0123456789"):rep(500) end,
  shakespeare = function() return resource.read("text/data/shakespeare.txt") end,
  code = function() return resource.read("text/data/code.txt") end,
}

return builtin
