/* isa/panel_layout.h -- where a packed matrix W (K,N) keeps its elements.
**
** A panel that begins with column j is at packed[j * K], row after row, each `panel_width`
** numbers long. That is WIDTH; but panels of three vectors end in one or two of two, since
** a last one of a single vector would be slow. What the last vector of columns has beyond
** column N is zero. Where only one or two columns stand in that vector, they lie once more
** behind the panels, each in one piece along k and filled with zeros to whole vectors: a
** product can then take them as dot products of vectors along k, instead of a vector of
** columns that is nearly empty (V = 65). */
#ifndef UN_PANEL_LAYOUT_H
#define UN_PANEL_LAYOUT_H

#include "vec.h"

/* Vectors of a wide and of a narrow panel; rows of a tile on the wide one. */
#if VEC_BYTES == 64
enum { PANEL_VECTORS = 4, LEAST_VECTORS = 4, TILE_ROWS = 6 };
enum { TILES_COLUMNS = 4096 };
enum { TILES_FROM = 4096, PLAIN_UP_TO = 1024, FEW_PLAIN_UP_TO = 4096 };
#elif VEC_BYTES == 32
enum { PANEL_VECTORS = 3, LEAST_VECTORS = 2, TILE_ROWS = 4 };
enum { TILES_COLUMNS = 0 };
enum { TILES_FROM = 256, PLAIN_UP_TO = 256, FEW_PLAIN_UP_TO = 2048 };
#else
enum { PANEL_VECTORS = 2, LEAST_VECTORS = 2, TILE_ROWS = 6 };
enum { TILES_COLUMNS = 0 };
enum { TILES_FROM = 2048, PLAIN_UP_TO = 256, FEW_PLAIN_UP_TO = 256 };
#endif
enum { ROW_VECTORS = 8 };

enum { WIDTH_f32 = PANEL_VECTORS * LANES_f32, WIDTH_f64 = PANEL_VECTORS * LANES_f64 };

/* Rows are dealt to so many tiles, evenly. */
ALWAYS_INLINE int64_t un_tile_count(int64_t rows) {
  return (rows + TILE_ROWS - 1) / TILE_ROWS;
}

/* Vectors of the panel that begins where so many are left. */
ALWAYS_INLINE int64_t un_panel_vectors(int64_t left) {
  return left == LEAST_VECTORS || left == PANEL_VECTORS + 1 ? LEAST_VECTORS
                                                            : PANEL_VECTORS;
}

#define UN_PANELS(suffix, type)                                                        \
  ALWAYS_INLINE int64_t panel_width_##suffix(int64_t left) {                           \
    int64_t vectors = (left + LANES_##suffix - 1) / LANES_##suffix;                    \
    return un_panel_vectors(vectors) * LANES_##suffix;                                 \
  }                                                                                    \
  /* Columns of all panels. */                                                         \
  ALWAYS_INLINE int64_t panel_columns_##suffix(int64_t columns) {                      \
    int64_t j = 0;                                                                     \
    while (j < columns)                                                                \
      j += panel_width_##suffix(columns - j);                                          \
    return j;                                                                          \
  }                                                                                    \
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
    return (const type *)packed + panel_columns_##suffix(columns) * depth +            \
           i * dot_length_##suffix(depth);                                             \
  }
UN_PANELS(f32, float)
UN_PANELS(f64, double)

#endif
