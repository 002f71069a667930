-- docs.lua -- collects the documentation of what is written in C.
--
--   lua5.4 docs.lua OUT ROOT
--
-- OUT becomes a file of Lua stubs, unroll/help/bindings.lua in the program, which
-- lua/unroll/help/parse.lua reads when help is asked for:
--   the /*--- ... */ blocks of ROOT/src/bind/*.c, each with the place it comes from;
--   for each line of ROOT/src/core/ops.def the function, the methods and the derivative.
-- A line "--@source src/bind/matmul.c:12 Heading" stands before every stub.

local out_path, root = arg[1], arg[2]

local function read_lines(path)
  local lines = {}
  for line in assert(io.lines(path)) do lines[#lines + 1] = line end
  return lines
end

local function files_in(folder)
  local pipe = assert(io.popen(("cd '%s' && LC_ALL=C ls %s/*.c"):format(root, folder)))
  local names = {}
  for name in pipe:lines() do names[#names + 1] = name end
  assert(pipe:close())
  return names
end

local out = {}
local function put(format, ...) out[#out + 1] = format:format(...) end

-- --- the blocks of the C files --------------------------------------------------------------

-- Under what the functions of a file stand in long lists, and in which order; the files that
-- are not here come after these, without a heading.
local sections = {
  { "create", "Making tensors" }, { "tensor", "What a tensor says of itself" },
  { "index", "Elements" }, { "shape", "Views: other parts, orders and shapes" },
  { "convert", "Copies" }, { "gather", "Picking and joining" }, { "ops", "Element by element" },
  { "reduce", "Along a dimension" }, { "matmul", "Products" }, { "linalg", "Decompositions" },
  { "sort", "Order and comparison" }, { "random", "Random numbers" }, { "bytes", "As bytes" },
}
local headings = {}
for _, section in ipairs(sections) do headings[section[1]] = section[2] end

local function check_line(path, i, line)
  local is_good = line:find "^%-%-%-" or line == "" or line:find "^function [%w_.:]+%b() end$"
    or line:find "^[%w_.]+ = {}$"
  if not is_good then
    error(("%s:%d: a documentation line starts with ---, or is the function"):format(path, i))
  end
end

-- A comment may hold several blocks with empty lines between them.
local function put_block(path, lines, first)
  local heading, is_new = headings[path:match "(%w+)%.c$"] or "", true
  for i = first, #lines do
    local line = lines[i]:gsub("^/%*%-%-%-", "---"):gsub("%s*%*/%s*$", "")
    check_line(path, i, line)
    local opens = is_new and line == "---" -- the first line says no more than that
    if is_new and not opens then put("--@source %s:%d %s", path, i, heading) end
    if not opens then put("%s", line) end
    is_new = line == "" or opens
    if lines[i]:find "%*/" then return put("") end
  end
  error(("%s:%d: the block has no end"):format(path, first))
end

local function put_file(path)
  local lines = read_lines(root .. "/" .. path)
  for i, line in ipairs(lines) do
    if line:find "^/%*%-%-%-" then put_block(path, lines, i) end
  end
end

-- --- ops.def --------------------------------------------------------------------------------

-- The arguments of a line: strings without their quotes, the rest as it is.
local function arguments_of(text)
  local list, depth, quoted, current = {}, 0, false, ""
  for c in text:gmatch "." do
    if c == '"' then
      quoted = not quoted
    elseif c == "," and depth == 0 and not quoted then
      list[#list + 1], current = current:match "^%s*(.-)%s*$", ""
    else
      if not quoted then depth = depth + (c == "(" and 1 or c == ")" and -1 or 0) end
      current = current .. c
    end
  end
  list[#list + 1] = current:match "^%s*(.-)%s*$"
  return list
end

local function sentence(text) return text:sub(1, 1):upper() .. text:sub(2) .. "." end

-- A C expression as a reader wants it: M(tanh)(x) is tanh(x).
local function plain(expression, parameters)
  for i, parameter in ipairs(parameters or {}) do
    expression = expression:gsub("%f[%w]" .. ("pq"):sub(i, i) .. "%f[%W]", parameter.name)
  end
  return (expression:gsub("M%(([%w_]+)%)", "%1"):gsub("un_v(%w+)", "%1"):gsub("%(REAL%)", "")
    :gsub("^0$", "0"))
end

-- What the kinds of lines have: where formula and text stand, the operands, the parameters
-- between them and `out`, the derivatives.
local kinds = {
  UN_UNARY = { formula = 7, text = 8, operands = { "x" }, gradients = { x = 4 } },
  UN_PARAM = { formula = 11, text = 12, operands = { "x" }, parameters = { 2, 4 },
    gradients = { x = 8 } },
  UN_BINARY = { formula = 7, text = 8, operands = { "a", "b" }, gradients = { a = 3, b = 4 } },
  UN_TEST = { formula = 3, text = 4, operands = { "x" }, truth = true },
  UN_COMPARE = { formula = 3, text = 4, operands = { "a", "b" }, truth = true },
}

local function parameter_names(kind, fields)
  local names = {}
  for _, position in ipairs(kind.parameters or {}) do
    if fields[position] ~= "" then
      names[#names + 1] = { name = fields[position], preset = plain(fields[position + 1]) }
    end
  end
  return names
end

local function put_parameters(names)
  for _, p in ipairs(names) do
    local preset = p.preset:gsub("%(double%)INFINITY", "infinity")
    put("---@param %s? number default %s", p.name, preset)
  end
end

local function arguments_text(...)
  local words = {}
  for _, list in ipairs { ... } do
    for _, item in ipairs(list) do
      words[#words + 1] = type(item) == "table" and item.name or item
    end
  end
  return table.concat(words, ", ")
end

-- The number that stands for x, a, b in the example.
local function put_example(name, kind, formula)
  local x, b = "2", #kind.operands == 2 and "3" or nil
  local value = load("local x, a, b, slope, min, max = 2, 2, 3, 0.01, -math.huge, math.huge return "
    .. formula)()
  local call = b and ("tensor.%s(tensor{%s}, %s):item()"):format(name, x, b)
    or ("tensor.%s(tensor{%s}):item()"):format(name, x)
  put("--- > %s   --> %s", call, kind.truth and ("%d"):format(value) or ("%.6g"):format(value))
end

local function put_function(name, kind, fields, where)
  local parameters, operands = parameter_names(kind, fields), kind.operands
  local both = #operands == 2
  put("--@source %s", where)
  put("--- %s", sentence(fields[kind.text]))
  put("---")
  put("--- Element by element: `%s`.%s", fields[kind.formula],
    both and " The two are broadcast; either may be a number." or "")
  put("---@param %s unroll.Tensor%s any shape", operands[1], both and "|number" or "")
  if both then put("---@param %s unroll.Tensor|number", operands[2]) end
  put_parameters(parameters)
  put("---@param out? unroll.Tensor %sin the shape of the result, overwritten",
    kind.truth and "int32, " or "")
  put("---@return unroll.Tensor%s", kind.truth and " int32, 1 or 0" or "")
  put("--- Errors: %sshapes that do not fit; an `out` of another shape or dtype.",
    kind.truth and "" or "a tensor of integers; ")
  put("--- Dtypes: %s", kind.truth and "all" or "float32, float64")
  put_example(name, kind, fields[kind.formula])
  if kind.gradients then put("---@see tensor.vjp.%s", name) end
  put("function core.tensor.%s(%s) end\n", name, arguments_text(operands, parameters, { "out" }))
end

local function put_in_place(name, kind, fields, where)
  local parameters = parameter_names(kind, fields)
  local rest = { kind.operands[2] }
  put("--@source %s", where)
  put("--- Overwrites the tensor with `tensor.%s` of it.", name)
  if rest[1] then put("---@param %s unroll.Tensor|number broadcast to the tensor", rest[1]) end
  put_parameters(parameters)
  put("---@return unroll.Tensor self")
  put("--- Errors: a tensor of integers, or one that is expanded.")
  put("--- Dtypes: float32, float64")
  put("--- > t = tensor{2}")
  put("--- > t:%s_(%s):item() == tensor.%s(tensor{2}%s):item()   --> true", name,
    rest[1] and "3" or "", name, rest[1] and ", 3" or "")
  put("---@see tensor.%s", name)
  put("function Tensor:%s_(%s) end\n", name, arguments_text(rest, parameters))
end

local function put_gradient(name, kind, fields, where)
  local parameters, operands = parameter_names(kind, fields), kind.operands
  put("--@source %s", where)
  put("--- The derivative of `tensor.%s`: dL/d%s from dL/dy, for y = tensor.%s(%s).", name,
    table.concat(operands, " and dL/d"), name, table.concat(operands, ", "))
  put("---")
  for _, operand in ipairs(operands) do
    put("---   d%s = %s", operand, plain(fields[kind.gradients[operand]], parameters))
  end
  put("---@param dy unroll.Tensor in the shape of y")
  for _, operand in ipairs(operands) do
    put("---@param %s? unroll.Tensor|number may be nil where the formula has no %s", operand,
      operand)
  end
  put("---@param y? unroll.Tensor may be nil where the formula has no y")
  put_parameters(parameters)
  local outs = {}
  for i, operand in ipairs(operands) do
    outs[i] = #operands == 1 and "out" or "out_" .. operand
    put("---@param %s? unroll.Tensor overwritten; may be dy", outs[i])
  end
  for _, operand in ipairs(operands) do
    put("---@return unroll.Tensor d%s in the shape of %s", operand, operand)
  end
  put("--- Errors: tensors of other sizes; nil where the formula needs a tensor.")
  put("--- Dtypes: float32, float64")
  put("--- > x = tensor{2}")
  put("--- > tensor.vjp.%s(tensor{1}, x, %s):numel()   --> 1", name, operands[2]
    and ("3, tensor.%s(x, 3)"):format(name) or ("tensor.%s(x)"):format(name))
  put("---@see tensor.%s", name)
  put("function core.tensor.vjp.%s(%s) end\n", name,
    arguments_text({ "dy" }, operands, { "y" }, parameters, outs))
end

local function put_op(macro, text, where)
  local kind, fields = kinds[macro], arguments_of(text)
  local name = fields[1]
  put_function(name, kind, fields, where)
  if kind.truth then return end
  put_in_place(name, kind, fields, where)
  put_gradient(name, kind, fields, where)
end

-- --- the file -------------------------------------------------------------------------------

local function put_ops(path)
  for i, line in ipairs(read_lines(root .. "/" .. path)) do
    local macro, text = line:match "^(UN_%u+)%((.*)%)$"
    if macro then put_op(macro, text, ("%s:%d %s"):format(path, i, headings.ops)) end
  end
end

put("---@meta unroll.core\n")
for _, section in ipairs(sections) do
  put_file("src/bind/" .. section[1] .. ".c")
  if section[1] == "ops" then put_ops "src/core/ops.def" end
end
for _, path in ipairs(files_in "src/bind") do
  if not headings[path:match "(%w+)%.c$"] then put_file(path) end
end

local file = assert(io.open(out_path, "wb"))
assert(file:write(table.concat(out, "\n"), "\n"))
assert(file:close())
