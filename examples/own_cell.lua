-- A cell of your own in Lua, trained like a built-in one.   unroll examples/own_cell.lua
--
-- A gated cell that mixes its old state with a candidate, without a reset gate:
--   f = sigmoid(a_f)   n = tanh(a_n)   h_t = h_{t-1} + f (n - h_{t-1})
-- where a_f and a_n are the two blocks of W_xh x_t + W_hh h_{t-1} + b_h. The library makes
-- these products, gathers tokens, walks through time and sums the weight gradients; the
-- cell states one step and its derivative. A file like this under lua/unroll/cells/ is
-- found by name: rnn.lm { cell = "mix" }.
local unroll = require "unroll"
local tensor, rnn, text, train = unroll.tensor, unroll.rnn, unroll.text, unroll.train
local vjp = tensor.vjp

local mix = { name = "mix", states = { "h" }, gates = { "f", "n" } }

function mix.step(pre, state, next)
  pre.f:sigmoid_()
  pre.n:tanh_()
  tensor.sub(pre.n, state.h, next.h)
  next.h:mul_(pre.f):add_(state.h)
end

-- With d = dL/dh_t:  dL/df = d (n - h_{t-1})   dL/dn = d f   dL/dh_{t-1} = d (1 - f) + ...,
-- where the dots, what goes through W_hh, are the library's.
function mix.step_grad(grad, pre, state)
  local d = grad.next.h
  tensor.sub(pre.n, state.h, grad.pre.f)
  grad.pre.f:mul_(d)
  vjp.sigmoid(grad.pre.f, nil, pre.f, grad.pre.f)
  tensor.mul(d, pre.f, grad.pre.n)
  vjp.tanh(grad.pre.n, nil, pre.n, grad.pre.n)
  tensor.mul(d, pre.f, grad.state.h)
  tensor.sub(d, grad.state.h, grad.state.h)
end

-- Before training anything: are the derivatives right? Against central differences.
local cell = rnn.cell(mix, { input = 3, hidden = 4, dtype = "float64", seed = 1 })
local check = unroll.gradcheck(cell, tensor.randn(5, 2, 3, { dtype = "float64" }))
print(check)
assert(check.ok, "the derivative of the cell is wrong")

local corpus = text.corpus "numbers"
local model = rnn.lm { cell = mix, vocab = corpus.vocab, hidden = 16, seed = 1 }
train.fit(model, corpus, { steps = 400, window = 20, lr = 0.02, clip_norm = 5 })
local loss = train.evaluate(model, corpus, { split = "all" })
print(("loss %.4f nats per character"):format(loss))
assert(loss < 0.1, "ten cycling digits can be learned almost perfectly")
print(model:sample { length = 40, prime = "0", temperature = 0.5, seed = 1 })
