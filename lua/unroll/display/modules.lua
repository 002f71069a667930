--- modules: the names of a library, in columns.
--
--   module optim   8 functions
--     adagrad  adam  adamw  clip_norm  clip_value  grad_norm  rmsprop  sgd

local text = require "unroll.display.text"

local modules = {}

--- The name under which a table is a loaded module: "tensor", "string", "_G".
---@param t table
---@return string?
function modules.name_of(t)
  local found
  for name, module in next, package.loaded do
    if rawequal(module, t) and type(name) == "string" then
      local short = name:gsub("^unroll%.", "")
      if not found or #short < #found then found = short end
    end
  end
  return found
end

-- The fields that a module has or, as submodules, will have when they are asked for: name -> type.
local function fields_of(t)
  local found, meta = {}, debug.getmetatable(t)
  for name in next, type(meta) == "table" and rawget(meta, "__members") or {} do
    if type(name) == "string" then found[name] = "table" end
  end
  for name, value in next, t do
    if type(name) == "string" then found[name] = type(value) end
  end
  return found
end

local function sorted_names(fields, wants_functions)
  local names = {}
  for name, kind in next, fields do
    if (kind == "function") == wants_functions then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- Down the columns, as ls does.
local function add_columns(lines, names, width)
  local widest = 0
  for _, name in ipairs(names) do widest = math.max(widest, text.width(name)) end
  local columns = math.max(1, (width - 2) // (widest + 2))
  local rows = (#names + columns - 1) // columns
  for r = 1, rows do
    local line = {}
    for i = r, #names, rows do
      line[#line + 1] = names[i] .. (" "):rep(widest - text.width(names[i]))
    end
    lines[#lines + 1] = ("  " .. table.concat(line, "  ")):gsub("%s+$", "")
  end
end

--- The text of a module.
---@param t table
---@param name string
---@param how table width, paint
---@return string
function modules.show(t, name, how)
  local fields = fields_of(t)
  local functions, others = sorted_names(fields, true), sorted_names(fields, false)
  local lines = { ("%s   %d function%s"):format(how.paint("heading", "module " .. name), #functions,
    #functions == 1 and "" or "s") }
  add_columns(lines, functions, how.width)
  if #others > 0 then
    lines[#lines + 1] = #others == 1 and "  and a field" or ("  and %d fields"):format(#others)
    add_columns(lines, others, how.width)
  end
  return table.concat(lines, "\n")
end

return modules
