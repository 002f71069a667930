/* isa/quad.h -- four neighbouring numbers with one load, and each of them spread over a vector in
** registers. */
#ifndef UN_QUAD_H
#define UN_QUAD_H

#include "vec.h"

/* Four x, side by side in each part of a vector within which a number can be moved. */
#if defined __AVX512F__
#define QUAD_f32(x)      ((vec_f32)_mm512_broadcast_f32x4(_mm_loadu_ps(x)))
#define QUAD_f64(x)      ((vec_f64)_mm512_broadcast_f64x4(_mm256_loadu_pd(x)))
#define SPREAD_f32(q, i) ((vec_f32)_mm512_permute_ps((__m512)(q), (i)*0x55))
#define SPREAD_f64(q, i) ((vec_f64)_mm512_permutex_pd((__m512d)(q), (i)*0x55))
#elif defined __AVX2__
#define QUAD_f32(x)      ((vec_f32)_mm256_broadcast_ps((const __m128 *)(const void *)(x)))
#define QUAD_f64(x)      ((vec_f64)_mm256_loadu_pd(x))
#define SPREAD_f32(q, i) ((vec_f32)_mm256_permute_ps((__m256)(q), (i)*0x55))
#define SPREAD_f64(q, i) ((vec_f64)_mm256_permute4x64_pd((__m256d)(q), (i)*0x55))
#else
#define QUAD_f32(x)      (x)
#define QUAD_f64(x)      (x)
#define SPREAD_f32(q, i) (all_f32((q)[i]))
#define SPREAD_f64(q, i) (all_f64((q)[i]))
#endif

#endif
