--- The words within a panel: labels of lines and bars, notes, and what is missing.
--
-- Marks propose candidates for each label; the first one that covers no text and fewest data is
-- taken. What finds no place is named in the remark at the foot of the page.

local box = require "unroll.plot.box"
local place = require "unroll.plot.place"
local text = require "unroll.plot.text"

local labels = {}

--- Calls f(mark, view) for the marks of the panel and of its twin.
function labels.each_mark(p, f)
  for _, mark in ipairs(p.panel.marks) do f(mark, p.view) end
  if not p.panel.twin then return end
  for _, mark in ipairs(p.panel.twin.marks) do f(mark, p.sides[1].view) end
end

local function inner_bounds(p)
  return box.grow(p.box, -1.5)
end

-- Boxes for the label at the positions that its mark proposes.
local function candidate_boxes(request)
  local boxes = {}
  for i, c in ipairs(request.candidates) do
    boxes[i] = text.place(request.item, c[1], c[2], c[3], c[4]).box
  end
  return boxes
end

-- Would a line of the grid strike the words through?
local function crosses_grid(p, b)
  for _, tick in ipairs(p.y.ticks) do
    local y = p.view.y(tick.at)
    if y > b.top + 2 and y < b.bottom - 2 then return true end
  end
  return false
end

local function place_label(p, request)
  local item = request.item
  local candidates = candidate_boxes(request)
  local bounds = request.fixed and box.grow(p.box, 0.5) or inner_bounds(p)
  local chosen = place.choose(p.obstacles, bounds, candidates, 1)
  if not chosen and not request.fixed then
    chosen = place.choose(p.obstacles, bounds,
      place.everywhere(bounds, item.width, item.height), 1)
  end
  if not chosen then
    p.left_out[#p.left_out + 1] = item.text
    return
  end
  item.box = chosen
  item.leader = request.leader
  item.halo = not request.fixed
    and (place.hits(p.obstacles, chosen, 1) > 0 or crosses_grid(p, chosen))
  p.obstacles.texts[#p.obstacles.texts + 1] = chosen
  p.labels[#p.labels + 1] = item
end

local function corners(b)
  return { { b.right - 3, b.bottom - 3, 1, 1 }, { b.left + 3, b.bottom - 3, 0, 1 },
    { b.right - 3, b.top + 3, 1, 0 }, { b.left + 3, b.top + 3, 0, 0 } }
end

local function plural(n, words)
  return words:format(n, n == 1 and "" or "s")
end

-- What of the data of the panel and its twin is missing from the picture, in words; or nil.
local function missing_words(p)
  local dropped, holes, parts = 0, 0, {}
  for _, side in pairs(p.reach) do
    dropped, holes = dropped + side.dropped, holes + side.holes
  end
  if dropped > 0 then parts[1] = plural(dropped, "%d value%s ≤ 0") end
  if holes > 0 then
    parts[#parts + 1] = plural(holes, dropped > 0 and "%d NaN or ∞" or "%d value%s NaN or ∞")
  end
  return #parts > 0 and table.concat(parts, ", ") .. " not shown" or nil
end

-- "3 values ≤ 0 not shown", "no data".
local function notes_of(p, theme)
  local requests = {}
  local function add(s, candidates)
    p.notes[#p.notes + 1] = s
    local look = { size = theme.note_size, color = theme.faint, role = "remark",
      wrap = p.box.right - p.box.left - 8 }
    requests[#requests + 1] = { item = text.new(s, look), candidates = candidates }
  end
  if p.reach.y.low > p.reach.y.high or p.reach.x.low > p.reach.x.high then
    local b = p.box
    add("no data", { { (b.left + b.right) / 2, (b.top + b.bottom) / 2, 0.5, 0.5 } })
  end
  local missing = missing_words(p)
  if missing then add(missing, corners(p.box)) end
  return requests
end

-- What the marks ask for: labels with a place of their own, labels that look for one, and
-- labels on the page outside of the panel. What a mark has no room for it names.
local function requests_of(p, plan)
  local fixed, free, on_page = {}, {}, {}
  if p.no_aspect then p.left_out[1] = "the aspect" end
  for _, axis in ipairs { p.x, p.y } do
    if axis.dropped then
      p.left_out[#p.left_out + 1] = plural(axis.dropped, "%d tick label%s")
    end
  end
  labels.each_mark(p, function(mark, at)
    if not mark.kind.labels then return end
    local requests, left_out = mark.kind.labels(mark, at, plan.theme, plan.page)
    for _, request in ipairs(requests) do
      local list = request.fixed and fixed or request.on_page and on_page or free
      list[#list + 1] = request
    end
    table.move(left_out or {}, 1, #(left_out or {}), #p.left_out + 1, p.left_out)
  end)
  return fixed, free, on_page
end

--- Places the labels of a panel: p.labels; what has no room is named in p.left_out.
function labels.place(p, plan)
  p.labels, p.left_out, p.notes = {}, {}, {}
  p.obstacles = { lines = {}, boxes = {}, texts = {} }
  labels.each_mark(p, function(mark, at)
    if mark.kind.obstacles then mark.kind.obstacles(mark, at, p.obstacles) end
  end)
  local fixed, free, on_page = requests_of(p, plan)
  for _, list in ipairs { fixed, free, notes_of(p, plan.theme) } do
    for _, request in ipairs(list) do place_label(p, request) end
  end
  p.on_page = on_page
end

-- --- the page -----------------------------------------------------------------------

--- Places the notes in units of the page, when everything else has its place.
function labels.place_on_page(plan)
  local found = { lines = {}, boxes = {}, texts = {} }
  for i, item in ipairs(plan.texts) do found.texts[i] = item.box end
  for _, p in ipairs(plan.panels) do
    for _, request in ipairs(p.on_page) do
      local item = request.item
      item.box = place.choose(found, plan.page, candidate_boxes(request), 1)
      item.leader = request.leader
      if item.box then
        plan.texts[#plan.texts + 1] = item
        p.labels[#p.labels + 1], found.texts[#found.texts + 1] = item, item.box
      else
        p.left_out[#p.left_out + 1] = item.text
      end
    end
  end
end

--- What is missing from the picture, in words for the foot of the page; nil when nothing is.
function labels.remark(plan)
  local parts, unknown, left_out = {}, 0, {}
  for _, item in ipairs(plan.texts) do
    if item ~= plan.remark_item then unknown = unknown + item.unknown end
  end
  for _, p in ipairs(plan.panels) do
    for _, words in ipairs(p.left_out) do left_out[#left_out + 1] = text.brief(words, 24) end
  end
  if unknown > 0 then
    parts[1] = plural(unknown, "%d character%s that no installed font has")
  end
  if #left_out > 0 then
    parts[#parts + 1] = "no room for " .. table.concat(left_out, ", ", 1, math.min(3, #left_out))
      .. (#left_out > 3 and (" and %d more"):format(#left_out - 3) or "")
  end
  return #parts > 0 and table.concat(parts, "; ") or nil
end

return labels
