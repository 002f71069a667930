--- check: what training and evaluation ask of a model and a source.

local check = {}

--- Checks that a thing has a method.
---@param thing any
---@param method string
---@param what string how messages call it: "the model"
---@param who string the function, for messages
---@param level integer stack level that errors point at
function check.method(thing, method, what, who, level)
  local kind = type(thing)
  if (kind ~= "table" and kind ~= "userdata") or not thing[method] then
    error(("%s: %s must have :%s(), got %s"):format(who, what, method, kind), level + 1)
  end
end

--- Checks that model and source mean the same symbols by the same tokens. Tokens of another
--- vocabulary may well be in range: then nothing else would tell. What has no vocabulary is
--- not checked.
---@param model table
---@param source table
---@param who string the function, for messages
---@param level integer stack level that errors point at
function check.vocabularies(model, source, who, level)
  local ours, theirs = model.vocab, source.vocab
  if type(ours) ~= "table" or type(theirs) ~= "table" or ours == theirs then return end
  error(("%s: the vocabulary of the source (%d symbols) is not the model's (%d); "
    .. "text.corpus(name, { vocab = model.vocab }) uses the model's"):format(who, #theirs, #ours),
    level + 1)
end

return check
