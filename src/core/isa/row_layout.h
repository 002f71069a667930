/* isa/row_layout.h -- where W (K,N), packed for the products of row.h, keeps its elements.
**
** The columns come in blocks of ROW_VECTORS vectors, as many as are summed up at once in
** registers. The numbers of a block lie in the order in which they are read: first, row
** after row, its whole vectors, then, row after row, a short vector when no more columns
** than that are left: one of 16 bytes, or of 32, where vectors have more. What a vector
** has beyond column N is zero. */
#ifndef UN_ROW_LAYOUT_H
#define UN_ROW_LAYOUT_H

#include "vec.h"

enum { ROW_VECTORS = 8 };

/* Short vectors: the low part of a vector, and a vector of it and zeros. Where vectors
** have no more than 16 or 32 bytes they stand for the short ones, which do not occur. */
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

/* A block of columns: its whole vectors, and the bytes of the short one behind them. */
typedef struct row_block {
  int vectors, rest;
} row_block;

#define UN_ROW_LAYOUT(suffix, type)                                                      \
  /* bytes of the short vector that so many columns need, or 0: they need a whole one */ \
  ALWAYS_INLINE int row_rest_##suffix(int64_t columns) {                                 \
    const int64_t bytes = columns % LANES_##suffix * (int64_t)sizeof(type);              \
    if (bytes == 0) return 0;                                                            \
    return bytes <= 16 && VEC_BYTES > 16   ? 16                                          \
           : bytes <= 32 && VEC_BYTES > 32 ? 32                                          \
                                           : 0;                                          \
  }                                                                                      \
  ALWAYS_INLINE row_block row_block_##suffix(int64_t columns_left) {                     \
    if (columns_left >= ROW_VECTORS * LANES_##suffix)                                    \
      return (row_block){ROW_VECTORS, 0};                                                \
    const int rest = row_rest_##suffix(columns_left);                                    \
    const int64_t whole = columns_left + (rest ? 0 : LANES_##suffix - 1);                \
    return (row_block){(int)(whole / LANES_##suffix), rest};                             \
  }                                                                                      \
  /* numbers that a row of all blocks takes */                                           \
  ALWAYS_INLINE int64_t row_width_##suffix(int64_t columns) {                            \
    const int64_t over = columns % LANES_##suffix, rest = row_rest_##suffix(columns);    \
    if (over == 0) return columns;                                                       \
    return columns - over + (rest ? rest / (int64_t)sizeof(type) : LANES_##suffix);      \
  }
UN_ROW_LAYOUT(f32, float)
UN_ROW_LAYOUT(f64, double)

#endif
