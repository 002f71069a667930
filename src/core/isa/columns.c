/* columns.c -- reductions and scans of many neighbouring lines at once (columns.h).
**
** The state of a column is a double; the inner loop goes over the columns, so that it is
** a SIMD loop whatever the reduction. Four rows at a time save three of four looks at
** the state. */
#ifndef REAL
#include <math.h>

#include "isa.h"
#include "isa/columns.h"
#include "isa/vmath.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define TAKE_ARGS                                                                      \
  int64_t first, int64_t rows, int64_t n, const void *data, int64_t row,               \
      int64_t column, un_columns *c

/* One row at a time; `step` is a statement with v, the number as a double, r, its row,
** and j, its column. */
#define ROW_BY_ROW(type, from, step)                                                   \
  const type *x = data;                                                                \
  for (int64_t i = from; i < rows; i++) {                                              \
    const type *line = x + i * row;                                                    \
    const double r = (double)(first + i);                                              \
    (void)r;                                                                           \
    if (column == 1) {                                                                 \
      INDEPENDENT                                                                      \
      for (int64_t j = 0; j < n; j++) {                                                \
        const double v = (double)line[j];                                              \
        step;                                                                          \
      }                                                                                \
    } else {                                                                           \
      INDEPENDENT                                                                      \
      for (int64_t j = 0; j < n; j++) {                                                \
        const double v = (double)line[j * column];                                     \
        step;                                                                          \
      }                                                                                \
    }                                                                                  \
  }

#define TAKE_ROWS(name, type, suffix, step)                                            \
  static void name##_##suffix(TAKE_ARGS) {                                             \
    ROW_BY_ROW(type, 0, step)                                                          \
  }

/* The first extreme stays; a NaN is better than all numbers, and stays. */
#define EXTREME_STEP(better)                                                           \
  const double b = c->best[j];                                                         \
  const int take = (v better b) | ((v != v) & (b == b));                               \
  c->place[j] = take ? r : c->place[j];                                                \
  c->best[j] = take ? v : b

#define FOR_ALL_TYPES(type, suffix)                                                    \
  TAKE_ROWS(min, type, suffix, EXTREME_STEP(<))                                        \
  TAKE_ROWS(max, type, suffix, EXTREME_STEP(>))                                        \
  TAKE_ROWS(any, type, suffix, c->second[j] = v != 0 ? 1 : c->second[j])               \
  TAKE_ROWS(all, type, suffix, c->second[j] = v == 0 ? 0 : c->second[j])
FOR_ALL_TYPES(float, f32)
FOR_ALL_TYPES(double, f64)
FOR_ALL_TYPES(int32_t, i32)
TAKE_ROWS(sum, int32_t, i32, c->sum[j] += v)

#define UN_TEMPLATE "isa/columns.c"
#include "each_dtype.h"

extern const un_column_kernels ISA(un_column_table);
const un_column_kernels ISA(un_column_table) = {
#define TWO(name)   .name = {name##_f32, name##_f64}
#define THREE(name) .name = {name##_f32, name##_f64, name##_i32}
    THREE(sum),
    THREE(min),
    THREE(max),
    THREE(any),
    THREE(all),
    TWO(prod),
    TWO(deviation),
    TWO(largest),
    TWO(absmax),
    TWO(power),
    TWO(squares),
    TWO(exponentials),
    .exp = {make_exp_f32, make_exp_f64},
    TWO(divide),
    TWO(shift),
    TWO(running),
    TWO(products),
    TWO(softmax_gradient),
    TWO(log_softmax_gradient),
};

#else

/* --- taking in rows ----------------------------------------------------------------- */

/* Four rows at a time, then the rest. `four` is a statement with a..d, numbers of the four
** rows as REAL, and j. */
#define FOUR_ROWS(name, four, step)                                                    \
  static void FN(name)(TAKE_ARGS) {                                                    \
    int64_t done = 0;                                                                  \
    if (column == 1)                                                                   \
      for (; done + 4 <= rows; done += 4) {                                            \
        const REAL *x0 = (const REAL *)data + done * row, *x1 = x0 + row,              \
                   *x2 = x1 + row, *x3 = x2 + row;                                     \
        INDEPENDENT                                                                    \
        for (int64_t j = 0; j < n; j++) {                                              \
          const REAL a = x0[j], b = x1[j], d = x2[j], e = x3[j];                       \
          four;                                                                        \
        }                                                                              \
      }                                                                                \
    ROW_BY_ROW(REAL, done, step)                                                       \
  }

FOUR_ROWS(sum_rows, c->sum[j] += ((double)a + (double)b) + ((double)d + (double)e),
          c->sum[j] += v)

/* Few columns without gaps: as many rows as fit stand side by side, as if they were one
** row of more columns; these are added up in the end. */
static void FN(sum)(TAKE_ARGS) {
  const int64_t together = n > 0 && row == n && column == 1 ? UN_COLUMNS / n : 1;
  if (together < 4 || rows < 2 * together) {
    FN(sum_rows)(first, rows, n, data, row, column, c);
    return;
  }
  const int64_t whole = rows / together, wide_n = n * together;
  un_columns wide;
  for (int64_t j = 0; j < wide_n; j++)
    wide.sum[j] = 0;
  FN(sum_rows)(first, whole, wide_n, data, wide_n, 1, &wide);
  for (int64_t j = 0; j < wide_n; j++)
    c->sum[j % n] += wide.sum[j];
  const REAL *rest = (const REAL *)data + whole * wide_n;
  FN(sum_rows)(first, rows - whole * together, n, rest, row, column, c);
}

FOUR_ROWS(prod, c->sum[j] *= ((double)a * (double)b) * ((double)d * (double)e),
          c->sum[j] *= v)

ALWAYS_INLINE REAL FN(larger)(REAL v, REAL best) {
  return ((v > best) | (v != v)) ? v : best;
}

FOUR_ROWS(largest,
          c->best[j] = (double)FN(larger)(
              e, FN(larger)(d, FN(larger)(b, FN(larger)(a, (REAL)c->best[j])))),
          c->best[j] = (double)FN(larger)((REAL)v, (REAL)c->best[j]))

FOUR_ROWS(absmax,
          c->best[j] = (double)FN(larger)(
              M(fabs)(e),
              FN(larger)(M(fabs)(d),
                         FN(larger)(M(fabs)(b),
                                    FN(larger)(M(fabs)(a), (REAL)c->best[j])))),
          c->best[j] = (double)FN(larger)((REAL)fabs(v), (REAL)c->best[j]))

/* The first pass has summed up. */
static void FN(deviation)(TAKE_ARGS) {
  double mean[UN_COLUMNS];
  for (int64_t j = 0; j < n; j++)
    mean[j] = c->sum[j] / (double)c->total;
  ROW_BY_ROW(REAL, 0, c->second[j] += (v - mean[j]) * (v - mean[j]))
}

static void FN(squares)(TAKE_ARGS) {
  ROW_BY_ROW(REAL, 0, c->second[j] += (v * c->sum[j]) * (v * c->sum[j]))
}

static void FN(power)(TAKE_ARGS) {
  const double p = c->p;
  if (p == 1) {
    ROW_BY_ROW(REAL, 0, c->second[j] += fabs(v) * c->sum[j])
  } else {
    ROW_BY_ROW(REAL, 0, c->second[j] += pow(fabs(v) * c->sum[j], p))
  }
}

static void FN(exponentials)(TAKE_ARGS){
    ROW_BY_ROW(REAL, 0, c->second[j] += (double)M(un_vexp)((REAL)v - (REAL)c->best[j]))}

/* --- making rows -------------------------------------------------------------------- */

#define MAKE_ROW(name, statement)                                                      \
  static void FN(name)(int64_t n, void *const *data, un_columns *c) {                  \
    REAL *y = data[0];                                                                 \
    const REAL *x = data[1], *z = data[2];                                             \
    (void)y, (void)x, (void)z;                                                         \
    INDEPENDENT                                                                        \
    for (int64_t j = 0; j < n; j++) {                                                  \
      statement;                                                                       \
    }                                                                                  \
  }

MAKE_ROW(make_exp, const REAL e = M(un_vexp)(x[j] - (REAL)c->best[j]); y[j] = e;
         c->second[j] += (double)e) MAKE_ROW(divide, y[j] *= (REAL)(1 / c->second[j]))
    MAKE_ROW(shift, y[j] = x[j] - (REAL)c->best[j] - (REAL)c->second[j])
        MAKE_ROW(running, c->sum[j] += (double)x[j]; y[j] = (REAL)c->sum[j])
            MAKE_ROW(products, c->second[j] += (double)x[j] * (double)z[j];
                     c->sum[j] += (double)x[j])
                MAKE_ROW(softmax_gradient, y[j] = z[j] * (x[j] - (REAL)c->second[j]))
                    MAKE_ROW(log_softmax_gradient,
                             y[j] = x[j] - M(un_vexp)(z[j]) * (REAL)c->sum[j])

#undef FOUR_ROWS
#undef MAKE_ROW

#endif
