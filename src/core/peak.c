/* peak.c -- runs the peak loop of the instruction set in use (see peak.h). */
#include "peak.h"

#include "isa.h"
#include "isa/peak.h"

UN_BY_ISA(un_peak_kernels, un_peak)

double un_peak_run(un_dtype dtype, int64_t rounds, double *flops) {
  int index = dtype == UN_F64;
  *flops = (double)un_peak()->flops[index] * (double)rounds;
  return un_peak()->run[index](rounds);
}
