/* page.c -- opening a page, encoding it into memory, closing it (see canvas.h).
**
** The page is encoded into memory first and written by the caller as a whole, so a full
** disk never leaves half a picture behind. */
#include "page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PIXELS = 32767 }; /* cairo's limit for one side of an image */

bool un_plot_fail(un_plot_error *error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(error->msg, sizeof error->msg, format, args);
  va_end(args);
  return false;
}

/* --- bytes --------------------------------------------------------------------------
 */

void un_bytes_add(un_bytes *b, const void *data, size_t size) {
  if (b->failed || size == 0) return;
  if (b->room - b->size < size) {
    size_t room = b->room * 2 + size + 4096;
    char *grown = realloc(b->data, room);
    if (!grown) {
      b->failed = true;
      return;
    }
    b->data = grown;
    b->room = room;
  }
  memcpy(b->data + b->size, data, size);
  b->size += size;
}

void un_bytes_swap(un_bytes *b, un_bytes *by) {
  free(b->data);
  *b = *by;
  *by = (un_bytes){0};
}

static cairo_status_t collect(void *bytes, const unsigned char *data, unsigned size) {
  un_bytes_add(bytes, data, size);
  return ((un_bytes *)bytes)->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

/* --- opening ------------------------------------------------------------------------
 */

/* A fixed date, or the one that reproducible builds ask for. */
static void creation_date(char *text, size_t room) {
  static const long long last = 253402300799; /* of the year 9999 */
  const char *epoch = getenv("SOURCE_DATE_EPOCH");
  long long given = epoch ? strtoll(epoch, NULL, 10) : 0;
  time_t seconds = (time_t)(given < 0 ? 0 : given > last ? last : given);
  struct tm date;
  if (!gmtime_r(&seconds, &date)) memset(&date, 0, sizeof date);
  strftime(text, room, "%Y-%m-%dT%H:%M:%SZ", &date);
}

static cairo_surface_t *pdf_surface(const un_page *page, un_bytes *bytes) {
  cairo_surface_t *pdf =
      cairo.pdf_surface_create_for_stream(collect, bytes, page->width, page->height);
  char date[64];
  creation_date(date, sizeof date);
  cairo.pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_CREATE_DATE, date);
  if (page->title)
    cairo.pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_TITLE, page->title);
  if (page->description)
    cairo.pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_SUBJECT, page->description);
  return pdf;
}

static cairo_surface_t *make_surface(const un_page *page, double scale,
                                     un_bytes *bytes) {
  if (page->format == UN_PDF) return pdf_surface(page, bytes);
  if (page->format == UN_SVG) {
    cairo_surface_t *svg =
        cairo.svg_surface_create_for_stream(collect, bytes, page->width, page->height);
    cairo.svg_surface_set_document_unit(svg, CAIRO_SVG_UNIT_PT);
    return svg;
  }
  bool opaque = page->background.a >= 1;
  return cairo.image_surface_create(opaque ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_ARGB32,
                                    (int)lround(page->width * scale),
                                    (int)lround(page->height * scale));
}

static bool check_size(const un_page *page, double scale, un_plot_error *error) {
  double width = page->width * scale, height = page->height * scale;
  if (!(width >= 1 && height >= 1 && width <= MAX_PIXELS && height <= MAX_PIXELS))
    return un_plot_fail(
        error, "a page of %.4g x %.4g %s cannot be drawn (1 to %d a side)", width,
        height, page->format == UN_PNG ? "pixels" : "points", MAX_PIXELS);
  return true;
}

un_canvas *un_canvas_open(const un_page *page, un_plot_error *error) {
  double scale = page->format == UN_PNG ? page->dpi / 72 : 1;
  if (!check_size(page, scale, error) || !un_plot_load(error)) return NULL;
  un_canvas *c = calloc(1, sizeof *c);
  if (!c) {
    un_plot_fail(error, "not enough memory for a page");
    return NULL;
  }
  c->title = page->title ? strdup(page->title) : NULL;
  c->description = page->description ? strdup(page->description) : NULL;
  c->format = page->format;
  c->dpi = page->dpi;
  c->scale = scale * page->zoom;
  c->pixels = page->format == UN_PNG;
  c->surface = make_surface(page, scale, &c->bytes);
  cairo.surface_set_device_offset(c->surface, -page->left * scale, -page->top * scale);
  c->cr = cairo.create(c->surface);
  cairo.scale(c->cr, c->scale, c->scale);
  if (page->background.a > 0) {
    un_set_color(c->cr, page->background);
    cairo.paint(c->cr);
  }
  if (cairo.status(c->cr) != CAIRO_STATUS_SUCCESS) {
    un_plot_fail(error, "%s", cairo.status_to_string(cairo.status(c->cr)));
    un_canvas_close(c);
    return NULL;
  }
  return c;
}

/* --- closing ------------------------------------------------------------------------
 */

void un_canvas_close(un_canvas *c) {
  if (!c) return;
  if (c->cr) cairo.destroy(c->cr);
  cairo.surface_destroy(c->surface);
  free(c->title);
  free(c->description);
  free(c->bytes.data);
  free(c);
}

static cairo_status_t encode(un_canvas *c) {
  cairo_status_t status = cairo.status(c->cr);
  if (status != CAIRO_STATUS_SUCCESS) return status;
  if (c->format == UN_PNG) {
    c->bytes.failed = !un_png_encode(c);
    return CAIRO_STATUS_SUCCESS;
  }
  cairo.show_page(c->cr);
  cairo.surface_finish(c->surface); /* writes the last bytes */
  return cairo.surface_status(c->surface);
}

bool un_canvas_finish(un_canvas *c, const char **bytes, size_t *size,
                      un_plot_error *error) {
  cairo_status_t status = encode(c);
  if (status != CAIRO_STATUS_SUCCESS)
    return un_plot_fail(error, "%s", cairo.status_to_string(status));
  bool ok = c->format != UN_SVG || un_svg_finish(&c->bytes, c->title, c->description);
  if (!ok || c->bytes.failed)
    return un_plot_fail(error, "not enough memory for a page");
  *bytes = c->bytes.data;
  *size = c->bytes.size;
  return true;
}
