/* isa/row.c -- products of a single row (row.h), and the tanh and relu cells over a
** stretch of steps of one sequence, which is a chain of them:
**     forward    h_t = f(a_t + W h_{t-1})              a_t lies where h_t is to go
**     back       dh = dL/dh_t + dL/dy_t, da_t = dh f'(h_t), dL/dh_{t-1} = da_t W
**
** A block of columns is summed up in registers while k runs over the rows of W. Where a
** block has few vectors there are two or four sums of each, of every second or fourth
** k, so that no addition waits for the one before it. Four neighbouring x come with one
** load, and are spread over vectors in registers.
**
** Steps go to and fro (row.h). A step begins with the numbers that the one before it has
** made last: these are finished first.
**
** Sums turn into what the next step multiplies by, h or da, while they are in registers. It is
** read again from a place of its own: a row among others lies across lines of the cache, and
** has an end that is not a whole vector; what is stored so comes back twice as late. Where one
** block is all of a row that place is one, else there are two: a block still reads what the
** step before has made when the one in front of it is done. */
#ifndef REAL
#include <math.h>

#include "cell.h"
#include "isa.h"
#include "row.h"
#include "row_layout.h"
#include "stop.h"
#include "vec.h"
#include "vec_math.h"

/* Four x, side by side in each part of a vector within which a number can be moved. */
#if defined __AVX512F__
#define QUAD_f32(x)      ((vec_f32)_mm512_broadcast_f32x4(_mm_loadu_ps(x)))
#define QUAD_f64(x)      ((vec_f64)_mm512_broadcast_f64x4(_mm256_loadu_pd(x)))
#define SPREAD_f32(q, i) ((vec_f32)_mm512_permute_ps((__m512)(q), (i)*0x55))
#define SPREAD_f64(q, i) ((vec_f64)_mm512_permutex_pd((__m512d)(q), (i)*0x55))
#elif defined __AVX2__
#define QUAD_f32(x)      ((vec_f32)_mm256_broadcast_ps((const __m128 *)(const void *)(x)))
#define QUAD_f64(x)      ((vec_f64)_mm256_loadu_pd(x))
#define SPREAD_f32(q, i) ((vec_f32)_mm256_permute_ps((__m256)(q), (i)*0x55))
#define SPREAD_f64(q, i) ((vec_f64)_mm256_permute4x64_pd((__m256d)(q), (i)*0x55))
#else
#define QUAD_f32(x)      (x)
#define QUAD_f64(x)      (x)
#define SPREAD_f32(q, i) (all_f32((q)[i]))
#define SPREAD_f64(q, i) (all_f64((q)[i]))
#endif

/* Sums of a column: up to MAX_SUMS, two where there are registers for the sums of so many
** vectors, else one. */
#ifdef __AVX512F__
enum { MAX_SUMS = 4, TWO_SUMS = 7 };
#else
enum { MAX_SUMS = 4, TWO_SUMS = 6 };
#endif

/* Rows of several blocks have a place of their own up to so many numbers. */
enum { OWN = 256 };

#define UN_TEMPLATE "isa/row.c"
#include "each_dtype.h"

extern const un_row_products ISA(un_row_products_of);
const un_row_products ISA(un_row_products_of) = {
    .multiply = {multiply_f32, multiply_f64},
    .tanh = {tanh_row_f32, tanh_row_f64},
    .relu = {relu_row_f32, relu_row_f64},
    .tanh_back = {tanh_row_back_f32, tanh_row_back_f64},
    .relu_back = {relu_row_back_f32, relu_row_back_f64},
};

#else

#define FOR(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

/* What is done with a block of sums: nothing, a step forward, a step back. */
typedef enum FN(form) {
  FN(PLAIN),
  FN(TANH),
  FN(RELU),
  FN(TANH_BACK),
  FN(RELU_BACK)
} FN(form);

ALWAYS_INLINE FN(vec) FN(apply)(FN(vec) x, const FN(form) form) {
  if (form == FN(TANH)) return FN(vtanh)(x);
  return form == FN(RELU) ? FN(vrelu)(x) : x;
}

/* da from dL/dh. */
ALWAYS_INLINE FN(vec) FN(slope)(FN(vec) dh, FN(vec) h, const FN(form) form) {
  return form == FN(TANH_BACK) ? dh * (1 - h * h) : FN(where_positive)(h, dh);
}

/* --- the sums of a block ------------------------------------------------------------ */

typedef struct FN(sums) {
  FN(vec) vector[BLOCK_VECTORS];
  FN(short16) rest16;
  FN(short32) rest32;
} FN(sums);

/* += x_k times row k of the block */
ALWAYS_INLINE void FN(add_row)(FN(sums) * s, FN(vec) x, const REAL *w, const REAL *rest,
                               const row_block b) {
  FOR(v, b.vectors) s->vector[v] += x * FN(load)(w + v * FN(LANES));
  if (b.rest == 16) s->rest16 += FN(low_short16)(x) * FN(load_short16)(rest);
  if (b.rest == 32) s->rest32 += FN(low_short32)(x) * FN(load_short32)(rest);
}

ALWAYS_INLINE void FN(add_sums)(FN(sums) * s, const FN(sums) * t, const row_block b) {
  FOR(v, b.vectors) s->vector[v] += t->vector[v];
  if (b.rest == 16) s->rest16 += t->rest16;
  if (b.rest == 32) s->rest32 += t->rest32;
}

/* The rows that no quad has, then all quads upwards; or down, the other way round. */
ALWAYS_INLINE FN(sums) FN(sum_block)(const REAL *w, const REAL *x, int64_t depth,
                                     bool down, const row_block b, const int chains) {
  const int64_t row = b.vectors * FN(LANES), quads = depth / 4;
  const int64_t part = b.rest / (int64_t)sizeof(REAL);
  const int64_t way = down ? -1 : 1, first = down ? quads - 1 : 0;
  const REAL *rest = w + depth * row;
  FN(sums) s[MAX_SUMS];
  FOR(c, chains) s[c] = (FN(sums)){{{0}}, {0}, {0}};
  if (down)
    for (int64_t k = 4 * quads; k < depth; k++)
      FN(add_row)(&s[0], FN(all)(x[k]), w + k * row, rest + k * part, b);
  const REAL *wk = w + 4 * first * row, *rk = rest + 4 * first * part,
             *xk = x + 4 * first;
  for (int64_t i = 0; i < quads; i++) {
    const __typeof__(FN(QUAD)(xk)) quad = FN(QUAD)(xk);
    FN(add_row)(&s[0], FN(SPREAD)(quad, 0), wk, rk, b);
    FN(add_row)(&s[1 % chains], FN(SPREAD)(quad, 1), wk + row, rk + part, b);
    FN(add_row)(&s[2 % chains], FN(SPREAD)(quad, 2), wk + 2 * row, rk + 2 * part, b);
    FN(add_row)(&s[3 % chains], FN(SPREAD)(quad, 3), wk + 3 * row, rk + 3 * part, b);
    wk += 4 * way * row;
    rk += 4 * way * part;
    xk += 4 * way;
  }
  if (!down)
    for (int64_t k = 4 * quads; k < depth; k++)
      FN(add_row)(&s[0], FN(all)(x[k]), w + k * row, rest + k * part, b);
  if (chains > 1) FN(add_sums)(&s[0], &s[1], b);
  if (chains > 2) {
    FN(add_sums)(&s[2], &s[3], b);
    FN(add_sums)(&s[0], &s[2], b);
  }
  return s[0];
}

/* --- products ----------------------------------------------------------------------- */

/* Where a block of y and what is added to it lie. */
typedef struct FN(place) {
  const REAL *init; /* or NULL, but not on a step forward */
  REAL *y;
  REAL *again;     /* y once more, in whole vectors; or NULL */
  const REAL *h;   /* a step back: of the step that it comes to */
  vec_f64 squares; /* and the sum of squares of dL/dh */
  int64_t last;    /* numbers of the last vector */
} FN(place);

ALWAYS_INLINE FN(vec) FN(sum_at)(const FN(sums) * s, const int v, const row_block b) {
  return v < b.vectors  ? s->vector[v]
         : b.rest == 16 ? FN(widen_short16)(s->rest16)
                        : FN(widen_short32)(s->rest32);
}

/* y = f(sum + init) for vector v of a block. */
ALWAYS_INLINE void FN(finish)(FN(place) * p, const FN(sums) * s, const int v,
                              const row_block b, const FN(form) form) {
  const bool is_forward = form == FN(TANH) || form == FN(RELU);
  const bool is_back = form == FN(TANH_BACK) || form == FN(RELU_BACK);
  const bool is_last = v == b.vectors - !b.rest;
  const int64_t at = v * FN(LANES);
  const bool whole = !is_last || p->last == FN(LANES);
  FN(vec) y = FN(sum_at)(s, v, b);
  if (is_forward || p->init)
    y += whole ? FN(load)(p->init + at) : FN(load_part)(p->init + at, p->last);
  if (is_back) {
    p->squares = FN(add_squares_of)(y, p->squares);
    y = FN(slope)(y, whole ? FN(load)(p->h + at) : FN(load_part)(p->h + at, p->last),
                  form);
  } else {
    y = FN(apply)(y, form);
  }
  if (form != FN(PLAIN) && p->again) FN(store)(p->again + at, y);
  if (whole)
    FN(store)(p->y + at, y);
  else
    FN(store_part)(p->y + at, y, p->last);
}

/* The vector first that the next step, which goes the other way, begins with. */
ALWAYS_INLINE void FN(do_block)(FN(place) * p, const REAL *w, const REAL *x,
                                int64_t depth, bool down, const FN(form) form,
                                const row_block b) {
  const int count = b.vectors + (b.rest > 0);
  const int chains = count <= 2 ? MAX_SUMS : count <= TWO_SUMS ? 2 : 1;
  FN(sums) s = FN(sum_block)(w, x, depth, down, b, chains);
  if (down || count <= 2 || form == FN(PLAIN))
    FOR(v, count) FN(finish)(p, &s, v, b, form);
  else
    FOR(v, count) FN(finish)(p, &s, count - 1 - v, b, form);
}

#define BLOCK(count, bytes)                                                            \
  case 4 * (count) + (bytes) / 16:                                                     \
    FN(do_block)(p, w, x, depth, down, form, (row_block){count, bytes});               \
    break;
#if VEC_BYTES > 32
#define BLOCKS(count) BLOCK(count, 0) BLOCK((count)-1, 16) BLOCK((count)-1, 32)
#elif VEC_BYTES > 16
#define BLOCKS(count) BLOCK(count, 0) BLOCK((count)-1, 16)
#else
#define BLOCKS(count) BLOCK(count, 0)
#endif

/* A block at the beginning of which `left` columns are left. */
ALWAYS_INLINE void FN(dispatch)(FN(place) * p, const REAL *w, const REAL *x,
                                int64_t depth, int64_t left, bool down,
                                const FN(form) form) {
  const row_block b = FN(row_block)(left);
  const int64_t before_last = (b.vectors - !b.rest) * FN(LANES);
  p->last = left < before_last + FN(LANES) ? left - before_last : FN(LANES);
  switch (4 * b.vectors + b.rest / 16) {
    BLOCKS(1)
    BLOCKS(2)
    BLOCKS(3)
    BLOCKS(4)
    BLOCKS(5)
    BLOCKS(6)
    BLOCKS(7)
    BLOCKS(8)
  }
}
#undef BLOCKS
#undef BLOCK

/* x . w */
ALWAYS_INLINE REAL FN(dot)(const REAL *w, const REAL *x, int64_t depth) {
  FN(vec) sums = {0}, others = {0};
  int64_t k = 0;
  for (; k + 2 * FN(LANES) <= depth; k += 2 * FN(LANES)) {
    sums += FN(load)(x + k) * FN(load)(w + k);
    others += FN(load)(x + k + FN(LANES)) * FN(load)(w + k + FN(LANES));
  }
  for (; k < depth; k += FN(LANES))
    sums +=
        (depth - k < FN(LANES) ? FN(load_part)(x + k, depth - k) : FN(load)(x + k)) *
        FN(load)(w + k);
  return FN(reduce_add)(sums + others);
}

/* What begins at column j of a row. */
ALWAYS_INLINE FN(place) FN(place_at)(const FN(place) * row, int64_t j) {
  return (FN(place)){.init = row->init ? row->init + j : NULL,
                     .y = row->y + j,
                     .again = row->again ? row->again + j : NULL,
                     .h = row->h ? row->h + j : NULL,
                     .squares = row->squares};
}

/* Columns from j on, as dot products. */
ALWAYS_INLINE void FN(do_dots)(FN(place) * row, const REAL *w, const REAL *x,
                               int64_t depth, int64_t j, int64_t dots,
                               const FN(form) form) {
  if (FN(LANES) < 8 || dots == 0) return;
  REAL sums[FN(LANES)] = {0};
  const REAL *first = w + depth * j;
  for (int64_t i = 0; i < dots; i++)
    sums[i] = FN(dot)(first + i * FN(row_dot_length)(depth), x, depth);
  FN(place) p = FN(place_at)(row, j);
  p.last = dots;
  FN(finish)(&p, &(FN(sums)){.vector = {FN(load)(sums)}}, 0, (row_block){1, 0}, form);
  row->squares = p.squares;
}

/* All columns of a row. */
ALWAYS_INLINE void FN(do_row)(FN(place) * row, const REAL *w, const REAL *x,
                              int64_t depth, int64_t columns, bool down,
                              const FN(form) form) {
  const int64_t block = BLOCK_VECTORS * FN(LANES), dots = FN(row_dots)(columns);
  const int64_t end = columns - dots;
  if (down) FN(do_dots)(row, w, x, depth, end, dots, form);
  int64_t j = down ? (end - 1) / block * block : 0;
  for (; 0 <= j && j < end; j += down ? -block : block) {
    FN(place) p = FN(place_at)(row, j);
    FN(dispatch)(&p, w + j * depth, x, depth, end - j, down, form);
    row->squares = p.squares;
  }
  if (!down) FN(do_dots)(row, w, x, depth, end, dots, form);
}

static void FN(multiply)(const un_row_product *p) {
  FN(place) row = {.init = p->init, .y = p->y};
  FN(do_row)(&row, p->packed, p->x, p->depth, p->columns, p->down, FN(PLAIN));
}

/* All of a row is one block. */
ALWAYS_INLINE bool FN(is_block)(int64_t columns) {
  return columns <= BLOCK_VECTORS * FN(LANES) && FN(row_dots)(columns) == 0;
}

/* The n numbers of a row in a place of their own. */
ALWAYS_INLINE void FN(set_row)(REAL *row, const REAL *from, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    row[i] = from[i];
}

/* --- forward ------------------------------------------------------------------------ */

/* Where the numbers of step i lie once more: in one of two places, for step i itself
** multiplies by what is in the other one; or NULL. */
ALWAYS_INLINE REAL *FN(own)(REAL own[2][OWN], int64_t i, const un_row_run *r) {
  return r->H <= OWN ? own[i & 1] : NULL;
}

ALWAYS_INLINE void FN(forward_block)(const un_row_run *r, const FN(form) form) {
  REAL now[BLOCK_VECTORS * FN(LANES)] __attribute__((aligned(VEC_BYTES)));
  FN(place) p = {.y = r->h, .again = now};
  FN(set_row)(now, r->h, r->H);
  for (int64_t i = 0; i < r->steps && !un_stopped(); i++) {
    p.y += r->stride;
    p.init = p.y;
    FN(dispatch)(&p, r->packed, now, r->H, r->H, (i & 1) != r->down, form);
  }
}

ALWAYS_INLINE void FN(forward)(const un_row_run *r, const FN(form) form) {
  if (FN(is_block)(r->H)) {
    FN(forward_block)(r, form);
    return;
  }
  REAL own[2][OWN] __attribute__((aligned(VEC_BYTES)));
  const REAL *x = r->h;
  FN(place) p = {.y = r->h};
  for (int64_t i = 0; i < r->steps && !un_stopped(); i++) {
    p.y += r->stride;
    p.init = p.y;
    p.again = FN(own)(own, i, r);
    FN(do_row)(&p, r->packed, x, r->H, r->H, (i & 1) != r->down, form);
    x = p.again ? p.again : p.y;
  }
}

static void FN(tanh_row)(const un_row_run *r) {
  FN(forward)(r, FN(TANH));
}

static void FN(relu_row)(const un_row_run *r) {
  FN(forward)(r, FN(RELU));
}

/* --- back ---------------------------------------------------------------------------- */

/* da = (dh + dy) f'(h); returns the sum of squares of dh + dy. */
ALWAYS_INLINE double FN(row_slope)(REAL *da, const REAL *dh, const REAL *dy,
                                   const REAL *h, int64_t n, const FN(form) form) {
  vec_f64 squares = {0};
  int64_t j = 0;
  for (; j + FN(LANES) <= n; j += FN(LANES)) {
    FN(vec) d = FN(load)(dh + j);
    if (dy) d += FN(load)(dy + j);
    squares = FN(add_squares_of)(d, squares);
    FN(store)(da + j, FN(slope)(d, FN(load)(h + j), form));
  }
  if (j < n) {
    FN(vec) d = FN(load_part)(dh + j, n - j);
    if (dy) d += FN(load_part)(dy + j, n - j);
    squares = FN(add_squares_of)(d, squares);
    FN(store_part)(da + j, FN(slope)(d, FN(load_part)(h + j, n - j), form), n - j);
  }
  return reduce_add_f64(squares);
}

/* In a long window h comes from far, and the processor does not guess that rows follow
** each other against the order of memory. */
ALWAYS_INLINE void FN(fetch_ahead)(const un_row_run *r, const REAL *h) {
  enum { STEPS = 4, LINE = 64 / sizeof(REAL) };
  for (int64_t j = 0; j < r->H; j += LINE)
    __builtin_prefetch(h + STEPS * r->stride + j);
}

/* The first slope comes from dstate, the others with the product of the step before; the
** last product is dstate again. */
ALWAYS_INLINE void FN(back_block)(const un_row_run *r, const FN(form) form) {
  REAL now[BLOCK_VECTORS * FN(LANES)] __attribute__((aligned(VEC_BYTES)));
  const int64_t way = r->stride < 0 ? -1 : 1;
  const REAL *dy = r->dy;
  double *norm = r->norm;
  FN(place) p = {.y = r->dgates, .again = now, .h = r->h};
  *norm = sqrt(FN(row_slope)(p.y, r->dstate, dy, p.h, r->H, form));
  FN(set_row)(now, p.y, r->H);
  for (int64_t i = 1; i < r->steps && !un_stopped(); i++) {
    p.y += r->stride;
    p.h += r->stride;
    norm += way;
    if (dy) dy += r->stride;
    p.init = dy;
    p.squares = (vec_f64){0};
    FN(fetch_ahead)(r, p.h);
    FN(dispatch)(&p, r->packed, now, r->H, r->H, !(i & 1) != r->down, form);
    *norm = sqrt(reduce_add_f64(p.squares));
  }
  FN(multiply)
  (&(un_row_product){.depth = r->H,
                     .columns = r->H,
                     .x = now,
                     .packed = r->packed,
                     .y = r->dstate,
                     .down = !(r->steps & 1) != r->down});
}

ALWAYS_INLINE void FN(back)(const un_row_run *r, const FN(form) form) {
  if (r->steps > 0 && FN(is_block)(r->H)) {
    FN(back_block)(r, form);
    return;
  }
  REAL own[2][OWN] __attribute__((aligned(VEC_BYTES)));
  const int64_t way = r->stride < 0 ? -1 : 1;
  const REAL *dy = r->dy, *x = r->dgates;
  double *norm = r->norm;
  bool down = r->down;
  FN(place) p = {.y = r->dgates, .h = r->h};
  *norm = sqrt(FN(row_slope)(p.y, r->dstate, dy, p.h, r->H, form));
  for (int64_t i = 1; i < r->steps && !un_stopped(); i++, down = !down) {
    p.y += r->stride;
    p.h += r->stride;
    norm += way;
    if (dy) dy += r->stride;
    p.init = dy;
    p.squares = (vec_f64){0};
    p.again = FN(own)(own, i, r);
    FN(fetch_ahead)(r, p.h);
    FN(do_row)(&p, r->packed, x, r->H, r->H, down, form);
    *norm = sqrt(reduce_add_f64(p.squares));
    x = p.again ? p.again : p.y;
  }
  FN(multiply)
  (&(un_row_product){.depth = r->H,
                     .columns = r->H,
                     .x = x,
                     .packed = r->packed,
                     .y = r->dstate,
                     .down = down});
}

static void FN(tanh_row_back)(const un_row_run *r) {
  FN(back)(r, FN(TANH_BACK));
}

static void FN(relu_row_back)(const un_row_run *r) {
  FN(back)(r, FN(RELU_BACK));
}
#undef FOR

#endif
