-- report.lua -- verdicts, report.html and report.md from what the experiments have saved.
--
--   unroll scripts/report.lua [--out DIR]
--
-- Every number comes from DIR/*.json, the figures from DIR/*.svg. The verdicts are saved as
-- DIR/verdicts.json, those on times as DIR/verdicts-times.json.
local argparse = require "argparse"
local html = require "unroll.report.html"
local machine = require "unroll.report.machine"
local markdown = require "unroll.report.markdown"
local store = require "unroll.experiment.store"
local sys = require("unroll.core").sys
local verdicts = require "unroll.report.verdicts"

local here = arg[0]:match "^(.*)/[^/]*$" or "."

local claim_files = { "training", "gradients", "texts" }

-- The experiments in the order of the report.
local experiment_files = { "training", "gradient_flow", "initialisation", "architectures",
                           "datasets", "flow_at_initialisation" }

local function load_claims()
  local claims = {}
  for i, name in ipairs(claim_files) do claims[i] = dofile(("%s/claims/%s.lua"):format(here, name)) end
  return claims
end

-- An experiment with what it has saved; nil when it has not been run.
local function load_entry(name, dir)
  local record = store.read(dir, name)
  if not record then return nil end
  local e = dofile(("%s/experiments/%s.lua"):format(here, name))
  local entry = { experiment = e, record = record, times = store.read(dir, name .. "-times"),
                  figures = {}, svg = {} }
  for _, figure in ipairs { name, name .. "-times" } do
    local text = sys.read_file(("%s/%s.svg"):format(dir, figure))
    if text then entry.figures[#entry.figures + 1], entry.svg[figure] = figure, text end
  end
  return entry
end

local function load_entries(dir)
  local entries = {}
  for _, name in ipairs(experiment_files) do entries[#entries + 1] = load_entry(name, dir) end
  return entries
end

local function split(list)
  local statements, numbers = {}, {}
  for _, verdict in ipairs(list) do
    table.insert(tonumber(verdict.id) and statements or numbers, verdict)
  end
  return statements, numbers
end

local function save(dir, name, text)
  local path = ("%s/%s"):format(dir, name)
  store.check(sys.write_file(path, text))
  io.stderr:write("wrote ", path, "\n")
end

local parser = argparse("unroll " .. arg[0], "Writes the report on saved results.")
parser:option("--out", "folder of the results"):default "results"
local dir = parser:parse(arg).out

local plain, of_times = verdicts.judge(load_claims(), dir)
store.check(store.write(dir, "verdicts", plain))
store.check(store.write(dir, "verdicts-times", of_times))

local all = table.move(of_times, 1, #of_times, #plain + 1, table.move(plain, 1, #plain, 1, {}))
local statements, numbers = split(all)
local content = {
  title = "What the founding document says, and what was measured",
  lead = ("Of its %d statements %s. Of the %d numbers in its tables %s."):format(#statements,
    verdicts.summary(statements), #numbers, verdicts.summary(numbers)),
  statements = statements, numbers = numbers, entries = load_entries(dir),
  machine = machine.rows(store.read(dir, "machine") or machine.describe()),
}
save(dir, "report.html", html.format(content))
save(dir, "report.md", markdown.format(content))
print(content.lead)
