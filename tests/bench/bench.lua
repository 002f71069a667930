-- bench.lua -- what scripts/bench runs: the phases of tests/bench/phases, one after the other.
--
-- A phase is a table { name, title, run(context) -> data, tables(data) -> list of tables with
-- head, rows, title and note, figures(data) -> { [name] = figure } }. Its data is plain, goes to
-- bench.json, and everything that is shown is made from there.
local argparse = require "argparse"
local core = require "unroll.core"
local json = require "unroll.json"
local machine = require "unroll.report.machine"
local texttable = require "unroll.experiment.texttable"

local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = ("%s/?.lua;%s"):format(here, package.path)
local busy = require "busy"
local peers = require "peers"
local readme = require "readme"

local phase_names = { "limits", "train", "generate", "threads", "sizes", "document", "start",
                      "memory", "text", "ops", "charts" }

local function command_line()
  local parser = argparse("scripts/bench", "Measures unroll beside its peers and limits.")
  parser:flag("--quick", "fewer and shorter rounds")
  parser:option("--only", "one of " .. table.concat(phase_names, ", ")):count "*"
    :choices(phase_names)
  parser:option("--out", "folder of the results"):default "results/bench"
  parser:flag("--readme", "put the ratios of the last run into README.md")
  return parser:parse()
end

local function write(path, text)
  local ok, message = core.sys.write_file(path, text)
  if not ok then error(message, 0) end
end

-- Counted up when the data of a phase change their form.
local layout <const> = 4

-- The results so far; an empty set when there are none of this layout.
local function load_results(out)
  local text = core.sys.read_file(out .. "/bench.json")
  local results = text and json.decode(text)
  return results and results.layout == layout and results or { layout = layout, phases = {} }
end

local function markdown_table(t)
  local lines = { "| " .. table.concat(t.head, " | ") .. " |",
                  "|" .. (" --- |"):rep(#t.head) }
  for _, row in ipairs(t.rows) do
    local cells = {}
    for c = 1, #t.head do cells[c] = tostring(row[c] == nil and "" or row[c]) end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  return table.concat(lines, "\n")
end

-- The whole page, of all phases that have been run.
local function page(results)
  local out = { "# Speed", "" }
  for _, row in ipairs(machine.rows(results.machine)) do
    out[#out + 1] = ("- %s: %s"):format(row[1], row[2])
  end
  out[#out + 1] = ("- BLAS: %s"):format(results.machine.openblas)
  if results.busy then
    out[#out + 1] = ("- processors busy with other work at the start: %.1f"):format(
      results.busy)
  end
  for _, name in ipairs(phase_names) do
    local data = results.phases[name]
    if data then
      local phase = require("phases." .. name)
      out[#out + 1] = "\n## " .. phase.title
      for _, t in ipairs(phase.tables(data)) do
        out[#out + 1] = "\n" .. (t.title and t.title .. "\n\n" or "") .. markdown_table(t)
        if t.note then out[#out + 1] = "\n" .. t.note end
      end
      for figure in pairs(phase.figures and phase.figures(data) or {}) do
        out[#out + 1] = ("\n![%s](%s.svg)"):format(figure, figure)
      end
    end
  end
  return table.concat(out, "\n") .. "\n"
end

local function show(phase, data, out)
  for _, t in ipairs(phase.tables(data)) do
    print((t.title or phase.title) .. "\n")
    print(texttable.format({ head = t.head, rows = t.rows, note = t.note }) .. "\n")
  end
  for name, figure in pairs(phase.figures and phase.figures(data) or {}) do
    assert(figure:save(("%s/%s.svg"):format(out, name)))
    assert(figure:save(("%s/%s.png"):format(out, name)))
  end
end

-- What has been measured is written after each phase, so that nothing is lost when a later
-- one fails or is interrupted.
local function save(results, out)
  results.machine = machine.describe()
  results.machine.openblas = core.blas
  write(out .. "/bench.json", json.encode(results, { nan = "null" }))
  write(out .. "/bench.md", page(results))
end

local function run_phase(name, options, results)
  local phase = require("phases." .. name)
  local start = core.sys.clock()
  io.stderr:write(("== %s\n"):format(phase.title))
  local data = phase.run { quick = options.quick, here = here, peers = peers }
  results.phases[name] = data
  save(results, options.out)
  show(phase, data, options.out)
  io.stderr:write(("   %.0f s\n"):format(core.sys.clock() - start))
end

-- The phases one after the other; one that fails does not keep the next from running, Ctrl-C
-- does. Returns what failed, as lines.
local function run_phases(names, options, results)
  local failures = {}
  for _, name in ipairs(names) do
    local ok, message = pcall(run_phase, name, options, results)
    if not ok then
      if tostring(message):find "interrupted!" then error(message, 0) end
      failures[#failures + 1] = ("%s failed: %s"):format(name, message)
      io.stderr:write(failures[#failures], "\n")
    end
  end
  return failures
end

local options = command_line()
local results = load_results(options.out)
if options.readme then
  readme.update("README.md", results)
  return
end
assert(core.sys.mkdir(options.out))
print(("%s, %s, %d processors"):format(core.isa, core.blas,
  core.sys.cores()))
results.busy = busy.processors()
if results.busy and results.busy > 0.2 then
  print(("other work keeps %.1f processors busy: the numbers will be too low"):format(
    results.busy))
end
local failures = run_phases(#options.only > 0 and options.only or phase_names, options, results)
for _, note in ipairs(peers.notes()) do print(note) end
print(("written: %s/bench.md, bench.json and figures"):format(options.out))
if #failures > 0 then error(table.concat(failures, "\n"), 0) end
