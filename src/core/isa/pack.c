/* isa/pack.c -- packing: matrices W into panels for the products of panel.h, or for those of
** a single row (row_layout.h), and the left operand of a weight gradient into the tiles
** that the microkernel walks. */
#ifndef REAL
#include <string.h>

#include "isa.h"
#include "panel.h"
#include "panel_layout.h"
#include "row.h"
#include "row_layout.h"
#include "transpose.h"
#include "vec.h"

#define UN_TEMPLATE "isa/pack.c"
#include "each_dtype.h"

extern const un_pack_kernels ISA(un_pack);
const un_pack_kernels ISA(un_pack) = {.panels = {panels_f32, panels_f64},
                                      .rows = {rows_f32, rows_f64},
                                      .tiles = {tiles_f32, tiles_f64},
                                      .tile_rows = TILE_ROWS,
                                      .tiles_from = TILES_FROM,
                                      .tiles_columns = TILES_COLUMNS,
                                      .plain_up_to = PLAIN_UP_TO,
                                      .few_plain_up_to = FEW_PLAIN_UP_TO};

extern const un_row_kernels ISA(un_row_kernels_of);
const un_row_kernels ISA(un_row_kernels_of) = {
    .bytes = {row_bytes_f32, row_bytes_f64},
    .pack = {row_pack_f32, row_pack_f64},
};

#else

/* --- columns that lie along k -------------------------------------------------------- */

/* Of `depth` rows of n columns a strip of squares, `count` of them side by side along k. The
** last ones end where the columns do: what they share with the ones before is the same. */
ALWAYS_INLINE void FN(pack_strip)(REAL *to, un_steps width, const REAL *w, int64_t n,
                                  un_steps column_stride, const int side,
                                  const int count) {
  for (int64_t j = 0; j < n; j += side) {
    const int64_t at = j + side <= n ? j : n - side;
    const REAL *column = w + at * column_stride.one;
    _Pragma("GCC unroll 4") for (int i = 0; i < count; i++) {
      REAL *row = to + i * side * width.one + at;
      FN(transpose)(row, width, column + i * side, column_stride, side);
    }
  }
}

/* By squares that together are whole lines of the cache on both sides. There are `side` rows
** and columns or more; the last rows, too, are taken by squares that end where they do. */
ALWAYS_INLINE void FN(pack_squares)(REAL *to, int64_t width, const REAL *w,
                                    int64_t depth, int64_t n, int64_t column_stride,
                                    const int side) {
  enum { LINE = 64 / sizeof(REAL) };
  const un_steps row = un_steps_of(width), column = un_steps_of(column_stride);
  int64_t k = 0;
  for (; k + LINE <= depth; k += LINE)
    FN(pack_strip)(to + k * width, row, w + k, n, column, side, LINE / side);
  for (; k < depth; k += side) {
    const int64_t at = k + side <= depth ? k : depth - side;
    FN(pack_strip)(to + at * width, row, w + at, n, column, side, 1);
  }
}

/* Zeros from column n up to `end` of some rows; what stands before them is yet to be written. */
static void FN(clear_end)(REAL *to, int64_t width, int64_t rows, int64_t n,
                          int64_t end) {
  if (n == end) return;
  if (end >= FN(LANES))
    for (int64_t k = 0; k < rows; k++)
      FN(store)(to + k * width + end - FN(LANES), FN(all)(0));
  else
    for (int64_t j = n; j < end; j++)
      for (int64_t k = 0; k < rows; k++)
        to[k * width + j] = 0;
}

/* n columns, `column_stride` apart, into rows of `width` numbers; zeros behind column n up
** to `end`. */
static void FN(pack_columns)(REAL *to, int64_t width, const REAL *w, int64_t depth,
                             int64_t n, int64_t end, int64_t column_stride) {
  const int64_t least = depth < n ? depth : n;
  FN(clear_end)(to, width, depth, n, end);
  if (FN(SQUARE) >= 16 && least >= 16)
    FN(pack_squares)(to, width, w, depth, n, column_stride, 16);
  else if (FN(SQUARE) >= 8 && least >= 8)
    FN(pack_squares)(to, width, w, depth, n, column_stride, 8);
  else if (least >= 4)
    FN(pack_squares)(to, width, w, depth, n, column_stride, 4);
  else
    for (int64_t j = 0; j < n; j++)
      for (int64_t k = 0; k < depth; k++)
        to[k * width + j] = w[j * column_stride + k];
}

/* --- panels -------------------------------------------------------------------------- */

/* Rows that are read together: they are long, and come from memory in their order. */
enum { FN(CHUNK) = 8 };

/* n columns of some rows into one panel, the rest of the last vector zero. */
ALWAYS_INLINE void FN(pack_chunk)(REAL *packed, const REAL *w, int64_t rows, int64_t n,
                                  int64_t width, int64_t row_stride) {
  for (int64_t k = 0; k < rows; k++, packed += width, w += row_stride) {
    int64_t j = 0;
    for (; j + FN(LANES) <= n; j += FN(LANES))
      FN(store)(packed + j, FN(load)(w + j));
    if (j < n) FN(store)(packed + j, FN(load_part)(w + j, n - j));
  }
}

/* Rows whose elements lie side by side, to rows at.. of all panels of `depth` rows. */
static void FN(pack_rows)(REAL *packed, const REAL *w, int64_t depth, int64_t at,
                          int64_t rows, int64_t columns, int64_t row_stride) {
  for (int64_t k = 0; k < rows; k += FN(CHUNK)) {
    int64_t chunk = rows - k < FN(CHUNK) ? rows - k : FN(CHUNK);
    const REAL *row = w + k * row_stride;
    for (int64_t j = 0, width; j < columns; j += width) {
      width = FN(panel_width)(columns - j);
      int64_t n = columns - j < width ? columns - j : width;
      REAL *to = packed + j * depth + (at + k) * width;
      if (n == FN(WIDTH))
        FN(pack_chunk)(to, row + j, chunk, FN(WIDTH), FN(WIDTH), row_stride);
      else
        FN(pack_chunk)(to, row + j, chunk, n, width, row_stride);
    }
  }
}

static void FN(rows)(void *packed, const void *b, int64_t depth, int64_t at,
                     int64_t rows, int64_t columns, int64_t row_stride) {
  FN(pack_rows)(packed, b, depth, at, rows, columns, row_stride);
}

/* A column in one piece, with zeros up to `length`. */
static void FN(pack_dot)(REAL *dot, const REAL *column, int64_t depth, int64_t length,
                         int64_t row_stride) {
  for (int64_t k = 0; k < depth; k++)
    dot[k] = column[k * row_stride];
  for (int64_t k = depth; k < length; k++)
    dot[k] = 0;
}

/* The columns that are also taken as dot products. */
static void FN(pack_dots)(void *packed, const REAL *w, int64_t depth, int64_t columns,
                          int64_t row_stride, int64_t column_stride) {
  int64_t dots = FN(dot_columns)(columns);
  for (int64_t i = 0; i < dots; i++) {
    REAL *dot = (REAL *)FN(dot_column_at)(packed, depth, columns, i);
    FN(pack_dot)
    (dot, w + (columns - dots + i) * column_stride, depth, FN(dot_length)(depth),
     row_stride);
  }
}

/* From columns that are apart. Those that are dot products are needed as such alone. */
static void FN(pack_panels)(REAL *panel, const REAL *w, int64_t depth, int64_t columns,
                            int64_t column_stride) {
  const int64_t whole = columns - FN(dot_columns)(columns);
  for (int64_t j = 0, width; j < whole; j += width) {
    width = FN(panel_width)(columns - j);
    int64_t n = whole - j < width ? whole - j : width;
    int64_t end = (n + FN(LANES) - 1) / FN(LANES) * FN(LANES);
    FN(pack_columns)
    (panel + j * depth, width, w + j * column_stride, depth, n, end, column_stride);
  }
}

static void FN(panels)(void *packed, const void *w, int64_t depth, int64_t columns,
                       int64_t row_stride, int64_t column_stride) {
  if (column_stride == 1)
    FN(pack_rows)(packed, w, depth, 0, depth, columns, row_stride);
  else
    FN(pack_panels)(packed, w, depth, columns, column_stride);
  FN(pack_dots)(packed, w, depth, columns, row_stride, column_stride);
}

/* --- a single row -------------------------------------------------------------------- */

static size_t FN(row_bytes)(int64_t depth, int64_t columns) {
  const int64_t dots = FN(row_dots)(columns);
  return (size_t)(FN(row_numbers)(depth, columns - dots) +
                  dots * FN(row_dot_length)(depth)) *
         sizeof(REAL);
}

/* Some vectors of each row of W, to rows of `width` numbers. */
ALWAYS_INLINE void FN(copy_vectors)(REAL *to, int64_t width, const REAL *w,
                                    int64_t depth, int64_t row_stride,
                                    const int count) {
  for (; depth > 0; depth--, to += width, w += row_stride)
    _Pragma("GCC unroll 4") for (int v = 0; v < count; v++)
        FN(store)(to + v * FN(LANES), FN(load)(w + v * FN(LANES)));
}

/* The last n columns, fewer than a vector has, and zeros: so many bytes in all. */
ALWAYS_INLINE void FN(copy_end)(REAL *to, int64_t width, const REAL *w, int64_t depth,
                                int64_t n, int64_t row_stride, const int64_t bytes) {
  for (; depth > 0; depth--, to += width, w += row_stride) {
    const FN(vec) end = FN(load_part)(w, n);
    memcpy(to, &end, (size_t)bytes);
  }
}

/* n columns of W that lie side by side, to rows of `width` numbers. */
static void FN(copy_rows)(REAL *to, int64_t width, const REAL *w, int64_t depth,
                          int64_t n, int64_t row_stride) {
  enum { TOGETHER = 4 };
  int64_t j = 0;
  for (; j + TOGETHER * FN(LANES) <= n; j += TOGETHER * FN(LANES))
    FN(copy_vectors)(to + j, width, w + j, depth, row_stride, TOGETHER);
  for (; j + FN(LANES) <= n; j += FN(LANES))
    FN(copy_vectors)(to + j, width, w + j, depth, row_stride, 1);
  const int64_t bytes = (width - j) * (int64_t)sizeof(REAL);
  if (bytes == 16 && VEC_BYTES > 16)
    FN(copy_end)(to + j, width, w + j, depth, n - j, row_stride, 16);
  else if (bytes == 32 && VEC_BYTES > 32)
    FN(copy_end)(to + j, width, w + j, depth, n - j, row_stride, 32);
  else if (bytes > 0)
    FN(copy_end)(to + j, width, w + j, depth, n - j, row_stride, VEC_BYTES);
}

/* Columns first..first+n-1 to rows of `width` numbers; returns where they end. */
static REAL *FN(row_part)(REAL *to, int64_t width, const REAL *w, int64_t depth,
                          int64_t n, int64_t row_stride, int64_t column_stride) {
  if (column_stride == 1)
    FN(copy_rows)(to, width, w, depth, n, row_stride);
  else
    FN(pack_columns)(to, width, w, depth, n, width, column_stride);
  return to + depth * width;
}

static void FN(row_pack)(void *packed, const void *vw, int64_t depth, int64_t columns,
                         int64_t row_stride, int64_t column_stride) {
  REAL *to = packed;
  const REAL *w = vw;
  const int64_t length = FN(row_dot_length)(depth);
  const int64_t blocks = columns - FN(row_dots)(columns);
  int64_t first = 0;
  while (first < blocks) {
    row_block b = FN(row_block)(blocks - first);
    int64_t width = b.vectors * FN(LANES), left = blocks - first;
    int64_t n = left < width ? left : width;
    to = FN(row_part)(to, width, w + first * column_stride, depth, n, row_stride,
                      column_stride);
    first += n;
    for (int i = 0; i < b.alongside; i++, to += length)
      FN(pack_dot)
    (to, w + (first + i) * column_stride, first + i < blocks ? depth : 0, length,
     row_stride);
    if (b.alongside) first = blocks;
    if (!b.rest) continue;
    to = FN(row_part)(to, b.rest / (int)sizeof(REAL), w + first * column_stride, depth,
                      left - n, row_stride, column_stride);
    first = blocks;
  }
  for (; first < columns; first++, to += length)
    FN(pack_dot)(to, w + first * column_stride, depth, length, row_stride);
}

/* --- tiles ------------------------------------------------------------------------- */

/* The columns of a tile in some rows of a. Where the tile is narrower than others, what
** stands behind it comes along, and is never read. */
ALWAYS_INLINE void FN(tile_chunk)(REAL *tile, const REAL *a, const int64_t rows,
                                  int64_t row_stride) {
  for (int64_t k = 0; k < rows; k++, tile += TILE_ROWS, a += row_stride)
    memcpy(tile, a, TILE_ROWS * sizeof *a);
}

/* The same for a narrow tile where nothing stands behind the last row. */
static void FN(tile_end)(REAL *tile, const REAL *a, int64_t rows, int64_t row_stride,
                         int64_t step) {
  FN(tile_chunk)(tile, a, rows - 1, row_stride);
  memcpy(tile + (rows - 1) * TILE_ROWS, a + (rows - 1) * row_stride,
         (size_t)step * sizeof *a);
}

static void FN(tiles)(void *packed, const void *va, int64_t depth, int64_t at,
                      int64_t rows, int64_t columns, int64_t row_stride) {
  const REAL *a = va;
  const int64_t count = un_tile_count(columns), few = columns / count,
                more = columns % count;
  for (int64_t k = 0; k < rows; k += FN(CHUNK)) {
    int64_t chunk = rows - k < FN(CHUNK) ? rows - k : FN(CHUNK), first = 0;
    for (int64_t tile = 0; tile < count; tile++) {
      int64_t step = few + (tile < more);
      REAL *to = (REAL *)packed + (tile * depth + at + k) * TILE_ROWS;
      const REAL *from = a + k * row_stride + first;
      first += step;
      if (k + chunk == rows && first == columns)
        FN(tile_end)(to, from, chunk, row_stride, step);
      else if (chunk == FN(CHUNK))
        FN(tile_chunk)(to, from, FN(CHUNK), row_stride);
      else
        FN(tile_chunk)(to, from, chunk, row_stride);
    }
  }
}

#endif
