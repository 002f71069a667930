/* un.h -- what every file of core shares: dtypes, views, errors.
**
** core holds the numbers and nothing else. It knows no Lua, allocates nothing, prints
** nothing and never jumps. A function that can fail returns false and fills an un_err
** with a message that names the operands as the docs do; nothing was written then. All
** checks come first, then work that cannot fail. Outputs and scratch come from outside.
**
** A view says where the numbers of a tensor lie: element (i,j,...) is at
** data + i*stride[0] + j*stride[1] + ..., strides counted in elements. A stride may be
** zero (a broadcast dimension) or any positive number; sizes may be zero. dims == 0 is
** a scalar with one element.
**
** Indices are 0-based here. bind converts from Lua's 1-based ones (unl_index).
*/
#ifndef UN_H
#define UN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UN_MAX_DIMS 6
#define UN_CHECKED  __attribute__((warn_unused_result))

/* f32 and f64 compute; i32 holds tokens, labels and indices (1-based contents, as
** scripts see them); u8 and u16 only store a corpus. */
typedef enum un_dtype { UN_F32, UN_F64, UN_I32, UN_U8, UN_U16 } un_dtype;

typedef struct un_view {
  un_dtype dtype;
  int dims;
  int64_t size[UN_MAX_DIMS];
  int64_t stride[UN_MAX_DIMS]; /* in elements */
  void *data;                  /* the first element */
} un_view;

typedef struct un_err {
  char msg[320];
} un_err;

/* Fills err and returns false, so that a check reads: return un_fail(err, "..."). */
bool un_fail(un_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "(3,4)": the sizes as error messages print them; "()" for a scalar. */
typedef struct un_shape_text {
  char s[128];
} un_shape_text;
un_shape_text un_shape(const un_view *v);

const char *un_dtype_name(un_dtype dtype); /* "float32" ... */
static inline size_t un_dtype_bytes(un_dtype dtype) {
  return dtype == UN_F64 ? 8 : dtype == UN_U8 ? 1 : dtype == UN_U16 ? 2 : 4;
}
static inline bool un_is_real(un_dtype dtype) {
  return dtype == UN_F32 || dtype == UN_F64;
}

static inline int64_t un_numel(const un_view *v) {
  int64_t n = 1;
  for (int d = 0; d < v->dims; d++)
    n *= v->size[d];
  return n;
}

/* Whether v has these sizes. */
static inline bool un_has_sizes(const un_view *v, int dims, const int64_t *size) {
  if (v->dims != dims) return false;
  for (int d = 0; d < dims; d++)
    if (v->size[d] != size[d]) return false;
  return true;
}

static inline bool un_same_shape(const un_view *a, const un_view *b) {
  return un_has_sizes(a, b->dims, b->size);
}

/* `out`: v, which may be out. What is in use is copied number by number: whole views are
** copied in vectors, and those wait long for numbers that have just been written. */
static inline void un_copy_view(un_view *out, const un_view *v) {
  out->dtype = v->dtype;
  out->dims = v->dims;
  out->data = v->data;
  for (int d = 0; d < v->dims; d++) {
    out->size[d] = v->size[d];
    out->stride[d] = v->stride[d];
  }
}

bool un_same_view(const un_view *a, const un_view *b); /* the same elements */
bool un_is_contiguous(const un_view *v);               /* row-major and without gaps */
bool un_overlaps_itself(const un_view *v); /* two indices may share an element */
bool un_overlap(const un_view *a, const un_view *b); /* share an element */

/* The sizes that a and b broadcast to: aligned at the last dimension, a size of 1 or an
** absent one follows the other. False when they do not fit; then nothing is written. */
bool un_broadcast_sizes(const un_view *a, const un_view *b, int *dims, int64_t *size);

/* `out`: v seen with these sizes, stride 0 where it is repeated. False when v does not
** broadcast to them. out may be v. */
bool un_expand(un_view *out, const un_view *v, int dims, const int64_t *size);

/* Row-major strides for the sizes already in v. */
void un_set_contiguous(un_view *v);

/* The bytes of a tensor of these sizes. Fails as un_make_view. */
UN_CHECKED bool un_check_sizes(const char *who, un_dtype dtype, int dims,
                               const int64_t *size, int64_t *bytes, un_err *err);

/* The same in the common case: sizes so small that nothing overflows. False: ask
** un_check_sizes. */
static inline bool un_few_bytes(un_dtype dtype, int dims, const int64_t *size,
                                int64_t *bytes) {
  uint64_t all = 0, product = un_dtype_bytes(dtype);
  for (int d = 0; d < dims && dims <= UN_MAX_DIMS; d++) {
    all |= (uint64_t)size[d];
    product *= (uint64_t)size[d];
  }
  *bytes = (int64_t)product;
  return all < 1 << 10 && dims <= UN_MAX_DIMS;
}

/* Row-major, with these sizes, no data yet. */
static inline void un_set_sizes(un_view *v, un_dtype dtype, int dims,
                                const int64_t *size) {
  v->dtype = dtype;
  v->dims = dims;
  v->data = NULL;
  int64_t stride = 1;
  for (int d = dims - 1; d >= 0; d--) {
    v->size[d] = size[d];
    v->stride[d] = stride;
    if (size[d] > 0 && __builtin_mul_overflow(stride, size[d], &stride)) stride = 1;
  }
}

/* Both: a view with the sizes of `size`, no data yet. Fails on negative sizes, more than
** UN_MAX_DIMS dimensions, and a number of bytes that does not fit in PTRDIFF_MAX. */
UN_CHECKED bool un_make_view(un_view *v, const char *who, un_dtype dtype, int dims,
                             const int64_t *size, un_err *err);

#endif
