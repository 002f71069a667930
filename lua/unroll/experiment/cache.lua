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
---@return table? cache nil when there can be no such folder
---@return string? message
function cache.open(dir)
  local ok, message = sys.mkdir(dir)
  if not ok then return nil, message end
  return setmetatable({ dir = dir, known = {}, torn = {}, count = 0 }, Cache)
end

--- What was kept under a key.
---@return table? answer { result =, times = }
function Cache:find(experiment, key)
  local line = lines_of(self, experiment)[key]
  local kept = line and json.decode(line)
  if kept then self.count = self.count + 1 end
  return kept and kept.answer or nil
end

--- Keeps an answer.
---@param experiment string
---@param key string
---@param case table
---@param answer table { result =, times = }
---@return true? ok nil when it cannot be written: the folder is read-only, the disk is full
---@return string? message
function Cache:add(experiment, key, case, answer)
  lines_of(self, experiment)
  local line = ('{"key": "%s", "case": %s, "answer": %s}\n')
    :format(key, json.line(case), json.line(answer))
  if self.torn[experiment] then line = "\n" .. line end
  local ok, message = sys.append_file(path_of(self, experiment), line)
  self.torn[experiment] = not ok -- a full disk may have taken half of it
  if not ok then return nil, message end
  self.count = self.count + 1
  return true
end

return cache
