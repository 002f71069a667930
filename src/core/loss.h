/* loss.h -- losses of a read-out, with their gradients in the same pass.
**
** y (N,V) holds N = T*B rows of outputs without gaps. Each row has a weight (NULL: 1);
** a row whose weight is 0 takes no part: its target is not looked at, its gradient is
** 0.
**     total = sum_n weight_n * loss_n        gradient = scale * d total / dy
**     softmax cross-entropy: loss_n = log(sum_v exp y_nv) - y_n,target, in nats
**     squared error:         loss_n = sum_v (y_nv - target_nv)^2
** For a mean the caller divides by the sum of the weights and gives 1 / that as scale.
** The sums run in double in the order of the rows, so cutting a pass into chunks, or
** among threads, does not change a bit. */
#ifndef UN_LOSS_H
#define UN_LOSS_H

#include "un.h"

typedef struct un_loss {
  un_dtype dtype;
  int64_t rows, columns;
  const void *y;
  const int32_t *labels; /* cross-entropy: (N), 1-based */
  const void *target;    /* squared error: (N,V) */
  const void *weight;    /* (N) or NULL */
  void *dy;              /* (N,V), may be y; NULL: no gradient wanted */
  double scale;          /* of the gradient */
} un_loss;

/* each (rows): weight * loss of the rows; the gradient where dy is set. */
typedef struct un_loss_kernels {
  void (*softmax[2])(const un_loss *l, double *each);
  void (*squares[2])(const un_loss *l, double *each);
} un_loss_kernels;

/* Checks the labels of the rows that have a weight; they came as (T,batch). */
UN_CHECKED bool un_check_labels(const un_loss *l, int64_t batch, un_err *err);

/* How many numbers the loss of one row sums over: a mean divides by them too. */
static inline double un_loss_width(const un_loss *l) {
  return l->labels ? 1 : (double)l->columns;
}

double un_weight_sum(const un_loss *l,
                     double sum); /* sum + that of the weights, or N */

/* The same loss of `rows` rows from `first` on. */
un_loss un_loss_part(const un_loss *l, int64_t first, int64_t rows);

void un_loss_rows(const un_loss *l, double *each);  /* softmax when there are labels */
double un_loss_sum(const un_loss *l, double total); /* total + that of these rows */

#endif
