/* isa/row_pack.c -- packing for the products of a single row (row_layout.h). */
#ifndef REAL
#include "isa.h"
#include "row.h"
#include "row_layout.h"
#include "transpose.h"
#include "vec.h"

#define UN_TEMPLATE "isa/row_pack.c"
#include "each_dtype.h"

extern const un_row_kernels ISA(un_row_kernels_of);
const un_row_kernels ISA(un_row_kernels_of) = {
    .bytes = {bytes_f32, bytes_f64},
    .pack = {pack_f32, pack_f64},
};

#else

static size_t FN(bytes)(int64_t depth, int64_t columns) {
  return (size_t)(depth * FN(row_width)(columns)) * sizeof(REAL);
}

/* n columns of W that lie side by side, to rows of `width` numbers. */
static void FN(pack_rows)(REAL *to, int64_t width, const REAL *w, int64_t depth,
                          int64_t n, int64_t row_stride) {
  for (int64_t k = 0; k < depth; k++, to += width, w += row_stride) {
    int64_t j = 0;
    for (; j + FN(LANES) <= n; j += FN(LANES))
      FN(store)(to + j, FN(load)(w + j));
    if (j < width) FN(store_part)
    (to + j, FN(load_part)(w + j, n - j),
     width - j < FN(LANES) ? width - j : FN(LANES));
  }
}

/* The same for columns that lie along k, some of them and some k: lines of the cache on
** both sides. */
ALWAYS_INLINE void FN(pack_square)(REAL *to, int64_t width, const REAL *w,
                                   int64_t depth, int64_t n, int64_t column_stride) {
  int64_t j = 0;
  for (; j + 4 <= n; j += 4) {
    const REAL *column = w + j * column_stride;
    int64_t k = 0;
    for (; k + 4 <= depth; k += 4)
      FN(transpose4)(to + k * width + j, width, column + k, column_stride);
    for (; k < depth; k++)
      for (int i = 0; i < 4; i++)
        to[k * width + j + i] = column[i * column_stride + k];
  }
  for (; j < n; j++)
    for (int64_t k = 0; k < depth; k++)
      to[k * width + j] = w[j * column_stride + k];
}

static void FN(pack_columns)(REAL *to, int64_t width, const REAL *w, int64_t depth,
                             int64_t n, int64_t column_stride) {
  enum { SIDE = 64 / sizeof(REAL) };
  int64_t k = 0, whole = n - n % SIDE;
  for (; k + SIDE <= depth; k += SIDE) {
    REAL *row = to + k * width;
    for (int64_t j = 0; j < whole; j += SIDE)
      FN(pack_square)
    (row + j, width, w + j * column_stride + k, SIDE, SIDE, column_stride);
    FN(pack_square)
    (row + whole, width, w + whole * column_stride + k, SIDE, n - whole, column_stride);
  }
  FN(pack_square)(to + k * width, width, w + k, depth - k, n, column_stride);
  for (k = 0; k < depth && n < width; k++)
    for (int64_t j = n; j < width; j++)
      to[k * width + j] = 0;
}

/* Columns first..first+n-1 to rows of `width` numbers; returns where they end. */
static REAL *FN(pack_part)(REAL *to, int64_t width, const REAL *w, int64_t depth,
                           int64_t n, int64_t row_stride, int64_t column_stride) {
  if (column_stride == 1)
    FN(pack_rows)(to, width, w, depth, n, row_stride);
  else
    FN(pack_columns)(to, width, w, depth, n, column_stride);
  return to + depth * width;
}

static void FN(pack)(void *packed, const void *vw, int64_t depth, int64_t columns,
                     int64_t row_stride, int64_t column_stride) {
  REAL *to = packed;
  const REAL *w = vw;
  int64_t first = 0;
  while (first < columns) {
    row_block b = FN(row_block)(columns - first);
    int64_t width = b.vectors * FN(LANES), left = columns - first;
    int64_t n = left < width ? left : width;
    to = FN(pack_part)(to, width, w + first * column_stride, depth, n, row_stride,
                       column_stride);
    first += n;
    if (!b.rest) continue;
    to = FN(pack_part)(to, b.rest / (int)sizeof(REAL), w + first * column_stride, depth,
                       left - n, row_stride, column_stride);
    first = columns;
  }
}

#endif
