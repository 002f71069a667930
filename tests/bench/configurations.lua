-- configurations.lua -- the networks that are measured: hidden size H, window T, batch B; 65
-- symbols. a-c learn with Adagrad and clips by value, d-g with Adam and a clip of the norm.
local configurations = {
  { name = "a", H = 25, T = 15, B = 1, optimizer = "adagrad" },
  { name = "b", H = 50, T = 25, B = 1, optimizer = "adagrad" },
  { name = "c", H = 100, T = 35, B = 1, optimizer = "adagrad" },
  { name = "d", H = 128, T = 50, B = 32, optimizer = "adam" },
  { name = "e", H = 256, T = 50, B = 64, optimizer = "adam" },
  { name = "f", H = 512, T = 100, B = 64, optimizer = "adam" },
  { name = "g", H = 1024, T = 64, B = 64, optimizer = "adam" },
}

local V = 65
local gates = { tanh = 1, relu = 1, lstm = 4, gru = 3 }

--- Floating-point operations for a character: forward, backward and weight gradients of the
--- recurrence and of the read-out; the rows of the input matrix are only picked.
function configurations.flops(cell, H) return gates[cell] * 6 * H * H + 6 * H * V end

--- Numbers that a network learns (a gru has H more).
function configurations.parameters(cell, H)
  return gates[cell] * (V * H + H * H + H) + H * V + V
end

--- Numbers of W_hh.
function configurations.recurrent(cell, H) return gates[cell] * H * H end

--- Bytes of the float32 weights that a step forward reads: the recurrent matrix, the row of a
--- token, the read-out.
function configurations.weight_bytes(cell, H)
  return 4 * (gates[cell] * (H * H + H) + H * V)
end

--- The cells that this build has.
function configurations.has_cell(cell)
  return (pcall(require("unroll").rnn.cell, cell, { input = 2, hidden = 2 }))
end

--- The cells of a list of cases that are absent, as a sentence; "" when none is.
function configurations.left_out(cases)
  local cells, seen = {}, {}
  for _, case in ipairs(cases) do
    if case.absent and not seen[case.cell] then cells[#cells + 1] = case.cell end
    seen[case.cell] = true
  end
  table.sort(cells)
  return #cells == 0 and "" or " Left out, because this build has no such cell: "
    .. table.concat(cells, ", ") .. "."
end

return configurations
