/* view.c -- shapes and strides: the arithmetic that needs no numbers. */
#include "view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool un_fail(un_err *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(err->msg, sizeof err->msg, format, args);
  va_end(args);
  return false;
}

un_shape_text un_shape(const un_view *v) {
  un_shape_text text;
  int n = snprintf(text.s, sizeof text.s, "(");
  for (int d = 0; d < v->dims; d++)
    n += snprintf(text.s + n, sizeof text.s - (size_t)n, d > 0 ? ",%lld" : "%lld",
                  (long long)v->size[d]);
  snprintf(text.s + n, sizeof text.s - (size_t)n, ")");
  return text;
}

const char *un_dtype_name(un_dtype dtype) {
  static const char *const names[] = {"float32", "float64", "int32", "uint8", "uint16"};
  return names[dtype];
}

bool un_is_contiguous(const un_view *v) {
  int64_t expected = 1;
  for (int d = v->dims - 1; d >= 0; d--) {
    if (v->size[d] == 0) return true;
    if (v->size[d] != 1 && v->stride[d] != expected) return false;
    expected *= v->size[d];
  }
  return true;
}

/* True unless the dimensions, taken from the smallest stride up, each step over all
** that the smaller ones reach. Views made by slicing and permuting always pass. */
bool un_overlaps_itself(const un_view *v) {
  if (un_is_contiguous(v)) return false; /* the common case */
  bool used[UN_MAX_DIMS] = {false};
  int64_t reach = 0; /* offset of the last element that the used dimensions reach */
  for (int d = 0; d < v->dims; d++)
    if (v->size[d] == 0) return false;
  for (int k = 0; k < v->dims; k++) {
    int next = -1;
    for (int d = 0; d < v->dims; d++)
      if (!used[d] && (next < 0 || v->stride[d] < v->stride[next])) next = d;
    used[next] = true;
    if (v->size[next] == 1) continue;
    if (v->stride[next] <= reach) return true;
    reach += (v->size[next] - 1) * v->stride[next];
  }
  return false;
}

bool un_broadcast_sizes(const un_view *a, const un_view *b, int *dims, int64_t *size) {
  if (a->dims < b->dims) return un_broadcast_sizes(b, a, dims, size);
  int64_t common[UN_MAX_DIMS];
  const int n = a->dims, added = n - b->dims;
  for (int d = 0; d < n; d++) {
    const int64_t sa = a->size[d], sb = d < added ? 1 : b->size[d - added];
    if (sa != sb && sa != 1 && sb != 1) return false;
    common[d] = sa == 1 ? sb : sa;
  }
  for (int d = 0; d < n; d++)
    size[d] = common[d];
  *dims = n;
  return true;
}

bool un_expand(un_view *out, const un_view *v, int dims, const int64_t *size) {
  const int added = dims - v->dims;
  if (added < 0) return false;
  for (int d = 0; d < v->dims; d++)
    if (v->size[d] != size[added + d] && v->size[d] != 1) return false;
  for (int d = dims - 1; d >= 0; d--) { /* backwards: out may be v */
    bool repeated = d < added || (v->size[d - added] == 1 && size[d] != 1);
    out->stride[d] = repeated ? 0 : v->stride[d - added];
    out->size[d] = size[d];
  }
  out->dtype = v->dtype;
  out->dims = dims;
  out->data = v->data;
  return true;
}

void un_set_contiguous(un_view *v) {
  int64_t stride = 1;
  for (int d = v->dims - 1; d >= 0; d--) {
    v->stride[d] = stride;
    stride *= v->size[d] > 0 ? v->size[d] : 1;
  }
}

bool un_check_sizes(const char *who, un_dtype dtype, int dims, const int64_t *size,
                    int64_t *bytes, un_err *err) {
  if (dims > UN_MAX_DIMS)
    return un_fail(err, "%s: %d dimensions, at most %d are possible", who, dims,
                   UN_MAX_DIMS);
  int64_t most = (int64_t)un_dtype_bytes(dtype),
          numel = 1; /* most: as if none were 0 */
  bool too_large = false;
  if (un_few_bytes(dtype, dims, size, bytes)) return true;
  for (int d = 0; d < dims; d++) {
    if (size[d] < 0)
      return un_fail(err, "%s: size %lld of dimension %d is negative", who,
                     (long long)size[d], d + 1);
    if (__builtin_mul_overflow(most, size[d] > 0 ? size[d] : 1, &most))
      too_large = true;
    numel *= size[d] > 0;
  }
  if (too_large || most > PTRDIFF_MAX - 4096) {
    un_view v;
    un_set_sizes(&v, dtype, dims, size);
    return un_fail(err, "%s: %s has more elements than memory can hold", who,
                   un_shape(&v).s);
  }
  *bytes = numel > 0 ? most : 0;
  return true;
}

bool un_make_view(un_view *v, const char *who, un_dtype dtype, int dims,
                  const int64_t *size, un_err *err) {
  int64_t bytes;
  if (!un_check_sizes(who, dtype, dims, size, &bytes, err)) return false;
  un_set_sizes(v, dtype, dims, size);
  return true;
}

/* --- parts, orders and shapes -------------------------------------------------------
 */

static void *element_at(const un_view *v, int64_t offset) {
  return (char *)v->data + offset * (int64_t)un_dtype_bytes(v->dtype);
}

static void copy_dim(un_view *out, int to, const un_view *v, int from) {
  out->size[to] = v->size[from];
  out->stride[to] = v->stride[from];
}

void un_remove_dim(un_view *out, const un_view *v, int d) {
  un_copy_view(out, v);
  out->dims--;
  for (int k = d; k < out->dims; k++)
    copy_dim(out, k, out, k + 1);
}

void un_insert_dim(un_view *out, const un_view *v, int d) {
  const int64_t stride = d < v->dims ? v->size[d] * v->stride[d] : 1;
  un_copy_view(out, v);
  for (int k = out->dims++; k > d; k--)
    copy_dim(out, k, v, k - 1);
  out->size[d] = 1;
  out->stride[d] = stride;
}

void un_select(un_view *out, const un_view *v, int d, int64_t i) {
  void *data = element_at(v, i * v->stride[d]);
  un_remove_dim(out, v, d);
  out->data = data;
}

void un_slice(un_view *out, const un_view *v, int d, int64_t first, int64_t count,
              int64_t step) {
  un_copy_view(out, v);
  if (count > 0) out->data = element_at(out, first * out->stride[d]);
  out->size[d] = count;
  if (count > 1) out->stride[d] *= step;
}

void un_permute(un_view *out, const un_view *v, const int *order) {
  un_view result = *v;
  for (int d = 0; d < v->dims; d++) {
    result.size[d] = v->size[order[d]];
    result.stride[d] = v->stride[order[d]];
  }
  *out = result;
}

/* The sizes and strides of v without the dimensions of size 1. Returns their number. */
static int proper_dims(const un_view *v, int64_t *size, int64_t *stride) {
  int n = 0;
  for (int d = 0; d < v->dims; d++) {
    if (v->size[d] == 1) continue;
    size[n] = v->size[d];
    stride[n++] = v->stride[d];
  }
  return n;
}

/* From the last dimension on: merges old dimensions that continue each other, then cuts
** what results into new ones; a cut that does not come out even means that numbers
** would have to move. */
bool un_reshape(un_view *out, const un_view *v, int dims, const int64_t *size) {
  un_view result = {.dtype = v->dtype, .dims = dims, .data = v->data};
  memcpy(result.size, size, (size_t)dims * sizeof *size);
  un_set_contiguous(&result);
  int64_t old_size[UN_MAX_DIMS], old_stride[UN_MAX_DIMS];
  int k = proper_dims(v, old_size, old_stride) - 1, d = dims - 1;
  bool empty = un_numel(v) == 0;
  for (; k >= 0 && !empty; k--) {
    int64_t chunk = old_size[k], inner = old_stride[k], cut = 1;
    for (; k > 0 && old_stride[k - 1] == old_size[k] * old_stride[k]; k--)
      chunk *= old_size[k - 1];
    for (; d >= 0 && cut < chunk; d--) {
      result.stride[d] = cut * inner;
      cut *= size[d];
    }
    if (cut != chunk) return false;
  }
  *out = result;
  return true;
}
