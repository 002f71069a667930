--- safetensors: named tensors and text in one file; nothing in it can run.
--
-- The format (https://github.com/huggingface/safetensors): eight bytes, little-endian,
-- give the length of a JSON header; then comes the header
--   { "name": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}, ...,
--     "__metadata__": {"key": "text", ...} }
-- and then the numbers, row-major and without gaps. Files are written whole under a
-- temporary name and renamed, so that an interrupted write leaves the old file.
--
-- A file comes from outside: every number in its header is checked before it is used.

local core = require "unroll.core"
local json = require "unroll.json"
local protected = require "unroll.protected"

local safetensors = {}

local code_of = { float32 = "F32", float64 = "F64", int32 = "I32", uint8 = "U8", uint16 = "U16" }
local dtype_of = { F32 = "float32", F64 = "float64", I32 = "int32", U8 = "uint8", U16 = "uint16" }
local width_of = { F32 = 4, F64 = 8, I32 = 4, U8 = 1, U16 = 2 }
local longest_header = 100 * 1024 * 1024

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function check_metadata(metadata)
  for key, value in pairs(metadata) do
    if type(key) ~= "string" or type(value) ~= "string" then
      error(("safetensors.write: metadata is text only, '%s' is a %s")
        :format(tostring(key), type(value)), 3)
    end
  end
end

-- The JSON header and the list of byte strings that follow it. Written by hand because
-- a scalar's shape must stay [] in a language whose empty list and object are one.
local function pack(tensors, metadata)
  local entries, parts, offset = {}, {}, 0
  for _, name in ipairs(sorted_keys(tensors)) do
    local t = tensors[name]
    local bytes = core.tensor.to_bytes(t)
    entries[#entries + 1] = ('%s:{"dtype":"%s","shape":[%s],"data_offsets":[%d,%d]}'):format(
      json.encode(name), code_of[t:dtype()], table.concat(t:size(), ","),
      offset, offset + #bytes)
    parts[#parts + 1] = bytes
    offset = offset + #bytes
  end
  if metadata and next(metadata) then
    table.insert(entries, 1, '"__metadata__":' .. json.encode(metadata))
  end
  return "{" .. table.concat(entries, ",") .. "}", parts
end

--- Writes named tensors to a file.
---@param path string
---@param tensors table<string, unroll.Tensor>
---@param metadata? table<string, string>
---@return true? ok
---@return string? message when the file cannot be written; an older file is then untouched
--- > safetensors = require "unroll.safetensors"
--- > path = os.tmpname()
--- > safetensors.write(path, {w = tensor{1, 2}})   --> true
--- > safetensors.read(path).w:totable()            --> {1.0, 2.0}
--- > os.remove(path)   --> true
---@see safetensors.read Model:save
function safetensors.write(path, tensors, metadata)
  check_metadata(metadata or {})
  local header, parts = pack(tensors, metadata)
  header = header .. (" "):rep(-#header % 8) -- so that the numbers are aligned
  table.insert(parts, 1, string.pack("<I8", #header) .. header)
  return core.sys.write_file(path, parts)
end

-- The reader's errors carry the path; `fail` makes them.
local function parse_header(bytes, fail)
  if #bytes < 8 then return fail("only %d bytes long", #bytes) end
  local length = string.unpack("<i8", bytes)
  if length < 2 or length > longest_header or length > #bytes - 8 then
    return fail("its header length of %d does not fit the file's %d bytes", length, #bytes)
  end
  local header, message = json.decode(bytes:sub(9, 8 + length))
  if type(header) ~= "table" then return fail("bad header: %s", message or "no object") end
  return header, 8 + length
end

local function is_count(value)
  return math.type(value) ~= nil and value >= 0 and math.tointeger(value) ~= nil
end

-- Checks one entry; returns dtype, shape, first and last offset, or fails.
local function parse_entry(name, entry, available, fail)
  if type(entry) ~= "table" or type(entry.shape) ~= "table"
    or type(entry.data_offsets) ~= "table" then
    return fail("entry '%s' is malformed", name)
  end
  local dtype = dtype_of[entry.dtype]
  if not dtype then
    return fail("'%s' has dtype %s; F32, F64, I32, U8 and U16 can be read", name,
      tostring(entry.dtype))
  end
  local count = 1.0 -- a float: a product that is too large must not wrap around
  for _, size in ipairs(entry.shape) do
    if not is_count(size) then return fail("'%s' has a malformed shape", name) end
    count = count * size
  end
  local first, last = entry.data_offsets[1], entry.data_offsets[2]
  if not is_count(first) or not is_count(last) or last > available
    or last - first ~= count * width_of[entry.dtype] then
    return fail("the offsets of '%s' do not fit its shape or the file", name)
  end
  return dtype, entry.shape, first
end

--- Reads every tensor of a file.
---@param path string
---@return table<string, unroll.Tensor>? tensors nil when the file cannot be read or is malformed
---@return table<string, string>|string metadata or the message
--- > require("unroll.safetensors").read "no such file"   --> nil, ...
---@see safetensors.write rnn.load
function safetensors.read(path)
  local bytes, problem = core.sys.read_file(path)
  if not bytes then return nil, problem end
  local function fail(format, ...)
    return nil, ("%s is not a readable safetensors file: "):format(path) .. format:format(...)
  end
  local header, start = parse_header(bytes, fail)
  if not header then return nil, start end
  local metadata = header.__metadata__ or {}
  if type(metadata) ~= "table" then return fail("its metadata is no object") end
  header.__metadata__ = nil
  local tensors = {}
  for name, entry in pairs(header) do
    local dtype, shape, first = parse_entry(name, entry, #bytes - start, fail)
    if not dtype then return nil, shape end
    local made, t = protected(core.tensor.zeros, shape, { dtype = dtype })
    if not made then return fail("'%s': %s", name, t) end
    tensors[name] = core.tensor.set_bytes(t, bytes, start + first + 1)
  end
  return tensors, metadata
end

return safetensors
