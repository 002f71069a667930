--- unroll: an environment for studying recurrent networks.
--
--   local unroll = require "unroll"
--   local tensor, rnn, train = unroll.tensor, unroll.rnn, unroll.train
--
-- The submodules load when they are first used, so that a script pays only for what
-- it touches. At the prompt they all are at hand by their names.

local core = require "unroll.core"

local unroll = { version = core.version, threads = core.sys.threads }

local submodules = {
  tensor = true, rnn = true, optim = true, text = true, metrics = true, plot = true, train = true,
  experiment = true, gradcheck = true, diagnostics = true, tasks = true, help = true,
  profile = true,
}

-- Loads what raises errors for names that do not exist with the first module, not before.
local function guarded(name)
  local module = require("unroll." .. name)
  if type(module) == "table" then require("unroll.unknown").guard(module, name) end
  return module
end

return setmetatable(unroll, {
  __members = submodules, -- for completion
  __index = function(self, name)
    if not submodules[name] then
      require("unroll.unknown").read("unroll", name, 3, nil, self, submodules)
      return nil
    end
    local module = guarded(name)
    rawset(self, name, module)
    return module
  end,
})
