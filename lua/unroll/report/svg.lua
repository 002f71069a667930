--- SVG files as parts of a page.
local svg = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escape(text) return (text:gsub('[&<>"]', entities)) end

local widest = 1.65   -- CSS pixels for a point of the figure on a wide screen
local narrowest = 1.05 -- and on a narrow one, where it scrolls: words stay readable

--- An SVG document as an element of HTML: no prologue, the page gives the width between two
--- bounds, and every id begins with `prefix`, so that several figures do not take each other's
--- letters. It is one picture with a name, whatever title it had.
---@param text string an SVG document
---@param prefix string
---@param alt table title and description, for those who do not see the picture
---@return string
--- Errors: a text that has no <svg> element.
function svg.inline(text, prefix, alt)
  local start = text:find "<svg"
  if not start then error("svg.inline: the text has no <svg> element", 2) end
  local tag, body = text:sub(start):match "^(<svg[^>]*>)(.*)$"
  local points = tonumber(tag:match ' width="([%d.]+)')
  tag = tag:gsub(' width="[^"]*"', ""):gsub(' height="[^"]*"', "")
  tag = tag:gsub(">$", (' role="img" aria-labelledby="%salt">'):format(prefix))
    .. ('<title id="%salt">%s: %s</title>'):format(prefix, escape(alt.title),
      escape(alt.description))
  if points then
    tag = tag:gsub("^<svg", ('<svg style="max-width:%.0fpx;min-width:%.0fpx"'):format(
      points * widest, points * narrowest))
  end
  body = body:gsub('(%sid=")', "%1" .. prefix)
  body = body:gsub('(href="#)', "%1" .. prefix)
  body = body:gsub("(url%(#)", "%1" .. prefix)
  return tag .. body:gsub("%s+$", "")
end

return svg
