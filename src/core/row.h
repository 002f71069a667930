/* row.h -- products of a single row with a packed matrix, y = init + x W.
**
** With a batch of 1 a recurrent net is such a product at every step, and what counts is
** how fast W comes from the cache. W (K,N) is packed once (isa/row_layout.h) and read in
** one piece, upwards or `down`. What was read last is still in the nearest cache, so
** products that follow each other go to and fro. Going down adds the same numbers the
** other way round: the result may differ in the last bit.
**
** In the sweeps over a stretch of steps (un_row_run in cell.h) the first step goes up,
** the second one down, and so on: cut at an even step, a window gives the same bits. */
#ifndef UN_ROW_H
#define UN_ROW_H

#include "un.h"

struct un_row_run;
typedef struct un_row_product un_row_product;

/* Columns `first` to `end`. */
typedef void un_row_kernel(const un_row_product *p, int64_t first, int64_t end);

/* y may be init; it must not overlap x. */
struct un_row_product {
  int64_t depth, columns;
  const void *x;      /* (depth) */
  const void *packed; /* un_row_pack */
  const void *init;   /* (columns), or NULL: zeros */
  void *y;            /* (columns) */
  bool down;
  un_row_kernel *kernel; /* for un_row_repeat: un_row_kernel_for */
};

typedef struct un_row_kernels {
  size_t (*bytes[2])(int64_t depth, int64_t columns); /* for float32 and float64 */
  void (*pack[2])(void *packed, const void *w, int64_t depth, int64_t columns,
                  int64_t row_stride, int64_t column_stride);
} un_row_kernels;

typedef struct un_row_products {
  un_row_kernel *multiply[2];
  /* the same for so many columns alone */
  un_row_kernel *(*kernel_for[2])(int64_t columns);
  /* the tanh and relu cells over a stretch of steps, forward and back */
  void (*tanh[2])(const struct un_row_run *r);
  void (*relu[2])(const struct un_row_run *r);
  void (*tanh_back[2])(const struct un_row_run *r);
  void (*relu_back[2])(const struct un_row_run *r);
} un_row_products;

/* Bytes of a packed (depth,columns) matrix. */
size_t un_row_bytes(un_dtype dtype, int64_t depth, int64_t columns);

/* Element (k,n) of W is w[k * row_stride + n * column_stride]; one of the strides is 1. */
void un_row_pack(un_dtype dtype, void *packed, const void *w, int64_t depth,
                 int64_t columns, int64_t row_stride, int64_t column_stride);
void un_row_multiply(un_dtype dtype, const un_row_product *p);

/* A product that is made again and again: its kernel is chosen once. */
un_row_kernel *un_row_kernel_for(un_dtype dtype, int64_t columns);
static inline void un_row_repeat(const un_row_product *p) {
  p->kernel(p, 0, p->columns);
}

const un_row_products *un_row_table(void);

#endif
