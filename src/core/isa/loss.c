/* isa/loss.c -- softmax cross-entropy and squared error, row by row (see loss.h).
**
** The softmax subtracts the largest element of the row first, so that nothing
** overflows:
** logits of +-1e4 give the right loss. Rows are cut into vectors; the last, partial one
** is worked on in a padded copy. */
#ifndef REAL
#include "loss.h"

#include <math.h>
#include <string.h>

#include "isa.h"
#include "stop.h"
#include "vec.h"
#include "vmath.h"

#define UN_TEMPLATE "isa/loss.c"
#include "each_dtype.h"

extern const un_loss_kernels ISA(un_loss_table);
const un_loss_kernels ISA(un_loss_table) = {.softmax = {softmax_f32, softmax_f64},
                                            .squares = {squares_f32, squares_f64}};

#else

ALWAYS_INLINE void FN(max_block)(REAL *restrict max, const REAL *restrict y) {
  for (int i = 0; i < FN(LANES); i++)
    max[i] = y[i] > max[i] ? y[i] : max[i];
}

/* The largest element; a NaN need not be found, it shows in the sum. */
static REAL FN(row_max)(const REAL *y, int64_t n) {
  REAL max[FN(LANES)];
  for (int i = 0; i < FN(LANES); i++)
    max[i] = y[0];
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES))
    FN(max_block)(max, y + i);
  for (; i < n; i++)
    max[i & (FN(LANES) - 1)] =
        y[i] > max[i & (FN(LANES) - 1)] ? y[i] : max[i & (FN(LANES) - 1)];
  for (int k = FN(LANES) / 2; k > 0; k /= 2)
    for (int j = 0; j < k; j++)
      max[j] = max[j + k] > max[j] ? max[j + k] : max[j];
  return max[0];
}

ALWAYS_INLINE void FN(exp_block)(REAL *restrict e, const REAL *restrict y, REAL max) {
  for (int i = 0; i < FN(LANES); i++)
    e[i] = M(un_vexp)(y[i] - max);
}

ALWAYS_INLINE REAL FN(sum_lanes)(const REAL *lane) {
  REAL sum[FN(LANES)];
  memcpy(sum, lane, sizeof sum);
  for (int k = FN(LANES) / 2; k > 0; k /= 2)
    for (int j = 0; j < k; j++)
      sum[j] += sum[j + k];
  return sum[0];
}

/* Returns sum exp(y - max); e gets the terms when it is not NULL. */
static REAL FN(row_exp)(REAL *e, const REAL *y, REAL max, int64_t n) {
  FN(vec) sum = {0};
  REAL block[FN(LANES)];
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES)) {
    FN(exp_block)(block, y + i, max);
    FN(vec) terms = FN(load)(block);
    if (e) FN(store)(e + i, terms);
    sum += terms;
  }
  if (i < n) {
    REAL rest[FN(LANES)];
    FN(store)(rest, FN(load_part)(y + i, n - i));
    FN(exp_block)(block, rest, max);
    FN(vec) terms = FN(load_part)(block, n - i);
    if (e) FN(store_part)(e + i, terms, n - i);
    sum += terms;
  }
  FN(store)(block, sum);
  return FN(sum_lanes)(block);
}

static void FN(scale_row)(REAL *y, REAL factor, int64_t n) {
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES))
    FN(store)(y + i, FN(load)(y + i) * factor);
  if (i < n) FN(store_part)(y + i, FN(load_part)(y + i, n - i) * factor, n - i);
}

static double FN(softmax)(const un_loss *l, double total) {
  int64_t n = l->columns;
  for (int64_t r = 0; r < l->rows && !un_stopped(); r++) {
    const REAL *y = (const REAL *)l->y + r * n;
    REAL *dy = l->dy ? (REAL *)l->dy + r * n : NULL;
    REAL weight = l->weight ? ((const REAL *)l->weight)[r] : 1;
    if (weight == 0) {
      if (dy) memset(dy, 0, (size_t)n * sizeof *dy);
      continue;
    }
    int64_t label = l->labels[r] - 1;
    REAL max = FN(row_max)(y, n), wanted = y[label];
    REAL sum = FN(row_exp)(dy, y, max, n);
    total += (double)weight * (log((double)sum) + ((double)max - (double)wanted));
    if (dy) { /* softmax(y) - 1 at the label, times weight and scale */
      REAL factor = (REAL)((double)weight * l->scale);
      FN(scale_row)(dy, factor / sum, n);
      dy[label] -= factor;
    }
  }
  return total;
}

static double FN(squares)(const un_loss *l, double total) {
  int64_t n = l->columns;
  for (int64_t r = 0; r < l->rows && !un_stopped(); r++) {
    const REAL *y = (const REAL *)l->y + r * n,
               *target = (const REAL *)l->target + r * n;
    REAL *dy = l->dy ? (REAL *)l->dy + r * n : NULL;
    REAL weight = l->weight ? ((const REAL *)l->weight)[r] : 1;
    if (weight == 0) {
      if (dy) memset(dy, 0, (size_t)n * sizeof *dy);
      continue;
    }
    REAL factor = (REAL)(2 * (double)weight * l->scale);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
      REAL d = y[i] - target[i];
      sum += (double)d * (double)d;
      if (dy) dy[i] = factor * d;
    }
    total += (double)weight * sum;
  }
  return total;
}

#endif
