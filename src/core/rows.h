/* rows.h -- small passes over rows that the cells, the read-out and the losses share.
**
** Rows lie side by side without gaps, or `y_row` numbers apart, those of a table
** `table_row`. Tokens are 1-based and already checked. */
#ifndef UN_ROWS_H
#define UN_ROWS_H

#include "un.h"

/* table[token] += y and sum (n) += y for `pieces` times `rows` rows y (n), in their order;
** `apart` says how far from each other pieces begin. */
typedef struct un_scatter {
  int64_t pieces, rows, n;
  const int32_t *tokens;
  int64_t tokens_apart;
  const void *y;
  int64_t y_row, y_apart;
  void *table;
  int64_t table_row;
  void *sum;
} un_scatter;

typedef struct un_rows_kernels {
  /* y (rows,n) = bias (n) + table[tokens[r]] */
  void (*gather[2])(void *y, int64_t y_row, const void *table, int64_t table_row,
                    const void *bias, const int32_t *tokens, int64_t rows, int64_t n);
  void (*scatter[2])(const un_scatter *s);
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
void un_rows_scatter(un_dtype dtype, const un_scatter *s);
void un_rows_column_sum(un_dtype dtype, void *sum, const void *y, int64_t y_row,
                        int64_t rows, int64_t n);
void un_rows_add_squares(un_dtype dtype, void *a, const void *b, int64_t rows,
                         int64_t n, double *sum);

#endif
