/* cell.c -- the run of a cell over T steps and back (see cell.h). */
#include "cell.h"

#include <math.h>
#include <string.h>

#include "panel.h"
#include "rows.h"
#include "stop.h"

extern const un_cell un_cell_tanh, un_cell_relu;

static const un_cell *const cells[] = {&un_cell_tanh, &un_cell_relu, NULL};

const un_cell *un_cell_at(int i) {
  return cells[i];
}

const un_cell *un_cell_find(const char *name) {
  for (int i = 0; cells[i]; i++)
    if (strcmp(cells[i]->name, name) == 0) return cells[i];
  return NULL;
}

bool un_check_tokens(const char *what, const int32_t *tokens, int64_t T, int64_t B,
                     int64_t vocabulary, un_err *err) {
  for (int64_t i = 0; i < T * B; i++)
    if (tokens[i] < 1 || tokens[i] > vocabulary)
      return un_fail(err, "%s must be in 1..%lld, the one at (%lld,%lld) is %d", what,
                     (long long)vocabulary, (long long)(i / B + 1),
                     (long long)(i % B + 1), (int)tokens[i]);
  return true;
}

/* --- sizes --------------------------------------------------------------------------
 */

static int64_t gate_width(const un_run *run) {
  return run->cell->gates * run->H;
}

static size_t bytes_of(const un_run *run, int64_t n) {
  return (size_t)n * un_dtype_bytes(run->dtype);
}

/* The projection of all inputs of the window, as a dense layer. */
static un_dense input_layer(const un_run *run) {
  return (un_dense){.dtype = run->dtype,
                    .rows = run->T * run->B,
                    .in = run->I,
                    .out = gate_width(run),
                    .transposed = true,
                    .w = run->param[UN_W_XH],
                    .b = run->param[UN_B_H],
                    .dw = run->grad[UN_W_XH],
                    .db = run->grad[UN_B_H]};
}

/* Room for W_hh, packed for the forward sweep. */
static size_t packed_w_hh(const un_run *run) {
  if (run->cell->packed_bytes) return run->cell->packed_bytes(run);
  return un_panel_bytes(run->dtype, run->H, gate_width(run));
}

size_t un_cell_packed_bytes(const un_run *run) {
  un_dense input = input_layer(run);
  return packed_w_hh(run) + un_dense_packed_bytes(&input);
}

/* Behind the work area proper: the gradients of masked rows, set aside. */
static size_t kept_offset(const un_run *run) {
  un_dense input = input_layer(run);
  size_t bytes = un_dense_work_bytes(&input);
  size_t w_hh = run->cell->packed_bytes
                    ? run->cell->packed_bytes(run)
                    : un_panel_bytes(run->dtype, gate_width(run), run->H);
  size_t product = un_panel_tn_bytes(run->dtype, gate_width(run), run->H, run->T * run->B);
  if (w_hh > bytes) bytes = w_hh;
  return product > bytes ? product : bytes;
}

size_t un_cell_work_bytes(const un_run *run) {
  return kept_offset(run) + bytes_of(run, run->cell->states * run->B * run->H);
}

int64_t un_cell_time(const un_run *run, int64_t k) {
  return run->reverse ? run->T - 1 - k : k;
}

/* Where the pre-activations of step t lie: where step finds them. */
static void *gates_at(const un_run *run, int64_t t) {
  return run->cell->in_place ? un_run_after(run, 0, t)
                             : un_run_row(run, run->gates, gate_width(run), t);
}

/* --- masks --------------------------------------------------------------------------
 */

static bool is_masked(const un_run *run, int64_t t, int64_t b) {
  int64_t i = t * run->B + b;
  return run->dtype == UN_F32 ? ((const float *)run->mask)[i] == 0
                              : ((const double *)run->mask)[i] == 0;
}

/* Copies row b of `from` to `to`, both (B,width). */
static void copy_row(const un_run *run, void *to, const void *from, int64_t b,
                     int64_t width) {
  size_t bytes = bytes_of(run, width);
  memcpy((char *)to + (size_t)b * bytes, (const char *)from + (size_t)b * bytes, bytes);
}

static void *kept_gradient(const un_run *run, int s) {
  return (char *)run->work + kept_offset(run) + bytes_of(run, s * run->B * run->H);
}

static void clear_row(const un_run *run, void *rows, int64_t b, int64_t width) {
  size_t bytes = bytes_of(run, width);
  memset((char *)rows + (size_t)b * bytes, 0, bytes);
}

/* A masked row's gradient passes the step unchanged: it is set aside, the step sees
** zero (so that parameters of its own get nothing), then it is put back. */
static void keep_masked(const un_run *run, int64_t t) {
  for (int s = 0; s < run->cell->states; s++)
    for (int64_t b = 0; b < run->B; b++)
      if (is_masked(run, t, b)) {
        copy_row(run, kept_gradient(run, s), run->dstate[s], b, run->H);
        clear_row(run, run->dstate[s], b, run->H);
      }
}

static void restore_masked(const un_run *run, int64_t t) {
  for (int s = 0; s < run->cell->states; s++)
    for (int64_t b = 0; b < run->B; b++)
      if (is_masked(run, t, b))
        copy_row(run, run->dstate[s], kept_gradient(run, s), b, run->H);
}

static void clear_masked(const un_run *run, void *dgates, int64_t t) {
  for (int64_t b = 0; b < run->B; b++)
    if (is_masked(run, t, b)) clear_row(run, dgates, b, gate_width(run));
}

/* --- forward ------------------------------------------------------------------------
 */

static void project_inputs(const un_run *run, const void *packed) {
  un_dense input = input_layer(run);
  void *first = run->cell->in_place
                    ? un_run_row(run, run->state[0], run->H, !run->reverse)
                    : run->gates;
  if (run->tokens)
    un_rows_gather(run->dtype, first, input.w, input.b, run->tokens, input.rows,
                   input.out);
  else
    un_dense_forward(&input, packed, run->x, first);
}

/* W_hh (G*H,H), transposed for the products with h; backward as it is. */
static void pack_w_hh(const un_run *run, void *packed, bool backward) {
  int64_t width = gate_width(run), H = run->H;
  if (run->cell->pack)
    run->cell->pack(run, packed, backward);
  else if (backward)
    un_panel_pack(run->dtype, packed, run->param[UN_W_HH], width, H, H, 1);
  else
    un_panel_pack(run->dtype, packed, run->param[UN_W_HH], H, width, 1, H);
}

void un_cell_begin(const un_run *run, bool packed) {
  void *packed_x = (char *)run->packed + packed_w_hh(run);
  if (!packed) {
    un_dense input = input_layer(run);
    pack_w_hh(run, run->packed, false);
    if (!run->tokens) un_dense_pack(&input, packed_x);
  }
  project_inputs(run, packed_x);
}

void un_cell_multiply(const un_run *run, int64_t t) {
  int64_t width = gate_width(run);
  void *y =
      run->cell->split ? un_run_row(run, run->gates_h, width, t) : gates_at(run, t);
  un_panel_multiply(run->dtype, &(un_product){.rows = run->B,
                                              .depth = run->H,
                                              .columns = width,
                                              .x = un_run_before(run, 0, t),
                                              .x_row = run->H,
                                              .x_column = 1,
                                              .packed = run->packed,
                                              .init = run->cell->split ? NULL : y,
                                              .init_row = width,
                                              .y = y,
                                              .y_row = width});
}

void un_cell_settle(const un_run *run, int64_t t) {
  if (!run->mask) return;
  for (int s = 0; s < run->cell->states; s++)
    for (int64_t b = 0; b < run->B; b++)
      if (is_masked(run, t, b))
        copy_row(run, un_run_after(run, s, t), un_run_before(run, s, t), b, run->H);
}

/* The part of a step that is the same for all t. */
static un_step first_step(const un_run *run) {
  un_step step = {.B = run->B, .H = run->H};
  for (int i = 0; i < run->cell->extras; i++)
    step.extra[i] = run->param[UN_EXTRA + i];
  return step;
}

static void move_step(const un_run *run, int64_t t, un_step *step) {
  step->gates = gates_at(run, t);
  step->gates_h = un_run_row(run, run->gates_h, gate_width(run), t);
  step->saved = un_run_row(run, run->saved, run->cell->saved * run->H, t);
  for (int s = 0; s < run->cell->states; s++) {
    step->state[s] = un_run_before(run, s, t);
    step->next[s] = un_run_after(run, s, t);
  }
}

void un_cell_forward(const un_run *run, bool packed) {
  const un_cell *cell = run->cell;
  un_step step = first_step(run);
  un_cell_begin(run, packed);
  for (int64_t k = 0; k < run->T && !un_stopped(); k++) {
    int64_t t = un_cell_time(run, k);
    if (cell->advance) {
      cell->advance(run, t);
    } else {
      un_cell_multiply(run, t);
      move_step(run, t, &step);
      cell->step[run->dtype](&step);
    }
    un_cell_settle(run, t);
  }
}

/* --- backward -----------------------------------------------------------------------
 */

void un_cell_turn(const un_run *run) {
  pack_w_hh(run, run->work, true);
}

void un_cell_arrive(const un_run *run, int64_t t) {
  const void *dy =
      run->dy ? (const char *)run->dy + bytes_of(run, t * run->B * run->H) : NULL;
  run->norm[t] =
      sqrt(un_rows_add_squares(run->dtype, run->dstate[0], dy, run->B * run->H));
  if (run->mask) keep_masked(run, t);
}

/* Gradients with respect to the part of the pre-activations that comes from h. */
static void *recurrent_dgates(const un_run *run) {
  return run->cell->split ? run->dgates_h : run->dgates;
}

void un_cell_leave(const un_run *run, int64_t t) {
  int64_t width = gate_width(run);
  void *dgates = un_run_row(run, recurrent_dgates(run), width, t);
  if (run->mask) {
    clear_masked(run, un_run_row(run, run->dgates, width, t), t);
    clear_masked(run, dgates, t);
  }
  un_panel_multiply(run->dtype,
                    &(un_product){.rows = run->B,
                                  .depth = width,
                                  .columns = run->H,
                                  .x = dgates,
                                  .x_row = width,
                                  .x_column = 1,
                                  .packed = run->work,
                                  .init = run->cell->direct_h ? run->dstate[0] : NULL,
                                  .init_row = run->H,
                                  .y = run->dstate[0],
                                  .y_row = run->H});
  if (run->mask) restore_masked(run, t);
}

static un_step_grad first_step_grad(const un_run *run) {
  un_step_grad g = {.at = first_step(run)};
  for (int s = 0; s < run->cell->states; s++)
    g.dstate[s] = run->dstate[s];
  for (int i = 0; i < run->cell->extras; i++)
    g.dextra[i] = run->grad[UN_EXTRA + i];
  return g;
}

static void step_back(const un_run *run, int64_t t, un_step_grad *g) {
  move_step(run, t, &g->at);
  g->dgates = un_run_row(run, run->dgates, gate_width(run), t);
  g->dgates_h = un_run_row(run, run->dgates_h, gate_width(run), t);
  run->cell->step_grad[run->dtype](g);
  un_cell_leave(run, t);
}

static void input_gradients(const un_run *run) {
  un_dense input = input_layer(run);
  if (run->tokens) {
    un_rows_scatter(run->dtype, input.dw, run->dgates, run->tokens, input.rows,
                    input.out);
    un_rows_column_sum(run->dtype, input.db, run->dgates, input.rows, input.out);
  } else {
    un_dense_weight_gradient(&input, run->x, run->dgates, run->work);
  }
  if (run->dx) un_dense_input_gradient(&input, run->dgates, run->dx, run->work);
}

void un_cell_finish(const un_run *run) {
  if (run->cell->recurrent_gradient)
    run->cell->recurrent_gradient(run);
  else
    un_panel_tn(run->dtype, run->grad[UN_W_HH], recurrent_dgates(run),
                un_run_before(run, 0, 0), gate_width(run), run->H, run->T * run->B,
                run->work);
  input_gradients(run);
}

void un_cell_backward(const un_run *run) {
  un_step_grad g = first_step_grad(run);
  un_cell_turn(run);
  for (int64_t k = run->T - 1; k >= 0 && !un_stopped(); k--) {
    int64_t t = un_cell_time(run, k);
    un_cell_arrive(run, t);
    if (run->cell->retreat) {
      run->cell->retreat(run, t);
      if (run->mask) restore_masked(run, t);
    } else {
      step_back(run, t, &g);
    }
  }
  un_cell_finish(run);
}
