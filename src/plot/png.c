/* png.c -- the resolution of a PNG.
**
** cairo writes no pHYs chunk, so viewers and word processors would take the picture for
** one of 72 or 96 dots an inch. The chunk goes right after the header, which has a
** fixed size: 8 bytes of signature and an IHDR chunk of 25. */
#include <math.h>
#include <stdint.h>

#include "page.h"

enum { HEADER = 8 + 25, PHYS = 4 + 4 + 9 + 4 };

/* CRC-32 as PNG has it, a bit at a time: 13 bytes need no table. */
static uint32_t crc32_of(const unsigned char *data, size_t size) {
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static void put32(unsigned char *at, uint32_t value) {
  for (int i = 0; i < 4; i++)
    at[i] = (unsigned char)(value >> (24 - 8 * i));
}

bool un_png_finish(un_bytes *png, double dpi) {
  if (png->failed || png->size < HEADER) return false;
  unsigned char chunk[PHYS] = {0, 0, 0, 9, 'p', 'H', 'Y', 's'};
  uint32_t per_metre = (uint32_t)lround(dpi / 0.0254);
  put32(chunk + 8, per_metre);
  put32(chunk + 12, per_metre);
  chunk[16] = 1; /* the unit is the metre */
  put32(chunk + 17, crc32_of(chunk + 4, 13));
  un_bytes out = {0};
  un_bytes_add(&out, png->data, HEADER);
  un_bytes_add(&out, chunk, PHYS);
  un_bytes_add(&out, png->data + HEADER, png->size - HEADER);
  un_bytes_swap(png, &out);
  return !png->failed;
}
