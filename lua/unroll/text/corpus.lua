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
local vocab = require "unroll.text.vocab"

--- A text, its vocabulary, its tokens and their split: training first, then validation, then
--- test, each in one piece.
---@class unroll.Corpus
---@field name string
---@field vocab unroll.Vocab
---@field length integer number of symbols
---@field text string
---@see text.corpus Corpus:batches
local Corpus = {}
Corpus.__index = Corpus
Corpus.__name = "unroll.Corpus"

local corpus = { Corpus = Corpus }

local split_names = { "train", "validation", "test" }
local split_choices = { "all", "train", "validation", "test" }

-- Number of tokens of each part; the rounding goes to the last part that is not 0.
local function split_sizes(fractions, length, who)
  if type(fractions) ~= "table" or #fractions < 1 or #fractions > 3 then
    error(who .. ": split must be a list of one to three fractions", 4)
  end
  local sum, last = 0, 1
  for i, fraction in ipairs(fractions) do
    if not math.type(fraction) or not (fraction >= 0 and fraction <= 1) then
      error(("%s: split fraction %d is %s, must be in 0..1"):format(who, i,
        options.shown(fraction)), 4)
    end
    sum = sum + fraction
    if fraction > 0 then last = i end
  end
  if math.abs(sum - 1) > 1e-9 then
    error(("%s: the split fractions add up to %g, must be 1"):format(who, sum), 4)
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

-- Called by the public functions, whose callers the errors point at.
local function build(text, opts, who, name)
  local o = options.check(opts, accepted, who, 3)
  options.choice(o.units, { "characters", "bytes" }, "units", who, 3)
  if o.vocab ~= nil then
    if getmetatable(o.vocab) ~= vocab.Vocab then
      error(("%s: vocab must be a vocabulary, got %s"):format(who, type(o.vocab)), 3)
    end
    o.units = o.vocab.units
  end
  vocab.check_text(text, o.units, who, 3)
  if text == "" then error(who .. ": the text is empty", 3) end
  local self = setmetatable({ name = name, text = text }, Corpus)
  self.vocab = o.vocab or vocab.new(text, o.units)
  local known, tokens = pcall(self.vocab.encode, self.vocab, text)
  if not known then error(("%s: %s"):format(who, (tokens:gsub("^.-encode: ", ""))), 3) end
  self.all_tokens = tokens
  self.length = self.all_tokens:size(1)
  self.sizes = split_sizes(o.split, self.length, who)
  return self
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
  local self = build(text, opts, "text.from_string", "string")
  return self
end

local function read_text(name)
  if builtin[name] then return builtin[name]() end
  local text, message = core.sys.read_file(name)
  if text then return text end
  local names = {}
  for known in pairs(builtin) do names[#names + 1] = known end
  local hint = name:find("[/.]") and "" or options.suggestion(name, names)
  return nil, ("text.corpus: %s.%s"):format(message:gsub("%.$", ""), hint)
end

--- A corpus by name, or the text of a file.
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
  local text, message = read_text(name)
  if not text then return nil, message end
  local self = build(text, opts, "text.corpus " .. name, name)
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
---@return unroll.Tensor tokens (n) int32, a view
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
  return core.text.entropies(self:tokens(split), self.vocab:size(), orders)
end

--- Shares of the symbols, in the order of the vocabulary.
---@param split? string default "all"
---@return number[] shares sum to 1
--- > text.from_string("aaab"):shares()   --> {0.75, 0.25}
---@see text.quality.shares
function Corpus:shares(split)
  local counts, tokens = {}, self:tokens(split):totable()
  for k = 1, self.vocab:size() do counts[k] = 0 end
  for _, token in ipairs(tokens) do counts[token] = counts[token] + 1 end
  for k = 1, #counts do counts[k] = counts[k] / #tokens end
  return counts
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

local function entropy_line(self)
  local tokens, words = self:tokens():narrow(1, 1, math.min(self.length, most_measured)), {}
  for k, value in ipairs(core.text.entropies(tokens, self.vocab:size(), 5)) do
    words[k] = ("%.2f"):format(value)
  end
  return ("  entropy after 0 to 4 symbols   %s bits%s"):format(table.concat(words, "  "),
    self.length > most_measured and ", of the first million" or "")
end

function Corpus:__display(how)
  local start = self.vocab:decode(self:tokens():narrow(1, 1, math.min(self.length, 60)))
  local more = self.length > 60 and "…" or ""
  return table.concat({
    how.paint("heading", "corpus " .. self.name) .. ("   %s %s, %d different"):format(
      shown.thousands(self.length), self.vocab.units, self.vocab:size()),
    ("  train %s   validation %s   test %s"):format(shown.thousands(self.sizes[1]),
      shown.thousands(self.sizes[2]), shown.thousands(self.sizes[3])),
    entropy_line(self),
    "  " .. how.paint("string", shown.quote(start, 60)) .. more,
  }, "\n")
end

return corpus
