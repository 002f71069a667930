-- sizes.lua -- cost against H, T, B and the length of one window; sizes between the usual ones.
local configurations = require "configurations"
local numbers = require "numbers"
local plot = require("unroll").plot

local phase = { name = "sizes", title = "Sizes" }

-- What is varied, the values, and the other two. The marked ones are the odd sizes between.
local sweeps = {
  { axis = "H", label = "hidden size H (T = 50, B = 32)", T = 50, B = 32, optimizer = "adam",
    values = { 32, 64, 96, 128, 200, 256, 384, 512, 1024 },
    odd = { [96] = 1, [200] = 1, [384] = 1 } },
  { axis = "B", label = "batch B (H = 256, T = 50)", H = 256, T = 50, optimizer = "adam",
    values = { 1, 2, 4, 8, 16, 24, 32, 64, 128 }, odd = { [8] = 1, [24] = 1 } },
  { axis = "T", label = "window T (H = 128, B = 32)", H = 128, B = 32, optimizer = "adam",
    values = { 5, 10, 25, 50, 100, 333, 1000 }, odd = { [10] = 1, [333] = 1 } },
  { axis = "T", label = "window T (H = 128, B = 1)", H = 128, B = 1, optimizer = "adagrad",
    values = { 25, 100, 500, 1000, 5000, 20000 }, odd = {} },
}

local function measure(context, sweep, points)
  for _, point in ipairs(points) do
    local size = { H = sweep.H, T = sweep.T, B = sweep.B, [sweep.axis] = point.value }
    for _, name in ipairs { "unroll", "torch" } do
      local long = name == "torch" and size.T > 1000 -- some seconds a step
      local rate = not long and context.peers.ask(name, "train", "tanh", size.H, size.T, size.B,
        sweep.optimizer, context.quick and 0.05 or 0.15)
      if rate then table.insert(point.seconds[name], 1 / rate) end
    end
    local rate = 1 / point.seconds.unroll[#point.seconds.unroll]
    table.insert(point.shares, rate * configurations.flops("tanh", size.H)
      / context.peers.ask("unroll", "peak"))
  end
end

function phase.run(context)
  local data = { sweeps = {} }
  for s, sweep in ipairs(sweeps) do
    local points = {}
    for i, value in ipairs(sweep.values) do
      points[i] = { value = value, odd = sweep.odd[value] ~= nil, shares = {},
                    seconds = { unroll = {}, torch = {} } }
    end
    data.sweeps[s] = { axis = sweep.axis, label = sweep.label, points = points }
  end
  for _ = 1, context.quick and 1 or 3 do
    for s, sweep in ipairs(sweeps) do measure(context, sweep, data.sweeps[s].points) end
  end
  return data
end

-- The share of peak beside the smaller share of its two neighbours.
local function beside_neighbours(points, i)
  local before, after = points[i - 1], points[i + 1]
  if not (points[i].odd and before and after) then return "" end
  local least = math.min(numbers.median(before.shares), numbers.median(after.shares))
  return ("%.2f"):format(numbers.median(points[i].shares) / least)
end

function phase.tables(data)
  local tables = {}
  for s, sweep in ipairs(data.sweeps) do
    local rows = {}
    for i, point in ipairs(sweep.points) do
      rows[i] = { point.value, numbers.seconds(numbers.median(point.seconds.unroll)),
        numbers.seconds(numbers.median(point.seconds.torch)),
        numbers.times(numbers.ratio(point.seconds.torch, point.seconds.unroll)),
        numbers.percent(numbers.median(point.shares)), beside_neighbours(sweep.points, i) }
    end
    tables[s] = { title = "Cost against the " .. sweep.label, rows = rows,
      head = { sweep.axis, "unroll, a character", "PyTorch", "over PyTorch", "of FMA peak",
               "share / smaller share of the neighbours" } }
  end
  return tables
end

function phase.figures(data)
  local fig = plot.figure { title = "Time of a training step for one character", rows = 2,
                            cols = 2, width = 8, height = 6, letters = true }
  for s, sweep in ipairs(data.sweeps) do
    local ax = fig:at((s + 1) // 2, (s - 1) % 2 + 1)
    for _, name in ipairs { "unroll", "torch" } do
      local x, y = {}, {}
      for _, point in ipairs(sweep.points) do
        local seconds = numbers.median(point.seconds[name])
        if seconds then x[#x + 1], y[#y + 1] = point.value, 1e6 * seconds end
      end
      if #x > 0 then
        ax:line(x, y, { label = name == "torch" and "PyTorch" or "unroll", marker = "circle" })
      end
    end
    ax:set { xlabel = sweep.label, ylabel = "microseconds", xscale = "log", yscale = "log" }
    ax:legend()
  end
  return { sizes = fig }
end

return phase
