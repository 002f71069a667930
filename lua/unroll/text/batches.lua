--- batches: windows of parallel streams over a run of tokens.
--
-- N tokens have N-1 transitions (token to next token). They are cut into B contiguous
-- runs, one for each row of the batch, the first (N-1) mod B of them one longer; window
-- after window moves along all runs at once, so that the state carried from one window to
-- the next belongs to the text just before. Every transition comes exactly once in a
-- pass, the ones between two windows too, and none leads from the end to the start.
--
--   runs of a batch of 2 over "abcdefgh":   a>b b>c c>d d>e | e>f f>g g>h  (7 = 4 + 3)
--
-- The last window of a pass is shorter when the runs are no multiple of the window. Where
-- the runs differ in length, its last step has weight 0 for the shorter ones.
--
-- The tensors are filled again for each window, and no step makes a new one.

local core = require "unroll.core"
local options = require "unroll.options"
local unknown = require "unroll.unknown"

--- Windows over a text, one after the other; made by `Corpus:batches`. It can be called: for x,
--- y, info in batches do.
---@class unroll.Batches
---@field windows integer windows in one pass
---@field transitions integer transitions in one pass
---@field epoch integer passes finished
---@see Corpus:batches
local Batches = {}
Batches.__index = unknown.index(Batches, "batch iterator")
Batches.__name = "unroll.Batches"

local batches = { Batches = Batches }

-- Weights (T,B) of the last window when only the first `longer` rows have its last step.
local function last_weights(T, B, longer)
  local one, zero = string.pack("<f", 1), string.pack("<f", 0)
  local bytes = one:rep((T - 1) * B + longer) .. zero:rep(B - longer)
  return core.tensor.set_bytes(core.tensor.zeros({ T, B }), bytes)
end

-- The tensors of windows of T steps: fill(position) returns them, filled, and info.
local function new_pair(tokens, T, B, info)
  local x = core.tensor.zeros({ T, B }, { dtype = "int32" })
  return { T = T, fill = core.text.window(tokens, x, core.tensor.zeros_like(x), info) }
end

--- Windows over tokens. Used through corpus:batches.
---@param tokens unroll.Tensor (N) uint8, uint16 or int32
---@param opts table batch, window and loop as corpus:batches takes them
---@param who string for messages
---@return unroll.Batches
function batches.new(tokens, opts, who)
  local B = options.integer(opts.batch, "batch", who, 1, 3)
  local window = options.integer(opts.window, "window", who, 1, 3)
  local N = tokens:size(1)
  if N <= B then
    error(("%s: a batch of %d needs at least %d tokens, split '%s' has %d")
      :format(who, B, B + 1, opts.split, N), 3)
  end
  local longer = (N - 1) % B
  local length = (N - 1) // B + (longer > 0 and 1 or 0)
  local self = setmetatable({
    loop = opts.loop, length = length, transitions = N - 1, batch = B,
    windows = (length + window - 1) // window, window = math.min(window, length),
    position = 0, epoch = 0, turn = 0, info = {},
  }, Batches)
  local left = length % self.window
  self.full = new_pair(tokens, self.window, B, self.info)
  self.short = left > 0 and new_pair(tokens, left, B, self.info) or self.full
  self.weight = longer > 0 and last_weights(self.short.T, B, longer) or nil
  return self
end

-- Most windows are like the one before. The first, the second and the last of a pass are not:
-- `turn` is the position where the next such window starts.
local function take_turn(self)
  local position, info = self.position, self.info
  if position >= self.length then position = 0 end
  local last = (self.windows - 1) * self.window
  local is_last = position == last
  self.pair = is_last and self.short or self.full
  info.reset, info.weight = position == 0, is_last and self.weight or nil
  if is_last then
    self.turn, self.epoch = self.length, self.epoch + 1
  else
    self.turn = position == 0 and self.window or last
  end
  return position, self.pair
end

--- The next window. The tensors are the same ones each time, filled anew.
---@return unroll.Tensor? x (T,B) int32; nil at the end of the pass (never with loop = true)
---@return unroll.Tensor? y (T,B) int32, the next token of each in x
---@return table? info reset: this window starts a pass, so the state starts at zeros;
--- weight: (T,B) where not every element counts, else nil
--- > batches = text.from_string("banana"):batches{window = 5, split = "all"}
--- > x, y, info = batches:next()
--- > x:t():totable()   --> {{2, 1, 3, 1, 3}}
--- > batches:next()    --> nil
function Batches:next()
  local position, pair = self.position, self.pair
  if position >= self.turn then
    if position >= self.length and not self.loop then return nil end
    position, pair = take_turn(self)
  end
  local x, y, info = pair.fill(position)
  self.position = position + pair.T
  return x, y, info
end

Batches.__call = Batches.next

--- How many windows behind the last one are like it, so that its tensors may be filled again
--- without a call of `next` for each; for train.fit.
---@param iterator any
---@return integer count 0 for what is no iterator of this file
---@return (fun(first: integer))? fill of core.text.window
---@return integer? position of the next window, for fill
---@see batches.skip
function batches.ahead(iterator)
  if getmetatable(iterator) ~= Batches then return 0 end
  local pair, position = iterator.pair, iterator.position
  return (iterator.turn - position) // pair.T, pair.fill, position
end

--- Goes past windows that were filled after batches.ahead.
---@param iterator unroll.Batches
---@param count integer
function batches.skip(iterator, count)
  iterator.position = iterator.position + count * iterator.pair.T
end

function Batches:__tostring()
  return ("batches   T = %d, B = %d   %d windows a pass, %d transitions   pass %d, step %d of %d")
    :format(self.window, self.batch, self.windows, self.transitions, self.epoch + 1,
      self.position, self.length)
end

--- Where the iterator stands, as plain data.
---@return { position: integer, epoch: integer } state
--- > text.corpus("numbers"):batches():state().epoch   --> 0
---@see Batches:set_state
function Batches:state() return { position = self.position, epoch = self.epoch } end

--- Continues where another iterator with the same options over the same text stood.
---@param state { position: integer, epoch: integer }
---@return unroll.Batches self
--- > a = text.corpus("numbers"):batches{window = 7}
--- > a:next(); a:next();
--- > b = text.corpus("numbers"):batches{window = 7}:set_state(a:state())
--- > tensor.equal(a:next(), b:next())   --> true
function Batches:set_state(state)
  if type(state) ~= "table" then
    error(("set_state: table expected, got %s"):format(type(state)), 2)
  end
  local position = math.tointeger(state.position)
  local window = self.window
  local possible = position and position >= 0 and position <= self.length
    and (position % window == 0 or position == self.length)
  if not possible or not math.tointeger(state.epoch) then
    error(("set_state: position %s does not fit windows of %d over %d steps")
      :format(tostring(state.position), window, self.length), 2)
  end
  self.position, self.epoch, self.turn = position, math.tointeger(state.epoch), 0
  return self
end

return batches
