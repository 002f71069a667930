--- Files that come with the library, such as the texts of the corpora.
--
-- In the program they are embedded; with UNROLL_LUA, or in stock Lua, they lie beside the
-- Lua files. Scripts see no difference.

local _, here = ...

local resource = {}

local embedded = package.preload["unroll.embedded"] and require "unroll.embedded"

local function check_name(name)
  if type(name) ~= "string" then
    error(("resource.read: name must be a string, got %s"):format(type(name)), 3)
  end
end

--- The bytes of a file under lua/unroll.
---@param name string path from lua/unroll on, with "/"
---@return string? bytes nil when there is no such file
---@return string? message
--- > #require("unroll.resource").read "text/data/shakespeare.txt" > 10000   --> true
function resource.read(name)
  check_name(name)
  local beside = here:match("^(.*)/unroll/resource%.lua$")
  if not beside and embedded then
    local bytes = embedded.read("unroll/" .. name)
    if bytes then return bytes end
    return nil, ("%s: no such file in the program"):format(name)
  end
  local sys = require("unroll.core").sys
  return sys.read_file((beside or ".") .. "/unroll/" .. name)
end

--- Where a Lua file of the library is loaded from: the chunk name of its functions, without "@".
---@param path string "unroll/optim.lua"
---@return string
--- > require("unroll.resource").place("unroll/optim.lua"):match "[^/]+$"   --> "optim.lua"
function resource.place(path)
  local beside = here:match("^(.*)/unroll/resource%.lua$")
  return beside and beside .. "/" .. path or path
end

--- The names of the files in a folder under lua/unroll, sorted; folders are left out in the
--- program. None when there is no such folder.
---@param folder string path from lua/unroll on, with "/"; "" for lua/unroll itself
---@return string[]
--- > require("unroll.resource").list "no such folder"   --> {}
function resource.list(folder)
  local beside = here:match("^(.*)/unroll/resource%.lua$")
  if beside or not embedded then
    local sys = require("unroll.core").sys
    local names = sys.list((beside or ".") .. "/unroll/" .. folder) or {}
    table.sort(names)
    return names
  end
  local prefix, names = "unroll/" .. folder .. (folder == "" and "" or "/"), {}
  for _, name in ipairs(embedded.names()) do
    local rest = name:sub(1, #prefix) == prefix and name:sub(#prefix + 1)
    if rest and not rest:find("/", 1, true) then names[#names + 1] = rest end
  end
  return names
end

return resource
