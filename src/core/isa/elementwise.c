/* elementwise.c -- the kernels of ops.def: a scalar function for each op and a few
** loops that gcc specialises for it. An output may be the very same run as an input,
** which `ivdep` allows: element i is read before it is written and never looked at
** again. */
#ifndef REAL
#include <math.h>

#include "isa.h"
#include "isa/elementwise.h"
#include "isa/vmath.h"
#include "isa/vpow.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define RUN_ARGS      int64_t n, void *const *data, const int64_t *stride, void *context

/* Both values are read, so that the loop has no branch. */
#define WHERE(suffix, type)                                                            \
  static void where_##suffix(RUN_ARGS) {                                               \
    (void)context;                                                                     \
    type *y = data[0];                                                                 \
    const int32_t *cond = data[1];                                                     \
    const type *a = data[2], *b = data[3];                                             \
    const int64_t sy = stride[0], sc = stride[1], sa = stride[2], sb = stride[3];      \
    if (sy == 1 && sc == 1 && sa == 1 && sb == 1) {                                    \
      INDEPENDENT                                                                      \
      for (int64_t i = 0; i < n; i++) {                                                \
        const type yes = a[i], no = b[i];                                              \
        y[i] = cond[i] ? yes : no;                                                     \
      }                                                                                \
    } else if (sy == 1 && sc == 1 && sa == 1 && sb == 0) {                             \
      const type no = *b;                                                              \
      INDEPENDENT                                                                      \
      for (int64_t i = 0; i < n; i++) {                                                \
        const type yes = a[i];                                                         \
        y[i] = cond[i] ? yes : no;                                                     \
      }                                                                                \
    } else if (sy == 1 && sc == 1 && sa == 0 && sb == 1) {                             \
      const type yes = *a;                                                             \
      INDEPENDENT                                                                      \
      for (int64_t i = 0; i < n; i++) {                                                \
        const type no = b[i];                                                          \
        y[i] = cond[i] ? yes : no;                                                     \
      }                                                                                \
    } else {                                                                           \
      for (int64_t i = 0; i < n; i++) {                                                \
        const type yes = a[i * sa], no = b[i * sb];                                    \
        y[i * sy] = cond[i * sc] ? yes : no;                                           \
      }                                                                                \
    }                                                                                  \
  }
WHERE(f32, float)
WHERE(f64, double)
WHERE(i32, int32_t)

#define EACH_COMPARE(suffix, type)                                                     \
  ALWAYS_INLINE void each_compare_##suffix(int32_t (*f)(type, type), RUN_ARGS) {       \
    (void)context;                                                                     \
    int32_t *y = data[0];                                                              \
    const type *a = data[1], *b = data[2];                                             \
    const int64_t sy = stride[0], sa = stride[1], sb = stride[2];                      \
    if (sy == 1 && sa == 1 && sb == 1) {                                               \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i] = f(a[i], b[i]);                                                          \
    } else if (sy == 1 && sa == 1 && sb == 0) {                                        \
      const type b0 = *b;                                                              \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i] = f(a[i], b0);                                                            \
    } else if (sy == 1 && sa == 0 && sb == 1) {                                        \
      const type a0 = *a;                                                              \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i] = f(a0, b[i]);                                                            \
    } else {                                                                           \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i * sy] = f(a[i * sa], b[i * sb]);                                           \
    }                                                                                  \
  }
EACH_COMPARE(f32, float)
EACH_COMPARE(f64, double)
EACH_COMPARE(i32, int32_t)

/* Comparisons of integers. */
#define UN_UNARY(name, ...)
#define UN_PARAM(name, ...)
#define UN_BINARY(name, ...)
#define UN_TEST(name, ...)
#define UN_COMPARE(name, truth, ...)                                                   \
  ALWAYS_INLINE int32_t name##_i32(int32_t a, int32_t b) {                             \
    return truth;                                                                      \
  }                                                                                    \
  static void run_##name##_i32(RUN_ARGS) {                                             \
    each_compare_i32(name##_i32, n, data, stride, context);                            \
  }
#include "ops.def"
#undef UN_UNARY
#undef UN_PARAM
#undef UN_BINARY
#undef UN_TEST
#undef UN_COMPARE

#define UN_TEMPLATE "isa/elementwise.c"
#include "each_dtype.h"

extern const un_elementwise_kernels ISA(un_elementwise);
const un_elementwise_kernels ISA(un_elementwise) = {
#define BOTH(name)                                                                     \
  { name##_f32, name##_f64 }
#define UN_UNARY(name, ...)  [UN_OP_##name] = BOTH(run_##name),
#define UN_PARAM(name, ...)  UN_UNARY(name, __VA_ARGS__)
#define UN_BINARY(name, ...) UN_UNARY(name, __VA_ARGS__)
#define UN_TEST(name, ...)   UN_UNARY(name, __VA_ARGS__)
#define UN_COMPARE(name, ...)                                                          \
  [UN_OP_##name] = {run_##name##_f32, run_##name##_f64, run_##name##_i32},
    .value =
        {
#include "ops.def"
        },
#undef UN_UNARY
#undef UN_TEST
#undef UN_COMPARE
#define UN_UNARY(name, ...) [UN_OP_##name] = BOTH(run_d##name),
#define UN_TEST(name, ...)
#define UN_COMPARE(name, ...)
    .gradient =
        {
#include "ops.def"
        },
#undef UN_UNARY
#undef UN_PARAM
#undef UN_BINARY
#define UN_UNARY(name, ...)
#define UN_PARAM(name, ...)
#define UN_BINARY(name, ...) [UN_OP_##name] = BOTH(run_b##name),
    .gradient_b =
        {
#include "ops.def"
        },
    .add_scaled = BOTH(run_add_scaled),
    .where = {where_f32, where_f64, where_i32},
};

#else

ALWAYS_INLINE REAL FN(bound)(REAL x, REAL low, REAL high) {
  REAL above = x < low ? low : x;
  return above > high ? high : above;
}

/* --- the scalar functions --------------------------------------------------------- */

#define SCALARS(name, value, gradient)                                                 \
  ALWAYS_INLINE REAL FN(name)(REAL x, REAL p, REAL q) {                                \
    (void)p, (void)q;                                                                  \
    return value;                                                                      \
  }                                                                                    \
  ALWAYS_INLINE REAL FN(d##name)(REAL dy, REAL x, REAL y, REAL p, REAL q) {            \
    (void)dy, (void)x, (void)y, (void)p, (void)q;                                      \
    return gradient;                                                                   \
  }
#define UN_UNARY(name, needs, value, gradient, ...) SCALARS(name, value, gradient)
#define UN_PARAM(name, p, preset, q, preset2, needs, value, gradient, ...)             \
  SCALARS(name, value, gradient)
#define UN_BINARY(name, value, da, db, ...)                                            \
  ALWAYS_INLINE REAL FN(name)(REAL a, REAL b) {                                        \
    return value;                                                                      \
  }                                                                                    \
  ALWAYS_INLINE REAL FN(d##name)(REAL dy, REAL a, REAL b, REAL p, REAL q) {            \
    (void)dy, (void)a, (void)b, (void)p, (void)q;                                      \
    return da;                                                                         \
  }                                                                                    \
  ALWAYS_INLINE REAL FN(b##name)(REAL dy, REAL a, REAL b, REAL p, REAL q) {            \
    (void)dy, (void)a, (void)b, (void)p, (void)q;                                      \
    return db;                                                                         \
  }
#define UN_TEST(name, truth, ...)                                                      \
  ALWAYS_INLINE int32_t FN(name)(REAL x) {                                             \
    return truth;                                                                      \
  }
#define UN_COMPARE(name, truth, ...)                                                   \
  ALWAYS_INLINE int32_t FN(name)(REAL a, REAL b) {                                     \
    return truth;                                                                      \
  }
#include "ops.def"
#undef SCALARS
#undef UN_UNARY
#undef UN_PARAM
#undef UN_BINARY
#undef UN_TEST
#undef UN_COMPARE

/* --- the loops -------------------------------------------------------------------- */

/* Sine and cosine, by pieces: the vector functions hold for moderate angles, the C
** library's for all. */
ALWAYS_INLINE void FN(each_angle)(uint64_t quarters, int64_t n, REAL *y, int64_t sy,
                                  const REAL *x, int64_t sx) {
  enum { ANGLES = 512 };
  for (int64_t first = 0; first < n;
       first += ANGLES, y += ANGLES * sy, x += ANGLES * sx) {
    const int64_t count = n - first < ANGLES ? n - first : ANGLES;
    int large = 0;
    for (int64_t i = 0; i < count; i++)
      large |= !(M(fabs)(x[i * sx]) <= (REAL)UN_CIRCULAR_LIMIT);
    if (large) {
      for (int64_t i = 0; i < count; i++)
        y[i * sy] = quarters ? M(cos)(x[i * sx]) : M(sin)(x[i * sx]);
    } else if (sy == 1 && sx == 1) {
      INDEPENDENT
      for (int64_t i = 0; i < count; i++)
        y[i] = M(un_vcircular)(x[i], quarters);
    } else {
      for (int64_t i = 0; i < count; i++)
        y[i * sy] = M(un_vcircular)(x[i * sx], quarters);
    }
  }
}

ALWAYS_INLINE void FN(each1)(REAL (*f)(REAL, REAL, REAL), RUN_ARGS) {
  if (f == FN(sin) || f == FN(cos)) { /* known when this is compiled */
    FN(each_angle)(f == FN(cos), n, data[0], stride[0], data[1], stride[1]);
    return;
  }
  const double *param = context;
  const REAL p = (REAL)param[0], q = (REAL)param[1];
  REAL *y = data[0];
  const REAL *x = data[1];
  const int64_t sy = stride[0], sx = stride[1];
  if (sy == 1 && sx == 1) {
    INDEPENDENT
    for (int64_t i = 0; i < n; i++)
      y[i] = f(x[i], p, q);
  } else {
    for (int64_t i = 0; i < n; i++)
      y[i * sy] = f(x[i * sx], p, q);
  }
}

/* n numbers side by side: as they are, or in the room. */
ALWAYS_INLINE const REAL *FN(side_by_side)(REAL *room, const REAL *x, int64_t stride,
                                           int64_t n) {
  if (stride == 1 && n == UN_PAIRS) return x;
  for (int64_t i = 0; i < n && stride != 0; i++) /* 0: they are there already */
    room[i] = x[i * stride];
  return room;
}

/* Powers and angles, by pieces of full vectors: with a constant operand, or gaps, gcc would
** make no vectors. */
ALWAYS_INLINE void FN(each_piece)(void (*piece)(REAL *, const REAL *, const REAL *),
                                  int64_t n, void *const *data, const int64_t *stride) {
  const int64_t sy = stride[0], sa = stride[1], sb = stride[2];
  REAL room_a[UN_PAIRS], room_b[UN_PAIRS], value[UN_PAIRS];
  for (int i = 0; i < UN_PAIRS; i++) {
    room_a[i] = *(const REAL *)data[1];
    room_b[i] = *(const REAL *)data[2];
  }
  for (int64_t first = 0; first < n; first += UN_PAIRS) {
    const int64_t count = n - first < UN_PAIRS ? n - first : UN_PAIRS;
    REAL *to = (REAL *)data[0] + first * sy;
    const REAL *a = FN(side_by_side)(room_a, (REAL *)data[1] + first * sa, sa, count);
    const REAL *b = FN(side_by_side)(room_b, (REAL *)data[2] + first * sb, sb, count);
    if (sy == 1 && count == UN_PAIRS) {
      piece(to, a, b);
      continue;
    }
    piece(value, a, b);
    for (int64_t i = 0; i < count; i++)
      to[i * sy] = value[i];
  }
}

ALWAYS_INLINE void FN(each2)(REAL (*f)(REAL, REAL), RUN_ARGS) {
  (void)context;
  if (f == FN(pow) || f == FN(atan2)) { /* known when this is compiled */
    FN(each_piece)
    (f == FN(pow) ? UN_PASTE(M(un_vpow), _piece) : UN_PASTE(M(un_vatan2), _piece), n,
     data, stride);
    return;
  }
  REAL *y = data[0];
  const REAL *a = data[1], *b = data[2];
  const int64_t sy = stride[0], sa = stride[1], sb = stride[2];
  if (sy == 1 && sa == 1 && sb == 1) {
    INDEPENDENT
    for (int64_t i = 0; i < n; i++)
      y[i] = f(a[i], b[i]);
  } else if (sy == 1 && sa == 1 && sb == 0) {
    const REAL b0 = *b;
    INDEPENDENT
    for (int64_t i = 0; i < n; i++)
      y[i] = f(a[i], b0);
  } else if (sy == 1 && sa == 0 && sb == 1) {
    const REAL a0 = *a;
    INDEPENDENT
    for (int64_t i = 0; i < n; i++)
      y[i] = f(a0, b[i]);
  } else {
    for (int64_t i = 0; i < n; i++)
      y[i * sy] = f(a[i * sa], b[i * sb]);
  }
}

/* Derivatives: g(dy, x, y) or g(dy, a, b). */
ALWAYS_INLINE void FN(each3)(REAL (*g)(REAL, REAL, REAL, REAL, REAL), RUN_ARGS) {
  const double *param = context;
  const REAL p = (REAL)param[0], q = (REAL)param[1];
  REAL *dx = data[0];
  const REAL *dy = data[1], *a = data[2], *b = data[3];
  if (stride[0] == 1 && stride[1] == 1 && stride[2] == 1 && stride[3] == 1) {
    INDEPENDENT
    for (int64_t i = 0; i < n; i++)
      dx[i] = g(dy[i], a[i], b[i], p, q);
  } else {
    const int64_t s0 = stride[0], s1 = stride[1], s2 = stride[2], s3 = stride[3];
    for (int64_t i = 0; i < n; i++)
      dx[i * s0] = g(dy[i * s1], a[i * s2], b[i * s3], p, q);
  }
}

ALWAYS_INLINE void FN(each_test)(int32_t (*f)(REAL), RUN_ARGS) {
  (void)context;
  int32_t *y = data[0];
  const REAL *x = data[1];
  const int64_t sy = stride[0], sx = stride[1];
  if (sy == 1 && sx == 1)
    for (int64_t i = 0; i < n; i++)
      y[i] = f(x[i]);
  else
    for (int64_t i = 0; i < n; i++)
      y[i * sy] = f(x[i * sx]);
}

/* --- the kernels ------------------------------------------------------------------ */

#define KERNEL(name, loop, f)                                                          \
  static void FN(name)(RUN_ARGS) {                                                     \
    FN(loop)(FN(f), n, data, stride, context);                                         \
  }
#define UN_UNARY(name, ...)                                                            \
  KERNEL(run_##name, each1, name)                                                      \
  KERNEL(run_d##name, each3, d##name)
#define UN_PARAM(name, ...) UN_UNARY(name, __VA_ARGS__)
#define UN_BINARY(name, ...)                                                           \
  KERNEL(run_##name, each2, name)                                                      \
  KERNEL(run_d##name, each3, d##name)                                                  \
  KERNEL(run_b##name, each3, b##name)
#define UN_TEST(name, ...)    KERNEL(run_##name, each_test, name)
#define UN_COMPARE(name, ...) KERNEL(run_##name, each_compare, name)
#include "ops.def"
#undef KERNEL
#undef UN_UNARY
#undef UN_PARAM
#undef UN_BINARY
#undef UN_TEST
#undef UN_COMPARE

static void FN(run_add_scaled)(RUN_ARGS) {
  const REAL alpha = (REAL) * (const double *)context;
  REAL *y = data[0];
  const REAL *a = data[1], *b = data[2];
  const int64_t sy = stride[0], sa = stride[1], sb = stride[2];
  if (sy == 1 && sa == 1 && sb == 1) {
    INDEPENDENT
    for (int64_t i = 0; i < n; i++)
      y[i] = a[i] + alpha * b[i];
  } else {
    for (int64_t i = 0; i < n; i++)
      y[i * sy] = a[i * sa] + alpha * b[i * sb];
  }
}

#endif
