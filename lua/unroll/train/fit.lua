--- fit: the training loop: options, history, and what happens between the steps (step.lua).
--
-- The history is a set of tensors of one element for each step.

local core = require "unroll.core"
local check = require "unroll.train.check"
local checkpoint = require "unroll.train.checkpoint"
local evaluate = require "unroll.train.evaluate"
local interrupts = require "unroll.train.interrupts"
local display_history = require "unroll.train.display"
local log = require "unroll.train.log"
local optim = require "unroll.optim"
local options = require "unroll.options"
local progress = require "unroll.train.progress"
local protected = require "unroll.protected"
local stepper = require "unroll.train.step"
local unknown = require "unroll.unknown"

local interrupted = core.sys.interrupted

local who = "train.fit"

local accepted = {
  "steps", "epochs", "batch", "window", "lr", "clip_norm", "clip_value", "schedule", "log",
  "validation", "patience", "checkpoint", "checkpoint_every", "on_step", "seed",
  optimizer = "adam", split = "train", reduction = "mean", resume = false, progress = true,
  restore_best = false,
}
local accepted_validation = { "every", "batch", "window", split = "validation" }

-- The columns of the history: one float64 for each step.
local columns = { "loss", "gradient_norm", "lr", "seconds" }
local first_capacity = 65536 -- steps; a longer history doubles when it is full

-- --- options ---------------------------------------------------------------------------

local function check_type(value, wanted, name, level)
  if value ~= nil and type(value) ~= wanted then
    error(("%s: %s must be a %s, got %s"):format(who, name, wanted, type(value)), level + 1)
  end
end

local function check_limit(value, name, level)
  if value ~= nil and not (math.type(value) and value > 0) then
    error(("%s: %s is %s, must be a number above 0"):format(who, name, options.shown(value)),
      level + 1)
  end
end

local function check_options(opts, level)
  level = level + 1
  local o = options.check(opts, accepted, who, level)
  if (o.steps == nil) == (o.epochs == nil) then
    error(who .. ": give either steps or epochs", level)
  end
  options.integer(o.steps or o.epochs, o.steps and "steps" or "epochs", who, 1, level)
  options.choice(o.reduction, { "mean", "sum" }, "reduction", who, level)
  check_type(o.schedule, "function", "schedule", level)
  check_type(o.on_step, "function", "on_step", level)
  check_type(o.log, "string", "log", level)
  check_type(o.checkpoint, "string", "checkpoint", level)
  check_type(o.progress, "boolean", "progress", level)
  check_type(o.resume, "boolean", "resume", level)
  check_type(o.restore_best, "boolean", "restore_best", level)
  check_limit(o.clip_norm, "clip_norm", level)
  check_limit(o.clip_value, "clip_value", level)
  if o.clip_norm and o.clip_value then
    error(who .. ": give either clip_norm or clip_value", level)
  end
  if o.seed ~= nil and not (math.type(o.seed) and math.tointeger(o.seed)) then
    error(("%s: seed must be an integer, got %s"):format(who, options.shown(o.seed)), level)
  end
  if (o.resume or o.checkpoint_every) and not o.checkpoint then
    error(who .. ": resume and checkpoint_every need checkpoint = \"path\"", level)
  end
  if o.checkpoint_every then
    options.integer(o.checkpoint_every, "checkpoint_every", who, 1, level)
  end
  if (o.patience or o.restore_best) and not o.validation then
    error(who .. ": patience and restore_best need validation = {every=}", level)
  end
  if o.patience then options.integer(o.patience, "patience", who, 1, level) end
  if o.validation then
    o.validation = options.check(o.validation, accepted_validation, who .. ": validation", level)
    options.integer(o.validation.every, "validation.every", who, 1, level)
  end
  return o
end

local function make_optimizer(model, o)
  if type(o.optimizer) == "table" then
    if o.lr then error("lr belongs to the optimizer object", 0) end
    return o.optimizer
  end
  options.choice(o.optimizer, { "sgd", "adagrad", "rmsprop", "adam", "adamw" }, "optimizer", who)
  return optim[o.optimizer](model, { lr = o.lr })
end

-- Raises what went wrong inside as an error of train.fit at its caller.
local function relay(problem, level)
  if type(problem) ~= "string" then error(problem, 0) end
  local text = problem:gsub("^[^:\n]*train/%w+%.lua:%d+: ", "")
  error(text:find("^" .. who) and text or who .. ": " .. text, level + 1)
end

-- What a source or an iterator says of itself; an iterator may be a plain function.
local function state_of(thing)
  return type(thing) ~= "function" and thing.state and thing:state() or nil
end

-- What would fail late is tried early.
local function check_source(source, iterator, o)
  if o.checkpoint and not state_of(iterator) and not state_of(source) then
    error("a checkpoint needs a source, or an iterator of it, with :state()", 0)
  end
  local v = o.validation
  if v then source:batches { batch = v.batch or 1, window = v.window, split = v.split } end
end

-- --- the run ---------------------------------------------------------------------------

local Run = {}
Run.__index = Run

local function total_steps(o, iterator)
  if o.steps then return o.steps end
  if type(iterator) == "function" or not iterator.windows then
    error("epochs need a source that knows its windows; give steps", 0)
  end
  return o.epochs * iterator.windows
end

-- Room for `capacity` steps, with the numbers of an older history in front.
local function new_history(capacity, older)
  local all = core.tensor.zeros({ #columns, capacity }, { dtype = "float64" })
  local history = { capacity = capacity, all = all }
  for k, name in ipairs(columns) do
    history[name] = all:select(1, k)
    if older then history[name]:narrow(1, 1, older.capacity):copy_(older[name]) end
  end
  return history
end

-- The history is full.
function Run:grow_history()
  self.history = new_history(2 * self.history.capacity, self.history)
end

local function new_run(model, source, o)
  local self = setmetatable({ model = model, source = source, o = o }, Run)
  if o.seed then core.tensor.manual_seed(o.seed) end
  self.optimizer = make_optimizer(model, o)
  self.iterator = source:batches { batch = o.batch, window = o.window, split = o.split,
    loop = true }
  check_source(source, self.iterator, o)
  self.total = total_steps(o, self.iterator)
  self.history = new_history(math.min(self.total, first_capacity))
  -- What a checkpoint keeps beside tensors.
  self.step, self.clipped, self.elements, self.seconds = 0, 0, 0, 0.0
  self.validations, self.since_best = {}, 0
  return self
end

-- --- what happens between steps --------------------------------------------------------

local function raise_if(ok, message)
  if not ok then error(message, 0) end
end

-- Validation; true when patience has run out.
function Run:validate()
  local v = self.o.validation
  local loss = evaluate(self.model, self.source, v)
  self.validations[#self.validations + 1] = { step = self.step, loss = loss }
  self.progress:validated(loss)
  if self.log then self.log:validated(self.step, loss) end
  if not self.best_loss or loss < self.best_loss then
    self.best_loss, self.best_step, self.since_best = loss, self.step, 0
    if self.o.restore_best then self.best = checkpoint.copy_parameters(self.model, self.best) end
    return false
  end
  self.since_best = self.since_best + 1
  return self.o.patience ~= nil and self.since_best >= self.o.patience
end

-- What a run that continues must have in common with this one.
function Run:settings()
  return { batch = self.o.batch or "default", window = self.o.window or "default" }
end

function Run:save_checkpoint()
  local record = {
    step = self.step, cursor = state_of(self.iterator), source = state_of(self.source),
    generator = core.tensor.default_generator():state(), clipped = self.clipped,
    elements = self.elements, seconds = self.history.seconds[self.step],
    validations = self.validations, since_best = self.since_best, best_loss = self.best_loss,
    best_step = self.best_step, settings = self:settings(),
  }
  local history = {}
  for _, name in ipairs(columns) do history[name] = self.history[name]:narrow(1, 1, self.step) end
  raise_if(checkpoint.save(self.o.checkpoint, self.model, self.optimizer,
    { record = record, state = self.state, history = history, best = self.best }))
end

-- Goes back to where a run was; raises an error when the file has not all that it should.
local function go_back(self, saved)
  local record = saved.record
  for _, name in ipairs { "step", "clipped", "elements", "seconds", "since_best" } do
    if type(record[name]) ~= "number" then error("it has no number '" .. name .. "'", 0) end
  end
  if record.source then self.source:set_state(record.source) end
  if record.cursor then self.iterator:set_state(record.cursor) end
  core.tensor.default_generator():set_state(record.generator)
  for _, name in ipairs { "step", "clipped", "elements", "seconds", "validations", "since_best",
    "best_loss", "best_step" } do
    self[name] = record[name]
  end
  self.state, self.best = saved.state, saved.best
  self.history = new_history(math.max(self.step, self.history.capacity))
  for _, name in ipairs(columns) do
    self.history[name]:narrow(1, 1, self.step):copy_(saved.history[name])
  end
end

function Run:restore_checkpoint()
  local path = self.o.checkpoint
  local saved, message = checkpoint.restore(path, self.model, self.optimizer, self:settings())
  raise_if(saved, message)
  local ok, wrong = protected(go_back, self, saved)
  raise_if(ok, ("%s is damaged: %s"):format(path, wrong))
end

function Run:flush_log()
  if self.log then raise_if(self.log:flush(self.history, self.step)) end
end

-- Everything but the step itself; returns the reason to stop, or nil.
local function after_step(self, loss, norm, was_interrupted)
  local o, step, stop = self.o, self.step, nil
  if o.validation and step % o.validation.every == 0 and self:validate() then
    stop = "patience"
  end
  if o.on_step and o.on_step(step, loss, norm) then stop = stop or "callback" end
  if was_interrupted or interrupted() then stop = "interrupted" end
  if self.log and core.sys.clock() >= self.next_flush then
    self:flush_log()
    self.next_flush = core.sys.clock() + 1
  end
  if o.checkpoint_every and step % o.checkpoint_every == 0 then self:save_checkpoint() end
  return stop
end

function Run:loop()
  local o = self.o
  local is_watched = o.validation or o.on_step or self.log or o.checkpoint_every
  local train_step = stepper(self, not is_watched)
  while self.step < self.total do
    local loss, norm, was_interrupted = train_step()
    local stop = was_interrupted and "interrupted"
    if is_watched then stop = after_step(self, loss, norm, was_interrupted) end
    if stop then return stop end
  end
  return "steps"
end

-- --- beginning and end -----------------------------------------------------------------

function Run:open()
  local o = self.o
  if o.checkpoint then raise_if(checkpoint.check_folder(o.checkpoint)) end
  local resumed = o.resume and checkpoint.exists(o.checkpoint)
  if resumed then self:restore_checkpoint() end
  if o.log then
    local message
    self.log, message = log.open(o.log, resumed and self.step or nil)
    raise_if(self.log, message)
    self.next_flush = core.sys.clock() + 1
  end
  local shown = o.progress and not interrupts.raise -- a sweep shows one line for all its cases
  self.progress = shown and progress.new(self.total, { unit = self.source.unit,
    first_step = self.step }) or progress.silent
  self.started, self.elements_before = core.sys.clock(), self.elements
  self.start = self.started - self.seconds -- as if the run had never been interrupted
end

function Run:finish(stop)
  if self.o.checkpoint then self:save_checkpoint() end
  self:flush_log()
  self.progress:finish()
  if stop == "interrupted" then
    self.progress:message(("interrupted after step %d of %d%s"):format(self.step, self.total,
      self.o.checkpoint and "; checkpoint: " .. self.o.checkpoint or ""))
  end
  if self.o.restore_best and self.best then
    checkpoint.put_parameters(self.model, self.best)
  end
end

local History = { __name = "unroll.History" }
History.__index = unknown.index(History, "history", { best = true })

function History:__tostring()
  local parts = { ("history   %d steps (%s)"):format(self.steps, self.stop) }
  if self.steps > 0 then parts[#parts + 1] = ("loss %.4g"):format(self.loss[self.steps]) end
  if self.best then
    parts[#parts + 1] = ("best val %.4g at step %d"):format(self.best.loss, self.best.step)
  end
  parts[#parts + 1] = ("%.0f %% clipped"):format(100 * self.clipped)
  parts[#parts + 1] = progress.duration(self.duration)
  return table.concat(parts, "   ")
end

History.__display = display_history

-- What fit returns.
function Run:results(stop)
  local seconds = core.sys.clock() - self.started
  local history = {
    steps = self.step, stop = stop, validation = self.validations, duration = seconds,
    clipped = self.step > 0 and self.clipped / self.step or 0,
    chars_per_second = seconds > 0 and (self.elements - self.elements_before) / seconds or 0,
    best = self.best_loss and { step = self.best_step, loss = self.best_loss } or nil,
  }
  for _, name in ipairs(columns) do
    history[name] = self.history[name]:narrow(1, 1, self.step)
  end
  return setmetatable(history, History)
end

-- Runs to the end, with the screen and the log left in order whatever happens.
local function run_guarded(self)
  local _ <close> = core.sys.defer_interrupts()
  local ok, stop = pcall(self.loop, self)
  if ok then
    self:finish(stop)
  else
    self.model:zero_gradients()
    if self.step > 0 then self.progress:finish() end
    self:flush_log()
  end
  if self.log then self.log:close() end
  return ok, stop
end

--- What `train.fit` returns: a column of numbers for each step, and how it ended.
---@class unroll.History
---@field loss unroll.Tensor (steps) float64: mean cross-entropy of each step, in nats
---@field gradient_norm unroll.Tensor (steps) float64: before the clip
---@field lr unroll.Tensor (steps) float64
---@field seconds unroll.Tensor (steps) float64: since the start of the run
---@field clipped number share of the steps in which the clip changed the gradients
---@field validation table[] list of { step =, loss = }
---@field best table? { step =, loss = } of the lowest validation loss
---@field steps integer steps done
---@field duration number seconds that this call took
---@field chars_per_second number of this call
---@field stop "steps"|"patience"|"callback"|"interrupted"

---@class unroll.FitOptions
---@field steps? integer how long, counted from the start of the run (a resumed one, too); this or
--- epochs
---@field epochs? integer passes over the source
---@field batch? integer sequences side by side, as source:batches takes it
---@field window? integer steps of truncated BPTT, as source:batches takes it
---@field split? string default "train"
---@field optimizer? string|unroll.Optimizer "adam", "sgd", "adagrad", "rmsprop", "adamw" or an
--- object; default "adam"
---@field lr? number learning rate; default the optimiser's
---@field clip_norm? number see `optim.clip_norm`; none without
---@field clip_value? number see `optim.clip_value`; none without
---@field schedule? fun(step: integer): number the learning rate of each step
---@field reduction? "mean"|"sum" what is back-propagated; losses are always means; default "mean"
---@field validation? {every: integer, split: string, batch: integer, window: integer} measure the
--- held-out loss every so many steps
---@field patience? integer stop after so many validations without a new best
---@field restore_best? boolean end with the best parameters; default false
---@field log? string path of a CSV file
---@field checkpoint? string path
---@field checkpoint_every? integer steps
---@field resume? boolean continue from the checkpoint if there is one; default false
---@field progress? boolean false shows none (only that the run was interrupted); default true
---@field on_step? fun(step: integer, loss: number, gradient_norm: number): boolean? true stops
---@field seed? integer of the default generator

--- Trains a model: a window, forward, backward, clip, update, until the steps are done.
---
--- Ctrl-C ends the run after the current step, with a checkpoint when there is a path;
--- history.stop is then "interrupted". In a case of an experiment it is the error "interrupted!",
--- since half a training is no result. The folders of log and checkpoint must be there.
---@param model unroll.Model|table with :forward, :backward, :zero_gradients, :parameters and
--- :gradients
---@param source unroll.Corpus|unroll.Task|table with :batches(opts)
---@param opts unroll.FitOptions
---@return unroll.History history
--- Errors: unknown options; a source whose vocabulary is not the model's; a loss or a
--- gradient norm that is NaN or infinite (with step, loss and tensor; the parameters are as
--- before that step); a file that cannot be written.
--- Source: Williams & Peng, An efficient gradient-based algorithm for on-line training of recurrent
--- network trajectories, 1990 (truncated BPTT).
--- > corpus = text.corpus "numbers"
--- > model = rnn.lm{vocab = corpus.vocab, hidden = 16, seed = 1}
--- > opts = {steps = 100, batch = 8, window = 10, lr = 0.02, progress = false}
--- > history = train.fit(model, corpus, opts)
--- > history.stop   --> "steps"
--- > history.loss[100] < history.loss[1]   --> true
---@see train.evaluate train.schedule optim.adam unroll.History
return function(model, source, opts)
  check.method(model, "forward", "the model", who, 2)
  check.method(source, "batches", "the source", who, 2)
  local o = check_options(opts, 2)
  check.vocabularies(model, source, who, 2)
  local made, self = pcall(new_run, model, source, o)
  if not made then relay(self, 2) end
  local opened, problem = pcall(self.open, self)
  if not opened then relay(problem, 2) end
  if self.step >= self.total then return self:results("steps") end
  local ok, stop = run_guarded(self)
  if not ok then relay(stop, 2) end
  if stop == "interrupted" and interrupts.raise then error("interrupted!", 0) end
  return self:results(stop)
end
