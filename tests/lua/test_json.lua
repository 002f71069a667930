-- unroll.json: the same data gives the same text, and the text gives the data back.

local lu = require "luaunit"
local support = require "support"
local json = require "unroll.json"

TestEncode = {}

function TestEncode.test_numbers_read_back_as_the_same_number()
  local numbers = { 0, 1, -1, math.maxinteger, math.mininteger, 0.1, 1 / 3, 3.0, -0.0,
    1e300, 5e-324, 1.7976931348623157e308, 2.5e-8, 123456789.0, 2 ^ 53 + 2 }
  local back = json.decode(json.encode(numbers))
  for i, number in ipairs(numbers) do
    lu.assertEquals(string.pack("n", back[i]), string.pack("n", number))
    lu.assertEquals(math.type(back[i]), math.type(number))
  end
end

function TestEncode.test_the_fewest_digits()
  lu.assertEquals(json.encode({ 0.1, 2.5, 3.0, 3, 1e300 }), "[0.1, 2.5, 3.0, 3, 1e+300]\n")
end

function TestEncode.test_keys_are_sorted()
  local names = {}
  for i = 1, 50 do names[("key%02d"):format((i * 37) % 50)] = i end
  local last = ""
  for key in json.encode(names):gmatch('"(key%d+)"') do
    lu.assertTrue(last < key)
    last = key
  end
  lu.assertEquals(last, "key49")
end

function TestEncode.test_layout()
  local text = json.encode { b = { 1, 2 }, a = { x = true, y = { { 1 }, { "z" } } } }
  lu.assertEquals(text, [[
{
  "a": {
    "x": true,
    "y": [
      [1],
      ["z"]
    ]
  },
  "b": [1, 2]
}
]])
end

function TestEncode.test_long_lists_fill_lines()
  local list = {}
  for i = 1, 200 do list[i] = i / 7 end
  local lines = 0
  for line in json.encode(list):gmatch("[^\n]+") do
    lines = lines + 1
    lu.assertTrue(#line <= 88, line)
  end
  lu.assertTrue(lines < 60, "one number a line wastes " .. lines .. " lines")
end

function TestEncode.test_strings()
  local text = 'quote " slash \\ line\n tab\t nul\0 del\127 é ∂ 𝄞'
  lu.assertEquals(json.decode(json.encode { text })[1], text)
  lu.assertEquals(json.encode("a\1b\n"), '"a\\u0001b\\n"\n')
end

function TestEncode.test_null_keeps_places()
  lu.assertEquals(json.encode { 1, json.null, 3 }, "[1, null, 3]\n")
  lu.assertEquals(json.encode({ 1, 0 / 0, math.huge }, { nan = "null" }), "[1, null, null]\n")
  local back = json.decode("[1, null, 3]", { null = json.null })
  lu.assertIs(back[2], json.null)
  lu.assertEquals(#back, 3)
end

function TestEncode.test_what_cannot_be_expressed_is_named_with_its_path()
  local knot = {}
  knot.inner = { knot }
  local cases = {
    { "value.curve[2] is NaN", { curve = { 1, 0 / 0 } } },
    { "value.x is infinite", { x = math.huge } },
    { "value.f is a function", { f = print } },
    { "value is neither a list", { 1, 2, x = 3 } },
    { "value is neither a list", { [1] = 1, [3] = 3 } },
    { "value.inner[1] contains itself", knot },
    { "value[1] is no valid UTF-8 (byte 3)", { "ab\xff" } },
  }
  for _, case in ipairs(cases) do support.raises(case[1], json.encode, case[2]) end
end

function TestEncode.test_a_table_may_occur_twice()
  local shared = { 1 }
  lu.assertEquals(json.decode(json.encode { a = shared, b = shared }).b, { 1 })
end

TestDecode = {}

function TestDecode.test_bad_text_gives_a_message_with_its_place()
  for _, text in ipairs { "", "{", "nul", "[1,2", "{'a': 1}", "-", "NaN" } do
    local value, message = json.decode(text)
    lu.assertNil(value)
    lu.assertStrContains(message, "json.decode: ")
  end
  local _, message = json.decode('{\n  "a": x}')
  lu.assertStrContains(message, "line 2, column 8")
end

function TestDecode.test_text_after_the_value()
  lu.assertEquals({ json.decode("1 2") }, { nil, "json.decode: text after the value, byte 3" })
  lu.assertEquals(json.decode(" [1] \n"), { 1 })
end

function TestDecode.test_deep_nesting_is_an_error_not_a_crash()
  local value, message = json.decode(("["):rep(300000))
  lu.assertNil(value)
  lu.assertStrContains(message, "nested too deep")
end

function TestDecode.test_tables_are_plain()
  lu.assertNil(getmetatable(json.decode("{}")))
  lu.assertNil(getmetatable(json.decode("[]")))
end

function TestDecode.test_wrong_call()
  support.raises("text must be a string, got nil", json.decode)
end
