--- functions: the name of a function, or the place where it was written.

local functions = {}

local libraries = { "string", "table", "math", "io", "os", "coroutine", "utf8", "debug", "package" }

local function add_names(map, prefix, t)
  for name, value in next, t do
    if type(value) == "function" and type(name) == "string" and not map[value] then
      map[value] = prefix .. name
    end
  end
end

-- The functions of Lua's own library and of the modules unroll.<name> that are loaded.
local function known_names()
  local map = {}
  for _, name in ipairs(libraries) do add_names(map, name .. ".", package.loaded[name]) end
  for name, module in next, package.loaded do
    local short = type(name) == "string" and name:match "^unroll%.(%w+)$"
    if short and short ~= "core" and type(module) == "table" then
      add_names(map, short .. ".", module)
    end
  end
  local globals = package.loaded._G
  for _, name in ipairs { "assert", "collectgarbage", "dofile", "error", "getmetatable", "ipairs",
      "load", "loadfile", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawlen",
      "rawset", "require", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall" } do
    local value = rawget(globals, name)
    if type(value) == "function" and not map[value] then map[value] = name end
  end
  return map
end

-- The name in the help, whose catalogue takes a moment to load: not for a mere list.
local function helped_name(f, may_load)
  local loaded = package.loaded["unroll.help.catalogue"]
  if not loaded and not may_load then return nil end
  local ok, catalogue = pcall(require, "unroll.help.catalogue")
  local entry = ok and catalogue.get().by_value[f]
  return entry and entry.name
end

local function is_own(f)
  local info = debug.getinfo(f, "S")
  return info.what == "C" or info.short_src:find "^unroll/" or info.source:find "/lua/unroll/"
end

--- "function tensor.matmul"; of one without a public name the place: "function: prompt:3".
---@param f function
---@param may_load? boolean look into the help, too, when that is not loaded yet
---@return string
function functions.describe(f, may_load)
  local name = is_own(f) and (known_names()[f] or helped_name(f, may_load))
  if name then return "function " .. name end
  local info = debug.getinfo(f, "S")
  if info.what == "C" then return (tostring(f):gsub("builtin: ", "")) end
  return ("function: %s:%d"):format(info.short_src, info.linedefined)
end

return functions
