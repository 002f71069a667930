--- display: how models, cells, their parameters and traces look at the prompt.
--
--   lm   65 → tanh 128 → 65   33,217 parameters, float32
--     layer 1   W_xh (128, 65)   W_hh (128, 128)  σmax 1.97  ρ 1.03   b_h (128)
--     head      W_hy (65, 128)   b_y (65)
--
-- σmax is the largest singular value of a square W_hh, ρ its largest |eigenvalue|. They are
-- computed for this text, so only up to `most_units` units: a moment, no more.

local cell_options = require "unroll.rnn.cell_options"
local text = require "unroll.display.text"
local protected = require "unroll.protected"

local display = {}

local most_units <const>, most_layers <const> = 256, 8

local function size_text(t)
  return "(" .. table.concat(t:size(), ", ") .. ")"
end

local function spectrum_text(t)
  if t:dim() ~= 2 or t:size(1) ~= t:size(2) or t:size(1) > most_units then return "" end
  local ok, found = protected(require("unroll.diagnostics.spectrum").spectrum, t)
  if ok then return ("  σmax %.3g  ρ %.3g"):format(found.sigma_max, found.radius) end
  return tostring(found):find "NaN" and "  not finite" or ""
end

-- Parameters with their sizes behind `name`, on as many lines as they need.
local function parameter_lines(lines, name, list, how)
  local pieces = {}
  for i, entry in ipairs(list) do
    pieces[i] = entry.name .. " " .. size_text(entry.tensor)
      .. (entry.name == "W_hh" and spectrum_text(entry.tensor) or "")
  end
  pieces[1] = (name == "" and "  " or ("  %-10s"):format(name)) .. pieces[1]
  lines[#lines + 1] = text.join(pieces, how.width, how.width < 60 and 4 or 12)
end

local function sizes_of(list, dtype)
  return ("%s, %s"):format(text.count(list.flat:numel(), "parameter"), dtype)
end

-- "gates i f g o", nil for a cell without.
local function gates_text(d)
  return d.gates[1] and "gates " .. table.concat(d.gates, " ") or nil
end

-- Name, sizes and what the cell has: gates, options.
local function head_line(how, name, chain, object)
  local pieces = { how.paint("heading", name), chain }
  pieces[#pieces + 1] = gates_text(object.definition)
  pieces[#pieces + 1] = cell_options.text(object.definition)
  pieces[#pieces + 1] = sizes_of(object:parameters(), object.dtype)
  return text.join(pieces, how.width, 2)
end

-- The options of a cell before what follows in a line.
local function options_before(d)
  local found = cell_options.text(d)
  return found and found .. "   " or ""
end

--- What a model is called in texts: a language model predicts its own inputs.
---@param model unroll.Model
---@return string "lm" or "model"
function display.kind(model)
  return model.head == "softmax" and model.input == model.output and "lm" or "model"
end

local function chain_of(model)
  local cell = ("%s %d"):format(model.cell, model.hidden)
  if #model.layers > 1 then cell = ("%d × %s"):format(#model.layers, cell) end
  local output = model.head == "softmax" and "%d" or "%d (linear)"
  return ("%d → %s → %s"):format(model.input, cell, output:format(model.output))
end

--- A model in one line.
---@param model unroll.Model
---@return string
function display.model_line(model)
  return ("%s   %s   %s%s"):format(display.kind(model), chain_of(model),
    options_before(model.definition), sizes_of(model:parameters(), model.dtype))
end

--- A cell in one line.
---@param cell unroll.Cell
---@return string
function display.cell_line(cell)
  return ("cell %s   %d → %d   %s%s"):format(cell.name, cell.input, cell.hidden,
    options_before(cell.definition), sizes_of(cell:parameters(), cell.dtype))
end

--- A model: its sizes, and the parameters of each layer.
function display.model(model, how)
  local lines = { head_line(how, display.kind(model), chain_of(model), model) }
  local shown = math.min(#model.layers, most_layers)
  for l = 1, shown do
    parameter_lines(lines, "layer " .. l, model.layers[l]:parameters(), how)
  end
  if shown < #model.layers then
    lines[#lines + 1] = ("  … %d more layers"):format(#model.layers - shown)
  end
  local values = model:parameters()
  parameter_lines(lines, "head", { { name = "W_hy", tensor = values.W_hy },
    { name = "b_y", tensor = values.b_y } }, how)
  return table.concat(lines, "\n")
end

--- A cell: its sizes and its parameters.
function display.cell(cell, how)
  local lines = { head_line(how, "cell " .. cell.name,
    ("%d → %d"):format(cell.input, cell.hidden), cell) }
  parameter_lines(lines, "", cell:parameters(), how)
  return table.concat(lines, "\n")
end

--- A list of parameters or gradients: name, sizes, norm and largest element of each.
function display.parameters(list, how)
  local rows = {}
  for i, entry in ipairs(list) do
    local t = entry.tensor
    rows[i] = { entry.name, size_text(t), ("%.4g"):format(t:norm()),
      ("%.4g"):format(t:numel() > 0 and t:abs():max() or 0) }
  end
  local title = ("%s   %s numbers, %s\n"):format(how.paint("heading", ("%d tensors"):format(#list)),
    text.thousands(list.flat:numel()), list.flat:dtype())
  return title .. require("unroll.experiment.texttable").format({
    head = { "name", "size", "norm", "largest" }, rows = rows,
  }, how.width)
end

-- First and last of the norms of dL/dh_t, when a backward pass has left them.
local function gradient_line(lines, name, norms, how)
  local T = norms:numel()
  lines[#lines + 1] = text.join({ (name == "" and "  " or ("  %-10s"):format(name)) .. "|∂L/∂h|",
    ("%.3g at step 1"):format(norms[1]), ("%.3g at step %d"):format(norms[T], T) }, how.width, 4)
end

--- The trace of a cell.
function display.trace(trace, how)
  local lines = { text.join({ how.paint("heading", "trace"),
    ("%s %d"):format(trace.cell.name, trace.cell.hidden),
    ("T = %s, B = %s"):format(tostring(trace.T), tostring(trace.B)) }, how.width, 2) }
  if trace.has_norms then gradient_line(lines, "", trace:state_gradient_norms(), how) end
  return table.concat(lines, "\n")
end

--- The trace of a model.
function display.model_trace(trace, how)
  local model = trace.model
  local lines = { text.join({ how.paint("heading", "trace"), chain_of(model),
    ("T = %s, B = %s"):format(tostring(trace.T), tostring(trace.B)),
    trace.loss and ("loss %.4g"):format(trace.loss) }, how.width, 2) }
  for l = 1, math.min(#trace.layers, most_layers) do
    if trace.layers[l].has_norms then
      gradient_line(lines, "layer " .. l, trace:state_gradient_norms(l), how)
    end
  end
  return table.concat(lines, "\n")
end

return display
