/* pick.h -- draws one symbol from the logits of a read-out.
**
** The probabilities are softmax(logits / temperature); temperature 0 takes the largest
** logit (the first of equals). top_k keeps the k most probable symbols; top_p then
** keeps
** the fewest most probable ones that together have at least that share of what is left
** (nucleus sampling, Holtzman et al. 2020). Equals keep the order of their indices. */
#ifndef UN_PICK_H
#define UN_PICK_H

#include "un.h"

typedef struct un_pick {
  un_dtype dtype;
  int64_t n;
  const void *logits; /* (n) */
  double temperature; /* at least 0 */
  int64_t top_k;      /* 1..n */
  double top_p;       /* above 0, at most 1 */
  double u;           /* a uniform number in [0,1) */
  double *share;      /* scratch (n) */
  int32_t *order;     /* scratch (n) */
} un_pick;

typedef struct un_pick_kernels {
  /* share (n) = exp((logits - largest) / temperature); returns their sum, which is not
  ** finite where a logit is NaN or +infinity, or all are -infinity */
  double (*shares[2])(const void *logits, int64_t n, double temperature, double *share);
  /* the index of the first of the largest; -1 when there is no proper one */
  int64_t (*largest[2])(const void *logits, int64_t n);
  /* the first i with share[0] + ... + share[i] > wanted, or n - 1 */
  int64_t (*find)(const double *share, int64_t n, double wanted);
} un_pick_kernels;

/* The symbol, from 0. Fails when a logit is NaN or +infinity, or all are -infinity. */
UN_CHECKED bool un_pick_symbol(const un_pick *p, int64_t *symbol, un_err *err);

#endif
