/* cell.c -- the cells there are, and the sizes of a run (see cell.h). */
#include "cell.h"

#include <string.h>

#include "cell_run.h"
#include "panel.h"
#include "parallel.h"
#include "row.h"

extern const un_cell un_cell_tanh, un_cell_relu, un_cell_lstm, un_cell_gru,
    un_cell_gru_before;

static const un_cell *const cells[] = {&un_cell_tanh,       &un_cell_relu,
                                       &un_cell_lstm,       &un_cell_gru,
                                       &un_cell_gru_before, NULL};

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

int64_t un_cell_time(const un_run *run, int64_t k) {
  return run->reverse ? run->T - 1 - k : k;
}

/* --- sizes ------------------------------------------------------------------------ */

/* Rows of a block, about: a weight gradient is a product of this depth, deep enough to
** hide that its result is read and written, and a block stays in the L2 cache. */
enum { BLOCK_ROWS = 256 };

/* Blocks are equal as far as can be: a short one would be as good as no block. */
int64_t un_cell_block(const un_run *run) {
  int64_t blocks = (run->T * run->B + BLOCK_ROWS / 2) / BLOCK_ROWS;
  return blocks > 1 ? (run->T + blocks - 1) / blocks : run->T;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static size_t rounded(size_t bytes) {
  return (bytes + 63) & ~(size_t)63;
}

/* Number `i` of a row, which may not be there. */
static const void *number_of(const un_run *run, const void *row, int64_t i) {
  return un_share_row(run, row, 1, i);
}

un_dense un_cell_input_layer(const un_run *run, int part, int64_t rows) {
  un_part p = un_input_part(run, part);
  int64_t width = un_gate_width(run);
  return (un_dense){.dtype = run->dtype,
                    .rows = rows,
                    .in = run->I,
                    .out = p.count,
                    .transposed = true,
                    .single = run->T * run->B == 1,
                    .w_row = width,
                    .y_row = part == 0 ? width : un_split_width(run),
                    .w = number_of(run, run->param[UN_W_XH], p.first),
                    .b = number_of(run, run->param[UN_B_H], p.first)};
}

/* --- packed weights ----------------------------------------------------------------- */

static un_part part_of_w_hh(const un_run *run, bool backward, int part) {
  return backward ? un_gradient_part(run, part) : un_state_part(run, part);
}

static size_t part_bytes(const un_run *run, bool backward, int part) {
  int64_t count = part_of_w_hh(run, backward, part).count;
  int64_t depth = backward ? count : run->H, columns = backward ? run->H : count;
  if (count == 0) return 0;
  return rounded(run->B == 1 ? un_row_bytes(run->dtype, depth, columns)
                             : un_panel_bytes(run->dtype, depth, columns));
}

size_t un_cell_w_hh_bytes(const un_run *run, bool backward) {
  return part_bytes(run, backward, 0) + part_bytes(run, backward, 1);
}

/* Where the second copy of W_hh for the sweep forward is; without one where it would be. */
static size_t second_copy(const un_run *run) {
  return rounded(un_cell_w_hh_bytes(run, false));
}

static size_t packed_w_xh_at(const un_run *run) {
  return second_copy(run) * (un_cell_has_copies(run) ? UN_GROUPS : 1);
}

/* Of a part of W_xh, for the sweep forward or back. */
static size_t input_bytes(const un_run *run, bool backward, int part) {
  un_dense input = un_cell_input_layer(run, part, 1);
  if (input.out == 0) return 0;
  return rounded(backward ? un_dense_packed_back_bytes(&input)
                          : un_dense_packed_bytes(&input));
}

size_t un_cell_packed_bytes(const un_run *run) {
  return packed_w_xh_at(run) + input_bytes(run, false, 0) + input_bytes(run, false, 1);
}

void *un_cell_packed_w_xh(const un_run *run, int part) {
  char *packed = (char *)run->packed + packed_w_xh_at(run);
  return part == 0 ? packed : packed + input_bytes(run, false, 0);
}

void *un_cell_packed_back_w_xh(const un_run *run, void *packed, int part) {
  return part == 0 ? packed : (char *)packed + input_bytes(run, true, 0);
}

void *un_cell_packed_w_hh(const un_run *run, bool backward, int group) {
  char *packed = backward ? run->work : run->packed;
  if (group == 0 || !un_cell_has_copies(run)) return packed;
  return packed + (backward ? run->layout.copy : second_copy(run));
}

void *un_cell_part_of_w_hh(const un_run *run, bool backward, void *packed, int part) {
  return part == 0 ? packed : (char *)packed + part_bytes(run, backward, 0);
}

static void pack_matrix(const un_run *run, void *packed, const void *w, int64_t depth,
                        int64_t columns, int64_t row_stride, int64_t column_stride) {
  if (run->B == 1)
    un_row_pack(run->dtype, packed, w, depth, columns, row_stride, column_stride);
  else
    un_panel_pack(run->dtype, packed, w, depth, columns, row_stride, column_stride);
}

void un_cell_pack_w_hh(const un_run *run, void *packed, bool backward) {
  int64_t H = run->H;
  for (int i = 0; i < 2; i++) {
    un_part part = part_of_w_hh(run, backward, i);
    if (part.count == 0) continue;
    const void *w = number_of(run, run->param[UN_W_HH], part.first * H);
    void *to = un_cell_part_of_w_hh(run, backward, packed, i);
    if (backward)
      pack_matrix(run, to, w, part.count, H, H, 1);
    else
      pack_matrix(run, to, w, H, part.count, 1, H);
  }
}

void un_cell_product(const un_run *run, const un_cell_product_of *p) {
  if (run->B == 1)
    un_row_multiply(run->dtype, &(un_row_product){.depth = p->depth,
                                                  .columns = p->columns,
                                                  .x = p->x,
                                                  .packed = p->packed,
                                                  .init = p->init,
                                                  .y = p->y,
                                                  .down = p->down});
  else
    un_panel_multiply(run->dtype, &(un_product){.rows = p->rows,
                                                .depth = p->depth,
                                                .columns = p->columns,
                                                .x = p->x,
                                                .x_row = p->x_row,
                                                .x_column = 1,
                                                .packed = p->packed,
                                                .init = p->init,
                                                .init_row = p->init_row,
                                                .tokens = p->tokens,
                                                .bias = p->bias,
                                                .y = p->y,
                                                .y_row = p->y_row});
}

/* --- memory of the sweep back --------------------------------------------------------- */

/* Of the gradients of all parameters, each rounded to lines of the cache. */
static size_t partial_bytes(const un_run *run) {
  int64_t width = un_gate_width(run);
  return rounded(un_run_bytes(run, run->I * width)) +
         rounded(un_run_bytes(run, width * run->H)) +
         rounded(un_run_bytes(run, width)) +
         rounded(un_run_bytes(run, un_split_width(run)));
}

un_gradients un_cell_gradients(const un_run *run, int group) {
  un_gradients g = {run->grad[UN_W_XH], run->grad[UN_W_HH], run->grad[UN_B_H],
                    run->grad[UN_B_SPLIT]};
  if (group == 0) return g;
  int64_t width = un_gate_width(run);
  g.w_xh = (char *)run->work + run->layout.partial;
  g.w_hh = (char *)g.w_xh + rounded(un_run_bytes(run, run->I * width));
  g.b = (char *)g.w_hh + rounded(un_run_bytes(run, width * run->H));
  g.b_split = (char *)g.b + rounded(un_run_bytes(run, width));
  return g;
}

static un_work_layout layout_of(const un_run *run) {
  un_work_layout l = {0};
  int64_t rows = run->block * run->B;
  int64_t width = un_gate_width(run);
  size_t recurrent = un_panel_tn_bytes(run->dtype, width, run->H, rows);
  size_t input = un_panel_tn_bytes(run->dtype, run->I, width, rows);
  l.copy = rounded(un_cell_w_hh_bytes(run, true));
  l.w_xh = l.copy * (un_cell_has_copies(run) ? UN_GROUPS : 1);
  int groups = un_cell_groups(run);
  l.product =
      l.w_xh + (run->dx ? input_bytes(run, true, 0) + input_bytes(run, true, 1) : 0);
  l.product_bytes = rounded(larger(recurrent, input));
  l.h = l.product + (size_t)groups * l.product_bytes;
  l.partial = l.h;
  if (un_cell_copies_h(run))
    l.partial += rounded(un_run_bytes(run, (run->block + 1) * run->B * run->H));
  l.dy = l.partial + (groups > 1 ? rounded(partial_bytes(run)) : 0);
  l.squares = l.dy + (run->B == 1 ? rounded(un_run_bytes(run, rows * run->H)) : 0);
  l.kept = l.squares;
  if (run->B > 1) l.kept += rounded((size_t)(run->T * run->B) * sizeof(double));
  l.bytes = l.kept + un_run_bytes(run, run->cell->states * run->B * run->H);
  return l;
}

size_t un_cell_work_bytes(un_run *run) {
  run->layout = layout_of(run);
  return run->layout.bytes;
}

/* --- what both sweeps do ----------------------------------------------------------- */

un_step un_cell_step_at(const un_run *run, int64_t t, un_share s) {
  int64_t H = run->H, width = un_gate_width(run), split = un_split_width(run),
          saved = run->cell->saved * H;
  un_step step = {.B = s.count, .H = H};
  step.gates = un_share_row(run, un_gates_at(run, t), width, s.first);
  step.gates_x =
      un_share_row(run, un_run_row(run, run->gates_x, split, t), split, s.first);
  step.saved = un_share_row(run, un_run_row(run, run->saved, saved, t), saved, s.first);
  for (int i = 0; i < run->cell->states; i++) {
    step.state[i] = un_share_row(run, un_run_before(run, i, t), H, s.first);
    step.next[i] = un_share_row(run, un_run_after(run, i, t), H, s.first);
  }
  return step;
}

typedef struct share_job {
  const un_run *run;
  int64_t first;
  un_share_job *job;
  int count;
} share_job;

/* All shares use one copy: there may be more of them than groups. */
static void run_share(void *context, int index) {
  const share_job *j = context;
  int64_t first = j->run->B * index / j->count,
          end = j->run->B * (index + 1) / j->count;
  j->job(j->run, j->first, (un_share){first, end - first, 0});
}

/* Smaller groups would not fill the tiles of the products (panel.h). */
enum { GROUP_ROWS = 8 };

int un_cell_groups(const un_run *run) {
  return run->B < UN_GROUPS * GROUP_ROWS ? 1 : UN_GROUPS;
}

bool un_cell_is_apart(const un_run *run) {
  int groups = un_cell_groups(run);
  return groups > 1 && un_parallel_threads() == groups;
}

bool un_cell_has_copies(const un_run *run) {
  return un_cell_groups(run) > 1 && run->cell->step[run->dtype] &&
         un_parallel_copies(
             larger(un_cell_w_hh_bytes(run, false), un_cell_w_hh_bytes(run, true)));
}

int un_cell_copies(const un_run *run) {
  return un_cell_has_copies(run) && un_cell_is_apart(run) ? UN_GROUPS : 1;
}

bool un_cell_copies_h(const un_run *run) {
  return un_cell_groups(run) > 1 && run->cell->step_grad[run->dtype] &&
         un_panel_tn_in_place(run->dtype, run->H);
}

un_share un_cell_group(const un_run *run, int group) {
  int count = un_cell_groups(run);
  int64_t first = run->B * group / count;
  return (un_share){first, run->B * (group + 1) / count - first, group};
}

void un_cell_share_out(const un_run *run, int64_t first, un_share_job *job) {
  int threads = un_parallel_threads();
  int count = run->B < threads ? (int)run->B : threads;
  if (count < 2)
    job(run, first, un_whole_batch(run));
  else
    un_parallel(count, run_share, &(share_job){run, first, job, count});
}
