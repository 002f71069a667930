/* cell_ahead.c -- the step of a single sequence in two halves (see cell.h).
**
**     a = W_hh h + b_h        while the token is not known yet
**     a = a + W_xh x          a column of W_xh
**     h = step(a, h)
** Where the parts from x and from h stay apart (split), b_h goes with x, as in a run. */
#include "cell.h"
#include "cell_run.h"
#include "profile.h"
#include "row.h"
#include "rows.h"

void un_cell_look_ahead(const un_run *run, bool down) {
  int64_t width = un_gate_width(run);
  bool split = run->cell->split;
  UN_PROFILE_BEGIN(UN_PHASE_FORWARD);
  un_row_multiply(run->dtype,
                  &(un_row_product){.depth = run->H,
                                    .columns = width,
                                    .x = un_run_before(run, 0, 0),
                                    .packed = run->packed,
                                    .init = split ? NULL : run->param[UN_B_H],
                                    .y = split ? run->gates_h : un_gates_at(run, 0),
                                    .down = down});
  UN_PROFILE_END(2 * (double)width * (double)run->H);
}

void un_cell_read_token(const un_run *run, int32_t token) {
  const un_cell *cell = run->cell;
  int64_t width = un_gate_width(run);
  void *gates = un_gates_at(run, 0);
  if (cell->finish_row[run->dtype]) {
    const char *column =
        un_share_row(run, (void *)run->param[UN_W_XH], width, token - 1);
    cell->finish_row[run->dtype](gates, column, run->H);
  } else {
    un_step at = un_cell_step_at(run, 0, un_whole_batch(run));
    un_rows_gather(run->dtype, gates, run->param[UN_W_XH],
                   cell->split ? run->param[UN_B_H] : gates, &token, 1, width);
    cell->step[run->dtype](&at);
  }
}
