--- One case, run and answered: what every worker does, wherever it runs.
--
-- A worker reads requests, one JSON object a line, { id =, case = }, and answers each with
-- a line { id =, result =, times = } or { id =, error =, trace = }; { id =, say = } comes
-- before, as often as the case reports.
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
    local plain, text = pcall(json.line, value)
    if type(value) ~= "table" or not plain then text = tostring(value) end
    words[#words + 1] = ("%s=%s"):format(name, text)
  end
  table.sort(words)
  return table.concat(words, " ")
end

local function is_interrupt(message) return tostring(message):find("interrupted!", 1, true) end

-- What was raised, as text; a table as its fields, since its address says nothing.
local function describe(raised)
  local metatable = getmetatable(raised)
  local has_text = type(raised) ~= "table" or metatable and metatable.__tostring
  return has_text and tostring(raised) or ("error object: %s"):format(worker.show(raised))
end

-- The message, and the calls that led to it up to the case's own function.
local function locate(message)
  if is_interrupt(message) then return message end
  local calls = debug.traceback("", 2):match "^\nstack traceback:\n(.*)$" or ""
  local own = calls:gsub("\n?%s*%[C%]: in function 'xpcall'.*$", "")
    :gsub("\n%s*%.%.%.\t%(skipping.*$", "\n\t...")
  return { message = describe(message), trace = own }
end

-- Nothing that ran before may show in the result.
local function set_generators(case)
  local seed = math.type(case.seed) == "integer" and case.seed or 0
  require("unroll").tensor.manual_seed(seed)
  math.randomseed(seed)
end

-- A message may hold any bytes; JSON takes UTF-8.
local function as_text(bytes)
  return utf8.len(bytes) and bytes or (bytes:gsub("[\x80-\xff]", "?"))
end

-- The encoder's message about a result, in the words of the case.
local function not_plain(message)
  local text = message:gsub("^json%.encode: value%.", ""):gsub("which JSON cannot express.*$",
    "but results are finite numbers, strings, booleans and tables of them")
  return as_text("the case returned what cannot be saved: " .. text)
end

--- Runs one case.
---@param run fun(case: table, report: fun(text: string)): table, any
---@param request table { id =, case = }
---@param send fun(line: string) takes the answers, without newline
function worker.answer(run, request, send)
  local id, case = request.id, request.case
  set_generators(case)
  local function report(text) send(json.line { id = id, say = tostring(text) }) end
  local ok, result, times = interrupts.raising(run, locate, case, report)
  if not ok and is_interrupt(result) then error(result, 0) end
  if not ok then
    send(json.line { id = id, error = as_text(result.message), trace = as_text(result.trace) })
  elseif result == nil then
    send(json.line { id = id, error = "the case returned no result" })
  else
    local answered, line = pcall(json.line, { id = id, result = result, times = times })
    send(answered and line or json.line { id = id, error = not_plain(line) })
  end
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
  sys.threads(1) -- there are as many workers as processors
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
