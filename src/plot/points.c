/* points.c -- one marker for each point of a series. */
#include <math.h>

#include "page.h"

static void polygon_path(cairo_t *cr, double x, double y, double radius, int corners,
                         double first_angle) {
  for (int i = 0; i < corners; i++) {
    double angle = first_angle + 2 * M_PI * i / corners;
    cairo_line_to(cr, x + radius * cos(angle), y + radius * sin(angle));
  }
  cairo_close_path(cr);
}

/* The radii make the areas of the shapes look alike. */
static void marker_path(cairo_t *cr, un_marker shape, double x, double y, double r) {
  cairo_new_path(cr);
  switch (shape) {
  case UN_CIRCLE:
    cairo_arc(cr, x, y, r, 0, 2 * M_PI);
    break;
  case UN_SQUARE:
    polygon_path(cr, x, y, 1.27 * r, 4, M_PI / 4);
    break;
  case UN_DIAMOND:
    polygon_path(cr, x, y, 1.3 * r, 4, 0);
    break;
  case UN_TRIANGLE:
    polygon_path(cr, x, y + 0.15 * r, 1.4 * r, 3, -M_PI / 2);
    break;
  case UN_PLUS:
  case UN_CROSS: {
    double turn = shape == UN_PLUS ? 0 : M_PI / 4;
    double dx = 1.15 * r * cos(turn), dy = 1.15 * r * sin(turn);
    cairo_move_to(cr, x - dx, y - dy);
    cairo_line_to(cr, x + dx, y + dy);
    cairo_move_to(cr, x + dy, y - dx);
    cairo_line_to(cr, x - dy, y + dx);
    break;
  }
  }
}

static void draw_marker(cairo_t *cr, const un_marker_style *style, double x, double y) {
  bool lines = style->shape == UN_PLUS || style->shape == UN_CROSS;
  marker_path(cr, style->shape, x, y, style->size / 2);
  if (style->rim_width > 0 && style->rim.a > 0) {
    un_set_color(cr, style->rim);
    cairo_set_line_width(cr, 2 * style->rim_width + (lines ? style->size / 4 : 0));
    cairo_stroke_preserve(cr);
  }
  un_set_color(cr, style->fill);
  cairo_set_line_width(cr, style->size / 4);
  if (lines)
    cairo_stroke(cr);
  else
    cairo_fill(cr);
}

void un_canvas_markers(un_canvas *c, const un_frame *frame, const un_series *x,
                       const un_series *y, const un_marker_style *style) {
  un_box box = un_box_grow(&frame->box, style->size);
  cairo_set_dash(c->cr, NULL, 0, 0);
  cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_ROUND);
  for (size_t i = 0; i < y->count; i++) {
    double px = un_map_value(&frame->x, un_series_value(x, i));
    double py = un_map_value(&frame->y, un_series_value(y, i));
    if (px >= box.left && px <= box.right && py >= box.top && py <= box.bottom)
      draw_marker(c->cr, style, px, py);
  }
}
