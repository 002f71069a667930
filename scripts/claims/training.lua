-- training.lua -- statements 1 to 4 and 14: what one training shows. The table was fixed
-- before the experiment `training` was run with these settings; see checks.lua for its form.
local metrics, experiment = require("unroll").metrics, require("unroll").experiment

local band = { 0.1, 1 } -- the gradient norms that the document calls healthy

local checks = {
  { id = "1", experiment = "training",
    statement = "Loss falls quickly, then settles; perplexity 4–6 is reached.",
    parts = {
      { "share of the fall of the loss in the first quarter of the updates", "early_fall",
        at_least = 0.9, format = "%.3f" },
      { "change of the loss from the third to the last quarter, as a share of the fall",
        "late_change", at_most = 0.02, format = "%.4f" },
      { "lowest perplexity", "lowest_perplexity", at_most = 6, format = "%.3f" },
    },
    why = "$1 of the fall comes in the first quarter of the updates, and the last quarter "
      .. "changes the loss by $2 of it; the lowest perplexity is $3." },

  { id = "2", experiment = "training",
    statement = "Perplexity is exp(loss / window length).",
    parts = { { "exp(loss / window) divided by the perplexity; loss: mean a character, at the "
      .. "start of the training", "formula_with_mean", at_least = 0.99, at_most = 1.01 } },
    only_if = { condition = "the loss is the sum over the window",
      parts = { { "the same, loss: sum over the window", "formula_with_sum", at_least = 0.99,
                  at_most = 1.01 } } },
    why = "With the mean loss the formula gives $1 of the perplexity, with the sum $2." },

  { id = "3", experiment = "training",
    statement = "Healthy training keeps the gradient norm at 0.1–1.",
    parts = { { "share of the updates with a norm in 0.1–1, before the clip", "in_band",
                at_least = 0.9, format = "%.2f" } },
    only_if = { condition = "there is still something to learn (loss above 0.1 nats)",
      parts = { { "the same share, where the loss is above 0.1 nats", "in_band_while_learning",
                  at_least = 0.9, format = "%.2f" } } },
    why = "The norm lies in 0.1–1 in a share of $1 of the updates, and of $2 of those with a "
      .. "loss above 0.1 nats." },

  { id = "4", experiment = "training",
    statement = "Generated characters follow the corpus shares.",
    parts = { { "total variation distance of the character shares", "distance", at_most = 0.05,
                format = "%.4f" } },
    why = "The shares of generated and corpus characters differ by $1 (0: the same, "
      .. "1: nothing in common)." },

  { id = "14", experiment = "training",
    statement = "Matching character frequencies show that the model learned the statistics "
      .. "instead of memorising.",
    parts = {
      { "total variation distance of the character shares", "distance", at_most = 0.05,
        format = "%.4f" },
      { "longest run copied from the corpus, characters", "longest_copy", at_most = 30,
        format = "%.0f" },
      { "distance of characters drawn by their shares alone (order 0)", "distance",
        of_text = "order0", at_least = 0.05, format = "%.4f" },
      { "distance of a piece of the corpus, copied", "distance", of_text = "copied",
        at_least = 0.05, format = "%.4f" },
    },
    why = "At a distance of $1 the longest run copied from the corpus has $2 characters. Texts "
      .. "that no model has learned match the shares too: drawn at order 0 ($3), or copied ($4).",
    history = "The two other texts were added after a first run; they make it harder for the "
      .. "statement, which the first two parts already refute." },
}

local measures = {}

local function per_run(results, f) return experiment.over(results.runs, f) end

-- Mean of list[first..last].
local function mean(list, first, last)
  local sum = 0
  for i = first, last do sum = sum + list[i] end
  return sum / (last - first + 1)
end

-- Loss at the start, its means over the four quarters.
local function quarters(r)
  local loss, quarter = r.loss.mean, #r.loss.mean // 4
  local means = {}
  for q = 1, 4 do means[q] = mean(loss, (q - 1) * quarter + 1, q * quarter) end
  return loss[1], means, mean(loss, quarter, quarter + quarter // 10)
end

function measures.early_fall(results)
  return per_run(results, function(r)
    local start, means, after_first = quarters(r)
    return (start - after_first) / (start - means[4])
  end)
end

function measures.late_change(results)
  return per_run(results, function(r)
    local start, means = quarters(r)
    return math.abs(means[3] - means[4]) / (start - means[4])
  end)
end

function measures.lowest_perplexity(results)
  return per_run(results, function(r)
    return metrics.perplexity(math.min(table.unpack(r.loss.mean)))
  end)
end

function measures.formula_with_mean(results, config)
  return per_run(results, function(r)
    return math.exp(r.loss.mean[1] / config.window) / metrics.perplexity(r.loss.mean[1])
  end)
end

function measures.formula_with_sum(results, config)
  return per_run(results, function(r)
    local sum = r.loss.mean[1] * config.window
    return math.exp(sum / config.window) / metrics.perplexity(r.loss.mean[1])
  end)
end

function measures.in_band(results)
  return per_run(results, function(r) return r.healthy end)
end

function measures.in_band_while_learning(results)
  return per_run(results, function(r)
    local inside, all = 0, 0
    for i, norm in ipairs(r.norm.mean) do
      if r.loss.mean[i] > 0.1 then
        all = all + 1
        if norm >= band[1] and norm <= band[2] then inside = inside + 1 end
      end
    end
    return all > 0 and inside / all or 0
  end)
end

function measures.distance(results, _, _, part)
  return per_run(results, function(r) return r.samples[part.of_text or "network"].distance end)
end

function measures.longest_copy(results)
  return per_run(results, function(r) return r.samples.network.longest_copy end)
end

return { checks = checks, measures = measures }
