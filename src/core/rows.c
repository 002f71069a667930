/* rows.c -- chooses the kernels of isa/rows.c. */
#include "rows.h"

#include "isa.h"

UN_BY_ISA(un_rows_kernels, un_rows)

void un_rows_gather(un_dtype dtype, void *y, int64_t y_row, const void *table,
                    int64_t table_row, const void *bias, const int32_t *tokens,
                    int64_t rows, int64_t n) {
  un_rows()->gather[dtype](y, y_row, table, table_row, bias, tokens, rows, n);
}

void un_rows_scatter(un_dtype dtype, const un_scatter *s) {
  un_rows()->scatter[dtype](s);
}

void un_rows_column_sum(un_dtype dtype, void *sum, const void *y, int64_t y_row,
                        int64_t rows, int64_t n) {
  un_rows()->column_sum[dtype](sum, y, y_row, rows, n);
}

void un_rows_add_squares(un_dtype dtype, void *a, const void *b, int64_t rows,
                         int64_t n, double *sum) {
  un_rows()->add_squares[dtype](a, b, rows, n, sum);
}
