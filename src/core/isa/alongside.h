/* isa/alongside.h -- a few columns of a product of a single row that lie along k (row_layout.h):
** x . w of two or of four columns, in one short vector.
**
** As a short vector beside whole ones they would take a multiply-add in each row of W; along k
** a vector takes LANES rows of one of them. */
#ifndef UN_ALONGSIDE_H
#define UN_ALONGSIDE_H

#include "short.h"
#include "vec.h"

#if defined __AVX512F__

/* The sums of the lanes of four vectors. */
ALWAYS_INLINE short16_f32 add_lanes(const vec_f32 s[4]) {
  const __m512 a = (__m512)s[0], b = (__m512)s[1], c = (__m512)s[2], d = (__m512)s[3];
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512 quads =
      _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
  const __m256 two =
      _mm256_add_ps(_mm512_castps512_ps256(quads), _mm512_extractf32x8_ps(quads, 1));
  return (short16_f32)_mm_add_ps(_mm256_castps256_ps128(two),
                                 _mm256_extractf128_ps(two, 1));
}

/* x . w for `count` columns that lie one behind the other, with zeros to the end of the last
** vector of each. */
ALWAYS_INLINE short16_f32 sums_alongside_f32(const float *w, const float *x,
                                             int64_t depth, const int count) {
  const int64_t length = (depth + LANES_f32 - 1) / LANES_f32 * LANES_f32;
  vec_f32 sums[4] = {{0}, {0}, {0}, {0}};
  for (int64_t k = 0; k < depth; k += LANES_f32) {
    const int64_t left = depth - k;
    const vec_f32 xk = left < LANES_f32 ? load_part_f32(x + k, left) : load_f32(x + k);
    _Pragma("GCC unroll 4") for (int i = 0; i < count; i++) sums[i] +=
        xk * load_f32(w + i * length + k);
  }
  return add_lanes(sums);
}

#else

/* There are none (LEAST_BESIDE). */
ALWAYS_INLINE short16_f32 sums_alongside_f32(const float *w, const float *x,
                                             int64_t depth, const int count) {
  (void)w, (void)x, (void)depth, (void)count;
  return (short16_f32){0};
}

#endif

ALWAYS_INLINE short16_f64 sums_alongside_f64(const double *w, const double *x,
                                             int64_t depth, const int count) {
  (void)w, (void)x, (void)depth, (void)count;
  return (short16_f64){0};
}

#endif
