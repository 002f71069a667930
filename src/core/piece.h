/* piece.h -- element-wise kernels on pieces of a run: operands of another dtype than
** the arithmetic are converted into small buffers on the way. Shared by ops.c and
** sum_repeated.c. */
#ifndef UN_PIECE_H
#define UN_PIECE_H

#include "walk.h"

enum { UN_PIECE = 256 };

typedef union un_piece {
  float f32[UN_PIECE];
  double f64[UN_PIECE];
  int32_t i32[UN_PIECE];
} un_piece;

typedef struct un_mixed {
  un_run *kernel;
  void *context; /* the kernel's */
  int operands;  /* the output, then the inputs */
  un_dtype held[UN_WALK_MAX], wanted[UN_WALK_MAX];
} un_mixed;

/* The kernel takes operand k of `view` in the dtype wanted[k]. */
un_mixed un_make_mixed(un_run *kernel, void *context, int operands,
                       const un_view *const *view, const un_dtype *wanted);

/* The first n <= UN_PIECE results, into `result`, in the dtype wanted[0]. */
void un_mixed_piece(const un_mixed *m, int64_t n, void *const *data,
                    const int64_t *stride, un_piece *result);

/* view[0], whose sizes broadcast to those of the inputs view[1] ..., becomes the
** results summed over the dimensions in which it would be repeated (sum_repeated.c).
** */
void un_sum_repeated(const un_mixed *m, const un_view *const *view);

#endif
