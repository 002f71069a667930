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

/* `a` has the blocks r, z and m, x that of n. */
ALWAYS_INLINE void FN(step_at)(REAL *a, REAL *x, const REAL *h, REAL *h1, int64_t H,
                               int64_t n) {
  const FN(vec) r = FN(vsigmoid)(LOAD(a)), z = FN(vsigmoid)(LOAD(a + H));
  const FN(vec) new = FN(vtanh)(LOAD(x) + r * LOAD(a + 2 * H));
  STORE(a, r);
  STORE(a + H, z);
  STORE(x, new);
  STORE(h1, new + z *(LOAD(h) - new));
}

static void FN(step)(const un_step *s) {
  const int64_t H = s->H;
  REAL *a = s->gates, *x = s->gates_x, *h1 = s->next[0];
  const REAL *h = s->state[0];
  for (int64_t b = 0; b < s->B; b++, a += 3 * H, x += H, h += H, h1 += H) {
    int64_t j = 0;
    for (; j + FN(LANES) <= H; j += FN(LANES))
      FN(step_at)(a + j, x + j, h + j, h1 + j, H, FN(LANES));
    if (j < H) FN(step_at)(a + j, x + j, h + j, h1 + j, H, H - j);
  }
}

typedef struct FN(back) {
  const REAL *a, *x, *h;
  REAL *da, *dx, *dh;
} FN(back);

ALWAYS_INLINE void FN(step_grad_at)(const FN(back) * p, int64_t H, int64_t j,
                                    int64_t n) {
  const REAL *a = p->a + j;
  const FN(vec) r = LOAD(a), z = LOAD(a + H), m = LOAD(a + 2 * H);
  const FN(vec) new = LOAD(p->x + j), d = LOAD(p->dh + j), dz = d *z;
  const FN(vec) dn = (d - dz) * (1 - new *new), dm = dn * r;
  STORE(p->da + j, dm * m * (1 - r));
  STORE(p->da + j + H, (LOAD(p->h + j) - new) * (dz - dz * z));
  STORE(p->da + j + 2 * H, dm);
  STORE(p->dx + j, dn);
  STORE(p->dh + j, dz);
}

static void FN(step_grad)(const un_step_grad *g) {
  const int64_t H = g->at.H;
  for (int64_t b = 0; b < g->at.B; b++) {
    const FN(back) p = {.a = (const REAL *)g->at.gates + b * 3 * H,
                        .x = (const REAL *)g->at.gates_x + b * H,
                        .h = (const REAL *)g->at.state[0] + b * H,
                        .da = (REAL *)g->dgates + b * 3 * H,
                        .dx = (REAL *)g->dgates_x + b * H,
                        .dh = (REAL *)g->dstate[0] + b * H};
    int64_t j = 0;
    for (; j + FN(LANES) <= H; j += FN(LANES))
      FN(step_grad_at)(&p, H, j, FN(LANES));
    if (j < H) FN(step_grad_at)(&p, H, j, H - j);
  }
}
#undef LOAD
#undef STORE

#endif
