/* isa/elman.c -- tanh and relu along h, and back (see elman.h).
**
** tanh runs over whole vectors and then over a padded one, so that the compiler needs no
** scalar loop: for small H that loop would take most of the time. */
#ifndef REAL
#include "elman.h"

#include "isa.h"
#include "vec.h"
#include "vec_math.h"

#define UN_TEMPLATE "isa/elman.c"
#include "each_dtype.h"

extern const un_elman_kernels ISA(un_elman);
const un_elman_kernels ISA(un_elman) = {
    .tanh = {tanh_f32, tanh_f64},
    .relu = {relu_f32, relu_f64},
    .tanh_grad = {tanh_grad_f32, tanh_grad_f64},
    .relu_grad = {relu_grad_f32, relu_grad_f64},
};

#else

static void FN(tanh)(void *vh, int64_t n) {
  REAL *h = vh;
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES))
    FN(store)(h + i, FN(vtanh)(FN(load)(h + i)));
  if (i < n) FN(store_part)(h + i, FN(vtanh)(FN(load_part)(h + i, n - i)), n - i);
}

static void FN(relu)(void *vh, int64_t n) {
  REAL *h = vh;
  for (int64_t i = 0; i < n; i++)
    h[i] = h[i] < 0 ? 0 : h[i]; /* NaN stays */
}

static void FN(tanh_grad)(void *vda, const void *vdh, const void *vh, int64_t n) {
  REAL *restrict da = vda;
  const REAL *restrict dh = vdh, *restrict h = vh;
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES)) {
    FN(vec) y = FN(load)(h + i);
    FN(store)(da + i, FN(load)(dh + i) * (1 - y * y));
  }
  if (i == n) return;
  FN(vec) y = FN(load_part)(h + i, n - i);
  FN(store_part)(da + i, FN(load_part)(dh + i, n - i) * (1 - y * y), n - i);
}

static void FN(relu_grad)(void *vda, const void *vdh, const void *vh, int64_t n) {
  REAL *restrict da = vda;
  const REAL *restrict dh = vdh, *restrict h = vh;
  for (int64_t i = 0; i < n; i++)
    da[i] = h[i] > 0 ? dh[i] : 0;
}

#endif
