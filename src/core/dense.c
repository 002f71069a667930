/* dense.c -- input projections and read-outs as packed products (see dense.h). */
#include "dense.h"

#include <string.h>

#include "panel.h"
#include "row.h"
#include "rows.h"

size_t un_dense_packed_bytes(const un_dense *d) {
  return d->single ? un_row_bytes(d->dtype, d->in, d->out)
                   : un_panel_bytes(d->dtype, d->in, d->out);
}

size_t un_dense_packed_back_bytes(const un_dense *d) {
  return un_panel_bytes(d->dtype, d->out, d->in);
}

size_t un_dense_work_bytes(const un_dense *d) {
  return d->transposed ? un_panel_tn_bytes(d->dtype, d->in, d->out, d->rows)
                       : un_panel_tn_bytes(d->dtype, d->out, d->in, d->rows);
}

void un_dense_pack(const un_dense *d, void *packed) {
  int64_t row = d->transposed ? d->w_row : 1, column = d->transposed ? 1 : d->w_row;
  if (d->single)
    un_row_pack(d->dtype, packed, d->w, d->in, d->out, row, column);
  else
    un_panel_pack(d->dtype, packed, d->w, d->in, d->out, row, column);
}

un_row_product un_dense_row(const un_dense *d, const void *packed, const void *x,
                            void *y) {
  return (un_row_product){.depth = d->in,
                          .columns = d->out,
                          .x = x,
                          .packed = packed,
                          .init = d->b,
                          .y = y,
                          .kernel = un_row_kernel_for(d->dtype, d->out)};
}

void un_dense_forward(const un_dense *d, const void *packed, const void *x, void *y) {
  if (d->single) {
    const un_row_product row = un_dense_row(d, packed, x, y);
    un_row_repeat(&row);
    return;
  }
  un_panel_multiply(d->dtype, &(un_product){.rows = d->rows,
                                            .depth = d->in,
                                            .columns = d->out,
                                            .x = x,
                                            .x_row = d->in,
                                            .x_column = 1,
                                            .packed = packed,
                                            .init = d->b,
                                            .init_row = 0,
                                            .y = y,
                                            .y_row = d->y_row});
}

/* A small W is read where it lies: it is in the nearest cache then. */
static bool stays_in_place(const un_dense *d) {
  enum { SMALL = 28 << 10, LINE = 64 };
  size_t row = (size_t)d->w_row * un_dtype_bytes(d->dtype);
  return !d->transposed && row >= LINE && row * (size_t)d->out <= SMALL;
}

void un_dense_pack_back(const un_dense *d, void *packed) {
  if (stays_in_place(d)) return;
  if (d->transposed)
    un_panel_pack(d->dtype, packed, d->w, d->out, d->in, 1, d->w_row);
  else
    un_panel_pack(d->dtype, packed, d->w, d->out, d->in, d->w_row, 1);
}

void un_dense_input_gradient(const un_dense *d, const void *packed, const void *dy,
                             bool add, void *dx) {
  bool in_place = stays_in_place(d);
  un_panel_multiply(d->dtype, &(un_product){.rows = d->rows,
                                            .depth = d->out,
                                            .columns = d->in,
                                            .x = dy,
                                            .x_row = d->y_row,
                                            .x_column = 1,
                                            .packed = in_place ? d->w : packed,
                                            .plain_row = in_place ? d->w_row : 0,
                                            .init = add ? dx : NULL,
                                            .init_row = d->in,
                                            .y = dx,
                                            .y_row = d->in});
}

void un_dense_weight_gradient(const un_dense *d, const void *x, un_stripe x_rows,
                              const void *dy, un_stripe dy_rows, bool add, void *work) {
  un_panel_tn_of p = {.m = d->in,
                      .n = d->out,
                      .a = x,
                      .b = dy,
                      .a_row = d->in,
                      .b_row = d->y_row,
                      .c_row = d->w_row,
                      .a_rows = x_rows,
                      .b_rows = dy_rows,
                      .c = d->dw,
                      .add = add,
                      .scratch = work};
  un_panel_tn_of turned = p;
  turned.m = p.n, turned.a = p.b, turned.a_row = p.b_row, turned.a_rows = p.b_rows;
  turned.n = p.m, turned.b = p.a, turned.b_row = p.a_row, turned.b_rows = p.a_rows;
  un_panel_tn(d->dtype, d->transposed ? &p : &turned);
  if (d->db && !add) memset(d->db, 0, (size_t)d->out * un_dtype_bytes(d->dtype));
  for (int64_t i = 0; i < dy_rows.pieces && d->db; i++)
    un_rows_column_sum(d->dtype, d->db,
                       (const char *)dy + (size_t)(i * dy_rows.apart * d->y_row) *
                                              un_dtype_bytes(d->dtype),
                       d->y_row, dy_rows.rows, d->out);
}
