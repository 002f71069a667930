--- gradcheck: compares the gradients of a backward pass with differences of the loss.
--
--   unroll.gradcheck(model, x, y)       -- prints as a table; .ok, .worst
--   unroll.gradcheck(cell, x, { loss = "last" })
--
-- For every element w of every parameter, of dense inputs and of the initial state:
--   backward's dL/dw   against   (L(w + h) - L(w - h)) / 2h,   h = 1e-6 max(1, |w|).
-- The error of a tensor is max|a - b| / max|b|, a from backward, b from differences.
-- An element that disagrees is tried again with h / 16, since a step across a kink of relu
-- gives no slope, and by a difference of fourth order with a large h, since a small slope
-- can drown in the rounding of L. A wrong gradient disagrees with all three.
--
-- The differences are always made in float64. A float32 model is checked as it is,
-- against the differences of its float64 copy.
--
-- A gradient that is all zero passes every comparison where nothing depends on the
-- parameter, by mistake or not. So it fails unless the caller says that it should be
-- zero: { zero_ok = { "b_h" } }.

local core = require "unroll.core"
local options = require "unroll.options"

local tensor = core.tensor

local STEP, WIDE_STEP = 1e-6, 1e-3
local THRESHOLD = { float64 = 1e-6, float32 = 1e-3 }

-- --- what is checked -----------------------------------------------------------------------

-- Both kinds of subject have
--   analytic() -> { [name] = gradient of the same shape as the variable }
--   variables(copy) -> list of { name =, tensor = } that may be written
--   loss() -> number, at the current values of the variables
-- where the last two are in float64.

local function check_object(object)
  local kind = type(object)
  if (kind ~= "table" and kind ~= "userdata") or not (object.forward and object.parameters) then
    error("gradcheck: a model or a cell expected, got " .. tostring(object), 3)
  end
end

local function is_cell(object)
  return object.layers == nil
end

local function check_tensor(name, value, call)
  if tensor.is_tensor(value) then return end
  error(("%s: %s must be a tensor, got %s"):format(call, name, type(value)), 3)
end

local function in_float64(t)
  return t:dtype() == "int32" and t or t:to("float64"):clone()
end

-- Flattens a state, a table of tensors or a list of them, to { ["layers[1].h"] = tensor }.
local function flatten(state, prefix, flat)
  for key, value in pairs(state) do
    local name = math.type(key) and ("%s[%d]"):format(prefix, key) or prefix .. "." .. key
    if type(value) == "table" then flatten(value, name, flat) else flat[name] = value end
  end
  return flat
end

local function copy_state(state)
  local copy = {}
  for key, value in pairs(state) do
    copy[key] = type(value) == "table" and copy_state(value) or in_float64(value)
  end
  return copy
end

local function add_sorted(list, flat)
  local names = {}
  for name in pairs(flat) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do list[#list + 1] = { name = name, tensor = flat[name] } end
end

-- A cell's loss: a random linear functional of its outputs, at every step or the last
-- one, and of its last state.
local function functional(ys, state, opts)
  local generator = tensor.generator(opts.seed)
  local function random_like(t)
    return tensor.randn(t:size(), { dtype = "float64", generator = generator })
  end
  local dys = random_like(ys)
  local T = ys:size(1)
  if opts.loss == "last" and T > 1 then dys[{ { 1, T - 1 } }]:zero_() end
  local ends = {}
  local names = {}
  for name in pairs(state) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do ends[name] = random_like(state[name]) end
  return dys, ends
end

local function cell_subject(cell, copy, x, opts)
  local how = { mask = opts.mask, reverse = opts.reverse }
  local ys, last = cell:forward(x, opts.state, how)
  local dys, ends = functional(ys, last, opts)
  local x64 = in_float64(x)
  local state64 = opts.state and copy_state(opts.state)
  local subject = { x = x64, state = state64 }

  function subject.loss()
    local outputs, final = copy:forward(x64, state64, how)
    local loss = (outputs * dys):sum()
    for name, weights in pairs(ends) do loss = loss + (final[name] * weights):sum() end
    return loss
  end

  function subject.backward()
    local dtype = ys:dtype()
    local dends = {}
    for name, weights in pairs(ends) do dends[name] = weights:to(dtype) end
    local _, _, trace = cell:forward(x, opts.state, how)
    return cell:backward(trace, dys:to(dtype), dends)
  end
  return subject
end

local function model_subject(model, copy, x, y, opts)
  local x64 = in_float64(x)
  local y64 = y:dtype() == "int32" and y or in_float64(y)
  local state64 = opts.state and copy_state(opts.state)
  local subject = { x = x64, state = state64 }
  local weight64 = opts.weight and in_float64(opts.weight)

  function subject.loss()
    return (copy:forward(x64, y64, state64,
      { weight = weight64, mask = opts.mask, reduction = opts.reduction, train = false }))
  end

  function subject.backward()
    local _, _, trace = model:forward(x, y, opts.state,
      { weight = opts.weight, mask = opts.mask, reduction = opts.reduction })
    return model:backward(trace)
  end
  return subject
end

-- --- the comparison ------------------------------------------------------------------------

-- Calls f with every index {i, j, ...} of a shape; the table is reused.
local function each_index(sizes, f)
  local index = {}
  for d = 1, #sizes do
    if sizes[d] == 0 then return end
    index[d] = 1
  end
  local d
  repeat
    f(index)
    d = #sizes
    while d > 0 and index[d] == sizes[d] do
      index[d] = 1
      d = d - 1
    end
    if d > 0 then index[d] = index[d] + 1 end
  until d == 0
end

local function slope(t, index, loss, h)
  local w = t[index]
  local up, down = w + h, w - h -- what they were rounded to counts
  t[index] = up
  local above = loss()
  t[index] = down
  local below = loss()
  t[index] = w
  return (above - below) / (up - down)
end

-- 4/3 of the slope over 2h less 1/3 of that over 4h: the error is of order h^4.
local function wide_slope(t, index, loss, h)
  return (4 * slope(t, index, loss, h) - slope(t, index, loss, 2 * h)) / 3
end

local function step_of(t, index, scale)
  return scale * math.max(1, math.abs(t[index]))
end

-- All slopes of one variable, in the order of each_index, and the largest.
local function slopes_of(t, loss)
  local slopes, max = {}, 0
  each_index(t:size(), function(index)
    local b = slope(t, index, loss, step_of(t, index, STEP))
    slopes[#slopes + 1] = b
    max = math.max(max, math.abs(b))
  end)
  return slopes, max
end

-- The nearest to a of the slope b and of two other ways to get it.
local function tried_again(t, index, loss, a, b)
  local narrow = slope(t, index, loss, step_of(t, index, STEP / 16))
  local wide = wide_slope(t, index, loss, step_of(t, index, WIDE_STEP))
  if math.abs(a - narrow) < math.abs(a - b) then b = narrow end
  if math.abs(a - wide) < math.abs(a - b) then b = wide end
  return b
end

-- The element with the largest |a - b|, NaN counting as infinite; and whether a is all 0.
local function worst_element(t, gradient, slopes, loss, limit)
  local worst, k, zero = { error = -1 }, 0, true
  each_index(t:size(), function(index)
    k = k + 1
    local a, b = gradient[index], slopes[k]
    if math.abs(a - b) > limit then b = tried_again(t, index, loss, a, b) end
    local difference = math.abs(a - b)
    if difference ~= difference then difference = math.huge end
    if difference > worst.error then
      worst = { error = difference, index = { table.unpack(index) }, backward = a,
        difference = b }
    end
    zero = zero and a == 0
  end)
  return worst, zero
end

-- Compares one variable with its gradient from backward.
local function compare(name, t, gradient, loss, threshold, zero_ok)
  local entry = { name = name, size = t:size(), error = 0, zero = false, ok = true }
  if t:numel() == 0 then return entry end
  local slopes, max = slopes_of(t, loss)
  entry.worst, entry.zero = worst_element(t, gradient, slopes, loss, threshold * max)
  entry.error = max > 0 and entry.worst.error / max or entry.worst.error
  entry.ok = entry.error <= threshold
  if entry.zero then entry.ok = zero_ok and max <= threshold or false end
  return entry
end

-- --- the result ----------------------------------------------------------------------------

local function index_text(worst)
  return worst and "[" .. table.concat(worst.index, ",") .. "]" or ""
end

--- What a gradient check found: a list of entries, also by name. It prints as a table.
---
--- An entry has name, size, error = max|a - b| / max|b|, worst = { index, backward, difference },
--- zero and ok.
---@class unroll.Gradcheck
---@field ok boolean
---@field worst table the worst entry
---@field threshold number
---@field dtype string
---@see gradcheck
local Result = { __name = "unroll.Gradcheck" }

function Result:__tostring()
  local lines = { ("%-16s %-12s %-10s %-12s %14s %14s"):format("gradient", "shape", "error",
    "worst at", "backward", "differences") }
  for _, entry in ipairs(self) do
    local worst = entry.worst or { backward = 0, difference = 0 }
    local note = entry.ok and "" or entry.zero and "  <- all zero" or "  <- wrong"
    lines[#lines + 1] = ("%-16s %-12s %-10.2e %-12s %14.6g %14.6g%s"):format(entry.name,
      "(" .. table.concat(entry.size, ",") .. ")", entry.error, index_text(entry.worst),
      worst.backward, worst.difference, note)
  end
  lines[#lines + 1] = ("%s: worst error %.2e in %s, limit %.0e (%s)"):format(
    self.ok and "ok" or "NOT OK", self.worst.error, self.worst.name, self.threshold, self.dtype)
  return table.concat(lines, "\n")
end

-- The entry that matters most: a failed one before all others, then the largest error.
local function worst_of(entries)
  local worst
  for _, entry in ipairs(entries) do
    if not worst or (worst.ok and not entry.ok)
      or (worst.ok == entry.ok and entry.error > worst.error) then
      worst = entry
    end
  end
  return worst
end

-- --- the check -----------------------------------------------------------------------------

-- On close, parameters, gradients are again what they were: also after an error or Ctrl-C.
local function keep(...)
  local kept = {}
  for _, list in ipairs { ... } do
    for _, item in ipairs(list) do kept[#kept + 1] = { item.tensor, item.tensor:clone() } end
  end
  return setmetatable(kept, { __close = function()
    for _, pair in ipairs(kept) do pair[1]:copy_(pair[2]) end
  end })
end

local function backward_gradients(object, subject)
  for _, g in ipairs(object:gradients()) do g.tensor:zero_() end
  local dx, dstate = subject.backward()
  local found = {}
  for _, g in ipairs(object:gradients()) do found[g.name] = g.tensor:clone() end
  if dx then found.x = dx:clone() end
  if dstate then
    for name, t in pairs(flatten(dstate, "state", {})) do found[name] = t:clone() end
  end
  return found
end

local function variables_of(copy, subject)
  local list = {}
  for _, p in ipairs(copy:parameters()) do list[#list + 1] = p end
  if subject.x:dtype() == "float64" then list[#list + 1] = { name = "x", tensor = subject.x } end
  if subject.state then add_sorted(list, flatten(subject.state, "state", {})) end
  return list
end

local accepted = {
  "state", "weight", "mask", "threshold", reverse = false, loss = "every", reduction = "mean",
  zero_ok = {}, seed = 1,
}

local function checked_options(opts, object)
  local o = options.check(opts, accepted, "gradcheck", 3)
  options.choice(o.loss, { "last", "every" }, "loss", "gradcheck", 3)
  options.choice(o.reduction, { "mean", "sum" }, "reduction", "gradcheck", 3)
  o.dtype = object:parameters()[1].tensor:dtype()
  o.threshold = o.threshold or THRESHOLD[o.dtype]
  local declared = {}
  for _, name in ipairs(o.zero_ok) do declared[name] = true end
  o.zero_ok = declared
  return o
end

---@class unroll.GradcheckOptions
---@field state? table the initial state (checked too); nil: zeros
---@field loss? "every"|"last" the steps whose outputs count, for cells; default "every"
---@field mask? unroll.Tensor as in forward
---@field reverse? boolean for cells, as in forward; default false
---@field weight? unroll.Tensor for models, as in forward
---@field reduction? "mean"|"sum" for models; default "mean"
---@field zero_ok? string[] names of gradients that may be all zero; default {}
---@field threshold? number default 1e-6 for float64, 1e-3 for float32
---@field seed? integer of the random functional; default 1

--- Checks every gradient of a model or a cell against central differences in float64.
--- Parameters, gradients, inputs and states are afterwards as they were before.
---
--- gradcheck(model, x, y, opts): the loss is that of `Model:forward`.
--- gradcheck(cell, x, opts): the loss is a random linear functional of the outputs and of
--- the last state.
---@param object unroll.Model|unroll.Cell float64, or float32 with a looser limit
---@param x unroll.Tensor (T,B,I) numbers, checked too, or (T,B) int32 tokens
---@param y? unroll.Tensor the targets, for models only
---@param opts? unroll.GradcheckOptions
---@return unroll.Gradcheck result
--- Errors: an object that is neither; inputs that forward refuses; unknown options.
--- > cell = rnn.cell("tanh", {input = 3, hidden = 4, dtype = "float64", seed = 1})
--- > unroll.gradcheck(cell, tensor.randn(5, 2, 3, {dtype = "float64"})).ok   --> true
---@see Model:backward Cell:backward rnn.register
local function gradcheck(object, x, y, opts)
  check_object(object)
  local cell = is_cell(object)
  if cell then y, opts = nil, y end
  check_tensor("x", x, cell and "gradcheck(cell, x, opts)" or "gradcheck(model, x, y, opts)")
  if not cell then check_tensor("y", y, "gradcheck(model, x, y, opts)") end
  local o = checked_options(opts, object)
  local copy = o.dtype == "float64" and object or object:to("float64")
  local _ <close> = keep(object:parameters(), object:gradients(), copy:parameters())
  local subject = cell and cell_subject(object, copy, x, o)
    or model_subject(object, copy, x, y, o)
  local found = backward_gradients(object, subject)
  local result = setmetatable({ ok = true, threshold = o.threshold, dtype = o.dtype }, Result)
  for _, variable in ipairs(variables_of(copy, subject)) do
    local name = variable.name
    if not found[name] then
      error(("gradcheck: backward gave no gradient for '%s'"):format(name), 2)
    end
    local entry = compare(name, variable.tensor, found[name], subject.loss, o.threshold,
      o.zero_ok[name])
    result[#result + 1], result[name] = entry, entry
    result.ok = result.ok and entry.ok
  end
  result.worst = worst_of(result)
  return result
end

return gradcheck
