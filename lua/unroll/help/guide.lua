--- guide: what help() prints.

local layout = require "unroll.help.layout"

local guide = {}

local sections = {
  { "Ask", {
    { "?name  help(x)", "a function, method, module, class or object; by name or by value" },
    { "??name", "its source" },
    { 'apropos "clip"', "names and texts with a word" },
    { "tour()", "ten minutes: tensors, a cell, training, a figure" },
  } },
  { "At hand", {
    { "tensor", "arrays of numbers: tensor{{1, 2}, {3, 4}}, tensor.zeros(2, 3), a:matmul(b)" },
    { "rnn", "cells and models: rnn.lm{cell = \"tanh\", vocab = 65, hidden = 128}" },
    { "optim", "optimisers and clipping: optim.adam(model, {lr = 1e-3})" },
    { "text", "corpora and vocabularies: text.corpus \"shakespeare\", or a path" },
    { "train", "fit and evaluate: train.fit(model, corpus, {steps = 2000, window = 50})" },
    { "plot", "figures: plot.line(y), plot.figure{rows = 2}" },
    { "experiment", "many runs at once: experiment.sweep{cases =, run =}" },
    { "and", "diagnostics, gradcheck, tasks, metrics; help(unroll) lists all" },
  } },
  { "The prompt", {
    { "Tab", "completes names, methods, file names and option keys" },
    { "_  __", "the last results; a ; at the end of a line silences it" },
    { "Ctrl-C", "stops what runs and keeps all values; Ctrl-D leaves" },
    { "%time  %timeit  %who", "commands of the prompt; % alone lists them" },
  } },
}

--- The guide as a page.
---@param o table width, colour
---@return string
function guide.text(o)
  local lines = {}
  for i, section in ipairs(sections) do
    if i > 1 then lines[#lines + 1] = "" end
    lines[#lines + 1] = layout.styled(section[1], "heading", o.colour)
    layout.put(lines, layout.columns(section[2], o.width, "  ", o.colour))
  end
  return table.concat(lines, "\n")
end

return guide
