/* cell_forward.c -- a cell over T steps (see cell.h). */
#include "cell.h"
#include "cell_run.h"
#include "parallel.h"
#include "profile.h"
#include "rows.h"
#include "stop.h"

/* Where a part of the projection goes: the rows of all steps. */
static void *projected(const un_run *run, int part) {
  return part == 0 ? un_gates_at(run, 0) : run->gates_x;
}

/* The tokens of a batch need no projection, unless it stays apart: the product takes the
** rows of W_xh, and the bias, as what it begins with. */
static bool takes_rows(const un_run *run) {
  return run->tokens && run->B > 1;
}

/* A part of the projection of `rows` neighbouring rows (of T*B). */
static void project_part(const un_run *run, int part, int64_t first_row, int64_t rows) {
  un_dense input = un_cell_input_layer(run, part, rows);
  void *y = un_share_row(run, projected(run, part), input.y_row, first_row);
  if (run->tokens)
    un_rows_gather(run->dtype, y, input.y_row, input.w, input.w_row, input.b,
                   run->tokens + first_row, rows, input.out);
  else
    un_dense_forward(&input, un_cell_packed_w_xh(run, part),
                     un_share_row(run, run->x, run->I, first_row), y);
}

static void project(const un_run *run, int64_t first_row, int64_t rows) {
  if (!takes_rows(run) && un_input_part(run, 0).count > 0)
    project_part(run, 0, first_row, rows);
  if (un_input_part(run, 1).count > 0) project_part(run, 1, first_row, rows);
}

/* The same for the rows of a share in some steps from t on. */
static void project_share(const un_run *run, int64_t t, int64_t steps, un_share s) {
  if (s.count == run->B)
    project(run, t * run->B, steps * run->B);
  else
    for (int64_t i = 0; i < steps; i++)
      project(run, (t + i) * run->B + s.first, s.count);
}

static void pack_w_hh(const un_run *run, int group) {
  un_cell_pack_w_hh(run, un_cell_packed_w_hh(run, false, group), false);
}

static void pack_w_xh(const un_run *run) {
  for (int i = 0; i < 2 && !run->tokens; i++) {
    un_dense input = un_cell_input_layer(run, i, 1);
    if (input.out > 0) un_dense_pack(&input, un_cell_packed_w_xh(run, i));
  }
}

void un_cell_pack(const un_run *run) {
  pack_w_hh(run, 0);
  pack_w_xh(run);
}

void un_cell_begin(const un_run *run, bool packed) {
  if (!packed) un_cell_pack(run);
  project(run, 0, run->T * run->B);
}

/* What a part of the product begins with: what x gives, or where that stays apart, the bias
** that there may be. */
static void set_init(const un_run *run, int64_t t, un_share s, int part,
                     un_cell_product_of *p) {
  int64_t width = un_gate_width(run), first = un_state_part(run, part).first;
  p->init = p->y;
  p->init_row = width;
  if (part > 0 && run->cell->split) {
    p->init = run->param[UN_B_SPLIT];
    p->init_row = 0;
  } else if (takes_rows(run)) {
    p->init = un_share_row(run, run->param[UN_W_XH], 1, first);
    p->tokens = run->tokens + t * run->B + s.first;
    p->bias = un_share_row(run, run->param[UN_B_H], 1, first);
  }
}

/* A part of a_t = W_hh x + what x_t gives; x (B,H) are rows of the batch. */
static void multiply(const un_run *run, int64_t t, un_share s, int part, void *x) {
  un_part columns = un_state_part(run, part);
  int64_t width = un_gate_width(run);
  void *packed = un_cell_packed_w_hh(run, false, s.group);
  void *gates = un_share_row(run, un_gates_at(run, t), width, s.first);
  if (columns.count == 0) return;
  un_cell_product_of p = {.rows = s.count,
                          .depth = run->H,
                          .columns = columns.count,
                          .x = un_share_row(run, x, run->H, s.first),
                          .x_row = run->H,
                          .packed = un_cell_part_of_w_hh(run, false, packed, part),
                          .y = un_share_row(run, gates, 1, columns.first),
                          .y_row = width,
                          .down = un_cell_time(run, t) & 1};
  set_init(run, t, s, part, &p);
  un_cell_product(run, &p);
}

static void multiply_all(const un_run *run, int64_t t, un_share s) {
  for (int i = 0; i < 2; i++)
    multiply(run, t, s, i, un_run_before(run, 0, t));
}

void un_cell_multiply(const un_run *run, int64_t t) {
  multiply_all(run, t, un_whole_batch(run));
}

void un_cell_settle(const un_run *run, int64_t t) {
  if (run->mask) un_mask_settle(run, t, un_whole_batch(run));
}

static void step(const un_run *run, int64_t t, un_share s) {
  const un_cell *cell = run->cell;
  un_step at = un_cell_step_at(run, t, s);
  if (cell->late) {
    multiply(run, t, s, 0, un_run_before(run, 0, t));
    cell->early[run->dtype](&at);
    multiply(run, t, s, 1, un_run_row(run, run->saved, run->H, t));
  } else {
    multiply_all(run, t, s);
  }
  cell->step[run->dtype](&at);
  if (run->mask) un_mask_settle(run, t, s);
}

/* `steps` steps of the only sequence, from step t on. */
static void step_row(const un_run *run, int64_t t, int64_t steps) {
  if (!run->cell->forward_row[run->dtype]) {
    un_cell_row_forward(run, t, steps);
    return;
  }
  run->cell->forward_row[run->dtype](
      &(un_row_run){.H = run->H,
                    .steps = steps,
                    .stride = run->reverse ? -run->H : run->H,
                    .down = un_cell_time(run, t) & 1,
                    .packed = run->packed,
                    .h = un_run_before(run, 0, t)});
}

/* Some steps from the k-th on; their inputs are projected together, and stay warm. */
static void forward_block(const un_run *run, int64_t k, int64_t steps, un_share s) {
  int64_t t = un_cell_time(run, k);
  if (!takes_rows(run) || run->cell->split)
    project_share(run, run->reverse ? t - steps + 1 : t, steps, s);
  if (run->B == 1 && !run->mask) {
    step_row(run, t, steps);
    return;
  }
  for (int64_t i = 0; i < steps && !un_stopped(); i++)
    step(run, un_cell_time(run, k + i), s);
}

/* Bytes of pre-activations that are projected together: they stay in the L1 or near in
** the L2 cache until their step comes. */
enum { PROJECTED_BYTES = 65536 };

static int64_t projected_steps(const un_run *run, un_share s) {
  size_t step = un_run_bytes(run, s.count * un_gate_width(run));
  return step < PROJECTED_BYTES ? (int64_t)(PROJECTED_BYTES / step) : 1;
}

/* On one thread the outputs go to the sink while they are near: all of a long window, or of
** a large batch, would be far when it is done. Rows that are given together pay for reading
** the weights of what takes them. */
enum { GIVEN_ROWS = 128 };

static bool gives_blocks(const un_run *run) {
  bool is_alone = run->B == 1 || un_parallel_threads() == 1;
  return run->sink && is_alone && !run->reverse;
}

static void give(const un_run *run, int64_t first, int64_t rows) {
  if (!un_stopped()) run->sink->take(run->sink->context, first, rows);
}

static void forward_share(const un_run *run, int64_t first, un_share s) {
  int64_t block = projected_steps(run, s), given = first;
  for (int64_t k = first, end; k < run->T && !un_stopped(); k = end) {
    end = run->T - k < block ? run->T : k + block;
    forward_block(run, k, end - k, s);
    if (!gives_blocks(run)) continue;
    if ((end - given) * run->B < GIVEN_ROWS && end < run->T) continue;
    give(run, given * run->B, (end - given) * run->B);
    given = end;
  }
}

static void forward_whole(const un_run *run, bool packed) {
  if (!packed) un_cell_pack(run);
  un_cell_share_out(run, 0, forward_share);
  if (run->sink && !gives_blocks(run)) give(run, 0, run->T * run->B);
}

typedef struct group_job {
  const un_run *run;
  bool packs, has_copies;
} group_job;

/* All of the pass for one group: what a thread does that has it to itself. */
static void forward_group(void *context, int group) {
  const group_job *job = context;
  const un_run *run = job->run;
  if (job->has_copies && job->packs) pack_w_hh(run, group);
  forward_share(run, 0, un_cell_group(run, group));
  if (run->sink && !un_stopped()) run->sink->take_group(run->sink->context, group);
}

static void forward_groups(const un_run *run, bool packed) {
  group_job job = {run, !packed, un_cell_has_copies(run)};
  if (!packed && !job.has_copies) pack_w_hh(run, 0);
  if (!packed) pack_w_xh(run);
  un_parallel(UN_GROUPS, forward_group, &job);
}

void un_cell_forward(const un_run *run, bool packed) {
  UN_PROFILE_BEGIN(UN_PHASE_FORWARD);
  if (un_cell_is_apart(run))
    forward_groups(run, packed);
  else
    forward_whole(run, packed);
  double width = (double)un_gate_width(run), rows = (double)(run->T * run->B);
  UN_PROFILE_END(2 * rows * width * (double)(run->H + (run->tokens ? 0 : run->I)));
}
