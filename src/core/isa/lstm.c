/* isa/lstm.c -- a step of the long short-term memory, and its gradient (cell_lstm.c). */
#ifndef REAL
#include "lstm.h"

#include "isa.h"
#include "part.h"
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

ALWAYS_INLINE void FN(step_at)(const un_step *s, int64_t row, int64_t j, int64_t n) {
  const int64_t H = s->H, at = row * H + j;
  REAL *a = (REAL *)s->gates + row * 4 * H + j;
  const FN(vec) i = FN(vsigmoid)(LOAD(a)), f = FN(vsigmoid)(LOAD(a + H));
  const FN(vec) g = FN(vtanh)(LOAD(a + 2 * H)), o = FN(vsigmoid)(LOAD(a + 3 * H));
  const FN(vec) c = f * LOAD((const REAL *)s->state[1] + at) + i * g;
  const FN(vec) h = o * FN(vtanh)(c);
  STORE(a, i);
  STORE(a + H, f);
  STORE(a + 2 * H, g);
  STORE(a + 3 * H, o);
  STORE((REAL *)s->next[1] + at, c);
  STORE((REAL *)s->next[0] + at, h);
  if (s->again) FN(store)((REAL *)s->again + j, h);
}

static void FN(step)(const un_step *step) {
  const un_step s = *step;
  FOR_UNITS(s.B, s.H, FN(step_at), &s)
}

/* tanh(c') is h' / o, wherever o is not so small that it counts for nothing. */
ALWAYS_INLINE void FN(step_grad_at)(const un_step_grad *p, int64_t row, int64_t j,
                                    int64_t n) {
  const int64_t H = p->at.H, at = row * H + j, to = row * 4 * H + j;
  const REAL *a = (const REAL *)p->at.gates + to;
  const REAL *c0 = (const REAL *)p->at.state[1] + at;
  REAL *da = (REAL *)p->dgates + to, *dc = (REAL *)p->dstate[1] + at;
  const FN(vec) i = LOAD(a), f = LOAD(a + H), g = LOAD(a + 2 * H);
  const FN(vec) o = LOAD(a + 3 * H), c = LOAD(c0);
  const FN(vec) h = LOAD((const REAL *)p->at.next[0] + at);
  const FN(vec) d = LOAD((const REAL *)p->dstate[0] + at);
  const FN(vec) t = h / FN(max)(FN(all)((REAL)1e-37), o);
  const FN(vec) e = LOAD(dc) + d * o * (1 - t * t);
  STORE(da, e * g * (i * (1 - i)));
  STORE(da + H, e * c * (f * (1 - f)));
  STORE(da + 2 * H, e * i * (1 - g * g));
  STORE(da + 3 * H, d * h * (1 - o));
  STORE(dc, e * f);
}

static void FN(step_grad)(const un_step_grad *g) {
  const un_step_grad p = *g;
  FOR_UNITS(p.at.B, p.at.H, FN(step_grad_at), &p)
}

#endif
