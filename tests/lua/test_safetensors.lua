-- safetensors files: round trips, the format itself, and files that lie.

local lu = require "luaunit"
local support = require "support"
local core = require "unroll.core"
local json = require "unroll.json"
local safetensors = require "unroll.safetensors"
local tensor = require "unroll.tensor"

TestSafetensors = {}

local function path_in(name) return support.tmpdir() .. "/" .. name end

-- A file with the header given as Lua text, and so many bytes of numbers.
local function file_with(header, bytes)
  local path = path_in "made.safetensors"
  support.write_file(path, string.pack("<s8", header) .. ("\0"):rep(bytes or 0))
  return path
end

function TestSafetensors.test_round_trip_of_every_dtype_and_layout()
  local path = path_in "a.safetensors"
  local matrix = tensor.arange(12):reshape(3, 4)
  local saved = {
    f32 = matrix, f64 = matrix:to "float64", i32 = matrix:to "int32", transposed = matrix:t(),
    strided = matrix[{ {}, { 2, 3 } }], expanded = tensor { { 1 }, { 2 } }:expand(2, 3),
    scalar = tensor.zeros {}, empty = tensor.zeros(0, 3), ["odd \"name\"\n"] = tensor { 1 / 3 },
  }
  assert(safetensors.write(path, saved, { format = "pt", note = "ü \"quoted\"" }))
  local read, metadata = safetensors.read(path)
  lu.assertEquals(metadata, { format = "pt", note = "ü \"quoted\"" })
  for name, t in pairs(saved) do
    lu.assertEquals(read[name]:dtype(), t:dtype(), name)
    lu.assertEquals(read[name]:size(), t:size(), name)
    lu.assertEquals(core.tensor.to_bytes(read[name]), core.tensor.to_bytes(t), name)
  end
  for name in pairs(read) do lu.assertNotNil(saved[name], name) end
end

function TestSafetensors.test_bits_survive()
  local path = path_in "b.safetensors"
  local odd = tensor({ 0 / 0, 1 / 0, -1 / 0, -0.0, 5e-324, 0.1 }, { dtype = "float64" })
  assert(safetensors.write(path, { odd = odd }))
  lu.assertEquals(core.tensor.to_bytes(safetensors.read(path).odd), core.tensor.to_bytes(odd))
end

function TestSafetensors.test_the_format()
  local path = path_in "c.safetensors"
  assert(safetensors.write(path, { b = tensor { 1, 2 }, a = tensor { { 3 } } }))
  local bytes = support.read_file(path)
  local header, start = string.unpack("<s8", bytes)
  lu.assertEquals((start - 1) % 8, 0)
  lu.assertEquals(json.decode(header), {
    a = { dtype = "F32", shape = { 1, 1 }, data_offsets = { 0, 4 } },
    b = { dtype = "F32", shape = { 2 }, data_offsets = { 4, 12 } },
  })
  lu.assertEquals({ string.unpack("<fff", bytes, start) }, { 3.0, 1.0, 2.0, start + 12 })
end

function TestSafetensors.test_wrong_use()
  support.raises("metadata is text only, 'n' is a number", safetensors.write, "x", {}, { n = 1 })
  local ok, message = safetensors.write("/nowhere/at/all", {})
  lu.assertNil(ok)
  lu.assertStrContains(message, "/nowhere/at/all")
  lu.assertNil((safetensors.read "/nowhere/at/all"))
end

function TestSafetensors.test_files_that_lie_are_refused()
  local function entry(fields) return '{"w":' .. fields .. "}" end
  local lies = {
    { "[]]", 0, "bad header" }, { '{"', 0, "bad header" }, { "3 ", 0, "bad header" },
    { entry '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}', 7, "offsets of 'w'" },
    { entry '{"dtype":"F32","shape":[2],"data_offsets":[0,12]}', 12, "offsets of 'w'" },
    { entry '{"dtype":"F32","shape":[2],"data_offsets":[-4,4]}', 8, "offsets of 'w'" },
    { entry '{"dtype":"F32","shape":[2],"data_offsets":[8,0]}', 8, "offsets of 'w'" },
    { entry '{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}', 8, "malformed shape" },
    { entry '{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}', 8, "malformed shape" },
    { entry '{"dtype":"F32","shape":["x"],"data_offsets":[0,4]}', 8, "malformed shape" },
    { entry '{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}', 8, "offsets" },
    { entry '{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}', 8, "dtype BF16" },
    { entry '{"dtype":"F32","shape":[2]}', 8, "malformed" },
    { entry "7", 8, "malformed" },
    { entry '{"dtype":"F32","shape":[1,1,1,1,1,1,1],"data_offsets":[0,4]}', 4, "'w': " },
    { '{"__metadata__":"text"}', 0, "metadata" },
  }
  for _, lie in ipairs(lies) do
    local read, message = safetensors.read(file_with(lie[1], lie[2]))
    lu.assertNil(read, lie[1])
    lu.assertStrContains(message, lie[3])
  end
end

function TestSafetensors.test_truncated_and_foreign_files()
  local path = path_in "d"
  for _, bytes in ipairs { "", "1234567", ("\255"):rep(64), string.pack("<i8", 1000) .. "{}",
    string.pack("<i8", -5) .. "{}" } do
    support.write_file(path, bytes)
    local read, message = safetensors.read(path)
    lu.assertNil(read)
    lu.assertStrContains(message, "is not a readable safetensors file")
  end
end

TestBytes = {}

function TestBytes.test_set_bytes_respects_strides_and_positions()
  local t = tensor.zeros(2, 2)
  core.tensor.set_bytes(t:t(), "xx" .. string.pack("<ffff", 1, 2, 3, 4), 3)
  lu.assertEquals(t:totable(), { { 1, 3 }, { 2, 4 } })
end

function TestBytes.test_errors()
  local t = tensor.zeros(2, 2)
  support.raises("float32 (2,2) needs 16 bytes, 15 are there", core.tensor.set_bytes, t,
    ("x"):rep(15))
  support.raises("outside of the string", core.tensor.set_bytes, t, ("x"):rep(20), 22)
  support.raises("outside of the string", core.tensor.set_bytes, t, ("x"):rep(20), 0)
  lu.assertEquals(t:sum(), 0)
  support.raises("expanded", core.tensor.set_bytes, tensor.zeros(1, 1):expand(2, 2), ("x"):rep(16))
end
