--- snapshot: what the stack was when an error came: the message handler of every entry.
--
-- The frames from the one that failed to the entry itself, with the values of their locals
-- and upvalues, so that %debug can look at them afterwards. Of a very deep stack the first
-- and the last `half` frames are kept.

local snapshot = {}

local half = 10

-- The highest level of the stack, for the function that calls; found by halving, since one
-- question takes time in proportion to the level.
local function last_level()
  local low, high = 1, 2
  while debug.getinfo(high, "l") do low, high = high, high * 2 end
  while low < high - 1 do
    local middle = (low + high) // 2
    if debug.getinfo(middle, "l") then low = middle else high = middle end
  end
  return low - 1
end

local function add(list, name, value)
  if name:sub(1, 1) ~= "(" then list[#list + 1] = { name = name, value = value } end
end

-- The variables of the function at a level, the later of two with one name.
local function locals_at(level)
  local list, i = {}, 1
  while true do
    local name, value = debug.getlocal(level + 1, i)
    if not name then return list end
    add(list, name, value)
    i = i + 1
  end
end

local function upvalues_of(f)
  local list, i = {}, 1
  while true do
    local name, value = debug.getupvalue(f, i)
    if not name then return list end
    if name ~= "" and name ~= "_ENV" then add(list, name, value) end
    i = i + 1
  end
end

local function frame_at(level)
  local info = debug.getinfo(level + 1, "nSlutf")
  return {
    func = info.func, name = info.name, namewhat = info.namewhat, what = info.what,
    source = info.source, short_src = info.short_src, line = info.currentline,
    first_line = info.linedefined, is_tail_call = info.istailcall,
    locals = info.what ~= "C" and locals_at(level + 1) or {},
    upvalues = info.what ~= "C" and upvalues_of(info.func) or {},
  }
end

-- Frames from a level of the caller up to the one that runs `base`.
local function frames_from(first, base)
  local frames, last = {}, last_level()
  local level = first + 1
  while level <= last do
    if level - first > half and level < last - half - 8 then
      local skipped = last - half - 8 - level
      level = level + skipped
      frames[#frames].skipped = skipped
    end
    local info = debug.getinfo(level, "f")
    if not info then break end
    frames[#frames + 1] = frame_at(level)
    if info.func == base then break end
    level = level + 1
  end
  return frames
end

--- The snapshot of an error.
---@param value any the error value
---@param base function the chunk that was started; frames below it are the prompt's own
---@return table { value, frames }
function snapshot.take(value, base)
  local frames = frames_from(2, base)
  local top = frames[1]
  if top and top.what == "C" and (top.name == "error" or top.name == "assert") then
    table.remove(frames, 1)
  end
  return { value = value, frames = frames }
end

return snapshot
