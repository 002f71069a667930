/* reduce.h -- reductions over a whole tensor or along one dimension, and functions
** along one dimension that keep the sizes (softmax, cumsum). */
#ifndef UN_REDUCE_H
#define UN_REDUCE_H

#include "un.h"

typedef enum un_reduction {
  UN_SUM,
  UN_PROD,
  UN_MEAN,
  UN_VAR,
  UN_STD,
  UN_MIN,
  UN_MAX,
  UN_ARGMIN,
  UN_ARGMAX,
  UN_ANY,
  UN_ALL,
  UN_NORM,
  UN_LOGSUMEXP
} un_reduction;

typedef struct un_reduce_options {
  bool unbiased; /* var, std: divide by n - 1 */
  double p;      /* norm: the sum of |x|^p, to the power 1/p; may be infinite */
} un_reduce_options;

typedef struct un_reduced {
  double value;
  int64_t integer; /* sum of an int32 tensor (exact) */
  int64_t index;   /* 0-based, in row-major order: min, max, argmin, argmax */
} un_reduced;

/* int32 has sum, mean, min, max, argmin, argmax, any and all. */
bool un_reduces_int32(un_reduction r);

/* float32, float64 or int32. Fails when min or max has nothing to choose from. */
UN_CHECKED bool un_reduce_all(un_reduction r, const un_reduce_options *o,
                              const un_view *x, un_reduced *result, un_err *err);

/* Along dimension dim. out and indices have the sizes of x with 1 at dim; indices
** (int32, 1-based) may be NULL, out is NULL for argmin and argmax. out has x's dtype;
** int32 for any and all; float64 for sum and mean of int32. */
UN_CHECKED bool un_reduce_dim(un_reduction r, const un_reduce_options *o,
                              const un_view *x, int dim, const un_view *out,
                              const un_view *indices, un_err *err);

/* Sum of a_i b_i, two 1-d views of the same size and real dtype. */
double un_dot(const un_view *a, const un_view *b);

typedef enum un_scan {
  UN_SOFTMAX,
  UN_LOG_SOFTMAX,
  UN_CUMSUM,
  UN_REVERSE_CUMSUM
} un_scan;

/* out = scan of x along dim; the same sizes and real dtype; out may be x itself. */
void un_scan_dim(un_scan s, const un_view *x, int dim, const un_view *out);

/* dx for softmax and log_softmax, from y; dx may be dy or y itself. */
void un_softmax_gradient(un_scan s, const un_view *dy, const un_view *y, int dim,
                         const un_view *dx);

#endif
