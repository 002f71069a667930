/* overlap.c -- whether two views share an element, exactly.
**
** With strides counted from the first elements, they do when the sum over the
** dimensions of stride * (index in b - index in a) can equal the distance from b's
** first element to a's. Each term has a range; taking the large strides first leaves
** almost always one candidate a step, so that the search is short. A search that grows
** long (odd strides, many dimensions) gives up and says "yes", which is safe. */
#include "ops.h"

typedef struct term {
  int64_t stride, low, high; /* stride * v with low <= v <= high */
} term;

enum { MAX_TERMS = 2 * UN_MAX_DIMS, MAX_STEPS = 2000 };

/* Terms of equal stride are one; the list stays sorted, large strides first. */
static int add_term(term *list, int n, int64_t stride, int64_t low, int64_t high) {
  int k = 0;
  while (k < n && list[k].stride > stride)
    k++;
  if (k < n && list[k].stride == stride) {
    list[k].low += low;
    list[k].high += high;
    return n;
  }
  for (int j = n; j > k; j--)
    list[j] = list[j - 1];
  list[k] = (term){stride, low, high};
  return n + 1;
}

static int64_t floor_div(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static bool reaches(const term *t, int n, int64_t target, int *steps) {
  int64_t low = 0, high = 0; /* what the terms after this one can add */
  if (++*steps > MAX_STEPS) return true;
  if (n == 0) return target == 0;
  for (int k = 1; k < n; k++) {
    low += t[k].stride * t[k].low;
    high += t[k].stride * t[k].high;
  }
  int64_t first = -floor_div(high - target, t->stride);
  int64_t last = floor_div(target - low, t->stride);
  if (first < t->low) first = t->low;
  if (last > t->high) last = t->high;
  for (int64_t v = first; v <= last; v++)
    if (reaches(t + 1, n - 1, target - v * t->stride, steps)) return true;
  return false;
}

static int64_t extent_bytes(const un_view *v) {
  int64_t last = 0;
  for (int d = 0; d < v->dims; d++) {
    if (v->size[d] == 0) return 0;
    last += (v->size[d] - 1) * v->stride[d];
  }
  return (last + 1) * (int64_t)un_dtype_bytes(v->dtype);
}

static bool spans_overlap(const un_view *a, const un_view *b) {
  uintptr_t pa = (uintptr_t)a->data, pb = (uintptr_t)b->data;
  uintptr_t ea = pa + (uintptr_t)extent_bytes(a), eb = pb + (uintptr_t)extent_bytes(b);
  return pa < eb && pb < ea && ea != pa && eb != pb;
}

bool un_overlap(const un_view *a, const un_view *b) {
  if (!spans_overlap(a, b)) return false; /* the common case, and empty views */
  if (a->dtype != b->dtype) return true;
  term list[MAX_TERMS];
  int n = 0, steps = 0;
  for (int d = 0; d < a->dims; d++)
    if (a->size[d] > 1 && a->stride[d] > 0)
      n = add_term(list, n, a->stride[d], 1 - a->size[d], 0);
  for (int d = 0; d < b->dims; d++)
    if (b->size[d] > 1 && b->stride[d] > 0)
      n = add_term(list, n, b->stride[d], 0, b->size[d] - 1);
  int64_t bytes = (char *)a->data - (char *)b->data;
  return reaches(list, n, bytes / (int64_t)un_dtype_bytes(a->dtype), &steps);
}

bool un_same_view(const un_view *a, const un_view *b) {
  if (a->data != b->data || a->dtype != b->dtype || !un_same_shape(a, b)) return false;
  for (int d = 0; d < a->dims; d++)
    if (a->size[d] > 1 && a->stride[d] != b->stride[d]) return false;
  return true;
}

bool un_check_apart(const char *who, const un_view *out, const char *name,
                    const un_view *in, un_err *err) {
  if (!un_overlap(out, in)) return true;
  return un_fail(err, "%s: out must not overlap %s", who, name);
}

bool un_check_alias(const char *who, const un_view *out, const char *name,
                    const un_view *in, un_err *err) {
  return un_same_view(out, in) || un_check_apart(who, out, name, in, err);
}
