/* gru_before.h -- the pointwise kernels of the gated recurrent unit whose reset gate stands
** before the product (cell_gru_before.c). */
#ifndef UN_GRU_BEFORE_H
#define UN_GRU_BEFORE_H

#include "cell.h"

typedef struct un_gru_before_kernels {
  void (*step[2])(const un_step *s);
  void (*step_grad[2])(const un_step_grad *g);
  void (*early[2])(const un_step *s);
  void (*early_grad[2])(const un_step_grad *g);
} un_gru_before_kernels;

#endif
