/* peak.h -- the speed limit of this machine: fused multiply-adds in registers. */
#ifndef UN_PEAK_H
#define UN_PEAK_H

#include "un.h"

/* Runs the loop; *flops is what it computed. The result means nothing: it is there so
** that the work is done. dtype is float32 or float64. */
double un_peak_run(un_dtype dtype, int64_t rounds, double *flops);

#endif
