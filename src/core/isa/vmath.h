/* vmath.h -- exp, tanh and the logistic function, written so that loops vectorise.
**
** Branch-free scalar functions: gcc turns a loop over them into SIMD code, in whatever
** width the instruction set has. The float64 names are un_vexp, un_vtanh, un_vsigmoid,
** the float32 ones end in f, so that kernels write M(un_vtanh)(x).
**
** All three rest on one reduction: x = n ln 2 + r with |r| <= ln(2)/2, and
** exp(r) - 1 = r + r^2 Q(r), Q the polynomial that interpolates at Chebyshev nodes.
**     exp(x)     = 2^n (1 + r + r^2 Q)          2^n in two factors, for denormals
**     tanh(x)    = sign(x) e / (e + 2),         e = exp(2|x|) - 1 without cancellation
**     sigmoid(x) = 1 / (1 + e) or e / (1 + e),  e = exp(-|x|), which cannot overflow
** NaN gives NaN, the infinities their limits, signed zeros stay.
**
** Largest error, in units in the last place (ulp) of the result, over all 2^32 floats
** and, for float64, over 10^8 random arguments against long double:
**                  exp    tanh   sigmoid
**     float32     1.00    2.45    2.45
**     float64     1.05    2.60    2.40
** tests/lua/test_ops.lua samples these bounds on the instruction set in use. */
#ifndef UN_VMATH_H
#define UN_VMATH_H

#include <stdint.h>
#include <string.h>

static inline uint32_t un_bits_f(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float un_from_bits_f(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint64_t un_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double un_from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* --- float32 ---------------------------------------------------------------------- */

/* exp(r) - 1 for x = n ln 2 + r; n comes back as an integer. Adding 1.5 * 2^23 rounds
** to an integer that then stands in the low bits; for NaN some n, and NaN. */
static inline float un_expm1_reduced_f(float x, int32_t *n) {
  const float shift = 12582912.0f;
  float t = x * 1.44269504f + shift;
  float whole = t - shift;
  float r = x - whole * 0.693359375f;
  r = r - whole * -2.12194440e-4f;
  float q = 1.98910307e-4f;
  q = q * r + 1.39336859e-3f;
  q = q * r + 8.33331089e-3f;
  q = q * r + 4.16664646e-2f;
  q = q * r + 1.66666667e-1f;
  q = q * r + 0.5f;
  *n = (int32_t)(un_bits_f(t) - un_bits_f(shift));
  return r * r * q + r;
}

static inline float un_vexpf(float x) {
  x = x > 89.0f ? 89.0f : x; /* infinity from here on, 0 below the next */
  x = x < -104.0f ? -104.0f : x;
  int32_t n;
  float e = un_expm1_reduced_f(x, &n);
  uint32_t exponent = (uint32_t)(n + 254), half = exponent >> 1;
  float scale = un_from_bits_f(half << 23);
  return (e + 1.0f) * scale * un_from_bits_f((exponent - half) << 23);
}

static inline float un_vtanhf(float x) {
  float a = __builtin_fabsf(x);
  a = a > 10.0f ? 10.0f : a; /* 1 to the last bit */
  int32_t n;
  float e = un_expm1_reduced_f(2.0f * a, &n);
  float scale = un_from_bits_f((uint32_t)(n + 127) << 23);
  e = scale * e + (scale - 1.0f);
  return __builtin_copysignf(e / (e + 2.0f), x);
}

static inline float un_vsigmoidf(float x) {
  float e = un_vexpf(-__builtin_fabsf(x));
  float top = x < 0.0f ? e : 1.0f;
  return top / (1.0f + e);
}

/* --- float64 ---------------------------------------------------------------------- */

static inline double un_expm1_reduced(double x, int64_t *n) {
  const double shift = 6755399441055744.0; /* 1.5 * 2^52 */
  double t = x * 1.4426950408889634 + shift;
  double whole = t - shift;
  double r = x - whole * 0.6931471803691238; /* 32 bits: the product is exact */
  r = r - whole * 1.9082149292705877e-10;
  double r2 = r * r; /* Q in pairs: shorter chains of dependent operations */
  double q01 = 0.5 + r * 0.16666666666666669;
  double q23 = 4.1666666666666671e-2 + r * 8.3333333333261121e-3;
  double q45 = 1.3888888888883731e-3 + r * 1.984126987490126e-4;
  double q67 = 2.4801587325605324e-5 + r * 2.7557255297969643e-6;
  double q89 = 2.755727357010214e-7 + r * 2.5105259538448494e-8;
  double q = q89 + r2 * 2.0914717341716378e-9;
  q = q * r2 + q67;
  q = q * r2 + q45;
  q = q * r2 + q23;
  q = q * r2 + q01;
  *n = (int64_t)(un_bits(t) - un_bits(shift));
  return r2 * q + r;
}

static inline double un_vexp(double x) {
  x = x > 710.0 ? 710.0 : x;
  x = x < -746.0 ? -746.0 : x;
  int64_t n;
  double e = un_expm1_reduced(x, &n);
  uint64_t exponent = (uint64_t)(n + 2046), half = exponent >> 1;
  double scale = un_from_bits(half << 52);
  return (e + 1.0) * scale * un_from_bits((exponent - half) << 52);
}

static inline double un_vtanh(double x) {
  double a = __builtin_fabs(x);
  a = a > 20.0 ? 20.0 : a;
  int64_t n;
  double e = un_expm1_reduced(2.0 * a, &n);
  double scale = un_from_bits((uint64_t)(n + 1023) << 52);
  e = scale * e + (scale - 1.0);
  return __builtin_copysign(e / (e + 2.0), x);
}

/* log(x) = k ln 2 + 2 atanh(s), s = (m - 1) / (m + 1), x = 2^k m, m near 1. For normal
** x above 0; what is not finite gives NaN. Error below 2 ulp. */
static inline double un_vlog(double x) {
  uint64_t bits =
      un_bits(x) + (UINT64_C(0x3FF0000000000000) - UINT64_C(0x3FE6A09E667F3BCD));
  double k = (double)((int64_t)(bits >> 52) - 1023);
  double m =
      un_from_bits((bits & UINT64_C(0xFFFFFFFFFFFFF)) + UINT64_C(0x3FE6A09E667F3BCD));
  double f = m - 1.0, s = f / (m + 1.0), z = s * s; /* |s| < 0.172 */
  double p = 2.0 / 21.0;
  p = p * z + 2.0 / 19.0;
  p = p * z + 2.0 / 17.0;
  p = p * z + 2.0 / 15.0;
  p = p * z + 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  p = p * z + 2.0 / 5.0;
  p = p * z + 2.0 / 3.0;
  double rest = s * z * p + k * 1.9082149292705877e-10; /* 2 s = f - s f */
  return (k * 0.6931471803691238 + (f - s * f + rest)) + (x - x);
}

static inline double un_vsigmoid(double x) {
  double e = un_vexp(-__builtin_fabs(x));
  double top = x < 0.0 ? e : 1.0;
  return top / (1.0 + e);
}

#endif
