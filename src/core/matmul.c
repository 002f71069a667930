/* matmul.c -- matrix products on BLAS (see matmul.h), the only file that knows CBLAS.
**
** BLAS takes a matrix whose rows or whose columns are without gaps inside; the other
** stride is free ("leading dimension"). Anything else (every second column, expanded
** tensors, another dtype) is copied into the scratch first. A batch of left operands
** with one right operand becomes a single tall product where the strides allow. Products
** that are done before BLAS has begun go to isa/product.c. */
#include "matmul.h"

#include <cblas.h>
#include <limits.h>

#include "copy.h"
#include "isa.h"
#include "isa/product.h"
#include "profile.h"
#include "stop.h"

UN_BY_ISA(un_product_kernels, un_products)

void un_blas_open(void) {
  openblas_set_num_threads(1);
}

/* --- sizes ------------------------------------------------------------------------ */

/* v as a stack of matrices: a vector gets a dimension of size 1. */
static un_view as_matrices(const un_view *v, bool left) {
  un_view m = *v;
  if (v->dims != 1) return m;
  m.dims = 2;
  m.size[0] = left ? 1 : v->size[0];
  m.size[1] = left ? v->size[0] : 1;
  m.stride[0] = left ? 1 : v->stride[0];
  m.stride[1] = left ? v->stride[0] : 1;
  return m;
}

static un_view batch_of(const un_view *matrices) {
  un_view batch = *matrices;
  batch.dims -= 2;
  return batch;
}

static int64_t rows(const un_view *m) {
  return m->size[m->dims - 2];
}

static int64_t columns(const un_view *m) {
  return m->size[m->dims - 1];
}

static bool check_inner(const un_view *a, const un_view *b, const un_view *ma,
                        const un_view *mb, un_err *err) {
  if (columns(ma) == rows(mb)) return true;
  return un_fail(
      err, "matmul: a is %s, b is %s: a's %s (%lld) must equal b's %s (%lld)",
      un_shape(a).s, un_shape(b).s, a->dims == 1 ? "size" : "columns",
      (long long)columns(ma), b->dims == 1 ? "size" : "rows", (long long)rows(mb));
}

bool un_matmul_sizes(const un_view *a, const un_view *b, int *dims, int64_t *size,
                     un_err *err) {
  if (a->dims == 2 && b->dims == 2 && a->size[1] == b->size[0] &&
      a->size[0] <= INT_MAX && a->size[1] <= INT_MAX && b->size[1] <= INT_MAX) {
    *dims = 2; /* the common case */
    size[0] = a->size[0];
    size[1] = b->size[1];
    return true;
  }
  if (a->dims == 0 || b->dims == 0)
    return un_fail(err, "matmul: a is %s, b is %s: both need at least one dimension",
                   un_shape(a).s, un_shape(b).s);
  un_view ma = as_matrices(a, true), mb = as_matrices(b, false);
  if (!check_inner(a, b, &ma, &mb, err)) return false;
  un_view batch_a = batch_of(&ma), batch_b = batch_of(&mb);
  if (!un_broadcast_sizes(&batch_a, &batch_b, dims, size))
    return un_fail(
        err, "matmul: a is %s, b is %s: the batches %s and %s do not broadcast",
        un_shape(a).s, un_shape(b).s, un_shape(&batch_a).s, un_shape(&batch_b).s);
  if (rows(&ma) > INT_MAX || columns(&ma) > INT_MAX || columns(&mb) > INT_MAX)
    return un_fail(err, "matmul: a is %s, b is %s: BLAS takes sizes up to %d",
                   un_shape(a).s, un_shape(b).s, INT_MAX);
  if (a->dims > 1) size[(*dims)++] = rows(&ma);
  if (b->dims > 1) size[(*dims)++] = columns(&mb);
  return true;
}

/* --- small products --------------------------------------------------------------- */

/* Multiplications; the kernel takes ROWS rows together, whether there are so many or not. */
enum { SMALL = 1 << 15, SMALL_VECTOR = 1 << 12, ROWS = 4, ROOM = 256 };

/* No batch, one dtype, something to add up. */
static bool is_plain(const un_view *a, const un_view *b, const un_view *out) {
  return a->dims >= 1 && a->dims <= 2 && b->dims >= 1 && b->dims <= 2 &&
         a->dtype == out->dtype && b->dtype == out->dtype && a->size[a->dims - 1] > 0;
}

/* A small b whose rows have gaps, in `room`. */
static void close_gaps(un_product *p, const un_view *b, double *room) {
  un_view closed = *b;
  closed.data = room;
  un_set_contiguous(&closed);
  un_copy(&closed, b);
  p->b = room;
  p->b_row = p->n;
}

bool un_matmul_small(const un_view *a, const un_view *b, const un_view *out) {
  double room[ROOM];
  if (!is_plain(a, b, out)) return false;
  const int column = a->dims - 1, kernel = out->dtype == UN_F64;
  const bool one_row = a->dims == 1, one_column = b->dims == 1;
  un_product p = {.m = one_row ? 1 : a->size[0],
                  .k = a->size[column],
                  .n = one_column ? 1 : b->size[1],
                  .a = a->data,
                  .b = b->data,
                  .c = out->data,
                  .a_row = one_row ? 0 : a->stride[0],
                  .a_column = a->stride[column],
                  .b_row = b->stride[0],
                  .c_row = one_row ? 0 : out->stride[0]};
  if (p.m > SMALL || p.n > SMALL || p.n == 0 || p.k > SMALL) return false;
  if (p.n == 1) {
    const bool no_gaps = (p.a_column == 1 && p.b_row == 1) || p.k == 1;
    if (p.m * p.k > SMALL_VECTOR || !no_gaps) return false;
  } else {
    const int64_t rows_done = (p.m + ROWS - 1) / ROWS * ROWS;
    const bool gaps = b->stride[1] != 1;
    if (rows_done * p.k > SMALL / p.n || out->stride[out->dims - 1] != 1 ||
        (gaps && p.k * p.n > ROOM))
      return false;
    if (gaps) close_gaps(&p, b, room);
  }
  UN_PROFILE_BEGIN(UN_PHASE_MATMUL);
  (p.n == 1 ? un_products()->vector : un_products()->matrix)[kernel](&p);
  UN_PROFILE_END(2.0 * (double)p.m * (double)p.k * (double)p.n);
  return true;
}

/* --- what BLAS can take ----------------------------------------------------------- */

static bool in_rows(const un_view *m) {
  int64_t row = m->stride[m->dims - 2], column = m->stride[m->dims - 1];
  return (columns(m) <= 1 || column == 1) &&
         (rows(m) <= 1 || (row >= columns(m) && row >= 1 && row <= INT_MAX));
}

static un_view transposed(const un_view *m) {
  un_view t = *m;
  int r = m->dims - 2, c = m->dims - 1;
  t.size[r] = m->size[c];
  t.size[c] = m->size[r];
  t.stride[r] = m->stride[c];
  t.stride[c] = m->stride[r];
  return t;
}

static bool blas_takes(const un_view *m) {
  un_view t = transposed(m);
  return in_rows(m) || in_rows(&t);
}

static int leading(const un_view *m) {
  int64_t row = rows(m) > 1 ? m->stride[m->dims - 2] : columns(m);
  return row > 1 ? (int)row : 1;
}

/* --- the plan --------------------------------------------------------------------- */

/* The place of a copy of m in the scratch: an offset for now. */
static un_view reserve(un_matmul *plan, const un_view *m, un_dtype dtype) {
  un_view copy = *m;
  copy.dtype = dtype;
  un_set_contiguous(&copy);
  copy.data = (void *)(uintptr_t)plan->scratch;
  size_t bytes = (size_t)un_numel(&copy) * un_dtype_bytes(dtype);
  if (bytes > PTRDIFF_MAX) bytes = PTRDIFF_MAX; /* expanded: no memory can hold it */
  plan->scratch += (bytes + 63) & ~(size_t)63;
  if (plan->scratch > PTRDIFF_MAX) plan->scratch = PTRDIFF_MAX;
  return copy;
}

/* Gives m the batch dimensions of c. */
static void expand_batch(un_view *m, const un_view *c) {
  un_view batch = batch_of(m);
  int n = c->dims - 2, d = m->dims - 2;
  int64_t size[2] = {m->size[d], m->size[d + 1]},
          stride[2] = {m->stride[d], m->stride[d + 1]};
  if (!un_expand(&batch, &batch, n, c->size)) return; /* un_matmul_sizes has checked */
  for (int k = 0; k < 2; k++) {
    batch.size[n + k] = size[k];
    batch.stride[n + k] = stride[k];
  }
  batch.dims = n + 2;
  *m = batch;
}

static void drop_dim(un_view *v, int dim) {
  v->dims--;
  for (int d = dim; d < v->dims; d++) {
    v->size[d] = v->size[d + 1];
    v->stride[d] = v->stride[d + 1];
  }
}

/* v with dimension d, which must continue the rows behind it, as more rows. BLAS may
** take v and not this: the stride of a single row meant nothing before. */
static bool fold(un_view *v, int d) {
  un_view folded = *v;
  int64_t m = v->size[d + 1], n = v->size[d];
  if (n != 1) {
    if (v->stride[d] != m * v->stride[d + 1] || m * n > INT_MAX) return false;
    folded.size[d + 1] *= n;
  }
  drop_dim(&folded, d);
  if (!blas_takes(&folded)) return false;
  *v = folded;
  return true;
}

/* While the last batch dimension of a continues its rows, and c's too, and b is the
** same in it: makes them rows. */
static void fold_batch(un_matmul *p) {
  for (int d = p->c.dims - 3; d >= 0; d--) {
    un_view a = p->a, c = p->c;
    bool same_b = p->c.size[d] == 1 || p->b.stride[d] == 0;
    if (!same_b || !fold(&a, d) || !fold(&c, d)) return;
    p->a = a;
    p->c = c;
    drop_dim(&p->b, d);
  }
}

/* out as a stack of matrices, with the dimensions that vectors took away. */
static un_view as_output(const un_view *a, const un_view *b, const un_view *out) {
  un_view c = *out;
  if (b->dims == 1) {
    c.size[c.dims] = 1;
    c.stride[c.dims++] = 1;
  }
  if (a->dims == 1) {
    c.size[c.dims] = c.dims > 0 ? c.size[c.dims - 1] : 1;
    c.stride[c.dims] = c.dims > 0 ? c.stride[c.dims - 1] : 1;
    int row = c.dims++ - 1;
    c.size[row] = 1;
    c.stride[row] = 1;
  }
  return c;
}

void un_matmul_plan(un_matmul *p, const un_view *a, const un_view *b,
                    const un_view *out) {
  *p = (un_matmul){
      .a = as_matrices(a, true), .b = as_matrices(b, false), .c = as_output(a, b, out)};
  p->copy_a = a->dtype != out->dtype || !blas_takes(&p->a);
  p->copy_b = b->dtype != out->dtype || !blas_takes(&p->b);
  p->copy_c = !blas_takes(&p->c);
  p->from_a = p->a;
  p->from_b = p->b;
  p->to_c = p->c;
  if (p->copy_a) p->a = reserve(p, &p->a, out->dtype);
  if (p->copy_b) p->b = reserve(p, &p->b, out->dtype);
  if (p->copy_c) p->c = reserve(p, &p->c, out->dtype);
}

/* --- one product ------------------------------------------------------------------ */

typedef struct product {
  un_view a, b, c; /* 2-d */
} product;

/* c += a b with b and c one column. */
static void add_vector(const product *p) {
  bool plain = in_rows(&p->a);
  un_view a = plain ? p->a : transposed(&p->a);
  CBLAS_TRANSPOSE trans = plain ? CblasNoTrans : CblasTrans;
  int m = (int)a.size[0], n = (int)a.size[1], lda = leading(&a);
  int inc_x = p->b.size[0] > 1 ? (int)p->b.stride[0] : 1;
  int inc_y = p->c.size[0] > 1 ? (int)p->c.stride[0] : 1;
  if (p->c.dtype == UN_F32)
    cblas_sgemv(CblasRowMajor, trans, m, n, 1, a.data, lda, p->b.data, inc_x, 1,
                p->c.data, inc_y);
  else
    cblas_dgemv(CblasRowMajor, trans, m, n, 1, a.data, lda, p->b.data, inc_x, 1,
                p->c.data, inc_y);
}

/* c = a b, or c += a b. */
static void multiply_matrix(const product *p, double beta) {
  bool plain_a = in_rows(&p->a), plain_b = in_rows(&p->b);
  un_view a = plain_a ? p->a : transposed(&p->a);
  un_view b = plain_b ? p->b : transposed(&p->b);
  CBLAS_TRANSPOSE ta = plain_a ? CblasNoTrans : CblasTrans;
  CBLAS_TRANSPOSE tb = plain_b ? CblasNoTrans : CblasTrans;
  int m = (int)p->c.size[0], n = (int)p->c.size[1], k = (int)p->a.size[1];
  if (p->c.dtype == UN_F32)
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a.data, leading(&a), b.data,
                leading(&b), (float)beta, p->c.data, leading(&p->c));
  else
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a.data, leading(&a), b.data,
                leading(&b), beta, p->c.data, leading(&p->c));
}

/* --- in blocks -------------------------------------------------------------------- */

/* Rows `first`.. of v, or columns when dim is 1; `most` of them. */
static un_view part(const un_view *v, int dim, int64_t first, int64_t most) {
  un_view p = *v;
  int64_t left = v->size[dim] - first;
  p.size[dim] = left < most ? left : most;
  p.data = (char *)v->data + first * v->stride[dim] * (int64_t)un_dtype_bytes(v->dtype);
  return p;
}

/* A large product goes in blocks of some milliseconds, between which it can be stopped:
** BLAS itself cannot. They are so large that this costs nothing. */
enum { BLOCK_ROWS = 768, BLOCK_DEPTH = 1024, VECTOR_BLOCK = 1 << 21 };

static void multiply_vector(const product *p) {
  int64_t rows_each = VECTOR_BLOCK / p->a.size[1] + 1, depth = VECTOR_BLOCK;
  un_fill(&p->c, 0); /* BLAS may read it */
  for (int64_t i = 0; i < p->c.size[0]; i += rows_each) {
    un_view a = part(&p->a, 0, i, rows_each), c = part(&p->c, 0, i, rows_each);
    for (int64_t k = 0; k < a.size[1] && !un_stopped(); k += depth)
      add_vector(&(product){part(&a, 1, k, depth), part(&p->b, 0, k, depth), c});
  }
}

/* One block of rows and columns of c. */
static void multiply_block(const product *p) {
  for (int64_t k = 0; k < p->a.size[1] && !un_stopped(); k += BLOCK_DEPTH) {
    product block = {part(&p->a, 1, k, BLOCK_DEPTH), part(&p->b, 0, k, BLOCK_DEPTH),
                     p->c};
    multiply_matrix(&block, k > 0);
  }
}

static void multiply_blocks(const product *p) {
  for (int64_t i = 0; i < p->c.size[0]; i += BLOCK_ROWS) {
    un_view a = part(&p->a, 0, i, BLOCK_ROWS),
            rows_of_c = part(&p->c, 0, i, BLOCK_ROWS);
    for (int64_t j = 0; j < p->c.size[1]; j += BLOCK_ROWS)
      multiply_block(&(product){a, part(&p->b, 1, j, BLOCK_ROWS),
                                part(&rows_of_c, 1, j, BLOCK_ROWS)});
  }
}

/* (a b) = (b' a')', so that c's rows have no gaps and a vector is on the right. */
static product flipped(const product *p) {
  return (product){transposed(&p->b), transposed(&p->a), transposed(&p->c)};
}

static void multiply(const product *given) {
  product p = *given;
  if (p.c.size[0] == 0 || p.c.size[1] == 0) return;
  if (p.a.size[1] == 0) {
    un_fill(&p.c, 0);
    return;
  }
  if (p.c.size[1] != 1 && (p.c.size[0] == 1 || !in_rows(&p.c))) p = flipped(&p);
  if (p.c.size[1] == 1)
    multiply_vector(&p);
  else
    multiply_blocks(&p);
}

/* --- the batch -------------------------------------------------------------------- */

static un_view matrix_at(const un_view *v, const int64_t *index) {
  un_view m = {.dtype = v->dtype, .dims = 2};
  int64_t offset = 0;
  int batch = v->dims - 2;
  for (int d = 0; d < batch; d++)
    offset += index[d] * v->stride[d];
  m.data = (char *)v->data + offset * (int64_t)un_dtype_bytes(v->dtype);
  for (int k = 0; k < 2; k++) {
    m.size[k] = v->size[batch + k];
    m.stride[k] = v->stride[batch + k];
  }
  return m;
}

static void multiply_batch(const un_matmul *p) {
  int64_t index[UN_MAX_DIMS] = {0};
  int batch = p->c.dims - 2, d;
  if (un_numel(&p->c) == 0) return;
  do {
    if (un_stopped()) return;
    product one = {matrix_at(&p->a, index), matrix_at(&p->b, index),
                   matrix_at(&p->c, index)};
    multiply(&one);
    for (d = batch - 1; d >= 0 && ++index[d] == p->c.size[d]; d--)
      index[d] = 0;
  } while (d >= 0);
}

static void place(un_view *v, void *scratch) {
  v->data = (char *)scratch + (uintptr_t)v->data;
}

void un_matmul_run(un_matmul *p, void *scratch) {
  UN_PROFILE_BEGIN(UN_PHASE_MATMUL);
  const double flops = 2.0 * (double)un_numel(&p->c) * (double)columns(&p->a);
  if (p->copy_a) {
    place(&p->a, scratch);
    un_copy(&p->a, &p->from_a);
  }
  if (p->copy_b) {
    place(&p->b, scratch);
    un_copy(&p->b, &p->from_b);
  }
  if (p->copy_c) place(&p->c, scratch);
  un_view c = p->c;
  expand_batch(&p->a, &c);
  expand_batch(&p->b, &c);
  fold_batch(p);
  multiply_batch(p);
  if (p->copy_c) un_copy(&p->to_c, &c);
  UN_PROFILE_END(flops);
}
