/* isa/gru.c -- a step of the gated recurrent unit, and its gradient (see cell_gru.c). */
#ifndef REAL
#include "gru.h"

#include "isa.h"
#include "part.h"
#include "vec.h"
#include "vec_math.h"

#define UN_TEMPLATE "isa/gru.c"
#include "each_dtype.h"

extern const un_gru_kernels ISA(un_gru);
const un_gru_kernels ISA(un_gru) = {
    .step = {step_f32, step_f64},
    .step_grad = {step_grad_f32, step_grad_f64},
};

#else

/* `a` has the blocks r, z and m, x that of n. */
ALWAYS_INLINE void FN(step_at)(const un_step *s, int64_t row, int64_t j, int64_t n) {
  const int64_t H = s->H, at = row * H + j;
  REAL *a = (REAL *)s->gates + row * 3 * H + j, *x = (REAL *)s->gates_x + at;
  const FN(vec) r = FN(vsigmoid)(LOAD(a)), z = FN(vsigmoid)(LOAD(a + H));
  const FN(vec) new = FN(vtanh)(LOAD(x) + r * LOAD(a + 2 * H));
  const FN(vec) h = LOAD((const REAL *)s->state[0] + at);
  STORE(a, r);
  STORE(a + H, z);
  STORE(x, new);
  const FN(vec) next = new + z *(h - new);
  STORE((REAL *)s->next[0] + at, next);
  if (s->again) FN(store)((REAL *)s->again + j, next);
}

static void FN(step)(const un_step *step) {
  const un_step s = *step;
  FOR_UNITS(s.B, s.H, FN(step_at), &s)
}

ALWAYS_INLINE void FN(step_grad_at)(const un_step_grad *p, int64_t row, int64_t j,
                                    int64_t n) {
  const int64_t H = p->at.H, at = row * H + j, to = row * 3 * H + j;
  const REAL *a = (const REAL *)p->at.gates + to;
  const REAL *x = (const REAL *)p->at.gates_x + at;
  const REAL *h0 = (const REAL *)p->at.state[0] + at;
  REAL *da = (REAL *)p->dgates + to, *dh = (REAL *)p->dstate[0] + at;
  const FN(vec) r = LOAD(a), z = LOAD(a + H), m = LOAD(a + 2 * H);
  const FN(vec) new = LOAD(x), h = LOAD(h0), d = LOAD(dh), dz = d *z;
  const FN(vec) dn = (d - dz) * (1 - new *new), dm = dn * r;
  STORE(da, dm * m * (1 - r));
  STORE(da + H, (h - new) * (dz - dz * z));
  STORE(da + 2 * H, dm);
  STORE((REAL *)p->dgates_x + at, dn);
  STORE(dh, dz);
}

static void FN(step_grad)(const un_step_grad *g) {
  const un_step_grad p = *g;
  FOR_UNITS(p.at.B, p.at.H, FN(step_grad_at), &p)
}

#endif
