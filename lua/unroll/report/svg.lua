--- SVG files as parts of a page.
local svg = {}

--- An SVG document as an element of HTML: no prologue, the page gives the width, and every
--- id begins with `prefix`, so that several figures do not take each other's letters.
---@param text string an SVG document
---@param prefix string
---@return string
--- Errors: a text that has no <svg> element.
function svg.inline(text, prefix)
  local start = text:find "<svg"
  if not start then error("svg.inline: the text has no <svg> element", 2) end
  local tag, rest = text:sub(start):match "^(<svg[^>]*>)(.*)$"
  tag = tag:gsub(' width="[^"]*"', ""):gsub(' height="[^"]*"', "")
  local body = tag .. rest
  body = body:gsub('(%sid=")', "%1" .. prefix)
  body = body:gsub('(href="#)', "%1" .. prefix)
  body = body:gsub("(url%(#)", "%1" .. prefix)
  return (body:gsub("%s+$", ""))
end

return svg
