/* passes.h -- the passes that reductions are made of. lines.c has a kernel of each for one
** line of numbers, columns.c (but for the search) for many neighbouring lines at once. */
#ifndef UN_PASSES_H
#define UN_PASSES_H

#include "isa/vmath.h"

typedef enum un_pass {
  UN_PASS_NONE,
  UN_PASS_SUM,
  UN_PASS_PROD,
  UN_PASS_MIN,
  UN_PASS_MAX,
  UN_PASS_FIND, /* where the extreme is */
  UN_PASS_ANY,
  UN_PASS_ALL,
  UN_PASS_LARGEST,      /* nobody asks where */
  UN_PASS_ABSMAX,       /* the largest |x| */
  UN_PASS_DEVIATION,    /* squared distances from the mean */
  UN_PASS_SQUARES,      /* (x / unit)^2 */
  UN_PASS_POWER,        /* |x / unit|^p */
  UN_PASS_EXPONENTIALS, /* exp(x - largest) */
  UN_PASSES
} un_pass;

/* What the numbers of a norm are divided by, so that their powers stay in range: the power
** of two below the largest one, which rounds nothing; for high powers, and where there is
** no such normal number, the largest one itself. 1 / the unit of squares is finite. */
static inline double un_norm_unit(double largest, double p) {
  if (p > 512) return largest;
  const uint64_t exponent = (uint64_t)0x7ff << 52;
  const double unit = un_from_bits(un_bits(largest) & exponent);
  return unit > 0 ? unit : p == 2 ? 0x1p-1022 : largest;
}

#endif
