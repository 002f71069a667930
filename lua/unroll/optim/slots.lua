--- slots: the parameters of a model and their gradients, in pairs.
--
-- A model is anything with :parameters() and :gradients(): lists of { name =, tensor = } in
-- one order. Where both lists have `flat`, one contiguous tensor that all the others are
-- views into, there is one slot, and a step is one pass over it.

local slots = {}

--- What model:method() gives, once it is known to be a list.
---@param model table|userdata
---@param method "parameters"|"gradients"
---@param who string for the message
---@param level integer of the error, as for error
---@return table list
function slots.list_of(model, method, who, level)
  local kind = type(model)
  local f = (kind == "table" or kind == "userdata") and model[method]
  local list = f and f(model)
  if type(list) ~= "table" then
    error(("%s: the model must have :%s() that gives a list of {name=, tensor=}"):format(who,
      method), level)
  end
  return list
end

--- "(2,3)"
---@param t unroll.Tensor
---@return string
function slots.shape_text(t)
  local sizes = t:size()
  return "(" .. table.concat(sizes, ",") .. ")"
end

local function check_pair(p, g, i, who)
  if not g or p.name ~= g.name then
    error(("%s: parameter %d is '%s' but gradient %d is '%s'")
      :format(who, i, p.name, i, g and g.name or "absent"), 4)
  end
  local a, b = p.tensor, g.tensor
  if a:dtype() ~= b:dtype() or slots.shape_text(a) ~= slots.shape_text(b) then
    error(("%s: parameter '%s' is %s %s but its gradient is %s %s"):format(who, p.name,
      a:dtype(), slots.shape_text(a), b:dtype(), slots.shape_text(b)), 4)
  end
end

--- What is updated together: a list of { p =, g =, suffix =, state = {} }. Errors are those of
--- whoever makes an optimiser, two calls above.
---@param model table|userdata
---@param who string for messages
---@return table[] slots
function slots.of(model, who)
  local parameters = slots.list_of(model, "parameters", who, 4)
  local gradients = slots.list_of(model, "gradients", who, 4)
  if #parameters == 0 then error(who .. ": the model has no parameters", 3) end
  for i = 1, math.max(#parameters, #gradients) do
    if not parameters[i] then
      error(("%s: %d parameters but %d gradients"):format(who, #parameters, #gradients), 3)
    end
    check_pair(parameters[i], gradients[i], i, who)
  end
  if parameters.flat and gradients.flat then
    return { { p = parameters.flat, g = gradients.flat, suffix = "", state = {} } }
  end
  local list = {}
  for i, p in ipairs(parameters) do
    list[i] = { p = p.tensor, g = gradients[i].tensor, suffix = "." .. p.name, state = {} }
  end
  return list
end

return slots
