/* reduce.c -- reductions and functions along a dimension (see reduce.h).
**
** A reduction is one or two passes of a line kernel over a tally, and a finish that
** turns the tally into a number:
**     mean   sum;                       sum / n
**     var    sum, squared deviations;   second / (n - 1)
**     max    max, find;                 best, and the index
**     norm   absmax, powers of x/unit;  unit * second^(1/p); for p = 2 squares first
** Over everything, all runs of the tensor feed one tally; along a dimension every line
** has its own. Lines that lie side by side (along an outer dimension) go many at once, row
** by row as memory lies. Few numbers are in reduce_few.c, scans in scan.c. */
#include "reduce.h"

#include <math.h>
#include <string.h>

#include "isa.h"
#include "isa/columns.h"
#include "isa/convert.h"
#include "isa/elementwise.h"
#include "isa/lines.h"
#include "profile.h"
#include "reduce_few.h"
#include "stop.h"
#include "walk.h"

UN_BY_ISA(un_line_kernels, un_lines)
UN_BY_ISA(un_column_kernels, un_column_table)
UN_BY_ISA(un_convert_kernels, un_convert)
UN_BY_ISA(un_elementwise_kernels, un_elementwise)

enum { PASSES = 3 }; /* at most */

typedef struct plan {
  un_reduction reduction;
  const un_reduce_options *options;
  un_pass pass[PASSES];
  int type;      /* index of kernels */
  int64_t total; /* numbers that make one result */
  /* along a dimension: */
  int64_t stride; /* of x */
  un_dtype dtype, out_dtype;
  bool has_out, has_indices;
} plan;

static const char *const names[] = {"sum", "prod", "mean",     "var",    "std",
                                    "min", "max",  "argmin",   "argmax", "any",
                                    "all", "norm", "logsumexp"};

bool un_reduces_int32(un_reduction r) {
  return r == UN_SUM || r == UN_MEAN || (r >= UN_MIN && r <= UN_ALL);
}

static bool has_index(un_reduction r) {
  return r >= UN_MIN && r <= UN_ARGMAX;
}

static bool is_euclidean(const plan *p) {
  return p->reduction == UN_NORM && p->options->p == 2;
}

static const un_pass passes[][PASSES] = {
    [UN_SUM] = {UN_PASS_SUM},
    [UN_PROD] = {UN_PASS_PROD},
    [UN_MEAN] = {UN_PASS_SUM},
    [UN_VAR] = {UN_PASS_SUM, UN_PASS_DEVIATION},
    [UN_STD] = {UN_PASS_SUM, UN_PASS_DEVIATION},
    [UN_MIN] = {UN_PASS_MIN, UN_PASS_FIND},
    [UN_MAX] = {UN_PASS_MAX, UN_PASS_FIND},
    [UN_ARGMIN] = {UN_PASS_MIN, UN_PASS_FIND},
    [UN_ARGMAX] = {UN_PASS_MAX, UN_PASS_FIND},
    [UN_ANY] = {UN_PASS_ANY},
    [UN_ALL] = {UN_PASS_ALL},
    [UN_NORM] = {UN_PASS_ABSMAX, UN_PASS_POWER},
    [UN_LOGSUMEXP] = {UN_PASS_LARGEST, UN_PASS_EXPONENTIALS},
};
static const un_pass euclidean_passes[PASSES] = {UN_PASS_SQUARES, UN_PASS_ABSMAX,
                                                 UN_PASS_SQUARES};

/* The index is searched for only when somebody wants it. */
static void choose_passes(plan *p, un_dtype dtype, bool want_index) {
  const bool one_pass = p->reduction == UN_NORM
                            ? isinf(p->options->p)
                            : has_index(p->reduction) && !want_index;
  memcpy(p->pass, is_euclidean(p) ? euclidean_passes : passes[p->reduction],
         sizeof p->pass);
  if (one_pass) p->pass[1] = UN_PASS_NONE;
  p->type = dtype == UN_F32 ? 0 : dtype == UN_F64 ? 1 : 2;
}

static un_tally start(const plan *p) {
  un_reduction r = p->reduction;
  un_tally t = {.total = p->total, .index = -1, .p = p->options->p};
  t.sum = r == UN_PROD ? 1 : 0;
  t.truth = r == UN_ALL;
  t.best = r == UN_MIN || r == UN_ARGMIN ? (double)INFINITY
           : is_euclidean(p)             ? 1
           : r == UN_NORM                ? 0
                                         : -(double)INFINITY;
  return t;
}

static double finish_norm(const un_tally *t) {
  if (t->best == 0 || isinf(t->p) || !isfinite(t->best)) return t->best;
  const double root = t->p == 2 ? sqrt(t->second) : pow(t->second, 1 / t->p);
  return root * un_norm_unit(t->best, t->p);
}

static double finish_var(const plan *p, const un_tally *t) {
  int64_t n = t->total - (p->options->unbiased ? 1 : 0);
  return n > 0 ? t->second / (double)n : (double)NAN;
}

static double finish(const plan *p, const un_tally *t) {
  switch (p->reduction) {
  case UN_SUM:
  case UN_PROD:
    return t->sum;
  case UN_MEAN:
    return t->sum / (double)t->total;
  case UN_VAR:
    return finish_var(p, t);
  case UN_STD:
    return sqrt(finish_var(p, t));
  case UN_ANY:
  case UN_ALL:
    return t->truth;
  case UN_NORM:
    return finish_norm(t);
  case UN_LOGSUMEXP:
    return isfinite(t->best) ? t->best + log(t->second) : t->best;
  default:
    return t->best;
  }
}

/* The Euclidean norm first adds up squares as they are; only when these come near the
** ends of their dtype do two more passes find the largest element and divide by its
** unit. */
static bool is_in_range(const plan *p, double squares) {
  return squares > (p->dtype == UN_F32 ? 0x1p-80 : 0x1p-900) && squares < 0x1p900;
}

static bool begin_scaled(const plan *p, un_tally *t) {
  if (is_in_range(p, t->second)) return false;
  t->best = t->second = 0;
  return true;
}

/* Whether the pass is there and not decided already: NaN, infinity, nothing but 0. */
static bool begin_pass(const plan *p, int pass, un_tally *t) {
  if (p->pass[pass] == UN_PASS_NONE) return false;
  if (pass == 0 || p->reduction < UN_NORM) return true;
  if (is_euclidean(p) && pass == 1) return begin_scaled(p, t);
  if (is_euclidean(p) && t->second != 0) return false; /* was right as it was */
  if (p->reduction == UN_NORM) return isfinite(t->best) && t->best != 0;
  return isfinite(t->best);
}

static un_line *line_kernel(const plan *p, int pass) {
  return un_lines()->pass[p->pass[pass]][p->type];
}

static bool check_choice(un_reduction r, const un_view *x, bool is_empty, un_err *err) {
  if (!has_index(r) || !is_empty) return true;
  return un_fail(err, "%s: x is %s: there is nothing to choose from", names[r],
                 un_shape(x).s);
}

/* --- over everything -------------------------------------------------------------- */

typedef struct feeding {
  un_line *line;
  un_dtype dtype;
  un_tally *tally;
  bool finds; /* the pass that looks for the extreme */
} feeding;

enum { PIECE = 512, LONG = 32, LINE = 4096 };

/* The kernels are slow on gaps. */
static void put_side_by_side(un_dtype dtype, int64_t n, const char *x, int64_t stride,
                             double *room) {
  un_convert()->run[dtype][dtype](n, (void *[]){room, (void *)x},
                                  (int64_t[]){1, stride}, NULL);
}

static void read_gaps(un_line *line, un_dtype dtype, int64_t n, const char *x,
                      int64_t stride, un_tally *t) {
  double piece[PIECE];
  const int64_t bytes = (int64_t)un_dtype_bytes(dtype);
  for (int64_t first = 0; first < n; first += PIECE) {
    const int64_t count = n - first < PIECE ? n - first : PIECE;
    put_side_by_side(dtype, count, x + first * stride * bytes, stride, piece);
    line(count, piece, 1, t);
  }
}

/* One pass over n numbers. */
static inline void read_numbers(un_line *line, un_dtype dtype, int64_t n, const void *x,
                                int64_t stride, un_tally *t) {
  if (stride == 1 || n < LONG)
    line(n, x, stride, t);
  else
    read_gaps(line, dtype, n, x, stride, t);
}

/* A stretch after which the extreme is another one has it; the pass that finds its index
** goes past all before. */
static void feed(int64_t n, void *const *data, const int64_t *stride, void *context) {
  const feeding *f = context;
  un_tally *t = f->tally;
  if (f->finds && t->seen + n <= t->from) {
    t->seen += n;
    return;
  }
  const double best = t->best;
  read_numbers(f->line, f->dtype, n, data[0], stride[0], t);
  if (f->finds) return; /* find has counted */
  if (best == best && t->best != best) t->from = t->seen;
  t->seen += n;
}

bool un_reduce_all(un_reduction r, const un_reduce_options *o, const un_view *x,
                   un_reduced *result, un_err *err) {
  plan p = {.reduction = r, .options = o, .total = un_numel(x), .dtype = x->dtype};
  if (!check_choice(r, x, p.total == 0, err)) return false;
  choose_passes(&p, x->dtype, r == UN_ARGMIN || r == UN_ARGMAX);
  un_tally t = start(&p);
  un_walk w;
  UN_PROFILE_BEGIN(UN_PHASE_REDUCE);
  const bool ordered =
      r == UN_ARGMIN || r == UN_ARGMAX; /* others are the same in any */
  un_walk_plan(&w, ordered ? UN_WALK_ROW_MAJOR : UN_WALK_ANY_ORDER, 1, &x);
  for (int pass = 0; pass < PASSES; pass++) {
    feeding f = {line_kernel(&p, pass), x->dtype, &t, p.pass[pass] == UN_PASS_FIND};
    t.seen = 0;
    if (begin_pass(&p, pass, &t)) un_walk_each(&w, feed, &f);
  }
  UN_PROFILE_END(0);
  *result = (un_reduced){finish(&p, &t), t.integer, t.index};
  return true;
}

/* --- along a dimension ------------------------------------------------------------ */

static void store(un_dtype dtype, void *data, int64_t i, double value) {
  if (dtype == UN_F32)
    ((float *)data)[i] = (float)value;
  else if (dtype == UN_F64)
    ((double *)data)[i] = value;
  else
    ((int32_t *)data)[i] = (int32_t)value;
}

/* One pass over a line of x, in stretches. */
static inline void read_line(const plan *p, un_line *line, const char *x,
                             int64_t stride, un_tally *t) {
  if (p->total <= UN_WALK_STRETCH) {
    read_numbers(line, p->dtype, p->total, x, stride, t);
    return;
  }
  int64_t bytes = (int64_t)un_dtype_bytes(p->dtype);
  for (int64_t first = 0; first < p->total && !un_stopped(); first += UN_WALK_STRETCH) {
    int64_t left = p->total - first;
    read_numbers(line, p->dtype, left < UN_WALK_STRETCH ? left : UN_WALK_STRETCH,
                 x + first * stride * bytes, stride, t);
  }
}

static inline void reduce_line(const plan *p, un_line *const *line, const char *x,
                               int64_t stride, un_tally *t) {
  read_line(p, line[0], x, stride, t);
  for (int pass = 1; pass < PASSES && line[pass]; pass++)
    if (begin_pass(p, pass, t)) read_line(p, line[pass], x, stride, t);
}

/* A line with gaps, put side by side for all passes together. */
static __attribute__((noinline)) void reduce_gaps(const plan *p, un_line *const *line,
                                                  const char *x, un_tally *t) {
  double room[LINE];
  put_side_by_side(p->dtype, p->total, x, p->stride, room);
  reduce_line(p, line, (const char *)room, 1, t);
}

/* Operand 0: x at the start of each line; then out and indices, as there are. */
static void reduce_lines(int64_t n, void *const *data, const int64_t *stride,
                         void *context) {
  const plan *p = context;
  const int64_t bytes = (int64_t)un_dtype_bytes(p->dtype);
  const bool gathers = p->stride != 1 && p->total >= LONG && p->total <= LINE;
  const un_tally fresh = start(p);
  un_line *line[PASSES];
  for (int pass = 0; pass < PASSES; pass++)
    line[pass] = line_kernel(p, pass);
  for (int64_t i = 0; i < n && !un_stopped(); i++) {
    un_tally t = fresh;
    const char *x = (const char *)data[0] + i * stride[0] * bytes;
    if (gathers)
      reduce_gaps(p, line, x, &t);
    else
      reduce_line(p, line, x, p->stride, &t);
    if (p->has_out) store(p->out_dtype, data[1], i * stride[1], finish(p, &t));
    if (p->has_indices) {
      int32_t *index = data[p->has_out ? 2 : 1];
      index[i * stride[p->has_out ? 2 : 1]] = (int32_t)(t.index + 1);
    }
  }
}

/* --- many neighbouring lines at once ------------------------------------------------ */

static void set_all(int64_t n, double *y, double value) {
  un_convert()->fill[UN_F64](n, (void *[]){y}, (int64_t[]){1}, &value);
}

/* Only what the reduction uses: short lines have little else to do. */
static void start_columns(const plan *p, int64_t n, un_columns *c) {
  const un_reduction r = p->reduction;
  un_tally t = start(p);
  c->total = p->total;
  c->p = t.p;
  if (r <= UN_STD) set_all(n, c->sum, t.sum);
  if (r >= UN_NORM) set_all(n, c->best, t.best);
  if (r == UN_VAR || r == UN_STD || r >= UN_ANY) set_all(n, c->second, t.truth);
}

/* Whether some column is near the ends of its dtype: then all are done again. */
static bool begin_scaled_columns(const plan *p, int64_t n, un_columns *c) {
  bool good = true;
  for (int64_t j = 0; j < n; j++)
    good = good && is_in_range(p, c->second[j]);
  if (good) return false;
  set_all(n, c->best, 0);
  set_all(n, c->second, 0);
  return true;
}

/* The kernel of a pass; NULL: there is no more to do. */
static un_take_rows *begin_column_pass(const plan *p, int pass, int64_t n,
                                       un_columns *c) {
  un_take_rows *take = un_column_table()->pass[p->pass[pass]][p->type];
  if (!take || p->reduction != UN_NORM) return take;
  if (is_euclidean(p) && pass == 1 && !begin_scaled_columns(p, n, c)) return NULL;
  for (int64_t j = 0; j < n; j++)
    c->sum[j] = un_norm_unit(c->best[j], c->p);
  return take;
}

static void take_columns(const plan *p, const char *x, int64_t column, int64_t n,
                         un_columns *c) {
  const int64_t bytes = (int64_t)un_dtype_bytes(p->dtype), most = UN_WALK_STRETCH / n;
  start_columns(p, n, c);
  for (int pass = 0; pass < PASSES; pass++) {
    un_take_rows *take = begin_column_pass(p, pass, n, c);
    if (!take) return;
    for (int64_t row = 0; row < p->total && !un_stopped(); row += most)
      take(row, p->total - row < most ? p->total - row : most, n,
           x + row * p->stride * bytes, p->stride, column, c);
  }
}

/* y = y op x for n numbers, or one number x. */
static void apply(int op, int64_t n, double *y, const double *x, int64_t step) {
  un_elementwise()->value[op][1](n, (void *[]){y, y, (void *)x},
                                 (int64_t[]){1, 1, step}, (double[]){0, 0});
}

/* y = op y */
static void apply_alone(int op, int64_t n, double *y) {
  un_elementwise()->value[op][1](n, (void *[]){y, y}, (int64_t[]){1, 1},
                                 (double[]){0, 0});
}

static const double *finish_var_columns(const plan *p, int64_t n, un_columns *c) {
  const double count = (double)(p->total - (p->options->unbiased ? 1 : 0));
  const double divisor = count > 0 ? count : (double)NAN;
  apply(UN_OP_div, n, c->second, &divisor, 0);
  if (p->reduction == UN_STD) apply_alone(UN_OP_sqrt, n, c->second);
  return c->second;
}

/* Where the largest number is none that can be taken out, it is the result. */
static const double *choose_finite(int64_t n, const double *best, double *value) {
  for (int64_t j = 0; j < n; j++)
    value[j] = fabs(best[j]) < (double)INFINITY ? value[j] : best[j];
  return value;
}

static const double *finish_norm_columns(const plan *p, int64_t n, un_columns *c) {
  const double root = 1 / p->options->p;
  if (isinf(p->options->p)) return c->best;
  if (root == 0.5)
    apply_alone(UN_OP_sqrt, n, c->second);
  else
    apply(UN_OP_pow, n, c->second, &root, 0);
  apply(UN_OP_mul, n, c->second, c->sum, 1); /* the unit */
  for (int64_t j = 0; j < n; j++)
    if (c->best[j] == 0) c->second[j] = 0;
  return choose_finite(n, c->best, c->second);
}

static const double *finish_logsumexp_columns(int64_t n, un_columns *c) {
  apply_alone(UN_OP_log, n, c->second);
  apply(UN_OP_add, n, c->second, c->best, 1);
  return choose_finite(n, c->best, c->second);
}

/* The results of n columns, in place of what they come from. */
static const double *finish_columns(const plan *p, int64_t n, un_columns *c) {
  const double total = (double)p->total;
  switch (p->reduction) {
  case UN_MEAN:
    apply(UN_OP_div, n, c->sum, &total, 0);
    return c->sum;
  case UN_VAR:
  case UN_STD:
    return finish_var_columns(p, n, c);
  case UN_ANY:
  case UN_ALL:
    return c->second;
  case UN_NORM:
    return finish_norm_columns(p, n, c);
  case UN_LOGSUMEXP:
    return finish_logsumexp_columns(n, c);
  default:
    return c->sum;
  }
}

/* Writes n numbers into elements from `first` on. */
static void store_columns(un_dtype from, const void *values, int64_t n, un_dtype dtype,
                          void *data, int64_t first, int64_t stride) {
  char *to = (char *)data + first * stride * (int64_t)un_dtype_bytes(dtype);
  un_convert()->run[from][dtype](n, (void *[]){to, (void *)values},
                                 (int64_t[]){stride, 1}, NULL);
}

static void store_results(const plan *p, int64_t n, un_columns *c, void *data,
                          int64_t first, int64_t stride) {
  if (has_index(p->reduction))
    store_columns(p->dtype, &c->extreme, n, p->out_dtype, data, first, stride);
  else
    store_columns(UN_F64, finish_columns(p, n, c), n, p->out_dtype, data, first,
                  stride);
}

static void reduce_columns(int64_t n, void *const *data, const int64_t *stride,
                           void *context) {
  const plan *p = context;
  const int64_t bytes = (int64_t)un_dtype_bytes(p->dtype);
  /* So many that some rows fit in the first cache; of columns with gaps, with what lies
  ** between. */
  const int64_t most = stride[0] == 1 ? UN_COLUMNS * 4 / bytes : UN_COLUMNS / 4;
  un_columns c;
  for (int64_t first = 0; first < n && !un_stopped(); first += most) {
    int64_t count = n - first < most ? n - first : most;
    take_columns(p, (const char *)data[0] + first * stride[0] * bytes, stride[0], count,
                 &c);
    const int k = p->has_out ? 2 : 1;
    if (p->has_out) store_results(p, count, &c, data[1], first, stride[1]);
    if (p->has_indices)
      store_columns(p->dtype == UN_F64 ? UN_F64 : UN_I32, &c.place, count, UN_I32,
                    data[k], first, stride[k]);
  }
}

enum { SHORT = 16, FEW = 64 };

/* Neighbouring lines lie closer together than the numbers of one, or are too short to
** be worth a call each, unless there is little to do in all. */
static bool by_columns(const plan *p, const un_walk *w) {
  const int last = w->dims - 1;
  if (w->size[last] == 1) return false;
  return w->stride[last][0] < p->stride ||
         (p->total <= SHORT && w->size[last] * p->total > FEW);
}

static bool reduce_many(un_reduction r, const un_reduce_options *o, const un_view *x,
                        int dim, const un_view *out, const un_view *indices,
                        un_err *err) {
  plan p = {.reduction = r,
            .options = o,
            .total = x->size[dim],
            .stride = x->stride[dim],
            .dtype = x->dtype,
            .out_dtype = out ? out->dtype : UN_I32,
            .has_out = out != NULL,
            .has_indices = indices != NULL};
  un_view lines = *x;
  lines.size[dim] = 1;
  if (!check_choice(r, x, p.total == 0 && un_numel(&lines) > 0, err)) return false;
  if (indices && p.total > INT32_MAX)
    return un_fail(err, "%s: x is %s: an index would not fit in int32", names[r],
                   un_shape(x).s);
  choose_passes(&p, x->dtype, indices != NULL);
  const un_view *view[3] = {&lines};
  int operands = 1;
  if (out) view[operands++] = out;
  if (indices) view[operands++] = indices;
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, operands, view);
  un_walk_each(&w, by_columns(&p, &w) ? reduce_columns : reduce_lines, &p);
  return true;
}

bool un_reduce_dim(un_reduction r, const un_reduce_options *o, const un_view *x,
                   int dim, const un_view *out, const un_view *indices, un_err *err) {
  UN_PROFILE_BEGIN(UN_PHASE_REDUCE);
  const bool done = un_reduce_few(r, o, x, dim, out, indices) ||
                    reduce_many(r, o, x, dim, out, indices, err);
  UN_PROFILE_END(0);
  return done;
}

double un_dot(const un_view *a, const un_view *b) {
  return un_lines()->dot[a->dtype == UN_F64](a->size[0], a->data, a->stride[0], b->data,
                                             b->stride[0]);
}
