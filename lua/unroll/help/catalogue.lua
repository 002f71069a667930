--- catalogue: every public name with its value and its documentation.
--
-- It is made when it is first asked for, by walking the loaded modules and classes, so that it
-- holds what is really there. An entry is
--   { name = "tensor.matmul", kind = "module"|"function"|"method"|"value"|"class"|"options",
--     value =, record = (parse.lua), owner = entry of the module or class, members = {...} }
-- (catalogue.members gives them in order)
-- and, where the top of a file says more of a function, background = its record.
-- Names leave out "unroll.": tensor.matmul, Model:forward, Optimizer, gradcheck.

local core = require "unroll.core"
local parse = require "unroll.help.parse"
local resource = require "unroll.resource"
local source = require "unroll.help.source"

local catalogue = {}

-- In the order in which the manual tells of them; what else lies in lua/unroll follows.
local main_modules = { "tensor", "rnn", "optim", "text", "train", "plot", "experiment",
  "diagnostics", "gradcheck", "tasks", "metrics", "profile" }

-- What an object of a class is called in signatures: t:matmul(b).
local variables = { Tensor = "t", Axes = "ax", Figure = "fig", Optimizer = "opt", Canvas = "page",
  Gradcheck = "result", Generator = "g", ModelTrace = "trace", TaskBatches = "batches" }

-- The files whose tops say more of a function.
local backgrounds = { ["rnn.register"] = "unroll.rnn.definition", ["rnn.lm"] = "unroll.rnn.init" }

local made -- { list, by_name, by_value, classes }
local is_complete = false

-- --- entries ------------------------------------------------------------------------------

-- An object, NaN aside, that can be looked up by itself. Small shared values cannot.
local function is_own(value)
  local kind = type(value)
  return kind == "function" or kind == "table" or kind == "userdata"
end

local function add(entry)
  entry.members = entry.members or {}
  table.insert(made.list, entry)
  made.by_name[entry.name] = entry
  if is_own(entry.value) and not made.by_value[entry.value] then
    made.by_value[entry.value] = entry
  end
  if entry.owner then table.insert(entry.owner.members, entry) end
  return entry
end

-- In the order of the module's file, or of the files: C first, as in the build.
local function comes_before(a, b)
  local p, q = a.record, b.record
  if a.place ~= b.place then return (a.place or math.huge) < (b.place or math.huge) end
  if not p or not q then return p and true or (not q and a.name < b.name) end
  if p.order and q.order and p.order ~= q.order then return p.order < q.order end
  if (p.path or "") ~= (q.path or "") then return (p.path or "") < (q.path or "") end
  if p.line ~= q.line then return p.line < q.line end
  return a.name < b.name
end

-- --- modules ------------------------------------------------------------------------------

-- table or function -> "unroll.text.quality"
local function module_names()
  local names = {}
  for name, value in pairs(package.loaded) do
    if name:find "^unroll" and is_own(value) then names[value] = name end
  end
  return names
end

local function chunk_of_module(name)
  local path = name:gsub("%.", "/")
  for _, candidate in ipairs { path .. ".lua", path .. "/init.lua" } do
    local chunk = "@" .. resource.place(candidate)
    if source.text(chunk) then return chunk end
  end
end

-- The page of a module: the comment at the top of its file.
local function module_record(full_name)
  local chunk = full_name and chunk_of_module(full_name)
  local first = chunk and source.records(chunk)[1]
  return first and first.kind == "module" and first or nil
end

-- A static record for a name written with its table: "json.null", "core.sys".
local function value_record(full_name, key, name)
  local _, bindings = source.bindings()
  local native = bindings["core." .. name] or bindings[name]
  if native then return native end
  local chunk = full_name and chunk_of_module(full_name)
  for _, record in ipairs(chunk and source.records(chunk) or {}) do
    if record.kind == "value" and record.name and record.name:match "([%w_]+)$" == key then
      return record
    end
  end
end

local function function_record(value, name)
  local record = source.of_function(value)
  if record then return record end
  local _, bindings = source.bindings()
  local method = name:gsub("^tensor%.", "Tensor:")
  local known = made.by_value[value]
  return bindings["core." .. name] or bindings[name] or bindings["unroll." .. name]
    or bindings[method] or known and known.record
end

-- Files are modules, and the tables of C that are documented as such.
local function is_module(name, value, names)
  local _, bindings = source.bindings()
  return names[value] ~= nil or (bindings["core." .. name] or bindings[name]) ~= nil
    and type(next(value)) == "string"
end

local walk_module

local function add_member(owner, key, value, names, full_name)
  local name = owner.name == "unroll" and key or owner.name .. "." .. key
  if made.by_name[name] or value == core.methods or value == core.tensor then return end
  local kind = type(value)
  if kind == "function" then
    add { name = name, kind = "function", value = value, owner = owner,
      record = function_record(value, name), background = module_record(backgrounds[name]) }
  elseif kind == "table" and not made.by_value[value] and is_module(name, value, names) then
    walk_module(name, value, owner, names)
  elseif not (kind == "table" and rawget(value, "__name")) then
    add { name = name, kind = "value", value = value, owner = owner,
      record = value_record(full_name, key, name) }
  end
end

-- Where the file of a module first gives a name its value.
local function place_members(entry)
  if not entry.full_name or entry.name == "tensor" then return end -- tensor.lua names none
  local chunk = chunk_of_module(entry.full_name)
  local text = chunk and source.text(chunk):gsub("%-%-[^\n]*", "") -- without its comments
  for _, member in ipairs(text and entry.members or {}) do
    local key = member.name:match "[^.]+$"
    member.place = text:find("[.%s{]" .. key .. "%s*=[^=]") or text:find("[.:]" .. key .. "%s*%(")
  end
end


-- A table of functions, with the tables of functions in it.
function walk_module(name, value, owner, names)
  local full_name = names[value]
  local entry = add { name = name, kind = "module", value = value, owner = owner,
    full_name = full_name,
    record = module_record(full_name) or value_record(nil, nil, name) }
  if type(value) ~= "table" then return entry end
  local keys = {}
  for key in pairs(value) do
    if type(key) == "string" and not key:find "^_" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do add_member(entry, key, value[key], names, full_name) end
  return entry
end

-- --- classes ------------------------------------------------------------------------------

-- The class table of a file: the one with __name = "unroll.Model". It is found among what the
-- file returns and the upvalues of its functions.
local function find_class(root, chunk, name)
  local seen, todo = {}, { root }
  while #todo > 0 do
    local value = table.remove(todo)
    local fresh = value ~= nil and not seen[value]
    if fresh then seen[value] = true end
    if type(value) == "table" and fresh then
      if rawget(value, "__name") == name then return value end
      for _, inner in next, value do
        if is_own(inner) and type(inner) ~= "userdata" then todo[#todo + 1] = inner end
      end
    elseif type(value) == "function" and fresh and debug.getinfo(value, "S").source == chunk then
      for i = 1, math.huge do
        local key, inner = debug.getupvalue(value, i)
        if not key then break end
        if key ~= "_ENV" and key ~= "core" then todo[#todo + 1] = inner end
      end
    end
  end
end

local function method_record(class, key, value, stubs)
  local name = class.short .. ":" .. key
  local _, bindings = source.bindings()
  return source.of_function(value) or stubs[name] or bindings[name]
    or bindings["core." .. class.short:lower() .. "." .. key]
end

local function add_methods(class, methods, stubs)
  for key, value in pairs(methods) do
    if type(key) == "string" and not key:find "^_" and type(value) == "function" then
      add { name = class.short .. ":" .. key, kind = "method", value = value, owner = class,
        record = method_record(class, key, value, stubs), variable = class.variable }
    end
  end
end

-- ax:line ... are found by name in plot/marks, not in a table.
local function marks_of(class)
  local methods = {}
  for _, file in ipairs(resource.list "plot/marks") do
    local name = file:match "^[^.]+"
    if require("unroll.plot.marks." .. name).new then methods[name] = class.__index(class, name) end
  end
  return methods
end

local function add_class(record, value, methods, stubs)
  local short = record.class:match "[^.]+$"
  local class = add { name = short, short = short, kind = "class", class = record.class,
    value = value, record = record, variable = variables[short] or short:lower() }
  made.classes[record.class] = class
  add_methods(class, methods, stubs)
end

local function add_lua_class(record, chunk, root, stubs)
  local value = find_class(root, chunk, record.class)
  if not value then return end -- without a __name no object of it says so: it is internal
  local methods = {}
  for _, from in ipairs { value or {}, value and rawget(value, "__index") or nil } do
    for key, method in next, type(from) == "table" and from or {} do methods[key] = method end
  end
  if record.class == "unroll.Axes" then
    for key, method in pairs(marks_of(value)) do methods[key] = method end
  end
  add_class(record, value, methods, stubs)
end

local function add_options(record)
  local short = record.class:match "[^.]+$"
  made.classes[record.class] = add { name = short, kind = "options", class = record.class,
    record = record }
end

-- The Lua files that are loaded, with what they return.
local function loaded_files()
  local files = {}
  for name, value in pairs(package.loaded) do
    local chunk = name:find "^unroll" and name ~= "unroll.core" and chunk_of_module(name)
    if chunk then files[#files + 1] = { chunk = chunk, value = value } end
  end
  table.sort(files, function(a, b) return a.chunk < b.chunk end)
  return files
end

local function add_classes_of_files()
  local files, stubs = loaded_files(), {}
  for _, file in ipairs(files) do
    for _, record in ipairs(source.records(file.chunk)) do
      if record.name and record.name:find "%u%w*:" then stubs[record.name] = record end
    end
  end
  for _, file in ipairs(files) do
    for _, record in ipairs(source.records(file.chunk)) do
      local is_public = record.class and record.class:find "^unroll%.%u"
      if is_public and record.name then
        add_lua_class(record, file.chunk, file.value, stubs)
      elseif is_public then
        add_options(record)
      end
    end
  end
end

-- The classes of C: their method tables are in the registry.
local function add_native_classes()
  local _, bindings = source.bindings()
  local names = {}
  for name, value in pairs(debug.getregistry()) do
    if type(name) == "string" and name:find "^unroll%.%u" and type(value) == "table"
      and type(value.methods) == "table" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local short = name:match "[^.]+$"
    local methods = debug.getregistry()[name].methods
    local record = bindings[short] or { class = name, text = {}, fields = {}, see = {},
      examples = {}, operators = {}, params = {}, returns = {} }
    if next(methods) then add_class(record, methods, methods, {}) end
  end
end

-- --- all of it ----------------------------------------------------------------------------

local function names_of_modules()
  local names, listed = {}, {}
  local function list(name)
    if not listed[name] then names[#names + 1], listed[name] = name, true end
  end
  for _, name in ipairs(main_modules) do list(name) end
  for _, file in ipairs(resource.list "") do
    local name = file:match "^([%w_]+)%.lua$"
    if name and name ~= "init" then list(name) end
  end
  return names
end

-- What is both a method of tensors and a function is described once, as the function.
local function pair_tensor_methods()
  for _, method in ipairs(made.by_name.Tensor.members) do
    method.twin = made.by_name["tensor." .. method.name:match "[^:]+$"]
  end
end

-- Option tables that say nothing of themselves belong to the functions that take them.
local function describe_options()
  for _, entry in ipairs(made.list) do
    for _, param in ipairs(entry.record and entry.record.params or {}) do
      for name in param.type:gmatch "unroll%.[%w_]+" do
        local class = made.classes[name]
        if class and class.kind == "options" and #class.record.text == 0 then
          class.record.text[1] = { ("Options of `%s`."):format(entry.name) }
        end
      end
    end
  end
end

local function add_modules()
  for _, file in ipairs(resource.list "plot/marks") do
    require("unroll.plot.marks." .. file:match "^[^.]+")
  end
  local values, unroll = {}, require "unroll"
  local order = names_of_modules()
  for _, name in ipairs(order) do values[name] = require("unroll." .. name) end
  local names = module_names()
  local top = add { name = "unroll", kind = "module", value = unroll,
    record = module_record "unroll", full_name = "unroll" }
  for key, value in pairs(unroll) do
    if not values[key] then add_member(top, key, value, names, "unroll") end
  end
  for _, name in ipairs(order) do
    if type(values[name]) == "function" then
      add { name = name, kind = "function", value = values[name], owner = top,
        record = source.of_function(values[name]), full_name = "unroll." .. name,
        background = module_record("unroll." .. name) }
    else
      walk_module(name, values[name], top, names)
    end
  end
  walk_module("core", core, top, names)
end

local function make()
  made = { list = {}, by_name = {}, by_value = {}, classes = {} }
  add_modules()
  add_native_classes()
  add_classes_of_files()
  pair_tensor_methods()
  describe_options()
end

--- The catalogue.
---@return table catalogue list (entries), by_name, by_value, classes ("unroll.Model" -> entry)
function catalogue.get()
  if not is_complete then make() end -- again, where Ctrl-C came in between
  is_complete = true
  return made
end

-- A method that is documented as a function, and the other way round, has one argument less or
-- more: the object.
local function as_method(arguments, params)
  local first = table.remove(arguments, 1)
  if params[1] and params[1].name == first then table.remove(params, 1) end
end

local function as_function(arguments, params)
  table.insert(arguments, 1, "t")
  table.insert(params, 1, { name = "t", type = "unroll.Tensor", text = "" })
end

--- The arguments of a function or method, as it is called.
---@param entry table
---@return string[] arguments names
---@return table[] params those that are described
function catalogue.call(entry)
  local record = entry.record or {}
  local arguments = parse.arguments(record.arguments or "")
  local params = table.move(record.params or {}, 1, #(record.params or {}), 1, {})
  local name = record.name or ""
  if entry.kind == "method" and not name:find ":" then
    as_method(arguments, params)
  elseif entry.kind == "function" and name:find "^Tensor:" then
    as_function(arguments, params)
  end
  return arguments, params
end

-- Classes belong to the module that makes them: where their file lies.
local home_of_native = { Tensor = "tensor", Generator = "tensor" }

local function home_of_class(entry)
  local module = (entry.record.path or ""):match "unroll/([%w_]+)[%./]"
  if entry.record.native or not module then return home_of_native[entry.name] or "core" end
  return module
end

--- The members of a module or class, in order.
---@param entry table
---@return table[] entries
function catalogue.members(entry)
  if not entry.is_sorted then
    place_members(entry)
    table.sort(entry.members, comes_before)
    entry.is_sorted = true
  end
  return entry.members
end

--- The module that an entry belongs to, on whose page it stands: "tensor", "rnn", "core".
---@param entry table
---@return string
function catalogue.home(entry)
  if entry.kind == "class" or entry.kind == "options" then return home_of_class(entry) end
  if entry.kind == "method" then return home_of_class(entry.owner) end
  local first = entry.name:match "^[%w_]+"
  local top = made.by_name[first]
  return top and (top.kind == "module" or top.full_name) and first or "unroll"
end

--- Whether a module is one of those that scripts work with; the others are inside.
---@param entry table
---@return boolean
function catalogue.is_main(entry)
  if entry.name == "unroll" then return true end
  for _, name in ipairs(main_modules) do
    if name == entry.name then return true end
  end
  return false
end

--- The entry of a class by an object of it.
---@param object any
---@return table? entry
function catalogue.class_of(object)
  local meta = debug.getmetatable(object)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and catalogue.get().classes[name] or nil
end

return catalogue
