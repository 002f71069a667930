/* isa/vec_math.h -- the functions of vmath.h on a whole vector in registers.
**
** The loops have as many turns as a vector has lanes: compiled with -O3 they are vector
** code, and the arrays are registers. */
#ifndef UN_VEC_MATH_H
#define UN_VEC_MATH_H

#include "vec.h"
#include "vmath.h"

#define UN_VEC_FUNCTION(name, suffix, type, function)                                  \
  ALWAYS_INLINE vec_##suffix name##_##suffix(vec_##suffix x) {                         \
    type lane[LANES_##suffix];                                                         \
    store_##suffix(lane, x);                                                           \
    for (int i = 0; i < LANES_##suffix; i++)                                           \
      lane[i] = function(lane[i]);                                                     \
    return load_##suffix(lane);                                                        \
  }
UN_VEC_FUNCTION(vexp, f32, float, un_vexpf)
UN_VEC_FUNCTION(vexp, f64, double, un_vexp)
UN_VEC_FUNCTION(vtanh, f32, float, un_vtanhf)
UN_VEC_FUNCTION(vtanh, f64, double, un_vtanh)

#endif
