/* peak.c -- runs the loops of the instruction set in use (see peak.h). */
#include "peak.h"

#include "isa.h"
#include "isa/peak.h"

UN_BY_ISA(un_peak_kernels, un_peak)

double un_peak_run(un_dtype dtype, int64_t rounds, double *flops) {
  int index = dtype == UN_F64;
  *flops = (double)un_peak()->flops[index] * (double)rounds;
  return un_peak()->run[index](rounds);
}

double un_peak_read(const float *p, int64_t count, int64_t rounds, double *bytes) {
  const un_peak_kernels *kernels = un_peak();
  int64_t blocks = count / kernels->block;
  *bytes = (double)(blocks * kernels->block) * (double)sizeof *p * (double)rounds;
  return kernels->read(p, blocks, rounds);
}
