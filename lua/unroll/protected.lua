--- protected: pcall as the library uses it: Ctrl-C is no failure of what was called.
--
--   local ok, flat = protected(tensor.zeros, sizes)
--
-- A pcall that turned "interrupted!" into a message of its own would lose the key press.

local function relay(ok, message, ...)
  if not ok and type(message) == "string" and message:find "interrupted!$" then
    error(message, 0)
  end
  return ok, message, ...
end

--- As pcall, but the error of Ctrl-C goes on.
---@param f function
---@param ... any arguments of f
---@return boolean ok
---@return any ... results, or the error
return function(f, ...)
  return relay(pcall(f, ...))
end
