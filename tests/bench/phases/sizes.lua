-- sizes.lua -- cost against H, T, B and the length of one window; sizes between the usual ones.
local configurations = require "configurations"
local numbers = require "numbers"
local plot = require("unroll").plot

local phase = { name = "sizes", title = "Sizes" }

-- What is varied, the values, and the other two. `between`: sizes that nothing was made for,
-- which are judged by their neighbours.
local sweeps = {
  { axis = "H", label = "hidden size H (T = 50, B = 32)", T = 50, B = 32, optimizer = "adam",
    values = { 32, 64, 96, 128, 200, 256, 384, 512, 1024 }, between = { 96, 200, 384 } },
  { axis = "H", label = "hidden size H (T = 35, B = 1)", T = 35, B = 1, optimizer = "adagrad",
    values = { 16, 25, 50, 75, 96, 100, 128, 200, 256, 512 }, between = { 75, 96, 200 } },
  { axis = "B", label = "batch B (H = 256, T = 50)", H = 256, T = 50, optimizer = "adam",
    values = { 1, 2, 4, 8, 16, 24, 32, 64, 128 }, between = { 8, 24 } },
  { axis = "T", label = "window T (H = 128, B = 32)", H = 128, B = 32, optimizer = "adam",
    values = { 5, 10, 25, 50, 100, 333, 1000 }, between = { 10, 333 } },
  { axis = "T", label = "window T (H = 128, B = 1)", H = 128, B = 1, optimizer = "adagrad",
    values = { 25, 100, 500, 1000, 5000, 20000 }, between = {} },
}

local function measure(context, sweep, points)
  local ask = context.peers.ask
  for _, point in ipairs(points) do
    local size = { H = sweep.H, T = sweep.T, B = sweep.B, [sweep.axis] = point.value }
    for _, name in ipairs { "unroll", "torch" } do
      local long = name == "torch" and size.T > 1000 -- some seconds a step
      local rate = not long and ask(name, "train", "tanh", size.H, size.T, size.B,
        sweep.optimizer, context.quick and 0.05 or 0.15)
      if rate then table.insert(point.seconds[name], 1 / rate) end
    end
    local flops = configurations.flops("tanh", size.H)
    local peak, seconds = ask("unroll", "peak"), point.seconds.unroll
    table.insert(point.shares, flops / seconds[#seconds] / peak)
    table.insert(point.limits, flops / peak)
  end
end

local function new_points(sweep)
  local between, points = {}, {}
  for _, value in ipairs(sweep.between) do between[value] = true end
  for i, value in ipairs(sweep.values) do
    points[i] = { value = value, between = between[value] or false, shares = {}, limits = {},
                  seconds = { unroll = {}, torch = {} } }
  end
  return points
end

function phase.run(context)
  local data = { sweeps = {} }
  for s, sweep in ipairs(sweeps) do
    data.sweeps[s] = { axis = sweep.axis, label = sweep.label, points = new_points(sweep) }
  end
  for _ = 1, context.quick and 1 or 5 do
    for s, sweep in ipairs(sweeps) do measure(context, sweep, data.sweeps[s].points) end
  end
  return data
end

--- The share of the peak of a size between the usual ones, over the smaller share of its two
--- neighbours; nil for other sizes.
function phase.beside_neighbours(points, i)
  local before, after = points[i - 1], points[i + 1]
  if not (points[i].between and before and after) then return nil end
  return numbers.median(points[i].shares)
    / math.min(numbers.median(before.shares), numbers.median(after.shares))
end

--- The size that lies farthest below its neighbours: the ratio and its name.
function phase.worst(data)
  local worst, name = math.huge, nil
  for _, sweep in ipairs(data.sweeps) do
    for i, point in ipairs(sweep.points) do
      local ratio = phase.beside_neighbours(sweep.points, i)
      if ratio and ratio < worst then
        worst, name = ratio, ("%s = %d"):format(sweep.axis, point.value)
      end
    end
  end
  return worst, name
end

local allowed = 0.9

function phase.tables(data)
  local tables = {}
  for s, sweep in ipairs(data.sweeps) do
    local rows = {}
    for i, point in ipairs(sweep.points) do
      local ratio = phase.beside_neighbours(sweep.points, i)
      rows[i] = { point.value, numbers.seconds(numbers.median(point.seconds.unroll)),
        numbers.seconds(numbers.median(point.seconds.torch)),
        numbers.times(numbers.ratio(point.seconds.torch, point.seconds.unroll)),
        numbers.percent(numbers.median(point.shares)), ratio and ("%.2f"):format(ratio) or "",
        ratio and numbers.verdict(ratio >= allowed) or "" }
    end
    tables[s] = { title = "Cost against the " .. sweep.label, rows = rows,
      head = { sweep.axis, "unroll, a character", "PyTorch", "over PyTorch", "of FMA peak",
               "beside its neighbours", "" } }
  end
  tables[#tables].note = "Beside its neighbours: a size between the usual ones, its share of the "
    .. ("peak over the smaller one of theirs; at least %.1f is asked for."):format(allowed)
  return tables
end

local function draw(ax, sweep)
  local limits = { x = {}, y = {} }
  for _, name in ipairs { "unroll", "torch" } do
    local x, y = {}, {}
    for _, point in ipairs(sweep.points) do
      local seconds = numbers.median(point.seconds[name])
      if seconds then x[#x + 1], y[#y + 1] = point.value, 1e6 * seconds end
    end
    if #x > 0 then
      ax:line(x, y, { label = name == "torch" and "PyTorch" or "unroll", marker = "circle",
                      color = name == "torch" and 4 or 1 })
    end
  end
  for i, point in ipairs(sweep.points) do
    limits.x[i], limits.y[i] = point.value, 1e6 * numbers.median(point.limits)
  end
  ax:line(limits.x, limits.y, { label = "all arithmetic at the peak", color = "#808080",
                                dash = "dashed", marker = "none" })
  ax:set { xlabel = sweep.label, ylabel = "µs a character", xscale = "log", yscale = "log" }
end

-- Shares of the peak against H; a size that does worse than its neighbours is a dent.
local function draw_shares(ax, data)
  for _, sweep in ipairs(data.sweeps) do
    if sweep.axis == "H" then
      local x, y = {}, {}
      for i, point in ipairs(sweep.points) do
        x[i], y[i] = point.value, numbers.median(point.shares)
      end
      ax:line(x, y, { marker = "circle", color = 1 })
      ax:note(sweep.label:match "B = %d+", x[2], y[2], { arrow = false, dx = -8, dy = 8 })
    end
  end
  ax:hline(1, { label = "limit" })
  ax:set { xlabel = "hidden size H", ylabel = "share of the peak", xscale = "log",
           yformat = "percent" }
end

function phase.figures(data)
  local fig = plot.figure { title = "Time of a training step for one character", rows = 3,
                            cols = 2, width = 8, height = 9, letters = true }
  for s, sweep in ipairs(data.sweeps) do draw(fig:at((s + 1) // 2, (s - 1) % 2 + 1), sweep) end
  draw_shares(fig:at(3, 2), data)
  fig:legend "above"
  return { sizes = fig }
end

return phase
