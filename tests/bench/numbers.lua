-- numbers.lua -- medians of rounds, and numbers as the tables show them.
local numbers = {}

--- The median of a list; nil when it is empty.
function numbers.median(list)
  local sorted = table.move(list, 1, #list, 1, {})
  if #sorted == 0 then return nil end
  table.sort(sorted)
  local middle = (#sorted + 1) // 2
  return #sorted % 2 == 1 and sorted[middle] or (sorted[middle] + sorted[middle + 1]) / 2
end

--- The median over the rounds of a / b, which were measured side by side.
function numbers.ratio(a, b)
  local list = {}
  for i = 1, math.min(a and #a or 0, b and #b or 0) do list[i] = a[i] / b[i] end
  return numbers.median(list)
end

--- Whether a limit is kept, for a column of the tables.
function numbers.verdict(good) return good and "within" or "NOT within" end

--- The same for x at most `limit`, with the limit as `show` writes it.
function numbers.at_most(x, limit, show)
  return ("%s %s"):format(numbers.verdict(x <= limit), show(limit))
end

--- Three digits and a letter: 1.35M, 420k.
function numbers.short(x)
  if not x then return "–" end
  for _, unit in ipairs { { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } } do
    if x >= unit[1] then return ("%.3g%s"):format(x / unit[1], unit[2]) end
  end
  return ("%.3g"):format(x)
end

function numbers.times(x)
  return x and (x < 1000 and "%.3gx" or "%.0fx"):format(x) or "–"
end

function numbers.percent(x) return x and ("%.1f %%"):format(100 * x) or "–" end

function numbers.seconds(x)
  if not x then return "–" end
  if x >= 1 then return ("%.2f s"):format(x) end
  if x >= 1e-3 then return ("%.3g ms"):format(1e3 * x) end
  if x >= 1e-6 then return ("%.3g us"):format(1e6 * x) end
  return ("%.3g ns"):format(1e9 * x)
end

function numbers.bytes(x)
  if not x then return "–" end
  return x >= 1 << 20 and ("%.1f MiB"):format(x / (1 << 20)) or ("%.0f B"):format(x)
end

return numbers
