-- The tanh and relu cells: against plain Lua loops, against differences, in pieces, with
-- masks and reversed, and every wrong call.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local tensor, rnn, gradcheck = unroll.tensor, unroll.rnn, unroll.gradcheck

local function randn(...)
  return tensor.randn({ ... }, { dtype = "float64" })
end

local function tokens(V, T, B)
  return tensor.randint(1, V, { T, B }, { dtype = "int32" })
end

local function new(name, input, hidden, dtype)
  local cell = rnn.cell(name, { input = input, hidden = hidden, dtype = dtype or "float64",
    seed = 11, init = { normal = 0.6 } })
  cell.b_h:normal_(0, 0.5)
  return cell
end

local activation = {
  tanh = function(a) return 1 - 2 / (math.exp(2 * a) + 1) end,
  relu = function(a) return math.max(a, 0) end,
}

-- h_t = f(W_xh x_t + W_hh h_{t-1} + b_h) with nested tables.
local function naive(name, cell, xs, h0)
  local W, U, b = cell.W_xh:totable(), cell.W_hh:totable(), cell.b_h:totable()
  local T, B, H, x = xs:size(1), xs:size(2), cell.hidden, xs:totable()
  local h, ys = h0:totable(), {}
  for t = 1, T do
    ys[t] = {}
    for k = 1, B do
      ys[t][k] = {}
      for i = 1, H do
        local a = b[i]
        if xs:dim() == 2 then
          a = a + W[i][x[t][k]]
        else
          for j = 1, cell.input do a = a + W[i][j] * x[t][k][j] end
        end
        for j = 1, H do a = a + U[i][j] * h[k][j] end
        ys[t][k][i] = activation[name](a)
      end
    end
    h = ys[t]
  end
  return ys
end

TestRnnCell = {}

function TestRnnCell:setUp() tensor.manual_seed(3) end

function TestRnnCell.test_forward_against_loops()
  for _, name in ipairs { "tanh", "relu" } do
    for _, size in ipairs { { 4, 3, 2, 5 }, { 1, 1, 1, 1 }, { 3, 1, 7, 33 }, { 2, 13, 3, 17 },
      { 2, 1, 3, 150 }, { 2, 7, 3, 70 } } do
      local T, B, I, H = table.unpack(size)
      for dtype, tolerance in pairs { float64 = 1e-11, float32 = 1e-4 } do
        local cell = new(name, I, H, dtype)
        cell.W_hh:mul_(1 / math.sqrt(H))
        local h0 = randn(B, H):to(dtype)
        for _, xs in ipairs { randn(T, B, I):to(dtype), tokens(I, T, B) } do
          local ys, state = cell:forward(xs, { h = h0 })
          support.near(ys, naive(name, cell, xs, h0), tolerance)
          support.near(state.h, ys[T], 0)
        end
      end
    end
  end
end

function TestRnnCell.test_gradients()
  for _, name in ipairs { "tanh", "relu" } do
    for _, size in ipairs { { 5, 3, 2, 4 }, { 1, 1, 1, 1 }, { 3, 1, 2, 19 }, { 2, 9, 2, 3 } } do
      local T, B, I, H = table.unpack(size)
      local cell, state = new(name, I, H), { h = randn(B, H) }
      if name == "relu" then cell.b_h:fill_(2) end -- some units must be at work
      for _, loss in ipairs { "every", "last" } do
        local result = gradcheck(cell, randn(T, B, I), { state = state, loss = loss })
        luaunit.assertTrue(result.ok, tostring(result))
      end
    end
    local cell = new(name, 3, 4)
    local result = gradcheck(cell, tensor.tensor({ { 1, 3 }, { 2, 2 }, { 3, 1 } },
      { dtype = "int32" }))
    luaunit.assertTrue(result.ok, tostring(result))
  end
end

function TestRnnCell.test_tokens_are_one_hot_inputs()
  local cell, xs = new("tanh", 5, 6), tokens(5, 7, 3)
  local hot = tensor.zeros({ 7, 3, 5 }, { dtype = "float64" })
  for t = 1, 7 do
    for b = 1, 3 do hot[{ t, b, xs[{ t, b }] }] = 1 end
  end
  local dys = randn(7, 3, 6)
  local found = {}
  for i, x in ipairs { xs, hot } do
    cell:zero_gradients()
    local ys, _, trace = cell:forward(x)
    cell:backward(trace, dys)
    found[i] = { ys, cell:gradients().flat:clone() }
  end
  support.near(found[1][1], found[2][1], 1e-14)
  support.near(found[1][2], found[2][2], 1e-13)
end

-- Bit for bit: the sums of a step do not depend on how many steps a pass has. One sequence goes
-- through its weights to and fro (row.h): there, steps that come at an even place of both.
function TestRnnCell.test_pieces_equal_the_whole()
  for _, dtype in ipairs { "float32", "float64" } do
    for _, size in ipairs { { 1, 25 }, { 3, 40 }, { 8, 100 }, { 1, 130 } } do
      local B, H = table.unpack(size)
      local cell = new("tanh", 6, H, dtype)
      for _, xs in ipairs { randn(9, B, 6):to(dtype), tokens(6, 9, B) } do
        local whole = cell:forward(xs)
        local state, first = nil, 1
        for _, length in ipairs(B == 1 and { 4, 2, 3 } or { 4, 1, 3, 1 }) do
          local ys
          ys, state = cell:forward(xs:narrow(1, first, length), state)
          luaunit.assertTrue(tensor.equal(ys, whole:narrow(1, first, length)))
          first = first + length
        end
        local h
        state = nil
        for t = 1, 9 do
          h, state = cell:step(xs[t], state)
          if B > 1 then luaunit.assertTrue(tensor.equal(h, whole[t])) end
          support.near(h, whole[t], dtype == "float32" and 1e-3 or 1e-12)
        end
      end
    end
  end
end

function TestRnnCell.test_carried_gradients_equal_the_whole()
  local cell, xs, dys = new("tanh", 4, 6), randn(8, 2, 4), randn(8, 2, 6)
  local _, _, trace = cell:forward(xs)
  cell:zero_gradients()
  local dxs = cell:backward(trace, dys)
  local whole = cell:gradients().flat:clone()
  cell:zero_gradients()
  local _, middle, first = cell:forward(xs:narrow(1, 1, 5))
  local _, _, second = cell:forward(xs:narrow(1, 6, 3), middle)
  local dxs2, dstate = cell:backward(second, dys:narrow(1, 6, 3))
  local dxs1 = cell:backward(first, dys:narrow(1, 1, 5), dstate)
  support.near(cell:gradients().flat, whole, 1e-13)
  support.near(dxs1, dxs:narrow(1, 1, 5), 1e-13)
  support.near(dxs2, dxs:narrow(1, 6, 3), 1e-13)
end

function TestRnnCell.test_reverse()
  local cell, xs, h0 = new("tanh", 3, 5), randn(6, 2, 3), randn(2, 5)
  local dys, dend = randn(6, 2, 5), { h = randn(2, 5) }
  local flip = tensor.tensor({ 6, 5, 4, 3, 2, 1 }, { dtype = "int32" })
  local function flipped(t) return t:index_select(1, flip) end
  cell:zero_gradients()
  local ys, last, trace = cell:forward(xs, { h = h0 }, { reverse = true })
  local dxs, dstate = cell:backward(trace, dys, dend)
  local gradients = cell:gradients().flat:clone()
  cell:zero_gradients()
  local ys2, last2, trace2 = cell:forward(flipped(xs), { h = h0 })
  local dxs2, dstate2 = cell:backward(trace2, flipped(dys), dend)
  support.near(ys, flipped(ys2), 0)
  support.near(last.h, last2.h, 0)
  support.near(dxs, flipped(dxs2), 1e-14)
  support.near(dstate.h, dstate2.h, 1e-14)
  support.near(gradients, cell:gradients().flat, 1e-13)
  support.near(flipped(trace:state_gradient_norms():view(6, 1)),
    trace2:state_gradient_norms():view(6, 1), 1e-14)
end

function TestRnnCell.test_mask_keeps_states()
  for _, name in ipairs { "tanh", "relu" } do
    local cell, xs, h0 = new(name, 3, 4), randn(4, 2, 3), randn(2, 4)
    local mask = tensor.tensor { { 1, 0 }, { 0, 1 }, { 1, 1 }, { 0, 0 } }
    local dys = randn(4, 2, 4)
    cell:zero_gradients()
    local ys, last, trace = cell:forward(xs, { h = h0 }, { mask = mask })
    local dxs, dstate = cell:backward(trace, dys)
    support.near(ys[1][2], h0[2], 0)
    support.near(ys[2][1], ys[1][1], 0)
    support.near(last.h, ys[3], 0)
    -- sequence 1 has steps 1 and 3; what its repeated outputs get goes to the step before
    local steps = tensor.tensor({ 1, 3 }, { dtype = "int32" })
    local own = tensor.stack({ dys[1][1] + dys[2][1], dys[3][1] + dys[4][1] }):unsqueeze(2)
    local gradients = cell:gradients().flat:clone()
    cell:zero_gradients()
    local _, _, alone = cell:forward(xs:index_select(1, steps):narrow(2, 1, 1),
      { h = h0:narrow(1, 1, 1) })
    local dx1, dh1 = cell:backward(alone, own)
    support.near(dxs[1][1], dx1[1][1], 1e-14)
    support.near(dxs[2][1], tensor.zeros { 3 }, 0)
    support.near(dxs[3][1], dx1[2][1], 1e-14)
    support.near(dstate.h[1], dh1.h[1], 1e-14)
    -- sequence 2 has steps 2 and 3, and its first output is the initial state
    steps = tensor.tensor({ 2, 3 }, { dtype = "int32" })
    own = tensor.stack({ dys[2][2], dys[3][2] + dys[4][2] }):unsqueeze(2)
    _, _, alone = cell:forward(xs:index_select(1, steps):narrow(2, 2, 1),
      { h = h0:narrow(1, 2, 1) })
    local _, dh2 = cell:backward(alone, own)
    support.near(dstate.h[2], dh2.h[1] + dys[1][2], 1e-14)
    support.near(gradients, cell:gradients().flat, 1e-13)
  end
end

-- The gradient of the last step alone, pushed back by hand: dh <- (dh (1 - h^2)) W_hh.
function TestRnnCell.test_state_gradient_norms()
  local cell, xs = new("tanh", 3, 6), randn(7, 2, 3)
  local ys, _, trace = cell:forward(xs)
  local dys = tensor.zeros({ 7, 2, 6 }, { dtype = "float64" })
  dys[7] = randn(2, 6)
  support.raises("no backward pass", trace.state_gradient_norms, trace)
  cell:backward(trace, dys)
  local norms, dh = trace:state_gradient_norms(), dys[7]
  luaunit.assertEquals(norms:dtype(), "float64")
  for t = 7, 1, -1 do
    luaunit.assertAlmostEquals(norms[t], dh:norm(), 1e-13)
    dh = (dh * (1 - ys[t] * ys[t])):matmul(cell.W_hh)
  end
  cell:forward(xs, nil, { trace = trace })
  cell:backward(trace, dys + 1)
  local both = trace:state_gradient_norms()
  luaunit.assertAlmostEquals(both[7], (dys[7] + 1):norm(), 1e-12)
  luaunit.assertTrue(math.abs(both[1] - norms[1]) > 1e-6)
end

-- Far back the gradient is tiny; its square would be zero in float32.
function TestRnnCell.test_norms_of_vanished_gradients()
  local cell = rnn.cell("tanh", { input = 1, hidden = 2, init = { identity = 0.1 } })
  cell.W_hh:copy_(tensor.eye(2):mul_(0.1))
  local xs = tensor.zeros { 31, 1, 1 }
  local ys, _, trace = cell:forward(xs)
  local dys = ys * 0
  dys[31] = 1
  cell:backward(trace, dys)
  luaunit.assertAlmostEquals(trace:state_gradient_norms()[1] / (math.sqrt(2) * 1e-30), 1, 1e-4)
end

function TestRnnCell.test_strided_inputs()
  local cell = new("tanh", 4, 5)
  local xs, dys = randn(2, 6, 4):transpose(1, 2), randn(5, 6, 2):permute(2, 3, 1)
  local ys, _, trace = cell:forward(xs, { h = randn(5, 2):t() })
  cell:zero_gradients()
  local dxs = cell:backward(trace, dys, { h = randn(5, 2):t() })
  luaunit.assertEquals(ys:size(), { 6, 2, 5 })
  luaunit.assertEquals(dxs:size(), { 6, 2, 4 })
  local words = tokens(4, 2, 6)
  support.near(cell:forward(words:t()), cell:forward(words:t():contiguous()), 0)
  support.near(cell:forward(xs), cell:forward(xs:contiguous()), 0)
  local mask = tensor.tensor({ { 1, 0, 1, 1, 0, 1 }, { 1, 1, 1, 0, 0, 1 } })
  support.near(cell:forward(xs, nil, { mask = mask:t() }),
    cell:forward(xs, nil, { mask = mask:t():contiguous() }), 0)
end

-- ys of a cell on tokens and on expanded (broadcast) numbers.
function TestRnnCell.test_broadcast_input()
  local cell = new("tanh", 3, 4)
  local row = randn(1, 1, 3)
  support.near(cell:forward(row:expand(5, 2, 3)),
    cell:forward(row:expand(5, 2, 3):contiguous()), 0)
end

TestRnnCellParts = {}

function TestRnnCellParts.test_parameters()
  local cell = rnn.cell("tanh", { input = 3, hidden = 4, seed = 1 })
  local p, g = cell:parameters(), cell:gradients()
  luaunit.assertEquals({ p[1].name, p[2].name, p[3].name, #p }, { "W_xh", "W_hh", "b_h", 3 })
  luaunit.assertEquals(p.W_xh:size(), { 4, 3 })
  luaunit.assertEquals(g.W_hh:size(), { 4, 4 })
  luaunit.assertEquals(p.flat:numel(), 4 * 3 + 4 * 4 + 4)
  p.flat:fill_(2)
  luaunit.assertEquals(cell.W_xh:sum(), 24)
  cell.b_h:zero_()
  luaunit.assertEquals(p.flat:sum(), 56)
  luaunit.assertEquals(cell:parameters(), p)
  luaunit.assertStrContains(tostring(cell), "cell tanh   3 → 4")
end

function TestRnnCellParts.test_gradients_add_up()
  local cell = new("tanh", 3, 4)
  local xs, dys = randn(5, 2, 3), randn(5, 2, 4)
  cell:zero_gradients()
  local _, _, trace = cell:forward(xs)
  cell:backward(trace, dys)
  local once = cell:gradients().flat:clone()
  cell:forward(xs, nil, { trace = trace })
  cell:backward(trace, dys)
  support.near(cell:gradients().flat, once * 2, 1e-14)
  cell:zero_gradients()
  luaunit.assertEquals(cell:gradients().flat:abs():sum(), 0)
end

function TestRnnCellParts.test_backward_without_one_of_the_gradients()
  local cell, xs = new("tanh", 3, 4), randn(5, 2, 3)
  local _, _, trace = cell:forward(xs)
  local dend = { h = randn(2, 4) }
  local dys = tensor.zeros({ 5, 2, 4 }, { dtype = "float64" })
  dys[5] = dend.h
  local a = cell:backward(trace, nil, dend):clone()
  cell:forward(xs, nil, { trace = trace })
  support.near(cell:backward(trace, dys), a, 0)
end

function TestRnnCellParts.test_zero_state()
  local cell = rnn.cell("relu", { input = 1, hidden = 3 })
  luaunit.assertEquals(cell:zero_state(2).h:totable(), { { 0, 0, 0 }, { 0, 0, 0 } })
  support.raises("the batch must be an integer", cell.zero_state, cell, 0)
end

function TestRnnCellParts.test_to()
  local cell = new("tanh", 3, 4)
  local copy = cell:to("float32")
  luaunit.assertEquals(copy.dtype, "float32")
  support.near(copy.W_hh, cell.W_hh, 1e-6)
  copy.W_hh:zero_()
  luaunit.assertTrue(cell.W_hh:abs():sum() > 0)
  support.raises("dtype is 'int32'", cell.to, cell, "int32")
end

function TestRnnCellParts.test_step_does_not_share_memory()
  local cell = new("tanh", 3, 4)
  local y1, s1 = cell:step(randn(2, 3))
  local kept = y1:clone()
  local y2 = cell:step(randn(2, 3), s1)
  support.near(y1, kept, 0)
  support.near(y1, s1.h, 0)
  luaunit.assertTrue((y2 - y1):abs():sum() > 0)
end

TestRnnTrace = {}

function TestRnnTrace.test_reuse()
  local cell = new("tanh", 3, 4)
  local ys, state, trace = cell:forward(randn(5, 2, 3))
  local ys2, state2, trace2 = cell:forward(randn(5, 2, 3), state, { trace = trace })
  luaunit.assertTrue(rawequal(trace, trace2) and rawequal(ys, ys2) and rawequal(state, state2))
  -- the state of the last step was the initial one of this pass
  local xs = randn(5, 2, 3)
  local expected = cell:forward(xs, { h = state.h:clone() })
  support.near(cell:forward(xs, state, { trace = trace }), expected, 0)
  -- other sizes, tokens, direction: the buffers are made anew
  local longer = cell:forward(randn(9, 1, 3), nil, { trace = trace })
  luaunit.assertEquals(longer:size(), { 9, 1, 4 })
  luaunit.assertEquals(cell:forward(tokens(3, 9, 1), nil, { trace = trace }):size(), { 9, 1, 4 })
  luaunit.assertNil(cell:backward(trace, longer))
end

function TestRnnTrace.test_generation_tells_an_overwritten_pass()
  local cell, xs = new("tanh", 3, 4), randn(5, 2, 3)
  local ys, _, trace = cell:forward(xs)
  local first, dys = trace.generation, ys:clone()
  cell:forward(xs, nil, { trace = trace })
  support.raises("cell:backward: the trace holds forward pass 2, pass 1 was overwritten",
    cell.backward, cell, trace, dys, nil, first)
  luaunit.assertTrue(cell:backward(trace, dys, nil, trace.generation) ~= nil)
end

function TestRnnTrace.test_misuse()
  local cell, xs = new("tanh", 3, 4), randn(5, 2, 3)
  local ys, _, trace = cell:forward(xs)
  local dys = ys:clone()
  local before = cell:gradients().flat:clone()
  cell.W_hh:mul_(2)
  support.raises("cell:backward: the parameters have changed since the forward pass",
    cell.backward, cell, trace, dys)
  cell:forward(xs, nil, { trace = trace })
  xs[{ 1, 1, 1 }] = 5
  support.raises("the inputs have changed", cell.backward, cell, trace, dys)
  support.near(cell:gradients().flat, before, 0)
  cell:forward(xs, nil, { trace = trace })
  cell:backward(trace, dys)
  support.raises("already", cell.backward, cell, trace, dys)
  -- what forward returned is what backward reads
  for _, name in ipairs { "ys", "state" } do
    local outputs, state = cell:forward(xs, nil, { trace = trace })
    local written = name == "ys" and outputs or state.h
    written:mul_(2)
    support.raises("have been written to", cell.backward, cell, trace, dys)
  end
  -- a pass that failed leaves nothing to go back through
  cell:forward(xs, nil, { trace = trace })
  support.raises("state.h", cell.forward, cell, xs, { h = randn(1, 4) }, { trace = trace })
  support.raises("no forward pass", cell.backward, cell, trace, dys)
  local other = new("tanh", 3, 4)
  support.raises("the trace of this cell's forward", other.backward, other, trace, dys)
  support.raises("trace must come from this cell's forward", other.forward, other, xs, nil,
    { trace = trace })
  support.raises("got nil", cell.backward, cell)
end

function TestRnnTrace.test_bad_tokens_leave_the_trace_usable()
  local cell = new("tanh", 3, 4)
  local xs = tokens(3, 5, 2)
  local ys, _, trace = cell:forward(xs)
  local kept = ys:clone()
  support.raises("tokens must be in 1..3, the one at (1,1) is 4", cell.forward, cell,
    tensor.tensor({ { 4, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 } }, { dtype = "int32" }),
    nil, { trace = trace })
  support.near(ys, kept, 0)
  cell:backward(trace, kept)
end

function TestRnnTrace.test_no_garbage()
  local cell = new("tanh", 3, 4)
  for _, xs in ipairs { randn(5, 2, 3), tokens(3, 5, 2), randn(2, 5, 3):transpose(1, 2) } do
    local opts, state, dys, ys = {}, nil, randn(5, 2, 4), nil
    luaunit.assertEquals(support.garbage(1000, function()
      ys, state, opts.trace = cell:forward(xs, state, opts)
      cell:backward(opts.trace, dys)
    end), 0)
    luaunit.assertEquals(ys:size(), { 5, 2, 4 })
  end
end

function TestRnnTrace.test_its_own_outputs_are_no_inputs_of_a_trace()
  local cell = rnn.cell("tanh", { input = 4, hidden = 4, seed = 1 })
  local ys, _, trace = cell:forward(tensor.randn(3, 2, 4))
  support.raises("the inputs are outputs of the trace that is to be used again", cell.forward,
    cell, ys, nil, { trace = trace })
  local again = cell:forward(ys:clone(), nil, { trace = trace }) -- the trace is as it was
  luaunit.assertEquals(again:size(), { 3, 2, 4 })
end

-- A run keeps its tensors itself: the tables that described it may change afterwards.
function TestRnnTrace.test_a_run_outlives_its_description()
  local core = require "unroll.core"
  local zeros = tensor.zeros
  local description = { cell = "tanh", T = 2, B = 1, I = 3, H = 50, state_names = { "h" },
    parameters = { zeros(3, 50), zeros(50, 50), tensor.ones(50) },
    states = { zeros(3, 1, 50) } }
  local states = description.states[1]
  local run = core.cell.run(description)
  for _, list in pairs(description) do
    if type(list) == "table" then list[1], list[2], list[3] = nil, nil, nil end
  end
  collectgarbage()
  local others = {}
  for i = 1, 50 do others[i] = tensor.full({ 50, 50 }, 9) end
  luaunit.assertNil(run:forward(tensor.zeros(2, 1, 3)))
  luaunit.assertAlmostEquals(states[{ 3, 1, 7 }], 0.76159416, 1e-6)
  luaunit.assertEquals(#others, 50)
end

TestRnnCellErrors = {}

function TestRnnCellErrors.test_constructor()
  local function make(name, opts) return function() local _ = rnn.cell(name, opts) end end
  support.raises("there is no cell 'tahn'. Did you mean 'tanh'?", make("tahn",
    { input = 1, hidden = 1 }))
  support.raises("there is no cell '../x'", make("../x", { input = 1, hidden = 1 }))
  support.raises("cell must be a name", make(nil, { input = 1, hidden = 1 }))
  support.raises("option 'hidden' is required", make("tanh", { input = 1 }))
  support.raises("hidden must be an integer of at least 1, got 0", make("tanh",
    { input = 1, hidden = 0 }))
  support.raises("input must be an integer of at least 1, got 1.5", make("tanh",
    { input = 1.5, hidden = 1 }))
  support.raises("Did you mean 'hidden'?", make("tanh", { input = 1, hiden = 1, hidden = 2 }))
  support.raises("dtype is 'int32'", make("tanh", { input = 1, hidden = 1, dtype = "int32" }))
  support.raises("options must be a table", make("tanh", 3))
  support.raises("seed must be an integer", make("tanh", { input = 1, hidden = 1, seed = "a" }))
  local text = support.raises("rnn.cell", make("tanh", { input = 1, hidden = -1 }))
  luaunit.assertStrContains(text, "test_rnn_cell.lua") -- where the mistake is
end

function TestRnnCellErrors.test_inputs()
  local cell = new("tanh", 3, 4)
  local function forward(...)
    local args = table.pack(...)
    return function() return cell:forward(table.unpack(args, 1, args.n)) end
  end
  support.raises("inputs must be float64 (T,B,3) or int32 tokens (T,B), got float32 (2,1,3)",
    forward(tensor.zeros { 2, 1, 3 }))
  support.raises("got float64 (2,1,2)", forward(randn(2, 1, 2)))
  support.raises("got float64 (2,3)", forward(randn(2, 3)))
  support.raises("got nil", forward())
  support.raises("got table", forward({}))
  support.raises("at least one step", forward(tensor.zeros({ 0, 1, 3 }, { dtype = "float64" })))
  support.raises("at least one step", forward(tensor.zeros({ 1, 0 }, { dtype = "int32" })))
  support.raises("the one at (2,1) is 0", forward(tensor.tensor({ { 1 }, { 0 } },
    { dtype = "int32" })))
  local xs = randn(2, 1, 3)
  support.raises("state must be a table", forward(xs, 3))
  support.raises("unknown name 'c'", forward(xs, { c = randn(1, 4) }))
  support.raises("unknown name '1'", forward(xs, { randn(1, 4) }))
  support.raises("state.h is float64 (1,3), must be float64 (1,4)", forward(xs,
    { h = randn(1, 3) }))
  support.raises("state.h is float32 (1,4)", forward(xs, { h = tensor.zeros { 1, 4 } }))
  support.raises("state.h is number", forward(xs, { h = 3 }))
  support.raises("unknown option 'traces'", forward(xs, nil, { traces = 1 }))
  support.raises("options must be a table", forward(xs, nil, 1))
  support.raises("mask must be float32 or float64 (2,1)", forward(xs, nil,
    { mask = tensor.zeros { 1, 2 } }))
  support.raises("trace must come from", forward(xs, nil, { trace = {} }))
end

function TestRnnCellErrors.test_backward_and_step()
  local cell = new("tanh", 3, 4)
  local _, _, trace = cell:forward(randn(2, 1, 3))
  support.raises("dys must be float64 (2,1,4), got float64 (2,4)", cell.backward, cell, trace,
    randn(2, 4))
  support.raises("dys must be float64 (2,1,4), got table", cell.backward, cell, trace, {})
  support.raises("dstate_end.h is float64 (4,1)", cell.backward, cell, trace, nil,
    { h = randn(4, 1) })
  support.raises("unknown name 'c'", cell.backward, cell, trace, nil, { c = randn(1, 4) })
  cell:backward(trace, randn(2, 1, 4)) -- none of these used the trace up
  support.raises("cell:step: x must be float64 (B,3) or int32 tokens (B), got float64 (2,1,3)",
    cell.step, cell, randn(2, 1, 3))
  support.raises("cell:step", cell.step, cell, randn(2, 4))
  support.raises("tokens must be in 1..3", cell.step, cell, tensor.tensor({ 9 },
    { dtype = "int32" }))
end
