/* matmul.h -- matrix products on BLAS.
**
** The last two dimensions are matrices, those before are a batch and broadcast; a
** vector stands for a row on the left and for a column on the right, and its dimension
** does not come back. First un_matmul_sizes, then un_matmul_plan with an output of
** these sizes, then un_matmul_run with plan.scratch bytes, aligned as for double. Small
** products need no plan: un_matmul_small comes first. */
#ifndef UN_MATMUL_H
#define UN_MATMUL_H

#include "un.h"

typedef struct un_matmul {
  un_view a, b, c; /* (batch..., m, k), (batch..., k, n), (batch..., m, n) */
  un_view from_a, from_b,
      to_c; /* what is copied into a and b first, from c at the end */
  bool copy_a, copy_b, copy_c;
  size_t scratch;
} un_matmul;

/* OpenBLAS shall not start threads: results must not depend on their number. */
void un_blas_open(void);

UN_CHECKED bool un_matmul_sizes(const un_view *a, const un_view *b, int *dims,
                                int64_t *size, un_err *err);

/* out = a b when that is small and plain enough; false, and nothing is done, when not. */
bool un_matmul_small(const un_view *a, const un_view *b, const un_view *out);

void un_matmul_plan(un_matmul *plan, const un_view *a, const un_view *b,
                    const un_view *out);
void un_matmul_run(un_matmul *plan, void *scratch);

#endif
