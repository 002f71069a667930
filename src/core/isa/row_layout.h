/* isa/row_layout.h -- where W (K,N), packed for the products of row.h, keeps its elements.
**
** The columns come in blocks of BLOCK_VECTORS vectors, as many as are summed up at once in
** registers. The numbers of a block lie in the order in which they are read: first, row
** after row, its whole vectors, then, row after row, a short vector when no more columns
** than that are left: one of 16 bytes, or of 32, where vectors have more. What a vector
** has beyond column N is zero. Behind many whole vectors, one or two last columns lie in
** one piece each along k, with zeros to the end of the last vector: they are taken as dot
** products. */
#ifndef UN_ROW_LAYOUT_H
#define UN_ROW_LAYOUT_H

#include "short.h"
#include "vec.h"

enum { BLOCK_VECTORS = 8 };

/* Behind no more whole vectors than FEW, the last columns are a short vector and no dot
** products. */
enum { FEW = 4 };

/* A block of columns: its whole vectors, and the bytes of the short one behind them. */
typedef struct row_block {
  int vectors, rest;
} row_block;

#define UN_ROW_LAYOUT(suffix, type)                                                    \
  ALWAYS_INLINE row_block row_block_##suffix(int64_t columns_left) {                   \
    if (columns_left >= BLOCK_VECTORS * LANES_##suffix)                                \
      return (row_block){BLOCK_VECTORS, 0};                                            \
    const int rest = short_bytes_##suffix(columns_left);                               \
    const int64_t whole = columns_left + (rest ? 0 : LANES_##suffix - 1);              \
    return (row_block){(int)(whole / LANES_##suffix), rest};                           \
  }                                                                                    \
  ALWAYS_INLINE int64_t row_dots_##suffix(int64_t columns) {                           \
    const int64_t over = columns % LANES_##suffix;                                     \
    return columns > FEW * LANES_##suffix && over <= LANES_##suffix / 8 ? over : 0;    \
  }                                                                                    \
  ALWAYS_INLINE int64_t row_dot_length_##suffix(int64_t depth) {                       \
    return (depth + LANES_##suffix - 1) / LANES_##suffix * LANES_##suffix;             \
  }                                                                                    \
  /* numbers that a row of all blocks takes */                                         \
  ALWAYS_INLINE int64_t row_width_##suffix(int64_t columns) {                          \
    const int64_t over = columns % LANES_##suffix,                                     \
                  rest = short_bytes_##suffix(columns);                                \
    if (over == 0) return columns;                                                     \
    return columns - over + (rest ? rest / (int64_t)sizeof(type) : LANES_##suffix);    \
  }
UN_ROW_LAYOUT(f32, float)
UN_ROW_LAYOUT(f64, double)

#endif
