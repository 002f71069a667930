--- clip: the norm of all gradients, and clipping them by norm or by value.

local core = require "unroll.core"
local options = require "unroll.options"
local slots = require "unroll.optim.slots"

local list_of = slots.list_of
local clip_norm_whole, clip_value_whole = core.optim.clip_norm, core.optim.clip_value

local clip = {}

-- Where the gradients are one flat tensor, core does it all in one call; it leaves lists, and
-- what is wrong, to the functions here.

-- sqrt(a^2 + b^2) without overflow; NaN if one is NaN.
local function hypotenuse(a, b)
  if a ~= a or b ~= b then return a + b end
  if a < b then a, b = b, a end
  if b == 0 or a == math.huge then return a end
  local ratio = b / a
  return a * math.sqrt(1 + ratio * ratio)
end

local function norm_of(gradients)
  if gradients.flat then return (core.optim.norm(gradients.flat)) end
  local norm = 0.0
  for i = 1, #gradients do norm = hypotenuse(norm, (core.optim.norm(gradients[i].tensor))) end
  return norm
end

--- The Euclidean norm of all gradients together, summed in float64.
---@param model unroll.Model|table anything with :gradients()
---@return number norm NaN or infinite when an element is
--- > model = rnn.lm{vocab = 3, hidden = 2}
--- > model:gradients().b_y:copy_(tensor{3, 4, 0});
--- > optim.grad_norm(model)   --> 5.0
---@see optim.clip_norm tensor.norm
function clip.grad_norm(model)
  return norm_of(list_of(model, "gradients", "grad_norm", 3))
end

local function refuse(gradients, norm, who, opts)
  local culprit
  for i = 1, #gradients do
    local own = core.optim.norm(gradients[i].tensor)
    if own - own ~= 0 then
      culprit, norm = gradients[i].name, own
      break
    end
  end
  local where = {}
  if opts and opts.step then where[#where + 1] = ("step %d"):format(opts.step) end
  if opts and opts.loss then where[#where + 1] = ("loss %.6g"):format(opts.loss) end
  error(("%s: the gradient %s has the norm %s%s; nothing was changed"):format(who,
    culprit and ("of '%s'"):format(culprit) or "of all parameters",
    norm ~= norm and "NaN" or "infinity",
    #where > 0 and (" (%s)"):format(table.concat(where, ", ")) or ""), 3)
end

local function check_limit(limit, who)
  if not math.type(limit) or limit ~= limit or limit <= 0 then
    error(("%s: the limit is %s, must be a number above 0"):format(who, options.shown(limit)), 3)
  end
end

--- Scales all gradients by min(1, max / (norm + 1e-6)), so that their common norm is at
--- most max. The norm is summed in float64.
---@param model unroll.Model|table anything with :gradients()
---@param max number above 0; math.huge only measures and checks
---@param opts? {step?: integer, loss?: number} for the error message
---@return number norm before the clip
--- Errors: a norm that is NaN or infinite: names the tensor, nothing was changed.
--- Source: Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks,
--- 2013.
--- Dtypes: float32, float64
--- > model = rnn.lm{vocab = 3, hidden = 2}
--- > model:gradients().b_y:copy_(tensor{3, 4, 0});
--- > optim.clip_norm(model, 1)   --> 5.0
--- > optim.grad_norm(model)      --> 1.0
---@see optim.clip_value optim.grad_norm train.fit
function clip.clip_norm(model, max, opts)
  local whole = clip_norm_whole(model, max)
  if whole then return whole end
  check_limit(max, "clip_norm")
  local gradients = list_of(model, "gradients", "clip_norm", 3)
  local norm = norm_of(gradients)
  if norm - norm ~= 0 then refuse(gradients, norm, "clip_norm", opts) end
  local factor = max / (norm + 1e-6)
  if factor < 1 then
    for i = 1, #gradients do core.optim.scale(gradients[i].tensor, factor) end
  end
  return norm
end

--- Clamps every element of the gradients to between -limit and limit.
---@param model unroll.Model|table anything with :gradients()
---@param limit number above 0
---@param opts? {step?: integer, loss?: number} for the error message
---@return number norm before the clip
---@return boolean clipped was any element beyond the limit
--- Errors: a norm that is NaN or infinite: names the tensor, nothing was changed.
--- Dtypes: float32, float64
--- > model = rnn.lm{vocab = 3, hidden = 2}
--- > model:gradients().b_y:copy_(tensor{3, -4, 0});
--- > optim.clip_value(model, 1)   --> 5.0, true
--- > model:gradients().b_y:totable()   --> {1.0, -1.0, 0.0}
---@see optim.clip_norm
function clip.clip_value(model, limit, opts)
  local whole, any = clip_value_whole(model, limit)
  if whole then return whole, any end
  check_limit(limit, "clip_value")
  local gradients = list_of(model, "gradients", "clip_value", 3)
  local norm, clipped = norm_of(gradients), false
  if norm - norm ~= 0 then refuse(gradients, norm, "clip_value", opts) end
  for i = 1, #gradients do
    local _, one = clip_value_whole(gradients[i].tensor, limit)
    clipped = clipped or one
  end
  return norm, clipped
end

return clip
