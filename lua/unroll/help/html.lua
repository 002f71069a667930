--- html: text as HTML, with every known name made a link.

local catalogue = require "unroll.help.catalogue"

local html = {}

--- Text with the characters that HTML takes for itself escaped.
---@param text string
---@return string
function html.escape(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
    ['"'] = "&quot;" }))
end

-- --- where names lead -----------------------------------------------------------------------

local links -- name as it stands in texts -> "page.html#anchor"

--- The address of an entry, from any page of the manual.
---@param entry table
---@return string
function html.address(entry)
  entry = entry.twin or entry
  local file = catalogue.home(entry) .. ".html"
  if entry.kind == "module" and not entry.name:find "%." then return file end
  return file .. "#" .. entry.name
end

local function method_names(entry)
  local method, class = entry.name:match "[^:]+$", entry.owner
  return { entry.name, class.variable .. ":" .. method, class.name:lower() .. ":" .. method }
end

local function all_links()
  local found = {}
  for _, entry in ipairs(catalogue.get().list) do
    if entry.record then
      local names = entry.kind == "method" and method_names(entry) or { entry.name, entry.class }
      for _, name in ipairs(names) do found[name] = found[name] or html.address(entry) end
    end
  end
  return found
end

--- The address of a name as texts write it; nil when it is not known.
---@param name string "tensor.matmul", "t:matmul", "unroll.Model", "unroll.train.fit"
---@return string?
function html.link(name)
  links = links or all_links()
  return links[name] or links[(name:gsub("^unroll%.", ""))]
end

local function linked(name)
  local address = html.link(name)
  return address and ('<a href="%s">%s</a>'):format(address, name) or name
end

-- Names with a dot or a colon inside; a word alone is a word.
local function link_names(escaped)
  return (escaped:gsub("[%a_][%w_]*[.:][%w_.:]*[%w_]", function(name)
    return linked(name)
  end))
end

--- A paragraph's inside: escaped, code in back quotes, names linked.
---@param text string
---@return string
function html.inline(text)
  local parts, at = {}, 1
  for before, code, after in text:gmatch "()`([^`]*)`()" do
    parts[#parts + 1] = link_names(html.escape(text:sub(at, before - 1)))
    local escaped = html.escape(code)
    local alone = html.link(escaped)
    parts[#parts + 1] = "<code>" .. (alone and linked(escaped) or link_names(escaped)) .. "</code>"
    at = after
  end
  parts[#parts + 1] = link_names(html.escape(text:sub(at)))
  return table.concat(parts)
end

-- Comments and results in code are quieter than the code.
local function code_line(line)
  local code, quiet = line:match "^(.-)(%-%-.*)$"
  if not code then return link_names(html.escape(line)) end
  return link_names(html.escape(code)) .. "<i>" .. link_names(html.escape(quiet)) .. "</i>"
end

--- Lines of code as a block.
---@param lines string[]
---@return string
function html.code(lines)
  local indent
  for _, line in ipairs(lines) do
    local n = #line:match "^%s*"
    indent = math.min(indent or n, n)
  end
  local out = {}
  for i, line in ipairs(lines) do out[i] = code_line(line:sub((indent or 0) + 1)) end
  return "<pre>" .. table.concat(out, "\n") .. "</pre>\n"
end

--- A type, its classes linked.
---@param kind string
---@return string
function html.type(kind)
  local text = html.escape(kind):gsub("unroll%.[%w_]+", function(name)
    local address = html.link(name)
    local short = name == "unroll.Tensor" and "tensor" or name:gsub("^unroll%.", "")
    return address and ('<a href="%s">%s</a>'):format(address, short) or short
  end)
  return '<span class="type">' .. text .. "</span>"
end

return html
