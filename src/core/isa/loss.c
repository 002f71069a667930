/* isa/loss.c -- softmax cross-entropy and squared error, row by row (see loss.h).
**
** The softmax subtracts the largest element of the row first, so that nothing
** overflows: logits of +-1e4 give the right loss. Rows are cut into vectors; of the last
** one only what belongs to the row is read. The logarithms of GROUP rows are taken
** together, and the sums of one row are added up while the next one is on its way. */
#ifndef REAL
#include "loss.h"

#include <string.h>

#include "isa.h"
#include "vec.h"
#include "vec_math.h"
#include "vmath.h"

enum { GROUP = 8 };

#define UN_TEMPLATE "isa/loss.c"
#include "each_dtype.h"

extern const un_loss_kernels ISA(un_loss_table);
const un_loss_kernels ISA(un_loss_table) = {.softmax = {softmax_f32, softmax_f64},
                                            .squares = {squares_f32, squares_f64}};

#else

/* The largest element; a NaN need not be found, it shows in the sum. */
ALWAYS_INLINE REAL FN(row_max)(const REAL *y, int64_t n) {
  FN(vec) max = FN(all)(y[0]);
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES))
    max = FN(max)(FN(load)(y + i), max);
  if (i < n) {
    REAL rest = FN(reduce_max)(max);
    for (; i < n; i++)
      rest = y[i] > rest ? y[i] : rest;
    return rest;
  }
  return FN(reduce_max)(max);
}

/* Returns sum exp(y - max); e gets the terms when it is not NULL. */
ALWAYS_INLINE REAL FN(row_exp)(REAL *e, const REAL *y, REAL max, int64_t n) {
  FN(vec) sum = {0};
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES)) {
    FN(vec) terms = FN(vexp)(FN(load)(y + i) - max);
    if (e) FN(store)(e + i, terms);
    sum += terms;
  }
  if (i < n) {
    REAL rest[FN(LANES)] = {0};
    FN(store)(rest, FN(vexp)(FN(load_part)(y + i, n - i) - max));
    FN(vec) terms = FN(load_part)(rest, n - i);
    if (e) FN(store_part)(e + i, terms, n - i);
    sum += terms;
  }
  return FN(reduce_add)(sum);
}

ALWAYS_INLINE void FN(scale_row)(REAL *y, REAL factor, int64_t n) {
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES))
    FN(store)(y + i, FN(load)(y + i) * factor);
  if (i < n) FN(store_part)(y + i, FN(load_part)(y + i, n - i) * factor, n - i);
}

static REAL FN(weight)(const un_loss *l, int64_t row) {
  return l->weight ? ((const REAL *)l->weight)[row] : 1;
}

static REAL *FN(gradient)(const un_loss *l, int64_t row) {
  return l->dy ? (REAL *)l->dy + row * l->columns : NULL;
}

/* A row without weight takes no part: its label may be anything. */
static void FN(softmax_group)(const un_loss *l, int64_t first, int count,
                              double *each) {
  int64_t n = l->columns;
  double gap[GROUP], sum[GROUP] = {1, 1, 1, 1, 1, 1, 1, 1};
  for (int r = 0; r < count; r++) {
    const REAL *y = (const REAL *)l->y + (first + r) * n;
    REAL *dy = FN(gradient)(l, first + r), weight = FN(weight)(l, first + r);
    gap[r] = 0;
    if (weight == 0) {
      if (dy) memset(dy, 0, (size_t)n * sizeof *dy);
      continue;
    }
    int64_t label = l->labels[first + r] - 1;
    REAL max = FN(row_max)(y, n), total;
    gap[r] = (double)max - (double)y[label];
    sum[r] = (double)(total = FN(row_exp)(dy, y, max, n));
    if (dy) { /* softmax(y) - 1 at the label, times weight and scale */
      REAL factor = (REAL)((double)weight * l->scale);
      FN(scale_row)(dy, factor / total, n);
      dy[label] -= factor;
    }
  }
  NO_UNROLL for (int r = 0; r < GROUP; r++) sum[r] = un_vlog(sum[r]);
  for (int r = 0; r < count; r++)
    each[first + r] = (double)FN(weight)(l, first + r) * (sum[r] + gap[r]);
}

static void FN(softmax)(const un_loss *l, double *each) {
  for (int64_t r = 0; r < l->rows; r += GROUP)
    FN(softmax_group)(l, r, (int)(l->rows - r < GROUP ? l->rows - r : GROUP), each);
}

static void FN(squares)(const un_loss *l, double *each) {
  int64_t n = l->columns;
  for (int64_t r = 0; r < l->rows; r++) {
    const REAL *y = (const REAL *)l->y + r * n,
               *target = (const REAL *)l->target + r * n;
    REAL *dy = FN(gradient)(l, r), weight = FN(weight)(l, r);
    REAL factor = (REAL)(2 * (double)weight * l->scale);
    double sum = 0;
    each[r] = 0;
    if (weight == 0) {
      if (dy) memset(dy, 0, (size_t)n * sizeof *dy);
      continue;
    }
    for (int64_t i = 0; i < n; i++) {
      REAL d = y[i] - target[i];
      sum += (double)d * (double)d;
      if (dy) dy[i] = factor * d;
    }
    each[r] = (double)weight * sum;
  }
}

#endif
