/* loss.h -- losses of a read-out, with their gradients in the same pass.
**
** y (N,V) holds N = T*B rows of outputs without gaps. Each row has a weight (NULL: 1);
** a row whose weight is 0 takes no part: its target is not looked at, its gradient is
** 0.
**     total = sum_n weight_n * loss_n        gradient = scale * d total / dy
**     softmax cross-entropy: loss_n = log(sum_v exp y_nv) - y_n,target, in nats
**     squared error:         loss_n = sum_v (y_nv - target_nv)^2
** For a mean the caller divides by the sum of the weights and gives 1 / that as scale.
** The sums run in double in the order of the rows, so cutting a pass into chunks does
** not change a bit. */
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

typedef struct un_loss_kernels {
  double (*softmax[2])(const un_loss *l, double total);
  double (*squares[2])(const un_loss *l, double total);
} un_loss_kernels;

/* Checks the labels of the rows that have a weight; they came as (T,batch). */
UN_CHECKED bool un_check_labels(const un_loss *l, int64_t batch, un_err *err);

/* How many numbers the loss of one row sums over: a mean divides by them too. */
static inline double un_loss_width(const un_loss *l) {
  return l->labels ? 1 : (double)l->columns;
}

double un_weight_sum(const un_loss *l,
                     double sum); /* sum + that of the weights, or N */
double un_softmax_loss(const un_loss *l, double total); /* total + that of these rows */
double un_squares_loss(const un_loss *l, double total);

#endif
