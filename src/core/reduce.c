/* reduce.c -- reductions and functions along a dimension (see reduce.h).
**
** A reduction is one or two passes of a line kernel over a tally, and a finish that
** turns the tally into a number:
**     mean   sum;                       sum / n
**     var    sum, squared deviations;   second / (n - 1)
**     max    max, find;                 best, and the index
**     norm   absmax, powers of x/scale; scale * second^(1/p)
** Over everything, all runs of the tensor feed one tally; along a dimension every line
** has its own. Sums along an outer dimension go row by row instead, as memory lies. */
#include "reduce.h"

#include <math.h>

#include "isa.h"
#include "isa/lines.h"
#include "stop.h"
#include "walk.h"

UN_BY_ISA(un_line_kernels, un_lines)

typedef struct plan {
  un_reduction reduction;
  const un_reduce_options *options;
  un_line *pass[2];
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

static int kernel_index(un_dtype dtype) {
  return dtype == UN_F32 ? 0 : dtype == UN_F64 ? 1 : 2;
}

/* The kernels of each pass; the index is searched for only when somebody wants it. */
static void choose_passes(plan *p, int k, bool want_index) {
  const un_line_kernels *l = un_lines();
  un_line *const *first[] = {
      [UN_SUM] = l->sum,       [UN_PROD] = l->prod,  [UN_MEAN] = l->sum,
      [UN_VAR] = l->sum,       [UN_STD] = l->sum,    [UN_MIN] = l->min,
      [UN_MAX] = l->max,       [UN_ARGMIN] = l->min, [UN_ARGMAX] = l->max,
      [UN_ANY] = l->any,       [UN_ALL] = l->all,    [UN_NORM] = l->absmax,
      [UN_LOGSUMEXP] = l->max,
  };
  un_line *const *second[] = {
      [UN_VAR] = l->deviation,
      [UN_STD] = l->deviation,
      [UN_NORM] = p->options->p == 2 ? l->squares : l->power,
      [UN_LOGSUMEXP] = l->exponentials,
  };
  p->pass[0] = first[p->reduction][k];
  if (has_index(p->reduction) && want_index) p->pass[1] = l->find[k];
  if (!has_index(p->reduction) && second[p->reduction])
    p->pass[1] = second[p->reduction][k];
}

static un_tally start(const plan *p) {
  un_reduction r = p->reduction;
  un_tally t = {.total = p->total, .index = -1, .p = p->options->p};
  t.sum = r == UN_PROD ? 1 : 0;
  t.truth = r == UN_ALL;
  t.best = r == UN_MIN || r == UN_ARGMIN ? (double)INFINITY
           : r == UN_NORM                ? 0
                                         : -(double)INFINITY;
  return t;
}

static double finish_norm(const un_tally *t) {
  if (t->best == 0 || isinf(t->p) || !isfinite(t->best)) return t->best;
  double root = t->p == 2 ? sqrt(t->second) : pow(t->second, 1 / t->p);
  return ldexp(root, un_norm_exponent(t->best));
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

/* A second pass over a tally that is already decided: NaN, infinity, nothing but 0. */
static bool needs_pass(const plan *p, int pass, const un_tally *t) {
  if (pass == 0) return true;
  if (p->pass[1] == NULL) return false;
  if (p->reduction == UN_NORM) return isfinite(t->best) && t->best != 0 && !isinf(t->p);
  return p->reduction != UN_LOGSUMEXP || isfinite(t->best);
}

static bool check_choice(un_reduction r, const un_view *x, bool is_empty, un_err *err) {
  if (!has_index(r) || !is_empty) return true;
  return un_fail(err, "%s: x is %s: there is nothing to choose from", names[r],
                 un_shape(x).s);
}

/* --- over everything -------------------------------------------------------------- */

typedef struct feeding {
  un_line *line;
  un_tally *tally;
} feeding;

static void feed(int64_t n, void *const *data, const int64_t *stride, void *context) {
  const feeding *f = context;
  f->line(n, data[0], stride[0], f->tally);
}

bool un_reduce_all(un_reduction r, const un_reduce_options *o, const un_view *x,
                   un_reduced *result, un_err *err) {
  plan p = {.reduction = r, .options = o, .total = un_numel(x)};
  if (!check_choice(r, x, p.total == 0, err)) return false;
  choose_passes(&p, kernel_index(x->dtype), r == UN_ARGMIN || r == UN_ARGMAX);
  un_tally t = start(&p);
  un_walk w;
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, 1, &x);
  for (int pass = 0; pass < 2; pass++) {
    feeding f = {p.pass[pass], &t};
    if (needs_pass(&p, pass, &t)) un_walk_each(&w, feed, &f);
  }
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
static void read_line(const plan *p, int pass, const char *x, un_tally *t) {
  int64_t bytes = (int64_t)un_dtype_bytes(p->dtype);
  for (int64_t first = 0; first < p->total && !un_stopped(); first += UN_WALK_STRETCH) {
    int64_t left = p->total - first;
    p->pass[pass](left < UN_WALK_STRETCH ? left : UN_WALK_STRETCH,
                  x + first * p->stride * bytes, p->stride, t);
  }
}

/* Operand 0: x at the start of each line; then out and indices, as there are. */
static void reduce_lines(int64_t n, void *const *data, const int64_t *stride,
                         void *context) {
  const plan *p = context;
  int64_t bytes = (int64_t)un_dtype_bytes(p->dtype);
  for (int64_t i = 0; i < n && !un_stopped(); i++) {
    un_tally t = start(p);
    const char *x = (const char *)data[0] + i * stride[0] * bytes;
    for (int pass = 0; pass < 2; pass++)
      if (needs_pass(p, pass, &t)) read_line(p, pass, x, &t);
    if (p->has_out) store(p->out_dtype, data[1], i * stride[1], finish(p, &t));
    if (p->has_indices) {
      int32_t *index = data[p->has_out ? 2 : 1];
      index[i * stride[p->has_out ? 2 : 1]] = (int32_t)(t.index + 1);
    }
  }
}

enum { COLUMNS = 128 };

/* Sum or mean of n neighbouring lines at once, row by row. */
static void reduce_columns(int64_t n, void *const *data, const int64_t *stride,
                           void *context) {
  const plan *p = context;
  int64_t bytes = (int64_t)un_dtype_bytes(p->dtype);
  for (int64_t first = 0; first < n; first += COLUMNS) {
    double total[COLUMNS] = {0};
    int64_t count = n - first < COLUMNS ? n - first : COLUMNS;
    const char *x = (const char *)data[0] + first * stride[0] * bytes;
    for (int64_t row = 0; row < p->total && !un_stopped(); row++)
      un_lines()->add_row[kernel_index(p->dtype)](count, x + row * p->stride * bytes,
                                                  stride[0], total);
    for (int64_t j = 0; j < count; j++) {
      double value = p->reduction == UN_MEAN ? total[j] / (double)p->total : total[j];
      store(p->out_dtype, data[1], (first + j) * stride[1], value);
    }
  }
}

static bool by_columns(const plan *p, const un_walk *w) {
  bool sums = p->reduction == UN_SUM || p->reduction == UN_MEAN;
  int last = w->dims - 1;
  return sums && w->size[last] > 1 && w->stride[last][0] < p->stride;
}

bool un_reduce_dim(un_reduction r, const un_reduce_options *o, const un_view *x,
                   int dim, const un_view *out, const un_view *indices, un_err *err) {
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
  choose_passes(&p, kernel_index(x->dtype), indices != NULL);
  const un_view *view[3] = {&lines};
  int operands = 1;
  if (out) view[operands++] = out;
  if (indices) view[operands++] = indices;
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, operands, view);
  un_walk_each(&w, by_columns(&p, &w) ? reduce_columns : reduce_lines, &p);
  return true;
}

double un_dot(const un_view *a, const un_view *b) {
  return un_lines()->dot[kernel_index(a->dtype)](a->size[0], a->data, a->stride[0],
                                                 b->data, b->stride[0]);
}

/* --- as many numbers out as in ---------------------------------------------------- */

typedef struct scan_plan {
  un_run *line;
  int64_t n, bytes, stride[UN_WALK_MAX];
  int operands;
} scan_plan;

static void scan_lines(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  const scan_plan *p = context;
  for (int64_t i = 0; i < n && !un_stopped(); i++) {
    void *line[UN_WALK_MAX];
    for (int k = 0; k < p->operands; k++)
      line[k] = (char *)data[k] + i * stride[k] * p->bytes;
    p->line(p->n, line, p->stride, NULL);
  }
}

static void scan(un_run *line, int dim, int operands, const un_view *const *view) {
  scan_plan p = {.line = line,
                 .n = view[0]->size[dim],
                 .bytes = (int64_t)un_dtype_bytes(view[0]->dtype),
                 .operands = operands};
  un_view first[UN_WALK_MAX];
  const un_view *lines[UN_WALK_MAX];
  for (int k = 0; k < operands; k++) {
    first[k] = *view[k];
    first[k].size[dim] = 1;
    p.stride[k] = view[k]->stride[dim];
    lines[k] = &first[k];
  }
  if (p.n == 0) return;
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, operands, lines);
  un_walk_each(&w, scan_lines, &p);
}

void un_scan_dim(un_scan s, const un_view *x, int dim, const un_view *out) {
  const un_line_kernels *lines = un_lines();
  un_run *const *table[] = {lines->softmax, lines->log_softmax, lines->cumsum,
                            lines->reverse_cumsum};
  scan(table[s][kernel_index(x->dtype)], dim, 2, (const un_view *[]){out, x});
}

void un_softmax_gradient(un_scan s, const un_view *dy, const un_view *y, int dim,
                         const un_view *dx) {
  const un_line_kernels *lines = un_lines();
  un_run *const *table =
      s == UN_SOFTMAX ? lines->softmax_gradient : lines->log_softmax_gradient;
  scan(table[kernel_index(y->dtype)], dim, 3, (const un_view *[]){dx, dy, y});
}
