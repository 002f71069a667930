-- First network: train a character model and let it write.   unroll examples/first_network.lua
local unroll = require "unroll"
local rnn, text, train = unroll.rnn, unroll.text, unroll.train

local corpus = text.corpus "simple"
local model = rnn.lm { cell = "tanh", vocab = corpus.vocab, hidden = 50, seed = 1 }
print(model)

-- One update a window of 25 characters; the state is carried from window to window.
train.fit(model, corpus, { steps = 2000, window = 25, lr = 3e-3, clip_norm = 5 })

-- The loss is the mean cross-entropy in nats per character; exp of it is the perplexity.
local loss = train.evaluate(model, corpus, { split = "all" })
print(("loss %.4f nats, perplexity %.3f"):format(loss, math.exp(loss)))
assert(loss < 0.1, "this text repeats: a trained network knows what comes next")

print(model:sample { length = 200, prime = "a gray ", temperature = 0.5, seed = 1 })
