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
  for piece, past in bytes:gmatch "([^\n]*)\n()" do
    self.pieces[#self.pieces + 1] = piece
    lines[#lines + 1] = table.concat(self.pieces)
    self.pieces, from = {}, past
  end
  if from <= #bytes then self.pieces[#self.pieces + 1] = bytes:sub(from) end
  return lines
end

return Lines
