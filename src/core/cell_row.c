/* cell_row.c -- a stretch of steps of one sequence, for cells without a function of their
** own that does it (forward_row, backward_row in cell.h).
**
** With a batch of 1 a step is so short that to find out where its numbers lie, and which
** kernels its products take, costs as much as the products. Here that is done once, and
** from step to step all pointers move on by a row. */
#include <math.h>
#include <string.h>

#include "cell.h"
#include "cell_run.h"
#include "row.h"
#include "rows.h"
#include "stop.h"

/* A product that is made at every step, and how many bytes its rows move on then. */
typedef struct row_product {
  un_row_product of;
  int64_t x, init, y;
} row_product;

/* The next products read h from here, up to so many numbers: among the other states it lies
** across lines of the cache, and what was just stored so comes back late. */
enum { OWN = 256 };
typedef union own_row {
  float f32[OWN];
  double f64[OWN];
} own_row __attribute__((aligned(64)));

static void *moved(const void *pointer, int64_t bytes) {
  return pointer ? (char *)pointer + bytes : NULL;
}

static void multiply(row_product *p) {
  un_row_repeat(&p->of);
  p->of.down = !p->of.down;
  p->of.x = moved(p->of.x, p->x);
  p->of.init = moved(p->of.init, p->init);
  p->of.y = moved(p->of.y, p->y);
}

static void move_step(const un_cell *cell, un_step *at, int64_t row) {
  at->gates = moved(at->gates, row * cell->gates);
  at->gates_x = moved(at->gates_x, row * cell->split);
  at->saved = moved(at->saved, row * cell->saved);
  for (int i = 0; i < cell->states; i++) {
    at->state[i] = moved(at->state[i], row);
    at->next[i] = moved(at->next[i], row);
  }
}

/* Bytes of a row of h, in the way that the sweep goes. */
static int64_t row_bytes(const un_run *run, bool backward) {
  int64_t bytes = (int64_t)un_run_bytes(run, run->H);
  return run->reverse != backward ? -bytes : bytes;
}

/* A part of a_t = what x gives + W_hh x. */
static row_product forward_product(const un_run *run, int64_t t, int part,
                                   const void *x, int64_t x_bytes) {
  un_part columns = un_state_part(run, part);
  int64_t bytes = row_bytes(run, false) * run->cell->gates;
  void *y = un_share_row(run, un_gates_at(run, t), 1, columns.first);
  bool is_split = part > 0 && run->cell->split;
  return (row_product){
      .of = {.depth = run->H,
             .columns = columns.count,
             .x = x,
             .packed = un_cell_part_of_w_hh(run, false, run->packed, part),
             .init = is_split ? run->param[UN_B_SPLIT] : y,
             .y = y,
             .down = un_cell_time(run, t) & 1,
             .kernel = un_row_kernel_for(run->dtype, columns.count)},
      .x = x_bytes,
      .init = is_split ? 0 : bytes,
      .y = bytes};
}

void un_cell_row_forward(const un_run *run, int64_t t, int64_t steps) {
  const un_cell *cell = run->cell;
  const int64_t row = row_bytes(run, false);
  const bool has_own = run->H <= OWN, has_second = un_state_part(run, 1).count > 0;
  own_row own;
  un_step at = un_cell_step_at(run, t, un_whole_batch(run));
  const void *h = at.state[0];
  if (has_own) h = at.again = memcpy(&own, h, un_run_bytes(run, run->H));
  const int64_t h_bytes = has_own ? 0 : row;
  row_product first = forward_product(run, t, 0, h, h_bytes), second = {0};
  if (cell->late)
    second = forward_product(run, t, 1, at.saved, row);
  else if (has_second)
    second = forward_product(run, t, 1, h, h_bytes);
  for (int64_t i = 0; i < steps && !un_stopped(); i++) {
    multiply(&first);
    if (cell->late) cell->early[run->dtype](&at);
    if (has_second) multiply(&second);
    cell->step[run->dtype](&at);
    move_step(cell, &at, row);
  }
}

/* y = init + da W_hh for a part of the gates. */
static row_product backward_product(const un_run *run, const un_row_stretch *s,
                                    int part) {
  un_part gates = un_gradient_part(run, part);
  return (row_product){
      .of = {.depth = gates.count,
             .columns = run->H,
             .x = un_share_row(run, s->dgates, 1, gates.first),
             .packed = un_cell_part_of_w_hh(run, true, run->work, part),
             .init = part == 0 && run->cell->direct_h ? run->dstate[0] : NULL,
             .y = part == 0 ? run->dstate[0] : s->dgates,
             .down = s->down,
             .kernel = un_row_kernel_for(run->dtype, run->H)},
      .x = row_bytes(run, true) * run->cell->gates,
      .y = part == 0 ? 0 : row_bytes(run, true) * run->cell->gates};
}

void un_cell_row_backward(const un_run *run, const un_row_stretch *s) {
  const un_cell *cell = run->cell;
  const int64_t row = row_bytes(run, true), way = run->reverse ? 1 : -1;
  const char *dy = s->dy;
  double *norm = run->norm + s->t;
  un_step_grad g = {.at = un_cell_step_at(run, s->t, un_whole_batch(run)),
                    .dgates = s->dgates,
                    .dgates_x = s->dgates_x};
  for (int i = 0; i < cell->states; i++)
    g.dstate[i] = run->dstate[i];
  row_product first = backward_product(run, s, 0), late = {0};
  if (cell->late) late = backward_product(run, s, 1);
  for (int64_t i = 0; i < s->steps && !un_stopped(); i++) {
    un_rows_add_squares(run->dtype, run->dstate[0], dy, 1, run->H, norm);
    *norm = sqrt(*norm);
    cell->step_grad[run->dtype](&g);
    if (cell->late) {
      multiply(&late);
      cell->early_grad[run->dtype](&g);
    }
    multiply(&first);
    move_step(cell, &g.at, row);
    g.dgates = moved(g.dgates, row * cell->gates);
    g.dgates_x = moved(g.dgates_x, row * cell->split);
    dy = moved(dy, row);
    norm += way;
  }
}
