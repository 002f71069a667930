/* pick.c -- drawing from logits (see pick.h). */
#include "pick.h"

#include <math.h>

#include "isa.h"

UN_BY_ISA(un_pick_kernels, un_pick_table)

/* a comes before b in the order of falling shares */
static bool precedes(const un_pick *p, int32_t a, int32_t b) {
  return p->share[a] > p->share[b] || (p->share[a] == p->share[b] && a < b);
}

/* Heap sort: a parent comes after its children, so the last one is at the root. */
static void sift_down(const un_pick *p, int64_t root, int64_t n) {
  int32_t *order = p->order, moved = order[root];
  for (int64_t child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && precedes(p, order[child], order[child + 1])) child++;
    if (precedes(p, order[child], moved)) break;
    order[root] = order[child];
  }
  order[root] = moved;
}

static void sort_by_share(const un_pick *p) {
  for (int64_t i = p->n / 2 - 1; i >= 0; i--)
    sift_down(p, i, p->n);
  for (int64_t end = p->n - 1; end > 0; end--) {
    int32_t last = p->order[0];
    p->order[0] = p->order[end];
    p->order[end] = last;
    sift_down(p, 0, end);
  }
}

static double sum_first(const un_pick *p, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += p->share[p->order[i]];
  return sum;
}

/* How many of the symbols in order top_p keeps. */
static int64_t nucleus(const un_pick *p, int64_t n) {
  double wanted = p->top_p * sum_first(p, n), sum = 0;
  for (int64_t i = 0; i < n; i++) {
    sum += p->share[p->order[i]];
    if (sum >= wanted) return i + 1;
  }
  return n;
}

/* The symbol of the first `n` in order where the running sum of the shares passes u. */
static int64_t symbol_in_order(const un_pick *p, int64_t n, double sum) {
  double left = p->u * sum;
  int64_t i = 0;
  while (i + 1 < n && (left -= p->share[p->order[i]]) >= 0)
    i++;
  return p->order[i];
}

static int64_t pick_among_first(const un_pick *p) {
  int64_t n = p->n;
  for (int64_t i = 0; i < n; i++)
    p->order[i] = (int32_t)i;
  sort_by_share(p);
  if (p->top_k < n) n = p->top_k;
  if (p->top_p < 1) n = nucleus(p, n);
  return symbol_in_order(p, n, sum_first(p, n));
}

/* By chance; -1 where the logits are not finite. */
static int64_t draw(const un_pick *p) {
  const un_pick_kernels *k = un_pick_table();
  double sum = k->shares[p->dtype](p->logits, p->n, p->temperature, p->share);
  if (!isfinite(sum)) return -1;
  if (p->top_k < p->n || p->top_p < 1) return pick_among_first(p);
  return k->find(p->share, p->n, p->u * sum);
}

bool un_pick_symbol(const un_pick *p, int64_t *symbol, un_err *err) {
  *symbol = p->temperature > 0 ? draw(p)
                               : un_pick_table()->largest[p->dtype](p->logits, p->n);
  return *symbol >= 0 || un_fail(err, "the logits are not finite");
}
