-- unroll against PyTorch: outputs, losses, states, every gradient, optimisers, clipping.
--
-- The numbers are in tests/reference/seed1.json, which tests/reference/make.py has made.
-- Another file of that program can be checked, too:
--
--   python3 tests/reference/make.py --seed 7 --out /tmp/7.json
--   UNROLL_REFERENCE=/tmp/7.json unroll tests/run.lua reference
--
-- For each tensor max|a - b| / max|b| must be at most 1e-10 in float64 and 1e-4 in
-- float32, where b is PyTorch's float64 result. Each case is a test of its own.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local json = require "unroll.json"
local safetensors = require "unroll.safetensors"
local tensor, rnn, optim = unroll.tensor, unroll.rnn, unroll.optim

local TOLERANCE = { float64 = 1e-10, float32 = 1e-4 }

local path = os.getenv "UNROLL_REFERENCE"
if not path or path == "" then path = support.root .. "/tests/reference/seed1.json" end

local function load_reference()
  local file = assert(io.open(path, "r"))
  local text = file:read("a")
  file:close()
  return assert(json.decode(text))
end

local reference = load_reference()

-- --- comparing -----------------------------------------------------------------------------

local function flatten(value, list)
  if type(value) == "number" then
    list[#list + 1] = value
  else
    for _, item in ipairs(value) do flatten(item, list) end
  end
  return list
end

local function sizes_of(nested)
  local sizes = {}
  while type(nested) == "table" do
    sizes[#sizes + 1] = #nested
    nested = nested[1]
  end
  return sizes
end

-- max|a - b| / max|b|; NaN is infinitely far.
local function distance(actual, expected)
  local a, b = flatten(actual, {}), flatten(expected, {})
  local difference, largest = 0, 0
  for i = 1, #b do
    local d = math.abs(a[i] - b[i])
    difference = d == d and math.max(difference, d) or math.huge
    largest = math.max(largest, math.abs(b[i]))
  end
  return largest > 0 and difference / largest or difference
end

local function agree(actual, expected, dtype, what)
  if type(actual) == "userdata" then
    luaunit.assertEquals(actual:size(), sizes_of(expected), what)
    luaunit.assertEquals(actual:dtype(), dtype, what)
    actual = actual:totable()
  end
  local error = distance(actual, expected)
  if error > TOLERANCE[dtype] then
    luaunit.fail(("%s: the error is %.3g, at most %.0e is allowed")
      :format(what, error, TOLERANCE[dtype]))
  end
end

-- Defines a test for each case and dtype.
local function each_case(class, cases, run)
  for _, case in ipairs(cases) do
    for dtype in pairs(TOLERANCE) do
      local name = ("test_%s_%s"):format(case.name, dtype):gsub("[^%w]+", "_")
      luaunit.assertNil(class[name], "two cases are called " .. name)
      class[name] = function() run(case, dtype) end
    end
  end
end

-- --- building ------------------------------------------------------------------------------

-- Tokens (T,B) as int32, numbers (T,B,I) in the dtype of the test.
local function input(nested, dtype)
  local tokens = type(nested[1][1]) == "number"
  return tensor.tensor(nested, { dtype = tokens and "int32" or dtype })
end

local function optional(nested, dtype)
  return nested and tensor.tensor(nested, { dtype = dtype })
end

local function copy_parameters(to, values, dtype)
  for name, value in pairs(values) do
    if name ~= "layers" then to[name]:copy_(tensor.tensor(value, { dtype = dtype })) end
  end
end

-- The options of a case's cell with those of a test.
local function with_options(case, opts)
  for name, value in pairs(case.options or {}) do opts[name] = value end
  return opts
end

-- The states (or their gradients) of a case: key(name) says where that of a name is; or nil.
local function named_states(case, dtype, key)
  local states = {}
  for _, name in ipairs { "h", "c" } do
    states[name] = optional(case[key:format(name)], dtype)
  end
  return next(states) and states or nil
end

local function new_model(case, dtype)
  local layers = case.parameters.layers
  local model = rnn.model(with_options(case, { cell = case.cell, input = case.input,
    hidden = case.hidden, output = case.output, layers = #layers, dtype = dtype,
    head = type(case.y[1][1]) == "number" and "softmax" or "linear" }))
  for k, layer in ipairs(layers) do copy_parameters(model.layers[k], layer, dtype) end
  copy_parameters(model, { W_hy = case.parameters.W_hy, b_y = case.parameters.b_y }, dtype)
  return model
end

-- --- cells ---------------------------------------------------------------------------------

local function check_gradients(cell, case, dtype, times)
  for _, entry in ipairs(cell:gradients()) do
    agree(entry.tensor / times, case.gradients[entry.name], dtype, "gradient of " .. entry.name)
  end
end

local function check_states(states, case, dtype, key, what)
  for name, t in pairs(states) do
    agree(t, case[key:format(name)], dtype, what .. " " .. name)
  end
end

local function new_cell(case, dtype)
  local cell = rnn.cell(case.cell, with_options(case, { input = case.input,
    hidden = case.hidden, dtype = dtype }))
  copy_parameters(cell:parameters(), case.parameters, dtype)
  return cell
end

local function run_cell(case, dtype)
  local cell = new_cell(case, dtype)
  local state = named_states(case, dtype, "%s")
  local dys = tensor.tensor(case.dys, { dtype = dtype })
  local dstate_end = named_states(case, dtype, "d%s_end")
  local x = input(case.x, dtype)
  for times = 1, 2 do -- the second pass adds to the gradients of the first
    local ys, last, trace = cell:forward(x, state)
    agree(ys, case.ys, dtype, "ys")
    check_states(last, case, dtype, "%s_end", "last state")
    local dxs, dstate = cell:backward(trace, dys, dstate_end)
    check_gradients(cell, case, dtype, times)
    if case.gradients.x then agree(dxs, case.gradients.x, dtype, "dxs") end
    if state then check_states(dstate, case.gradients, dtype, "%s", "dstate") end
    agree(trace:state_gradient_norms():totable(), case.state_gradient_norms, dtype,
      "norms of dL/dh")
  end
end

local function run_steps(case, dtype)
  local cell = new_cell(case, dtype)
  local x = input(case.x, dtype)
  local state = named_states(case, dtype, "%s")
  local y
  local ys = tensor.zeros(sizes_of(case.ys), { dtype = dtype })
  for t = 1, x:size(1) do
    y, state = cell:step(x[t], state)
    ys[t]:copy_(y)
  end
  agree(ys, case.ys, dtype, "ys")
  check_states(state, case, dtype, "%s_end", "last state")
end

TestReferenceCells, TestReferenceSteps = {}, {}
each_case(TestReferenceCells, reference.cells, run_cell)
each_case(TestReferenceSteps, reference.cells, run_steps)

-- --- models --------------------------------------------------------------------------------

-- Compares states by layer with those of a case, which are (layers,B,H) under each name.
local function check_layers(states, case, dtype, key, what)
  for k, layer in ipairs(states) do
    for name, t in pairs(layer) do
      agree(t, case[key:format(name)][k], dtype, ("%s %s of layer %d"):format(what, name, k))
    end
  end
end

local function initial_states(case, dtype)
  if not case.h then return nil end
  local states = {}
  for k in ipairs(case.h) do
    states[k] = named_states({ h = case.h[k], c = case.c and case.c[k] }, dtype, "%s")
  end
  return states
end

local function check_model_gradients(model, expected, dtype, what)
  for k, layer in ipairs(expected.layers) do
    for name, gradient in pairs(layer) do
      local full = #expected.layers == 1 and name or ("layers[%d].%s"):format(k, name)
      agree(model:gradients()[full], gradient, dtype, what .. "gradient of " .. full)
    end
  end
  for _, name in ipairs { "W_hy", "b_y" } do
    agree(model:gradients()[name], expected[name], dtype, what .. "gradient of " .. name)
  end
end

local function check_input_gradients(expected, dx, dstate, dtype, what)
  if expected.x then agree(dx, expected.x, dtype, what .. "dx") end
  if expected.h then check_layers(dstate, expected, dtype, "%s", what .. "dstate") end
end

-- One loss: of a pass for training, whose trace is used again, and of an evaluation.
local function run_loss(case, kind, model, trace, dtype, what)
  local x, y = input(case.x, dtype), input(case.y, dtype)
  local state = initial_states(case, dtype)
  local opts = { trace = trace, weight = optional(kind.weight, dtype),
    reduction = kind.reduction }
  local loss, last
  loss, last, trace = model:forward(x, y, state, opts)
  agree(loss, kind.loss, dtype, what .. "loss")
  check_layers(last, case, dtype, "%s_end", what .. "state")
  model:zero_gradients()
  local dx, dstate = model:backward(trace)
  check_model_gradients(model, kind.gradients, dtype, what)
  check_input_gradients(kind.gradients, dx, dstate, dtype, what)
  opts.trace, opts.train = nil, false
  agree(model:forward(x, y, state, opts), kind.loss, dtype, what .. "evaluated loss")
  return trace
end

local function run_model(case, dtype)
  local model = new_model(case, dtype)
  local trace
  for i, kind in ipairs(case.losses) do
    local what = ("loss %d (%s): "):format(i, kind.reduction)
    trace = run_loss(case, kind, model, trace, dtype, what)
  end
  local outputs, last = model:predict(input(case.x, dtype), initial_states(case, dtype))
  agree(outputs, case.outputs, dtype, "outputs")
  check_layers(last, case, dtype, "%s_end", "predicted state")
end

TestReferenceModels = {}
each_case(TestReferenceModels, reference.models, run_model)

-- --- PyTorch's files -------------------------------------------------------------------------

local function set_of(names)
  local set = {}
  for _, name in ipairs(names) do set[name] = true end
  return set
end

local THEIR_NAMES = set_of { "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
  "weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1", "linear.weight", "linear.bias" }

local files = {}
for i, case in ipairs(reference.files) do
  files[i] = { name = "state dict" .. case.suffix, case = case }
end

TestReferenceFiles = {}
each_case(TestReferenceFiles, files,
  function(named, dtype)
    local case = named.case
    local theirs = (path:gsub("%.[^.]*$", "")) .. case.suffix .. ".safetensors"
    local model = assert(rnn.load(theirs, { cell = case.cell, dtype = dtype }))
    luaunit.assertEquals(#model.layers, case.layers)
    agree(model:predict(input(case.x, dtype)), case.outputs, dtype, "outputs")
    local ours = os.tmpname()
    assert(model:save(ours))
    local tensors = assert(safetensors.read(ours))
    local again = assert(rnn.load(ours))
    os.remove(ours)
    local names = {}
    for name in pairs(tensors) do names[#names + 1] = name end
    luaunit.assertEquals(set_of(names), THEIR_NAMES)
    agree(again:predict(input(case.x, dtype)), case.outputs, dtype, "outputs after saving")
  end)

-- --- optimisers ----------------------------------------------------------------------------

local function run_optimiser(case, run, dtype)
  local model = new_model(case, dtype)
  local opt = optim[run.algorithm](model, run.options)
  local x, y = input(case.x, dtype), input(case.y, dtype)
  local losses = {}
  for step = 1, #run.losses do
    local loss, _, trace = model:forward(x, y)
    model:zero_gradients()
    model:backward(trace)
    opt:step()
    losses[step] = loss
  end
  agree(losses, run.losses, dtype, "losses")
  for name, expected in pairs(run.parameters.layers[1]) do
    agree(model:parameters()[name], expected, dtype, name)
  end
  for _, name in ipairs { "W_hy", "b_y" } do
    agree(model:parameters()[name], run.parameters[name], dtype, name)
  end
end

local function kind_of(case)
  return case.options and case.cell .. "_" .. case.options.reset or case.cell
end

TestReferenceOptimisers = {}
for _, case in ipairs(reference.optimisers) do
  local runs = {}
  for i, run in ipairs(case.runs) do
    runs[i] = { name = ("%s_%s_%d"):format(kind_of(case), run.algorithm, i), run = run }
  end
  each_case(TestReferenceOptimisers, runs, function(named, dtype)
    run_optimiser(case, named.run, dtype)
  end)
end

-- --- clipping ------------------------------------------------------------------------------

local function clip_model(before, dtype)
  local gradients = {}
  for name, value in pairs(before) do
    gradients[#gradients + 1] = { name = name, tensor = tensor.tensor(value, { dtype = dtype }) }
  end
  return { gradients = function() return gradients end }
end

local clips = {}
for i, case in ipairs(reference.clips) do
  clips[i] = { name = ("by %s to %g"):format(case.by, case.limit), case = case }
end

TestReferenceClips = {}
each_case(TestReferenceClips, clips, function(named, dtype)
  local case = named.case
  local model = clip_model(case.before, dtype)
  local norm = optim["clip_" .. case.by](model, case.limit)
  agree(norm, case.norm, dtype, "norm")
  for _, g in ipairs(model:gradients()) do
    agree(g.tensor, case.after[g.name], dtype, g.name)
  end
end)
