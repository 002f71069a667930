/* isa/transpose.h -- squares of numbers turned over, for packing:
**     dst[i * width.one + j] = src[j * stride.one + i]
** for i, j = 0 .. side - 1. Squares of 4 there are with every instruction set, of float32 with
** vectors of 16 bytes; SQUARE is the largest side that there is. Vectors of 32 and of 64 bytes
** turn over squares of 8 and of 16 numbers of float32: a part of 16 bytes of each has four
** numbers of one row, so that nothing has to cross parts. */
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

/* From a row to the next, the next but one, and the third, which is not told from them: out
** of one number the compiler would make a pointer for each row of a square. */
typedef struct un_steps {
  int64_t one, two, three;
} un_steps;

ALWAYS_INLINE un_steps un_steps_of(int64_t one) {
  un_steps s = {one, 2 * one, 3 * one};
  __asm__("" : "+r"(s.one), "+r"(s.two), "+r"(s.three));
  return s;
}

ALWAYS_INLINE void transpose4_f32(float *dst, un_steps width, const float *src,
                                  un_steps stride) {
  quad a = *(const unaligned_quad *)src;
  quad b = *(const unaligned_quad *)(src + stride.one);
  quad c = *(const unaligned_quad *)(src + stride.two);
  quad d = *(const unaligned_quad *)(src + stride.three);
  quad ab = SHUFFLE(a, b, 0, 4, 1, 5);
  quad cd = SHUFFLE(c, d, 0, 4, 1, 5);
  quad ab2 = SHUFFLE(a, b, 2, 6, 3, 7);
  quad cd2 = SHUFFLE(c, d, 2, 6, 3, 7);
  *(unaligned_quad *)dst = SHUFFLE(ab, cd, 0, 1, 4, 5);
  *(unaligned_quad *)(dst + width.one) = SHUFFLE(ab, cd, 2, 3, 6, 7);
  *(unaligned_quad *)(dst + width.two) = SHUFFLE(ab2, cd2, 0, 1, 4, 5);
  *(unaligned_quad *)(dst + width.three) = SHUFFLE(ab2, cd2, 2, 3, 6, 7);
}

#ifdef __AVX2__
ALWAYS_INLINE void transpose4_f64(double *dst, un_steps width, const double *src,
                                  un_steps stride) {
  const __m256d a = _mm256_loadu_pd(src), b = _mm256_loadu_pd(src + stride.one);
  const __m256d c = _mm256_loadu_pd(src + stride.two);
  const __m256d d = _mm256_loadu_pd(src + stride.three);
  const __m256d ab = _mm256_unpacklo_pd(a, b), ab2 = _mm256_unpackhi_pd(a, b);
  const __m256d cd = _mm256_unpacklo_pd(c, d), cd2 = _mm256_unpackhi_pd(c, d);
  _mm256_storeu_pd(dst, _mm256_permute2f128_pd(ab, cd, 0x20));
  _mm256_storeu_pd(dst + width.one, _mm256_permute2f128_pd(ab2, cd2, 0x20));
  _mm256_storeu_pd(dst + width.two, _mm256_permute2f128_pd(ab, cd, 0x31));
  _mm256_storeu_pd(dst + width.three, _mm256_permute2f128_pd(ab2, cd2, 0x31));
}
#else
ALWAYS_INLINE void transpose4_f64(double *dst, un_steps width, const double *src,
                                  un_steps stride) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      dst[i * width.one + j] = src[j * stride.one + i];
}
#endif

#ifdef __AVX2__
ALWAYS_INLINE __m256 load_halves(const float *low, const float *high) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)),
                              _mm_loadu_ps(high), 1);
}

/* Four of the eight rows of dst. A vector has the same half of row j of src and of j + 4. */
ALWAYS_INLINE void transpose_half(float *dst, un_steps width, const float *src,
                                  const float *src4, un_steps stride) {
  const __m256 a = load_halves(src, src4);
  const __m256 b = load_halves(src + stride.one, src4 + stride.one);
  const __m256 c = load_halves(src + stride.two, src4 + stride.two);
  const __m256 d = load_halves(src + stride.three, src4 + stride.three);
  const __m256 ab = _mm256_unpacklo_ps(a, b), ab2 = _mm256_unpackhi_ps(a, b);
  const __m256 cd = _mm256_unpacklo_ps(c, d), cd2 = _mm256_unpackhi_ps(c, d);
  _mm256_storeu_ps(dst, _mm256_shuffle_ps(ab, cd, 0x44));
  _mm256_storeu_ps(dst + width.one, _mm256_shuffle_ps(ab, cd, 0xee));
  _mm256_storeu_ps(dst + width.two, _mm256_shuffle_ps(ab2, cd2, 0x44));
  _mm256_storeu_ps(dst + width.three, _mm256_shuffle_ps(ab2, cd2, 0xee));
}

ALWAYS_INLINE void transpose8_f32(float *dst, un_steps width, const float *src,
                                  un_steps stride) {
  const float *src4 = src + stride.two + stride.two;
  transpose_half(dst, width, src, src4, stride);
  transpose_half(dst + width.two + width.two, width, src + 4, src4 + 4, stride);
}
#endif

#ifdef __AVX512F__
/* Four numbers of each of four rows. */
ALWAYS_INLINE __m512 load_quarters(const float *const row[4], int64_t at) {
  __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(row[0] + at));
  x = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps(row[1] + at));
  x = _mm512_mask_broadcast_f32x4(x, 0x0f00, _mm_loadu_ps(row[2] + at));
  return _mm512_mask_broadcast_f32x4(x, 0xf000, _mm_loadu_ps(row[3] + at));
}

/* Four of the sixteen rows of dst; row[i] is row 4 i of src. */
ALWAYS_INLINE void transpose_quarter(float *dst, un_steps width,
                                     const float *const row[4], un_steps stride) {
  const __m512 a = load_quarters(row, 0), b = load_quarters(row, stride.one);
  const __m512 c = load_quarters(row, stride.two), d = load_quarters(row, stride.three);
  const __m512 ab = _mm512_unpacklo_ps(a, b), ab2 = _mm512_unpackhi_ps(a, b);
  const __m512 cd = _mm512_unpacklo_ps(c, d), cd2 = _mm512_unpackhi_ps(c, d);
  _mm512_storeu_ps(dst, _mm512_shuffle_ps(ab, cd, 0x44));
  _mm512_storeu_ps(dst + width.one, _mm512_shuffle_ps(ab, cd, 0xee));
  _mm512_storeu_ps(dst + width.two, _mm512_shuffle_ps(ab2, cd2, 0x44));
  _mm512_storeu_ps(dst + width.three, _mm512_shuffle_ps(ab2, cd2, 0xee));
}

ALWAYS_INLINE void transpose16_f32(float *dst, un_steps width, const float *src,
                                   un_steps stride) {
  const int64_t four = stride.two + stride.two;
  _Pragma("GCC unroll 4") for (int q = 0; q < 4; q++) {
    const float *first = src + 4 * q;
    transpose_quarter(dst, width,
                      (const float *[]){first, first + four, first + 2 * four,
                                        first + 2 * four + four},
                      stride);
    dst += width.two + width.two;
  }
}
#endif

#if defined __AVX512F__
enum { SQUARE_f32 = 16, SQUARE_f64 = 4 };
#elif defined __AVX2__
enum { SQUARE_f32 = 8, SQUARE_f64 = 4 };
#else
enum { SQUARE_f32 = 4, SQUARE_f64 = 4 };
#endif

ALWAYS_INLINE void transpose_f32(float *dst, un_steps width, const float *src,
                                 un_steps stride, const int side) {
#ifdef __AVX512F__
  if (side == 16) transpose16_f32(dst, width, src, stride);
#endif
#ifdef __AVX2__
  if (side == 8) transpose8_f32(dst, width, src, stride);
#endif
  if (side == 4) transpose4_f32(dst, width, src, stride);
}

ALWAYS_INLINE void transpose_f64(double *dst, un_steps width, const double *src,
                                 un_steps stride, const int side) {
  if (side == 4) transpose4_f64(dst, width, src, stride);
}

#endif
