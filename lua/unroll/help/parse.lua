--- parse: reads documentation comments (LuaLS annotations) into records.
--
-- A block is a run of lines that start with three dashes, and stands above what it
-- documents: a function, a value, a class. A record is
--   { name =, kind = "function"|"value"|"class"|"module", line =, doc_line =, arguments =,
--     text = { blocks }, params, returns, fields =, see, examples =, errors, source, dtypes }
-- where line is that of the definition, as debug.getinfo gives it. A block of text is
-- { "words ..." } or, where the lines are indented, { code = { "line", ... } }.
-- params and fields are lists of { name, type, optional, text }, returns of { type, text },
-- examples of { code, expected }.

local parse = {}

-- The line a block stands above, and what it defines. The last one is for `return
-- function(...)`, which has no name.
local definitions = {
  { "^%s*local%s+function%s+([%w_]+)%s*%((.-)%)", "function" },
  { "^%s*function%s+([%w_.:]+)%s*%((.-)%)", "function" },
  { "^%s*local%s+([%w_]+)%s*=%s*function%s*%((.-)%)", "function" },
  { "^%s*([%w_.]+)%s*=%s*function%s*%((.-)%)", "function" },
  { "^%s*local%s+([%w_]+)%s*=", "value" },
  { "^%s*([%w_.]+)%s*=", "value" },
}

local function definition_of(line)
  for _, form in ipairs(definitions) do
    local name, arguments = line:match(form[1])
    if name then return form[2], name, arguments end
  end
  local arguments = line:match "^%s*return%s+function%s*%((.-)%)"
  if arguments then return "function", nil, arguments end
end

-- --- types --------------------------------------------------------------------------------

local opening = { ["("] = 1, ["{"] = 1, ["["] = 1, ["<"] = 1, [")"] = -1, ["}"] = -1,
  ["]"] = -1, [">"] = -1 }

-- Where the type that starts at `first` ends: at a space outside of brackets and quotes
-- that does not stand after ":" or beside "|".
local function end_of_type(text, first)
  local _, simple = text:find("^[%w_.?%[%]]+", first)
  if simple and (simple == #text or text:find("^%s+[^|%s]", simple + 1)) then return simple end
  local depth, i = 0, first
  while i <= #text do
    local c = text:sub(i, i)
    if c == '"' then
      i = text:find('"', i + 1, true) or #text
    elseif c:find "%s" and depth == 0 then
      local joined = text:sub(first, i - 1):find "[:|]$" or text:find("^%s+|", i)
      if not joined then return i - 1 end
    else
      depth = depth + (opening[c] or 0)
    end
    i = i + 1
  end
  return #text
end

local function split_type(text)
  local last = end_of_type(text, 1)
  return text:sub(1, last), (text:sub(last + 1):gsub("^[%s#]+", ""))
end

-- "name? type text" -> { name, optional, type, text }. "[integer]" is the name of all elements.
local function named(rest)
  local name, optional, tail = rest:match "^([%w_.]+)(%??)%s*(.*)$"
  if not name then name, optional, tail = rest:match "^(%b[])(%??)%s*(.*)$" end
  if not name then return { name = rest, type = "any", text = "" } end
  local kind, text = split_type(tail)
  return { name = name, optional = optional == "?" or nil, type = kind, text = text }
end

-- --- the lines of a block -----------------------------------------------------------------

-- Annotations: each takes the record and the rest of its line, and returns the table
-- whose `text` the lines after it go on with.
local tags = {}

function tags.param(record, rest)
  local item = named(rest)
  table.insert(record.params, item)
  return item
end

function tags.field(record, rest)
  local item = named(rest)
  table.insert(record.fields, item)
  return item
end

tags["return"] = function(record, rest)
  local kind, text = split_type(rest)
  local item = { type = kind, text = text }
  table.insert(record.returns, item)
  return item
end

function tags.class(record, rest)
  record.class, record.parent = rest:match "^([%w_.]+)%s*:?%s*([%w_.]*)"
end

function tags.see(record, rest)
  for name in rest:gmatch "[^%s,]+" do table.insert(record.see, name) end
end

function tags.overload(record, rest) table.insert(record.overloads, rest) end
function tags.operator(record, rest) table.insert(record.operators, rest) end

local keywords = { Errors = "errors", Source = "source", Dtypes = "dtypes" }

local function add_example(record, code)
  local statement, expected = code:match "^(.-)%s+%-%->%s*(.-)%s*$"
  table.insert(record.examples, { code = statement or code, expected = expected })
end

local function add_text(record, content, joins)
  local blocks = record.text
  local last = joins and blocks[#blocks]
  if content:find "^%s%s" then
    if last and last.code then
      table.insert(last.code, content)
    else
      table.insert(blocks, { code = { content } })
    end
  elseif last and not last.code then
    last[1] = last[1] .. " " .. content
  else
    table.insert(blocks, { content })
  end
end

-- Lines that are marked by how they begin; each returns true when the line is its own.
local marked = {}

-- "@param x number": the lines after it may go on with its text.
marked["@"] = function(record, inner, context)
  local tag, rest = inner:match "^@(%a+)%s*(.*)$"
  local item = tags[tag] and tags[tag](record, rest)
  context.open, context.joins = item or nil, false
  return true
end

-- "> code --> value", ">> more code".
marked[">"] = function(record, inner, context)
  local code = inner:match "^>%s+(.*)$"
  local example = record.examples[#record.examples]
  if code then
    add_example(record, code)
    context.open, context.joins = nil, false
  elseif example and inner:find "^>>%s" then
    example.code = example.code .. "\n" .. inner:sub(4)
  else
    return false
  end
  return true
end

-- "--> value" under the code of an example.
marked["-"] = function(record, inner)
  local result, example = inner:match "^%-%->%s*(.-)%s*$", record.examples[#record.examples]
  if not result or not example then return false end
  example.expected = result
  return true
end

local function read_keyword(record, inner, context)
  local keyword, said = inner:match "^(%u%l+):%s*(.*)$"
  if not keywords[keyword] then return false end
  context.open = { text = said }
  record[keywords[keyword]] = context.open
  return true
end

-- Where the current line goes on from the last one: `open` is what an annotation
-- returned, `joins` says whether the last line was text of the same paragraph.
local function read_line(record, content, context)
  local inner = content:sub(1, 1) == " " and content:sub(2) or content
  local first = inner:match "^%s*(%S?)"
  local read = marked[first]
  if first == "" then
    context.open, context.joins = nil, false
  elseif read and read(record, read == marked["-"] and inner:match "^%s*(.*)$" or inner, context)
    or read_keyword(record, inner, context) then
    return
  elseif context.open then
    context.open.text = (context.open.text .. " " .. inner:match "^%s*(.*)$"):match "^%s*(.*)$"
  else
    add_text(record, inner, context.joins)
    context.joins = true
  end
end

-- A block of lines to a record without a name.
local function read_block(lines, first)
  local record = { doc_line = first, line = first, text = {}, params = {}, returns = {},
    fields = {}, see = {}, overloads = {}, operators = {}, examples = {} }
  local context = {}
  for _, line in ipairs(lines) do read_line(record, line, context) end
  for _, key in pairs(keywords) do
    if record[key] then record[key] = record[key].text end
  end
  return record
end

-- --- files --------------------------------------------------------------------------------

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

-- The definition may take several lines: up to the bracket that closes the arguments.
local function joined_definition(lines, i)
  local line = lines[i] or ""
  if not line:find("function", 1, true) then return line end
  for k = i + 1, math.min(i + 5, #lines) do
    if line:find "%)" then break end
    line = line .. " " .. lines[k]:gsub("^%s+", "")
  end
  return line
end

-- Gives the record the name and kind of what stands below it; false when that is nothing.
local function attach(record, lines, i)
  local kind, name, arguments = definition_of(joined_definition(lines, i))
  record.kind, record.name, record.arguments = kind, name, arguments
  if kind then record.line = i end
  if record.class then record.kind = "class" end
  return record.kind ~= nil
end

-- The comment at the top of a file, which goes on with two dashes: its module's page.
local function read_top(lines)
  if not lines[1] or not lines[1]:find "^%-%-%-[^-]" then return nil, 1 end
  local block, i = {}, 1
  while lines[i] and lines[i]:find "^%-%-" do
    block[i] = lines[i]:gsub("^%-%-%-?", "")
    i = i + 1
  end
  local record = read_block(block, 1)
  if record.class or definition_of(joined_definition(lines, i)) == "function" then return nil, 1 end
  record.kind = "module"
  return record, i
end

-- What stands after three dashes (not more) at the start of a line; nil in other lines.
local function documentation_in(line)
  if not line or not line:find("---", 1, true) then return nil end
  local content = line:match "^%s*%-%-%-(.*)$"
  return content and content:byte() ~= 45 and content or nil
end

--- The records of a Lua file (or of the stubs of a C file), in their order.
---@param text string the source
---@return table[] records
function parse.file(text)
  local lines, records = lines_of(text), {}
  local top, i = read_top(lines)
  records[1] = top
  while i <= #lines do
    local block, first = {}, i
    local content = documentation_in(lines[i])
    while content do
      block[#block + 1] = content
      i = i + 1
      content = documentation_in(lines[i])
    end
    if #block > 0 then
      local record = read_block(block, first)
      if attach(record, lines, i) then records[#records + 1] = record end
    else
      i = i + 1
    end
  end
  return records
end

--- The names of the arguments in "a, b, ...".
---@param arguments string
---@return string[]
function parse.arguments(arguments)
  local names = {}
  for name in arguments:gmatch "[%w_.]+" do names[#names + 1] = name end
  return names
end

--- The type of a field of an inline table type: the options in `{dtype: string}`.
---@param kind string a type
---@return table[]? fields as of a class; nil when the type is no such table
function parse.inline_fields(kind)
  local inside = kind:match "^{(.*)}$"
  if not inside or not inside:find ":" then return nil end
  local fields = {}
  for name, optional, type_name in inside:gmatch "([%w_]+)(%??):%s*([^,}]+)" do
    fields[#fields + 1] = { name = name, optional = optional == "?", type = type_name, text = "" }
  end
  return fields
end

return parse
