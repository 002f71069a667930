/* readout.c -- the linear layer with its loss, block by block (see readout.h). */
#include "readout.h"

#include "parallel.h"
#include "profile.h"
#include "rows.h"
#include "stop.h"

/* Rows of a block, and rows whose losses wait to be added up. */
enum { BLOCK = 128, GROUP = 2048 };

static void *row_of(const un_readout *r, const void *rows, int64_t first,
                    int64_t width) {
  return rows ? (char *)rows + (size_t)(first * width) * un_dtype_bytes(r->dense.dtype)
              : NULL;
}

static size_t rounded(size_t bytes) {
  return (bytes + 63) & ~(size_t)63;
}

static size_t bytes_of(const un_readout *r, int64_t numbers) {
  return rounded((size_t)numbers * un_dtype_bytes(r->dense.dtype));
}

/* Where row `row` of T*B is in y; so many rows from it on lie side by side there. */
static int64_t place_in_y(const un_readout *r, int64_t row, int64_t *neighbours) {
  *neighbours = r->dense.rows - row;
  if (r->part == 0) return row;
  int64_t t = row / r->batch, b = row % r->batch;
  int64_t first = b < r->part ? 0 : r->part;
  int64_t count = b < r->part ? r->part : r->batch - r->part;
  *neighbours = first + count - b;
  return r->dense.rows / r->batch * first + t * count + b - first;
}

/* --- copies of W -------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

bool un_readout_has_copies(const un_readout *r) {
  return r->batch > 1 &&
         un_parallel_copies(larger(un_dense_packed_bytes(&r->dense),
                                   un_dense_packed_back_bytes(&r->dense)));
}

/* `bytes` for each copy. */
static size_t copies_bytes(const un_readout *r, size_t bytes) {
  return rounded(bytes) * (un_readout_has_copies(r) ? UN_GROUPS : 1);
}

size_t un_readout_packed_bytes(const un_readout *r) {
  return copies_bytes(r, un_dense_packed_bytes(&r->dense));
}

size_t un_readout_packed_back_bytes(const un_readout *r) {
  return copies_bytes(r, un_dense_packed_back_bytes(&r->dense));
}

static void *packed_of(const un_readout *r, int group) {
  if (group == 0 || !un_readout_has_copies(r)) return r->packed;
  return (char *)r->packed + rounded(un_dense_packed_bytes(&r->dense));
}

static void *packed_back_of(const un_readout *r, int group) {
  if (group == 0 || !un_readout_has_copies(r)) return r->packed_back;
  return (char *)r->packed_back + rounded(un_dense_packed_back_bytes(&r->dense));
}

void un_readout_forget(un_readout *r) {
  for (int group = 0; group < UN_GROUPS; group++)
    r->is_packed[group] = r->is_packed_back[group] = false;
}

static void pack(un_readout *r, int group) {
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  if (!r->is_packed[group]) un_dense_pack(&r->dense, packed_of(r, group));
  r->is_packed[group] = true;
  UN_PROFILE_END(0);
}

void un_readout_pack(un_readout *r) {
  pack(r, 0);
}

/* --- scratch and sums --------------------------------------------------------------- */

/* In r->work: scratch of each group, then the sums of the second group, then the losses of
** all rows. */
static void *scratch_of(const un_readout *r, int group) {
  return (char *)r->work + (size_t)group * rounded(un_dense_work_bytes(&r->dense));
}

/* The layer with the gradients that a group adds to. */
static un_dense layer_of(const un_readout *r, int group) {
  un_dense d = r->dense;
  if (group == 0) return d;
  d.dw = scratch_of(r, UN_GROUPS);
  d.db = (char *)d.dw + bytes_of(r, d.out * d.in);
  return d;
}

static size_t sums_bytes(const un_readout *r) {
  return bytes_of(r, r->dense.out * r->dense.in) + bytes_of(r, r->dense.out);
}

static double *losses_of(const un_readout *r) {
  return (double *)((char *)scratch_of(r, UN_GROUPS) + sums_bytes(r));
}

size_t un_readout_work_bytes(const un_readout *r) {
  size_t losses = r->batch > 1 ? (size_t)r->dense.rows * sizeof(double) : 0;
  return UN_GROUPS * rounded(un_dense_work_bytes(&r->dense)) + sums_bytes(r) + losses;
}

static double flops_of(const un_readout *r, int64_t rows) {
  return 2 * (double)rows * (double)r->dense.in * (double)r->dense.out;
}

/* --- forward ----------------------------------------------------------------------- */

un_readout_pass un_readout_begin(un_readout *r, const un_loss *loss, bool train,
                                 double total) {
  r->part = 0;
  un_readout_pass p = {.r = r, .has_loss = loss != NULL, .total = total};
  if (loss) {
    p.loss = *loss;
    p.loss.y = r->y;
    p.loss.dy = train ? r->y : NULL;
  }
  return p;
}

void un_readout_split(un_readout *r, int groups) {
  bool is_apart = groups == UN_GROUPS && un_parallel_threads() == groups;
  r->part = is_apart ? r->batch / UN_GROUPS : 0;
  if (is_apart && !un_readout_has_copies(r)) pack(r, 0);
}

/* Some rows whose losses wait to be added up, `steps` times `width`. With several shares
** of the width each is the part of the batch that a thread has in the sweeps of the cells:
** it finds its h in its own cache, and leaves dL/dy there. */
typedef struct forward_job {
  const un_readout_pass *p;
  int64_t first, steps, width;
  int shares, blocks;
  const void *packed; /* W */
  double *each;       /* the losses */
} forward_job;

/* Rows that lie side by side in y, from `place` on. */
static void forward_neighbours(const forward_job *job, int64_t offset, int64_t rows,
                               int64_t place) {
  const un_readout *r = job->p->r;
  int64_t first = job->first + offset;
  void *y = row_of(r, r->y, place, r->dense.out);
  un_dense part = r->dense;
  part.rows = rows;
  un_dense_forward(&part, job->packed, row_of(r, r->h, first, part.in), y);
  if (!job->p->has_loss) return;
  un_loss loss = un_loss_part(&job->p->loss, first, rows);
  loss.y = y;
  if (loss.dy) loss.dy = y;
  un_loss_rows(&loss, job->each + offset);
}

static void forward_rows(const forward_job *job, int64_t offset, int64_t rows) {
  int64_t end = offset + rows, count;
  for (; offset < end; offset += count) {
    int64_t place = place_in_y(job->p->r, job->first + offset, &count);
    if (count > end - offset) count = end - offset;
    forward_neighbours(job, offset, count, place);
  }
}

/* Some steps of a share. */
static void forward_block(void *context, int index) {
  const forward_job *job = context;
  int share = index / job->blocks, block = index % job->blocks;
  int64_t from = job->width * share / job->shares;
  int64_t rows = job->width * (share + 1) / job->shares - from;
  int64_t t = job->steps * block / job->blocks;
  int64_t end = job->steps * (block + 1) / job->blocks;
  if (job->shares == 1)
    forward_rows(job, t * rows, (end - t) * rows);
  else
    for (; t < end; t++)
      forward_rows(job, t * job->width + from, rows);
}

/* About BLOCK rows each; as many blocks for one thread as for another. */
static int blocks_of(int64_t rows, int threads) {
  int64_t blocks = (rows + BLOCK - 1) / BLOCK;
  return rows < BLOCK ? 1 : (int)((blocks + threads - 1) / threads) * threads;
}

/* How many threads have a part of the batch in these rows, large enough for a product; or
** 1: then they share out blocks of rows. */
static int shares_of(const un_readout *r, int64_t first, int64_t rows) {
  enum { SHARE_ROWS = 8 };
  int threads = un_parallel_threads();
  bool is_steps = first % r->batch == 0 && rows % r->batch == 0 && r->batch <= GROUP;
  return is_steps && r->batch >= threads * SHARE_ROWS ? threads : 1;
}

static void forward_group(forward_job *job, int64_t first, int64_t rows) {
  int threads = un_parallel_threads();
  job->first = first;
  job->steps = rows / job->width;
  job->blocks = blocks_of(rows / job->shares, threads / job->shares);
  un_parallel(job->shares * job->blocks, forward_block, job);
}

void un_readout_rows(un_readout_pass *p, int64_t first, int64_t rows) {
  _Alignas(64) double each[GROUP]; /* whole lines to each thread */
  forward_job job = {.p = p, .shares = shares_of(p->r, first, rows), .each = each};
  pack(p->r, 0);
  job.packed = packed_of(p->r, 0);
  job.width = job.shares > 1 ? p->r->batch : 1;
  int64_t group = GROUP / job.width * job.width;
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  for (int64_t done = 0; done < rows && !un_stopped(); done += group) {
    int64_t count = rows - done < group ? rows - done : group;
    forward_group(&job, first + done, count);
    for (int64_t i = 0; i < count && p->has_loss; i++)
      p->total += each[i];
  }
  UN_PROFILE_END(flops_of(p->r, rows));
}

void un_readout_group(un_readout_pass *p, int group) {
  un_readout *r = p->r;
  forward_job job = {.p = p,
                     .steps = r->dense.rows / r->batch,
                     .width = r->batch,
                     .shares = UN_GROUPS,
                     .blocks = 1,
                     .packed = packed_of(r, group),
                     .each = losses_of(r)};
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  if (un_readout_has_copies(r)) pack(r, group);
  forward_block(&job, group);
  UN_PROFILE_END(flops_of(r, r->dense.rows / UN_GROUPS));
}

void un_readout_collect(un_readout_pass *p) {
  const double *each = losses_of(p->r);
  for (int64_t i = 0; i < p->r->dense.rows; i++)
    p->total += each[i];
}

/* --- backward ---------------------------------------------------------------------- */

void un_readout_begin_back(un_readout *r, int group) {
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  if (!r->is_packed_back[group])
    un_dense_pack_back(&r->dense, packed_back_of(r, group));
  r->is_packed_back[group] = true;
  UN_PROFILE_END(0);
}

void un_readout_input_gradient(const un_readout *r, int group, int64_t first,
                               int64_t rows, bool add, void *dh) {
  un_dense part = r->dense;
  int64_t done = 0;
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  while (done < rows) {
    int64_t place = place_in_y(r, first + done, &part.rows);
    if (part.rows > rows - done) part.rows = rows - done;
    un_dense_input_gradient(&part, packed_back_of(r, group),
                            row_of(r, r->y, place, part.out), add,
                            row_of(r, dh, done, part.in));
    done += part.rows;
  }
  UN_PROFILE_END(flops_of(r, rows));
}

void un_readout_weight_gradient(const un_readout *r, int group, int64_t first,
                                un_stripe rows, const void *h, bool add) {
  un_dense d = layer_of(r, group);
  un_stripe h_rows = rows, y_rows = rows;
  int64_t neighbours, place = place_in_y(r, first, &neighbours);
  if (r->part) y_rows.apart = rows.rows;
  if (h) h_rows.apart = rows.rows;
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  un_dense_weight_gradient(&d, h ? h : row_of(r, r->h, first, d.in), h_rows,
                           row_of(r, r->y, place, d.out), y_rows, add,
                           scratch_of(r, group));
  UN_PROFILE_END(flops_of(r, rows.pieces * rows.rows));
}

int un_readout_sums(const un_readout *r, un_sum *list) {
  const un_dense *sum = &r->dense, partial = layer_of(r, 1);
  list[0] = (un_sum){sum->dw, partial.dw, sum->out * sum->in};
  list[1] = (un_sum){sum->db, partial.db, sum->out};
  return 2;
}

typedef struct backward_job {
  const un_readout *r;
  void *dh;
} backward_job;

static void input_gradient(void *context, int index) {
  const backward_job *job = context;
  const un_dense *d = &job->r->dense;
  int64_t first = (int64_t)index * BLOCK, left = d->rows - first;
  un_readout_input_gradient(job->r, 0, first, left < BLOCK ? left : BLOCK, false,
                            row_of(job->r, job->dh, first, d->in));
}

void un_readout_backward(un_readout *r, void *dh) {
  un_readout_begin_back(r, 0);
  un_parallel((int)((r->dense.rows + BLOCK - 1) / BLOCK), input_gradient,
              &(backward_job){r, dh});
  un_readout_weight_gradient(r, 0, 0, un_neighbours(r->dense.rows), NULL, true);
}
