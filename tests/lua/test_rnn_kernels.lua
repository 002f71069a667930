-- The kernels of models at sizes around every edge of their blocks: vectors of 2 to 16
-- lanes, panels, tiles of 6 rows, lone columns, blocks of 256 rows. What they give is
-- compared with the same formulas on plain tensors (matmul, tanh, exp), and with
-- themselves: on several threads, in one window and in pieces, in one batch and alone.

local lu = require "luaunit"
local unroll = require "unroll"
local core = require "unroll.core"

local optim, rnn, tensor = unroll.optim, unroll.rnn, unroll.tensor

TestRnnKernels = {}

local function tokens_of(T, B, V, seed)
  local generator, list = tensor.generator(seed), {}
  for i = 1, T * B do list[i] = generator:integer(V) end
  return tensor(list, { dtype = "int32" }):view(T, B)
end

-- --- the plain way ----------------------------------------------------------------------

-- Rows of `table` that the tokens pick.
local function rows_of(t, tokens)
  return t:index_select(1, tokens)
end

local nonlinear = {
  tanh = { function(a) return a:tanh() end, function(h) return 1 - h * h end },
  relu = { function(a) return a:relu() end, function(h) return h:gt(0):to(h:dtype()) end },
}

-- Loss and gradients of a language model, step by step; `model` has float64.
local function plain_pass(model, x, y)
  local T, B, V = x:size(1), x:size(2), model.output
  local f, slope = table.unpack(nonlinear[model.cell])
  local w_x, w_h, b = model.W_xh, model.W_hh, model.b_h
  local h, states = tensor.zeros({ B, model.hidden }, { dtype = "float64" }), {}
  states[0] = h
  for t = 1, T do
    h = f(rows_of(w_x:t():contiguous(), x[t]) + h:matmul(w_h:t()) + b)
    states[t] = h
  end
  local loss, g = 0, { W_xh = w_x:t():contiguous() * 0, W_hh = w_h * 0, b_h = b * 0,
    W_hy = model.W_hy * 0, b_y = model.b_y * 0 }
  local dh = states[0] * 0
  for t = T, 1, -1 do
    local logits = states[t]:matmul(model.W_hy:t()) + model.b_y
    local shifted = logits - logits:max(2, { keepdim = true })
    local sum = shifted:exp():sum(2, { keepdim = true })
    local dy = shifted:exp() / sum
    for r = 1, B do
      local label = y[{ t, r }]
      loss = loss - (shifted[{ r, label }] - math.log(sum[{ r, 1 }]))
      dy[{ r, label }] = dy[{ r, label }] - 1
    end
    dy = dy / (T * B)
    g.W_hy:add_(dy:t():matmul(states[t]))
    g.b_y:add_(dy:sum(1))
    local da = (dh + dy:matmul(model.W_hy)) * slope(states[t])
    g.W_hh:add_(da:t():matmul(states[t - 1]))
    g.b_h:add_(da:sum(1))
    for r = 1, B do g.W_xh[x[{ t, r }]]:add_(da[r]) end
    dh = da:matmul(w_h)
  end
  g.W_xh = g.W_xh:t()
  assert(V == model.b_y:numel())
  return loss / (T * B), g
end

local function largest(t) return t:abs():max() end

-- |a - b| is at most `tolerance` of the largest element of b.
local function check_close(a, b, tolerance, what)
  local difference = largest(a:to("float64") - b)
  if difference ~= difference or difference > tolerance * largest(b) + 1e-30 then
    lu.fail(("%s: off by %g of %g"):format(what, difference, largest(b)))
  end
end

local function check_sizes(H, V, T, B, cell, dtype, tolerance)
  local what = ("%s %s H=%d V=%d T=%d B=%d"):format(cell, dtype, H, V, T, B)
  local exact = rnn.lm { cell = cell, vocab = V, hidden = H, seed = 3, dtype = "float64" }
  exact.W_hh:mul_(0.9)
  exact.b_h:copy_(tensor.linspace(-0.5, 0.5, H, { dtype = "float64" }))
  local x, y = tokens_of(T, B, V, 5), tokens_of(T, B, V, 6)
  local wanted, gradients = plain_pass(exact, x, y)
  local model = dtype == "float64" and exact or exact:to(dtype)
  local loss, _, trace = model:forward(x, y)
  lu.assertAlmostEquals(loss, wanted, tolerance * wanted, what)
  model:backward(trace)
  for name, gradient in pairs(gradients) do
    check_close(model:gradients()[name], gradient, tolerance, what .. " " .. name)
  end
end

local widths = { 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 48, 50, 63, 64, 65, 66, 100, 129, 145 }

function TestRnnKernels.test_hidden_sizes_of_a_batch()
  for i, H in ipairs(widths) do
    local cell = i % 2 == 0 and "relu" or "tanh"
    check_sizes(H, 19, 4, 5 + i % 9, cell, "float64", 1e-12)
    check_sizes(H, 19, 4, 5 + i % 9, cell, "float32", 2e-5)
  end
end

function TestRnnKernels.test_hidden_sizes_of_one_sequence()
  for i, H in ipairs(widths) do
    local cell = i % 2 == 0 and "tanh" or "relu"
    check_sizes(H, 11, 7, 1, cell, "float64", 1e-12)
    check_sizes(H, 11, 7, 1, cell, "float32", 2e-5)
  end
end

function TestRnnKernels.test_vocabularies()
  for i, V in ipairs { 1, 2, 15, 16, 17, 18, 32, 33, 34, 63, 64, 65, 66, 67, 96, 97, 130 } do
    check_sizes(20, V, 3, 1 + i % 4, "tanh", "float64", 1e-12)
    check_sizes(20, V, 3, 1 + i % 4, "tanh", "float32", 2e-5)
  end
end

function TestRnnKernels.test_batches()
  for B = 1, 20 do check_sizes(18, 13, 3, B, "tanh", "float32", 2e-5) end
end

-- A block of the sweep back has 256 rows.
function TestRnnKernels.test_windows_of_several_blocks()
  for _, size in ipairs { { 255, 1 }, { 256, 1 }, { 257, 1 }, { 600, 1 }, { 85, 3 }, { 86, 3 },
      { 87, 3 }, { 2, 255 }, { 2, 256 }, { 3, 257 }, { 2, 601 } } do
    check_sizes(9, 6, size[1], size[2], "tanh", "float64", 1e-11)
  end
end

-- One to five columns beyond whole vectors of the weights' gradients, which are made as rows
-- of what is transposed where they are few: in blocks of 256 rows and in part of one, with W
-- read where it lies and packed.
function TestRnnKernels.test_columns_beyond_vectors()
  for over = 1, 5 do
    check_sizes(32 + over, 35, 4, 3, "tanh", "float32", 2e-5)
    check_sizes(32 + over, 35, 3, 100, "tanh", "float32", 2e-5)
    check_sizes(96 + over, 40, 5, 60, "tanh", "float32", 2e-5)
    check_sizes(96 + over, 40, 5, 1, "tanh", "float64", 1e-12)
    check_sizes(16 + over, 300, 4, 70, "tanh", "float64", 1e-11)
  end
  check_sizes(292, 20, 4, 2, "tanh", "float32", 2e-5)
end

-- Wide enough that the left side of a weight gradient is packed.
function TestRnnKernels.test_a_wide_layer()
  check_sizes(257, 10, 3, 6, "tanh", "float64", 1e-12)
  check_sizes(513, 10, 2, 7, "tanh", "float32", 2e-5)
  check_sizes(257, 10, 3, 17, "tanh", "float64", 1e-11)
end

-- Tiles of four rows leave five at the end of a weight gradient, and a vector and a half of
-- columns beside them: a tile of three rows and one of two.
function TestRnnKernels.test_five_rows_beyond_the_tiles()
  check_sizes(10, 389, 4, 5, "tanh", "float32", 2e-5)
  check_sizes(5, 389, 4, 5, "tanh", "float64", 1e-12)
end

-- One input and one output, beside a model with two of each that are the same and others of
-- which nothing comes: the gradients of the first ones are the same.
local function check_single(H, T, B, dtype, tolerance)
  local function made(n)
    return rnn.model { cell = "tanh", input = n, hidden = H, output = n, head = "linear", seed = 1,
      dtype = dtype }
  end
  local one, two = made(1), made(2)
  two.W_hh:copy_(one.W_hh)
  two.W_xh:narrow(2, 1, 1):copy_(one.W_xh)
  two.W_hy:zero_():narrow(1, 1, 1):copy_(one.W_hy)
  local x = tensor.zeros({ T, B, 2 }, { dtype = dtype })
  local y = x:clone()
  local x1 = x:narrow(3, 1, 1):uniform_(-1, 1)
  local y1 = y:narrow(3, 1, 1):uniform_(-1, 1)
  for model, data in pairs { [one] = { x1:contiguous(), y1:contiguous() }, [two] = { x, y } } do
    local _, _, trace = model:forward(data[1], data[2], nil, { reduction = "sum" })
    model:backward(trace)
  end
  local what = ("%s H=%d T=%d B=%d "):format(dtype, H, T, B)
  local got, wanted = one:gradients(), two:gradients()
  check_close(got.W_hy, wanted.W_hy:narrow(1, 1, 1):to("float64"), tolerance, what .. "W_hy")
  check_close(got.W_xh, wanted.W_xh:narrow(2, 1, 1):to("float64"), tolerance, what .. "W_xh")
end

function TestRnnKernels.test_one_input_and_one_output()
  for _, H in ipairs { 9, 17, 18, 33, 34, 65, 129 } do
    for _, size in ipairs { { 3, 4 }, { 70, 1 }, { 140, 1 }, { 40, 20 } } do
      check_single(H, size[1], size[2], "float32", 1e-4)
      check_single(H, size[1], size[2], "float64", 1e-11)
    end
  end
end

-- --- compared with themselves --------------------------------------------------------------

-- A pass of a model of two layers, an update with clipped gradients, and what it leaves.
local function pass(cell, H, V, T, B, dtype, mask, threads_back)
  local model = rnn.lm { cell = cell, vocab = V, hidden = H, layers = 2, seed = 3,
    dtype = dtype }
  local x, y = tokens_of(T, B, V, 5), tokens_of(T, B, V, 6)
  local loss, state, trace = model:forward(x, y, nil, { mask = mask })
  if threads_back then core.sys.threads(threads_back) end
  model:backward(trace)
  local gradients = model:gradients().flat:clone()
  local norm = optim.clip_norm(model, 1e-3)
  optim.adam(model, { lr = 0.1 }):step()
  local again = model:forward(x, y, nil, { mask = mask })
  return { loss, gradients, state[2].h, trace:state_gradient_norms(1), norm,
    model:parameters().flat, again }
end

-- (T,B): one step in three does not count.
local function mask_of(T, B)
  local mask = tensor.ones(T * B)
  for i = 1, T * B, 3 do mask[i] = 0 end
  return mask:view(T, B)
end

local function check_threads(before, cell, sizes)
  for _, size in ipairs(sizes) do
    local H, V, T, B, masked, dtype = table.unpack(size)
    local mask = masked and mask_of(T, B):to(dtype or "float32") or nil
    core.sys.threads(1)
    local expected = pass(cell, H, V, T, B, dtype or "float32", mask)
    for _, threads in ipairs { { 2 }, { 3 }, { 5 }, { 2, 1 }, { 2, 3 }, { 1, 2 } } do
      core.sys.threads(threads[1])
      local got = pass(cell, H, V, T, B, dtype or "float32", mask, threads[2])
      core.sys.threads(before)
      for i, value in ipairs(expected) do
        if type(value) == "number" then
          lu.assertEquals(got[i], value)
        else
          lu.assertTrue(tensor.equal(got[i], value))
        end
      end
    end
  end
end

function TestRnnKernels.test_the_bits_do_not_depend_on_the_threads()
  local before = core.sys.threads()
  local function check(cell, sizes)
    local ok, message = pcall(check_threads, before, cell, sizes)
    core.sys.threads(before)
    if not ok then error(("%s: %s"):format(cell, message), 0) end
  end
  check("tanh", { { 33, 17, 30, 13 }, { 128, 65, 40, 32 }, { 16, 5, 300, 3 },
    { 24, 9, 30, 19, true }, { 64, 9, 30, 19, true }, { 64, 3, 20, 16, false, "float64" },
    { 129, 70, 9, 17 }, { 200, 7, 8, 16 } })
  for _, cell in ipairs { "lstm", "gru", "gru reset=before" } do
    check(cell, { { 33, 17, 12, 13 }, { 40, 9, 12, 19, true }, { 64, 65, 20, 32 },
      { 24, 3, 20, 16, false, "float64" }, { 20, 5, 40, 1 } })
  end
end

-- Weights stay packed while they do not change; two threads need a copy more than one.
function TestRnnKernels.test_the_threads_may_change_between_passes()
  local before = core.sys.threads()
  local model = rnn.lm { vocab = 9, hidden = 24, seed = 3 }
  local x, y = tokens_of(7, 16, 9, 5), tokens_of(7, 16, 9, 6)
  local losses, opts = {}, {}
  local function forward(threads)
    core.sys.threads(threads)
    local loss, _, trace = model:forward(x, y, nil, opts)
    losses[#losses + 1], opts.trace = loss, trace
  end
  for _ = 1, 2 do
    for _, threads in ipairs { 1, 2, 3, 2, 1 } do forward(threads) end
    model:parameters().flat:mul_(0.5)
    forward(2)
  end
  core.sys.threads(before)
  for i = 1, 5 do lu.assertEquals(losses[i], losses[1]) end
  for i = 6, 11 do lu.assertEquals(losses[i], losses[6]) end
  lu.assertNotEquals(losses[6], losses[1])
  lu.assertNotEquals(losses[12], losses[6])
end

-- A state that is carried on gives the bits of one long window.
function TestRnnKernels.test_pieces_equal_the_whole()
  for _, size in ipairs { { 40, 1 }, { 100, 1 }, { 40, 4 }, { 70, 7 } } do
    local H, B, T, V = size[1], size[2], 23, 9
    local model = rnn.lm { vocab = V, hidden = H, seed = 3 }
    local x, y = tokens_of(T, B, V, 5), tokens_of(T, B, V, 6)
    local whole = model:predict(x)
    local first, state = model:predict(x:narrow(1, 1, 10))
    local rest = model:predict(x:narrow(1, 11, 13), state)
    lu.assertTrue(tensor.equal(tensor.cat({ first, rest }, 1), whole))
    local loss = model:forward(x, y, nil, { reduction = "sum" })
    lu.assertEquals(model:forward(x, y, nil, { reduction = "sum", train = false }), loss)
  end
end

-- Sequences do not see who else is in the batch.
function TestRnnKernels.test_a_row_of_a_batch_is_the_sequence_alone()
  local model = rnn.lm { vocab = 9, hidden = 37, seed = 3, dtype = "float64" }
  local x = tokens_of(12, 7, 9, 5)
  local together = model:predict(x)
  for b = 1, 7 do
    local alone = model:predict(x:narrow(2, b, 1))
    lu.assertTrue(tensor.allclose(together:narrow(2, b, 1), alone, { rtol = 1e-13, atol = 1e-14 }))
  end
end

-- A sequence alone goes through a stretch of steps at once, one of two through general steps.
local function check_alone(kind, H, dtype, tolerance, reverse)
  local cell = rnn.cell(kind[1], { input = 3, hidden = H, dtype = dtype, seed = 3,
    reset = kind.reset })
  local function pass_of(x, B)
    local first = cell:zero_state(B)
    for _, t in pairs(first) do t:fill_(0.25) end
    local ys, last, trace = cell:forward(x, first, { reverse = reverse })
    cell:zero_gradients()
    local dx, dstate = cell:backward(trace, ys:clone())
    local left = { ys = ys:narrow(2, 1, 1), h = last.h:narrow(1, 1, 1), dx = dx:narrow(2, 1, 1),
      dh = dstate.h:narrow(1, 1, 1), norms = trace:state_gradient_norms() / math.sqrt(B) }
    for _, name in ipairs { "W_xh", "W_hh", "b_h" } do
      left["gradient of " .. name] = cell:gradients()[name] / B
    end
    return left
  end
  local x = tensor.randn({ 70, 1, 3 }, { dtype = dtype, generator = tensor.generator(2) })
  local alone, pair = pass_of(x, 1), pass_of(tensor.cat({ x, x }, 2), 2)
  for name, t in pairs(pair) do
    check_close(alone[name], t:to("float64"), tolerance, ("%s %d %s"):format(kind[1], H, name))
  end
end

function TestRnnKernels.test_gated_cells_of_one_sequence()
  for _, kind in ipairs { { "lstm" }, { "gru" }, { "gru", reset = "before" } } do
    for _, H in ipairs { 1, 5, 16, 25, 50, 100, 256, 257 } do
      for _, reverse in ipairs { false, true } do
        check_alone(kind, H, "float64", 1e-12, reverse)
        check_alone(kind, H, "float32", 1e-4, reverse)
      end
    end
  end
end

-- Passes follow one another on one trace: what is used again is overwritten, not added to.
function TestRnnKernels.test_a_trace_used_again_gives_the_same_bits()
  for _, B in ipairs { 1, 6 } do
    local model = rnn.lm { vocab = 9, hidden = 37, seed = 3 }
    local x, y = tokens_of(300, B, 9, 5), tokens_of(300, B, 9, 6)
    local _, _, trace = model:forward(x, y)
    model:backward(trace)
    local first = model:gradients().flat:clone()
    for _ = 1, 2 do
      model:zero_gradients()
      model:forward(x, y, nil, { trace = trace })
      model:backward(trace)
      lu.assertTrue(tensor.equal(model:gradients().flat, first))
    end
  end
end
