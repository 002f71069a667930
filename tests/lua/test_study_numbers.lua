-- What the studies report, small, against numbers that PyTorch, NumPy and mpmath have computed
-- (tests/reference/studies1.json, made by make_studies.py): trainings, gradients through time,
-- products of Jacobians, texts, summaries. And the studies themselves: their export is complete
-- and, where PyTorch is installed, computed again by tests/reference/studies.py.

local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local json = require "unroll.json"
local quality = require "unroll.text.quality"
local experiment, diagnostics, text = unroll.experiment, unroll.diagnostics, unroll.text
local statistics, summary, tensor = experiment.statistics, experiment.summary, unroll.tensor

local reference = assert(json.decode(support.read_file(support.root
  .. "/tests/reference/studies1.json")))

-- |a - b| <= tolerance * max(|b|, floor) for all numbers of nested lists.
local function near(a, b, tolerance, what, floor)
  if type(b) == "table" then
    lu.assertEquals(#a, #b, what)
    for i, item in ipairs(b) do near(a[i], item, tolerance, ("%s[%d]"):format(what, i), floor) end
    return
  end
  if b == "-inf" then b = -math.huge end
  local far = a == b and 0 or math.abs(a - b) / math.max(math.abs(b), floor or 1e-3)
  if far > tolerance or far ~= far then
    lu.fail(("%s is %.17g, expected %.17g (off by %.1e)"):format(what, a, b, far))
  end
end

local function like(dtype) return { dtype = dtype or "float64" } end

local function model_with(parameters, cell, hidden, vocab)
  local model = unroll.rnn.lm { cell = cell, vocab = vocab, hidden = hidden, dtype = "float64",
                                seed = 1 }
  for _, p in ipairs(model:parameters()) do
    p.tensor:copy_(tensor.tensor(parameters[p.name], like()))
  end
  return model
end

-- --- trainings ------------------------------------------------------------------------------

TestStudyTrainings = {}

for place, case in ipairs(reference.trainings) do
  local o = case.options
  TestStudyTrainings[("test_%d_%s_%s"):format(place, o.cell, o.optimizer)] = function()
    local corpus = text.from_string(reference.text)
    local model = model_with(case.parameters, o.cell, case.hidden, corpus.vocab)
    local history = unroll.train.fit(model, corpus, { steps = #case.loss, batch = o.batch,
      window = o.window, split = "all", optimizer = o.optimizer, reduction = o.reduction,
      clip_norm = o.clip_norm, clip_value = o.clip_value, lr = o.lr, progress = false,
      schedule = unroll.train.schedule.linear(o.lr, #case.loss) })
    near(history.loss:totable(), case.loss, 1e-9, "loss")
    near(history.gradient_norm:totable(), case.norm, 1e-8, "norm")
    for name, values in pairs(case.after) do
      near(model:parameters()[name]:totable(), values, 1e-8, name, 0.1)
    end
    local final = unroll.train.evaluate(model, corpus, { split = "all" })
    near(final, case.final, 1e-9, "loss after training")
    near(unroll.metrics.perplexity(final), case.perplexity, 1e-9, "perplexity")
    near(unroll.metrics.bits(final), case.bits, 1e-9, "bits")
    -- the same weights in float32, as the studies evaluate
    local single = unroll.train.evaluate(model:to "float32", corpus, { split = "all" })
    near(single, case.final, 1e-5, "loss in float32")
  end
end

-- --- gradients ------------------------------------------------------------------------------

TestStudyFlows = {}

local function flow_of(case)
  local H, V = #case.parameters.b_h, #case.parameters.b_y
  return model_with(case.parameters, case.cell, H, V), tensor.tensor(case.x, like "int32"),
    tensor.tensor(case.y, like "int32"), { h = tensor.tensor(case.h, like()) }
end

for place, case in ipairs(reference.flows) do
  local name = ("test_%d_%s"):format(place, case.cell)
  TestStudyFlows[name .. "_gradients"] = function()
    local model, x, y, state = flow_of(case)
    for _, which in ipairs { "last", "every" } do
      local norms, loss = diagnostics.state_gradients(model, x, y, { loss = which,
                                                                     state = { state } })
      near(norms:totable(), case[which].norms, 1e-9, which, 1e-290)
      near(loss, case[which].loss, 1e-12, "loss")
    end
  end
  TestStudyFlows[name .. "_jacobians"] = function()
    local model, x, _, state = flow_of(case)
    local J = diagnostics.jacobians(model.layers[1], x, state)
    near(J[J:size(1)]:totable(), case.jacobian, 1e-12, "J[T]")
    local by_lag = diagnostics.product_singular_values(J, case.lags)
    for i, lag in ipairs(case.lags) do
      near(by_lag[lag], case.singular[i], 1e-9, "log10 of singular values, lag " .. lag, 1)
    end
    near(diagnostics.lyapunov(J)[1], case.lyapunov, 1e-9, "Lyapunov exponent")
  end
  TestStudyFlows[name .. "_spectrum"] = function()
    local model, x, _, state = flow_of(case)
    local found = diagnostics.spectrum(model.W_hh)
    for _, key in ipairs { "radius", "sigma_max", "sigma_min" } do
      near(found[key], case.spectrum[key], 1e-10, key)
    end
    near(diagnostics.bound(model.W_hh, { 7 })[1], 7 * math.log(case.spectrum.sigma_max, 10), 1e-10,
      "bound")
    lu.assertEquals(diagnostics.saturation((model.layers[1]:forward(x, state)),
      { cell = case.cell }), case.saturation)
  end
end

-- --- texts and summaries --------------------------------------------------------------------

TestStudyTexts = {}

local texts, lists = reference.texts, reference.lists

function TestStudyTexts.test_entropies()
  near(text.from_string(texts.text):entropies(), texts.entropies, 1e-12, "entropies", 1)
end

function TestStudyTexts.test_shares_and_distances()
  local whole, sample = quality.shares(texts.text), quality.shares(texts.sample)
  for character, share in pairs(texts.shares) do near(whole[character], share, 1e-12, character) end
  for pair, share in pairs(texts.pairs) do
    near(quality.shares(texts.sample, 2)[pair], share, 1e-12, pair)
  end
  near(quality.distance(whole, sample), texts.distance, 1e-12, "distance")
  near(quality.distance(quality.shares(texts.text, 2), quality.shares(texts.sample, 2)),
    texts.pair_distance, 1e-12, "distance of pairs")
end

function TestStudyTexts.test_measures_of_samples()
  lu.assertEquals((quality.longest_copy(texts.sample, texts.text)), texts.longest_copy)
  lu.assertEquals(quality.known_words(texts.sample, texts.text), texts.known_words)
  lu.assertEquals(quality.followers(texts.broken, texts.cycle), texts.followers)
  lu.assertEquals(quality.lua_lines(texts.lua), texts.lua_lines)
end

function TestStudyTexts.test_fits()
  near({ diagnostics.fit_line(lists.x, lists.y) }, lists.line, 1e-10, "line")
  near({ diagnostics.fit_power(lists.x, lists.power) }, lists.power_law, 1e-10, "power law")
end

function TestStudyTexts.test_summaries()
  local d = statistics.describe(lists.y)
  for _, key in ipairs { "mean", "deviation", "median" } do near(d[key], lists[key], 1e-12, key) end
  for share, value in pairs(lists.quantiles) do
    near(statistics.quantile(lists.y, tonumber(share)), value, 1e-12, "quantile " .. share)
  end
  near(statistics.ranks(lists.y), lists.ranks, 0, "ranks")
  near(statistics.correlation(lists.x, lists.y), lists.correlation, 1e-12, "correlation")
  local bins = summary.bins(lists.y, 5)
  for _, key in ipairs { "step", "mean", "max" } do near(bins[key], lists.bins[key], 1e-12, key) end
  near(summary.smooth(lists.y, 0.3), lists.smooth, 1e-12, "moving average")
end

-- --- the studies themselves -----------------------------------------------------------------

TestStudyExport = {}

-- Settings that take a fraction of a second.
local small = {
  training = { steps = 40, hidden = 8, sample = 100 },
  gradient_flow = { windows = { 5, 10 }, lags = { 1, 10 }, product = 10, places = 2, steps = 30,
                    hidden = 8 },
  clipping = { clips = { "none", "value 0.5", "norm 1" }, text_steps = 60, order_steps = 40,
               hidden = 8 },
  adding = { length = 6, steps = 40, hidden = 8 },
}

-- Exports those studies; the folder, and the calls of each case by the name of its file.
local function export()
  local dir, names = support.tmpdir(), {}
  for name, settings in pairs(small) do
    settings.seeds, names[#names + 1] = { 1 }, name
  end
  support.write_file(dir .. "/small.json", json.encode(small))
  local output, code = support.run(("%s '%s/tests/reference/export_studies.lua' --out %s/out "
    .. "--settings %s/small.json %s 2>&1"):format(support.quoted_program, support.root, dir, dir,
    table.concat(names, " ")))
  lu.assertEquals(code, 0, output)
  return dir .. "/out"
end

local function kinds_of(path)
  local record, counts = assert(json.decode(support.read_file(path))), {}
  for _, call in ipairs(record.calls) do counts[call.kind] = (counts[call.kind] or 0) + 1 end
  return counts, record
end

function TestStudyExport.test_export_is_complete()
  local dir = export()
  local counts, record = kinds_of(dir .. "/training-1.json")
  lu.assertEquals(counts, { fit = 1, evaluate = 1, sample = 1, gradient_ratios = 2,
                            longest_copy = 3 })
  local fit = record.calls[2]
  lu.assertEquals(fit.kind, "fit")
  local steps = 0
  for _, segment in ipairs(fit.segments) do steps = steps + #segment.batches end
  lu.assertEquals(steps, 40)
  lu.assertEquals(kinds_of(dir .. "/gradient_flow-1.json").state_gradients, 3 * 2 * 2 * 2)
  lu.assertEquals(kinds_of(dir .. "/clipping-6.json"), { fit = 1 })
  local tensors = assert(require("unroll.safetensors").read(dir .. "/training-1.safetensors"))
  lu.assertEquals(tensors[fit.loss]:size(), { 40 })
end

local python = "/usr/bin/python3"

-- Only developers have PyTorch; elsewhere the program must say what it misses.
function TestStudyExport.test_studies_are_computed_again()
  local _, missing = support.run(python .. " -c 'import torch, numpy, mpmath' 2>&1")
  local program = ("%s '%s/tests/reference/studies.py'"):format(python, support.root)
  if missing ~= 0 then
    local _, code = support.run(program .. " --help 2>&1")
    lu.assertNotEquals(code, 0)
    return
  end
  local output, code = support.run(program .. " " .. export() .. " 2>&1")
  lu.assertEquals(code, 0, output)
  lu.assertStrMatches(output:match "[^\n]*\n$", "%d+ numbers, %d+ quantities, 0 deviate\n")
  lu.assertStrContains(output, "result.initial.spectra.largest")
end
