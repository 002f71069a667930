--- tables: a Lua table as text in Lua's syntax, on as few lines as fit.
--
--   { 1, 2, 3, name = "x", { … } }
--
-- Two passes. The first one finds what is shown of each table (at most `items` of a
-- level, `depth` levels) and which tables come more than once: those get a number. The
-- second makes a tree of texts and groups, and each group goes on one line when it fits,
-- else on several. Nothing of the table is called: no __index, no __pairs.

local text = require "unroll.display.text"

local tables = {}

local most_sorted <const> = 2000 -- keys; of a larger table the first ones that come
local most_shared <const> = 24 -- columns; a longer text stands on a line of its own

-- --- what is shown -------------------------------------------------------------------------

local ranks = { number = 1, string = 2, boolean = 3 }

-- "key2" comes before "key10".
local function natural(name)
  return (name:gsub("%d+", function(digits) return ("0"):rep(12 - #digits) .. digits end))
end

local function comes_before(a, b)
  local ra, rb = ranks[type(a)] or 4, ranks[type(b)] or 4
  if ra ~= rb then return ra < rb end
  if ra == 1 then return a < b end
  if ra == 2 then
    local natural_a, natural_b = natural(a), natural(b)
    if natural_a ~= natural_b then return natural_a < natural_b end
    return a < b
  end
  return tostring(a) < tostring(b)
end

-- How many keys are in 1..border, the integers beyond it, all other keys, and how many
-- keys there were too many.
local function split_keys(t)
  local border, within, beyond, others, dropped = rawlen(t), 0, {}, {}, 0
  for key in next, t do
    local is_integer = math.type(key) == "integer"
    if is_integer and key >= 1 and key <= border then
      within = within + 1
    elseif #others + #beyond >= most_sorted then
      dropped = dropped + 1
    elseif is_integer and key > border then
      beyond[#beyond + 1] = key
    else
      others[#others + 1] = key
    end
  end
  return within, beyond, others, dropped
end

-- The length of the array part with its holes: more than half of it must be there.
local function length_with_holes(border, within, beyond)
  local length = border
  table.sort(beyond)
  for i, key in ipairs(beyond) do
    if 2 * (within + i) > key then length = key end
  end
  return length
end

-- entries: list of { key = (nil in the array part), value = }, and how many are left out.
local function entries_of(t, items)
  local within, beyond, others, dropped = split_keys(t)
  local length = length_with_holes(rawlen(t), within, beyond)
  for _, key in ipairs(beyond) do
    if key > length then others[#others + 1] = key end
  end
  table.sort(others, comes_before)
  local list, from_array = {}, math.min(length, math.max(items - #others, items // 2))
  for i = 1, from_array do list[i] = { value = rawget(t, i) } end
  local from_hash = math.min(#others, items - from_array)
  for i = 1, from_hash do
    list[#list + 1] = { key = others[i], value = rawget(t, others[i]) }
  end
  return { list = list, array = from_array, left_in_array = length - from_array,
    left = #others - from_hash + dropped }
end

-- --- the first pass ------------------------------------------------------------------------

local function is_open(value, context)
  return type(value) == "table" and not context.object(value)
end

local function count(t, context, depth)
  local seen = context.seen[t] or 0
  context.seen[t] = seen + 1
  if seen > 0 or depth > context.depth then return end
  local entries = entries_of(t, context.items)
  context.entries[t] = entries
  for _, entry in ipairs(entries.list) do
    if is_open(entry.key, context) then count(entry.key, context, depth + 1) end
    if is_open(entry.value, context) then count(entry.value, context, depth + 1) end
  end
end

-- --- the second pass: nodes ------------------------------------------------------------------
-- A node is a text, or a group { head =, list of { key = text?, node = }, tail = text? }.

local reserved = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or
  repeat return then true until while]]):gmatch "%a+" do reserved[word] = true end

local node_of

local function key_text(key, context, depth)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not reserved[key] then
    return context.paint("key", key)
  end
  local node = node_of(key, context, depth)
  return "[" .. (type(node) == "string" and node or "{…}") .. "]"
end

local function left_text(n)
  return n > 0 and ("… %s more"):format(text.thousands(n)) or nil
end

local function group_of(t, context, depth)
  local entries, group = context.entries[t], { head = "" }
  if context.seen[t] > 1 then
    context.number[t] = context.numbers + 1
    context.numbers = context.numbers + 1
    group.head = context.paint("dim", ("<%d>"):format(context.number[t]))
  end
  for i, entry in ipairs(entries.list) do
    if i == entries.array + 1 and entries.left_in_array > 0 then
      group[#group + 1] = { node = context.paint("dim", left_text(entries.left_in_array)) }
    end
    group[#group + 1] = {
      key = i > entries.array and key_text(entry.key, context, depth + 1) or nil,
      node = node_of(entry.value, context, depth + 1),
    }
  end
  local left = entries.left
  if #entries.list == entries.array then left = left + entries.left_in_array end
  group.tail = left > 0 and context.paint("dim", left_text(left)) or nil
  return group
end

local function node_of_table(t, context, depth)
  if context.number[t] then
    return context.paint("dim", ("<table %d>"):format(context.number[t]))
  end
  if next(t) == nil then return "{}" end
  if not context.entries[t] or depth > context.depth then return "{…}" end
  return group_of(t, context, depth)
end

function node_of(value, context, depth)
  if is_open(value, context) then return node_of_table(value, context, depth) end
  return context.atom(value)
end

-- --- layout ----------------------------------------------------------------------------------

local function flat_items(group)
  local parts = {}
  for i, item in ipairs(group) do
    local inner = tables.flat(item.node)
    if not inner then return nil end
    parts[i] = item.key and item.key .. " = " .. inner or inner
  end
  if group.tail then parts[#parts + 1] = group.tail end
  return parts
end

--- A node on one line.
---@param node string|table
---@return string? line nil when it has a line break in it
function tables.flat(node)
  if type(node) == "string" then return not node:find "\n" and node or nil end
  local parts = flat_items(node)
  return parts and node.head .. "{ " .. table.concat(parts, ", ") .. " }"
end

local render

-- One line for each entry; texts without a key share lines, as many as fit.
local function entry_lines(group, indent, width)
  local pad, lines, is_shared = (" "):rep(indent + 2), {}, false
  for _, item in ipairs(group) do
    local before = pad .. (item.key and item.key .. " = " or "")
    local shares = not item.key and type(item.node) == "string"
      and text.width(item.node) <= most_shared
    local entry = render(item.node, indent + 2, width, text.width(before) + 1) .. ","
    local last = lines[#lines]
    if shares and is_shared and text.width(last) + 1 + text.width(entry) <= width then
      lines[#lines] = last .. " " .. entry
    else
      lines[#lines + 1] = before .. entry
    end
    is_shared = shares
  end
  if group.tail then lines[#lines + 1] = pad .. group.tail end
  return lines
end

-- `used`: columns of the line that are taken before the node, and behind it.
function render(node, indent, width, used)
  local flat = tables.flat(node)
  if type(node) == "string" then return (node:gsub("\n", "\n" .. (" "):rep(indent))) end
  if flat and used + text.width(flat) <= width then return flat end
  local lines = entry_lines(node, indent, width)
  return ("%s{\n%s\n%s}"):format(node.head, table.concat(lines, "\n"), (" "):rep(indent))
end

--- A table as text.
---@param t table
---@param how table width; depth; items; paint(style, text); object(value): whether a table is
--- shown by `atom` and not opened; atom(value): the text of anything that is not opened
---@return string
function tables.show(t, how)
  local context = { depth = how.depth, items = how.items, paint = how.paint, object = how.object,
    atom = how.atom, seen = {}, entries = {}, number = {}, numbers = 0 }
  count(t, context, 1)
  return render(node_of_table(t, context, 1), 0, how.width, 0)
end

return tables
