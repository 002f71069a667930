--- text: corpora, vocabularies, batches, and the measures of a text.
--
--   local corpus = text.corpus "shakespeare"          -- or a path
--   for x, y, info in corpus:batches { batch = 32, window = 50 } do ... end
--   print(corpus:stats().entropies[1])                -- bits of order 0

local corpus = require "unroll.text.corpus"
local metrics = require "unroll.metrics"
local quality = require "unroll.text.quality"
local vocab = require "unroll.text.vocab"

return {
  corpus = corpus.open,
  from_string = corpus.from_string,
  vocab = vocab.new,
  quality = quality,
  bits = metrics.bits,
  nats = metrics.nats,
  perplexity = metrics.perplexity,
  uniform = metrics.uniform,
}
