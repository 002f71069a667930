--- display: how the history of a training looks at the prompt.
--
--   history   2,000 steps   loss 4.17 → 1.84   best val 1.911 at step 1,900
--     loss █▆▅▄▃▃▂▂▂▂▁▁▁▁▁▁▁▁▁▁   |∇| ▂█▅▃▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁
--     3 % of the steps clipped   2.6 s   1.21M symbols/s

local progress = require "unroll.train.progress"
local text = require "unroll.display.text"

local bars = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local most_cells <const> = 30

-- The means of equal parts of a series, between its lowest (▁) and highest (█) one.
local function sparkline(series, cells)
  local n, means, low, high = series:numel(), {}, math.huge, -math.huge
  cells = math.min(cells, n)
  for c = 1, cells do
    local first, last = (c - 1) * n // cells + 1, c * n // cells
    means[c] = series:narrow(1, first, last - first + 1):mean()
    low, high = math.min(low, means[c]), math.max(high, means[c])
  end
  for c, mean in ipairs(means) do
    local share = high > low and (mean - low) / (high - low) or 0
    means[c] = bars[share == share and math.min(math.floor(share * 8) + 1, 8) or 1]
  end
  return table.concat(means)
end

--- The text of a history.
---@param history unroll.History
---@param how table see unroll.display
---@return string
return function(history, how)
  local stop = history.stop == "steps" and "" or (" (%s)"):format(history.stop)
  local head = { how.paint("heading", "history"), text.count(history.steps, "step") .. stop }
  if history.steps == 0 then return text.join(head, how.width, 2) end
  head[3] = ("loss %.4g → %.4g"):format(history.loss[1], history.loss[history.steps])
  head[4] = history.best and ("best val %.4g at step %s"):format(history.best.loss,
    text.thousands(history.best.step))
  local cells = math.max(4, math.min(most_cells, (how.width - 22) // 2))
  return table.concat({
    text.join(head, how.width, 2),
    ("  loss %s   |∇| %s"):format(sparkline(history.loss, cells),
      sparkline(history.gradient_norm, cells)),
    text.join({ ("  %.0f %% of the steps clipped"):format(100 * history.clipped),
      progress.duration(history.duration),
      progress.rate(history.chars_per_second) .. " symbols/s" }, how.width, 2),
  }, "\n")
end
