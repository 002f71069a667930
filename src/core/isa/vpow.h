/* vpow.h -- x to the power y, written so that loops vectorise (as vmath.h).
**
** x = 2^k m with sqrt(1/2) <= m < sqrt(2), and with s = (m - 1) / (m + 1), z = s^2
**     log2(x) = k + A s (1 + z (1/3 + z R(z))),  A = 2 / ln 2,
**     x^y = 2^n 2^r,  n + r = y log2(x),  |r| <= 1/2,  2^r = 1 + r (ln 2 + r E(r)),
** R and E the polynomials that interpolate at Chebyshev nodes. An error of the logarithm
** counts y log2(x) times. So what goes into it is held in two numbers: the one and, ending
** in _low, what rounding has taken from it, which fused multiply-adds tell. Without them
** C's pow is used.
**
** The ends (0, infinities, NaN, negative x) are as C defines them. Largest error over
** 10^8 random arguments against long double: float32 1.45 ulp, float64 1.15 ulp; a
** result that the type holds exactly, as 3^4, is exact. */
#ifndef UN_VPOW_H
#define UN_VPOW_H

#include <math.h>

#include "vmath.h"

#if defined __FP_FAST_FMA && defined __FP_FAST_FMAF

/* 1 + z (1/3 + z R(z)) and what rounding has taken from it. In float32, what it has taken
** from the sum in brackets counts little. */
static inline float un_pow_series_f(float s, float s_low, float *low) {
  const float z = s * s, z_low = __builtin_fmaf(s, s, -z) + 2 * s * s_low;
  const float r = 0.200000077f + z * (0.142811179f + z * 0.115241192f);
  const float c = 0.333333343f + z * r, u = __builtin_fmaf(z, c, 1.0f);
  *low = __builtin_fmaf(z, c, 1.0f - u) + z_low * c;
  return u;
}

static inline float un_pow_e_f(float r) {
  float e = 1.54449008e-4f;
  e = e * r + 1.33813219e-3f;
  e = e * r + 9.61810350e-3f;
  e = e * r + 5.55038117e-2f;
  return e * r + 0.240226507f;
}

static inline double un_pow_series(double s, double s_low, double *low) {
  const double third = 0.3333333333333333, third_low = 1.850371707708594e-17;
  const double z = s * s, z_low = __builtin_fma(s, s, -z) + 2 * s * s_low;
  const double z2 = z * z; /* in pairs: shorter chains of dependent operations */
  const double r01 = 0.2 + z * 0.14285714285714282;
  const double r23 = 0.11111111111114215 + z * 0.09090909089828463;
  const double r45 = 0.07692307880585086 + z * 0.06666648267216471;
  const double r67 = 0.058834065605171064 + z * 0.05228163634742257;
  const double r = r01 + z2 * (r23 + z2 * (r45 + z2 * (r67 + z2 * 0.053812122097824)));
  const double tail = z * r, c = third + tail, c_low = (third - c) + tail + third_low;
  const double u = __builtin_fma(z, c, 1.0);
  *low = __builtin_fma(z, c, 1.0 - u) + (z * c_low + z_low * c);
  return u;
}

static inline double un_pow_e(double r) {
  const double r2 = r * r;
  const double e01 = 0.24022650695910075 + r * 0.05550410866482158;
  const double e23 = 0.00961812910761865 + r * 0.0013333558146423204;
  const double e45 = 0.0001540353042481424 + r * 1.5252733820815906e-05;
  const double e67 = 1.321545160506755e-06 + r * 1.0178067252442298e-07;
  const double e89 = 7.070984300546448e-09 + r * 4.4541068401718915e-10;
  return e01 + r2 * (e23 + r2 * (e45 + r2 * (e67 + r2 * e89)));
}

/* For 0 < x < infinity, no denormal, the logarithm to base 2 in two numbers, less `raised`.
** Then, of x^y, the exponent n, which is in the low bits of `shifted`, and the power 2^r:
** adding `shift` rounds to an integer that stands there. F(name) is the function of the
** type. */
#define UN_POW_PARTS(type, F, A, A_low, ln2, ln2_low, shift)                           \
  static inline type F(un_pow_log)(type x, type raised, type * log_low) {              \
    type k, u_low;                                                                     \
    const type m = F(un_split)(x, &k);                                                 \
    const type f = m - 1, d = m + 1, inverse = 1 / d, s = f * inverse;                 \
    const type s_low = (F(un_fma)(-s, d, f) - s * (m - (d - 1))) * inverse;            \
    const type u = F(un_pow_series)(s, s_low, &u_low);                                 \
    const type p = s * u, p_low = F(un_fma)(s, u, -p) + (s * u_low + s_low * u);       \
    k -= raised;                                                                       \
    const type log = F(un_fma)(A, p, k);                                               \
    *log_low = F(un_fma)(A, p, k - log) + (A * p_low + A_low * p);                     \
    return log;                                                                        \
  }                                                                                    \
  static inline type F(un_pow_rest)(type y, type log, type log_low, type shifted) {    \
    return F(un_fma)(y, log, shift - shifted) + y * log_low;                           \
  }                                                                                    \
  static inline type F(un_pow_of_rest)(type r) {                                       \
    return 1 + F(un_fma)(r, ln2, r * (r * F(un_pow_e)(r) + ln2_low));                  \
  }

#define UN_F32(name) name##_f
#define UN_F64(name) name
#define un_fma_f     __builtin_fmaf
#define un_fma       __builtin_fma
UN_POW_PARTS(float, UN_F32, 2.88539004f, 3.85192607e-8f, 0.693147182f, -1.90465421e-9f,
             12582912.0f)
UN_POW_PARTS(double, UN_F64, 2.8853900817779268, 4.0710547481862066e-17,
             0.6931471805599453, 2.3190468138462996e-17, 6755399441055744.0)
#undef un_fma_f
#undef un_fma

/* The whole function, with all ends and signs: an infinite y is as good as a huge one, and
** 2^n comes in two factors, for denormals. name##_plain gives the value only where all is
** far from the ends, and tells whether it is not; there 2^n is added to the exponent. */
#define UN_POW(name, type, bits, F, M, huge, least, raise, raised, shift, top, bottom, \
               mantissa, bias)                                                         \
  static inline type F(un_pow_positive)(type x, type y, type raised_by) {              \
    type log_low;                                                                      \
    const type log = F(un_pow_log)(x, raised_by, &log_low);                            \
    type t = y * log;                                                                  \
    t = t > top ? top : t; /* infinity from here on, 0 below the next */               \
    t = t < bottom ? bottom : t;                                                       \
    const type shifted = t + shift;                                                    \
    type r = F(un_pow_rest)(y, log, log_low, shifted);                                 \
    r = r > 1 ? 1 : r;                                                                 \
    r = r < -1 ? -1 : r;                                                               \
    const bits exponent = F(un_bits)(shifted) - F(un_bits)(shift) + 2 * bias;          \
    const bits half = exponent >> 1;                                                   \
    return F(un_pow_of_rest)(r) * F(un_from_bits)(half << mantissa) *                  \
           F(un_from_bits)((exponent - half) << mantissa);                             \
  }                                                                                    \
  static inline type name(type x, type y) {                                            \
    const type infinity = (type)__builtin_inf(), a = M(__builtin_fabs)(x);             \
    const type half = y * (type)0.5;                                                   \
    const int whole = M(__builtin_rint)(y) == y;                                       \
    const int odd = whole & (M(__builtin_rint)(half) != half);                         \
    const type of_0 = y < 0 ? infinity : 0, of_infinity = y < 0 ? 0 : infinity;        \
    type bounded = y > huge ? huge : y;                                                \
    bounded = bounded < -huge ? -huge : bounded;                                       \
    type value = F(un_pow_positive)(a < least ? a * raise : a, bounded,                \
                                    a < least ? raised : 0);                           \
    value = a == 0 ? of_0 : value;                                                     \
    value = a == infinity ? of_infinity : value;                                       \
    value = odd ? M(__builtin_copysign)(value, x) : value;                             \
    value = (x < 0) & !whole & (a < infinity) ? infinity - infinity : value;           \
    value = (x != x) | (y != y) ? x + y : value;                                       \
    return (y == 0) | (x == 1) ? 1 : value;                                            \
  }                                                                                    \
  static inline int name##_plain(type *value, type x, type y) {                        \
    type log_low;                                                                      \
    const type log = F(un_pow_log)(x, 0, &log_low), t = y * log, shifted = t + shift;  \
    const type power = F(un_pow_of_rest)(F(un_pow_rest)(y, log, log_low, shifted));    \
    *value = F(un_from_bits)(F(un_bits)(power) + (F(un_bits)(shifted) << mantissa));   \
    return !(x >= least) | !(x < (type)__builtin_inf()) |                              \
           !(M(__builtin_fabs)(t) < bias - 2);                                         \
  }
#define UN_BUILTIN_F32(name) name##f
UN_POW(un_vpowf, float, uint32_t, UN_F32, UN_BUILTIN_F32, 1e30f, 0x1p-126f, 0x1p25f,
       25.0f, 12582912.0f, 140.0f, -160.0f, 23, 127u)
UN_POW(un_vpow, double, uint64_t, UN_F64, UN_F64, 1e300, 0x1p-1022, 0x1p54, 54.0,
       6755399441055744.0, 1100.0, -1200.0, 52, 1023u)
#undef UN_POW_PARTS
#undef UN_POW
#undef UN_BUILTIN_F32
#undef UN_F32
#undef UN_F64

#else

#define UN_POW(name, type, function)                                                   \
  static inline type name(type x, type y) {                                            \
    return function(x, y);                                                             \
  }                                                                                    \
  static inline int name##_plain(type *value, type x, type y) {                        \
    (void)value, (void)x, (void)y;                                                     \
    return 1;                                                                          \
  }
UN_POW(un_vpowf, float, powf)
UN_POW(un_vpow, double, pow)
#undef UN_POW

#endif

UN_PIECE_OF_PAIRS(un_vpowf, float)
UN_PIECE_OF_PAIRS(un_vpow, double)

enum { UN_POWER_ROOM = 256, UN_POWER_PRODUCTS = 16 };

static inline void un_whole_powers(int64_t n, double *x, int p) {
  double factor[UN_POWER_ROOM];
  for (; n > 0; n -= UN_POWER_ROOM, x += UN_POWER_ROOM) {
    const int64_t count = n < UN_POWER_ROOM ? n : UN_POWER_ROOM;
    memcpy(factor, x, (size_t)count * sizeof *x);
    for (int k = 1; k < p; k++)
      for (int64_t j = 0; j < count; j++)
        x[j] *= factor[j];
  }
}

/* x[j] = x[j]^p, j < n; small whole powers are products. */
static inline void un_powers(int64_t n, double *x, double p) {
  double exponent[UN_PAIRS];
  const int whole = p <= UN_POWER_PRODUCTS ? (int)p : 0;
  if (p == 1) return;
  if (whole == p) {
    un_whole_powers(n, x, whole);
    return;
  }
  int64_t j = 0;
  for (int i = 0; i < UN_PAIRS && n >= UN_PAIRS; i++)
    exponent[i] = p;
  for (; j + UN_PAIRS <= n; j += UN_PAIRS)
    un_vpow_piece(x + j, x + j, exponent);
  for (; j < n; j++)
    x[j] = pow(x[j], p);
}

#endif
