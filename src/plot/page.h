/* page.h -- what the files of plot share about an open page (not for bind). */
#ifndef UN_PAGE_H
#define UN_PAGE_H

#include "canvas.h"
#include "libraries.h"

typedef struct un_bytes {
  char *data;
  size_t size, room;
  bool failed; /* memory ran out */
} un_bytes;

struct un_canvas {
  un_page_format format;
  double dpi;
  double scale; /* device units in a point */
  bool pixels;  /* a raster page: edges are snapped */
  cairo_surface_t *surface;
  cairo_t *cr;
  char *title, *description; /* copies; may be NULL */
  un_bytes bytes;            /* the encoded page */
};

/* Appends; on failure sets b->failed and keeps what there was. */
void un_bytes_add(un_bytes *b, const void *data, size_t size);

/* b becomes what `by` holds; what b held is freed. */
void un_bytes_swap(un_bytes *b, un_bytes *by);

bool un_plot_fail(un_plot_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The drawn page into c->bytes (png.c). false when memory is short. */
bool un_png_encode(un_canvas *c);

/* Last touches to what cairo wrote, in place (svg.c). */
bool un_svg_finish(un_bytes *svg, const char *title, const char *description);

void un_set_color(cairo_t *cr, un_color color);
void un_set_stroke(cairo_t *cr, const un_stroke *stroke);

/* Room around the box inside which coordinates are handed to cairo: strokes that run
** along just outside still show their inner half. */
un_box un_box_grow(const un_box *box, double by);

/* The box with its edges on device pixels (raster pages) and near the page. */
un_box un_box_snap(const un_canvas *c, const un_box *box);

#endif
