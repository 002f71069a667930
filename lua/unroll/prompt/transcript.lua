--- transcript: entries copied together with their prompts, from a manual or a session.
--
--   > x = tensor.ones(2)
--   > for i = 1, 2 do            two entries; lines without a prompt are output, left out
--   ..   print(x[i])
--   .. end
--   1.0
--
-- No Lua code begins with ">", so nothing else can be meant.

local transcript = {}

--- The entries of a text: those behind its prompts when it begins with one, else itself.
---@param text string
---@return string[]
function transcript.entries(text)
  if not text:find "^> " then return { text } end
  local entries = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local first, more = line:match "^> (.*)", line:match "^%.%. ?(.*)"
    if first then
      entries[#entries + 1] = first
    elseif more then
      entries[#entries] = entries[#entries] .. "\n" .. more
    end
  end
  return entries
end

return transcript
