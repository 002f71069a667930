-- Sampling: determinism, distributions, text and tokens, streams, wrong options.

local luaunit = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local tensor, rnn, text = unroll.tensor, unroll.rnn, unroll.text

local letters = "abcde"

-- A vocabulary as the text part makes them.
local function vocab()
  return require("unroll.text.vocab").new(letters)
end

local function model(opts)
  local o = { vocab = vocab(), hidden = 8, seed = 3, init = { normal = 0.8 } }
  for key, value in pairs(opts or {}) do o[key] = value end
  return rnn.lm(o)
end

-- A model whose symbols have these chances whatever came before.
local function biased(chances)
  local m = rnn.lm { vocab = #chances, hidden = 2, init = { constant = 0 } }
  for i, p in ipairs(chances) do m.b_y[i] = math.log(p) end
  return m
end

local function counts_of(tokens, V)
  local counts, n = {}, tokens:numel()
  for i = 1, V do counts[i] = 0 end
  for _, token in ipairs(tokens:totable()) do counts[token] = counts[token] + 1 / n end
  return counts
end

TestRnnSample = {}

function TestRnnSample.test_text()
  local m = model()
  local found = m:sample { length = 50, prime = "abc", seed = 1 }
  luaunit.assertEquals(#found, 53)
  luaunit.assertEquals(found:sub(1, 3), "abc")
  luaunit.assertTrue(found:find("^[abcde]+$") ~= nil)
  luaunit.assertEquals(#m:sample { seed = 1 }, 200)
  luaunit.assertEquals(m:sample { length = 0 }, "")
  luaunit.assertEquals(m:sample { length = 0, prime = "ab" }, "ab")
  luaunit.assertEquals(#m:sample { length = 1 }, 1)
end

function TestRnnSample.test_seed()
  local m = model()
  local a = m:sample { length = 60, prime = "a", seed = 1 }
  luaunit.assertEquals(m:sample { length = 60, prime = "a", seed = 1 }, a)
  luaunit.assertNotEquals(m:sample { length = 60, prime = "a", seed = 2 }, a)
  tensor.manual_seed(5)
  local b = m:sample { length = 60 }
  luaunit.assertNotEquals(m:sample { length = 60 }, b)
  tensor.manual_seed(5)
  luaunit.assertEquals(m:sample { length = 60 }, b)
  -- a longer sample begins with the shorter one
  luaunit.assertEquals(m:sample({ length = 90, prime = "a", seed = 1 }):sub(1, 61), a)
end

function TestRnnSample.test_temperature_zero_is_the_argmax_of_the_model()
  for _, layers in ipairs { 1, 2 } do
    local m = model { layers = layers }
    local tokens = m.vocab:encode(m:sample { length = 30, prime = "bad", temperature = 0 })
    local logits = m:predict(tokens:view(33, 1))
    for t = 3, 32 do
      luaunit.assertEquals(tokens[t + 1], logits[t][1]:argmax())
    end
  end
end

function TestRnnSample.test_state()
  local m = model()
  local whole = m:sample { length = 20, prime = "abcde", temperature = 0 }
  local _, state = m:predict(m.vocab:encode("abcd"):view(4, 1))
  luaunit.assertEquals("abcd" .. m:sample { length = 20, prime = "e", temperature = 0,
    state = state }, whole)
end

function TestRnnSample.test_distribution()
  local m, chances = biased { 0.1, 0.4, 0.2, 0.3 }, { 0.1, 0.4, 0.2, 0.3 }
  support.near(counts_of(m:sample { length = 20000, seed = 1 }, 4), chances, 0.012)
  local squares = {}
  for i, p in ipairs(chances) do squares[i] = p * p / 0.3 end
  support.near(counts_of(m:sample { length = 20000, seed = 1, temperature = 0.5 }, 4), squares,
    0.012)
  support.near(counts_of(m:sample { length = 20000, seed = 1, top_k = 2 }:narrow(1, 2, 19999), 4),
    { 0, 4 / 7, 0, 3 / 7 }, 0.012)
  local nucleus = m:sample { length = 20000, seed = 1, top_p = 0.75 }
  support.near(counts_of(nucleus:narrow(1, 2, 19999), 4), { 0, 4 / 9, 2 / 9, 3 / 9 }, 0.012)
  luaunit.assertEquals(m:sample({ length = 5, seed = 1, top_k = 99 }):size(), { 5 })
end

-- Without a prime the first symbol is any one.
function TestRnnSample.test_first_symbol()
  local m, first = biased { 0.97, 0.01, 0.02 }, { 0, 0, 0 }
  for seed = 1, 600 do
    local token = m:sample({ length = 1, seed = seed })[1]
    first[token] = first[token] + 1 / 600
  end
  support.near(first, { 1 / 3, 1 / 3, 1 / 3 }, 0.06)
end

function TestRnnSample.test_tokens()
  local m = rnn.lm { vocab = 5, hidden = 4, seed = 1 }
  local prime = tensor.tensor({ 2, 3 }, { dtype = "int32" })
  local tokens = m:sample { length = 7, prime = prime, seed = 1 }
  luaunit.assertEquals(tokens:dtype(), "int32")
  luaunit.assertEquals(tokens:size(), { 9 })
  luaunit.assertEquals({ tokens[1], tokens[2] }, { 2, 3 })
  luaunit.assertEquals(m:sample({ length = 0 }):size(), { 0 })
  luaunit.assertEquals(m:sample { length = 7, prime = "bc", seed = 1, vocab = vocab() },
    vocab():decode(tokens))
end

function TestRnnSample.test_stream()
  local m, pieces = model(), {}
  local found = m:sample { length = 10, prime = "ab", seed = 1,
    stream = function(piece) pieces[#pieces + 1] = piece end }
  luaunit.assertEquals(table.concat(pieces), found)
  luaunit.assertEquals(#pieces, 12)
  local path = support.tmpdir() .. "/stream"
  local file <close> = assert(io.open(path, "w"))
  m:sample { length = 10, prime = "ab", seed = 1, stream = file }
  luaunit.assertEquals(support.read_file(path), found)
end

-- What drawing does, step by step and in halves of steps, is what a pass over the text does.
function TestRnnSample.test_drawn_symbols_are_those_of_a_pass()
  for _, case in ipairs { { "tanh", 5, 1 }, { "tanh", 40, 2 }, { "relu", 130, 1 },
    { "relu", 25, 2 }, { "tanh", 300, 1 } } do
    for dtype, tolerance in pairs { float32 = 1e-3, float64 = 1e-10 } do
      local cell, hidden, layers = table.unpack(case)
      local m = rnn.lm { cell = cell, vocab = 37, hidden = hidden, layers = layers, seed = 3,
        dtype = dtype, init = { uniform = 1.5 / math.sqrt(hidden) } }
      local tokens = m:sample { length = 20, temperature = 0,
        prime = tensor.tensor({ 7, 30, 2 }, { dtype = "int32" }) }
      local y, state = m:predict(tokens:narrow(1, 1, 22):view(22, 1))
      luaunit.assertTrue(tensor.equal(y:argmax(3):view(22):narrow(1, 3, 20),
        tokens:narrow(1, 4, 20)))
      for l = 1, layers do
        support.near(m.sampler.trace.state[l].h, state[l].h, tolerance)
      end
    end
  end
end

-- Bit for bit: the order of the sums depends on the place in the text alone.
function TestRnnSample.test_pieces_leave_the_same_state()
  local m = rnn.lm { vocab = 65, hidden = 130, seed = 1 }
  local whole = m:sample { length = 40, prime = tensor.tensor({ 3, 2, 1 }, { dtype = "int32" }),
    seed = 1 }
  local state = m.sampler.trace.state[1].h:clone()
  for length = 40, 41 do
    local count = 0
    local streamed = m:sample { length = length, seed = 1,
      prime = tensor.tensor({ 3, 2, 1 }, { dtype = "int32" }),
      stream = function() count = count + 1 end }
    luaunit.assertEquals(count, length + 3)
    luaunit.assertTrue(tensor.equal(streamed:narrow(1, 1, 43), whole))
    luaunit.assertEquals(tensor.equal(m.sampler.trace.state[1].h, state), length == 40)
  end
end

function TestRnnSample.test_unicode()
  local m = rnn.lm { vocab = require("unroll.text.vocab").new("aäß€"), hidden = 4, seed = 1 }
  luaunit.assertEquals(utf8.len(m:sample { length = 30, prime = "ä€" }), 32)
end

function TestRnnSample.test_a_corpus_gives_the_vocabulary()
  local corpus = text.corpus("simple")
  local m = rnn.lm { vocab = corpus.vocab, hidden = 4 }
  luaunit.assertEquals(m.output, corpus.vocab:size())
  luaunit.assertEquals(#m:sample { length = 5, prime = corpus.vocab.symbols[3] }, 6)
end

function TestRnnSample.test_memory_of_one_symbol()
  local m = rnn.lm { vocab = 5, hidden = 4, seed = 1 }
  local function garbage(n)
    return support.garbage(1, function() m:sample { length = n, seed = 1 } end)
  end
  -- one number in a list that doubles, and in the tensor at the end
  luaunit.assertTrue(garbage(4096) - garbage(0) < 4096 * (2 * 16 + 4) + 4096)
end

function TestRnnSample.test_training_goes_on_after_sampling()
  local m = rnn.lm { vocab = 5, hidden = 4, seed = 1 }
  local before = m:sample { length = 20, seed = 1, prime = tensor.ones({ 1 }, { dtype = "int32" }) }
  m.b_y[1] = 100 -- the packed weights of the sampler must follow
  m.W_hy:zero_()
  local after = m:sample { length = 20, seed = 1, prime = tensor.ones({ 1 }, { dtype = "int32" }) }
  luaunit.assertEquals(after:sum(), 21)
  luaunit.assertTrue(before:sum() > 21)
end

function TestRnnSample.test_errors()
  local m = model()
  local function sample(opts) return function() local _ = m:sample(opts) end end
  support.raises("temperature must be a finite number, at least 0, got -1",
    sample { temperature = -1 })
  support.raises("temperature must be", sample { temperature = 0 / 0 })
  support.raises("temperature must be", sample { temperature = "hot" })
  support.raises("top_p must be above 0 and at most 1, got 0", sample { top_p = 0 })
  support.raises("top_p must be above 0 and at most 1, got 1.5", sample { top_p = 1.5 })
  support.raises("top_k must be an integer of at least 1, got 0", sample { top_k = 0 })
  support.raises("top_k must be an integer", sample { top_k = 1.5 })
  support.raises("length must be an integer of at least 0, got -1", sample { length = -1 })
  support.raises("unknown option 'temprature'. Did you mean 'temperature'?",
    sample { temprature = 1 })
  support.raises("seed must be an integer", sample { seed = 1.5 })
  support.raises("stream must be an open file or a function, got string", sample { stream = "x" })
  support.raises("is not in the vocabulary", sample { prime = "axe" })
  support.raises("prime must be text or int32 tokens (N), got number", sample { prime = 3 })
  support.raises("token 2 of the prime is 6, must be in 1..5", sample {
    prime = tensor.tensor({ 1, 6 }, { dtype = "int32" }) })
  support.raises("state must be a list of 1 tables", sample { state = {}, prime = "a" })
  support.raises("state.h is", sample { state = { { h = tensor.zeros { 1, 3 } } }, prime = "a" })
  support.raises("options must be a table", sample(5))
  luaunit.assertStrContains(support.raises("top_k", sample { top_k = 0 }), "test_rnn_sample.lua")
  m.b_y[1] = 0 / 0
  support.raises("model:sample: the logits are not finite", sample { prime = "a" })
  local numbers = rnn.lm { vocab = 5, hidden = 2 }
  support.raises("a prime text needs a vocabulary", numbers.sample, numbers, { prime = "a" })
  support.raises("the vocabulary has 5 symbols, the model 4", function()
    rnn.lm({ vocab = 4, hidden = 2 }):sample { vocab = vocab() }
  end)
  local linear = rnn.model { cell = "tanh", input = 2, hidden = 3, output = 2, head = "linear" }
  support.raises("a language model is needed", linear.sample, linear)
end
