--- interrupts: what Ctrl-C in the middle of a training means.
--
-- A person at the prompt wants the history so far. A case of an experiment must end: its
-- result would be that of half a training, and be kept as if it were whole.

-- true: train.fit raises "interrupted!" (and shows no line of its own)
local interrupts = { raise = false }

--- xpcall with `raise` set while f runs.
---@param f function
---@param handler function
---@param ... any arguments of f
---@return boolean ok
---@return any ... as xpcall
function interrupts.raising(f, handler, ...)
  local before = interrupts.raise
  interrupts.raise = true
  local results = table.pack(xpcall(f, handler, ...))
  interrupts.raise = before
  return table.unpack(results, 1, results.n)
end

return interrupts
