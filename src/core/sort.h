/* sort.h -- sorting along a dimension, stable, with the indices. */
#ifndef UN_SORT_H
#define UN_SORT_H

#include "un.h"

/* Bytes of scratch that un_sort needs for lines of n numbers. */
size_t un_sort_scratch(int64_t n);

/* Sorts each line of x (float32, float64, int32) along dim and writes the first
** values->size[dim] of it; indices (int32, the sizes of values) says where they stood,
** 1-based. Equal elements stay in order; NaN counts as larger than every number. values
** may be x itself. The lines hold at most INT32_MAX numbers. */
void un_sort(const un_view *x, int dim, bool descending, const un_view *values,
             const un_view *indices, void *scratch);

#endif
