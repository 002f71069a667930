/* cell_run.h -- what the sweeps of cell_forward.c and cell_backward.c share. */
#ifndef UN_CELL_RUN_H
#define UN_CELL_RUN_H

#include "cell.h"

/* Sequences first .. first+count-1 of the batch: what one thread works on. */
typedef struct un_share {
  int64_t first, count;
  int group; /* whose copy of the packed weights it uses */
} un_share;

/* Where the sums of a group go. */
typedef struct un_gradients {
  void *w_xh, *w_hh, *b, *b_split;
} un_gradients;

un_gradients un_cell_gradients(const un_run *run, int group);

static inline int64_t un_gate_width(const un_run *run) {
  return run->cell->gates * run->H;
}

static inline size_t un_run_bytes(const un_run *run, int64_t numbers) {
  return (size_t)numbers * un_dtype_bytes(run->dtype);
}

static inline un_share un_whole_batch(const un_run *run) {
  return (un_share){0, run->B, 0};
}

/* The row of sequence `first` where `rows` (B,width) may be NULL. */
static inline void *un_share_row(const un_run *run, const void *rows, int64_t width,
                                 int64_t first) {
  return rows ? (char *)rows + un_run_bytes(run, first * width) : NULL;
}

/* Columns of a product: `count` of a_t from `first` on. Gates are taken in two parts, the
** last so many of them (split or late) and the others; one of them may be empty. */
typedef struct un_part {
  int64_t first, count;
} un_part;

static inline un_part un_part_of(const un_run *run, int last, int i) {
  int64_t at = (run->cell->gates - last) * run->H;
  return i == 0 ? (un_part){0, at} : (un_part){at, last * run->H};
}

static inline int64_t un_split_width(const un_run *run) {
  return run->cell->split * run->H;
}

/* Parts of the products with W_xh; of those with h; of those with da. */
static inline un_part un_input_part(const un_run *run, int i) {
  return un_part_of(run, run->cell->split, i);
}
static inline un_part un_state_part(const un_run *run, int i) {
  return un_part_of(run, run->cell->split + run->cell->late, i);
}
static inline un_part un_gradient_part(const un_run *run, int i) {
  return un_part_of(run, run->cell->late, i);
}

/* A part of the projection of the inputs of `rows` rows (of T*B) as a dense layer. */
un_dense un_cell_input_layer(const un_run *run, int part, int64_t rows);

/* Room for W_hh packed for the sweep forward or back. */
size_t un_cell_w_hh_bytes(const un_run *run, bool backward);

/* Packs W_hh (G*H,H), its two parts one behind the other: transposed for the products with
** h, backward as it is. */
void un_cell_pack_w_hh(const un_run *run, void *packed, bool backward);

/* y = init + x W, W a part packed by un_cell_pack_w_hh, rows so many numbers apart; init
** may be NULL, or for a batch a table (panel.h). With a batch of 1, neighbouring steps go
** through W to and fro (row.h). */
typedef struct un_cell_product_of {
  int64_t rows, depth, columns, x_row, init_row, y_row;
  const void *x, *packed, *init, *bias;
  const int32_t *tokens;
  void *y;
  bool down;
} un_cell_product_of;

void un_cell_product(const un_run *run, const un_cell_product_of *p);

/* All of a stretch at once, for a batch of 1 without a mask: `steps` steps from t on. */
void un_cell_row_forward(const un_run *run, int64_t t, int64_t steps);

/* The same against time; pointers are those of step t, `down` says how the first step goes
** through W_hh. */
typedef struct un_row_stretch {
  int64_t t, steps;
  const void *dy; /* or NULL */
  void *dgates, *dgates_x;
  bool down;
} un_row_stretch;

void un_cell_row_backward(const un_run *run, const un_row_stretch *s);

/* Where the pre-activations of step t lie: where step finds them. */
static inline void *un_gates_at(const un_run *run, int64_t t) {
  return run->cell->in_place ? un_run_after(run, 0, t)
                             : un_run_row(run, run->gates, un_gate_width(run), t);
}

/* The step t of some sequences, for the pointwise functions. */
un_step un_cell_step_at(const un_run *run, int64_t t, un_share s);

/* Runs job(run, first, share) for all sequences, on as many threads as there are. */
typedef void un_share_job(const un_run *run, int64_t first, un_share share);
void un_cell_share_out(const un_run *run, int64_t first, un_share_job *job);

un_share un_cell_group(const un_run *run, int group);

/* A part of W_xh packed for the sweep forward, or back at `packed`. All of W_hh packed for
** one of them, the copy of a group; and where its part is in there. */
void *un_cell_packed_w_xh(const un_run *run, int part);
void *un_cell_packed_back_w_xh(const un_run *run, void *packed, int part);
void *un_cell_packed_w_hh(const un_run *run, bool backward, int group);
void *un_cell_part_of_w_hh(const un_run *run, bool backward, void *packed, int part);

/* Does the sweep back of a group that a thread has to itself copy its rows of h for the
** weight gradients? These products go down rows that they read in place, and make the
** processor fetch the next ones: without the copy those of the other thread. */
bool un_cell_copies_h(const un_run *run);

/* --- masks ------------------------------------------------------------------------ */

/* Masked rows keep their state. */
void un_mask_settle(const un_run *run, int64_t t, un_share s);

/* A masked row's gradient passes the step unchanged: it is set aside, the step sees
** zero, then it is put back. dgates are those of the share, `width` numbers a row. */
void un_mask_keep(const un_run *run, int64_t t, un_share s);
void un_mask_restore(const un_run *run, int64_t t, un_share s);
void un_mask_clear(const un_run *run, void *dgates, int64_t width, int64_t t,
                   un_share s);

#endif
