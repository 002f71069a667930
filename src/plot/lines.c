/* lines.c -- the line through a series of points.
**
** Points -> thinning (series.c) -> each segment clipped to the box, in double precision
** -> strokes. On a raster page a path is stroked in runs of some 200 points, because
** cairo takes more than linear time for a path that crosses itself; round caps hide the
** joints. With alpha < 1 the joints would show where two runs overlap, so the runs are
** drawn opaque into a group, which is then laid on the page once. A vector page gets
** one path: nothing is rasterised there. */
#include <math.h>

#include "page.h"
#include "series.h"

enum { RUN = 200 };

typedef struct pen {
  un_canvas *c;
  const un_stroke *stroke;
  un_box box; /* what may be handed to cairo */
  bool has_last;
  double last_x, last_y; /* the last point of the data */
  bool connected;        /* the path ends at (last_x,last_y) */
  bool alone;            /* no segment since the last gap */
  int in_path;
  double length, run_length; /* before this run, in it: where a dash pattern goes on */
} pen;

/* --- clipping (Liang and Barsky 1984) -----------------------------------------------
 */

/* One edge: the part of the segment with p*t <= q. */
static bool clip_edge(double p, double q, double *t0, double *t1) {
  if (p == 0) return q >= 0;
  double t = q / p;
  if (p < 0) {
    if (t > *t0) *t0 = t;
  } else if (t < *t1) {
    *t1 = t;
  }
  return *t0 <= *t1;
}

static bool clip_segment(const un_box *box, double x, double y, double dx, double dy,
                         double *t0, double *t1) {
  *t0 = 0;
  *t1 = 1;
  return clip_edge(-dx, x - box->left, t0, t1) &&
         clip_edge(dx, box->right - x, t0, t1) &&
         clip_edge(-dy, y - box->top, t0, t1) && clip_edge(dy, box->bottom - y, t0, t1);
}

static void pull_into(const un_box *box, double *x, double *y) {
  *x = fmin(fmax(*x, box->left), box->right);
  *y = fmin(fmax(*y, box->top), box->bottom);
}

/* --- strokes ------------------------------------------------------------------------
 */

static void stroke_run(pen *p) {
  const un_stroke *s = p->stroke;
  if (p->in_path == 0) return;
  if (s->dashes > 0) cairo_set_dash(p->c->cr, s->dash, s->dashes, p->length);
  cairo_stroke(p->c->cr);
  p->length += p->run_length;
  p->run_length = 0;
  p->in_path = 0;
}

/* The cut end of a segment that goes 1e30 points away is inexact: pull it to the box.
 */
static void add_segment(pen *p, double x0, double y0, double x1, double y1) {
  cairo_t *cr = p->c->cr;
  pull_into(&p->box, &x0, &y0);
  pull_into(&p->box, &x1, &y1);
  if (p->c->pixels && p->in_path >= RUN) {
    stroke_run(p);
    p->connected = false;
  }
  if (!p->connected) cairo_move_to(cr, x0, y0);
  cairo_line_to(cr, x1, y1);
  p->run_length += hypot(x1 - x0, y1 - y0);
  p->in_path++;
}

static void pen_point(void *self, double x, double y) {
  pen *p = self;
  if (p->has_last) {
    double dx = x - p->last_x, dy = y - p->last_y, t0, t1;
    if (clip_segment(&p->box, p->last_x, p->last_y, dx, dy, &t0, &t1)) {
      if (t0 > 0) p->connected = false;
      add_segment(p, p->last_x + t0 * dx, p->last_y + t0 * dy, p->last_x + t1 * dx,
                  p->last_y + t1 * dy);
      p->connected = t1 == 1;
    } else {
      p->connected = false;
    }
    p->alone = false;
  } else {
    p->connected = false;
    p->alone = true;
  }
  p->last_x = x;
  p->last_y = y;
  p->has_last = true;
}

/* A point between two gaps shows as a dot. */
static void pen_gap(void *self) {
  pen *p = self;
  if (p->has_last && p->alone) pen_point(p, p->last_x, p->last_y);
  p->has_last = false;
}

static bool needs_group(const un_canvas *c, const un_stroke *stroke, size_t points) {
  return c->pixels && stroke->color.a < 1 && points > RUN;
}

void un_canvas_polyline(un_canvas *c, const un_frame *frame, const un_series *x,
                        const un_series *y, const un_stroke *stroke) {
  un_stroke opaque = *stroke;
  bool group = needs_group(c, stroke, y->count);
  if (group) {
    opaque.color.a = 1;
    cairo_push_group(c->cr);
  }
  pen p = {.c = c, .stroke = &opaque};
  p.box = un_box_grow(&frame->box, 4 * stroke->width + 4);
  un_sink sink = {pen_point, pen_gap, &p};
  un_set_stroke(c->cr, &opaque);
  cairo_new_path(c->cr);
  un_series_walk(frame, x, y, c->pixels ? 0.5 / c->scale : 0.12, &sink);
  stroke_run(&p);
  if (group) {
    cairo_pop_group_to_source(c->cr);
    cairo_paint_with_alpha(c->cr, stroke->color.a);
  }
}
