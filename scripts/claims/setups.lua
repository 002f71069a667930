-- setups.lua -- the further studies on the diverging set-up and its cures, and on cost.
-- Statements and thresholds stood before these experiments were written: the inequalities of
-- calibrated runs, and a count of the work (forward and backward pass do the same at every
-- step). See checks.lua.
local experiment = require("unroll").experiment

local calibrated = "calibrated runs of another program"
local uniform = math.log(19) -- nats a character, the sentence has 19 symbols
local cured = 0.3

-- Place in the experiment, id, what is said, what one calibrated run saw; above or below what.
local setups = {
  { 1, "diverges", "SGD at 0.1 on the summed loss, values clipped at 1, ends above the loss of "
    .. "a uniform guess, ln 19 = 2.944 nats.", 5.44, at_least = uniform },
  { 2, "larger", "So does a network of 100 with windows of 35.", 11.5, at_least = uniform },
  { 3, "mean loss", "With the mean loss it ends below 0.3.", 0.110, at_most = cured },
  { 4, "norm clip", "With the norm clipped at 5 it ends below 0.3.", 0.015, at_most = cured },
  { 5, "Adagrad", "With Adagrad at 0.1, values clipped at 5, it ends below 0.3.", 0.026,
    at_most = cured },
}

local checks = {
  { id = "S sentence, entropies", experiment = "divergence", exact = true, source = "counting",
    statement = "The sentence, repeated, has 19 symbols and entropies of 3.900, 1.760, 0.190, "
      .. "0.063, 0.032, 0.032 and 0 bits, given 0 to 6 characters.",
    parts = {
      { "symbols", "symbols", at_least = 19, at_most = 19, expected = 19, format = "%.0f" },
      { "largest difference of an entropy, bits", "entropies_off", at_most = 0.001,
        format = "%.4f" },
    },
    why = "It has $1 symbols; no entropy is further off than $2 bits." },

  { id = "S cost, time", experiment = "cost", times = true, source = "count of the work",
    statement = "Forward and backward pass over T steps take time as T^p with p of 0.9 to 1.15.",
    parts = { { "exponent of the time over the length", "exponent", at_least = 0.9,
                at_most = 1.15, format = "%.3f", expected = 1 } },
    why = "The exponent is $1." },

  { id = "S cost, memory", experiment = "cost", source = "count of the work",
    statement = "What a forward pass keeps grows linearly with the length.",
    parts = { { "share of its variance that a straight line explains", "line_explains",
                at_least = 0.9999, format = "%.6f" } },
    why = "A straight line explains $1 of the variance." },
}

for i, row in ipairs(setups) do
  table.insert(checks, i, {
    id = "S divergence, " .. row[2], experiment = "divergence", source = calibrated,
    statement = row[3],
    parts = { { "nats a character over the last of ten passes", "final", setup = row[1],
                at_least = row.at_least, at_most = row.at_most, expected = row[4],
                format = "%.4g" } },
    why = "It ends at $1." })
end

local measures = {}

function measures.final(results, _, _, part)
  return experiment.column(results.setups[part.setup], "final")
end

function measures.symbols(results) return { results.vocabulary } end

local entropies = { 3.900, 1.760, 0.190, 0.063, 0.032, 0.032, 0 }

function measures.entropies_off(results)
  local largest = 0
  for i, bits in ipairs(entropies) do
    largest = math.max(largest, math.abs(results.entropies[i] - bits))
  end
  return { largest }
end

function measures.exponent(_, _, times) return times.exponent end

function measures.line_explains(results) return experiment.column({ runs = results.runs }, "r2") end

return { checks = checks, measures = measures }
