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
  double *each;        /* (GROUP) */
} forward_job;

static void forward_block(void *context, int index) {
  forward_job *job = context;
  const un_readout *r = job->r;
  int64_t offset = (int64_t)index * BLOCK, first = job->first + offset;
  un_dense part = r->dense;
  part.rows = job->rows - offset < BLOCK ? job->rows - offset : BLOCK;
  un_dense_forward(&part, r->packed, row_of(r, r->h, first, part.in),
                   row_of(r, r->y, first, part.out));
  if (!job->loss) return;
  un_loss loss = un_loss_part(job->loss, first, part.rows);
  un_loss_rows(&loss, job->each + offset);
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
    un_parallel((int)((job.rows + BLOCK - 1) / BLOCK), forward_block, &job);
    for (int64_t i = 0; i < job.rows && loss; i++)
      total += each[i];
  }
  UN_PROFILE_END(2 * (double)d->rows * (double)d->in * (double)d->out);
  return total;
}

/* --- backward ---------------------------------------------------------------------- */

typedef struct backward_job {
  const un_readout *r;
  const char *dy;
  int64_t rows;
  char *dh;
  int count;
} backward_job;

static void input_gradient(void *context, int index) {
  const backward_job *job = context;
  int64_t first = job->rows * index / job->count;
  un_dense part = job->r->dense;
  part.rows = job->rows * (index + 1) / job->count - first;
  un_dense_input_gradient(&part, job->r->packed_back,
                          row_of(job->r, job->dy, first, part.out),
                          row_of(job->r, job->dh, first, part.in));
}

void un_readout_backward(un_readout *r, int64_t first, int64_t rows, void *dh) {
  un_dense part = r->dense;
  void *dy = row_of(r, r->y, first, part.out);
  backward_job job = {r, dy, rows, dh, un_parallel_threads()};
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  if (!r->is_packed_back) un_dense_pack_back(&part, r->packed_back);
  r->is_packed_back = true;
  un_parallel(job.count, input_gradient, &job);
  part.rows = rows;
  un_dense_weight_gradient(&part, row_of(r, r->h, first, part.in), dy, r->work);
  UN_PROFILE_END(4 * (double)rows * (double)part.in * (double)part.out);
}
