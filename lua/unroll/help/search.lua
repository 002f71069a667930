--- search: entries of the catalogue by name, by similar name, and by words in their texts.

local catalogue = require "unroll.help.catalogue"
local options = require "unroll.options"

local search = {}

-- What a name was called with: "unroll.tensor.matmul()" is tensor.matmul.
local function plain(name)
  return (name:match "^%s*(.-)%s*$":gsub("%(.*$", ""):gsub("^unroll%.(.)", "%1"))
end

local function last_part(name) return name:match "[^.:]+$" or name end

-- "t:matmul", "tensor:matmul", "Tensor.matmul": methods whose class is called so, or, when
-- nothing is, every method of that name.
local function methods_named(object, method)
  local exact, any = {}, {}
  for _, entry in ipairs(catalogue.get().list) do
    if entry.kind == "method" and last_part(entry.name) == method then
      any[#any + 1] = entry
      local class = entry.owner
      if class.name:lower() == object:lower() or class.variable == object then
        exact[#exact + 1] = entry
      end
    end
  end
  return #exact > 0 and exact or any
end

local ranks = { ["function"] = 1, module = 1, class = 2, method = 3, options = 12, value = 4 }

--- How far behind an entry stands among others that fit as well: module functions come before
--- methods, derivatives and what is inside last.
---@param entry table
---@return integer
function search.rank(entry)
  local home = catalogue.home(entry)
  local inside = home == "core" and 45 or home == "prompt" and 25
    or entry.name:find "%.vjp%." and 25 or 0
  return inside + ranks[entry.kind]
end
local rank = search.rank

-- A word that only something inside is called so, while names that scripts use begin with it,
-- is rather the beginning of one of these: "clip".
local function is_beginning(word, found)
  if catalogue.home(found) ~= "core" then return false end
  for _, entry in ipairs(catalogue.get().list) do
    local name = last_part(entry.name):lower()
    if catalogue.home(entry) ~= "core" and name:sub(1, #word) == word then return true end
  end
  return false
end

local function by_last_part(name)
  local found = {}
  for _, entry in ipairs(catalogue.get().list) do
    if last_part(entry.name):lower() == name:lower() then found[#found + 1] = entry end
  end
  table.sort(found, function(a, b)
    if rank(a) ~= rank(b) then return rank(a) < rank(b) end
    return a.name < b.name
  end)
  return found[1] and not is_beginning(name:lower(), found[1]) and found or {}
end

--- The entries that a name means, the most likely first.
---@param name string "tensor.matmul", "t:matmul", "matmul", "Model", "optim"
---@return table[] entries
function search.by_name(name)
  name = plain(name)
  local exact = catalogue.get().by_name[name]
  if exact then return { exact } end
  local object, method = name:match "^(.+):([%w_]+)$"
  if object then return methods_named(object, method) end
  local class = catalogue.get().classes["unroll." .. name]
  if class then return { class } end
  local container, member = name:match "^(.+)%.([%w_]+)$"
  if not container then return by_last_part(name) end
  local found = methods_named(container, member)
  return found[1] and found[1].owner.name:lower() == container:lower() and found or {}
end

-- --- similar names ------------------------------------------------------------------------

-- How far the name is from an entry: from the full name when it has a module, else from the
-- last part of it. A name that begins with it is nearer than one with two wrong letters.
local function distance(name, entry)
  local candidate = (name:find "[.:]" and entry.name or last_part(entry.name)):lower()
  local far = options.distance(name, candidate)
  if #name >= 3 and candidate:sub(1, #name) == name then far = math.min(far, 1.5) end
  return far
end

--- The entries with the names that are most like a misspelt one.
---@param name string
---@param count? integer how many at most; default 3
---@return table[] entries
function search.nearest(name, count)
  name = plain(name):lower()
  local found = {}
  for i, entry in ipairs(catalogue.get().list) do
    if catalogue.home(entry) ~= "core" and not entry.twin then
      found[#found + 1] = { entry = entry, far = distance(name, entry) + rank(entry) / 100, i = i }
    end
  end
  table.sort(found, function(a, b)
    if a.far ~= b.far then return a.far < b.far end
    return a.i < b.i
  end)
  local nearest = {}
  for i = 1, math.min(count or 3, #found) do nearest[i] = found[i].entry end
  return nearest
end

-- --- words --------------------------------------------------------------------------------

local function text_of(entry)
  local record, words = entry.record, {}
  if not record then return "" end
  for _, block in ipairs(record.text) do
    words[#words + 1] = block[1] or table.concat(block.code, " ")
  end
  for _, list in ipairs { record.params, record.fields, record.returns } do
    for _, item in ipairs(list) do words[#words + 1] = (item.name or "") .. " " .. item.text end
  end
  words[#words + 1] = (record.errors or "") .. " " .. (record.source or "")
  return table.concat(words, " ")
end

-- How well one word fits: in the name, at the start of the text, anywhere.
local function score_word(word, entry, text)
  local name = last_part(entry.name):lower()
  if name == word then return 100 end
  if name:find("^" .. word:gsub("%p", "%%%0")) then return 60 end
  if entry.name:lower():find(word, 1, true) then return 40 end
  local at = text:find(word, 1, true)
  return at and (at < 80 and 20 or 10) or 0
end

-- With `every` all words must fit, else the entry has no points.
local function score(words, entry, every)
  local text, total = text_of(entry):lower(), 0
  for _, word in ipairs(words) do
    local points = score_word(word, entry, text)
    if points == 0 and every then return 0 end
    total = total + points
  end
  return total > 0 and total - rank(entry) or 0
end

local function scored(words, every)
  local found = {}
  for _, entry in ipairs(catalogue.get().list) do
    local points = score(words, entry, every)
    if points > 0 then found[#found + 1] = { entry = entry, points = points } end
  end
  table.sort(found, function(a, b)
    if a.points ~= b.points then return a.points > b.points end
    return a.entry.name < b.entry.name
  end)
  for i, item in ipairs(found) do found[i] = item.entry end
  return found
end

--- The entries in whose names or texts all words occur, the best first; where there are none,
--- those with any of the words.
---@param query string words
---@return table[] entries
function search.words(query)
  local words = {}
  for word in query:lower():gmatch "%S+" do words[#words + 1] = word end
  if #words == 0 then return {} end
  local found = scored(words, true)
  return #found > 0 and found or scored(words, false)
end

return search
