/* isa/transpose.h -- four by four numbers turned over, for packing:
**     dst[i * width + j] = src[j * stride + i],  i, j = 0..3
** With vectors of 16 bytes, which every instruction set has. */
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

#endif
