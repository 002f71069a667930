/* sort.c -- stable sorts along a dimension: few numbers by counting and merging, many by
** their digits; where few of many are wanted, those that may be among them.
**
** A line is read into the scratch as (value, place) pairs, sorted there between two halves
** of the scratch, and written out; float64 holds every value. */
#include "sort.h"

#include <string.h>

#include "copy.h"
#include "isa.h"
#include "isa/convert.h"
#include "profile.h"
#include "stop.h"
#include "walk.h"

UN_BY_ISA(un_convert_kernels, un_convert)

typedef struct entry {
  double value;
  int64_t place; /* 0-based */
} entry;

typedef struct sorting {
  int64_t n, wanted, stride, value_stride, index_stride;
  un_dtype dtype;
  bool descending;
  entry *scratch; /* 2 n */
} sorting;

size_t un_sort_scratch(int64_t n) {
  return (size_t)n * 2 * sizeof(entry);
}

static bool comes_before(double a, double b, bool descending) {
  if (descending) return (a > b) | ((a != a) & (b == b));
  return (a < b) | ((b != b) & (a == a));
}

/* Asking whether to stop costs little once in so many entries. */
enum { ENTRIES = 1 << 16 };

static int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static void merge(const entry *left, const entry *middle, const entry *right, entry *to,
                  bool descending) {
  const entry *a = left, *b = middle;
  while (a < middle && b < right && !un_stopped()) {
    int64_t safe = smaller(ENTRIES, smaller(middle - a, right - b));
    for (int64_t i = 0; i < safe; i++) { /* without a branch: nobody can predict it */
      const int64_t take = comes_before(b->value, a->value, descending);
      *to++ = *(take ? b : a);
      b += take;
      a += 1 - take;
    }
  }
  memcpy(to, a, (size_t)(middle - a) * sizeof *a);
  memcpy(to + (middle - a), b, (size_t)(right - b) * sizeof *b);
}

/* --- many: by digits, from the last one to the first one -----------------------------------
 */

enum { DIGITS = 8, DIGIT_VALUES = 256, MANY = 256 };

/* A whole number that is as large as the value is late: larger bits stand for larger positive
** numbers and for smaller negative ones. Both zeros are one, and so are all NaN. */
static inline uint64_t key_of(double value, uint64_t turn) {
  const uint64_t sign = (uint64_t)1 << 63;
  const double one_zero = value + 0.0; /* -0 + 0 is 0 */
  uint64_t bits;
  memcpy(&bits, &one_zero, sizeof bits);
  bits ^= bits & sign ? UINT64_MAX : sign;
  return (value != value ? UINT64_MAX : bits) ^ turn;
}

static int digit_of(double value, uint64_t turn, int d) {
  return (int)(key_of(value, turn) >> (8 * d) & (DIGIT_VALUES - 1));
}

/* How often each value of each digit comes. */
static void count_digits(const entry *e, int64_t n, uint64_t turn,
                         uint32_t (*count)[DIGIT_VALUES]) {
  memset(count, 0, DIGITS * sizeof *count);
  for (int64_t i = 0; i < n && !un_stopped_at(i); i++) {
    const uint64_t key = key_of(e[i].value, turn);
    for (int d = 0; d < DIGITS; d++)
      count[d][key >> (8 * d) & (DIGIT_VALUES - 1)]++;
  }
}

/* Into the order of digit d; count becomes where the next one of each value goes. False:
** stopped. */
static bool move_by_digit(const entry *from, entry *to, int64_t n, uint64_t turn, int d,
                          uint32_t *count) {
  uint32_t before = 0;
  for (int v = 0; v < DIGIT_VALUES; v++) {
    const uint32_t here = count[v];
    count[v] = before;
    before += here;
  }
  for (int64_t i = 0; i < n; i++) {
    if (un_stopped_at(i)) return false;
    to[count[digit_of(from[i].value, turn, d)]++] = from[i];
  }
  return true;
}

/* A digit that is the same everywhere changes nothing: float32 and integers have some. */
static entry *sort_many(entry *from, entry *to, int64_t n, bool descending) {
  const uint64_t turn = descending ? UINT64_MAX : 0;
  uint32_t count[DIGITS][DIGIT_VALUES];
  count_digits(from, n, turn, count);
  for (int d = 0; d < DIGITS && !un_stopped(); d++) {
    if (count[d][digit_of(from[0].value, turn, d)] == n) continue;
    if (!move_by_digit(from, to, n, turn, d, count[d])) break;
    entry *swap = from;
    from = to;
    to = swap;
  }
  return from;
}

enum { FEW = 8 };

/* A few, by counting how many come before each: without a branch, too. */
static void sort_few(const entry *from, entry *to, int64_t n, bool descending) {
  const uint64_t turn = descending ? UINT64_MAX : 0;
  uint64_t key[FEW];
  int before[FEW];
  for (int64_t i = 0; i < n; i++) {
    const uint64_t own = key_of(from[i].value, turn);
    int earlier = 0; /* of those so far */
    for (int64_t j = 0; j < i; j++) {
      const bool is_earlier = key[j] <= own;
      earlier += is_earlier;
      before[j] += !is_earlier;
    }
    key[i] = own;
    before[i] = earlier;
  }
  for (int64_t i = 0; i < n; i++)
    to[before[i]] = from[i];
}

static entry *sort_entries(entry *from, entry *to, int64_t n, bool descending) {
  if (n >= MANY) return sort_many(from, to, n, descending);
  for (int64_t i = 0; i < n && !un_stopped_at(i); i += FEW)
    sort_few(from + i, to + i, smaller(FEW, n - i), descending);
  for (int64_t width = FEW; width < n; width *= 2) {
    entry *swap = from;
    from = to;
    to = swap;
    for (int64_t i = 0; i < n && !un_stopped(); i += 2 * width) {
      int64_t middle = smaller(i + width, n), right = smaller(middle + width, n);
      merge(from + i, from + middle, from + right, to + i, descending);
    }
  }
  return to;
}

/* --- one line ------------------------------------------------------------------------
 */

enum { PIECE = 256 };

/* Numbers first .. first+count-1 of the line as float64. */
static void read_piece(const sorting *s, const char *x, int64_t first, int64_t count,
                       double *piece) {
  const char *from = x + first * s->stride * (int64_t)un_dtype_bytes(s->dtype);
  un_convert()->run[s->dtype][UN_F64](count, (void *[]){piece, (void *)from},
                                      (int64_t[]){1, s->stride}, NULL);
}

static const entry *sort_all(const sorting *s, const char *x) {
  double piece[PIECE];
  for (int64_t i = 0; i < s->n && !un_stopped_at(i); i += PIECE) {
    int64_t count = smaller(PIECE, s->n - i);
    read_piece(s, x, i, count, piece);
    for (int64_t j = 0; j < count; j++)
      s->scratch[i + j] = (entry){piece[j], i + j};
  }
  return sort_entries(s->scratch, s->scratch + s->n, s->n, s->descending);
}

/* Keeps the first ones of the entries so far, sorted, in the first half of the scratch. */
static int64_t keep_first(const sorting *s, int64_t held) {
  const entry *sorted =
      sort_entries(s->scratch, s->scratch + s->n, held, s->descending);
  int64_t kept = smaller(held, s->wanted);
  memmove(s->scratch, sorted, (size_t)kept * sizeof *sorted);
  return kept;
}

/* The same when few are wanted: candidates are gathered, those that come before the last
** one that counts so far, and sorted whenever there are twice as many as needed. */
static const entry *select_first(const sorting *s, const char *x) {
  const int64_t room = smaller(s->n, 2 * s->wanted + PIECE);
  int64_t held = 0;
  bool chosen = false; /* there is a last one: number `wanted` of the entries */
  double piece[PIECE];
  for (int64_t i = 0; i < s->n && !un_stopped_at(i); i += PIECE) {
    int64_t count = smaller(PIECE, s->n - i);
    read_piece(s, x, i, count, piece);
    double last = chosen ? s->scratch[s->wanted - 1].value : 0;
    for (int64_t j = 0; j < count; j++) {
      if (chosen && !comes_before(piece[j], last, s->descending)) continue;
      s->scratch[held++] = (entry){piece[j], i + j};
    }
    if (held <= room - PIECE) continue;
    held = keep_first(s, held);
    chosen = true;
  }
  keep_first(s, held);
  return s->scratch;
}

static void sort_line(const sorting *s, const char *x, char *values, int32_t *indices) {
  if (s->wanted == 0) return;
  int64_t bytes = (int64_t)un_dtype_bytes(s->dtype);
  bool few = s->wanted <= s->n / 8 && 2 * s->wanted + PIECE <= s->n / 2;
  const entry *sorted = few ? select_first(s, x) : sort_all(s, x);
  for (int64_t i = 0; i < s->wanted && !un_stopped_at(i); i += ENTRIES) {
    const int64_t end = smaller(i + ENTRIES, s->wanted);
    un_convert()->run[UN_F64][s->dtype](
        end - i,
        (void *[]){values + i * s->value_stride * bytes, (void *)&sorted[i].value},
        (int64_t[]){s->value_stride, sizeof *sorted / sizeof(double)}, NULL);
    for (int64_t k = i; k < end; k++)
      indices[k * s->index_stride] = (int32_t)(sorted[k].place + 1);
  }
}

static void sort_lines(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  const sorting *s = context;
  int64_t bytes = (int64_t)un_dtype_bytes(s->dtype);
  for (int64_t i = 0; i < n && !un_stopped(); i++)
    sort_line(s, (const char *)data[0] + i * stride[0] * bytes,
              (char *)data[1] + i * stride[1] * bytes,
              (int32_t *)data[2] + i * stride[2]);
}

static void sort_each_line(sorting *s, int dim, const un_view *x, const un_view *values,
                           const un_view *indices) {
  un_view first[3] = {*x, *values, *indices};
  for (int k = 0; k < 3; k++)
    first[k].size[dim] = 1;
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, 3,
               (const un_view *[]){&first[0], &first[1], &first[2]});
  un_walk_each(&w, sort_lines, s);
}

void un_sort(const un_view *x, int dim, bool descending, const un_view *values,
             const un_view *indices, void *scratch) {
  sorting s = {.n = x->size[dim],
               .wanted = values->size[dim],
               .stride = x->stride[dim],
               .value_stride = values->stride[dim],
               .index_stride = indices->stride[dim],
               .dtype = x->dtype,
               .descending = descending,
               .scratch = scratch};
  UN_PROFILE_BEGIN(UN_PHASE_SORT);
  if (un_numel(x) == s.n) /* one line */
    sort_line(&s, x->data, values->data, indices->data);
  else
    sort_each_line(&s, dim, x, values, indices);
  UN_PROFILE_END(0);
}
