/* statistics.c -- counts and quantiles of long series, for histograms and boxes. */
#include <math.h>
#include <stdlib.h>

#include "canvas.h"

/* The bin of v, which lies within the edges: bisection, whatever the widths are. */
static size_t bin_of(const double *edges, size_t n_edges, double v) {
  size_t low = 0, high = n_edges - 1;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (v < edges[middle])
      high = middle;
    else
      low = middle;
  }
  return low;
}

void un_series_histogram(const un_series *s, const double *edges, size_t n_edges,
                         double *counts) {
  for (size_t i = 0; i + 1 < n_edges; i++)
    counts[i] = 0;
  for (size_t i = 0; i < s->count; i++) {
    double v = un_series_value(s, i);
    if (v >= edges[0] && v <= edges[n_edges - 1]) counts[bin_of(edges, n_edges, v)]++;
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

size_t un_series_sorted(const un_series *s, double *sorted) {
  size_t n = 0;
  for (size_t i = 0; i < s->count; i++) {
    double v = un_series_value(s, i);
    if (isfinite(v)) sorted[n++] = v;
  }
  qsort(sorted, n, sizeof *sorted, compare);
  return n;
}

double un_quantile(const double *sorted, size_t n, double p) {
  double at = p * (double)(n - 1), part = at - floor(at);
  size_t i = (size_t)at;
  if (i + 1 >= n) return sorted[n - 1];
  return sorted[i] * (1 - part) + sorted[i + 1] * part;
}
