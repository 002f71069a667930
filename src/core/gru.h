/* gru.h -- the pointwise kernels of the gated recurrent unit (cell_gru.c). */
#ifndef UN_GRU_H
#define UN_GRU_H

#include "cell.h"

typedef struct un_gru_kernels {
  void (*step[2])(const un_step *s);
  void (*step_grad[2])(const un_step_grad *g);
} un_gru_kernels;

#endif
