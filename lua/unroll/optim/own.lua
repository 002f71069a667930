--- own: what an optimiser keeps to itself, by optimiser: { rule, name, step_name, slots, t, update
-- = of core, nil until the first step }. optim.lua writes it; a step of a training that core makes
-- in one call (train/step.lua) takes the update and counts t.
return setmetatable({}, { __mode = "k" })
