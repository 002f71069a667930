--- builtin: what C does not say of the cells written in C: names of gates, options, how
-- biases start. The fields are those of a cell written in Lua (definition.lua), and
--   core         function(options) -> the name of the descriptor in C; without it the cell's
--   second_bias  { n = "b_hn" }: in PyTorch's files block n of bias_hh is this parameter;
--                the other blocks are added to b_h
-- A cell that is not here, as "tanh", has neither gates by name nor options.

return {
  lstm = {
    gates = { "i", "f", "g", "o" },
    keep = "f", write = "i",
    options = { { name = "forget_bias", default = 1 } },
    biases = function(options) return { f = options.forget_bias } end,
  },
  gru = {
    gates = { "r", "z", "n" },
    keep = "z",
    options = { { name = "reset", default = "after", choices = { "after", "before" } } },
    core = function(options) return options.reset == "before" and "gru_before" or "gru" end,
    second_bias = { n = "b_hn" },
  },
  gru_before = { variant_of = "gru" }, -- rnn.cell("gru", { reset = "before" })
}
