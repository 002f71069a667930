--- JSON for results and checkpoints: the same data gives the same text, byte for byte.
--
-- Keys are sorted, lists of plain values fill lines, numbers have the fewest digits that
-- read back as the same number, and integers stay apart from floats (1 and 1.0).

local json = {}

--- Stands for null where a nil would leave a hole: encode writes it as null.
json.null = setmetatable({}, { __tostring = function() return "null" end })

local line_width = 88

-- --- encode --------------------------------------------------------------------------------

local escapes = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n",
  ["\r"] = "\\r", ["\t"] = "\\t",
}

local function escape(char)
  return escapes[char] or ("\\u%04x"):format(char:byte())
end

local function fail(path, message)
  error(("json.encode: %s %s"):format(path, message), 0)
end

local function encode_string(text, path)
  local _, bad = utf8.len(text)
  if bad then fail(path, ("is no valid UTF-8 (byte %d)"):format(bad)) end
  return '"' .. text:gsub('[%c"\\]', escape) .. '"'
end

local float_formats = { "%.15g", "%.16g", "%.17g" }

-- The fewest digits that read back as the same float, and a mark that it is one.
local function encode_float(number)
  for _, format in ipairs(float_formats) do
    local text = format:format(number)
    if tonumber(text) == number then
      return text:find("[.e]") and text or text .. ".0"
    end
  end
end

local function encode_number(number, path, options)
  if math.type(number) == "integer" then return ("%d"):format(number) end
  if number == number and math.abs(number) ~= math.huge then
    return encode_float(number)
  end
  if options.nan == "null" then return "null" end
  fail(path, ("is %s, which JSON cannot express (the option nan=\"null\" writes null)")
    :format(number ~= number and "NaN" or "infinite"))
end

-- The keys of an object in order; nil when the table is a list.
local function sorted_keys(value, path)
  local keys, count = {}, 0
  for key in pairs(value) do
    count = count + 1
    if type(key) == "string" then keys[#keys + 1] = key end
  end
  if #keys == 0 and count == #value then return nil end
  if #keys ~= count then
    fail(path, "is neither a list (keys 1 to n) nor an object (string keys)")
  end
  table.sort(keys)
  return keys
end

local encode_value

local function is_plain(item) return type(item) ~= "table" or item == json.null end

-- Words with commas, as many on a line as fit.
local function fill_lines(words, indent)
  local one_line = "[" .. table.concat(words, ", ") .. "]"
  if #one_line + #indent <= line_width then return one_line end
  local lines, line = {}, indent .. "  "
  for i, word in ipairs(words) do
    local piece = word .. (i < #words and "," or "")
    if #line + 1 + #piece > line_width and line:find("%S") then
      lines[#lines + 1], line = line, indent .. "  "
    end
    line = line .. (line:find("%S") and " " or "") .. piece
  end
  lines[#lines + 1] = line
  return "[\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "]"
end

local function encode_list(value, path, options, indent)
  local words, plain, deeper = {}, true, indent .. "  "
  for i, item in ipairs(value) do
    if math.type(item) == "float" and item - item == 0 then -- most of what is written
      words[i] = encode_float(item)
    else
      plain = plain and is_plain(item)
      words[i] = encode_value(item, ("%s[%d]"):format(path, i), options, deeper)
    end
  end
  if options.one_line then return "[" .. table.concat(words, ", ") .. "]" end
  if plain then return fill_lines(words, indent) end
  local inner = "\n" .. indent .. "  "
  return "[" .. inner .. table.concat(words, "," .. inner) .. "\n" .. indent .. "]"
end

local function encode_object(value, keys, path, options, indent)
  local words = {}
  for i, key in ipairs(keys) do
    local inside = path .. "." .. key
    words[i] = encode_string(key, path .. "'s key") .. ": " ..
        encode_value(value[key], inside, options, indent .. "  ")
  end
  if options.one_line then return "{" .. table.concat(words, ", ") .. "}" end
  local inner = "\n" .. indent .. "  "
  return "{" .. inner .. table.concat(words, "," .. inner) .. "\n" .. indent .. "}"
end

local function encode_table(value, path, options, indent)
  if options.open[value] then fail(path, "contains itself") end
  options.open[value] = true
  local keys = sorted_keys(value, path)
  local text = keys and encode_object(value, keys, path, options, indent)
      or encode_list(value, path, options, indent)
  options.open[value] = nil
  return text
end

function encode_value(value, path, options, indent)
  local kind = type(value)
  if kind == "string" then return encode_string(value, path) end
  if kind == "number" then return encode_number(value, path, options) end
  if kind == "boolean" then return tostring(value) end
  if kind == "nil" or value == json.null then return "null" end
  if kind == "table" then return encode_table(value, path, options, indent) end
  fail(path, ("is a %s, which JSON cannot express"):format(kind))
end

local function encode(value, state)
  state.open = {}
  local ok, text = pcall(encode_value, value, "value", state, "")
  if not ok then error(text, 3) end
  return text
end

--- The value as JSON text with a newline at its end. A table with the keys 1 to n is a
--- list, the empty one too; one with string keys is an object.
---@param value any
---@param options? {nan?: "null"} "null" writes NaN and infinity so
---@return string
--- Errors: (with the path of the value) other keys or types, a table inside itself, text that is
--- no UTF-8, and NaN or infinity unless nan = "null".
--- > require("unroll.json").encode({1, 2.0})   --> "[1, 2.0]\n"
---@see json.decode json.line
function json.encode(value, options)
  return encode(value, { nan = options and options.nan }) .. "\n"
end

--- The value on one line, without a newline: the same data gives the same bytes.
---@param value any
---@return string
--- Errors: as of `json.encode`.
--- > require("unroll.json").line({b = 1, a = {}})   --> "{\"a\": [], \"b\": 1}"
function json.line(value) return (encode(value, { one_line = true })) end

-- --- decode --------------------------------------------------------------------------------

--- The value of a JSON text. null becomes nil, so a field with it is absent and a list has
--- a hole; give `null` another value to keep the places.
---@param text string
---@param options? {null?: any} what stands for null
---@return any value nil when the text is no JSON
---@return string? message with line and column
--- > require("unroll.json").decode("[1, 2]")[2]   --> 2
---@see json.encode
function json.decode(text, options)
  if type(text) ~= "string" then
    error(("json.decode: text must be a string, got %s"):format(type(text)), 2)
  end
  local dkjson = require "dkjson"
  local null = options and options.null
  local ok, value, position, message =
      pcall(dkjson.decode, text, 1, null, nil, nil)
  if not ok then return nil, "json.decode: nested too deep" end
  if message then return nil, "json.decode: " .. message end
  local rest = text:find("%S", position)
  if rest then return nil, ("json.decode: text after the value, byte %d"):format(rest) end
  return value
end

return json
