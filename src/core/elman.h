/* elman.h -- the pointwise kernels of the tanh and relu cells. */
#ifndef UN_ELMAN_H
#define UN_ELMAN_H

#include "un.h"

typedef struct un_elman_kernels {
  /* h = tanh(h + add), add may be NULL; or relu */
  void (*tanh[2])(void *h, const void *add, int64_t n);
  void (*relu[2])(void *h, const void *add, int64_t n);
  /* da = dh * f'(a), from h = f(a) */
  void (*tanh_grad[2])(void *da, const void *dh, const void *h, int64_t n);
  void (*relu_grad[2])(void *da, const void *dh, const void *h, int64_t n);
} un_elman_kernels;

#endif
