-- Option tables: defaults, required ones, unknown names with the nearest known one.

local lu = require "luaunit"
local support = require "support"
local options = require "unroll.options"

TestOptions = {}

local accepted = { "dtype", lr = 0.1, hidden = options.required }

function TestOptions.test_defaults_are_filled_in_a_new_table()
  local given = { hidden = 3, lr = 0.5 }
  local o = options.check(given, accepted, "f")
  lu.assertEquals(o, { hidden = 3, lr = 0.5 })
  lu.assertFalse(rawequal(o, given))
  lu.assertEquals(options.check({ hidden = 1 }, accepted, "f").lr, 0.1)
  lu.assertEquals(options.check(nil, { x = false }, "f"), { x = false })
end

function TestOptions.test_unknown_names()
  support.raises("f: unknown option 'hiden'. Did you mean 'hidden'?", options.check,
    { hiden = 1 }, accepted, "f")
  support.raises("Did you mean 'dtype'?", options.check, { dytpe = 1 }, accepted, "f")
  support.raises("unknown option 'colour'. There are: dtype, hidden, lr.", options.check,
    { colour = 1 }, accepted, "f")
  support.raises("f: unknown option '1'", options.check, { "hidden" }, accepted, "f")
end

function TestOptions.test_required_and_wrong_tables()
  support.raises("f: option 'hidden' is required", options.check, {}, accepted, "f")
  support.raises("f: options 'a', 'b' are required", options.check, { c = 1 },
    { a = options.required, b = options.required, c = options.required }, "f")
  support.raises("f: options must be a table, got number", options.check, 3, accepted, "f")
  support.raises("f: options must be a table, got unroll.Figure", options.check,
    require("unroll").plot.figure {}, accepted, "f")
end

function TestOptions.test_errors_point_at_the_caller()
  local function public(opts) return (options.check(opts, accepted, "public")) end
  local line = debug.getinfo(1, "l").currentline + 1
  local _, message = pcall(function() local o = public { nope = 1 } return o end)
  lu.assertStrContains(message, ("test_options.lua:%d:"):format(line))
end

function TestOptions.test_nearest()
  local names = { "adam", "adamw", "adagrad", "sgd" }
  lu.assertEquals(options.nearest("adma", names), "adam")
  lu.assertEquals(options.nearest("ADAM", names), "adam")
  lu.assertEquals(options.nearest("adagard", names), "adagrad")
  lu.assertNil(options.nearest("momentum", names))
  lu.assertNil(options.nearest("x", {}))
end

function TestOptions.test_shown()
  lu.assertEquals(options.shown(0 / 0), "nan")
  lu.assertEquals(options.shown(-(0 / 0)), "nan")
  lu.assertEquals(options.shown(-math.huge), "-inf")
  lu.assertEquals(options.shown("5"), "the string '5'")
  lu.assertEquals(options.shown(nil), "nil")
end

function TestOptions.test_integer_and_choice()
  lu.assertEquals(math.type(options.integer(3.0, "n", "f")), "integer")
  for _, bad in ipairs { 0, 2.5, "3", 0 / 0, math.huge } do
    support.raises("f: n must be an integer of at least 1, got", options.integer, bad, "n", "f")
  end
  support.raises("got the string '3'", options.integer, "3", "n", "f")
  support.raises("f: n must be an integer, got 0.5", options.integer, 0.5, "n", "f",
    math.mininteger)
  lu.assertEquals(options.choice("mean", { "mean", "sum" }, "reduction", "f"), "mean")
  support.raises("f: reduction is 'maen'. Did you mean 'mean'?", options.choice, "maen",
    { "mean", "sum" }, "reduction", "f")
  support.raises("f: reduction is 'nil'. There are: mean, sum.", options.choice, nil,
    { "mean", "sum" }, "reduction", "f")
end
