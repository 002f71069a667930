/* cell_backward.c -- backpropagation through the T steps of a cell (see cell.h). */
#include <math.h>

#include "cell.h"
#include "cell_run.h"
#include "panel.h"
#include "profile.h"
#include "rows.h"
#include "stop.h"

static void *work_at(const un_run *run, size_t offset) {
  return (char *)run->work + offset;
}

/* --- one step ---------------------------------------------------------------------- */

static double *squares_at(const un_run *run, int64_t t) {
  return (double *)work_at(run, run->layout.squares) + t % run->block * run->B;
}

/* dL/dy is added to dL/dh; the squares of each row are left for the norm. */
static void arrive(const un_run *run, int64_t t, un_share s) {
  const un_dy_source *source = run->dy_source;
  void *dh = un_share_row(run, run->dstate[0], run->H, s.first);
  void *dy = un_run_row(run, (void *)run->dy, run->H, t);
  if (source) source->make(source->context, t * run->B + s.first, s.count, true, dh);
  un_rows_add_squares(run->dtype, dh, un_share_row(run, dy, run->H, s.first), s.count,
                      run->H, squares_at(run, t) + s.first);
  if (run->mask) un_mask_keep(run, t, s);
}

static void take_norm(const un_run *run, int64_t t) {
  const double *squares = squares_at(run, t);
  double sum = 0;
  for (int64_t b = 0; b < run->B; b++)
    sum += squares[b];
  run->norm[t] = sqrt(sum);
}

/* Gradients with respect to the part of the pre-activations that comes from h. */
static void *recurrent_dgates(const un_run *run) {
  return run->cell->split ? run->dgates_h : run->dgates;
}

/* The sweep goes to and fro, up at its first step. */
static bool goes_down(const un_run *run, int64_t t) {
  return (run->T - 1 - un_cell_time(run, t)) & 1;
}

static void leave(const un_run *run, int64_t t, un_share s) {
  int64_t width = un_gate_width(run);
  void *dgates = un_run_block_row(run, recurrent_dgates(run), t);
  void *dstate = un_share_row(run, run->dstate[0], run->H, s.first);
  if (run->mask) {
    un_mask_clear(run, un_run_block_row(run, run->dgates, t), t, s);
    un_mask_clear(run, dgates, t, s);
  }
  un_cell_product(run,
                  &(un_cell_product_of){.rows = s.count,
                                        .depth = width,
                                        .columns = run->H,
                                        .x = un_share_row(run, dgates, width, s.first),
                                        .packed = run->work,
                                        .init = run->cell->direct_h ? dstate : NULL,
                                        .y = dstate,
                                        .down = goes_down(run, t)});
  if (run->mask) un_mask_restore(run, t, s);
}

/* The gradient of the step itself. */
static void step_back(const un_run *run, int64_t t, un_share s) {
  int64_t width = un_gate_width(run);
  un_step_grad g = {.at = un_cell_step_at(run, t, s)};
  g.dgates = un_share_row(run, un_run_block_row(run, run->dgates, t), width, s.first);
  g.dgates_h =
      un_share_row(run, un_run_block_row(run, run->dgates_h, t), width, s.first);
  for (int i = 0; i < run->cell->states; i++)
    g.dstate[i] = un_share_row(run, run->dstate[i], run->H, s.first);
  for (int i = 0; i < run->cell->extras; i++)
    g.dextra[i] = run->grad[UN_EXTRA + i];
  run->cell->step_grad[run->dtype](&g);
}

static void retreat(const un_run *run, int64_t t, un_share s) {
  arrive(run, t, s);
  if (run->cell->retreat) {
    run->cell->retreat(run, t);
    if (run->mask) un_mask_restore(run, t, s);
  } else {
    step_back(run, t, s);
    leave(run, t, s);
  }
}

/* --- the phases, for cells written in Lua ------------------------------------------ */

void un_cell_turn(const un_run *run) {
  un_dense input = un_cell_input_layer(run, run->block * run->B);
  un_cell_pack_w_hh(run, run->work, true);
  if (run->dx) un_dense_pack_back(&input, work_at(run, run->layout.w_xh));
}

void un_cell_arrive(const un_run *run, int64_t t) {
  arrive(run, t, un_whole_batch(run));
  take_norm(run, t);
}

void un_cell_leave(const un_run *run, int64_t t) {
  leave(run, t, un_whole_batch(run));
}

void un_cell_finish(const un_run *run) {
  for (int64_t first = 0; first < run->T; first += run->block)
    un_cell_add_gradients(run, first);
}

/* --- what a block of steps adds to the gradients ------------------------------------ */

static int64_t steps_of_block(const un_run *run, int64_t first) {
  return run->T - first < run->block ? run->T - first : run->block;
}

static void input_gradients(const un_run *run, int64_t first, int64_t rows) {
  un_dense input = un_cell_input_layer(run, rows);
  int64_t row = first * run->B;
  if (run->tokens) {
    un_rows_scatter(run->dtype, input.dw, run->dgates, run->tokens + row, rows,
                    input.out);
    un_rows_column_sum(run->dtype, input.db, run->dgates, rows, input.out);
  } else {
    un_dense_weight_gradient(&input, un_share_row(run, run->x, run->I, row),
                             run->dgates, work_at(run, run->layout.product));
  }
  if (run->dx)
    un_dense_input_gradient(&input, work_at(run, run->layout.w_xh), run->dgates, false,
                            un_share_row(run, run->dx, run->I, row));
}

void un_cell_add_gradients(const un_run *run, int64_t first) {
  int64_t steps = steps_of_block(run, first), rows = steps * run->B;
  int64_t before = run->reverse ? first + 1 : first;
  UN_PROFILE_BEGIN(UN_PHASE_WEIGHTS);
  if (run->cell->recurrent_gradient)
    run->cell->recurrent_gradient(run, first, steps);
  else
    un_panel_tn(run->dtype, run->grad[UN_W_HH], recurrent_dgates(run),
                un_run_row(run, run->state[0], run->H, before), un_gate_width(run),
                run->H, rows, work_at(run, run->layout.product));
  input_gradients(run, first, rows);
  double products =
      (double)(run->H + (run->tokens ? 0 : run->I) + (run->dx ? run->I : 0));
  UN_PROFILE_END(2 * (double)rows * (double)un_gate_width(run) * products);
}

/* --- the sweep ---------------------------------------------------------------------- */

/* The k-th last step of a block that starts at step `first`. */
static int64_t time_back(const un_run *run, int64_t first, int64_t k) {
  return run->reverse ? first + k : first + steps_of_block(run, first) - 1 - k;
}

/* dL/dy (steps,H) of a block of the only sequence, or NULL. */
static char *dy_of_block(const un_run *run, int64_t first) {
  const un_dy_source *source = run->dy_source;
  if (!source) return un_run_row(run, (void *)run->dy, run->H, first);
  char *dy = work_at(run, run->layout.dy);
  source->make(source->context, first, steps_of_block(run, first), false, dy);
  return dy;
}

static void retreat_row(const un_run *run, int64_t first) {
  int64_t t = time_back(run, first, 0);
  char *dy = dy_of_block(run, first);
  run->cell->backward_row[run->dtype](
      &(un_row_run){.H = run->H,
                    .steps = steps_of_block(run, first),
                    .stride = run->reverse ? run->H : -run->H,
                    .down = goes_down(run, t),
                    .packed = run->work,
                    .h = un_run_after(run, 0, t),
                    .dy = un_run_row(run, dy, run->H, t - first),
                    .dgates = un_run_block_row(run, run->dgates, t),
                    .dstate = run->dstate[0],
                    .norm = run->norm + t});
}

static void retreat_share(const un_run *run, int64_t first, un_share s) {
  for (int64_t k = 0; k < steps_of_block(run, first) && !un_stopped(); k++)
    retreat(run, time_back(run, first, k), s);
}

static void retreat_block(const un_run *run, int64_t first) {
  if (run->B == 1 && run->cell->backward_row[run->dtype] && !run->mask) {
    retreat_row(run, first);
  } else {
    un_cell_share_out(run, first, retreat_share);
    for (int64_t t = first; t < first + steps_of_block(run, first); t++)
      take_norm(run, t);
  }
}

void un_cell_backward(const un_run *run) {
  int64_t blocks = (run->T + run->block - 1) / run->block;
  const un_dy_source *source = run->dy_source;
  UN_PROFILE_BEGIN(UN_PHASE_BACKWARD);
  if (source) source->begin(source->context);
  un_cell_turn(run);
  for (int64_t i = 0; i < blocks && !un_stopped(); i++) {
    int64_t first = (run->reverse ? i : blocks - 1 - i) * run->block;
    retreat_block(run, first);
    if (source)
      source->finish(source->context, first * run->B,
                     steps_of_block(run, first) * run->B);
    un_cell_add_gradients(run, first);
  }
  UN_PROFILE_END(2 * (double)(run->T * run->B) * (double)un_gate_width(run) *
                 (double)run->H);
}
