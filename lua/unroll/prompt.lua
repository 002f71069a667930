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

return prompt
