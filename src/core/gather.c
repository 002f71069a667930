/* gather.c -- elements picked by index along one dimension (see gather.h).
**
** The tensor that is indexed takes part in the walk with stride 0 along `dim`: its
** pointer
** says where i and k are, the index adds the way along `dim`. Picking whole rows is the
** same thing with an index that is repeated along the rows; a run then has one index
** and is copied in one go. */
#include "gather.h"

#include <string.h>

#include "isa.h"
#include "isa/elementwise.h"
#include "profile.h"
#include "walk.h"

UN_BY_ISA(un_elementwise_kernels, un_elementwise)

/* --- checks -------------------------------------------------------------------------
 */

typedef struct bad_index {
  int64_t size, position; /* position: 0-based, in row-major order */
  int32_t value;
  bool found;
} bad_index;

static void find_bad(int64_t n, void *const *data, const int64_t *stride,
                     void *context) {
  bad_index *bad = context;
  const int32_t *index = data[0];
  for (int64_t i = 0; i < n && !bad->found; i++) {
    bad->value = index[i * stride[0]];
    bad->found = bad->value < 1 || bad->value > bad->size;
    bad->position++;
  }
}

bool un_check_indices(const char *who, const un_view *index, int64_t size,
                      un_err *err) {
  bad_index bad = {.size = size};
  un_walk w;
  const int64_t n = un_numel(index);
  if (n <= UN_WALK_FEW && un_is_contiguous(index)) { /* not worth a plan */
    find_bad(n, (void *[]){index->data}, (int64_t[]){1}, &bad);
  } else {
    un_walk_plan(&w, UN_WALK_ROW_MAJOR, 1, &index);
    un_walk_each(&w, find_bad, &bad);
  }
  if (!bad.found) return true;
  return un_fail(err,
                 "%s: index %d (element %lld of the indices) is out of range 1..%lld",
                 who, (int)bad.value, (long long)bad.position, (long long)size);
}

/* --- moving -------------------------------------------------------------------------
 */

typedef struct along {
  int64_t stride, size; /* of the indexed dimension, in elements */
  size_t bytes;         /* of an element */
} along;

#define GATHER(suffix, type)                                                           \
  static void gather_##suffix(int64_t n, void *const *data, const int64_t *stride,     \
                              void *context) {                                         \
    const along *a = context;                                                          \
    type *y = data[0];                                                                 \
    const int32_t *index = data[1];                                                    \
    const type *x = data[2];                                                           \
    const int64_t sy = stride[0], si = stride[1], sx = stride[2], step = a->stride;    \
    for (int64_t i = 0; i < n; i++)                                                    \
      y[i * sy] = x[i * sx + (index[i * si] - 1) * step];                              \
  }
GATHER(1, uint8_t)
GATHER(2, uint16_t)
GATHER(4, uint32_t)
GATHER(8, uint64_t)

enum { CACHE_LINE = 64, MOST_FETCHED = 1 << 16 };

/* A line from which much is picked comes into the cache in order, as memory likes it. */
static void fetch_line(const along *a, const char *line) {
  for (size_t k = 0; k < (size_t)a->size * a->bytes; k += CACHE_LINE)
    __builtin_prefetch(line + k);
}

static void gather_run(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  const along *a = context;
  if (stride[2] == 0 && a->stride == 1 && n >= a->size / 4 &&
      (size_t)a->size <= MOST_FETCHED / a->bytes)
    fetch_line(a, data[2]);
  bool whole_row = stride[0] == 1 && stride[1] == 0 && stride[2] == 1;
  if (whole_row) {
    int64_t offset = (*(const int32_t *)data[1] - 1) * a->stride * (int64_t)a->bytes;
    memcpy(data[0], (const char *)data[2] + offset, (size_t)n * a->bytes);
  } else if (a->bytes == 1) {
    gather_1(n, data, stride, context);
  } else if (a->bytes == 2) {
    gather_2(n, data, stride, context);
  } else if (a->bytes == 4) {
    gather_4(n, data, stride, context);
  } else {
    gather_8(n, data, stride, context);
  }
}

/* v as it takes part in the walk: the sizes of `index`, and no way along `dim`. */
static un_view without_dim(const un_view *v, int dim, const un_view *index) {
  un_view result = *v;
  memcpy(result.size, index->size, sizeof result.size);
  result.stride[dim] = 0;
  return result;
}

void un_gather(const un_view *out, const un_view *src, int dim, const un_view *index) {
  un_view base = without_dim(src, dim, index);
  along a = {src->stride[dim], src->size[dim], un_dtype_bytes(src->dtype)};
  un_walk w;
  UN_PROFILE_BEGIN(UN_PHASE_GATHER);
  un_walk_plan(&w, UN_WALK_ANY_ORDER, 3, (const un_view *[]){out, index, &base});
  un_walk_each(&w, gather_run, &a);
  UN_PROFILE_END(0);
}

#define SCATTER_ADD(suffix, type)                                                      \
  static void scatter_add_##suffix(int64_t n, void *const *data,                       \
                                   const int64_t *stride, void *context) {             \
    const along *a = context;                                                          \
    type *y = data[0];                                                                 \
    const int32_t *index = data[1];                                                    \
    const type *x = data[2];                                                           \
    const int64_t sy = stride[0], si = stride[1], sx = stride[2], step = a->stride;    \
    if (sy == 1 && si == 0 && sx == 1) { /* a row to a row */                          \
      y += (*index - 1) * step;                                                        \
      un_elementwise()->value[UN_OP_add][a->bytes == 8](n, (void *[]){y, y, data[2]},  \
                                                        (int64_t[]){1, 1, 1}, NULL);   \
      return;                                                                          \
    }                                                                                  \
    for (int64_t i = 0; i < n; i++)                                                    \
      y[i * sy + (index[i * si] - 1) * step] += x[i * sx];                             \
  }
SCATTER_ADD(f32, float)
SCATTER_ADD(f64, double)

void un_scatter_add(const un_view *dst, int dim, const un_view *index,
                    const un_view *src) {
  un_view base = without_dim(dst, dim, index);
  along a = {dst->stride[dim], dst->size[dim], un_dtype_bytes(dst->dtype)};
  un_walk w;
  UN_PROFILE_BEGIN(UN_PHASE_GATHER);
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, 3, (const un_view *[]){&base, index, src});
  un_walk_each(&w, dst->dtype == UN_F32 ? scatter_add_f32 : scatter_add_f64, &a);
  UN_PROFILE_END(0);
}
