--- Figures of all kinds, drawn by lot: what the tests of the layout try.

local plot = require "unroll.plot"

-- A generator of its own, so that a failing seed can be repeated.
local function random_source(seed)
  local state = seed * 2654435761 % 4294967296
  return function(low, high)
    state = (state * 1664525 + 1013904223) % 4294967296
    local unit = state / 4294967296
    if not low then return unit end
    return low + math.floor(unit * (high - low + 1))
  end
end

local every_word = { "loss", "of", "the", "gradient", "norm", "i", "vanishing", "hidden-to-hidden",
  "Σ", "‖∇‖_{2}", "x^{2}", "<b>", "a&b", "perplexity", "Größe", "超参数", "of a very long run" }

-- Without those that the font lacks: a box with digits stands in for them.
local drawable = {}
for _, word in ipairs(every_word) do
  if word ~= "超参数" then drawable[#drawable + 1] = word end
end

local words = every_word

local function some_words(random, most)
  local list = {}
  for i = 1, random(1, most) do list[i] = words[random(1, #words)] end
  return table.concat(list, " ")
end

local function maybe(random, part, value)
  if random() < part then return value() end
end

local function numbers(random, n, positive)
  local scale, shift = 10.0 ^ random(-9, 9), random() < 0.3 and random(-1000, 1000) or 0
  local list = {}
  for i = 1, n do
    local v = (random() - (positive and 0 or 0.5)) * scale + shift
    if random() < 0.02 then v = 0 / 0 end
    list[i] = v
  end
  return list
end

local function add_lines(ax, random)
  local labelled = random() < 0.6
  for i = 1, random(1, 9) do
    ax:line(numbers(random, random(0, 80)), { label = labelled and some_words(random, 3) or nil,
      dash = i % 3 == 0 and "dashed" or nil })
  end
end

local function add_bars(ax, random)
  local categories, series = {}, {}
  for i = 1, random(1, 30) do
    categories[i] = random() < 0.5 and string.char(random(9, 126)) or some_words(random, 3)
  end
  for i = 1, random(1, 3) do series[i] = numbers(random, #categories) end
  local labels = maybe(random, 0.6, function()
    local list = {}
    for i = 1, #series do list[i] = some_words(random, 2) end
    return list
  end)
  ax:bar(categories, series, { labels = labels, values = random() < 0.5 })
end

local function add_reference(ax, random)
  for _ = 1, random(0, 2) do
    ax:hline((random() - 0.5) * 2, { label = some_words(random, 4) })
  end
  if random() < 0.4 then ax:vline(random(1, 20), { label = some_words(random, 2) }) end
  if random() < 0.4 then ax:span(0.1, 0.4, { label = some_words(random, 3) }) end
  for _ = 1, random(0, 2) do
    ax:note(some_words(random, 4), random(1, 20), random() - 0.5)
  end
end

local function add_histogram(ax, random)
  local list, labels = {}, {}
  for i = 1, random(1, 3) do
    list[i], labels[i] = numbers(random, random(0, 200)), some_words(random, 2)
  end
  ax:hist(list, { labels = random() < 0.5 and labels or nil, density = random() < 0.5 })
end

local function names(random, n)
  local list = {}
  for i = 1, n do list[i] = i .. " " .. some_words(random, 2) end
  return list
end

local function add_heatmap(ax, random)
  local rows, cols, matrix = random(1, 12), random(1, 12), {}
  for i = 1, rows do matrix[i] = numbers(random, cols) end
  ax:heatmap(matrix, { values = random() < 0.5, label = some_words(random, 4),
    norm = random() < 0.3 and "centred" or nil,
    rows = random() < 0.5 and names(random, rows) or nil,
    cols = random() < 0.5 and names(random, cols) or nil })
  if random() < 0.3 then ax:set { aspect = "equal" } end
end

local function add_boxes(ax, random)
  local samples = {}
  for i = 1, random(1, 6) do samples[i] = numbers(random, random(0, 30)) end
  ax:box(names(random, #samples), samples, { points = random() < 0.5 })
end

local function add_level_bars(ax, random)
  local n = random(1, 12)
  ax:bar(names(random, n), { numbers(random, n), numbers(random, n) }, { horizontal = true,
    mode = random() < 0.5 and "stack" or "group", values = random() < 0.5,
    labels = random() < 0.5 and names(random, 2) or nil })
end

local function add_twin(ax, random)
  ax:twin():line(numbers(random, 50), { label = some_words(random, 3) })
    :set { ylabel = some_words(random, 5) }
end

local places = { "best", "upper left", "center", "outside", "below", "lower right" }

local scales = { "linear", "linear", "linear", "log", "log2", "symlog" }

local function fill_panel(ax, random)
  local kind = random(1, 8)
  if kind == 1 then
    add_bars(ax, random)
  elseif kind > 4 then
    ({ add_histogram, add_heatmap, add_boxes, add_level_bars })[kind - 4](ax, random)
  elseif kind == 2 then
    ax:smooth(numbers(random, 60, true), { label = some_words(random, 3) })
    ax:errorbar(nil, numbers(random, 12, true), { yerr = 0.1, label = some_words(random, 3) })
  else
    add_lines(ax, random)
  end
  if kind == 3 or kind == 4 then add_reference(ax, random) end
  if kind == 4 and random() < 0.5 then add_twin(ax, random) end
  if random() < 0.3 then ax:legend { place = places[random(1, #places)] } end
  ax:set {
    title = maybe(random, 0.8, function() return some_words(random, 8) end),
    xlabel = maybe(random, 0.7, function() return some_words(random, 8) end),
    ylabel = maybe(random, 0.7, function() return some_words(random, 8) end),
    yscale = kind < 6 and scales[random(1, #scales)] or nil,
    yinvert = random() < 0.1,
    yformat = maybe(random, 0.15, function() return "percent" end),
  }
end

--- A figure that depends on the seed alone; on request only with signs that DejaVu has.
return function(seed, only_drawable)
  words = only_drawable and drawable or every_word
  local random = random_source(seed)
  local rows, cols = random(1, 3), random(1, 3)
  local fig = plot.figure { rows = rows, cols = cols, letters = random() < 0.5,
    width = 2 + random() * 8, height = 1.5 + random() * 6,
    title = maybe(random, 0.6, function() return some_words(random, 14) end),
    caption = maybe(random, 0.4, function() return some_words(random, 14) end),
    footer = maybe(random, 0.4, function() return some_words(random, 8) end) }
  for row = 1, rows do
    for col = 1, cols do
      if random() < 0.9 then fill_panel(fig:at(row, col), random) end
    end
  end
  if random() < 0.2 then fig:legend { place = ({ "below", "above", "right" })[random(1, 3)] } end
  return fig
end
