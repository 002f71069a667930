/* cell_ahead.c -- the step of a single sequence in two halves (see cell.h).
**
**     a = W_hh h + b_h        while the token is not known yet
**     a = a + W_xh x          a column of W_xh
**     h = step(a, h)
** Where the parts from x and from h stay apart (split), b_h goes with x, as in a run. Late
** gates begin with b_h, and are multiplied when the others have all. */
#include <string.h>

#include "cell.h"
#include "cell_run.h"
#include "profile.h"
#include "row.h"
#include "rows.h"

static void *gates_at(const un_run *run, int64_t first) {
  return un_share_row(run, un_gates_at(run, 0), 1, first);
}

/* A part of the gates = init + W_hh x. */
static un_row_product product_of(const un_run *run, int part, const void *x,
                                 const void *init, bool down) {
  un_part columns = un_state_part(run, part);
  return (un_row_product){.depth = run->H,
                          .columns = columns.count,
                          .x = x,
                          .packed = un_cell_part_of_w_hh(run, false, run->packed, part),
                          .init = init,
                          .y = gates_at(run, columns.first),
                          .down = down,
                          .kernel = un_row_kernel_for(run->dtype, columns.count)};
}

un_ahead un_cell_plan_ahead(const un_run *run, bool down) {
  const void *h = un_run_before(run, 0, 0);
  un_ahead plan = {.count = run->cell->split ? 2 : 1};
  plan.product[0] = product_of(run, 0, h, run->param[UN_B_H], down);
  if (run->cell->split)
    plan.product[1] = product_of(run, 1, h, run->param[UN_B_SPLIT], down);
  return plan;
}

void un_cell_look_ahead(const un_run *run, const un_ahead *plan) {
  UN_PROFILE_BEGIN(UN_PHASE_FORWARD);
  for (int i = 0; i < plan->count; i++)
    un_row_repeat(&plan->product[i]);
  if (run->cell->late) {
    un_part late = un_state_part(run, 1);
    memcpy(gates_at(run, late.first),
           un_share_row(run, run->param[UN_B_H], 1, late.first),
           un_run_bytes(run, late.count));
  }
  UN_PROFILE_END(2 * (double)un_gate_width(run) * (double)run->H);
}

/* The column of a token, for a part of the gates, is added to init; y may be init. */
static void add_column(const un_run *run, int part, int32_t token, const void *init,
                       void *y) {
  un_dense input = un_cell_input_layer(run, part, 1);
  if (input.out == 0) return;
  un_rows_gather(run->dtype, y, input.out, input.w, input.w_row, init, &token, 1,
                 input.out);
}

static void step(const un_run *run) {
  const un_cell *cell = run->cell;
  un_step at = un_cell_step_at(run, 0, un_whole_batch(run));
  if (cell->late) {
    cell->early[run->dtype](&at);
    un_row_product product = product_of(
        run, 1, run->saved, gates_at(run, un_state_part(run, 1).first), false);
    un_row_repeat(&product);
  }
  cell->step[run->dtype](&at);
}

void un_cell_read_token(const un_run *run, int32_t token) {
  const un_cell *cell = run->cell;
  void *gates = gates_at(run, 0);
  if (cell->finish_row[run->dtype]) {
    const void *column =
        un_share_row(run, run->param[UN_W_XH], un_gate_width(run), token - 1);
    cell->finish_row[run->dtype](gates, column, run->H);
    return;
  }
  add_column(run, 0, token, gates, gates);
  add_column(run, 1, token,
             un_share_row(run, run->param[UN_B_H], 1, un_input_part(run, 1).first),
             run->gates_x);
  step(run);
}
