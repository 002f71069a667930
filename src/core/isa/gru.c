/* isa/gru.c -- a step of the gated recurrent unit, and its gradient (see cell_gru.c).
**
** Each row of H units goes by whole vectors and then by a part of one. */
#ifndef REAL
#include "gru.h"

#include "isa.h"
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

/* One vector, or the first n lanes of it. */
#define LOAD(p)     (n < FN(LANES) ? FN(load_part)(p, n) : FN(load)(p))
#define STORE(p, v) (n < FN(LANES) ? FN(store_part)(p, v, n) : FN(store)(p, v))

ALWAYS_INLINE void FN(step_at)(REAL *x, REAL *p, const REAL *b, const REAL *h, REAL *h1,
                               int64_t H, int64_t n) {
  const FN(vec) r = FN(vsigmoid)(LOAD(x) + LOAD(p));
  const FN(vec) z = FN(vsigmoid)(LOAD(x + H) + LOAD(p + H));
  const FN(vec) m = LOAD(p + 2 * H) + LOAD(b);
  const FN(vec) y = FN(vtanh)(LOAD(x + 2 * H) + r * m);
  STORE(x, r);
  STORE(x + H, z);
  STORE(x + 2 * H, y);
  STORE(p + 2 * H, m);
  STORE(h1, y + z * (LOAD(h) - y));
}

static void FN(step)(const un_step *s) {
  const int64_t H = s->H;
  for (int64_t row = 0; row < s->B; row++) {
    REAL *x = (REAL *)s->gates + row * 3 * H, *p = (REAL *)s->gates_h + row * 3 * H;
    const REAL *b = s->extra[0], *h = (const REAL *)s->state[0] + row * H;
    REAL *h1 = (REAL *)s->next[0] + row * H;
    int64_t j = 0;
    for (; j + FN(LANES) <= H; j += FN(LANES))
      FN(step_at)(x + j, p + j, b + j, h + j, h1 + j, H, FN(LANES));
    if (j < H) FN(step_at)(x + j, p + j, b + j, h + j, h1 + j, H, H - j);
  }
}

ALWAYS_INLINE void FN(step_grad_at)(const REAL *x, const REAL *p, const REAL *h,
                                    REAL *dx, REAL *dp, REAL *dh, REAL *db, int64_t H,
                                    int64_t n) {
  const FN(vec) r = LOAD(x), z = LOAD(x + H), y = LOAD(x + 2 * H), d = LOAD(dh);
  const FN(vec) dy = d * (1 - z) * (1 - y * y), dm = dy * r;
  const FN(vec) dr = dm * LOAD(p + 2 * H) * (1 - r);
  const FN(vec) dz = d * (LOAD(h) - y) * z * (1 - z);
  STORE(dx, dr);
  STORE(dx + H, dz);
  STORE(dx + 2 * H, dy);
  STORE(dp, dr);
  STORE(dp + H, dz);
  STORE(dp + 2 * H, dm);
  STORE(db, LOAD(db) + dm);
  STORE(dh, d * z);
}

static void FN(step_grad)(const un_step_grad *g) {
  const int64_t H = g->at.H;
  for (int64_t row = 0; row < g->at.B; row++) {
    const REAL *x = (const REAL *)g->at.gates + row * 3 * H;
    const REAL *p = (const REAL *)g->at.gates_h + row * 3 * H;
    const REAL *h = (const REAL *)g->at.state[0] + row * H;
    REAL *dx = (REAL *)g->dgates + row * 3 * H, *dp = (REAL *)g->dgates_h + row * 3 * H;
    REAL *dh = (REAL *)g->dstate[0] + row * H, *db = g->dextra[0];
    int64_t j = 0;
    for (; j + FN(LANES) <= H; j += FN(LANES))
      FN(step_grad_at)
    (x + j, p + j, h + j, dx + j, dp + j, dh + j, db + j, H, FN(LANES));
    if (j < H)
      FN(step_grad_at)(x + j, p + j, h + j, dx + j, dp + j, dh + j, db + j, H, H - j);
  }
}
#undef LOAD
#undef STORE

#endif
