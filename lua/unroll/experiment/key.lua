--- What a result depends on, as a short text: the hash (FNV-1a, 64 bits) of the canonical
--- JSON of experiment, case (with its seed) and code.
--
-- "Code" is every byte that runs: the program, which carries its Lua sources, or the Lua
-- files and the module when those are used instead; the script; and the instruction set,
-- since bits are promised for one only.
local core = require "unroll.core"
local json = require "unroll.json"
local sys = core.sys

local key = {}

local function hash_file(path) return sys.hash(assert(sys.read_file(path))) end

-- The hashes of the library's Lua files when they are not inside the program.
local function library_hash()
  local here = debug.getinfo(1, "S").source:match "^@(.*)/unroll/experiment/key%.lua$"
  if not here or not sys.read_file(here .. "/unroll/init.lua") then return "embedded" end
  local hashes = {}
  local command = ("find '%s/unroll' -name '*.lua' | LC_ALL=C sort"):format(here)
  local pipe <close> = assert(io.popen(command))
  for path in pipe:lines() do hashes[#hashes + 1] = hash_file(path) end
  return sys.hash(table.concat(hashes))
end

local function module_hash()
  local path = package.searchpath("unroll.core", package.cpath)
  return path and hash_file(path) or "inside"
end

local code = {}

--- The version of the code that a script runs with: 16 hexadecimal digits.
---@param script? string the file that defines the experiment
---@return string
function key.code(script)
  local name = script or ""
  code.shared = code.shared or table.concat({ core.isa, hash_file(sys.executable()),
    module_hash(), library_hash() }, " ")
  code[name] = code[name] or sys.hash(code.shared .. (script and hash_file(script) or ""))
  return code[name]
end

--- The key of a task.
---@param task table { experiment =, case =, script =, source = hash of code that is in no
---  file }
---@return string key 16 hexadecimal digits
function key.of(task)
  return sys.hash(json.line { experiment = task.experiment, case = task.case,
                              code = key.code(task.script) .. (task.source or "") })
end

return key
