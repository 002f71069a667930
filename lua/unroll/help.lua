--- help: what every public name does, at the prompt.
--
--   help(tensor.matmul)   help "t:matmul"   help(model)   help()      ?tensor.matmul
--   apropos "clip"                          names and texts that speak of clipping
--   help.source(rnn.lm)                     where it is, and its code     ??rnn.lm
--
-- The texts are the comments above the functions, in Lua (read from the files that the
-- functions came from) and in C (collected when the program is built). The same entries make
-- the manual (`unroll --manual DIR`) and the stubs for editors (`unroll --stubs DIR`).

local core = require "unroll.core"

local help = {}

--- Whether pages that `help` prints are coloured; the prompt sets it. Default false.
help.colour = false

local parts = setmetatable({}, { __index = function(self, name)
  self[name] = require("unroll.help." .. name)
  return self[name]
end })

-- --- finding --------------------------------------------------------------------------------

-- Functions with a comment above them in a script of the user's have help too.
local function entry_of_own(f)
  local info = debug.getinfo(f, "S")
  local record = parts.source.of_function(f)
  if not record then return nil end
  return { name = record.name or "function", kind = "function", value = f, record = record,
    members = {}, path = info.short_src }
end

local function is_standard(f)
  for _, name in ipairs { "_G", "string", "table", "math", "io", "os", "coroutine", "utf8", "debug",
      "package" } do
    for key, value in pairs(package.loaded[name]) do
      if value == f then return name == "_G" and key or name .. "." .. key end
    end
  end
end

local function entry_of_value(value)
  local known = parts.catalogue.get().by_value[value]
  if known then return known end
  if type(value) == "function" then return entry_of_own(value) end
  return parts.catalogue.class_of(value)
end

-- The names to offer for one that does not exist.
local function no_such(name)
  local words = {}
  for i, entry in ipairs(parts.search.nearest(name)) do words[i] = entry.name end
  local message = ("no help for '%s'. Near: %s."):format(name, table.concat(words, ", "))
  local texts = #parts.search.words(name)
  if texts == 0 then return message end
  return ("%s %d text%s of it: apropos '%s'"):format(message, texts, texts == 1 and " speaks"
    or "s speak", (name:gsub("'", "")))
end

local function no_help_for(value)
  local standard = type(value) == "function" and is_standard(value)
  if standard then
    return ("%s is of Lua's own library: https://www.lua.org/manual/5.4/manual.html#pdf-%s")
      :format(standard, standard)
  end
  return ("no help for this %s; help takes a name, a function, a module or an object")
    :format(type(value))
end

--- The entries of the catalogue for a name or a value, the most likely first.
---@param what any a name ("tensor.matmul", "t:matmul", "matmul") or the value itself
---@return table[]? entries { name, kind, record, members, ... }; nil when there are none
---@return string? message with the nearest names
function help.find(what)
  if type(what) == "string" then
    local found = parts.search.by_name(what)
    if #found > 0 then return found end
    return nil, no_such(what)
  end
  local entry = what ~= nil and entry_of_value(what)
  if entry then return { entry } end
  return nil, no_help_for(what)
end

-- --- pages ----------------------------------------------------------------------------------

---@class unroll.HelpOptions
---@field width? integer columns; default that of the terminal, at most 100, or 80
---@field colour? boolean default `help.colour`

local function settings(opts)
  local width = opts and opts.width or math.min(core.sys.terminal_width() or 80, 100)
  local colour = help.colour
  if opts and opts.colour ~= nil then colour = opts.colour end
  return { width = math.max(20, width), colour = colour }
end

local function others(found, o)
  local names = {}
  for i = 2, #found do
    local other = found[i]
    if other.value ~= found[1].value and not other.name:find "^core%." and #names < 6 then
      names[#names + 1] = other.name
    end
  end
  if #names == 0 then return "" end
  return "\n\n" .. table.concat(parts.layout.wrap("also called so: " .. table.concat(names, ", "),
    o.width, "  ", "  "), "\n")
end

--- The text that `help` prints.
---@param what any as of help; nil: the guide
---@param opts? unroll.HelpOptions
---@return string? page nil when there is no help
---@return string? message
--- > page = require("unroll.help").page("tensor.dot", {width = 80})
--- > page:match "^[^\n]*→ number"   --> "tensor.dot(a, b) → number"
function help.page(what, opts)
  local o = settings(opts)
  if what == nil then return parts.guide.text(o) end
  local found, message = help.find(what)
  if not found then return nil, message end
  return parts.page.text(found[1], o) .. others(found, o)
end

-- For a terminal without UTF-8.
local function in_ascii(text) return (text:gsub("→", "->"):gsub("…", "...")) end

-- A page that is longer than the terminal goes through less, which leaves it on the screen;
-- under NO_COLOR, which promises that no escape sequence is written, it does not.
local function show(text)
  if core.sys.isatty(1) and not require("unroll.train.progress").is_utf8() then
    text = in_ascii(text)
  end
  local _, rows = core.sys.terminal_size()
  local _, lines = text:gsub("\n", "")
  local pager = rows and lines + 2 > rows and core.sys.isatty(0) and core.sys.isatty(1)
    and os.getenv "TERM" ~= "dumb" and (os.getenv "NO_COLOR" or "") == ""
    and io.popen("less -FRX 2>/dev/null", "w")
  if not pager then return print(text) end
  pager:write(text, "\n")
  local done, _, code = pager:close()
  if not done and code == 127 then print(text) end
end

--- Prints what a name or value is: a function, a method, a module, or the class of an object.
---@param what any a name or the value itself; without it, the guide
---@param opts? unroll.HelpOptions
function help.show(what, opts)
  local page, message = help.page(what, opts)
  if page then show(page) else print(message) end
end

--- Prints the names that have to do with something: all words must occur in the name or the
--- text of an entry; those with the words in their names come first.
---@param query string words
---@param opts? unroll.HelpOptions
function help.apropos(query, opts)
  if type(query) ~= "string" then
    error("apropos: words expected, got " .. type(query), 2)
  end
  local found = parts.search.words(query)
  if #found == 0 then return print(("no text speaks of '%s'"):format(query)) end
  show(parts.page.list(found, settings(opts)))
end

-- --- sources --------------------------------------------------------------------------------

local function function_of(what)
  if type(what) ~= "string" then return what end
  local found = parts.search.by_name(what)
  return found[1] and found[1].value
end

-- Where a C function's documentation, and below it the function, stands.
local function native_place(f)
  local entry = parts.catalogue.get().by_value[f]
  local record = entry and entry.record
  if not record or not record.native then return nil end
  return ("%s:%d"):format(record.path, record.line), entry
end

--- Where a function comes from, and its code.
---@param what any a function, or its name
---@return string? place "unroll/optim.lua:369", or the C file
---@return string? code of a Lua function; of a C function its help
--- Errors: nothing of that name; a value that is no function. (nil and a message)
function help.source(what)
  local f = function_of(what)
  if f == nil and type(what) == "string" then return nil, no_such(what) end
  if type(f) ~= "function" then return nil, "source: a function expected, got " .. type(f) end
  local code, path, line = parts.source.lines(f)
  if code then return ("%s:%d"):format(path, line), code end
  local place, entry = native_place(f)
  if place then return place, parts.page.text(entry, settings()) end
  return nil, no_help_for(f)
end

-- --- for completion -------------------------------------------------------------------------

-- The entry of a function without the whole catalogue, when its own file has the comment.
local function quick_entry(f)
  return parts.catalogue.get().by_value[f] or entry_of_own(f)
end

-- "default 1e-3" in a text, up to ";" or the end.
local function default_in(text)
  return text:match "[Dd]efault:? ([^;]+)"
end

--- The options that a function takes in a table: what the prompt completes.
---@param what any a function, or its name
---@return table[] options list of { name, type, default, text, optional }
--- > require("unroll.help").options(optim.sgd)[1].name   --> "lr"
function help.options(what)
  local f, list = function_of(what), {}
  local entry = type(f) == "function" and quick_entry(f)
  if not entry then return list end
  local _, params = parts.catalogue.call(entry)
  for _, param in ipairs(params) do
    for _, field in ipairs(parts.page.option_fields(param) or {}) do
      list[#list + 1] = { name = field.name, type = parts.page.type_text(field.type),
        default = default_in(field.text), text = field.text, optional = field.optional }
    end
  end
  return list
end

--- The type of a function's first parameter, for completion.
---@param what any a function, or its name
---@return string? type nil when there is no help for it
--- > require("unroll.help").first_type(tensor.dot)   --> "tensor"
function help.first_type(what)
  local f = function_of(what)
  local entry = type(f) == "function" and quick_entry(f)
  if not entry then return nil end
  local _, params = parts.catalogue.call(entry)
  return params[1] and parts.page.type_text(params[1].type)
end

--- The signature of a function, for hints.
---@param what any a function, or its name
---@return string? signature nil when there is no help for it
--- > require("unroll.help").signature(tensor.dot)   --> "tensor.dot(a, b) → number"
function help.signature(what)
  local f = function_of(what)
  local entry = type(f) == "function" and quick_entry(f)
  if not entry then return nil end
  local call, result = parts.page.signature(entry)
  return result ~= "" and call .. " " .. result or call
end

--- A tour: tensors, a cell, backpropagation through time by hand, training, sampling, a figure; ten
--- minutes. What its pages make (t, cell, model ...) stays there as global variables.
---@param page? integer where to start; default where the last tour was left, else 1
--- Errors: a page that does not exist.
--- > help.tour(100)   --> error: tour: page 100
function help.tour(page)
  parts.tour(page)
end

return setmetatable(help, {
  __call = function(_, ...) return help.show(...) end,
  __display = function() return (help.page()) end, -- `help` alone, typed at the prompt
})
