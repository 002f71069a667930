--- page: an entry of the catalogue as the text that help prints.

local catalogue = require "unroll.help.catalogue"
local layout = require "unroll.help.layout"
local parse = require "unroll.help.parse"

local page = {}

-- A function of `unroll` itself that the prompt has under its own name.
local at_hand = { gradcheck = true }

-- --- words --------------------------------------------------------------------------------

--- A type as a reader wants it: unroll.Tensor is tensor, the other classes lose "unroll.".
---@param kind string
---@return string
function page.type_text(kind)
  return (kind:gsub("unroll%.Tensor", "tensor"):gsub("unroll%.", ""))
end

--- How a function or method is called, with what it returns.
---@param entry table
---@return string call "t:matmul(b, out)"
---@return string result "→ tensor", or ""
function page.signature(entry)
  local types = {}
  for _, item in ipairs(entry.record and entry.record.returns or {}) do
    types[#types + 1] = page.type_text(item.type)
  end
  local result = #types > 0 and "→ " .. table.concat(types, ", ") or ""
  local name = entry.name
  if entry.owner and entry.owner.name == "unroll" and not at_hand[name] then
    name = entry.kind == "module" and name or "unroll." .. name
  end
  if entry.kind ~= "function" and entry.kind ~= "method" then return name, "" end
  if entry.kind == "method" then
    name = entry.variable .. ":" .. name:match "[^:]+$"
  elseif name == "tensor.tensor" then
    name = "tensor"
  end
  return ("%s(%s)"):format(name, table.concat((catalogue.call(entry)), ", ")), result
end

-- Up to where a first sentence that is longer may be cut: at its colon.
local long_summary <const> = 120

--- The first sentence of an entry's text.
---@param entry table
---@return string
function page.summary(entry)
  local first = entry.record and entry.record.text[1]
  local text = first and first[1] or ""
  if entry.kind == "module" then text = text:gsub("^[%w_.]+: ", "", 1) end
  local sentence = text:match "^(.-%.)%s" or text
  if #sentence > long_summary then sentence = sentence:match "^(.-):%s" or sentence end
  return (sentence:gsub(":$", ""):gsub("`", ""))
end

-- Names in back quotes are code.
local function inline(text, colour)
  return (text:gsub("`([^`]*)`", function(code) return layout.styled(code, "code", colour) end))
end

-- --- parts of a page ------------------------------------------------------------------------

local put = layout.put

-- The first line: what it is on the left, the dtypes (or the kind) on the right where there is
-- room.
local function put_title(lines, left, result, right, o)
  local full = layout.styled(left, "name", o.colour) .. (result ~= "" and " " .. result or "")
  local room = o.width - layout.length(full) - layout.length(right)
  if room >= 3 then
    lines[#lines + 1] = full .. (right ~= "" and (" "):rep(room)
      .. layout.styled(right, "dim", o.colour) or "")
    return
  end
  put(lines, layout.wrap(full, o.width, "", "    "))
  if right == "" then return end
  put(lines, layout.wrap(layout.styled(right, "dim", o.colour), o.width, "    ", "    "))
end

local function put_code(lines, code, o)
  for _, line in ipairs(code) do
    local rest = line:match "^%s*":sub(1, o.width // 4) .. "    "
    for _, piece in ipairs(layout.fold("  " .. line, o.width, rest)) do
      lines[#lines + 1] = layout.styled(piece, "code", o.colour)
    end
  end
end

local function put_text(lines, blocks, o)
  for i, block in ipairs(blocks) do
    if i > 1 then lines[#lines + 1] = "" end
    if block.code then
      put_code(lines, block.code, o)
    else
      put(lines, layout.wrap(inline(block[1], o.colour), o.width, "  ", "  "))
    end
  end
end

local function described(item, o)
  local kind = page.type_text(item.type)
  if item.optional and not item.text:find "[Dd]efault" then kind = "optional " .. kind end
  local text = inline(item.text, o.colour)
  return layout.styled(kind, "dim", o.colour) .. (text ~= "" and "  " .. text or "")
end

local function rows_of(items, o)
  local rows = {}
  for i, item in ipairs(items) do rows[i] = { item.name, described(item, o) } end
  return rows
end

local function put_items(lines, items, indent, o)
  put(lines, layout.columns(rows_of(items, o), o.width, indent, o.colour))
end

--- The options that a parameter takes, when it is an option table.
---@param param table
---@return table[]? fields
function page.option_fields(param)
  for name in param.type:gmatch "unroll%.[%w_]+" do
    local class = catalogue.get().classes[name]
    if class and class.kind == "options" then return class.record.fields end
  end
  return parse.inline_fields(param.type)
end

-- The options stand below the parameter that takes them.
local function put_params(lines, params, o)
  if #params == 0 then return end
  lines[#lines + 1] = ""
  local rows = rows_of(params, o)
  local widest = layout.widest(rows, o.width - 2)
  for i, param in ipairs(params) do
    put(lines, layout.columns({ rows[i] }, o.width, "  ", o.colour, widest))
    local fields = param.type:find "^unroll" and page.option_fields(param)
    if fields then put_items(lines, fields, o.width < 50 and "    " or "      ", o) end
  end
end

local function put_returns(lines, returns, o)
  local rows = {}
  for _, item in ipairs(returns) do
    if item.text ~= "" then
      rows[#rows + 1] = { #rows == 0 and "Returns" or "", described({ type = item.type,
        text = item.text }, o), style = "dim" }
    end
  end
  if #rows > 0 then put(lines, layout.columns(rows, o.width, "  ", o.colour)) end
end

local function put_labelled(lines, label, text, o)
  if not text or text == "" then return end
  local row = { label, inline(text, o.colour), style = "dim" }
  put(lines, layout.columns({ row }, o.width, "  ", o.colour))
end

local function put_examples(lines, examples, o)
  if #examples == 0 then return end
  lines[#lines + 1] = ""
  for _, example in ipairs(examples) do
    local code = "> " .. example.code:gsub("\n", "\n  >> ")
    local expected = example.expected and "--> " .. example.expected or ""
    local styled = layout.styled(code, "code", o.colour)
    if layout.length(code) + layout.length(expected) + 5 <= o.width then
      lines[#lines + 1] = ("  %s%s"):format(styled, expected ~= "" and "   " .. expected or "")
    else
      put(lines, layout.wrap(styled, o.width, "  ", "      "))
      if expected ~= "" then put(lines, layout.wrap(expected, o.width, "    ", "        ")) end
    end
  end
end

local function put_see(lines, see, o)
  if #see == 0 then return end
  lines[#lines + 1] = ""
  put_labelled(lines, "See also", table.concat(see, ", "):gsub("unroll%.", ""), o)
end

local function put_rest(lines, record, o)
  put_labelled(lines, "Errors", record.errors, o)
  put_labelled(lines, "Source", record.source, o)
  put_examples(lines, record.examples, o)
  put_see(lines, record.see, o)
end

-- --- kinds of pages -------------------------------------------------------------------------

local kinds = {}

kinds["function"] = function(lines, entry, o)
  local record = entry.record
  local call, result = page.signature(entry)
  put_title(lines, call, result, record.dtypes or "", o)
  put_text(lines, record.text, o)
  local _, params = catalogue.call(entry)
  put_params(lines, params, o)
  put_returns(lines, record.returns, o)
  put_rest(lines, record, o)
  if entry.background then
    lines[#lines + 1] = ""
    local text = entry.background.text
    local is_known = entry.full_name ~= nil -- then its first paragraph repeats the page's
    put_text(lines, table.move(text, is_known and 2 or 1, #text, 1, {}), o)
  end
end
kinds.method = kinds["function"]

function kinds.value(lines, entry, o)
  local value = entry.value
  local shown = type(value) == "string" and ("%q"):format(value)
    or math.type(value) and tostring(value) or ""
  put_title(lines, (page.signature(entry)), shown, type(value), o)
  put_text(lines, entry.record.text, o)
  put_rest(lines, entry.record, o)
end

-- tensor.tanh_ is tensor.tanh in place: the lists name it behind the others.
local function split_in_place(members)
  local names, rest, in_place = {}, {}, {}
  for _, member in ipairs(members) do names[member.name] = true end
  for _, member in ipairs(members) do
    local base = member.name:match "^(.*)_$"
    table.insert(base and names[base] and in_place or rest, member)
  end
  return rest, in_place
end

--- The members of a module or class in groups, under the headings of the files they are in.
---@param members table[] entries
---@return table[] groups lists of entries with heading = "" or a text, and in_place, those that
--- only repeat one of the list with "_"
function page.groups(members)
  local groups, by_heading = {}, {}
  for _, member in ipairs(members) do
    local heading = member.record and member.record.heading or ""
    if not by_heading[heading] then
      by_heading[heading] = {}
      groups[#groups + 1] = { heading = heading, members = by_heading[heading] }
    end
    table.insert(by_heading[heading], member)
  end
  for i, group in ipairs(groups) do
    local rest, in_place = split_in_place(group.members)
    rest.heading, rest.in_place = #groups > 1 and group.heading or "", in_place
    groups[i] = rest
  end
  return groups
end

local function put_group(lines, group, o)
  local rows, names = {}, {}
  for i, member in ipairs(group) do
    rows[i] = { (page.signature(member)), page.summary(member) }
  end
  put(lines, layout.list(rows, o.width, "  ", o.colour))
  for i, member in ipairs(group.in_place) do names[i] = member.name:match "[^.:]+$" end
  if #names > 0 then
    local text = "in place: " .. table.concat(names, " ")
    put(lines, layout.wrap(text, o.width, "  ", "    "))
  end
end

local function put_members(lines, members, o)
  for _, group in ipairs(page.groups(members)) do
    lines[#lines + 1] = ""
    if group.heading ~= "" then
      lines[#lines + 1] = layout.styled(group.heading, "heading", o.colour)
    end
    put_group(lines, group, o)
  end
end

function kinds.module(lines, entry, o)
  local how = entry.full_name and ('require "%s"'):format(entry.full_name) or "module"
  put_title(lines, entry.name, "", how, o)
  local text = entry.record.text
  local first = { (text[1][1]:gsub("^[%w_.]+: ", "", 1)) }
  put_text(lines, table.move(text, 2, #text, 2, { first }), o)
  put_labelled(lines, "Source", entry.record.source, o)
  put_examples(lines, entry.record.examples, o)
  put_members(lines, catalogue.members(entry), o)
  put_see(lines, entry.record.see, o)
end

function kinds.class(lines, entry, o)
  put_title(lines, entry.name, "", "class " .. entry.class, o)
  put_text(lines, entry.record.text, o)
  if #entry.record.fields > 0 then
    lines[#lines + 1] = ""
    put_items(lines, entry.record.fields, "  ", o)
  end
  put_examples(lines, entry.record.examples, o)
  put_members(lines, catalogue.members(entry), o)
  put_see(lines, entry.record.see, o)
end
kinds.options = kinds.class

--- The page of an entry.
---@param entry table of the catalogue, with a record
---@param o table width (columns), colour
---@return string text without a line end
function page.text(entry, o)
  local lines = {}
  if not entry.record then
    put_title(lines, (page.signature(entry)), "", "", o)
    lines[2] = "  (no help)"
  else
    kinds[entry.kind](lines, entry, o)
  end
  return table.concat(lines, "\n")
end

--- One line for an entry: its signature and its first sentence, cut at the width.
---@param entries table[]
---@param o table width, colour
---@return string text
function page.list(entries, o)
  local rows = {}
  for i, entry in ipairs(entries) do
    rows[i] = { (page.signature(entry)), page.summary(entry) }
  end
  return table.concat(layout.list(rows, o.width, "", o.colour), "\n")
end

return page
