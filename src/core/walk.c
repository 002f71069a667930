/* walk.c -- the n-dimensional loop that element-wise work shares (see walk.h). */
#include "walk.h"

#include <string.h>

#include "stop.h"

static void swap_dims(un_walk *w, int a, int b) {
  const int64_t size = w->size[a];
  w->size[a] = w->size[b];
  w->size[b] = size;
  for (int k = 0; k < w->operands; k++) {
    const int64_t stride = w->stride[a][k];
    w->stride[a][k] = w->stride[b][k];
    w->stride[b][k] = stride;
  }
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
    if (d == last) continue;
    w->size[last] = w->size[d];
    for (int k = 0; k < w->operands; k++)
      w->stride[last][k] = w->stride[d][k];
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
    for (int k = 0; k < operands; k++)
      w->stride[0][k] = 1;
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
  const int last = w->dims - 1;
  if (last == 0 && !w->is_whole) {
    un_walk_run(w->size[0], w->operands, w->data, w->stride[0], w->bytes, run, context);
    return;
  }
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

/* --- few elements ------------------------------------------------------------------- */

static bool is_single(const un_view *v) {
  for (int d = 0; d < v->dims; d++)
    if (v->size[d] != 1 && v->stride[d] != 0) return false;
  return true;
}

int un_step_through(const un_view *v) {
  int64_t next = 1;
  for (int d = v->dims - 1; d >= 0; d--) {
    if (v->size[d] == 1) continue;
    if (v->stride[d] != next) return is_single(v) ? 0 : -1;
    next *= v->size[d];
  }
  return 1;
}

/* Where the rows of v begin, in row-major order; a row is what lies along the last
** dimension. For each other dimension, each place so far becomes as many as it has. */
static int64_t find_rows(const un_view *v, void **row) {
  const int64_t bytes = (int64_t)un_dtype_bytes(v->dtype);
  int64_t count = 1;
  row[0] = v->data;
  for (int d = 0; d < v->dims - 1; d++) {
    const int64_t size = v->size[d], step = v->stride[d] * bytes;
    for (int64_t i = count - 1; i >= 0; i--) {
      char *first = row[i];
      for (int64_t j = 0; j < size; j++)
        row[i * size + j] = first + j * step;
    }
    count *= size;
  }
  return count;
}

/* The elements of v side by side; rows without gaps in vectors, which those that read them
** then need not wait for. */
#define LOAD_FEW(name, type)                                                           \
  static void name(const un_view *v, type *to) {                                       \
    void *row[UN_WALK_FEW];                                                            \
    const int64_t rows = find_rows(v, row), n = v->size[v->dims - 1];                  \
    const int64_t step = v->stride[v->dims - 1];                                       \
    for (int64_t i = 0; i < rows; i++, to += n) {                                      \
      const type *from = row[i];                                                       \
      if (step == 1)                                                                   \
        memcpy(to, from, (size_t)n * sizeof *to);                                      \
      else                                                                             \
        for (int64_t j = 0; j < n; j++)                                                \
          to[j] = from[j * step];                                                      \
    }                                                                                  \
  }
LOAD_FEW(load_narrow, uint32_t)
LOAD_FEW(load_wide, uint64_t)

#define STORE_FEW(name, type)                                                          \
  static void name(const type *from, const un_view *v) {                               \
    void *row[UN_WALK_FEW];                                                            \
    const int64_t rows = find_rows(v, row), n = v->size[v->dims - 1];                  \
    const int64_t step = v->stride[v->dims - 1];                                       \
    for (int64_t i = 0; i < rows; i++)                                                 \
      for (int64_t j = 0; j < n; j++)                                                  \
        ((type *)row[i])[j * step] = *from++;                                          \
  }
STORE_FEW(store_narrow, uint32_t)
STORE_FEW(store_wide, uint64_t)

static void load_few(const un_view *v, un_few *to) {
  if (un_dtype_bytes(v->dtype) == 8)
    load_wide(v, to->wide);
  else
    load_narrow(v, to->narrow);
}

static void store_few(const un_few *from, const un_view *v) {
  if (un_dtype_bytes(v->dtype) == 8)
    store_wide(from->wide, v);
  else
    store_narrow(from->narrow, v);
}

const void *un_side_by_side(const un_view *v, un_few *room) {
  if (un_step_through(v) == 1) return v->data;
  load_few(v, room);
  return room;
}

bool un_walk_few(int operands, const un_view *const *v, un_run *run, void *context) {
  un_few room[UN_WALK_MAX];
  void *data[UN_WALK_MAX];
  int64_t stride[UN_WALK_MAX];
  const int64_t n = un_numel(v[0]);
  if (n > UN_WALK_FEW) return false;
  if (n == 0) return true;
  for (int k = 0; k < operands; k++) {
    const int step = un_step_through(v[k]);
    if (v[k]->dtype >= UN_U8) return false;
    data[k] = step < 0 ? &room[k] : v[k]->data;
    stride[k] = step < 0 ? 1 : step;
    if (step < 0 && k > 0) load_few(v[k], &room[k]);
  }
  run(n, data, stride, context);
  if (data[0] == &room[0]) store_few(&room[0], v[0]);
  return true;
}
