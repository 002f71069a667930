/* isa/part.h -- a row of H units goes by whole vectors and then by a part of one: what the
** steps of the gated cells are written with, in files that each_dtype.h reads. */
#ifndef UN_PART_H
#define UN_PART_H

#include "vec.h"

/* One vector, or the first n lanes of it. */
#define LOAD(p)     (n < FN(LANES) ? FN(load_part)(p, n) : FN(load)(p))
#define STORE(p, v) (n < FN(LANES) ? FN(store_part)(p, v, n) : FN(store)(p, v))

/* at(..., row, j, n) for all of some rows: n units from the j-th on, a vector or less. */
#define FOR_UNITS(rows, H, at, ...)                                                    \
  for (int64_t row = 0; row < (rows); row++) {                                         \
    int64_t j = 0;                                                                     \
    for (; j + FN(LANES) <= (H); j += FN(LANES))                                       \
      at(__VA_ARGS__, row, j, FN(LANES));                                              \
    if (j < (H)) at(__VA_ARGS__, row, j, (H)-j);                                       \
  }

#endif
