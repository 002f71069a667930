/* elementwise.h -- the table of kernels that elementwise.c makes for one instruction
** set.
**
** A kernel handles one run of a walk (walk.h); operand 0 is the output, the context is
** two doubles, the parameters of the op. Index 0 is float32, index 1 float64. */
#ifndef UN_ELEMENTWISE_H
#define UN_ELEMENTWISE_H

#include "ops.h"
#include "walk.h"

typedef struct un_elementwise_kernels {
  un_run *value[UN_OPS][3];    /* y; x or a; b; 2: int32, of comparisons */
  un_run *gradient[UN_OPS][2]; /* dx; dy; x; y  or  da; dy; a; b */
  un_run *gradient_b[UN_OPS][2];
  un_run *add_scaled[2]; /* y; a; b, context alpha */
  un_run *where[3];      /* y; cond (int32); a; b, for float32, float64, int32 */
} un_elementwise_kernels;

#endif
