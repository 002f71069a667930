/* peak.h -- the speed limits of this machine: fused multiply-adds in registers, the same
** with factors that are read from the nearest cache, and reads of memory. */
#ifndef UN_PEAK_H
#define UN_PEAK_H

#include "un.h"

/* Runs the loop; *flops is what it computed. The result means nothing: it is there so
** that the work is done. dtype is float32 or float64. */
double un_peak_run(un_dtype dtype, int64_t rounds, double *flops);

/* Multiplies a few rows by a panel that stays in the nearest cache, over and over: what the
** products of a network reach where nothing else holds them up. `memory` is zeros, of
** UN_PEAK_BYTES, at the beginning of a line of the cache. */
enum { UN_PEAK_BYTES = 32 << 10 };
void un_peak_multiply(un_dtype dtype, void *memory, int64_t rounds, double *flops);

/* Reads the `count` numbers at p, `rounds` times; *bytes is what it read, some hundred
** bytes at the end may be left out. The result means nothing. */
double un_peak_read(const float *p, int64_t count, int64_t rounds, double *bytes);

#endif
