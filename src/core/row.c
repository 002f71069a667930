/* row.c -- products of a single row: the choice of kernels (see row.h). */
#include "row.h"

#include "isa.h"

UN_BY_ISA(un_row_kernels, un_row_kernels_of)
UN_BY_ISA(un_row_products, un_row_products_of)

size_t un_row_bytes(un_dtype dtype, int64_t depth, int64_t columns) {
  return (un_row_kernels_of()->bytes[dtype](depth, columns) + 63) & ~(size_t)63;
}

void un_row_pack(un_dtype dtype, void *packed, const void *w, int64_t depth,
                 int64_t columns, int64_t row_stride, int64_t column_stride) {
  un_row_kernels_of()->pack[dtype](packed, w, depth, columns, row_stride,
                                   column_stride);
}

void un_row_multiply(un_dtype dtype, const un_row_product *p) {
  un_row_products_of()->multiply[dtype](p, 0, p->columns);
}

un_row_kernel *un_row_kernel_for(un_dtype dtype, int64_t columns) {
  return un_row_products_of()->kernel_for[dtype](columns);
}

const un_row_products *un_row_table(void) {
  return un_row_products_of();
}
