/* isa/panel.c -- packing into panels and the microkernel (see panel.h).
**
** Element (k, n) of W is at packed[(n / WIDTH) * K * WIDTH + k * WIDTH + n % WIDTH].
** A tile is `rows` rows of y times `vectors` vectors of columns, all in registers. With
** AVX-512 a panel has 4 vectors and a tile up to 6 rows; with 16 registers 2 vectors
** and
** 6 rows. A single row takes 8 vectors, several panels at once: fewer would leave the
** adders waiting for each other. Where y has no more than 2 vectors of 512 bits, each
** sum runs in two chains (even and odd k) for the same reason. */
#ifndef REAL
#include "panel.h"
#include "isa.h"
#include "stop.h"
#include "vec.h"

#ifdef __AVX512F__
enum { PANEL_VECTORS = 4, MAX_CHAINS = 2 };
#else
enum { PANEL_VECTORS = 2, MAX_CHAINS = 1 };
#endif
enum { ROW_VECTORS = 8, TILE_ROWS = 6 };

/* dst rows of 4, `width` apart, from 4 source rows `stride` apart: a 4x4 transpose. */
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

#define UN_TEMPLATE "isa/panel.c"
#include "each_dtype.h"

extern const un_panel_kernels ISA(un_panel);
const un_panel_kernels ISA(un_panel) = {
    {WIDTH_f32, WIDTH_f64}, {pack_f32, pack_f64}, {multiply_f32, multiply_f64}};

#else

enum { FN(WIDTH) = PANEL_VECTORS * FN(LANES) };

/* --- packing ------------------------------------------------------------------------
 */

/* One panel from rows that lie as they will: n columns, the others zero. */
static void FN(pack_rows)(REAL *packed, const REAL *w, int64_t depth, int64_t n,
                          int64_t row_stride) {
  for (int64_t k = 0; k < depth; k++, packed += FN(WIDTH), w += row_stride) {
    int64_t j = 0;
    for (; j + FN(LANES) <= n; j += FN(LANES))
      FN(store)(packed + j, FN(load)(w + j));
    if (j < n) FN(store)(packed + j, FN(load_part)(w + j, n - j));
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

static void FN(pack)(void *packed, const void *w, int64_t depth, int64_t columns,
                     int64_t row_stride, int64_t column_stride) {
  REAL *panel = packed;
  for (int64_t j = 0; j < columns; j += FN(WIDTH), panel += depth * FN(WIDTH)) {
    const REAL *first = (const REAL *)w + j * column_stride;
    int64_t n = columns - j < FN(WIDTH) ? columns - j : FN(WIDTH);
    if (column_stride == 1) {
      FN(pack_rows)(panel, first, depth, n, row_stride);
    } else {
      FN(clear_tail)(panel, depth, n);
      if (row_stride == 1)
        FN(pack_columns)(panel, first, depth, n, column_stride);
      else
        FN(pack_strided)(panel, first, depth, n, row_stride, column_stride);
    }
  }
}

/* --- the microkernel ----------------------------------------------------------------
 */

/* What a tile needs; `last` is the number of columns in its last vector. */
typedef struct FN(tile) {
  const REAL *x, *packed, *init;
  REAL *y;
  int64_t x_row, x_column, init_row, y_row, depth, last;
} FN(tile);

#define FOR(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

ALWAYS_INLINE void FN(tile_load)(const FN(tile) * t, const int rows, const int vectors,
                                 FN(vec) acc[TILE_ROWS][ROW_VECTORS]) {
  FOR(r, rows) {
    FOR(v, vectors) {
      const REAL *p = t->init + r * t->init_row + v * FN(LANES);
      acc[r][v] = v == vectors - 1 && t->last < FN(LANES) ? FN(load_part)(p, t->last)
                                                          : FN(load)(p);
    }
  }
}

ALWAYS_INLINE void FN(tile_store)(const FN(tile) * t, const int rows, const int vectors,
                                  FN(vec) acc[TILE_ROWS][ROW_VECTORS]) {
  FOR(r, rows) {
    FOR(v, vectors) {
      REAL *p = t->y + r * t->y_row + v * FN(LANES);
      if (v == vectors - 1 && t->last < FN(LANES))
        FN(store_part)(p, acc[r][v], t->last);
      else
        FN(store)(p, acc[r][v]);
    }
  }
}

/* acc += x[:,k] * W[k,:] */
ALWAYS_INLINE void FN(tile_rank1)(const FN(tile) * t, const int rows, const int vectors,
                                  int64_t k, FN(vec) acc[TILE_ROWS][ROW_VECTORS]) {
  FN(vec) w[ROW_VECTORS];
  FOR(v, vectors) {
    w[v] = FN(load)(t->packed + (v / PANEL_VECTORS) * t->depth * FN(WIDTH) +
                    k * FN(WIDTH) + (v % PANEL_VECTORS) * FN(LANES));
  }
  FOR(r, rows) {
    REAL x = t->x[r * t->x_row + k * t->x_column];
    FOR(v, vectors) acc[r][v] += x * w[v];
  }
}

ALWAYS_INLINE void FN(run_tile)(const FN(tile) * tile, const int rows,
                                const int vectors, const int chains) {
  const FN(tile) t = *tile;
  FN(vec) acc[TILE_ROWS][ROW_VECTORS], odd[TILE_ROWS][ROW_VECTORS];
  FOR(r, rows) FOR(v, vectors) odd[r][v] = acc[r][v] = (FN(vec)){0};
  if (t.init) FN(tile_load)(&t, rows, vectors, acc);
  int64_t k = 0;
  if (chains == 2) {
    for (; k + 2 <= t.depth; k += 2) {
      FN(tile_rank1)(&t, rows, vectors, k, acc);
      FN(tile_rank1)(&t, rows, vectors, k + 1, odd);
    }
  }
  for (; k < t.depth; k++)
    FN(tile_rank1)(&t, rows, vectors, k, acc);
  if (chains == 2) FOR(r, rows) FOR(v, vectors) acc[r][v] += odd[r][v];
  FN(tile_store)(&t, rows, vectors, acc);
}

#define TILE(rows, vectors, chains)                                                    \
  case ((rows)*16 + (vectors)) * 2 + (chains)-1:                                       \
    FN(run_tile)(t, rows, vectors, chains);                                            \
    break;
#define TILES(vectors, chains)                                                         \
  TILE(1, vectors, chains)                                                             \
  TILE(2, vectors, chains)                                                             \
  TILE(4, vectors, chains)                                                             \
  TILE(6, vectors, chains)

static void FN(dispatch_tile)(const FN(tile) * t, int rows, int vectors, int chains) {
  switch ((rows * 16 + vectors) * 2 + chains - 1) {
    TILES(1, 1)
    TILES(2, 1)
#ifdef __AVX512F__
    TILES(1, 2)
    TILES(2, 2)
    TILES(3, 1)
    TILES(4, 1)
#else
    TILE(1, 3, 1)
    TILE(1, 4, 1)
#endif
    TILE(1, 5, 1)
    TILE(1, 6, 1)
    TILE(1, 7, 1)
    TILE(1, 8, 1)
  }
}
#undef TILE
#undef TILES
#undef FOR

/* All rows of one block of columns. */
static void FN(multiply_columns)(FN(tile) t, int64_t rows, int vectors, int chains) {
  static const int step_of[TILE_ROWS + 1] = {0, 1, 2, 2, 4, 4, 6};
  while (rows > 0) {
    int step = rows >= TILE_ROWS ? TILE_ROWS : step_of[rows];
    FN(dispatch_tile)(&t, step, vectors, chains);
    rows -= step;
    t.x += step * t.x_row;
    t.y += step * t.y_row;
    if (t.init) t.init += step * t.init_row;
  }
}

static void FN(multiply)(const un_product *p) {
  int64_t block = (p->rows == 1 ? ROW_VECTORS : PANEL_VECTORS) * FN(LANES);
  int chains = p->columns <= 2 * FN(LANES) ? MAX_CHAINS : 1;
  FN(tile)
  t = {p->x,        p->packed,   p->init,  p->y,     p->x_row,
       p->x_column, p->init_row, p->y_row, p->depth, FN(LANES)};
  for (int64_t j = 0; j < p->columns && !un_stopped(); j += block) {
    int64_t n = p->columns - j < block ? p->columns - j : block;
    int vectors = (int)((n + FN(LANES) - 1) / FN(LANES));
    t.last = n - (vectors - 1) * FN(LANES);
    t.packed = (const REAL *)p->packed + j * p->depth;
    t.y = (REAL *)p->y + j;
    t.init = p->init ? (const REAL *)p->init + j : NULL;
    FN(multiply_columns)(t, p->rows, vectors, chains);
  }
}

#endif
