--- Results kept as they come: DIR/EXPERIMENT.jsonl, one line a case.
--
-- A line is added by one write at the end of the file, so that a crash spoils at most the
-- last line, which is then passed over. The key says what the result depends on; a line
-- with another key (older code, other settings) stays unread.
local json = require "unroll.json"
local sys = require("unroll.core").sys

local Cache = {}
Cache.__index = Cache

local cache = {}

local function path_of(self, experiment) return ("%s/%s.jsonl"):format(self.dir, experiment) end

-- The lines of an experiment's file, by key; the last one of a key counts.
local function lines_of(self, experiment)
  if self.known[experiment] then return self.known[experiment] end
  local known, bytes = {}, sys.read_file(path_of(self, experiment))
  for line in (bytes or ""):gmatch "([^\n]*)\n" do
    local key = line:match '^{"key": "(%x+)", .*}$'
    if key then known[key] = line end
  end
  self.torn[experiment] = bytes ~= nil and bytes ~= "" and bytes:sub(-1) ~= "\n"
  self.known[experiment] = known
  return known
end

--- A cache in a folder, which is made when it is missing.
---@param dir string
---@return table cache
function cache.open(dir)
  assert(sys.mkdir(dir))
  return setmetatable({ dir = dir, known = {}, torn = {} }, Cache)
end

--- What was kept under a key.
---@return table? answer { result =, times = }
function Cache:find(experiment, key)
  local line = lines_of(self, experiment)[key]
  local kept = line and json.decode(line)
  return kept and kept.answer or nil
end

--- Keeps an answer.
---@param experiment string
---@param key string
---@param case table
---@param answer table { result =, times = }
function Cache:add(experiment, key, case, answer)
  lines_of(self, experiment)
  local line = ('{"key": "%s", "case": %s, "answer": %s}\n')
    :format(key, json.line(case), json.line(answer))
  if self.torn[experiment] then line, self.torn[experiment] = "\n" .. line, false end
  assert(sys.append_file(path_of(self, experiment), line))
end

return cache
