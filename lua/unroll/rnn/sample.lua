--- sample: text or tokens drawn from a language model, one symbol at a time.
--
-- The model runs with T = B = 1 and carries its state; each symbol drawn is the next
-- input. Where all is native, C reads and draws (core.loss.sample) until the end, or, when
-- somebody looks on, one symbol at a time; cells in Lua are called from here.

local core = require "unroll.core"
local check = require "unroll.rnn.check"
local init = require "unroll.rnn.init"
local model_trace = require "unroll.rnn.model_trace"
local options = require "unroll.options"
local protected = require "unroll.protected"

local tensor = core.tensor

local who = "model:sample"

local accepted = { length = 200, temperature = 1, top_p = 1, "top_k", "prime", "seed", "stream",
  "vocab", "state" }

-- --- options ----------------------------------------------------------------------------

local function check_number(value, name, ok, what, level)
  if math.type(value) == nil or not ok(value) then
    error(("%s: %s must be %s, got %s"):format(who, name, what, options.shown(value)), level + 1)
  end
end

local function check_numbers(o, V, level)
  options.integer(o.length, "length", who, 0, level + 1)
  check_number(o.temperature, "temperature", function(x) return x >= 0 and x < math.huge end,
    "a finite number, at least 0", level + 1)
  check_number(o.top_p, "top_p", function(x) return x > 0 and x <= 1 end,
    "above 0 and at most 1", level + 1)
  o.top_k = math.min(options.integer(o.top_k or V, "top_k", who, 1, level + 1), V)
  if o.seed ~= nil then options.integer(o.seed, "seed", who, math.mininteger, level + 1) end
end

-- The function that takes each piece of text, or nil.
local function stream_of(stream, level)
  if stream == nil or type(stream) == "function" then return stream end
  if io.type(stream) == "file" then
    return function(piece) stream:write(piece):flush() end
  end
  error(("%s: stream must be an open file or a function, got %s"):format(who, type(stream)),
    level + 1)
end

-- The prime as a list of tokens 1..V.
local function prime_tokens(prime, vocab, V, level)
  if prime == nil or prime == "" then return {} end
  if type(prime) == "string" then
    if not vocab then
      error(who .. ": a prime text needs a vocabulary; give tokens, or vocab =", level + 1)
    end
    local ok, tokens = protected(vocab.encode, vocab, prime)
    if not ok then
      error(("%s: prime: %s"):format(who, (tostring(tokens):gsub("^.-:%d+: ", ""))), level + 1)
    end
    return tokens:totable()
  end
  if not tensor.is_tensor(prime) or prime:dtype() ~= "int32" or prime:dim() ~= 1 then
    error(("%s: prime must be text or int32 tokens (N), got %s"):format(who,
      check.describe(prime)), level + 1)
  end
  local list = prime:totable()
  for i, token in ipairs(list) do
    if token < 1 or token > V then
      error(("%s: token %d of the prime is %d, must be in 1..%d"):format(who, i, token, V),
        level + 1)
    end
  end
  return list
end

-- --- one symbol after the other -----------------------------------------------------------

-- The buffers of a model's sampler, made once.
local function buffers_of(model)
  local found = model.sampler
  if not found then
    local V = model.output
    found = {
      trace = model_trace.new(model, false),
      x = tensor.zeros({ 1, 1 }, { dtype = "int32" }),
      share = tensor.zeros({ V }, { dtype = "float64" }),
      order = tensor.zeros({ V }, { dtype = "int32" }),
    }
    found.trace:prepare(1, 1, true)
    if model.definition.form == "native" then
      found.runs = {}
      for l, layer in ipairs(found.trace.layers) do found.runs[l] = layer.run end
    end
    model.sampler = found
  end
  return found
end

-- Reads one symbol; returns the state after it.
local function read(buffers, token, state)
  local trace = buffers.trace
  buffers.x:fill_(token)
  local message = trace:predict(buffers.x, state)
  if message then return nil, message end
  return trace.state
end

local function draw(buffers, o, generator)
  return core.loss.pick(buffers.trace.y, o.temperature, o.top_k, o.top_p, generator:uniform(),
    buffers.share, buffers.order)
end

-- Draws what follows token `known`, with a cell in Lua; emit sees each token. Returns what
-- went wrong.
local function run_steps(buffers, o, tokens, known, generator, emit)
  local state = o.state
  for i = 1, #tokens do
    local token, message = tokens[i]
    if emit then emit(token) end
    if i < #tokens then
      state, message = read(buffers, token, state)
      if not state then return message end
      if i >= known then
        token, message = draw(buffers, o, generator)
        if not token then return message end
        tokens[i + 1] = token
      end
    end
  end
end

-- Starts the layers of a trace from these states; returns what is wrong with them.
local function set_state(trace, state)
  for l, layer in ipairs(trace.layers) do
    for name, t in pairs(layer.state) do
      local given = state and state[l] and state[l][name]
      if given == nil then
        t:zero_()
      elseif not tensor.is_tensor(given) or given:dtype() ~= t:dtype()
        or given:dim() ~= 2 or given:size(1) ~= 1 or given:size(2) ~= t:size(2) then
        return ("state.%s is %s, must be %s"):format(name, check.describe(given),
          check.describe(t))
      else
        t:copy_(given)
      end
    end
  end
end

-- The same in C.
local function run_native(buffers, o, tokens, known, generator, emit)
  local first, wanted = 1, emit and known or #tokens
  local problem = set_state(buffers.trace, o.state)
  if problem then return problem end
  for i = 1, emit and known or 0 do emit(tokens[i]) end
  repeat
    local message = core.loss.sample(buffers.runs, buffers.trace.readout, tokens, first, known,
      wanted, o.temperature, o.top_k, o.top_p, generator, buffers.share, buffers.order)
    if message then return message end
    if emit and wanted > known then emit(tokens[wanted]) end
    first, known, wanted = wanted, math.max(known, wanted), wanted + 1
  until wanted > #tokens
end

-- Tokens of the prime and o.length drawn ones, or nil and a message.
local function run(model, o, prime, generator, emit)
  local buffers = buffers_of(model)
  local tokens = tensor.zeros({ #prime + o.length }, { dtype = "int32" })
  for i, token in ipairs(prime) do tokens[i] = token end
  local known = #prime
  if known == 0 and o.length > 0 then -- nothing to go on: any symbol
    tokens[1], known = generator:integer(model.input), 1
  end
  if #tokens == 0 then return tokens end
  local go = buffers.runs and run_native or run_steps
  local message = go(buffers, o, tokens, known, generator, emit)
  if message then return nil, message end
  return tokens
end

local function check_model(model, level)
  if model.head ~= "softmax" or model.input ~= model.output then
    error(("%s: a language model is needed: head 'softmax' (this one: '%s'), input as output "
      .. "(%d and %d)"):format(who, model.head, model.input, model.output), level + 1)
  end
end

local function check_state(model, state, level)
  if state ~= nil and (type(state) ~= "table" or #state ~= #model.layers) then
    error(("%s: state must be a list of %d tables, one for each layer, as { { h = ... } }"):format(
      who, #model.layers), level + 1)
  end
end

---@class unroll.SampleOptions
---@field length? integer symbols to draw; default 200
---@field prime? string|unroll.Tensor text (or int32 tokens (N)) to start from; without it the first
--- symbol is any, with equal chances
---@field temperature? number below 1 surer, above 1 wilder, 0 takes the most probable symbol;
--- default 1
---@field top_k? integer only the k most probable symbols
---@field top_p? number only the most probable symbols that together have this share
---@field seed? integer default: drawn from the default generator
---@field stream? file*|fun(text: string) an open file or a function that gets each piece of text as
--- it comes
---@field vocab? unroll.Vocab for a model that was made for a number of symbols
---@field state? table[] to start from

--- Draws from a language model, one symbol at a time.
---@param model unroll.Model
---@param opts? unroll.SampleOptions
---@return string|unroll.Tensor text the prime and what was drawn; int32 tokens (N) when
--- there is no vocabulary
--- Errors: a model that is no language model; a prime with symbols that the vocabulary lacks;
--- options out of range.
--- Source: Holtzman et al., The curious case of neural text degeneration, 2020 (top_p).
--- > corpus = text.corpus "numbers"
--- > model = rnn.lm{vocab = corpus.vocab, hidden = 8, seed = 1}
--- > #model:sample{length = 20, prime = "012", seed = 1}   --> 23
---@see rnn.lm text.quality
return function(model, opts)
  local o = options.check(opts, accepted, who)
  check_model(model, 2)
  check_numbers(o, model.output, 2)
  check_state(model, o.state, 2)
  local vocab = o.vocab or model.vocab
  if vocab and vocab:size() ~= model.output then
    error(("%s: the vocabulary has %d symbols, the model %d"):format(who, vocab:size(),
      model.output), 2)
  end
  local stream = stream_of(o.stream, 2)
  local tokens = prime_tokens(o.prime, vocab, model.output, 2)
  local generator = tensor.generator(o.seed or init.draw_seed())
  local emit = stream and function(token) stream(vocab and vocab:decode(token) or token) end
  local drawn, message = run(model, o, tokens, generator, emit)
  if not drawn then error(("%s: %s"):format(who, message), 2) end
  return vocab and vocab:decode(drawn) or drawn
end
