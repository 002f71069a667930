--- One case, run and answered: what every worker does, wherever it runs.
--
-- A worker reads requests, one JSON object a line, { id =, case = }, and answers each with
-- a line { id =, result =, times = } or { id =, error = }; { id =, say = } comes before, as
-- often as the case reports.
local interrupts = require "unroll.train.interrupts"
local json = require "unroll.json"
local sys = require("unroll.core").sys

local worker = {}

--- A case as a short text: name=value, sorted.
---@param case table
---@return string
function worker.show(case)
  local words = {}
  for name, value in pairs(case) do
    words[#words + 1] = ("%s=%s"):format(name, type(value) == "table" and json.line(value)
      or tostring(value))
  end
  table.sort(words)
  return table.concat(words, " ")
end

local function is_interrupt(message) return tostring(message):find("interrupted!", 1, true) end

local function add_traceback(message)
  if is_interrupt(message) then return message end
  return debug.traceback(tostring(message), 2)
end

-- Nothing that ran before may show in the result.
local function set_generators(case)
  local seed = math.type(case.seed) == "integer" and case.seed or 0
  require("unroll").tensor.manual_seed(seed)
  math.randomseed(seed)
end

--- Runs one case.
---@param run fun(case: table, report: fun(text: string)): table, any
---@param request table { id =, case = }
---@param send fun(line: string) takes the answers, without newline
function worker.answer(run, request, send)
  local id, case = request.id, request.case
  set_generators(case)
  local function report(text) send(json.line { id = id, say = tostring(text) }) end
  local ok, result, times = interrupts.raising(run, add_traceback, case, report)
  if not ok and is_interrupt(result) then error(result, 0) end
  local answered, line = pcall(json.line, { id = id, result = result, times = times })
  if ok and result == nil then
    line = json.line { id = id, error = "the case returned no result" }
  elseif not ok or not answered then
    line = json.line { id = id, error = tostring(ok and line or result) }
  end
  send(line)
end

--- Serves requests on the standard streams until they end. What the cases print goes to
--- standard error.
---@param e unroll.Experiment
function worker.serve(e)
  local channel <close> = sys.standard_channel()
  worker.serve_channel(channel, function() return e.run_case end)
end

--- Serves the requests of a channel until it ends.
---@param channel userdata unroll.Channel
---@param find fun(request: table): function what runs the request's case
function worker.serve_channel(channel, find)
  local lines = require("unroll.experiment.lines").new()
  local function send(line)
    local ok, message = channel:write(line .. "\n")
    if not ok then error(message, 0) end
  end
  while true do
    local bytes = channel:read()
    if not bytes or bytes == "" then return end
    for _, line in ipairs(lines:add(bytes)) do
      local request = json.decode(line)
      worker.answer(find(request), request, send)
    end
  end
end

return worker
