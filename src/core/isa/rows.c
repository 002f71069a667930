/* isa/rows.c -- gather, scatter, column sums (see rows.h). */
#ifndef REAL
#include "rows.h"

#include "isa.h"
#include "vec.h"
#include "vec_math.h"

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

/* y = a + b */
ALWAYS_INLINE void FN(add_row)(REAL *y, const REAL *a, const REAL *b, int64_t n) {
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES))
    FN(store)(y + i, FN(load)(a + i) + FN(load)(b + i));
  if (i < n) FN(store_part)
  (y + i, FN(load_part)(a + i, n - i) + FN(load_part)(b + i, n - i), n - i);
}

static void FN(gather)(void *y, const void *table, const void *bias,
                       const int32_t *tokens, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++)
    FN(add_row)((REAL *)y + r * n, (const REAL *)table + (tokens[r] - 1) * n, bias, n);
}

static void FN(scatter)(void *table, const void *y, const int32_t *tokens, int64_t rows,
                        int64_t n) {
  for (int64_t r = 0; r < rows; r++) {
    REAL *row = (REAL *)table + (tokens[r] - 1) * n;
    FN(add_row)(row, row, (const REAL *)y + r * n, n);
  }
}

/* The sums of one vector of columns stay in a register. */
static void FN(column_sum)(void *sum, const void *y, int64_t rows, int64_t n) {
  int64_t j = 0;
  for (; j + FN(LANES) <= n; j += FN(LANES)) {
    FN(vec) s = FN(load)((const REAL *)sum + j);
    for (int64_t r = 0; r < rows; r++)
      s += FN(load)((const REAL *)y + r * n + j);
    FN(store)((REAL *)sum + j, s);
  }
  if (j == n) return;
  FN(vec) s = FN(load_part)((const REAL *)sum + j, n - j);
  for (int64_t r = 0; r < rows; r++)
    s += FN(load_part)((const REAL *)y + r * n + j, n - j);
  FN(store_part)((REAL *)sum + j, s, n - j);
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

/* Two sums, so that an addition need not wait for the one before it. */
static void FN(add_squares)(void *va, const void *vb, int64_t rows, int64_t n,
                            double *sum) {
  for (int64_t r = 0; r < rows; r++) {
    REAL *a = (REAL *)va + r * n;
    const REAL *b = vb ? (const REAL *)vb + r * n : NULL;
    vec_f64 even = {0}, odd = {0};
    int64_t i = 0;
    for (; i + 2 * FN(LANES) <= n; i += 2 * FN(LANES)) {
      even = FN(add_squares_of)(FN(arrived)(a + i, b ? b + i : NULL, FN(LANES)), even);
      odd = FN(add_squares_of)(
          FN(arrived)(a + i + FN(LANES), b ? b + i + FN(LANES) : NULL, FN(LANES)), odd);
    }
    for (; i < n; i += FN(LANES))
      even = FN(add_squares_of)(FN(arrived)(a + i, b ? b + i : NULL, n - i), even);
    sum[r] = reduce_add_f64(even + odd);
  }
}

#endif
