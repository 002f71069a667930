/* isa/transpose.h -- squares of numbers turned over, for packing:
**     dst[i * width + j] = src[j * stride + i]
** transpose4 has i, j = 0..3, with vectors of 16 bytes, which every instruction set has;
** transpose up to SQUARE, which is 8 where vectors of 32 bytes turn over float32 with half as
** many instructions a number. */
#ifndef UN_TRANSPOSE_H
#define UN_TRANSPOSE_H

#include "vec.h"

typedef float quad __attribute__((vector_size(16)));
typedef float unaligned_quad __attribute__((vector_size(16), aligned(4), may_alias));

/* The elements of two quads in a new order; gcc before 12 has only its own form. */
#if defined __GNUC__ && !defined __clang__ && __GNUC__ < 12
typedef int32_t quad_index __attribute__((vector_size(16)));
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (quad_index){__VA_ARGS__})
#else
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#endif

ALWAYS_INLINE void transpose4_f32(float *dst, int64_t width, const float *src,
                                  int64_t stride) {
  quad a = *(const unaligned_quad *)src, b = *(const unaligned_quad *)(src + stride);
  quad c = *(const unaligned_quad *)(src + 2 * stride);
  quad d = *(const unaligned_quad *)(src + 3 * stride);
  quad ab = SHUFFLE(a, b, 0, 4, 1, 5);
  quad cd = SHUFFLE(c, d, 0, 4, 1, 5);
  quad ab2 = SHUFFLE(a, b, 2, 6, 3, 7);
  quad cd2 = SHUFFLE(c, d, 2, 6, 3, 7);
  *(unaligned_quad *)dst = SHUFFLE(ab, cd, 0, 1, 4, 5);
  *(unaligned_quad *)(dst + width) = SHUFFLE(ab, cd, 2, 3, 6, 7);
  *(unaligned_quad *)(dst + 2 * width) = SHUFFLE(ab2, cd2, 0, 1, 4, 5);
  *(unaligned_quad *)(dst + 3 * width) = SHUFFLE(ab2, cd2, 2, 3, 6, 7);
}

ALWAYS_INLINE void transpose4_f64(double *dst, int64_t width, const double *src,
                                  int64_t stride) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      dst[i * width + j] = src[j * stride + i];
}

#ifdef __AVX2__
enum { SQUARE_f32 = 8, SQUARE_f64 = 4 };

/* Four of the eight rows of dst. A vector has the same half of row j of src and of j + 4. */
ALWAYS_INLINE void transpose_half(float *dst, int64_t width, const float *src,
                                  int64_t stride) {
  __m256 row[4];
  for (int j = 0; j < 4; j++) {
    const __m256 low = _mm256_castps128_ps256(_mm_loadu_ps(src + j * stride));
    row[j] = _mm256_insertf128_ps(low, _mm_loadu_ps(src + (j + 4) * stride), 1);
  }
  const __m256 ab = _mm256_unpacklo_ps(row[0], row[1]);
  const __m256 cd = _mm256_unpacklo_ps(row[2], row[3]);
  const __m256 ab2 = _mm256_unpackhi_ps(row[0], row[1]);
  const __m256 cd2 = _mm256_unpackhi_ps(row[2], row[3]);
  _mm256_storeu_ps(dst, _mm256_shuffle_ps(ab, cd, 0x44));
  _mm256_storeu_ps(dst + width, _mm256_shuffle_ps(ab, cd, 0xee));
  _mm256_storeu_ps(dst + 2 * width, _mm256_shuffle_ps(ab2, cd2, 0x44));
  _mm256_storeu_ps(dst + 3 * width, _mm256_shuffle_ps(ab2, cd2, 0xee));
}

ALWAYS_INLINE void transpose_f32(float *dst, int64_t width, const float *src,
                                 int64_t stride) {
  transpose_half(dst, width, src, stride);
  transpose_half(dst + 4 * width, width, src + 4, stride);
}
#else
enum { SQUARE_f32 = 4, SQUARE_f64 = 4 };

ALWAYS_INLINE void transpose_f32(float *dst, int64_t width, const float *src,
                                 int64_t stride) {
  transpose4_f32(dst, width, src, stride);
}
#endif

ALWAYS_INLINE void transpose_f64(double *dst, int64_t width, const double *src,
                                 int64_t stride) {
  transpose4_f64(dst, width, src, stride);
}

#endif
