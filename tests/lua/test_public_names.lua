-- test_public_names.lua -- every public name is used by some test.
--
-- It proves no behaviour, but a name that no test mentions has surely no test.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local core = require "unroll.core"

TestPublicNames = {}

local modules = { "tensor", "rnn", "optim", "text", "plot", "train", "experiment" }

-- All words of the other test files, as a set. test_ops.lua goes through core.tensor.ops, in
-- place forms too, so these count.
local function words_of_tests()
  local words = {}
  for _, op in ipairs(core.tensor.ops) do words[op.name], words[op.name .. "_"] = true, true end
  local list = io.popen(("ls '%s'/tests/lua/test_*.lua"):format(support.root))
  for path in list:lines() do
    if not path:find "test_public_names" then
      for word in support.read_file(path):gmatch "[%a_][%w_]*" do words[word] = true end
    end
  end
  list:close()
  return words
end

local function missing_in(container, prefix, words, missing)
  for name, value in pairs(container) do
    if type(name) == "string" and not name:find "^_" and type(value) == "function"
      and not words[name] then
      missing[#missing + 1] = prefix .. name
    end
  end
end

function TestPublicNames.test_every_public_function_and_method_is_tested()
  local words, missing = words_of_tests(), {}
  for _, module in ipairs(modules) do
    missing_in(unroll[module], module .. ".", words, missing)
  end
  for class, methods in pairs(core.methods) do
    missing_in(methods, class .. ":", words, missing)
  end
  local model = unroll.rnn.lm { vocab = 3, hidden = 2 }
  local fig = unroll.plot.figure {}
  for name, object in pairs { model = model, figure = fig, axes = fig:at(1, 1),
      corpus = unroll.text.corpus "numbers", optimizer = unroll.optim.sgd(model, { lr = 1 }) } do
    local class = debug.getmetatable(object)
    local methods = type(class.__index) == "table" and class.__index or class
    missing_in(methods, name .. ":", words, missing)
  end
  table.sort(missing)
  lu.assertEquals(missing, {})
end

-- The contract of the design: names that scripts may rely on.
local contract = {
  tensor = [[zeros ones full arange linspace eye rand randn randperm cat stack matmul dot outer
    norm where svd qr eigvals equal allclose vjp manual_seed generator exp log tanh sigmoid relu
    sqrt abs clamp]],
  rnn = "cell lm model load",
  optim = "sgd adagrad rmsprop adam adamw clip_value clip_norm",
  text = "corpus",
  train = "fit evaluate",
  plot = "figure",
  experiment = "define",
}

local tensor_methods = [[size dim numel dtype totable item clone to copy_ select narrow transpose
  t permute view reshape expand squeeze unsqueeze index_select gather contiguous add_ mul_ sum
  prod mean var std min max argmax cumsum any all sort topk eq ne lt le gt ge isnan]]

function TestPublicNames.test_the_names_of_the_design_exist()
  local absent = {}
  for module, names in pairs(contract) do
    for name in names:gmatch "%S+" do
      if unroll[module][name] == nil then absent[#absent + 1] = module .. "." .. name end
    end
  end
  for name in tensor_methods:gmatch "%S+" do
    if core.methods.tensor[name] == nil then absent[#absent + 1] = "t:" .. name end
  end
  lu.assertEquals(absent, {})
  lu.assertEquals(type(unroll.gradcheck), "function")
end
