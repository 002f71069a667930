--- vocab: the symbols of a text and their tokens.
--
-- A symbol is a Unicode character, or a byte with units = "bytes". Symbols are sorted by
-- their code (code point or byte), and the token of a symbol is its 1-based position, so
-- the same set of symbols always gives the same tokens.

local core = require "unroll.core"
local display = require "unroll.display.text"
local unknown_names = require "unroll.unknown"

--- The symbols of a text and their tokens: the token of a symbol is its place, from 1 on, in
--- the order of the codes; so the same set of symbols always gives the same tokens.
--- > text.vocab("banana").symbols   --> {"a", "b", "n"}
---@class unroll.Vocab
---@field units "characters"|"bytes"
---@field symbols string[] symbols[k] is the text of token k
---@field codes unroll.Tensor (V) int32, ascending
---@see text.vocab unroll.Corpus
local Vocab = {}
Vocab.__index = unknown_names.index(Vocab, "vocab")
Vocab.__name = "unroll.Vocab"

local vocab = { Vocab = Vocab }

local function symbol_text(code, units)
  return units == "bytes" and string.char(code) or utf8.char(code)
end

-- A symbol as messages show it: 'x' (U+0078), or the number of a byte.
local function describe(code, units)
  if units == "bytes" then return ("byte 0x%02X"):format(code) end
  local shown = code < 32 and ("%q"):format(utf8.char(code)):gsub("\n", "n")
    or ("'%s'"):format(utf8.char(code))
  return ("%s (U+%04X)"):format(shown, code)
end

-- What is wrong with a text that is not valid UTF-8.
function vocab.invalid(bad, bytes)
  return ("invalid UTF-8 at byte %d of %d (counted from 1); units = \"bytes\" takes any bytes")
    :format(bad, bytes)
end

-- Raises when the text is not valid in the units.
local function check_text(text, units, who, level)
  if type(text) ~= "string" then
    error(("%s: text must be a string, got %s"):format(who, type(text)), level + 1)
  end
  local count, bad = core.text.check(text, units)
  if not count then error(("%s: %s"):format(who, vocab.invalid(bad, #text)), level + 1) end
end
vocab.check_text = check_text

-- A vocabulary of codes (V) int32, ascending.
function vocab.of_codes(codes, units)
  local self = setmetatable({ units = units, codes = codes, symbols = {} }, Vocab)
  for k, code in ipairs(codes:totable()) do self.symbols[k] = symbol_text(code, units) end
  return self
end

--- The vocabulary of a text: all symbols that occur in it.
---@param text string
---@param units? "characters"|"bytes" default "characters"
---@return unroll.Vocab
--- Errors: text that is not valid UTF-8 (unless units are bytes); an empty text.
--- > #text.vocab("banana")   --> 3
--- > text.vocab("\xff")      --> error: invalid UTF-8 at byte 1
---@see Vocab:encode text.corpus rnn.lm
function vocab.new(text, units)
  units = units or "characters"
  check_text(text, units, "text.vocab", 2)
  if text == "" then error("text.vocab: the text is empty", 2) end
  local self = vocab.of_codes(core.text.codes(text, units), units)
  return self
end

--- Number of symbols. `#vocab` is the same.
---@return integer V
--- > text.vocab("banana"):size()   --> 3
function Vocab:size() return #self.symbols end

Vocab.__len = Vocab.size

function Vocab:__tostring()
  return ("vocab   %d %s"):format(#self.symbols, self.units)
end

function Vocab:__display(how)
  return how.paint("heading", "vocab") .. ("   %d %s   "):format(#self.symbols, self.units)
    .. display.quote(table.concat(self.symbols), math.max(20, how.width - 30))
end

-- Two vocabularies are equal when they give the same tokens.
function Vocab.__eq(a, b)
  return a.units == b.units and table.concat(a.symbols) == table.concat(b.symbols)
end

--- What is wrong with a symbol that is not in the vocabulary, as messages say it.
---@param code integer code point, or byte
---@param position integer which symbol of the text it is
---@return string
--- > text.vocab("banana"):unknown(116, 3)   --> "'t' (U+0074), symbol 3 of the text, ..."
function Vocab:unknown(code, position)
  return ("%s, symbol %d of the text, is not in the vocabulary of %d symbols")
    :format(describe(code, self.units), position, #self.symbols)
end

--- The tokens of a text.
---@param text string
---@return unroll.Tensor tokens (N) int32, 1..V
--- Errors: invalid UTF-8; a symbol that is not in the vocabulary, named with its position.
--- > text.vocab("banana"):encode("ban"):totable()   --> {2, 1, 3}
--- > text.vocab("banana"):encode("bat")   --> error: 't' (U+0074), symbol 3
---@see Vocab:decode
function Vocab:encode(text)
  check_text(text, self.units, "encode", 2)
  local tokens, unknown, position = core.text.encode(text, self.codes, self.units)
  if not tokens then error("encode: " .. self:unknown(unknown, position), 2) end
  return tokens
end

-- The text of a tensor of whole numbers; nil and the place where one is out of range.
local function text_of_tensor(self, tokens)
  tokens = tokens:reshape(tokens:numel())
  local is_whole = tokens:dtype():find "int"
  local text, position = core.text.decode(is_whole and tokens or tokens:to "int32", self.codes,
    self.units)
  return text, position, position and tokens[position]
end

local function tokens_as_list(tokens)
  if math.type(tokens) then return { tokens } end
  if type(tokens) == "table" then return tokens end
  error(("decode: tokens must be an int32 tensor, a list or a number, got %s")
    :format(type(tokens)), 3)
end

local function text_of_list(self, list)
  local out = {}
  for i, token in ipairs(list) do
    out[i] = self.symbols[token]
    if not out[i] then return nil, i, token end
  end
  return table.concat(out)
end

--- The text of tokens.
---@param tokens unroll.Tensor|integer[]|integer a tensor of any shape is read row by row
---@return string
--- Errors: a token outside of 1..V, with its position.
--- > text.vocab("banana"):decode{2, 1, 3}   --> "ban"
---@see Vocab:encode
function Vocab:decode(tokens)
  local text, position, token
  if core.tensor.is_tensor(tokens) then
    text, position, token = text_of_tensor(self, tokens)
  else
    text, position, token = text_of_list(self, tokens_as_list(tokens))
  end
  if not text then
    error(("decode: token %s at position %d is out of range 1..%d")
      :format(tostring(token), position, #self.symbols), 2)
  end
  return text
end

return vocab
