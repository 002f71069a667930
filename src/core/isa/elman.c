/* isa/elman.c -- tanh and relu along h, and back (see elman.h).
**
** They run over whole vectors and then over a part of one, so that the compiler needs no
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

ALWAYS_INLINE FN(vec) FN(apply)(FN(vec) x, const bool is_tanh) {
  return is_tanh ? FN(vtanh)(x) : FN(vrelu)(x);
}

ALWAYS_INLINE void FN(activate)(REAL *h, const REAL *add, int64_t n,
                                const bool is_tanh) {
  int64_t i = 0;
  for (; i + FN(LANES) <= n; i += FN(LANES)) {
    FN(vec) x = FN(load)(h + i);
    if (add) x += FN(load)(add + i);
    FN(store)(h + i, FN(apply)(x, is_tanh));
  }
  if (i == n) return;
  FN(vec) x = FN(load_part)(h + i, n - i);
  if (add) x += FN(load_part)(add + i, n - i);
  FN(store_part)(h + i, FN(apply)(x, is_tanh), n - i);
}

static void FN(tanh)(void *h, const void *add, int64_t n) {
  FN(activate)(h, add, n, true);
}

static void FN(relu)(void *h, const void *add, int64_t n) {
  FN(activate)(h, add, n, false);
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
