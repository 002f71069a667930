/* cell_elman.c -- the simple recurrent cell (Elman 1990), with tanh or relu:
**     h_t = f(W_xh x_t + W_hh h_{t-1} + b_h)
**     da_t = dL/dh_t * f'(a_t),   tanh' = 1 - h^2,   relu' = 1 where h > 0, else 0
** The derivative needs h alone, so the pre-activations live in h's own memory. */
#include "cell.h"
#include "elman.h"
#include "isa.h"
#include "row.h"

UN_BY_ISA(un_elman_kernels, un_elman)

#define UN_ROW(name, dtype, suffix)                                                    \
  static void name##_row_##suffix(const un_row_run *r) {                               \
    un_row_table()->name[dtype](r);                                                    \
  }
UN_ROW(tanh, UN_F32, f32)
UN_ROW(tanh, UN_F64, f64)
UN_ROW(relu, UN_F32, f32)
UN_ROW(relu, UN_F64, f64)
UN_ROW(tanh_back, UN_F32, f32)
UN_ROW(tanh_back, UN_F64, f64)
UN_ROW(relu_back, UN_F32, f32)
UN_ROW(relu_back, UN_F64, f64)
#undef UN_ROW

#define UN_FINISH_ROW(name, dtype, suffix)                                             \
  static void name##_finish_##suffix(void *h, const void *add, int64_t H) {            \
    un_elman()->name[dtype](h, add, H);                                                \
  }
UN_FINISH_ROW(tanh, UN_F32, f32)
UN_FINISH_ROW(tanh, UN_F64, f64)
UN_FINISH_ROW(relu, UN_F32, f32)
UN_FINISH_ROW(relu, UN_F64, f64)
#undef UN_FINISH_ROW

static void tanh_f32(const un_step *s) {
  un_elman()->tanh[UN_F32](s->next[0], NULL, s->B * s->H);
}

static void tanh_f64(const un_step *s) {
  un_elman()->tanh[UN_F64](s->next[0], NULL, s->B * s->H);
}

static void tanh_grad_f32(const un_step_grad *g) {
  un_elman()->tanh_grad[UN_F32](g->dgates, g->dstate[0], g->at.next[0],
                                g->at.B * g->at.H);
}

static void tanh_grad_f64(const un_step_grad *g) {
  un_elman()->tanh_grad[UN_F64](g->dgates, g->dstate[0], g->at.next[0],
                                g->at.B * g->at.H);
}

static void relu_f32(const un_step *s) {
  un_elman()->relu[UN_F32](s->next[0], NULL, s->B * s->H);
}

static void relu_f64(const un_step *s) {
  un_elman()->relu[UN_F64](s->next[0], NULL, s->B * s->H);
}

static void relu_grad_f32(const un_step_grad *g) {
  un_elman()->relu_grad[UN_F32](g->dgates, g->dstate[0], g->at.next[0],
                                g->at.B * g->at.H);
}

static void relu_grad_f64(const un_step_grad *g) {
  un_elman()->relu_grad[UN_F64](g->dgates, g->dstate[0], g->at.next[0],
                                g->at.B * g->at.H);
}

extern const un_cell un_cell_tanh, un_cell_relu;

const un_cell un_cell_tanh = {.name = "tanh",
                              .gates = 1,
                              .states = 1,
                              .state_name = {"h"},
                              .in_place = true,
                              .step = {tanh_f32, tanh_f64},
                              .step_grad = {tanh_grad_f32, tanh_grad_f64},
                              .forward_row = {tanh_row_f32, tanh_row_f64},
                              .backward_row = {tanh_back_row_f32, tanh_back_row_f64},
                              .finish_row = {tanh_finish_f32, tanh_finish_f64}};

const un_cell un_cell_relu = {.name = "relu",
                              .gates = 1,
                              .states = 1,
                              .state_name = {"h"},
                              .in_place = true,
                              .step = {relu_f32, relu_f64},
                              .step_grad = {relu_grad_f32, relu_grad_f64},
                              .forward_row = {relu_row_f32, relu_row_f64},
                              .backward_row = {relu_back_row_f32, relu_back_row_f64},
                              .finish_row = {relu_finish_f32, relu_finish_f64}};
