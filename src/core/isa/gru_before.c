/* isa/gru_before.c -- the halves of a step of the gated recurrent unit with the reset gate
** before the product, and their gradients (see cell_gru_before.c). */
#ifndef REAL
#include "gru_before.h"

#include "isa.h"
#include "part.h"
#include "vec.h"
#include "vec_math.h"

#define UN_TEMPLATE "isa/gru_before.c"
#include "each_dtype.h"

extern const un_gru_before_kernels ISA(un_gru_before);
const un_gru_before_kernels ISA(un_gru_before) = {
    .step = {step_f32, step_f64},
    .step_grad = {step_grad_f32, step_grad_f64},
    .early = {early_f32, early_f64},
    .early_grad = {early_grad_f32, early_grad_f64},
};

#else

ALWAYS_INLINE void FN(early_at)(const un_step *s, int64_t row, int64_t j, int64_t n) {
  const int64_t H = s->H, at = row * H + j;
  REAL *a = (REAL *)s->gates + row * 3 * H + j;
  const FN(vec) r = FN(vsigmoid)(LOAD(a)), z = FN(vsigmoid)(LOAD(a + H));
  STORE(a, r);
  STORE(a + H, z);
  STORE((REAL *)s->saved + at, r * LOAD((const REAL *)s->state[0] + at));
}

ALWAYS_INLINE void FN(step_at)(const un_step *s, int64_t row, int64_t j, int64_t n) {
  const int64_t H = s->H, at = row * H + j;
  REAL *a = (REAL *)s->gates + row * 3 * H + j;
  const FN(vec) z = LOAD(a + H), new = FN(vtanh)(LOAD(a + 2 * H));
  STORE(a + 2 * H, new);
  const FN(vec) next = new + z *(LOAD((const REAL *)s->state[0] + at) - new);
  STORE((REAL *)s->next[0] + at, next);
  if (s->again) FN(store)((REAL *)s->again + j, next);
}

ALWAYS_INLINE void FN(step_grad_at)(const un_step_grad *g, int64_t row, int64_t j,
                                    int64_t n) {
  const int64_t H = g->at.H, to = row * 3 * H + j;
  const REAL *a = (const REAL *)g->at.gates + to;
  const FN(vec) d = LOAD((REAL *)g->dstate[0] + row * H + j);
  const FN(vec) new = LOAD(a + 2 * H);
  STORE((REAL *)g->dgates + to + 2 * H, (d - d * LOAD(a + H)) * (1 - new *new));
}

ALWAYS_INLINE void FN(early_grad_at)(const un_step_grad *g, int64_t row, int64_t j,
                                     int64_t n) {
  const int64_t H = g->at.H, at = row * H + j, to = row * 3 * H + j;
  const REAL *a = (const REAL *)g->at.gates + to;
  REAL *da = (REAL *)g->dgates + to, *dh = (REAL *)g->dstate[0] + at;
  const FN(vec) r = LOAD(a), z = LOAD(a + H), new = LOAD(a + 2 * H);
  const FN(vec) h = LOAD((const REAL *)g->at.state[0] + at);
  const FN(vec) dz = LOAD(dh) * z, dr = LOAD(da) * r;
  STORE(da, dr * h * (1 - r));
  STORE(da + H, (h - new) * (dz - dz * z));
  STORE(dh, dz + dr);
}

static void FN(early)(const un_step *s) {
  FOR_UNITS(s->B, s->H, FN(early_at), s)
}

static void FN(step)(const un_step *s) {
  FOR_UNITS(s->B, s->H, FN(step_at), s)
}

static void FN(step_grad)(const un_step_grad *g) {
  FOR_UNITS(g->at.B, g->at.H, FN(step_grad_at), g)
}

static void FN(early_grad)(const un_step_grad *g) {
  FOR_UNITS(g->at.B, g->at.H, FN(early_grad_at), g)
}

#endif
