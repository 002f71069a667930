-- Every cell there is, whoever wrote it and in which language: gradients against
-- differences, float32 against float64, awkward sizes, strided inputs, carried states.
-- A new cell is tested here without a line being added.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local tensor, rnn, gradcheck = unroll.tensor, unroll.rnn, unroll.gradcheck

-- T, B, I, H: nothing special, all one, one step, one sequence, one unit, and sizes that
-- no vector length divides.
local SIZES = { { 4, 3, 2, 5 }, { 1, 1, 1, 1 }, { 1, 3, 4, 2 }, { 5, 1, 3, 4 }, { 6, 2, 3, 1 },
  { 3, 5, 7, 17 } }

local function new_cell(name, size, dtype, seed)
  local cell = rnn.cell(name, { input = size[3], hidden = size[4], dtype = dtype or "float64",
    seed = seed or 2 })
  local generator = tensor.generator(seed or 2)
  for _, p in ipairs(cell:parameters()) do -- biases are no zeros here
    if p.tensor:dim() == 1 then p.tensor:uniform_(-0.5, 0.5, generator) end
  end
  return cell
end

local function dense(size, dtype, seed)
  return tensor.randn({ size[1], size[2], size[3] },
    { dtype = "float64", generator = tensor.generator(seed or 1) }):to(dtype or "float64")
end

local function tokens(size)
  local x = tensor.zeros({ size[1], size[2] }, { dtype = "int32" })
  local generator = tensor.generator(3)
  for t = 1, size[1] do
    for b = 1, size[2] do x[{ t, b }] = generator:integer(size[3]) end
  end
  return x
end

-- A state that is not zero, in a fixed order of names.
local function random_state(cell, B, dtype)
  local state, names = cell:zero_state(B), {}
  for name in pairs(state) do names[#names + 1] = name end
  table.sort(names)
  local generator = tensor.generator(4)
  for _, name in ipairs(names) do
    state[name] = tensor.randn(state[name]:size(), { dtype = "float64", generator = generator })
      :to(dtype or "float64")
  end
  return state
end

local function copy_parameters(to, from)
  for _, p in ipairs(from:parameters()) do to:parameters()[p.name]:copy_(p.tensor) end
end

local function zero_gradients(cell)
  for _, g in ipairs(cell:gradients()) do g.tensor:zero_() end
end

-- Everything that a forward and a backward pass give, as { [name] = tensor }.
local function everything(cell, x, state, dtype)
  local ys, last, trace = cell:forward(x, state)
  local found = { ys = ys:clone() }
  local dys = tensor.randn(ys:size(), { dtype = "float64", generator = tensor.generator(6) })
  local dlast = random_state(cell, x:size(2), dtype)
  for name, t in pairs(last) do found["last." .. name] = t:clone() end
  zero_gradients(cell)
  local dxs, dstate = cell:backward(trace, dys:to(dtype or "float64"), dlast)
  if x:dtype() ~= "int32" then found.dxs = dxs:clone() end
  for name, t in pairs(dstate) do found["dstate." .. name] = t:clone() end
  for _, g in ipairs(cell:gradients()) do found[g.name] = g.tensor:clone() end
  return found
end

-- max|a - b| / max|b|
local function distance(a, b)
  a, b = a:to("float64"), b:to("float64")
  local largest = tensor.abs(b):max()
  local difference = tensor.abs(a - b):max()
  return largest > 0 and difference / largest or difference
end

local function all_near(a, b, tolerance, what)
  for name, expected in pairs(b) do
    luaunit.assertNotNil(a[name], what .. ": " .. name)
    local d = distance(a[name], expected)
    if d ~= d or d > tolerance then
      luaunit.fail(("%s: %s differs by %.3g, at most %.0e is allowed")
        :format(what, name, d, tolerance))
    end
  end
end

local function what(size) return "(T,B,I,H) = (" .. table.concat(size, ",") .. ")" end

-- --- the tests of one cell -----------------------------------------------------------------

local checks = {}

-- gradcheck with the first seed that leaves no gradient all zero: few relu units may all
-- be dead. A gradient that is always zero fails.
local function check_living(name, size, x, opts)
  local result
  for seed = 1, 20 do
    local cell = new_cell(name, size, nil, seed)
    opts.state = random_state(cell, size[2])
    result = gradcheck(cell, x, opts)
    if not result.worst.zero then break end
  end
  return result
end

function checks.gradients(name)
  for _, size in ipairs(SIZES) do
    for _, loss in ipairs { "every", "last" } do
      for _, x in ipairs { dense(size), tokens(size) } do
        local result = check_living(name, size, x, { loss = loss })
        luaunit.assertTrue(result.ok, what(size) .. ", loss = " .. loss .. "\n" .. tostring(result))
        luaunit.assertTrue(result.worst.error < 1e-6)
      end
    end
  end
end

-- Sequences of different lengths, and a gap.
local function mask_of(T, B)
  local mask = tensor.ones({ T, B }, { dtype = "float64" })
  for b = 1, B do
    for t = 1, T do
      if t > T - b + 1 or (t == 2 and b == 1) then mask[{ t, b }] = 0 end
    end
  end
  return mask
end

function checks.gradients_with_mask_and_reverse(name)
  local size = { 4, 3, 2, 5 }
  for _, reverse in ipairs { true, false } do
    for _, x in ipairs { dense(size), tokens(size) } do
      for _, mask in ipairs { false, mask_of(size[1], size[2]) } do
        local result = check_living(name, size, x, { reverse = reverse, mask = mask or nil })
        luaunit.assertTrue(result.ok, tostring(result))
      end
    end
  end
end

function checks.gradients_in_float32(name)
  local size = SIZES[1]
  local cell = new_cell(name, size, "float32")
  local result = gradcheck(cell, dense(size, "float32"),
    { state = random_state(cell, size[2], "float32") })
  luaunit.assertTrue(result.ok, tostring(result))
end

function checks.float32_is_float64_rounded(name)
  for _, size in ipairs { SIZES[1], SIZES[6], { 7, 33, 20, 40 } } do
    local double, single = new_cell(name, size), new_cell(name, size, "float32")
    copy_parameters(double, single)
    local state = random_state(single, size[2], "float32")
    local wide = {}
    for key, t in pairs(state) do wide[key] = t:to("float64") end
    for _, x in ipairs { dense(size, "float32"), tokens(size) } do
      local x64 = x:dtype() == "int32" and x or x:to("float64")
      local dtypes_differ = everything(single, x, state, "float32")
      luaunit.assertEquals(dtypes_differ.ys:dtype(), "float32")
      all_near(dtypes_differ, everything(double, x64, wide), 1e-4, what(size))
    end
  end
end

function checks.strided_inputs(name)
  for _, size in ipairs { SIZES[1], SIZES[6] } do
    local cell = new_cell(name, size)
    local plain, state = dense(size), random_state(cell, size[2])
    local expected = everything(cell, plain, state)
    local batch_first = plain:transpose(1, 2):contiguous():transpose(1, 2)
    luaunit.assertFalse(batch_first:is_contiguous())
    all_near(everything(cell, batch_first, state), expected, 0, "transposed")
    local wide = tensor.zeros({ size[1], size[2], 2 * size[3] }, { dtype = "float64" })
    wide:narrow(3, 1, size[3]):copy_(plain)
    all_near(everything(cell, wide:narrow(3, 1, size[3]), state), expected, 0, "narrowed")
    local columns = {}
    for key, t in pairs(state) do columns[key] = t:t():contiguous():t() end
    all_near(everything(cell, plain, columns), expected, 0, "transposed state")
  end
end

function checks.strided_tokens(name)
  local size = SIZES[1]
  local cell, x = new_cell(name, size), tokens(size)
  local state = random_state(cell, size[2])
  all_near(everything(cell, x:t():contiguous():t(), state), everything(cell, x, state), 0,
    "transposed tokens")
end

function checks.tokens_are_rows_of_one_hot(name)
  for _, size in ipairs(SIZES) do
    local cell, x = new_cell(name, size), tokens(size)
    local one_hot = tensor.zeros({ size[1], size[2], size[3] }, { dtype = "float64" })
    for t = 1, size[1] do
      for b = 1, size[2] do one_hot[{ t, b, x[{ t, b }] }] = 1 end
    end
    local state = random_state(cell, size[2])
    local expected = everything(cell, one_hot, state)
    expected.dxs = nil
    all_near(everything(cell, x, state), expected, 1e-12, what(size))
  end
end

function checks.steps_are_the_window(name)
  for _, size in ipairs(SIZES) do
    local cell = new_cell(name, size)
    for _, x in ipairs { dense(size), tokens(size) } do
      local state = random_state(cell, size[2])
      local ys, last = cell:forward(x, state)
      local y
      for t = 1, size[1] do
        y, state = cell:step(x[t], state)
        support.near(y, ys[t], 1e-13, what(size) .. " step " .. t)
      end
      for key, t in pairs(last) do support.near(state[key], t, 1e-13, key) end
    end
  end
end

function checks.no_state_is_zero_state(name)
  local size = SIZES[1]
  local cell, x = new_cell(name, size), dense(size)
  all_near(everything(cell, x, nil), everything(cell, x, cell:zero_state(size[2])), 0, "nil")
end

function checks.windows_carry_the_state(name)
  local size = { 6, 2, 3, 5 }
  local cell, x = new_cell(name, size), dense(size)
  local whole = cell:forward(x):clone()
  local _, middle = cell:forward(x[{ { 1, 2 } }])
  local rest = cell:forward(x[{ { 3, 6 } }], middle)
  support.near(rest, whole[{ { 3, 6 } }], 1e-13)
end

function checks.backward_adds(name)
  local size = SIZES[1]
  local cell, x = new_cell(name, size), dense(size)
  local once = everything(cell, x, nil)
  for _ = 1, 2 do
    local ys, _, trace = cell:forward(x)
    local dys = tensor.randn(ys:size(), { dtype = "float64", generator = tensor.generator(6) })
    cell:backward(trace, dys, random_state(cell, size[2]))
  end
  for _, g in ipairs(cell:gradients()) do
    support.near(g.tensor, once[g.name] * 3, 1e-12, g.name)
  end
end

-- The names of all cells, once more for each choice that an option of one leaves.
local function names_and_variants()
  local names = {}
  for _, name in ipairs(rnn.cells()) do
    names[#names + 1] = name
    for _, option in ipairs(rnn.cell(name, { input = 1, hidden = 1 }).definition.options or {}) do
      for _, choice in ipairs(option.choices or {}) do
        if choice ~= option.default then
          names[#names + 1] = ("%s %s=%s"):format(name, option.name, choice)
        end
      end
    end
  end
  return names
end

TestCells = {}
for _, name in ipairs(names_and_variants()) do
  for check, run in pairs(checks) do
    TestCells[("test_%s_%s"):format(name:gsub("%W", "_"), check)] = function() run(name) end
  end
end

function TestCells.test_the_list_has_the_basic_cells()
  local known = {}
  for _, name in ipairs(rnn.cells()) do known[name] = true end
  luaunit.assertTrue(known.tanh and known.relu and known.lstm and known.gru)
  luaunit.assertNotNil(TestCells.test_gru_reset_before_gradients)
end
