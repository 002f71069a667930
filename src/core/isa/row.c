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
** has an end that is not a whole vector; what is stored so comes back twice as late. There are
** two such places: a block still reads what the step before has made when the one in front of
** it is done.
**
** Each kind of block is one function for products, and one for all that may become of the
** sums of a step. A row that is less than BLOCK_VECTORS whole vectors is one block, and stays
** in it for all of its steps; one that is just as long gains nothing by it. */
#ifndef REAL
#include <math.h>

#include "alongside.h"
#include "cell.h"
#include "isa.h"
#include "quad.h"
#include "row.h"
#include "row_layout.h"
#include "stop.h"
#include "vec.h"
#include "vec_math.h"

/* Sums of a column: MAX_SUMS, or two, where there are registers for those of so many vectors,
** else one. */
#ifdef __AVX512F__
enum { MAX_SUMS = 4, FOUR_SUMS = 4, TWO_SUMS = 7 };
#else
enum { MAX_SUMS = 4, FOUR_SUMS = 2, TWO_SUMS = 6 };
#endif

/* Rows have a place of their own up to so many numbers. */
enum { OWN = 256 };

/* So many bytes of h stay near. */
enum { NEAR = 16 << 10 };

/* What becomes of the sums of a step: it goes forward, or back. */
typedef enum row_form { TANH, RELU, TANH_BACK, RELU_BACK } row_form;
#define EACH_FORM(X) X(TANH) X(RELU) X(TANH_BACK) X(RELU_BACK)

ALWAYS_INLINE bool is_forward(row_form form) {
  return form == TANH || form == RELU;
}

ALWAYS_INLINE bool is_back(row_form form) {
  return form == TANH_BACK || form == RELU_BACK;
}

#define UN_TEMPLATE "isa/row.c"
#include "each_dtype.h"

extern const un_row_products ISA(un_row_products_of);
const un_row_products ISA(un_row_products_of) = {
    .multiply = {multiply_f32, multiply_f64},
    .kernel_for = {kernel_for_f32, kernel_for_f64},
    .tanh = {tanh_row_f32, tanh_row_f64},
    .relu = {relu_row_f32, relu_row_f64},
    .tanh_back = {tanh_row_back_f32, tanh_row_back_f64},
    .relu_back = {relu_row_back_f32, relu_row_back_f64},
};

#else

#define FOR(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

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

/* n numbers, or a whole vector of them. */
ALWAYS_INLINE FN(vec) FN(get)(const REAL *x, int64_t n) {
  return n == FN(LANES) ? FN(load)(x) : FN(load_part)(x, n);
}

ALWAYS_INLINE void FN(put)(REAL *y, FN(vec) x, int64_t n) {
  if (n == FN(LANES))
    FN(store)(y, x);
  else
    FN(store_part)(y, x, n);
}

/* What the sums of a block begin with: init, or zeros where it is NULL. Its last vector has
** `last` columns. */
ALWAYS_INLINE FN(sums)
    FN(first_sums)(const REAL *init, int64_t last, const row_block b) {
  FN(sums) s = {{{0}}, {0}, {0}};
  if (!init) return s;
  FOR(v, b.vectors) {
    const bool is_last = v == row_block_count(b) - 1;
    s.vector[v] = FN(get)(init + v * FN(LANES), is_last ? last : FN(LANES));
  }
  if (!b.rest && !b.alongside) return s;
  const FN(vec) end = FN(load_part)(init + b.vectors * FN(LANES), last);
  s.rest16 = FN(low_short16)(end);
  s.rest32 = FN(low_short32)(end);
  return s;
}

/* += x W. The rows that no quad has, then all quads upwards; or down, the other way round. */
ALWAYS_INLINE FN(sums)
    FN(sum_block)(FN(sums) init, const REAL *w, const REAL *x, int64_t depth, bool down,
                  const row_block b, const int chains) {
  const int64_t row = b.vectors * FN(LANES), quads = depth / 4;
  const int64_t part = b.rest / (int64_t)sizeof(REAL);
  const int64_t way = down ? -1 : 1, first = down ? quads - 1 : 0;
  const REAL *rest = w + depth * row;
  FN(sums) s[MAX_SUMS];
  s[0] = init;
  FOR(c, chains - 1) s[c + 1] = (FN(sums)){{{0}}, {0}, {0}};
  if (b.alongside) s[0].rest16 += FN(sums_alongside)(rest, x, depth, b.alongside);
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

ALWAYS_INLINE FN(vec) FN(sum_at)(const FN(sums) * s, const int v, const row_block b) {
  return v < b.vectors  ? s->vector[v]
         : b.rest == 32 ? FN(widen_short32)(s->rest32)
                        : FN(widen_short16)(s->rest16);
}

ALWAYS_INLINE int FN(chains)(const int vectors) {
  return vectors <= FOUR_SUMS ? MAX_SUMS : vectors <= TWO_SUMS ? 2 : 1;
}

/* The last vector of a block that has `left` columns: so many. */
ALWAYS_INLINE int64_t FN(last_columns)(int64_t left, const int vectors) {
  const int64_t last = left - (vectors - 1) * FN(LANES);
  return last < FN(LANES) ? last : FN(LANES);
}

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

/* --- the kinds of blocks ------------------------------------------------------------- */

/* Whole vectors, bytes of the short one, columns alongside. */
#if VEC_BYTES > 32
#define BLOCKS(X, count, less)                                                         \
  X(count, 0, 0) X(less, 16, 0) X(less, 32, 0) X(less, 0, 2) X(less, 0, 4)
#elif VEC_BYTES > 16
#define BLOCKS(X, count, less) X(count, 0, 0) X(less, 16, 0)
#else
#define BLOCKS(X, count, less) X(count, 0, 0)
#endif
#define ALL_BLOCKS(X)                                                                  \
  BLOCKS(X, 1, 0)                                                                      \
  BLOCKS(X, 2, 1)                                                                      \
  BLOCKS(X, 3, 2)                                                                      \
  BLOCKS(X, 4, 3)                                                                      \
  BLOCKS(X, 5, 4)                                                                      \
  BLOCKS(X, 6, 5)                                                                      \
  BLOCKS(X, 7, 6)                                                                      \
  BLOCKS(X, 8, 7)

/* --- products ----------------------------------------------------------------------- */

/* They take what they need from where the caller has put it: a row of its own, as steps have
** it, would first have to come back from memory: 30 to 100 cycles before the first sum. */
ALWAYS_INLINE void FN(product_of)(const un_row_product *p, int64_t j, int64_t left,
                                  const row_block b) {
  const int count = row_block_count(b);
  const int64_t last = FN(last_columns)(left, count);
  const REAL *w = p->packed, *init = p->init;
  REAL *y = p->y;
  const FN(sums) s =
      FN(sum_block)(FN(first_sums)(init ? init + j : NULL, last, b), w + j * p->depth,
                    p->x, p->depth, p->down, b, FN(chains)(count));
  FOR(v, count)
  FN(put)
  (y + j + v * FN(LANES), FN(sum_at)(&s, v, b), v == count - 1 ? last : FN(LANES));
}

/* A function for each kind of block: in line, in all places that need them, they would be
** compiled for minutes. */
#define BLOCK(count, bytes, along)                                                     \
  static void FN(product_##count##_##bytes##_##along)(const un_row_product *p,         \
                                                      int64_t j, int64_t end) {        \
    FN(product_of)(p, j, end - j, (row_block){count, bytes, along});                   \
  }
ALL_BLOCKS(BLOCK)
#undef BLOCK

/* The one that begins a row of so many columns. */
static un_row_kernel *FN(product_for)(int64_t columns) {
#define BLOCK(count, bytes, along)                                                     \
  [count][(bytes) / 16][(along) / 2] = FN(product_##count##_##bytes##_##along),
  static un_row_kernel *const products[BLOCK_VECTORS + 1][3][3] = {ALL_BLOCKS(BLOCK)};
#undef BLOCK
  const row_block b = FN(row_block)(columns);
  return products[b.vectors][b.rest / 16][b.alongside / 2];
}

static void FN(multiply)(const un_row_product *p, int64_t first, int64_t columns) {
  const int64_t block = BLOCK_VECTORS * FN(LANES);
  const int64_t end = columns - FN(row_dots)(columns);
  const int64_t last = (end - 1) / block * block;
  if (p->down)
    for (int64_t j = last; j >= first; j -= block)
      FN(product_for)(end - j)(p, j, end);
  else
    for (int64_t j = first; j <= last; j += block)
      FN(product_for)(end - j)(p, j, end);
  const REAL *w = (const REAL *)p->packed + end * p->depth, *init = p->init;
  for (int64_t j = end; j < columns; j++, w += FN(row_dot_length)(p->depth))
    ((REAL *)p->y)[j] = FN(dot)(w, p->x, p->depth) + (init ? init[j] : 0);
}

static un_row_kernel *FN(kernel_for)(int64_t columns) {
  const bool is_block =
      columns <= BLOCK_VECTORS * FN(LANES) && FN(row_dots)(columns) == 0;
  return is_block ? FN(product_for)(columns) : FN(multiply);
}

/* --- steps -------------------------------------------------------------------------- */

/* Where y = f(init + x W) lies, and what is needed for it. */
typedef struct FN(place) {
  const REAL *init; /* or NULL, but not on a step forward */
  REAL *y;
  REAL *again;     /* y once more, in whole vectors */
  const REAL *h;   /* a step back: of the step that it comes to, */
  vec_f64 squares; /* and the sum of squares of dL/dh */
} FN(place);

/* A step of a stretch. */
typedef struct FN(row) {
  const REAL *w, *x;
  int64_t depth, columns;
  row_form form;
  bool down;
  FN(place) at;
  REAL *own;           /* two places for `again`: a step multiplies by what is in one */
  double *norm;        /* for the root of the sum of squares */
  int64_t stride, way; /* from step to step: of numbers, of norms */
  int64_t more;        /* steps that a block does on its own after this one */
  int64_t fetched;     /* columns of h that are fetched ahead: none of a short window */
} FN(row);

/* A row that is too long has no place of its own: its blocks leave there what nobody reads. */
ALWAYS_INLINE bool FN(has_own)(const FN(row) * r) {
  return r->columns <= OWN;
}

/* What begins at column j of a row. */
ALWAYS_INLINE FN(place) FN(place_at)(const FN(row) * r, int64_t j) {
  return (FN(place)){.init = r->at.init ? r->at.init + j : NULL,
                     .y = r->at.y + j,
                     .again = FN(has_own)(r) ? r->at.again + j : r->at.again,
                     .h = r->at.h ? r->at.h + j : NULL,
                     .squares = r->at.squares};
}

/* da from dL/dh. */
ALWAYS_INLINE FN(vec) FN(slope)(FN(vec) dh, FN(vec) h, const row_form form) {
  return form == TANH_BACK ? dh * (1 - h * h) : FN(where_positive)(h, dh);
}

/* y = f(sum) for n columns from column j of a place on. */
ALWAYS_INLINE void FN(finish)(FN(place) * p, FN(vec) y, int64_t j, int64_t n,
                              const row_form form) {
  if (form == TANH) y = FN(vtanh)(y);
  if (form == RELU) y = FN(vrelu)(y);
  if (is_back(form)) {
    p->squares = FN(add_squares_of)(y, p->squares);
    y = FN(slope)(y, FN(get)(p->h + j, n), form);
  }
  FN(store)(p->again + j, y);
  FN(put)(p->y + j, y, n);
}

/* The sums of a block, of which the last vector has `last` columns. */
ALWAYS_INLINE void FN(finish_vector)(FN(place) * p, const FN(sums) * s, const int v,
                                     int64_t last, const row_block b,
                                     const row_form form) {
  const bool is_last = v == row_block_count(b) - 1;
  FN(finish)(p, FN(sum_at)(s, v, b), v * FN(LANES), is_last ? last : FN(LANES), form);
}

/* The vector first that the next step, which goes the other way, begins with. */
ALWAYS_INLINE void FN(finish_block)(FN(place) * p, const FN(sums) * s, bool down,
                                    int64_t last, const row_block b,
                                    const row_form form) {
  const int count = row_block_count(b);
  const bool any_order = count <= 2 || (form != TANH && form != TANH_BACK);
  if (any_order || down)
    FOR(v, count) FN(finish_vector)(p, s, v, last, b, form);
  else
    FOR(v, count) FN(finish_vector)(p, s, count - 1 - v, last, b, form);
}

/* In a long window h comes from far, and the processor does not guess that rows follow
** each other against the order of memory. */
ALWAYS_INLINE void FN(fetch_ahead)(const FN(row) * r) {
  enum { STEPS = 4, LINE = 64 / sizeof(REAL) };
  for (int64_t j = 0; j < r->fetched; j += LINE)
    __builtin_prefetch(r->at.h + STEPS * r->stride + j);
}

/* A step is done: the next product takes what it has made, the other way round. */
static void FN(leave_step)(FN(row) * r) {
  if (is_back(r->form)) *r->norm = sqrt(reduce_add_f64(r->at.squares));
  r->x = FN(has_own)(r) ? r->at.again : r->at.y;
  r->down = !r->down;
}

static void FN(enter_step)(FN(row) * r) {
  r->at.y += r->stride;
  r->at.again = r->at.again == r->own ? r->own + OWN : r->own;
  if (r->at.init) r->at.init += r->stride;
  if (is_forward(r->form)) return;
  r->at.h += r->stride;
  r->norm += r->way;
  r->at.squares = (vec_f64){0};
  FN(fetch_ahead)(r);
}

/* From one step to the next; apart, for the blocks need their registers. */
static __attribute__((noinline)) void FN(next_step)(FN(row) * r) {
  FN(leave_step)(r);
  FN(enter_step)(r);
  r->more--;
}

/* The block that begins at column j, where `left` columns are left; of a row that is one
** block, all steps. */
ALWAYS_INLINE void FN(do_block)(FN(row) * r, int64_t j, int64_t left,
                                const row_block b) {
  const int count = row_block_count(b);
  const int64_t last = FN(last_columns)(left, count);
  const REAL *w = r->w + j * r->depth;
  for (;;) {
    const bool down = r->down;
    FN(place) p = FN(place_at)(r, j);
    const FN(sums) s = FN(sum_block)(FN(first_sums)(p.init, last, b), w, r->x, r->depth,
                                     down, b, FN(chains)(count));
#define FINISH(FORM)                                                                   \
  case FORM:                                                                           \
    FN(finish_block)(&p, &s, down, last, b, FORM);                                     \
    break;
    switch (r->form) { EACH_FORM(FINISH) }
#undef FINISH
    r->at.squares = p.squares;
    if (r->more == 0 || un_stopped()) break;
    FN(next_step)(r);
  }
}

typedef void FN(block)(FN(row) * r, int64_t j, int64_t left);

#define BLOCK(count, bytes, along)                                                     \
  static void FN(block_##count##_##bytes##_##along)(FN(row) * r, int64_t j,            \
                                                    int64_t left) {                    \
    FN(do_block)(r, j, left, (row_block){count, bytes, along});                        \
  }
ALL_BLOCKS(BLOCK)
#undef BLOCK

static void FN(whole_block)(FN(row) * r, int64_t j) {
  FN(do_block)
  (r, j, BLOCK_VECTORS * FN(LANES), (row_block){BLOCK_VECTORS, 0, 0});
}

/* The one for the last columns. */
static FN(block) * FN(block_of)(int64_t left) {
#define BLOCK(count, bytes, along)                                                     \
  [count][(bytes) / 16][(along) / 2] = FN(block_##count##_##bytes##_##along),
  static FN(block) *const blocks[BLOCK_VECTORS + 1][3][3] = {ALL_BLOCKS(BLOCK)};
#undef BLOCK
  const row_block b = FN(row_block)(left);
  return blocks[b.vectors][b.rest / 16][b.alongside / 2];
}
#undef ALL_BLOCKS
#undef BLOCKS

/* Columns from j on, as dot products. */
static void FN(do_dots)(FN(row) * r, int64_t j) {
  REAL sums[FN(LANES)] = {0};
  const int64_t dots = r->columns - j;
  const REAL *first = r->w + r->depth * j;
  for (int64_t i = 0; i < dots; i++)
    sums[i] = FN(dot)(first + i * FN(row_dot_length)(r->depth), r->x, r->depth);
  FN(place) p = FN(place_at)(r, j);
  FN(vec) y = FN(load)(sums);
  if (p.init) y += FN(load_part)(p.init, dots);
#define FINISH(FORM)                                                                   \
  case FORM:                                                                           \
    FN(finish)(&p, y, 0, dots, FORM);                                                  \
    break;
  switch (r->form) { EACH_FORM(FINISH) }
#undef FINISH
  r->at.squares = p.squares;
}

/* How the columns of a row are dealt out: whole blocks up to column `whole`, the last block
** up to `end`, or none, then dot products. */
typedef struct FN(deal) {
  int64_t whole, end, columns;
  FN(block) * last;
} FN(deal);

ALWAYS_INLINE FN(deal) FN(deal_out)(int64_t columns) {
  const int64_t block = BLOCK_VECTORS * FN(LANES);
  const int64_t end = columns - FN(row_dots)(columns), whole = end / block * block;
  return (FN(deal)){.whole = whole,
                    .end = end,
                    .columns = columns,
                    .last = whole < end ? FN(block_of)(end - whole) : NULL};
}

ALWAYS_INLINE void FN(do_row)(FN(row) * r, const FN(deal) * d) {
  const int64_t block = BLOCK_VECTORS * FN(LANES), end = d->end;
  if (!r->down)
    for (int64_t j = 0; j < d->whole; j += block)
      FN(whole_block)(r, j);
  if (r->down && end < d->columns) FN(do_dots)(r, end);
  if (d->last) d->last(r, d->whole, end - d->whole);
  if (!r->down && end < d->columns) FN(do_dots)(r, end);
  if (r->down)
    for (int64_t j = d->whole - block; j >= 0; j -= block)
      FN(whole_block)(r, j);
}

/* --- a stretch of steps -------------------------------------------------------------- */

/* `steps` of them, the first one entered, the last one left. */
static void FN(do_steps)(FN(row) * r, int64_t steps) {
  const FN(deal) deal = FN(deal_out)(r->columns);
  const bool is_block = deal.last && deal.whole == 0 && deal.end == deal.columns;
  if (is_block) r->more = steps - 1;
  for (int64_t i = is_block ? steps - 1 : 0;; i++) {
    FN(do_row)(r, &deal);
    FN(leave_step)(r);
    if (i + 1 >= steps || un_stopped()) break;
    FN(enter_step)(r);
  }
  r->more = 0;
}

static void FN(forward)(const un_row_run *r, row_form form) {
  REAL own[2 * OWN] __attribute__((aligned(VEC_BYTES)));
  REAL *y = (REAL *)r->h + r->stride;
  FN(row)
  row = {.w = r->packed,
         .x = r->h,
         .depth = r->H,
         .columns = r->H,
         .form = form,
         .down = r->down,
         .at = {.init = y, .y = y, .again = own},
         .own = own,
         .stride = r->stride};
  if (r->steps > 0 && !un_stopped()) FN(do_steps)(&row, r->steps);
}

static void FN(tanh_row)(const un_row_run *r) {
  FN(forward)(r, TANH);
}

static void FN(relu_row)(const un_row_run *r) {
  FN(forward)(r, RELU);
}

/* da = (dh + dy) f'(h); returns the sum of squares of dh + dy. */
static double FN(row_slope)(REAL *da, const REAL *dh, const REAL *dy, const REAL *h,
                            int64_t n, row_form form) {
  vec_f64 squares = {0};
  for (int64_t j = 0; j < n; j += FN(LANES)) {
    const int64_t left = n - j < FN(LANES) ? n - j : FN(LANES);
    FN(vec) d = FN(get)(dh + j, left);
    if (dy) d += FN(get)(dy + j, left);
    squares = FN(add_squares_of)(d, squares);
    d = FN(slope)(d, FN(get)(h + j, left), form);
    if (left == FN(LANES))
      FN(store)(da + j, d);
    else
      FN(store_part)(da + j, d, left);
  }
  return reduce_add_f64(squares);
}

/* The first slope comes from dstate, the others with the product of the step before; the
** last product is dstate again. */
static void FN(back)(const un_row_run *r, row_form form) {
  REAL own[2 * OWN] __attribute__((aligned(VEC_BYTES)));
  FN(row)
  row = {.w = r->packed,
         .x = r->dgates,
         .depth = r->H,
         .columns = r->H,
         .form = form,
         .down = r->down,
         .at = {.init = r->dy, .y = r->dgates, .h = r->h},
         .own = own,
         .norm = r->norm,
         .stride = r->stride,
         .way = r->stride < 0 ? -1 : 1,
         .fetched = r->steps * r->H * (int64_t)sizeof(REAL) > NEAR ? r->H : 0};
  *r->norm = sqrt(FN(row_slope)(r->dgates, r->dstate, r->dy, r->h, r->H, form));
  if (r->steps > 1 && !un_stopped()) {
    FN(enter_step)(&row);
    FN(do_steps)(&row, r->steps - 1);
  }
  FN(multiply)
  (&(un_row_product){.depth = r->H,
                     .columns = r->H,
                     .x = row.x,
                     .packed = r->packed,
                     .y = r->dstate,
                     .down = row.down},
   0, r->H);
}

static void FN(tanh_row_back)(const un_row_run *r) {
  FN(back)(r, TANH_BACK);
}

static void FN(relu_row_back)(const un_row_run *r) {
  FN(back)(r, RELU_BACK);
}
#undef FOR

#endif
