/* cell_kernels.h -- the pointwise functions of a cell, by the kernels of the instruction set
** at hand. */
#ifndef UN_CELL_KERNELS_H
#define UN_CELL_KERNELS_H

/* name_f32 and name_f64: they call table()->name of their type. */
#define UN_STEP(table, name, argument)                                                 \
  static void name##_f32(const argument *a) {                                          \
    table()->name[UN_F32](a);                                                          \
  }                                                                                    \
  static void name##_f64(const argument *a) {                                          \
    table()->name[UN_F64](a);                                                          \
  }

#endif
