/* area.c -- the area between two lines over the same x.
**
** Each stretch without a gap becomes one polygon: along the upper line and back along
** the lower one. Long series are thinned to the envelope of each bucket. The polygon is
** clipped to the box in double precision (Sutherland and Hodgman 1974), one edge of the
** box after the other. */
#include <math.h>
#include <stdlib.h>

#include "page.h"
#include "series.h"

typedef struct corner {
  double x, y;
} corner;

typedef struct slice {
  double x, low, high;
} slice;

/* On a log axis what is not positive lies below every floor. */
static double place_or_floor(const un_map *map, double v, double floor) {
  if (map->scale == UN_LOG10 && v <= 0) return floor;
  return un_map_value(map, v);
}

static bool slice_at(const un_frame *f, const un_series *x, const un_series *low,
                     const un_series *high, size_t i, slice *s) {
  double floor = f->y.at_low + 16 * (f->y.at_low > f->y.at_high ? 1 : -1);
  s->x = un_map_value(&f->x, un_series_value(x, i));
  s->low = place_or_floor(&f->y, un_series_value(low, i), floor);
  s->high = place_or_floor(&f->y, un_series_value(high, i), floor);
  return isfinite(s->x) && isfinite(s->low) && isfinite(s->high);
}

/* --- clipping -----------------------------------------------------------------------
 */

typedef struct edge {
  bool level;  /* y is limited, else x */
  double sign; /* inside: sign * coordinate <= sign * limit */
  double limit;
} edge;

static double excess(const edge *e, corner a) {
  return e->sign * ((e->level ? a.y : a.x) - e->limit);
}

/* The limited coordinate is the limit itself: from a far corner it could not be
** computed. */
static corner crossing(const edge *e, corner a, corner b) {
  double t = excess(e, a) / (excess(e, a) - excess(e, b));
  if (e->level) return (corner){a.x + t * (b.x - a.x), e->limit};
  return (corner){e->limit, a.y + t * (b.y - a.y)};
}

/* out has room for 2 * n corners. */
static size_t clip_polygon(const edge *e, const corner *in, size_t n, corner *out) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    corner a = in[i], b = in[(i + 1) % n];
    bool a_inside = excess(e, a) <= 0, b_inside = excess(e, b) <= 0;
    if (a_inside) out[count++] = a;
    if (a_inside != b_inside) out[count++] = crossing(e, a, b);
  }
  return count;
}

/* The clipped polygon in *corners (which may move); 0 when nothing is left or memory
** is short. */
static size_t clip_to_box(const un_box *box, corner **corners, size_t n, bool *failed) {
  const edge edges[] = {{false, -1, box->left},
                        {false, 1, box->right},
                        {true, -1, box->top},
                        {true, 1, box->bottom}};
  for (int i = 0; i < 4 && n > 0; i++) {
    corner *out = malloc(2 * n * sizeof *out);
    if (!out) {
      *failed = true;
      return 0;
    }
    n = clip_polygon(&edges[i], *corners, n, out);
    free(*corners);
    *corners = out;
  }
  return n;
}

/* --- drawing ------------------------------------------------------------------------
 */

static void fill_slices(un_canvas *c, const un_frame *frame, const slice *slices,
                        size_t n, un_color fill) {
  if (n == 0) return;
  corner *corners = malloc(2 * n * sizeof *corners);
  if (!corners) {
    c->bytes.failed = true;
    return;
  }
  for (size_t i = 0; i < n; i++) {
    corners[i] = (corner){slices[i].x, slices[i].high};
    corners[2 * n - 1 - i] = (corner){slices[i].x, slices[i].low};
  }
  un_box box = un_box_grow(&frame->box, 4);
  size_t count = clip_to_box(&box, &corners, 2 * n, &c->bytes.failed);
  cairo.new_path(c->cr);
  for (size_t i = 0; i < count; i++)
    cairo.line_to(c->cr, corners[i].x, corners[i].y);
  cairo.close_path(c->cr);
  un_set_color(c->cr, fill);
  cairo.fill(c->cr);
  free(corners);
}

/* Joins b into a when both fall into the same bucket. */
static bool join_slice(slice *a, const slice *b, double bucket) {
  if (floor(a->x / bucket) != floor(b->x / bucket)) return false;
  bool up = b->high > b->low;
  a->high = up ? fmax(a->high, b->high) : fmin(a->high, b->high);
  a->low = up ? fmin(a->low, b->low) : fmax(a->low, b->low);
  return true;
}

void un_canvas_area(un_canvas *c, const un_frame *frame, const un_series *x,
                    const un_series *low, const un_series *high, un_color fill) {
  double bucket = c->pixels ? 0.5 / c->scale : 0.12;
  bool thin = un_series_is_long(frame, low->count, bucket);
  slice *slices = malloc((low->count + 1) * sizeof *slices), s;
  size_t n = 0;
  if (!slices) {
    c->bytes.failed = true;
    return;
  }
  for (size_t i = 0; i < low->count; i++) {
    if (!slice_at(frame, x, low, high, i, &s)) {
      fill_slices(c, frame, slices, n, fill);
      n = 0;
    } else if (!thin || n == 0 || !join_slice(&slices[n - 1], &s, bucket)) {
      slices[n++] = s;
    }
  }
  fill_slices(c, frame, slices, n, fill);
  free(slices);
}
