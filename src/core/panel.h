/* panel.h -- products with a matrix that was packed once and is used many times.
**
** A recurrent net multiplies by the same W at every step, so W (K,N) is packed once per
** window into panels: W columns of a panel lie together, row after row, padded with
** zeros. A panel is as wide as the registers allow; the microkernel keeps a block of y
** in registers while it runs down K. With one row (batch 1) this is a matrix-vector
** product
** that streams W once; with many it is a matrix product. No library call in the time
** loop.
**
** Each element of y is summed in the same order whatever the number of rows, so a pass
** over T steps equals T passes over one step, bit for bit. */
#ifndef UN_PANEL_H
#define UN_PANEL_H

#include "un.h"

/* y (rows,columns) = init + x (rows,depth) * packed (depth,columns). Strides are in
** elements. init is NULL for zeros, or has its own row stride (0: one row for all, a
** bias); it may be y itself. Or it is a table, of which y's row r takes row tokens[r],
** counted from 1, plus a bias. y's columns lie side by side; y must not overlap x. */
typedef struct un_product {
  int64_t rows, depth, columns;
  const void *x;
  int64_t x_row, x_column;
  bool x_tiles; /* x lies in the tiles of un_pack_kernels.tiles; no strides then */
  const void *packed;
  int64_t plain_row; /* not 0: `packed` is no packed matrix but one that lies row-major,
                        its rows so far apart; it has 64 bytes of columns or more */
  int64_t piece;     /* not 0: k goes in pieces of so many, a divisor of the depth, */
  int64_t x_piece, plain_piece; /* which begin so many elements apart */
  const void *init;
  int64_t init_row;
  const int32_t *tokens; /* or NULL */
  const void *bias;      /* with tokens */
  void *y;
  int64_t y_row;
} un_product;

typedef struct un_panel_kernels {
  int width[2]; /* of a panel; index 0 is float32, 1 float64 */
  size_t (*bytes[2])(int64_t depth, int64_t columns);
  void (*multiply[2])(const un_product *p);
} un_panel_kernels;

typedef struct un_pack_kernels {
  void (*panels[2])(void *packed, const void *w, int64_t depth, int64_t columns,
                    int64_t row_stride, int64_t column_stride);
  /* Some rows of the two operands of a^T b, a and b with `depth` rows, from row `at` on.
  ** The columns of a become the rows of a product, tile_rows in a tile. That pays where a
  ** row of a has at least tiles_from bytes, and a does not stay in the nearest cache: the
  ** rows of a tile of a^T then share too few places there; and where rows of b have at
  ** least tiles_columns, whose panels all read the tiles. For the same reason b is packed,
  ** unless its rows are whole lines of the cache and have no more than plain_up_to bytes;
  ** or the product has few rows, which packing would hardly pay for, and those of b have no
  ** more than few_plain_up_to bytes. */
  void (*rows[2])(void *packed, const void *b, int64_t depth, int64_t at, int64_t rows,
                  int64_t columns, int64_t row_stride);
  void (*tiles[2])(void *packed, const void *a, int64_t depth, int64_t at, int64_t rows,
                   int64_t columns, int64_t row_stride);
  int64_t tile_rows;
  size_t tiles_from, tiles_columns, plain_up_to, few_plain_up_to;
} un_pack_kernels;

/* Columns of a panel; one or two at the end may have fewer (isa/panel_layout.h). */
int64_t un_panel_width(un_dtype dtype);

/* Bytes that a packed (depth,columns) matrix needs. */
size_t un_panel_bytes(un_dtype dtype, int64_t depth, int64_t columns);

/* Element (k,n) of W is w[k * row_stride + n * column_stride]; one of the strides is 1. */
void un_panel_pack(un_dtype dtype, void *packed, const void *w, int64_t depth,
                   int64_t columns, int64_t row_stride, int64_t column_stride);
void un_panel_multiply(un_dtype dtype, const un_product *p);

/* Some rows of a matrix: in each of `pieces` `rows` neighbouring ones, and `apart` rows
** from the beginning of a piece to that of the next: some sequences of a batch over some
** steps. */
typedef struct un_stripe {
  int64_t pieces, rows, apart;
} un_stripe;

static inline un_stripe un_neighbours(int64_t rows) {
  return (un_stripe){1, rows, rows};
}

/* c (m,n) = a^T b, or with `add` c += a^T b, with a (k,m) and b (k,n), all row-major, rows
** that many numbers apart: a weight gradient as one product over the rows k of a stripe, of
** which a and b may have the pieces differently far apart. Scratch as un_panel_tn_bytes
** says for as many rows and m = a_row. The rows of c are shared out among threads, which
** changes no bit. */
typedef struct un_panel_tn_of {
  int64_t m, n;
  const void *a, *b;
  int64_t a_row, b_row, c_row;
  un_stripe a_rows, b_rows;
  void *c;
  bool add;
  void *scratch;
} un_panel_tn_of;

size_t un_panel_tn_bytes(un_dtype dtype, int64_t m, int64_t n, int64_t k);
void un_panel_tn(un_dtype dtype, const un_panel_tn_of *p);

/* Is a row-major b with rows of n numbers read where it lies, whatever the number of rows,
** if they begin at a line of the cache? */
bool un_panel_tn_in_place(un_dtype dtype, int64_t n);

#endif
