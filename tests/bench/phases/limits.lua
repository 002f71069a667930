-- limits.lua -- what this machine can do at most, beside which everything else is held: fused
-- multiply-adds in registers, OpenBLAS on one large product, reads from each cache.
local core = require "unroll.core"
local numbers = require "numbers"

local phase = { name = "limits", title = "Limits of this machine, one thread" }

local reads = { 16 << 10, 128 << 10, 512 << 10, 4 << 20, 16 << 20, 256 << 20 }

function phase.run(context)
  local ask = context.peers.ask
  local data = { isa = core.isa, peak = {}, avx2 = {}, gemm = {}, reads = {} }
  for i, bytes in ipairs(reads) do data.reads[i] = { bytes = bytes, rates = {} } end
  for _ = 1, context.quick and 1 or 5 do
    table.insert(data.peak, ask("unroll", "peak"))
    table.insert(data.avx2, ask("avx2", "peak"))
    table.insert(data.gemm, ask("unroll", "gemm", 1024, 1024, 1024))
    for _, read in ipairs(data.reads) do
      table.insert(read.rates, ask("unroll", "bandwidth", read.bytes))
    end
  end
  return data
end

local function giga(list, unit)
  local x = numbers.median(list)
  return x and ("%.1f %s"):format(x / 1e9, unit) or "–"
end

function phase.tables(data)
  local rows = {
    { "fused multiply-adds in registers, " .. data.isa, giga(data.peak, "GFLOP/s") },
    { "the same, AVX2", giga(data.avx2, "GFLOP/s") },
    { "sgemm, 1024 x 1024 x 1024", giga(data.gemm, "GFLOP/s") },
  }
  for _, read in ipairs(data.reads) do
    rows[#rows + 1] = { ("reading %s again and again"):format(numbers.bytes(read.bytes)),
                        giga(read.rates, "GB/s") }
  end
  return { { head = { "limit", "" }, rows = rows } }
end

return phase
