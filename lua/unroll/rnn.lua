--- rnn: recurrent cells and the models made of them.
--
--   local model = rnn.lm { cell = "tanh", vocab = 65, hidden = 128 }
--   local loss, state, trace = model:forward(x, y, state)
--   model:backward(trace)
--
-- A cell is one layer; a model is a stack of cells with a read-out and a loss. Sequences
-- have the shape (T,B,I), time first, then batch; tokens (T,B) int32 from 1 on. A state is a
-- table of tensors (B,H) by name: state.h, for "lstm" also state.c. forward keeps a trace,
-- backward walks it back and adds to the gradients, which only zero_gradients clears. The
-- sweeps run in C.

local cell = require "unroll.rnn.cell"
local definition = require "unroll.rnn.definition"
local file = require "unroll.rnn.file"
local model = require "unroll.rnn.model"

local rnn = {}

rnn.cell = cell.new
rnn.model = model.new
rnn.lm = model.lm
rnn.load = file.load

--- Makes a cell written in Lua known by its name, for `rnn.cell`, `rnn.lm` and `rnn.load`.
---
--- A definition has name, states, gates, step and step_grad; examples/own_cell.lua is a complete
--- one, and the top of lua/unroll/rnn/definition.lua describes all forms.
---@param def table
--- Errors: a malformed definition; the name of a built-in cell.
--- > rnn.register{name = "tanh"}   --> error: tanh
---@see rnn.cells tensor.vjp gradcheck
function rnn.register(def)
  definition.register(def, 2)
end

--- The names of the cells that are known: built in, in lua/unroll/cells, registered.
---@return string[]
--- > table.concat(rnn.cells(), " "):find "lstm" ~= nil   --> true
---@see rnn.cell rnn.register
function rnn.cells()
  return definition.names()
end

return rnn
