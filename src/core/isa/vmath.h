/* vmath.h -- exp, tanh, the logistic function and logarithms, written so that loops
** vectorise.
**
** Branch-free scalar functions: gcc turns a loop over them into SIMD code, in whatever
** width the instruction set has. The float64 names are un_vexp, un_vtanh, un_vsigmoid,
** the float32 ones end in f, so that kernels write M(un_vtanh)(x).
**
** The first three rest on one reduction: x = n ln 2 + r with |r| <= ln(2)/2, and
** exp(r) - 1 = r + r^2 Q(r), Q the polynomial that interpolates at Chebyshev nodes.
**     exp(x)     = 2^n (1 + r + r^2 Q)          2^n in two factors, for denormals
**     tanh(x)    = sign(x) e / (e + 2),         e = exp(2|x|) - 1 without cancellation
**     sigmoid(x) = 1 / (1 + e) or e / (1 + e),  e = exp(-|x|), which cannot overflow
**     expm1(x)   = 2^n e + (2^n - 1),           e = exp(r) - 1
** Logarithms take x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2); with s = f / (2 + f)
**     log(1 + f) = f - (f^2/2 - s (f^2/2 + R)), R = log((1+s)/(1-s)) / s - 2
** R a polynomial in s^2, made as Q; log1p adds what 1 + x has rounded away. Sine and cosine
** are polynomials in the angle less whole quarter turns.
** NaN gives NaN, the infinities their limits, signed zeros stay.
**
** Largest error, in units in the last place (ulp) of the result, over all 2^32 floats (the
** others: every 37th or 10^7 random ones) and, for float64, over 10^8 (10^7) random
** arguments against long double. The three of float32's tanh are roundings in a row, of e,
** e + 2 and the quotient; to take one out would cost a tenth of its time.
**                  exp    tanh   sigmoid    log   log2   log1p   expm1   sin, cos   atan2
**     float32     1.00    2.45    2.45     0.80   1.75    2.10    2.10   1.50       2.15
**     float64     1.05    2.60    2.40     0.90   1.85    2.10    2.10   2.45       2.40
** tests/lua/test_vmath.lua samples these bounds on the instruction set in use. */
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

/* k ln 2 + log(1 + f) + c */
static inline float un_log_sum_f(float f, float k, float c) {
  const float s = f / (2.0f + f), z = s * s, half = 0.5f * f * f;
  float r = 0.23330582f;
  r = r * z + 0.28550816f;
  r = r * z + 0.40000122f;
  r = r * z + 0.66666666f;
  r = r * z;
  const float low = s * (half + r) + (k * 3.19461849e-5f + c);
  return k * 0.693115234f - ((half - low) - f);
}

/* x = 2^k m, for normal numbers; k as a float. */
static inline float un_split_f(float x, float *k) {
  const uint32_t bits = un_bits_f(x);
  const int32_t e = (int32_t)(bits - 0x3f3504f3u) >> 23;
  *k = (float)e;
  return un_from_bits_f(bits - ((uint32_t)e << 23));
}

/* The value for x > 0, infinity for infinity, and what logarithms give otherwise; `edge`
** is where minus infinity lies. */
static inline float un_log_ends_f(float value, float x, float edge) {
  value = x < __builtin_inff() ? value : x;
  const float other = x == edge ? -__builtin_inff() : __builtin_nanf("");
  return x > edge ? value : other;
}

static inline float un_vlogf(float x) {
  const float tiny = x < 0x1p-126f ? 25.0f : 0.0f;
  float k;
  const float m = un_split_f(x < 0x1p-126f ? x * 0x1p25f : x, &k);
  return un_log_ends_f(un_log_sum_f(m - 1.0f, k - tiny, 0.0f), x, 0.0f);
}

static inline float un_vlog2f(float x) {
  const float tiny = x < 0x1p-126f ? 25.0f : 0.0f;
  float k;
  const float m = un_split_f(x < 0x1p-126f ? x * 0x1p25f : x, &k);
  const float part = un_log_sum_f(m - 1.0f, 0.0f, 0.0f);
  return un_log_ends_f(part * 1.44269502f + (part * 1.92596300e-8f + (k - tiny)), x,
                       0.0f);
}

static inline float un_vlog1pf(float x) {
  const float u = 1.0f + x;
  float k;
  const float m = un_split_f(u, &k);
  const float lost = k > 0.0f ? 1.0f - (u - x) : x - (u - 1.0f);
  const float value =
      un_log_sum_f(k == 0.0f ? x : m - 1.0f, k, k == 0.0f ? 0.0f : lost / u);
  return x == 0.0f ? x : un_log_ends_f(value, x, -1.0f);
}

static inline float un_vexpm1f(float x) {
  float y = x > 89.0f ? 89.0f : x;
  y = y < -20.0f ? -20.0f : y;
  int32_t n;
  const float e = un_expm1_reduced_f(y, &n);
  const float half = un_from_bits_f((uint32_t)(n + 126) << 23);
  return __builtin_fabsf(x) < 0x1p-100f ? x : 2.0f * (half * e + (half - 0.5f));
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

static inline double un_vsigmoid(double x) {
  double e = un_vexp(-__builtin_fabs(x));
  double top = x < 0.0 ? e : 1.0;
  return top / (1.0 + e);
}

static inline double un_log_sum(double f, double k, double c) {
  const double s = f / (2.0 + f), z = s * s, half = 0.5 * f * f, z2 = z * z;
  const double r01 = 0.66666666666666697 + z * 0.39999999999899443;
  const double r23 = 0.28571428626003269 + z * 0.22222211130259877;
  const double r45 = 0.18182889455674946 + z * 0.15331710618210772;
  const double r = z * (r01 + z2 * (r23 + z2 * (r45 + z2 * 0.14616585424888622)));
  const double low = s * (half + r) + (k * 7.4406171100123967e-11 + c);
  return k * 0.69314718048553914 - ((half - low) - f);
}

/* AVX2 can neither shift signed 64-bit integers to the right nor turn them into numbers: so
** 1023 is added to the exponent, which stands in the low bits of a number above 2^52. */
static inline double un_split(double x, double *k) {
  const uint64_t bias = (uint64_t)1023 << 52, shift = un_bits(0x1p52),
                 bits = un_bits(x);
  const uint64_t e = (bits - (0x3fe6a09e667f3bcdu - bias)) >> 52;
  *k = un_from_bits(shift | e) - (0x1p52 + 1023.0);
  return un_from_bits(bits + bias - (e << 52));
}

static inline double un_log_ends(double value, double x, double edge) {
  value = x < __builtin_inf() ? value : x;
  const double other = x == edge ? -__builtin_inf() : __builtin_nan("");
  return x > edge ? value : other;
}

static inline double un_vlog(double x) {
  const double tiny = x < 0x1p-1022 ? 54.0 : 0.0;
  double k;
  const double m = un_split(x < 0x1p-1022 ? x * 0x1p54 : x, &k);
  return un_log_ends(un_log_sum(m - 1.0, k - tiny, 0.0), x, 0.0);
}

static inline double un_vlog2(double x) {
  const double tiny = x < 0x1p-1022 ? 54.0 : 0.0;
  double k;
  const double m = un_split(x < 0x1p-1022 ? x * 0x1p54 : x, &k);
  const double part = un_log_sum(m - 1.0, 0.0, 0.0);
  return un_log_ends(
      part * 1.4426950408889634 + (part * 2.0355273740931033e-17 + (k - tiny)), x, 0.0);
}

static inline double un_vlog1p(double x) {
  const double u = 1.0 + x;
  double k;
  const double m = un_split(u, &k);
  const double lost = k > 0.0 ? 1.0 - (u - x) : x - (u - 1.0);
  const double value = un_log_sum(k == 0.0 ? x : m - 1.0, k, k == 0.0 ? 0.0 : lost / u);
  return x == 0.0 ? x : un_log_ends(value, x, -1.0);
}

static inline double un_vexpm1(double x) {
  double y = x > 710.0 ? 710.0 : x;
  y = y < -40.0 ? -40.0 : y;
  int64_t n;
  const double e = un_expm1_reduced(y, &n);
  const double half = un_from_bits((uint64_t)(n + 1022) << 52);
  return __builtin_fabs(x) < 0x1p-900 ? x : 2.0 * (half * e + (half - 0.5));
}

/* --- sine and cosine ---------------------------------------------------------------- */

/* x = n pi/2 + r with |r| <= pi/4: pi/2 in three parts, of which n times the first two is
** exact for |x| up to UN_CIRCULAR_LIMIT. Beyond, these functions mean nothing. */
#define UN_CIRCULAR_LIMIT 1e5

static inline double un_quarter_turns(double x, uint64_t *n) {
  const double shift = 6755399441055744.0;
  const double t = x * 0.63661977236758134 + shift, whole = t - shift;
  *n = un_bits(t) - un_bits(shift);
  double r = x - whole * 1.5707963267341256;
  r = r - whole * 6.0771005063039660e-11;
  return r - whole * 2.0222662487959507e-21;
}

static const double un_sine[] = {1.5917988979397205e-10, -2.5051129896450182e-8,
                                 2.7557316093198405e-6,  -1.9841269836740532e-4,
                                 8.3333333333309366e-3,  -1.6666666666666665e-1};
static const double un_cosine[] = {-1.1382544645349108e-11, 2.0876145049413177e-9,
                                   -2.7557317265878080e-7,  2.4801587298754401e-5,
                                   -1.3888888888887390e-3,  4.1666666666666665e-2};
static const float un_sine_f[] = {-1.95878660e-4f, 8.33274797e-3f, -0.166666642f};
static const float un_cosine_f[] = {2.45479168e-5f, -1.38883025e-3f, 4.16666642e-2f};

/* The sine of n quarter turns and r. */
#define UN_SINE_OF(name, type, word, sine, cosine)                                     \
  static inline type name(word n, type r) {                                            \
    const type z = r * r, half = (type)0.5 * z;                                        \
    type s = sine[0], c = cosine[0];                                                   \
    for (unsigned i = 1; i < sizeof sine / sizeof *sine; i++) {                        \
      s = s * z + sine[i];                                                             \
      c = c * z + cosine[i];                                                           \
    }                                                                                  \
    const type y = n & 1 ? 1 - (half - z * z * c) : r + r * z * s;                     \
    return n & 2 ? -y : y;                                                             \
  }
UN_SINE_OF(un_sine_of, double, uint64_t, un_sine, un_cosine)
UN_SINE_OF(un_sine_of_f, float, uint32_t, un_sine_f, un_cosine_f)
#undef UN_SINE_OF

/* sin(x + quarters pi/2) */
static inline double un_vcircular(double x, uint64_t quarters) {
  uint64_t n;
  const double r = un_quarter_turns(x, &n);
  return un_sine_of(n + quarters, r);
}

/* The same in float32: fused multiply-adds make n times the first part exact, and lose
** nothing of the others that counts. Without them, it is computed in float64. */
static inline float un_vcircularf(float x, uint64_t quarters) {
#if defined __FP_FAST_FMAF
  const float shift = 12582912.0f;
  const float t = x * 0.636619747f + shift, whole = t - shift;
  float r = __builtin_fmaf(whole, -1.57079637f, x);
  r = __builtin_fmaf(whole, 4.37113883e-8f, r);
  r = __builtin_fmaf(whole, 1.71512451e-15f, r);
  return un_sine_of_f(un_bits_f(t) - un_bits_f(shift) + (uint32_t)quarters, r);
#else
  return (float)un_vcircular((double)x, quarters);
#endif
}

/* --- functions of two numbers ----------------------------------------------------------- */

/* They are taken of so many pairs: where all of these are plain, less is to be done. */
enum { UN_PAIRS = 32 };
#define UN_PIECE_OF_PAIRS(name, type)                                                  \
  static inline void name##_piece(type *y, const type *a, const type *b) {             \
    type value[UN_PAIRS];                                                              \
    int odd = 0;                                                                       \
    for (int i = 0; i < UN_PAIRS; i++)                                                 \
      odd |= name##_plain(&value[i], a[i], b[i]);                                      \
    for (int i = 0; odd && i < UN_PAIRS; i++)                                          \
      value[i] = name(a[i], b[i]);                                                     \
    memcpy(y, value, sizeof value);                                                    \
  }

/* --- the angle of a point --------------------------------------------------------------- */

/* atan2(y, x). With a the smaller and b the larger one of |x| and |y|, q = a / b or, near
** the diagonal, (a - b) / (a + b) has |q| <= tan(pi/8), and
**     angle = eighths * pi/4 +- atan(q),  atan(q) = q + q z A(z),  z = q^2,
** A the polynomial that interpolates at Chebyshev nodes. */
static inline float un_atan_a_f(float z) {
  float a = -0.0645184128f;
  a = a * z + 0.107437053f;
  a = a * z - 0.142639532f;
  a = a * z + 0.199995404f;
  return a * z - 0.333333318f;
}

static inline double un_atan_a(double z) {
  const double z2 = z * z; /* in pairs: shorter chains of dependent operations */
  const double a01 = -0.3333333333333333 + z * 0.19999999999995519;
  const double a23 = -0.14285714284666185 + z * 0.111111110152275715;
  const double a45 = -0.0909090457695411683 + z * 0.0769218316365089391;
  const double a67 = -0.066645110645993717 + z * 0.0585814558762820175;
  const double a89 = -0.0508543233769907671 + z * 0.0392311556198723048;
  return a01 +
         z2 * (a23 + z2 * (a45 + z2 * (a67 + z2 * (a89 - z2 * 0.01917627151752634))));
}

/* Multiples of `eighth` are exact; eighth_low is what it lacks. Above `large`, sums could
** overflow. The quotient is of top and bottom, `one` more eighth is added where it counts
** from the diagonal. name##_plain gives the value only for numbers that are not 0 both, nor
** near the ends, and tells whether they are. */
#define UN_ATAN2(name, type, F, M, eighth, eighth_low, large)                          \
  static inline type F(un_atan2_of)(type y, type x, type top, type bottom, int one) {  \
    const int steep = M(__builtin_fabs)(y) > M(__builtin_fabs)(x);                     \
    const int left = M(__builtin_copysign)(1, x) < 0;                                  \
    const type q = top / bottom, z = q * q, angle = q + q * (z * F(un_atan_a)(z));     \
    type eighths = one ? 1 : 0, sign = 1;                                              \
    eighths = steep ? 2 - eighths : eighths;                                           \
    sign = steep ? -1 : sign;                                                          \
    eighths = left ? 4 - eighths : eighths;                                            \
    sign = left ? -sign : sign;                                                        \
    const type sum = eighths * eighth + (sign * angle + eighths * eighth_low);         \
    return M(__builtin_copysign)(sum, y);                                              \
  }                                                                                    \
  static inline type name(type y, type x) {                                            \
    const type infinity = (type)__builtin_inf();                                       \
    const type u = M(__builtin_fabs)(x), v = M(__builtin_fabs)(y);                     \
    const type most = u > v ? u : v, scale = most > large ? (type)0.25 : 1;            \
    const type a = (u > v ? v : u) * scale, b = most * scale;                          \
    const int diagonal = a > b * (type)0.41421356;                                     \
    type top = diagonal ? a - b : a, bottom = diagonal ? a + b : b;                    \
    top = most == infinity ? 0 : top;                                                  \
    bottom = ((most == infinity) | (most == 0)) ? 1 : bottom;                          \
    const int middle = (most == infinity) & (a == infinity);                           \
    const type angle = F(un_atan2_of)(y, x, top, bottom, diagonal | middle);           \
    return ((x != x) | (y != y)) ? x + y : angle;                                      \
  }                                                                                    \
  static inline int name##_plain(type *value, type y, type x) {                        \
    const type u = M(__builtin_fabs)(x), v = M(__builtin_fabs)(y);                     \
    const type b = u > v ? u : v, a = u > v ? v : u;                                   \
    const int diagonal = a > b * (type)0.41421356;                                     \
    *value =                                                                           \
        F(un_atan2_of)(y, x, diagonal ? a - b : a, diagonal ? a + b : b, diagonal);    \
    return !(b > 0) | !(b <= large) | !(a <= b);                                       \
  }
#define UN_F32(name)         name##_f
#define UN_F64(name)         name
#define UN_BUILTIN_F32(name) name##f
UN_ATAN2(un_vatan2f, float, UN_F32, UN_BUILTIN_F32, 0.785398006f, 1.569582393e-7f,
         0x1p126f)
UN_ATAN2(un_vatan2, double, UN_F64, UN_F64, 0.7853981633974483, 3.061616997868383e-17,
         0x1p1022)
UN_PIECE_OF_PAIRS(un_vatan2f, float)
UN_PIECE_OF_PAIRS(un_vatan2, double)
#undef UN_ATAN2
#undef UN_BUILTIN_F32
#undef UN_F32
#undef UN_F64

#endif
