/* loss.c -- checks, weights, choice of kernels (see loss.h). */
#include "loss.h"

#include "isa.h"
#include "profile.h"
#include "stop.h"

UN_BY_ISA(un_loss_kernels, un_loss_table)

static double weight_of(const un_loss *l, int64_t row) {
  if (!l->weight) return 1;
  return l->dtype == UN_F32 ? (double)((const float *)l->weight)[row]
                            : ((const double *)l->weight)[row];
}

bool un_check_labels(const un_loss *l, int64_t batch, un_err *err) {
  for (int64_t n = 0; n < l->rows; n++)
    if ((l->labels[n] < 1 || l->labels[n] > l->columns) && weight_of(l, n) != 0)
      return un_fail(err, "targets must be in 1..%lld, the one at (%lld,%lld) is %d",
                     (long long)l->columns, (long long)(n / batch + 1),
                     (long long)(n % batch + 1), (int)l->labels[n]);
  return true;
}

double un_weight_sum(const un_loss *l, double sum) {
  if (!l->weight) return sum + (double)l->rows;
  for (int64_t n = 0; n < l->rows; n++)
    sum += weight_of(l, n);
  return sum;
}

static const void *row_of(const void *rows, int64_t elements, un_dtype dtype) {
  return rows ? (const char *)rows + elements * (int64_t)un_dtype_bytes(dtype) : NULL;
}

un_loss un_loss_part(const un_loss *l, int64_t first, int64_t rows) {
  un_loss part = *l;
  int64_t n = first * l->columns;
  part.rows = rows;
  part.y = row_of(l->y, n, l->dtype);
  part.labels = l->labels ? l->labels + first : NULL;
  part.target = row_of(l->target, n, l->dtype);
  part.weight = row_of(l->weight, first, l->dtype);
  part.dy = (void *)row_of(l->dy, n, l->dtype);
  return part;
}

void un_loss_rows(const un_loss *l, double *each) {
  UN_PROFILE_BEGIN(UN_PHASE_LOSS);
  (l->labels ? un_loss_table()->softmax : un_loss_table()->squares)[l->dtype](l, each);
  UN_PROFILE_END(0);
}

double un_loss_sum(const un_loss *l, double total) {
  enum { CHUNK = 256 };
  double each[CHUNK];
  for (int64_t first = 0; first < l->rows && !un_stopped(); first += CHUNK) {
    int64_t rows = l->rows - first < CHUNK ? l->rows - first : CHUNK;
    un_loss part = un_loss_part(l, first, rows);
    un_loss_rows(&part, each);
    for (int64_t r = 0; r < rows; r++)
      total += each[r];
  }
  return total;
}
