--- The report for the terminal and for viewers of Markdown.
local texttable = require "unroll.experiment.texttable"
local verdicts = require "unroll.report.verdicts"

local markdown = {}

local function code_block(text) return "```\n" .. text .. "\n```\n" end

local function numbers_of(verdict)
  local lines = {}
  for _, n in ipairs(verdicts.numbers(verdict)) do
    lines[#lines + 1] = ("  - %s%s: %s%s, threshold %s"):format(n.conditional and "if: " or "",
      n.statistic, n.number, n.spread and (" (%s)"):format(n.spread) or "", n.threshold)
  end
  return lines
end

local function add_statement(out, verdict)
  out[#out + 1] = ("- **%s. %s** %s"):format(verdict.id, verdict.statement,
    verdicts.words(verdict):upper())
  out[#out + 1] = "  " .. verdict.why
  for _, line in ipairs(numbers_of(verdict)) do out[#out + 1] = line end
end

-- The document's numbers beside ours.
local function number_table(list)
  local rows = {}
  for _, verdict in ipairs(list) do
    local n = verdicts.numbers(verdict)[1]
    rows[#rows + 1] = { verdict.id, verdict.document, n and n.number,
                        verdicts.words(verdict) }
  end
  return { title = "The document's tables", head = { "number", "doc.", "ours", "verdict" },
           rows = rows }
end

local function add_experiment(out, entry)
  local e, record, times = entry.experiment, entry.record, entry.times
  out[#out + 1] = ("\n## %s\n\n%s\n"):format(e.title, e.question)
  if e.answer then out[#out + 1] = e.answer(record.results, record.config) .. "\n" end
  for _, name in ipairs(entry.figures) do
    out[#out + 1] = ("![%s](%s.png)\n"):format(name, name)
  end
  for _, t in ipairs(e.tables and e.tables(record.results, record.config) or {}) do
    out[#out + 1] = code_block(texttable.format(t))
  end
  if not (times and e.time_tables) then return end
  for _, t in ipairs(e.time_tables(times.times, record.results, record.config)) do
    out[#out + 1] = code_block(texttable.format(t))
  end
end

--- Writes the report.
---@param content table see html.lua
---@return string
function markdown.format(content)
  local out = { "# " .. content.title .. "\n", content.lead .. "\n", "## Verdicts\n" }
  for _, verdict in ipairs(content.statements) do add_statement(out, verdict) end
  out[#out + 1] = "\n" .. code_block(texttable.format(number_table(content.numbers)))
  for _, entry in ipairs(content.entries) do add_experiment(out, entry) end
  out[#out + 1] = "\n## Machine\n"
  for _, row in ipairs(content.machine) do out[#out + 1] = ("- %s: %s"):format(row[1], row[2]) end
  return table.concat(out, "\n") .. "\n"
end

return markdown
