/* isa/lstm.c -- a step of the long short-term memory, and its gradient (cell_lstm.c).
**
** Each row of H units goes by whole vectors and then by a part of one. */
#ifndef REAL
#include "lstm.h"

#include "isa.h"
#include "vec.h"
#include "vec_math.h"

#define UN_TEMPLATE "isa/lstm.c"
#include "each_dtype.h"

extern const un_lstm_kernels ISA(un_lstm);
const un_lstm_kernels ISA(un_lstm) = {
    .step = {step_f32, step_f64},
    .step_grad = {step_grad_f32, step_grad_f64},
};

#else

/* One vector, or the first n lanes of it. */
#define LOAD(p)     (n < FN(LANES) ? FN(load_part)(p, n) : FN(load)(p))
#define STORE(p, v) (n < FN(LANES) ? FN(store_part)(p, v, n) : FN(store)(p, v))

/* Where some units of a sequence have their numbers; gates are H apart. */
typedef struct FN(unit) {
  REAL *a;
  const REAL *c;
  REAL *h1, *c1;
} FN(unit);

/* Those of the row's first units. */
ALWAYS_INLINE FN(unit) FN(row_at)(const un_step *s, int64_t row) {
  const int64_t at = row * s->H;
  return (FN(unit)){(REAL *)s->gates + 4 * at, (const REAL *)s->state[1] + at,
                    (REAL *)s->next[0] + at, (REAL *)s->next[1] + at};
}

/* Those j units on. */
ALWAYS_INLINE FN(unit) FN(unit_at)(FN(unit) u, int64_t j) {
  return (FN(unit)){u.a + j, u.c + j, u.h1 + j, u.c1 + j};
}

ALWAYS_INLINE void FN(step_at)(FN(unit) u, int64_t H, int64_t n) {
  const FN(vec) i = FN(vsigmoid)(LOAD(u.a)), f = FN(vsigmoid)(LOAD(u.a + H));
  const FN(vec) g = FN(vtanh)(LOAD(u.a + 2 * H));
  const FN(vec) o = FN(vsigmoid)(LOAD(u.a + 3 * H));
  const FN(vec) c = f * LOAD(u.c) + i * g, t = FN(vtanh)(c);
  STORE(u.a, i);
  STORE(u.a + H, f);
  STORE(u.a + 2 * H, g);
  STORE(u.a + 3 * H, o);
  STORE(u.c1, c);
  STORE(u.h1, o * t);
}

static void FN(step)(const un_step *s) {
  const int64_t H = s->H, L = FN(LANES);
  for (int64_t row = 0; row < s->B; row++) {
    const FN(unit) u = FN(row_at)(s, row);
    int64_t j = 0;
    for (; j + L <= H; j += L)
      FN(step_at)(FN(unit_at)(u, j), H, L);
    if (j < H) FN(step_at)(FN(unit_at)(u, j), H, H - j);
  }
}

/* tanh(c') is h' / o, wherever o is not so small that it counts for nothing. */
ALWAYS_INLINE void FN(step_grad_at)(FN(unit) u, REAL *da, const REAL *dh, REAL *dc,
                                    int64_t H, int64_t n) {
  const FN(vec) i = LOAD(u.a), f = LOAD(u.a + H), g = LOAD(u.a + 2 * H);
  const FN(vec) o = LOAD(u.a + 3 * H), h = LOAD(u.h1), d = LOAD(dh);
  const FN(vec) t = h / FN(max)(FN(all)((REAL)1e-37), o);
  const FN(vec) e = LOAD(dc) + d * o * (1 - t * t);
  STORE(da, e * g * (i * (1 - i)));
  STORE(da + H, e * LOAD(u.c) * (f * (1 - f)));
  STORE(da + 2 * H, e * i * (1 - g * g));
  STORE(da + 3 * H, d * h * (1 - o));
  STORE(dc, e * f);
}

static void FN(step_grad)(const un_step_grad *g) {
  const int64_t H = g->at.H, L = FN(LANES);
  for (int64_t row = 0; row < g->at.B; row++) {
    const FN(unit) u = FN(row_at)(&g->at, row);
    REAL *da = (REAL *)g->dgates + row * 4 * H;
    const REAL *dh = (const REAL *)g->dstate[0] + row * H;
    REAL *dc = (REAL *)g->dstate[1] + row * H;
    int64_t j = 0;
    for (; j + L <= H; j += L)
      FN(step_grad_at)(FN(unit_at)(u, j), da + j, dh + j, dc + j, H, L);
    if (j < H) FN(step_grad_at)(FN(unit_at)(u, j), da + j, dh + j, dc + j, H, H - j);
  }
}
#undef LOAD
#undef STORE

#endif
