-- flow.lua -- the further studies on gradients at initialisation, against calibrated means.
-- Numbers and tolerances stood before these experiments were written: they come from 400
-- networks in another program; the tolerances are for a mean over 20. See checks.lua.
local over = require("unroll").experiment.over

local calibrated_runs = "calibrated runs of another program"
local networks = 20 -- that a mean is over, for its tolerance
local lags = { 5, 10, 25, 49 }
local tolerance = { 0.2, 0.2, 0.5, 1.0 }

-- W_hh, its id, and log10 of |dL/dh(T-l)| / |dL/dh(T)| at each lag; false: not known.
local calibrated = {
  { "0.5 N(0,1/n)", "half", -1.56, -3.10, -7.54, -14.4 },
  { "N(0,1/n)", "unit", -0.21, -0.42, -0.91, -1.22 },
  { "√2 N(0,1/n)", "root 2", -0.02, -0.05, -0.05, 0.72 },
  { "0.5 N(0,1)", "large", 0.67, 1.34, 3.37, 7.27 },
  { "0.01 N(0,1)", "small", -5.80, -11.6, -28.8, -56.0 },
  { "orthogonal", "orthogonal", -0.14, -0.28, -0.70, -1.28 },
  { "N(0,1/n), wide W_xh", "wide input", false, false, false, -10.6 },
}

local checks = {
  { id = "S spectra, normal", experiment = "flow_at_initialisation", source = calibrated_runs,
    statement = "A matrix of N(0, 1/50), 50 × 50, has a σ_max of 1.7 to 2.1 and a spectral radius "
      .. "of 0.8 to 1.25.",
    parts = {
      { "σ_max", "matrix", matrix = "N(0,1/n)", key = "sigma_max", at_least = 1.7, at_most = 2.1 },
      { "spectral radius", "matrix", matrix = "N(0,1/n)", key = "radius", at_least = 0.8,
        at_most = 1.25 },
    },
    why = "It has $1 and $2." },

  { id = "S spectra, orthogonal", experiment = "flow_at_initialisation",
    source = "definition",
    statement = "Every singular value of an orthogonal start is 1, to 10⁻¹² in float64.",
    parts = { { "largest difference to 1", "off_orthogonal", at_most = 1e-12 } },
    why = "None is further from 1 than $1, on average over the networks." },

  { id = "S flow, bound", experiment = "flow_at_initialisation", least = networks,
    source = calibrated_runs,
    statement = "With N(0, 1/n) the bound σ_max^49 says 10^14.7 where 10^-1.2 is measured.",
    parts = {
      { "log10 of the bound", "log_bound", matrix = "N(0,1/n)", lag = 49, of = "mean",
        at_least = 13.7, at_most = 15.7, expected = 14.7, format = "%.2f" },
      { "log10 of what is measured", "log_norm", matrix = "N(0,1/n)", lag = 49, of = "mean",
        at_least = -2.2, at_most = -0.2, expected = -1.2, format = "%.2f" },
    },
    why = "The bound is 10^$1, measured is 10^$2." },

  { id = "S flow, float32", experiment = "flow_at_initialisation", source = calibrated_runs,
    statement = "With 0.01 N(0, 1) the gradient 49 steps back underflows float32.",
    parts = { { "1 where float32 gives exactly 0", "lost", matrix = "0.01 N(0,1)", at_least = 1,
                format = "%.0f" } },
    why = "It is exactly 0 in a share of $1 of the networks (1: all)." },
}

for _, row in ipairs(calibrated) do
  local parts, said = {}, {}
  for i, lag in ipairs(lags) do
    local value = row[i + 2]
    if value then
      parts[#parts + 1] = { ("log10, %d steps back"):format(lag), "log_norm", matrix = row[1],
        lag = lag, of = "mean", expected = value, at_least = value - tolerance[i],
        at_most = value + tolerance[i], format = "%.2f" }
      said[#said + 1] = "$" .. #parts
    end
  end
  checks[#checks + 1] = {
    id = "S flow, " .. row[2], experiment = "flow_at_initialisation", least = networks,
    source = "mean of 400 calibrated networks",
    statement = ("With %s gradients come back as in the calibrated networks."):format(row[1]),
    parts = parts, why = "Mean logarithms: " .. table.concat(said, ", ") .. ".",
  }
end

local measures = {}

local function runs_of(results, name)
  for _, entry in ipairs(results.matrices) do if entry.name == name then return entry.runs end end
  error(("flow_at_initialisation has not measured '%s'"):format(name), 0)
end

function measures.matrix(results, _, _, part)
  return over(runs_of(results, part.matrix), function(r) return r[part.key] end)
end

function measures.off_orthogonal(results)
  return over(runs_of(results, "orthogonal"), function(r)
    return math.max(math.abs(r.sigma_max - 1), math.abs(r.sigma_min - 1))
  end)
end

function measures.log_bound(results, _, _, part)
  return over(runs_of(results, part.matrix), function(r)
    return part.lag * math.log(r.sigma_max, 10)
  end)
end

function measures.log_norm(results, _, _, part)
  return over(runs_of(results, part.matrix), function(r) return r.log[part.lag + 1] end)
end

function measures.lost(results, _, _, part)
  return over(runs_of(results, part.matrix), function(r) return r.lost and 1 or 0 end)
end

return { checks = checks, measures = measures }
