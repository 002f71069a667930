/* random.h -- random numbers: one algorithm everywhere, its state a plain struct.
**
** Bits come from xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom
** number
** generators", 2021), seeded by splitmix64. Every draw of a uniform or a whole number
** takes one 64-bit word (rarely more for a whole number); a normal takes one in 99 of
** 100 cases. Filling goes in row-major order whatever the strides, so that the numbers
** depend on the state and the shape alone; float32 gets the rounded float64 numbers. */
#ifndef UN_RANDOM_H
#define UN_RANDOM_H

#include "un.h"

typedef struct un_rng {
  uint64_t s[4]; /* not all zero */
} un_rng;

void un_rng_seed(un_rng *rng, uint64_t seed);
uint64_t un_rng_bits(un_rng *rng);

double un_rng_uniform(un_rng *rng);             /* [0,1), 53 bits */
double un_rng_normal(un_rng *rng);              /* mean 0, deviation 1 */
int64_t un_rng_integer(un_rng *rng, int64_t n); /* 0..n-1 without bias; n >= 1 */

/* low + (high - low) u; the result is below high also after rounding to float32. */
void un_rng_fill_uniform(un_rng *rng, const un_view *dst, double low, double high);
void un_rng_fill_normal(un_rng *rng, const un_view *dst, double mean, double deviation);

/* Whole numbers first..first+n-1 (which must fit in the dtype). */
void un_rng_fill_integer(un_rng *rng, const un_view *dst, int64_t first, int64_t n);

/* A random order of a 1-d tensor, in place (Fisher and Yates). */
void un_rng_shuffle(un_rng *rng, const un_view *v);

#endif
