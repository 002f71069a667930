/* scan.c -- functions along one dimension that keep the sizes: softmax, running sums and
** their derivatives (reduce.h).
**
** A line whose numbers are neighbours goes alone (isa/lines.c). Where instead the lines
** are neighbours, many go at once, row by row as memory lies (isa/columns.c), in up to
** three passes: what the line needs as a whole first, then the numbers. */
#include <math.h>

#include "copy.h"
#include "isa.h"
#include "isa/columns.h"
#include "isa/lines.h"
#include "profile.h"
#include "reduce.h"
#include "stop.h"
#include "walk.h"

UN_BY_ISA(un_line_kernels, un_lines)
UN_BY_ISA(un_column_kernels, un_column_table)

typedef enum kind {
  SOFTMAX,
  LOG_SOFTMAX,
  CUMSUM,
  REVERSE_CUMSUM,
  SOFTMAX_GRADIENT,
  LOG_SOFTMAX_GRADIENT
} kind;

typedef struct plan {
  kind kind;
  int type;                              /* 0 float32, 1 float64 */
  int64_t n, bytes, stride[UN_WALK_MAX]; /* along the dimension */
  int operands;
} plan;

/* --- line by line ------------------------------------------------------------------- */

static un_run *line_kernel(const plan *p) {
  const un_line_kernels *l = un_lines();
  un_run *const *table[] = {l->softmax,          l->log_softmax,
                            l->cumsum,           l->reverse_cumsum,
                            l->softmax_gradient, l->log_softmax_gradient};
  return table[p->kind][p->type];
}

static void step_from(const plan *p, void *const *data, const int64_t *stride,
                      int64_t i, void **at) {
  for (int k = 0; k < p->operands; k++)
    at[k] = (char *)data[k] + i * stride[k] * p->bytes;
}

static void scan_lines(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  const plan *p = context;
  un_run *line = line_kernel(p);
  for (int64_t i = 0; i < n && !un_stopped(); i++) {
    void *at[UN_WALK_MAX];
    step_from(p, data, stride, i, at);
    line(p->n, at, p->stride, NULL);
  }
}

/* --- many lines at once ------------------------------------------------------------- */

static void each_row(const plan *p, void *const *data, int64_t n, un_make_row *make,
                     un_columns *c) {
  for (int64_t i = 0; i < p->n && !un_stopped(); i++) {
    void *at[UN_WALK_MAX] = {0};
    step_from(p, data, p->stride, p->kind == REVERSE_CUMSUM ? p->n - 1 - i : i, at);
    make(n, at, c);
  }
}

static void take_largest(const plan *p, const void *x, int64_t n, un_columns *c) {
  un_column_table()->pass[UN_PASS_LARGEST][p->type](0, p->n, n, x, p->stride[1], 1, c);
}

static void softmax_columns(const plan *p, void *const *data, int64_t n,
                            un_columns *c) {
  take_largest(p, data[1], n, c);
  each_row(p, data, n, un_column_table()->exp[p->type], c);
  each_row(p, data, n, un_column_table()->divide[p->type], c);
}

static void log_softmax_columns(const plan *p, void *const *data, int64_t n,
                                un_columns *c) {
  take_largest(p, data[1], n, c);
  un_column_table()->pass[UN_PASS_EXPONENTIALS][p->type](0, p->n, n, data[1],
                                                         p->stride[1], 1, c);
  for (int64_t j = 0; j < n; j++)
    c->second[j] = log(c->second[j]);
  each_row(p, data, n, un_column_table()->shift[p->type], c);
}

static void gradient_columns(const plan *p, void *const *data, int64_t n,
                             un_columns *c) {
  const un_column_kernels *k = un_column_table();
  each_row(p, data, n, k->products[p->type], c);
  each_row(p, data, n,
           (p->kind == SOFTMAX_GRADIENT ? k->softmax_gradient
                                        : k->log_softmax_gradient)[p->type],
           c);
}

static void scan_block(const plan *p, void *const *data, int64_t n) {
  un_columns c;
  for (int64_t j = 0; j < n; j++) {
    c.sum[j] = c.second[j] = 0;
    c.best[j] = -(double)INFINITY;
  }
  if (p->kind == SOFTMAX)
    softmax_columns(p, data, n, &c);
  else if (p->kind == LOG_SOFTMAX)
    log_softmax_columns(p, data, n, &c);
  else if (p->kind == CUMSUM || p->kind == REVERSE_CUMSUM)
    each_row(p, data, n, un_column_table()->running[p->type], &c);
  else
    gradient_columns(p, data, n, &c);
}

static void scan_columns(int64_t n, void *const *data, const int64_t *stride,
                         void *context) {
  const plan *p = context;
  for (int64_t first = 0; first < n && !un_stopped(); first += UN_COLUMNS) {
    void *at[UN_WALK_MAX];
    step_from(p, data, stride, first, at);
    scan_block(p, at, n - first < UN_COLUMNS ? n - first : UN_COLUMNS);
  }
}

/* The lines lie side by side, in all operands. */
static bool by_columns(const plan *p, const un_walk *w) {
  int last = w->dims - 1;
  for (int k = 0; k < w->operands; k++)
    if (w->stride[last][k] != 1 || p->stride[k] <= 1) return false;
  return w->size[last] > 1;
}

static void scan_each_line(plan *p, int dim, const un_view *const *view) {
  un_view first[UN_WALK_MAX];
  const un_view *lines[UN_WALK_MAX];
  for (int k = 0; k < p->operands; k++) {
    un_copy_view(&first[k], view[k]);
    first[k].size[dim] = 1;
    lines[k] = &first[k];
  }
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, p->operands, lines);
  un_walk_each(&w, by_columns(p, &w) ? scan_columns : scan_lines, p);
}

static void scan(kind what, int dim, int operands, const un_view *const *view) {
  plan p = {.kind = what,
            .type = view[0]->dtype == UN_F64,
            .n = view[0]->size[dim],
            .bytes = (int64_t)un_dtype_bytes(view[0]->dtype),
            .operands = operands};
  void *data[UN_WALK_MAX];
  for (int k = 0; k < operands; k++) {
    data[k] = view[k]->data;
    p.stride[k] = view[k]->stride[dim];
  }
  if (p.n == 0) return;
  UN_PROFILE_BEGIN(UN_PHASE_SCAN);
  if (un_numel(view[0]) == p.n) /* one line */
    line_kernel (&p)(p.n, data, p.stride, NULL);
  else
    scan_each_line(&p, dim, view);
  UN_PROFILE_END(0);
}

static bool lies_alike(const un_view *a, const un_view *b) {
  for (int d = 0; d < a->dims; d++)
    if (a->size[d] > 1 && a->stride[d] != b->stride[d]) return false;
  return true;
}

/* Where x lies in another order than out, a copy to out is much faster than steps across
** one of the two. */
void un_scan_dim(un_scan s, const un_view *x, int dim, const un_view *out) {
  static const kind kinds[] = {SOFTMAX, LOG_SOFTMAX, CUMSUM, REVERSE_CUMSUM};
  const bool alike = lies_alike(out, x) || un_numel(x) <= UN_WALK_FEW;
  if (!alike) un_copy(out, x);
  scan(kinds[s], dim, 2, (const un_view *[]){out, alike ? x : out});
}

void un_softmax_gradient(un_scan s, const un_view *dy, const un_view *y, int dim,
                         const un_view *dx) {
  scan(s == UN_SOFTMAX ? SOFTMAX_GRADIENT : LOG_SOFTMAX_GRADIENT, dim, 3,
       (const un_view *[]){dx, dy, y});
}
