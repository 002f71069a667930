/* readout.h -- the linear layer above the cells with its loss, over T*B rows.
**
**     y = h W^T + b,  loss and dL/dy as in loss.h,  dh = dL/dy W,  dW += dL/dy^T h
** Everything goes by blocks of rows: a block of outputs is turned into its loss and
** gradient while it is in the cache, and the sweep back of the cells asks for dh step by
** step, so that it is nowhere kept for all T*B rows.
**
** Blocks are shared out among threads; losses are added up in the order of the rows. */
#ifndef UN_READOUT_H
#define UN_READOUT_H

#include "cell.h"
#include "loss.h"

typedef struct un_readout {
  un_dense dense;    /* rows = T*B, in = H, out = V */
  int64_t batch;     /* B */
  const void *h;     /* (T*B,H) */
  void *y;           /* (T*B,V): the outputs, or in training their gradient */
  int64_t part;      /* not 0: y has (T,part,V) of so many sequences, then the others */
  void *packed;      /* un_readout_packed_bytes: W for y */
  void *packed_back; /* un_readout_packed_back_bytes: W for dh */
  void *work;        /* un_readout_work_bytes */
  bool is_packed[UN_GROUPS], is_packed_back[UN_GROUPS]; /* for each group */
} un_readout;

size_t un_readout_packed_bytes(const un_readout *r);
size_t un_readout_packed_back_bytes(const un_readout *r);
size_t un_readout_work_bytes(const un_readout *r);

/* W has changed: it must be packed again. Passes do that; for the rest un_readout_pack. */
void un_readout_forget(un_readout *r);
void un_readout_pack(un_readout *r);

/* Does each group pack W for itself when it has a thread? */
bool un_readout_has_copies(const un_readout *r);

/* A pass over the rows: begin, then y of all rows, part after part in their order, with
** the loss added to `total` unless there is none (NULL). loss->y and loss->dy are set
** here: dy is y when `train`. */
typedef struct un_readout_pass {
  un_readout *r;
  un_loss loss;
  bool has_loss;
  double total;
} un_readout_pass;

un_readout_pass un_readout_begin(un_readout *r, const un_loss *loss, bool train,
                                 double total);

/* After begin, in training: the way back will be by so many groups, and y need not lie in
** the order of the rows. When each group has a thread, it has its rows of y apart: the
** processor, which fetches ahead, takes no lines out of the other thread's cache. */
void un_readout_split(un_readout *r, int groups);
void un_readout_rows(un_readout_pass *p, int64_t first, int64_t rows);

/* Instead of un_readout_rows: all rows of a group, which threads may ask for at once; then
** un_readout_collect adds up the losses. */
void un_readout_group(un_readout_pass *p, int group);
void un_readout_collect(un_readout_pass *p);

/* Back: begin for group 0, or, with copies, for each group at once; then, in any order, for
** all rows in parts from `first` on: dh (rows,H), written or added to what is there, and the
** gradients of W and b, which the rows add to, or write when `add` is false. Gradients are
** summed apart for one or two groups of rows: what is left to add is in the list of
** un_readout_sums. Threads may ask for dh of different rows at once, and for the gradients
** of different groups. h may be a copy of these rows of it, one behind the other; or NULL. */
void un_readout_begin_back(un_readout *r, int group);
void un_readout_input_gradient(const un_readout *r, int group, int64_t first,
                               int64_t rows, bool add, void *dh);
void un_readout_weight_gradient(const un_readout *r, int group, int64_t first,
                                un_stripe rows, const void *h, bool add);
int un_readout_sums(const un_readout *r, un_sum *list);

/* All of that for all rows. */
void un_readout_backward(un_readout *r, void *dh);

#endif
