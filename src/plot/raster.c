/* raster.c -- a finished page as plain pixels, for terminals. */
#include <stdint.h>

#include "page.h"

typedef struct source {
  const unsigned char *data; /* cairo's pixels, premultiplied */
  int width, height, stride;
  bool opaque; /* the highest byte of a pixel means nothing */
} source;

static unsigned source_pixel(const source *s, int x, int y) {
  return ((const unsigned *)(const void *)(s->data + (ptrdiff_t)y * s->stride))[x];
}

/* The mean of the source's pixels that pixel (x,y) of width x height covers; what is
** transparent counts as white. */
static void average(const source *s, int x, int y, int width, int height,
                    unsigned char *rgb) {
  int left = (int)((int64_t)x * s->width / width),
      top = (int)((int64_t)y * s->height / height);
  int right = (int)((int64_t)(x + 1) * s->width / width),
      bottom = (int)((int64_t)(y + 1) * s->height / height);
  unsigned sum[3] = {0}, count = 0;
  for (int j = top; j == top || j < bottom; j++) {
    for (int i = left; i == left || i < right; i++, count++) {
      unsigned pixel = source_pixel(s, i, j);
      unsigned clear = s->opaque ? 0 : 255 - (pixel >> 24);
      for (int k = 0; k < 3; k++)
        sum[k] += (pixel >> (16 - 8 * k) & 255) + clear;
    }
  }
  for (int k = 0; k < 3; k++)
    rgb[k] = (unsigned char)(sum[k] / count);
}

bool un_canvas_pixels(un_canvas *c, int width, int height, unsigned char *pixels,
                      un_plot_error *error) {
  if (!c->pixels) return un_plot_fail(error, "only a png page has pixels");
  cairo_status_t status = cairo.status(c->cr);
  if (status != CAIRO_STATUS_SUCCESS)
    return un_plot_fail(error, "%s", cairo.status_to_string(status));
  cairo.surface_flush(c->surface);
  source s = {cairo.image_surface_get_data(c->surface),
              cairo.image_surface_get_width(c->surface),
              cairo.image_surface_get_height(c->surface),
              cairo.image_surface_get_stride(c->surface),
              cairo.image_surface_get_format(c->surface) == CAIRO_FORMAT_RGB24};
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++, pixels += 3)
      average(&s, x, y, width, height, pixels);
  return true;
}
