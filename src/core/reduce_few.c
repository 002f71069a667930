/* reduce_few.c -- reductions of few numbers along a dimension (see reduce_few.h).
**
** A plan, a walk and a call for each line and pass would cost many times the work itself.
** So the numbers are put side by side as float64, which holds every number of every dtype,
** and each line is reduced by the definition of what is wanted. */
#include "reduce_few.h"

#include <math.h>

#include "isa.h"
#include "isa/convert.h"
#include "isa/elementwise.h"
#include "walk.h"

UN_BY_ISA(un_convert_kernels, un_convert)
UN_BY_ISA(un_elementwise_kernels, un_elementwise)

enum { LONGEST = 16 }; /* line; longer ones are worth vectors */

typedef struct results {
  double value[UN_WALK_FEW];
  int32_t place[UN_WALK_FEW]; /* from 1 */
} results;

/* --- one line: n numbers, `step` apart ---------------------------------------------- */

static double sum_of(int64_t n, const double *x, int64_t step) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += x[i * step];
  return sum;
}

static double product_of(int64_t n, const double *x, int64_t step) {
  double product = 1;
  for (int64_t i = 0; i < n; i++)
    product *= x[i * step];
  return product;
}

static double squares_from(double mean, int64_t n, const double *x, int64_t step) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += (x[i * step] - mean) * (x[i * step] - mean);
  return sum;
}

static double variance_of(bool unbiased, int64_t n, const double *x, int64_t step) {
  const double divisor = (double)(n - (unbiased ? 1 : 0));
  const double mean = sum_of(n, x, step) / (double)n;
  return divisor > 0 ? squares_from(mean, n, x, step) / divisor : (double)NAN;
}

static double magnitude_of(int64_t n, const double *x, int64_t step) {
  double largest = 0;
  for (int64_t i = 0; i < n; i++) {
    const double magnitude = fabs(x[i * step]);
    if (!(magnitude <= largest) && largest == largest) largest = magnitude;
  }
  return largest;
}

static bool has_zero(int64_t n, const double *x, int64_t step) {
  bool found = false;
  for (int64_t i = 0; i < n; i++)
    found |= x[i * step] == 0;
  return found;
}

static bool has_other(int64_t n, const double *x, int64_t step) {
  bool found = false;
  for (int64_t i = 0; i < n; i++)
    found |= x[i * step] != 0;
  return found;
}

/* The first NaN; n, when there is none. */
static int64_t place_of_nan(int64_t n, const double *x, int64_t step) {
  int64_t i = 0;
  while (i < n && x[i * step] == x[i * step])
    i++;
  return i;
}

/* The first of the best ones; a NaN is better than all numbers. Without a branch, which
** nobody could predict: a sum is NaN if a number is, though not only then. */
static inline __attribute__((always_inline)) int64_t
place_of_best(bool smallest, int64_t n, const double *x, int64_t step) {
  double best = x[0], sum = x[0];
  int64_t place = 0;
  for (int64_t i = 1; i < n; i++) {
    const double v = x[i * step];
    const bool is_better = smallest ? v < best : v > best;
    place = is_better ? i : place;
    best = smallest ? (v < best ? v : best) : (v > best ? v : best);
    sum += v;
  }
  if (__builtin_expect(sum == sum, 1)) return place;
  const int64_t nan = place_of_nan(n, x, step);
  return nan < n ? nan : place;
}

/* --- all lines ---------------------------------------------------------------------- */

/* Of `outer` x n x `inner` numbers, each line has its n in the middle dimension. */
typedef struct lines {
  int64_t outer, n, inner;
  const double *x;
} lines;

/* An expression of n, line and step, the numbers of one line, for each. */
#define EACH_LINE(expression)                                                          \
  do {                                                                                 \
    const int64_t n = l->n, step = l->inner;                                           \
    int64_t number = 0;                                                                \
    for (int64_t j = 0; j < l->outer; j++)                                             \
      for (int64_t k = 0; k < step; k++, number++) {                                   \
        const double *line = l->x + j * n * step + k;                                  \
        expression;                                                                    \
      }                                                                                \
  } while (0)
#define EACH_VALUE(expression) EACH_LINE(y->value[number] = (expression))

static void sum_lines(const lines *l, results *y) {
  EACH_VALUE(sum_of(n, line, step));
}

static void choose(bool smallest, const lines *l, results *y) {
  EACH_LINE(const int64_t at = smallest ? place_of_best(true, n, line, step)
                                        : place_of_best(false, n, line, step);
            y->value[number] = line[at * step]; y->place[number] = (int32_t)at + 1);
}

/* False when some sum comes near the ends of float64: then it has to be scaled first. */
static bool find_norms(const lines *l, results *y) {
  bool good = true;
  EACH_LINE(const double squares = squares_from(0, n, line, step);
            good = good && squares > 0x1p-900 && squares < 0x1p900;
            y->value[number] = sqrt(squares));
  return good;
}

/* y = op y, in vectors. */
static void apply(int op, int64_t n, double *y) {
  un_elementwise()->value[op][1](n, (void *[]){y, y}, (int64_t[]){1, 1},
                                 (double[]){0, 0});
}

/* log sum exp(x) = best + log sum exp(x - best); where the largest number is none that can
** be taken out, it is the result. */
static void find_log_sums(const lines *l, results *y) {
  double best[UN_WALK_FEW], power[UN_WALK_FEW];
  const lines powers = {l->outer, l->n, l->inner, power};
  const int64_t count = l->outer * l->inner;
  EACH_LINE(best[number] = line[place_of_best(false, n, line, step) * step];
            for (int64_t i = 0; i < n; i++) power[line - l->x + i * step] =
                line[i * step] - best[number]);
  apply(UN_OP_exp, count * l->n, power);
  sum_lines(&powers, y);
  apply(UN_OP_log, count, y->value);
  for (int64_t i = 0; i < count; i++)
    y->value[i] = isfinite(best[i]) ? y->value[i] + best[i] : best[i];
}

static bool reduce(un_reduction r, const un_reduce_options *o, const lines *l,
                   results *y) {
  const bool unbiased = o->unbiased;
  if (r == UN_SUM)
    sum_lines(l, y);
  else if (r == UN_MEAN)
    EACH_VALUE(sum_of(n, line, step) / (double)n);
  else if (r == UN_PROD)
    EACH_VALUE(product_of(n, line, step));
  else if (r == UN_VAR)
    EACH_VALUE(variance_of(unbiased, n, line, step));
  else if (r == UN_STD)
    EACH_VALUE(sqrt(variance_of(unbiased, n, line, step)));
  else if (r == UN_ANY)
    EACH_VALUE(has_other(n, line, step));
  else if (r == UN_ALL)
    EACH_VALUE(!has_zero(n, line, step));
  else if (r == UN_NORM && isinf(o->p))
    EACH_VALUE(magnitude_of(n, line, step));
  else if (r == UN_NORM)
    return o->p == 2 && find_norms(l, y); /* other powers take longer than all else */
  else if (r == UN_LOGSUMEXP)
    find_log_sums(l, y);
  else
    choose(r == UN_MIN || r == UN_ARGMIN, l, y);
  return true;
}

/* --- reading and writing ------------------------------------------------------------ */

static bool has_gaps(const un_view *v) {
  return v && un_step_through(v) != 1;
}

static int64_t product(int64_t n, const int64_t *size) {
  int64_t all = 1;
  for (int64_t i = 0; i < n; i++)
    all *= size[i];
  return all;
}

/* One by one: what was just written so is slow to read in vectors. */
static void write(const double *value, int64_t n, const un_view *to) {
  if (to->dtype == UN_F32)
    for (int64_t i = 0; i < n; i++)
      ((float *)to->data)[i] = (float)value[i];
  else if (to->dtype == UN_F64)
    for (int64_t i = 0; i < n; i++)
      ((double *)to->data)[i] = value[i];
  else
    for (int64_t i = 0; i < n; i++)
      ((int32_t *)to->data)[i] = (int32_t)value[i];
}

bool un_reduce_few(un_reduction r, const un_reduce_options *o, const un_view *x,
                   int dim, const un_view *out, const un_view *indices) {
  const int64_t all = un_numel(x);
  if (all > UN_WALK_FEW || all == 0 || x->size[dim] > LONGEST) return false;
  if (un_dtype_bytes(x->dtype) < 4) return false;
  if (has_gaps(out) || has_gaps(indices)) return false;
  un_few held;
  double room[UN_WALK_FEW];
  results y;
  lines l = {.outer = product(dim, x->size),
             .n = x->size[dim],
             .inner = product(x->dims - dim - 1, x->size + dim + 1),
             .x = un_side_by_side(x, &held)};
  if (x->dtype != UN_F64) {
    un_convert()->run[x->dtype][UN_F64](all, (void *[]){room, (void *)l.x},
                                        (int64_t[]){1, 1}, NULL);
    l.x = room;
  }
  if (!reduce(r, o, &l, &y)) return false;
  if (out) write(y.value, l.outer * l.inner, out);
  for (int64_t i = 0; indices && i < l.outer * l.inner; i++)
    ((int32_t *)indices->data)[i] = y.place[i];
  return true;
}
