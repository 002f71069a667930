-- test_docs.lua -- every public name has help, the help is true, its examples hold.
local lu = require "luaunit"
local support = require "support"
local unroll = require "unroll"
local catalogue = require "unroll.help.catalogue"
local help = require "unroll.help"
local html = require "unroll.help.html"
local manual = require "unroll.help.manual"
local page = require "unroll.help.page"
local parse = require "unroll.help.parse"
local search = require "unroll.help.search"
local stubs = require "unroll.help.stubs"

local function each(visit)
  local problems = {}
  for _, entry in ipairs(catalogue.get().list) do
    local problem = visit(entry)
    if problem then problems[#problems + 1] = entry.name .. ": " .. problem end
  end
  table.sort(problems)
  lu.assertEquals(problems, {})
end

-- --- every name has help -----------------------------------------------------------------------

TestDocsComplete = {}

function TestDocsComplete.test_every_public_name_has_a_text()
  each(function(entry)
    local record = entry.record
    if not record then return "no help" end
    if not (record.text[1] and (record.text[1][1] or "") ~= "") then return "no text" end
  end)
end

function TestDocsComplete.test_the_catalogue_holds_what_scripts_may_use()
  local names = catalogue.get().by_name
  for _, module in ipairs { "tensor", "rnn", "optim", "text", "plot", "train", "experiment",
      "diagnostics", "tasks", "metrics", "help", "options", "json" } do
    lu.assertEquals((names[module] or {}).kind, "module", module)
    for key, value in pairs(require("unroll." .. module)) do
      local is_public = type(key) == "string" and not key:find "^_"
      if is_public and type(value) == "function" then
        lu.assertNotNil(names[module .. "." .. key], module .. "." .. key)
      end
    end
  end
  for class, methods in pairs { Tensor = "matmul t size", Model = "forward backward sample save",
      Cell = "step forward backward", Optimizer = "step state", Corpus = "batches stats",
      Vocab = "encode decode", Figure = "at save show", Axes = "line bar heatmap set legend",
      Generator = "normal state", Experiment = "record main" } do
    for method in methods:gmatch "%S+" do
      lu.assertEquals((names[class .. ":" .. method] or {}).kind, "method", class .. method)
    end
  end
end

function TestDocsComplete.test_the_class_of_every_object_is_known()
  local model = unroll.rnn.lm { vocab = 3, hidden = 2 }
  local fig = unroll.plot.figure {}
  for name, object in pairs { Model = model, Cell = model.layers[1], Figure = fig, Axes = fig:at(),
      Optimizer = unroll.optim.sgd(model), Tensor = unroll.tensor.ones(2),
      Generator = unroll.tensor.generator(1), Corpus = unroll.text.corpus "numbers",
      Vocab = unroll.text.vocab "ab", Task = unroll.tasks.adding { length = 4 } } do
    lu.assertEquals(catalogue.class_of(object).name, name)
  end
end

-- --- the signatures are true -------------------------------------------------------------------

TestDocsSignatures = {}

-- The parameters of a Lua function; nil for one in C or with "..." alone.
local function real_parameters(f)
  local info = debug.getinfo(f, "Su")
  if info.what == "C" or (info.isvararg and info.nparams <= 1) then return nil end
  local names = {}
  for i = 1, info.nparams do names[i] = debug.getlocal(f, i) end
  if info.isvararg then names[#names + 1] = "..." end
  return names
end

function TestDocsSignatures.test_the_arguments_are_those_of_the_function()
  each(function(entry)
    local real = entry.record and type(entry.value) == "function" and real_parameters(entry.value)
    if not real then return nil end
    if entry.kind == "method" then table.remove(real, 1) end
    local shown = table.concat((catalogue.call(entry)), ", ")
    local expected = table.concat(real, ", ")
    if shown ~= expected then return ("(%s), the function has (%s)"):format(shown, expected) end
  end)
end

local function has(list, name)
  for _, item in ipairs(list) do
    if item == name or item.name == name then return true end
  end
  return false
end

function TestDocsSignatures.test_every_argument_is_described_and_no_other()
  each(function(entry)
    if not entry.record or (entry.kind ~= "function" and entry.kind ~= "method") then return end
    local arguments, params = catalogue.call(entry)
    for _, name in ipairs(arguments) do
      if name ~= "_" and not has(params, name) then return "no @param for " .. name end
    end
    local is_open = has(arguments, "...")
    for _, param in ipairs(params) do
      if not is_open and not has(arguments, param.name) then
        return ("@param %s: there is no such argument"):format(param.name)
      end
    end
  end)
end

function TestDocsSignatures.test_the_types_are_declared()
  lu.assertEquals(stubs.undeclared(), {})
end

-- --- references --------------------------------------------------------------------------------

TestDocsReferences = {}

function TestDocsReferences.test_what_see_also_names_exists()
  each(function(entry)
    for _, name in ipairs(entry.record and entry.record.see or {}) do
      if not html.link(name) then return "see " .. name end
    end
  end)
end

local function texts_of(record)
  local texts = { record.errors, record.source }
  for _, block in ipairs(record.text) do
    texts[#texts + 1] = block[1] or table.concat(block.code, "\n")
  end
  for _, list in ipairs { record.params, record.returns, record.fields } do
    for _, item in ipairs(list) do texts[#texts + 1] = item.text end
  end
  return table.concat(texts, "\n")
end

local modules = { tensor = true, rnn = true, optim = true, plot = true, train = true,
  experiment = true, diagnostics = true, tasks = true, metrics = true }

function TestDocsReferences.test_names_in_the_texts_exist()
  each(function(entry)
    if not entry.record then return end
    for name, after in texts_of(entry.record):gmatch "%f[%w_/.]([%a][%w_]*%.[%a_][%w_]*)(.?)" do
      local module = name:match "^[^.]+"
      if modules[module] and not name:find "%.lua$" and after ~= "/" and not html.link(name) then
        return "speaks of " .. name
      end
    end
  end)
end

-- --- examples ----------------------------------------------------------------------------------

TestDocsExamples = {}

-- As Lua writes it, in one line; strings may stand with and without quotes.
local function shown(value)
  if type(value) == "string" then return (("%q"):format(value):gsub("\\\n", "\\n")), value end
  local meta = getmetatable(value) or {}
  if type(value) ~= "table" or meta.__tostring then return tostring(value) end
  local words = {}
  for i = 1, #value do words[i] = shown(value[i]) end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = type(key) == "string" and key or nil end
  table.sort(keys)
  for _, key in ipairs(keys) do words[#words + 1] = key .. " = " .. shown(value[key]) end
  return "{" .. table.concat(words, ", ") .. "}"
end

-- A text as a list of what stands between its numbers, and of the numbers. White space does
-- not count.
local function pieces_of(text)
  local words, numbers, at = {}, {}, 1
  text = text:gsub("%s+", "")
  while true do
    local first, last = text:find("%d+%.?%d*", at)
    if not first then break end
    local _, longer = text:find("^[eE][+-]?%d+", last + 1)
    words[#words + 1] = text:sub(at, first - 1)
    numbers[#numbers + 1] = tonumber(text:sub(first, longer or last))
    at = (longer or last) + 1
  end
  words[#words + 1] = text:sub(at)
  return words, numbers
end

local function is_near(a, b)
  return a == b or math.abs(a - b) <= 2e-4 * math.max(math.abs(a), math.abs(b))
end

-- "..." stands for anything: what is between must come in this order.
local function fits_pattern(expected, got)
  local at, first = 1, true
  for piece in (expected .. "..."):gmatch "(.-)%.%.%." do
    local from, to = got:find(piece, at, true)
    if not from or first and from ~= 1 then return false end
    at, first = to + 1, false
  end
  return true
end

-- Numbers agree to about four digits.
local function same_text(expected, got)
  expected = expected:gsub("…", "...")
  if expected:find("...", 1, true) then
    return fits_pattern(expected:gsub("%s+", ""), (got:gsub("%s+", "")))
  end
  local words, numbers = pieces_of(expected)
  local other_words, other_numbers = pieces_of(got)
  if #words ~= #other_words then return false end
  for i, word in ipairs(words) do
    if word ~= other_words[i] then return false end
    if numbers[i] and not is_near(numbers[i], other_numbers[i]) then return false end
  end
  return true
end

local function holds(expected, results)
  local first, plain = {}, {}
  for i = 1, results.n do
    local a, b = shown(results[i])
    first[i], plain[i] = a, b or a
  end
  for _, got in ipairs { table.concat(first, "  "), table.concat(plain, "  "),
      table.concat(first, ", ") } do
    if same_text(expected, got) then return true end
  end
  return false, table.concat(first, "  ")
end

local function environment(folder)
  local env = { unroll = unroll, tmp = folder, print = function() end }
  for _, name in ipairs { "tensor", "rnn", "optim", "text", "train", "plot", "experiment",
      "diagnostics", "gradcheck", "tasks", "metrics", "help" } do
    env[name] = unroll[name]
  end
  return setmetatable(env, { __index = _G })
end

-- A message when the example does not do what it says.
local function run_example(example, env)
  local chunk = load("return " .. example.code, "=example", "t", env)
  local problem
  if not chunk then chunk, problem = load(example.code, "=example", "t", env) end
  if not chunk then return problem end
  local results = table.pack(pcall(chunk))
  local wanted = example.expected and example.expected:match "^error:%s*(.*)$"
  if not results[1] then
    local message = tostring(results[2])
    return not (wanted and message:find(wanted, 1, true)) and message or nil
  end
  if wanted then return "no error, expected " .. wanted end
  if not example.expected then return nil end
  local ok, got = holds(example.expected, table.pack(table.unpack(results, 2, results.n)))
  return not ok and ("%s is %s, not %s"):format(example.code, got, example.expected) or nil
end

function TestDocsExamples.test_every_example_holds()
  local folder = support.temporary and support.temporary() or os.tmpname()
  each(function(entry)
    local env = environment(folder)
    unroll.tensor.manual_seed(0)
    for _, example in ipairs(entry.record and entry.record.examples or {}) do
      local problem = run_example(example, env)
      if problem then return problem end
    end
  end)
end

function TestDocsExamples.test_the_comparison_sees_differences()
  lu.assertTrue(same_text("3.1416", "3.14159"))
  lu.assertFalse(same_text("3.15", "3.14159"))
  lu.assertTrue(same_text("tensor float32 (2, 3) ...", "tensor float32 (2, 3)   min 0"))
  lu.assertFalse(same_text("tensor float32 (2, 3)", "tensor float32 (2, 4)"))
  lu.assertFalse(same_text("{1, 2}", "{1, 2, 3}"))
  lu.assertFalse(same_text("{-1, 2}", "{1, 2}"))
  lu.assertFalse(same_text("nothing ... b", "something a b"))
  lu.assertNotNil(run_example({ code = "1 + 1", expected = "3" }, environment "."))
  lu.assertNotNil(run_example({ code = "error 'no'" }, environment "."))
  lu.assertNotNil(run_example({ code = "1", expected = "error: x" }, environment "."))
end

-- Inside modules and derivatives may do without.
local modules_with_examples = { tensor = true, rnn = true, optim = true, text = true, train = true,
  metrics = true, tasks = true, gradcheck = true }

function TestDocsExamples.test_the_functions_of_the_main_modules_have_examples()
  each(function(entry)
    local is_main = modules_with_examples[catalogue.home(entry)]
    local is_callable = entry.kind == "function" or entry.kind == "method"
    local owner = entry.owner and entry.owner.name or ""
    local is_inner = owner:find "Trace$" or owner == "Progress" or owner == "train.progress"
    local is_public = entry.record and is_main and is_callable and not is_inner
    if is_public and #entry.record.examples == 0 then return "no example" end
  end)
end

-- --- help --------------------------------------------------------------------------------------

TestDocsHelp = {}

local function first_line(what)
  return (help.page(what, { width = 80 }):match "^[^\n]*")
end

function TestDocsHelp.test_by_value_and_by_name()
  local matmul = "tensor.matmul(a, b, out) → tensor"
  lu.assertStrContains(first_line(unroll.tensor.matmul), matmul)
  lu.assertStrContains(first_line "tensor.matmul", matmul)
  lu.assertStrContains(first_line "unroll.tensor.matmul()", matmul)
  lu.assertStrContains(first_line "t:matmul", "t:matmul(b, out) → tensor")
  lu.assertStrContains(first_line "matmul", matmul)
  local alias = unroll.optim.clip_norm
  lu.assertStrContains(first_line(alias), "optim.clip_norm(model, max, opts) → number")
  lu.assertStrContains(first_line "model:sample", "model:sample(opts) → string|tensor")
end

function TestDocsHelp.test_modules_classes_and_objects()
  lu.assertStrContains(first_line(unroll.optim), "optim")
  lu.assertStrContains(help.page(unroll.optim, { width = 80 }), "optim.adamw(model, opts)")
  local model = unroll.rnn.lm { vocab = 3, hidden = 2 }
  lu.assertStrContains(help.page(model, { width = 80 }), "model:forward(x, y, state, opts)")
  lu.assertStrContains(help.page(unroll.tensor.ones(2), { width = 80 }), "class unroll.Tensor")
  lu.assertEquals(help.page("Model", { width = 80 }), help.page(model, { width = 80 }))
  lu.assertStrContains(help.page(unroll.plot.figure {}:at(), { width = 80 }), "ax:line(")
end

function TestDocsHelp.test_own_functions_have_the_comment_above_them()
  local path = support.tmpdir() .. "/own.lua"
  support.write_file(path, "--- Doubles.\n---@param x number\n---@return number\n"
    .. "local function double(x) return 2 * x end\nreturn double\n")
  lu.assertStrContains(help.page(dofile(path), { width = 80 }), "double(x) → number\n  Doubles.")
  support.write_file(path, "\n--- Trebles.\nlocal function treble(x) return 3 * x end\n"
    .. "return treble\n") -- edited and run again
  lu.assertStrContains(help.page(dofile(path), { width = 80 }), "treble(x)\n  Trebles.")
end

function TestDocsHelp.test_what_has_no_help()
  local nothing, message = help.page "tensor.matmull"
  lu.assertNil(nothing)
  lu.assertStrContains(message, "Near: tensor.matmul, ")
  lu.assertStrContains(select(2, help.page(string.format)), "manual.html#pdf-string.format")
  lu.assertStrContains(select(2, help.page(42)), "no help for this number")
  lu.assertStrContains(select(2, help.page(function() end)), "no help for this function")
end

function TestDocsHelp.test_near_names()
  local function near(name)
    local names = {}
    for i, entry in ipairs(search.nearest(name)) do names[i] = entry.name end
    return names
  end
  lu.assertEquals(#near "clipnorm", 3)
  lu.assertEquals(near "clipnorm"[1], "optim.clip_norm")
  lu.assertEquals(near "optim.adamm"[1], "optim.adam")
  lu.assertEquals(near "shakspeare"[4], nil)
end

function TestDocsHelp.test_search_ranks_names_before_texts()
  local found = search.words "clip"
  lu.assertTrue(#found > 2)
  lu.assertStrContains(found[1].name, "optim.clip_")
  local at = {}
  for i, entry in ipairs(found) do at[entry.name] = i end
  lu.assertTrue(at["optim.clip_norm"] < at["train.fit"])
  lu.assertEquals(search.words "clip norm"[1].name, "optim.clip_norm")
  lu.assertEquals(#search.words "xyzzy", 0)
end

function TestDocsHelp.test_sources()
  local place, code = help.source(unroll.optim.adam)
  lu.assertStrMatches(place, ".*unroll/optim%.lua:%d+")
  lu.assertStrContains(code, "function optim.adam(model, opts)")
  place, code = help.source "tensor.zeros"
  lu.assertStrMatches(place, "src/bind/create%.c:%d+")
  lu.assertStrContains(code, "A tensor of zeros")
  lu.assertStrContains(select(2, help.source "no.such.name"), "no help for 'no.such.name'")
  lu.assertStrContains(select(2, help.source(3)), "a function expected, got number")
end

function TestDocsHelp.test_options()
  local list = help.options(unroll.optim.adam)
  lu.assertEquals({ list[1].name, list[1].type, list[1].default }, { "lr", "number", "1e-3" })
  lu.assertEquals(help.options(unroll.tensor.full)[1].name, "dtype")
  lu.assertEquals(help.options "rnn.lm"[3].name, "hidden")
  lu.assertEquals(help.options(unroll.tensor.dot), {})
  lu.assertEquals(help.options(print), {})
  lu.assertEquals(help.signature(unroll.tensor.dot), "tensor.dot(a, b) → number")
end

-- Words longer than a line are cut; nothing is wider than the page, at any width.
function TestDocsHelp.test_no_line_is_wider_than_the_page()
  for _, width in ipairs { 40, 60, 80, 100 } do
    each(function(entry)
      for line in page.text(entry, { width = width, colour = false }):gmatch "[^\n]+" do
        if utf8.len(line) > width then return ("%d: %s"):format(width, line) end
      end
    end)
  end
end

function TestDocsHelp.test_colours_only_when_asked_for()
  lu.assertNil(help.page("tensor.matmul", { width = 80 }):find "\27")
  local coloured = help.page("tensor.matmul", { width = 80, colour = true })
  lu.assertStrContains(coloured, "\27[")
  lu.assertEquals((coloured:gsub("\27%[%d*m", "")), help.page("tensor.matmul", { width = 80 }))
end

function TestDocsHelp.test_a_pipe_has_no_pager_and_no_escapes()
  local code = 'require("unroll.help")(unroll.tensor)'
  local output = support.run(("%s -e '%s'"):format(support.quoted_program, code))
  lu.assertStrContains(output, "tensor.matmul(a, b, out)")
  lu.assertNil(output:find "\27")
end

function TestDocsHelp.test_stock_lua_has_the_texts_of_the_c_functions()
  local code = 'print((require("unroll.help").page("tensor.matmul", {width = 80})))'
  local output = support.run(("%s -e '%s'"):format(support.stock_lua, code))
  lu.assertStrContains(output, "Matrix product")
end

-- --- the manual and the stubs ------------------------------------------------------------------

TestDocsManual = {}

local function ids_of(text)
  local ids = {}
  for id in text:gmatch ' id="([^"]+)"' do ids[id] = true end
  return ids
end

function TestDocsManual.test_every_link_leads_somewhere()
  local files, ids, broken = manual.files(), {}, {}
  for _, file in ipairs(files) do ids[file.name] = ids_of(file.text) end
  for _, file in ipairs(files) do
    for target in file.text:gmatch 'href="([^"]+)"' do
      local name, anchor = target:match "^([^#]*)#?(.*)$"
      name = name == "" and file.name or name
      if not ids[name] or anchor ~= "" and not ids[name][anchor] then
        broken[file.name .. " -> " .. target] = true
      end
    end
  end
  lu.assertEquals(broken, {})
end

function TestDocsManual.test_every_entry_stands_on_a_page_and_in_the_index()
  local pages, index = {}, nil
  for _, file in ipairs(manual.files()) do
    pages[file.name] = file.text
    index = file.name == "index.js" and file.text or index
  end
  each(function(entry)
    local name, anchor = html.address(entry):match "^([^#]*)#?(.*)$"
    if not entry.record then return nil end
    if not pages[name] then return "no page " .. name end
    if anchor ~= "" and not pages[name]:find('id="' .. anchor .. '"', 1, true) then
      return "not on " .. name
    end
  end)
  lu.assertStrContains(index, '["optim.clip_norm",')
  lu.assertNil(index:find("</", 1, true))
end

function TestDocsManual.test_the_program_writes_both()
  local folder = support.tmpdir() .. "/documents/deep"
  local output = support.run(("%s --manual '%s'"):format(support.quoted_program, folder))
  lu.assertStrMatches(output, "%d+ files in .*\n")
  lu.assertStrContains(support.read_file(folder .. "/tensor.html"), 'id="tensor.matmul"')
  support.run(("%s --stubs '%s'"):format(support.quoted_program, folder))
  lu.assertNotNil(loadfile(folder .. "/unroll/classes.lua"))
  lu.assertStrContains(support.run(("%s --stubs 2>&1"):format(support.quoted_program)),
    "'--stubs' needs argument")
  local refused = "%s --manual /dev/null/x 2>/dev/null"
  local _, code = support.run(refused:format(support.quoted_program))
  lu.assertEquals(code, 1)
end

-- A stub file is Lua, and says the same as the comments that it was made of.
function TestDocsManual.test_the_stubs_are_lua_and_complete()
  local names = {}
  for _, file in ipairs(stubs.files()) do
    lu.assertNotNil(load(file.text, file.name))
    for _, record in ipairs(parse.file(file.text)) do
      if record.kind == "function" then names[record.name] = #record.params end
    end
  end
  lu.assertEquals(names["tensor.matmul"], 3)
  lu.assertEquals(names["Tensor:matmul"], 2)
  lu.assertEquals(names["Model:forward"], 4)
  lu.assertEquals(names["optim.adam"], 2)
end

-- --- the parser --------------------------------------------------------------------------------

TestDocsParse = {}

function TestDocsParse.test_a_block()
  local record = parse.file([[
--- Says
--- hello.
---
---   code(1)
---@param name? string|fun(a: integer): string who,
--- and more; default "you"
---@param ... any
---@return string text said
--- Errors: none,
--- ever.
--- Source: Nobody, 2000.
--- > f "x"   --> "hello x"
--- > for i = 1, 2 do
--- >> f(i) end
---@see g, h
local function f(name,
    ...)
end]])[1]
  lu.assertEquals(record.text, { { "Says hello." }, { code = { "  code(1)" } } })
  lu.assertEquals(record.params[1], { name = "name", optional = true,
    type = "string|fun(a: integer): string", text = 'who, and more; default "you"' })
  lu.assertEquals(record.returns, { { type = "string", text = "text said" } })
  lu.assertEquals({ record.errors, record.source }, { "none, ever.", "Nobody, 2000." })
  lu.assertEquals(record.examples, { { code = 'f "x"', expected = '"hello x"' },
    { code = "for i = 1, 2 do\nf(i) end" } })
  lu.assertEquals(record.see, { "g", "h" })
  lu.assertEquals({ record.name, record.kind, record.line }, { "f", "function", 16 })
  lu.assertEquals(parse.arguments(record.arguments), { "name", "..." })
end

function TestDocsParse.test_modules_classes_and_option_tables()
  local records = parse.file([[
--- thing: things.
-- More.
local other = require "other"

---@class unroll.ThingOptions
---@field a? integer default 1

--- A thing.
---@class unroll.Thing: unroll.Base
local Thing = {}

return function(x) end
]])
  lu.assertEquals(#records, 3)
  lu.assertEquals({ records[1].kind, records[1].text[1][1] }, { "module", "thing: things. More." })
  lu.assertEquals({ records[2].class, records[2].fields[1].name }, { "unroll.ThingOptions", "a" })
  lu.assertEquals({ records[3].class, records[3].parent, records[3].name },
    { "unroll.Thing", "unroll.Base", "Thing" })
end
