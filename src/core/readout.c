/* readout.c -- the linear layer with its loss, block by block (see readout.h). */
#include "readout.h"

#include <string.h>

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

/* In r->work: scratch of each group, then the sums of the second group. */
enum { GROUPS = 2 };

static void *scratch_of(const un_readout *r, int group) {
  return (char *)r->work + (size_t)group * rounded(un_dense_work_bytes(&r->dense));
}

/* The layer with the gradients that a group adds to. */
static un_dense layer_of(const un_readout *r, int group) {
  un_dense d = r->dense;
  if (group == 0) return d;
  d.dw = scratch_of(r, GROUPS);
  d.db = (char *)d.dw + bytes_of(r, d.out * d.in);
  return d;
}

static size_t sums_bytes(const un_readout *r) {
  return bytes_of(r, r->dense.out * r->dense.in) + bytes_of(r, r->dense.out);
}

size_t un_readout_work_bytes(const un_readout *r) {
  return GROUPS * rounded(un_dense_work_bytes(&r->dense)) + sums_bytes(r);
}

/* --- forward ----------------------------------------------------------------------- */

un_readout_pass un_readout_begin(const un_readout *r, const un_loss *loss, bool train,
                                 double total) {
  un_readout_pass p = {.r = r, .has_loss = loss != NULL, .total = total};
  if (loss) {
    p.loss = *loss;
    p.loss.y = r->y;
    p.loss.dy = train ? r->y : NULL;
  }
  return p;
}

typedef struct forward_job {
  const un_readout_pass *p;
  int64_t first, rows; /* of the group */
  int blocks;
  double *each; /* (GROUP) */
} forward_job;

static void forward_block(void *context, int index) {
  forward_job *job = context;
  const un_readout *r = job->p->r;
  int64_t offset = job->rows * index / job->blocks, first = job->first + offset;
  un_dense part = r->dense;
  part.rows = job->rows * (index + 1) / job->blocks - offset;
  un_dense_forward(&part, r->packed, row_of(r, r->h, first, part.in),
                   row_of(r, r->y, first, part.out));
  if (!job->p->has_loss) return;
  un_loss loss = un_loss_part(&job->p->loss, first, part.rows);
  un_loss_rows(&loss, job->each + offset);
}

/* About BLOCK rows each; as many blocks for one thread as for another. */
static int blocks_of(int64_t rows) {
  int threads = un_parallel_threads();
  int64_t blocks = (rows + BLOCK - 1) / BLOCK;
  return rows < BLOCK ? 1 : (int)((blocks + threads - 1) / threads) * threads;
}

void un_readout_rows(un_readout_pass *p, int64_t first, int64_t rows) {
  const un_dense *d = &p->r->dense;
  double each[GROUP];
  forward_job job = {.p = p, .each = each};
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  for (int64_t done = 0; done < rows && !un_stopped(); done += GROUP) {
    job.first = first + done;
    job.rows = rows - done < GROUP ? rows - done : GROUP;
    job.blocks = blocks_of(job.rows);
    un_parallel(job.blocks, forward_block, &job);
    for (int64_t i = 0; i < job.rows && p->has_loss; i++)
      p->total += each[i];
  }
  UN_PROFILE_END(2 * (double)rows * (double)d->in * (double)d->out);
}

/* --- backward ---------------------------------------------------------------------- */

void un_readout_begin_back(un_readout *r, int groups) {
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  if (!r->is_packed_back) un_dense_pack_back(&r->dense, r->packed_back);
  r->is_packed_back = true;
  if (groups > 1) memset(scratch_of(r, GROUPS), 0, sums_bytes(r));
  UN_PROFILE_END(0);
}

static double flops_of(const un_readout *r, int64_t rows) {
  return 2 * (double)rows * (double)r->dense.in * (double)r->dense.out;
}

void un_readout_input_gradient(const un_readout *r, int64_t first, int64_t rows,
                               bool add, void *dh) {
  un_dense part = r->dense;
  part.rows = rows;
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  un_dense_input_gradient(&part, r->packed_back, row_of(r, r->y, first, part.out), add,
                          dh);
  UN_PROFILE_END(flops_of(r, rows));
}

void un_readout_weight_gradient(const un_readout *r, int group, int64_t first,
                                un_stripe rows, bool add) {
  un_dense d = layer_of(r, group);
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  un_dense_weight_gradient(&d, row_of(r, r->h, first, d.in),
                           row_of(r, r->y, first, d.out), rows, add,
                           scratch_of(r, group));
  UN_PROFILE_END(flops_of(r, rows.pieces * rows.rows));
}

void un_readout_end_back(const un_readout *r, int groups) {
  if (groups == 1) return;
  un_dense sum = r->dense, partial = layer_of(r, 1);
  un_rows_column_sum(sum.dtype, sum.dw, partial.dw, 1, sum.out * sum.in);
  un_rows_column_sum(sum.dtype, sum.db, partial.db, 1, sum.out);
}

typedef struct backward_job {
  const un_readout *r;
  void *dh;
} backward_job;

static void input_gradient(void *context, int index) {
  const backward_job *job = context;
  const un_dense *d = &job->r->dense;
  int64_t first = (int64_t)index * BLOCK, left = d->rows - first;
  un_readout_input_gradient(job->r, first, left < BLOCK ? left : BLOCK, false,
                            row_of(job->r, job->dh, first, d->in));
}

void un_readout_backward(un_readout *r, void *dh) {
  un_readout_begin_back(r, 1);
  un_parallel((int)((r->dense.rows + BLOCK - 1) / BLOCK), input_gradient,
              &(backward_job){r, dh});
  un_readout_weight_gradient(r, 0, 0, un_neighbours(r->dense.rows), true);
}
