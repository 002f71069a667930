/* peak.h -- the table of kernels that peak.c makes for one instruction set. Index 0 is
** float32, 1 float64. */
#ifndef UN_PEAK_KERNELS_H
#define UN_PEAK_KERNELS_H

#include <stdint.h>

typedef struct un_peak_kernels {
  double (*run[2])(int64_t rounds);
  int flops[2]; /* of one round */
  double (*read)(const float *p, int64_t blocks, int64_t rounds);
  int block; /* how many numbers `read` takes at once */
} un_peak_kernels;

#endif
