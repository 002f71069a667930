--- export: writes the manual or the stubs into a folder (`unroll --manual DIR`).

local core = require "unroll.core"

-- An error of the outside world: it is told without a traceback.
local Failure = { __tostring = function(self) return self.message end }

local function check(ok, message)
  if not ok then error(setmetatable({ message = message }, Failure), 0) end
end

local function write(folder, file)
  local path = folder .. "/" .. file.name
  check(core.sys.mkdir(path:match "^(.*)/"))
  check(core.sys.write_file(path, file.text))
end

--- Writes all files of the manual or of the stubs; those that exist are replaced.
---@param what "manual"|"stubs"
---@param folder string made when it does not exist
--- Errors: a file or folder that cannot be written.
return function(what, folder)
  local files = require("unroll.help." .. what).files()
  for _, file in ipairs(files) do write(folder, file) end
  print(("%d files in %s"):format(#files, folder))
end
