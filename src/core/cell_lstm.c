/* cell_lstm.c -- the long short-term memory. Gates stand in PyTorch's order i, f, g, o,
** each (H) of a = W_xh x + W_hh h + b_h:
**     i = sigmoid(a_i)      input gate
**     f = sigmoid(a_f)      forget gate
**     g = tanh(a_g)         what may come in
**     o = sigmoid(a_o)      output gate
**     c' = f c + i g
**     h' = o tanh(c')
** and back, with dc the whole of dL/dc':
**     dc += dh' o (1 - tanh(c')^2)
**     da_i = dc g i (1 - i)    da_f = dc c f (1 - f)    da_g = dc i (1 - g^2)
**     da_o = dh' h' (1 - o)
**     dL/dc = dc f             dL/dh = da W_hh
** The step leaves the activations in the memory of the pre-activations. tanh(c') is not
** kept: the way back has it from h' and o. That is faster than to write and read it, and
** a window takes a seventh less memory.
**
** Hochreiter & Schmidhuber, "Long short-term memory", 1997; the forget gate is from Gers,
** Schmidhuber & Cummins, "Learning to forget", 2000. */
#include "cell.h"
#include "cell_kernels.h"
#include "isa.h"
#include "lstm.h"

UN_BY_ISA(un_lstm_kernels, un_lstm)

UN_STEP(un_lstm, step, un_step)
UN_STEP(un_lstm, step_grad, un_step_grad)

extern const un_cell un_cell_lstm;

const un_cell un_cell_lstm = {.name = "lstm",
                              .gates = 4,
                              .states = 2,
                              .state_name = {"h", "c"},
                              .step = {step_f32, step_f64},
                              .step_grad = {step_grad_f32, step_grad_f64}};
