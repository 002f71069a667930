--- manual: the catalogue as HTML pages, one a module, with a search that needs no server.
--
-- Every page holds its style and reads index.js beside it, so that the folder can be opened
-- from a disk, put on a server or printed.

local catalogue = require "unroll.help.catalogue"
local html = require "unroll.help.html"
local page = require "unroll.help.page"
local search = require "unroll.help.search"
local resource = require "unroll.resource"

local manual = {}

-- --- parts of an entry --------------------------------------------------------------------

local function put(out, ...)
  for _, text in ipairs { ... } do out[#out + 1] = text end
end

local function put_text(out, blocks)
  for _, block in ipairs(blocks) do
    put(out, block.code and html.code(block.code) or "<p>" .. html.inline(block[1]) .. "</p>\n")
  end
end

local function item_row(name, item)
  local optional = item.optional and ' <span class="optional">optional</span>' or ""
  return ("<dt><code>%s</code></dt><dd>%s%s %s</dd>\n"):format(name, html.type(item.type), optional,
    html.inline(item.text))
end

local deepest <const> = 2 -- option tables inside of option tables

local function put_items(out, items, depth)
  depth = depth or 0
  if #items == 0 then return end
  put(out, "<dl>\n")
  for _, item in ipairs(items) do
    put(out, item_row(item.name, item))
    local fields = depth < deepest and item.type:find "^unroll" and page.option_fields(item)
    if fields then
      put(out, '<dd class="options">')
      put_items(out, fields, depth + 1)
      put(out, "</dd>\n")
    end
  end
  put(out, "</dl>\n")
end

local function put_returns(out, returns)
  local described = {}
  for _, item in ipairs(returns) do
    if item.text ~= "" then
      described[#described + 1] = ("<dt>%s</dt><dd>%s %s</dd>\n"):format(
        #described == 0 and "returns" or "", html.type(item.type), html.inline(item.text))
    end
  end
  if #described > 0 then put(out, '<dl class="quiet">\n', table.concat(described), "</dl>\n") end
end

local function put_notes(out, record)
  local rows = {}
  for _, note in ipairs { { "errors", record.errors }, { "source", record.source } } do
    if note[2] then
      rows[#rows + 1] = ("<dt>%s</dt><dd>%s</dd>\n"):format(note[1], html.inline(note[2]))
    end
  end
  if #rows > 0 then put(out, '<dl class="quiet">\n', table.concat(rows), "</dl>\n") end
end

local function put_examples(out, examples)
  if #examples == 0 then return end
  local lines = {}
  for _, example in ipairs(examples) do
    local result = example.expected and "   --> " .. example.expected or ""
    local first = true
    for line in (example.code .. "\n"):gmatch "([^\n]*)\n" do
      lines[#lines + 1] = (first and "> " or "  ") .. line
      first = false
    end
    lines[#lines] = lines[#lines] .. result
  end
  put(out, html.code(lines))
end

local function put_see(out, see)
  if #see == 0 then return end
  local words = {}
  for i, name in ipairs(see) do
    local address, shown = html.link(name), name:gsub("^unroll%.", "")
    words[i] = address and ('<a href="%s">%s</a>'):format(address, shown) or shown
  end
  put(out, '<p class="see">See also ', table.concat(words, ", "), "</p>\n")
end

local function put_place(out, record)
  if record.path then
    put(out, ('<span class="place">%s:%d</span>'):format(html.escape(record.path), record.line))
  end
end

-- --- entries ------------------------------------------------------------------------------

local function heading(out, entry, level)
  local call, result = page.signature(entry)
  local result_html = ""
  if result ~= "" then
    local types = {}
    for i, item in ipairs(entry.record.returns) do types[i] = html.type(item.type) end
    result_html = ' <span class="result">→ ' .. table.concat(types, ", ") .. "</span>"
  end
  local name, rest = call:match "^([^(]*)(.*)$"
  put(out, ('<h%d><a class="self" href="#%s"><b>%s</b>%s</a>%s'):format(level,
    html.escape(entry.name), html.escape(name), html.escape(rest), result_html))
  if entry.record.dtypes then
    put(out, ' <span class="dtypes">', html.escape(entry.record.dtypes), "</span>")
  end
  put(out, ("</h%d>\n"):format(level))
end

-- Not on the page of a module that is a function, which begins with it.
local function put_background(out, entry)
  if not entry.background or entry.full_name then return end
  local text = entry.background.text
  put(out, "<details><summary>", html.inline(text[1][1]), "</summary>\n")
  put_text(out, table.move(text, 2, #text, 1, {}))
  put(out, "</details>\n")
end

local function put_function(out, entry)
  local record = entry.record
  put(out, ('<section class="entry" id="%s">\n'):format(html.escape(entry.name)))
  put_place(out, record)
  heading(out, entry, 3)
  put_text(out, record.text)
  local _, params = catalogue.call(entry)
  put_items(out, params)
  put_returns(out, record.returns)
  put_notes(out, record)
  put_examples(out, record.examples)
  put_see(out, record.see)
  put_background(out, entry)
  put(out, "</section>\n")
end

local function put_value(out, entry)
  put(out, ('<section class="entry" id="%s">\n'):format(html.escape(entry.name)))
  heading(out, entry, 3)
  put_text(out, entry.record.text)
  put_examples(out, entry.record.examples)
  put_see(out, entry.record.see)
  put(out, "</section>\n")
end

local function put_table(out, members)
  put(out, '<table class="contents">\n')
  for _, member in ipairs(members) do
    if member.record then
      put(out, ('<tr><td><a href="%s"><code>%s</code></a></td><td>%s</td></tr>\n'):format(
        html.address(member), html.escape((page.signature(member))),
        html.inline(page.summary(member))))
    end
  end
  put(out, "</table>\n")
end

local function put_in_place(out, members)
  if #members == 0 then return end
  local words = {}
  for i, member in ipairs(members) do
    words[i] = ('<a href="%s">%s</a>'):format(html.address(member), member.name:match "[^.:]+$")
  end
  put(out, '<p class="see">In place: <code>', table.concat(words, " "), "</code></p>\n")
end

local function put_contents(out, members)
  for _, group in ipairs(page.groups(members)) do
    if group.heading ~= "" then put(out, "<h4>", html.escape(group.heading), "</h4>\n") end
    put_table(out, group)
    put_in_place(out, group.in_place)
  end
end

local put_module

local function put_member(out, member)
  if member.kind == "module" then
    put_module(out, member, 2)
  elseif member.kind == "value" then
    put_value(out, member)
  else
    put_function(out, member)
  end
end

local function put_members(out, members)
  for _, member in ipairs(members) do
    if member.record and not member.twin then put_member(out, member) end
  end
end

function put_module(out, entry, level)
  local text = entry.record.text
  put(out, ('<h%d id="%s">%s</h%d>\n'):format(level, entry.name, entry.name, level))
  local first = { (text[1][1]:gsub("^[%w_.]+: ", "", 1)) }
  put(out, '<p class="lead">', html.inline(first[1]), "</p>\n")
  put_text(out, table.move(text, 2, #text, 1, {}))
  put_notes(out, entry.record)
  put_examples(out, entry.record.examples)
  put_contents(out, catalogue.members(entry))
  put_members(out, catalogue.members(entry))
end

local function put_class(out, entry)
  local record = entry.record
  put(out, ('<section class="class" id="%s">\n<h2>%s <span class="kind">%s</span></h2>\n'):format(
    entry.name, entry.name, entry.name:find "Options$" and "options" or "class " .. entry.class))
  put_text(out, record.text)
  put_items(out, record.fields)
  put_examples(out, record.examples)
  put_contents(out, catalogue.members(entry))
  put_see(out, record.see)
  put_members(out, catalogue.members(entry))
  put(out, "</section>\n")
end

-- --- pages --------------------------------------------------------------------------------

-- The modules that have a page, in the order of the catalogue.
local function page_entries()
  local list = { catalogue.get().by_name.unroll }
  for _, entry in ipairs(catalogue.get().list) do
    local is_top = not entry.name:find "[.:]" and entry.name ~= "unroll"
    if is_top and (entry.kind == "module" or entry.full_name) and entry.record then
      list[#list + 1] = entry
    end
  end
  return list
end

local function put_navigation(out, current)
  put(out, '<nav id="modules"><details><summary>Modules</summary>\n')
  put(out, '<a href="index.html"', current == "index" and ' class="here"' or "", ">Guide</a>\n")
  local inside = false
  for _, entry in ipairs(page_entries()) do
    if not catalogue.is_main(entry) and not inside then
      put(out, '<span class="divider">inside</span>\n')
      inside = true
    end
    put(out, ('<a href="%s.html"%s>%s</a>\n'):format(entry.name,
      entry.name == current and ' class="here"' or "", entry.name))
  end
  put(out, '<span class="divider">lists</span><a href="papers.html"',
    current == "papers" and ' class="here"' or "", ">papers</a>\n</details></nav>\n")
end

local head = [[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
%s</style>
</head>
<body>
<header><a class="home" href="index.html">unroll</a>
<div class="search"><input id="search" type="search" placeholder="Search  (press /)"
 aria-label="Search" autocomplete="off" spellcheck="false"><div id="found" hidden></div></div>
</header>
<div class="columns">
]]

local foot = [[
</main>
</div>
<script src="index.js"></script>
<script>
%s</script>
</body>
</html>
]]

local function read(name) return assert(resource.read("help/manual/" .. name)) end

local function document(name, title, body)
  local out = { head:format(html.escape(title), (read "style.css")) }
  put_navigation(out, name)
  put(out, "<main>\n", body, foot:format((read "search.js")))
  return { name = name .. ".html", text = table.concat(out) }
end

local function put_classes(out, module, kind)
  for _, entry in ipairs(catalogue.get().list) do
    if entry.kind == kind and catalogue.home(entry) == module then put_class(out, entry) end
  end
end

local function module_page(entry)
  local out = {}
  if entry.kind == "module" then
    put_module(out, entry, 1)
  else
    put(out, "<h1>", entry.name, "</h1>\n")
    put_text(out, entry.background and entry.background.text or {})
    put_function(out, entry)
  end
  put_classes(out, entry.name, "class")
  put_classes(out, entry.name, "options")
  return document(entry.name, entry.name .. " · unroll", table.concat(out))
end

-- --- lists --------------------------------------------------------------------------------

-- Every paper that an entry names, with the entries that do.
local function papers()
  local by_text, list = {}, {}
  for _, entry in ipairs(catalogue.get().list) do
    for paper in ((entry.record or {}).source or ""):gmatch "[^;]+" do
      paper = paper:match "^%s*(.-)%.?%s*$"
      if not by_text[paper] then
        by_text[paper] = { text = paper }
        list[#list + 1] = by_text[paper]
      end
      table.insert(by_text[paper], entry)
    end
  end
  table.sort(list, function(a, b) return a.text < b.text end)
  return list
end

local function papers_page()
  local out = { '<h1>papers</h1>\n<p class="lead">What the functions were taken from.</p>\n'
    .. '<dl class="papers">\n' }
  for _, paper in ipairs(papers()) do
    put(out, "<dt>", html.escape(paper.text), "</dt><dd>")
    local words = {}
    for i, entry in ipairs(paper) do
      words[i] = ('<a href="%s">%s</a>'):format(html.address(entry), entry.name)
    end
    put(out, table.concat(words, ", "), "</dd>\n")
  end
  put(out, "</dl>\n")
  return document("papers", "papers · unroll", table.concat(out))
end

local function put_cards(out, is_inside)
  put(out, '<div class="cards">\n')
  for _, entry in ipairs(page_entries()) do
    if catalogue.is_main(entry) ~= is_inside and entry.name ~= "unroll" then
      put(out, ('<a class="card" href="%s.html"><b>%s</b><span>%s</span></a>\n'):format(entry.name,
        entry.name, html.escape(page.summary(entry))))
    end
  end
  put(out, "</div>\n")
end

-- The commands of the prompt, from where they are defined.
local function put_commands(out)
  local list, names = require("unroll.prompt.commands").list, {}
  for name in pairs(list) do names[#names + 1] = name end
  table.sort(names)
  put(out, "<dl>\n")
  for _, name in ipairs(names) do
    put(out, ("<dt><code>%s</code></dt><dd>%s</dd>\n"):format(html.escape(list[name].usage),
      html.inline(list[name].text)))
  end
  put(out, "</dl>\n")
end

local function index_page()
  local text = read "guide.html"
  local cards, inside, commands = {}, {}, {}
  put_cards(cards, false)
  put_cards(inside, true)
  put_commands(commands)
  text = text:gsub("<pre>(.-)</pre>", function(code)
    local lines = {}
    for line in (code:gsub("^\n", "") .. "\n"):gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
    return html.code(lines)
  end)
  text = text:gsub("@modules@", function() return table.concat(cards) end)
    :gsub("@inside@", function() return table.concat(inside) end)
    :gsub("@commands@", function() return table.concat(commands) end)
  return document("index", "unroll: the manual", text)
end

-- --- search -------------------------------------------------------------------------------

local function script_string(text)
  return '"' .. text:gsub('[\\"]', "\\%0"):gsub("\n", " "):gsub("</", "<\\/") .. '"'
end

local function search_index()
  local rows = {}
  for _, entry in ipairs(catalogue.get().list) do
    if entry.record and not entry.twin then
      local words = {}
      for _, list in ipairs { entry.record.params, entry.record.fields } do
        for _, item in ipairs(list) do words[#words + 1] = item.name .. " " .. item.text end
      end
      words[#words + 1] = entry.record.source
      for i, block in ipairs(entry.record.text) do
        if block[1] and i > 1 then words[#words + 1] = block[1] end
      end
      rows[#rows + 1] = ("[%s,%s,%s,%s,%s,%d]"):format(script_string(entry.name),
        script_string((page.signature(entry))), script_string(page.summary(entry)),
        script_string(html.address(entry)), script_string(table.concat(words, " "):sub(1, 600)),
        search.rank(entry))
    end
  end
  return { name = "index.js", text = "window.unrollIndex = [\n" .. table.concat(rows, ",\n")
    .. "\n];\n" }
end

--- The files of the manual.
---@return table[] files list of { name, text }
function manual.files()
  local files = { index_page(), papers_page(), search_index() }
  for _, entry in ipairs(page_entries()) do files[#files + 1] = module_page(entry) end
  return files
end

return manual
