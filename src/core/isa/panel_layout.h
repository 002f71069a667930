/* isa/panel_layout.h -- where a packed matrix W (K,N) keeps its elements.
**
** Element (k, n) is at packed[(n / WIDTH) * K * WIDTH + k * WIDTH + n % WIDTH]. What the
** last vector of columns has beyond column N is zero. Where only one or two columns
** stand in that vector, they lie once more behind the panels, each in one piece along k
** and filled with zeros to whole vectors: a product can then take them as dot products
** of vectors along k, instead of a vector of columns that is nearly empty (V = 65). */
#ifndef UN_PANEL_LAYOUT_H
#define UN_PANEL_LAYOUT_H

#include "vec.h"

#ifdef __AVX512F__
enum { PANEL_VECTORS = 4, TILES_FROM = 4096, PLAIN_UP_TO = 1024 };
#else
enum { PANEL_VECTORS = 2, TILES_FROM = 2048, PLAIN_UP_TO = 256 };
#endif
enum { ROW_VECTORS = 8, TILE_ROWS = 6 };

enum { WIDTH_f32 = PANEL_VECTORS * LANES_f32, WIDTH_f64 = PANEL_VECTORS * LANES_f64 };

/* Rows are dealt to so many tiles, evenly. */
ALWAYS_INLINE int64_t un_tile_count(int64_t rows) {
  return (rows + TILE_ROWS - 1) / TILE_ROWS;
}

/* Rows of the next tile where `rows` are left for `tiles`. */
ALWAYS_INLINE int64_t un_tile_step(int64_t rows, int64_t tiles) {
  return (rows + tiles - 1) / tiles;
}

#define UN_DOT_COLUMNS(suffix, type)                                                   \
  ALWAYS_INLINE int64_t dot_columns_##suffix(int64_t columns) {                        \
    int64_t rest = columns % LANES_##suffix;                                           \
    return columns > LANES_##suffix && rest <= LANES_##suffix / 8 ? rest : 0;          \
  }                                                                                    \
  ALWAYS_INLINE int64_t dot_length_##suffix(int64_t depth) {                           \
    return (depth + LANES_##suffix - 1) / LANES_##suffix * LANES_##suffix;             \
  }                                                                                    \
  ALWAYS_INLINE int64_t dot_room_##suffix(int64_t depth, int64_t columns) {            \
    return dot_columns_##suffix(columns) * dot_length_##suffix(depth);                 \
  }                                                                                    \
  ALWAYS_INLINE const type *dot_column_at_##suffix(const void *packed, int64_t depth,  \
                                                   int64_t columns, int64_t i) {       \
    int64_t panels = (columns + WIDTH_##suffix - 1) / WIDTH_##suffix;                  \
    return (const type *)packed + panels * depth * WIDTH_##suffix +                    \
           i * dot_length_##suffix(depth);                                             \
  }
UN_DOT_COLUMNS(f32, float)
UN_DOT_COLUMNS(f64, double)

#endif
