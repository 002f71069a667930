/* isa/vec_root.h -- square roots of several vectors at once.
**
** The exact root of a float32 vector takes the divider of the processor, which divisions
** keep busy already. The multipliers make it in less time from the approximate
** reciprocal root r that vector units have, with one step of Newton's method:
**
**     x = s r        sqrt s = x + x (1 - x r) / 2
**
** within 1 unit in the last place of the root (tests/core/test_optim.c). Where r is 0 or
** infinite (s is 0, infinite or, with AVX2, subnormal) and where s is negative, that is
** NaN: these lanes, looked for in all vectors together, take the exact root. A lane
** never depends on its neighbours. float64, and the generic path, are exact. */
#ifndef UN_VEC_ROOT_H
#define UN_VEC_ROOT_H

#include "vec.h"
#include "vec_math.h"

/* Vectors at once: their roots and what they are made for fit in the registers. */
enum { ROOTS = 4 };
#define EACH_ROOT(k, n) _Pragma("GCC unroll 4") for (int k = 0; k < (n); k++)

UN_VEC_FUNCTION(exact_root, f32, float, __builtin_sqrtf)
UN_VEC_FUNCTION(exact_root, f64, double, __builtin_sqrt)

/* x[k] <- sqrt x[k] */
ALWAYS_INLINE void roots_f64(vec_f64 x[ROOTS], const int count) {
  EACH_ROOT(k, count) x[k] = exact_root_f64(x[k]);
}

#if defined __AVX512F__ || defined __AVX2__

typedef int32_t vec_i32 __attribute__((vector_size(VEC_BYTES)));

ALWAYS_INLINE vec_f32 reciprocal_root(vec_f32 s) {
#if defined __AVX512F__
  return (vec_f32)_mm512_rsqrt14_ps((__m512)s);
#else
  return (vec_f32)_mm256_rsqrt_ps((__m256)s);
#endif
}

/* Half of x, by its exponent: that takes no multiplier. */
ALWAYS_INLINE vec_f32 near_root(vec_f32 s) {
  vec_f32 r = reciprocal_root(s), x = s * r;
  vec_f32 half = (vec_f32)((vec_i32)x - 0x00800000);
  return x + half * (1 - x * r);
}

ALWAYS_INLINE bool has_nan(vec_f32 v) {
#if defined __AVX512F__
  return _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q) != 0;
#else
  return _mm256_movemask_ps(_mm256_cmp_ps((__m256)v, (__m256)v, _CMP_UNORD_Q)) != 0;
#endif
}

ALWAYS_INLINE void roots_f32(vec_f32 x[ROOTS], const int count) {
  vec_f32 near[ROOTS];
  EACH_ROOT(k, count) near[k] = near_root(x[k]);
  vec_f32 sum = near[0];
  EACH_ROOT(k, count - 1) sum += near[k + 1];
  if (__builtin_expect(has_nan(sum), 0)) EACH_ROOT(k, count) {
      vec_i32 is_number = near[k] == near[k];
      near[k] = (vec_f32)(((vec_i32)near[k] & is_number) |
                          ((vec_i32)exact_root_f32(x[k]) & ~is_number));
    }
  EACH_ROOT(k, count) x[k] = near[k];
}

#else

ALWAYS_INLINE void roots_f32(vec_f32 x[ROOTS], const int count) {
  EACH_ROOT(k, count) x[k] = exact_root_f32(x[k]);
}

#endif

#endif
