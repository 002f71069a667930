/* peak.c -- runs the loops of the instruction set in use (see peak.h). */
#include "peak.h"

#include "isa.h"
#include "isa/peak.h"
#include "panel.h"

UN_BY_ISA(un_peak_kernels, un_peak)

double un_peak_run(un_dtype dtype, int64_t rounds, double *flops) {
  int index = dtype == UN_F64;
  *flops = (double)un_peak()->flops[index] * (double)rounds;
  return un_peak()->run[index](rounds);
}

/* The memory: a panel of W, the one row of x that all rows share, and y. */
enum { PANEL = 20 << 10, ROW = 6 << 10, ROWS = 24 };

void un_peak_multiply(un_dtype dtype, void *memory, int64_t rounds, double *flops) {
  const int64_t number = (int64_t)un_dtype_bytes(dtype);
  char *base = memory;
  int64_t width = un_panel_width(dtype), depth = PANEL / (width * number);
  un_product p = {.rows = ROWS,
                  .depth = depth,
                  .columns = width,
                  .x = base + PANEL,
                  .x_column = 1,
                  .packed = base,
                  .y = base + PANEL + ROW,
                  .y_row = width};
  *flops = 2.0 * ROWS * (double)(depth * width) * (double)rounds;
  for (int64_t i = 0; i < rounds; i++)
    un_panel_multiply(dtype, &p);
}

double un_peak_read(const float *p, int64_t count, int64_t rounds, double *bytes) {
  const un_peak_kernels *kernels = un_peak();
  int64_t blocks = count / kernels->block;
  *bytes = (double)(blocks * kernels->block) * (double)sizeof *p * (double)rounds;
  return kernels->read(p, blocks, rounds);
}
