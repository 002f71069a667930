-- report.lua -- verdicts, report.html and report.md from what the experiments have saved.
--
--   unroll scripts/report.lua [--out DIR] FILE...
--
-- FILE... are the scripts of the experiments; those without results are left out. Every
-- number comes from DIR/*.json, the figures from DIR/*.svg. The verdicts are saved as
-- DIR/verdicts.json, those on times as DIR/verdicts-times.json.
local argparse = require "argparse"
local commandline = require "unroll.experiment.commandline"
local html = require "unroll.report.html"
local machine = require "unroll.report.machine"
local markdown = require "unroll.report.markdown"
local saved = require "unroll.experiment.saved"
local store = require "unroll.experiment.store"
local sys = require("unroll.core").sys
local verdicts = require "unroll.report.verdicts"

local here = arg[0]:match "^(.*)/[^/]*$" or "."

local claim_files = { "training", "gradients", "learning", "texts", "memory", "flow", "setups" }

-- The experiments that come first in the report, in the order of the document's figures.
local first = { "training", "gradient_flow", "initialisation", "window_length", "window_time",
                "clipping", "architectures", "datasets" }

local function load_claims()
  local claims = {}
  for i, name in ipairs(claim_files) do
    claims[i] = dofile(("%s/claims/%s.lua"):format(here, name))
  end
  return claims
end

local function stop(message)
  io.stderr:write("unroll: ", message, "\n")
  os.exit(1, true)
end

-- What the report prints of an experiment.
local function words_of(e, record, times)
  if e.answer then e.answer(record.results, record.config) end
  if e.tables then e.tables(record.results, record.config) end
  if times and e.time_tables then e.time_tables(times.times, record.results, record.config) end
end

-- An experiment with what it has saved; nil when it has not been run.
local function load_entry(file, dir)
  local e, problem = commandline.load(file)
  if not e then stop(problem) end
  if not sys.read_file(("%s/%s.json"):format(dir, e.name)) then return nil end
  local record, times = saved.read(e, dir)
  if not record then stop(times) end
  local fits, message = saved.use(e, record, { out = dir, script = file }, words_of, e, record,
    times)
  if not fits then stop(message) end
  local entry = { experiment = e, record = record, times = times, figures = {}, svg = {} }
  for _, figure in ipairs { e.name, e.name .. "-times" } do
    local text = sys.read_file(("%s/%s.svg"):format(dir, figure))
    if text then table.insert(entry.figures, figure) entry.svg[figure] = text end
  end
  return entry
end

local function load_entries(files, dir)
  local ranks, entries = {}, {}
  for i, name in ipairs(first) do ranks[name] = i end
  for _, file in ipairs(files) do entries[#entries + 1] = load_entry(file, dir) end
  table.sort(entries, function(a, b)
    local na, nb = a.experiment.name, b.experiment.name
    local ra, rb = ranks[na] or math.huge, ranks[nb] or math.huge
    if ra ~= rb then return ra < rb end
    return na < nb
  end)
  return entries
end

-- What is said above all verdicts when experiments were run in their short form.
local function warning(entries)
  local short = {}
  for _, entry in ipairs(entries) do
    if entry.record.quick then short[#short + 1] = entry.experiment.name end
  end
  if #short == 0 then return nil end
  local which = #short == #entries and "All experiments" or table.concat(short, ", ")
  return which .. " ran in their short form (--quick), which shows that everything works: "
    .. "these numbers answer no question. scripts/reproduce without --quick makes those that do."
end

local function save(dir, name, text)
  local path = ("%s/%s"):format(dir, name)
  store.check(sys.write_file(path, text))
  io.stderr:write("wrote ", path, "\n")
end

local parser = argparse("unroll " .. arg[0], "Writes the report on saved results.")
parser:argument("files", "scripts of the experiments"):args "+"
parser:option("--out", "folder of the results"):default "results"
local settings = parser:parse(arg)
local dir = settings.out
local entries = load_entries(settings.files, dir)
if #entries == 0 then
  stop(("there are no results in %s: run scripts/reproduce, or an experiment"):format(dir))
end

local plain, of_times = verdicts.judge(load_claims(), dir)
local no_numbers = { nan = "null" } -- a measured infinity fails its check and is saved as null
store.check(store.write(dir, "verdicts", plain, no_numbers))
store.check(store.write(dir, "verdicts-times", of_times, no_numbers))

local all = table.move(of_times, 1, #of_times, #plain + 1, table.move(plain, 1, #plain, 1, {}))
local statements, numbers, studies = verdicts.split(all)
local content = {
  title = "What the founding document says, and what was measured",
  lead = ("%d statements (%s), %d numbers from tables (%s), and %d statements of further studies "
    .. "(%s)."):format(#statements, verdicts.summary(statements), #numbers,
    verdicts.summary(numbers), #studies, verdicts.summary(studies)),
  warning = warning(entries), statements = statements, numbers = numbers, studies = studies,
  entries = entries,
  machine = machine.rows(store.read(dir, "machine") or machine.describe()),
}
save(dir, "report.html", html.format(content))
save(dir, "report.md", markdown.format(content))
print(content.lead)
if content.warning then print(content.warning) end
