--- %debug, %up, %down, %where, %quit: a look at the frames of the last error.
--
-- The frames were copied when the error came (see snapshot). In one of them an entry reads its
-- locals and upvalues before the global variables; writing to one changes the copy.

local color = require "unroll.prompt.color"
local errors = require "unroll.prompt.errors"
local globals = require "unroll.prompt.globals"
local show = require "unroll.prompt.show"

local function complain(message) return require("unroll.prompt.commands").complain(message) end

-- --- frames ------------------------------------------------------------------------------

local function each_variable(frame)
  local list = {}
  for _, group in ipairs { frame.upvalues, frame.locals } do
    for _, variable in ipairs(group) do list[#list + 1] = variable end
  end
  return list
end

-- The variables of a frame before the global ones. A variable that is nil hides a global one.
local function environment_of(frame)
  local values, known = {}, {}
  for _, variable in ipairs(each_variable(frame)) do
    values[variable.name], known[variable.name] = variable.value, true
  end
  return setmetatable(values, {
    __index = function(_, name)
      if known[name] then return nil end
      local value = rawget(_G, name)
      if value == nil then value = globals.missing(name, 3) end -- no tail call: levels count
      return value
    end,
    __newindex = function(t, name, value)
      if known[name] then rawset(t, name, value) else rawset(_G, name, value) end
    end,
  })
end

local function print_variables(title, list)
  local width = show.width() - 1
  for i, variable in ipairs(list) do
    local text = show.text(variable.value):match "^[^\n]*"
    local line = ("  %-9s %s = %s"):format(i == 1 and title or "", variable.name, text)
    if (utf8.len(line) or #line) > width then
      line = line:sub(1, (utf8.offset(line, width) or #line) - 1) .. "…"
    end
    print(line)
  end
end

local function print_frame(session)
  local frame = session.frames[session.frame]
  print(("frame %d of %d   %s"):format(session.frame, #session.frames,
    errors.describe_place(frame)))
  local excerpt = errors.excerpt(frame)
  if excerpt then print(excerpt) end
  print_variables("locals", frame.locals)
  print_variables("upvalues", frame.upvalues)
end

local function enter_frame(session, index)
  session.frame = index
  session.environment = environment_of(session.frames[index])
  return (session:call(print_frame, session))
end

-- --- commands ----------------------------------------------------------------------------

-- The frame of the user's code that is nearest to the error.
local function first_frame(frames)
  for i, frame in ipairs(frames) do
    if frame.line > 0 and not errors.is_library(frame) then return i end
  end
  return 1
end

local function debug_last(session)
  local failure = session.failure
  if not failure or #failure.frames == 0 then
    return complain "there is no error whose frames could be looked at"
  end
  session.frames = failure.frames
  return enter_frame(session, first_frame(failure.frames))
end

local function move(session, step)
  if not session.frame then return complain "%debug goes to the frames of the last error first" end
  local index = session.frame + step
  if index < 1 then return complain "this is where the error came from" end
  if index > #session.frames then return complain "this is the entry itself: nobody called it" end
  return enter_frame(session, index)
end

local function where(session)
  local frames = session.frame and session.frames or session.failure and session.failure.frames
  if not frames then return complain "there was no error" end
  for i, frame in ipairs(frames) do
    local is_here = i == session.frame
    local line = ("%s %2d  %s"):format(is_here and ">" or " ", i, errors.describe_place(frame))
    print(is_here and color.paint("bold", line) or line)
  end
  return true
end

local function quit(session)
  session.frame, session.frames, session.environment = nil, nil, _G
  return true
end

return {
  debug = { usage = "%debug", text = "goes to the frames of the last error, to read variables",
    run = debug_last },
  up = { usage = "%up", text = "in %debug: to the caller",
    run = function(s) return move(s, 1) end },
  down = { usage = "%down", text = "in %debug: back towards the error",
    run = function(s) return move(s, -1) end },
  where = { usage = "%where", text = "the frames of the last error", run = where },
  quit = { usage = "%quit", text = "leaves %debug (as Ctrl-D does)", run = quit },
}
