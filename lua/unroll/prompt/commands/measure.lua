--- %time, %timeit, %prof: how long code takes, and where.

local color = require "unroll.prompt.color"
local core = require "unroll.core"
local timing = require "unroll.prompt.timing"

local function usage(name) return ("%%%s takes an expression or a statement"):format(name) end

-- The code as a function without arguments that drops its values; nil after an error.
local function as_function(session, name, code)
  if code == "" then
    require("unroll.prompt.commands").complain(usage(name))
    return nil
  end
  local chunk = session:compile(code)
  if not chunk then return nil end
  local function drop() end
  return chunk.expression and function() chunk.run(drop) end or chunk.run
end

local function time(session, code)
  if code == "" then return require("unroll.prompt.commands").complain(usage "time") end
  local chunk = session:compile(code)
  if not chunk then return false end
  local start = core.sys.clock()
  local ok, values = session:values_of(chunk)
  local seconds = core.sys.clock() - start
  if not ok then return false end
  session:show(values, code)
  print(color.paint("dim", "  " .. timing.text(seconds)))
  return true
end

local function timeit(session, code)
  local f = as_function(session, "timeit", code)
  if not f then return false end
  local ok, results = session:call(timing.measure, f)
  if not ok then return false end
  local r = results[1]
  print(("  %s  (min %s, %d × %d runs)"):format(timing.text(r.median),
    timing.text(r.min), r.rounds, r.calls))
  return true
end

local function prof(session, code)
  local f = as_function(session, "prof", code)
  if not f then return false end
  local ok, results = session:call(function()
    return require("unroll").profile(f)
  end)
  if ok then print(tostring(results[1])) end
  return ok
end

return {
  time = { usage = "%time code", text = "runs it once and says how long it took",
    takes = "code", run = time },
  timeit = { usage = "%timeit code", text = "runs it often: median and minimum of one run",
    takes = "code", run = timeit },
  prof = { usage = "%prof code", text = "runs it and says where the time went",
    takes = "code", run = prof },
}
