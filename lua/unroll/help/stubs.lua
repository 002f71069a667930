--- stubs: the public names as LuaLS files, so that an editor completes and checks them.
--
-- One file a module, named as `require` names it, and classes.lua with the classes and option
-- tables. They define nothing: the editor reads them beside a script that requires unroll.

local catalogue = require "unroll.help.catalogue"

local stubs = {}

-- --- comments -----------------------------------------------------------------------------

local function put(out, format, ...)
  out[#out + 1] = select("#", ...) > 0 and format:format(...) or format
end

local function put_code(out, lines)
  put(out, "---```lua")
  for _, line in ipairs(lines) do put(out, "---" .. line) end
  put(out, "---```")
end

local function put_text(out, record)
  for i, block in ipairs(record.text) do
    if i > 1 then put(out, "---") end
    if block.code then put_code(out, block.code) else put(out, "--- " .. block[1]) end
  end
  for label, key in pairs { Errors = "errors", Source = "source" } do
    if record[key] then put(out, "---\n--- " .. label .. ": " .. record[key]) end
  end
  local lines = {}
  for _, example in ipairs(record.examples) do
    local text = example.code .. (example.expected and "  --> " .. example.expected or "")
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  end
  if #lines > 0 then put_code(out, lines) end
end

local function put_item(out, tag, item)
  put(out, ("---@%s %s%s %s %s"):format(tag, item.name, item.optional and "?" or "", item.type,
    item.text))
end

local function put_see(out, see)
  for _, name in ipairs(see) do put(out, "---@see " .. name) end
end

-- --- functions ----------------------------------------------------------------------------

local function put_function(out, entry, prefix, separator)
  local record = entry.record
  if not record then return end
  local arguments, params = catalogue.call(entry)
  put(out, "")
  put_text(out, record)
  for _, param in ipairs(params) do put_item(out, "param", param) end
  for _, item in ipairs(record.returns) do
    put(out, ("---@return %s%s"):format(item.type, item.text ~= "" and " # " .. item.text or ""))
  end
  for _, overload in ipairs(record.overloads) do put(out, "---@overload " .. overload) end
  put_see(out, record.see)
  put(out, ("function %s%s%s(%s) end"):format(prefix, separator, entry.name:match "[^.:]+$",
    table.concat(arguments, ", ")))
end

-- --- modules ------------------------------------------------------------------------------

local function class_of_module(entry)
  return entry.name == "unroll" and "unroll" or "unroll." .. entry.name
end

-- "fun(x: number|table, options?: table): unroll.Tensor".
local function function_type(entry)
  local words, results = {}, {}
  local _, params = catalogue.call(entry)
  for i, param in ipairs(params) do
    words[i] = ("%s%s: %s"):format(param.name, param.optional and "?" or "", param.type)
  end
  for i, item in ipairs(entry.record.returns) do results[i] = item.type end
  return ("fun(%s)%s"):format(table.concat(words, ", "),
    #results > 0 and ": " .. table.concat(results, ", ") or "")
end

-- What a module does when it is called itself: tensor{1, 2} is tensor.tensor.
local function call_of(entry)
  local make = catalogue.get().by_name[entry.name .. "." .. entry.name]
    or entry.name == "help" and catalogue.get().by_name["help.show"]
  return make and function_type(make)
end

local function type_of_value(member)
  if member.kind == "module" then return class_of_module(member) end
  local kind = math.type(member.value) or type(member.value)
  return kind == "float" and "number" or kind == "userdata" and "any" or kind
end

-- json and the like are modules of their own, not fields of unroll.
local function is_field(entry, member)
  return (member.kind == "module" or member.kind == "value")
    and (entry.name ~= "unroll" or entry.value[member.name] ~= nil)
end

local function put_fields(out, entry)
  for _, member in ipairs(catalogue.members(entry)) do
    if is_field(entry, member) then
      local summary = member.record and member.record.text[1] and member.record.text[1][1] or ""
      put(out, ("---@field %s %s %s"):format(member.name:match "[^.]+$", type_of_value(member),
        summary))
    end
  end
  for _, member in ipairs(catalogue.members(entry)) do -- modules that are functions
    if member.full_name and member.kind == "function" and member.record then
      put(out, ("---@field %s %s"):format(member.name, function_type(member)))
    end
  end
end

local function put_module(out, entry, variable)
  put(out, "")
  if entry.record then put_text(out, entry.record) end
  put(out, "---@class " .. class_of_module(entry))
  local call = call_of(entry)
  if call then put(out, "---@overload " .. call) end
  put_fields(out, entry)
  put(out, ("local %s = {}"):format(variable))
  for _, member in ipairs(catalogue.members(entry)) do
    if member.kind == "function" and not member.full_name then
      put_function(out, member, variable, ".")
    end
    if member.kind == "module" and not member.full_name then
      put_module(out, member, (member.name:gsub("%.", "_")))
    end
  end
end

local function module_file(entry)
  local out = { "---@meta " .. entry.full_name }
  local variable = entry.name:gsub("%.", "_")
  put_module(out, entry, variable)
  put(out, "\nreturn " .. variable .. "\n")
  return { name = entry.full_name:gsub("%.", "/") .. ".lua", text = table.concat(out, "\n") }
end

-- A module that is a function.
local function function_file(entry)
  local out = { "---@meta " .. entry.full_name }
  put_function(out, entry, "local ", "")
  out[#out] = out[#out]:gsub("^function local ", "local function ")
  put(out, "\nreturn " .. entry.name .. "\n")
  return { name = entry.full_name:gsub("%.", "/") .. ".lua", text = table.concat(out, "\n") }
end

-- --- classes ------------------------------------------------------------------------------

local function put_class(out, entry)
  local record = entry.record
  put(out, "")
  put_text(out, record)
  put(out, "---@class " .. entry.class .. (record.parent and record.parent ~= ""
    and ": " .. record.parent or ""))
  for _, field in ipairs(record.fields) do put_item(out, "field", field) end
  for _, operator in ipairs(record.operators) do put(out, "---@operator " .. operator) end
  put_see(out, record.see)
  local variable = entry.name:gsub("%.", "_")
  put(out, ("local %s = {}"):format(variable))
  for _, member in ipairs(catalogue.members(entry)) do put_function(out, member, variable, ":") end
end

-- At most 200 local variables fit into a file, so each class has a block of its own.
local function class_file()
  local out = { "---@meta" }
  for _, entry in ipairs(catalogue.get().list) do
    if entry.kind == "class" or entry.kind == "options" then
      put(out, "\ndo")
      put_class(out, entry)
      put(out, "end")
    end
  end
  return { name = "unroll/classes.lua", text = table.concat(out, "\n") .. "\n" }
end

-- The host's global.
local function globals_file()
  return { name = "unroll/globals.lua",
    text = '---@meta\n\n---@type unroll\nunroll = require "unroll"\n' }
end

--- The files: names and texts.
---@return table[] files list of { name, text }
function stubs.files()
  local files = { class_file(), globals_file() }
  for _, entry in ipairs(catalogue.get().list) do
    if entry.full_name and entry.full_name ~= "unroll.core" then
      local is_module = entry.kind == "module"
      files[#files + 1] = is_module and module_file(entry) or function_file(entry)
    end
  end
  return files
end

--- The types that the stubs speak of but nobody declares: mistakes in the comments.
---@return string[] names sorted
function stubs.undeclared()
  local known, missing = {}, {}
  for class in pairs(catalogue.get().classes) do known[class] = true end
  for _, entry in ipairs(catalogue.get().list) do
    local record = entry.record
    for _, list in ipairs(record and { record.params, record.returns, record.fields } or {}) do
      for _, item in ipairs(list) do
        for name in item.type:gmatch "unroll%.%u[%w_]*" do
          if not known[name] then missing[name .. " (" .. entry.name .. ")"] = true end
        end
      end
    end
  end
  local names = {}
  for name in pairs(missing) do names[#names + 1] = name end
  table.sort(names)
  return names
end

return stubs
