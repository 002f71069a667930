/* copy.c -- setting, copying and converting numbers (see copy.h).
**
** There are 25 pairs of dtypes; EACH_DTYPE writes one short loop for each. Where the
** source is transposed against the destination, both are visited in square tiles, so
** that a cache line of the source is still there when its next element is wanted. */
#include "copy.h"

#include <math.h>
#include <string.h>

#include "stop.h"
#include "walk.h"

/* X(dtype, suffix, C type), in the order of un_dtype. */
#define EACH_DTYPE(X)                                                                  \
  X(UN_F32, f32, float)                                                                \
  X(UN_F64, f64, double)                                                               \
  X(UN_I32, i32, int32_t)                                                              \
  X(UN_U8, u8, uint8_t)                                                                \
  X(UN_U16, u16, uint16_t)

/* --- one element --------------------------------------------------------------------
 */

double un_get(un_dtype dtype, const void *p) {
  switch (dtype) {
#define GET(dtype_, suffix, type)                                                      \
  case dtype_:                                                                         \
    return (double)*(const type *)p;
    EACH_DTYPE(GET)
  }
  return 0;
}

void un_put(un_dtype dtype, void *p, double value) {
  switch (dtype) {
#define PUT(dtype_, suffix, type)                                                      \
  case dtype_:                                                                         \
    *(type *)p = (type)value;                                                          \
    break;
    EACH_DTYPE(PUT)
  }
}

/* --- what an integer can hold -------------------------------------------------------
 */

typedef struct range {
  double smallest, largest;
} range;

static range range_of(un_dtype dtype) {
  static const range ranges[] = {[UN_F32] = {-(double)INFINITY, (double)INFINITY},
                                 [UN_F64] = {-(double)INFINITY, (double)INFINITY},
                                 [UN_I32] = {INT32_MIN, INT32_MAX},
                                 [UN_U8] = {0, UINT8_MAX},
                                 [UN_U16] = {0, UINT16_MAX}};
  return ranges[dtype];
}

static bool fits(range r, un_rounding rounding, double x) {
  double whole = trunc(x);
  return whole >= r.smallest && whole <= r.largest &&
         (rounding == UN_TRUNCATE || whole == x);
}

bool un_check_value(const char *who, un_dtype dtype, double value, un_rounding rounding,
                    un_err *err) {
  range r = range_of(dtype);
  if (un_is_real(dtype) || fits(r, rounding, value)) return true;
  if (isnan(value)) value = (double)NAN; /* without a sign, for the message */
  if (trunc(value) >= r.smallest && trunc(value) <= r.largest)
    return un_fail(err, "%s: %.17g is not a whole number, %s holds no other", who,
                   value, un_dtype_name(dtype));
  return un_fail(err, "%s: %.17g is out of range for %s (%.0f to %.0f)", who, value,
                 un_dtype_name(dtype), r.smallest, r.largest);
}

typedef struct misfit_search {
  range range;
  un_rounding rounding;
  bool found;
  double value;
} misfit_search;

#define FIND_MISFIT(dtype_, suffix, type)                                              \
  static void find_misfit_##suffix(int64_t n, void *const *data,                       \
                                   const int64_t *stride, void *context) {             \
    misfit_search *s = context;                                                        \
    const type *x = data[0];                                                           \
    for (int64_t i = 0; i < n && !s->found; i++) {                                     \
      double value = (double)x[i * stride[0]];                                         \
      if (fits(s->range, s->rounding, value)) continue;                                \
      s->found = true;                                                                 \
      s->value = value;                                                                \
    }                                                                                  \
  }
EACH_DTYPE(FIND_MISFIT)

bool un_check_conversion(const char *who, const un_view *src, un_dtype dtype,
                         un_rounding rounding, un_err *err) {
#define MISFIT_ENTRY(dtype_, suffix, type) [dtype_] = find_misfit_##suffix,
  static un_run *const find[] = {EACH_DTYPE(MISFIT_ENTRY)};
  if (un_is_real(dtype) || dtype == src->dtype) return true;
  misfit_search s = {.range = range_of(dtype), .rounding = rounding};
  un_walk w;
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, 1, &src);
  un_walk_each(&w, find[src->dtype], &s);
  return !s.found || un_check_value(who, dtype, s.value, rounding, err);
}

/* --- filling ------------------------------------------------------------------------
 */

#define FILL(dtype_, suffix, type)                                                     \
  static void fill_##suffix(int64_t n, void *const *data, const int64_t *stride,       \
                            void *context) {                                           \
    type value = (type) * (const double *)context;                                     \
    type *y = data[0];                                                                 \
    if (stride[0] == 1)                                                                \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i] = value;                                                                  \
    else                                                                               \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i * stride[0]] = value;                                                      \
  }
EACH_DTYPE(FILL)

void un_fill(const un_view *dst, double value) {
#define FILL_ENTRY(dtype_, suffix, type) [dtype_] = fill_##suffix,
  static un_run *const fill[] = {EACH_DTYPE(FILL_ENTRY)};
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, 1, &dst);
  un_walk_each(&w, fill[dst->dtype], &value);
}

/* --- copying ------------------------------------------------------------------------
 */

/* y = x over one run, for one pair of dtypes. */
#define CONVERT(from, x_type, to, y_type)                                              \
  static void from##_to_##to(int64_t n, void *const *data, const int64_t *stride,      \
                             void *context) {                                          \
    (void)context;                                                                     \
    y_type *y = data[0];                                                               \
    const x_type *x = data[1];                                                         \
    if (stride[0] == 1 && stride[1] == 1)                                              \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i] = (y_type)x[i];                                                           \
    else                                                                               \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i * stride[0]] = (y_type)x[i * stride[1]];                                   \
  }
#define CONVERT_FROM(dtype_, from, type)                                               \
  CONVERT(from, type, f32, float)                                                      \
  CONVERT(from, type, f64, double)                                                     \
  CONVERT(from, type, i32, int32_t)                                                    \
  CONVERT(from, type, u8, uint8_t)                                                     \
  CONVERT(from, type, u16, uint16_t)
EACH_DTYPE(CONVERT_FROM)

static un_run *const convert[5][5] = {
#define CONVERT_ROW(dtype_, from, type)                                                \
  [dtype_] = {[UN_F32] = from##_to_f32,                                                \
              [UN_F64] = from##_to_f64,                                                \
              [UN_I32] = from##_to_i32,                                                \
              [UN_U8] = from##_to_u8,                                                  \
              [UN_U16] = from##_to_u16},
    EACH_DTYPE(CONVERT_ROW)};

enum { TILE = 32 };

/* The walk without its outermost dimension, moved to index i of it. */
static un_walk inner_walk(const un_walk *w, int64_t i) {
  un_walk inner = *w;
  inner.dims = w->dims - 1;
  memmove(inner.size, w->size + 1, sizeof inner.size - sizeof *inner.size);
  memmove(inner.stride, w->stride + 1, sizeof inner.stride - sizeof *inner.stride);
  for (int k = 0; k < w->operands; k++)
    inner.data[k] = (char *)w->data[k] + i * w->stride[0][k] * w->bytes[k];
  return inner;
}

static void copy_tile(const un_walk *w, un_run *run, int64_t row, int64_t column) {
  un_walk tile = *w;
  int64_t first[] = {row, column};
  for (int d = 0; d < 2; d++) {
    int64_t left = w->size[d] - first[d];
    tile.size[d] = left < TILE ? left : TILE;
    for (int k = 0; k < w->operands; k++)
      tile.data[k] = (char *)tile.data[k] + first[d] * w->stride[d][k] * w->bytes[k];
  }
  un_walk_each(&tile, run, NULL);
}

static void copy_in_tiles(const un_walk *w, un_run *run) {
  if (w->dims > 2) {
    for (int64_t i = 0; i < w->size[0]; i++) {
      un_walk inner = inner_walk(w, i);
      copy_in_tiles(&inner, run);
    }
    return;
  }
  for (int64_t row = 0; row < w->size[0] && !un_stopped(); row += TILE)
    for (int64_t column = 0; column < w->size[1]; column += TILE)
      copy_tile(w, run, row, column);
}

/* The destination runs along its last dimension, the source along the one before. */
static bool is_transposed(const un_walk *w) {
  int last = w->dims - 1;
  return last > 0 && w->stride[last][0] == 1 && w->stride[last][1] >= TILE &&
         w->stride[last - 1][1] == 1;
}

static size_t payload_bytes(const un_view *v) {
  return (size_t)un_numel(v) * un_dtype_bytes(v->dtype);
}

static bool is_plain_move(const un_view *dst, const un_view *src) {
  return dst->dtype == src->dtype && un_is_contiguous(dst) && un_is_contiguous(src);
}

bool un_can_copy(const un_view *dst, const un_view *src) {
  return un_same_view(dst, src) || is_plain_move(dst, src) || !un_overlap(dst, src);
}

/* memmove in blocks, from the end that keeps an overlapping source whole. */
static void move_bytes(char *to, const char *from, size_t bytes) {
  const size_t block = (size_t)1 << 22;
  const bool backwards = (uintptr_t)to > (uintptr_t)from;
  for (size_t done = 0; done < bytes && !un_stopped();) {
    size_t count = bytes - done < block ? bytes - done : block;
    size_t at = backwards ? bytes - done - count : done;
    memmove(to + at, from + at, count);
    done += count;
  }
}

void un_copy(const un_view *dst, const un_view *src) {
  if (un_same_view(dst, src)) return;
  if (is_plain_move(dst, src)) {
    move_bytes(dst->data, src->data, payload_bytes(dst));
    return;
  }
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, 2, (const un_view *[]){dst, src});
  un_run *run = convert[src->dtype][dst->dtype];
  if (is_transposed(&w))
    copy_in_tiles(&w, run);
  else
    un_walk_each(&w, run, NULL);
}
