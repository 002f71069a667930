/* cell_gru_before.c -- the gated recurrent unit as Cho et al. wrote it ("Learning phrase
** representations using RNN encoder-decoder", 2014): the reset gate chooses what of h is
** multiplied. Gates stand in the order of cell_gru.c, and n is a late gate (cell.h):
**     r = sigmoid(W_xr x + W_hr h + b_r)
**     z = sigmoid(W_xz x + W_hz h + b_z)
**     u = r h
**     n = tanh(W_xn x + W_hn u + b_n)
**     h' = (1 - z) n + z h
** and back
**     da_n = dh' (1 - z) (1 - n^2)      da_z = dh' (h - n) z (1 - z)
**     du = da_n W_hn                    da_r = du h r (1 - r)
**     dh = dh' z + du r + da_r W_hr + da_z W_hz */
#include "cell.h"
#include "cell_kernels.h"
#include "gru_before.h"
#include "isa.h"

UN_BY_ISA(un_gru_before_kernels, un_gru_before)

UN_STEP(un_gru_before, step, un_step)
UN_STEP(un_gru_before, step_grad, un_step_grad)
UN_STEP(un_gru_before, early, un_step)
UN_STEP(un_gru_before, early_grad, un_step_grad)

extern const un_cell un_cell_gru_before;

const un_cell un_cell_gru_before = {.name = "gru_before",
                                    .gates = 3,
                                    .states = 1,
                                    .state_name = {"h"},
                                    .saved = 1,
                                    .late = 1,
                                    .direct_h = true,
                                    .step = {step_f32, step_f64},
                                    .step_grad = {step_grad_f32, step_grad_f64},
                                    .early = {early_f32, early_f64},
                                    .early_grad = {early_grad_f32, early_grad_f64}};
