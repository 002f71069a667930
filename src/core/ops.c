/* ops.c -- applies the kernels of ops.def to views: plans the walk and, where an
** operand has another dtype than the arithmetic, converts it piece by piece in a small
** buffer. */
#include "ops.h"

#include <math.h>
#include <string.h>

#include "copy.h"
#include "isa.h"
#include "isa/convert.h"
#include "isa/elementwise.h"
#include "parallel.h"
#include "piece.h"
#include "profile.h"
#include "stop.h"
#include "stream.h"
#include "tiles.h"

UN_BY_ISA(un_elementwise_kernels, un_elementwise)
UN_BY_ISA(un_convert_kernels, un_convert)

const un_op un_ops[UN_OPS] = {
#define UN_UNARY(name, needs, value, gradient, low, high, formula, doc)                \
  {#name, 1, false, needs, {"", ""}, {0, 0}, low, high, formula, doc},
#define UN_PARAM(name, p, preset, q, preset2, needs, value, gradient, low, high,       \
                 formula, doc)                                                         \
  {#name, 1, false, needs, {p, q}, {preset, preset2}, low, high, formula, doc},
#define UN_BINARY(name, value, da, db, low, high, formula, doc)                        \
  {#name, 2, false, "xy", {"", ""}, {0, 0}, low, high, formula, doc},
#define UN_TEST(name, truth, formula, doc)                                             \
  {#name, 1, true, "", {"", ""}, {0, 0}, -2, 2, formula, doc},
#define UN_COMPARE(name, truth, formula, doc)                                          \
  {#name, 2, true, "", {"", ""}, {0, 0}, -2, 2, formula, doc},
#include "ops.def"
};

static int real_index(un_dtype dtype) {
  return dtype == UN_F64;
}

static int kernel_index(un_dtype dtype) {
  return dtype == UN_I32 ? 2 : real_index(dtype);
}

/* --- runs whose operands have other dtypes, or gaps --------------------------------- */

un_mixed un_make_mixed(un_run *kernel, void *context, int operands,
                       const un_view *const *view, const un_dtype *wanted) {
  un_mixed m = {.kernel = kernel, .context = context, .operands = operands};
  for (int k = 0; k < operands; k++) {
    m.held[k] = view[k]->dtype;
    m.wanted[k] = wanted[k];
  }
  return m;
}

static void load_piece(un_piece *to, un_dtype wanted, un_dtype held, const void *data,
                       int64_t stride, int64_t n) {
  const int64_t bytes = (int64_t)un_dtype_bytes(held);
  if (wanted != UN_I32 || !un_is_real(held)) {
    un_convert()->run[held][wanted](n, (void *[]){to, (void *)data},
                                    (int64_t[]){1, stride}, NULL);
    return;
  }
  for (int64_t i = 0; i < n; i++) /* a condition: no other real is wanted so */
    to->i32[i] = un_get(held, (const char *)data + i * stride * bytes) != 0;
}

static void store_piece(const un_piece *from, un_dtype wanted, un_dtype held,
                        void *data, int64_t stride, int64_t n) {
  un_convert()->run[wanted][held](n, (void *[]){data, (void *)from},
                                  (int64_t[]){stride, 1}, NULL);
}

/* `result` NULL: straight to the output, which has the dtype wanted[0]. */
static void run_piece(const un_mixed *m, int64_t n, void *const *data,
                      const int64_t *stride, un_piece *result) {
  un_piece buffer[UN_WALK_MAX];
  void *operand[UN_WALK_MAX] = {result ? (void *)result : data[0]};
  int64_t step[UN_WALK_MAX] = {result ? 1 : stride[0]};
  for (int k = 1; k < m->operands; k++) {
    const bool buffered = m->held[k] != m->wanted[k] || stride[k] > 1;
    operand[k] = buffered ? (void *)&buffer[k] : data[k];
    step[k] = buffered ? 1 : stride[k];
    if (buffered)
      load_piece(&buffer[k], m->wanted[k], m->held[k], data[k], stride[k], n);
  }
  m->kernel(n, operand, step, m->context);
}

void un_mixed_piece(const un_mixed *m, int64_t n, void *const *data,
                    const int64_t *stride, un_piece *result) {
  run_piece(m, n, data, stride, result);
}

/* Whether the kernel can have them as they are: tiles put side by side what lies across. */
static bool is_plain(const un_mixed *m, const int64_t *stride) {
  for (int k = 0; k < m->operands; k++)
    if (m->held[k] != m->wanted[k] || stride[k] > 1) return false;
  return true;
}

static void run_mixed(int64_t n, void *const *data, const int64_t *stride,
                      void *context) {
  const un_mixed *m = context;
  un_piece result;
  if (is_plain(m, stride)) {
    m->kernel(n, data, stride, m->context);
    return;
  }
  const bool buffered = m->held[0] != m->wanted[0] || stride[0] > 1;
  for (int64_t start = 0; start < n; start += UN_PIECE) {
    int64_t count = n - start < UN_PIECE ? n - start : UN_PIECE;
    void *at[UN_WALK_MAX];
    for (int k = 0; k < m->operands; k++)
      at[k] = (char *)data[k] + start * stride[k] * (int64_t)un_dtype_bytes(m->held[k]);
    run_piece(m, count, at, stride, buffered ? &result : NULL);
    if (buffered)
      store_piece(&result, m->wanted[0], m->held[0], at[0], stride[0], count);
  }
}

/* A run over everything. */
typedef struct whole_run {
  un_run *kernel;
  void *context;
  int operands;
  int64_t n, bytes[UN_WALK_MAX], stride[UN_WALK_MAX];
  void *data[UN_WALK_MAX];
} whole_run;

static void run_stretch(void *context, int index) {
  const whole_run *r = context;
  const int64_t first = index * UN_WALK_STRETCH, left = r->n - first;
  void *at[UN_WALK_MAX];
  for (int k = 0; k < r->operands; k++)
    at[k] = (char *)r->data[k] + first * r->stride[k] * r->bytes[k];
  if (!un_stopped())
    r->kernel(left < UN_WALK_STRETCH ? left : UN_WALK_STRETCH, at, r->stride,
              r->context);
  if (r->kernel == un_stream_run) un_stream_end();
}

enum { FEWEST_STRETCHES = 4 }; /* that are worth waking a thread */

/* Without gaps, everything is one run, and small tensors save the plan of a walk. Very
** large ones go by stretches, on the threads there are. False: there are gaps. */
static bool run_through(un_run *kernel, void *context, int operands,
                        const un_view *const *view) {
  whole_run r;
  for (int k = 0; k < operands; k++) {
    r.stride[k] = un_step_through(view[k]);
    if (r.stride[k] < 0) return false;
    r.data[k] = view[k]->data;
    r.bytes[k] = (int64_t)un_dtype_bytes(view[k]->dtype);
  }
  r.kernel = kernel;
  r.context = context;
  r.operands = operands;
  r.n = un_numel(view[0]);
  if (r.n == 0) return true;
  const int64_t stretches = (r.n + UN_WALK_STRETCH - 1) / UN_WALK_STRETCH;
  if (stretches >= FEWEST_STRETCHES && stretches < INT32_MAX &&
      un_parallel_threads() > 1)
    un_parallel((int)stretches, run_stretch, &r);
  else
    un_walk_run(r.n, operands, r.data, r.stride, r.bytes, kernel, context);
  return true;
}

/* Whether memory and not the processor says how long the operation takes on operands that
** no cache holds. */
static bool is_light(int op) {
  switch (op) {
  case UN_OP_neg:
  case UN_OP_abs:
  case UN_OP_square:
  case UN_OP_relu:
  case UN_OP_clamp:
  case UN_OP_floor:
  case UN_OP_ceil:
  case UN_OP_round:
    return true;
  default:
    return un_ops[op].truth ||
           (un_ops[op].arity == 2 && op != UN_OP_pow && op != UN_OP_atan2);
  }
}

enum { LONG = 32 };

/* Whether long runs have gaps, which kernels are slow on. When little is computed, to write
** a result with gaps from a buffer would cost more than it saves. */
static bool has_gaps(const un_walk *w, bool light) {
  const int last = w->dims - 1;
  if (w->size[last] < LONG || (light && w->stride[last][0] > 1)) return false;
  for (int k = 0; k < w->operands; k++)
    if (w->stride[last][k] > 1) return true;
  return false;
}

static void walk_views(un_run *run, void *context, int operands,
                       const un_view *const *view, const un_dtype *wanted, bool mixed,
                       bool light) {
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, operands, view);
  un_mixed m = un_make_mixed(run, context, operands, view, wanted);
  if (mixed || has_gaps(&w, light))
    un_walk_tiles(&w, run_mixed, &m);
  else
    un_walk_tiles(&w, run, context);
}

static void walk_streaming(un_run *run, void *context, int operands,
                           const un_view *const *view, const un_dtype *wanted) {
  un_stream s = un_make_stream(run, context, operands, view);
  if (!run_through(un_stream_run, &s, operands, view))
    walk_views(un_stream_run, &s, operands, view, wanted, false, true);
  un_stream_end();
}

/* Walks the views with the kernel, which takes operand k in the dtype wanted[k]. light: it
** waits for memory more than it computes. */
static void walk(un_run *kernel, void *context, int operands,
                 const un_view *const *view, const un_dtype *wanted, bool light) {
  bool mixed = false;
  for (int k = 0; k < operands; k++)
    if (view[k]->dtype != wanted[k]) mixed = true;
  if (mixed) {
    walk_views(kernel, context, operands, view, wanted, true, light);
  } else if (un_walk_few(operands, view, kernel, context)) {
    return;
  } else if (light && un_is_streamed(operands, view)) {
    walk_streaming(kernel, context, operands, view, wanted);
  } else if (!run_through(kernel, context, operands, view)) {
    walk_views(kernel, context, operands, view, wanted, false, light);
  }
}

/* --- operations ------------------------------------------------------------------- */

void un_op_apply(int op, un_dtype dtype, const un_view *const *in, const double *param,
                 const un_view *out) {
  double none[2] = {0, 0}, given[2];
  if (param) memcpy(given, param, sizeof given);
  const un_view *view[] = {out, in[0], un_ops[op].arity == 2 ? in[1] : NULL};
  un_dtype wanted[] = {un_ops[op].truth ? UN_I32 : dtype, dtype, dtype};
  UN_PROFILE_BEGIN((un_phase)(UN_PHASE_OPS + op));
  walk(un_elementwise()->value[op][kernel_index(dtype)], param ? given : none,
       un_ops[op].arity + 1, view, wanted, is_light(op));
  UN_PROFILE_END(0);
}

void un_add_scaled(un_dtype dtype, const un_view *a, const un_view *b, double alpha,
                   const un_view *out) {
  UN_PROFILE_BEGIN((un_phase)(UN_PHASE_OPS + UN_OP_add));
  walk(un_elementwise()->add_scaled[real_index(dtype)], &alpha, 3,
       (const un_view *[]){out, a, b}, (un_dtype[]){dtype, dtype, dtype}, true);
  UN_PROFILE_END(0);
}

void un_op_gradient(int op, un_dtype dtype, const un_view *dy, const un_view *x,
                    const un_view *y, const double *param, const un_view *dx) {
  double none[2] = {0, 0}, given[2];
  if (param) memcpy(given, param, sizeof given);
  UN_PROFILE_BEGIN(UN_PHASE_GRADIENT);
  walk(un_elementwise()->gradient[op][real_index(dtype)], param ? given : none, 4,
       (const un_view *[]){dx, dy, x ? x : dy, y ? y : dy},
       (un_dtype[]){dtype, dtype, dtype, dtype}, false);
  UN_PROFILE_END(0);
}

void un_op_gradient2(int op, int which, un_dtype dtype, const un_view *dy,
                     const un_view *a, const un_view *b, const un_view *out) {
  const un_elementwise_kernels *k = un_elementwise();
  un_run *kernel = (which == 0 ? k->gradient : k->gradient_b)[op][real_index(dtype)];
  double none[2] = {0, 0};
  const un_view *view[] = {out, dy, a, b};
  const un_dtype wanted[] = {dtype, dtype, dtype, dtype};
  UN_PROFILE_BEGIN(UN_PHASE_GRADIENT);
  if (un_same_shape(out, dy)) {
    walk(kernel, none, 4, view, wanted, false);
  } else {
    un_mixed m = un_make_mixed(kernel, none, 4, view, wanted);
    un_sum_repeated(&m, view);
  }
  UN_PROFILE_END(0);
}

void un_where(un_dtype dtype, const un_view *cond, const un_view *a, const un_view *b,
              const un_view *out) {
  UN_PROFILE_BEGIN(UN_PHASE_WHERE);
  walk(un_elementwise()->where[kernel_index(dtype)], NULL, 4,
       (const un_view *[]){out, cond, a, b}, (un_dtype[]){dtype, UN_I32, dtype, dtype},
       true);
  UN_PROFILE_END(0);
}
