/* isa/product.c -- small matrix products, which BLAS would pack before it begins.
**
** ROWS rows of c, one vector wide, are held in registers while k goes by; where less than
** ROWS rows are left, the last one stands for those that are missing. */
#ifndef REAL
#include "product.h"

#include "isa.h"
#include "vec.h"

enum { ROWS = 4 };

#define UN_TEMPLATE "isa/product.c"
#include "each_dtype.h"

extern const un_product_kernels ISA(un_products);
const un_product_kernels ISA(un_products) = {
    .matrix = {matrix_f32, matrix_f64},
    .vector = {vector_f32, vector_f64},
};

#else

/* `lanes` columns of c from `column` on, of up to ROWS rows. */
ALWAYS_INLINE void FN(block)(const un_product *p, int64_t row, int64_t column,
                             int64_t lanes) {
  const REAL *a[ROWS], *b = (const REAL *)p->b + column;
  FN(vec) sum[ROWS];
  for (int r = 0; r < ROWS; r++) {
    const int64_t i = row + r < p->m ? row + r : p->m - 1;
    a[r] = (const REAL *)p->a + i * p->a_row;
    sum[r] = FN(all)(0);
  }
  for (int64_t l = 0; l < p->k; l++, b += p->b_row) {
    const FN(vec) v = lanes == FN(LANES) ? FN(load)(b) : FN(load_part)(b, lanes);
    for (int r = 0; r < ROWS; r++)
      sum[r] += FN(all)(a[r][l * p->a_column]) * v;
  }
  REAL *c = (REAL *)p->c + row * p->c_row + column;
  for (int r = 0; r < ROWS && row + r < p->m; r++)
    if (lanes == FN(LANES))
      FN(store)(c + r * p->c_row, sum[r]);
    else
      FN(store_part)(c + r * p->c_row, sum[r], lanes);
}

static void FN(matrix)(const un_product *p) {
  const int64_t whole = p->n - p->n % FN(LANES);
  for (int64_t i = 0; i < p->m; i += ROWS) {
    for (int64_t j = 0; j < whole; j += FN(LANES))
      FN(block)(p, i, j, FN(LANES));
    if (whole < p->n) FN(block)(p, i, whole, p->n - whole);
  }
}

static void FN(vector)(const un_product *p) {
  const REAL *b = p->b;
  REAL *c = p->c;
  const int64_t whole = p->k - p->k % FN(LANES), rest = p->k - whole;
  for (int64_t i = 0; i < p->m; i++) {
    const REAL *a = (const REAL *)p->a + i * p->a_row;
    FN(vec) sum = FN(all)(0);
    for (int64_t l = 0; l < whole; l += FN(LANES))
      sum += FN(load)(a + l) * FN(load)(b + l);
    if (rest > 0)
      sum += FN(load_part)(a + whole, rest) * FN(load_part)(b + whole, rest);
    c[i * p->c_row] = FN(reduce_add)(sum);
  }
}

#endif
