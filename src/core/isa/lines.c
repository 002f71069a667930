/* lines.c -- kernels along one line of numbers: sums, extremes, softmax, cumsum.
**
** Sums run in float64 for both types, in LANES partial sums that become SIMD registers,
** and in halves when long (pairwise), so that rounding errors stay far below float32's
** precision and grow with log n in float64. */
#ifndef REAL
#include <math.h>

#include "isa.h"
#include "isa/lines.h"
#include "isa/vmath.h"
#include "isa/vpow.h"
#include "stop.h"

enum { LANES = 16, PIECE = 256, BLOCK = 64 };

/* for (i = 0; i < n; i++), of steps that do not depend on each other; between stretches of
** it the work can be stopped. */
enum { STRETCH = 1 << 16 };
#define IN_STRETCHES(n)                                                                \
  for (int64_t first = 0; first < (n) && !un_stopped(); first += STRETCH)              \
    INDEPENDENT                                                                        \
  for (int64_t i = first, end = (n)-first < STRETCH ? (n) : first + STRETCH; i < end;  \
       i++)

#define ALWAYS_INLINE static inline __attribute__((always_inline))

static double add_lanes(const double *lane) {
  double sum[4] = {0, 0, 0, 0};
  for (int j = 0; j < LANES; j += 4)
    for (int k = 0; k < 4; k++)
      sum[k] += lane[j + k];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static double total_f64(int64_t n, const double *x, int64_t stride);

#define UN_TEMPLATE "isa/lines.c"
#include "each_dtype.h"

/* --- int32 ------------------------------------------------------------------------ */

static void sum_i32(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const int32_t *x = data;
  for (int64_t i = 0; i < n; i++)
    t->integer += x[i * stride];
  t->sum = (double)t->integer;
}

#define EXTREME_I32(name, better)                                                      \
  static void name##_i32(int64_t n, const void *data, int64_t stride, un_tally *t) {   \
    const int32_t *x = data;                                                           \
    if (n == 0) return;                                                                \
    int32_t best = x[0];                                                               \
    if (stride == 1)                                                                   \
      for (int64_t i = 0; i < n; i++)                                                  \
        best = x[i] better best ? x[i] : best;                                         \
    else                                                                               \
      for (int64_t i = 0; i < n; i++)                                                  \
        best = x[i * stride] better best ? x[i * stride] : best;                       \
    if (best better t->best) t->best = best;                                           \
  }
EXTREME_I32(min, <)
EXTREME_I32(max, >)
#undef EXTREME_I32

/* How many numbers at the beginning are in whole blocks without one that is (or is not)
** equal to y. */
ALWAYS_INLINE int64_t blocks_without(int equal, int32_t y, int64_t n, const int32_t *x,
                                     int64_t stride) {
  int64_t i = 0;
  for (int found = 0; stride == 1 && i + BLOCK <= n; i += BLOCK) {
    for (int j = 0; j < BLOCK; j++)
      found |= (x[i + j] == y) == equal;
    if (found) break;
  }
  return i;
}

static void find_i32(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const int32_t *x = data, best = (int32_t)t->best;
  int64_t i = t->index < 0 ? blocks_without(1, best, n, x, stride) : n;
  for (; i < n && t->index < 0; i++)
    if (x[i * stride] == best) t->index = t->seen + i;
  t->seen += n;
}

static void any_i32(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const int32_t *x = data;
  for (int64_t i = blocks_without(0, 0, n, x, stride); i < n && !t->truth; i++)
    t->truth = x[i * stride] != 0;
}

static void all_i32(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const int32_t *x = data;
  for (int64_t i = blocks_without(1, 0, n, x, stride); i < n && t->truth; i++)
    t->truth = x[i * stride] != 0;
}

static void add_row_i32(int64_t n, const void *data, int64_t stride, double *total) {
  const int32_t *x = data;
  for (int64_t j = 0; j < n; j++)
    total[j] += x[j * stride];
}

extern const un_line_kernels ISA(un_lines);
const un_line_kernels ISA(un_lines) = {
#define TWO(name)                                                                      \
  { name##_f32, name##_f64 }
#define THREE(name)                                                                    \
  { name##_f32, name##_f64, name##_i32 }
    .pass = {[UN_PASS_SUM] = THREE(sum),
             [UN_PASS_PROD] = TWO(prod),
             [UN_PASS_MIN] = THREE(min),
             [UN_PASS_MAX] = THREE(max),
             [UN_PASS_FIND] = THREE(find),
             [UN_PASS_ANY] = THREE(any),
             [UN_PASS_ALL] = THREE(all),
             [UN_PASS_LARGEST] = TWO(max),
             [UN_PASS_ABSMAX] = TWO(absmax),
             [UN_PASS_DEVIATION] = TWO(deviation),
             [UN_PASS_SQUARES] = TWO(squares),
             [UN_PASS_POWER] = TWO(power),
             [UN_PASS_EXPONENTIALS] = TWO(exponentials)},
    .add_row = THREE(add_row),
    .dot = TWO(dot),
    .softmax = TWO(softmax),
    .log_softmax = TWO(log_softmax),
    .cumsum = TWO(cumsum),
    .reverse_cumsum = TWO(reverse_cumsum),
    .softmax_gradient = TWO(softmax_gradient),
    .log_softmax_gradient = TWO(log_softmax_gradient),
};

#else

/* --- sums ------------------------------------------------------------------------- */

/* Longer sums are halved. float32 has so many more digits in float64 that its pieces may be
** longer. */
enum { FN(PAIRWISE) = sizeof(REAL) == sizeof(float) ? 4096 : 512 };

static double FN(total)(int64_t n, const REAL *x, int64_t stride) {
  if (n > FN(PAIRWISE)) {
    int64_t half = n / 2 / LANES * LANES;
    return FN(total)(half, x, stride) + FN(total)(n - half, x + half * stride, stride);
  }
  double sum = 0, rest = 0;
  int64_t i = 0;
  if (stride == 1 && n >= LANES) {
    double lane[LANES] = {0};
    for (; i + LANES <= n; i += LANES)
      for (int j = 0; j < LANES; j++)
        lane[j] += (double)x[i + j];
    sum = add_lanes(lane);
  }
  for (; i < n; i++)
    rest += (double)x[i * stride];
  return sum + rest;
}

static void FN(sum)(int64_t n, const void *x, int64_t stride, un_tally *t) {
  t->sum += FN(total)(n, x, stride);
}

static void FN(add_row)(int64_t n, const void *data, int64_t stride, double *total) {
  const REAL *x = data;
  if (stride == 1)
    for (int64_t j = 0; j < n; j++)
      total[j] += (double)x[j];
  else
    for (int64_t j = 0; j < n; j++)
      total[j] += (double)x[j * stride];
}

static double FN(dot)(int64_t n, const void *pa, int64_t sa, const void *pb,
                      int64_t sb) {
  const REAL *a = pa, *b = pb;
  if (n > FN(PAIRWISE)) {
    int64_t half = n / 2 / LANES * LANES;
    return FN(dot)(half, a, sa, b, sb) +
           FN(dot)(n - half, a + half * sa, sa, b + half * sb, sb);
  }
  double sum = 0, rest = 0;
  int64_t i = 0;
  if (sa == 1 && sb == 1 && n >= LANES) {
    double lane[LANES] = {0};
    for (; i + LANES <= n; i += LANES)
      for (int j = 0; j < LANES; j++)
        lane[j] += (double)a[i + j] * (double)b[i + j];
    sum = add_lanes(lane);
  }
  for (; i < n; i++)
    rest += (double)a[i * sa] * (double)b[i * sb];
  return sum + rest;
}

static void FN(prod)(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const REAL *x = data;
  double product = t->sum;
  int64_t i = 0;
  if (stride == 1 && n >= LANES) {
    double lane[LANES];
    for (int j = 0; j < LANES; j++)
      lane[j] = 1;
    for (; i + LANES <= n; i += LANES)
      for (int j = 0; j < LANES; j++)
        lane[j] *= (double)x[i + j];
    for (int j = 0; j < LANES; j++)
      product *= lane[j];
  }
  for (; i < n; i++)
    product *= (double)x[i * stride];
  t->sum = product;
}

/* Squared distances from the mean, which the first pass has summed up. */
static void FN(deviation)(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const REAL *x = data;
  const double mean = t->sum / (double)t->total;
  double sum = 0, rest = 0;
  int64_t i = 0;
  if (stride == 1 && n >= LANES) {
    double lane[LANES] = {0};
    for (; i + LANES <= n; i += LANES)
      for (int j = 0; j < LANES; j++)
        lane[j] += ((double)x[i + j] - mean) * ((double)x[i + j] - mean);
    sum = add_lanes(lane);
  }
  for (; i < n; i++)
    rest += ((double)x[i * stride] - mean) * ((double)x[i * stride] - mean);
  t->second += sum + rest;
}

static void FN(power)(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const REAL *x = data;
  const double unit = un_norm_unit(t->best, t->p), p = t->p;
  double power[UN_POWER_ROOM];
  for (int64_t i = 0; i < n; i += UN_POWER_ROOM) {
    const int64_t count = n - i < UN_POWER_ROOM ? n - i : UN_POWER_ROOM;
    for (int64_t j = 0; j < count; j++)
      power[j] = fabs((double)x[(i + j) * stride]) / unit;
    un_powers(count, power, p);
    t->second += total_f64(count, power, 1);
  }
}

/* As they are, two squares are added before they become a double: that is most of the work
** for float32. What overflows or vanishes by that, reduce.c sees. */
static void FN(squares)(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const REAL *x = data;
  const double scale = 1 / un_norm_unit(t->best, 2);
  double sum = 0, rest = 0;
  int64_t i = 0;
  if (stride == 1 && n >= LANES) {
    double lane[LANES] = {0};
    for (; scale == 1 && i + 2 * LANES <= n; i += 2 * LANES)
      for (int j = 0; j < LANES; j++) {
        const REAL a = x[i + j], b = x[i + LANES + j];
        lane[j] += (double)(a * a + b * b);
      }
    for (; i + LANES <= n; i += LANES)
      for (int j = 0; j < LANES; j++)
        lane[j] += ((double)x[i + j] * scale) * ((double)x[i + j] * scale);
    sum = add_lanes(lane);
  }
  for (; i < n; i++)
    rest += ((double)x[i * stride] * scale) * ((double)x[i * stride] * scale);
  t->second += sum + rest;
}

/* Sum of exp(x - best), piece by piece: exponentials, then their sum. */
static double FN(exp_total)(int64_t n, const REAL *x, int64_t stride, REAL best) {
  REAL piece[PIECE];
  double sum = 0;
  for (int64_t first = 0; first < n && !un_stopped_at(first); first += PIECE) {
    const int64_t count = n - first < PIECE ? n - first : PIECE;
    const REAL *from = x + first * stride;
    if (stride == 1)
      for (int64_t i = 0; i < count; i++)
        piece[i] = M(un_vexp)(from[i] - best);
    else
      for (int64_t i = 0; i < count; i++)
        piece[i] = M(un_vexp)(from[i * stride] - best);
    sum += FN(total)(count, piece, 1);
  }
  return sum;
}

static void FN(exponentials)(int64_t n, const void *x, int64_t stride, un_tally *t) {
  t->second += FN(exp_total)(n, x, stride, (REAL)t->best);
}

/* --- extremes --------------------------------------------------------------------- */

/* A NaN is better than everything, and stays: nothing is better than a NaN but a NaN.
** So many lanes that gcc keeps the inner loop a loop, which it vectorises. */
enum { FN(WIDE) = 256 / sizeof(REAL) };
#define WIDE FN(WIDE)

#define EXTREME(name, term, better)                                                    \
  ALWAYS_INLINE REAL FN(name##_of)(REAL v, REAL best) {                                \
    const REAL chosen = v better best ? v : best;                                      \
    return v != v ? v : chosen;                                                        \
  }                                                                                    \
  static void FN(name)(int64_t n, const void *data, int64_t stride, un_tally *t) {     \
    const REAL *x = data;                                                              \
    REAL lane[WIDE], best = (REAL)t->best;                                             \
    int64_t i = 0;                                                                     \
    if (stride == 1 && n >= WIDE) {                                                    \
      for (int j = 0; j < WIDE; j++)                                                   \
        lane[j] = best;                                                                \
      for (; i + WIDE <= n; i += WIDE)                                                 \
        for (int j = 0; j < WIDE; j++)                                                 \
          lane[j] = FN(name##_of)(term(x[i + j]), lane[j]);                            \
      const REAL *end = x + n - WIDE; /* the rest, some of it twice */                 \
      for (int j = 0; i < n && j < WIDE; j++)                                          \
        lane[j] = FN(name##_of)(term(end[j]), lane[j]);                                \
      i = n;                                                                           \
      for (int half = WIDE / 2; half > 0; half /= 2)                                   \
        for (int j = 0; j < half; j++)                                                 \
          lane[j] = FN(name##_of)(lane[j + half], lane[j]);                            \
      best = lane[0];                                                                  \
    }                                                                                  \
    for (; i < n; i++)                                                                 \
      best = FN(name##_of)(term(x[i * stride]), best);                                 \
    t->best = (double)best;                                                            \
  }
EXTREME(min, , <)
EXTREME(max, , >)
EXTREME(absmax, M(fabs), >)
#undef EXTREME
#undef WIDE

/* Where in a block y is first, or BLOCK. */
static int FN(place_in_block)(const REAL *x, REAL y) {
  int place = BLOCK;
  for (int j = 0; j < BLOCK; j++) {
    const int here = x[j] == y ? j : BLOCK;
    place = here < place ? here : place;
  }
  return place;
}

/* The first number that equals the extreme, or the first NaN when that is NaN: by
** blocks, whose test is SIMD, then inside the block that has it. */
static void FN(find)(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const REAL *x = data;
  const REAL best = (REAL)t->best;
  const int nan = best != best;
  int64_t i = 0;
  if (t->index < 0) {
    for (int found = 0; stride == 1 && !nan && i + BLOCK <= n; i += BLOCK) {
      for (int j = 0; j < BLOCK; j++)
        found |= x[i + j] == best;
      if (!found) continue;
      i += FN(place_in_block)(x + i, best);
      break;
    }
    while (i < n && x[i * stride] != best && !(nan && x[i * stride] != x[i * stride]))
      i++;
    if (i < n) t->index = t->seen + i;
  }
  t->seen += n;
}

static void FN(any)(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const REAL *x = data;
  int64_t i = 0;
  for (int found = 0; stride == 1 && i + BLOCK <= n; i += BLOCK) {
    for (int j = 0; j < BLOCK; j++)
      found |= x[i + j] != 0;
    if (found) break;
  }
  for (; i < n && !t->truth; i++)
    t->truth = x[i * stride] != 0;
}

static void FN(all)(int64_t n, const void *data, int64_t stride, un_tally *t) {
  const REAL *x = data;
  int64_t i = 0;
  for (int found = 0; stride == 1 && i + BLOCK <= n; i += BLOCK) {
    for (int j = 0; j < BLOCK; j++)
      found |= x[i + j] == 0;
    if (found) break;
  }
  for (; i < n && t->truth; i++)
    t->truth = x[i * stride] != 0;
}

/* --- softmax ---------------------------------------------------------------------- */

/* y = exp(x - max x), and their sum; y may be x. */
static double FN(exp_line)(int64_t n, REAL *y, int64_t sy, const REAL *x, int64_t sx) {
  un_tally t = {.best = -(double)INFINITY};
  FN(max)(n, x, sx, &t);
  const REAL max = (REAL)t.best;
  if (un_stopped()) return 1;
  if (sx == 1 && sy == 1)
    IN_STRETCHES(n) y[i] = M(un_vexp)(x[i] - max);
  else
    IN_STRETCHES(n) y[i * sy] = M(un_vexp)(x[i * sx] - max);
  if (un_stopped()) return 1;
  return FN(total)(n, y, sy);
}

/* softmax(x)_i = exp(x_i) / sum_j exp(x_j) */
static void FN(softmax)(int64_t n, void *const *data, const int64_t *stride,
                        void *context) {
  (void)context;
  REAL *y = data[0];
  REAL scale = (REAL)(1 / FN(exp_line)(n, y, stride[0], data[1], stride[1]));
  if (un_stopped()) return;
  IN_STRETCHES(n) y[i * stride[0]] *= scale;
}

/* log_softmax(x)_i = x_i - max x - log sum_j exp(x_j - max x) */
static void FN(log_softmax)(int64_t n, void *const *data, const int64_t *stride,
                            void *context) {
  (void)context;
  REAL *y = data[0];
  const REAL *x = data[1];
  un_tally t = {.best = -(double)INFINITY};
  FN(max)(n, x, stride[1], &t);
  const REAL max = (REAL)t.best;
  const REAL log_sum = (REAL)log(FN(exp_total)(n, x, stride[1], max));
  if (un_stopped()) return;
  IN_STRETCHES(n) y[i * stride[0]] = x[i * stride[1]] - max - log_sum;
}

/* dx = y (dy - sum dy y) */
static void FN(softmax_gradient)(int64_t n, void *const *data, const int64_t *stride,
                                 void *context) {
  (void)context;
  REAL *dx = data[0];
  const REAL *dy = data[1], *y = data[2];
  const REAL mean = (REAL)FN(dot)(n, dy, stride[1], y, stride[2]);
  IN_STRETCHES(n) dx[i * stride[0]] = y[i * stride[2]] * (dy[i * stride[1]] - mean);
}

/* dx = dy - exp(y) sum dy */
static void FN(log_softmax_gradient)(int64_t n, void *const *data,
                                     const int64_t *stride, void *context) {
  (void)context;
  REAL *dx = data[0];
  const REAL *dy = data[1], *y = data[2];
  const REAL sum = (REAL)FN(total)(n, dy, stride[1]);
  IN_STRETCHES(n)
  dx[i * stride[0]] = dy[i * stride[1]] - M(un_vexp)(y[i * stride[2]]) * sum;
}

/* --- running sums ----------------------------------------------------------------- */

/* Groups of four are added up by themselves, so that only one addition a group has to wait
** for the group before. A group whose own sum leaves the range goes one by one, with all that
** follow: what was before it may bring it back. */
static void FN(run_sums)(int64_t n, REAL *y, int64_t sy, const REAL *x, int64_t sx) {
  double sum = 0;
  int64_t i = 0;
  for (; i + 4 <= n && !un_stopped_at(i); i += 4, x += 4 * sx, y += 4 * sy) {
    const double one = (double)x[0], two = one + (double)x[sx],
                 three = two + (double)x[2 * sx], four = three + (double)x[3 * sx];
    if (!isfinite(four)) break;
    y[0] = (REAL)(sum + one);
    y[sy] = (REAL)(sum + two);
    y[2 * sy] = (REAL)(sum + three);
    sum += four;
    y[3 * sy] = (REAL)sum;
  }
  for (; i < n && !un_stopped_at(i); i++, x += sx, y += sy) {
    sum += (double)*x;
    *y = (REAL)sum;
  }
}

static void FN(cumsum)(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  (void)context;
  FN(run_sums)(n, data[0], stride[0], data[1], stride[1]);
}

/* From the last one backwards: the derivative of cumsum. */
static void FN(reverse_cumsum)(int64_t n, void *const *data, const int64_t *stride,
                               void *context) {
  (void)context;
  FN(run_sums)
  (n, (REAL *)data[0] + (n - 1) * stride[0], -stride[0],
   (const REAL *)data[1] + (n - 1) * stride[1], -stride[1]);
}

#endif
