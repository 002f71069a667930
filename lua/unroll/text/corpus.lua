--- corpus: a text, its vocabulary, its tokens and their split.
--
-- The split is contiguous: training first, then validation, then test, so that no text
-- that is held out stands between pieces that were trained on. The vocabulary covers the
-- whole text.

local core = require "unroll.core"
local batches = require "unroll.text.batches"
local builtin = require "unroll.text.builtin"
local options = require "unroll.options"
local shown = require "unroll.display.text"
local unknown_names = require "unroll.unknown"
local vocab = require "unroll.text.vocab"

--- A text, its vocabulary, its tokens and their split: training first, then validation, then
--- test, each in one piece.
---@class unroll.Corpus
---@field name string
---@field vocab unroll.Vocab
---@field length integer number of symbols
---@field text string made of the tokens each time it is asked for
---@see text.corpus Corpus:batches
local Corpus = {}
Corpus.__name = "unroll.Corpus"

local member = unknown_names.index(Corpus, "corpus")

function Corpus.__index(self, key)
  if key == "text" then return self.vocab:decode(self.all_tokens) end
  return member(self, key)
end

local corpus = { Corpus = Corpus }

local split_names = { "train", "validation", "test" }
local split_choices = { "all", "train", "validation", "test" }

-- Number of tokens of each part; the rounding goes to the last part that is not 0.
local function split_sizes(fractions, length, who)
  if type(fractions) ~= "table" or #fractions < 1 or #fractions > 3 then
    error(who .. ": split must be a list of one to three fractions", 5)
  end
  local sum, last = 0, 1
  for i, fraction in ipairs(fractions) do
    if not math.type(fraction) or not (fraction >= 0 and fraction <= 1) then
      error(("%s: split fraction %d is %s, must be in 0..1"):format(who, i,
        options.shown(fraction)), 5)
    end
    sum = sum + fraction
    if fraction > 0 then last = i end
  end
  if math.abs(sum - 1) > 1e-9 then
    error(("%s: the split fractions add up to %g, must be 1"):format(who, sum), 5)
  end
  local sizes, left = {}, length
  for i = 1, 3 do
    sizes[i] = i > last and 0 or i == last and left
      or math.min(left, math.floor(length * fractions[i] + 0.5))
    left = left - sizes[i]
  end
  return sizes
end

local accepted = { units = "characters", split = { 0.8, 0.1, 0.1 }, "vocab" }

-- The checked options. Called by the public functions, whose callers the errors point at.
local function check_options(opts, who)
  local o = options.check(opts, accepted, who, 3)
  options.choice(o.units, { "characters", "bytes" }, "units", who, 3)
  if o.vocab ~= nil then
    if getmetatable(o.vocab) ~= vocab.Vocab then
      error(("%s: vocab must be a vocabulary, got %s"):format(who, type(o.vocab)), 3)
    end
    o.units = o.vocab.units
  end
  return o
end

local function new_corpus(name, v, tokens, o, who)
  local self = setmetatable({ name = name, vocab = v, all_tokens = tokens }, Corpus)
  self.length = tokens:size(1)
  self.sizes = split_sizes(o.split, self.length, who)
  return self
end

local function raise_unknown(v, code, position, who)
  error(("%s: %s"):format(who, v:unknown(code, position)), 4)
end

local function from_text(text, o, who, name)
  vocab.check_text(text, o.units, who, 3)
  if text == "" then error(who .. ": the text is empty", 3) end
  local v = o.vocab or vocab.new(text, o.units)
  local tokens, unknown, position = core.text.encode(text, v.codes, v.units, true)
  if not tokens then raise_unknown(v, unknown, position, who) end
  return new_corpus(name, v, tokens, o, who)
end

-- From a plain file, read twice, piece by piece; nil and a message when that fails; false for
-- what has no known size.
local function from_file(path, o, who)
  local codes, symbols, bad, bytes = core.text.survey(path, o.units)
  if bad then error(("%s: %s"):format(who, vocab.invalid(bad, bytes)), 3) end
  if not codes then return codes, symbols end
  local v = o.vocab or vocab.of_codes(codes, o.units)
  local tokens, unknown, position = core.text.encode_file(path, v.codes, v.units, symbols)
  if tokens then return new_corpus(path, v, tokens, o, who) end
  if not position then return nil, unknown end
  raise_unknown(v, unknown, position, who)
end

---@class unroll.CorpusOptions
---@field units? "characters"|"bytes" default "characters"
---@field split? number[] fractions for training, validation and test; default {0.8, 0.1, 0.1}
---@field vocab? unroll.Vocab use this one; its units count

--- A corpus of a string.
---@param text string
---@param opts? unroll.CorpusOptions
---@return unroll.Corpus
--- Errors: invalid UTF-8, with the byte; an empty text; a symbol that is not in `vocab`.
--- > text.from_string("banana").length   --> 6
---@see text.corpus
function corpus.from_string(text, opts)
  local self = from_text(text, check_options(opts, "text.from_string"), "text.from_string",
    "string")
  return self
end

-- nil and the message about a file, with the name that was perhaps meant.
local function failure(name, message)
  local names = {}
  for known in pairs(builtin) do names[#names + 1] = known end
  local hint = name:find("[/.]") and "" or options.suggestion(name, names)
  return nil, ("text.corpus: %s.%s"):format(message:gsub("%.$", ""), hint)
end

--- A corpus by name, or the text of a file. A file is read in pieces and only its tokens are
--- kept, in the smallest integers that hold them: of 100 MB of text with up to 255 different
--- characters that is 100 MB.
---@param name string "simple", "shakespeare", "code", "numbers", or the path of a file (a
--- file with one of these names: "./code")
---@param opts? unroll.CorpusOptions
---@return unroll.Corpus? corpus nil when the file cannot be read
---@return string? message
--- Errors: invalid UTF-8, with the byte where it starts, counted from 1; an empty text.
--- > text.corpus("numbers").vocab:size()   --> 10
--- > select(2, text.corpus "shakespear")   --> ...
---@see Corpus:batches Corpus:stats train.fit text.from_string
function corpus.open(name, opts)
  if type(name) ~= "string" then
    error(("text.corpus: name or path expected, got %s"):format(type(name)), 2)
  end
  local who = "text.corpus " .. name
  local o = check_options(opts, who)
  local self, message = false, nil
  if not builtin[name] then self, message = from_file(name, o, who) end
  if self == false then -- a text of the library, a pipe
    local text
    text, message = (builtin[name] or core.sys.read_file)(name)
    self = text and from_text(text, o, who, name)
  end
  if not self then return failure(name, message) end
  return self
end

-- First and last position of a split.
local function split_range(self, split, who)
  options.choice(split, split_choices, "split", who, 3)
  if split == "all" then return 1, self.length end
  local first = 1
  for i, name in ipairs(split_names) do
    if name == split then return first, first + self.sizes[i] - 1 end
    first = first + self.sizes[i]
  end
end

--- The tokens of a split.
---@param split? "all"|"train"|"validation"|"test" default "all"
---@return unroll.Tensor tokens (n), a view: uint8 or uint16 where these hold the vocabulary,
---  else int32; t:to "int32" makes what a model takes
--- Errors: an unknown split.
--- > text.from_string("banana"):tokens():totable()   --> {2, 1, 3, 1, 3, 1}
function Corpus:tokens(split)
  local first, last = split_range(self, split or "all", "tokens")
  return self.all_tokens:narrow(1, first, last - first + 1)
end

local batch_options = { batch = 1, window = 25, split = "train", loop = false }

---@class unroll.BatchOptions
---@field batch? integer B, streams side by side; default 1
---@field window? integer T, steps of a window; default 25
---@field split? "all"|"train"|"validation"|"test" default "train"
---@field loop? boolean false: one pass; true: no end; default false

--- Windows of parallel contiguous streams, for training: the state at the end of one belongs to
--- the start of the next.
---@param opts? unroll.BatchOptions
---@return unroll.Batches iterator also callable: for x, y, info in corpus:batches{...} do
--- Errors: fewer tokens than batch + 1; an unknown split.
--- > x, y = text.corpus("numbers"):batches{batch = 2, window = 3}:next()
--- > x:size()   --> (3, 2)
--- > y:select(2, 1):totable()   --> {2, 3, 4}
---@see Batches:next train.fit
function Corpus:batches(opts)
  local o = options.check(opts, batch_options, "batches")
  options.choice(o.split, split_choices, "split", "batches")
  local iterator = batches.new(self:tokens(o.split), o, "batches")
  return iterator
end

--- Entropies in bits of the next symbol given the k before it, counted in the text.
---@param orders? integer how many; default 7: orders 0 to 6
---@param split? string default "all"
---@return number[] bits bits[1] is order 0
--- Source: Shannon, Prediction and entropy of printed English, 1951.
--- > text.corpus("numbers"):entropies(2)   --> {3.32193, 0.0}
---@see Corpus:stats metrics.bits
function Corpus:entropies(orders, split)
  orders = options.integer(orders or 7, "orders", "entropies", 1)
  return core.text.entropies(self:tokens(split):to "int32", self.vocab:size(), orders)
end

--- Shares of the symbols, in the order of the vocabulary.
---@param split? string default "all"
---@return number[] shares sum to 1
--- > text.from_string("aaab"):shares()   --> {0.75, 0.25}
---@see text.quality.shares
function Corpus:shares(split)
  local tokens = self:tokens(split)
  return (core.text.count(tokens, self.vocab:size()) / tokens:numel()):totable()
end

--- What there is to say about the text.
---@return table stats name, length (symbols), vocabulary, train, validation, test (symbols
--- in each), entropies (bits, order 0 to 6 in a list), uniform_bits (log2 of the vocabulary)
--- > text.corpus("numbers"):stats().train   --> 4000
---@see Corpus:entropies
function Corpus:stats()
  return {
    name = self.name, length = self.length, vocabulary = self.vocab:size(),
    train = self.sizes[1], validation = self.sizes[2], test = self.sizes[3],
    entropies = self:entropies(), uniform_bits = math.log(self.vocab:size(), 2),
  }
end

function Corpus:__tostring()
  return ("corpus %s   %s %s, %d different"):format(self.name, shown.thousands(self.length),
    self.vocab.units, self.vocab:size())
end

-- Entropies take a moment: of a long text only the beginning counts here.
local most_measured <const> = 1000000

local function entropy_line(self, how)
  local tokens, words = self:tokens():narrow(1, 1, math.min(self.length, most_measured)), {}
  for k, value in ipairs(core.text.entropies(tokens:to "int32", self.vocab:size(), 5)) do
    words[k] = ("%.2f"):format(value)
  end
  return shown.join({ "  entropy after 0 to 4 symbols", table.concat(words, "  ") .. " bits",
    self.length > most_measured and "(of the first million)" or nil }, how.width, 4)
end

function Corpus:__display(how)
  local count = math.min(self.length, 60, how.width - 10)
  local start = self.vocab:decode(self:tokens():narrow(1, 1, count))
  local more = self.length > count and "…" or ""
  return table.concat({
    shown.join({ how.paint("heading", "corpus " .. self.name), ("%s %s, %d different"):format(
      shown.thousands(self.length), self.vocab.units, self.vocab:size()) }, how.width, 2),
    shown.join({ "  train " .. shown.thousands(self.sizes[1]),
      "validation " .. shown.thousands(self.sizes[2]),
      "test " .. shown.thousands(self.sizes[3]) }, how.width, 2),
    entropy_line(self, how),
    "  " .. how.paint("string", shown.cut(shown.quote(start, 60), how.width - 3)) .. more,
  }, "\n")
end

return corpus
