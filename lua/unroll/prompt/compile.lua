--- compile: from what was typed to a function.
--
-- An expression is tried first, then statements, as stock Lua does it; then statements with an
-- expression at their end, as "U, S = m:svd(); S" or a paste that closes with a name. The values
-- of an expression are handed to the chunk's first argument instead of returned: a chunk that
-- ends in `return f()` has left the stack when f runs, and with it the place in error messages.

local lexer = require "unroll.prompt.lexer"
local locals = require "unroll.prompt.locals"

local compile = {}

-- A string in quotes goes on in the next line only after a backslash or \z.
local function is_incomplete(text, message)
  if message:find "unfinished string near <eof>$" then
    return text:find "\\$" ~= nil or text:find "\\z%s*$" ~= nil
  end
  return message:find "<eof>'?$" ~= nil
end

-- "= expression" is an expression.
local function without_equals(text) return (text:gsub("^%s*=", "", 1)) end

-- The expression of an entry, or nil: "x", "= x", "x;".
local function expression_of(text)
  local code = without_equals(text)
  if load("return " .. code, "=?") == nil or not code:find "%S" then return nil end
  local tokens = lexer.code(code)
  local last = #tokens
  while last > 0 and tokens[last].text == ";" do last = last - 1 end
  return last > 0 and code:sub(1, tokens[last].last) or nil
end

-- Code that hands the values of an expression to its first argument, all in the lines that the
-- expression has: Lua dates a read at the line where the next token stands.
local function collecting(expression) return "(...)(" .. expression .. ")" end

-- Statements and the expression that follows them, after ";" or on a line of its own, as code
-- that hands on its values; nil when the text is not of this form. Lines keep their numbers.
-- What begins like a statement is found to be no expression at its first tokens, so that is
-- asked first: the statements before it are read once.
local function with_last_expression(text)
  local tokens, depth = lexer.code(text), 0
  for i = 1, #tokens - 1 do
    local next_token = tokens[i + 1]
    depth = depth + lexer.nesting_change(tokens[i])
    if depth == 0 and (tokens[i].text == ";" or next_token.line > tokens[i].line) then
      local head, tail = text:sub(1, next_token.first - 1), text:sub(next_token.first)
      local expression = tail:sub(1, 1) ~= "=" and expression_of(tail)
      local code = expression and load(head, "=?") and head .. ";" .. collecting(expression)
      if code and load(code, "=?") then return code end
    end
  end
end

-- Whether the text may end with an expression: the compiler was at a statement that is a name
-- so far, "x" or "x, y".
local function may_end_with_expression(message)
  return message:find "syntax error near <eof>$" ~= nil
    or message:find "'=' expected near <eof>$" ~= nil
end

--- Whether more lines are needed: the code is right so far and ends too early.
---@param text string
---@return boolean
function compile.needs_more(text)
  local code = without_equals(text)
  local expression, message = load("return " .. code, "=?")
  if expression then return false end
  local is_open = is_incomplete(text, message)
  if code ~= text then return is_open end
  local statements, wrong = load(text, "=?")
  return statements == nil and (is_open or is_incomplete(text, wrong))
    and not (may_end_with_expression(wrong) and with_last_expression(text))
end

--- Whether the entry ends with ";": then its values are not shown.
---@param text string
---@return boolean
function compile.is_silent(text)
  local tokens = lexer.code(text)
  return #tokens > 0 and tokens[#tokens].text == ";"
end

-- What is wrong: where no statement can begin, or none is one expression, the message that
-- the text gets as an expression, if that reading comes further.
local function complaint(text, name, message)
  local first = lexer.code(text)[1]
  local at_start = ("unexpected symbol near '%s'"):format(first and first.text)
  if not message:find(at_start, 1, true) and not message:find("syntax error near", 1, true) then
    return message
  end
  local _, other = load("return " .. text, name)
  local is_shorter = other:find("<eof> expected", 1, true) or other:find(at_start, 1, true)
  return is_shorter and message or other
end

---@class unroll.prompt.Chunk
---@field run function called with a collector of values when `expression`, else without
---@field expression boolean
---@field notes string[]

--- Compiles an entry.
---@param text string
---@param name string of the chunk: "=prompt:7"
---@param options table environment: the table of global variables; lua_locals
---@return unroll.prompt.Chunk? chunk nil when the code is wrong
---@return string? message
function compile.entry(text, name, options)
  local expression = expression_of(text)
  if expression then
    return { expression = true, notes = {},
      run = load(collecting(expression), name, "t", options.environment) }
  end
  local run, message = load(text, name, "t", options.environment)
  local ending = not run and with_last_expression(text)
  if ending then
    text, run = ending, load(ending, name, "t", options.environment)
  elseif not run and not message:find "too many local variables" then
    return nil, complaint(text, name, message)
  end
  local notes = {}
  if not options.lua_locals then
    local code
    code, notes = locals.rewrite(text)
    run = load(code, name, "t", options.environment) or run
  end
  return run and { expression = not not ending, run = run, notes = notes },
    message
end

return compile
