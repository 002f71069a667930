/* isa/panel.c -- the products of panel.h: the microkernel and what calls it.
**
** A tile is `rows` rows of y times `vectors` vectors of columns, all in registers. The
** register plan, for one step down k:
**     AVX-512, 32 registers: 6 rows x 4 vectors = 24 sums, 4 of W, 1 of x, 3 spare
**     AVX2, 16:              4 rows x 3 vectors = 12 sums, 3 of W, 1 of x
**     SSE2, 16:              6 rows x 2 vectors = 12 sums, 2 of W, 1 of x, 1 spare
** so 24 (12) multiply-adds come with 10 (7, 8) loads. W is a panel, read in order; an
** element of x is repeated over a vector by its load. AVX2 makes two multiply-adds a cycle:
** what else there is to issue counts, so it takes four steps with one turn of the loop.
** A single row takes 8 vectors where it can, several panels at once: fewer would leave the
** adders waiting for each other. Where y has few columns, a tile has up to 12 rows for the
** same reason. Rows are dealt to tiles evenly, 32 as 6+6+5+5+5+5: a tile of 2 would wait
** too. Few columns at the end are taken as a short vector (short.h); of x^T W, where rows
** of x lie side by side, as rows of W^T x, whose vectors go along these.
**
** A W that is not packed is read up to its last column and no further: the last vector of
** a row begins so far back that it ends there. What it has in common with the one before
** is summed up, and written, twice. */
#ifndef REAL
#include "panel.h"

#include "isa.h"
#include "panel_layout.h"
#include "short.h"
#include "stop.h"
#include "transpose.h"
#include "vec.h"

/* Rows of a tile of one vector and of two, where these are not all. */
enum { MAX_ROWS = 12, NARROW_ROWS = 6 };

/* Steps down k of one turn, where instructions count (AVX2). */
enum { TURN = 4 };

/* Rows of y whose last columns are turned at a time, at most. */
enum { TURNED = 256 };

/* sum += a * b. Of AVX2's registers none is left: gcc would move sums about, and read W
** again for each row. */
#if VEC_BYTES == 32
#define MULTIPLY_ADD_f32(sum, a, b)                                                    \
  __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#define MULTIPLY_ADD_f64(sum, a, b)                                                    \
  __asm__("vfmadd231pd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#else
#define MULTIPLY_ADD_f32(sum, a, b) ((sum) += (a) * (b))
#define MULTIPLY_ADD_f64(sum, a, b) ((sum) += (a) * (b))
#endif

#define UN_TEMPLATE "isa/panel.c"
#include "each_dtype.h"

extern const un_panel_kernels ISA(un_panel);
const un_panel_kernels ISA(un_panel) = {.width = {WIDTH_f32, WIDTH_f64},
                                        .bytes = {bytes_f32, bytes_f64},
                                        .multiply = {multiply_f32, multiply_f64}};

#else

static size_t FN(bytes)(int64_t depth, int64_t columns) {
  return (size_t)(FN(panel_columns)(columns) * depth + FN(dot_room)(depth, columns)) *
         sizeof(REAL);
}

/* --- the microkernel -------------------------------------------------------------- */

/* What a tile needs; its last vector has `last` columns, from y_last on, and is w_last
** behind the beginning of a row of W. */
typedef struct FN(tile) {
  const REAL *x, *packed, *init, *bias;
  const int32_t *tokens;
  REAL *y;
  int64_t x_row, x_column, init_row, y_row, depth, last, y_last, w_last;
  int64_t x_next;       /* from tile to tile of x */
  int64_t w_row, panel; /* from row to row of W, from panel to panel */
  int64_t pieces, piece, x_piece, w_piece; /* pieces of k, and how far they are apart */
} FN(tile);

#define FOR(i, n) _Pragma("GCC unroll 12") for (int i = 0; i < (n); i++)

/* The sums of a tile: those of whole vectors, and of the short one behind them. */
typedef struct FN(sums) {
  FN(vec) whole[MAX_ROWS][ROW_VECTORS];
  FN(short16) rest16[MAX_ROWS];
  FN(short32) rest32[MAX_ROWS];
} FN(sums);

/* What is in a tile; rest is the bytes of its short vector, or 0. In a full one the last
** vector, too, is whole and in its place: most tiles of large products are. */
typedef struct FN(form) {
  int rows, vectors, rest;
  bool full;
} FN(form);

/* y is needed last: it comes from afar meanwhile. */
ALWAYS_INLINE void FN(prefetch_row)(const REAL *y, const FN(form) f) {
  enum { STEP = VEC_BYTES < 64 ? 64 / VEC_BYTES : 1 };
  FOR(v, f.vectors + (f.rest > 0))
  if (v % STEP == 0) __builtin_prefetch(y + v * FN(LANES));
}

ALWAYS_INLINE FN(vec) FN(widened)(const FN(sums) * s, const int r, const int rest) {
  return rest == 16 ? FN(widen_short16)(s->rest16[r]) : FN(widen_short32)(s->rest32[r]);
}

/* Where vector v of a row of y begins. */
ALWAYS_INLINE int64_t FN(place_of)(const FN(tile) * t, const int v, const FN(form) f) {
  return !f.rest && !f.full && v == f.vectors - 1 ? t->y_last : v * FN(LANES);
}

ALWAYS_INLINE bool FN(is_part)(const FN(tile) * t, const int v, const FN(form) f) {
  return !f.rest && !f.full && v == f.vectors - 1 && t->last < FN(LANES);
}

/* n numbers of row r of init, or a whole vector of them, from column j on. */
ALWAYS_INLINE FN(vec)
    FN(load_init)(const FN(tile) * t, const int r, int64_t j, int64_t n,
                  const bool is_part, const bool by_token) {
  const int64_t row = by_token ? t->tokens[r] - 1 : r;
  const REAL *at = t->init + row * t->init_row + j;
  FN(vec) init = is_part ? FN(load_part)(at, n) : FN(load)(at);
  if (by_token) init += is_part ? FN(load_part)(t->bias + j, n) : FN(load)(t->bias + j);
  return init;
}

/* All of it comes before the first store: a load waits for a store that it may overlap. */
ALWAYS_INLINE void FN(tile_add)(const FN(tile) * t, FN(sums) * s, const FN(form) f,
                                const bool by_token) {
  FOR(r, f.rows) {
    FOR(v, f.vectors)
    s->whole[r][v] += FN(load_init)(t, r, FN(place_of)(t, v, f), t->last,
                                    FN(is_part)(t, v, f), by_token);
    if (!f.rest) continue;
    const FN(vec) last = FN(load_init)(t, r, t->y_last, t->last, true, by_token);
    if (f.rest == 16) s->rest16[r] += FN(low_short16)(last);
    if (f.rest == 32) s->rest32[r] += FN(low_short32)(last);
  }
}

ALWAYS_INLINE void FN(tile_store)(const FN(tile) * t, const FN(sums) * s,
                                  const FN(form) f) {
  FOR(r, f.rows) {
    REAL *y = t->y + r * t->y_row;
    FOR(v, f.vectors) {
      REAL *at = y + FN(place_of)(t, v, f);
      if (FN(is_part)(t, v, f))
        FN(store_part)(at, s->whole[r][v], t->last);
      else
        FN(store)(at, s->whole[r][v]);
    }
    if (f.rest) FN(store_part)(y + t->y_last, FN(widened)(s, r, f.rest), t->last);
  }
}

/* += x[:,k] * W[k,:]. Row r of x is at x + step[r]: one, three and five rows lie in
** registers of their own, the addresses of the others double these; beyond six rows, from
** the sixth on. */
ALWAYS_INLINE void FN(tile_rank1)(FN(sums) * s, const REAL *packed, int64_t panel,
                                  int64_t last, const char *x, const int64_t odd[3],
                                  const FN(form) f) {
  FN(vec) w[ROW_VECTORS];
  FOR(v, f.vectors) {
    const bool is_last = !f.rest && !f.full && v == f.vectors - 1;
    w[v] = FN(load)(packed + (is_last ? last
                                      : (v / PANEL_VECTORS) * panel +
                                            (v % PANEL_VECTORS) * FN(LANES)));
  }
  const REAL *rest = packed + last;
  FOR(r, f.rows) {
    const int i = r % NARROW_ROWS;
    const int64_t step = i == 0 ? 0 : i & 1 ? odd[i / 2] : odd[0] * i;
    const char *from = r < NARROW_ROWS ? x : x + 2 * odd[1];
    const FN(vec) value = FN(all)(*(const REAL *)(const void *)(from + step));
    FOR(v, f.vectors) FN(MULTIPLY_ADD)(s->whole[r][v], value, w[v]);
    if (f.rest == 16)
      FN(MULTIPLY_ADD)(s->rest16[r], FN(low_short16)(value), FN(load_short16)(rest));
    if (f.rest == 32)
      FN(MULTIPLY_ADD)(s->rest32[r], FN(low_short32)(value), FN(load_short32)(rest));
  }
}

/* Element `row` of x in step `step` of a few, where rows lie side by side or else steps do:
** the other ones are far[1] bytes apart. */
ALWAYS_INLINE FN(vec)
    FN(element)(const char *x, const int64_t far[NARROW_ROWS], const int row,
                const int step, const bool rows_neighbour) {
  const char *at = x + far[rows_neighbour ? step : row];
  return FN(all)(((const REAL *)(const void *)at)[rows_neighbour ? row : step]);
}

/* Down a piece of k by four steps at a time, in a full tile. Where rows of W are as long as
** the tile is wide, the compiler knows where they all are, and needs no registers for it. */
ALWAYS_INLINE void FN(tile_fours)(FN(sums) * s, const FN(tile) * t, const REAL **w,
                                  const char **x, const FN(form) f,
                                  const bool rows_neighbour, const bool is_packed) {
  const int64_t size = sizeof(REAL),
                w_row = is_packed ? f.vectors * FN(LANES) : t->w_row;
  const int64_t next = (rows_neighbour ? t->x_column : t->x_row) * size;
  const int64_t far[NARROW_ROWS] = {0, next, 2 * next, 3 * next, 4 * next, 5 * next};
  for (int64_t turns = t->piece / TURN; turns > 0; turns--) {
    FOR(step, TURN) {
      FN(vec) row[PANEL_VECTORS];
      FOR(v, f.vectors) row[v] = FN(load)(*w + step * w_row + v * FN(LANES));
      FOR(r, f.rows) {
        const FN(vec) value = FN(element)(*x, far, r, step, rows_neighbour);
        FOR(v, f.vectors) FN(MULTIPLY_ADD)(s->whole[r][v], value, row[v]);
      }
    }
    *w += TURN * w_row;
    *x += TURN * (rows_neighbour ? next : size);
  }
}

/* Down a piece of k but for its last steps, in the way that goes with the strides. */
ALWAYS_INLINE void FN(tile_piece)(FN(sums) * s, const FN(tile) * t, const REAL **w,
                                  const char **x, const FN(form) f) {
  const bool rows_neighbour = t->x_row == 1,
             is_packed = t->w_row == f.vectors * FN(LANES);
  if (rows_neighbour && is_packed)
    FN(tile_fours)(s, t, w, x, f, true, true);
  else if (is_packed)
    FN(tile_fours)(s, t, w, x, f, false, true);
  else if (rows_neighbour)
    FN(tile_fours)(s, t, w, x, f, true, false);
  else
    FN(tile_fours)(s, t, w, x, f, false, false);
}

/* Down k: s += x W. */
ALWAYS_INLINE void FN(tile_product)(FN(sums) * s, const FN(tile) * t,
                                    const FN(form) f) {
  const bool by_fours = VEC_BYTES == 32 && f.full;
  const int64_t row = t->x_row * (int64_t)sizeof(REAL),
                odd[3] = {row, 3 * row, 5 * row};
  const int64_t next = t->x_column * (int64_t)sizeof(REAL), panel = t->panel,
                w_row = t->w_row, last = t->w_last;
  for (int64_t i = 0; i < t->pieces; i++) {
    const REAL *packed = t->packed + i * t->w_piece;
    const char *x = (const char *)(t->x + i * t->x_piece);
    if (by_fours) FN(tile_piece)(s, t, &packed, &x, f);
    for (int64_t k = by_fours ? t->piece % TURN : t->piece; k > 0; k--) {
      FN(tile_rank1)(s, packed, panel, last, x, odd, f);
      packed += w_row;
      x += next;
    }
  }
}

ALWAYS_INLINE void FN(run_tile)(const FN(tile) * t, const FN(form) f) {
  FN(sums) sums;
  FOR(r, f.rows) {
    FOR(v, f.vectors) sums.whole[r][v] = (FN(vec)){0};
    sums.rest16[r] = (FN(short16)){0};
    sums.rest32[r] = (FN(short32)){0};
  }
  FOR(r, f.rows) if (f.rows > 1) FN(prefetch_row)(t->y + r * t->y_row, f);
  FN(tile_product)(&sums, t, f);
  if (t->tokens)
    FN(tile_add)(t, &sums, f, true);
  else if (t->init)
    FN(tile_add)(t, &sums, f, false);
  FN(tile_store)(t, &sums, f);
}

ALWAYS_INLINE void FN(next_tile)(FN(tile) * t, const int rows) {
  t->x += t->x_next;
  t->y += rows * t->y_row;
  if (t->tokens)
    t->tokens += rows;
  else if (t->init)
    t->init += rows * t->init_row;
}

/* So many equal tiles, one below the other. What is copied no store to y can change: it is
** not read again for each tile. With AVX-512, where there is time for that, gcc would rather
** spill the strides of x. */
ALWAYS_INLINE void FN(run_tiles)(FN(tile) * all, int64_t count, const FN(form) f) {
  FN(tile) copy = *all, *t = VEC_BYTES == 32 ? &copy : all;
  for (; count > 0; count--) {
    FN(run_tile)(t, f);
    FN(next_tile)(t, f.rows);
  }
  if (t == &copy) *all = copy;
}

#define KEY(rows, vectors, rest, full)                                                 \
  ((((rows)*16 + (vectors)) * 4 + (rest) / 16) * 2 + (full))
#define TILE(rows, vectors, rest, full)                                                \
  case KEY(rows, vectors, rest, full):                                                 \
    FN(run_tiles)(t, count, (FN(form)){rows, vectors, rest, full});                    \
    break;
#define TILES(vectors, rest, full)                                                     \
  TILE(3, vectors, rest, full)                                                         \
  TILE(4, vectors, rest, full)                                                         \
  TILE(5, vectors, rest, full)                                                         \
  TILE(6, vectors, rest, full)
#define ALL_TILES(vectors, full)                                                       \
  TILE(1, vectors, 0, full)                                                            \
  TILE(2, vectors, 0, full)                                                            \
  TILES(vectors, 0, full)
#define TALL_TILES(vectors)                                                            \
  ALL_TILES(vectors, false)                                                            \
  TILE(7, vectors, 0, false)                                                           \
  TILE(8, vectors, 0, false)                                                           \
  TILE(9, vectors, 0, false)                                                           \
  TILE(10, vectors, 0, false)                                                          \
  TILE(11, vectors, 0, false)                                                          \
  TILE(12, vectors, 0, false)

/* Element (r,j) of a tile, by itself. */
static REAL FN(tile_number)(const FN(tile) * t, int64_t r, int64_t j) {
  const int64_t column = j / FN(WIDTH) * t->panel + j % FN(WIDTH);
  REAL sum = 0;
  for (int64_t i = 0; i < t->pieces; i++) {
    const REAL *w = t->packed + i * t->w_piece + column;
    const REAL *x = t->x + i * t->x_piece + r * t->x_row;
    for (int64_t k = 0; k < t->piece; k++)
      sum += x[k * t->x_column] * w[k * t->w_row];
  }
  if (!t->init) return sum;
  const int64_t row = t->tokens ? t->tokens[r] - 1 : r;
  const REAL init = t->init[row * t->init_row + j];
  return sum + (t->tokens ? init + t->bias[j] : init);
}

/* One number after the other, for a form without a case of its own in dispatch_tiles: there
** should be none, but if there is one it is slow, not wrong. */
static void FN(run_numbers)(FN(tile) * t, int64_t count, int rows) {
  for (; count > 0; count--) {
    for (int64_t r = 0; r < rows; r++)
      for (int64_t j = 0; j < t->y_last + t->last; j++)
        t->y[r * t->y_row + j] = FN(tile_number)(t, r, j);
    FN(next_tile)(t, rows);
  }
}

static void FN(dispatch_tiles)(FN(tile) * t, int64_t count, int rows, int vectors,
                               int rest, bool full) {
  switch (KEY(rows, vectors, rest, full)) {
    TALL_TILES(1)
    ALL_TILES(PANEL_VECTORS, true)
    ALL_TILES(PANEL_VECTORS, false)
#if VEC_BYTES > 16
    TILES(1, 16, false)
    TILES(2, 16, false)
#endif
#if VEC_BYTES == 64
    TALL_TILES(2)
    ALL_TILES(3, false)
    TILES(3, 16, false)
    TILES(1, 32, false)
    TILES(2, 32, false)
    TILES(3, 32, false)
#else
#if VEC_BYTES == 32
    ALL_TILES(2, true)
    ALL_TILES(2, false)
    TILE(2, 1, 16, false) /* of five rows, as the next one */
    TILE(2, 2, 16, false)
#else
    TILE(1, 3, 0, false)
#endif
    TILE(1, 4, 0, false)
#endif
    TILE(1, 5, 0, false)
    TILE(1, 6, 0, false)
    TILE(1, 7, 0, false)
    TILE(1, 8, 0, false)
  default:
    FN(run_numbers)(t, count, rows);
  }
}
#undef TALL_TILES
#undef ALL_TILES
#undef TILES
#undef TILE
#undef KEY

/* Bytes of the short vector at the end of a block of `columns`: it takes a few rows, and
** a whole vector beside it, to be worth it. */
ALWAYS_INLINE int FN(rest_of)(int64_t rows, int64_t columns) {
  return rows >= 3 && columns > FN(LANES) ? FN(short_bytes)(columns) : 0;
}

/* Most rows of a tile. */
ALWAYS_INLINE int64_t FN(tile_rows)(int vectors, int rest, bool in_tiles) {
  if (in_tiles) return TILE_ROWS;
  if (vectors <= PANEL_VECTORS / 2 && !rest) return MAX_ROWS;
  return vectors + (rest > 0) < PANEL_VECTORS ? NARROW_ROWS : TILE_ROWS;
}

/* All rows of one block of columns, dealt evenly to tiles: some have one more. */
static void FN(multiply_columns)(FN(tile) * t, int64_t rows, int vectors, int rest,
                                 bool in_tiles) {
  const bool full = vectors >= LEAST_VECTORS && vectors <= PANEL_VECTORS && !rest &&
                    t->last == FN(LANES) && t->y_last == (vectors - 1) * FN(LANES);
  const int64_t most = FN(tile_rows)(vectors, rest, in_tiles);
  const int64_t tiles = (rows + most - 1) / most;
  const int64_t few = tiles > 1 ? rows / tiles : rows, more = rows - few * tiles;
  for (int i = 0; i < 2; i++) {
    const int64_t step = few + (i == 0), count = i == 0 ? more : tiles - more;
    if (count == 0) continue;
    t->x_next = in_tiles ? TILE_ROWS * t->depth : step * t->x_row;
    FN(dispatch_tiles)(t, count, (int)step, vectors, rest, full);
  }
}

/* --- a few columns beyond the last whole vector ----------------------------------- */

ALWAYS_INLINE REAL FN(init_at)(const un_product *p, int64_t r, int64_t column) {
  const int64_t row = p->tokens ? p->tokens[r] - 1 : r;
  const REAL init = ((const REAL *)p->init)[row * p->init_row + column];
  return p->tokens ? init + ((const REAL *)p->bias)[column] : init;
}

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
    if (p->init) s += FN(init_at)(p, r + i, column);
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

/* Columns of the panels of a block, `all` from its first one to the end. */
ALWAYS_INLINE int64_t FN(panels_of)(int64_t rows, int64_t all) {
  int64_t n = FN(panel_width)(all);
  if (rows > 1 || n < FN(WIDTH)) return n;
  while (n < all && n + FN(WIDTH) <= ROW_VECTORS * FN(LANES) &&
         FN(panel_width)(all - n) == FN(WIDTH))
    n += FN(WIDTH);
  return n;
}

/* Columns of the next block. Where W is not packed the last one, too, has a whole vector. */
ALWAYS_INLINE int64_t FN(block_of)(const un_product *p, int64_t j, int64_t left) {
  const bool is_row = p->plain_row && p->rows == 1;
  const int64_t most =
      is_row ? ROW_VECTORS * FN(LANES) : FN(panels_of)(p->rows, p->columns - j);
  if (left <= most) return left;
  return p->plain_row && left - most < FN(LANES) ? most - FN(LANES) : most;
}

/* What the tiles of a product have in common. */
ALWAYS_INLINE void FN(begin_tiles)(FN(tile) * t, const un_product *p) {
  const bool plain = p->plain_row != 0;
  t->x_row = p->x_tiles ? 1 : p->x_row;
  t->x_column = p->x_tiles ? TILE_ROWS : p->x_column;
  t->init_row = p->init_row;
  t->y_row = p->y_row;
  t->depth = p->depth;
  t->panel = plain ? FN(WIDTH) : p->depth * FN(WIDTH);
  t->piece = p->piece ? p->piece : p->depth;
  t->pieces = t->piece < p->depth ? p->depth / t->piece : 1;
  t->x_piece = p->x_piece;
}

/* n columns from column j on. */
ALWAYS_INLINE void FN(multiply_block)(const un_product *p, FN(tile) * t, int64_t j,
                                      int64_t n) {
  const bool plain = p->plain_row != 0;
  const int rest = FN(rest_of)(p->rows, n);
  const int vectors = (int)((n + (rest ? 0 : FN(LANES) - 1)) / FN(LANES));
  const int before = vectors - !rest; /* the last one */
  const int64_t width = rest ? rest / (int)sizeof(REAL) : FN(LANES);
  t->w_row = plain ? p->plain_row : FN(panel_width)(p->columns - j);
  t->w_piece = plain ? p->plain_piece : p->piece * t->w_row;
  t->last = plain ? width : n - before * FN(LANES);
  t->y_last = plain ? n - width : before * FN(LANES);
  t->w_last =
      plain ? t->y_last
            : before / PANEL_VECTORS * t->panel + before % PANEL_VECTORS * FN(LANES);
  t->packed = (const REAL *)p->packed + (plain ? j : j * p->depth);
  t->x = p->x;
  t->y = (REAL *)p->y + j;
  t->init = p->init ? (const REAL *)p->init + j : NULL;
  t->tokens = p->tokens;
  t->bias = p->tokens ? (const REAL *)p->bias + j : NULL;
  FN(multiply_columns)(t, p->rows, vectors, rest, p->x_tiles);
}

/* Are the last columns of W there in one piece, too? Rows of b (un_pack_kernels.rows), which
** come in pieces, are packed without. */
ALWAYS_INLINE bool FN(has_dots)(const un_product *p) {
  return p->x_column == 1 && !p->x_tiles && !p->plain_row && !p->piece;
}

/* The first so many columns. */
static void FN(multiply_columns_to)(const un_product *p, int64_t columns) {
  FN(tile) t;
  int64_t n = 0;
  FN(begin_tiles)(&t, p);
  for (int64_t j = 0; j < columns && !un_stopped(); j += n) {
    n = FN(block_of)(p, j, columns - j);
    FN(multiply_block)(p, &t, j, n);
  }
}

/* --- the last columns, turned ----------------------------------------------------- */

/* Columns in the last vector of y, where so few stand in it that as rows, with vectors along
** the rows of x, they cost less: one to each LANES rows of y, and not one to each row. The
** same numbers are added in the same order. Tiles of so few rows wait for their adders: with
** AVX2, whose vectors are filled better, that costs as much as it saves. */
#if VEC_BYTES < 64
ALWAYS_INLINE int64_t FN(turned_columns)(const un_product *p) {
  (void)p;
  return 0;
}

static void FN(multiply_turned)(const un_product *p, int64_t column) {
  (void)p, (void)column;
}
#else
enum { FN(MOST_TURNED) = FN(LANES) / 4 };

ALWAYS_INLINE int64_t FN(turned_columns)(const un_product *p) {
  if (p->x_row != 1 || p->x_column < 1 || p->x_tiles) return 0;
  if (p->rows < 2 * FN(LANES)) return 0;
  const int64_t rest = p->columns % FN(LANES);
  return p->columns > FN(LANES) && rest <= FN(MOST_TURNED) ? rest : 0;
}

/* W as x, from a column on: its columns are rows that lie side by side. */
static un_product FN(turned_product)(const un_product *p, int64_t column) {
  int64_t j = 0, w_row = p->plain_row;
  if (!p->plain_row)
    while (j + (w_row = FN(panel_width)(p->columns - j)) <= column)
      j += w_row;
  return (un_product){.rows = p->columns - column,
                      .depth = p->depth,
                      .x = (const REAL *)p->packed + j * p->depth + (column - j),
                      .x_row = 1,
                      .x_column = w_row,
                      .piece = p->piece,
                      .x_piece = p->plain_row ? p->plain_piece : p->piece * w_row,
                      .plain_row = p->x_column,
                      .plain_piece = p->x_piece};
}

/* Row `row` of y and the ones below it, from a column on, out of the `rows` columns of
** turned. */
static void FN(turn_back)(const un_product *p, int64_t row, int64_t rows,
                          int64_t column, const REAL *turned) {
  const int64_t count = p->columns - column;
  REAL *y = (REAL *)p->y + row * p->y_row + column;
  int64_t r = 0;
  if (count == 4 && !p->init) {
    const un_steps width = un_steps_of(p->y_row), stride = un_steps_of(rows);
    for (; r + 4 <= rows; r += 4)
      FN(transpose4)(y + r * p->y_row, width, turned + r, stride);
  }
  for (; r < rows; r++)
    for (int64_t j = 0; j < count; j++) {
      REAL sum = turned[j * rows + r];
      if (p->init) sum += FN(init_at)(p, row + r, column + j);
      y[r * p->y_row + j] = sum;
    }
}

static void FN(multiply_turned)(const un_product *p, int64_t column) {
  REAL turned[FN(MOST_TURNED) * TURNED];
  un_product part = FN(turned_product)(p, column);
  const int64_t parts = (p->rows + TURNED - 1) / TURNED;
  for (int64_t i = 0; i < parts && !un_stopped(); i++) {
    const int64_t first = p->rows * i / parts;
    part.columns = p->rows * (i + 1) / parts - first;
    part.packed = (const REAL *)p->x + first;
    part.y = turned;
    part.y_row = part.columns;
    FN(multiply_columns_to)(&part, part.columns);
    FN(turn_back)(p, first, part.columns, column, turned);
  }
}
#endif

static void FN(multiply)(const un_product *p) {
  const int64_t dots = FN(has_dots)(p) ? FN(dot_columns)(p->columns) : 0;
  const int64_t turned = dots ? 0 : FN(turned_columns)(p);
  const int64_t columns = p->columns - dots - turned;
  FN(multiply_columns_to)(p, columns);
  if (turned) FN(multiply_turned)(p, columns);
  for (int64_t i = 0; i < dots; i++)
    FN(dot_column)
  (p, columns + i, FN(dot_column_at)(p->packed, p->depth, p->columns, i));
}
#undef FOR

#endif
