--- metrics: one definition each of the measures of a language model.
--
-- A loss is the mean cross-entropy for a character, in nats (natural logarithm). All the
-- others follow from it, whatever the window and the batch were:
--   bits = nats / log 2,    perplexity = exp(nats).

local metrics = {}

local function check(value, who)
  if math.type(value) == nil then
    error(("metrics.%s: number expected, got %s"):format(who, type(value)), 3)
  end
  return value
end

--- Bits from nats.
---@param nats number mean cross-entropy in nats
---@return number
--- Errors: an argument that is no number.
--- > text.bits(math.log(2))   --> 1.0
---@see metrics.nats metrics.perplexity
function metrics.bits(nats) return check(nats, "bits") / math.log(2) end

--- Nats from bits.
---@param bits number
---@return number
--- Errors: an argument that is no number.
--- > text.nats(1)   --> 0.693147
---@see metrics.bits
function metrics.nats(bits) return check(bits, "nats") * math.log(2) end

--- Perplexity: the number of equally likely choices with the same uncertainty.
---@param nats number mean cross-entropy in nats
---@return number exp(nats)
--- Errors: an argument that is no number.
--- Source: Jelinek et al., Perplexity: a measure of the difficulty of speech recognition tasks,
--- 1977.
--- > text.perplexity(math.log(65))   --> 65.0
---@see metrics.uniform train.evaluate
function metrics.perplexity(nats) return math.exp(check(nats, "perplexity")) end

--- Loss in nats of guessing among V symbols with equal chances: log V.
---@param V integer size of the vocabulary
---@return number nats
--- Errors: an argument that is no number.
--- > text.uniform(65)   --> 4.174387
---@see metrics.perplexity
function metrics.uniform(V) return math.log(check(V, "uniform")) end

--- A moving average without the bias of its start: after n values v_1..v_n it is
--- sum (1-a)^(n-i) v_i / sum (1-a)^(n-i).
---@param a? number weight of the newest value, above 0 and at most 1; default 0.05
---@return fun(value: number, count?: integer): number add takes the next value, or as many that
--- are all the same, and returns the average
--- Errors: a out of range.
--- > add = unroll.metrics.moving_average(0.5)
--- > add(1); add(1);
--- > add(4)   --> 2.714286
--- > add(2, 3)   --> 2.079365
function metrics.moving_average(a)
  a = a or 0.05
  if math.type(a) == nil or not (a > 0 and a <= 1) then
    error(("metrics.moving_average: a is %s, must be in (0, 1]"):format(tostring(a)), 2)
  end
  local sum, weight = 0.0, 0.0
  return function(value, count)
    local kept = (1 - a) ^ (count or 1)
    sum, weight = kept * sum + (1 - kept) * value, kept * weight + (1 - kept)
    return sum / weight
  end
end

return metrics
