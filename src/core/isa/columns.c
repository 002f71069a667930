/* columns.c -- reductions and scans of many neighbouring lines at once (columns.h).
**
** The state of a column is a double, or for extremes a number of the column's own type;
** the inner loop goes over the columns, so that it is a SIMD loop whatever the
** reduction. */
#ifndef REAL
#include <math.h>

#include "isa.h"
#include "isa/columns.h"
#include "isa/vec.h"
#include "isa/vmath.h"
#include "isa/vpow.h"

#define TAKE_ARGS                                                                      \
  int64_t first, int64_t rows, int64_t n, const void *data, int64_t row,               \
      int64_t column, un_columns *c

ALWAYS_INLINE int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* Row after row; `step` is a statement with v, the number, r, its row, and j, its column. */
#define EACH_ROW(type, from, step)                                                     \
  for (int64_t r = from; r < rows; r++) {                                              \
    const type *line = (const type *)data + r * row;                                   \
    if (column == 1) {                                                                 \
      INDEPENDENT                                                                      \
      for (int64_t j = 0; j < n; j++) {                                                \
        const type v = line[j];                                                        \
        step;                                                                          \
      }                                                                                \
    } else {                                                                           \
      INDEPENDENT                                                                      \
      for (int64_t j = 0; j < n; j++) {                                                \
        const type v = line[j * column];                                               \
        step;                                                                          \
      }                                                                                \
    }                                                                                  \
  }

/* The processor fetches ahead along a row, but not from one row to another. So while a
** group of rows is worked on, block by block, the rows some AHEAD bytes further, and at
** least one group further, are asked for. */
enum { TOGETHER = 4, BLOCK = 128, WIDE = 256, CACHE_LINE = 64, AHEAD = 1 << 14 };

ALWAYS_INLINE int64_t rows_ahead(int64_t row_bytes) {
  const int64_t groups = row_bytes > 0 ? AHEAD / TOGETHER / row_bytes : 0;
  return TOGETHER * (groups + 1);
}

ALWAYS_INLINE void fetch_group(const char *first, int64_t row_bytes, int64_t bytes) {
  for (int r = 0; r < TOGETHER; r++)
    for (int64_t i = 0; i < bytes; i += CACHE_LINE)
      __builtin_prefetch(first + r * row_bytes + i, 0, 2);
}

/* Cheap steps: TOGETHER rows go in one step, which looks at the state of a column once.
** `load` and `store` are statements about the state; step(v, k) takes in v of row number
** k. THIS_GROUP: the rows from row `at` on, the first of them by first_step. Where `part` is
** less than a block, so many columns are left out that are idle by is_idle(the first). */
#define NEVER(j) 0
#define THIS_GROUP(type, at, ahead, part, is_idle, load, first_step, step, store)      \
  do {                                                                                 \
    const type *x0 = (const type *)data + (at)*row, *x1 = x0 + row, *x2 = x1 + row,    \
               *x3 = x2 + row;                                                         \
    const int64_t size = sizeof(type);                                                 \
    const bool fetches = (at) + ahead + TOGETHER <= rows;                              \
    const int32_t k = (int32_t)(first + (at) + 1);                                     \
    (void)k;                                                                           \
    for (int64_t left = 0; left < n; left += BLOCK) {                                  \
      const int64_t right = smaller(left + BLOCK, n);                                  \
      if (fetches)                                                                     \
        fetch_group((const char *)(x0 + ahead * row + left), row *size,                \
                    (right - left) * size);                                            \
      for (int64_t begin = left; begin < right; begin += part) {                       \
        const int64_t end = smaller(begin + part, right);                              \
        if (part < BLOCK && end == begin + part && is_idle(begin)) continue;           \
        INDEPENDENT                                                                    \
        for (int64_t j = begin; j < end; j++) {                                        \
          load;                                                                        \
          first_step(x0[j], k);                                                        \
          step(x1[j], k + 1);                                                          \
          step(x2[j], k + 2);                                                          \
          step(x3[j], k + 3);                                                          \
          store;                                                                       \
        }                                                                              \
      }                                                                                \
    }                                                                                  \
  } while (0)
#define EACH_GROUP(type, done, ahead, part, is_idle, load, step, store)                \
  for (; column == 1 && done + TOGETHER <= rows; done += TOGETHER)                     \
  THIS_GROUP(type, done, ahead, part, is_idle, load, step, step, store)

/* All rows, of a state s that is kept in `held`. */
#define TAKE_ALL(type, held, step)                                                     \
  do {                                                                                 \
    const int64_t ahead = rows_ahead(row * (int64_t)sizeof(type));                     \
    int64_t done = 0;                                                                  \
    EACH_GROUP(type, done, ahead, BLOCK, NEVER, double s = held, step, held = s);      \
    EACH_ROW(type, done, double s = held; step(v, r); held = s)                        \
  } while (0)
#define TAKE_ROWS(name, type, held, step)                                              \
  static void name(TAKE_ARGS) {                                                        \
    (void)first;                                                                       \
    TAKE_ALL(type, held, step);                                                        \
  }

/* The first row is the best one at first. A later one replaces it when it is not on the
** wrong side of it, so that a NaN is better than all numbers, and stays. Said in this way,
** gcc makes vectors of it, not branches. */
#define TAKE_LARGER(v, k)  TAKE_BETTER(v, <=, k)
#define TAKE_SMALLER(v, k) TAKE_BETTER(v, >=, k)
#define TAKE_BETTER(v, wrong_side, k)                                                  \
  do {                                                                                 \
    const value better = (v)wrong_side b ? b : (v), kept = b == b ? better : b;        \
    p = ((kept == b) | (b != b)) ? p : (number)(k);                                    \
    b = kept;                                                                          \
  } while (0)
#define TAKE_FIRST(v, k) (b = (v), p = 1)

/* Hardly a late row has a better number, or a NaN. So a vector of columns is asked first
** whether it has one in a group; of integers that would not be faster. */
#define NONE_BETTER(suffix)                                                            \
  ALWAYS_INLINE bool none_larger_##suffix(vec_##suffix best, vec_##suffix x0,          \
                                          vec_##suffix x1, vec_##suffix x2,            \
                                          vec_##suffix x3) {                           \
    return !(not_at_most_##suffix(x0, best) | not_at_most_##suffix(x1, best) |         \
             not_at_most_##suffix(x2, best) | not_at_most_##suffix(x3, best));         \
  }                                                                                    \
  ALWAYS_INLINE bool none_smaller_##suffix(vec_##suffix best, vec_##suffix x0,         \
                                           vec_##suffix x1, vec_##suffix x2,           \
                                           vec_##suffix x3) {                          \
    return !(not_at_most_##suffix(best, x0) | not_at_most_##suffix(best, x1) |         \
             not_at_most_##suffix(best, x2) | not_at_most_##suffix(best, x3));         \
  }
NONE_BETTER(f32)
NONE_BETTER(f64)
#define ASK(none, suffix, j)                                                           \
  none(load_##suffix(best + (j)), load_##suffix(x0 + (j)), load_##suffix(x1 + (j)),    \
       load_##suffix(x2 + (j)), load_##suffix(x3 + (j)))
#define NONE_LARGER_f32(j)  ASK(none_larger_f32, f32, j)
#define NONE_SMALLER_f32(j) ASK(none_smaller_f32, f32, j)
#define NONE_LARGER_f64(j)  ASK(none_larger_f64, f64, j)
#define NONE_SMALLER_f64(j) ASK(none_smaller_f64, f64, j)
#define NONE_LARGER_i32     NEVER
#define NONE_SMALLER_i32    NEVER
enum { EARLY = 64, LANES_i32 = BLOCK };
#define EXTREME(name, step, type, suffix, number_type, is_idle)                        \
  static void name##_##suffix(TAKE_ARGS) {                                             \
    typedef type value;                                                                \
    typedef number_type number;                                                        \
    type *best = c->extreme.suffix;                                                    \
    number *place = c->place.suffix;                                                   \
    int64_t done = 0;                                                                  \
    const int64_t ahead = rows_ahead(row * (int64_t)sizeof(type));                     \
    if (first == 0 && column == 1 && rows >= TOGETHER) {                               \
      THIS_GROUP(type, 0, ahead, BLOCK, NEVER, type b;                                 \
                 number p, TAKE_FIRST, step, best[j] = b; place[j] = p);               \
      done = TOGETHER;                                                                 \
    }                                                                                  \
    for (int64_t j = 0; first + done == 0 && j < n; j++) {                             \
      best[j] = ((const type *)data)[j * column];                                      \
      place[j] = 1;                                                                    \
    }                                                                                  \
    EACH_GROUP(type, done, ahead, (first + done < EARLY ? BLOCK : LANES_##suffix),     \
               is_idle, type b = best[j];                                              \
               number p = place[j], step, best[j] = b; place[j] = p);                  \
    EACH_ROW(type, done, type b = best[j]; number p = place[j];                        \
             step(v, first + r + 1); best[j] = b; place[j] = p)                        \
  }

#define FIND_ANY(v, k)  s = (v) != 0 ? 1 : s
#define FIND_NONE(v, k) s = (v) == 0 ? 0 : s
#define FOR_ALL_TYPES(type, suffix, number)                                            \
  EXTREME(take_min, TAKE_SMALLER, type, suffix, number, NONE_SMALLER_##suffix)         \
  EXTREME(take_max, TAKE_LARGER, type, suffix, number, NONE_LARGER_##suffix)           \
  TAKE_ROWS(find_any_##suffix, type, c->second[j], FIND_ANY)                           \
  TAKE_ROWS(find_all_##suffix, type, c->second[j], FIND_NONE)
FOR_ALL_TYPES(float, f32, int32_t)
FOR_ALL_TYPES(double, f64, double)
FOR_ALL_TYPES(int32_t, i32, int32_t)
#define ADD(v, k)      s += (double)(v)
#define MULTIPLY(v, k) s *= (double)(v)
TAKE_ROWS(sum_i32, int32_t, c->sum[j], ADD)

#define UN_TEMPLATE "isa/columns.c"
#include "each_dtype.h"

extern const un_column_kernels ISA(un_column_table);
const un_column_kernels ISA(un_column_table) = {
#define TWO(name)                                                                      \
  { name##_f32, name##_f64 }
#define THREE(name)                                                                    \
  { name##_f32, name##_f64, name##_i32 }
    .pass = {[UN_PASS_SUM] = THREE(sum),
             [UN_PASS_PROD] = TWO(prod),
             [UN_PASS_MIN] = THREE(take_min),
             [UN_PASS_MAX] = THREE(take_max),
             [UN_PASS_ANY] = THREE(find_any),
             [UN_PASS_ALL] = THREE(find_all),
             [UN_PASS_LARGEST] = TWO(largest),
             [UN_PASS_ABSMAX] = TWO(absmax),
             [UN_PASS_DEVIATION] = TWO(deviation),
             [UN_PASS_SQUARES] = TWO(squares),
             [UN_PASS_POWER] = TWO(power),
             [UN_PASS_EXPONENTIALS] = TWO(exponentials)},
    .exp = TWO(make_exp),
    .divide = TWO(divide),
    .shift = TWO(shift),
    .running = TWO(running),
    .products = TWO(products),
    .softmax_gradient = TWO(softmax_gradient),
    .log_softmax_gradient = TWO(log_softmax_gradient),
};

#else

/* --- taking in rows ----------------------------------------------------------------- */

TAKE_ROWS(FN(sum_rows), REAL, c->sum[j], ADD)

/* Few columns without gaps: as many rows as fit stand side by side, as if they were one
** row of more columns; these are added up in the end. */
static void FN(sum)(TAKE_ARGS) {
  const int64_t together = n > 0 && row == n && column == 1 ? WIDE / n : 1;
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

TAKE_ROWS(FN(prod), REAL, c->sum[j], MULTIPLY)

ALWAYS_INLINE REAL FN(larger)(REAL v, REAL best) {
  return ((v > best) | (v != v)) ? v : best;
}

#define LARGEST(v, k) s = (double)FN(larger)(v, (REAL)s)
TAKE_ROWS(FN(largest), REAL, c->best[j], LARGEST)
#undef LARGEST
#define ABSMAX(v, k) s = (double)FN(larger)(M(fabs)(v), (REAL)s)
TAKE_ROWS(FN(absmax), REAL, c->best[j], ABSMAX)
#undef ABSMAX

/* The first pass has summed up. */
static void FN(deviation)(TAKE_ARGS) {
  double mean[UN_COLUMNS];
  (void)first;
  for (int64_t j = 0; j < n; j++)
    mean[j] = c->sum[j] / (double)c->total;
#define DEVIATION(v, k) s += ((double)(v)-mean[j]) * ((double)(v)-mean[j])
  TAKE_ALL(REAL, c->second[j], DEVIATION);
#undef DEVIATION
}

static void FN(squares)(TAKE_ARGS) {
  double scale[UN_COLUMNS];
  (void)first;
  for (int64_t j = 0; j < n; j++)
    scale[j] = 1 / c->sum[j];
#define SQUARE(v, k) s += ((double)(v)*scale[j]) * ((double)(v)*scale[j])
  TAKE_ALL(REAL, c->second[j], SQUARE);
#undef SQUARE
}

static void FN(power)(TAKE_ARGS) {
  const double p = c->p;
  (void)first;
  double power[UN_COLUMNS];
  for (int64_t r = 0; r < rows; r++) {
    const REAL *line = (const REAL *)data + r * row;
    for (int64_t j = 0; j < n; j++)
      power[j] = fabs((double)line[j * column]) / c->sum[j];
    un_powers(n, power, p);
    for (int64_t j = 0; j < n; j++)
      c->second[j] += power[j];
  }
}

static void FN(exponentials)(TAKE_ARGS) {
  (void)first;
  EACH_ROW(REAL, 0, c->second[j] += (double)M(un_vexp)(v - (REAL)c->best[j]))
}

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

/* clang-format off */
MAKE_ROW(make_exp, const REAL e = M(un_vexp)(x[j] - (REAL)c->best[j]); y[j] = e;
         c->second[j] += (double)e)
MAKE_ROW(divide, y[j] *= (REAL)(1 / c->second[j]))
MAKE_ROW(shift, y[j] = x[j] - (REAL)c->best[j] - (REAL)c->second[j])
MAKE_ROW(running, c->sum[j] += (double)x[j]; y[j] = (REAL)c->sum[j])
MAKE_ROW(products, c->second[j] += (double)x[j] * (double)z[j]; c->sum[j] += (double)x[j])
MAKE_ROW(softmax_gradient, y[j] = z[j] * (x[j] - (REAL)c->second[j]))
MAKE_ROW(log_softmax_gradient, y[j] = x[j] - M(un_vexp)(z[j]) * (REAL)c->sum[j])
/* clang-format on */

#undef MAKE_ROW

#endif
