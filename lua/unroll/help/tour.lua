--- tour: ten minutes for a newcomer, page by page, with code that runs as it is shown.
--
-- The pages are in tour/pages.txt: "# title" begins one, paragraphs are text, lines that start
-- with "> " are code (">> " goes on with an entry). On a terminal each page waits: Enter goes on,
-- any Lua can be tried in between, and what the pages made is there to play with. In a pipe the
-- tour runs straight through.

local core = require "unroll.core"
local layout = require "unroll.help.layout"
local resource = require "unroll.resource"

local pages -- parsed when first asked for
local left_at = 1 -- the page on which the last tour ended
local was_run = {} -- the pages whose code was run

-- --- the pages ------------------------------------------------------------------------------

local function add_line(page, line)
  local code, more = line:match "^> (.*)$", line:match "^>> ?(.*)$"
  local last = page[#page]
  if code then
    page[#page + 1] = { code = code }
  elseif more then
    last.code = last.code .. "\n" .. more
  elseif line:find "%S" then
    if last and last.open then
      last.text = last.text .. " " .. line
    else
      page[#page + 1] = { text = line, open = true }
    end
  elseif last then
    last.open = false
  end
end

local function read_pages()
  local list = {}
  for line in assert(resource.read "help/tour/pages.txt"):gmatch "([^\n]*)\n" do
    local title = line:match "^# (.*)$"
    if title then
      list[#list + 1] = { title = title }
    elseif #list > 0 then
      add_line(list[#list], line)
    end
  end
  return list
end

local function put(lines)
  for _, line in ipairs(lines) do print(line) end
end

-- --- running code ---------------------------------------------------------------------------

-- The global variables, and the modules where a script has not taken them.
local environment = setmetatable({}, {
  __index = function(_, name)
    local value = rawget(_G, name)
    if value ~= nil then return value end
    return require("unroll")[name]
  end,
  __newindex = function(_, name, value) rawset(_G, name, value) end,
})

-- Runs an entry as the prompt does; its values, or nil and a message.
local function values_of(code)
  local compile = require "unroll.prompt.compile"
  local chunk, message = compile.entry(code, "=tour", { environment = environment })
  if not chunk then return nil, message end
  local values = { n = 0 }
  local ok, problem = pcall(chunk.run, function(...) values = table.pack(...) end)
  if not ok then return nil, tostring(problem) end
  return values
end

-- Runs an entry and shows its values.
local function run(code, o)
  local values, message = values_of(code)
  if not values then
    put(layout.wrap(message, o.width, "", "  "))
  elseif not require("unroll.prompt.compile").is_silent(code) then
    require("unroll.prompt.show").values(values)
  end
  io.stdout:flush()
end

-- What the pages before a page make is needed there: runs those that were not shown.
local function catch_up(number)
  for k = 1, number - 1 do
    for _, item in ipairs(was_run[k] and {} or pages[k]) do
      if item.code and not item.code:find "^print" then values_of(item.code) end
    end
    was_run[k] = true
  end
end

-- --- a page ---------------------------------------------------------------------------------

local function show_code(code, o)
  local mark = "> "
  for line in (code .. "\n"):gmatch "([^\n]*)\n" do
    local styled = layout.styled(line, "code", o.colour)
    local indent = line:match "^%s*"
    if layout.length(line) + #mark <= o.width then
      print(mark .. styled)
    else
      put(layout.wrap(styled, o.width, mark .. indent, "    " .. indent))
    end
    mark = ".. "
  end
end

local function styled_text(text, o)
  return (text:gsub("`([^`]*)`", function(code) return layout.styled(code, "code", o.colour) end))
end

local function show_page(number, o)
  local page = pages[number]
  local place = ("%d/%d"):format(number, #pages)
  local gap = math.max(1, o.width - layout.length(page.title) - #place)
  print("\n" .. layout.styled(page.title, "heading", o.colour) .. (" "):rep(gap)
    .. layout.styled(place, "dim", o.colour))
  for i, item in ipairs(page) do
    if item.text or i > 1 and page[i - 1].text then print "" end
    if item.text then
      put(layout.wrap(styled_text(item.text, o), o.width, "", ""))
    else
      show_code(item.code, o)
      run(item.code, o)
    end
  end
  was_run[number] = true
end

-- --- between the pages ------------------------------------------------------------------------

local advice = "Enter goes on. Try some Lua, ask ?name; b goes back, a number to that page, "
  .. "q leaves. After Ctrl-C, tour() goes on where it was."

-- An entry of one or more lines; nil at the end of the input.
local function read_entry(number)
  local compile = require "unroll.prompt.compile"
  io.write(("tour %d> "):format(number))
  io.stdout:flush()
  local text = io.read "l"
  while text and not text:find "^%s*%?" and compile.needs_more(text) do
    io.write ".. "
    io.stdout:flush()
    local line = io.read "l"
    if not line then break end
    text = text .. "\n" .. line
  end
  return text
end

-- What to do after a page: the number of the next one, or nil to leave.
local function ask(number, o)
  while true do
    local text = read_entry(number)
    if not text or text:find "^%s*q%s*$" then return nil end
    local wanted = tonumber(text)
    local name = text:match "^%s*%?%s*(.-)%s*$"
    if not text:find "%S" then
      return number + 1
    elseif text:find "^%s*b%s*$" then
      return math.max(1, number - 1)
    elseif wanted and pages[wanted] then
      return wanted
    elseif name then
      require("unroll.help").show(name ~= "" and name or nil)
    else
      run(text, o)
    end
  end
end

local function leave(number, o)
  left_at = number
  if number <= #pages then
    put(layout.wrap(("tour() goes on with page %d, tour(1) starts again."):format(number), o.width,
      "", ""))
  end
end

local function check_page(page)
  if page == nil then return left_at <= #pages and left_at or 1 end
  if math.type(page) ~= "integer" or not pages[page] then
    error(("tour: page %s, there are 1 to %d"):format(tostring(page), #pages), 4)
  end
  return page
end

-- help.tour.
return function(page)
  pages = pages or read_pages()
  local number = check_page(page)
  local o = { width = math.min(core.sys.terminal_width() or 80, 100),
    colour = require("unroll.help").colour }
  local waits = core.sys.isatty(0) and core.sys.isatty(1)
  if waits then put(layout.wrap(advice, o.width, "", "")) end
  while number and pages[number] do
    catch_up(number)
    show_page(number, o)
    local following = number + 1
    if waits then
      left_at = number -- Ctrl-C may end it
      print ""
      following = ask(number, o)
    end
    if not following then return leave(number, o) end
    number = following
  end
  left_at = 1
end
