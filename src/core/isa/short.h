/* isa/short.h -- short vectors, for the columns that are left when whole vectors have taken
** theirs: of 16 bytes, or of 32, where vectors have more. A multiply-add of one takes half
** the time of a whole one (AMD), or as long (Intel).
**
** Where vectors have no more than 16 or 32 bytes they stand for the short ones here, which
** then do not occur. */
#ifndef UN_SHORT_H
#define UN_SHORT_H

#include "vec.h"

/* A load, the low part of a vector, and a vector of that part and zeros. */
#define UN_SHORT(name, suffix, type, bytes, whole, low, widen)                         \
  typedef type name##_##suffix __attribute__((vector_size(bytes)));                    \
  typedef type unaligned_##name##_##suffix                                             \
      __attribute__((vector_size(bytes), aligned(4), may_alias));                      \
  ALWAYS_INLINE name##_##suffix load_##name##_##suffix(const type *p) {                \
    return *(const unaligned_##name##_##suffix *)p;                                    \
  }                                                                                    \
  ALWAYS_INLINE name##_##suffix low_##name##_##suffix(vec_##suffix v) {                \
    return (name##_##suffix)low((whole)v);                                             \
  }                                                                                    \
  ALWAYS_INLINE vec_##suffix widen_##name##_##suffix(name##_##suffix v) {              \
    return (vec_##suffix)widen(v);                                                     \
  }

#if defined __AVX512F__
#define ZEXT_128_PS(v) _mm512_zextps128_ps512((__m128)(v))
#define ZEXT_256_PS(v) _mm512_zextps256_ps512((__m256)(v))
#define ZEXT_128_PD(v) _mm512_zextpd128_pd512((__m128d)(v))
#define ZEXT_256_PD(v) _mm512_zextpd256_pd512((__m256d)(v))
UN_SHORT(short16, f32, float, 16, __m512, _mm512_castps512_ps128, ZEXT_128_PS)
UN_SHORT(short32, f32, float, 32, __m512, _mm512_castps512_ps256, ZEXT_256_PS)
UN_SHORT(short16, f64, double, 16, __m512d, _mm512_castpd512_pd128, ZEXT_128_PD)
UN_SHORT(short32, f64, double, 32, __m512d, _mm512_castpd512_pd256, ZEXT_256_PD)
#elif defined __AVX2__
#define ZEXT_128_PS(v) _mm256_zextps128_ps256((__m128)(v))
#define ZEXT_128_PD(v) _mm256_zextpd128_pd256((__m128d)(v))
UN_SHORT(short16, f32, float, 16, __m256, _mm256_castps256_ps128, ZEXT_128_PS)
UN_SHORT(short32, f32, float, VEC_BYTES, vec_f32, , )
UN_SHORT(short16, f64, double, 16, __m256d, _mm256_castpd256_pd128, ZEXT_128_PD)
UN_SHORT(short32, f64, double, VEC_BYTES, vec_f64, , )
#else
UN_SHORT(short16, f32, float, VEC_BYTES, vec_f32, , )
UN_SHORT(short32, f32, float, VEC_BYTES, vec_f32, , )
UN_SHORT(short16, f64, double, VEC_BYTES, vec_f64, , )
UN_SHORT(short32, f64, double, VEC_BYTES, vec_f64, , )
#endif

/* Bytes of the short vector that holds the columns beyond the last whole vector, or 0: they
** need a whole one, or there are none. */
#define UN_SHORT_BYTES(suffix, type)                                                   \
  ALWAYS_INLINE int short_bytes_##suffix(int64_t columns) {                            \
    const int64_t bytes = columns % LANES_##suffix * (int64_t)sizeof(type);            \
    if (bytes == 0) return 0;                                                          \
    return bytes <= 16 && VEC_BYTES > 16   ? 16                                        \
           : bytes <= 32 && VEC_BYTES > 32 ? 32                                        \
                                           : 0;                                        \
  }
UN_SHORT_BYTES(f32, float)
UN_SHORT_BYTES(f64, double)

#endif
