/* isa/vec_math.h -- the functions of vmath.h on a whole vector in registers.
**
** The loops have as many turns as a vector has lanes: compiled with -O3 they are vector
** code, and the arrays are registers. Unrolled they would not be. */
#ifndef UN_VEC_MATH_H
#define UN_VEC_MATH_H

#include "vec.h"
#include "vmath.h"

#ifdef __clang__
#define NO_UNROLL
#else
#define NO_UNROLL _Pragma("GCC unroll 1")
#endif

#define UN_VEC_FUNCTION(name, suffix, type, function)                                  \
  ALWAYS_INLINE vec_##suffix name##_##suffix(vec_##suffix x) {                         \
    type lane[LANES_##suffix];                                                         \
    store_##suffix(lane, x);                                                           \
    NO_UNROLL for (int i = 0; i < LANES_##suffix; i++) lane[i] = function(lane[i]);    \
    return load_##suffix(lane);                                                        \
  }
#if defined __AVX512F__

/* exp as in vmath.h, with what AVX-512 has for it: rounding to whole numbers, and times
** 2^n down to the denormals in one step. */
ALWAYS_INLINE vec_f32 vexp_f32(vec_f32 x) {
  __m512 y = _mm512_max_ps(_mm512_set1_ps(-104.0f), (__m512)x); /* NaN stays */
  y = _mm512_min_ps(_mm512_set1_ps(89.0f), y);
  const vec_f32 n = (vec_f32)_mm512_roundscale_ps((__m512)((vec_f32)y * 1.44269504f),
                                                  _MM_FROUND_TO_NEAREST_INT);
  const vec_f32 r = (vec_f32)y - n * 0.693359375f - n * -2.12194440e-4f;
  vec_f32 q = r * 1.98910307e-4f + 1.39336859e-3f;
  q = q * r + 8.33331089e-3f;
  q = q * r + 4.16664646e-2f;
  q = q * r + 1.66666667e-1f;
  q = q * r + 0.5f;
  return (vec_f32)_mm512_scalef_ps((__m512)(r * r * q + r + 1.0f), (__m512)n);
}

#else
UN_VEC_FUNCTION(vexp, f32, float, un_vexpf)
#endif

UN_VEC_FUNCTION(vexp, f64, double, un_vexp)

typedef uint32_t vec_u32 __attribute__((vector_size(VEC_BYTES)));

#if defined __AVX512F__

/* 2^power exp(sign x), within 1.1 ulp, as long as that is a normal number; sign is 1 or -1, and
** sign x = n ln(2)/16 + r. The table has 2^(k/16) for the last four bits k of n; the rest of n
** is added to its exponent, and with it k to its mantissa, where the table has less by so
** much. The power comes in with the rounding. */
ALWAYS_INLINE vec_f32 table_exp(vec_f32 x, const float sign, const float power) {
  const __m512i table = _mm512_setr_epi32(
      0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532,
      0x3f75fed7, 0x3f75583f, 0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c,
      0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d);
  const float shift = 12582912.0f + 16 * power;
  const vec_f32 t = x * (sign * 23.0831206f) + shift, n = t - shift;
  const vec_f32 r = x * sign - n * 0.0433197021f - n * 1.99663656e-06f;
  const vec_f32 p = (r * 1.66666667e-1f + 0.5f) * (r * r) + r;
  const __m512i part = _mm512_permutexvar_epi32((__m512i)t, table);
  const __m512i whole = _mm512_slli_epi32((__m512i)t, 19);
  const vec_f32 scale = (vec_f32)_mm512_add_epi32(part, whole);
  return scale * p + scale;
}

#endif

/* exp of numbers up to 0, as they occur in a softmax: within 1.1 ulp, but anything from 0 up
** where the result would be denormal, and 0 soon below that. */
#if defined __AVX512F__

ALWAYS_INLINE vec_f32 vexp_negative_f32(vec_f32 x) {
  return table_exp(max_f32(all_f32(-88.0296919f), x), 1, 0); /* NaN stays */
}

#else

/* 127 is added to n with the rounding: the exponent is then in its place with one shift. */
ALWAYS_INLINE vec_f32 vexp_negative_f32(vec_f32 x) {
  const float shift = 12582912.0f + 127.0f;
  x = max_f32(all_f32(-88.0f), x); /* NaN stays */
  const vec_f32 t = x * 1.44269504f + shift, n = t - shift;
  const vec_f32 r = x - n * 0.693359375f - n * -2.12194440e-4f, r2 = r * r;
  const vec_f32 q01 = r * 1.66666667e-1f + 0.5f;
  const vec_f32 q23 = r * 8.33331089e-3f + 4.16664646e-2f;
  const vec_f32 q45 = r * 1.98910307e-4f + 1.39336859e-3f;
  const vec_f32 scale = (vec_f32)((vec_u32)t << 23);
  return scale * (r2 * ((q45 * r2 + q23) * r2 + q01) + r) + scale;
}

#endif

ALWAYS_INLINE vec_f64 vexp_negative_f64(vec_f64 x) {
  return vexp_f64(x);
}

#if defined __AVX2__

typedef int32_t vec_i32 __attribute__((vector_size(VEC_BYTES)));
#endif

#if defined __AVX512F__
#include "tanh_table.h"
#elif defined __AVX2__

/* tanh as in vmath.h, in fewer operations and shorter chains of them, of which fewer
** vectors than it takes are under way at once: h = e / 2 = 2^(n-1) (e^2r - 1) + 2^(n-1) - 1/2
** with |x| = n ln(2)/2 + r, and tanh = h / (h + 1). The bits of t hold n - 1 as an exponent.
** Largest error, over all floats: 2.5 ulp. */
ALWAYS_INLINE vec_f32 vtanh_f32(vec_f32 x) {
  const float shift = 12582912.0f + 126.0f;
  const vec_i32 sign = (vec_i32)x & (vec_i32)all_f32(-0.0f);
  const vec_f32 a = min_f32(all_f32(10.0f), (vec_f32)((vec_i32)x ^ sign));
  const vec_f32 t = a * 2.88539008f + shift, n = t - shift;
  const vec_f32 r = a - n * 0.34657359f, r2 = r * r;
  const vec_f32 q01 = r * 1.33332491f + 2.0f, q23 = r * 0.267657131f + 0.666679978f;
  const vec_f32 scale = (vec_f32)((vec_i32)t << 23);
  const vec_f32 e = r2 * ((r2 * 0.0888308957f + q23) * r2 + q01) + (r + r);
  const vec_f32 h = scale * e + (scale - 0.5f);
  return (vec_f32)((vec_i32)(h / (h + 1.0f)) | sign);
}

#else
UN_VEC_FUNCTION(vtanh, f32, float, un_vtanhf)
#endif

#if defined __AVX512F__

/* The logistic function as 1/2 / (1/2 + e^-x / 2): needs no choice by sign. From -89.37 down
** the result stays 1.5e-39. Largest error, over all other floats: 3.2 ulp. */
ALWAYS_INLINE vec_f32 vsigmoid_f32(vec_f32 x) {
  x = min_f32(all_f32(20.0f), max_f32(all_f32(-89.37f), x)); /* NaN stays */
  return 0.5f / (table_exp(x, -1, -1) + 0.5f);
}

#elif defined __AVX2__

/* The logistic function as 1/2 / (1/2 + 2^(n-1) e^r) with -x = n ln 2 + r: needs no choice
** by sign. From -89.07 down 2^(n-1) is infinite and the result 0; the true one is below
** 2^-128. Largest error, over all other floats: 3.2 ulp. */
ALWAYS_INLINE vec_f32 vsigmoid_f32(vec_f32 x) {
  const float shift = 12582912.0f + 126.0f;
  x = min_f32(all_f32(20.0f), max_f32(all_f32(-89.42f), x)); /* NaN stays */
  const vec_f32 t = x * -1.44269504f + shift, n = t - shift;
  const vec_f32 r = -2.12194440e-4f * -n - (n * 0.693359375f + x), r2 = r * r;
  const vec_f32 q01 = r * 1.66666667e-1f + 0.5f;
  const vec_f32 q23 = r * 8.33331089e-3f + 4.16664646e-2f;
  const vec_f32 q45 = r * 1.98910307e-4f + 1.39336859e-3f;
  const vec_f32 scale = (vec_f32)((vec_i32)t << 23);
  return 0.5f / (scale * (r2 * ((q45 * r2 + q23) * r2 + q01) + (r + 1.0f)) + 0.5f);
}

#else
UN_VEC_FUNCTION(vsigmoid, f32, float, un_vsigmoidf)
#endif

UN_VEC_FUNCTION(vtanh, f64, double, un_vtanh)
UN_VEC_FUNCTION(vsigmoid, f64, double, un_vsigmoid)

static inline float un_relu_f(float x) {
  return x < 0 ? 0 : x; /* NaN stays */
}
static inline double un_relu(double x) {
  return x < 0 ? 0 : x;
}
UN_VEC_FUNCTION(vrelu, f32, float, un_relu_f)
UN_VEC_FUNCTION(vrelu, f64, double, un_relu)

/* x where at > 0, else 0 */
#define UN_WHERE_POSITIVE(suffix, type)                                                \
  ALWAYS_INLINE vec_##suffix where_positive_##suffix(vec_##suffix at,                  \
                                                     vec_##suffix x) {                 \
    type a[LANES_##suffix], lane[LANES_##suffix];                                      \
    store_##suffix(a, at);                                                             \
    store_##suffix(lane, x);                                                           \
    NO_UNROLL for (int i = 0; i < LANES_##suffix; i++) lane[i] =                       \
        a[i] > 0 ? lane[i] : 0;                                                        \
    return load_##suffix(lane);                                                        \
  }
UN_WHERE_POSITIVE(f32, float)
UN_WHERE_POSITIVE(f64, double)

UN_VEC_FUNCTION(vabs, f32, float, __builtin_fabsf)
UN_VEC_FUNCTION(vabs, f64, double, __builtin_fabs)

/* sum + the squares of scale v, in float64: those of vanishing gradients are 0 in
** float32. */
#define UN_ADD_SQUARES(suffix, type)                                                   \
  ALWAYS_INLINE vec_f64 add_scaled_squares_##suffix(vec_##suffix v, double scale,      \
                                                    vec_f64 sum) {                     \
    type lane[LANES_##suffix];                                                         \
    double part[LANES_##suffix];                                                       \
    store_##suffix(lane, v);                                                           \
    NO_UNROLL for (int i = 0; i < LANES_##suffix; i++) part[i] = (double)lane[i];      \
    for (int i = 0; i < LANES_##suffix; i += LANES_f64) {                              \
      vec_f64 p = scale * load_f64(part + i);                                          \
      sum += p * p;                                                                    \
    }                                                                                  \
    return sum;                                                                        \
  }                                                                                    \
  ALWAYS_INLINE vec_f64 add_squares_of_##suffix(vec_##suffix v, vec_f64 sum) {         \
    return add_scaled_squares_##suffix(v, 1, sum);                                     \
  }
UN_ADD_SQUARES(f32, float)
UN_ADD_SQUARES(f64, double)

#endif
