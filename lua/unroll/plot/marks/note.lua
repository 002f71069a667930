-- note.lua -- words about a place in the data (ax:note).

local box = require "unroll.plot.box"
local color = require "unroll.plot.color"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local text = require "unroll.plot.text"

local note = { layer = "front" }

local kinds = { dx = "number", dy = "number", arrow = "boolean", color = "string|number",
  coords = { "data", "axes", "figure" } }

---@class unroll.NoteOptions
---@field dx? number where the text stands from the point, in points to the right; without dx and
--- dy, or when that spot is taken, the nearest free one
---@field dy? number the same upwards
---@field arrow? boolean an arrow to the point; default true in coords "data", else false
---@field color? string|integer default that of tick labels
---@field coords? "data"|"axes"|"figure" what x and y are: numbers of the axes, or parts of the
--- panel or of the page: (0, 0) is its lower left corner, (1, 1) the upper right one. Default
--- "data"

--[[---
--- Words about a point, with an arrow to it. In data coordinates the axes reach the point.
---
---     ax:note("spike, clipped", 600, norms[600])
---     ax:note("n = 5 seeds", 0, 1, { coords = "axes" })
---@param text string
---@param x number
---@param y number
---@param opts? unroll.NoteOptions
---@return unroll.Axes self
function Axes:note(text, x, y, opts) end
]]
function note.new(_, words, x, y, opts)
  opts = options.check("note", opts, kinds)
  local coords, arrow = opts.coords or "data", opts.arrow
  if arrow == nil then arrow = coords == "data" end
  return { words = options.text("note", "the text", words), x = options.number("note", "x", x),
    y = options.number("note", "y", y), dx = opts.dx, dy = opts.dy, coords = coords,
    arrow = arrow, color = color.check("note", opts.color) }
end

function note.limits(mark, reach)
  if mark.coords ~= "data" then return end
  reach.x:stretch({ mark.x })
  reach.y:stretch({ mark.y })
end

-- All that a note draws are its text and arrow, which the layout places.
function note.draw() end

-- Around the point, near first; to the right and above before others.
local directions = { { 1, -1 }, { 1, 0.4 }, { -1, -1 }, { -1, 0.4 }, { 1, 1 }, { -1, 1 },
  { 0, -1 }, { 0, 1 } }

local function candidates(mark, px, py)
  local list = {}
  if mark.dx or mark.dy then
    local dx, dy = mark.dx or 0, mark.dy or 0
    list[1] = { px + dx, py - dy, dx < 0 and 1 or 0, 0.5 }
  elseif mark.coords ~= "data" then -- 0: what stands at the left edge begins there
    list[1] = { px, py, math.max(0, math.min(1, mark.x)), 1 - math.max(0, math.min(1, mark.y)) }
  end
  for _, distance in ipairs { 14, 24, 38, 56 } do
    for _, d in ipairs(directions) do
      local h = d[1] > 0 and 0 or d[1] < 0 and 1 or 0.5
      list[#list + 1] = { px + d[1] * distance, py + d[2] * distance * 0.7, h, 0.5 }
    end
  end
  return list
end

local inset = 4 -- points between a note in a corner and the edges

-- The point on the page, and the box within which the note lies.
local function place(mark, view, page)
  if mark.coords == "data" then return view.x(mark.x), view.y(mark.y), view.box end
  local b = box.grow(mark.coords == "figure" and page or view.box, -inset)
  return b.left + mark.x * (b.right - b.left), b.bottom - mark.y * (b.bottom - b.top), b
end

function note.labels(mark, view, theme, page)
  local px, py, b = place(mark, view, page)
  if not (px - px == 0 and py - py == 0) then return {} end
  local inside = px >= b.left and px <= b.right and py >= b.top and py <= b.bottom
  local item = text.new(mark.words, { size = theme.note_size, role = "note",
    color = mark.color and style.color(theme, mark.color) or theme.muted,
    wrap = 0.6 * (b.right - b.left) })
  return { { item = item, candidates = candidates(mark, px, py),
    on_page = mark.coords == "figure", leader = mark.arrow and inside and { x = px, y = py }
      or nil } }
end

return note
