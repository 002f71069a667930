/* lines.c -- the line through a series of points.
**
** Points -> thinning (series.c) -> each segment clipped to the box, in double precision
** -> strokes. On a raster page a path is stroked in runs of some 60 points, because
** cairo takes more than linear time for a path that crosses itself; round caps hide the
** joints. With alpha < 1 the joints would show where two runs overlap, so the runs are
** drawn opaque into a group, which is then laid on the page once. A vector page gets
** one path: nothing is rasterised there. */
#include <math.h>

#include "page.h"
#include "series.h"

enum { RUN = 64 };

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

/* --- clipping (Cohen and Sutherland) ------------------------------------------------
 */

/* A cut end gets the coordinate of the edge itself, not one computed from a far end:
** 1e30 - 1e30 is anything. */

enum { LEFT = 1, RIGHT = 2, ABOVE = 4, BELOW = 8 };

static int outside(const un_box *box, double x, double y) {
  return (x < box->left    ? LEFT
          : x > box->right ? RIGHT
                           : 0) |
         (y < box->top      ? ABOVE
          : y > box->bottom ? BELOW
                            : 0);
}

/* Moves (*x,*y), which lies `out`side, along the way to (tx,ty) onto an edge. */
static void cut_end(const un_box *box, int out, double *x, double *y, double tx,
                    double ty) {
  if (out & (LEFT | RIGHT)) {
    double edge = out & LEFT ? box->left : box->right;
    *y += (ty - *y) * ((edge - *x) / (tx - *x));
    *x = edge;
  } else {
    double edge = out & ABOVE ? box->top : box->bottom;
    *x += (tx - *x) * ((edge - *y) / (ty - *y));
    *y = edge;
  }
}

/* false when nothing of the segment is inside. */
static bool clip_segment(const un_box *box, double *x0, double *y0, double *x1,
                         double *y1) {
  for (int cuts = 0; cuts < 8; cuts++) {
    int out0 = outside(box, *x0, *y0), out1 = outside(box, *x1, *y1);
    if ((out0 | out1) == 0) return true;
    if ((out0 & out1) != 0) return false;
    if (out0)
      cut_end(box, out0, x0, y0, *x1, *y1);
    else
      cut_end(box, out1, x1, y1, *x0, *y0);
  }
  return false;
}

/* --- strokes ------------------------------------------------------------------------
 */

static void stroke_run(pen *p) {
  const un_stroke *s = p->stroke;
  if (p->in_path == 0) return;
  if (s->dashes > 0) cairo.set_dash(p->c->cr, s->dash, s->dashes, p->length);
  cairo.stroke(p->c->cr);
  p->length += p->run_length;
  p->run_length = 0;
  p->in_path = 0;
}

static void add_segment(pen *p, double x0, double y0, double x1, double y1) {
  cairo_t *cr = p->c->cr;
  if (p->c->pixels && p->in_path >= RUN) {
    stroke_run(p);
    p->connected = false;
  }
  if (!p->connected) cairo.move_to(cr, x0, y0);
  cairo.line_to(cr, x1, y1);
  p->run_length += hypot(x1 - x0, y1 - y0);
  p->in_path++;
}

static void draw_to(pen *p, double x, double y) {
  double x0 = p->last_x, y0 = p->last_y, x1 = x, y1 = y;
  if (!clip_segment(&p->box, &x0, &y0, &x1, &y1)) {
    p->connected = false;
    return;
  }
  if (x0 != p->last_x || y0 != p->last_y) p->connected = false;
  add_segment(p, x0, y0, x1, y1);
  p->connected = x1 == x && y1 == y;
}

static void pen_point(void *self, double x, double y) {
  pen *p = self;
  p->alone = !p->has_last;
  if (p->has_last)
    draw_to(p, x, y);
  else
    p->connected = false;
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
    cairo.push_group(c->cr);
  }
  pen p = {.c = c, .stroke = &opaque};
  p.box = un_box_grow(&frame->box, 4 * stroke->width + 4);
  un_sink sink = {pen_point, pen_gap, &p};
  un_set_stroke(c->cr, &opaque);
  cairo.new_path(c->cr);
  un_series_walk(frame, x, y, c->pixels ? 0.5 / c->scale : 0.12, &sink);
  stroke_run(&p);
  if (group) {
    cairo.pop_group_to_source(c->cr);
    cairo.paint_with_alpha(c->cr, stroke->color.a);
  }
}
