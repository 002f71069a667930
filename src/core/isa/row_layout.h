/* isa/row_layout.h -- where W (K,N), packed for the products of row.h, keeps its elements.
**
** The columns come in blocks of ROW_VECTORS vectors, as many as are summed up at once in
** registers. The numbers of a block lie in the order in which they are read: first, row
** after row, its whole vectors, then, row after row, a narrow vector (half as wide) when
** no more columns than that are left. What a vector has beyond column N is zero. */
#ifndef UN_ROW_LAYOUT_H
#define UN_ROW_LAYOUT_H

#include "vec.h"

enum { ROW_VECTORS = 8 };

/* Narrow vectors: of them only multiply-adds are wanted. Where half a vector is not
** worth it, they are vectors like the others. */
#if VEC_BYTES > 16
#define NARROW_BYTES (VEC_BYTES / 2)
#else
#define NARROW_BYTES VEC_BYTES
#endif

enum { NARROW_f32 = NARROW_BYTES / 4, NARROW_f64 = NARROW_BYTES / 8 };

typedef float narrow_f32 __attribute__((vector_size(NARROW_BYTES)));
typedef double narrow_f64 __attribute__((vector_size(NARROW_BYTES)));
typedef float unaligned_narrow_f32
    __attribute__((vector_size(NARROW_BYTES), aligned(4), may_alias));
typedef double unaligned_narrow_f64
    __attribute__((vector_size(NARROW_BYTES), aligned(8), may_alias));

ALWAYS_INLINE narrow_f32 load_narrow_f32(const float *p) {
  return *(const unaligned_narrow_f32 *)p;
}

ALWAYS_INLINE narrow_f64 load_narrow_f64(const double *p) {
  return *(const unaligned_narrow_f64 *)p;
}

/* The low half of a vector, and a vector of it and zeros. */
#if defined __AVX512F__
ALWAYS_INLINE narrow_f32 low_f32(vec_f32 v) {
  return (narrow_f32)_mm512_castps512_ps256((__m512)v);
}
ALWAYS_INLINE narrow_f64 low_f64(vec_f64 v) {
  return (narrow_f64)_mm512_castpd512_pd256((__m512d)v);
}
ALWAYS_INLINE vec_f32 widen_f32(narrow_f32 v) {
  return (vec_f32)_mm512_zextps256_ps512((__m256)v);
}
ALWAYS_INLINE vec_f64 widen_f64(narrow_f64 v) {
  return (vec_f64)_mm512_zextpd256_pd512((__m256d)v);
}
#elif defined __AVX2__
ALWAYS_INLINE narrow_f32 low_f32(vec_f32 v) {
  return (narrow_f32)_mm256_castps256_ps128((__m256)v);
}
ALWAYS_INLINE narrow_f64 low_f64(vec_f64 v) {
  return (narrow_f64)_mm256_castpd256_pd128((__m256d)v);
}
ALWAYS_INLINE vec_f32 widen_f32(narrow_f32 v) {
  return (vec_f32)_mm256_zextps128_ps256((__m128)v);
}
ALWAYS_INLINE vec_f64 widen_f64(narrow_f64 v) {
  return (vec_f64)_mm256_zextpd128_pd256((__m128d)v);
}
#else
ALWAYS_INLINE narrow_f32 low_f32(vec_f32 v) {
  return v;
}
ALWAYS_INLINE narrow_f64 low_f64(vec_f64 v) {
  return v;
}
ALWAYS_INLINE vec_f32 widen_f32(narrow_f32 v) {
  return v;
}
ALWAYS_INLINE vec_f64 widen_f64(narrow_f64 v) {
  return v;
}
#endif

/* A block of columns: its whole vectors, and whether a narrow one follows. */
typedef struct row_block {
  int vectors;
  bool narrow;
} row_block;

#define UN_ROW_LAYOUT(suffix)                                                          \
  ALWAYS_INLINE row_block row_block_##suffix(int64_t columns_left) {                   \
    if (columns_left >= ROW_VECTORS * LANES_##suffix)                                  \
      return (row_block){ROW_VECTORS, false};                                          \
    int64_t rest = columns_left % LANES_##suffix;                                      \
    bool narrow = rest > 0 && rest <= NARROW_##suffix;                                 \
    return (row_block){(int)(columns_left / LANES_##suffix) + (rest > 0 && !narrow),   \
                       narrow};                                                        \
  }                                                                                    \
  /* numbers that a row of all blocks takes */                                         \
  ALWAYS_INLINE int64_t row_width_##suffix(int64_t columns) {                          \
    int64_t rest = columns % LANES_##suffix, whole = columns - rest;                   \
    if (rest == 0) return whole;                                                       \
    return whole + (rest <= NARROW_##suffix ? NARROW_##suffix : LANES_##suffix);       \
  }
UN_ROW_LAYOUT(f32)
UN_ROW_LAYOUT(f64)

#endif
