--- banner: the line that greets: versions, what the kernels use, where help is.

local core = require "unroll.core"

local banner = {}

local isa_names = { generic = "generic", avx2 = "AVX2", avx512 = "AVX-512" }

-- Parts in the order in which a narrow terminal keeps them.
local function parts(lua)
  local threads = core.sys.threads()
  return { lua, core.blas, isa_names[core.isa] or core.isa,
    ("%d thread%s"):format(threads, threads == 1 and "" or "s") }
end

--- The greeting in one line of less than so many columns.
---@param lua string "Lua 5.4.4"
---@param width integer columns
---@return string
function banner.text(lua, width)
  local list, head = parts(lua), "unroll " .. core.version:match "^%d+%.%d+"
  for _, tail in ipairs { "?  help, tour() for a start", "?  help" } do
    for n = #list, tail:find "tour" and 1 or 0, -1 do
      local text = head .. (n > 0 and "   " .. table.concat(list, " · ", 1, n) or "")
      local room = width - 1 - utf8.len(text) - utf8.len(tail)
      if room >= 3 then return text .. (" "):rep(math.min(room, 6)) .. tail end
    end
  end
  return head
end

return banner
