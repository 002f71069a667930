/* series.c -- reading numbers, mapping them to the page, thinning long lines.
**
** A line of a million points covers a page a few thousand pixels wide. Of all
** neighbouring points that fall into one bucket (half a device pixel wide) the first,
** the lowest, the highest and the last are enough: the picture differs in less than
** one pixel of a hundred, and cairo, whose strokes take time that grows faster than
** their length, gets thousands of points in place of a million. */
#include "series.h"

double un_series_value(const un_series *s, size_t i) {
  if (!s->data) return (double)i + 1;
  ptrdiff_t at = (ptrdiff_t)i * s->stride;
  if (s->is_double) return ((const double *)s->data)[at];
  return (double)((const float *)s->data)[at];
}

double un_map_curve(const un_fast_map *map, double v) {
  if (map->scale == UN_LINEAR) return v;
  if (map->scale == UN_LOG10) return v > 0 ? log10(v) : (double)NAN;
  double u = v / map->threshold, size = fabs(u);
  return size <= 1 ? u : copysign(1 + log10(size), u);
}

un_fast_map un_map_prepare(const un_map *map) {
  un_fast_map m = {.scale = map->scale, .at = map->at_low, .threshold = map->threshold};
  m.low = un_map_curve(&m, map->low);
  m.factor = (map->at_high - map->at_low) / (un_map_curve(&m, map->high) - m.low);
  return m;
}

double un_map_value(const un_map *map, double value) {
  un_fast_map m = un_map_prepare(map);
  return un_map_fast(&m, value);
}

un_range un_series_range(const un_series *s, bool positive_only) {
  un_range range = {
      .low = (double)INFINITY, .high = -(double)INFINITY, .integers = true};
  for (size_t i = 0; i < s->count; i++) {
    double v = un_series_value(s, i);
    if (!isfinite(v)) continue;
    if (positive_only && v <= 0) {
      range.dropped++;
      continue;
    }
    range.finite++;
    if (v < range.low) range.low = v;
    if (v > range.high) range.high = v;
    if (range.integers && v != floor(v)) range.integers = false;
  }
  return range;
}

/* --- thinning -----------------------------------------------------------------------
 */

typedef struct point {
  double x, y;
  size_t order; /* within the bucket */
} point;

typedef struct bucket {
  double from, to; /* its ends on the page */
  size_t count;
  point first, lowest, highest, last;
} bucket;

static void add_to_bucket(bucket *b, double x, double y) {
  point p = {x, y, b->count};
  if (b->count == 0) b->first = b->lowest = b->highest = p;
  if (y < b->lowest.y) b->lowest = p;
  if (y > b->highest.y) b->highest = p;
  b->last = p;
  b->count++;
}

static void emit(const un_sink *sink, const point *p, size_t *done) {
  if (p->order < *done) return; /* the same point in two roles */
  sink->point(sink->self, p->x, p->y);
  *done = p->order + 1;
}

static void flush_bucket(bucket *b, const un_sink *sink) {
  if (b->count == 0) return;
  bool rising = b->lowest.order < b->highest.order;
  size_t done = 0;
  emit(sink, &b->first, &done);
  emit(sink, rising ? &b->lowest : &b->highest, &done);
  emit(sink, rising ? &b->highest : &b->lowest, &done);
  emit(sink, &b->last, &done);
  b->count = 0;
}

bool un_series_is_long(const un_frame *frame, size_t count, double width) {
  double buckets = fabs(frame->box.right - frame->box.left) / width;
  return (double)count > 4 * buckets;
}

void un_series_walk(const un_frame *frame, const un_series *x, const un_series *y,
                    double width, const un_sink *sink) {
  bool thin = un_series_is_long(frame, y->count, width);
  un_fast_map to_x = un_map_prepare(&frame->x), to_y = un_map_prepare(&frame->y);
  bucket b = {0};
  for (size_t i = 0; i < y->count; i++) {
    double px = un_map_fast(&to_x, un_series_value(x, i));
    double py = un_map_fast(&to_y, un_series_value(y, i));
    if (!isfinite(px) || !isfinite(py)) {
      flush_bucket(&b, sink);
      sink->gap(sink->self);
    } else if (!thin) {
      sink->point(sink->self, px, py);
    } else {
      if (!(px >= b.from && px < b.to)) {
        flush_bucket(&b, sink);
        b.from = floor(px / width) * width;
        b.to = b.from + width;
      }
      add_to_bucket(&b, px, py);
    }
  }
  flush_bucket(&b, sink);
  sink->gap(sink->self);
}

/* --- outline ------------------------------------------------------------------------
 */

typedef struct outline {
  double *points;
  size_t count, room;
} outline;

static void outline_point(void *self, double x, double y) {
  outline *o = self;
  if (o->count >= o->room) return;
  o->points[2 * o->count] = x;
  o->points[2 * o->count + 1] = y;
  o->count++;
}

static void outline_gap(void *self) {
  outline *o = self;
  if (o->count > 0 && !isnan(o->points[2 * o->count - 1]))
    outline_point(o, (double)NAN, (double)NAN);
}

size_t un_series_outline(const un_frame *frame, const un_series *x, const un_series *y,
                         double width, double *points, size_t room) {
  outline o = {points, 0, room};
  un_sink sink = {outline_point, outline_gap, &o};
  un_series_walk(frame, x, y, width, &sink);
  return o.count;
}
