-- Every file in plot/marks draws: a new kind of chart needs a line in the table below.

local lu = require "luaunit"
local unroll = require "unroll"
local resource = require "unroll.resource"

-- A simple call of each, and what is no chart but shared by some.
local calls = {
  band = function(ax) ax:band({ 1, 2 }, { 1, 2 }, { 2, 3 }, { label = "l" }) end,
  bar = function(ax) ax:bar({ "a", "b" }, { 1, 2 }, { label = "l" }) end,
  box = function(ax) ax:box({ "a", "b" }, { { 1, 2, 3 }, { 2, 3, 9 } }) end,
  diagonal = function(ax) ax:line({ 1, 2 }):diagonal(1, 0, { label = "l" }) end,
  ecdf = function(ax) ax:ecdf({ 3, 1, 2 }, { label = "l" }) end,
  errorbar = function(ax) ax:errorbar({ 1, 2 }, { 1, 2 }, { yerr = 0.5 }) end,
  heatmap = function(ax) ax:heatmap({ { 1, 2 }, { 3, 4 } }, { label = "l" }) end,
  hist = function(ax) ax:hist({ 1, 2, 2, 3 }, { label = "l" }) end,
  hline = function(ax) ax:hline(1, { label = "l" }) end,
  line = function(ax) ax:line({ 1, 2 }, { 1, 2 }, { label = "l" }) end,
  note = function(ax) ax:line({ 1, 2 }):note("n", 1, 1) end,
  scatter = function(ax) ax:scatter({ 1, 2 }, { 1, 2 }, { label = "l" }) end,
  smooth = function(ax) ax:smooth({ 1, 2, 3 }, { label = "l" }) end,
  span = function(ax) ax:span(1, 2, { label = "l" }) end,
  stem = function(ax) ax:stem({ 1, 0, -1 }, { label = "l" }) end,
  violin = function(ax) ax:violin({ "a", "b" }, { { 1, 2, 3 }, { 2, 3, 9 } }) end,
  vline = function(ax) ax:vline(1, { label = "l" }) end,
}
local shared = { common = true }

TestEveryMark = {}

function TestEveryMark.test_the_table_has_the_marks_of_the_folder()
  local found = {}
  for _, file in ipairs(resource.list("plot/marks")) do
    local name = file:match("^(.+)%.lua$")
    if not shared[name] then
      found[name] = true
      lu.assertNotNil(calls[name], ("no call for plot/marks/%s in this test"):format(file))
    end
  end
  for name in pairs(calls) do lu.assertTrue(found[name], name .. " has no file") end
end

for name, call in pairs(calls) do
  TestEveryMark[("test_%s_draws"):format(name)] = function()
    local fig = unroll.plot.figure()
    local empty = fig:render("svg")
    call(fig:at())
    local marks = {}
    for _, mark in ipairs(fig:at().panel.marks) do marks[mark.name] = true end
    lu.assertTrue(marks[name])
    lu.assertNotEquals(fig:render("svg"), empty)
    lu.assertEquals(fig:render("png"):sub(2, 4), "PNG")
  end
end
