/* panel.c -- packed products: sizes, choice of kernels, the blocked a^T b. */
#include "panel.h"

#include "isa.h"
#include "stop.h"

UN_BY_ISA(un_panel_kernels, un_panel)

/* Rows of b that un_panel_tn packs at a time: a panel of them stays in the L2 cache. */
enum { TN_BLOCK = 256 };

size_t un_panel_bytes(un_dtype dtype, int64_t depth, int64_t columns) {
  int64_t width = un_panel()->width[dtype];
  int64_t panels = (columns + width - 1) / width;
  return (size_t)(panels * depth * width) * un_dtype_bytes(dtype);
}

void un_panel_pack(un_dtype dtype, void *packed, const void *w, int64_t depth,
                   int64_t columns, int64_t row_stride, int64_t column_stride) {
  un_panel()->pack[dtype](packed, w, depth, columns, row_stride, column_stride);
}

/* Rows that the kernel gets at a time: between its panels it asks whether to stop, and
** with more rows a panel would take too long. A multiple of every kernel's tile. */
enum { ROW_BLOCK = 1536 };

static const char *rows_on(const void *rows, int64_t elements, un_dtype dtype) {
  return rows ? (const char *)rows + elements * (int64_t)un_dtype_bytes(dtype) : NULL;
}

void un_panel_multiply(un_dtype dtype, const un_product *p) {
  un_product block = *p;
  for (int64_t first = 0; first < p->rows; first += ROW_BLOCK) {
    block.rows = p->rows - first < ROW_BLOCK ? p->rows - first : ROW_BLOCK;
    block.x = rows_on(p->x, first * p->x_row, dtype);
    block.init = rows_on(p->init, first * p->init_row, dtype);
    block.y = (char *)p->y + first * p->y_row * (int64_t)un_dtype_bytes(dtype);
    un_panel()->multiply[dtype](&block);
  }
}

size_t un_panel_tn_bytes(un_dtype dtype, int64_t depth, int64_t columns) {
  return un_panel_bytes(dtype, depth < TN_BLOCK ? depth : TN_BLOCK, columns);
}

void un_panel_tn(un_dtype dtype, void *c, const void *a, const void *b, int64_t m,
                 int64_t n, int64_t k, void *scratch) {
  size_t bytes = un_dtype_bytes(dtype);
  for (int64_t first = 0; first < k && !un_stopped(); first += TN_BLOCK) {
    int64_t depth = k - first < TN_BLOCK ? k - first : TN_BLOCK;
    un_panel_pack(dtype, scratch, (const char *)b + (size_t)(first * n) * bytes, depth,
                  n, n, 1);
    un_panel_multiply(dtype,
                      &(un_product){.rows = m,
                                    .depth = depth,
                                    .columns = n,
                                    .x = (const char *)a + (size_t)(first * m) * bytes,
                                    .x_row = 1,
                                    .x_column = m,
                                    .packed = scratch,
                                    .init = c,
                                    .init_row = n,
                                    .y = c,
                                    .y_row = n});
  }
}
