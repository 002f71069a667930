/* peak.c -- the most floating-point operations that one core does in a second: fused
** multiply-adds in registers, enough independent ones to hide their latency. What a
** kernel reaches is told as a share of this. And the most bytes that it reads. */
#include "isa/peak.h"
#include "isa.h"
#include "isa/vec.h"

enum { CHAINS = 12 };

/* Names instead of an array, which gcc would leave in memory. */
#define EACH_CHAIN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define FIRST(j)      vec sum##j = b + (j);
#define ADD(j)                                                                         \
  sum##j = sum##j * a + b;                                                             \
  __asm__ volatile("" : KEEP(sum##j)); /* else gcc sees where the loop leads */
#define COLLECT(j) a = a + sum##j;

#define PEAK(suffix, real)                                                             \
  static double run_##suffix(int64_t rounds) {                                         \
    vec_##suffix a = {0}, b = {0};                                                     \
    typedef vec_##suffix vec;                                                          \
    EACH_CHAIN(FIRST)                                                                  \
    a = a + (real)0.999;                                                               \
    b = b + (real)0.001;                                                               \
    for (int64_t i = 0; i < rounds; i++) {                                             \
      EACH_CHAIN(ADD)                                                                  \
    }                                                                                  \
    EACH_CHAIN(COLLECT)                                                                \
    return (double)a[0];                                                               \
  }

#if defined __x86_64__
#define KEEP(v) "+v"(v)
#elif defined __aarch64__
#define KEEP(v) "+w"(v)
#else
#define KEEP(v) "+m"(v)
#endif

PEAK(f32, float)
PEAK(f64, double)

/* --- reading -------------------------------------------------------------------------- */

enum { READS = 8 }; /* sums at once: enough to hide the latency of an addition */
#define EACH_SUM(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define ZERO(j)     vec_f32 sum##j = {0};
#define READ(j)                                                                        \
  sum##j = sum##j + load_f32(p + (READS * i + (j)) * LANES_f32);                       \
  __asm__ volatile("" : KEEP(sum##j)); /* else gcc reads once for all rounds */
#define TOTAL(j) sum = sum + sum##j;

static double read_blocks(const float *p, int64_t blocks, int64_t rounds) {
  EACH_SUM(ZERO)
  for (int64_t round = 0; round < rounds; round++) {
    for (int64_t i = 0; i < blocks; i++) {
      EACH_SUM(READ)
    }
    __asm__ volatile("" ::: "memory");
  }
  vec_f32 sum = {0};
  EACH_SUM(TOTAL)
  return (double)sum[0];
}

extern const un_peak_kernels ISA(un_peak);
const un_peak_kernels ISA(un_peak) = {
    .run = {run_f32, run_f64},
    .flops = {2 * CHAINS * LANES_f32, 2 * CHAINS *LANES_f64},
    .read = read_blocks,
    .block = READS * LANES_f32,
};
