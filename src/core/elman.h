/* elman.h -- the pointwise kernels of the tanh and relu cells. */
#ifndef UN_ELMAN_H
#define UN_ELMAN_H

#include "un.h"

typedef struct un_elman_kernels {
  void (*tanh[2])(void *h, int64_t n); /* h = tanh(h) */
  void (*relu[2])(void *h, int64_t n);
  /* da = dh * f'(a), from h = f(a) */
  void (*tanh_grad[2])(void *da, const void *dh, const void *h, int64_t n);
  void (*relu_grad[2])(void *da, const void *dh, const void *h, int64_t n);
} un_elman_kernels;

#endif
