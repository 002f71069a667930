--- file: models in safetensors files, under the names that PyTorch's modules use.
--
--   weight_ih_l0 (G*H,I)  weight_hh_l0 (G*H,H)  bias_ih_l0 = b_h  bias_hh_l0 = 0
--   linear.weight (V,H)   linear.bias (V)       more parameters of a cell: NAME_l0
-- and so on for layers l1, l2. Loading adds the two biases; only the gru's b_hn is a bias of its
-- own: the block n of bias_hh. The metadata entry "unroll" is a JSON object: cell and its
-- options, head, dtype and, when there is one, the vocabulary. The sizes
-- are those of the tensors, so a header cannot ask for more memory than the file has.

local cell_options = require "unroll.rnn.cell_options"
local check = require "unroll.rnn.check"
local core = require "unroll.core"
local definition = require "unroll.rnn.definition"
local json = require "unroll.json"
local options = require "unroll.options"
local protected = require "unroll.protected"
local safetensors = require "unroll.safetensors"

local tensor = core.tensor

local file = {}

local FORMAT = 1
local theirs = { W_xh = "weight_ih", W_hh = "weight_hh", b_h = "bias_ih" }

local function their_name(name, layer)
  return ("%s_l%d"):format(theirs[name] or name, layer - 1)
end

-- The blocks of bias_hh that are parameters of their own: { [first row] = name }.
local function own_blocks(layer)
  local blocks, second = {}, layer.definition.second_bias or {}
  for k, gate in ipairs(layer.gates) do
    local name = second[gate]
    if name and layer:parameters()[name] then blocks[(k - 1) * layer.hidden + 1] = name end
  end
  return blocks
end

local function is_in_bias(layer, name)
  for _, own in pairs(own_blocks(layer)) do
    if own == name then return true end
  end
  return false
end

-- --- writing ----------------------------------------------------------------------------

-- bias_hh: zero but for the parameters that it holds.
local function second_bias_of(layer)
  local bias = tensor.zeros(layer.b_h:size(), { dtype = layer.dtype })
  for first, name in pairs(own_blocks(layer)) do
    bias:narrow(1, first, layer.hidden):copy_(layer:parameters()[name])
  end
  return bias
end

local function tensors_of(model)
  local named = { ["linear.weight"] = model.W_hy, ["linear.bias"] = model.b_y }
  for l, layer in ipairs(model.layers) do
    for _, entry in ipairs(layer:parameters()) do
      if not is_in_bias(layer, entry.name) then
        named[their_name(entry.name, l)] = entry.tensor:contiguous()
      end
    end
    if layer:parameters().b_h then named["bias_hh_l" .. l - 1] = second_bias_of(layer) end
  end
  return named
end

local function metadata_of(model)
  local vocab = model.vocab
  return { unroll = json.encode {
    format = FORMAT, cell = model.cell,
    options = next(model.options) and model.options or nil, head = model.head, dtype = model.dtype,
    vocab = vocab and { units = vocab.units, codes = vocab.codes:totable() } or nil,
  } }
end

--- Writes a model to a safetensors file: its parameters under PyTorch's names, cell, head, dtype
--- and vocabulary. Nothing in such a file can run.
---@param model unroll.Model
---@param path string
---@return true? ok
---@return string? message when the file cannot be written; an older file is then untouched
--- > model = rnn.lm{vocab = 3, hidden = 2, seed = 1}
--- > path = os.tmpname()
--- > model:save(path)   --> true
--- > tensor.equal(rnn.load(path).W_hh, model.W_hh)   --> true
--- > os.remove(path)    --> true
---@see rnn.load
function file.save(model, path)
  if type(path) ~= "string" then
    error("model:save: path must be a string, got " .. type(path), 2)
  end
  return safetensors.write(path, tensors_of(model), metadata_of(model))
end

-- --- reading ----------------------------------------------------------------------------

-- Removes what stands before our names: "rnn.weight_ih_l0" is weight_ih_l0.
local function plain_names(tensors)
  local plain = {}
  for name, t in pairs(tensors) do
    plain[name:match("([%w_]+_l%d+)$") or name:match("(linear%.%a+)$") or name] = t
  end
  return plain
end

local function is_matrix(t)
  return tensor.is_tensor(t) and t:dim() == 2 and t:size(1) > 0 and t:size(2) > 0
    and t:dtype():find("^float") ~= nil
end

-- Input, hidden, output and layers after the tensors; nil and what is missing.
local function sizes_of(tensors, d)
  local head = tensors["linear.weight"]
  if not is_matrix(head) then return nil, "it has no matrix linear.weight" end
  local layers = 0
  local known = d:specs(1, 1)[1].name
  while tensors[their_name(known, layers + 1)] do layers = layers + 1 end
  if layers == 0 then return nil, "it has no " .. their_name(known, 1) end
  local first = tensors[their_name(known, 1)]
  if not is_matrix(first) then return nil, their_name(known, 1) .. " is no matrix" end
  return { input = first:size(2), hidden = head:size(2), output = head:size(1), layers = layers }
end

local function same_size(t, wanted)
  if not tensor.is_tensor(t) or t:dim() ~= wanted:dim() or not t:dtype():find("^float") then
    return false
  end
  for i = 1, t:dim() do
    if t:size(i) ~= wanted:size(i) then return false end
  end
  return true
end

-- Copies one tensor of the file into a parameter; a message when it does not fit.
local function copy_in(tensors, name, parameter)
  local t = tensors[name]
  if not t then return "it has no " .. name end
  if not same_size(t, parameter) then
    return ("%s is %s, must be (%s)"):format(name, check.describe(t),
      table.concat(parameter:size(), ","))
  end
  parameter:copy_(t)
end

-- The second bias is added, but for the blocks that are parameters of their own.
local function copy_second_bias(tensors, layer, l)
  local name, parameters = "bias_hh_l" .. l - 1, layer:parameters()
  local second, blocks = tensors[name], own_blocks(layer)
  if not parameters.b_h then return nil end
  if not second then return next(blocks) and "it has no " .. name or nil end
  if not same_size(second, parameters.b_h) then return "bias_hh and bias_ih differ in size" end
  second = second:to(layer.dtype):clone()
  for first, own in pairs(blocks) do
    local block = second:narrow(1, first, layer.hidden)
    parameters[own]:copy_(block)
    block:zero_()
  end
  parameters.b_h:add_(second)
end

local function copy_layer(tensors, layer, l)
  for _, entry in ipairs(layer:parameters()) do
    local message = not is_in_bias(layer, entry.name)
      and copy_in(tensors, their_name(entry.name, l), entry.tensor)
    if message then return message end
  end
  return copy_second_bias(tensors, layer, l)
end

local function copy_all(tensors, model)
  for l, layer in ipairs(model.layers) do
    local message = copy_layer(tensors, layer, l)
    if message then return message end
  end
  return copy_in(tensors, "linear.weight", model.W_hy)
    or copy_in(tensors, "linear.bias", model.b_y)
end

local function has_whole_numbers(codes)
  for _, code in ipairs(codes) do
    if math.type(code) ~= "integer" or code < 0 then return false end
  end
  return true
end

-- The vocabulary after its description; nil and a message when it is malformed.
local function vocab_of(description, size)
  if type(description) ~= "table" or type(description.codes) ~= "table"
    or (description.units ~= "bytes" and description.units ~= "characters")
    or not has_whole_numbers(description.codes) then
    return nil, "its vocabulary is malformed"
  end
  local symbol = description.units == "bytes" and string.char or utf8.char
  local ok, vocab = protected(function()
    local symbols = {}
    for i, code in ipairs(description.codes) do symbols[i] = symbol(code) end
    return require("unroll.text.vocab").new(table.concat(symbols), description.units)
  end)
  if not ok then return nil, "its vocabulary is malformed" end
  if vocab:size() ~= size then
    return nil, ("its vocabulary has %d symbols, its read-out %d"):format(vocab:size(), size)
  end
  return vocab
end

-- The options of the cell: those that the caller gave, else the file's if it has this cell.
local function options_of(found, opts)
  local values = {}
  if type(found.options) == "table" and (opts.cell == nil or opts.cell == found.cell) then
    for name, value in pairs(found.options) do values[name] = value end
  end
  for name, value in pairs(opts.own or {}) do values[name] = value end
  return values
end

-- What the metadata say; what the caller gave counts more.
local function description_of(metadata, opts)
  local text = type(metadata) == "table" and metadata.unroll
  local found = type(text) == "string" and json.decode(text) or {}
  if type(found) ~= "table" then return nil, "its metadata are malformed" end
  if found.format ~= nil and found.format ~= FORMAT then
    return nil, ("its format is %s, this program reads %d"):format(tostring(found.format), FORMAT)
  end
  local d = { cell = opts.cell or found.cell, head = opts.head or found.head or "softmax",
    dtype = opts.dtype or found.dtype or "float32", vocab = found.vocab }
  d.options = options_of(found, opts)
  if type(metadata) == "table" and metadata["unroll.checkpoint"] then
    return nil, "it is a checkpoint, from which train.fit goes on with resume = true; "
      .. "model:save writes what can be loaded"
  end
  if opts.cell == nil and type(d.cell) ~= "string" then
    return nil, "it does not say which cell it has; give cell ="
  end
  if d.head ~= "softmax" and d.head ~= "linear" then
    return nil, ("its head is '%s'"):format(tostring(d.head))
  end
  if d.dtype ~= "float32" and d.dtype ~= "float64" then
    return nil, ("its dtype is '%s'"):format(tostring(d.dtype))
  end
  return d
end

local function new_model(d, sizes)
  local opts = { cell = d.cell, head = d.head, dtype = d.dtype, input = sizes.input,
    hidden = sizes.hidden, output = sizes.output, layers = sizes.layers, init = 0, seed = 1 }
  for name, value in pairs(d.options) do opts[name] = value end
  return require("unroll.rnn.model").new(opts)
end

-- Cells with so many gates, to say what a matrix of another size may be.
local usual_cells = { [3] = "gru", [4] = "lstm" }

-- What is wrong with a tensor of the file that must have this size, or nil.
local function size_problem(t, name, wanted, hidden)
  if not t then return "it has no " .. name end
  if table.concat(t:size(), ",") == table.concat(wanted, ",") then return nil end
  local other = t:dim() > 0 and t:size(1) ~= wanted[1] and usual_cells[t:size(1) / hidden]
  return ("%s is %s, must be (%s)%s"):format(name, check.describe(t), table.concat(wanted, ","),
    other and (": is it of cell = '%s'?"):format(other) or "")
end

-- Before memory is asked for: every matrix of the file must have the size that follows.
local function check_layers(tensors, d, sizes)
  local in_bias = {}
  for _, name in pairs(d.second_bias or {}) do in_bias[name] = true end
  for l = 1, sizes.layers do
    local input = l == 1 and sizes.input or sizes.hidden
    for _, spec in ipairs(d:specs(input, sizes.hidden)) do
      local name = their_name(spec.name, l)
      local problem = not in_bias[spec.name]
        and size_problem(tensors[name], name, spec.size, sizes.hidden)
      if problem then return problem end
    end
  end
end

-- What PyTorch's modules can have beside what there is here.
local function foreign_part(tensors)
  if tensors.weight_ih_l0_reverse then
    return "it is of a bidirectional module, which there is not here"
  elseif tensors.weight_hr_l0 then
    return "its lstm has projections (proj_size), which there are not here"
  end
end

-- The model of a file's tensors; nil and what is wrong with them.
local function model_of(tensors, metadata, opts)
  local d, message = description_of(metadata, opts)
  if not d then return nil, message end
  local ok, found = protected(definition.choose, d.cell, d.options, {}, "rnn.load", 1)
  if not ok then return nil, (tostring(found):gsub("^.-rnn%.load: ", "")) end
  tensors = plain_names(tensors)
  local foreign = foreign_part(tensors)
  if foreign then return nil, foreign end
  local sizes, problem = sizes_of(tensors, found)
  if not sizes then return nil, problem end
  problem = check_layers(tensors, found, sizes)
  if problem then return nil, problem end
  local model = new_model(d, sizes)
  problem = copy_all(tensors, model)
  if problem then return nil, problem end
  if d.vocab then
    model.vocab, problem = vocab_of(d.vocab, sizes.output)
    if not model.vocab then return nil, problem end
  end
  return model
end

---@class unroll.LoadOptions
---@field cell? "tanh"|"relu"|"lstm"|"gru"|string|table instead of what the file says; its own
--- options beside it
---@field head? "softmax"|"linear" instead of what the file says
---@field dtype? "float32"|"float64" instead of what the file says

-- The caller's options, with those of the cell apart, as `own`.
local function check_options(opts, level)
  local accepted = { "cell", "head", "dtype" }
  if type(opts) ~= "table" or opts.cell == nil then
    return (options.check(opts, accepted, "rnn.load", level + 1)) -- keeps its level
  end
  local d, o = definition.choose(opts.cell, opts, accepted, "rnn.load", level + 1)
  local name, given = cell_options.split(opts.cell, "rnn.load", level + 1)
  for _, option in ipairs(d.options or {}) do
    if opts[option.name] ~= nil then given[option.name] = opts[option.name] end
  end
  o.cell, o.own = name, given
  return o
end

--- Reads a model from a file that `Model:save` wrote, or that holds the state dict of a
--- PyTorch module with an nn.RNN, nn.LSTM or nn.GRU and an nn.Linear called `linear`.
---
--- The file of a PyTorch module does not say which cell it has: give `cell`. Gates are stacked
--- as here. PyTorch's two biases are added, but for the gru's b_hn, the block n of bias_hh. Options
--- of a cell are given beside it: rnn.load(path, {cell = "gru", reset = "before"}).
---@param path string
---@param opts? unroll.LoadOptions
---@return unroll.Model? model nil when the file cannot be read or is not such a file
---@return string? message
--- > model, message = rnn.load "no such file.safetensors"
--- > model   --> nil
---@see Model:save safetensors.read
function file.load(path, opts)
  if type(path) ~= "string" then
    error("rnn.load: path must be a string, got " .. type(path), 2)
  end
  local o = check_options(opts, 2)
  local tensors, metadata = safetensors.read(path)
  if not tensors then return nil, metadata end
  local model, message = model_of(tensors, metadata, o)
  if not model then return nil, ("%s: %s"):format(path, message) end
  return model
end

return file
