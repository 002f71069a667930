-- document.lua -- the three networks of the founding document on its simple text: the loss
-- that train.fit reaches, and how long that takes beside a hundredth of the document's time.
--
-- One row, the document's hidden sizes and windows, 1000 updates by Adam at a rate that falls
-- to zero, five seeds. The time counts making the model and all updates. The loss is that of a
-- full pass over the text with the state carried, after training.
local core = require "unroll.core"
local numbers = require "numbers"
local unroll = require "unroll"

local phase = { name = "document", title = "The founding document's networks (its table T1)" }

local networks = {
  { name = "small", H = 25, T = 15, loss = 1.847, seconds = 2.3 },
  { name = "medium", H = 50, T = 25, loss = 1.523, seconds = 4.7 },
  { name = "large", H = 100, T = 35, loss = 1.398, seconds = 8.9 },
}
local steps, rate, wanted = 1000, 0.01, 0.02

-- The loss and the seconds of one training.
local function train(network, corpus, seed)
  collectgarbage()
  local start = core.sys.clock()
  local model = unroll.rnn.lm { cell = "tanh", vocab = corpus.vocab, hidden = network.H,
                                seed = seed }
  unroll.train.fit(model, corpus, { steps = steps, window = network.T, optimizer = "adam",
    lr = rate, schedule = unroll.train.schedule.linear(rate, steps), clip_norm = 1,
    split = "all", progress = false })
  local seconds = core.sys.clock() - start
  return unroll.train.evaluate(model, corpus, { split = "all" }), seconds
end

function phase.run(context)
  local corpus, data = assert(unroll.text.corpus "simple"), { cases = {} }
  for i, network in ipairs(networks) do
    local case = { network = network, losses = {}, seconds = {} }
    for seed = 1, context.quick and 2 or 5 do
      case.losses[seed], case.seconds[seed] = train(network, corpus, seed)
    end
    data.cases[i] = case
  end
  return data
end

function phase.tables(data)
  local rows = {}
  for i, case in ipairs(data.cases) do
    local n, seconds = case.network, numbers.median(case.seconds)
    local worst = math.max(table.unpack(case.losses))
    rows[i] = { n.name, n.H, n.T, ("%.4f"):format(numbers.median(case.losses)),
      ("%.4f"):format(worst), n.loss, numbers.seconds(seconds),
      numbers.seconds(n.seconds / 100), numbers.times(n.seconds / seconds),
      numbers.verdict(worst <= wanted and seconds <= n.seconds / 100) }
  end
  return { { rows = rows, head = { "network", "H", "T", "loss, nats", "worst seed",
      "document", "time", "limit", "faster than the document", "" },
    note = ("%d updates by Adam, %d seeds, medians. Asked for: at most %g nats in a hundredth of "
      .. "the document's time."):format(steps, #data.cases[1].losses, wanted) } }
end

return phase
