/* isa/elman_row.c -- the tanh and relu cells over a stretch of steps of one sequence.
**
** With a batch of 1 a step is a product of a matrix and a vector, a dependence on the
** step before, and little else: what counts is how soon the next step can begin. All of
** it is one loop here, without calls:
**     forward    h_t = f(a_t + W h_{t-1})              a_t lies where h_t is to go
**     back       dh = dL/dh_t + dL/dy_t, da_t = dh f'(h_t), dL/dh_{t-1} = da_t W
** Up to 8 vectors of the result are summed at once in registers. Every sum is made in
** two halves, of the first and of the second half of k. Where there are few vectors the
** halves run side by side, so that no addition waits for the one before it. Where there
** are many, W does not fit in the L1 cache: one step takes the first half before the
** second one, the next the other way round, and the half that was last is still there. */
#ifndef REAL
#include <math.h>

#include "cell.h"
#include "elman.h"
#include "isa.h"
#include "panel_layout.h"
#include "stop.h"
#include "vec.h"
#include "vec_math.h"

#define UN_TEMPLATE "isa/elman_row.c"
#include "each_dtype.h"

extern const un_elman_row_kernels ISA(un_elman_row);
const un_elman_row_kernels ISA(un_elman_row) = {
    .tanh = {tanh_row_f32, tanh_row_f64},
    .relu = {relu_row_f32, relu_row_f64},
    .tanh_back = {tanh_row_back_f32, tanh_row_back_f64},
    .relu_back = {relu_row_back_f32, relu_row_back_f64},
};

#else

#define FOR(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

/* sum += x[from..to) W[from..to) for some vectors of columns. */
ALWAYS_INLINE void FN(add_range)(FN(vec) * sum, const REAL *packed, const REAL *x,
                                 int64_t depth, int64_t from, int64_t to,
                                 const int vectors) {
  for (int64_t k = from; k < to; k++) {
    FN(vec) xk = FN(all)(x[k]);
    FOR(v, vectors)
    sum[v] += xk * FN(load)(packed + (v / PANEL_VECTORS) * depth * FN(WIDTH) +
                            k * FN(WIDTH) + (v % PANEL_VECTORS) * FN(LANES));
  }
}

/* Vectors v.. of x W, in registers. */
ALWAYS_INLINE void FN(row_product)(FN(vec) * sum, const REAL *packed, const REAL *x,
                                   int64_t depth, bool odd_step, const int vectors) {
  FN(vec) first[ROW_VECTORS], second[ROW_VECTORS];
  int64_t half = depth / 2;
  FOR(v, vectors) first[v] = second[v] = (FN(vec)){0};
  if (vectors <= 4) {
    for (int64_t k = 0; k < half; k++) {
      FN(add_range)(first, packed, x, depth, k, k + 1, vectors);
      FN(add_range)(second, packed, x, depth, half + k, half + k + 1, vectors);
    }
    FN(add_range)(second, packed, x, depth, 2 * half, depth, vectors);
  } else if (odd_step) {
    FN(add_range)(second, packed, x, depth, half, depth, vectors);
    FN(add_range)(first, packed, x, depth, 0, half, vectors);
  } else {
    FN(add_range)(first, packed, x, depth, 0, half, vectors);
    FN(add_range)(second, packed, x, depth, half, depth, vectors);
  }
  FOR(v, vectors) sum[v] = first[v] + second[v];
}

/* Loads and stores of vector v of `vectors`, the last of which has `last` elements. */
ALWAYS_INLINE FN(vec)
    FN(load_at)(const REAL *p, const int v, const int vectors, int64_t last) {
  p += v * FN(LANES);
  return v < vectors - 1 || last == FN(LANES) ? FN(load)(p) : FN(load_part)(p, last);
}

ALWAYS_INLINE void FN(store_at)(REAL *p, FN(vec) x, const int v, const int vectors,
                                int64_t last) {
  p += v * FN(LANES);
  if (v < vectors - 1 || last == FN(LANES))
    FN(store)(p, x);
  else
    FN(store_part)(p, x, last);
}

/* y = f(y + x W), or without f x W alone. */
typedef enum FN(form) { FN(PLAIN), FN(TANH), FN(RELU) } FN(form);

ALWAYS_INLINE void FN(row_block)(REAL *y, const REAL *packed, const REAL *x,
                                 int64_t depth, int64_t last, bool odd_step,
                                 const FN(form) form, const int vectors) {
  FN(vec) sum[ROW_VECTORS];
  FN(row_product)(sum, packed, x, depth, odd_step, vectors);
  FOR(v, vectors) {
    if (form != FN(PLAIN)) sum[v] += FN(load_at)(y, v, vectors, last);
    if (form == FN(TANH)) sum[v] = FN(vtanh)(sum[v]);
    if (form == FN(RELU)) sum[v] = FN(vrelu)(sum[v]);
    FN(store_at)(y, sum[v], v, vectors, last);
  }
}

#define BLOCK(vectors)                                                                 \
  case vectors:                                                                        \
    FN(row_block)(y + j, packed + j * n, x, n, last, odd_step, form, vectors);         \
    break;

/* All n columns. */
ALWAYS_INLINE void FN(row_step)(REAL *y, const REAL *packed, const REAL *x, int64_t n,
                                bool odd_step, const FN(form) form) {
  for (int64_t j = 0; j < n; j += ROW_VECTORS * FN(LANES)) {
    int64_t left = n - j, most = ROW_VECTORS * FN(LANES);
    int vectors = (int)(((left < most ? left : most) + FN(LANES) - 1) / FN(LANES));
    int64_t last = left < most ? left - (vectors - 1) * FN(LANES) : FN(LANES);
    switch (vectors) {
      BLOCK(1)
      BLOCK(2)
      BLOCK(3)
      BLOCK(4)
      BLOCK(5)
      BLOCK(6)
      BLOCK(7)
      BLOCK(8)
    }
  }
}
#undef BLOCK

static void FN(tanh_row)(const un_row_run *r) {
  REAL *h = r->h;
  for (int64_t i = 0; i < r->steps && !un_stopped(); i++, h += r->stride)
    FN(row_step)(h + r->stride, r->packed, h, r->H, i & 1, FN(TANH));
}

static void FN(relu_row)(const un_row_run *r) {
  REAL *h = r->h;
  for (int64_t i = 0; i < r->steps && !un_stopped(); i++, h += r->stride)
    FN(row_step)(h + r->stride, r->packed, h, r->H, i & 1, FN(RELU));
}

/* da = (dh + dy) f'(h) for one vector; the squares of dh + dy are added up. */
ALWAYS_INLINE FN(vec) FN(slope)(FN(vec) dh, FN(vec) h, const FN(form) form) {
  return form == FN(TANH) ? dh * (1 - h * h) : FN(where_positive)(h, dh);
}

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

ALWAYS_INLINE void FN(row_back)(const un_row_run *r, const FN(form) form) {
  REAL *h = r->h, *dgates = r->dgates, *dstate = r->dstate;
  const REAL *dy = r->dy;
  double *norm = r->norm;
  int64_t way = r->stride < 0 ? -1 : 1;
  for (int64_t i = 0; i < r->steps && !un_stopped(); i++) {
    *norm = sqrt(FN(row_slope)(dgates, dstate, dy, h, r->H, form));
    FN(row_step)(dstate, r->packed, dgates, r->H, i & 1, FN(PLAIN));
    h += r->stride;
    dgates += r->stride;
    norm += way;
    if (dy) dy += r->stride;
  }
}

static void FN(tanh_row_back)(const un_row_run *r) {
  FN(row_back)(r, FN(TANH));
}

static void FN(relu_row_back)(const un_row_run *r) {
  FN(row_back)(r, FN(RELU));
}
#undef FOR

#endif
