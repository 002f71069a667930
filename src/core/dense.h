/* dense.h -- y = x W^T + b for many rows at once: input projections and read-outs.
**
** x (rows,in), y (rows,out), W (out,in), b (out). W lies row-major, or transposed (then
** column `in` of W is a row in memory, which a token picks); its rows and those of dw may
** be `w_row` numbers apart, those of y and dy `y_row`: a layer may make some columns of a
** wider y. Gradients are added to dw and db, or written there. x lies without gaps. */
#ifndef UN_DENSE_H
#define UN_DENSE_H

#include "panel.h"
#include "row.h"
#include "un.h"

typedef struct un_dense {
  un_dtype dtype;
  int64_t rows, in, out;
  bool transposed;
  bool single; /* there is one row, always: W for the forward product goes to and fro */
  int64_t w_row, y_row;
  const void *w, *b;
  void *dw, *db;
} un_dense;

size_t un_dense_packed_bytes(const un_dense *d);      /* for un_dense_pack */
size_t un_dense_packed_back_bytes(const un_dense *d); /* for un_dense_pack_back */
size_t un_dense_work_bytes(const un_dense *d);        /* for the weight gradient */

/* Packs W for the forward products; valid until W changes. */
void un_dense_pack(const un_dense *d, void *packed);
void un_dense_forward(const un_dense *d, const void *packed, const void *x, void *y);

/* The forward product of a single row, upwards through W (row.h). */
un_row_product un_dense_row(const un_dense *d, const void *packed, const void *x,
                            void *y);

/* The same for the products dx = dy W, or with `add` dx += dy W. */
void un_dense_pack_back(const un_dense *d, void *packed);
void un_dense_input_gradient(const un_dense *d, const void *packed, const void *dy,
                             bool add, void *dx);

/* dw = dy^T x, db = column sums of dy, over the rows of a stripe, which x and dy may have
** differently far apart (panel.h); with `add` both are added to what is there. */
void un_dense_weight_gradient(const un_dense *d, const void *x, un_stripe x_rows,
                              const void *dy, un_stripe dy_rows, bool add, void *work);

#endif
