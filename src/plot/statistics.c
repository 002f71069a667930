/* statistics.c -- counts and quantiles of long series, for histograms and boxes. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

/* --- sorting ------------------------------------------------------------------------
**
** Many numbers are sorted by their digits, from the lowest up (Knuth, vol. 3, 5.2.5): six
** digits of eleven bits, of which those are passed over that all numbers share, as the
** lower ones of numbers that were float32. A double's bits rise with its value, once
** those of negative numbers are turned over and the others get the highest bit. */

enum { DIGITS = 6, BITS = 11, VALUES = 1 << BITS, FEW = 2048 };

typedef size_t digit_counts[DIGITS][VALUES];

static const uint64_t sign_bit = (uint64_t)1 << 63;

static uint64_t key_of(double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits & sign_bit ? ~bits : bits | sign_bit;
}

static unsigned digit_of(uint64_t key, int digit) {
  return (unsigned)(key >> (digit * BITS)) & (VALUES - 1);
}

static void count_digits(const double *values, size_t n, digit_counts counts) {
  memset(counts, 0, sizeof(digit_counts));
  for (size_t i = 0; i < n; i++) {
    uint64_t key = key_of(values[i]);
    for (int d = 0; d < DIGITS; d++)
      counts[d][digit_of(key, d)]++;
  }
}

/* From how many numbers have a digit to where the first of them goes. */
static void to_places(size_t *counts) {
  size_t before = 0;
  for (int v = 0; v < VALUES; v++) {
    size_t count = counts[v];
    counts[v] = before;
    before += count;
  }
}

static void sort_by_digits(double *values, double *scratch, size_t n) {
  digit_counts counts;
  double *from = values, *to = scratch;
  count_digits(values, n, counts);
  for (int d = 0; d < DIGITS; d++) {
    if (counts[d][digit_of(key_of(from[0]), d)] == n) continue;
    to_places(counts[d]);
    for (size_t i = 0; i < n; i++)
      to[counts[d][digit_of(key_of(from[i]), d)]++] = from[i];
    double *other = from;
    from = to;
    to = other;
  }
  if (from != values) memcpy(values, from, n * sizeof *values);
}

size_t un_series_sorted(const un_series *s, double *sorted, double *scratch) {
  size_t n = 0;
  for (size_t i = 0; i < s->count; i++) {
    double v = un_series_value(s, i);
    if (isfinite(v)) sorted[n++] = v;
  }
  if (n <= FEW)
    qsort(sorted, n, sizeof *sorted, compare);
  else
    sort_by_digits(sorted, scratch, n);
  return n;
}

double un_quantile(const double *sorted, size_t n, double p) {
  double at = p * (double)(n - 1), part = at - floor(at);
  size_t i = (size_t)at;
  if (i + 1 >= n) return sorted[n - 1];
  return sorted[i] * (1 - part) + sorted[i + 1] * part;
}
