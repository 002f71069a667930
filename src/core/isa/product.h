/* product.h -- the table of kernels that product.c makes for one instruction set: small
** matrix products. Index 0 is float32, 1 float64. Strides are counted in elements. */
#ifndef UN_PRODUCT_H
#define UN_PRODUCT_H

#include <stdint.h>

/* c = a b; a (m,k) lies anyhow, b (k,n) and c (m,n) have rows without gaps. */
typedef struct un_product {
  int64_t m, k, n;
  const void *a, *b;
  void *c;
  int64_t a_row, a_column, b_row, c_row;
} un_product;

typedef struct un_product_kernels {
  void (*matrix[2])(const un_product *p);
  /* n = 1: rows of a and the column b (b_row 1) without gaps, c_row apart */
  void (*vector[2])(const un_product *p);
} un_product_kernels;

#endif
