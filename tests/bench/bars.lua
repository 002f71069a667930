-- bars.lua -- peers side by side in groups, as shares of a limit that is drawn as a line.

local bars = {}

--- Draws them. Peers keep their colours in all figures, also when others are missing.
---@param ax unroll.Axes
---@param names string[] one a group
---@param peers table[] label, color (number in the palette), shares: a list, one a group, false
--- where there is none
---@param limit string the words at the line
function bars.draw(ax, names, peers, limit)
  local series, labels, colors = {}, {}, {}
  for i, peer in ipairs(peers) do
    series[i], labels[i], colors[i] = peer.shares, peer.label, peer.color
  end
  local single = #peers == 1
  ax:bar(names, series, { labels = labels, color = single and colors[1] or nil,
                          colors = not single and colors or nil })
    :hline(1, { label = "limit: " .. limit })
    :set { yformat = "percent" }
end

return bars
