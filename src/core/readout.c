/* readout.c -- the linear layer with its loss, block by block (see readout.h). */
#include "readout.h"

#include "parallel.h"
#include "profile.h"
#include "stop.h"

/* Rows of a block, and rows whose losses wait to be added up. */
enum { BLOCK = 128, GROUP = 2048 };

static void *row_of(const un_readout *r, const void *rows, int64_t first,
                    int64_t width) {
  return rows ? (char *)rows + (size_t)(first * width) * un_dtype_bytes(r->dense.dtype)
              : NULL;
}

size_t un_readout_work_bytes(const un_readout *r) {
  return un_dense_work_bytes(&r->dense);
}

/* --- forward ----------------------------------------------------------------------- */

typedef struct forward_job {
  const un_readout *r;
  const un_loss *loss; /* of all rows, or NULL */
  int64_t first, rows; /* of the group */
  int blocks;
  double *each; /* (GROUP) */
} forward_job;

static void forward_block(void *context, int index) {
  forward_job *job = context;
  const un_readout *r = job->r;
  int64_t offset = job->rows * index / job->blocks, first = job->first + offset;
  un_dense part = r->dense;
  part.rows = job->rows * (index + 1) / job->blocks - offset;
  un_dense_forward(&part, r->packed, row_of(r, r->h, first, part.in),
                   row_of(r, r->y, first, part.out));
  if (!job->loss) return;
  un_loss loss = un_loss_part(job->loss, first, part.rows);
  un_loss_rows(&loss, job->each + offset);
}

/* About BLOCK rows each; as many blocks for one thread as for another. */
static int blocks_of(int64_t rows) {
  int threads = un_parallel_threads();
  int64_t blocks = (rows + BLOCK - 1) / BLOCK;
  return rows < BLOCK ? 1 : (int)((blocks + threads - 1) / threads) * threads;
}

double un_readout_forward(const un_readout *r, const un_loss *loss, bool train,
                          double total) {
  const un_dense *d = &r->dense;
  double each[GROUP];
  forward_job job = {.r = r, .each = each};
  un_loss all;
  if (loss) {
    all = *loss;
    all.y = r->y;
    all.dy = train ? r->y : NULL;
    job.loss = &all;
  }
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  for (int64_t first = 0; first < d->rows && !un_stopped(); first += GROUP) {
    job.first = first;
    job.rows = d->rows - first < GROUP ? d->rows - first : GROUP;
    job.blocks = blocks_of(job.rows);
    un_parallel(job.blocks, forward_block, &job);
    for (int64_t i = 0; i < job.rows && loss; i++)
      total += each[i];
  }
  UN_PROFILE_END(2 * (double)d->rows * (double)d->in * (double)d->out);
  return total;
}

/* --- backward ---------------------------------------------------------------------- */

void un_readout_begin_back(un_readout *r) {
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  if (!r->is_packed_back) un_dense_pack_back(&r->dense, r->packed_back);
  r->is_packed_back = true;
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

void un_readout_weight_gradient(const un_readout *r, int64_t first, int64_t rows) {
  un_dense part = r->dense;
  part.rows = rows;
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  un_dense_weight_gradient(&part, row_of(r, r->h, first, part.in),
                           row_of(r, r->y, first, part.out), r->work);
  UN_PROFILE_END(flops_of(r, rows));
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
  un_readout_begin_back(r);
  un_parallel((int)((r->dense.rows + BLOCK - 1) / BLOCK), input_gradient,
              &(backward_job){r, dh});
  un_readout_weight_gradient(r, 0, r->dense.rows);
}
