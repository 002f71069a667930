/* lstm.h -- the pointwise kernels of the long short-term memory (cell_lstm.c). */
#ifndef UN_LSTM_H
#define UN_LSTM_H

#include "cell.h"

typedef struct un_lstm_kernels {
  void (*step[2])(const un_step *s);
  void (*step_grad[2])(const un_step_grad *g);
} un_lstm_kernels;

#endif
