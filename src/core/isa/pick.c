/* isa/pick.c -- from logits to shares (see pick.h). */
#ifndef REAL
#include "pick.h"

#include <float.h>
#include <math.h>

#include "isa.h"
#include "vec.h"
#include "vec_math.h"

/* Lane i: the sum of lanes 0 .. i. */
#if defined __AVX512F__
ALWAYS_INLINE vec_f64 running_sums(vec_f64 x) {
  const __m512i zero = _mm512_setzero_si512();
  x += (vec_f64)_mm512_alignr_epi64((__m512i)x, zero, 7);
  x += (vec_f64)_mm512_alignr_epi64((__m512i)x, zero, 6);
  return x + (vec_f64)_mm512_alignr_epi64((__m512i)x, zero, 4);
}

/* How many lanes are at most `wanted`. */
ALWAYS_INLINE int count_up_to(vec_f64 x, vec_f64 wanted) {
  return __builtin_popcount(
      _mm512_cmp_pd_mask((__m512d)x, (__m512d)wanted, _CMP_LE_OQ));
}
#elif defined __AVX2__
ALWAYS_INLINE vec_f64 running_sums(vec_f64 x) {
  const __m256d zero = _mm256_setzero_pd();
  x += (vec_f64)_mm256_blend_pd(_mm256_permute4x64_pd((__m256d)x, 0x90), zero, 1);
  return x + (vec_f64)_mm256_permute2f128_pd((__m256d)x, zero, 0x02);
}

ALWAYS_INLINE int count_up_to(vec_f64 x, vec_f64 wanted) {
  return __builtin_popcount((unsigned)_mm256_movemask_pd(
      _mm256_cmp_pd((__m256d)x, (__m256d)wanted, _CMP_LE_OQ)));
}
#else
ALWAYS_INLINE vec_f64 running_sums(vec_f64 x) {
  return (vec_f64){x[0], x[0] + x[1]};
}

ALWAYS_INLINE int count_up_to(vec_f64 x, vec_f64 wanted) {
  return (x[0] <= wanted[0]) + (x[1] <= wanted[1]);
}
#endif

/* Counts the places where the running sum has not passed `wanted`. No branch waits for
** the numbers, so what comes next can begin before the symbol is known. */
static int64_t find(const double *share, int64_t n, double wanted) {
  vec_f64 before = {0}, limit = all_f64(wanted);
  int64_t count = 0;
  for (int64_t i = 0; i < n; i += LANES_f64) {
    const vec_f64 sums = running_sums(
        i + LANES_f64 <= n ? load_f64(share + i) : load_part_f64(share + i, n - i));
    count += count_up_to(before + sums, limit);
    before += all_f64(sums[LANES_f64 - 1]);
  }
  return count < n ? count : n - 1;
}

/* exp of that much is far from what a number can hold. */
enum { HARMLESS = 40 };

#define UN_TEMPLATE "isa/pick.c"
#include "each_dtype.h"

extern const un_pick_kernels ISA(un_pick_table);
const un_pick_kernels ISA(un_pick_table) = {.shares = {shares_f32, shares_f64},
                                            .largest = {largest_f32, largest_f64},
                                            .find = find};

#else

/* What the last vector has beyond the logits counts as -infinity, and its share is 0. */
ALWAYS_INLINE FN(vec) FN(logits_at)(const REAL *logits, int64_t i, int64_t n) {
  return i + FN(LANES) <= n ? FN(load)(logits + i)
                            : FN(load_part_or)(logits + i, n - i, -(REAL)INFINITY);
}

static int64_t FN(largest)(const void *vlogits, int64_t n) {
  const REAL *logits = vlogits;
  FN(vec) largest = FN(all)(logits[0]);
  int nans = 0;
  for (int64_t i = 0; i < n; i += FN(LANES))
    largest = FN(max)(FN(logits_at)(logits, i, n), largest);
  for (int64_t i = 0; i < n; i++)
    nans |= logits[i] != logits[i];
  const REAL best = FN(reduce_max)(largest);
  if (nans || isinf(best)) return -1;
  int64_t i = 0;
  while (logits[i] != best)
    i++;
  return i;
}

/* share (n) = lanes of terms, in float64 */
ALWAYS_INLINE void FN(put_shares)(double *share, FN(vec) terms, int64_t n) {
  REAL lane[FN(LANES)];
  double wide[FN(LANES)];
  FN(store)(lane, terms);
  NO_UNROLL for (int k = 0; k < FN(LANES); k++) wide[k] = (double)lane[k];
  for (int64_t k = 0; k < n && k < FN(LANES); k += LANES_f64)
    if (n - k >= LANES_f64)
      store_f64(share + k, load_f64(wide + k));
    else
      store_part_f64(share + k, load_f64(wide + k), n - k);
}

typedef struct FN(weights) {
  FN(vec) sum, largest; /* of the shares, of the logits */
} FN(weights);

/* share = exp((logits - base) scale), from logit i on: a vector, or what is left of one */
ALWAYS_INLINE void FN(weigh_vector)(FN(weights) * w, const REAL *logits, int64_t i,
                                    int64_t n, REAL base, REAL scale, double *share) {
  const FN(vec) x = FN(logits_at)(logits, i, n);
  const FN(vec) terms = FN(vexp)((x - base) * scale);
  w->largest = FN(max)(x, w->largest);
  w->sum += terms;
  FN(put_shares)(share + i, terms, n - i);
}

ALWAYS_INLINE FN(weights)
    FN(weigh)(const REAL *logits, int64_t n, REAL base, REAL scale, double *share) {
  FN(weights) w = {.sum = {0}, .largest = FN(all)(logits[0])};
  const int64_t whole = n - n % FN(LANES);
  for (int64_t i = 0; i < whole; i += FN(LANES))
    FN(weigh_vector)(&w, logits, i, whole, base, scale, share);
  if (whole < n) FN(weigh_vector)(&w, logits, whole, n, base, scale, share);
  return w;
}

/* Logits that are not large need no largest one taken off: they are weighed while the
** largest is still looked for, and once more if one was large. */
static double FN(shares)(const void *vlogits, int64_t n, double temperature,
                         double *share) {
  const REAL *logits = vlogits;
  const REAL scale =
      1 / (REAL)(temperature > (double)FLT_MIN ? temperature : (double)FLT_MIN);
  FN(weights) w = FN(weigh)(logits, n, 0, scale, share);
  const REAL max = FN(reduce_max)(w.largest), top = max * scale;
  if (!(-HARMLESS < top && top < HARMLESS)) w = FN(weigh)(logits, n, max, scale, share);
  return (double)FN(reduce_add)(w.sum) + (double)(max - max);
}

#endif
