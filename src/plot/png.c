/* png.c -- the resolution of a PNG, and words for readers who do not see.
**
** cairo writes no pHYs chunk, so viewers and word processors would take the picture for
** one of 72 or 96 dots an inch; and it writes no text. The chunks go right after the
** header, which has a fixed size: 8 bytes of signature and an IHDR chunk of 25. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "page.h"

enum { HEADER = 8 + 25 };

/* CRC-32 as PNG has it, a bit at a time: the chunks are short. */
static uint32_t crc32_of(const char *data, size_t size) {
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < size; i++) {
    crc ^= (unsigned char)data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static void add32(un_bytes *out, uint32_t value) {
  char bytes[4];
  for (int i = 0; i < 4; i++)
    bytes[i] = (char)(value >> (24 - 8 * i));
  un_bytes_add(out, bytes, 4);
}

/* type: four letters. */
static void add_chunk(un_bytes *out, const char *type, const un_bytes *content) {
  size_t start = out->size + 4;
  add32(out, (uint32_t)content->size);
  un_bytes_add(out, type, 4);
  un_bytes_add(out, content->data, content->size);
  if (!out->failed) add32(out, crc32_of(out->data + start, out->size - start));
}

static void add_resolution(un_bytes *out, double dpi) {
  un_bytes content = {0};
  uint32_t per_metre = (uint32_t)lround(dpi / 0.0254);
  add32(&content, per_metre);
  add32(&content, per_metre);
  un_bytes_add(&content, "\1", 1); /* the unit is the metre */
  add_chunk(out, "pHYs", &content);
  un_bytes_swap(&content, &(un_bytes){0});
}

static bool is_ascii(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text >= 128) return false;
  return true;
}

/* tEXt holds Latin-1; what goes beyond ASCII becomes iTXt, which holds UTF-8: two bytes
** say "not compressed", then come two empty strings, the language and the keyword in
*it. */
static void add_words(un_bytes *out, const char *keyword, const char *text) {
  if (!text || !*text) return;
  un_bytes content = {0};
  bool ascii = is_ascii(text);
  un_bytes_add(&content, keyword, strlen(keyword) + 1);
  if (!ascii) un_bytes_add(&content, "\0\0\0\0", 4);
  un_bytes_add(&content, text, strlen(text));
  if (content.failed) out->failed = true;
  add_chunk(out, ascii ? "tEXt" : "iTXt", &content);
  un_bytes_swap(&content, &(un_bytes){0});
}

bool un_png_finish(un_bytes *png, double dpi, const char *title,
                   const char *description) {
  if (png->failed || png->size < HEADER) return false;
  un_bytes out = {0};
  un_bytes_add(&out, png->data, HEADER);
  add_resolution(&out, dpi);
  add_words(&out, "Title", title);
  add_words(&out, "Description", description);
  un_bytes_add(&out, png->data + HEADER, png->size - HEADER);
  un_bytes_swap(png, &out);
  return !png->failed;
}
