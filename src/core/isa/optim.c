/* isa/optim.c -- one line of each update rule (the formulas are in optim.h).
**
** The scalars are computed in double and rounded once, as PyTorch does. Options that
** choose a formula are tested outside of the loops: each loop body is straight code
** that the compiler turns into vectors. */
#ifndef REAL
#include "optim.h"

#include <math.h>

#include "isa.h"
#include "vec.h"
#include "vec_math.h"

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

static void FN(sgd)(int64_t n, void *const line[], const un_optim_options *o) {
  REAL *restrict p = line[UN_OPTIM_P], *restrict m = line[UN_OPTIM_S1];
  const REAL *restrict g = line[UN_OPTIM_G];
  const REAL lr = (REAL)o->lr, decay = (REAL)o->weight_decay;
  const REAL keep = (REAL)o->momentum, add = (REAL)(1 - o->dampening);
  if (!m) {
    for (int64_t i = 0; i < n; i++)
      p[i] -= lr * (g[i] + decay * p[i]);
  } else if (o->nesterov) {
    for (int64_t i = 0; i < n; i++) {
      REAL d = g[i] + decay * p[i];
      m[i] = keep * m[i] + add * d;
      p[i] -= lr * (d + keep * m[i]);
    }
  } else {
    for (int64_t i = 0; i < n; i++) {
      REAL d = g[i] + decay * p[i];
      m[i] = keep * m[i] + add * d;
      p[i] -= lr * m[i];
    }
  }
}

static void FN(adagrad)(int64_t n, void *const line[], const un_optim_options *o) {
  REAL *restrict p = line[UN_OPTIM_P], *restrict s = line[UN_OPTIM_S1];
  const REAL *restrict g = line[UN_OPTIM_G];
  const REAL lr = (REAL)(o->lr / (1 + (double)(o->t - 1) * o->lr_decay));
  const REAL decay = (REAL)o->weight_decay, eps = (REAL)o->eps;
  for (int64_t i = 0; i < n; i++) {
    REAL d = g[i] + decay * p[i];
    s[i] += d * d;
    p[i] -= lr * d / (M(sqrt)(s[i]) + eps);
  }
}

/* The variance v - a^2 may round to just below zero where the gradient is constant;
** it counts as zero then. */
static inline void FN(rmsprop_line)(int64_t n, void *const line[],
                                    const un_optim_options *o, const bool centered,
                                    const bool momentum) {
  REAL *restrict p = line[UN_OPTIM_P], *restrict v = line[UN_OPTIM_S1];
  REAL *restrict a = line[UN_OPTIM_S2], *restrict b = line[UN_OPTIM_S3];
  const REAL *restrict g = line[UN_OPTIM_G];
  const REAL lr = (REAL)o->lr, decay = (REAL)o->weight_decay, eps = (REAL)o->eps;
  const REAL keep = (REAL)o->alpha, add = (REAL)(1 - o->alpha);
  const REAL inertia = (REAL)o->momentum;
  for (int64_t i = 0; i < n; i++) {
    REAL d = g[i] + decay * p[i];
    v[i] = keep * v[i] + add * d * d;
    REAL variance = v[i];
    if (centered) {
      a[i] = keep * a[i] + add * d;
      variance = v[i] - a[i] * a[i];
      variance = variance < 0 ? 0 : variance;
    }
    d /= M(sqrt)(variance) + eps;
    if (momentum) d = b[i] = inertia * b[i] + d;
    p[i] -= lr * d;
  }
}

static void FN(rmsprop)(int64_t n, void *const line[], const un_optim_options *o) {
  const bool centered = line[UN_OPTIM_S2], momentum = line[UN_OPTIM_S3];
  if (centered && momentum)
    FN(rmsprop_line)(n, line, o, true, true);
  else if (centered)
    FN(rmsprop_line)(n, line, o, true, false);
  else if (momentum)
    FN(rmsprop_line)(n, line, o, false, true);
  else
    FN(rmsprop_line)(n, line, o, false, false);
}

/* decay is added to the gradient, shrink scales the parameter. */
static void FN(adam_line)(int64_t n, void *const line[], const un_optim_options *o,
                          double decay_, double shrink_) {
  REAL *restrict p = line[UN_OPTIM_P];
  REAL *restrict m = line[UN_OPTIM_S1], *restrict v = line[UN_OPTIM_S2];
  const REAL *restrict g = line[UN_OPTIM_G];
  const REAL decay = (REAL)decay_, shrink = (REAL)shrink_, eps = (REAL)o->eps;
  const REAL keep1 = (REAL)o->beta1, add1 = (REAL)(1 - o->beta1);
  const REAL keep2 = (REAL)o->beta2, add2 = (REAL)(1 - o->beta2);
  const REAL rate = (REAL)(o->lr / (1 - pow(o->beta1, (double)o->t)));
  const REAL scale = (REAL)(1 / sqrt(1 - pow(o->beta2, (double)o->t)));
  for (int64_t i = 0; i < n; i++) {
    REAL d = g[i] + decay * p[i];
    m[i] = keep1 * m[i] + add1 * d;
    v[i] = keep2 * v[i] + add2 * d * d;
    p[i] = shrink * p[i] - rate * m[i] / (M(sqrt)(v[i]) * scale + eps);
  }
}

static void FN(adam)(int64_t n, void *const line[], const un_optim_options *o) {
  FN(adam_line)(n, line, o, o->weight_decay, 1);
}

static void FN(adamw)(int64_t n, void *const line[], const un_optim_options *o) {
  FN(adam_line)(n, line, o, 0, 1 - o->lr * o->weight_decay);
}

/* One line of neighbours. The sums of the lanes are added up in a fixed order. */
static void FN(measure_line)(int64_t n, const REAL *x, double scale, double sum[2]) {
  FN(vec) largest = {0};
  vec_f64 squares[2] = {{0}};
  int64_t i = 0;
  for (; i + 2 * FN(LANES) <= n; i += 2 * FN(LANES)) {
    FN(vec) a = FN(load)(x + i), b = FN(load)(x + i + FN(LANES));
    squares[0] = FN(add_scaled_squares)(a, scale, squares[0]);
    squares[1] = FN(add_scaled_squares)(b, scale, squares[1]);
    largest = FN(max)(FN(max)(FN(vabs)(a), FN(vabs)(b)), largest);
  }
  double total = reduce_add_f64(squares[0] + squares[1]);
  double max = (double)FN(reduce_max)(largest);
  for (; i < n; i++) {
    double y = (double)x[i], size = y < 0 ? -y : y;
    total += scale * y * (scale * y);
    max = size > max ? size : max;
  }
  sum[0] += total;
  sum[1] = max > sum[1] ? max : sum[1];
}

static void FN(measure)(int64_t n, const void *x_, int64_t stride, double scale,
                        double sum[2]) {
  const REAL *x = x_;
  if (stride == 1) {
    FN(measure_line)(n, x, scale, sum);
    return;
  }
  for (int64_t i = 0; i < n; i++)
    FN(measure_line)(1, x + i * stride, scale, sum);
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

static void FN(clamp)(int64_t n, void *x_, int64_t stride, double limit_) {
  REAL *x = x_;
  const REAL limit = (REAL)limit_;
  for (int64_t i = 0; i < n && stride == 1; i++)
    x[i] = x[i] > limit ? limit : x[i] < -limit ? -limit : x[i];
  for (int64_t i = 0; i < n && stride != 1; i++) {
    REAL *y = x + i * stride;
    *y = *y > limit ? limit : *y < -limit ? -limit : *y;
  }
}

#endif
