/* optim.c -- checks the operands of an update and walks them (see optim.h).
**
** Many elements without gaps are shared out among threads. Sums are made for parts of them
** and added in the order of the parts, whatever the number of threads. */
#include "optim.h"

#include <math.h>

#include "isa.h"
#include "parallel.h"
#include "profile.h"
#include "walk.h"

UN_BY_ISA(un_optim_kernels, un_optim)

static const char *const rule_names[] = {"sgd", "adagrad", "rmsprop", "adam", "adamw"};
static const int states_needed[] = {0, 1, 1, 2, 2};
static const char *const operand_names[] = {"parameter", "gradient", "state 1",
                                            "state 2", "state 3"};

/* --- shares ------------------------------------------------------------------------ */

/* Fewer elements are not worth another thread. Parts begin at whole lines of the cache. */
enum { SHARED = 1 << 15, PARTS = 16, LINE = 64 };

/* Where part i of n elements begins. */
static int64_t part_at(int64_t n, int i) {
  return i == PARTS ? n : n / LINE * i / PARTS * LINE;
}

typedef struct shares {
  void (*run)(void *context, int first_part, int end_part);
  void *context;
  int count;
} shares;

static void run_share(void *context, int index) {
  const shares *s = context;
  s->run(s->context, PARTS * index / s->count, PARTS * (index + 1) / s->count);
}

/* Runs all parts of n elements, those that follow each other on one thread. */
static void run_parts(int64_t n, void (*run)(void *, int, int), void *context) {
  int threads = n < SHARED ? 1 : un_parallel_threads();
  shares s = {run, context, threads < PARTS ? threads : PARTS};
  un_parallel(s.count, run_share, &s);
}

/* --- update ------------------------------------------------------------------------ */

bool un_optim_check(un_optim_rule rule, const un_view *const tensor[UN_OPTIM_TENSORS],
                    un_err *err) {
  const char *who = rule_names[rule];
  const un_view *p = tensor[UN_OPTIM_P];
  if (!un_is_real(p->dtype))
    return un_fail(err, "%s: the parameter is %s, must be float32 or float64", who,
                   un_dtype_name(p->dtype));
  for (int i = UN_OPTIM_G; i < UN_OPTIM_TENSORS; i++) {
    const un_view *v = tensor[i];
    if (!v && i < UN_OPTIM_S1 + states_needed[rule])
      return un_fail(err, "%s: the %s is missing", who, operand_names[i]);
    if (!v) continue;
    if (v->dtype != p->dtype || !un_same_shape(v, p))
      return un_fail(err, "%s: the %s is %s %s, must be %s %s as the parameter", who,
                     operand_names[i], un_dtype_name(v->dtype), un_shape(v).s,
                     un_dtype_name(p->dtype), un_shape(p).s);
    for (int j = 0; j < i; j++)
      if (tensor[j] && un_overlap(v, tensor[j]))
        return un_fail(err, "%s: the %s and the %s share memory", who, operand_names[j],
                       operand_names[i]);
  }
  return true;
}

typedef struct update_job {
  un_optim_kernel *kernel;
  const un_optim_options *options;
  int operands;
  int operand[UN_OPTIM_TENSORS]; /* which tensor operand k of the walk is */
  int64_t bytes;                 /* of an element */
} update_job;

static bool all_one(int count, const int64_t *stride) {
  for (int k = 0; k < count; k++)
    if (stride[k] != 1) return false;
  return true;
}

/* Neighbouring elements are one line, others are lines of one element. */
static void update_run(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  const update_job *job = context;
  int64_t length = n == 1 || all_one(job->operands, stride) ? n : 1;
  for (int64_t i = 0; i < n; i += length) {
    void *line[UN_OPTIM_TENSORS] = {NULL};
    for (int k = 0; k < job->operands; k++)
      line[job->operand[k]] = (char *)data[k] + i * stride[k] * job->bytes;
    job->kernel(length, line, job->options);
  }
}

static void update_walk(update_job *job,
                        const un_view *const tensor[UN_OPTIM_TENSORS]) {
  const un_view *operand[UN_OPTIM_TENSORS];
  for (int i = 0; i < UN_OPTIM_TENSORS; i++) {
    if (!tensor[i]) continue;
    job->operand[job->operands] = i;
    operand[job->operands++] = tensor[i];
  }
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, job->operands, operand);
  w.is_whole = true; /* half a step would spoil the model */
  un_walk_each(&w, update_run, job);
}

/* Operands without gaps. */
typedef struct line_update {
  const update_job *job;
  int64_t n;
  void *line[UN_OPTIM_TENSORS];
} line_update;

static void update_parts(void *context, int first_part, int end_part) {
  const line_update *u = context;
  int64_t first = part_at(u->n, first_part), end = part_at(u->n, end_part);
  void *line[UN_OPTIM_TENSORS];
  for (int i = 0; i < UN_OPTIM_TENSORS; i++)
    line[i] = u->line[i] ? (char *)u->line[i] + first * u->job->bytes : NULL;
  u->job->kernel(end - first, line, u->job->options);
}

void un_optim_update(un_optim_rule rule, const un_view *const tensor[UN_OPTIM_TENSORS],
                     const un_optim_options *o) {
  un_dtype dtype = tensor[UN_OPTIM_P]->dtype;
  update_job job = {.kernel = un_optim()->update[rule][dtype == UN_F64],
                    .options = o,
                    .bytes = (int64_t)un_dtype_bytes(dtype)};
  line_update u = {.job = &job, .n = un_numel(tensor[UN_OPTIM_P])};
  bool is_one_line = true;
  UN_PROFILE_BEGIN(UN_PHASE_OPTIMISER);
  for (int i = 0; i < UN_OPTIM_TENSORS; i++) {
    if (!tensor[i]) continue;
    u.line[i] = tensor[i]->data;
    is_one_line = is_one_line && un_is_contiguous(tensor[i]);
  }
  if (is_one_line)
    run_parts(u.n, update_parts, &u);
  else
    update_walk(&job, tensor);
  UN_PROFILE_END(0);
}

/* --- norm -------------------------------------------------------------------------- */

typedef struct norm_job {
  un_dtype dtype;
  double scale;
  double sum[2]; /* of squares; the largest */
} norm_job;

static void measure_run(int64_t n, void *const *data, const int64_t *stride,
                        void *context) {
  norm_job *job = context;
  un_optim()->measure[job->dtype == UN_F64](n, data[0], stride[0], job->scale,
                                            job->sum);
}

/* Elements without gaps. */
typedef struct line_norm {
  const un_view *x;
  int64_t n;
  double scale, sum[PARTS][2];
} line_norm;

static void measure_parts(void *context, int first_part, int end_part) {
  line_norm *l = context;
  for (int i = first_part; i < end_part; i++) {
    int64_t first = part_at(l->n, i);
    norm_job job = {.dtype = l->x->dtype, .scale = l->scale};
    void *at = (char *)l->x->data + first * (int64_t)un_dtype_bytes(job.dtype);
    measure_run(part_at(l->n, i + 1) - first, &at, &(int64_t){1}, &job);
    l->sum[i][0] = job.sum[0];
    l->sum[i][1] = job.sum[1];
  }
}

static void measure_line(const un_view *x, int64_t n, norm_job *job) {
  line_norm l = {.x = x, .n = n, .scale = job->scale};
  run_parts(n, measure_parts, &l);
  for (int i = 0; i < PARTS; i++) {
    job->sum[0] += l.sum[i][0];
    if (l.sum[i][1] > job->sum[1]) job->sum[1] = l.sum[i][1];
  }
}

static void measure(const un_view *x, norm_job *job) {
  int64_t n = un_numel(x);
  un_walk w;
  UN_PROFILE_BEGIN(UN_PHASE_CLIP);
  job->sum[0] = job->sum[1] = 0;
  if (un_is_contiguous(x) && n >= SHARED) {
    measure_line(x, n, job);
  } else if (un_is_contiguous(x)) {
    measure_run(n, &(void *){x->data}, &(int64_t){1}, job);
  } else {
    un_walk_plan(&w, UN_WALK_ANY_ORDER, 1, &x);
    un_walk_each(&w, measure_run, job);
  }
  UN_PROFILE_END(0);
}

/* Are sums of squares exact enough when this is the largest element? Then they are far
** from overflow, and a square that vanishes is too small to count. */
static bool squares_are_safe(un_dtype dtype, double largest) {
  return dtype == UN_F32 ? largest > 0x1p-50 && largest < 0x1p60
                         : largest > 0x1p-450 && largest < 0x1p480;
}

/* Sums of squares that are not safe are made again with all elements scaled by a power of
** two that brings the largest to about 1. */
double un_norm_and_max(const un_view *x, double *max_abs) {
  norm_job job = {.dtype = x->dtype, .scale = 1};
  measure(x, &job);
  *max_abs = job.sum[1];
  if (isnan(job.sum[0]) || squares_are_safe(x->dtype, *max_abs))
    return sqrt(job.sum[0]);
  if (*max_abs == 0 || isinf(*max_abs)) return *max_abs;
  int exponent;
  (void)frexp(*max_abs, &exponent);
  if (exponent < -1000) exponent = -1000; /* 2^-exponent must be finite */
  job.scale = ldexp(1, -exponent);
  measure(x, &job);
  return ldexp(sqrt(job.sum[0]), exponent);
}

double un_norm(const un_view *x) {
  double max_abs;
  return un_norm_and_max(x, &max_abs);
}

/* --- scale, clamp ------------------------------------------------------------------ */

/* What scales or clamps a line by a number. */
typedef void by_number(int64_t n, void *x, int64_t stride, double number);

typedef struct number_job {
  by_number *kernel;
  const un_view *x;
  double number;
} number_job;

static void number_run(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  const number_job *job = context;
  job->kernel(n, data[0], stride[0], job->number);
}

static void number_parts(void *context, int first_part, int end_part) {
  const number_job *job = context;
  int64_t n = un_numel(job->x), first = part_at(n, first_part);
  job->kernel(part_at(n, end_part) - first,
              (char *)job->x->data + first * (int64_t)un_dtype_bytes(job->x->dtype), 1,
              job->number);
}

static void apply_number(by_number *kernel, const un_view *x, double number) {
  number_job job = {kernel, x, number};
  un_walk w;
  UN_PROFILE_BEGIN(UN_PHASE_CLIP);
  if (un_is_contiguous(x)) {
    run_parts(un_numel(x), number_parts, &job);
  } else {
    un_walk_plan(&w, UN_WALK_ANY_ORDER, 1, &x);
    un_walk_each(&w, number_run, &job);
  }
  UN_PROFILE_END(0);
}

void un_scale(const un_view *x, double factor) {
  apply_number(un_optim()->scale[x->dtype == UN_F64], x, factor);
}

void un_clamp(const un_view *x, double limit) {
  apply_number(un_optim()->clamp[x->dtype == UN_F64], x, limit);
}
