/* isa/optim.c -- one line of each update rule (the formulas are in optim.h), and of the
** norm.
**
** The scalars are computed in double and rounded once, as PyTorch does. Lines are cut
** into vectors; of the last one only what belongs to the line is read and written. An
** update comes in two halves, which several vectors pass side by side: the first one
** brings the state up to date and says what is under the root, the second moves p. */
#ifndef REAL
#include "optim.h"

#include <math.h>

#include "isa.h"
#include "vec.h"
#include "vec_math.h"
#include "vec_root.h"

/* The lanes in float64, those of a float32 vector in pairs. */
ALWAYS_INLINE vec_f64 fold_f32(vec_f32 v) {
  float lane[LANES_f32];
  double wide[LANES_f32];
  store_f32(lane, v);
  NO_UNROLL for (int i = 0; i < LANES_f32; i++) wide[i] = (double)lane[i];
  return load_f64(wide) + load_f64(wide + LANES_f64);
}

ALWAYS_INLINE vec_f64 fold_f64(vec_f64 v) {
  return v;
}

#define UN_TEMPLATE "isa/optim.c"
#include "each_dtype.h"

extern const un_optim_kernels ISA(un_optim);
const un_optim_kernels ISA(un_optim) = {
    .update = {{sgd_f32, sgd_f64},
               {adagrad_f32, adagrad_f64},
               {rmsprop_f32, rmsprop_f64},
               {adam_f32, adam_f64},
               {adamw_f32, adamw_f64}},
    .measure = {measure_f32, measure_f64},
    .scale = {scale_f32, scale_f64},
    .clamp = {clamp_f32, clamp_f64},
};

#else

/* --- vectors of a line ------------------------------------------------------------- */

/* The vector at x, of which `left` numbers or more are left. */
ALWAYS_INLINE FN(vec) FN(get)(const REAL *x, int64_t left) {
  return left < FN(LANES) ? FN(load_part)(x, left) : FN(load)(x);
}

ALWAYS_INLINE void FN(put)(REAL *x, int64_t left, FN(vec) v) {
  if (left < FN(LANES))
    FN(store_part)(x, v, left);
  else
    FN(store)(x, v);
}

/* One line of each tensor, and the scalars of a rule. */
typedef struct FN(line) {
  int64_t n;
  REAL *p, *s1, *s2, *s3;
  const REAL *g;
  REAL lr, decay, eps;
  REAL keep1, add1, keep2, add2; /* of the first and the second moving average */
  REAL shrink, scale;            /* of p, of the root */
} FN(line);

ALWAYS_INLINE FN(line)
    FN(line_of)(int64_t n, void *const at[], const un_optim_options *o) {
  return (FN(line)){.n = n,
                    .p = at[UN_OPTIM_P],
                    .s1 = at[UN_OPTIM_S1],
                    .s2 = at[UN_OPTIM_S2],
                    .s3 = at[UN_OPTIM_S3],
                    .g = at[UN_OPTIM_G],
                    .lr = (REAL)o->lr,
                    .decay = (REAL)o->weight_decay,
                    .eps = (REAL)o->eps};
}

/* The gradient of vector i, weight decay included. */
ALWAYS_INLINE FN(vec)
    FN(gradient)(const FN(line) * l, int64_t i, int64_t left, const bool decays) {
  FN(vec) g = FN(get)(l->g + i, left);
  return decays ? g + l->decay * FN(get)(l->p + i, left) : g;
}

/* average <- keep average + x */
ALWAYS_INLINE FN(vec)
    FN(move_average)(REAL *average, int64_t left, REAL keep, FN(vec) x) {
  FN(vec) v = keep * FN(get)(average, left) + x;
  FN(put)(average, left, v);
  return v;
}

/* --- rules without a root ---------------------------------------------------------- */

ALWAYS_INLINE void FN(sgd_at)(const FN(line) * l, int64_t i, int64_t left,
                              const bool nesterov) {
  FN(vec) d = FN(gradient)(l, i, left, l->decay != 0);
  if (l->s1) {
    FN(vec) m = FN(move_average)(l->s1 + i, left, l->keep1, l->add1 * d);
    d = nesterov ? d + l->keep1 * m : m;
  }
  FN(put)(l->p + i, left, FN(get)(l->p + i, left) - l->lr * d);
}

static void FN(sgd)(int64_t n, void *const at[], const un_optim_options *o) {
  FN(line) l = FN(line_of)(n, at, o);
  l.keep1 = (REAL)o->momentum;
  l.add1 = (REAL)(1 - o->dampening);
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES))
    FN(sgd_at)(&l, i, FN(LANES), o->nesterov);
  if (i < n) FN(sgd_at)(&l, i, n - i, o->nesterov);
}

/* --- rules with a root ------------------------------------------------------------- */

/* The first half of an update: returns what the second half is given as d. */
typedef FN(vec) FN(prepare)(const FN(line) * l, int64_t i, int64_t left,
                            const bool decays, FN(vec) * under_root);
typedef void FN(finish)(const FN(line) * l, int64_t i, int64_t left, FN(vec) d,
                        FN(vec) root);

ALWAYS_INLINE void FN(update_vectors)(const FN(line) * l, int64_t i, int64_t left,
                                      const int count, const bool decays,
                                      FN(prepare) * prepare, FN(finish) * finish) {
  FN(vec) d[ROOTS], root[ROOTS];
  EACH_ROOT(k, count) d[k] = prepare(l, i + k * FN(LANES), left, decays, &root[k]);
  FN(roots)(root, count);
  EACH_ROOT(k, count) finish(l, i + k * FN(LANES), left, d[k], root[k]);
}

/* Downwards: the norm has just read the gradients upwards, and their end is near. */
ALWAYS_INLINE void FN(update_all)(const FN(line) * l, const bool decays,
                                  FN(prepare) * prepare, FN(finish) * finish) {
  const int64_t step = ROOTS * FN(LANES), whole = l->n / step * step;
  for (int64_t i = whole; i < l->n; i += FN(LANES))
    FN(update_vectors)(l, i, l->n - i, 1, decays, prepare, finish);
  for (int64_t i = whole - step; i >= 0; i -= step)
    FN(update_vectors)(l, i, FN(LANES), ROOTS, decays, prepare, finish);
}

ALWAYS_INLINE void FN(update_line)(const FN(line) * l, FN(prepare) * prepare,
                                   FN(finish) * finish) {
  if (l->decay != 0)
    FN(update_all)(l, true, prepare, finish);
  else
    FN(update_all)(l, false, prepare, finish);
}

ALWAYS_INLINE FN(vec) FN(adagrad_prepare)(const FN(line) * l, int64_t i, int64_t left,
                                          const bool decays, FN(vec) * under_root) {
  FN(vec) d = FN(gradient)(l, i, left, decays), s = FN(get)(l->s1 + i, left) + d * d;
  FN(put)(l->s1 + i, left, s);
  *under_root = s;
  return d;
}

ALWAYS_INLINE void FN(adagrad_finish)(const FN(line) * l, int64_t i, int64_t left,
                                      FN(vec) d, FN(vec) root) {
  FN(vec) p = FN(get)(l->p + i, left);
  FN(put)(l->p + i, left, p - l->lr * (d / (root + l->eps)));
}

static void FN(adagrad)(int64_t n, void *const at[], const un_optim_options *o) {
  FN(line) l = FN(line_of)(n, at, o);
  l.lr = (REAL)(o->lr / (1 + (double)(o->t - 1) * o->lr_decay));
  FN(update_line)(&l, FN(adagrad_prepare), FN(adagrad_finish));
}

/* The variance v - a^2 may round to just below zero where the gradient is constant;
** it counts as zero then. */
ALWAYS_INLINE FN(vec) FN(rmsprop_prepare)(const FN(line) * l, int64_t i, int64_t left,
                                          const bool decays, FN(vec) * under_root) {
  FN(vec) d = FN(gradient)(l, i, left, decays);
  FN(vec) v = FN(move_average)(l->s1 + i, left, l->keep1, l->add1 * d * d);
  if (l->s2) {
    FN(vec) a = FN(move_average)(l->s2 + i, left, l->keep1, l->add1 * d);
    v = FN(max)((FN(vec)){0}, v - a * a);
  }
  *under_root = v;
  return d;
}

ALWAYS_INLINE void FN(rmsprop_finish)(const FN(line) * l, int64_t i, int64_t left,
                                      FN(vec) d, FN(vec) root) {
  FN(vec) p = FN(get)(l->p + i, left);
  d /= root + l->eps;
  if (l->s3) d = FN(move_average)(l->s3 + i, left, l->keep2, d);
  FN(put)(l->p + i, left, p - l->lr * d);
}

static void FN(rmsprop)(int64_t n, void *const at[], const un_optim_options *o) {
  FN(line) l = FN(line_of)(n, at, o);
  l.keep1 = (REAL)o->alpha;
  l.add1 = (REAL)(1 - o->alpha);
  l.keep2 = (REAL)o->momentum;
  FN(update_line)(&l, FN(rmsprop_prepare), FN(rmsprop_finish));
}

ALWAYS_INLINE FN(vec) FN(adam_prepare)(const FN(line) * l, int64_t i, int64_t left,
                                       const bool decays, FN(vec) * under_root) {
  FN(vec) d = FN(gradient)(l, i, left, decays);
  *under_root = FN(move_average)(l->s2 + i, left, l->keep2, l->add2 * d * d);
  return FN(move_average)(l->s1 + i, left, l->keep1, l->add1 * d);
}

ALWAYS_INLINE void FN(adam_finish)(const FN(line) * l, int64_t i, int64_t left,
                                   FN(vec) d, FN(vec) root) {
  FN(vec) p = l->shrink * FN(get)(l->p + i, left);
  FN(put)(l->p + i, left, p - l->lr * (d / (root * l->scale + l->eps)));
}

static void FN(adam_line)(FN(line) l, const un_optim_options *o) {
  l.keep1 = (REAL)o->beta1;
  l.add1 = (REAL)(1 - o->beta1);
  l.keep2 = (REAL)o->beta2;
  l.add2 = (REAL)(1 - o->beta2);
  l.lr = (REAL)(o->lr / (1 - pow(o->beta1, (double)o->t)));
  l.scale = (REAL)(1 / sqrt(1 - pow(o->beta2, (double)o->t)));
  FN(update_line)(&l, FN(adam_prepare), FN(adam_finish));
}

static void FN(adam)(int64_t n, void *const at[], const un_optim_options *o) {
  FN(line) l = FN(line_of)(n, at, o);
  l.shrink = 1;
  FN(adam_line)(l, o);
}

static void FN(adamw)(int64_t n, void *const at[], const un_optim_options *o) {
  FN(line) l = FN(line_of)(n, at, o);
  l.decay = 0;
  l.shrink = (REAL)(1 - o->lr * o->weight_decay);
  FN(adam_line)(l, o);
}

/* --- norm, scale, clamp ------------------------------------------------------------ */

/* Neighbours: the squares of eight vectors are added up in the dtype, these sums in
** float64, those of the lanes in a fixed order. Converting every square would take
** longer than reading it. */
static void FN(measure_line)(int64_t n, const REAL *x, double sum[2]) {
  enum { TOGETHER = 8 };
  FN(vec) largest[2] = {{0}};
  vec_f64 total = {0};
  int64_t i = 0;
  for (; i + TOGETHER * FN(LANES) <= n; i += TOGETHER * FN(LANES)) {
    FN(vec) squares[2] = {{0}};
    _Pragma("GCC unroll 8") for (int k = 0; k < TOGETHER; k++) {
      FN(vec) v = FN(load)(x + i + k * FN(LANES));
      squares[k & 1] += v * v;
      largest[k & 1] = FN(max)(FN(vabs)(v), largest[k & 1]);
    }
    total += FN(fold)(squares[0] + squares[1]);
  }
  for (; i < n; i += FN(LANES)) {
    FN(vec) v = FN(get)(x + i, n - i);
    total += FN(fold)(v * v);
    largest[0] = FN(max)(FN(vabs)(v), largest[0]);
  }
  double max = (double)FN(reduce_max)(FN(max)(largest[0], largest[1]));
  sum[0] += reduce_add_f64(total);
  sum[1] = max > sum[1] ? max : sum[1];
}

static void FN(measure)(int64_t n, const void *x_, int64_t stride, double scale,
                        double sum[2]) {
  const REAL *x = x_;
  if (stride == 1 && scale == 1) {
    FN(measure_line)(n, x, sum);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    double y = (double)x[i * stride], size = fabs(y);
    sum[0] += scale * y * (scale * y);
    sum[1] = size > sum[1] ? size : sum[1];
  }
}

static void FN(scale)(int64_t n, void *x_, int64_t stride, double factor) {
  REAL *x = x_;
  if (stride == 1) {
    for (int64_t i = 0; i < n; i++)
      x[i] = (REAL)(factor * (double)x[i]);
  } else {
    for (int64_t i = 0; i < n; i++)
      x[i * stride] = (REAL)(factor * (double)x[i * stride]);
  }
}

/* In the form that vector units have: the second operand where one is NaN. */
ALWAYS_INLINE REAL FN(clamped)(REAL x, REAL limit) {
  const REAL low = limit < x ? limit : x;
  return -limit > low ? -limit : low;
}

static void FN(clamp)(int64_t n, void *x_, int64_t stride, double limit_) {
  REAL *x = x_;
  const REAL limit = (REAL)limit_;
  for (int64_t i = 0; i < n && stride == 1; i++)
    x[i] = FN(clamped)(x[i], limit);
  for (int64_t i = 0; i < n && stride != 1; i++)
    x[i * stride] = FN(clamped)(x[i * stride], limit);
}

#endif
