--- profile: where the time of a piece of code goes.
--
-- The kernels of core carry marks that count, while a profile runs, calls, seconds and
-- floating-point operations of each phase of a network and of each operation on tensors
-- (src/core/profile.h). What is left of the time is Lua: scripts, bindings, the collector.

local core = require "unroll.core"
local options = require "unroll.options"

--- Where the time of a piece of code went: a list of rows { name =, calls =, seconds =, share =,
--- flops =, flops_per_second =, peak_share = } by falling time. It prints as a table.
---@class unroll.Profile
---@field seconds number of the whole run
---@field peak number FLOP/s that this machine reaches
---@field isa string instruction set of the kernels
---@see profile
local Profile = { __name = "unroll.Profile" }
Profile.__index = Profile

local who = "unroll.profile"

-- --- as text ----------------------------------------------------------------------------

local function time_text(seconds)
  if seconds >= 1 then return ("%.3f s"):format(seconds) end
  if seconds >= 1e-3 then return ("%.2f ms"):format(seconds * 1e3) end
  return ("%.1f us"):format(seconds * 1e6)
end

local function percent(x) return ("%.1f %%"):format(100 * x) end

local headings = { "", "calls", "time", "share", "per call", "GFLOP/s", "of peak" }

-- One line of the table, as a list of words.
local function words(row)
  local rate = row.flops_per_second
  return { row.name, row.calls and tostring(row.calls) or "", time_text(row.seconds),
    percent(row.share), row.calls and time_text(row.seconds / row.calls) or "",
    rate and ("%.1f"):format(rate / 1e9) or "", rate and percent(row.peak_share) or "" }
end

-- Lines of words as columns: the first to the left, the others to the right.
local function aligned(lines)
  local widths, out = {}, {}
  for _, line in ipairs(lines) do
    for c, word in ipairs(line) do widths[c] = math.max(widths[c] or 0, utf8.len(word)) end
  end
  for i, line in ipairs(lines) do
    local parts = {}
    for c, word in ipairs(line) do
      local space = (" "):rep(widths[c] - utf8.len(word))
      parts[c] = c == 1 and word .. space or space .. word
    end
    out[i] = (table.concat(parts, "  "):gsub("%s+$", ""))
  end
  return table.concat(out, "\n")
end

function Profile:__tostring()
  local lines = { headings }
  for _, row in ipairs(self) do lines[#lines + 1] = words(row) end
  return ("profile   %s, %s, peak %.0f GFLOP/s (%s, one thread)\n%s"):format(
    time_text(self.seconds), self.isa, self.peak / 1e9, self.dtype, aligned(lines))
end

-- --- the measurement --------------------------------------------------------------------

-- Adds to a row what follows from its counts.
local function complete(row, profile)
  row.share = profile.seconds > 0 and row.seconds / profile.seconds or 0
  if row.flops and row.flops > 0 and row.seconds > 0 then
    row.flops_per_second = row.flops / row.seconds
    row.peak_share = row.flops_per_second / profile.peak
  end
  return row
end

local function new_profile(counts, seconds, dtype)
  local self = setmetatable({ seconds = seconds, dtype = dtype, isa = core.isa,
    peak = core.profile.peak(dtype) }, Profile)
  local rest = seconds
  for _, row in ipairs(counts) do
    rest = rest - row.seconds
    self[#self + 1] = complete(row, self)
  end
  self[#self + 1] = complete({ name = "Lua and the rest", seconds = math.max(rest, 0) }, self)
  table.sort(self, function(a, b) return a.seconds > b.seconds end)
  return self
end

--- Runs a function and says where its time went: for each phase of a network (forward,
--- backward, weight gradient, read-out, loss, optimiser, data) and each operation on tensors
--- the calls, the time without what other rows count, its share, the floating-point operations
--- a second where they are known, and their share of what this machine reaches with nothing but
--- fused multiply-adds in registers (measured at the end, some 20 ms). The marks cost some
--- 50 ns a call while it runs. With several threads the times are those of the main one.
---@param f fun(): any called without arguments
---@param opts? table dtype: "float32" (default) or "float64", whose peak the shares are of
---@return unroll.Profile profile rows by falling time, { name=, calls=, seconds=, share=,
---  flops=, flops_per_second=, peak_share= }, and seconds, peak (FLOP/s), isa; prints as a table
---@return any ... what f returned
--- Errors: those of f; a profile inside a profile.
--- > #unroll.profile(function() return tensor.ones(3):sum() end) > 1   --> true
return function(f, opts)
  local o = options.check(opts, { dtype = "float32" }, who)
  options.choice(o.dtype, { "float32", "float64" }, "dtype", who)
  local callable = type(f) == "function" or (getmetatable(f) or {}).__call
  if not callable then
    error(("%s: function expected, got %s"):format(who, type(f)), 2)
  end
  core.profile.start()
  local start = core.sys.clock()
  local results = table.pack(pcall(f))
  local seconds = core.sys.clock() - start
  local counts = core.profile.stop()
  if not results[1] then error(results[2], 0) end
  return new_profile(counts, seconds, o.dtype), table.unpack(results, 2, results.n)
end
