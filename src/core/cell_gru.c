/* cell_gru.c -- the gated recurrent unit, with the reset gate after the product. Gates
** stand in PyTorch's order r, z, n:
**     r = sigmoid(W_xr x + W_hr h + b_r)             reset
**     z = sigmoid(W_xz x + W_hz h + b_z)             update
**     n = tanh(W_xn x + b_n + r (W_hn h + b_hn))     new
**     h' = (1 - z) n + z h
** and back, with m = W_hn h + b_hn:
**     da_n = dh' (1 - z) (1 - n^2)      da_z = dh' (h - n) z (1 - z)
**     da_r = da_n m r (1 - r)           dm = da_n r
**     dh = dh' z + da_r W_hr + da_z W_hz + dm W_hn
** The unit is Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014,
** whose reset gate stands before the product. This variant, of Chung et al.'s and cuDNN's
** implementations, needs one product a step: h alone is multiplied. */
#include "cell.h"
#include "cell_kernels.h"
#include "gru.h"
#include "isa.h"

UN_BY_ISA(un_gru_kernels, un_gru)

UN_STEP(un_gru, step, un_step)
UN_STEP(un_gru, step_grad, un_step_grad)

extern const un_cell un_cell_gru;

const un_cell un_cell_gru = {.name = "gru",
                             .gates = 3,
                             .states = 1,
                             .state_name = {"h"},
                             .split = 1,
                             .split_bias = "b_hn",
                             .direct_h = true,
                             .step = {step_f32, step_f64},
                             .step_grad = {step_grad_f32, step_grad_f64}};
