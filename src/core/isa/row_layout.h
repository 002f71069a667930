/* isa/row_layout.h -- where W (K,N), packed for the products of row.h, keeps its elements.
**
** The columns come in blocks of BLOCK_VECTORS vectors, as many as are summed up at once in
** registers. The numbers of a block lie in the order in which they are read: first, row
** after row, its whole vectors, then, row after row, a short vector when no more columns
** than that are left: one of 16 bytes, or of 32, where vectors have more. What a vector
** has beyond column N is zero.
**
** Columns may also lie along k, each in one piece with zeros to the end of the last vector:
** they are taken as dot products. With AVX-512 so do, instead of a short vector of 16 bytes of
** float32, the last two or four columns of a block with some whole vectors (alongside.h): there
** is zero beyond column N. Behind more whole vectors one or two last columns lie apart from
** all blocks. */
#ifndef UN_ROW_LAYOUT_H
#define UN_ROW_LAYOUT_H

#include "short.h"
#include "vec.h"

enum { BLOCK_VECTORS = 8 };

/* Behind no more whole vectors than this the last columns are part of a block. With AVX-512
** those of float32 lie alongside, from LEAST_BESIDE vectors on. */
#if VEC_BYTES == 64
enum { FEW_f32 = BLOCK_VECTORS, FEW_f64 = 4, LEAST_BESIDE = 3 };
#else
enum { FEW_f32 = 4, FEW_f64 = 4, LEAST_BESIDE = BLOCK_VECTORS };
#endif

/* A block of columns: its whole vectors, and behind them the bytes of a short one, or columns
** alongside. */
typedef struct row_block {
  int vectors, rest, alongside;
} row_block;

/* Vectors that a block makes. */
ALWAYS_INLINE int row_block_count(row_block b) {
  return b.vectors + (b.rest > 0 || b.alongside > 0);
}

#define UN_ROW_LAYOUT(suffix, type)                                                    \
  ALWAYS_INLINE row_block row_block_##suffix(int64_t columns_left) {                   \
    if (columns_left >= BLOCK_VECTORS * LANES_##suffix)                                \
      return (row_block){BLOCK_VECTORS, 0, 0};                                         \
    const int rest = short_bytes_##suffix(columns_left);                               \
    const int64_t whole = columns_left + (rest ? 0 : LANES_##suffix - 1);              \
    const int vectors = (int)(whole / LANES_##suffix);                                 \
    if (rest != 16 || sizeof(type) != 4 || vectors < LEAST_BESIDE)                     \
      return (row_block){vectors, rest, 0};                                            \
    return (row_block){vectors, 0, columns_left % LANES_##suffix <= 2 ? 2 : 4};        \
  }                                                                                    \
  ALWAYS_INLINE int64_t row_dots_##suffix(int64_t columns) {                           \
    const int64_t over = columns % LANES_##suffix;                                     \
    const bool are_many = columns > FEW_##suffix * LANES_##suffix;                     \
    return are_many && over <= LANES_##suffix / 8 ? over : 0;                          \
  }                                                                                    \
  ALWAYS_INLINE int64_t row_dot_length_##suffix(int64_t depth) {                       \
    return (depth + LANES_##suffix - 1) / LANES_##suffix * LANES_##suffix;             \
  }                                                                                    \
  /* numbers of all blocks */                                                          \
  ALWAYS_INLINE int64_t row_numbers_##suffix(int64_t depth, int64_t columns) {         \
    const int64_t block = BLOCK_VECTORS * LANES_##suffix;                              \
    const row_block last = row_block_##suffix(columns % block);                        \
    const int64_t width = columns / block * block + last.vectors * LANES_##suffix +    \
                          last.rest / (int64_t)sizeof(type);                           \
    return depth * width + last.alongside * row_dot_length_##suffix(depth);            \
  }
UN_ROW_LAYOUT(f32, float)
UN_ROW_LAYOUT(f64, double)

#endif
