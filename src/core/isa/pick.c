/* isa/pick.c -- from logits to shares (see pick.h). */
#ifndef REAL
#include "pick.h"

#include <float.h>
#include <math.h>

#include "isa.h"
#include "vec.h"
#include "vec_math.h"

#define UN_TEMPLATE "isa/pick.c"
#include "each_dtype.h"

extern const un_pick_kernels ISA(un_pick_table);
const un_pick_kernels ISA(un_pick_table) = {.shares = {shares_f32, shares_f64}};

#else

/* What the last vector has beyond the logits counts as -infinity, and its share is 0. */
ALWAYS_INLINE FN(vec) FN(logits_at)(const REAL *logits, int64_t i, int64_t n) {
  return i + FN(LANES) <= n ? FN(load)(logits + i)
                            : FN(load_part_or)(logits + i, n - i, -(REAL)INFINITY);
}

static double FN(shares)(const void *vlogits, int64_t n, double temperature,
                         double *share) {
  const REAL *logits = vlogits;
  REAL scale = (REAL)(temperature > (double)FLT_MIN ? temperature : (double)FLT_MIN);
  FN(vec) largest = FN(all)(logits[0]), sum = {0};
  for (int64_t i = 0; i < n; i += FN(LANES))
    largest = FN(max)(FN(logits_at)(logits, i, n), largest);
  REAL max = FN(reduce_max)(largest);
  for (int64_t i = 0; i < n; i += FN(LANES)) {
    REAL lane[FN(LANES)];
    FN(vec) terms = FN(vexp)((FN(logits_at)(logits, i, n) - max) / scale);
    int count = n - i < FN(LANES) ? (int)(n - i) : FN(LANES);
    sum += terms;
    FN(store)(lane, terms);
    for (int k = 0; k < count; k++)
      share[i + k] = (double)lane[k];
  }
  return (double)FN(reduce_add)(sum) + (double)(max - max);
}

#endif
