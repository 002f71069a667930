/* points.c -- one marker for each point of a series.
**
** A marker whose point lies in the frame's box is drawn whole, over the box's edge and
** past any clip: half a marker on an axis would look like a fault. */
#include <math.h>
#include <stdlib.h>

#include "page.h"

static void polygon_path(cairo_t *cr, double x, double y, double radius, int corners,
                         double first_angle) {
  for (int i = 0; i < corners; i++) {
    double angle = first_angle + 2 * M_PI * i / corners;
    cairo.line_to(cr, x + radius * cos(angle), y + radius * sin(angle));
  }
  cairo.close_path(cr);
}

/* The radii make the areas of the shapes look alike. */
static void marker_path(cairo_t *cr, un_marker shape, double x, double y, double r) {
  cairo.new_path(cr);
  switch (shape) {
  case UN_CIRCLE:
    cairo.arc(cr, x, y, r, 0, 2 * M_PI);
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
    cairo.move_to(cr, x - dx, y - dy);
    cairo.line_to(cr, x + dx, y + dy);
    cairo.move_to(cr, x + dy, y - dx);
    cairo.line_to(cr, x - dy, y + dx);
    break;
  }
  }
}

static void draw_marker(cairo_t *cr, const un_marker_style *style, double x, double y) {
  bool lines = style->shape == UN_PLUS || style->shape == UN_CROSS;
  marker_path(cr, style->shape, x, y, style->size / 2);
  if (style->rim_width > 0 && style->rim.a > 0) {
    un_set_color(cr, style->rim);
    cairo.set_line_width(cr, 2 * style->rim_width + (lines ? style->size / 4 : 0));
    cairo.stroke_preserve(cr);
  }
  un_set_color(cr, style->fill);
  cairo.set_line_width(cr, style->size / 4);
  if (lines)
    cairo.stroke(cr);
  else
    cairo.fill(cr);
}

/* --- one point's style --------------------------------------------------------------
 */

enum { NO_COLOR = UN_PALETTE_SIZE, ALL_COLORS };

/* The palette's entry for point i; NO_COLOR when its value has none. */
static int color_index(const un_marker_style *style, size_t i) {
  if (!style->values) return 0;
  double v = un_series_value(style->values, i);
  double u = un_map_value(&style->palette->map, v);
  if (!isfinite(v) || isnan(u)) return NO_COLOR;
  return (int)(fmin(fmax(u, 0), 1) * (UN_PALETTE_SIZE - 1) + 0.5);
}

/* The style with the colour of that entry. */
static un_marker_style colored(const un_marker_style *style, int index) {
  un_marker_style one = *style;
  if (!style->values) return one;
  unsigned rgb =
      index == NO_COLOR ? style->palette->missing : style->palette->colors[index];
  one.fill = (un_color){(rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0,
                        (rgb & 255) / 255.0, style->fill.a};
  return one;
}

/* --- stamps -------------------------------------------------------------------------
 */

/* On a raster page thousands of equal markers are drawn as copies of small images, one
** for each of SUB x SUB positions within a pixel and each colour: some 20 times faster
** than paths. An image is made when it is needed first. */

enum { SUB = 4, WORTH_IT = 300 };

typedef struct stamps {
  cairo_surface_t *image[ALL_COLORS * SUB * SUB];
  int side; /* pixels */
} stamps;

static cairo_surface_t *make_stamp(const un_canvas *c, const un_marker_style *style,
                                   int side, int column, int row) {
  cairo_surface_t *image = cairo.image_surface_create(CAIRO_FORMAT_ARGB32, side, side);
  cairo_t *cr = cairo.create(image);
  cairo.scale(cr, c->scale, c->scale);
  cairo.set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
  cairo.set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
  double middle = side / 2;
  draw_marker(cr, style, (middle + (column + 0.5) / SUB) / c->scale,
              (middle + (row + 0.5) / SUB) / c->scale);
  cairo.destroy(cr);
  return image;
}

static void free_stamps(stamps *s) {
  for (int i = 0; i < ALL_COLORS * SUB * SUB; i++)
    if (s->image[i]) cairo.surface_destroy(s->image[i]);
  free(s);
}

/* (x,y) in pixels; the page's matrix is the identity. */
static void put_stamp(un_canvas *c, stamps *s, const un_marker_style *style, int index,
                      double x, double y) {
  double left = floor(x), top = floor(y);
  int column = (int)((x - left) * SUB), row = (int)((y - top) * SUB);
  cairo_surface_t **image = &s->image[(index * SUB + column) * SUB + row];
  if (!*image) {
    un_marker_style one = colored(style, index);
    *image = make_stamp(c, &one, s->side, column, row);
  }
  cairo.set_source_surface(c->cr, *image, left - s->side / 2, top - s->side / 2);
  cairo.paint(c->cr);
}

/* --- series -------------------------------------------------------------------------
 */

static bool place_point(const un_frame *frame, const un_series *x, const un_series *y,
                        size_t i, double *px, double *py) {
  const un_box *box = &frame->box;
  *px = un_map_value(&frame->x, un_series_value(x, i));
  *py = un_map_value(&frame->y, un_series_value(y, i));
  return *px >= box->left - 0.5 && *px <= box->right + 0.5 && *py >= box->top - 0.5 &&
         *py <= box->bottom + 0.5;
}

static void draw_stamps(un_canvas *c, const un_frame *frame, const un_series *x,
                        const un_series *y, const un_marker_style *style) {
  stamps *s = calloc(1, sizeof *s);
  double px, py;
  if (!s) {
    c->bytes.failed = true;
    return;
  }
  s->side = 2 * (int)ceil((style->size + 2 * style->rim_width) * c->scale) + 4;
  cairo.identity_matrix(c->cr);
  for (size_t i = 0; i < y->count; i++)
    if (place_point(frame, x, y, i, &px, &py))
      put_stamp(c, s, style, color_index(style, i), px * c->scale, py * c->scale);
  free_stamps(s);
}

static void draw_paths(un_canvas *c, const un_frame *frame, const un_series *x,
                       const un_series *y, const un_marker_style *style) {
  double px, py;
  cairo.set_dash(c->cr, NULL, 0, 0);
  cairo.set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
  cairo.set_line_cap(c->cr, CAIRO_LINE_CAP_ROUND);
  for (size_t i = 0; i < y->count; i++) {
    if (!place_point(frame, x, y, i, &px, &py)) continue;
    un_marker_style one = colored(style, color_index(style, i));
    if (style->sizes) one.size = un_series_value(style->sizes, i);
    if (one.size > 0 && one.size < 1e4) draw_marker(c->cr, &one, px, py);
  }
}

/* On a vector page many equal discs are lines without length that have round ends: a file
** of a tenth of the size. */
static bool are_dots(const un_canvas *c, const un_series *y,
                     const un_marker_style *style) {
  return !c->pixels && y->count > WORTH_IT && style->shape == UN_CIRCLE &&
         !(style->rim_width > 0) && style->fill.a >= 1 && !style->sizes &&
         !style->values;
}

static void draw_dots(un_canvas *c, const un_frame *frame, const un_series *x,
                      const un_series *y, const un_marker_style *style) {
  double px, py;
  cairo.set_dash(c->cr, NULL, 0, 0);
  cairo.set_line_cap(c->cr, CAIRO_LINE_CAP_ROUND);
  cairo.set_line_width(c->cr, style->size);
  un_set_color(c->cr, style->fill);
  cairo.new_path(c->cr);
  for (size_t i = 0; i < y->count; i++) {
    if (!place_point(frame, x, y, i, &px, &py)) continue;
    cairo.move_to(c->cr, px, py);
    cairo.line_to(c->cr, px, py);
  }
  cairo.stroke(c->cr);
}

void un_canvas_markers(un_canvas *c, const un_frame *frame, const un_series *x,
                       const un_series *y, const un_marker_style *style) {
  cairo.save(c->cr);
  cairo.reset_clip(c->cr);
  if (c->pixels && y->count > WORTH_IT && !style->sizes && style->size * c->scale < 500)
    draw_stamps(c, frame, x, y, style);
  else if (are_dots(c, y, style))
    draw_dots(c, frame, x, y, style);
  else
    draw_paths(c, frame, x, y, style);
  cairo.restore(c->cr);
}
