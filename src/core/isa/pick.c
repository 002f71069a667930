/* isa/pick.c -- from logits to shares (see pick.h). */
#ifndef REAL
#include "pick.h"

#include <float.h>
#include <math.h>

#include "isa.h"
#include "vec.h"
#include "vec_math.h"

/* Groups of vectors are passed over by their sums, which wait for nothing. */
enum { GROUP = 2 * LANES_f64 };

static int64_t find(const double *share, int64_t n, double wanted) {
  int64_t i = 0;
  for (; i + GROUP < n; i += GROUP) {
    const double *s = share + i;
    double sum = reduce_add_f64(load_f64(s) + load_f64(s + LANES_f64));
    if (sum > wanted) break;
    wanted -= sum;
  }
  while (i + 1 < n && (wanted -= share[i]) >= 0)
    i++;
  return i;
}

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

static double FN(shares)(const void *vlogits, int64_t n, double temperature,
                         double *share) {
  const REAL *logits = vlogits;
  REAL scale =
      1 / (REAL)(temperature > (double)FLT_MIN ? temperature : (double)FLT_MIN);
  FN(vec) largest = FN(all)(logits[0]), sum = {0};
  for (int64_t i = 0; i < n; i += FN(LANES))
    largest = FN(max)(FN(logits_at)(logits, i, n), largest);
  REAL max = FN(reduce_max)(largest);
  for (int64_t i = 0; i < n; i += FN(LANES)) {
    FN(vec) terms = FN(vexp)((FN(logits_at)(logits, i, n) - max) * scale);
    sum += terms;
    FN(put_shares)(share + i, terms, n - i);
  }
  return (double)FN(reduce_add)(sum) + (double)(max - max);
}

#endif
