/* lines.h -- the table of kernels that lines.c makes for one instruction set: what runs
** along one line of numbers. Index 0 is float32, 1 float64 and, where there is one, 2
** int32. */
#ifndef UN_LINES_H
#define UN_LINES_H

#include "isa/passes.h"
#include "un.h"
#include "walk.h"

/* What a reduction has gathered so far; one may be fed by many lines. */
typedef struct un_tally {
  int64_t total;   /* how many numbers there are in all */
  int64_t seen;    /* how many the pass has seen */
  int64_t from;    /* where the stretch begins that has the extreme */
  int64_t index;   /* where the search ended, -1: not found yet */
  int64_t integer; /* the sum of int32 numbers */
  double sum;      /* or product */
  double best;     /* smallest, largest, or largest absolute value; NaN if one is */
  double second;   /* what a second pass adds up: squares, powers, exponentials */
  double p;        /* of the norm */
  bool truth;      /* any, all */
} un_tally;

typedef void un_line(int64_t n, const void *x, int64_t stride, un_tally *t);

typedef struct un_line_kernels {
  un_line *pass[UN_PASSES][3];
  /* total[j] += x[j * stride], j = 0 .. n-1 */
  void (*add_row[3])(int64_t n, const void *x, int64_t stride, double *total);
  double (*dot[2])(int64_t n, const void *a, int64_t sa, const void *b, int64_t sb);
  un_run *softmax[2], *log_softmax[2], *cumsum[2], *reverse_cumsum[2]; /* y; x */
  un_run *softmax_gradient[2], *log_softmax_gradient[2];               /* dx; dy; y */
} un_line_kernels;

#endif
