--- The report for the terminal and for viewers of Markdown: lines of at most 80 characters.
local method = require "unroll.report.method"
local texttable = require "unroll.experiment.texttable"
local verdicts = require "unroll.report.verdicts"

local markdown = {}

local most = 80

-- Words as lines, the later ones indented.
local function add(out, text, first, later)
  local lines = texttable.wrap(text, most - #first, most - #(later or first))
  for i, line in ipairs(lines) do
    out[#out + 1] = (i == 1 and first or later or first) .. line
  end
end

local function add_table(out, t)
  out[#out + 1] = "```"
  out[#out + 1] = texttable.format(t, most)
  out[#out + 1] = "```\n"
end

local function add_numbers(out, verdict)
  for _, n in ipairs(verdicts.numbers(verdict)) do
    add(out, ("- %s%s: %s%s, threshold %s%s"):format(n.conditional and "if: " or "",
      n.statistic, n.number, n.spread and (" (%s)"):format(n.spread) or "", n.threshold,
      n.expected and ", expected " .. n.expected or ""), "  ", "    ")
  end
end

local function add_statement(out, verdict)
  local name = tonumber(verdict.id) and verdict.id .. ". "
    or verdict.document and verdict.id .. ": " or ""
  add(out, ("- **%s%s** %s"):format(name, verdict.statement, verdicts.words(verdict):upper()),
      "", "  ")
  add(out, verdict.why, "  ")
  add_numbers(out, verdict)
  if verdict.source then add(out, "Source: " .. verdict.source .. ".", "  ") end
  if verdict.history then add(out, "Changed: " .. verdict.history, "  ") end
end

-- The document's numbers beside ours.
local function number_table(list)
  local rows = {}
  for _, verdict in ipairs(list) do
    local n = verdicts.numbers(verdict)[1]
    rows[#rows + 1] = { verdict.id, verdicts.document(verdict), n and n.number,
                        verdict.verdict }
  end
  return { title = "The document's tables",
           head = { "number", "document", "ours", "verdict" }, rows = rows }
end

local function add_experiment(out, entry)
  local e, record, times = entry.experiment, entry.record, entry.times
  out[#out + 1] = ("\n## %s\n"):format(e.title)
  add(out, e.question, "")
  out[#out + 1] = ""
  if e.answer then
    add(out, e.answer(record.results, record.config), "")
    out[#out + 1] = ""
  end
  for _, name in ipairs(entry.figures) do
    out[#out + 1] = ("![%s](%s.png)\n"):format(e.title, name)
  end
  for _, t in ipairs(e.tables and e.tables(record.results, record.config) or {}) do
    add_table(out, t)
  end
  if not (times and e.time_tables) then return end
  for _, t in ipairs(e.time_tables(times.times, record.results, record.config)) do
    add_table(out, t)
  end
end

local function show(value)
  return type(value) == "table" and table.concat(value, ", ") or tostring(value)
end

local function add_settings(out, entry)
  local words = {}
  for i, option in ipairs(entry.experiment.options) do
    words[i] = option[1] .. " = " .. show(entry.record.config[option[1]])
  end
  add(out, ("- %s: %s"):format(entry.experiment.name, table.concat(words, "; ")), "", "  ")
end

--- Writes the report.
---@param content table see html.lua
---@return string
function markdown.format(content)
  local out = { "# " .. content.title .. "\n" }
  if content.warning then
    add(out, ("**%s**"):format(content.warning), "")
    out[#out + 1] = ""
  end
  for _, text in ipairs { content.lead, table.unpack(method) } do
    add(out, text, "")
    out[#out + 1] = ""
  end
  out[#out + 1] = "## Verdicts\n"
  for _, verdict in ipairs(content.statements) do add_statement(out, verdict) end
  out[#out + 1] = "\n## Tables\n"
  add_table(out, number_table(content.numbers))
  for _, verdict in ipairs(content.numbers) do add_statement(out, verdict) end
  out[#out + 1] = "\n## Further studies\n"
  for _, verdict in ipairs(content.studies) do add_statement(out, verdict) end
  for _, entry in ipairs(content.entries) do add_experiment(out, entry) end
  out[#out + 1] = "\n## Settings\n"
  for _, entry in ipairs(content.entries) do add_settings(out, entry) end
  out[#out + 1] = "\n## Machine\n"
  for _, row in ipairs(content.machine) do add(out, ("- %s: %s"):format(row[1], row[2]), "") end
  return table.concat(out, "\n") .. "\n"
end

return markdown
