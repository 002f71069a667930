--- Named slots along an axis: what bars, boxes and the rows of matrices stand at.

local data = require "unroll.plot.data"
local options = require "unroll.plot.options"

local categories = {}

--- A list of names from a user's list (or tensor) of names and numbers.
---@param who string the chart, for messages
function categories.read(who, v)
  if type(v) == "userdata" then v = data.values(data.series(who, "categories", v)) end
  if type(v) ~= "table" then
    options.misuse("%s: categories must be a list, got %s", who, type(v))
  end
  local names = {}
  for i, name in ipairs(v) do
    if type(name) == "number" then
      name = math.tointeger(name) or name
      names[i] = tostring(name)
    else
      names[i] = options.text(who, "category " .. i, name)
    end
  end
  return names
end

--- "1", "2", ..., "n"
function categories.numbered(n)
  local names = {}
  for i = 1, n do names[i] = tostring(i) end
  return names
end

--- Gives the panel's axis these names; all charts of a panel share them.
---@param which string "x" or "y"
function categories.share(who, panel, which, names)
  local home, key = panel.owner or panel, which .. "categories"
  local known = home[key]
  if known and table.concat(known, "\0") ~= table.concat(names, "\0") then
    options.misuse("%s: the panel has other categories already", who)
  end
  if home[which == "x" and "ycategories" or "xcategories"] and who ~= "heatmap" then
    options.misuse("%s: the panel's categories stand on its other axis", who)
  end
  home[key] = names
end

-- The place of each name; of names that occur twice the first one.
local function index(known)
  local at = {}
  for i, name in ipairs(known) do at[name] = at[name] or i end
  return at
end

--- Where points with these names stand on the panel's axis: a series of positions. Names that
--- the axis does not have yet are added to it.
---@param which string "x" or "y"
---@param names string[]
function categories.places(who, panel, which, names)
  local home, key = panel.owner or panel, which .. "categories"
  local known = { table.unpack(home[key] or {}) } -- the old list may be that of bars
  local at, places = index(known), {}
  for i, name in ipairs(categories.read(who, names)) do
    if not at[name] then
      known[#known + 1] = name
      at[name] = #known
    end
    places[i] = at[name]
  end
  home[key] = known
  return data.series(who, which, places)
end

return categories
