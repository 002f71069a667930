-- export_studies.lua -- writes down what another program needs to compute the studies again.
--
--   build/bin/unroll tests/reference/export_studies.lua --out DIR [--quick] [NAME...]
--
-- Runs the cases of one seed of each experiment of scripts/experiments (or of those named)
-- and watches the functions that they call. DIR then has, for each case,
--   NAME-K.json          the case, its result, and the calls in their order
--   NAME-K.safetensors   the numbers that went in and came out
-- the text of each corpus, and claims/claims.json with the tables of scripts/claims.
-- tests/reference/studies.py reads them.
--
-- A call is one of
--   fit              parts of the training, evenly spread: parameters, optimiser and states
--                    before, the batches, parameters after; loss, norms and rate of every step
--   evaluate         a loss over a split; the batches, when the source is a task
--   state_gradients, gradient_ratios, jacobians, spectrum, saturation    arguments and values
--   sample           the text                  longest_copy    a text and what was found
-- `model` in a call names the tensor with all parameters at that time, and `layouts` says
-- where each parameter is in it.
--
-- --double runs everything in float64 and exports every step of the training.
local argparse = require "argparse"
local unroll = require "unroll"
local json = require "unroll.json"
local quality = require "unroll.text.quality"
local safetensors = require "unroll.safetensors"
local store = require "unroll.experiment.store"
local sys = require("unroll.core").sys
local optim, rnn, tensor = unroll.optim, unroll.rnn, unroll.tensor
local diagnostics, train = unroll.diagnostics, unroll.train

local root = arg[0]:match "^(.*)/tests/reference/[^/]*$" or "."
local segments, segment_steps = 24, 2 -- parts of a training, and steps of each

-- What the case that runs has done so far: calls, tensors, the last parameters of each model.
local log

-- --- tensors --------------------------------------------------------------------------------

local function keep(t)
  log.count = log.count + 1
  local name = ("t%d"):format(log.count)
  log.tensors[name] = t:contiguous():clone()
  return name
end

-- Where each parameter stands in `flat`: positions from 0, in the parameter's shape.
local function layout_of(model)
  local probe = model:to "float64"
  local flat = probe:parameters().flat
  flat:copy_(tensor.arange(0, flat:numel() - 1, 1, { dtype = "float64" }))
  local layout = {}
  for _, p in ipairs(probe:parameters()) do layout[p.name] = keep(p.tensor:to "int32") end
  return layout
end

local function layout_name(model)
  local name = ("%s %d %d %d"):format(model.definition.name, model.input, model.hidden,
    model.output)
  if not log.layouts[name] then
    log.layouts[name] = { cell = model.definition.name, head = model.head,
                          tensors = layout_of(model) }
  end
  return name
end

-- The parameters, written once for as long as they stay the same.
local function keep_parameters(model)
  local flat, last = model:parameters().flat, log.parameters
  if not last or last.dtype ~= flat:dtype() or not tensor.equal(last.values, flat) then
    last = { dtype = flat:dtype(), values = flat:clone(), name = keep(flat) }
    log.parameters = last
  end
  return { layout = layout_name(model), flat = last.name, dtype = last.dtype }
end

local function keep_state(state)
  local out = {}
  for l, layer in ipairs(state or {}) do
    out[l] = {}
    for name, t in pairs(layer) do out[l][name] = keep(t) end
  end
  return state and out or nil
end

-- --- watching the library -------------------------------------------------------------------

local function add(kind, call)
  call.kind = kind
  log.calls[#log.calls + 1] = call
  return call
end

local function source_name(source)
  if source.text then
    log.corpora[source.name] = source
    return { corpus = source.name }
  end
  return { task = source.name }
end

-- The options of a call that JSON can carry.
local function plain(opts)
  local out = {}
  for name, value in pairs(opts) do
    if type(value) ~= "function" and type(value) ~= "table" then out[name] = value end
  end
  return out
end

-- The number of steps of a segment that starts after `step`, or nil.
local function segment_at(step, total, every_step)
  if every_step then return step == 0 and total or nil end
  local apart = math.max(segment_steps, total // segments)
  return step % apart == 0 and math.min(segment_steps, total - step) or nil
end

local function total_steps(source, opts)
  if opts.steps then return opts.steps end
  return opts.epochs * source:batches({ window = opts.window, split = opts.split }).windows
end

local function start_segment(model, optimizer, state, step, length)
  local tensors = {}
  for name, t in pairs(optimizer:state().tensors) do tensors[name] = keep(t) end
  return { first = step + 1, length = length, before = keep_parameters(model),
           optimizer = tensors, state = keep_state(state), batches = {} }
end

-- Notes the batches that forward gets, at the steps of a segment.
local function watch_forward(model, call, optimizer, every_step)
  local forward, segment = model.forward, nil
  function model:forward(x, y, state, opts)
    if opts and opts.train == false then return forward(self, x, y, state, opts) end
    local step = call.done
    local length = segment_at(step, call.total, every_step)
    if length and length > 0 and not (segment and step < segment.first - 1 + segment.length) then
      segment = start_segment(self, optimizer, state, step, length)
      table.insert(call.segments, segment)
    end
    if segment and step < segment.first - 1 + segment.length then
      table.insert(segment.batches, { x = keep(x), y = keep(y), reset = state == nil,
        weight = opts.weight and keep(opts.weight) or nil })
    end
    return forward(self, x, y, state, opts)
  end
  return function(step)
    if segment and step == segment.first - 1 + segment.length then
      segment.after = keep_parameters(model)
    end
  end
end

local function watched_fit(fit, every_step)
  return function(model, source, opts)
    local optimizer = optim[opts.optimizer or "adam"](model, { lr = opts.lr })
    local call = add("fit", { options = plain(opts), source = source_name(source),
      total = total_steps(source, opts), done = 0, segments = {}, algorithm =
      optimizer:state().algorithm })
    local own, after, rates = {}, {}, {}
    for name, value in pairs(opts) do own[name] = value end
    own.optimizer, own.lr = optimizer, nil
    local end_of_step = watch_forward(model, call, optimizer, every_step)
    local before, losses = {}, {}
    function own.on_step(step, loss, norm)
      losses[step], before[step], rates[step] = loss, norm, optimizer.lr
      after[step], call.done = optim.grad_norm(model), step
      end_of_step(step)
      return opts.on_step and opts.on_step(step, loss, norm)
    end
    local history = table.pack(pcall(fit, model, source, own))
    model.forward = nil
    for name, list in pairs { loss = losses, norm = before, norm_after = after, lr = rates } do
      call[name] = #list > 0 and keep(tensor.tensor(list, { dtype = "float64" })) or nil
    end
    call.finished, call.model = history[1], keep_parameters(model)
    if not history[1] then error(history[2], 0) end
    return table.unpack(history, 2, history.n)
  end
end

local function batches_of(source, opts)
  local list = {}
  for x, y, info in source:batches { split = opts.split, batch = opts.batch } do
    list[#list + 1] = { x = keep(x), y = keep(y), weight = info.weight and keep(info.weight) }
  end
  return list
end

local function watched_evaluate(evaluate)
  return function(model, source, opts)
    local loss, count = evaluate(model, source, opts)
    add("evaluate", { options = plain(opts), source = source_name(source), value = loss,
      model = keep_parameters(model), count = count,
      batches = not source.text and batches_of(source, opts) or nil })
    return loss, count
  end
end

local function watched_state_gradients(state_gradients)
  return function(model, x, y, opts)
    local norms, loss = state_gradients(model, x, y, opts)
    add("state_gradients", { model = keep_parameters(model), x = keep(x), y = keep(y),
      loss = opts and opts.loss or "last", state = opts and keep_state(opts.state),
      norms = keep(norms), value = loss })
    return norms, loss
  end
end

local function watched_jacobians(jacobians)
  return function(cell, xs, state)
    local J = jacobians(cell, xs, state)
    add("jacobians", { x = keep(xs), state = state and keep_state { state }, values = keep(J) })
    return J
  end
end

local function watched_saturation(saturation)
  return function(ys, opts)
    local share = saturation(ys, opts)
    add("saturation", { outputs = keep(ys), value = share })
    return share
  end
end

local function watched_spectrum(spectrum)
  return function(W)
    local s = spectrum(W)
    add("spectrum", { matrix = keep(W), value = { radius = s.radius, sigma_max = s.sigma_max,
                                                  sigma_min = s.sigma_min } })
    return s
  end
end

local function watched_ratios(gradient_ratios)
  return function(model)
    local list, norms = gradient_ratios(model), {}
    for i, entry in ipairs(list) do -- a ratio may be infinite
      norms[i] = { name = entry.name, gradient = entry.gradient, parameter = entry.parameter }
    end
    add("gradient_ratios", { model = keep_parameters(model), value = norms })
    return list
  end
end

local function watched_copy(longest_copy)
  return function(sample, whole)
    local length, place = longest_copy(sample, whole)
    add("longest_copy", { sample = sample, value = length })
    return length, place
  end
end

local function watched_sample(sample)
  return function(model, opts)
    local drawn = sample(model, opts)
    add("sample", { options = plain(opts), text = drawn, model = keep_parameters(model) })
    return drawn
  end
end

local function watch(settings)
  train.fit = watched_fit(train.fit, settings.double)
  train.evaluate = watched_evaluate(train.evaluate)
  for name, watched in pairs { state_gradients = watched_state_gradients,
    jacobians = watched_jacobians, saturation = watched_saturation,
    spectrum = watched_spectrum, gradient_ratios = watched_ratios } do
    diagnostics[name] = watched(diagnostics[name])
  end
  quality.longest_copy = watched_copy(quality.longest_copy)
  local Model = getmetatable(rnn.lm { vocab = 2, hidden = 1, seed = 1 })
  Model.sample = watched_sample(Model.sample)
  if not settings.double then return end
  for _, name in ipairs { "lm", "model" } do
    local make = rnn[name]
    rnn[name] = function(opts)
      opts.dtype = "float64"
      return make(opts)
    end
  end
end

-- --- the cases ------------------------------------------------------------------------------

local function parse()
  local parser = argparse("unroll " .. arg[0], "Exports studies for an independent calculation.")
  parser:argument("names", "experiments; all of them without"):args "*"
  parser:option("--out", "folder to write"):count "1"
  parser:option("--settings", "JSON file: experiment -> settings that differ")
  parser:option("--scripts", "folder of the experiments"):default(root .. "/scripts/experiments")
  parser:flag("--quick", "the short form of every experiment")
  parser:flag("--double", "in float64, with every step of the training")
  return parser:parse(arg)
end

local function scripts(settings)
  local wanted, list = {}, {}
  for _, name in ipairs(settings.names) do wanted[name] = true end
  for _, name in ipairs(assert(sys.list(settings.scripts))) do
    local experiment = name:match "^(.*)%.lua$"
    if experiment and (#settings.names == 0 or wanted[experiment]) then
      list[#list + 1] = ("%s/%s"):format(settings.scripts, name)
    end
  end
  table.sort(list)
  return list
end

local function overrides_of(e, settings)
  if settings.settings then
    return assert(json.decode(assert(sys.read_file(settings.settings))))[e.name] or {}
  end
  return settings.quick and e.quick or {}
end

local function run(e, case)
  log = { count = 0, tensors = {}, calls = {}, layouts = {}, corpora = {} }
  tensor.manual_seed(math.type(case.seed) == "integer" and case.seed or 0)
  local result = e.run_case(case, function() end)
  return { experiment = e.name, case = case, result = result, calls = log.calls,
           layouts = log.layouts }
end

local function save(settings, stem, record)
  store.check(store.write(settings.out, stem, record))
  store.check(safetensors.write(("%s/%s.safetensors"):format(settings.out, stem), log.tensors))
  for name, corpus in pairs(log.corpora) do
    local file = name == "string" and stem or name:gsub("[^%w]", "_")
    store.check(sys.write_file(("%s/%s.txt"):format(settings.out, file), corpus.text))
  end
end

-- --- the claims -------------------------------------------------------------------------------

-- A part of a check as an object: its first two fields are the statistic and the measure.
local function plain_parts(parts)
  local out = {}
  for p, part in ipairs(parts or {}) do
    out[p] = {}
    for field, value in pairs(part) do
      local name = field == 1 and "statistic" or field == 2 and "measure" or field
      out[p][name] = value
    end
  end
  return out
end

-- The tables of scripts/claims: what is said, how it is measured, and from what on it holds.
local function save_claims(settings)
  local list, folder = {}, settings.scripts .. "/../claims"
  local names = assert(sys.list(folder))
  table.sort(names)
  for _, name in ipairs(names) do
    for _, check in ipairs(dofile(("%s/%s"):format(folder, name)).checks) do
      list[#list + 1] = { id = check.id, experiment = check.experiment,
        times = check.times or false, exact = check.exact or false,
        parts = plain_parts(check.parts),
        only_if = check.only_if and plain_parts(check.only_if.parts) or nil }
    end
  end
  store.check(store.write(settings.out .. "/claims", "claims", list))
end

local settings = parse()
watch(settings)
for _, path in ipairs(scripts(settings)) do
  local e, count = dofile(path), 0
  local config = e:config(overrides_of(e, settings))
  local first = config.seeds and config.seeds[1] or config.seed
  for _, case in ipairs(e.cases(config)) do
    if case.seed == first then
      count = count + 1
      local stem = ("%s-%d"):format(e.name, count)
      save(settings, stem, run(e, case))
    end
  end
  io.stderr:write(("%s: %d cases\n"):format(e.name, count))
end
save_claims(settings)
