--- show: the values of an entry, as the prompt prints them.
--
-- A value that can show itself (the metafield __show: figures) does so; the others are
-- texts of unroll.display. Several short values share a line.

local color = require "unroll.prompt.color"
local core = require "unroll.core"

local show = {}

--- The columns that there are for a text.
---@return integer
function show.width() return core.sys.terminal_width() or 80 end

-- Shows a value that can show itself; whether it could.
local function show_itself(value)
  local meta = type(value) == "table" and getmetatable(value)
  local f = type(meta) == "table" and rawget(meta, "__show")
  if not f then return false end
  local ok, message = f(value)
  if not ok then print(message) end
  return true
end

--- A value as a text, perhaps of several lines.
---@return string
function show.text(value)
  local ok, display = pcall(require, "unroll.display")
  if not ok then return tostring(value) end
  return display.show(value, { width = show.width(), colour = color.enabled })
end

--- Prints values.
---@param values table { n =, ... }
function show.values(values)
  local texts, short, length = {}, true, 0
  for i = 1, values.n do
    if not show_itself(values[i]) then
      local text = show.text(values[i])
      texts[#texts + 1] = text
      short = short and not text:find("\n", 1, true)
      length = length + (utf8.len(text) or #text) + 8
    end
  end
  if #texts == 0 then return end
  print(table.concat(texts, short and length <= show.width() and "\t" or "\n"))
end

return show
