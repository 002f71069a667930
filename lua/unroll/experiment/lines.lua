--- Lines out of a stream that comes in pieces.

local Lines = {}
Lines.__index = Lines

--- A collector that holds what has no end of line yet.
function Lines.new() return setmetatable({ pieces = {} }, Lines) end

--- Takes the next bytes; returns the lines that they complete, without newlines.
---@param bytes string
---@return string[]
function Lines:add(bytes)
  local lines, from = {}, 1
  local stop = bytes:find("\n", 1, true)
  while stop do
    self.pieces[#self.pieces + 1] = bytes:sub(from, stop - 1)
    lines[#lines + 1] = table.concat(self.pieces)
    self.pieces, from = {}, stop + 1
    stop = bytes:find("\n", from, true)
  end
  if from <= #bytes then self.pieces[#self.pieces + 1] = bytes:sub(from) end
  return lines
end

return Lines
