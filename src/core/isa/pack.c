/* isa/pack.c -- packing for the products of panel.h: matrices W into panels, and the
** left operand of a weight gradient into the tiles that the microkernel walks. */
#ifndef REAL
#include <string.h>

#include "isa.h"
#include "panel.h"
#include "panel_layout.h"
#include "transpose.h"
#include "vec.h"

#define UN_TEMPLATE "isa/pack.c"
#include "each_dtype.h"

extern const un_pack_kernels ISA(un_pack);
const un_pack_kernels ISA(un_pack) = {.panels = {panels_f32, panels_f64},
                                      .tiles = {tiles_f32, tiles_f64},
                                      .tiles_from = TILES_FROM};

#else

/* Rows that are read together: they are long, and come from memory in their order. */
enum { FN(CHUNK) = 8 };

/* n columns of some rows into one panel, the rest of the last vector zero. */
ALWAYS_INLINE void FN(pack_chunk)(REAL *packed, const REAL *w, int64_t rows, int64_t n,
                                  int64_t row_stride) {
  for (int64_t k = 0; k < rows; k++, packed += FN(WIDTH), w += row_stride) {
    int64_t j = 0;
    for (; j + FN(LANES) <= n; j += FN(LANES))
      FN(store)(packed + j, FN(load)(w + j));
    if (j < n) FN(store)(packed + j, FN(load_part)(w + j, n - j));
  }
}

/* All panels from rows whose elements lie side by side. */
static void FN(pack_rows)(REAL *packed, const REAL *w, int64_t depth, int64_t columns,
                          int64_t row_stride) {
  for (int64_t k = 0; k < depth; k += FN(CHUNK)) {
    int64_t rows = depth - k < FN(CHUNK) ? depth - k : FN(CHUNK), j = 0;
    const REAL *row = w + k * row_stride;
    for (; j + FN(WIDTH) <= columns; j += FN(WIDTH))
      FN(pack_chunk)
    (packed + j * depth + k * FN(WIDTH), row + j, rows, FN(WIDTH), row_stride);
    if (j < columns) FN(pack_chunk)
    (packed + j * depth + k * FN(WIDTH), row + j, rows, columns - j, row_stride);
  }
}

static void FN(pack_strided)(REAL *packed, const REAL *w, int64_t depth, int64_t n,
                             int64_t row_stride, int64_t column_stride) {
  for (int64_t k = 0; k < depth; k++)
    for (int64_t j = 0; j < n; j++)
      packed[k * FN(WIDTH) + j] = w[k * row_stride + j * column_stride];
}

/* One panel from columns that lie along k: transposed in blocks of 4 by 4. */
static void FN(pack_columns)(REAL *packed, const REAL *w, int64_t depth, int64_t n,
                             int64_t column_stride) {
  int64_t whole_n = n & ~(int64_t)3, whole_k = depth & ~(int64_t)3;
  for (int64_t j = 0; j < whole_n; j += 4)
    for (int64_t k = 0; k < whole_k; k += 4)
      FN(transpose4)
  (packed + k * FN(WIDTH) + j, FN(WIDTH), w + j * column_stride + k, column_stride);
  FN(pack_strided)
  (packed + whole_n, w + whole_n * column_stride, whole_k, n - whole_n, 1,
   column_stride);
  FN(pack_strided)
  (packed + whole_k * FN(WIDTH), w + whole_k, depth - whole_k, n, 1, column_stride);
}

/* The microkernel reads whole vectors: what lies beyond column n must be zero. */
static void FN(clear_tail)(REAL *packed, int64_t depth, int64_t n) {
  int64_t end = (n + FN(LANES) - 1) / FN(LANES) * FN(LANES);
  for (int64_t k = 0; k < depth && n < end; k++)
    for (int64_t j = n; j < end; j++)
      packed[k * FN(WIDTH) + j] = 0;
}

/* The columns that are also taken as dot products. */
static void FN(pack_dots)(void *packed, const REAL *w, int64_t depth, int64_t columns,
                          int64_t row_stride, int64_t column_stride) {
  int64_t dots = FN(dot_columns)(columns);
  for (int64_t i = 0; i < dots; i++) {
    REAL *dot = (REAL *)FN(dot_column_at)(packed, depth, columns, i);
    const REAL *column = w + (columns - dots + i) * column_stride;
    for (int64_t k = 0; k < depth; k++)
      dot[k] = column[k * row_stride];
    for (int64_t k = depth; k < FN(dot_length)(depth); k++)
      dot[k] = 0;
  }
}

static void FN(panels)(void *packed, const void *w, int64_t depth, int64_t columns,
                       int64_t row_stride, int64_t column_stride) {
  REAL *panel = packed;
  if (column_stride == 1) FN(pack_rows)(packed, w, depth, columns, row_stride);
  for (int64_t j = 0; j < columns && column_stride != 1; j += FN(WIDTH)) {
    const REAL *first = (const REAL *)w + j * column_stride;
    int64_t n = columns - j < FN(WIDTH) ? columns - j : FN(WIDTH);
    FN(clear_tail)(panel, depth, n);
    if (row_stride == 1)
      FN(pack_columns)(panel, first, depth, n, column_stride);
    else
      FN(pack_strided)(panel, first, depth, n, row_stride, column_stride);
    panel += depth * FN(WIDTH);
  }
  FN(pack_dots)(packed, w, depth, columns, row_stride, column_stride);
}

/* --- tiles ------------------------------------------------------------------------- */

/* The columns of a tile in some rows of a. Where the tile is narrower than others, what
** stands behind it comes along, and is never read. */
ALWAYS_INLINE void FN(tile_chunk)(REAL *tile, const REAL *a, int64_t rows,
                                  int64_t row_stride) {
  for (int64_t k = 0; k < rows; k++, tile += TILE_ROWS, a += row_stride)
    memcpy(tile, a, TILE_ROWS * sizeof *a);
}

static void FN(tiles)(void *packed, const void *va, int64_t depth, int64_t columns,
                      int64_t row_stride) {
  const REAL *a = va;
  int64_t count = un_tile_count(columns);
  for (int64_t k = 0; k < depth; k += FN(CHUNK)) {
    int64_t rows = depth - k < FN(CHUNK) ? depth - k : FN(CHUNK), first = 0;
    bool is_last = k + rows == depth; /* nothing stands behind the last row */
    for (int64_t tile = 0; tile < count; tile++) {
      int64_t step = un_tile_step(columns - first, count - tile);
      REAL *to = (REAL *)packed + (tile * depth + k) * TILE_ROWS;
      const REAL *from = a + k * row_stride + first;
      FN(tile_chunk)(to, from, rows - is_last, row_stride);
      for (int64_t i = 0; i < step && is_last; i++)
        to[(rows - 1) * TILE_ROWS + i] = from[(rows - 1) * row_stride + i];
      first += step;
    }
  }
}

#endif
