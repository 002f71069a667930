-- Saving and loading: the same numbers, PyTorch's names, and files that are cut, changed
-- or hostile.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local json = require "unroll.json"
local safetensors = require "unroll.safetensors"
local tensor, rnn = unroll.tensor, unroll.rnn

local directory = support.tmpdir()
local path = directory .. "/model.safetensors"

local function lm(opts)
  local o = { vocab = 5, hidden = 6, seed = 2, init = { normal = 0.5 } }
  for key, value in pairs(opts or {}) do o[key] = value end
  local m = rnn.lm(o)
  m:parameters().flat:normal_(0, 1)
  return m
end

local function saved(m)
  luaunit.assertTrue(m:save(path))
  local loaded, message = rnn.load(path)
  luaunit.assertNotNil(loaded, message)
  return loaded
end

TestRnnFile = {}

function TestRnnFile:setUp() tensor.manual_seed(2) end

function TestRnnFile.test_round_trip()
  for _, dtype in ipairs { "float32", "float64" } do
    for _, layers in ipairs { 1, 3 } do
      for _, cell in ipairs { "tanh", "relu" } do
        local m = lm { dtype = dtype, layers = layers, cell = cell }
        local loaded = saved(m)
        luaunit.assertTrue(tensor.equal(loaded:parameters().flat, m:parameters().flat))
        luaunit.assertEquals({ loaded.cell, loaded.dtype, #loaded.layers, loaded.input,
          loaded.hidden, loaded.output, loaded.head }, { cell, dtype, layers, 5, 6, 5, "softmax" })
        local x = tensor.randint(1, 5, { 4, 2 }, { dtype = "int32" })
        luaunit.assertEquals((loaded:forward(x, x)), (m:forward(x, x)))
      end
    end
  end
end

function TestRnnFile.test_linear_head()
  local m = rnn.model { cell = "relu", input = 3, hidden = 4, output = 2, head = "linear" }
  local loaded = saved(m)
  luaunit.assertEquals({ loaded.head, loaded.input, loaded.output }, { "linear", 3, 2 })
  luaunit.assertTrue(tensor.equal(loaded.W_xh, m.W_xh))
end

function TestRnnFile.test_vocabulary()
  local vocab = require "unroll.text.vocab"
  for _, v in ipairs { vocab.new("aß€\n\"\\"), vocab.new("\0\255abc", "bytes") } do
    local m = lm { vocab = v }
    local loaded = saved(m)
    luaunit.assertTrue(loaded.vocab == v)
    luaunit.assertEquals(loaded:sample { length = 40, seed = 1 },
      m:sample { length = 40, seed = 1 })
  end
  luaunit.assertNil(saved(lm()).vocab)
end

function TestRnnFile.test_names_are_those_of_pytorch()
  local m = lm { layers = 2 }
  m:save(path)
  local tensors, metadata = safetensors.read(path)
  local names = {}
  for name in pairs(tensors) do names[#names + 1] = name end
  table.sort(names)
  luaunit.assertEquals(names, { "bias_hh_l0", "bias_hh_l1", "bias_ih_l0", "bias_ih_l1",
    "linear.bias", "linear.weight", "weight_hh_l0", "weight_hh_l1", "weight_ih_l0",
    "weight_ih_l1" })
  luaunit.assertEquals(tensors.weight_ih_l0:size(), { 6, 5 })
  support.near(tensors.weight_ih_l0, m.layers[1].W_xh, 0)
  support.near(tensors.bias_ih_l1, m.layers[2].b_h, 0)
  luaunit.assertEquals(tensors.bias_hh_l0:abs():sum(), 0)
  luaunit.assertEquals(json.decode(metadata.unroll).cell, "tanh")
end

-- As a module with nn.RNN `rnn` and nn.Linear `linear` writes it: two biases, prefixes.
function TestRnnFile.test_a_state_dict()
  local m = lm()
  local second = tensor.randn { 6 }
  safetensors.write(path, {
    ["rnn.weight_ih_l0"] = m.W_xh:contiguous(), ["rnn.weight_hh_l0"] = m.W_hh,
    ["rnn.bias_ih_l0"] = m.b_h, ["rnn.bias_hh_l0"] = second,
    ["linear.weight"] = m.W_hy, ["linear.bias"] = m.b_y,
  })
  local none, message = rnn.load(path)
  luaunit.assertNil(none)
  luaunit.assertStrContains(message, "does not say which cell")
  local loaded = rnn.load(path, { cell = "tanh", dtype = "float64" })
  support.near(loaded.b_h, (m.b_h + second):to("float64"), 1e-6)
  support.near(loaded.W_xh, m.W_xh:to("float64"), 0)
  luaunit.assertEquals(loaded.dtype, "float64")
end

function TestRnnFile.test_cells_in_lua()
  local def = { name = "file_cell", states = { "h" }, gates = { "a" },
    parameters = { { name = "p", size = { "H" } } } }
  function def.step(pre, _, next, _, parameters) tensor.mul(pre.a, parameters.p, next.h) end
  function def.step_grad() end
  local m = lm { cell = def, layers = 2 }
  m:save(path)
  local none, message = rnn.load(path)
  luaunit.assertNil(none)
  luaunit.assertStrContains(message, "there is no cell 'file_cell'")
  luaunit.assertTrue(tensor.equal(rnn.load(path, { cell = def }).layers[2].p, m.layers[2].p))
  rnn.register(def)
  luaunit.assertTrue(tensor.equal(rnn.load(path):parameters().flat, m:parameters().flat))
end

function TestRnnFile.test_files_that_cannot_be()
  local none, message = rnn.load(directory .. "/missing")
  luaunit.assertNil(none)
  luaunit.assertStrContains(message, "missing")
  local ok
  ok, message = lm():save(directory .. "/no/such/place")
  luaunit.assertNil(ok)
  luaunit.assertStrContains(message, "no/such/place")
  support.raises("model:save: path must be a string, got nil", lm().save, lm())
  support.raises("rnn.load: path must be a string, got table", rnn.load, {})
  support.raises("unknown option 'cel'. Did you mean 'cell'?", rnn.load, path, { cel = "tanh" })
end

local function load_fails(bytes, expected)
  support.write_file(path, bytes)
  local ok, loaded, message = pcall(rnn.load, path)
  luaunit.assertTrue(ok, tostring(loaded))
  luaunit.assertNil(loaded)
  luaunit.assertStrContains(message, expected or path)
end

function TestRnnFile.test_cut_and_changed_files()
  lm():save(path)
  local bytes = support.read_file(path)
  for length = 0, #bytes - 1, 37 do load_fails(bytes:sub(1, length)) end
  load_fails(("x"):rep(#bytes))
  -- every byte of the header changed: nil and a message, or a model, never an error
  local header = string.unpack("<i8", bytes) + 8
  for i = 1, header do
    support.write_file(path, bytes:sub(1, i - 1) .. string.char(bytes:byte(i) ~ 0x15)
      .. bytes:sub(i + 1))
    local ok, message = pcall(rnn.load, path)
    luaunit.assertTrue(ok, tostring(message))
  end
end

-- A file with these tensors left out, replaced or added, and this description.
local function changed(changes, description)
  local m = lm()
  m:save(path)
  local tensors, metadata = safetensors.read(path)
  for name, t in pairs(changes) do tensors[name] = t or nil end
  if description then metadata.unroll = description end
  safetensors.write(path, tensors, metadata)
  return support.read_file(path)
end

function TestRnnFile.test_hostile_contents()
  load_fails(changed { ["linear.weight"] = false }, "no matrix linear.weight")
  load_fails(changed { ["linear.weight"] = tensor.zeros { 5 } }, "no matrix linear.weight")
  load_fails(changed { weight_ih_l0 = false }, "no weight_ih_l0")
  load_fails(changed { weight_hh_l0 = false }, "no weight_hh_l0")
  load_fails(changed { weight_hh_l0 = tensor.zeros { 6, 5 } }, "weight_hh_l0 is float32 (6,5)")
  load_fails(changed { bias_ih_l0 = tensor.zeros { 1 } }, "bias_ih_l0 is float32 (1)")
  load_fails(changed { bias_hh_l0 = tensor.zeros { 7 } }, "bias_hh and bias_ih differ")
  load_fails(changed { ["linear.bias"] = false }, "no linear.bias")
  load_fails(changed { weight_ih_l0 = tensor.zeros({ 6, 5 }, { dtype = "int32" }) }, "weight_ih_l0")
  load_fails(changed({}, "not json"), "which cell")
  load_fails(changed({}, "[]"), "which cell")
  load_fails(changed({}, "5"), "metadata are malformed")
  load_fails(changed({}, '{"cell": {"name": "x"}}'), "which cell")
  load_fails(changed({}, '{"cell": "os.execute"}'), "there is no cell 'os.execute'")
  load_fails(changed({}, '{"cell": "tanh", "format": 2}'), "its format is 2")
  load_fails(changed({}, '{"cell": "tanh", "head": "mouth"}'), "its head is 'mouth'")
  load_fails(changed({}, '{"cell": "tanh", "dtype": "int32"}'), "its dtype is 'int32'")
  for _, vocab in ipairs { "5", '{"units": "bytes"}', '{"units": "x", "codes": [1]}',
    '{"units": "bytes", "codes": [300, 1, 2, 3, 4]}', '{"units": "characters", "codes": ["a"]}',
    '{"units": "characters", "codes": [-1]}', '{"units": "characters", "codes": []}' } do
    load_fails(changed({}, ('{"cell": "tanh", "vocab": %s}'):format(vocab)),
      "vocabulary is malformed")
  end
  load_fails(changed({}, '{"cell": "tanh", "vocab": {"units": "bytes", "codes": [65, 66]}}'),
    "has 2 symbols, its read-out 5")
end
