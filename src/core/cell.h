/* cell.h -- recurrent cells and their run over a window of steps.
**
** A cell is a descriptor (un_cell): how many gates and states it has, and the pointwise
** functions of one step. The rest is the same for all cells and lives in cell.c:
**     a_t = W_xh x_t + W_hh h_{t-1} + b_h        (B, G*H), gates stacked row-wise
**     state_t = step(a_t, state_{t-1})
** and, in the backward sweep, from dL/dstate_t
**     da_t, direct part of dL/dstate_{t-1} = step_grad(...)
**     dL/dh_{t-1} += da_t W_hh
** The products with x, the weight gradients (one product over all T*B rows) and dx
** stand outside of the time loop. State 1 is h: the output, and what W_hh multiplies.
**
** Two kinds of gates that do not fit the pattern stand last in a_t, and the descriptor
** says how many there are. Of `split` gates the parts from x and from h stay apart:
**     a_t = W_hh h_{t-1} (+ b_split),  a_x = W_xh x_t + b_h
** (GRU with the reset after the product). For `late` gates W_hh multiplies something else
** than h, which the other gates must give first (GRU with the reset before it):
**     a_t = W_xh x_t + W_hh u_t + b_h,  u_t = early(the other gates, state_{t-1})
** A cell written in Lua has no functions here: lua/unroll/rnn calls the phases below
** and its own step between them.
**
** A cell may also run a whole stretch of steps of one sequence at once (forward_row,
** backward_row): with a batch of 1 the work of a step is so small that calls would cost
** as much.
**
** To add a cell: cell_<name>.c with its descriptor, one line in the list in cell.c.
**
** un_run is one window: sizes, parameters and the buffers, all from outside. Numbers
** lie row-major without gaps; states have T+1 rows: row 0 is the initial one and row t+1
** the one after step t (reverse: row T the initial one, row t the one after step t).
**
** The backward sweep goes over the window in blocks of a few steps (un_cell_block). What
** only a block needs (dgates) has room for one block, and its weight gradients are added
** while the block is in the cache: a long window costs the memory of its states. Blocks
** start at multiples of `block`, so step t is row t % block of a block.
**
** The sequences of a batch are shared out among threads (parallel.h), each of which runs
** all steps with its rows. Sums over rows are made for two halves of the batch apart and
** then added, in a fixed order: each of two threads has a half to itself. */
#ifndef UN_CELL_H
#define UN_CELL_H

#include "dense.h"
#include "un.h"

enum { UN_MAX_GATES = 8, UN_MAX_STATES = 4 };
enum { UN_W_XH, UN_W_HH, UN_B_H, UN_B_SPLIT, UN_PARAMS };

/* One step as the pointwise functions see it: rows of B*H (gates: B rows of G*H). */
typedef struct un_step {
  int64_t B, H;
  void *gates;   /* the pre-activations; step may leave its activations there */
  void *gates_x; /* (B, split*H): the part from x of the split gates, which step may
                    overwrite, too; else NULL */
  void *saved;   /* (B, saved*H) for step_grad */
  const void *state[UN_MAX_STATES];
  void *next[UN_MAX_STATES];
  void *again; /* B = 1: next[0] once more, in whole vectors; or NULL */
} un_step;

typedef struct un_step_grad {
  un_step at;                  /* as step left it */
  void *dgates;                /* out; may be the memory of gates */
  void *dgates_x;              /* split: out, dL/d(part from x); else NULL */
  void *dstate[UN_MAX_STATES]; /* in: dL/dnext; out: the direct part of dL/dstate */
} un_step_grad;

typedef struct un_run un_run;

/* A stretch of steps of one sequence, in the order of time (forward_row) or against it
** (backward_row). `stride` is the distance to the next step in elements, here H or -H;
** pointers are those of the first step that is done. */
typedef struct un_row_run {
  int64_t H, steps, stride;
  bool down; /* the first step goes down through W (row.h), the next one up, ... */
  const void *packed; /* W_hh, packed for this direction of time */
  void *h;        /* forward: h before the first step, the next rows hold the inputs;
                         backward: h after the first step that is done */
  const void *dy; /* backward, all the rest: dL/dy or NULL */
  void *dgates, *dstate;
  double *norm; /* moves by one where h moves by `stride` */
} un_row_run;

/* sum += partial, `count` numbers. */
typedef struct un_sum {
  void *sum;
  const void *partial;
  int64_t count;
} un_sum;
enum { UN_SUMS = 3 };

/* What makes dL/dy while the sweep goes back, so that it is nowhere kept for all steps.
** Rows are those of T*B. */
typedef struct un_dy_source {
  void *context;
  /* Before all: group 0 begins for everybody; or with `has_copies` each group, all at
  ** once, for those who name it from then on. */
  void (*begin)(void *context, int group);
  /* Writes dL/dy (rows,H) of the rows from `first` on, or adds it to what is there.
  ** Threads may ask at once, for rows of their own. */
  void (*make)(void *context, int group, int64_t first, int64_t rows, bool add,
               void *dy);
  /* The sweep of a group has gone through these rows, from `first` on: the source adds
  ** to gradients of its own, or writes them. If it wants them, `outputs` may be a copy of
  ** the run's outputs there, one row behind the other; else NULL. Threads may call for
  ** different groups at once. */
  void (*finish)(void *context, int group, int64_t first, un_stripe rows,
                 const void *outputs, bool add);
  /* What is left to add when there are two groups, at most UN_SUMS; returns how many. */
  int (*sums)(void *context, un_sum *list);
  bool has_copies, wants_outputs;
} un_dy_source;

/* What takes the outputs of a forward pass while they are near: rows of T*B, in their
** order; or, when each group has a thread, all of a group, from each thread its own. */
typedef struct un_output_sink {
  void *context;
  void (*take)(void *context, int64_t first, int64_t rows);
  void (*take_group)(void *context, int group);
} un_output_sink;

typedef struct un_cell {
  const char *name;
  int gates, states;
  const char *state_name[UN_MAX_STATES]; /* the first is "h" */
  int saved;              /* blocks of H per row that step leaves for step_grad */
  bool in_place;          /* one gate, and step turns it into h in the same memory */
  int split, late;        /* gates, see above; not both */
  const char *split_bias; /* the name of b_split (split*H), or NULL */
  bool direct_h;          /* step_grad gives a direct part of dL/dh_{t-1} */
  void (*step[2])(const un_step *s); /* for float32 and float64 */
  void (*step_grad[2])(const un_step_grad *g);
  /* With late gates. early leaves u (B,H) in `saved`, which has one block then. Of dgates
  ** step_grad writes the late part; early_grad, all the rest: it finds dL/du in the first
  ** block, and adds what goes through u to dstate. */
  void (*early[2])(const un_step *s);
  void (*early_grad[2])(const un_step_grad *g);
  /* All of a stretch at once, for a batch of 1 without a mask; or NULL. */
  void (*forward_row[2])(const un_row_run *r);
  void (*backward_row[2])(const un_row_run *r);
  /* in_place: h (H) = step(h + add) for a single row; or NULL */
  void (*finish_row[2])(void *h, const void *add, int64_t H);
} un_cell;

/* Where things lie in run->work, in bytes. */
typedef struct un_work_layout {
  size_t w_hh;    /* packed for the sweep back; at 0, where cells look for it */
  size_t copy;    /* the same for the thread of the second group, if it has one */
  size_t w_xh;    /* packed for dx */
  size_t product; /* scratch of the weight gradients, for each group of sequences */
  size_t product_bytes;
  size_t h;       /* each group in turn: (block + 1, its sequences, H); or no room */
  size_t partial; /* gradients of the second group: W_xh, W_hh, b_h, b_split */
  size_t dy;      /* B = 1: (block,H) */
  size_t squares; /* B > 1: (T,B) float64: |dL/dh_t|^2 of each row */
  size_t kept;    /* (states,B,H): the gradients of masked rows, set aside */
  size_t bytes;
} un_work_layout;

struct un_run {
  const un_cell *cell;
  un_dtype dtype;
  int64_t T, B, I, H;
  bool reverse;
  const int32_t *tokens; /* (T,B), or NULL and then */
  const void *x;         /* (T,B,I) */
  const void *mask;      /* (T,B): where it is 0 the states stay as they are; or NULL */
  const un_output_sink *sink;   /* or NULL */
  const void *param[UN_PARAMS]; /* W_xh stored as (I,G*H); W_hh (G*H,H); b_h; b_split */
  void *grad[UN_PARAMS];
  bool is_fresh;              /* the sweep back writes grad instead of adding to it */
  void *state[UN_MAX_STATES]; /* (T+1,B,H) */
  void *gates, *gates_x;      /* (T,B,G*H), not used when in_place; (T,B,split*H) */
  void *saved;                /* (T,B,saved*H) */
  int64_t block;              /* steps of a block: un_cell_block, or T */
  void *dgates, *dgates_x; /* (block,B,G*H) and (block,B,split*H), or for each group */
  bool is_apart; /* in turn, while it is set, (block, sequences of the group, ...); */
  bool has_h;    /* is h of a block copied to layout.h, too? */
  void *dstate[UN_MAX_STATES]; /* (B,H): before the sweep dL/dstate after the last step,
                                  after it dL/dstate before the first */
  const void *dy;              /* (T,B,H) or NULL */
  const un_dy_source *dy_source; /* instead of dy; or NULL */
  void *dx;                      /* (T,B,I) or NULL */
  double *norm;                  /* (T): the norm of the total dL/dh_t */
  void *packed; /* un_cell_packed_bytes: W_hh, perhaps once more, then W_xh, for the
                   forward products */
  void *work;   /* un_cell_work_bytes */
  un_work_layout layout;
};

/* The built-in cell of that name, or NULL; un_cell_at(0), (1) ... until NULL lists
 * them. */
const un_cell *un_cell_find(const char *name);
const un_cell *un_cell_at(int i);

size_t un_cell_packed_bytes(const un_run *run);
size_t un_cell_work_bytes(un_run *run); /* after `block` is set; sets `layout` */

/* Steps that the backward sweep takes at a time: about as many rows whatever B and T. */
int64_t un_cell_block(const un_run *run);

/* Gradients of the weights are summed apart over so many groups of sequences, 1 or
** UN_GROUPS, and the sums added at the end. This depends on the size of the batch alone,
** so the bits do not depend on the number of threads; with two threads each has a group,
** and needs nothing that the other has made until the end. */
enum { UN_GROUPS = 2 };
int un_cell_groups(const un_run *run);

/* Has each group a thread to itself now? */
bool un_cell_is_apart(const un_run *run);

/* Does the thread of each group then pack W_hh for itself? */
bool un_cell_has_copies(const un_run *run);

/* How many copies of W_hh a forward pass packs now: 1 or UN_GROUPS. */
int un_cell_copies(const un_run *run);

/* True when all tokens (T,B) are in 1..vocabulary; else names the first that is not. */
UN_CHECKED bool un_check_tokens(const char *what, const int32_t *tokens, int64_t T,
                                int64_t B, int64_t vocabulary, un_err *err);

/* Packs the weights for forward passes, W_hh once; those of the inputs when these are
** numbers. */
void un_cell_pack(const un_run *run);

/* The sweeps of a built-in cell. Inputs and row 0 of the states are in place. With
** `packed` true the packed weights are those of the last forward pass, un_cell_copies of
** them. */
void un_cell_forward(const un_run *run, bool packed);
void un_cell_backward(const un_run *run);

/* Their phases. Forward: begin, then for each step k = 0..T-1, t = un_cell_time(run,
** k):
** multiply, the step itself, settle. Backward: turn, then for k = T-1..0: arrive, the
** gradient of the step, leave; then finish. */
int64_t un_cell_time(const un_run *run, int64_t k);
void un_cell_begin(const un_run *run, bool packed);
void un_cell_multiply(const un_run *run, int64_t t);
void un_cell_settle(const un_run *run, int64_t t);
void un_cell_turn(const un_run *run);
void un_cell_arrive(const un_run *run, int64_t t);
void un_cell_leave(const un_run *run, int64_t t);
void un_cell_finish(const un_run *run);

/* The step of a run with T = B = 1 that reads tokens, in two halves: the part that comes
** from h, which waits for no token, and the rest. Weights are packed. The products of the
** first half, `down` through W_hh or up (row.h), are planned before: the plan holds as
** long as the run is not reversed. */
typedef struct un_ahead {
  int count;
  un_row_product product[2];
} un_ahead;

un_ahead un_cell_plan_ahead(const un_run *run, bool down);
void un_cell_look_ahead(const un_run *run, const un_ahead *plan);
void un_cell_read_token(const un_run *run, int32_t token);

/* Row t of a buffer with `width` numbers per row of the batch. */
static inline void *un_run_row(const un_run *run, void *buffer, int64_t width,
                               int64_t t) {
  size_t row = (size_t)(run->B * width) * un_dtype_bytes(run->dtype);
  return buffer ? (char *)buffer + (size_t)t * row : NULL;
}

/* State s before and after step t. */
static inline void *un_run_before(const un_run *run, int s, int64_t t) {
  return un_run_row(run, run->state[s], run->H, t + run->reverse);
}
static inline void *un_run_after(const un_run *run, int s, int64_t t) {
  return un_run_row(run, run->state[s], run->H, t + !run->reverse);
}

#endif
