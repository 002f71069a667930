/* sort.c -- merge sort along a dimension: stable, n log n always.
**
** A line is read into the scratch as (value, place) pairs, sorted there bottom-up
** between two halves of the scratch, and written out; float64 holds every value. */
#include "sort.h"

#include <string.h>

#include "copy.h"
#include "stop.h"
#include "walk.h"

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
  if (descending) return a > b || (a != a && b == b);
  return a < b || (b != b && a == a);
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
    for (int64_t i = 0; i < safe; i++)
      *to++ = comes_before(b->value, a->value, descending) ? *b++ : *a++;
  }
  memcpy(to, a, (size_t)(middle - a) * sizeof *a);
  memcpy(to + (middle - a), b, (size_t)(right - b) * sizeof *b);
}

static entry *sort_entries(entry *from, entry *to, int64_t n, bool descending) {
  for (int64_t width = 1; width < n; width *= 2) {
    for (int64_t i = 0; i < n && !un_stopped(); i += 2 * width) {
      int64_t middle = smaller(i + width, n), right = smaller(middle + width, n);
      merge(from + i, from + middle, from + right, to + i, descending);
    }
    entry *swap = from;
    from = to;
    to = swap;
  }
  return from;
}

static void sort_line(const sorting *s, const char *x, char *values, int32_t *indices) {
  int64_t bytes = (int64_t)un_dtype_bytes(s->dtype);
  for (int64_t i = 0; i < s->n; i++) {
    if (un_stopped_at(i)) return;
    s->scratch[i] = (entry){un_get(s->dtype, x + i * s->stride * bytes), i};
  }
  const entry *sorted =
      sort_entries(s->scratch, s->scratch + s->n, s->n, s->descending);
  for (int64_t i = 0; i < s->wanted; i++) {
    if (un_stopped_at(i)) return;
    un_put(s->dtype, values + i * s->value_stride * bytes, sorted[i].value);
    indices[i * s->index_stride] = (int32_t)(sorted[i].place + 1);
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
  un_view first[3] = {*x, *values, *indices};
  for (int k = 0; k < 3; k++)
    first[k].size[dim] = 1;
  un_walk w;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, 3,
               (const un_view *[]){&first[0], &first[1], &first[2]});
  un_walk_each(&w, sort_lines, &s);
}
