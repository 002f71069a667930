/* rows.h -- small passes over rows that the cells, the read-out and the losses share.
**
** Rows lie side by side without gaps, or `y_row` numbers apart, those of a table
** `table_row`. Tokens are 1-based and already checked. */
#ifndef UN_ROWS_H
#define UN_ROWS_H

#include "un.h"

typedef struct un_rows_kernels {
  /* y (rows,n) = bias (n) + table[tokens[r]] */
  void (*gather[2])(void *y, int64_t y_row, const void *table, int64_t table_row,
                    const void *bias, const int32_t *tokens, int64_t rows, int64_t n);
  /* table[tokens[r]] += y[r], in the order of the rows */
  void (*scatter[2])(void *table, int64_t table_row, const void *y, int64_t y_row,
                     const int32_t *tokens, int64_t rows, int64_t n);
  /* sum (n) += the rows of y */
  void (*column_sum[2])(void *sum, const void *y, int64_t y_row, int64_t rows,
                        int64_t n);
  /* a (rows,n) += b (b may be NULL); sum (rows) = the squares of each row of a; those of
  ** vanishing gradients, too, which would be zero in float32 */
  void (*add_squares[2])(void *a, const void *b, int64_t rows, int64_t n, double *sum);
} un_rows_kernels;

void un_rows_gather(un_dtype dtype, void *y, int64_t y_row, const void *table,
                    int64_t table_row, const void *bias, const int32_t *tokens,
                    int64_t rows, int64_t n);
void un_rows_scatter(un_dtype dtype, void *table, int64_t table_row, const void *y,
                     int64_t y_row, const int32_t *tokens, int64_t rows, int64_t n);
void un_rows_column_sum(un_dtype dtype, void *sum, const void *y, int64_t y_row,
                        int64_t rows, int64_t n);
void un_rows_add_squares(un_dtype dtype, void *a, const void *b, int64_t rows,
                         int64_t n, double *sum);

#endif
