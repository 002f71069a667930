--- paint: the colours of values.

local paint = {}

local codes = { string = "32", number = "36", constant = "35", key = "0", heading = "1", dim = "2" }

local function plain(_, text) return text end

local function coloured(style, text)
  local code = codes[style]
  if code == "0" or text == "" then return text end
  return ("\27[%sm%s\27[0m"):format(code, text)
end

--- paint(style, text) -> text, in colour or as it is. Styles: "string", "number",
--- "constant", "key", "heading", "dim".
---@param colour boolean
---@return fun(style: string, text: string): string
function paint.new(colour)
  return colour and coloured or plain
end

return paint
