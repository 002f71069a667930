--- display: how models, cells, their parameters and traces look at the prompt.
--
--   lm   65 → tanh 128 → 65   33,217 parameters, float32
--     layer 1   W_xh (128, 65)   W_hh (128, 128)  σmax 1.97  ρ 1.03   b_h (128)
--     head      W_hy (65, 128)   b_y (65)
--
-- σmax is the largest singular value of a square W_hh, ρ its largest |eigenvalue|. They are
-- computed for this text, so only up to `most_units` units: a moment, no more.

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

-- Parameters with their sizes, on as many lines as they need behind `name`.
local function parameter_lines(lines, name, list, how)
  local line, indent = ("  %-10s"):format(name), (" "):rep(12)
  local is_first = true
  for _, entry in ipairs(list) do
    local word = entry.name .. " " .. size_text(entry.tensor)
      .. (entry.name == "W_hh" and spectrum_text(entry.tensor) or "")
    if not is_first and text.width(line) + 3 + text.width(word) > how.width then
      lines[#lines + 1] = line
      line, is_first = indent, true
    end
    line = line .. (is_first and "" or "   ") .. word
    is_first = false
  end
  lines[#lines + 1] = line
end

local function head_line(how, name, chain, list, dtype)
  return ("%s   %s   %s parameters, %s"):format(how.paint("heading", name), chain,
    text.thousands(list.flat:numel()), dtype)
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

--- A model: its sizes, and the parameters of each layer.
function display.model(model, how)
  local lines = { head_line(how, display.kind(model), chain_of(model), model:parameters(),
    model.dtype) }
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
    ("%d → %d"):format(cell.input, cell.hidden), cell:parameters(), cell.dtype) }
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
    head = { "name", "size", "norm", "max |x|" }, rows = rows,
  }, how.width)
end

-- First and last of the norms of dL/dh_t, when a backward pass has left them.
local function gradient_line(lines, name, norms)
  local T = norms:numel()
  lines[#lines + 1] = ("  %-10s|∂L/∂h|  %.3g at step 1   %.3g at step %d"):format(name,
    norms[1], norms[T], T)
end

--- The trace of a cell.
function display.trace(trace, how)
  local lines = { ("%s   %s %d, T = %s, B = %s"):format(how.paint("heading", "trace"),
    trace.cell.name, trace.cell.hidden, tostring(trace.T), tostring(trace.B)) }
  if trace.has_norms then gradient_line(lines, "", trace:state_gradient_norms()) end
  return table.concat(lines, "\n")
end

--- The trace of a model.
function display.model_trace(trace, how)
  local model = trace.model
  local lines = { ("%s   %s, T = %s, B = %s"):format(how.paint("heading", "trace"),
    chain_of(model), tostring(trace.T), tostring(trace.B)) }
  if trace.loss then lines[1] = lines[1] .. ("   loss %.4g"):format(trace.loss) end
  for l = 1, math.min(#trace.layers, most_layers) do
    if trace.layers[l].has_norms then
      gradient_line(lines, "layer " .. l, trace:state_gradient_norms(l))
    end
  end
  return table.concat(lines, "\n")
end

return display
