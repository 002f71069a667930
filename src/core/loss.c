/* loss.c -- checks, weights, choice of kernels (see loss.h). */
#include "loss.h"

#include "isa.h"

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

double un_softmax_loss(const un_loss *l, double total) {
  return un_loss_table()->softmax[l->dtype](l, total);
}

double un_squares_loss(const un_loss *l, double total) {
  return un_loss_table()->squares[l->dtype](l, total);
}
