--- The machine and the versions that results come from.
local core = require "unroll.core"

local machine = {}

local function first_match(path, pattern)
  local text = core.sys.read_file(path)
  return text and text:match(pattern) or "unknown"
end

local function output_of(command)
  local pipe <close> = io.popen(command .. " 2>/dev/null")
  return pipe and pipe:read "l" or "unknown"
end

--- What a reader must know to judge times and bits.
---@return table { processor, cores, instruction_set, system, kernel, unroll, lua, revision }
function machine.describe()
  return {
    processor = first_match("/proc/cpuinfo", "model name%s*:%s*([^\n]*)"),
    cores = core.sys.cores(), instruction_set = core.isa,
    system = first_match("/etc/os-release", 'PRETTY_NAME="([^"]*)"'),
    kernel = output_of "uname -sr", unroll = core.version, lua = _VERSION,
    revision = output_of "git describe --always --dirty",
  }
end

--- The description as rows of name and value.
---@param description table
---@return table[]
function machine.rows(description)
  local rows = {}
  for _, name in ipairs { "unroll", "revision", "lua", "processor", "cores", "instruction_set",
                          "system", "kernel" } do
    rows[#rows + 1] = { (name:gsub("_", " ")), description[name] or "unknown" }
  end
  return rows
end

return machine
