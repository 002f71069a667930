/* shapes.c -- clips, rectangles, straight lines, polygons: page coordinates.
**
** On a raster page edges are moved to device pixels: two anti-aliased rectangles that
** touch would show a seam, and a thin line between two pixels would be grey and wide.
** Coordinates come from scripts, so what is not finite draws nothing and what is far
** off the page is pulled near to it (see canvas.h on 24.8). */
#include <math.h>

#include "page.h"

static const double far_away = 1e5; /* points; well within 24.8 fixed point */

void un_set_color(cairo_t *cr, un_color color) {
  cairo.set_source_rgba(cr, color.r, color.g, color.b, color.a);
}

void un_set_stroke(cairo_t *cr, const un_stroke *stroke) {
  un_set_color(cr, stroke->color);
  cairo.set_line_width(cr, stroke->width);
  cairo.set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
  cairo.set_line_cap(cr,
                     stroke->dashes > 0 ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
  cairo.set_dash(cr, stroke->dash, stroke->dashes, 0);
}

un_box un_box_grow(const un_box *box, double by) {
  return (un_box){box->left - by, box->top - by, box->right + by, box->bottom + by};
}

static double tame(double v) {
  return fmin(fmax(v, -far_away), far_away);
}

static double snap(const un_canvas *c, double v) {
  return c->pixels ? round(tame(v) * c->scale) / c->scale : tame(v);
}

static bool is_finite_box(const un_box *b) {
  return isfinite(b->left) && isfinite(b->top) && isfinite(b->right) &&
         isfinite(b->bottom);
}

un_box un_box_snap(const un_canvas *c, const un_box *box) {
  return (un_box){snap(c, box->left), snap(c, box->top), snap(c, box->right),
                  snap(c, box->bottom)};
}

static void box_path(un_canvas *c, const un_box *box) {
  un_box b = un_box_snap(c, box);
  cairo.rectangle(c->cr, b.left, b.top, b.right - b.left, b.bottom - b.top);
}

void un_canvas_clip(un_canvas *c, const un_box *box) {
  cairo.save(c->cr);
  cairo.new_path(c->cr);
  if (is_finite_box(box)) box_path(c, box);
  cairo.clip(c->cr);
}

void un_canvas_unclip(un_canvas *c) {
  cairo.restore(c->cr);
}

void un_canvas_rectangle(un_canvas *c, const un_box *box, un_color fill) {
  if (!is_finite_box(box)) return;
  un_set_color(c->cr, fill);
  box_path(c, box);
  cairo.fill(c->cr);
}

/* The middle of a line `pixels` wide whose edges are whole pixels. */
static double snap_middle(const un_canvas *c, double v, double pixels) {
  bool odd = fmod(pixels, 2) == 1;
  double device = tame(v) * c->scale;
  return (odd ? floor(device) + 0.5 : round(device)) / c->scale;
}

void un_canvas_segment(un_canvas *c, double x0, double y0, double x1, double y1,
                       const un_stroke *stroke) {
  if (!isfinite(x0 + y0 + x1 + y1)) return;
  un_stroke crisp = *stroke;
  bool upright = x0 == x1, level = y0 == y1;
  if (c->pixels && (upright || level)) {
    double pixels = fmax(1, round(stroke->width * c->scale));
    crisp.width = pixels / c->scale;
    if (upright) x0 = x1 = snap_middle(c, x0, pixels);
    if (level) y0 = y1 = snap_middle(c, y0, pixels);
  }
  un_set_stroke(c->cr, &crisp);
  cairo.set_line_cap(c->cr, CAIRO_LINE_CAP_BUTT);
  cairo.move_to(c->cr, upright ? x0 : snap(c, x0), level ? y0 : snap(c, y0));
  cairo.line_to(c->cr, upright ? x1 : snap(c, x1), level ? y1 : snap(c, y1));
  cairo.stroke(c->cr);
}

void un_canvas_polygon(un_canvas *c, const double *points, size_t count,
                       un_color fill) {
  cairo.new_path(c->cr);
  for (size_t i = 0; i < count; i++)
    if (isfinite(points[2 * i] + points[2 * i + 1]))
      cairo.line_to(c->cr, tame(points[2 * i]), tame(points[2 * i + 1]));
  cairo.close_path(c->cr);
  un_set_color(c->cr, fill);
  cairo.fill(c->cr);
}
