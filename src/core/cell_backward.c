/* cell_backward.c -- backpropagation through the T steps of a cell (see cell.h). */
#include <math.h>
#include <string.h>

#include "cell.h"
#include "cell_run.h"
#include "panel.h"
#include "parallel.h"
#include "profile.h"
#include "rows.h"
#include "stop.h"

static void *work_at(const un_run *run, size_t offset) {
  return (char *)run->work + offset;
}

/* --- one step ---------------------------------------------------------------------- */

/* Of one sequence they lie where their root goes: a step of a long window takes little
** memory. */
static double *squares_at(const un_run *run, int64_t t) {
  if (run->B == 1) return run->norm + t;
  return (double *)work_at(run, run->layout.squares) + t * run->B;
}

static int64_t steps_of_block(const un_run *run, int64_t first) {
  return run->T - first < run->block ? run->T - first : run->block;
}

/* The k-th last step of a block that starts at step `first`. */
static int64_t time_back(const un_run *run, int64_t first, int64_t k) {
  return run->reverse ? first + k : first + steps_of_block(run, first) - 1 - k;
}

/* dL/dy of the only sequence at step t; what makes it does so for all steps of a block in
** one product, when the sweep comes to the block. */
static void *dy_of_row(const un_run *run, int64_t t) {
  const un_dy_source *source = run->dy_source;
  int64_t first = t - t % run->block;
  if (!source) return un_run_row(run, (void *)run->dy, run->H, t);
  char *dy = work_at(run, run->layout.dy);
  if (t == time_back(run, first, 0))
    source->make(source->context, 0, first, steps_of_block(run, first), false, dy);
  return un_run_row(run, dy, run->H, t - first);
}

/* dL/dy is added to dL/dh; the squares of each row are left for the norm. */
static void arrive(const un_run *run, int64_t t, un_share s) {
  const un_dy_source *source = run->dy_source;
  void *dh = un_share_row(run, run->dstate[0], run->H, s.first);
  void *dy =
      run->B == 1 ? dy_of_row(run, t) : un_run_row(run, (void *)run->dy, run->H, t);
  if (source && run->B > 1)
    source->make(source->context, s.group, t * run->B + s.first, s.count, true, dh);
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

/* Rows of a share at step t in a buffer of one block. */
static void *block_rows(const un_run *run, void *buffer, int64_t width, int64_t t,
                        un_share s) {
  int64_t step = t % run->block;
  int64_t row =
      run->is_apart ? s.first * run->block + step * s.count : step * run->B + s.first;
  return un_share_row(run, buffer, width, row);
}

static void *dgates_of(const un_run *run, int64_t t, un_share s) {
  return block_rows(run, run->dgates, un_gate_width(run), t, s);
}

static void *dgates_x_of(const un_run *run, int64_t t, un_share s) {
  return block_rows(run, run->dgates_x, un_split_width(run), t, s);
}

/* The sweep goes to and fro, up at its first step. */
static bool goes_down(const un_run *run, int64_t t) {
  return (run->T - 1 - un_cell_time(run, t)) & 1;
}

static void clear_masked(const un_run *run, int64_t t, un_share s) {
  if (!run->mask) return;
  un_mask_clear(run, dgates_of(run, t, s), un_gate_width(run), t, s);
  if (run->cell->split)
    un_mask_clear(run, dgates_x_of(run, t, s), un_split_width(run), t, s);
}

/* y = init + da W_hh for a part of the gates; rows of y and init are y_row apart. */
static void multiply_back(const un_run *run, int64_t t, un_share s, int part,
                          const void *init, void *y, int64_t y_row) {
  un_part gates = un_gradient_part(run, part);
  void *packed = un_cell_packed_w_hh(run, true, s.group);
  un_cell_product(run, &(un_cell_product_of){
                           .rows = s.count,
                           .depth = gates.count,
                           .columns = run->H,
                           .x = un_share_row(run, dgates_of(run, t, s), 1, gates.first),
                           .x_row = un_gate_width(run),
                           .packed = un_cell_part_of_w_hh(run, true, packed, part),
                           .init = init,
                           .init_row = run->H,
                           .y = y,
                           .y_row = y_row,
                           .down = goes_down(run, t)});
}

static void leave(const un_run *run, int64_t t, un_share s) {
  void *dstate = un_share_row(run, run->dstate[0], run->H, s.first);
  clear_masked(run, t, s);
  multiply_back(run, t, s, 0, run->cell->direct_h ? dstate : NULL, dstate, run->H);
  if (run->mask) un_mask_restore(run, t, s);
}

/* The gradient of the step itself. */
static void step_back(const un_run *run, int64_t t, un_share s) {
  const un_cell *cell = run->cell;
  un_step_grad g = {.at = un_cell_step_at(run, t, s)};
  g.dgates = dgates_of(run, t, s);
  g.dgates_x = dgates_x_of(run, t, s);
  for (int i = 0; i < cell->states; i++)
    g.dstate[i] = un_share_row(run, run->dstate[i], run->H, s.first);
  cell->step_grad[run->dtype](&g);
  if (!cell->late) return;
  clear_masked(run, t, s);
  multiply_back(run, t, s, 1, NULL, g.dgates, un_gate_width(run));
  cell->early_grad[run->dtype](&g);
}

static void retreat(const un_run *run, int64_t t, un_share s) {
  arrive(run, t, s);
  step_back(run, t, s);
  leave(run, t, s);
}

/* --- what a block of steps adds to the gradients ------------------------------------ */

/* The i-th block that the sweep comes to. */
static int64_t block_at(const un_run *run, int64_t i) {
  return (run->reverse ? i : (run->T - 1) / run->block - i) * run->block;
}

/* The rows of a group in the block of steps that starts at `first`. */
static un_stripe rows_of_block(const un_run *run, int64_t first, un_share s) {
  int64_t steps = steps_of_block(run, first);
  return s.count == run->B ? un_neighbours(steps * s.count)
                           : (un_stripe){steps, s.count, run->B};
}

/* The same in dgates. */
static un_stripe dgates_of_block(const un_run *run, int64_t first, un_share s) {
  un_stripe rows = rows_of_block(run, first, s);
  if (run->is_apart) rows.apart = s.count;
  return rows;
}

/* A group's rows of h in the block from the `at`-th state on, copied. */
static char *h_of(const un_run *run, int64_t at, un_share s) {
  int64_t row = s.first * (run->block + 1) + at * s.count;
  return un_share_row(run, work_at(run, run->layout.h), run->H, row);
}

/* Copies those of one state; while the sweep has them at hand, that costs little. */
static void copy_h(const un_run *run, int64_t first, int64_t row, un_share s) {
  if (!run->has_h) return;
  const void *h = un_run_row(run, run->state[0], run->H, row);
  memcpy(h_of(run, row - first, s), un_share_row(run, h, run->H, s.first),
         un_run_bytes(run, s.count * run->H));
}

/* Scratch of a group for the products. */
static void *scratch_of(const un_run *run, int group) {
  return work_at(run, run->layout.product + (size_t)group * run->layout.product_bytes);
}

/* Column sums of `n` columns of dy, rows `y_row` apart. */
static void sum_columns(const un_run *run, void *sum, const char *dy, int64_t y_row,
                        un_stripe rows, int64_t n) {
  for (int64_t i = 0; i < rows.pieces; i++) {
    un_rows_column_sum(run->dtype, sum, dy, y_row, rows.rows, n);
    dy += un_run_bytes(run, rows.apart * y_row);
  }
}

/* Tokens add to some rows of W_xh only: where sums are to be written, all are cleared. */
static void clear_input_sums(const un_run *run, int group) {
  un_gradients sum = un_cell_gradients(run, group);
  int64_t width = un_gate_width(run);
  memset(sum.w_xh, 0, un_run_bytes(run, run->I * width));
  memset(sum.b, 0, un_run_bytes(run, width));
}

/* The inputs are those of steps that begin at row `first` of T*B, B rows apart. */
static void add_tokens(const un_run *run, const un_dense *input, int64_t first,
                       const char *dgates, un_stripe rows) {
  un_rows_scatter(run->dtype, &(un_scatter){.pieces = rows.pieces,
                                            .rows = rows.rows,
                                            .n = input->out,
                                            .tokens = run->tokens + first,
                                            .tokens_apart = run->B,
                                            .y = dgates,
                                            .y_row = input->y_row,
                                            .y_apart = rows.apart * input->y_row,
                                            .table = input->dw,
                                            .table_row = input->w_row,
                                            .sum = input->db});
}

/* dx of a part of the gates; the first part there is writes it. */
static void make_dx(const un_run *run, const un_dense *input, int part, int64_t first,
                    const char *dgates, un_stripe rows) {
  void *w = un_cell_packed_back_w_xh(run, work_at(run, run->layout.w_xh), part);
  bool add = part > 0 && un_input_part(run, 0).count > 0;
  un_dense piece = *input;
  piece.rows = rows.rows;
  for (int64_t i = 0; i < rows.pieces; i++, first += run->B) {
    un_dense_input_gradient(&piece, w, dgates, add,
                            un_share_row(run, run->dx, run->I, first));
    dgates += un_run_bytes(run, rows.apart * input->y_row);
  }
}

static void add_input_part(const un_run *run, int part, int64_t first, int group,
                           bool add) {
  un_share s = un_cell_group(run, group);
  un_stripe rows = dgates_of_block(run, first, s);
  un_gradients sum = un_cell_gradients(run, group);
  un_dense input = un_cell_input_layer(run, part, rows.pieces * rows.rows);
  const char *dgates =
      part == 0 ? dgates_of(run, first, s) : dgates_x_of(run, first, s);
  int64_t row = first * run->B + s.first, column = un_input_part(run, part).first;
  input.dw = un_share_row(run, sum.w_xh, 1, column);
  input.db = un_share_row(run, sum.b, 1, column);
  if (run->tokens)
    add_tokens(run, &input, row, dgates, rows);
  else
    un_dense_weight_gradient(&input, un_share_row(run, run->x, run->I, row),
                             rows_of_block(run, first, s), dgates, rows, add,
                             scratch_of(run, group));
  if (run->dx) make_dx(run, &input, part, row, dgates, rows);
}

/* Rows of W_hh: dgates times what they were multiplied with. */
static void add_recurrent_part(const un_run *run, int part, int64_t first, int group,
                               bool add) {
  un_share s = un_cell_group(run, group);
  un_part gates = un_gradient_part(run, part);
  un_stripe rows = dgates_of_block(run, first, s);
  int64_t H = run->H, width = un_gate_width(run);
  bool has_h = run->has_h && part == 0;
  void *x = part > 0 ? un_run_row(run, run->saved, H, first)
                     : un_run_row(run, run->state[0], H, first + run->reverse);
  un_panel_tn(
      run->dtype,
      &(un_panel_tn_of){
          .m = gates.count,
          .n = H,
          .a = un_share_row(run, dgates_of(run, first, s), 1, gates.first),
          .b = has_h ? h_of(run, run->reverse, s) : un_share_row(run, x, H, s.first),
          .a_row = width,
          .b_row = H,
          .c_row = H,
          .a_rows = rows,
          .b_rows = has_h ? rows : rows_of_block(run, first, s),
          .c = un_share_row(run, un_cell_gradients(run, group).w_hh, H, gates.first),
          .add = add,
          .scratch = scratch_of(run, group)});
}

static void add_split_bias(const un_run *run, int64_t first, int group, bool add) {
  un_share s = un_cell_group(run, group);
  un_part gates = un_input_part(run, 1);
  void *sum = un_cell_gradients(run, group).b_split;
  if (!add) memset(sum, 0, un_run_bytes(run, gates.count));
  sum_columns(run, sum, un_share_row(run, dgates_of(run, first, s), 1, gates.first),
              un_gate_width(run), dgates_of_block(run, first, s), gates.count);
}

static void add_weights(const un_run *run, int64_t first, int group, bool add) {
  for (int part = 0; part < 2; part++)
    if (un_gradient_part(run, part).count > 0)
      add_recurrent_part(run, part, first, group, add);
  if (run->tokens && !add) clear_input_sums(run, group);
  for (int part = 0; part < 2; part++)
    if (un_input_part(run, part).count > 0)
      add_input_part(run, part, first, group, add);
  if (run->cell->split_bias) add_split_bias(run, first, group, add);
}

/* The outputs of a group in the block, if they are copied and wanted. */
static const void *copied_outputs(const un_run *run, un_share s) {
  bool is_there = run->has_h && run->dy_source->wants_outputs;
  return is_there ? h_of(run, !run->reverse, s) : NULL;
}

/* What a group adds to the gradients in the block of steps that starts at `first`. In the
** block that the sweep comes to first the sums of the second group, and fresh gradients,
** are written instead. */
static void add_gradients(const un_run *run, int64_t first, int group) {
  un_share s = un_cell_group(run, group);
  const un_dy_source *source = run->dy_source;
  bool is_new = group > 0 || run->is_fresh, add = !is_new || first != block_at(run, 0);
  if (source)
    source->finish(source->context, group, first * run->B + s.first,
                   rows_of_block(run, first, s), copied_outputs(run, s), add);
  UN_PROFILE_BEGIN(UN_PHASE_WEIGHTS);
  add_weights(run, first, group, add);
  double products =
      (double)(run->H + (run->tokens ? 0 : run->I) + (run->dx ? run->I : 0));
  UN_PROFILE_END(2 * (double)(steps_of_block(run, first) * s.count) *
                 (double)un_gate_width(run) * products);
}

static void add_all_gradients(const un_run *run, int64_t first) {
  for (int group = 0; group < un_cell_groups(run); group++)
    add_gradients(run, first, group);
}

/* --- sums ---------------------------------------------------------------------------- */

/* Fewer numbers are not worth another thread. */
enum { SHARED = 1 << 13 };

enum { OWN_SUMS = UN_PARAMS };

/* What is left to do after the sweep, in equal shares. Gradients mostly lie one behind the
** other: a thread has about those of them that it also has in the update (optim.c). */
typedef struct finish_job {
  const un_run *run;
  int count, shares;
  un_sum list[OWN_SUMS + UN_SUMS];
  int64_t numbers; /* to be added */
  bool takes_norms;
} finish_job;

static int own_sums(const un_run *run, un_sum *list) {
  un_gradients sum = un_cell_gradients(run, 0), partial = un_cell_gradients(run, 1);
  int64_t width = un_gate_width(run);
  list[0] = (un_sum){sum.w_xh, partial.w_xh, run->I * width};
  list[1] = (un_sum){sum.w_hh, partial.w_hh, width * run->H};
  list[2] = (un_sum){sum.b, partial.b, width};
  list[3] = (un_sum){sum.b_split, partial.b_split, un_split_width(run)};
  return run->cell->split_bias ? OWN_SUMS : OWN_SUMS - 1;
}

/* Numbers first..end-1 of all that are to be added. */
static void add_numbers(const finish_job *job, int64_t first, int64_t end) {
  size_t bytes = un_dtype_bytes(job->run->dtype);
  for (int i = 0; i < job->count && end > 0; i++) {
    const un_sum *s = &job->list[i];
    int64_t from = first > 0 ? first : 0, to = end < s->count ? end : s->count;
    if (from < to)
      un_rows_column_sum(job->run->dtype, (char *)s->sum + (size_t)from * bytes,
                         (const char *)s->partial + (size_t)from * bytes, 0, 1,
                         to - from);
    first -= s->count;
    end -= s->count;
  }
}

/* Where share i of n begins: at a line of the cache, if the first of them does. */
static int64_t share_at(int64_t n, int i, int shares) {
  enum { LINE = 64 };
  return i == shares ? n : n / LINE * i / shares * LINE;
}

static void finish_share(void *context, int index) {
  const finish_job *job = context;
  int64_t T = job->takes_norms ? job->run->T : 0;
  add_numbers(job, share_at(job->numbers, index, job->shares),
              share_at(job->numbers, index + 1, job->shares));
  for (int64_t t = T * index / job->shares; t < T * (index + 1) / job->shares; t++)
    take_norm(job->run, t);
}

static void finish(const un_run *run, bool takes_norms) {
  finish_job job = {.run = run, .shares = 1, .takes_norms = takes_norms};
  if (un_stopped()) return;
  if (un_cell_groups(run) > 1) {
    job.count = own_sums(run, job.list);
    if (run->dy_source)
      job.count += run->dy_source->sums(run->dy_source->context, job.list + job.count);
  }
  for (int i = 0; i < job.count; i++)
    job.numbers += job.list[i].count;
  if (job.numbers >= SHARED) job.shares = un_parallel_threads();
  un_parallel(job.shares, finish_share, &job);
}

/* --- the sweep ---------------------------------------------------------------------- */

static void retreat_row(const un_run *run, int64_t first) {
  int64_t t = time_back(run, first, 0);
  if (!run->cell->backward_row[run->dtype]) {
    un_share s = un_whole_batch(run);
    un_cell_row_backward(run, &(un_row_stretch){.t = t,
                                                .steps = steps_of_block(run, first),
                                                .dy = dy_of_row(run, t),
                                                .dgates = dgates_of(run, t, s),
                                                .dgates_x = dgates_x_of(run, t, s),
                                                .down = goes_down(run, t)});
    return;
  }
  run->cell->backward_row[run->dtype](
      &(un_row_run){.H = run->H,
                    .steps = steps_of_block(run, first),
                    .stride = run->reverse ? run->H : -run->H,
                    .down = goes_down(run, t),
                    .packed = run->work,
                    .h = un_run_after(run, 0, t),
                    .dy = dy_of_row(run, t),
                    .dgates = un_run_row(run, run->dgates, run->H, t % run->block),
                    .dstate = run->dstate[0],
                    .norm = run->norm + t});
}

static void retreat_share(const un_run *run, int64_t first, un_share s) {
  for (int64_t k = 0; k < steps_of_block(run, first) && !un_stopped(); k++) {
    int64_t t = time_back(run, first, k);
    retreat(run, t, s);
    copy_h(run, first, t + !run->reverse, s);
  }
  copy_h(run, first, run->reverse ? first + steps_of_block(run, first) : first, s);
}

static bool is_row(const un_run *run) {
  return run->B == 1 && !run->mask;
}

static void pack_w_hh(const un_run *run, int group) {
  un_cell_pack_w_hh(run, un_cell_packed_w_hh(run, true, group), true);
}

static void pack_w_xh(const un_run *run) {
  void *packed = work_at(run, run->layout.w_xh);
  for (int i = 0; i < 2 && run->dx; i++) {
    un_dense input = un_cell_input_layer(run, i, run->block * run->B);
    if (input.out > 0)
      un_dense_pack_back(&input, un_cell_packed_back_w_xh(run, packed, i));
  }
}

void un_cell_turn(const un_run *run) {
  pack_w_hh(run, 0);
  pack_w_xh(run);
}

/* All of the sweep for one group: what a thread does that has it to itself. The groups have
** their dgates apart: products that go down rows make the processor fetch the next ones,
** and those would be the other thread's, which has just written them. */
static void retreat_group(void *context, int group) {
  const un_run *run = context;
  const un_dy_source *source = run->dy_source;
  if (source && source->has_copies) source->begin(source->context, group);
  if (un_cell_has_copies(run)) pack_w_hh(run, group);
  for (int64_t i = 0; i * run->block < run->T && !un_stopped(); i++) {
    retreat_share(run, block_at(run, i), un_cell_group(run, group));
    add_gradients(run, block_at(run, i), group);
  }
}

static void retreat_groups(const un_run *run) {
  const un_dy_source *source = run->dy_source;
  un_run apart = *run;
  if (source && !source->has_copies) source->begin(source->context, 0);
  if (!un_cell_has_copies(run)) pack_w_hh(run, 0);
  pack_w_xh(run);
  apart.is_apart = true;
  apart.has_h = un_cell_copies_h(run);
  un_parallel(UN_GROUPS, retreat_group, &apart);
}

static void retreat_blocks(const un_run *run) {
  if (run->dy_source) run->dy_source->begin(run->dy_source->context, 0);
  un_cell_turn(run);
  for (int64_t i = 0; i * run->block < run->T && !un_stopped(); i++) {
    if (is_row(run))
      retreat_row(run, block_at(run, i));
    else
      un_cell_share_out(run, block_at(run, i), retreat_share);
    add_all_gradients(run, block_at(run, i));
  }
}

void un_cell_backward(const un_run *run) {
  UN_PROFILE_BEGIN(UN_PHASE_BACKWARD);
  if (un_cell_is_apart(run))
    retreat_groups(run);
  else
    retreat_blocks(run);
  finish(run, !is_row(run));
  UN_PROFILE_END(2 * (double)(run->T * run->B) * (double)un_gate_width(run) *
                 (double)run->H);
}

/* --- the phases, for cells written in Lua ------------------------------------------ */

void un_cell_arrive(const un_run *run, int64_t t) {
  arrive(run, t, un_whole_batch(run));
  take_norm(run, t);
}

void un_cell_leave(const un_run *run, int64_t t) {
  leave(run, t, un_whole_batch(run));
}

void un_cell_finish(const un_run *run) {
  for (int64_t first = 0; first < run->T; first += run->block)
    add_all_gradients(run, first);
  finish(run, false);
}
