/* convert.h -- the table of kernels that convert.c makes for one instruction set:
** numbers that are set, moved and turned from one dtype into another. */
#ifndef UN_CONVERT_H
#define UN_CONVERT_H

#include "walk.h"

typedef struct un_convert_kernels {
  un_run *run[5][5]; /* [from][to], by un_dtype: y; x */
  un_run *fill[5];   /* y; the context is a double */
  /* to[i * to_row + j] = from[j * from_row + i], i < rows, j < columns; strides in
  ** elements; by the logarithm of an element's bytes */
  void (*transpose[4])(int64_t rows, int64_t columns, void *to, int64_t to_row,
                       const void *from, int64_t from_row);
  /* Whether n pairs of float32, float64 or int32 are equal; whether n numbers of float32 or
  ** float64, without their fractions, lie within low..high, the range of an integer dtype
  ** (and are whole). False may be wrong for fractions below low. */
  bool (*same[3])(int64_t n, const void *a, const void *b);
  bool (*within[2])(int64_t n, const void *x, double low, double high, bool whole);
  /* memcpy past the caches; `to` is the beginning of a cache line. At the end of all of
  ** them stream_end, or another thread might not see them. */
  void (*stream)(void *to, const void *from, size_t bytes);
  void (*stream_end)(void);
} un_convert_kernels;

#endif
