/* copy.c -- setting, copying and converting numbers (see copy.h).
**
** What moves numbers is in isa/convert.c; here are the plans, and what an integer dtype
** can hold. */
#include "copy.h"

#include <math.h>
#include <string.h>

#include "isa.h"
#include "isa/convert.h"
#include "profile.h"
#include "stop.h"
#include "stream.h"
#include "tiles.h"

UN_BY_ISA(un_convert_kernels, un_convert)

enum { PIECE = 256 };

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

const double *un_get_many(un_dtype dtype, const void *p, int64_t first, int64_t stride,
                          int64_t count, double *room) {
  const char *from = (const char *)p + first * stride * (int64_t)un_dtype_bytes(dtype);
  if (dtype == UN_F64 && stride == 1) return (const double *)(const void *)from;
  un_convert()->run[dtype][UN_F64](count, (void *[]){room, (void *)from},
                                   (int64_t[]){1, stride}, NULL);
  return room;
}

bool un_same_many(un_dtype dtype, int64_t n, const void *a, const void *b) {
  return dtype <= UN_I32 && un_convert()->same[dtype](n, a, b);
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

/* Whether all numbers clearly fit, as they mostly do. */
static bool all_fit(const misfit_search *s, un_dtype dtype, int64_t n, const void *x,
                    int64_t stride) {
  double room[PIECE];
  const range r = s->range;
  const bool whole = s->rounding == UN_EXACT;
  bool fit = true;
  if (un_is_real(dtype) && stride == 1)
    return un_convert()->within[dtype](n, x, r.smallest, r.largest, whole);
  for (int64_t i = 0; i < n && fit; i += PIECE) {
    const int64_t count = n - i < PIECE ? n - i : PIECE;
    const double *value = un_get_many(dtype, x, i, stride, count, room);
    fit = un_convert()->within[UN_F64](count, value, r.smallest, r.largest, whole);
  }
  return fit;
}

#define FIND_MISFIT(dtype_, suffix, type)                                              \
  static void find_misfit_##suffix(int64_t n, void *const *data,                       \
                                   const int64_t *stride, void *context) {             \
    misfit_search *s = context;                                                        \
    const type *x = data[0];                                                           \
    if (s->found || all_fit(s, dtype_, n, data[0], stride[0])) return;                 \
    for (int64_t i = 0; i < n && !s->found; i++) {                                     \
      double value = (double)x[i * stride[0]];                                         \
      if (fits(s->range, s->rounding, value)) continue;                                \
      s->found = true;                                                                 \
      s->value = value;                                                                \
    }                                                                                  \
  }
EACH_DTYPE(FIND_MISFIT)

#define MISFIT_ENTRY(dtype_, suffix, type) [dtype_] = find_misfit_##suffix,
static un_run *const find_misfit[] = {EACH_DTYPE(MISFIT_ENTRY)};

bool un_check_conversion(const char *who, const un_view *src, un_dtype dtype,
                         un_rounding rounding, un_err *err) {
  if (un_is_real(dtype) || dtype == src->dtype) return true;
  misfit_search s = {.range = range_of(dtype), .rounding = rounding};
  un_walk w;
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, 1, &src);
  un_walk_each(&w, find_misfit[src->dtype], &s);
  return !s.found || un_check_value(who, dtype, s.value, rounding, err);
}

/* --- filling and copying ------------------------------------------------------------
 */

void un_fill(const un_view *dst, double value) {
  un_run *run = un_convert()->fill[dst->dtype];
  un_walk w;
  UN_PROFILE_BEGIN(UN_PHASE_FILL);
  if (!un_walk_few(1, &dst, run, &value)) {
    un_walk_plan(&w, UN_WALK_ANY_ORDER, 1, &dst);
    un_walk_each(&w, run, &value);
  }
  UN_PROFILE_END(0);
}

/* The numbers from i on. A loop of known length becomes vectors, and so does what turns int
** into double. */
static inline void progress(double *value, const int count, double i, double first,
                            double step) {
  for (int j = 0; j < count; j++)
    value[j] = first + (i + (double)j) * step;
}

void un_fill_progression(const un_view *dst, double first, double step) {
  const int64_t n = dst->size[0], apart = dst->stride[0];
  double value[PIECE];
  for (int64_t i = 0; i < n && !un_stopped_at(i); i += PIECE) {
    const int64_t count = n - i < PIECE ? n - i : PIECE;
    if (count == PIECE)
      progress(value, PIECE, (double)i, first, step);
    else
      progress(value, (int)count, (double)i, first, step);
    char *to = (char *)dst->data + i * apart * (int64_t)un_dtype_bytes(dst->dtype);
    un_convert()->run[UN_F64][dst->dtype](count, (void *[]){to, value},
                                          (int64_t[]){apart, 1}, NULL);
  }
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

static un_run *move_or_convert(const un_view *const *both) {
  return un_convert()->run[both[1]->dtype][both[0]->dtype];
}

static void copy_streaming(const un_view *const *both) {
  un_stream s = un_make_stream(move_or_convert(both), NULL, 2, both);
  s.moves = both[0]->dtype == both[1]->dtype;
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, 2, both);
  un_walk_tiles(&w, un_stream_run, &s);
  un_stream_end();
}

static void copy_walking(const un_view *const *both) {
  un_run *run = move_or_convert(both);
  un_walk w;
  if (un_walk_few(2, both, run, NULL)) return;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, 2, both);
  un_walk_tiles(&w, run, NULL);
}

void un_copy(const un_view *dst, const un_view *src) {
  const un_view *const both[] = {dst, src};
  if (un_same_view(dst, src)) return;
  UN_PROFILE_BEGIN(UN_PHASE_COPY);
  if (un_is_streamed(2, both) && !un_overlap(dst, src))
    copy_streaming(both);
  else if (is_plain_move(dst, src))
    move_bytes(dst->data, src->data, payload_bytes(dst));
  else
    copy_walking(both);
  UN_PROFILE_END(0);
}

/* --- both at once ------------------------------------------------------------------- */

typedef struct checked_copy {
  misfit_search search;
  un_run *find, *run;
  un_stream stream;
} checked_copy;

/* Numbers that stay in the first cache from one look to the next. */
enum { CHECKED = 4096 };

static void copy_checked(int64_t n, void *const *data, const int64_t *stride,
                         void *context) {
  checked_copy *c = context;
  for (int64_t i = 0; i < n && !c->search.found; i += CHECKED) {
    const int64_t count = n - i < CHECKED ? n - i : CHECKED;
    void *at[] = {(char *)data[0] + i * c->stream.bytes[0],
                  (char *)data[1] + i * c->stream.bytes[1]};
    c->find(count, at + 1, stride + 1, &c->search);
    if (!c->search.found)
      c->run(count, at, stride, c->run == un_stream_run ? &c->stream : NULL);
  }
}

static bool copy_and_check(const char *who, const un_view *const *both,
                           un_rounding rounding, un_err *err) {
  const un_dtype from = both[1]->dtype, to = both[0]->dtype;
  un_run *run = un_convert()->run[from][to];
  checked_copy c = {.search = {.range = range_of(to), .rounding = rounding},
                    .find = find_misfit[from],
                    .run = un_is_streamed(2, both) ? un_stream_run : run,
                    .stream = un_make_stream(run, NULL, 2, both)};
  un_walk w;
  UN_PROFILE_BEGIN(UN_PHASE_COPY);
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, 2, both);
  un_walk_each(&w, copy_checked, &c);
  un_stream_end();
  UN_PROFILE_END(0);
  return !c.search.found || un_check_value(who, to, c.search.value, rounding, err);
}

bool un_copy_to_new(const char *who, const un_view *dst, const un_view *src,
                    un_rounding rounding, un_err *err) {
  if (!un_is_real(dst->dtype) && dst->dtype != src->dtype && un_is_contiguous(src))
    return copy_and_check(who, (const un_view *[]){dst, src}, rounding, err);
  if (!un_check_conversion(who, src, dst->dtype, rounding, err)) return false;
  un_copy(dst, src);
  return true;
}
