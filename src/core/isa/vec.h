/* vec.h -- vectors as wide as the instruction set has, for the files in isa/.
**
** vec_f32 and vec_f64 are gcc vector types: + and * work on all lanes. Loads and stores
** need no alignment. load_part and store_part touch only the first n lanes, fewer than all
** (the others read as zero): the end of a row needs neither padding nor a scalar loop. */
#ifndef UN_VEC_H
#define UN_VEC_H

#include <stdint.h>

#if defined __AVX512F__ || defined __AVX2__
#include <immintrin.h>
#endif

#if defined __AVX512F__
#define VEC_BYTES 64
#elif defined __AVX2__
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif

enum { LANES_f32 = VEC_BYTES / 4, LANES_f64 = VEC_BYTES / 8 };

typedef float vec_f32 __attribute__((vector_size(VEC_BYTES)));
typedef double vec_f64 __attribute__((vector_size(VEC_BYTES)));
typedef float unaligned_f32
    __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));
typedef double unaligned_f64
    __attribute__((vector_size(VEC_BYTES), aligned(8), may_alias));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE vec_f32 load_f32(const float *p) {
  return *(const unaligned_f32 *)p;
}

ALWAYS_INLINE vec_f64 load_f64(const double *p) {
  return *(const unaligned_f64 *)p;
}

ALWAYS_INLINE void store_f32(float *p, vec_f32 v) {
  *(unaligned_f32 *)p = v;
}

ALWAYS_INLINE void store_f64(double *p, vec_f64 v) {
  *(unaligned_f64 *)p = v;
}

/* x in all lanes */
ALWAYS_INLINE vec_f32 all_f32(float x) {
  return x - (vec_f32){0};
}

ALWAYS_INLINE vec_f64 all_f64(double x) {
  return x - (vec_f64){0};
}

/* --- sums and maxima of all lanes ------------------------------------------------------
** Half is added to half until one is left: the same order everywhere. */

typedef float half_f32 __attribute__((vector_size(16)));
typedef double half_f64 __attribute__((vector_size(16)));

ALWAYS_INLINE float reduce_add_f32(vec_f32 v) {
#if defined __AVX512F__
  return _mm512_reduce_add_ps((__m512)v);
#else
#if defined __AVX2__
  half_f32 h = (half_f32)_mm256_castps256_ps128((__m256)v) +
               (half_f32)_mm256_extractf128_ps((__m256)v, 1);
#else
  half_f32 h = v;
#endif
  return (h[0] + h[2]) + (h[1] + h[3]);
#endif
}

ALWAYS_INLINE double reduce_add_f64(vec_f64 v) {
#if defined __AVX512F__
  return _mm512_reduce_add_pd((__m512d)v);
#elif defined __AVX2__
  half_f64 h = (half_f64)_mm256_castpd256_pd128((__m256d)v) +
               (half_f64)_mm256_extractf128_pd((__m256d)v, 1);
  return h[0] + h[1];
#else
  return v[0] + v[1];
#endif
}

/* The larger of each pair of lanes; where one is NaN, b. */
ALWAYS_INLINE vec_f32 max_f32(vec_f32 a, vec_f32 b) {
#if defined __AVX512F__
  return (vec_f32)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
  return (vec_f32)_mm256_max_ps((__m256)a, (__m256)b);
#else
  for (int i = 0; i < LANES_f32; i++)
    a[i] = a[i] > b[i] ? a[i] : b[i];
  return a;
#endif
}

ALWAYS_INLINE vec_f64 max_f64(vec_f64 a, vec_f64 b) {
#if defined __AVX512F__
  return (vec_f64)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif defined __AVX2__
  return (vec_f64)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
  for (int i = 0; i < LANES_f64; i++)
    a[i] = a[i] > b[i] ? a[i] : b[i];
  return a;
#endif
}

#if defined __AVX2__
/* The smaller of each pair of lanes; where one is NaN, b. */
ALWAYS_INLINE vec_f32 min_f32(vec_f32 a, vec_f32 b) {
#if defined __AVX512F__
  return (vec_f32)_mm512_min_ps((__m512)a, (__m512)b);
#else
  return (vec_f32)_mm256_min_ps((__m256)a, (__m256)b);
#endif
}
#endif

ALWAYS_INLINE float reduce_max_f32(vec_f32 v) {
#if defined __AVX512F__
  return _mm512_reduce_max_ps((__m512)v);
#elif defined __AVX2__
  __m128 h = _mm_max_ps(_mm256_castps256_ps128((__m256)v),
                        _mm256_extractf128_ps((__m256)v, 1));
  h = _mm_max_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
#else
  float max = v[0];
  for (int i = 1; i < LANES_f32; i++)
    max = v[i] > max ? v[i] : max;
  return max;
#endif
}

ALWAYS_INLINE double reduce_max_f64(vec_f64 v) {
#if defined __AVX512F__
  return _mm512_reduce_max_pd((__m512d)v);
#else
  double max = v[0];
  for (int i = 1; i < LANES_f64; i++)
    max = v[i] > max ? v[i] : max;
  return max;
#endif
}

/* --- comparing all lanes -------------------------------------------------------------
** One bit for each lane. */

/* Where a is above b, or one of them is NaN. */
ALWAYS_INLINE unsigned not_at_most_f32(vec_f32 a, vec_f32 b) {
#if defined __AVX512F__
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_NLE_UQ);
#elif defined __AVX2__
  return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_NLE_UQ));
#else
  unsigned bits = 0;
  for (int i = 0; i < LANES_f32; i++)
    bits |= (unsigned)!(a[i] <= b[i]) << i;
  return bits;
#endif
}

ALWAYS_INLINE unsigned not_at_most_f64(vec_f64 a, vec_f64 b) {
#if defined __AVX512F__
  return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_NLE_UQ);
#elif defined __AVX2__
  return (unsigned)_mm256_movemask_pd(
      _mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_NLE_UQ));
#else
  unsigned bits = 0;
  for (int i = 0; i < LANES_f64; i++)
    bits |= (unsigned)!(a[i] <= b[i]) << i;
  return bits;
#endif
}

/* --- parts of vectors ----------------------------------------------------------------- */

#if defined __AVX512F__

ALWAYS_INLINE vec_f32 load_part_f32(const float *p, int64_t n) {
  return (vec_f32)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

ALWAYS_INLINE vec_f64 load_part_f64(const double *p, int64_t n) {
  return (vec_f64)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p);
}

#elif defined __AVX2__

static const int32_t un_vec_mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

ALWAYS_INLINE __m256i part_mask(int64_t words) {
  return _mm256_loadu_si256((const __m256i *)(const void *)(un_vec_mask + 8 - words));
}

ALWAYS_INLINE vec_f32 load_part_f32(const float *p, int64_t n) {
  return (vec_f32)_mm256_maskload_ps(p, part_mask(n));
}

ALWAYS_INLINE vec_f64 load_part_f64(const double *p, int64_t n) {
  return (vec_f64)_mm256_maskload_pd(p, part_mask(2 * n));
}

#else

ALWAYS_INLINE vec_f32 load_part_f32(const float *p, int64_t n) {
  vec_f32 v = {0};
  for (int64_t i = 0; i < n; i++)
    v[i] = p[i];
  return v;
}

ALWAYS_INLINE vec_f64 load_part_f64(const double *p, int64_t n) {
  vec_f64 v = {0};
  for (int64_t i = 0; i < n; i++)
    v[i] = p[i];
  return v;
}

ALWAYS_INLINE void store_part_f32(float *p, vec_f32 v, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    p[i] = v[i];
}

ALWAYS_INLINE void store_part_f64(double *p, vec_f64 v, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    p[i] = v[i];
}

#endif

#if defined __AVX2__

/* The first words of 4 bytes, fewer than a vector has: in pieces, and not with a mask. A
** load from behind them would wait for a store with a mask until that is in the cache;
** and AVX2's own takes 13 cycles (AMD). */
ALWAYS_INLINE void store_words(float *p, vec_f32 v, int64_t words) {
#if defined __AVX512F__
  __m256 y = _mm512_castps512_ps256((__m512)v);
  if (words & 8) {
    _mm256_storeu_ps(p, y);
    y = _mm512_extractf32x8_ps((__m512)v, 1);
    p += 8;
  }
#else
  const __m256 y = (__m256)v;
#endif
  __m128 x = _mm256_castps256_ps128(y);
  if (words & 4) {
    _mm_storeu_ps(p, x);
    x = _mm256_extractf128_ps(y, 1);
    p += 4;
  }
  if (words & 2) {
    _mm_storel_pi((__m64 *)p, x);
    x = _mm_movehl_ps(x, x);
    p += 2;
  }
  if (words & 1) _mm_store_ss(p, x);
}

ALWAYS_INLINE void store_part_f32(float *p, vec_f32 v, int64_t n) {
  store_words(p, v, n);
}

ALWAYS_INLINE void store_part_f64(double *p, vec_f64 v, int64_t n) {
  store_words((float *)p, (vec_f32)v, 2 * n);
}

#endif

/* The first n lanes from memory, the others `rest`. */
#if defined __AVX512F__

ALWAYS_INLINE vec_f32 load_part_or_f32(const float *p, int64_t n, float rest) {
  return (vec_f32)_mm512_mask_loadu_ps(_mm512_set1_ps(rest), (__mmask16)((1u << n) - 1),
                                       p);
}

ALWAYS_INLINE vec_f64 load_part_or_f64(const double *p, int64_t n, double rest) {
  return (vec_f64)_mm512_mask_loadu_pd(_mm512_set1_pd(rest), (__mmask8)((1u << n) - 1),
                                       p);
}

#elif defined __AVX2__

ALWAYS_INLINE vec_f32 load_part_or_f32(const float *p, int64_t n, float rest) {
  const __m256 mask = _mm256_castsi256_ps(part_mask(n));
  return (vec_f32)_mm256_blendv_ps(_mm256_set1_ps(rest), (__m256)load_part_f32(p, n),
                                   mask);
}

ALWAYS_INLINE vec_f64 load_part_or_f64(const double *p, int64_t n, double rest) {
  const __m256d mask = _mm256_castsi256_pd(part_mask(2 * n));
  return (vec_f64)_mm256_blendv_pd(_mm256_set1_pd(rest), (__m256d)load_part_f64(p, n),
                                   mask);
}

#else

ALWAYS_INLINE vec_f32 load_part_or_f32(const float *p, int64_t n, float rest) {
  float lane[LANES_f32];
  for (int i = 0; i < LANES_f32; i++)
    lane[i] = i < n ? p[i] : rest;
  return load_f32(lane);
}

ALWAYS_INLINE vec_f64 load_part_or_f64(const double *p, int64_t n, double rest) {
  double lane[LANES_f64];
  for (int i = 0; i < LANES_f64; i++)
    lane[i] = i < n ? p[i] : rest;
  return load_f64(lane);
}

#endif

#endif
