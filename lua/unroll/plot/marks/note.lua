-- note.lua -- words about a place in the data (ax:note).

local color = require "unroll.plot.color"
local options = require "unroll.plot.options"
local style = require "unroll.plot.style"
local text = require "unroll.plot.text"

local note = { layer = "front" }

local kinds = { dx = "number", dy = "number", arrow = "boolean", color = "string|number" }

--[[---
--- Words about a point, with an arrow to it.
---@param text string
---@param x number in the units of the axes
---@param y number
---@param opts? table
--- dx, dy = where the text stands from the point, in points (right and up); without them,
--- or when that spot is taken, the nearest free one; arrow = true; color
---@return unroll.Axes self
function Axes:note(text, x, y, opts) end
]]
function note.new(_, words, x, y, opts)
  opts = options.check("note", opts, kinds)
  return { words = options.text("note", "the text", words), x = options.number("note", "x", x),
    y = options.number("note", "y", y), dx = opts.dx, dy = opts.dy,
    arrow = opts.arrow ~= false, color = color.check("note", opts.color) }
end

function note.limits(mark, reach)
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
  end
  for _, distance in ipairs { 14, 24, 38, 56 } do
    for _, d in ipairs(directions) do
      local h = d[1] > 0 and 0 or d[1] < 0 and 1 or 0.5
      list[#list + 1] = { px + d[1] * distance, py + d[2] * distance * 0.7, h, 0.5 }
    end
  end
  return list
end

function note.labels(mark, view, theme)
  local px, py = view.x(mark.x), view.y(mark.y)
  if not (px - px == 0 and py - py == 0) then return {} end
  local b = view.box
  local inside = px >= b.left and px <= b.right and py >= b.top and py <= b.bottom
  local item = text.new(mark.words, { size = theme.note_size, role = "note",
    color = mark.color and style.color(theme, mark.color) or theme.muted,
    wrap = 0.6 * (b.right - b.left) })
  return { { item = item, candidates = candidates(mark, px, py),
    leader = mark.arrow and inside and { x = px, y = py } or nil } }
end

return note
