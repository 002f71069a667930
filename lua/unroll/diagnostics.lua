--- diagnostics: what gradients do on their way back through a recurrent network.
--
--   local d = unroll.diagnostics
--   local g = d.state_gradients(model, x, y, { loss = "last" })   -- |dL/dh_t|
--   local J = d.jacobians(model.layers[1], x)                     -- ds_t/ds_{t-1}
--   local s = d.product_singular_values(J, { 5, 10, 25 })         -- log10, no underflow
--   print(d.spectrum(model.W_hh).radius, d.lyapunov(J)[1])
--
-- The analysis: the gradient that reaches step T-k is (J_T J_{T-1} ... J_{T-k+1})^T times
-- the one at step T. Its norm can shrink or grow at most as the largest singular value
-- of the product does, and that one at most as (sigma_max(W_hh) max|f'|)^k.
--
-- Source: Bengio, Simard & Frasconi, Learning long-term dependencies with gradient descent is
-- difficult, 1994; Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural
-- networks, 2013.

local fit = require "unroll.diagnostics.fit"
local gradients = require "unroll.diagnostics.gradients"
local jacobian = require "unroll.diagnostics.jacobian"
local products = require "unroll.diagnostics.products"
local spectrum = require "unroll.diagnostics.spectrum"

local diagnostics = {}

diagnostics.state_gradients = gradients.state_gradients
diagnostics.gradient_ratios = gradients.gradient_ratios
diagnostics.jacobians = jacobian.jacobians
diagnostics.product_singular_values = products.product_singular_values
diagnostics.lyapunov = products.lyapunov
diagnostics.spectrum = spectrum.spectrum
diagnostics.bound = spectrum.bound
diagnostics.saturation = spectrum.saturation
diagnostics.fit_line = fit.line
diagnostics.fit_power = fit.power

return diagnostics
