-- Corpora, vocabularies, entropies and splits.

local lu = require "luaunit"
local support = require "support"
local core = require "unroll.core"
local metrics = require "unroll.metrics"
local tensor = require "unroll.tensor"
local text = require "unroll.text"

local function temporary(contents)
  local path = os.tmpname()
  assert(core.sys.write_file(path, contents))
  return path
end

-- --- vocabulary ------------------------------------------------------------------------

TestVocab = {}

function TestVocab.test_symbols_are_sorted_by_code()
  local v = text.vocab("zebra ébène 日本 \n!")
  local codes = v.codes:totable()
  for k = 2, #codes do lu.assertTrue(codes[k - 1] < codes[k]) end
  lu.assertEquals(v.symbols[1], "\n")
  lu.assertEquals(v.symbols[#v.symbols], "本")
  lu.assertEquals(v:size(), #v.symbols)
end

function TestVocab.test_encode_and_decode_are_inverse()
  local sample = "a\u{0}b é ß \u{7FF}\u{800} \u{FFFF}\u{10000} \u{10FFFF} 日本"
  local v = text.vocab(sample)
  local tokens = v:encode(sample)
  lu.assertEquals(tokens:dtype(), "int32")
  lu.assertEquals(tokens:size(1), utf8.len(sample))
  lu.assertEquals(v:decode(tokens), sample)
  for i, code in utf8.codes("é日") do
    lu.assertEquals(v.symbols[v:encode(utf8.char(code)):item()], utf8.char(code), i)
  end
end

function TestVocab.test_every_byte_in_byte_units()
  local bytes = {}
  for b = 0, 255 do bytes[b + 1] = string.char(b) end
  local all = table.concat(bytes)
  local v = text.vocab(all:reverse(), "bytes")
  lu.assertEquals(v:size(), 256)
  lu.assertEquals(v:encode(all):totable()[256], 256)
  lu.assertEquals(v:decode(v:encode(all)), all)
end

function TestVocab.test_decode_takes_tensors_lists_and_numbers()
  local v = text.vocab("abc")
  lu.assertEquals(v:decode(2), "b")
  lu.assertEquals(v:decode { 3, 1 }, "ca")
  lu.assertEquals(v:decode(v:encode("cab"):reshape(3, 1)), "cab")
  lu.assertEquals(v:decode {}, "")
  lu.assertEquals(v:encode(""):numel(), 0)
end

function TestVocab.test_errors_name_the_trouble()
  local v = text.vocab("abc")
  support.raises("'x' (U+0078), symbol 3 of the text, is not in the vocabulary of 3",
    v.encode, v, "abx")
  support.raises("é' (U+00E9), symbol 1", v.encode, v, "é")
  support.raises("token 4 at position 2 is out of range 1..3", v.decode, v, { 1, 4 })
  support.raises("token 0 at position 1", v.decode, v, 0)
  support.raises("token 9 at position 2 is out of range 1..3", v.decode, v,
    tensor.tensor({ 1, 9 }, { dtype = "int32" }))
  support.raises("invalid UTF-8 at byte 2 of 2", v.encode, v, "a\xFF")
  support.raises("got nil", v.encode, v)
  support.raises("got boolean", v.decode, v, true)
  support.raises("is empty", text.vocab, "")
  local b = text.vocab("ab", "bytes")
  support.raises("byte 0xFF", b.encode, b, "\xFF")
end

-- Long runs of plain characters are looked at in pieces of 2^20 bytes.
function TestVocab.test_pieces_of_long_plain_texts_join()
  local v = text.vocab "aé"
  for extra = -1, 1 do
    local long = ("a"):rep((1 << 20) + extra)
    lu.assertEquals(v:encode(long):numel(), #long)
    lu.assertEquals(v:encode(long .. "é" .. long):to("float64"):sum(), 2 * #long + 2)
    lu.assertEquals(text.vocab(long .. "é" .. long):size(), 2)
    support.raises(("invalid UTF-8 at byte %d of"):format(#long + 1), v.encode, v, long .. "\xFF")
  end
end

function TestVocab.test_equality()
  lu.assertTrue(text.vocab("abc") == text.vocab("cba"))
  lu.assertFalse(text.vocab("abc") == text.vocab("abd"))
  lu.assertFalse(text.vocab("abc") == text.vocab("abc", "bytes"))
end

-- --- UTF-8 -----------------------------------------------------------------------------

TestUtf8 = {}

function TestUtf8.test_malformed_bytes_are_found_where_they_start()
  local bad = {
    "\x80", "\xC3", "\xC3(", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
    "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
    "\xF8\x88\x80\x80\x80", "\xFF", "\xE2(\xA1",
  }
  for _, bytes in ipairs(bad) do
    for _, before in ipairs { "", "a", "éé" } do
      local sample = before .. bytes .. "zz"
      local _, expected = utf8.len(sample)
      local count, position = core.text.check(sample)
      lu.assertNil(count, sample)
      lu.assertEquals(position, expected)
      lu.assertEquals(position, #before + 1)
    end
  end
end

function TestUtf8.test_random_bytes_agree_with_lua()
  local g = tensor.generator(7)
  for _ = 1, 2000 do
    local bytes = {}
    for i = 1, g:integer(6) do bytes[i] = string.char(g:integer(256) - 1) end
    local sample = table.concat(bytes)
    lu.assertEquals({ core.text.check(sample) }, { utf8.len(sample) })
  end
end

function TestUtf8.test_a_file_that_is_not_utf8_is_an_error_with_its_byte()
  local path = temporary("good text\xE9 more")
  support.raises("invalid UTF-8 at byte 10 of 15", text.corpus, path)
  lu.assertEquals(text.corpus(path, { units = "bytes" }).length, 15)
  os.remove(path)
end

-- --- corpora ---------------------------------------------------------------------------

TestCorpus = {}

function TestCorpus.test_simple_is_as_promised()
  local c = text.corpus "simple"
  local passage = c.text:sub(1, #c.text // 50)
  lu.assertTrue(#passage >= 60 and #passage <= 100)
  lu.assertEquals(c.text, passage:rep(50))
  lu.assertEquals(c.vocab:size(), 23)
  support.near(c:entropies(1)[1], 4.12, 0.02 / 4.12)
  lu.assertEquals(c:entropies(7)[7], 0.0)
end

function TestCorpus.test_numbers_cycle()
  local c = text.corpus "numbers"
  lu.assertEquals(c.vocab:size(), 10)
  local bits = c:entropies(3)
  support.near(bits[1], math.log(10, 2), 1e-12)
  lu.assertEquals(bits[2], 0.0)
  lu.assertEquals(bits[3], 0.0)
end

function TestCorpus.test_shakespeare_is_long_and_plain()
  local c = text.corpus "shakespeare"
  lu.assertTrue(#c.text >= 60000)
  lu.assertNil(c.text:find("[^\n -~]"))
  lu.assertNotNil(c.text:find("Shall I compare thee to a summer's day?", 1, true))
  lu.assertNil(c.text:find("Gutenberg"))
end

function TestCorpus.test_code_is_long_and_plain()
  local c = text.corpus "code"
  lu.assertTrue(#c.text >= 60000)
  lu.assertNil(c.text:find("[^\n -~]"))
  lu.assertTrue(text.quality.lua_lines(c.text) > 0.95)
end

function TestCorpus.test_split_is_contiguous_and_complete()
  local c = text.from_string(("abcdefghij"):rep(10) .. "klm", { split = { 0.5, 0.25, 0.25 } })
  local pieces = {}
  for i, split in ipairs { "train", "validation", "test" } do
    pieces[i] = c.vocab:decode(c:tokens(split))
  end
  lu.assertEquals(table.concat(pieces), c.text)
  lu.assertEquals(#pieces[1], 52)
  lu.assertEquals(c:tokens():numel(), 103)
end

function TestCorpus.test_split_edges()
  local sample = ("x"):rep(7)
  local function sizes(split)
    local s = text.from_string(sample, { split = split }):stats()
    return { s.train, s.validation, s.test }
  end
  lu.assertEquals(sizes { 1 }, { 7, 0, 0 })
  lu.assertEquals(sizes { 0.9, 0.1 }, { 6, 1, 0 })
  lu.assertEquals(sizes { 0, 0, 1 }, { 0, 0, 7 })
  lu.assertEquals(sizes { 0.5, 0, 0.5 }, { 4, 0, 3 })
  lu.assertEquals(sizes { 1 / 3, 1 / 3, 1 / 3 }, { 2, 2, 3 })
  local quarters = { 0.25, 0.25, 0.25, 0.25 }
  for _, bad in ipairs { { 0.5, 0.4 }, { 1.5, -0.5 }, {}, quarters, { 0 / 0, 1 } } do
    support.raises("split", text.from_string, sample, { split = bad })
  end
  support.raises("split", text.from_string, sample, { split = "train" })
end

function TestCorpus.test_tiny_corpora()
  local c = text.from_string("a", { split = { 1 } })
  lu.assertEquals(c:entropies(3), { 0.0, 0.0, 0.0 })
  support.raises("a batch of 1 needs at least 2 tokens, split 'train' has 1", c.batches, c,
    { window = 5 })
  support.raises("split 'test' has 0", c.batches, c, { split = "test" })
  support.raises("is empty", text.from_string, "")
  local path = temporary("")
  support.raises("is empty", text.corpus, path)
  os.remove(path)
end

function TestCorpus.test_a_missing_file_is_nil_and_a_message()
  local c, message = text.corpus "/nowhere/at all.txt"
  lu.assertNil(c)
  lu.assertStrContains(message, "/nowhere/at all.txt")
  c, message = text.corpus "shakespere"
  lu.assertNil(c)
  lu.assertStrContains(message, "Did you mean 'shakespeare'?")
end

function TestCorpus.test_a_file_by_path()
  local path = temporary("Größe\r\n")
  local c = assert(text.corpus(path))
  lu.assertEquals(c.length, 7)
  lu.assertEquals(c.vocab:decode(c:tokens()), "Größe\r\n")
  lu.assertEquals(assert(text.corpus(path, { units = "bytes" })).length, 9)
  os.remove(path)
end

-- Files are read in pieces of a megabyte, which end inside of characters.
function TestCorpus.test_a_file_of_several_pieces()
  local line = "aé日\u{10348}\n"
  for shift = 0, 3 do
    local sample = ("x"):rep(shift) .. line:rep(250000)
    local path = temporary(sample)
    local c = assert(text.corpus(path))
    lu.assertEquals(c.length, shift + 5 * 250000)
    lu.assertTrue(c.text == sample)
    lu.assertTrue(tensor.equal(c:tokens(), c.vocab:encode(sample)))
    lu.assertEquals(text.corpus(path, { units = "bytes" }).length, #sample)
    os.remove(path)
  end
end

function TestCorpus.test_a_bad_byte_far_into_a_file()
  local good = ("é"):rep(600000)
  for _, bad in ipairs { "\xFF", "\xC3", "\xE2\x82" } do
    local path = temporary(good .. bad)
    support.raises(("invalid UTF-8 at byte %d of %d"):format(#good + 1, #good + #bad), text.corpus,
      path)
    os.remove(path)
  end
end

function TestCorpus.test_tokens_take_the_smallest_integers()
  local function dtype_of(symbols)
    local sample = {}
    for i = 1, symbols do sample[i] = utf8.char(0x4E00 + i) end
    local c = text.from_string(table.concat(sample), { split = { 1 } })
    lu.assertEquals(c:tokens()[symbols], symbols)
    local x, y = c:batches { batch = 1, window = symbols - 1 }()
    lu.assertEquals({ x:dtype(), y:dtype() }, { "int32", "int32" })
    lu.assertEquals(y[{ symbols - 1, 1 }], symbols)
    lu.assertEquals(c.vocab:decode(c:tokens()), c.text)
    return c:tokens():dtype()
  end
  lu.assertEquals(dtype_of(2), "uint8")
  lu.assertEquals(dtype_of(255), "uint8")
  lu.assertEquals(dtype_of(256), "uint16")
  lu.assertEquals(dtype_of(5000), "uint16")
end

function TestCorpus.test_a_file_and_a_given_vocabulary()
  local path = temporary("abéz")
  support.raises("'z' (U+007A), symbol 4 of the text", text.corpus, path,
    { vocab = text.vocab "abcé" })
  local c = text.corpus(path, { vocab = text.vocab "zyxabcé" })
  lu.assertEquals(c:tokens():totable(), { 1, 2, 7, 6 })
  os.remove(path)
end

function TestCorpus.test_a_pipe_is_read_too()
  local path = os.tmpname()
  os.remove(path)
  local made = os.execute(("mkfifo '%s' && { printf 'h\\303\\251' > '%s' & }"):format(path, path))
  lu.assertTrue(made)
  lu.assertEquals(text.corpus(path).text, "hé")
  os.remove(path)
end

function TestCorpus.test_a_given_vocabulary_is_used()
  local v = text.vocab("abcdef")
  local c = text.from_string("fed", { vocab = v })
  lu.assertEquals(c:tokens():totable(), { 6, 5, 4 })
  support.raises("text.from_string: 'x'", text.from_string, "fx", { vocab = v })
  support.raises("text.from_string: vocab must be a vocabulary, got number", text.from_string, "fx",
    { vocab = 5 })
end

function TestCorpus.test_wrong_options()
  support.raises("unknown option 'unit'. Did you mean 'units'?", text.corpus, "simple",
    { unit = "bytes" })
  support.raises("units is 'words'", text.corpus, "simple", { units = "words" })
  support.raises("name or path expected, got table", text.corpus, {})
  local c = text.corpus "simple"
  support.raises("Did you mean 'validation'?", c.tokens, c, "vaildation")
  support.raises("batch must be an integer of at least 1, got 0", c.batches, c, { batch = 0 })
  support.raises("window must be an integer of at least 1, got 2.5", c.batches, c, { window = 2.5 })
  support.raises("unknown option 'windows'", c.batches, c, { windows = 2 })
end

function TestCorpus.test_shares_sum_to_one()
  local c = text.from_string("aab")
  support.near(c:shares(), { 2 / 3, 1 / 3 }, 1e-15)
end

function TestCorpus.test_prints_itself()
  local shown = tostring(text.corpus "numbers")
  lu.assertStrContains(shown, "corpus numbers")
  lu.assertStrContains(shown, "5,000 characters, 10 different")
  lu.assertStrContains(require("unroll.display").show(text.corpus "numbers"), "3.32  0.00")
end

function TestCorpus.test_a_megabyte_is_quick()
  local sample = text.corpus("shakespeare").text
  local path = temporary(sample:rep(1000000 // #sample + 1))
  local start = core.sys.clock()
  local c = assert(text.corpus(path))
  local read = core.sys.clock() - start
  lu.assertTrue(c.length >= 1000000)
  start = core.sys.clock()
  text.corpus("shakespeare"):entropies(7)
  local counted = core.sys.clock() - start
  os.remove(path)
  lu.assertTrue(read < 5 and counted < 5, ("%.2f s, %.2f s"):format(read, counted))
end

-- --- entropies -------------------------------------------------------------------------

TestEntropy = {}

-- The definition, with tables: H(next | k before) over all runs of k+1 symbols.
local function naive_entropy(sample, k)
  local runs, contexts, n = {}, {}, #sample - k
  for i = 1, n do
    local run, context = sample:sub(i, i + k), sample:sub(i, i + k - 1)
    runs[run] = (runs[run] or 0) + 1
    contexts[context] = (contexts[context] or 0) + 1
  end
  local bits = 0
  for run, count in pairs(runs) do
    bits = bits - count / n * math.log(count / contexts[run:sub(1, k)], 2)
  end
  return bits
end

function TestEntropy.test_the_sentence_of_the_studies()
  local sentence = "hello world! this is a simple test for our rnn implementation. "
  local c = text.from_string(sentence:rep(50))
  lu.assertEquals(c.vocab:size(), 19)
  for k, bits in ipairs { 3.900, 1.760, 0.190, 0.063, 0.032, 0.032, 0 } do
    lu.assertAlmostEquals(c:entropies()[k], bits, 0.0015)
  end
end

function TestEntropy.test_against_the_definition()
  local g = tensor.generator(3)
  local letters = {}
  for i = 1, 3000 do letters[i] = ("abbcccd"):sub(g:integer(7)):sub(1, 1) end
  local sample = table.concat(letters)
  local bits = text.from_string(sample):entropies(9)
  for k = 0, 8 do lu.assertAlmostEquals(bits[k + 1], naive_entropy(sample, k), 1e-9) end
end

function TestEntropy.test_of_a_split_and_of_short_texts()
  local c = text.from_string("aaaaabab", { split = { 0.5, 0.5 } })
  lu.assertEquals(c:entropies(2, "train"), { 0.0, 0.0 })
  lu.assertEquals(text.from_string("ab"):entropies(4), { 1.0, 0.0, 0.0, 0.0 })
  support.raises("orders must be an integer", c.entropies, c, 0)
end

-- The tokens are a view: whoever writes to them gets an error, not another's memory.
function TestCorpus.test_tokens_out_of_the_vocabulary()
  local c = text.from_string "banana"
  c:tokens():fill_(0)
  support.raises("count: token 1 is 0, must be in 1..3", c.shares, c)
  c:tokens():fill_(4)
  support.raises("count: token 1 is 4, must be in 1..3", c.shares, c)
end

function TestCorpus.test_codes_below_zero_stand_for_nothing()
  local codes = core.tensor.full({ 2 }, -7, { dtype = "int32" })
  codes:select(1, 2):fill_(97)
  lu.assertEquals(core.text.encode("aa", codes):totable(), { 2, 2 })
end

-- --- measures --------------------------------------------------------------------------

TestMetrics = {}

function TestMetrics.test_one_definition_each()
  for _, V in ipairs { 2, 10, 65 } do
    local nats = metrics.uniform(V)
    support.near(metrics.perplexity(nats), V, 1e-12)
    support.near(metrics.bits(nats), math.log(V, 2), 1e-12)
    support.near(metrics.nats(metrics.bits(nats)), nats, 1e-12)
  end
  support.raises("metrics.bits: number expected, got nil", metrics.bits)
end

function TestMetrics.test_moving_average_has_no_bias()
  local add = metrics.moving_average(0.1)
  for _ = 1, 5 do lu.assertAlmostEquals(add(3.0), 3.0, 1e-12) end
  add = metrics.moving_average(0.5)
  add(1)
  lu.assertAlmostEquals(add(4), (0.5 * 1 + 4) / 1.5, 1e-12)
  support.raises("must be in", metrics.moving_average, 0)
end
