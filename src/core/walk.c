/* walk.c -- the n-dimensional loop that element-wise work shares (see walk.h). */
#include "walk.h"

#include <string.h>

#include "stop.h"

static void swap_dims(un_walk *w, int a, int b) {
  int64_t size = w->size[a], stride[UN_WALK_MAX];
  w->size[a] = w->size[b];
  w->size[b] = size;
  memcpy(stride, w->stride[a], sizeof stride);
  memcpy(w->stride[a], w->stride[b], sizeof stride);
  memcpy(w->stride[b], stride, sizeof stride);
}

/* Larger strides of operand 0 outside; insertion sort keeps ties in their order. */
static void sort_dims(un_walk *w) {
  for (int i = 1; i < w->dims; i++)
    for (int d = i; d > 0 && w->stride[d - 1][0] < w->stride[d][0]; d--)
      swap_dims(w, d - 1, d);
}

/* Dimension `outer` continues dimension `inner` in every operand. */
static bool can_merge(const un_walk *w, int outer, int inner) {
  for (int k = 0; k < w->operands; k++)
    if (w->stride[outer][k] != w->size[inner] * w->stride[inner][k]) return false;
  return true;
}

static void merge_dims(un_walk *w) {
  int last = 0; /* dimensions 0..last are done */
  for (int d = 1; d < w->dims; d++) {
    if (can_merge(w, last, d)) {
      w->size[d] *= w->size[last];
    } else {
      last++;
    }
    w->size[last] = w->size[d];
    memcpy(w->stride[last], w->stride[d], sizeof w->stride[d]);
  }
  w->dims = last + 1;
}

void un_walk_plan(un_walk *w, un_walk_order order, int operands,
                  const un_view *const *v) {
  w->operands = operands;
  w->dims = 0;
  w->is_whole = false;
  for (int k = 0; k < operands; k++) {
    w->data[k] = v[k]->data;
    w->bytes[k] = (int64_t)un_dtype_bytes(v[k]->dtype);
  }
  for (int d = 0; d < v[0]->dims; d++) {
    if (v[0]->size[d] == 1) continue;
    w->size[w->dims] = v[0]->size[d];
    for (int k = 0; k < operands; k++)
      w->stride[w->dims][k] = v[k]->stride[d];
    w->dims++;
  }
  if (w->dims == 0) { /* one element */
    w->size[w->dims++] = 1;
    return;
  }
  if (order == UN_WALK_ANY_ORDER) sort_dims(w);
  merge_dims(w);
}

static bool is_empty(const un_walk *w) {
  for (int d = 0; d < w->dims; d++)
    if (w->size[d] == 0) return true;
  return false;
}

static void step(const un_walk *w, void **data, int d, int64_t count) {
  for (int k = 0; k < w->operands; k++)
    data[k] = (char *)data[k] + count * w->stride[d][k] * w->bytes[k];
}

void un_walk_run(int64_t n, int operands, void *const *data, const int64_t *stride,
                 const int64_t *bytes, un_run *run, void *context) {
  if (n <= UN_WALK_STRETCH) {
    if (!un_stopped()) run(n, data, stride, context);
    return;
  }
  void *at[UN_WALK_MAX];
  for (int64_t first = 0; first < n && !un_stopped(); first += UN_WALK_STRETCH) {
    int64_t count = n - first < UN_WALK_STRETCH ? n - first : UN_WALK_STRETCH;
    for (int k = 0; k < operands; k++)
      at[k] = (char *)data[k] + first * stride[k] * bytes[k];
    run(count, at, stride, context);
  }
}

void un_walk_each(const un_walk *w, un_run *run, void *context) {
  if (is_empty(w)) return;
  int last = w->dims - 1;
  int64_t index[UN_MAX_DIMS] = {0};
  void *data[UN_WALK_MAX];
  memcpy(data, w->data, sizeof data);
  while (w->is_whole || !un_stopped()) {
    if (w->is_whole || w->size[last] <= UN_WALK_STRETCH)
      run(w->size[last], data, w->stride[last], context);
    else
      un_walk_run(w->size[last], w->operands, data, w->stride[last], w->bytes, run,
                  context);
    int d = last - 1;
    for (; d >= 0 && ++index[d] == w->size[d]; d--) { /* as an odometer */
      step(w, data, d, 1 - w->size[d]);
      index[d] = 0;
    }
    if (d < 0) return;
    step(w, data, d, 1);
  }
}
