/* png.c -- a raster page as a PNG file.
**
** Not cairo's own writer: it gives no resolution, so that viewers and word processors take
** the picture for one of 72 or 96 dots an inch, has no place for words, and spends half of
** a chart's time on choosing filters and compressing. Charts are made of equal pixels; no
** filter and zlib's level 4 give files of the same size in a third of the time. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "page.h"

enum { LEVEL = 4 };

static void add32(un_bytes *out, uint32_t value) {
  char bytes[4];
  for (int i = 0; i < 4; i++)
    bytes[i] = (char)(value >> (24 - 8 * i));
  un_bytes_add(out, bytes, 4);
}

/* type: four letters. Frees the content. */
static void add_chunk(un_bytes *out, const char *type, un_bytes *content) {
  size_t start = out->size + 4;
  add32(out, (uint32_t)content->size);
  un_bytes_add(out, type, 4);
  un_bytes_add(out, content->data, content->size);
  if (content->failed) out->failed = true;
  un_bytes_swap(content, &(un_bytes){0});
  if (out->failed) return;
  add32(out, (uint32_t)crc32(0, (const Bytef *)out->data + start,
                             (uInt)(out->size - start)));
}

/* --- head and words -----------------------------------------------------------------
 */

static void add_header(un_bytes *out, int width, int height, bool alpha) {
  un_bytes content = {0};
  const char kind[] = {8, alpha ? 6 : 2, 0, 0, 0}; /* bits, colour type, defaults */
  add32(&content, (uint32_t)width);
  add32(&content, (uint32_t)height);
  un_bytes_add(&content, kind, sizeof kind);
  add_chunk(out, "IHDR", &content);
}

static void add_resolution(un_bytes *out, double dpi) {
  un_bytes content = {0};
  uint32_t per_metre = (uint32_t)lround(dpi / 0.0254);
  add32(&content, per_metre);
  add32(&content, per_metre);
  un_bytes_add(&content, "\1", 1); /* the unit is the metre */
  add_chunk(out, "pHYs", &content);
}

static bool is_ascii(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text >= 128) return false;
  return true;
}

/* tEXt holds Latin-1; what goes beyond ASCII becomes iTXt, which holds UTF-8: two bytes
** say "not compressed", then come two empty strings, the language and the keyword in it. */
static void add_words(un_bytes *out, const char *keyword, const char *text) {
  if (!text || !*text) return;
  un_bytes content = {0};
  bool ascii = is_ascii(text);
  un_bytes_add(&content, keyword, strlen(keyword) + 1);
  if (!ascii) un_bytes_add(&content, "\0\0\0\0", 4);
  un_bytes_add(&content, text, strlen(text));
  add_chunk(out, ascii ? "tEXt" : "iTXt", &content);
}

/* --- pixels -------------------------------------------------------------------------
 */

/* cairo's colours are multiplied by alpha; those of PNG are not. */
static unsigned char plain(unsigned value, unsigned alpha) {
  return (unsigned char)(alpha ? (value * 255 + alpha / 2) / alpha : 0);
}

/* One row without filter: its number, then the pixels. */
static void convert_row(const unsigned *row, int width, bool alpha,
                        unsigned char *out) {
  *out++ = 0;
  for (int i = 0; i < width; i++) {
    unsigned r = row[i] >> 16 & 255, g = row[i] >> 8 & 255, b = row[i] & 255;
    unsigned a = row[i] >> 24;
    *out++ = alpha ? plain(r, a) : (unsigned char)r;
    *out++ = alpha ? plain(g, a) : (unsigned char)g;
    *out++ = alpha ? plain(b, a) : (unsigned char)b;
    if (alpha) *out++ = (unsigned char)a;
  }
}

/* All rows, one after the other; NULL when memory is short. */
static unsigned char *convert(cairo_surface_t *image, int width, int height, bool alpha,
                              size_t *size) {
  size_t row_size = 1 + (size_t)width * (alpha ? 4 : 3);
  int stride = cairo.image_surface_get_stride(image);
  const unsigned char *pixels = cairo.image_surface_get_data(image);
  unsigned char *rows = malloc(row_size * (size_t)height);
  for (int i = 0; rows && i < height; i++)
    convert_row((const void *)(pixels + (ptrdiff_t)i * stride), width, alpha,
                rows + row_size * (size_t)i);
  *size = row_size * (size_t)height;
  return rows;
}

static void add_pixels(un_bytes *out, cairo_surface_t *image, int width, int height,
                       bool alpha) {
  un_bytes content = {0};
  size_t size;
  unsigned char *rows = convert(image, width, height, alpha, &size);
  uLongf packed_size = compressBound(size);
  content.data = malloc(packed_size);
  content.failed =
      !rows || !content.data ||
      compress2((Bytef *)content.data, &packed_size, rows, size, LEVEL) != Z_OK;
  content.size = content.failed ? 0 : packed_size;
  free(rows);
  add_chunk(out, "IDAT", &content);
}

bool un_png_encode(un_canvas *c) {
  cairo.surface_flush(c->surface);
  int width = cairo.image_surface_get_width(c->surface);
  int height = cairo.image_surface_get_height(c->surface);
  bool alpha = cairo.image_surface_get_format(c->surface) == CAIRO_FORMAT_ARGB32;
  un_bytes_add(&c->bytes, "\211PNG\r\n\032\n", 8);
  add_header(&c->bytes, width, height, alpha);
  add_resolution(&c->bytes, c->dpi);
  add_words(&c->bytes, "Title", c->title);
  add_words(&c->bytes, "Description", c->description);
  add_pixels(&c->bytes, c->surface, width, height, alpha);
  add_chunk(&c->bytes, "IEND", &(un_bytes){0});
  return !c->bytes.failed;
}
