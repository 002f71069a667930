--- The report as one HTML file: nothing is loaded, nothing runs.
--
-- The content is { title, lead, warning (or nil), statements (verdicts), numbers (verdicts on
-- the document's tables), studies (verdicts on what others say), entries, machine }, an entry
-- { experiment, record, times, figures, svg }: figures are names, svg their documents by name;
-- machine a list of { name, value }.
local checks = require "unroll.experiment.checks"
local method = require "unroll.report.method"
local style = require "unroll.report.style"
local svg = require "unroll.report.svg"
local verdicts = require "unroll.report.verdicts"

local html = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

--- Text as HTML.
---@param text any
---@return string
function html.escape(text) return (tostring(text):gsub('[&<>"]', entities)) end

local escape = html.escape

-- %s takes escaped text, %h finished HTML.
local function fill(template, ...)
  local values, at = table.pack(...), 0
  return (template:gsub("%%([sh])", function(kind)
    at = at + 1
    return kind == "h" and tostring(values[at]) or escape(values[at])
  end))
end

local function id_of(text) return (text:lower():gsub("[^%w]+", "-")) end

local function is_number(text) return tostring(text):find "^%s*[%-−+]?%d" ~= nil end

-- --- verdicts ----------------------------------------------------------------------------

local classes = { ["holds"] = "yes", ["holds only if"] = "if", ["does not hold"] = "no",
                  ["not decided"] = "open" }
local signs = { ["holds"] = "✓", ["holds only if"] = "◐", ["does not hold"] = "✗",
                ["not decided"] = "?" }

local function badge(verdict)
  return fill('<span class="verdict %s"><span aria-hidden="true">%s</span> %s</span>',
    classes[verdict.verdict], signs[verdict.verdict], verdict.verdict)
end

local function measured(verdict)
  local out = {}
  for _, n in ipairs(verdicts.numbers(verdict)) do
    out[#out + 1] = fill('<li>%h%s: <b>%s</b>%h; <span class="whole">threshold %s%h</span></li>',
      n.conditional and "<i>if:</i> " or "", n.statistic, n.number,
      n.spread and fill(" <span>(%s)</span>", n.spread) or "", n.threshold,
      n.expected and fill(", expected %s", n.expected) or "")
  end
  return #out > 0 and '<ul class="measured">' .. table.concat(out) .. "</ul>" or ""
end

local function remark(title, words)
  return words and fill('<p class="note"><b>%s:</b> %s</p>\n', title, words) or ""
end

local function anchor(verdict) return "verdict-" .. id_of(verdict.id) end

local function statement(verdict)
  return fill([[
<li class="statement" id="%s"%h>
<p class="claim">%s</p>
<p class="judged">%h%h</p>
<p class="why">%s <a href="#%s">%s</a></p>
%h%h%h</li>
]], anchor(verdict), tonumber(verdict.id) and fill(' value="%s"', verdict.id) or "",
    verdict.statement, badge(verdict),
    verdict.condition and fill(" <b>%s</b>", verdict.condition) or "", verdict.why,
    id_of(verdict.experiment), verdict.experiment, measured(verdict),
    remark("Source", verdict.source and verdict.source .. "."),
    remark("Changed", verdict.history))
end

local function statement_list(list, class)
  local out = { fill('<ol class="statements %s">\n', class) }
  for i, verdict in ipairs(list) do out[i + 1] = statement(verdict) end
  out[#out + 1] = "</ol>\n"
  return table.concat(out)
end

-- All statements on one page, before the details.
local function overview(list)
  local rows = {}
  for i, verdict in ipairs(list) do
    rows[i] = fill('<tr><td class="n">%s</td><td><a href="#%s">%s</a></td><td>%h%h</td></tr>\n',
      verdict.id, anchor(verdict), verdict.statement, badge(verdict),
      verdict.condition and fill('<br><span class="spread">%s</span>', verdict.condition) or "")
  end
  return '<table class="overview">\n<caption>The statements at a glance</caption>\n<thead><tr>'
    .. '<th class="n" scope="col">no.</th><th scope="col">statement</th>'
    .. '<th scope="col">verdict</th></tr></thead>\n<tbody>\n' .. table.concat(rows)
    .. "</tbody></table>\n"
end

local function number_row(verdict)
  local part, number, spread = verdict.parts[1], "–", ""
  if part then
    number = checks.show(part.mean, part.format) .. (verdict.unit and " " .. verdict.unit or "")
    spread = verdicts.numbers(verdict)[1].spread or ""
  end
  return fill('<tr><th scope="row">%s</th><td data-label="document">%s</td>'
    .. '<td data-label="ours"><b>%s</b> <span class="spread">%s</span></td>'
    .. '<td data-label="verdict">%h%h<br><span class="spread">%s</span>%h</td></tr>\n',
    verdict.id, verdicts.document(verdict) or "–", number, spread, badge(verdict),
    verdict.condition and fill(" %s", verdict.condition) or "", verdict.why,
    remark("Changed", verdict.history))
end

local function number_table(list)
  local rows = {}
  for i, verdict in ipairs(list) do rows[i] = number_row(verdict) end
  return '<table class="cards">\n<caption>The document’s number, ours with its spread, and the '
    .. 'verdict</caption>\n<thead><tr><th scope="col">number</th><th scope="col">document</th>'
    .. '<th scope="col">ours, mean</th><th scope="col">verdict</th></tr></thead>\n<tbody>\n'
    .. table.concat(rows) .. "</tbody></table>\n"
end

-- --- experiments -------------------------------------------------------------------------

-- The columns whose cells are all numbers: they stand to the right, under their head.
local function numeric_columns(t)
  local numeric = {}
  for c = 1, #t.head do
    numeric[c] = true
    for _, row in ipairs(t.rows) do
      local value = row[c]
      if value ~= nil and value ~= "–" and not is_number(value) then numeric[c] = false end
    end
  end
  return numeric
end

local function row_of(cells, count, tag, numeric)
  local out = {}
  for c = 1, count do
    local value = cells[c] == nil and "–" or cells[c]
    out[c] = fill('<%s%h%h>%s</%s>', tag, tag == "th" and ' scope="col"' or "",
      numeric[c] and ' class="n"' or "", value, tag)
  end
  return "<tr>" .. table.concat(out) .. "</tr>\n"
end

local function data_table(t)
  local rows = {}
  local numeric = numeric_columns(t)
  for i, row in ipairs(t.rows) do rows[i] = row_of(row, #t.head, "td", numeric) end
  return fill('<div class="scroll" tabindex="0" role="region" aria-label="%s"><table>\n'
    .. "<caption>%s</caption>\n<thead>%h</thead>\n<tbody>\n%h</tbody></table></div>\n%h",
    t.title, t.title, row_of(t.head, #t.head, "th", numeric), table.concat(rows),
    t.note and fill('<p class="note">%s</p>\n', t.note) or "")
end

-- What the picture says, for those who do not see it.
local function description(entry)
  local e, record = entry.experiment, entry.record
  return e.answer and e.answer(record.results, record.config) or e.question
end

local function figure(entry, name)
  local times = name:find "%-times$" and ", times" or ""
  return fill('<figure><div class="scroll paper" tabindex="0" role="region" aria-label="Figure: '
    .. '%s%s">\n%h\n</div><figcaption>%s%s (%s.svg)</figcaption></figure>\n',
    entry.experiment.title, times,
    svg.inline(entry.svg[name], id_of(name) .. "-", { title = entry.experiment.title .. times,
      description = description(entry) }), entry.experiment.title, times, name)
end

local function section(entry)
  local e, record, times = entry.experiment, entry.record, entry.times
  local out = { fill('<section id="%s">\n<h2>%s</h2>\n<p class="question">%s</p>\n',
    id_of(e.name), e.title, e.question) }
  local function add(text) out[#out + 1] = text end
  if e.answer then
    add(fill('<p class="answer">%s</p>\n', e.answer(record.results, record.config)))
  end
  for _, name in ipairs(entry.figures) do add(figure(entry, name)) end
  for _, t in ipairs(e.tables and e.tables(record.results, record.config) or {}) do
    add(data_table(t))
  end
  if times and e.time_tables then
    for _, t in ipairs(e.time_tables(times.times, record.results, record.config)) do
      add(data_table(t))
    end
  end
  add "</section>\n"
  return table.concat(out)
end

-- --- settings and machine ----------------------------------------------------------------

local function show_setting(value)
  return type(value) == "table" and table.concat(value, ", ") or tostring(value)
end

local function settings(entry)
  local rows = {}
  for _, option in ipairs(entry.experiment.options) do
    rows[#rows + 1] = fill("<dt>%s</dt><dd>%s <span>%s</span></dd>\n", option[1],
      show_setting(entry.record.config[option[1]]), option[3])
  end
  return fill("<h3>%s</h3>\n<dl>\n%h</dl>\n", entry.experiment.title, table.concat(rows))
end

local function ending(content)
  local out = { '<section id="settings">\n<h2>Settings and machine</h2>\n<dl>\n' }
  for _, row in ipairs(content.machine) do
    out[#out + 1] = fill("<dt>%s</dt><dd>%s</dd>\n", row[1], row[2])
  end
  out[#out + 1] = "</dl>\n"
  for _, entry in ipairs(content.entries) do out[#out + 1] = settings(entry) end
  out[#out + 1] = "</section>\n"
  return table.concat(out)
end

local function contents(entries)
  local out = { '<nav aria-label="Contents"><a href="#verdicts">Verdicts</a> '
    .. '<a href="#numbers">Tables</a> <a href="#studies">Further studies</a> ' }
  for _, entry in ipairs(entries) do
    out[#out + 1] = fill('<a href="#%s">%s</a> ', id_of(entry.experiment.name),
      entry.experiment.title)
  end
  out[#out + 1] = '<a href="#settings">Settings and machine</a></nav>\n'
  return table.concat(out)
end

--- Writes the page.
---@param content table see the top of this file
---@return string
function html.format(content)
  local out = { fill('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    .. '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    .. "<title>%s</title>\n<style>\n%h</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n"
    .. '<p class="lead">%s</p>\n%h%h', content.title, style, content.title, content.lead,
    content.warning and fill('<p class="warning" role="note">%s</p>\n', content.warning) or "",
    contents(content.entries)) }
  local function add(text) out[#out + 1] = text end
  add '<section id="verdicts">\n<h2>Verdicts on the statements</h2>\n'
  add(overview(content.statements))
  add "<h3>How a verdict comes about</h3>\n"
  for _, words in ipairs(method) do add(fill("<p>%s</p>\n", words)) end
  add "<h3>The statements one by one</h3>\n"
  add(statement_list(content.statements, "numbered"))
  add '</section>\n<section id="numbers">\n'
  add "<h2>The document’s tables, number by number</h2>\n"
  add(number_table(content.numbers))
  add '</section>\n<section id="studies">\n<h2>Further studies</h2>\n'
  add "<p>What papers and calibrated runs of another program say, judged in the same form.</p>\n"
  add(statement_list(content.studies, "plain"))
  add "</section>\n"
  for _, entry in ipairs(content.entries) do add(section(entry)) end
  add(ending(content))
  add "</main>\n</body>\n</html>\n"
  return table.concat(out)
end

return html
