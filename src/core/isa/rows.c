/* isa/rows.c -- gather, scatter, column sums (see rows.h). */
#ifndef REAL
#include "rows.h"

#include "isa.h"
#include "vec.h"
#include "vec_math.h"

/* Vectors that go side by side. */
enum { TOGETHER = 4 };

/* Rows that are fetched ahead. */
enum { AHEAD = 4 };

#define UN_TEMPLATE "isa/rows.c"
#include "each_dtype.h"

extern const un_rows_kernels ISA(un_rows);
const un_rows_kernels ISA(un_rows) = {
    .gather = {gather_f32, gather_f64},
    .scatter = {scatter_f32, scatter_f64},
    .column_sum = {column_sum_f32, column_sum_f64},
    .add_squares = {add_squares_f32, add_squares_f64},
};

#else

#define FOR(i, n) _Pragma("GCC unroll 4") for (int i = 0; i < (n); i++)

/* The sum of vector j of a and b. */
ALWAYS_INLINE FN(vec) FN(sum_at)(const REAL *a, const REAL *b, int64_t j) {
  return FN(load)(a + j) + FN(load)(b + j);
}

/* y = a + b, y may be a. The last vector ends where the row does: what it has in common with
** the one before is the same in both, for it is read before that is written. */
ALWAYS_INLINE void FN(add_row)(REAL *y, const REAL *a, const REAL *b, int64_t n) {
  const int64_t last = n - FN(LANES);
  if (last < 0) {
    FN(store_part)(y, FN(load_part)(a, n) + FN(load_part)(b, n), n);
    return;
  }
  const FN(vec) end = FN(sum_at)(a, b, last);
  int64_t j = 0;
  for (; j + TOGETHER * FN(LANES) <= last; j += TOGETHER * FN(LANES))
    FOR(k, TOGETHER)
  FN(store)(y + j + k * FN(LANES), FN(sum_at)(a, b, j + k * FN(LANES)));
  for (; j < last; j += FN(LANES))
    FN(store)(y + j, FN(sum_at)(a, b, j));
  FN(store)(y + last, end);
}

static void FN(gather)(void *y, int64_t y_row, const void *table, int64_t table_row,
                       const void *bias, const int32_t *tokens, int64_t rows,
                       int64_t n) {
  for (int64_t r = 0; r < rows; r++)
    FN(add_row)
  ((REAL *)y + r * y_row, (const REAL *)table + (tokens[r] - 1) * table_row, bias, n);
}

/* Some vectors of columns: their sums stay in registers. */
ALWAYS_INLINE void FN(sum_columns)(REAL *sum, const REAL *y, int64_t y_row,
                                   int64_t rows, const int count) {
  FN(vec) s[TOGETHER];
  FOR(k, count) s[k] = FN(load)(sum + k * FN(LANES));
  for (; rows > 0; rows--, y += y_row)
    FOR(k, count) s[k] += FN(load)(y + k * FN(LANES));
  FOR(k, count) FN(store)(sum + k * FN(LANES), s[k]);
}

static void FN(column_sum)(void *sum, const void *y, int64_t y_row, int64_t rows,
                           int64_t n) {
  int64_t j = 0;
  for (; j + TOGETHER * FN(LANES) <= n; j += TOGETHER * FN(LANES))
    FN(sum_columns)((REAL *)sum + j, (const REAL *)y + j, y_row, rows, TOGETHER);
  for (; j + FN(LANES) <= n; j += FN(LANES))
    FN(sum_columns)((REAL *)sum + j, (const REAL *)y + j, y_row, rows, 1);
  if (j == n) return;
  FN(vec) s = FN(load_part)((const REAL *)sum + j, n - j);
  for (int64_t r = 0; r < rows; r++)
    s += FN(load_part)((const REAL *)y + r * y_row + j, n - j);
  FN(store_part)((REAL *)sum + j, s, n - j);
}

/* Some vectors of columns from column j on, of all rows: their part of the table stays in the
** nearest cache, and their sums in registers. Rows are fetched ahead: they come from afar, in
** short pieces. */
ALWAYS_INLINE void FN(scatter_columns)(const un_scatter *p, int64_t j,
                                       const int count) {
  const int64_t y_row = p->y_row, table_row = p->table_row;
  REAL *sum = (REAL *)p->sum + j, *table = (REAL *)p->table + j - table_row;
  FN(vec) s[TOGETHER];
  FOR(k, count) s[k] = FN(load)(sum + k * FN(LANES));
  for (int64_t i = 0; i < p->pieces; i++) {
    const REAL *y = (const REAL *)p->y + i * p->y_apart + j;
    const int32_t *tokens = p->tokens + i * p->tokens_apart;
    for (int64_t r = 0; r < p->rows; r++, y += y_row) {
      REAL *row = table + tokens[r] * table_row;
      FOR(k, count) __builtin_prefetch(y + AHEAD * y_row + k * FN(LANES));
      FOR(k, count) {
        const FN(vec) v = FN(load)(y + k * FN(LANES));
        s[k] += v;
        FN(store)(row + k * FN(LANES), FN(load)(row + k * FN(LANES)) + v);
      }
    }
  }
  FOR(k, count) FN(store)(sum + k * FN(LANES), s[k]);
}

/* The last n columns, fewer than a vector has. */
static void FN(scatter_end)(const un_scatter *p, int64_t j, int64_t n) {
  REAL *sum = (REAL *)p->sum + j, *table = (REAL *)p->table + j - p->table_row;
  FN(vec) s = FN(load_part)(sum, n);
  for (int64_t i = 0; i < p->pieces; i++) {
    const REAL *y = (const REAL *)p->y + i * p->y_apart + j;
    const int32_t *tokens = p->tokens + i * p->tokens_apart;
    for (int64_t r = 0; r < p->rows; r++, y += p->y_row) {
      REAL *row = table + tokens[r] * p->table_row;
      const FN(vec) v = FN(load_part)(y, n);
      s += v;
      FN(store_part)(row, FN(load_part)(row, n) + v, n);
    }
  }
  FN(store_part)(sum, s, n);
}

static void FN(scatter)(const un_scatter *p) {
  int64_t j = 0;
  for (; j + TOGETHER * FN(LANES) <= p->n; j += TOGETHER * FN(LANES))
    FN(scatter_columns)(p, j, TOGETHER);
  for (; j + FN(LANES) <= p->n; j += FN(LANES))
    FN(scatter_columns)(p, j, 1);
  if (j < p->n) FN(scatter_end)(p, j, p->n - j);
}

/* a += b, unless b is NULL, for one vector or the first n lanes of it; returns a. */
ALWAYS_INLINE FN(vec) FN(arrived)(REAL *a, const REAL *b, int64_t n) {
  if (n >= FN(LANES)) {
    if (b) FN(store)(a, FN(load)(a) + FN(load)(b));
    return FN(load)(a);
  }
  FN(vec) v = FN(load_part)(a, n);
  if (!b) return v;
  v += FN(load_part)(b, n);
  FN(store_part)(a, v, n);
  return v;
}

/* The squares of a row in float64. */
static double FN(wide_squares)(const REAL *a, int64_t n) {
  vec_f64 sum = {0};
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES))
    sum = FN(add_squares_of)(FN(load)(a + i), sum);
  if (i < n) sum = FN(add_squares_of)(FN(load_part)(a + i, n - i), sum);
  return reduce_add_f64(sum);
}

/* The same in the dtype, and a += b, unless b is NULL. Several sums, so that an addition
** need not wait for the one before it. */
ALWAYS_INLINE REAL FN(near_squares)(REAL *a, const REAL *b, int64_t n) {
  FN(vec) s[TOGETHER] = {{0}};
  int64_t i = 0;
  for (; i + TOGETHER * FN(LANES) <= n; i += TOGETHER * FN(LANES))
    FOR(k, TOGETHER) {
      const int64_t at = i + k * FN(LANES);
      const FN(vec) v = FN(arrived)(a + at, b ? b + at : NULL, FN(LANES));
      s[k] += v * v;
    }
  for (; i < n; i += FN(LANES)) {
    const FN(vec) v = FN(arrived)(a + i, b ? b + i : NULL, n - i);
    s[0] += v * v;
  }
  return FN(reduce_add)((s[0] + s[1]) + (s[2] + s[3]));
}

/* Converting every number to float64 would take longer than all the rest. Only where the
** sum is so small that squares may have vanished, or too large, is it made again. */
static void FN(add_squares)(void *va, const void *vb, int64_t rows, int64_t n,
                            double *sum) {
  const double least = 0x1p-80, most = 0x1p120;
  for (int64_t r = 0; r < rows; r++) {
    REAL *a = (REAL *)va + r * n;
    const double near = (double)(vb ? FN(near_squares)(a, (const REAL *)vb + r * n, n)
                                    : FN(near_squares)(a, NULL, n));
    const bool is_exact = near > least && near < most;
    sum[r] = is_exact ? near : FN(wide_squares)(a, n);
  }
}
#undef FOR

#endif
