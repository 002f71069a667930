--- What the prompt has at hand.

local unroll = require "unroll"

local prompt = {}

local at_hand = { "tensor", "rnn", "optim", "text", "train", "plot" }

--- Makes the libraries global under their own names, unless the script that ran before
--- the prompt (`unroll -i script.lua`) has given the name another meaning.
function prompt.open()
  for _, name in ipairs(at_hand) do
    if _G[name] == nil then _G[name] = unroll[name] end
  end
end

--- Shows the values of a line: those that can show themselves (figures: the metafield
--- `__show`) do so, the others are printed.
function prompt.print(...)
  local plain, n = {}, 0
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    local meta = type(value) == "table" and getmetatable(value)
    if type(meta) == "table" and rawget(meta, "__show") then
      local ok, message = rawget(meta, "__show")(value)
      if not ok then print(message) end
    else
      n = n + 1
      plain[n] = value
    end
  end
  if n > 0 then print(table.unpack(plain, 1, n)) end
end

return prompt
