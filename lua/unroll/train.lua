--- train: fitting a model to a source of windows, and measuring it.
--
--   local history = train.fit(model, corpus, { steps = 2000, batch = 32, window = 50 })
--   print(train.evaluate(model, corpus, { split = "test" }))

return {
  fit = require "unroll.train.fit",
  evaluate = require "unroll.train.evaluate",
  progress = require "unroll.train.progress",
  schedule = require "unroll.train.schedule",
}
