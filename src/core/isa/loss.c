/* isa/loss.c -- softmax cross-entropy and squared error, row by row (see loss.h).
**
** The softmax subtracts the largest element of the row first, so that nothing
** overflows: logits of +-1e4 give the right loss. Rows are cut into vectors; of the last
** one only what belongs to the row is read. A row of a FEW vectors is read once more and
** written once, its terms stay in registers. The logarithms of GROUP rows are taken
** together, and the sums of one row are added up while the next one is on its way. */
#ifndef REAL
#include "loss.h"

#include <math.h>
#include <string.h>

#include "isa.h"
#include "vec.h"
#include "vec_math.h"
#include "vmath.h"

enum { GROUP = 16, FEW = 9 };

#define UN_TEMPLATE "isa/loss.c"
#include "each_dtype.h"

extern const un_loss_kernels ISA(un_loss_table);
const un_loss_kernels ISA(un_loss_table) = {.softmax = {softmax_f32, softmax_f64},
                                            .squares = {squares_f32, squares_f64}};

#else

#define FOR(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

/* A vector of a row; what it has beyond the row is -infinity, and counts for nothing. */
ALWAYS_INLINE FN(vec) FN(row_at)(const REAL *y, int64_t i, int64_t n) {
  return i + FN(LANES) <= n ? FN(load)(y + i)
                            : FN(load_part_or)(y + i, n - i, -(REAL)INFINITY);
}

ALWAYS_INLINE void FN(put_row)(REAL *y, FN(vec) x, int64_t i, int64_t n) {
  if (i + FN(LANES) <= n)
    FN(store)(y + i, x);
  else
    FN(store_part)(y + i, x, n - i);
}

/* Returns sum exp(y - max); e gets the terms when it is not NULL. */
ALWAYS_INLINE REAL FN(row_exp)(REAL *e, const REAL *y, REAL max, int64_t n) {
  FN(vec) sum = {0};
  for (int64_t i = 0; i < n; i += FN(LANES)) {
    FN(vec) terms = FN(vexp_negative)(FN(row_at)(y, i, n) - max);
    if (e) FN(put_row)(e, terms, i, n);
    sum += terms;
  }
  return FN(reduce_add)(sum);
}

ALWAYS_INLINE void FN(scale_row)(REAL *y, REAL factor, int64_t n) {
  for (int64_t i = 0; i < n; i += FN(LANES))
    FN(put_row)(y, FN(row_at)(y, i, n) * factor, i, n);
}

/* dy = factor * softmax(y), unless dy is NULL; returns sum exp(y - max). */
static REAL FN(long_row)(REAL *dy, const REAL *y, REAL max, REAL factor, int64_t n) {
  const REAL sum = FN(row_exp)(dy, y, max, n);
  if (dy) FN(scale_row)(dy, factor / sum, n);
  return sum;
}

/* --- a row of so many vectors ---------------------------------------------------------
** Of each but the last it is known that it is whole. */

ALWAYS_INLINE FN(vec)
    FN(vector_at)(const REAL *y, const int v, int64_t n, const int vectors) {
  return v < vectors - 1 ? FN(load)(y + v * FN(LANES))
                         : FN(row_at)(y, v * FN(LANES), n);
}

ALWAYS_INLINE void FN(put_vector)(REAL *y, FN(vec) x, const int v, int64_t n,
                                  const int vectors) {
  if (v < vectors - 1)
    FN(store)(y + v * FN(LANES), x);
  else
    FN(put_row)(y, x, v * FN(LANES), n);
}

ALWAYS_INLINE REAL FN(short_max)(const REAL *y, int64_t n, const int vectors) {
  FN(vec) max[2] = {FN(all)(y[0]), FN(all)(y[0])};
  FOR(v, vectors) max[v & 1] = FN(max)(FN(vector_at)(y, v, n, vectors), max[v & 1]);
  return FN(reduce_max)(FN(max)(max[0], max[1]));
}

/* As long_row; the row is in registers all the time. */
ALWAYS_INLINE REAL FN(short_row)(REAL *dy, const REAL *y, REAL max, REAL factor,
                                 int64_t n, const int vectors) {
  FN(vec) row[FEW], total = {0};
  FOR(v, vectors) row[v] = FN(vexp_negative)(FN(vector_at)(y, v, n, vectors) - max);
  FOR(v, vectors) total += row[v];
  const REAL sum = FN(reduce_add)(total);
  if (dy) {
    const REAL scale = factor / sum;
    FOR(v, vectors) FN(put_vector)(dy, row[v] * scale, v, n, vectors);
  }
  return sum;
}

/* --- any row -------------------------------------------------------------------------- */

#define EACH_LENGTH(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)

/* The largest element; a NaN need not be found, it shows in the sum. */
static REAL FN(row_max)(const REAL *y, int64_t n) {
#define SHORT(vectors)                                                                 \
  case vectors:                                                                        \
    return FN(short_max)(y, n, vectors);
  switch ((n + FN(LANES) - 1) / FN(LANES)) { EACH_LENGTH(SHORT) }
#undef SHORT
  FN(vec) max = FN(all)(y[0]);
  for (int64_t i = 0; i < n; i += FN(LANES))
    max = FN(max)(FN(row_at)(y, i, n), max);
  return FN(reduce_max)(max);
}

/* dy = factor * softmax(y), unless dy is NULL; returns sum exp(y - max). */
ALWAYS_INLINE REAL FN(softmax_row)(REAL *dy, const REAL *y, REAL max, REAL factor,
                                   int64_t n) {
#define SHORT(vectors)                                                                 \
  case vectors:                                                                        \
    return FN(short_row)(dy, y, max, factor, n, vectors);
  switch ((n + FN(LANES) - 1) / FN(LANES)) { EACH_LENGTH(SHORT) }
#undef SHORT
  return FN(long_row)(dy, y, max, factor, n);
}
#undef EACH_LENGTH

static REAL FN(weight)(const un_loss *l, int64_t row) {
  return l->weight ? ((const REAL *)l->weight)[row] : 1;
}

static REAL *FN(gradient)(const un_loss *l, int64_t row) {
  return l->dy ? (REAL *)l->dy + row * l->columns : NULL;
}

/* The gradient of a row times its weight, and the sum of its terms. */
ALWAYS_INLINE REAL FN(finish_row)(const un_loss *l, int64_t row, REAL max) {
  const int64_t n = l->columns;
  const REAL weight = FN(weight)(l, row), factor = (REAL)((double)weight * l->scale);
  REAL *dy = FN(gradient)(l, row);
  if (weight == 0) {
    if (dy) memset(dy, 0, (size_t)n * sizeof *dy);
    return 1;
  }
  const REAL sum = FN(softmax_row)(dy, (const REAL *)l->y + row * n, max, factor, n);
  if (dy) dy[l->labels[row] - 1] -= factor;
  return sum;
}

/* One thing after the other for all rows of a group: the rows do not wait for each other.
** A row without weight takes no part: its label may be anything. */
static void FN(softmax_group)(const un_loss *l, int64_t first, int count,
                              double *each) {
  const int64_t n = l->columns;
  const REAL *y = (const REAL *)l->y + first * n;
  REAL max[GROUP];
  double gap[GROUP], logs[GROUP];
  for (int r = 0; r < count; r++)
    max[r] = FN(row_max)(y + r * n, n);
  for (int r = 0; r < count; r++)
    gap[r] = FN(weight)(l, first + r) == 0
                 ? 0
                 : (double)max[r] - (double)y[r * n + l->labels[first + r] - 1];
  for (int r = 0; r < GROUP; r++)
    logs[r] = r < count ? (double)FN(finish_row)(l, first + r, max[r]) : 1;
  NO_UNROLL for (int r = 0; r < GROUP; r++) logs[r] = un_vlog(logs[r]);
  for (int r = 0; r < count; r++) {
    REAL weight = FN(weight)(l, first + r);
    each[first + r] = weight == 0 ? 0 : (double)weight * (logs[r] + gap[r]);
  }
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
#undef FOR

#endif
