/* isa/panel.c -- the products of panel.h: the microkernel and what calls it.
**
** A tile is `rows` rows of y times `vectors` vectors of columns, all in registers. The
** register plan, for one step down k:
**     AVX-512, 32 registers: 6 rows x 4 vectors = 24 sums, 4 of W, 1 of x, 3 spare
**     AVX2 and SSE2, 16:     6 rows x 2 vectors = 12 sums, 2 of W, 1 of x, 1 spare
** so 24 (12) multiply-adds come with 10 (8) loads. W is a panel, read in order; an
** element of x is repeated over a vector by its load. A single row takes 8 vectors,
** several panels at once: fewer would leave the adders waiting for each other. Where y
** has few columns, each sum runs in two chains (even and odd k) for the same reason.
** Rows are dealt to tiles evenly, 32 as 6+6+5+5+5+5: a tile of 2 would wait too. Few columns
** at the end are taken as a short vector (short.h). */
#ifndef REAL
#include "panel.h"

#include "isa.h"
#include "panel_layout.h"
#include "short.h"
#include "stop.h"
#include "vec.h"

enum { STRIDE = 8 };

#define UN_TEMPLATE "isa/panel.c"
#include "each_dtype.h"

extern const un_panel_kernels ISA(un_panel);
const un_panel_kernels ISA(un_panel) = {.bytes = {bytes_f32, bytes_f64},
                                        .multiply = {multiply_f32, multiply_f64}};

#else

static size_t FN(bytes)(int64_t depth, int64_t columns) {
  int64_t panels = (columns + FN(WIDTH) - 1) / FN(WIDTH);
  return (size_t)(panels * depth * FN(WIDTH) + FN(dot_room)(depth, columns)) *
         sizeof(REAL);
}

/* --- the microkernel -------------------------------------------------------------- */

/* What a tile needs; `last` is the number of columns in its last vector. */
typedef struct FN(tile) {
  const REAL *x, *packed, *init;
  REAL *y;
  int64_t x_row, x_column, init_row, y_row, depth, last;
  int64_t w_row, panel; /* from row to row of W, from panel to panel */
  int64_t pieces, piece, x_piece, w_piece; /* pieces of k, and how far they are apart */
} FN(tile);

#define FOR(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

/* The sums of a tile: those of whole vectors, and of the short one behind them. */
typedef struct FN(sums) {
  FN(vec) whole[TILE_ROWS][ROW_VECTORS];
  FN(short16) rest16[TILE_ROWS];
  FN(short32) rest32[TILE_ROWS];
} FN(sums);

/* What is in a tile; rest is the bytes of its short vector, or 0. */
typedef struct FN(form) {
  int rows, vectors, rest, chains;
} FN(form);

/* y is needed last: it comes from afar meanwhile, a row with each STRIDE steps of k. All
** at once would hold up what W and x wait for. */
ALWAYS_INLINE void FN(prefetch_row)(const REAL *y, const FN(form) f) {
  FOR(v, f.vectors + (f.rest > 0)) __builtin_prefetch(y + v * FN(LANES));
}

ALWAYS_INLINE FN(vec) FN(widened)(const FN(sums) * s, const int r, const int rest) {
  return rest == 16 ? FN(widen_short16)(s->rest16[r]) : FN(widen_short32)(s->rest32[r]);
}

/* All of it comes before the first store: a load waits for a store of part of a vector
** that it may overlap. */
ALWAYS_INLINE void FN(tile_add)(const FN(tile) * t, FN(sums) * s, const FN(form) f) {
  FOR(r, f.rows) {
    const REAL *init = t->init + r * t->init_row;
    FOR(v, f.vectors) {
      const bool part = !f.rest && v == f.vectors - 1 && t->last < FN(LANES);
      s->whole[r][v] += part ? FN(load_part)(init + v * FN(LANES), t->last)
                             : FN(load)(init + v * FN(LANES));
    }
    if (!f.rest) continue;
    const FN(vec) last = FN(load_part)(init + f.vectors * FN(LANES), t->last);
    if (f.rest == 16) s->rest16[r] += FN(low_short16)(last);
    if (f.rest == 32) s->rest32[r] += FN(low_short32)(last);
  }
}

ALWAYS_INLINE void FN(tile_store)(const FN(tile) * t, const FN(sums) * s,
                                  const FN(form) f) {
  FOR(r, f.rows) {
    REAL *y = t->y + r * t->y_row;
    FOR(v, f.vectors) {
      if (!f.rest && v == f.vectors - 1 && t->last < FN(LANES))
        FN(store_part)(y + v * FN(LANES), s->whole[r][v], t->last);
      else
        FN(store)(y + v * FN(LANES), s->whole[r][v]);
    }
    if (f.rest)
      FN(store_part)(y + f.vectors * FN(LANES), FN(widened)(s, r, f.rest), t->last);
  }
}

/* += x[:,k] * W[k,:]. Row r of x is at x + step[r]: one, three and five rows lie in
** registers of their own, the addresses of the others double these. */
ALWAYS_INLINE void FN(tile_rank1)(FN(sums) * s, const REAL *packed, int64_t panel,
                                  const char *x, const int64_t odd[3],
                                  const FN(form) f) {
  FN(vec) w[ROW_VECTORS];
  FOR(v, f.vectors) {
    w[v] = FN(load)(packed + (v / PANEL_VECTORS) * panel +
                    (v % PANEL_VECTORS) * FN(LANES));
  }
  const REAL *rest = packed + (f.vectors / PANEL_VECTORS) * panel +
                     (f.vectors % PANEL_VECTORS) * FN(LANES);
  FOR(r, f.rows) {
    const int64_t step = r == 0 ? 0 : r & 1 ? odd[r / 2] : odd[0] * r;
    const FN(vec) value = FN(all)(*(const REAL *)(const void *)(x + step));
    FOR(v, f.vectors) s->whole[r][v] += value * w[v];
    if (f.rest == 16) s->rest16[r] += FN(low_short16)(value) * FN(load_short16)(rest);
    if (f.rest == 32) s->rest32[r] += FN(low_short32)(value) * FN(load_short32)(rest);
  }
}

ALWAYS_INLINE void FN(clear_sums)(FN(sums) * s, const FN(form) f) {
  FOR(r, f.rows) {
    FOR(v, f.vectors) s->whole[r][v] = (FN(vec)){0};
    s->rest16[r] = (FN(short16)){0};
    s->rest32[r] = (FN(short32)){0};
  }
}

ALWAYS_INLINE void FN(add_sums)(FN(sums) * s, const FN(sums) * o, const FN(form) f) {
  FOR(r, f.rows) {
    FOR(v, f.vectors) s->whole[r][v] += o->whole[r][v];
    s->rest16[r] += o->rest16[r];
    s->rest32[r] += o->rest32[r];
  }
}

ALWAYS_INLINE void FN(run_tile)(const FN(tile) * tile, const FN(form) f) {
  const FN(tile) t = *tile;
  FN(sums) sums, other;
  FN(clear_sums)(&sums, f);
  FN(clear_sums)(&other, f);
  const REAL *soon = t.y, *last_row = t.y + (f.rows - 1) * t.y_row;
  const int64_t row = t.x_row * (int64_t)sizeof(REAL), odd[3] = {row, 3 * row, 5 * row};
  const int64_t next = t.x_column * (int64_t)sizeof(REAL), panel = t.panel,
                w_row = t.w_row;
  for (int64_t i = 0; i < t.pieces; i++) {
    const REAL *packed = t.packed + i * t.w_piece;
    const char *x = (const char *)(t.x + i * t.x_piece);
    int64_t k = t.piece;
    if (f.chains == 2) {
      for (; k >= 2; k -= 2, packed += 2 * w_row, x += 2 * next) {
        FN(tile_rank1)(&sums, packed, panel, x, odd, f);
        FN(tile_rank1)(&other, packed + w_row, panel, x + next, odd, f);
      }
    }
    while (k > 0) {
      int64_t n = k < STRIDE ? k : STRIDE;
      if (f.rows > 1) FN(prefetch_row)(soon, f);
      soon = soon < last_row ? soon + t.y_row : last_row;
      for (k -= n; n > 0; n--, packed += w_row, x += next)
        FN(tile_rank1)(&sums, packed, panel, x, odd, f);
    }
  }
  if (f.chains == 2) FN(add_sums)(&sums, &other, f);
  if (t.init) FN(tile_add)(&t, &sums, f);
  FN(tile_store)(&t, &sums, f);
}

#define KEY(rows, vectors, rest, chains)                                               \
  ((((rows)*16 + (vectors)) * 4 + (rest) / 16) * 2 + (chains)-1)
#define TILE(rows, vectors, rest, chains)                                              \
  case KEY(rows, vectors, rest, chains):                                               \
    FN(run_tile)(t, (FN(form)){rows, vectors, rest, chains});                          \
    break;
#define TILES(vectors, rest, chains)                                                   \
  TILE(3, vectors, rest, chains)                                                       \
  TILE(4, vectors, rest, chains)                                                       \
  TILE(5, vectors, rest, chains)                                                       \
  TILE(6, vectors, rest, chains)
#define ALL_TILES(vectors, chains)                                                     \
  TILE(1, vectors, 0, chains)                                                          \
  TILE(2, vectors, 0, chains)                                                          \
  TILES(vectors, 0, chains)

static void FN(dispatch_tile)(const FN(tile) * t, int rows, int vectors, int rest,
                              int chains) {
  switch (KEY(rows, vectors, rest, chains)) {
    ALL_TILES(1, 1)
    ALL_TILES(2, 1)
#if VEC_BYTES > 16
    TILES(1, 16, 1)
#endif
#ifdef __AVX512F__
    ALL_TILES(1, 2)
    ALL_TILES(2, 2)
    ALL_TILES(3, 1)
    ALL_TILES(4, 1)
    TILES(2, 16, 1)
    TILES(3, 16, 1)
    TILES(1, 32, 1)
    TILES(2, 32, 1)
    TILES(3, 32, 1)
#else
    TILE(1, 3, 0, 1)
    TILE(1, 4, 0, 1)
#endif
    TILE(1, 5, 0, 1)
    TILE(1, 6, 0, 1)
    TILE(1, 7, 0, 1)
    TILE(1, 8, 0, 1)
  }
}
#undef ALL_TILES
#undef TILES
#undef TILE
#undef KEY

/* Bytes of the short vector at the end of a block of `columns`: it takes a few rows, and
** a whole vector beside it, to be worth it. */
ALWAYS_INLINE int FN(rest_of)(int64_t rows, int64_t columns) {
  return rows >= 3 && columns > FN(LANES) ? FN(short_bytes)(columns) : 0;
}

/* All rows of one block of columns. */
static void FN(multiply_columns)(FN(tile) t, int64_t rows, int vectors, int rest,
                                 int chains, bool in_tiles) {
  for (int64_t tiles = un_tile_count(rows); tiles > 0; tiles--) {
    int64_t step = un_tile_step(rows, tiles);
    FN(dispatch_tile)(&t, (int)step, vectors, rest, chains);
    rows -= step;
    t.x += in_tiles ? TILE_ROWS * t.depth : step * t.x_row;
    t.y += step * t.y_row;
    if (t.init) t.init += step * t.init_row;
  }
}

/* --- a few columns beyond the last whole vector ----------------------------------- */

/* y[r] = init[r] + x[r,:] . w for one column: as sums over whole vectors of k. */
ALWAYS_INLINE void FN(dot_rows)(const un_product *p, int64_t r, const int rows,
                                int64_t column, const REAL *w) {
  const REAL *x = (const REAL *)p->x + r * p->x_row;
  FN(vec) sum[4] = {{0}};
  int64_t k = 0;
  for (; k + FN(LANES) <= p->depth; k += FN(LANES)) {
    FN(vec) wk = FN(load)(w + k);
    FOR(i, rows) sum[i] += FN(load)(x + i * p->x_row + k) * wk;
  }
  if (k < p->depth) {
    FN(vec) wk = FN(load)(w + k);
    FOR(i, rows) sum[i] += FN(load_part)(x + i * p->x_row + k, p->depth - k) * wk;
  }
  FOR(i, rows) {
    REAL s = FN(reduce_add)(sum[i]);
    if (p->init) s += ((const REAL *)p->init)[(r + i) * p->init_row + column];
    ((REAL *)p->y)[(r + i) * p->y_row + column] = s;
  }
}

static void FN(dot_column)(const un_product *p, int64_t column, const REAL *w) {
  int64_t r = 0;
  for (; r + 4 <= p->rows; r += 4)
    FN(dot_rows)(p, r, 4, column, w);
  for (; r < p->rows; r++)
    FN(dot_rows)(p, r, 1, column, w);
}

/* --- all of y --------------------------------------------------------------------- */

static void FN(multiply)(const un_product *p) {
  int64_t block = (p->rows == 1 ? ROW_VECTORS : PANEL_VECTORS) * FN(LANES);
  const bool plain = p->plain_row != 0;
  bool has_dots = p->x_column == 1 && !p->x_tiles && !plain;
  int64_t dots = has_dots ? FN(dot_columns)(p->columns) : 0;
  int64_t columns = p->columns - dots;
  FN(tile)
  t = {p->x,
       p->packed,
       p->init,
       p->y,
       p->x_row,
       p->x_column,
       p->init_row,
       p->y_row,
       p->depth,
       FN(LANES),
       plain ? p->plain_row : FN(WIDTH),
       plain ? FN(WIDTH) : p->depth * FN(WIDTH),
       p->piece ? p->depth / p->piece : 1,
       p->piece ? p->piece : p->depth,
       p->x_piece,
       plain ? p->plain_piece : p->piece * FN(WIDTH)};
  if (p->x_tiles) {
    t.x_row = 1;
    t.x_column = TILE_ROWS;
  }
  for (int64_t j = 0; j < columns && !un_stopped(); j += block) {
    int64_t n = columns - j < block ? columns - j : block;
    int rest = FN(rest_of)(p->rows, n);
    int vectors = (int)((n + (rest ? 0 : FN(LANES) - 1)) / FN(LANES));
    int chains = n <= 2 * FN(LANES) && j == 0 && !rest ? MAX_CHAINS : 1;
    t.last = n - (vectors - !rest) * FN(LANES);
    t.packed = (const REAL *)p->packed + (plain ? j : j * p->depth);
    t.y = (REAL *)p->y + j;
    t.init = p->init ? (const REAL *)p->init + j : NULL;
    FN(multiply_columns)(t, p->rows, vectors, rest, chains, p->x_tiles);
  }
  for (int64_t i = 0; i < dots; i++)
    FN(dot_column)
  (p, columns + i, FN(dot_column_at)(p->packed, p->depth, p->columns, i));
}
#undef FOR

#endif
