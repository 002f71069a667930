/* columns.h -- the table of kernels that columns.c makes for one instruction set: many
** neighbouring lines at once, row by row as memory lies. Index 0 is float32, 1 float64
** and, where there is one, 2 int32. */
#ifndef UN_COLUMNS_KERNELS_H
#define UN_COLUMNS_KERNELS_H

#include "isa/passes.h"
#include "un.h"

enum { UN_COLUMNS = 1024 };

/* What has been gathered of each column so far. */
typedef struct un_columns {
  double sum[UN_COLUMNS];    /* or product; in the passes of a norm, the unit */
  double best[UN_COLUMNS];   /* largest, or largest absolute value */
  double second[UN_COLUMNS]; /* what a second pass adds up; any and all: 1 or 0 */
  union {                    /* smallest or largest: min, max */
    float f32[UN_COLUMNS];
    double f64[UN_COLUMNS];
    int32_t i32[UN_COLUMNS];
  } extreme;
  union { /* its row, from 1, in numbers as wide as those compared */
    int32_t f32[UN_COLUMNS], i32[UN_COLUMNS];
    double f64[UN_COLUMNS];
  } place;
  int64_t total; /* rows in all */
  double p;      /* of the norm */
} un_columns;

/* Takes in rows first .. first+rows-1 of n <= UN_COLUMNS columns; number j of the first
** of these rows is x[j * column], the next row lies `row` numbers further. */
typedef void un_take_rows(int64_t first, int64_t rows, int64_t n, const void *x,
                          int64_t row, int64_t column, un_columns *c);

/* Makes one row of n numbers, side by side, of others: y; x or dy; y. */
typedef void un_make_row(int64_t n, void *const *data, un_columns *c);

typedef struct un_column_kernels {
  un_take_rows *pass[UN_PASSES][3];
  un_make_row *exp[2];      /* y = exp(x - best), and second += y */
  un_make_row *divide[2];   /* y = y / second */
  un_make_row *shift[2];    /* y = x - best - log(second), which second holds by then */
  un_make_row *running[2];  /* sum += x, y = sum */
  un_make_row *products[2]; /* second += dy y; dx is not written */
  un_make_row *softmax_gradient[2];     /* dx = y (dy - second) */
  un_make_row *log_softmax_gradient[2]; /* dx = dy - exp(y) sum */
} un_column_kernels;

#endif
